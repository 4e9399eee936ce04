"""What granted actions depend on: missing further actions, and the roles that can be passed."""

import json
from pathlib import Path

import pytest
from cli_run import run

from pipeline.build import build_lake
from pipeline.lake import open_lake

ACCOUNT, EMPTY = "111122223333", "222233334444"
TRAIN = "sagemaker:CreateTrainingJob"
SAGEMAKER = "sagemaker.amazonaws.com"
SERVICE = "iam:PassedToService"


def allow(action, resource="*", effect="Allow", **condition):
    return {"Effect": effect, "Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


def trust(*services):
    principal = {"Service": list(services)} if services else {"AWS": "*"}
    return {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}


def to(*services):
    return {"StringEquals": {SERVICE: list(services)}}


def deny(action, **condition):
    return allow(action, effect="Deny", **condition)


OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"
JOBS = f"arn:aws:iam::{ACCOUNT}:role/jobs/*"
#: User -> what it has besides CreateTrainingJob, and what of iam:PassRole is missing then; None: nothing.
PASSERS = {
    "none": ([], "nothing grants it"),
    "any": ([allow("iam:PassRole")], None),
    "to-sagemaker": ([allow("iam:PassRole", **to(SAGEMAKER, "ec2.amazonaws.com"))], None),
    "to-lambda": (
        [allow("iam:PassRole", **to("lambda.amazonaws.com"))],
        f"it is granted, but never with {SERVICE}: {SAGEMAKER}",
    ),
    "not-to-sagemaker": (
        [allow("iam:PassRole"), deny("iam:PassRole", **to(SAGEMAKER))],
        f"it is granted, but never with {SERVICE}: {SAGEMAKER}",
    ),
    "denied": ([allow("iam:*"), deny("iam:PassRole")], "an explicit Deny takes it away"),
    "jobs": ([allow("iam:PassRole", JOBS)], None),
    "other": (
        [allow("iam:PassRole", OTHER)],
        f"it is granted, but reaches no role of the account that trusts {SAGEMAKER}",
    ),
    "split": (
        [allow("iam:PassRole", OTHER), allow("iam:PassRole", JOBS, **to("lambda.amazonaws.com"))],
        f"it is granted, but reaches no role of the account that trusts {SAGEMAKER}",
    ),
    "in-europe": ([allow("iam:PassRole", StringEquals={"aws:RequestedRegion": "eu-west-1"})], None),
    "outside-america": (
        [allow("iam:PassRole"), deny("iam:PassRole", StringLike={"aws:RequestedRegion": "us-*"})],
        None,
    ),
    "with-mfa": ([allow("iam:PassRole", Bool={"aws:MultiFactorAuthPresent": "true"})], None),
}


def user(name, statements, account=ACCOUNT, **members):
    document = {"Version": "2012-10-17", "Statement": statements}
    policies = [{"PolicyName": "p", "PolicyDocument": document}]
    return {"Arn": f"arn:aws:iam::{account}:user/{name}", "UserName": name, "UserPolicyList": policies, **members}


def role(path, services):
    name = path.rsplit("/", 1)[-1]
    arn = f"arn:aws:iam::{ACCOUNT}:role/{path}"
    return {"Arn": arn, "RoleName": name, "AssumeRolePolicyDocument": trust(*services)}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dependencies")
    users = [user(name, [allow(TRAIN), *more]) for name, (more, _) in PASSERS.items()]
    users.append(user("tagger", [allow(["sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"])]))
    only_models = {"StringEquals": {"sagemaker:TaggingAction": "CreateModel"}}
    creating = ["sagemaker:CreateModel", TRAIN, "iam:PassRole"]
    users.append(user("model-tagger", [allow(creating), allow("sagemaker:AddTags", **only_models)]))
    users.append(user("cluster", [allow(["sagemaker:CreateCluster", "ec2:DescribeImages", "iam:PassRole"])]))
    roles = [role("jobs/training", [SAGEMAKER]), role("other", ["ec2.amazonaws.com"])]
    here = {"UserDetailList": users, "RoleDetailList": roles, "GroupDetailList": [], "Policies": []}
    there = {
        "UserDetailList": [user("alone", [allow(TRAIN), allow("iam:PassRole")], EMPTY)],
        "GroupDetailList": [],
        "RoleDetailList": [],
        "Policies": [],
    }
    for account, content in ((ACCOUNT, here), (EMPTY, there)):
        Path(folder, f"{account}.json").write_text(json.dumps(content), encoding="utf-8")
    build_lake([folder], folder / "lake")
    return open_lake(folder / "lake")


def missing(lake, name, action=TRAIN):
    rows = lake.query(
        "select dependent_action, reason from missing_dependencies"
        " where ends_with(principal_arn, '/' || $name) and action = $action",
        {"name": name, "action": action},
    )
    return {row["dependent_action"]: row["reason"] for row in rows.to_pylist()}


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in PASSERS.items()])
def test_a_granted_action_lacks_a_role_that_it_may_pass_to_its_service(name, reason, lake):
    assert missing(lake, name).get("iam:PassRole") == reason


def test_what_a_layer_blocks_is_told_in_words(sample_lake):
    sample = open_lake(sample_lake)
    assert missing(sample, "opal")["sagemaker:AddTags"] == "it is blocked by the permissions boundary"


def test_of_an_account_whose_roles_were_not_read_nobody_says_that_there_is_none(lake):
    assert "iam:PassRole" not in missing(lake, "alone")


def test_tags_at_creation_need_add_tags_for_the_call_that_creates(lake):
    assert "sagemaker:AddTags" not in missing(lake, "model-tagger", "sagemaker:CreateModel")
    reason = "it is granted, but never with sagemaker:TaggingAction: CreateTrainingJob"
    assert missing(lake, "model-tagger")["sagemaker:AddTags"] == reason


def test_tags_at_creation_need_add_tags_but_not_every_call_does(lake):
    assert "sagemaker:AddTags" not in missing(lake, "tagger", "sagemaker:CreateModel")
    assert missing(lake, "any")["sagemaker:AddTags"] == "nothing grants it"
    rows = lake.query("from missing_dependencies where ends_with(principal_arn, '/any')").to_pylist()
    told = {row["dependent_action"]: (row["is_always_needed"], row["needed_when"]) for row in rows}
    assert told == {"sagemaker:AddTags": (False, "a call that passes tags")}


def test_further_actions_of_other_services_are_decided_but_not_in_access(lake):
    found = missing(lake, "cluster", "sagemaker:CreateCluster")
    assert "ec2:DescribeImages" not in found
    assert {"ec2:DescribeSnapshots", "eks:DescribeCluster", "iam:CreateServiceLinkedRole"} <= set(found)
    for relation in ("access", "access_matrix", "evaluated_actions", "statement_actions"):
        services = lake.query(f"select distinct split_part(action, ':', 1) as service from {relation}")
        assert "ec2" not in services["service"].to_pylist(), relation


def test_an_action_that_is_not_granted_misses_nothing(lake):
    rows = lake.query(
        "select count(*) as n from missing_dependencies anti join ("
        " select principal_arn, action from access_matrix where verdict in ('allowed', 'conditional')) using"
        " (principal_arn, action)"
    )
    assert rows["n"].to_pylist() == [0]


def test_the_roles_that_can_be_passed_are_those_that_a_scope_reaches(lake):
    rows = lake.query("from passable_roles").to_pylist()
    found = {}
    for row in rows:
        found.setdefault(row["principal_arn"].rsplit("/", 1)[-1], set()).add(row["role_arn"].rsplit("/", 1)[-1])
    both = {"training", "other"}
    assert found == {
        "any": both, "to-sagemaker": both, "to-lambda": both, "not-to-sagemaker": both, "with-mfa": both,
        "in-europe": both, "outside-america": both,
        "tagger": both, "model-tagger": both, "cluster": both, "jobs": {"training"}, "other": {"other"}, "split": both,
    }  # fmt: skip
    assert {tuple(row["trusted_services"]) for row in rows} == {(SAGEMAKER,), ("ec2.amazonaws.com",)}


def rows(monkeypatch, lake, *arguments):
    done = run(monkeypatch, *arguments, "--lake", str(lake.path), "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.text)


def test_the_query_decides_for_the_service(monkeypatch, lake):
    for service, passer, trusting in ((SAGEMAKER, "to-sagemaker", "training"), ("lambda.amazonaws.com", "split", None)):
        found = rows(monkeypatch, lake, "query", "passable_roles", "--set", f"service={service}")
        own = {row["role_arn"].rsplit("/", 1)[-1]: row for row in found if row["principal_arn"].endswith(f"/{passer}")}
        assert {row["verdict"] for row in own.values()} == {"allowed"}
        assert [name for name, row in own.items() if row["is_trusting"]] == ([trusting] if trusting else [])


def test_principal_can_says_what_a_granted_action_lacks(monkeypatch, lake):
    found = rows(monkeypatch, lake, "principal-can", f"arn:aws:iam::{ACCOUNT}:user/none")
    assert {tuple(row["missing_dependencies"]) for row in found if row["action"] == TRAIN} == {
        (
            "iam:PassRole: nothing grants it (needed by a call that passes a role)",
            "sagemaker:AddTags: nothing grants it (needed by a call that passes tags)",
        )
    }
    (passing,) = (row for row in rows(monkeypatch, lake, "principal-can", "jobs") if row["action"] == "iam:PassRole")
    assert passing["missing_dependencies"] is None


def test_principal_can_says_the_same_as_the_relation(monkeypatch, sample_lake):
    opened = open_lake(sample_lake)
    told = opened.query(
        "select principal_arn, action,"
        " dependent_action || ': ' || reason || ' (needed by ' || needed_when || ')' as text"
        " from missing_dependencies"
    ).to_pylist()
    names = {row["principal_arn"] for row in told}
    assert len(names) > 30
    for name in sorted(names)[::4]:
        found = rows(monkeypatch, opened, "principal-can", name)
        said = {(row["action"], text) for row in found for text in row["missing_dependencies"] or ()}
        assert said == {(row["action"], row["text"]) for row in told if row["principal_arn"] == name}


def test_the_report_shows_what_is_missing_on_both_pages(monkeypatch, lake, tmp_path):
    assert run(monkeypatch, "report", "--lake", str(lake.path), "--out", str(tmp_path / "out")).code == 0
    page = (tmp_path / "out" / "actions" / "sagemaker-CreateTrainingJob.html").read_text(encoding="utf-8")
    table = page.split('<h2 id="gaps">')[1]
    assert "<td><code>iam:PassRole</code></td><td>nothing grants it</td>" in table
    assert f"<td>it is granted, but reaches no role of the account that trusts {SAGEMAKER}</td>" in table
    data = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out" / "data").rglob("*.js"))
    assert '"it is granted, but never with iam:PassedToService: sagemaker.amazonaws.com"' in data


def test_principal_can_names_the_roles_that_a_scope_of_pass_role_reaches(monkeypatch, lake):
    found = rows(monkeypatch, lake, "principal-can", f"arn:aws:iam::{ACCOUNT}:user/any")
    (passing,) = [row["passable_roles"] for row in found if row["action"] == "iam:PassRole"]
    assert OTHER in passing
    assert passing == sorted(passing)
    assert all(role.startswith(f"arn:aws:iam::{ACCOUNT}:role/") for role in passing)
    assert all(row["passable_roles"] is None for row in found if row["action"] != "iam:PassRole")
