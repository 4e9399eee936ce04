"""Controls as a whole: what files may say, what findings are made of, and what accepting a risk does."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from pipeline.controls import FINDINGS, SEVERITIES, find, load_controls, read_exceptions
from pipeline.controls.files import read_control
from pipeline.errors import PolicylakeError
from pipeline.evaluate.named import run
from pipeline.lake import open_lake
from pipeline.lake.queries import named_queries

QUERIES = {query.name: query for query in named_queries()}
TODAY = date(2026, 11, 25)
SOME = [one for one in load_controls() if one.id in ("service-wide-grant", "unused-role", "unknown-action")]
HEAD = """/*
id = "own"
title = "t"
severity = "low"
category = "hygiene"
rationale = "r"
remedy = "m"
avoid = "a"
prefer = "p"
"""
BODY = "*/\nselect 'principal' as subject_kind, principal_arn, 'is there' as message from principals\n"
OF_ONE = "select 'principal' as subject_kind, 'x' as subject, 'm' as message"


@pytest.fixture(scope="module")
def lake(sample_lake):
    return open_lake(sample_lake)


@pytest.fixture(scope="module")
def findings(lake):
    return find(lake, load_controls(), today=TODAY)


def control(folder, head="", body=BODY, name="own"):
    path = folder / f"{name}.sql"
    path.write_text(HEAD + head + body, encoding="utf-8")
    return read_control(path, QUERIES)


def exceptions(folder, *tables):
    members = ("control", "subject", "reason", "approver", "expiry")
    lines = [
        "[[exception]]\n" + "".join(f"{member} = {value}\n" for member, value in zip(members, table, strict=True))
        for table in tables
    ]
    path = folder / "exceptions.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_exceptions(path)


def test_whoever_may_do_everything_is_told_with_the_policy_and_the_group_that_it_comes_by(findings):
    told = {
        row["subject"]: row["message"] for row in findings.to_pylist() if row["control_id"] == "full-access-principal"
    }
    assert told["arn:aws:iam::333344445555:role/break-glass"].endswith(", by AdministratorAccess")
    assert told["arn:aws:iam::111122223333:user/org-admin"].endswith(", by AdministratorAccess of group Administrators")


def test_the_findings_of_the_sample_are_whole_and_in_order(findings):
    assert findings.schema == FINDINGS
    rows = findings.to_pylist()
    assert len({row["finding_id"] for row in rows}) == len(rows) > 10
    order = [(SEVERITIES.index(row["severity"]), row["control_id"], row["finding_id"]) for row in rows]
    assert order == sorted(order)
    for name in ("subject", "message", "remedy", "title"):
        assert all(findings[name].to_pylist()), name
    assert {row["status"] for row in rows} == {"open"}


def test_every_statement_is_found_with_its_policy_place_and_source(findings):
    rows = [row for row in findings.to_pylist() if row["statement_id"]]
    assert rows
    for row in rows:
        assert row["statement_id"].startswith(f"{row['policy_id']}#")
        assert row["attachment_count"] > 0
        assert row["policy_name"] or row["attachment_kind"] in ("trust", "resource")
        assert row["attached_to"]
        assert row["source"].endswith((".json", ".jsonc", ".json.gz"))


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ('owner = "x"\n', BODY, "owner: no member of a control"),
        ("", BODY.replace("*/\n", "\n"), "a control begins with a comment of TOML"),
        ("x\n", BODY, "line 10"),
        ("[parameters.days]\ndescription = 'd'\ndefault = 3\n", BODY, r"nothing reads \$days"),
        ("", BODY + "where 1 = $days", r"\$days: no parameter of that name"),
        ("[sources.access]\nquery = 'unused_roles'\n", BODY, "sources.access: a name is expected that is no rel"),
        ("[sources.x]\nquery = 'none'\n", BODY, "names none of the named queries"),
        ("[sources.x]\nquery = 'unused_roles'\nyears = '1'\n", BODY, "has no parameter of that name"),
        ("[frameworks]\nf = 'a'\n", BODY, "frameworks.f: a list of requirement ids"),
    ],
)
def test_what_a_control_says_wrongly_is_told_with_the_file(head, body, said, tmp_path):
    with pytest.raises(PolicylakeError, match=said) as raised:
        control(tmp_path, head, body)
    assert str(raised.value).startswith(str(tmp_path / "own.sql"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("*/ select 1 as subject_kind, 2 as x, 'm' as message", "the column x is none of a finding's"),
        ("*/ select 'policy' as subject_kind, 'm' as message, 'not json' as corrected_statement", "is no statement"),
        (
            "*/ select 'policy' as subject_kind, 'm' as message, '{\"Effect\": \"Deny\"}' as corrected_statement",
            "is no statement",
        ),
        ("*/ select 'policy' as subject_kind", "the column message is missing or null"),
        ("*/ select 'bird' as subject_kind, 'm' as message", "subject_kind bird: one of these"),
        ("*/ drop view access", "one query is expected"),
        ("*/ select a from b", "b"),
    ],
)
def test_what_a_control_returns_wrongly_is_told_with_the_file(body, said, tmp_path, lake):
    (row,) = find(lake, [control(tmp_path, body=body)]).to_pylist()
    assert (row["control_id"], row["subject"], row["severity"]) == ("control-not-run", "own", "high")
    assert row["source"] == str(tmp_path / "own.sql")
    assert re.search(said, row["message"])
    assert str(tmp_path) not in row["message"]


def test_own_controls_are_added_and_an_id_is_given_once(tmp_path):
    control(tmp_path)
    assert [one.id for one in load_controls([tmp_path])][-1] == "own"
    with pytest.raises(PolicylakeError, match="the id own is that of"):
        load_controls([tmp_path, tmp_path])
    with pytest.raises(PolicylakeError, match="no such folder"):
        load_controls([tmp_path / "none"])


def test_a_file_that_is_no_control_is_told_with_its_line_and_the_others_are_loaded(tmp_path):
    control(tmp_path)
    text = (tmp_path / "own.sql").read_text()
    lines = text.splitlines()
    number = 1 + [one[:8] for one in lines].index("severity")
    wrong = {}
    for name, changed in (
        ("without-header", "select 1"),
        ("no-toml", text.replace('severity = "', "severity = ")),
        ("odd-severity", text.replace('id = "own"', 'id = "odd-severity"').replace('severity = "', 'severity = "x')),
    ):
        (tmp_path / f"{name}.sql").write_text(changed)
    found = load_controls([tmp_path], lambda one: wrong.setdefault(Path(one.place.split(":")[0]).name, one))
    assert found[-1].id == "own"
    for name, line in (("without-header", 1), ("no-toml", number), ("odd-severity", number)):
        assert wrong[f"{name}.sql"].place == f"{tmp_path / name}.sql:{line}"
    # The one that has the id of another is called by its file: that other did run.
    assert [one.control for one in wrong.values()] == ["no-toml.sql", "odd-severity", "without-header"]


def test_parameters_are_of_the_type_of_their_default(tmp_path, lake):
    head = "[parameters.n]\ndescription = 'd'\ndefault = 1\n[parameters.on]\ndescription = 'd'\ndefault = false\n"
    one = control(tmp_path, head, f"*/ {OF_ONE} where $n > 5 and $on")
    assert find(lake, [one]).num_rows == 0
    assert find(lake, [one], {"own.n": "6", "own.on": "true"}).num_rows == 1
    with pytest.raises(PolicylakeError, match="whole number is expected, such as 1"):
        find(lake, [one], {"own.n": "many"})
    with pytest.raises(PolicylakeError, match="true or false"):
        find(lake, [one], {"own.on": "yes"})
    with pytest.raises(PolicylakeError, match=r"no parameter of a control; there are own\.n"):
        find(lake, [one], {"own.m": "6"})


def test_findings_that_only_differ_in_words_have_ids_of_their_own(tmp_path, lake):
    two = control(tmp_path, body=f"*/ {OF_ONE} union all select 'principal', 'x', 'other' union all {OF_ONE}")
    rows = find(lake, [two]).to_pylist()
    assert len(rows) == len({row["finding_id"] for row in rows}) == 2


def accepted_of(rows, name="service-wide-grant"):
    return [row for row in rows if row["control_id"] == name and row["status"] == "accepted"]


@pytest.mark.parametrize(("expiry", "is_accepted"), [("2026-11-25", True), ("2026-11-24", False)])
def test_an_exception_holds_to_the_end_of_its_last_day(expiry, is_accepted, lake, tmp_path):
    rules = exceptions(tmp_path, ('"service-wide-grant"', '"*AdministratorAccess*"', '"why"', '"who"', expiry))
    rows = find(lake, SOME, exceptions=rules, today=TODAY).to_pylist()
    expired = [row for row in rows if row["control_id"] == "exception-expired"]
    assert len(accepted_of(rows)) == is_accepted
    assert len(expired) == (not is_accepted)
    for row in accepted_of(rows):
        words = row["exception_reason"], row["exception_approver"], row["exception_expiry"]
        assert words == ("why", "who", "2026-11-25")
    for row in expired:
        assert row["severity"] == "high"
        assert row["source"].endswith("exceptions.toml:1")


def test_an_exception_is_of_one_control(lake, tmp_path):
    rules = exceptions(tmp_path, ('"unused-role"', '"*"', '"why"', '"who"', "2027-01-01"))
    rows = find(lake, SOME, exceptions=rules, today=TODAY).to_pylist()
    assert {row["control_id"] for row in rows if row["status"] == "accepted"} == {"unused-role"}
    assert {row["control_id"] for row in rows if row["status"] == "open"} == {"service-wide-grant", "unknown-action"}


def test_an_exception_may_name_a_finding_by_its_id_and_one_that_fits_nothing_is_found(lake, tmp_path):
    chosen = find(lake, SOME, today=TODAY).to_pylist()[0]
    rules = exceptions(
        tmp_path,
        (f'"{chosen["control_id"]}"', f'"{chosen["finding_id"]}"', '"why"', '"who"', "2027-01-01"),
        ('"unused-role"', '"[a-z]*"', '"why"', '"who"', "2027-01-01"),
    )
    rows = find(lake, SOME, exceptions=rules, today=TODAY).to_pylist()
    assert [row["finding_id"] for row in rows if row["status"] == "accepted"] == [chosen["finding_id"]]
    (unmatched,) = [row for row in rows if row["control_id"] == "exception-unmatched"]
    assert unmatched["subject"] == "unused-role: [a-z]*"
    assert unmatched["source"].endswith("exceptions.toml:8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[exception]]\ncontrol = 'a'\n", ":1: subject: missing"),
        ("\n[[exception]]\ncontrol = 1\n", ":2: control: a text is expected"),
        ("[[exception]]\nowner = 'a'\n", ":1: owner: no member of an exception"),
        ("\n[[exceptions]]\n", r"exceptions.toml:2: exceptions: did you mean \[\[exception\]\]"),
        ("owner = 'a'\n", ":1: owner: write a table"),
        ("exception = 1\n", ":1: exception: write a table"),
        ("[[exception]\n", "no TOML"),
        (
            "[[exception]]\ncontrol='a'\nsubject='b'\nreason='c'\napprover='d'\nexpiry='soon'\n",
            ":1: expiry: soon is no day",
        ),
        ("[[exception]]\ncontrol='a'\nsubject='b'\nreason='c'\napprover='d'\nexpiry=3\n", ":1: expiry: a day is"),
    ],
)
def test_what_a_file_of_exceptions_says_wrongly_is_told_with_its_place(text, said, tmp_path):
    path = tmp_path / "exceptions.toml"
    path.write_text(text)
    with pytest.raises(PolicylakeError, match=said):
        read_exceptions(path)


def test_what_statements_grant_is_what_access_says_in_granted_by(lake):
    different = """
        with every as (
            select principal_arn, action, unnest(granted_by) as statement_id, verdict
            from access where action_verdict in ('allowed', 'conditional')
        ),
        said as (select principal_arn, action, statement_id, min(verdict) from every group by all),
        held as (select principal_arn, action, statement_id, verdict from statement_grants)
        (from said except from held) union all (from held except from said)
    """
    assert lake.query("from statement_grants").num_rows > 10_000
    assert lake.query(different).num_rows == 0


def test_a_source_leaves_out_the_principals_of_another_query(tmp_path, lake):
    head = '[sources.calls]\nquery = "calls_with_value"\nvalue = "Enabled"\n{}'
    body = "*/\nselect 'principal' as subject_kind, principal_arn, 'm' as message from calls group by all\n"
    every, others = (
        {row["principal_arn"] for row in find(lake, [control(tmp_path, head.format(more), body)]).to_pylist()}
        for more in ("", 'without = "full_access_principals"\n')
    )
    full = {row["principal_arn"] for row in run(lake, QUERIES["full_access_principals"], {}).to_pylist()}
    assert full & every
    assert others == every - full
    for query in ("none", "unknown_actions"):
        with pytest.raises(PolicylakeError, match=rf"sources.calls.without: {query} is no named query of principals"):
            control(tmp_path, head.format(f'without = "{query}"\n'), body)


def test_a_corrected_grant_names_the_statement_whose_place_it_takes(findings, lake):
    """A corrected Allow beside the grant would end nothing; what is to add is a Deny."""
    effects = {row["statement_id"]: row["effect"] for row in lake.query("from statements").to_pylist()}
    made = [row for row in findings.to_pylist() if row["corrected_statement"]]
    added = [row for row in made if not row["statement_id"]]
    assert {json.loads(row["corrected_statement"])["Effect"] for row in added} == {"Deny"}
    for row in made:
        if row["statement_id"]:
            assert effects[row["statement_id"]] == json.loads(row["corrected_statement"])["Effect"]
    (kai,) = (row for row in made if row["control_id"] == "presigned-url-for-others"
              and row["principal_arn"].endswith("/kai"))  # fmt: skip
    assert kai["policy_name"] == "FromVpcEndpointsAsPrinted"
