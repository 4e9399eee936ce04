"""Condition operators on one request. Source: IAM JSON policy elements: condition operators; multivalued keys."""

import operator as compare
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pipeline.iam import grammar
from pipeline.iam.context import Context
from pipeline.iam.grammar import Part
from pipeline.iam.matching import arn_like, like, plain, resolved
from pipeline.iam.model import Condition
from pipeline.iam.request_keys import TWO_TYPES

Matcher = Callable[[tuple[Part, ...], str], bool]
Read = TypeVar("Read")


class Operator(NamedTuple):
    """An operator: how one policy value matches one request value, whether it is negated, and the types it compares."""

    matches: Matcher
    is_negated: bool
    types: tuple[str, ...]


def _reads(read: Callable[[str], Read | None], relation: Callable[[Read, Read], bool]) -> Matcher:
    """A matcher that reads both texts; a text that cannot be read matches nothing."""

    def matches(pattern: tuple[Part, ...], value: str) -> bool:
        left, right = read(value), read(plain(pattern))
        return left is not None and right is not None and relation(left, right)

    return matches


def _in_network(pattern: tuple[Part, ...], value: str) -> bool:
    network, address = grammar.network(plain(pattern)), grammar.address(value)
    return network is not None and address is not None and address in network


def _equals(pattern: tuple[Part, ...], value: str) -> bool:
    return plain(pattern) == value


def _equals_ignoring_case(pattern: tuple[Part, ...], value: str) -> bool:
    return grammar.without_case(plain(pattern)) == grammar.without_case(value)


_TEXT, _ARN = ("String", "ARN"), ("ARN",)
_ORDER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}

OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator(_equals, False, _TEXT),
    "StringNotEquals": Operator(_equals, True, _TEXT),
    "StringEqualsIgnoreCase": Operator(_equals_ignoring_case, False, _TEXT),
    "StringNotEqualsIgnoreCase": Operator(_equals_ignoring_case, True, _TEXT),
    "StringLike": Operator(like, False, _TEXT),
    "StringNotLike": Operator(like, True, _TEXT),
    "Bool": Operator(_reads(grammar.boolean, compare.eq), False, ("Bool",)),
    "BinaryEquals": Operator(_reads(grammar.octets, compare.eq), False, ("Binary",)),
    "IpAddress": Operator(_in_network, False, ("IPAddress",)),
    "NotIpAddress": Operator(_in_network, True, ("IPAddress",)),
    "ArnEquals": Operator(arn_like, False, _ARN),
    "ArnLike": Operator(arn_like, False, _ARN),
    "ArnNotEquals": Operator(arn_like, True, _ARN),
    "ArnNotLike": Operator(arn_like, True, _ARN),
    "NumericNotEquals": Operator(_reads(grammar.number, compare.eq), True, ("Numeric",)),
    "DateNotEquals": Operator(_reads(grammar.instant, compare.eq), True, ("Date",)),
    **{"Numeric" + name: Operator(_reads(grammar.number, test), False, ("Numeric",)) for name, test in _ORDER.items()},
    **{"Date" + name: Operator(_reads(grammar.instant, test), False, ("Date",)) for name, test in _ORDER.items()},
}


def holds(condition: Condition, has_variables: bool, context: Context) -> bool:
    """Whether a condition holds in a request. An operator that does not fit the key's data type never does (SAR).

    To Null and to set operators an empty text is no value (OPS); the others compare it like any text.
    """
    values = context.values(condition.key)
    if condition.operator == "Null" or condition.set_qualifier:
        values = tuple(value for value in values if value)
    if condition.operator == "Null":
        return _null(condition, bool(values))
    operator = OPERATORS[condition.operator]
    if not _fits(condition, operator, context.key_types(condition.key)):
        return False
    if not values:
        return _absent(condition, operator)
    if not condition.values and (condition.set_qualifier or condition.if_exists):
        return False
    has_variables = has_variables and operator.types in (_TEXT, _ARN)
    found = (resolved(grammar.parts(text, has_variables), context.variable) for text in condition.values)
    patterns = [pattern for pattern in found if pattern is not None]
    hits = [any(operator.matches(pattern, value) for pattern in patterns) for value in values]
    if condition.set_qualifier == "ForAllValues":
        return not any(hits) if operator.is_negated else all(hits)
    if condition.set_qualifier == "ForAnyValue":
        return not all(hits) if operator.is_negated else any(hits)
    return any(hits) != operator.is_negated


def _null(condition: Condition, is_present: bool) -> bool:
    """With a set qualifier Null does not look at the key: ForAllValues always holds, ForAnyValue never (CHECKS)."""
    if condition.set_qualifier is not None:
        return condition.set_qualifier == "ForAllValues"
    return any(grammar.boolean(value) is (not is_present) for value in condition.values)


def _absent(condition: Condition, operator: Operator) -> bool:
    """ForAnyValue fails without a value, also where it is negated or ends in IfExists: see choice 6 (MULTI)."""
    if condition.set_qualifier == "ForAnyValue":
        return False
    return condition.if_exists or condition.set_qualifier == "ForAllValues" or operator.is_negated


def _fits(condition: Condition, operator: Operator, value_type: str | None) -> bool:
    if value_type is None:
        return True
    types = TWO_TYPES.get(condition.key.lower(), (value_type.removeprefix("ArrayOf"),))
    return any(name in operator.types for name in types)
