"""Formulas over tests: built simplified, compared by value, written as JSON. Decides nothing.

A formula is True, False, a Test, or a Junction of formulas.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

from pipeline.iam.model import SetQualifier

#: Key of the tests on the resource itself.
RESOURCE = "resource"
#: Keys that tell facts of a resource.
OF_RESOURCE = ("aws:resource", RESOURCE, "sagemaker:resourcetag")
#: Operator of the test that the caller is a session of a name.
SESSION_IS = "SessionIs"
#: Stands behind a key, and behind the name of a policy variable, of which more is known for the principal than for
#: everyone: what its value begins with, which follows, and mostly that every request has it. No policy can hold it.
KNOWN = "\0"
_KNOWN_START = re.compile(r"\0[\w:-]*")


class Test:
    """One operator on one key: the condition of a statement, or a pattern for the resource.

    ``key`` is in lower case, ``values`` are texts with known policy variables filled in. ``is_opaque`` marks a test
    whose values hold a variable that nobody knows: it may come out either way.
    Tests of equal members are one object: to compare them costs nothing.
    """

    __slots__ = ("has_variables", "if_exists", "is_opaque", "key", "operator", "set_qualifier", "values")
    operator: str
    set_qualifier: SetQualifier | None
    if_exists: bool
    key: str
    values: tuple[str, ...]
    has_variables: bool
    is_opaque: bool
    _made: ClassVar[dict[tuple[object, ...], "Test"]] = {}

    def __new__(
        cls,
        operator: str,
        set_qualifier: SetQualifier | None,
        if_exists: bool,
        key: str,
        values: tuple[str, ...],
        has_variables: bool = False,
        is_opaque: bool = False,
    ) -> "Test":
        """Return the test of these members."""
        members = (operator, set_qualifier, if_exists, key, values, has_variables, is_opaque)
        found = cls._made.get(members)
        if found is None:
            found = cls._made[members] = super().__new__(cls)
            found.operator, found.set_qualifier, found.if_exists, found.key, found.values = members[:5]
            found.has_variables, found.is_opaque = has_variables, is_opaque
        return found

    def _members(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _MEMBERS}

    def _replace(self, **changed: object) -> "Test":
        """Return the test with some members changed."""
        return Test(**{**self._members(), **changed})

    def __reduce__(self) -> tuple[type["Test"], tuple[object, ...]]:
        """Let a copy in another process be the one object there."""
        return Test, tuple(self._members().values())

    def __repr__(self) -> str:
        return f"Test({', '.join(f'{name}={value!r}' for name, value in self._members().items())})"


_MEMBERS = ("operator", "set_qualifier", "if_exists", "key", "values", "has_variables", "is_opaque")


class Junction:
    """``not``, ``and`` or ``or`` of formulas. Junctions of equal parts are one object: to compare them costs nothing.

    ``tests`` are the distinct tests within, in the order in which they stand.
    """

    __slots__ = ("kind", "parts", "tests")
    kind: Literal["not", "and", "or"]
    parts: tuple["Test | Junction", ...]
    tests: tuple[Test, ...]
    _made: ClassVar[dict[tuple[str, tuple["Formula", ...]], "Junction"]] = {}

    def __new__(cls, kind: Literal["not", "and", "or"], parts: tuple["Test | Junction", ...]) -> "Junction":
        """Return the junction of the parts. A conjunction or disjunction wants them sorted by :func:`order`."""
        found = cls._made.get((kind, parts))
        if found is None:
            found = cls._made[kind, parts] = super().__new__(cls)
            found.kind, found.parts = kind, parts
            found.tests = tuple(dict.fromkeys(test for part in parts for test in tests(part)))
        return found

    def __reduce__(self) -> tuple[type["Junction"], tuple[str, tuple["Formula", ...]]]:
        """Let a copy in another process be the one object there."""
        return Junction, (self.kind, self.parts)

    def __repr__(self) -> str:
        return f"({self.kind!r}, {', '.join(map(order, self.parts))})"


Formula: TypeAlias = bool | Test | Junction


def negation(f: Formula) -> Formula:
    """Return not f, pushed inwards."""
    if isinstance(f, bool):
        return not f
    return _negation(f)


@lru_cache(maxsize=1 << 18)
def _negation(f: Test | Junction) -> Formula:
    if isinstance(f, Test):
        return Junction("not", (f,))
    if f.kind == "not":
        return f.parts[0]
    children = (negation(child) for child in f.parts)
    return disjunction(children) if f.kind == "and" else conjunction(children)


def conjunction(formulas: Iterable[Formula]) -> Formula:
    """Return the conjunction: flattened, without repeats, absorbed; False if a part and its negation are in it."""
    return _joined("and", "or", formulas, neutral=True)


def disjunction(formulas: Iterable[Formula]) -> Formula:
    """Return the disjunction, simplified as a conjunction is."""
    return _joined("or", "and", formulas, neutral=False)


def parts_of(f: Formula) -> tuple[Formula, ...]:
    """Return the members of a conjunction or disjunction."""
    return f.parts if isinstance(f, Junction) else ()


def is_junction(f: Formula, kind: str) -> bool:
    """Whether the formula is a junction of a kind."""
    return isinstance(f, Junction) and f.kind == kind


def _joined(kind: Literal["and", "or"], other: str, formulas: Iterable[Formula], neutral: bool) -> Formula:
    members: dict[Test | Junction, None] = {}
    for f in formulas:
        if isinstance(f, bool):
            if f is neutral:
                continue
            return f
        for part in f.parts if isinstance(f, Junction) and f.kind == kind else (f,):
            members[part] = None
    if len(members) < 2:
        return next(iter(members), neutral)
    return _of_members(kind, other, frozenset(members), neutral)


@lru_cache(maxsize=1 << 18)
def _of_members(kind: Literal["and", "or"], other: str, members: frozenset[Test | Junction], neutral: bool) -> Formula:
    if any(is_junction(member, "not") and parts_of(member)[0] in members for member in members):
        return not neutral
    kept = [m for m in members if not (is_junction(m, other) and any(part in members for part in parts_of(m)))]
    return kept[0] if len(kept) == 1 else Junction(kind, tuple(sorted(kept, key=order)))


@lru_cache(maxsize=1 << 18)
def order(f: Formula) -> str:
    """Return a text by which formulas sort, the same in every run."""
    return repr(f)


def tests(f: Formula) -> tuple[Test, ...]:
    """Return the distinct tests of a formula."""
    if isinstance(f, Junction):
        return f.tests
    return (f,) if isinstance(f, Test) else ()


def value(f: Formula, known: Mapping[Test, bool]) -> bool | None:
    """Return the truth of a formula where some tests are known; None where that does not decide it."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return known.get(f)
    if f.kind == "not":
        inner = value(f.parts[0], known)
        return None if inner is None else not inner
    absorbing = f.kind == "or"
    is_open = False
    for part in f.parts:
        found = value(part, known)
        if found is absorbing:
            return absorbing
        is_open |= found is None
    return None if is_open else not absorbing


def replaced(f: Formula, known: Mapping[Test, Formula]) -> Formula:
    """Return the formula with tests replaced: by their truth where it is known, or by other tests."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return known.get(f, f)
    if known.keys().isdisjoint(f.tests):
        return f
    children = (replaced(part, known) for part in f.parts)
    if f.kind == "not":
        return negation(next(children))
    return conjunction(children) if f.kind == "and" else disjunction(children)


def apart(f: Formula, number: int) -> Formula:
    """Give the resource of a number keys of its own: where a call names several, each has its own facts."""
    own: dict[Test, Formula] = {
        test: test._replace(key=f"{test.key} #{number}") for test in tests(f) if test.key.startswith(OF_RESOURCE)
    }
    return replaced(f, own)


def bare(text: str) -> str:
    """Return a key, a value or a pattern without what is known for one principal only."""
    return _KNOWN_START.sub("", text) if KNOWN in text else text


def as_json(f: Formula) -> object:
    """Return the formula as JSON data: {"and": [...]}, {"or": [...]}, {"not": ...}, or a test's members."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return {
            "operator": f.operator,
            "set_qualifier": f.set_qualifier,
            "if_exists": f.if_exists,
            "key": bare(f.key),
            "values": [bare(value) for value in f.values],
        }
    members = [as_json(part) for part in f.parts]
    return {f.kind: members[0] if f.kind == "not" else members}


def identity(f: Formula) -> str:
    """Return the id of a formula: equal formulas have equal ids."""
    text = json.dumps(as_json(f), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
