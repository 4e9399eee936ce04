"""The families of operator cases: each operator against each situation, the answers worked out from AWS's pages.

`python -m tests.operator_cases` writes tests/cases/decisions/operators.jsonl. No answer comes from running the
evaluator: an operator is positive or negated, and a situation has one answer for each of the two.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

CASES = Path(__file__).parent / "cases" / "decisions"
FILE = CASES / "operators.jsonl"


class Sample(NamedTuple):
    """An operator with a key that it fits, a value in the policy, one that matches it and one that does not.

    ``is_negated``: the operator holds for what does not match.
    """

    operator: str
    is_negated: bool
    key: str
    policy: str
    match: str
    other: str


MINUTES, ISSUED, ROLE = "sagemaker:MaxRuntimeInSeconds", "aws:TokenIssueTime", "aws:SourceArn"
TAG, IP, MFA = "aws:RequestTag/team", "aws:SourceIp", "aws:MultiFactorAuthPresent"
NEW_YEAR = "2026-01-01T00:00:00Z"
EARLIER, LATER = "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"
PLAN_A, PLAN_B = "arn:aws:sns:us-east-1:111122223333:plan-a", "arn:aws:sns:us-east-1:111122223333:plan-b"

SINGLE = (
    Sample("StringEquals", False, TAG, "red", "red", "Red"),
    Sample("StringNotEquals", True, TAG, "red", "red", "Red"),
    Sample("StringEqualsIgnoreCase", False, TAG, "red", "RED", "reds"),
    Sample("StringNotEqualsIgnoreCase", True, TAG, "red", "RED", "reds"),
    Sample("StringLike", False, TAG, "r?d*", "red-team", "Red-team"),
    Sample("StringNotLike", True, TAG, "r?d*", "red-team", "Red-team"),
    Sample("NumericEquals", False, MINUTES, "3600", "3600.0", "3601"),
    Sample("NumericNotEquals", True, MINUTES, "3600", "3600.0", "3601"),
    Sample("NumericLessThan", False, MINUTES, "3600", "3599.5", "3600"),
    Sample("NumericLessThanEquals", False, MINUTES, "3600", "3600", "10000"),
    Sample("NumericGreaterThan", False, MINUTES, "3600", "10000", "3600"),
    Sample("NumericGreaterThanEquals", False, MINUTES, "3600", "3600", "900"),
    Sample("DateEquals", False, ISSUED, NEW_YEAR, "2026-01-01T01:00:00+01:00", LATER),
    Sample("DateNotEquals", True, ISSUED, NEW_YEAR, "2026-01-01T01:00:00+01:00", LATER),
    Sample("DateLessThan", False, ISSUED, NEW_YEAR, EARLIER, NEW_YEAR),
    Sample("DateLessThanEquals", False, ISSUED, NEW_YEAR, NEW_YEAR, LATER),
    Sample("DateGreaterThan", False, ISSUED, NEW_YEAR, LATER, NEW_YEAR),
    Sample("DateGreaterThanEquals", False, ISSUED, NEW_YEAR, NEW_YEAR, EARLIER),
    Sample("Bool", False, MFA, "true", "True", "false"),
    Sample("BinaryEquals", False, "example:Blob", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6"),
    Sample("IpAddress", False, IP, "203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
    Sample("NotIpAddress", True, IP, "203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
    Sample("ArnEquals", False, ROLE, "arn:aws:sns:*:111122223333:plan-?", PLAN_A, PLAN_A + "2"),
    Sample("ArnNotEquals", True, ROLE, "arn:aws:sns:*:111122223333:plan-?", PLAN_A, PLAN_A + "2"),
    Sample("ArnLike", False, ROLE, "arn:aws:sns:us-*:*:plan-a", PLAN_A, PLAN_B),
    Sample("ArnNotLike", True, ROLE, "arn:aws:sns:us-*:*:plan-a", PLAN_A, PLAN_B),
)

LIST, ARNS, FLAGS = "aws:TagKeys", "example:Topics", "example:Flags"
SEVERAL = (
    Sample("StringEquals", False, LIST, "team", "team", "Team"),
    Sample("StringNotEquals", True, LIST, "team", "team", "Team"),
    Sample("StringEqualsIgnoreCase", False, LIST, "team", "Team", "env"),
    Sample("StringNotEqualsIgnoreCase", True, LIST, "team", "Team", "env"),
    Sample("StringLike", False, LIST, "te*", "team", "env"),
    Sample("StringNotLike", True, LIST, "te*", "team", "env"),
    Sample("ArnEquals", False, ARNS, PLAN_A, PLAN_A, PLAN_B),
    Sample("ArnNotEquals", True, ARNS, PLAN_A, PLAN_A, PLAN_B),
    Sample("ArnLike", False, ARNS, "arn:aws:sns:*:*:plan-a", PLAN_A, PLAN_B),
    Sample("ArnNotLike", True, ARNS, "arn:aws:sns:*:*:plan-a", PLAN_A, PLAN_B),
    Sample("Bool", False, FLAGS, "true", "true", "false"),
)

#: Situation, prefix and suffix of the operator, the request's values ("m" matches, "o" does not), then the answer of a
#: positive and of a negated operator, and where AWS says so.
SINGLE_SITUATIONS = (
    ("a value that matches", "", "", "m", True, False, "OPS"),
    ("a value that does not match", "", "", "o", False, True, "OPS"),
    ("no value", "", "", "", False, True, "OPS, absent key"),
    ("no value, with IfExists", "", "IfExists", "", True, True, "OPS, IfExists"),
    ("a value that matches, with IfExists", "", "IfExists", "m", True, False, "OPS, IfExists"),
    ("a value that does not match, with IfExists", "", "IfExists", "o", False, True, "OPS, IfExists"),
)
SET_SITUATIONS = (
    ("ForAllValues and only matching values", "ForAllValues:", "", "m", True, False, "MULTI"),
    ("ForAllValues and one that does not match", "ForAllValues:", "", "mo", False, False, "MULTI"),
    ("ForAllValues and none that matches", "ForAllValues:", "", "o", False, True, "MULTI"),
    ("ForAllValues and no value", "ForAllValues:", "", "", True, True, "MULTI, the trap"),
    ("ForAnyValue and only matching values", "ForAnyValue:", "", "m", True, False, "MULTI"),
    ("ForAnyValue and one of two that matches", "ForAnyValue:", "", "mo", True, True, "MULTI"),
    ("ForAnyValue and none that matches", "ForAnyValue:", "", "o", False, True, "MULTI"),
    ("ForAnyValue and no value", "ForAnyValue:", "", "", False, False, "MULTI, correction 2"),
    ("ForAnyValue, IfExists and no value", "ForAnyValue:", "IfExists", "", False, False, "MULTI, choice 6"),
    ("ForAllValues, IfExists and one that does not match", "ForAllValues:", "IfExists", "mo", False, False, "OPS"),
    ("no set operator and one of two that matches", "", "", "mo", True, False, "correction 3: our rule"),
    ("no set operator and none that matches", "", "", "o", False, True, "correction 3: our rule"),
)


def lines() -> Iterator[str]:
    """Yield the cases as lines of JSON."""
    number = 0
    for samples, situations in ((SINGLE, SINGLE_SITUATIONS), (SEVERAL, SET_SITUATIONS)):
        for sample in samples:
            for words, prefix, suffix, values, positive, negated, rule in situations:
                number += 1
                holds = negated if sample.is_negated else positive
                written = f"{prefix}{sample.operator}{suffix}"
                request = [sample.match if letter == "m" else sample.other for letter in values]
                yield _line(number, f"{written}: {words} ({rule})", written, sample, request, holds)
    for sample in SINGLE:
        for values, is_hit in ((("impossible", sample.policy), True), (("impossible",), False)):
            number += 1
            words = (
                f"{sample.operator}: the values of one key are alternatives, for a negated one none may match (LOGIC)"
            )
            listed = sample._replace(policy=json.dumps(values))
            yield _line(
                number, words, sample.operator, listed, [sample.match], is_hit != sample.is_negated, list(values)
            )


def _line(
    number: int, rule: str, operator: str, sample: Sample, request: list[str], holds: bool, values: Any = None
) -> str:
    condition = {operator: {sample.key: sample.policy if values is None else values}}
    context: dict[str, Any] = (
        {sample.key: request if len(request) > 1 or sample in SEVERAL else request[0]} if request else {}
    )
    statement = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*", "Condition": condition}
    return json.dumps(
        {
            "id": f"operator-{number:03}",
            "rule": rule,
            "principal": "arn:aws:iam::111122223333:user/trainer",
            "action": "sagemaker:CreateTrainingJob",
            "resource": "arn:aws:sagemaker:us-east-1:111122223333:training-job/churn",
            "context": context,
            "identity_policies": [{"Version": "2012-10-17", "Statement": statement}],
            "expected": "allowed" if holds else "implicitDeny",
        }
    )


if __name__ == "__main__":
    FILE.write_text("".join(line + "\n" for line in lines()), encoding="utf-8")
