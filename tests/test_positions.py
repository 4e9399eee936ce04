"""Positions of statements: read from the very files that were built from, or not told."""

import gzip
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from ingest_inputs import ACCOUNT, arn, attached, document, export, group, inline, managed, role, user, write

from pipeline.flatten.records import SourceFile
from pipeline.ingest import Occurrence, Position, positions, read_inputs
from pipeline.ingest.positions import MOST_OTHERS

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "organization"
EDGE = arn("policy/edge")
BUCKET = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/g"


def found(*paths):
    """Return the position of every statement of the inputs, with the statement itself."""
    inputs = read_inputs(list(paths))
    documents = {d.policy_id: json.loads(d.canonical)["Statement"] for d in inputs.documents}
    listed = {}
    for a in inputs.attachments:
        statements = documents[a.policy_id]
        is_listed = isinstance(statements, list)
        for index, statement in enumerate(statements if is_listed else [statements]):
            names = (a.target_arn, a.attachment_kind, a.policy_id, a.policy_name, a.policy_arn, a.source)
            listed[Occurrence(*names, index, is_listed)] = statement
    return [(place, listed[o], o) for o, place in positions(listed, inputs.sources).items()], inputs


def text_at(place: Position) -> str:
    data = Path(place.file).read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    return "\n".join(text.split("\n")[place.line - 1 :])[place.column - 1 :]


def value_at(place: Position):
    return json.JSONDecoder().raw_decode(text_at(place))[0]


def resolved(value, pointer):
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_every_statement_of_the_sample_stands_where_it_is_said_to():
    places, _ = found(SAMPLE)
    assert len(places) > 300
    kinds = set()
    for place, statement, occurrence in places:
        kinds.add(occurrence.attachment_kind)
        if place.file.endswith("02-console.jsonc"):
            assert text_at(place).startswith("{")
            continue
        value = value_at(place)
        if isinstance(value, str):
            assert "the document is a text in the file, and begins here; the statement at line " in place.remark
            continue
        assert value == statement, place
    assert kinds == {"inline", "managed", "boundary", "trust", "scp", "rcp", "resource", "endpoint"}


def test_both_pointers_lead_to_the_statement_in_its_file(tmp_path):
    content = export([user(UserPolicyList=[inline("p", document("s3:*")), inline("q", document("sagemaker:*"))])])
    places, _ = found(write(tmp_path, "a.json", [export(), content]))
    for place, statement, occurrence in places:
        value = json.loads((tmp_path / "a.json").read_text())
        assert resolved(value, place.document_pointer + place.statement_pointer) == statement
        assert f"UserPolicyList/{'pq'.index(occurrence.policy_name)}/" in place.document_pointer


def test_the_same_document_has_a_place_for_each_target(tmp_path):
    users = [user(name, UserPolicyList=[inline("p", document())]) for name in ("ana", "bao")]
    places, _ = found(write(tmp_path, "a.json", export(users)))
    assert len({place.line for place, _, _ in places}) == 2
    assert {place.document_pointer for place, _, _ in places} == {
        f"/UserDetailList/{number}/UserPolicyList/0/PolicyDocument" for number in (0, 1)
    }


@pytest.mark.parametrize(
    "form", [json.dumps, lambda value: quote(json.dumps(value)), lambda v: json.dumps(v, indent=2)]
)
def test_of_a_document_that_is_a_text_the_place_is_that_of_the_text(form, tmp_path):
    content = export([user(UserPolicyList=[inline("p", form(document()))])])
    ((place, _, _),) = found(write(tmp_path, "a.json", content))[0]
    assert value_at(place) == form(document())
    assert (place.document_pointer, place.statement_pointer) == (
        "/UserDetailList/0/UserPolicyList/0/PolicyDocument",
        "/Statement/0",
    )
    line = 5 if "\n" in form(document()) else 1
    assert f"the statement at line {line - 1 if line == 5 else 1}, column " in place.remark


def test_a_statement_that_is_no_list_has_no_index(tmp_path):
    single = {"Version": "2012-10-17", "Statement": document()["Statement"][0]}
    ((place, statement, _),) = found(write(tmp_path, "a.json", export([user(UserPolicyList=[inline("p", single)])])))[0]
    assert (place.statement_pointer, value_at(place)) == ("/Statement", statement)


def test_of_a_packed_file_the_place_is_that_in_the_unpacked_text(tmp_path):
    content = json.dumps(export([user(UserPolicyList=[inline("p", document())])]), indent=1).encode()
    ((place, statement, _),) = found(write(tmp_path, "a.json.gz", gzip.compress(content)))[0]
    assert (place.remark, value_at(place)) == ("in the unpacked file", statement)


def test_comments_and_a_byte_order_mark_do_not_move_a_place(tmp_path):
    text = "\ufeff// a comment\n/* one more */ " + json.dumps(document(), indent=1)
    ((place, statement, _),) = found(write(tmp_path, "a.jsonc", text))[0]
    assert value_at(place) == statement
    assert place.document_pointer == ""


def test_the_output_of_get_policy_version_has_places(tmp_path):
    ((place, statement, _),) = found(write(tmp_path, "v.json", {"PolicyVersion": {"Document": document()}}))[0]
    assert (place.document_pointer, value_at(place)) == ("/PolicyVersion/Document", statement)


def test_a_managed_policy_is_found_in_the_file_that_holds_it_in_its_default_version(tmp_path):
    write(tmp_path, f"{ACCOUNT}-users.json", export([user(AttachedManagedPolicies=[attached(EDGE)])]))
    older = {"VersionId": "v1", "IsDefaultVersion": False, "Document": document()}
    policy = managed(EDGE, document(), DefaultVersionId="v2")
    policy["PolicyVersionList"] = [older, {"VersionId": "v2", "IsDefaultVersion": True, "Document": document()}]
    write(tmp_path, f"{ACCOUNT}-policies.json", export(policies=[policy]))
    write(tmp_path, "222222222222.json", export([{**user(), "Arn": arn("user/x", "222222222222")}]))
    ((place, statement, _),) = found(tmp_path)[0]
    assert place.file.endswith(f"{ACCOUNT}-policies.json")
    assert (place.document_pointer, value_at(place)) == ("/Policies/0/PolicyVersionList/1/Document", statement)


def test_groups_boundaries_trust_and_resource_policies_have_places(tmp_path):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    shared = document(Principal="*", Resource=BUCKET)
    content = export(
        [user(GroupList=["DevTeam1"], PermissionsBoundary={"PermissionsBoundaryArn": EDGE})],
        [group(GroupPolicyList=[inline("g", document("sagemaker:Describe*"))])],
        [role(AssumeRolePolicyDocument=trust)],
        [managed(EDGE, document("s3:*"))],
    )
    write(tmp_path, "a.json", content)
    write(tmp_path, "r.json", [{"ResourceArn": BUCKET, "ResourcePolicy": shared}])
    places, _ = found(tmp_path)
    assert {occurrence.attachment_kind for _, _, occurrence in places} == {"inline", "boundary", "trust", "resource"}
    assert all(value_at(place) == statement for place, statement, _ in places)


def altered(tmp_path, change):
    path = write(tmp_path, "a.json", export([user(UserPolicyList=[inline("p", document())])]))
    _, inputs = found(path)
    (a,) = inputs.attachments
    o = Occurrence(a.target_arn, a.attachment_kind, a.policy_id, a.policy_name, a.policy_arn, a.source, 0, True)
    change(path)
    (place,) = positions([o], inputs.sources).values()
    assert (place.line, place.column, place.document_pointer, place.statement_pointer) == (
        None, None, None, "/Statement/0"
    )  # fmt: skip
    return place.remark


def test_a_file_that_is_gone_or_has_changed_gives_no_place_but_a_remark(tmp_path):
    gone = altered(tmp_path / "gone", lambda path: path.unlink())
    assert gone.endswith("a.json is not there any more, or not from this folder; run this where the build ran")
    for name, change in (
        ("longer", lambda path: path.write_text(path.read_text() + " ")),
        ("same size", lambda path: path.write_text(path.read_text().replace("ana", "eva"))),
    ):
        assert altered(tmp_path / name, change).endswith("a.json has changed since the build; build the lake again")


def test_a_pipe_in_the_place_of_a_file_is_not_read(tmp_path):
    def piped(path):
        path.unlink()
        os.mkfifo(path)

    assert altered(tmp_path, piped).endswith("has changed since the build; build the lake again")


def test_a_file_that_is_no_input_of_the_lake_is_not_read(tmp_path):
    o = Occurrence(arn("user/ana"), "inline", "x", "p", None, "/etc/passwd", 0, True)
    (place,) = positions([o], []).values()
    assert place.remark == "/etc/passwd is none of the lake's input files"


def test_few_other_files_are_looked_through(tmp_path, monkeypatch):
    sources = [SourceFile(f"{tmp_path}/{number}.json", "", 0, "account-details") for number in range(200)]
    looked = []
    monkeypatch.setattr(Path, "stat", lambda path: looked.append(path) or (_ for _ in ()).throw(OSError()))
    positions([Occurrence(arn("user/ana"), "managed", "x", "p", EDGE, sources[0].path, 0, True)], sources)
    assert len(looked) == MOST_OTHERS + 1
