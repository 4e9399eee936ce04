"""The packaged service reference: it is what its sources say, and finds what policies name."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import PolicylakeError
from pipeline.lake.dictionary import relation
from pipeline.reference import PACKAGED, RELATIONS, load
from pipeline.reference.aws_format import Action, Service
from pipeline.reference.build import build
from pipeline.reference.describe import describe
from pipeline.reference.overlay import overlay

SOURCES = Path(__file__).resolve().parents[1] / "data" / "service-reference"


@pytest.fixture(scope="module")
def reference():
    return load(PACKAGED)


def test_the_packaged_files_are_what_the_sources_make(tmp_path):
    build(SOURCES, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in PACKAGED.iterdir())
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (PACKAGED / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", RELATIONS)
def test_a_relation_keeps_its_grain_and_the_columns_of_the_dictionary(name, reference):
    table, described = reference.table(name), relation(name)
    assert table.schema.names == [column.name for column in described.columns]
    assert [field.type for field in table.schema] == [field.type for field in described.schema]
    keys = list(zip(*(table[column].to_pylist() for column in described.grain), strict=True))
    assert len(set(keys)) == len(keys)
    for column in described.columns:
        assert column.is_nullable or table[column.name].null_count == 0, column.name


@pytest.mark.parametrize("written", ["sagemaker:CreateModel", "SAGEMAKER:createmodel", "SageMaker:CREATEMODEL"])
def test_an_action_is_found_whatever_its_case(written, reference):
    assert reference.action(written).action == "sagemaker:CreateModel"


@pytest.mark.parametrize("written", ["sagemaker:CreateTags", "sagemaker:", "sagemaker", "", "*", "nosuch:CreateModel"])
def test_an_action_that_does_not_exist_is_not_found(written, reference):
    assert reference.action(written) is None


def test_an_action_has_its_resource_types_with_arn_forms_and_keys(reference):
    types = {kind.resource_type: kind for kind in reference.action("sagemaker:CreateEndpoint").resource_types}
    assert {name for name, kind in types.items() if kind.is_required} == {"endpoint", "endpoint-config"}
    assert types["endpoint"].arn_format == "arn:${Partition}:sagemaker:${Region}:${Account}:endpoint/${EndpointName}"
    assert "aws:RequestTag/${TagKey}" in types["endpoint"].condition_keys


def test_an_action_on_everything_has_no_resource_types(reference):
    assert reference.action("sagemaker:ListNotebookInstances").resource_types == ()


def test_the_actions_of_services_come_sorted_and_once(reference):
    actions = [action.action for action in reference.actions_of(["sagemaker-mlflow", "SageMaker", "sagemaker-mlflow"])]
    mlflow = [name for name in actions if name.startswith("sagemaker-mlflow:")]
    assert (len(actions), len(mlflow)) == (449 + 61, 61)
    assert mlflow == sorted(mlflow, key=str.lower)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("aws:SourceVpc", "aws:SourceVpc"),
        ("AWS:sourcevpce", "aws:SourceVpce"),
        ("aws:ResourceTag/Team", "aws:ResourceTag/${TagKey}"),
        ("AWS:RESOURCETAG/Team", "aws:ResourceTag/${TagKey}"),
        ("aws:PrincipalTag/a/b", "aws:PrincipalTag/${TagKey}"),
        ("sagemaker:ResourceTag/Project", "sagemaker:ResourceTag/${TagKey}"),
        ("sagemaker:instancetypes", "sagemaker:InstanceTypes"),
        ("aws:ResourceTag/", None),
        ("aws:ResourceTag", None),
        ("sagemaker:NoSuchKey", None),
        ("SourceVpc", None),
    ],
)
def test_a_condition_key_is_found_whatever_its_case_and_tag(written, found, reference):
    key = reference.key(written)
    assert (key and key.name) == found


@pytest.mark.parametrize(
    ("name", "value_type", "is_multivalued"),
    [
        ("aws:TagKeys", "ArrayOfString", True),
        ("aws:SourceIp", "IPAddress", False),
        ("aws:SecureTransport", "Bool", False),
    ],
)
def test_a_global_key_has_its_type(name, value_type, is_multivalued, reference):
    key = reference.key(name)
    assert (key.value_type, key.is_multivalued, key.is_global) == (value_type, is_multivalued, True)


def test_required_marks_known_as_too_strict_are_marked_with_the_reason(reference):
    rows = reference.table("reference_action_resource_types").to_pylist()
    doubtful = {row["action"]: row["remark"] for row in rows if row["is_required_mark_doubtful"]}
    listed = json.loads((SOURCES / "corrections.json").read_text())["doubtful_required_marks"]
    assert "sagemaker:AddAssociation" in doubtful
    assert doubtful == {action: listed[action] for action in doubtful}


def test_a_former_spelling_is_known_and_names_the_current_one(reference):
    rows = {row["condition_key"]: row for row in reference.table("reference_condition_keys").to_pylist()}
    assert rows["sagemaker:VolumeKmsKey"]["current_spelling"] == "sagemaker:VolumeKmsKeyArn"
    assert rows["sagemaker:VolumeKmsKey"]["is_former_spelling"]
    assert not rows["sagemaker:VolumeKmsKeyArn"]["is_former_spelling"]


@pytest.mark.parametrize("service", ["s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "logs", "S3"])
def test_resource_control_policies_act_on_the_listed_services(service, reference):
    assert reference.is_rcp_supported(service)


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-mlflow", "iam", "nosuch"])
def test_resource_control_policies_do_not_act_on_sagemaker(service, reference):
    assert not reference.is_rcp_supported(service)


def test_the_description_tells_version_age_and_counts(reference):
    rows = dict(zip(*describe(reference, date(2026, 10, 6)).to_pydict().values(), strict=True))
    assert rows["age in days"] == "10"
    assert (rows["data date"], rows["origin"], rows["actions"]) == ("2026-09-26", "packaged", "22091")


def _damaged(folder, name, data):
    shutil.copytree(PACKAGED, folder)
    (folder / name).write_bytes(data)
    return folder


BAD_META = [b"", b"{", b"[]", b"{}", b'{"version": "1", "data_date": "soon", "origin": "x"}', b"\xff"]


@pytest.mark.parametrize("data", BAD_META)
def test_a_damaged_description_says_what_to_do(data, tmp_path):
    folder = _damaged(tmp_path / "reference", "meta.json", data)
    with pytest.raises(PolicylakeError, match=r"no readable service reference.*refresh it again"):
        load(folder)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no parquet at all"])
def test_a_damaged_relation_says_where_and_what_to_do(data, tmp_path):
    folder = _damaged(tmp_path / "reference", "reference_actions.parquet", data)
    with pytest.raises(PolicylakeError, match=r"reference_actions\.parquet: damaged .*refresh it again"):
        load(folder).action("sagemaker:CreateModel")


def test_the_users_reference_counts_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("POLICYLAKE_REFERENCE", str(tmp_path / "mine"))
    assert load().origin == "packaged"
    shutil.copytree(PACKAGED, tmp_path / "mine")
    assert load().folder == tmp_path / "mine"


def test_keys_of_vpc_endpoints_are_with_the_actions_of_the_services_that_know_them(reference):
    names = ("s3:GetObject", "iam:PassRole", "iam:GetRole", "sagemaker:CreateModel")
    carried = {name: set(reference.action(name).condition_keys) for name in names}
    assert {"aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"} <= carried["s3:GetObject"]
    assert "aws:VpceAccount" in carried["iam:GetRole"]
    assert "aws:VpceAccount" not in carried["iam:PassRole"]
    assert not any(key.startswith("aws:Vpce") for key in carried["sagemaker:CreateModel"])


def test_a_refreshed_service_keeps_its_keys_of_vpc_endpoints(reference):
    base = {name: [tuple(row.values()) for row in reference.table(name).to_pylist()] for name in RELATIONS}
    fresh = Service(name="kms", actions=[Action(name="Decrypt"), Action(name="New")])
    actions = {row[0]: row[4] for row in overlay(base, {"kms": fresh})["reference_actions"] if row[1] == "kms"}
    assert actions["kms:Decrypt"] == actions["kms:New"]
    assert "aws:VpceAccount" in actions["kms:New"]
