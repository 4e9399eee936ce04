"""Formulas over tests: built simplified, compared by value, written as JSON. Decides nothing.

A formula is True, False, a Test, or a tuple: ("not", f), ("and", f, g, ...), ("or", f, g, ...).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from pipeline.iam.model import SetQualifier

#: Key of the tests on the resource itself.
RESOURCE = "resource"


class Test(NamedTuple):
    """One operator on one key: the condition of a statement, or a pattern for the resource.

    ``key`` is in lower case, ``values`` are texts with known policy variables filled in. ``is_opaque`` marks a test
    whose values hold a variable that nobody knows: it may come out either way.
    """

    operator: str
    set_qualifier: SetQualifier | None
    if_exists: bool
    key: str
    values: tuple[str, ...]
    has_variables: bool = False
    is_opaque: bool = False


Formula: TypeAlias = bool | Test | tuple[object, ...]


def negation(f: Formula) -> Formula:
    """Return not f, pushed inwards."""
    if isinstance(f, bool):
        return not f
    if isinstance(f, Test):
        return ("not", f)
    if f[0] == "not":
        return f[1]  # type: ignore[return-value]
    children = (negation(child) for child in parts_of(f))
    return disjunction(children) if f[0] == "and" else conjunction(children)


def conjunction(formulas: Iterable[Formula]) -> Formula:
    """Return the conjunction: flattened, without repeats, absorbed; False if a part and its negation are in it."""
    return _joined("and", "or", formulas, neutral=True)


def disjunction(formulas: Iterable[Formula]) -> Formula:
    """Return the disjunction, simplified as a conjunction is."""
    return _joined("or", "and", formulas, neutral=False)


def parts_of(f: Formula) -> tuple[Formula, ...]:
    """Return the members of a conjunction or disjunction."""
    return f[1:] if isinstance(f, tuple) and not isinstance(f, Test) else ()  # type: ignore[return-value]


def _is(f: Formula, kind: str) -> bool:
    return isinstance(f, tuple) and not isinstance(f, Test) and f[0] == kind


def _joined(kind: str, other: str, formulas: Iterable[Formula], neutral: bool) -> Formula:
    members: dict[Formula, None] = {}
    for f in formulas:
        if f is neutral:
            continue
        if f is (not neutral):
            return not neutral
        for part in parts_of(f) if _is(f, kind) else (f,):
            members[part] = None
    if any(negation(member) in members for member in members if isinstance(member, Test) or _is(member, "not")):
        return not neutral
    kept = [m for m in members if not (_is(m, other) and any(part in members for part in parts_of(m)))]
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else (kind, *sorted(kept, key=order))


@lru_cache(maxsize=1 << 18)
def order(f: Formula) -> str:
    """Return a text by which formulas sort, the same in every run."""
    return repr(f)


def tests(f: Formula) -> Iterator[Test]:
    """Yield every test of a formula, repeats included."""
    if isinstance(f, Test):
        yield f
    elif not isinstance(f, bool):
        for part in f[1:]:
            yield from tests(part)  # type: ignore[arg-type]


def value(f: Formula, known: Mapping[Test, bool]) -> bool | None:
    """Return the truth of a formula where some tests are known; None where that does not decide it."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return known.get(f)
    if f[0] == "not":
        inner = value(f[1], known)  # type: ignore[arg-type]
        return None if inner is None else not inner
    absorbing = f[0] == "or"
    is_open = False
    for part in f[1:]:
        found = value(part, known)  # type: ignore[arg-type]
        if found is absorbing:
            return absorbing
        is_open |= found is None
    return None if is_open else not absorbing


def substituted(f: Formula, known: Mapping[Test, bool]) -> Formula:
    """Return the formula with known tests replaced by their truth."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return known.get(f, f)
    if f[0] == "not":
        return negation(substituted(f[1], known))  # type: ignore[arg-type]
    children = (substituted(part, known) for part in f[1:])  # type: ignore[arg-type]
    return conjunction(children) if f[0] == "and" else disjunction(children)


def renamed(f: Formula, names: Mapping[Test, Test]) -> Formula:
    """Return the formula with tests replaced by others."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return names.get(f, f)
    if f[0] == "not":
        return negation(renamed(f[1], names))  # type: ignore[arg-type]
    children = (renamed(part, names) for part in f[1:])  # type: ignore[arg-type]
    return conjunction(children) if f[0] == "and" else disjunction(children)


def as_json(f: Formula) -> object:
    """Return the formula as JSON data: {"and": [...]}, {"or": [...]}, {"not": ...}, or a test's members."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return {
            "operator": f.operator,
            "set_qualifier": f.set_qualifier,
            "if_exists": f.if_exists,
            "key": f.key,
            "values": list(f.values),
        }
    members = [as_json(part) for part in f[1:]]  # type: ignore[arg-type]
    return {f[0]: members[0] if f[0] == "not" else members}


def identity(f: Formula) -> str:
    """Return the id of a formula: equal formulas have equal ids."""
    text = json.dumps(as_json(f), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
