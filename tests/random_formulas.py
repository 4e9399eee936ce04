"""Formulas at random over every operator family, for holding the solver against others. The same seed, the same one."""

import random
from decimal import Decimal
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.values import KeyDomain
from pipeline.iam.request_keys import MFA_AGE

TEXTS = (
    "a", "b", "A", "ab", "a*", "*b", "a?", "?", "??", "*", "a*b", "*a*", "?b", "b*a", "${*}", "a${?}*", "", "ss", "ß",
    "SS", "k", "\u212a", "K", "${$}a",
)  # fmt: skip
ARNS = (
    "arn:aws:s3:::a", "arn:aws:s3:::a*", "arn:*:s3:::*", "arn:aws:*:*:1:a:b", "*", "arn:aws:iam::?:a*", "a*:aws:s3:::b",
    "arn:aws", "arn:aws:s3:::*:b", "arn:aws:s3:::?", "arn:aws:*", "arn:*:*:*:*:*", "a?n:aws:s3:*::a${*}",
)  # fmt: skip
NUMBERS = ("1", "2", "1.5", "1e1", "10", "01", "-1", "1e40", "1.0000000000000000000000000000001", "x")
DATES = (
    "2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "2019-12-31T23:59:59.5Z", "1577836800",
    "2021-01", "never",
)  # fmt: skip
TRUTHS = ("true", "false", "True", "x")
NETWORKS = (
    "10.0.0.0/8", "10.0.0.0/31", "10.0.0.1", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "255.255.255.255", "10.1.0.0/16",
    "::/0", "2001:db8::/32", "2001:db8::1", "::/1", "8000::/1", "0.0.0.0", "here",
)  # fmt: skip
BEGUN = ("ro:*", "ro:ab", "*:ab", "r*", "ro:a?*", "*b", "x:ab", "ro:", "??:ab", "ro:a", "*:*:*", "RO:AB")
OCTETS = ("AAAA", "AAAAAA==", "QQ==", "!", "")
STRING = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
ARN = ("Equals", "NotEquals", "Like", "NotLike")
ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")

#: Operators of each family with values for them.
FAMILIES = {
    "String": (tuple("String" + name for name in STRING), TEXTS),
    "ARN": (tuple("Arn" + name for name in ARN), ARNS),
    "Numeric": (tuple("Numeric" + name for name in ORDER), NUMBERS),
    "Date": (tuple("Date" + name for name in ORDER), DATES),
    "Bool": (("Bool",), TRUTHS),
    "IPAddress": (("IpAddress", "NotIpAddress"), NETWORKS),
    "Binary": (("BinaryEquals",), OCTETS),
    "Begun": (tuple("String" + name for name in STRING), BEGUN),
    "Resource": (("ResourceLike",), (*TEXTS, *ARNS)),
}

#: Keys with their data type and the families that fit it. Those of unknown type take each.
KEYS = {
    "single": ("String", ("String",)),
    "several": ("ArrayOfString", ("String",)),
    "arn": ("ARN", ("ARN", "String")),
    "arns": ("ArrayOfARN", ("ARN", "String")),
    "number": ("Numeric", ("Numeric",)),
    "numbers": ("ArrayOfNumeric", ("Numeric",)),
    "date": ("Date", ("Date",)),
    "aws:epochtime": ("Date", ("Date", "Numeric")),
    "flag": ("Bool", ("Bool",)),
    "flags": ("ArrayOfBool", ("Bool",)),
    "address": ("IPAddress", ("IPAddress",)),
    "addresses": ("ArrayOfIPAddress", ("IPAddress",)),
    "octets": ("Binary", ("Binary",)),
    "begun": ("String", ("Begun",)),
    "unknown": (None, ("String", "ARN", "Numeric", "Date", "Bool", "IPAddress")),
    "resource": ("String", ("Resource",)),
    "aws:sourcevpc": ("String", ("String",)),
    "aws:sourcevpce": ("String", ("String",)),
    "aws:vpcsourceip": ("IPAddress", ("IPAddress",)),
    "aws:sourcevpcarn": ("ARN", ("ARN",)),
    "aws:sourceip": ("IPAddress", ("IPAddress",)),
    "aws:calledvia": ("ArrayOfString", ("String",)),
    "aws:calledviafirst": ("String", ("String",)),
    "aws:calledvialast": ("String", ("String",)),
    "aws:viaawsservice": ("Bool", ("Bool",)),
    "aws:multifactorauthage": ("Numeric", ("Numeric",)),
    "aws:multifactorauthpresent": ("Bool", ("Bool",)),
    "aws:tokenissuetime": ("Date", ("Date",)),
    "aws:currenttime": ("Date", ("Date",)),
    "aws:requesttag/a": ("String", ("String",)),
    "aws:requesttag/ss": ("String", ("String",)),
    "aws:tagkeys": ("ArrayOfString", ("String",)),
}
#: Keys that AWS ties together.
TIED = (
    ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourcevpcarn", "aws:sourceip"),
    ("aws:sourcevpc", "aws:sourcevpcarn", "aws:viaawsservice"),
    ("aws:calledvia", "aws:calledviafirst", "aws:viaawsservice"),
    ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
    ("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:tokenissuetime"),
    ("aws:currenttime", "aws:epochtime"),
    ("aws:requesttag/a", "aws:requesttag/ss", "aws:tagkeys"),
)
ALWAYS_THERE = ("resource", "aws:currenttime", "aws:epochtime", "aws:viaawsservice")
NEVER_EMPTY = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
)


class Made(NamedTuple):
    """A formula, the tree that it was built from (nested tuples), and what values its keys can have."""

    formula: Formula
    tree: object
    domains: dict[str, KeyDomain]


def made(seed: int) -> Made:
    """Return the formula of a seed."""
    chance = random.Random(seed)
    keys = chance.sample(sorted(KEYS), chance.choice((1, 1, 2, 2, 3)))
    if chance.random() < 0.3:
        group = chance.choice(TIED)
        keys = chance.sample(group, min(len(group), chance.choice((2, 3))))
    family = {key: chance.choice(KEYS[key][1]) for key in keys}
    tests = [_test(chance, key, family[key]) for key in keys for _ in range(chance.choice((1, 2, 2, 3, 4)))]
    tree = _tree(chance, tests)
    return Made(built(tree), tree, {key: _domain(chance, key) for key in KEYS})


def _domain(chance: random.Random, key: str) -> KeyDomain:
    value_type = KEYS[key][0]
    is_multivalued = value_type is None or value_type.startswith("ArrayOf")
    if key.startswith(("aws:", "resource")):
        least = Decimal(0) if key == MFA_AGE else None
        can_be_empty = key not in NEVER_EMPTY
        return KeyDomain(value_type, is_multivalued, key not in ALWAYS_THERE, can_be_empty=can_be_empty, least=least)
    state = chance.random()
    if key == "begun":
        return KeyDomain(value_type, False, False, can_be_empty=False, start="ro:")
    return KeyDomain(value_type, is_multivalued, state < 0.7, state > 0.05)


def _test(chance: random.Random, key: str, family: str) -> Test:
    if key == "resource":
        return Test("ResourceLike", None, False, key, (chance.choice(FAMILIES["Resource"][1]),), True)
    qualifier = chance.choice((None, None, None, "ForAllValues", "ForAnyValue"))
    if chance.random() < 0.12:
        return Test("Null", qualifier, False, key, (chance.choice(("true", "false", "False")),))
    if len(KEYS[key][1]) > 1 and chance.random() < 0.15:
        family = chance.choice(KEYS[key][1])
    operators, values = FAMILIES[family]
    chosen = tuple(sorted(set(chance.sample(values, chance.choice((1, 1, 1, 2, 3))))))
    is_opaque = family == "String" and chance.random() < 0.02
    has_variables = family in ("String", "ARN") and chance.random() < 0.7
    return Test(chance.choice(operators), qualifier, chance.random() < 0.15, key, chosen, has_variables, is_opaque)


def _tree(chance: random.Random, tests: list[Test]) -> object:
    """Return the tests under ``not``, ``and`` and ``or``; mostly ``and``, so that many cannot be true."""
    if len(tests) == 1:
        return ("not", tests[0]) if chance.random() < 0.4 else tests[0]
    chance.shuffle(tests)
    count = chance.choice((2, 2, 3))
    parts = [_tree(chance, group) for group in (tests[n::count] for n in range(count)) if group]
    tree = (chance.choice(("and", "and", "or")), *parts)
    return ("not", tree) if chance.random() < 0.15 else tree


def built(tree: object) -> Formula:
    """Return the formula of a tree."""
    if isinstance(tree, bool | Test):
        return tree
    assert isinstance(tree, tuple)
    kind, *parts = tree
    listed = [built(part) for part in parts]
    if kind == "not":
        return formulas.negation(listed[0])
    return formulas.conjunction(listed) if kind == "and" else formulas.disjunction(listed)
