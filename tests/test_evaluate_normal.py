"""Tests in one form, and keys that AWS ties together: what the forms mean, and what no request has."""

import random

import pytest

from pipeline import reference
from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.normal import normal
from pipeline.evaluate.solver import Solver
from pipeline.iam import grammar
from pipeline.iam.conditions import holds
from pipeline.iam.context import Context
from pipeline.iam.model import Condition

Test.__test__ = False  # a test of a policy, none of ours
SOLVER = Solver(Knowledge(reference.load(), {}).domain)
KEY = "sagemaker:vpcsubnets"  # a list of texts
VALUES = ("a", "ab", "a*", "b", "")
OPERATORS = (
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
    "StringNotLike", "Null",
)  # fmt: skip


def of(operator: str, key: str, *values: str, qualifier: str | None = None, if_exists: bool = False) -> Test:
    return Test(operator, qualifier, if_exists, key, tuple(sorted(values)))


def decided(f: Formula, context: Context) -> bool:
    """The truth of a formula by the concrete evaluator's operators."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return holds(Condition(f.operator, f.set_qualifier, f.if_exists, f.key, f.values), f.has_variables, context)
    truths = [decided(part, context) for part in f.parts]
    return not truths[0] if f.kind == "not" else all(truths) if f.kind == "and" else any(truths)


def test_the_one_form_of_a_test_means_what_the_test_means() -> None:
    chance = random.Random(3)
    for _ in range(4000):
        operator = chance.choice(OPERATORS)
        is_null = operator == "Null"
        values = ["true", "false"] if is_null else list(VALUES)
        test = of(
            operator,
            KEY,
            *chance.sample(values, chance.randint(1, 2)),
            qualifier=chance.choice((None, "ForAllValues", "ForAnyValue")),
            if_exists=not is_null and chance.random() < 0.3,
        )
        given = chance.sample(VALUES, chance.randint(0, 3))
        context = Context({KEY: tuple(given)} if given else {}, lambda key: "ArrayOfString")
        assert decided(normal(test), context) == decided(test, context), (test, given)


@pytest.mark.parametrize(
    "test",
    [
        of("ArnLike", "k", "arn:aws:iam::*:role/a"),
        of("ArnLike", "k", "arn:aws:iam::1:role/a*", "arn:*:iam::1:role/b*"),
        of("ArnLike", "k", "*"),
        of("ArnLike", "k", "arn:aws:s3"),
    ],
    ids=str,
)
def test_arns_whose_first_fields_hold_wildcards_are_no_texts(test: Test) -> None:
    assert normal(test) == test


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("StringNotEquals", "k", "a"), formulas.negation(of("StringEquals", "k", "a"))),
        (of("StringLike", "k", "a"), of("StringEquals", "k", "a")),
        (of("StringLike", "k", "a*", "ab"), of("StringLike", "k", "a*")),
        (of("ArnEquals", "k", "arn:aws:s3:::b"), of("ArnLike", "k", "arn:aws:s3:::b")),
        (of("ArnLike", "k", "arn:aws:s3:::b/*"), of("StringLike", "k", "arn:aws:s3:::b/*")),
        (of("ArnNotLike", "k", "arn:aws:s3:::b/?"), formulas.negation(of("StringLike", "k", "arn:aws:s3:::b/?"))),
        (of("StringNotEquals", "k", "a", if_exists=True), of("StringNotEquals", "k", "a")),
        (of("Null", "k", "false"), formulas.negation(of("Null", "k", "true"))),
        (of("StringEquals", "aws:userid", "a", if_exists=True), of("StringEquals", "aws:userid", "a")),
        (of("Null", "aws:securetransport", "true"), False),
        (of("Null", "k", "true", qualifier="ForAllValues"), True),
        (
            of("StringNotEquals", "k", "a", qualifier="ForAllValues"),
            formulas.negation(of("StringEquals", "k", "a", qualifier="ForAnyValue")),
        ),
    ],
    ids=str,
)
def test_tests_that_mean_the_same_are_one(one: Test, other: Formula) -> None:
    assert normal(one) == (normal(other) if isinstance(other, Test) else other)


def there(key: str) -> Formula:
    return formulas.negation(of("Null", key, "true"))


@pytest.mark.parametrize(
    "parts",
    [
        (there("aws:sourcevpce"), there("aws:sourceip")),
        (there("aws:sourcevpc"), of("Null", "aws:sourcevpce", "true")),
        (there("aws:vpcsourceip"), of("Null", "aws:sourcevpc", "true")),
        (there("aws:calledvia"), of("Bool", "aws:viaawsservice", "false")),
        (there("aws:calledvia"), there("aws:sourcevpc")),
        (there("aws:calledviafirst"), of("Null", "aws:calledvialast", "true")),
        (there("aws:multifactorauthage"), of("Null", "aws:multifactorauthpresent", "true")),
        (there("aws:multifactorauthage"), of("Null", "aws:tokenissuetime", "true")),
        (there("aws:multifactorauthpresent"), of("Null", "aws:tokenissuetime", "true")),
        (there("aws:multifactorauthage"), of("Bool", "aws:multifactorauthpresent", "false")),
        (there("aws:sourcevpc"), of("Bool", "aws:viaawsservice", "true")),
        (there("aws:sourcevpcarn"), of("Bool", "aws:viaawsservice", "true")),
        (of("StringEquals", "iam:passedtoservice", "sagemaker.amazonaws.com"),
         of("ArnLike", "iam:associatedresourcearn", "arn:aws:lambda:*:*:*")),
        (of("StringEquals", "iam:passedtoservice", "lambda.amazonaws.com"),
         of("ArnLike", "iam:associatedresourcearn", "arn:aws:sagemaker:*:*:*")),
        (of("StringEquals", "aws:requesttag/x", "1"), of("StringEquals", "aws:tagkeys", "y", qualifier="ForAllValues")),
        (of("Null", "aws:requesttag/x", "true"), of("StringEquals", "aws:tagkeys", "x", qualifier="ForAnyValue"),
         formulas.negation(of("StringEquals", "aws:requesttag/x", ""))),
        (of("DateLessThan", "aws:currenttime", "2020-01-01"), of("NumericGreaterThan", "aws:epochtime", "1600000000")),
        (of("DateGreaterThan", "aws:tokenissuetime", "2030-01-01"),
         of("DateLessThanEquals", "aws:currenttime", "2030-01-01")),
        (of("DateEquals", "aws:tokenissuetime", "2020-09-14"), of("NumericLessThan", "aws:epochtime", "1600000000")),
        (of("StringEquals", "aws:requestedregion", "eu-west-1"),
         of("ArnLike", "iam:associatedresourcearn", "arn:aws:sagemaker:us-*:*:*")),
        (of("StringLike", "aws:requestedregion", "eu-*"),
         of("ArnLike", "iam:associatedresourcearn", "arn:aws:*:*:*:*"),
         formulas.negation(of("ArnLike", "iam:associatedresourcearn", "arn:*:*:eu-*:*:*", "arn:*:*::*:*"))),
    ],
    ids=str,
)  # fmt: skip
def test_no_request_has_what_aws_never_sends(parts: tuple[Formula, ...]) -> None:
    assert not SOLVER.is_possible(formulas.conjunction(parts))
    assert all(SOLVER.is_possible(part) for part in parts)


@pytest.mark.parametrize(
    "parts",
    [
        (of("StringEquals", "aws:requesttag/x", ""), of("StringEquals", "aws:tagkeys", "x", qualifier="ForAllValues")),
        (of("StringEquals", "aws:requesttag/X".lower(), "1"), of("StringEquals", "aws:tagkeys", "X")),
        (of("Null", "aws:sourcevpce", "true"), of("Null", "aws:sourceip", "true")),
        (of("Bool", "aws:viaawsservice", "true"), of("Null", "aws:calledvia", "true")),
        (
            of("StringEquals", "iam:passedtoservice", "monitoring.rds.amazonaws.com"),
            of("ArnLike", "iam:associatedresourcearn", "arn:aws:rds:*:*:*"),
        ),
        (
            of("StringEquals", "iam:passedtoservice", "sagemaker.amazonaws.com"),
            of("ArnLike", "iam:associatedresourcearn", "arn:aws:sagemaker:*:*:*"),
        ),
        (of("DateLessThan", "aws:currenttime", "2020-09-14"), of("NumericGreaterThan", "aws:epochtime", "1600000000")),
        (
            of("DateGreaterThan", "aws:tokenissuetime", "2030-01-01"),
            of("DateLessThan", "aws:currenttime", "2030-01-02"),
        ),
        (
            of("StringEquals", "aws:requestedregion", "us-east-1"),  # where IAM itself counts as called
            of("ArnLike", "iam:associatedresourcearn", "arn:aws:sagemaker:eu-*:*:*"),
        ),
    ],
    ids=str,
)
def test_requests_may_have_what_no_tie_forbids(parts: tuple[Formula, ...]) -> None:
    answer = SOLVER.satisfy(formulas.conjunction(parts))
    assert answer.is_possible
    assert answer.is_proven


def test_a_key_that_has_arns_alone_has_no_other_text() -> None:
    assert not SOLVER.is_possible(of("StringEquals", "aws:sourcevpcarn", "vpc-1"))
    answer = SOLVER.satisfy(of("StringLike", "aws:sourcevpcarn", "*vpc-1"))
    (value,) = answer.context["aws:sourcevpcarn"]
    assert answer.is_proven
    assert grammar.arn_fields(value)
    assert SOLVER.is_possible(of("StringEquals", "sagemaker:volumekmskey", "alias/mine"))


@pytest.mark.parametrize(
    "parts",
    [
        (there("aws:tagkeys"), of("StringEquals", "aws:requesttag/x", "1")),
        (there("aws:sourcevpc"), of("Bool", "aws:viaawsservice", "false")),
    ],
    ids=str,
)
def test_a_condition_is_not_shortened_by_ties_that_written_requests_break(parts: tuple[Formula, ...]) -> None:
    f = formulas.conjunction(parts)
    assert SOLVER.simplified(f) == f


def test_no_sign_in_is_to_come() -> None:
    assert not SOLVER.is_possible(of("NumericLessThan", "aws:multifactorauthage", "0"))
    assert SOLVER.is_possible(of("NumericLessThanEquals", "aws:multifactorauthage", "0"))


@pytest.mark.parametrize(("operator", "beside_value", "is_met"), [
    ("LessThanEquals", "3600", True), ("LessThan", "3600", False), ("GreaterThanEquals", "3600", True),
    ("GreaterThan", "3600", False), ("LessThanEquals", "3599", False), ("GreaterThanEquals", "3601", False),
])  # fmt: skip
@pytest.mark.parametrize(("kind", "key"), [("Numeric", "sagemaker:maxruntimeinseconds"), ("Date", "aws:currenttime")])
def test_operators_of_order_take_the_boundary_in_where_they_say_so(
    kind: str, key: str, operator: str, beside_value: str, is_met: bool
) -> None:
    at_boundary = of(f"{kind}Equals", key, "3600")
    assert SOLVER.is_possible(formulas.conjunction((at_boundary, of(f"{kind}{operator}", key, beside_value)))) is is_met


def test_values_of_one_key_stand_in_one_test() -> None:
    apart = formulas.disjunction(of("StringEquals", "k", value) for value in "abc")
    assert SOLVER.simplified(apart) == of("StringEquals", "k", "a", "b", "c")
    neither = formulas.conjunction(formulas.negation(of("StringEquals", "k", value)) for value in "abc")
    assert SOLVER.simplified(neither) == formulas.negation(of("StringEquals", "k", "a", "b", "c"))


def test_wildcards_of_an_early_field_of_an_arn_stay_in_their_field() -> None:
    of_no_account = of("ArnLike", "sagemaker:volumekmskey", "arn:aws:s3:::a*")
    of_account_1 = of("ArnLike", "sagemaker:volumekmskey", "arn:aws:s3:*:1:a")
    assert not SOLVER.is_possible(formulas.conjunction((of_no_account, of_account_1)))
    assert SOLVER.is_possible(formulas.disjunction((of_no_account, of_account_1)))
