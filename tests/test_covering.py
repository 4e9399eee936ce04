"""Rows that add no access are left out, and no others."""

import pytest

from pipeline import reference
from pipeline.evaluate import formula as formulas
from pipeline.evaluate.actions import Place, action_form
from pipeline.evaluate.cells import AccessRow, Kind
from pipeline.evaluate.covering import without_covered
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import Solver

Test.__test__ = False  # a test of a policy, none of ours
SOLVER = Solver(Knowledge(reference.load(), {}).domain)
OWN, OTHER = "111122223333", "444455556666"
(MODELS,) = action_form(reference.load(), "sagemaker:DescribeModel", frozenset(), frozenset()).types
MODEL = Kind("model", True, "*", *(MODELS.universe(Place(account, "aws")) for account in (OWN, "*")))
ENDPOINT = MODEL._replace(name="endpoint")
VPC = Test("StringEquals", None, False, "aws:sourcevpc", ("vpc-1",))
VPCS = Test("StringEquals", None, False, "aws:sourcevpc", ("vpc-1", "vpc-2"))
TAG = Test("StringEquals", None, False, "aws:resourcetag/team", ("red",))


def row(pattern: str, f: Formula = True, kind: Kind = MODEL, granted=(1,), limited=(), exceptions=()) -> AccessRow:
    return AccessRow(kind, pattern, exceptions, "allowed" if f is True else "conditional", f, granted, limited)


def models(name: str, account: str = "*") -> str:
    return f"arn:aws:sagemaker:*:{account}:model/{name}"


@pytest.mark.parametrize(
    ("wide", "narrow", "is_left_out"),
    [
        (row("*"), row(models("a*")), True),
        (row(models("*")), row(models("a")), True),
        (row(models("a*")), row(models("?a*")), False),
        (row("*"), row(models("a", OWN)), True),
        # Another account's resources are reached where the pattern writes it out.
        (row("*"), row(models("a", OTHER)), False),
        (row(models("*")), row(models("a", OTHER)), False),
        (row(models("*", OTHER)), row(models("a", OTHER)), True),
        (row("*"), row(models("a"), kind=ENDPOINT), False),
        # Nobody knows what a variable stands for.
        (row("*"), row(models("${aws:PrincipalTag/team}-*")), True),
        (row(models("${aws:PrincipalTag/team}*")), row(models("a")), False),
        (row("*", VPC), row(models("a")), False),
        (row("*"), row(models("a"), VPC), True),
        (row("*", VPC), row(models("a"), VPC), True),
        (row("*", VPCS), row(models("a"), VPC), True),
        (row("*", VPC), row(models("a"), VPCS), False),
        (row("*", VPC), row(models("a"), formulas.conjunction((VPC, TAG))), True),
        (row("*", VPC), row(models("a"), TAG), False),
        # No statement behind the access may be lost.
        (row("*", granted=(1,)), row(models("a"), granted=(1, 2)), False),
        (row("*", granted=(1, 2)), row(models("a"), granted=(2,)), True),
        (row("*", limited=(1,)), row(models("a"), limited=(3,)), False),
        (row("*", exceptions=(models("a*"),)), row(models("ab")), False),
        (row("*", exceptions=(models("a*"),)), row(models("*b")), False),
        (row("*", exceptions=(models("a*"),)), row(models("*b"), exceptions=(models("a*"),)), True),
        (row("*", exceptions=(models("a*"),)), row(models("b*")), True),
    ],
    ids=lambda value: value.pattern if isinstance(value, AccessRow) else "left out" if value else "kept",
)
def test_a_row_within_another_one_is_left_out_where_it_adds_nothing(wide, narrow, is_left_out):
    for rows in ((wide, narrow), (narrow, wide)):
        assert without_covered(rows, SOLVER) == ((wide,) if is_left_out else rows)


def test_of_rows_that_cover_each_other_one_stays():
    rows = (row("**"), row("*"), row(models("a")))
    assert without_covered(rows, SOLVER) == (row("*"),)
