"""Which resources a pattern grants: those of a type at a place that can have an ARN like it."""

import pytest

from pipeline.evaluate.globs import Relation, literal, relation
from pipeline.evaluate.scopes import scope_of
from pipeline.evaluate.statements import pattern_glob

ROLES_ANYWHERE = pattern_glob("arn:*:iam::*:role/*")
OWN_ROLES = pattern_glob("arn:aws:iam::111122223333:role/*")


@pytest.mark.parametrize(
    ("account", "is_one"),
    [
        ("111122223333", True),
        ("1111*", True),
        ("*3333", True),
        ("????????????", True),
        ("aws", True),
        ("a*", True),
        ("", False),
        ("account-id", False),
        ("account-*", False),
        ("1111", False),
        ("1111?", False),
        ("1111222233334*", False),
    ],
)
def test_a_pattern_reaches_resources_of_accounts_only(account, is_one):
    scope = scope_of(ROLES_ANYWHERE, f"arn:aws:iam::{account}:role/x")
    assert (scope is not None) == is_one


def test_an_account_that_is_known_is_compared_as_it_is():
    assert scope_of(OWN_ROLES, "arn:aws:iam::111122223333:role/x")
    assert not scope_of(OWN_ROLES, "arn:aws:iam::account-id:role/x")


@pytest.mark.parametrize(
    ("scope", "pattern", "expected"),
    [
        (("*1*", "*x12*", "*7*"), "*x1*", Relation(inside=True, outside=False)),
        (("*1*", "*x12*"), "*x3*", Relation(inside=True, outside=True)),
        (("a*1*", "*2*b"), "a*", Relation(inside=True, outside=False)),
        (("a*1*", "*2*b"), "c*", Relation(inside=False, outside=True)),
    ],
)
def test_what_covers_one_glob_of_a_scope_covers_the_scope(scope, pattern, expected):
    assert relation(tuple(map(pattern_glob, scope)), pattern_glob(pattern)) == expected


def test_a_text_is_a_scope_of_one():
    assert relation((literal("arn:aws:iam::aws:role/x"),), ROLES_ANYWHERE) == Relation(inside=True, outside=False)
