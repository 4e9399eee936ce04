"""Refreshing the reference from AWS's machine-readable files: what is replaced, what stays, and bad input."""

import gzip
import json
import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.errors import PolicylakeError
from pipeline.reference import PACKAGED, RELATIONS, load
from pipeline.reference.refresh import refresh

ARN = "arn:${Partition}:sagemaker:${Region}:${Account}:"


def properties(**marks):
    names = ("IsList", "IsPermissionManagement", "IsTaggingOnly", "IsWrite")
    return {"Properties": {name: marks.get(name, False) for name in names}}


SAGEMAKER = {
    "Name": "sagemaker",
    "Version": "v1.4",
    "Actions": [
        {
            "Name": "CreateEndpoint",
            "ActionConditionKeys": ["aws:TagKeys", "aws:RequestTag/${TagKey}"],
            "Annotations": properties(IsWrite=True),
            "Resources": [{"Name": "endpoint"}, {"Name": "endpoint-config"}, {"Name": "gateway"}],
            "SupportedBy": {"IAM Access Analyzer Policy Generation": False},
        },
        {"Name": "CreateGateway", "Annotations": properties(IsWrite=True), "Resources": [{"Name": "gateway"}]},
        {"Name": "AddTags", "Annotations": properties(IsTaggingOnly=True, IsWrite=True)},
        {"Name": "PutResourcePolicy", "Annotations": properties(IsPermissionManagement=True, IsWrite=True)},
        {"Name": "ListModels", "Annotations": properties(IsList=True)},
        {"Name": "DescribeModel", "Annotations": properties()},
        {"Name": "DeleteModel"},
    ],
    "Operations": [
        {
            "Name": "CreateGateway",
            "AuthorizedActions": [
                {"Service": "sagemaker", "Name": "CreateGateway"},
                {"Service": "iam", "Name": "PassRole", "Context": {"iam:PassedToService": ["sagemaker.amazonaws.com"]}},
            ],
        }
    ],
    "Resources": [
        {"Name": "endpoint", "ARNFormats": [ARN + "other/${X}", ARN + "endpoint/${EndpointName}"]},
        {"Name": "endpoint-config", "ARNFormats": [ARN + "endpoint-config/${Name}"]},
        {"Name": "gateway", "ARNFormats": [ARN + "gateway/${Id}"], "ConditionKeys": ["sagemaker:GatewayKind"]},
    ],
    "ConditionKeys": [
        {"Name": "sagemaker:GatewayKind", "Types": ["ArrayOfString"]},
        {"Name": "aws:TagKeys", "Types": ["ArrayOfString"]},
    ],
}
TINY = {"Name": "tiny", "Version": "v1.4", "Actions": [{"Name": "Do"}]}


@pytest.fixture(autouse=True)
def target(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "reference"
    monkeypatch.setenv("POLICYLAKE_REFERENCE", str(folder))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(stored if isinstance(stored, bytes) else stored.encode())
    return path


@pytest.fixture
def refreshed(tmp_path):
    return refresh(str(save(tmp_path / "in" / "sagemaker.json", SAGEMAKER)))


def rows(reference, relation, **values):
    found = reference.table(relation).to_pylist()
    return [row for row in found if all(row[name] == value for name, value in values.items())]


def test_a_refreshed_reference_is_the_one_in_use(refreshed, target):
    assert load().folder == refreshed.folder == target
    assert load().kind == "refreshed"
    assert load().version == "AWS service reference v1.4"


def test_a_new_action_is_known_with_its_resource_type_and_keys(refreshed):
    action = refreshed.action("sagemaker:creategateway")
    assert (action.action, action.access_level) == ("sagemaker:CreateGateway", "Write")
    (kind,) = action.resource_types
    assert (kind.resource_type, kind.arn_format) == ("gateway", ARN + "gateway/${Id}")
    assert kind.condition_keys == ("sagemaker:GatewayKind",)


def test_an_action_that_the_source_lacks_is_gone_and_other_services_stay(refreshed):
    packaged = load(PACKAGED)
    assert refreshed.action("sagemaker:CreateModel") is None
    assert refreshed.actions_of(["s3", "iam"]) == packaged.actions_of(["s3", "iam"])


def test_required_marks_stay_and_unknown_ones_are_no_and_doubtful(refreshed):
    marks = {
        row["resource_type"]: (row["is_required"], row["is_required_mark_doubtful"], row["remark"] is None)
        for row in rows(refreshed, "reference_action_resource_types", action="sagemaker:CreateEndpoint")
    }
    assert marks == {
        "endpoint": (True, False, True),
        "endpoint-config": (True, False, True),
        "gateway": (False, True, False),
    }


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("AddTags", "Tagging"),
        ("PutResourcePolicy", "Permissions management"),
        ("ListModels", "List"),
        ("DescribeModel", "Read"),
        ("DeleteModel", "Write"),
    ],
)
def test_the_access_level_follows_the_marks_and_stays_where_there_are_none(action, level, refreshed):
    assert refreshed.action(f"sagemaker:{action}").access_level == level


def test_descriptions_and_rcp_support_and_service_names_stay(refreshed):
    packaged = load(PACKAGED)
    (now,) = rows(refreshed, "reference_actions", action="sagemaker:CreateEndpoint")
    (before,) = rows(packaged, "reference_actions", action="sagemaker:CreateEndpoint")
    assert now["description"] == before["description"] is not None
    assert refreshed.table("reference_services").equals(packaged.table("reference_services"))


def test_an_arn_form_that_still_holds_stays(refreshed):
    (row,) = rows(refreshed, "reference_resource_types", service="sagemaker", resource_type="endpoint")
    assert row["arn_format"] == ARN + "endpoint/${EndpointName}"


def test_condition_keys_are_replaced_but_former_spellings_and_global_keys_stay(refreshed):
    assert refreshed.key("sagemaker:GatewayKind").is_multivalued
    assert refreshed.key("sagemaker:InstanceTypes") is None
    assert refreshed.key("sagemaker:VolumeKmsKey") is not None
    assert refreshed.key("aws:TagKeys") == load(PACKAGED).key("aws:TagKeys")


def test_dependent_actions_are_added_and_kept_for_actions_that_remain(refreshed):
    (gateway,) = rows(refreshed, "reference_dependent_actions", action="sagemaker:CreateGateway")
    assert (gateway["dependent_action"], gateway["sources"]) == ("iam:PassRole", ["aws-service-reference"])
    assert json.loads(gateway["context"]) == {"iam:PassedToService": ["sagemaker.amazonaws.com"]}
    kept = rows(refreshed, "reference_dependent_actions", action="sagemaker:CreateEndpoint")
    assert kept == rows(load(PACKAGED), "reference_dependent_actions", action="sagemaker:CreateEndpoint") != []
    assert rows(refreshed, "reference_dependent_actions", action="sagemaker:CreateModel") == []


def test_the_schema_and_order_are_those_of_the_packaged_reference(refreshed):
    for relation in RELATIONS:
        assert refreshed.table(relation).schema.equals(load(PACKAGED).table(relation).schema)


def test_a_service_that_was_unknown_is_added(tmp_path):
    reference = refresh(str(save(tmp_path / "tiny.json", TINY)))
    assert reference.action("tiny:Do").resource_types == ()
    assert not reference.is_rcp_supported("tiny")
    assert reference.action("sagemaker:CreateModel") is not None


def test_a_second_refresh_takes_the_place_of_the_first(refreshed, tmp_path):
    reference = refresh(str(save(tmp_path / "tiny.json", TINY)))
    assert reference.action("sagemaker:CreateGateway") is None
    assert sorted(path.name for path in reference.folder.parent.iterdir()) == ["reference"]


def test_equal_sources_give_equal_bytes(tmp_path):
    source = save(tmp_path / "in" / "sagemaker.json", SAGEMAKER)
    for name in ("one", "two"):
        refresh(str(source), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


BAD = [
    ("truncated", json.dumps(SAGEMAKER)[:900]),
    ("no JSON", "<html>"),
    ("empty", ""),
    ("a number", "7"),
    ("no name", {"Actions": [{"Name": "Do"}]}),
    ("no actions", {"Name": "sagemaker"}),
    ("actions of the wrong type", {"Name": "sagemaker", "Actions": {"Name": "Do"}}),
    ("a name of the wrong type", {"Name": "sagemaker", "Actions": [{"Name": 7}]}),
    ("a name that is none", {"Name": "sagemaker", "Actions": [{"Name": "Do it; now"}]}),
    ("a mark of the wrong type", {"Name": "a", "Actions": [{"Name": "B", "Annotations": {"Properties": [1]}}]}),
    ("a key of the wrong type", {"Name": "a", "Actions": [{"Name": "B", "ActionConditionKeys": [None]}]}),
    ("deep", "[" * 100_000),
    ("damaged gzip", gzip.compress(json.dumps(SAGEMAKER).encode())[:-9]),
    ("gzip of too much", gzip.compress(b" " * (64 * 1024 * 1024 + 1))),
]


@pytest.mark.parametrize(("what", "content"), BAD, ids=[what for what, _ in BAD])
def test_a_damaged_file_says_where_and_what_to_do_and_the_rest_is_read(what, content, tmp_path):
    save(tmp_path / "in" / "bad.json", content)
    save(tmp_path / "in" / "tiny.json", TINY)
    told = []
    reference = refresh(str(tmp_path / "in"), warn=told.append)
    (line,) = told
    assert line.startswith(str(tmp_path / "in" / "bad.json") + ": ")
    assert line.endswith("; fetch it again, its former data stay in use")
    assert reference.meta["problems"] == told
    assert reference.action("tiny:Do") is not None
    assert reference.action("sagemaker:CreateModel") is not None


@pytest.mark.parametrize(("what", "content"), BAD, ids=[what for what, _ in BAD])
def test_where_nothing_can_be_read_nothing_changes(what, content, refreshed, tmp_path):
    before = {path.name: path.read_bytes() for path in refreshed.folder.iterdir()}
    with pytest.raises(PolicylakeError, match=r"bad\.json: .*; the refreshed service reference of .* stays") as error:
        refresh(str(save(tmp_path / "bad.json", content)))
    assert error.value.exit_code == 2
    assert {path.name: path.read_bytes() for path in refreshed.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("tiny.json.gz", gzip.compress(json.dumps(TINY).encode())),
        ("tiny.json", gzip.compress(json.dumps(TINY).encode())),
        ("tiny.json", b"\xef\xbb\xbf" + json.dumps(TINY).encode()),
        ("Tiny.JSON", json.dumps(TINY)),
        ("v1/tiny/tiny.json", json.dumps(TINY)),
    ],
    ids=["gzip", "gzip by content", "UTF-8 with mark", "capitals", "AWS's own folders"],
)
def test_a_folder_is_read_as_build_reads_its_inputs(name, stored, tmp_path):
    save(tmp_path / "in" / name, stored)
    save(tmp_path / "in" / "v1" / "service-list.json", [{"service": "tiny", "url": "https://192.0.2.1/v1/tiny.json"}])
    reference = refresh(str(tmp_path / "in"))
    assert (reference.meta["services"], reference.meta["problems"]) == (["tiny"], [])


def test_what_is_no_file_in_a_folder_is_told_and_not_waited_for(tmp_path):
    save(tmp_path / "in" / "tiny.json", TINY)
    os.mkfifo(tmp_path / "in" / "pipe.json")
    told = []
    refresh(str(tmp_path / "in"), warn=told.append)
    assert told == [f"{tmp_path}/in/pipe.json: is no file; try again later or give a file"]


def test_a_condition_key_of_an_unknown_type_is_told_and_keeps_its_former_type(tmp_path):
    keys = [
        ("sagemaker:EnableRemoteDebug", "Foo"),
        ("sagemaker:GatewayKind", "ArrayOfFoo"),
        ("sagemaker:New", "ArrayOfARN"),
    ]
    listed = [{"Name": name, "Types": [kind]} for name, kind in keys]
    told = []
    reference = refresh(str(save(tmp_path / "s.json", {**SAGEMAKER, "ConditionKeys": listed})), warn=told.append)
    assert [line.split("; ")[0] for line in told] == [
        f"{tmp_path}/s.json: condition key sagemaker:EnableRemoteDebug has the unknown type Foo",
        f"{tmp_path}/s.json: condition key sagemaker:GatewayKind has the unknown type ArrayOfFoo",
    ]
    assert [reference.key(name).value_type for name, _ in keys] == ["Bool", "String", "ArrayOfARN"]


def test_a_service_that_stands_twice_is_told(tmp_path):
    save(tmp_path / "in" / "a.json", TINY)
    save(tmp_path / "in" / "b.json", TINY)
    told = []
    refresh(str(tmp_path / "in"), warn=told.append)
    assert told == [f"{tmp_path}/in/b.json: tiny stands in another file too; remove one"]


@pytest.mark.parametrize("name", ["nothing.json", "empty"])
def test_a_source_that_is_not_there_is_told(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PolicylakeError, match="the packaged service reference of 2026-09-26 stays in use"):
        refresh(str(tmp_path / name))


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    mine = save(tmp_path / "home" / "diary.txt", "dear diary")
    with pytest.raises(PolicylakeError, match=r"holds other files \(diary\.txt\)"):
        refresh(str(save(tmp_path / "tiny.json", TINY)), mine.parent)
    assert mine.read_text() == "dear diary"


def test_a_write_that_fails_leaves_the_reference_as_it_was(refreshed, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.reference.refresh.write_relation", full)
    with pytest.raises(PolicylakeError, match="No space left on device"):
        refresh(str(save(tmp_path / "tiny.json", TINY)))
    assert load().action("sagemaker:CreateGateway") is not None
    assert os.listdir(refreshed.folder.parent) == ["reference"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/sagemaker.json")
            self.end_headers()
        else:
            super().do_GET()


@contextmanager
def serving(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_an_index_is_followed_and_a_missing_file_is_told(tmp_path):
    with serving(tmp_path) as address:
        save(tmp_path / "v1" / "sagemaker" / "sagemaker.json", SAGEMAKER)
        save(tmp_path / "v1" / "tiny.json", TINY)
        absolute = f"{address}/v1/sagemaker/sagemaker.json"
        services = [("sagemaker", absolute), ("tiny", "tiny.json"), ("gone", "gone.json")]
        save(tmp_path / "v1" / "list.json", [{"service": service, "url": url} for service, url in services])
        told = []
        reference = refresh(f"{address}/v1/list.json", warn=told.append)
    assert reference.meta["services"] == ["sagemaker", "tiny"]
    assert reference.origin == f"{address}/v1/list.json"
    assert [line.split(": ")[0] for line in told] == [f"{address}/v1/gone.json"]


def test_the_address_of_one_service_is_read_and_dated_by_the_server(tmp_path):
    os.utime(save(tmp_path / "sagemaker.json", SAGEMAKER), (1_790_000_000, 1_790_000_000))
    with serving(tmp_path) as address:
        reference = refresh(f"{address}/sagemaker.json")
    assert reference.data_date.isoformat() == "2026-09-21"


def test_an_index_that_is_a_file_names_the_files_beside_it(tmp_path):
    save(tmp_path / "tiny.json", TINY)
    index = save(tmp_path / "index.json", [{"service": "tiny", "url": "tiny.json"}])
    assert refresh(str(index)).meta["services"] == ["tiny"]


@pytest.mark.parametrize("url", ["../secret.json", "{top}/secret.json", "link.json", "a/../../secret.json", "pipe\0"])
def test_an_index_names_no_file_outside_of_its_folder(url, tmp_path):
    save(tmp_path / "secret.json", {**TINY, "Name": "secret"})
    save(tmp_path / "in" / "tiny.json", TINY)
    (tmp_path / "in" / "link.json").symlink_to(tmp_path / "secret.json")
    entries = [("tiny", "tiny.json"), ("secret", url.format(top=tmp_path))]
    index = save(tmp_path / "in" / "index.txt", [{"service": service, "url": url} for service, url in entries])
    told = []
    assert refresh(str(index), warn=told.append).meta["services"] == ["tiny"]
    assert len(told) == 1
    assert "outside of" in told[0] or "null byte" in told[0]


def test_an_address_that_is_none_in_an_index_is_told(tmp_path):
    save(tmp_path / "tiny.json", TINY)
    save(tmp_path / "list.json", [{"service": "tiny", "url": "tiny.json"}, {"service": "odd", "url": "http://["}])
    told = []
    with serving(tmp_path) as address:
        assert refresh(f"{address}/list.json", warn=told.append).meta["services"] == ["tiny"]
    assert [line.split(": ")[0] for line in told] == ["http://["]


def test_an_index_in_a_folder_of_files_is_not_followed(tmp_path):
    save(tmp_path / "in" / "tiny.json", TINY)
    save(tmp_path / "in" / "index.json", [{"service": "other", "url": "https://192.0.2.1/other.json"}])
    assert refresh(str(tmp_path / "in")).meta["problems"] == []


@pytest.mark.parametrize("url", ["http://example.com/x.json", "file:///etc/passwd", "ftp://127.0.0.1/x", "https://"])
def test_other_addresses_than_https_are_refused(url):
    with pytest.raises(PolicylakeError, match=r"cannot be reached.*the packaged service reference of 2026-09-26 stays"):
        refresh(url)


def test_a_redirection_to_another_kind_of_address_is_refused(tmp_path):
    with serving(tmp_path) as address, pytest.raises(PolicylakeError, match="only https addresses are read"):
        refresh(f"{address}/away")


def test_without_a_network_the_reference_in_use_is_named():
    with serving("/") as address:
        pass
    with pytest.raises(PolicylakeError, match=r"cannot be reached .*packaged service reference of 2026-09-26") as error:
        refresh(f"{address}/index.json")
    assert error.value.exit_code == 2
