"""Real exports and policies are read in full."""

import json

import pytest
from ingest_inputs import write
from shared import SHARED

from pipeline.ingest import read_inputs

pytestmark = pytest.mark.skipif(SHARED is None, reason="the shared data are not beside this checkout")

DATA = SHARED / "data" if SHARED else None
CASES = SHARED / "cases" if SHARED else None


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("cloudsplaining-example-authz-details.json", {"user": 3, "group": 2, "role": 3}),
        ("cloudsplaining-example-large.json", {"user": 44, "group": 5, "role": 78}),
    ],
)
def test_a_sample_export_is_read_without_an_error(name, counts):
    inputs = read_inputs([DATA / "gaad-samples" / name])
    assert not [reject for reject in inputs.rejects if reject.severity == "error"]
    kinds = [principal.principal_type for principal in inputs.principals]
    assert {kind: kinds.count(kind) for kind in counts} == counts
    assert not [principal for principal in inputs.principals if principal.missing]


def test_both_samples_together_are_read_though_aws_policies_differ_in_age():
    inputs = read_inputs([DATA / "gaad-samples"])
    assert [account.account_id for account in inputs.accounts] == ["012345678901", "111122223333"]
    assert {reject.code for reject in inputs.rejects if reject.source.endswith("authz-details.json")} >= {
        "conflicting-data"
    }


def test_the_guides_policies_are_read_and_its_malformed_ones_rejected_at_their_place():
    inputs = read_inputs([DATA / "guide-policies"])
    errors = {
        reject.source.rsplit("/", 1)[-1]: (reject.line, reject.column, reject.message)
        for reject in inputs.rejects
        if reject.severity == "error" and reject.code == "malformed-json"
    }
    assert errors == {
        "06-require-request-tag.json": (15, 5, "expected ',' or '}' after a member"),
        "07-source-vpc.json": (9, 29, "a string is never closed: the line ends inside it"),
    }
    comments = [reject.source.rsplit("/", 1)[-1] for reject in inputs.rejects if reject.code == "comments"]
    assert comments == ["02-console.json"]
    assert len(inputs.principals) == 11


def test_every_aws_managed_policy_is_read(tmp_path):
    lines = (DATA / "aws-managed-policies.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        policy = json.loads(line)
        write(tmp_path, f"{policy['name']}.json", policy["document"])
    inputs = read_inputs([tmp_path])
    assert len(inputs.principals) == len(lines) == 1524
    assert not [reject for reject in inputs.rejects if reject.severity == "error"]


def test_the_organization_of_the_cases_is_read_whole():
    inputs = read_inputs([CASES / "organization"])
    assert not [reject for reject in inputs.rejects if reject.severity == "error"]
    assert [(account.account_id, len(account.ancestors)) for account in inputs.accounts] == [
        ("111111111111", 2),
        ("222222222222", 4),
        ("333333333333", 3),
        ("444444444444", 3),
    ]
    assert not [principal for principal in inputs.principals if principal.missing]
    kinds = {attachment.attachment_kind for attachment in inputs.attachments}
    assert kinds == {"inline", "managed", "boundary", "trust", "scp", "rcp", "resource"}
