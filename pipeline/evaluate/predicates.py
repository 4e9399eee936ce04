"""What one value of a condition key does to a test, and the texts and globs that tests compare with.

Independent of the concrete evaluator's operators, on purpose.
"""

import operator as compare
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.formula import Formula, Test
from pipeline.iam import grammar
from pipeline.iam.grammar import Part
from pipeline.iam.request_keys import TWO_TYPES

#: What each negated operator negates; ArnEquals behaves as ArnLike (OPS).
POSITIVE = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress", "ArnNotEquals": "ArnLike", "ArnNotLike": "ArnLike",
}  # fmt: skip
NEGATED = frozenset(POSITIVE)

#: Family of each operator: what its values are read as.
FAMILIES = {
    "String": "text", "Arn": "text", "Numeric": "number", "Date": "instant", "Bool": "boolean", "Binary": "octets",
    "IpAddress": "address", "NotIpAddress": "address", "Null": "presence", "Resource": "text",
}  # fmt: skip

#: Data types of keys that an operator compares; any other type makes the statement void.
TYPES = {
    "String": ("String", "ARN"), "Arn": ("ARN",), "Numeric": ("Numeric",), "Date": ("Date",), "Bool": ("Bool",),
    "Binary": ("Binary",), "IpAddress": ("IPAddress",), "NotIpAddress": ("IPAddress",),
}  # fmt: skip

ORDER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "Equals": compare.eq, "NotEquals": compare.eq, "LessThan": compare.lt, "LessThanEquals": compare.le,
    "GreaterThan": compare.gt, "GreaterThanEquals": compare.ge,
}  # fmt: skip


def prefix_of(operator: str) -> str:
    """Return the part of an operator's name that tells its family."""
    return next(prefix for prefix in FAMILIES if operator.startswith(prefix))


def family(operator: str) -> str:
    """Return what an operator's values are read as: text, number, instant, boolean, octets, address or presence."""
    return FAMILIES[prefix_of(operator)]


def fits(operator: str, key: str, value_type: str | None) -> bool:
    """Whether an operator compares keys of a data type (SAR: otherwise it never matches). Unknown types fit all."""
    if value_type is None or operator == "Null":
        return True
    types = TWO_TYPES.get(key, (value_type.removeprefix("ArrayOf"),))
    return any(name in TYPES[prefix_of(operator)] for name in types)


@lru_cache(maxsize=1 << 16)
def patterns(test: Test) -> tuple[globs.Glob, ...]:
    """Return the globs that a text test compares with; a value that no text can match gives none."""
    found = []
    for text in test.values:
        parts = grammar.parts(text, test.has_variables)
        if test.operator.startswith("Arn"):
            pattern = arn_glob(parts)
            found += [pattern] if pattern else []
        elif "Like" in test.operator:
            found.append(globs.glob(parts))
        else:
            ignores_case = test.operator.endswith("IgnoreCase")
            found.append(globs.literal("".join(part.text for part in parts), ignores_case=ignores_case))
    return tuple(found)


def arn_glob(parts: Sequence[Part]) -> globs.Glob | None:
    """Return the glob of an ARN test: six fields, a wildcard in the first five stays within its field (OPS).

    None if it can match no ARN. A bare ``*`` matches every ARN.
    """
    tokens: list[globs.Token] = []
    field = 0
    if [part.kind for part in parts] == ["star"]:
        return globs.Glob((*_fields_of_any_arn(), globs.Token("run")))
    for part in parts:
        if part.kind in ("star", "mark"):
            tokens += globs.glob((part,), within_field=field < grammar.ARN_FIELDS - 1).tokens
            continue
        for character in part.text:
            if character == ":" and field < grammar.ARN_FIELDS - 1:
                field += 1
                tokens += [globs.Token("char", "|field")]
            tokens.append(globs.Token("char", character))
    return _starting_with_arn(tokens) if field == grammar.ARN_FIELDS - 1 else None


def is_arn(parts: Sequence[Part]) -> bool:
    """Whether a pattern is written as an ARN: from ``arn:`` on with all six fields."""
    colons = sum(part.text.count(":") for part in parts if part.kind == "literal")
    return colons >= grammar.ARN_FIELDS - 1 and parts[0].kind == "literal" and parts[0].text.startswith("arn:")


def has_early_wildcards(parts: Sequence[Part]) -> bool:
    """Whether anything but plain text stands in the first five fields of an ARN: where ARNs are compared field by
    field, it stays within its field, and elsewhere it does not (OPS)."""
    colons = 0
    for part in parts:
        if colons >= grammar.ARN_FIELDS - 1:
            return False
        if part.kind != "literal":
            return True
        colons += part.text.count(":")
    return False


def _fields_of_any_arn() -> tuple[globs.Token, ...]:
    start = tuple(globs.Token("char", character) for character in "arn:")
    field = (globs.Token("run", "", True), globs.Token("char", ":"))
    return start + field * (grammar.ARN_FIELDS - 2)


def _starting_with_arn(tokens: list[globs.Token]) -> globs.Glob | None:
    """Replace the first field, which may hold wildcards, by the ``arn`` that every ARN has there."""
    end = tokens.index(globs.Token("char", "|field"))
    first = globs.Glob(tuple(tokens[:end]))
    if not globs.matches(first, "arn"):
        return None
    rest = [token for token in tokens[end:] if token.text != "|field"]
    return globs.Glob((*(globs.Token("char", character) for character in "arn"), *rest))


def matches(test: Test, text: str) -> bool:
    """Whether one value in the request matches one of the test's values; a negated operator is not yet negated."""
    kind = family(test.operator)
    if kind == "text":
        return any(globs.matches(pattern, text) for pattern in patterns(test))
    return any(_matches_value(test.operator, kind, text, value) for value in plain_values(test))


@lru_cache(maxsize=1 << 16)
def plain_values(test: Test) -> tuple[str, ...]:
    """Return the test's values as texts, escapes resolved."""
    return tuple("".join(p.text for p in grammar.parts(value, test.has_variables)) for value in test.values)


def _matches_value(operator: str, kind: str, text: str, value: str) -> bool:
    if kind in ("number", "instant"):
        read = grammar.number if kind == "number" else grammar.instant
        left, right = read(text), read(value)
        name = operator.removeprefix("Numeric").removeprefix("Date")
        return left is not None and right is not None and ORDER[name](left, right)
    if kind == "boolean":
        return grammar.boolean(text) is not None and grammar.boolean(text) is grammar.boolean(value)
    if kind == "octets":
        return grammar.octets(text) is not None and grammar.octets(text) == grammar.octets(value)
    address, network = grammar.address(text), grammar.network(value)
    return address is not None and network is not None and address in network


def when_absent(test: Test) -> bool:
    """Whether the test holds where its key is absent."""
    if test.operator == "Null":
        return null_holds(test, is_present=False)
    if test.set_qualifier == "ForAnyValue":
        return False
    return test.if_exists or test.set_qualifier == "ForAllValues" or test.operator in NEGATED


def null_holds(test: Test, *, is_present: bool) -> bool:
    """Whether a Null test holds; with a set qualifier it does not look at the key at all (CHECKS)."""
    if test.set_qualifier is not None:
        return test.set_qualifier == "ForAllValues"
    return any(grammar.boolean(value) is (not is_present) for value in plain_values(test))


def holds(test: Test, values: Sequence[str]) -> bool:
    """Whether a test holds for the known values of its key.

    To Null and to set operators an empty text is no value; the others compare it like any text (OPS).
    """
    present = [value for value in values if value or not ignores_empty(test)]
    if not present:
        return when_absent(test)
    if test.operator == "Null":
        return null_holds(test, is_present=True)
    return combined(test, [matches(test, value) for value in present])


def truths(f: Formula, values_of: Callable[[str], Sequence[str] | None]) -> dict[Test, Formula]:
    """Return the truth of those tests of a formula that what is known of their keys decides.

    ``values_of`` a key are its values, () of an absent one, None where nobody knows.

    What a test with a policy variable that nobody knows comes to is known only where its key is absent.
    """
    known = ((test, values_of(test.key)) for test in formulas.tests(f))
    return {test: holds(test, found) for test, found in known if found is not None and not (test.is_opaque and found)}


def ignores_empty(test: Test) -> bool:
    """Whether an empty text is no value to a test."""
    return test.operator == "Null" or test.set_qualifier is not None


def combined(test: Test, hits: Sequence[bool]) -> bool:
    """Return the test's truth from what each of at least one value does."""
    is_negated = test.operator in NEGATED
    if test.set_qualifier == "ForAllValues":
        return not any(hits) if is_negated else all(hits)
    if test.set_qualifier == "ForAnyValue":
        return not all(hits) if is_negated else any(hits)
    return any(hits) != is_negated
