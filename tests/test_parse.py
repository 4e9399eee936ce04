"""The parser of policy documents: what it reads, what it refuses, and what it warns of, with the place of each."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.iam.model import Condition, Policy, PrincipalEntry, Statement
from pipeline.iam.parse import OPERATORS, PolicyKind, parse_policy

Json = Any
KINDS: tuple[PolicyKind, ...] = ("identity", "boundary", "scp", "rcp", "resource", "trust", "session", "endpoint")
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TO_ALL = {**ALLOW, "Principal": "*"}


def document(*statements: Json, **members: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements), **members}


def without(statement: Json, *names: str) -> Json:
    return {name: value for name, value in statement.items() if name not in names}


def parsed(value: Json, kind: PolicyKind = "identity") -> Policy:
    policy, problems = parse_policy(value, kind)
    assert policy is not None, problems
    return policy


def test_a_document_is_read_whole() -> None:
    written = {
        "Sid": "Read",
        "Effect": "Deny",
        "NotAction": ["s3:Get*", "iam:*"],
        "NotResource": "arn:aws:s3:::data/*",
        "NotPrincipal": {"AWS": ["111122223333", "*"], "Service": "ec2.amazonaws.com"},
        "Condition": {
            "ForAnyValue:stringlikeIfExists": {"aws:TagKeys": ["a*", "b"]},
            "Bool": {"aws:SecureTransport": False},
            "NumericLessThan": {"s3:max-keys": 10},
        },
    }
    assert parsed(document(written, Id="x"), "resource") == Policy(
        "2012-10-17",
        (
            Statement(
                0,
                "Read",
                "Deny",
                "NotAction",
                ("s3:Get*", "iam:*"),
                "NotResource",
                ("arn:aws:s3:::data/*",),
                "NotPrincipal",
                (
                    PrincipalEntry("AWS", "111122223333"),
                    PrincipalEntry("AWS", "*"),
                    PrincipalEntry("Service", "ec2.amazonaws.com"),
                ),
                (
                    Condition("StringLike", "ForAnyValue", True, "aws:TagKeys", ("a*", "b")),
                    Condition("Bool", None, False, "aws:SecureTransport", ("false",)),
                    Condition("NumericLessThan", None, False, "s3:max-keys", ("10",)),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("version", "has_variables"), [({}, False), ({"Version": "2008-10-17"}, False), ({"Version": "2012-10-17"}, True)]
)
def test_variables_need_the_version_of_2012(version: Json, has_variables: bool) -> None:
    assert parsed({"Statement": ALLOW, **version}).has_variables is has_variables


@pytest.mark.parametrize("name", [name for names in OPERATORS.values() for name in names])
def test_operators_are_read_in_any_case_with_what_stands_around_them(name: str) -> None:
    if_exists = "" if name == "Null" else "IFEXISTS"
    for prefix, qualifier in (("", None), ("forallvalues:", "ForAllValues"), ("FORANYVALUE:", "ForAnyValue")):
        written = {**ALLOW, "Condition": {prefix + name.upper() + if_exists: {"aws:x": "true"}}}
        (condition,) = parsed(document(written)).statements[0].conditions
        assert condition == Condition(name, qualifier, bool(if_exists), "aws:x", ("true",))


ERRORS: tuple[tuple[str, PolicyKind, Json, str, str], ...] = (
    ("a list", "identity", [], "", "policy-type"),
    ("a text", "identity", "x", "", "policy-type"),
    ("null", "identity", None, "", "policy-type"),
    ("a misspelt element", "identity", {"Statements": []}, "/Statements", "unknown-element"),
    ("another version", "identity", {"Version": "2012-10-18", "Statement": ALLOW}, "/Version", "version"),
    ("a version of a wrong type", "identity", {"Version": [], "Statement": ALLOW}, "/Version", "version"),
    ("no statement", "identity", {"Version": "2012-10-17"}, "", "missing-statement"),
    ("no statement in the list", "identity", document(), "/Statement", "missing-statement"),
    ("a statement of a wrong type", "identity", document(ALLOW, "x"), "/Statement/1", "statement-type"),
    ("one statement, without a list", "identity", {"Statement": 5}, "/Statement", "statement-type"),
    ("no effect", "identity", document(without(ALLOW, "Effect")), "/Statement/0", "missing-effect"),
    ("effect in small letters", "identity", document({**ALLOW, "Effect": "allow"}), "/Statement/0/Effect", "effect"),
    ("effect of a wrong type", "identity", document({**ALLOW, "Effect": ["Allow"]}), "/Statement/0/Effect", "effect"),
    ("no action", "identity", document(without(ALLOW, "Action")), "/Statement/0", "action-element"),
    ("both actions", "identity", document({**ALLOW, "NotAction": "*"}), "/Statement/0", "action-element"),
    ("no action form", "identity", document({**ALLOW, "Action": ["*", "x"]}), "/Statement/0/Action/1", "action-form"),
    ("service *", "identity", document({**ALLOW, "Action": ["*:*", "*:L"]}), "/Statement/0/Action/1", "action-service"),
    ("service s*", "scp", document({**ALLOW, "Action": "sage*:*"}), "/Statement/0/Action", "action-service"),
    ("service ?", "boundary", document({**ALLOW, "Action": "s?:Get"}), "/Statement/0/Action", "action-service"),
    ("action null", "identity", document({**ALLOW, "Action": None}), "/Statement/0/Action", "element-type"),
    ("no resource", "identity", document(without(ALLOW, "Resource")), "/Statement/0", "missing-resource"),
    ("no resource in an SCP", "scp", document(without(ALLOW, "Resource")), "/Statement/0", "missing-resource"),
    ("both resources", "identity", document({**ALLOW, "NotResource": "*"}), "/Statement/0", "resource-element"),
    ("resource object", "identity", document({**ALLOW, "Resource": {}}), "/Statement/0/Resource", "element-type"),
    ("nobody", "resource", document(ALLOW), "/Statement/0", "missing-principal"),
    ("nobody in an RCP", "rcp", document(ALLOW), "/Statement/0", "missing-principal"),
    ("both principals", "resource", document({**TO_ALL, "NotPrincipal": "*"}), "/Statement/0", "principal-element"),
    ("principal text", "resource", document({**ALLOW, "Principal": "x"}), "/Statement/0/Principal", "principal-type"),
    ("kind", "trust", document({**ALLOW, "Principal": {"aws": "*"}}), "/Statement/0/Principal/aws", "principal-kind"),
    ("condition list", "identity", document({**ALLOW, "Condition": []}), "/Statement/0/Condition", "condition-type"),
    ("condition null", "identity", document({**ALLOW, "Condition": None}), "/Statement/0/Condition", "condition-type"),
    ("sid of a wrong type", "identity", document({**ALLOW, "Sid": 5}), "/Statement/0/Sid", "sid-type"),
    ("an unknown element", "identity", document({**ALLOW, "Resorce": "*"}), "/Statement/0/Resorce", "unknown-element"),
)


@pytest.mark.parametrize(("kind", "value", "pointer", "code"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_what_aws_would_refuse_is_refused_with_its_place(
    kind: PolicyKind, value: Json, pointer: str, code: str
) -> None:
    policy, problems = parse_policy(value, kind)
    assert policy is None
    assert (problems[-1].severity, problems[-1].pointer, problems[-1].code) == ("error", pointer, code)
    assert problems[-1].remedy


OPERATOR_ERRORS = (
    ("StringEqual", "did you mean StringEquals?"),
    ("NullIfExists", ""),
    ("ForEachValue:StringEquals", ""),
    ("ForAllValues:", ""),
    ("", ""),
)


@pytest.mark.parametrize(("operator", "hint"), OPERATOR_ERRORS)
def test_an_operator_that_there_is_not_is_refused(operator: str, hint: str) -> None:
    policy, problems = parse_policy(document({**ALLOW, "Condition": {operator: {"aws:x": "1"}}}), "identity")
    assert policy is None
    assert (problems[-1].code, problems[-1].pointer) == ("unknown-operator", f"/Statement/0/Condition/{operator}")
    assert hint in problems[-1].remedy


@pytest.mark.parametrize("value", [None, {"a": "b"}, [None], [["x"]]])
def test_a_condition_value_is_a_text_a_number_or_a_boolean(value: Json) -> None:
    policy, problems = parse_policy(document({**ALLOW, "Condition": {"StringEquals": {"a/b~c": value}}}), "identity")
    assert policy is None
    assert problems[-1].code == "condition-value"
    assert problems[-1].pointer.startswith("/Statement/0/Condition/StringEquals/a~1b~0c")


WARNINGS: tuple[tuple[str, PolicyKind, Json, str, str], ...] = (
    ("empty action", "identity", document({**ALLOW, "Action": []}), "/Statement/0", "empty-element"),
    ("empty resource", "identity", document({**ALLOW, "Resource": []}), "/Statement/0", "empty-element"),
    ("a principal", "identity", document(TO_ALL), "/Statement/0/Principal", "principal-not-allowed"),
    ("a principal in an SCP", "scp", document(TO_ALL), "/Statement/0/Principal", "principal-not-allowed"),
    ("a resource", "trust", document(TO_ALL), "/Statement/0/Resource", "resource-in-trust"),
    ("sid", "identity", document({**ALLOW, "Sid": "a b"}), "/Statement/0/Sid", "sid-characters"),
    ("sid twice", "identity", document(*[{**ALLOW, "Sid": "a"}] * 2), "/Statement/1/Sid", "duplicate-sid"),
    (
        "an operator in small letters",
        "identity",
        document({**ALLOW, "Condition": {"ForAnyValue:stringlike": {"aws:TagKeys": "a"}, "Null": {"aws:x": "true"}}}),
        "/Statement/0/Condition/ForAnyValue:stringlike",
        "operator-spelling",
    ),
    ("old SCP", "scp", {"Statement": ALLOW}, "", "version"),
    ("an Allow", "rcp", document(TO_ALL), "/Statement/0", "rcp-allow"),
    ("all actions", "rcp", document({**TO_ALL, "Effect": "Deny", "Action": "*"}), "/Statement/0", "rcp-action"),
    ("some", "rcp", document({**TO_ALL, "Effect": "Deny", "Principal": {"AWS": "1"}}), "/Statement/0", "rcp-principal"),
    (
        "NotPrincipal with Allow", "resource", document({**ALLOW, "NotPrincipal": "*"}), "/Statement/0/NotPrincipal",
        "not-principal-allow",
    ),
    (
        "NotPrincipal in a trust policy", "trust",
        document({**without(ALLOW, "Resource"), "Effect": "Deny", "NotPrincipal": "*"}), "/Statement/0/NotPrincipal",
        "not-principal-trust",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "pointer", "code"), [w[1:] for w in WARNINGS], ids=[w[0] for w in WARNINGS])
def test_what_is_odd_is_used_with_a_warning(kind: PolicyKind, value: Json, pointer: str, code: str) -> None:
    policy, problems = parse_policy(value, kind)
    assert policy is not None
    assert [(p.severity, p.pointer, p.code) for p in problems] == [("warning", pointer, code)]


UNREADABLE = (
    ("IpAddress", "10.0.0.0/33", "address or network"),
    ("NotIpAddressIfExists", "10.0.0", "address or network"),
    ("DateLessThan", "tomorrow", "date"),
    ("NumericEquals", "ten", "number"),
    ("ForAnyValue:Bool", "yes", "truth value"),
    ("Null", "absent", "truth value"),
    ("BinaryEquals", "!", "base64"),
)


@pytest.mark.parametrize(("operator", "value", "what"), UNREADABLE)
def test_a_value_that_its_operator_cannot_read_is_kept_and_told(operator: str, value: str, what: str) -> None:
    condition = {operator: {"aws:x": ["true", value] if "Bool" in operator or operator == "Null" else value}}
    policy, problems = parse_policy(document({**ALLOW, "Condition": condition}), "identity")
    assert policy is not None
    assert value in policy.statements[0].conditions[0].values
    (problem,) = problems
    assert (problem.severity, problem.code) == ("warning", "condition-value-type")
    assert problem.pointer.startswith(f"/Statement/0/Condition/{operator}/aws:x")
    assert f"no {what}" in problem.message


READABLE = (
    ("IpAddress", ["2001:db8::/32", "10.0.0.1"]),
    ("DateLessThan", ["2026-11-25", "1764028800", 1764028800]),
    ("NumericEquals", [1, "1.5"]),
    ("Bool", [True, "FALSE", "${aws:PrincipalTag/x}"]),
    ("StringEquals", ["tomorrow"]),
)


@pytest.mark.parametrize(("operator", "values"), READABLE)
def test_values_that_their_operator_reads_are_no_matter_for_a_warning(operator: str, values: Json) -> None:
    _, problems = parse_policy(document({**ALLOW, "Condition": {operator: {"aws:x": values}}}), "identity")
    assert problems == ()


def test_the_policy_that_allows_everything_in_every_organization_is_no_matter_for_a_warning() -> None:
    full = document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
    assert parse_policy(full, "rcp")[1] == ()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["Allow", "*", "s3:*", "2012-10-17"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Resource", "Principal", "Condition", "AWS", "Bool", "Sid"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(KINDS))
def test_any_json_gives_a_policy_or_an_error_and_never_both(value: Json, kind: PolicyKind) -> None:
    policy, problems = parse_policy(json.loads(json.dumps(value)), kind)
    assert (policy is None) == any(problem.severity == "error" for problem in problems)
