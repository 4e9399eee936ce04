"""Scenarios: their files, what conditions come to under them, and that the concrete evaluator agrees."""

import json
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from agreement import Answers, Asked, called, glob_matches
from cli_run import rows_of
from cli_run import run as run_command
from ingest_inputs import arn, document, export, inline, role, user, write
from random_organization import write_organization
from scenario_requests import ScenarioRequests

from pipeline import assets, reference
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.evaluate.scenario_files import FILE, chosen, read_scenarios
from pipeline.evaluate.scenarios import Scenario, said
from pipeline.evaluate.under import REPLACED, put_under
from pipeline.lake import Lake, open_lake
from pipeline.report import write_report
from pipeline.simulate import simulate_lines

ROOT = Path(__file__).resolve().parents[1]
CASES = Path(__file__).parent / "cases" / "scenarios"
KNOWN = reference.load()
BAD = tomllib.loads((CASES / "bad.toml").read_text(encoding="utf-8"))
READINGS = tomllib.loads((CASES / "readings.toml").read_text(encoding="utf-8"))["reading"]
SHIPPED = read_scenarios(assets.file(FILE), KNOWN)
NAMES = [scenario.name for scenario in SHIPPED]
#: The sample's endpoint with a policy, which verdicts leave out.
WITH_POLICY = "vpce-111bbccc"


def scenario_of(folder: Path, text: str) -> Scenario:
    """The only scenario of a file with that text."""
    (scenario,) = read_scenarios(write(folder, "scenarios.toml", text), KNOWN)
    return scenario


def under(folder: Path, scenario: Scenario) -> Lake:
    lake = open_lake(folder)
    put_under(lake, scenario, KNOWN)
    return lake


# Files


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_with_its_place_and_remedy(name, tmp_path):
    path = write(tmp_path, "mine.toml", BAD[name]["file"])
    with pytest.raises(PolicylakeError) as told:
        read_scenarios(path, KNOWN)
    assert str(told.value).startswith(f"{path}: ")
    for part in BAD[name]["says"].split("|"):
        assert part in str(told.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[a]\ntitle = '\xff'", "no UTF-8 at byte 13"), (None, "No such file"), ("folder", "directory")],
)
def test_a_file_that_cannot_be_read_is_told(content, says, tmp_path):
    path = tmp_path / "mine.toml"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicylakeError, match=says):
        read_scenarios(path, KNOWN)


def test_nested_toml_of_any_depth_is_an_error_and_no_traceback(tmp_path):
    path = write(tmp_path, "mine.toml", "[a]\ntitle = 'A'\nfacts.'aws:SourceVpc' = " + "[" * 5000)
    with pytest.raises(PolicylakeError, match=r"no TOML"):
        read_scenarios(path, KNOWN)


def test_what_is_tied_to_an_endpoint_is_filled_in_and_says_from_what(tmp_path):
    facts = scenario_of(tmp_path, "[a]\ntitle = 'A'\nfacts.'aws:SourceVpc' = 'vpc-1'").facts
    told = {said(fact): fact.follows_from for fact in facts}
    assert told["aws:SourceVpc is vpc-1"] is None
    assert told["aws:SourceVpce is present"] == told["aws:SourceIp is absent"] == "aws:SourceVpc"
    assert {"aws:VpcSourceIp is present", "aws:ViaAWSService is false", "aws:CalledVia is absent"} <= told.keys()


def test_a_call_of_neither_network_says_nothing_of_either(tmp_path):
    facts = scenario_of(tmp_path, "[a]\ntitle = 'A'\nabsent = ['aws:SourceVpc', 'aws:SourceIp']").facts
    assert {"aws:SourceVpce is absent", "aws:SourceIp is absent"} <= {said(fact) for fact in facts}
    assert "aws:ViaAWSService" not in {fact.key for fact in facts}


def test_the_example_of_the_guide_is_a_scenario(tmp_path):
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    assert "aws:SourceIp is 198.51.100.0/28 or 2001:db8:17::/48" in map(said, scenario_of(tmp_path, text).facts)


def test_keys_of_identity_providers_can_be_facts(tmp_path):
    facts = scenario_of(tmp_path, "[a]\ntitle = 'A'\nfacts.'accounts.google.com:aud' = 'x'").facts
    assert [(fact.key, fact.fixed) for fact in facts] == [("accounts.google.com:aud", ("x",))]


def test_the_shipped_scenarios_mark_every_value_of_the_users_own_network_as_a_placeholder():
    own = {"aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce"}
    for scenario in SHIPPED:
        told = {fact.key for fact in scenario.facts if fact.values or fact.excluded}
        assert set(scenario.placeholders) == told & own, scenario.name


def test_a_scenario_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(PolicylakeError, match=r"--scenario vcp: .* did you mean vpc\? known: internet, office-network"):
        chosen(SHIPPED, "vcp")


# Conditions


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """A lake with a role for each condition of readings.toml."""
    folder = tmp_path_factory.mktemp("readings")
    roles = [
        role(f"r{number}-{place}", RolePolicyList=[inline("p", document(_action(reading), Condition=condition))])
        for number, reading in enumerate(READINGS)
        for place, (condition, _) in enumerate(reading["conditions"])
    ]
    write(folder, "export.json", export(roles=roles))
    build_lake([folder], folder / "lake")
    return folder / "lake"


def _action(reading):
    return reading.get("action", "sagemaker:CreateModel")


def _toml(value):
    return value.isoformat() if hasattr(value, "isoformat") else json.dumps(value)


@pytest.mark.parametrize("number", range(len(READINGS)), ids=[reading["name"] for reading in READINGS])
def test_what_conditions_come_to(number, readings, tmp_path):
    reading = READINGS[number]
    lines = [f"{member}.{json.dumps(key)} = {_toml(value)}" for member in ("facts", "other_than")
             for key, value in reading.get(member, {}).items()]  # fmt: skip
    lines += [f"{member} = {json.dumps(reading[member])}" for member in ("may_be_absent",) if member in reading]
    scenario = scenario_of(tmp_path, "\n".join(["[a]", "title = 'A'", *lines]))
    plain, lake = open_lake(readings), under(readings, scenario)
    for place, (condition, expected) in enumerate(reading["conditions"]):
        asked = {"principal": arn(f"role/r{number}-{place}"), "action": _action(reading)}
        assert _comes_to(plain, lake, asked) == expected, condition


def _comes_to(plain, lake, asked):
    """What a condition comes to: none or always where it is none, else what is left of it and of the verdict."""
    sql = """
        select distinct access_matrix.verdict, residual_conditions.condition_keys
        from access_matrix
        left join access using (principal_arn, action)
        left join residual_conditions using (condition_id)
        where access_matrix.principal_arn = $principal and access_matrix.action = $action
    """
    before, after = (lake_.query(sql, asked).to_pylist() for lake_ in (plain, lake))
    if not before or before[0]["verdict"] == "allowed":
        assert before == after
        return "always" if before else "none"
    (row,) = after
    return ",".join(row["condition_keys"]) if row["verdict"] == "conditional" else row["verdict"]


# The lake


@pytest.mark.parametrize("name", REPLACED)
def test_a_relation_has_its_columns_under_a_scenario(name, sample_lake):
    plain, lake = open_lake(sample_lake), under(sample_lake, SHIPPED[0])
    assert lake.query(f"from {name} limit 0").schema == plain.query(f"from {name} limit 0").schema


@pytest.mark.parametrize("scenario", SHIPPED, ids=NAMES)
def test_relations_keep_their_grain_and_hold_together(scenario, sample_lake):
    lake = under(sample_lake, scenario)
    for name, grain in (
        ("cell_access", "cell_id, resource_type, resource_pattern"), ("cell_verdicts", "cell_id"),
        ("residual_conditions", "condition_id"), ("access_matrix", "principal_arn, action"),
    ):  # fmt: skip
        sql = f"select count(*) = count(distinct ({grain})) as is_unique, count(*) as rows from {name}"
        (row,) = lake.query(sql).to_pylist()
        assert row["is_unique"], name
        assert row["rows"], name
    lost = lake.query("""
        select count(*) as n from access left join residual_conditions using (condition_id)
        where (access.verdict = 'conditional') != (residual_conditions.formula is not null)
    """)
    assert lost["n"].to_pylist() == [0]


def test_a_scenario_about_which_no_policy_speaks_changes_nothing(sample_lake, tmp_path):
    scenario = scenario_of(tmp_path, "[a]\ntitle = 'A'\nfacts.'aws:referer' = 'x'")
    plain, lake = open_lake(sample_lake), under(sample_lake, scenario)
    proofs = {"access": ["witness"], "access_matrix": [], "residual_conditions": ["witness", "smallest_change"]}
    for name, columns in proofs.items():  # proofs are left out: those of the lake need not be requests of the scenario
        left, whole = (opened.query(f"from {name} order by all") for opened in (lake, plain))
        sort = [(column, "ascending") for column in ("principal_arn", "action", "resource_type", "resource_pattern")]
        keys = [key for key in sort if key[0] in whole.column_names] or [("condition_id", "ascending")]
        assert left.drop_columns(columns).sort_by(keys).equals(whole.drop_columns(columns).sort_by(keys)), name
        assert all(left[column].null_count == left.num_rows for column in columns)


@pytest.mark.parametrize("scenario", SHIPPED, ids=NAMES)
def test_the_verdict_of_an_action_is_the_weakest_of_the_best_rows_of_the_types_that_it_needs(scenario, sample_lake):
    plain, lake = open_lake(sample_lake), under(sample_lake, scenario)
    rank = ["denied", "conditional", "allowed"]
    best = defaultdict(dict)
    for row in lake.query("select principal_arn, action, resource_type, verdict from access").to_pylist():
        types = best[row["principal_arn"], row["action"]]
        types[row["resource_type"]] = max(types.get(row["resource_type"], 0), rank.index(row["verdict"]))
    needed = defaultdict(set)
    for row in lake.query("from reference_action_resource_types where is_required").to_pylist():
        if not row["is_required_mark_doubtful"]:
            needed[row["action"]].add(row["resource_type"])
    before = {(r["principal_arn"], r["action"]): r for r in plain.query("from access_matrix").to_pylist()}
    after = {(r["principal_arn"], r["action"]): r for r in lake.query("from access_matrix").to_pylist()}
    assert before.keys() == after.keys()
    changed = Counter()
    for pair, row in after.items():
        if before[pair]["verdict"] != "conditional":
            assert row == before[pair]
            continue
        types = best[pair]
        strengths = [types.get(kind, 0) for kind in needed[pair[1]]] or [max(types.values(), default=0)]
        assert row["verdict"] == rank[min(strengths)], pair
        assert (row["decided_by"][0] == "scenario") == (row["verdict"] == "denied")
        changed[row["verdict"]] += 1
    assert len(changed) >= 2, "the scenario changes nothing"


#: Networks that each of the two types of CreateEndpoint is granted from, and what it comes to from 192.0.2.0/24.
TOGETHER = {
    "each possible alone, but never together": ("192.0.2.0/25", "192.0.2.128/25", "denied"),
    "the first one lost": ("203.0.113.0/24", "192.0.2.0/24", "denied"),
    "the second one lost": ("192.0.2.0/24", "203.0.113.0/24", "denied"),
    "the first one in doubt": ("192.0.2.0/25", "192.0.2.0/24", "conditional"),
    "the second one in doubt": ("192.0.2.0/24", "192.0.2.0/25", "conditional"),
    "both granted": ("192.0.2.0/24", "192.0.2.0/23", "allowed"),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_an_action_needs_all_of_its_types_in_one_request_of_the_scenario(name, tmp_path):
    *networks, expected = TOGETHER[name]

    def granted(kind, network):
        resource = f"arn:aws:sagemaker:*:*:{kind}/*"
        conditions = ({"IpAddress": {"aws:SourceIp": network}}, {"Bool": {"aws:ViaAWSService": "true"}})
        one = {"Effect": "Allow", "Action": "sagemaker:CreateEndpoint", "Resource": resource}
        return [{**one, "Condition": condition} for condition in conditions]

    statements = [*granted("endpoint", networks[0]), *granted("endpoint-config", networks[1])]
    policy = inline("p", {"Version": "2012-10-17", "Statement": statements})
    write(tmp_path, "in/export.json", export([user(UserPolicyList=[policy])]))
    build_lake([tmp_path / "in"], tmp_path / "lake")
    sql = "select verdict, decided_by[1] as layer from access_matrix where action = 'sagemaker:CreateEndpoint'"
    lines = "[a]\ntitle = 'A'\nfacts.'aws:SourceIp' = '192.0.2.0/24'\n"
    direct = scenario_of(tmp_path, lines + "facts.'aws:ViaAWSService' = false")
    via = scenario_of(tmp_path, lines + "facts.'aws:ViaAWSService' = true")
    assert open_lake(tmp_path / "lake").query(sql).to_pylist() == [{"verdict": "conditional", "layer": "identity"}]
    lake = under(tmp_path / "lake", direct)
    layer = "scenario" if expected == "denied" else "identity"
    assert lake.query(sql).to_pylist() == [{"verdict": expected, "layer": layer}]
    assert set(lake.query("from access")["action_verdict"].to_pylist()) == {expected}
    assert under(tmp_path / "lake", via).query(sql).to_pylist() == [{"verdict": "allowed", "layer": "identity"}]


# Commands


@pytest.fixture
def cli(monkeypatch, sample_lake, tmp_path):
    """The command line on the sample's lake, in a folder of its own."""
    monkeypatch.setenv("POLICYLAKE_LAKE", str(sample_lake))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_command(monkeypatch, *arguments)


@pytest.mark.parametrize("name", ["table", "csv", "json", "jsonl", "parquet", "xlsx", "md"])
def test_the_scenarios_are_listed_in_every_format(name, cli, tmp_path):
    assert cli("scenarios", "--format", name, "--out", "list").code == 0
    assert (tmp_path / "list").stat().st_size > 500


def test_the_list_tells_facts_and_what_follows_from_them(cli):
    listed = {row["scenario"]: row for row in rows_of(cli("scenarios", "--format", "json"))}
    assert list(listed) == NAMES
    assert listed["vpc"]["facts"] == ["aws:SourceVpc is vpc-111bbaaa"]
    assert "aws:SourceIp is absent" in listed["vpc"]["what_follows"]
    assert listed["vpc"]["source"] == "scenarios.toml of policylake"


def test_the_file_is_the_given_one_else_the_one_here_else_the_packaged_one(cli, tmp_path):
    def names(*arguments):
        return [row["scenario"] for row in rows_of(cli("scenarios", "--format", "json", *arguments))]

    write(tmp_path, "other.toml", "[mine]\ntitle = 'A'")
    assert names() == NAMES
    write(tmp_path, "scenarios.toml", "[here]\ntitle = 'A'")
    assert names() == ["here"]
    assert names("--scenarios", "other.toml") == ["mine"]


def test_a_copy_is_made_once_and_holds_the_same_scenarios(cli):
    assert cli("scenarios", "--copy", "scenarios.toml").text == "scenarios.toml\n"
    listed = rows_of(cli("scenarios", "--format", "json"))
    assert ([row["scenario"] for row in listed], listed[0]["source"]) == (NAMES, "scenarios.toml")
    again = cli("scenarios", "--copy", "scenarios.toml")
    assert again.code == 2
    assert "there is one already" in again.err


@pytest.mark.parametrize("command", [
    ["who-can", "sagemaker:CreateModel"], ["principal-can", "ana"], ["query", "role_passers"], ["report"],
    ["sql", "select 1"],
])  # fmt: skip
def test_a_scenario_that_is_not_there_ends_every_command_with_the_names(command, cli):
    done = cli(*command, "--scenario", "moon")
    assert (done.code, done.out) == (2, b"")
    assert "--scenario moon: scenarios.toml of policylake has none of that name; known: internet, office-" in done.err


def test_a_file_without_a_name_is_wrong_usage(cli):
    done = cli("who-can", "sagemaker:CreateModel", "--scenarios", "x.toml")
    assert done.code == 2
    assert "--scenarios needs --scenario NAME" in done.err


def who_can(cli, action, *arguments):
    return {
        row["principal_arn"].split(":")[-1]: (row["verdict"], row["condition"])
        for row in rows_of(cli("who-can", action, "--format", "json", *arguments))
    }


def test_who_can_lists_who_is_left_and_on_what_condition(cli):
    action = "sagemaker:CreateTrainingJob"
    office = who_can(cli, action, "--scenario", "office-network")
    assert who_can(cli, action)["role/office-trainer"][0] == "conditional"
    assert office["role/office-trainer"] == ("allowed", None)
    assert "role/office-trainer" not in who_can(cli, action, "--scenario", "internet")
    assert "role/office-trainer" not in who_can(cli, action, "--scenario", "vpc")


def test_principal_can_shows_what_is_lost_and_to_whom_it_is_put_down(cli):
    rows = rows_of(cli("principal-can", "quinn", "--scenario", "without-mfa", "--format", "json"))
    (lost,) = [row for row in rows if row["action"] == "sagemaker:DeleteModel"]
    assert (lost["verdict"], lost["decided_by"][0], lost["resource_pattern"]) == ("denied", "scenario", None)
    assert len(lost["decided_by"]) == 2, "the Deny that asks for MFA"


def test_queries_and_sql_answer_under_the_scenario(cli):
    setting = ("--set", "action=sagemaker:CreateTrainingJob", "--format", "json")
    told = rows_of(cli("query", "unconditional_grants", *setting, "--scenario", "office-network"))
    assert "office-trainer" in str(told)
    assert "office-trainer" not in str(rows_of(cli("query", "unconditional_grants", *setting)))
    count = ("sql", "select count(*) as n from access where verdict = 'conditional'", "--format", "json")
    assert 0 < rows_of(cli(*count, "--scenario", "vpc"))[0]["n"] < rows_of(cli(*count))[0]["n"]


def test_placeholders_are_told_at_each_use_and_own_values_are_not(cli, tmp_path):
    assert "the values of aws:SourceVpc are placeholders" in cli("principal-can", "ana", "--scenario", "vpc").err
    write(tmp_path, "scenarios.toml", "[vpc]\ntitle = 'A'\nfacts.'aws:SourceVpc' = 'vpc-0a1b'")
    assert cli("principal-can", "ana", "--scenario", "vpc").err == ""


def test_an_endpoint_with_a_policy_is_told_as_verdicts_leave_it_out(cli):
    said = cli("principal-can", "ana", "--scenario", "vpc-endpoint").err
    assert f"{WITH_POLICY} has a policy, which verdicts leave out" in said
    assert "vpce-111bbddd has" not in said


def test_a_request_of_who_can_has_the_facts_of_the_scenario(cli):
    resource = "arn:aws:sagemaker:us-east-1:333344445555:training-job/x"
    asked = ("who-can", "sagemaker:CreateTrainingJob", "--resource", resource, "--scenario", "office-network")
    done = cli(*asked, "--format", "json", "--context", "aws:SourceIp=192.0.2.7")
    decisions = {row["principal_arn"].split("/")[-1]: row["decision"] for row in rows_of(done)}
    assert decisions["office-trainer"] == "allowed"
    outside = cli(*asked, "--context", "aws:SourceIp=198.51.100.1")
    assert outside.code == 2
    assert "in the scenario office-network aws:SourceIp is 192.0.2.0/24 or 203.0.113.0/24" in outside.err
    open_ = cli(*asked, "--context", "aws:RequestedRegion=us-east-1")
    assert open_.code == 2
    assert "give --context aws:SourceIp=VALUE" in open_.err


def test_every_page_of_a_report_names_its_scenario_and_its_numbers_are_of_it(sample_lake, tmp_path):
    scenario = chosen(SHIPPED, "internet")
    lake = under(sample_lake, scenario)
    write_report(lake, tmp_path / "out", scenario=scenario)
    pages = sorted((tmp_path / "out").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "From the internet · policylake</title>" in text, page
        assert ">From the internet</a>: every verdict" in text, page
    lost = lake.query("select count(*) as n from access_matrix where verdict = 'denied'")["n"].to_pylist()[0]
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert f'href="matrix.html#verdict=denied">{lost:,}</a>' in index
    provenance = (tmp_path / "out" / "provenance.html").read_text(encoding="utf-8")
    assert all(said(fact) in provenance for fact in scenario.facts)


def test_a_report_without_a_scenario_says_nothing_of_any(sample_lake, tmp_path):
    write_report(open_lake(sample_lake), tmp_path / "out")
    assert "cenario" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_title_is_escaped_in_the_report(sample_lake, tmp_path):
    scenario = scenario_of(tmp_path, "[a]\ntitle = '<script>alert(1)</script>'")
    write_report(under(sample_lake, scenario), tmp_path / "out", scenario=scenario)
    assert "<script>alert" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


# The concrete evaluator


def asked_of(lake: Lake, line: dict, known: Asked | dict) -> Asked:
    return Asked(known["principal_arn"], known["account_id"], known["action"], known["resource_type"], line)


def contradictions(lake_folder: Path, scenario: Scenario, requests: list[Asked]) -> tuple[list[str], Counter]:
    """Where the lake's answers under a scenario and the concrete evaluator part, and how requests were decided."""
    answers = Answers(under(lake_folder, scenario), KNOWN)
    asked = [request for request in requests if WITH_POLICY not in json.dumps(request.line)]
    lines = simulate_lines([json.dumps(request.line) for request in asked], open_lake(lake_folder), KNOWN, ahead=500)
    decided = [json.loads(text) for text in lines]
    found = [
        f"{words}: {json.dumps(request.line)} {decision['detail']}"
        for request, decision in zip(asked, decided, strict=True)
        if (words := answers.contradiction(request, decision["decision"]))
    ]
    return found, Counter(decision["decision"] for decision in decided)


def of_conditional_rows(lake_folder: Path, scenario: Scenario, seed: int) -> list[Asked]:
    """One request of the scenario for every conditional row of every cell: of one principal that has the cell."""
    lake = open_lake(lake_folder)
    rows = lake.query("""
        select
            principal_profiles.principal_arn, principal_profiles.account_id, profile_cells.action,
            cell_access.resource_type,
            own_text(cell_access.resource_pattern, principal_profiles.account_id) as resource_pattern
        from principal_profiles
        inner join profile_cells using (profile_id)
        semi join evaluated_actions using (action)
        inner join cell_access using (cell_id)
        where cell_access.verdict = 'conditional' and principal_profiles.principal_type != 'policy'
        qualify row_number() over (
            partition by cell_id, resource_type, resource_pattern order by principal_arn, action
        ) = 1
        order by all
    """).to_pylist()
    requests = ScenarioRequests(lake, KNOWN, seed, scenario=scenario)
    found = []
    for row in rows:
        action = KNOWN.action(row["action"])
        kinds = (
            {kind.resource_type: (kind.arn_format, kind.condition_keys) for kind in action.resource_types}
            if action
            else {}
        )
        arn_format, keys = kinds.get(row["resource_type"], ("", action.condition_keys if action else ()))
        if row["resource_type"] == "unknown":
            _, arn_format, keys = requests.unknown_kind(row["action"])
        resource = resource_of(requests, row, arn_format)
        context = requests.context(keys)
        if resource in requests.inventory:
            context = {key: value for key, value in context.items() if "resourcetag/" not in key}
        context = called(context, resource, row["action"])
        context = requests.sent_together(context, row["principal_arn"], row["principal_arn"])
        line = {"principal": row["principal_arn"], "action": row["action"], "resource": resource, "context": context}
        found.append(asked_of(lake, line, row))
    return found


def resource_of(requests: ScenarioRequests, row: dict, arn_format: str) -> str:
    """A resource of a row's type in its scope, as far as some tries find one."""
    form = re.sub(r"\$\{[^}]*\}", "*", arn_format)
    for _ in range(8 if form and row["resource_pattern"].startswith("arn:") else 0):
        resource = requests.placed(requests.instance(row["resource_pattern"]), arn_format, row["account_id"]) or ""
        if glob_matches(form, resource):
            return resource
    return requests.resource(arn_format, row["account_id"])


@pytest.mark.parametrize("scenario", SHIPPED, ids=NAMES)
def test_no_conditional_row_of_the_sample_contradicts_the_concrete_evaluator(scenario, sample_lake):
    found, decided = contradictions(sample_lake, scenario, of_conditional_rows(sample_lake, scenario, 11))
    assert found == []
    assert decided["allowed"] > 50
    assert decided.keys() >= {"implicitDeny", "explicitDeny"}


HOSTILE = """
[network]
title = "A"
facts."aws:SourceIp" = ["192.0.2.0/25", "203.0.113.9"]
[endpoint]
title = "B"
facts."aws:SourceVpc" = ["vpc-1", "vpc-2*"]
facts."aws:RequestTag/team" = ["a", "A"]
[service]
title = "C"
facts."aws:CalledVia" = ["athena.amazonaws.com", "glue.amazonaws.com"]
other_than."aws:RequestedRegion" = "eu-*"
[session]
title = "D"
facts."aws:MultiFactorAuthPresent" = false
may_be_absent = ["aws:MultiFactorAuthPresent"]
facts."aws:CurrentTime" = 2028-01-01T00:00:00Z
facts."sagemaker:VpcSubnets" = ["subnet-1", "subnet-3"]
absent = ["aws:TagKeys", "aws:SourceIdentity"]
[outside]
title = "E"
other_than."aws:SourceIp" = ["192.0.2.0/24", "2001:db8::/32"]
present = ["sagemaker:NetworkIsolation"]
facts."aws:SecureTransport" = true
"""


@pytest.mark.parametrize("seed", [17, 24])
def test_no_answer_about_hostile_policies_contradicts_the_concrete_evaluator(seed, tmp_path):
    write_organization(tmp_path / "inputs", seed)
    build_lake([tmp_path / "inputs"], tmp_path / "lake")
    for scenario in read_scenarios(write(tmp_path, "scenarios.toml", HOSTILE), KNOWN):
        requests = ScenarioRequests(open_lake(tmp_path / "lake"), KNOWN, seed, scenario=scenario)
        asked = [requests.next() for _ in range(400)]
        found, decided = contradictions(tmp_path / "lake", scenario, asked)
        assert found == [], scenario.name
        assert {"allowed", "implicitDeny", "explicitDeny"} <= decided.keys(), scenario.name
