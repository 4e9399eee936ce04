"""Every control on its cases, as ``policylake controls test`` runs them, and what goes with a control."""

import csv
import io
import json
from pathlib import Path

import pytest
from cli_run import run

from pipeline.build import build_lake
from pipeline.controls import find, load_controls
from pipeline.controls.cases import case_file, read_cases, write_inputs
from pipeline.controls.cases import outcomes as outcomes_in
from pipeline.controls.corrections import corrected, correction_of
from pipeline.controls.files import packaged
from pipeline.controls.frameworks import frameworks
from pipeline.diff import changes
from pipeline.diff.resource_policies import _Comparing, _document, _Pair
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.reference import load

#: Renames a key to its own new name: the formulas are of two keys.
RENAMES = ("former-condition-key",)
ROOT = Path(__file__).resolve().parents[1]
CONTROLS = load_controls()
EVERYTHING = '[{"Effect": "Allow", "Action": "*", "Resource": "*"}]'


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The cases, a lake of all of them, and what its build rejected."""
    folder = tmp_path_factory.mktemp("cases")
    read = read_cases(CONTROLS)
    write_inputs(read, folder / "inputs")
    built = build_lake([folder / "inputs"], folder / "lake", keeps=False)
    return read, open_lake(folder / "lake"), built.rejects


@pytest.fixture(scope="module")
def outcomes(cases):
    read, lake, rejects = cases
    found = {}
    for outcome in outcomes_in(lake, CONTROLS, read, rejects):
        found.setdefault(outcome.control, []).append(outcome)
    return found


@pytest.mark.parametrize("control", [control.id for control in CONTROLS])
def test_a_control_finds_what_its_cases_say_and_nothing_else(control, outcomes):
    assert [(one.case, one.problem) for one in outcomes[control] if one.problem] == []
    assert len(outcomes[control]) >= 2


def test_a_control_corrects_statements_or_says_why_it_does_not():
    for control in CONTROLS:
        corrects = any(f" as {name}" in control.sql for name in ("correction", "corrected_statement"))
        assert corrects is not bool(control.uncorrected), control.id


def test_there_are_thirty_controls_and_no_stray_case():
    assert len(CONTROLS) >= 30
    assert {path.stem for path in packaged().glob("*.toml")} == {control.id for control in CONTROLS}


def test_every_requirement_is_known_and_every_known_one_is_named():
    named = {(name, one) for control in CONTROLS for name, ids in control.frameworks.items() for one in ids}
    known = {(name, one) for name, framework in frameworks().items() for one in framework.requirements}
    assert named == known


def test_a_requirement_is_checked_by_controls_that_name_it():
    of = {control.id: control.frameworks for control in CONTROLS}
    for name, framework in frameworks().items():
        for requirement in framework.requirements.values():
            for control in requirement.checked_by:
                assert requirement.id in of[control][name]


def test_every_control_has_its_page_and_no_page_is_left_over():
    pages = {path.stem for path in (ROOT / "docs" / "controls").glob("*.md")} - {"README"}
    assert pages == {control.id for control in CONTROLS}


def begun(monkeypatch, folder, name="own-one"):
    return run(monkeypatch, "controls", "new", name, "--controls", str(folder))


def test_a_control_that_was_begun_passes_its_own_cases(monkeypatch, tmp_path):
    done = begun(monkeypatch, tmp_path / "own")
    assert done.code == 0
    assert [Path(line).name for line in done.text.split()] == ["own-one.sql", "own-one.toml", "own-one.md"]
    tested = run(monkeypatch, "controls", "test", "--controls", str(tmp_path / "own"), "--format", "csv")
    assert (tested.code, tested.text.count("passed")) == (0, 2)
    again = begun(monkeypatch, tmp_path / "own")
    assert (again.code, "there is one already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("user/ana", "user/other", "no finding with principal_arn"),
        ('action = "sagemaker:CreateTrainingJob"', 'action = "x"', "action x; found: subject arn:aws:iam::1000000"),
        ("users.ana", "users.zoe", "no finding with principal_arn"),
        ('name = "a role', f"users.eve.policy = '{EVERYTHING}'\nname = \"a role", "found besides: subject arn:aws:iam"),
        ('"Resource": "*"}]', '"Resource": 7}]', "error"),
    ],
    ids=["another subject", "another action", "nobody there", "somebody besides", "a rejected input"],
)
def test_a_case_that_is_wrong_fails(old, new, said, monkeypatch, tmp_path):
    begun(monkeypatch, tmp_path)
    path = tmp_path / "own-one.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    tested = run(monkeypatch, "controls", "test", "--controls", str(tmp_path), "--format", "csv")
    assert tested.code == 1
    assert said in tested.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a table [[case]] is expected"),
        ("[[case]]\nname = 'a'\nfindings = []\n", "a [[case]] with findings is expected"),
        ("[[case]]\nname = 'a'\nfindings = [{x = 'y'}]\n", "case a: findings: x is no column of a finding"),
        ("[[case]]\nname = 'a'\nfindings = []\nlamas.x = 1\n", "case a: lamas: no member of a case"),
        ("[[case]]\nname = 'a'\nfindings = []\nroles.x.policy = '[{'\n", "case a: roles.x.policy: no JSON"),
        ("[[case]]\nfindings = []\n", "a case has a name and findings"),
    ],
)
def test_what_a_file_of_cases_says_wrongly_is_told_with_its_place(text, said, monkeypatch, tmp_path):
    begun(monkeypatch, tmp_path)
    (own,) = [control for control in load_controls([tmp_path]) if control.id == "own-one"]
    case_file(own).write_text(text)
    with pytest.raises(PolicylakeError) as raised:
        read_cases([own])
    assert str(raised.value).startswith(str(tmp_path / "own-one.toml"))
    assert said in str(raised.value)


def test_what_is_wrong_with_one_control_leaves_the_cases_of_the_others_to_run(monkeypatch, tmp_path):
    for name in ("fine", "no-control", "no-cases", "odd-case", "no-sql"):
        begun(monkeypatch, tmp_path, name)
    (tmp_path / "no-control.sql").write_text("select 1")
    (tmp_path / "no-cases.toml").unlink()
    odd = tmp_path / "odd-case.toml"
    odd.write_text(odd.read_text().replace("users.ana.policy", "users.ana").replace("[{principal_arn", "[3, {pr", 1))
    sql = tmp_path / "no-sql.sql"
    sql.write_text(sql.read_text().replace("from ", "from no_such_", 1))
    done = run(monkeypatch, "controls", "test", "--controls", str(tmp_path), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.text)))
    assert done.code == 2
    assert [(row["control"], row["outcome"]) for row in rows] == [
        *2 * [("fine", "passed")],
        *2 * [("no-sql", "failed")],
    ]
    assert all("The control no-sql did not run" in row["problem"] for row in rows[2:])
    for name, said in (
        ("no-control.sql:1", "a control begins with"),
        ("no-cases.toml", "every control has its cases in this file"),
        ("odd-case.toml", "is not as policylake controls new writes them"),
    ):
        assert f"{tmp_path / name}: " in done.err
        assert said in done.err
    only = run(monkeypatch, "controls", "test", "--controls", str(tmp_path), "--only", "fine")
    assert (only.code, "2 cases, 0 failed" in only.err) == (0, True)


@pytest.fixture(scope="module")
def corrections(cases):
    """Statements with their corrected form, as the cases find them, by control."""
    lake = cases[1]
    texts = lake.query(
        "select statement_id, statement_of(document, statement_index) as text "
        "from statements join policies using (policy_id)"
    )
    text_of = {row["statement_id"]: row["text"] for row in texts.to_pylist()}
    return [
        (row["control_id"], json.loads(text_of[row["statement_id"]]), json.loads(row["corrected_statement"]))
        for row in find(lake, CONTROLS).to_pylist()
        if row["corrected_statement"] and row["statement_id"]
    ]


def test_a_corrected_statement_never_grants_more(corrections, tmp_path):
    assert len({control for control, *_ in corrections}) >= 10
    for side in (0, 1):
        for number, (control, *sides) in enumerate(corrections):
            statement = sides[side]
            if control in RENAMES or "Principal" in statement:
                continue
            allow = [{"Effect": "Allow", "Action": "*", "Resource": "*"}] if statement["Effect"] == "Deny" else []
            path = tmp_path / str(side) / f"{control}-{number}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [*allow, statement]}))
        build_lake([tmp_path / str(side)], tmp_path / f"lake-{side}", services=["iam", "s3"], keeps=False)
    rows = changes(open_lake(tmp_path / "lake-0"), open_lake(tmp_path / "lake-1"), load()).to_pylist()
    assert {row["residual"] for row in rows} == {"narrower"}


def test_a_deny_to_add_ends_the_finding_whatever_grants_the_calls(cases, tmp_path):
    rows = [
        row for row in find(cases[1], CONTROLS).to_pylist() if row["corrected_statement"] and not row["statement_id"]
    ]
    denials = {}
    for row in rows:
        statement = json.loads(row["corrected_statement"])
        if statement["Effect"] == "Deny":
            denials.setdefault(row["control_id"], []).append((row["principal_arn"], statement))
    assert len(denials) >= 11
    wide = {"Effect": "Allow", "Resource": "*"}
    users = []
    for control, listed in denials.items():
        for number, (arn, statement) in enumerate(listed):
            assert statement["Resource"] == "*"
            text = {"Version": "2012-10-17", "Statement": [{**wide, "Action": statement["Action"]}, statement]}
            name = f"{control}-{number}"
            policies = [{"PolicyName": "p", "PolicyDocument": text}]
            users.append(
                {"UserName": name, "Arn": f"arn:aws:iam::111122223333:user/{name}", "UserPolicyList": policies}
            )
            assert arn
    (tmp_path / "account.json").write_text(json.dumps({"UserDetailList": users}))
    build_lake([tmp_path / "account.json"], tmp_path / "lake", keeps=False)
    found = find(open_lake(tmp_path / "lake"), [one for one in CONTROLS if one.id in denials]).to_pylist()
    ended = {(row["control_id"], row["principal_arn"]) for row in found}
    assert not [(c, arn) for c, arn in ended if f"user/{c}-" in arn]


def test_a_corrected_trust_or_resource_policy_lets_nobody_else_in(corrections):
    compared = [sides for _, *sides in corrections if "Principal" in sides[0]]
    assert len(compared) >= 2
    for sides in compared:
        kind = "resource" if "Resource" in sides[0] else "trust"
        texts = [json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in sides]
        pair = _Pair(
            "arn:aws:sagemaker:us-east-1:111122223333:model-package-group/g",
            kind,
            *(_document(name, text, kind) for name, text in zip("on", texts, strict=True)),
        )
        assert {row["residual"] for row in _Comparing(load()).rows(pair)} <= {"narrower"}


def test_a_renamed_key_is_all_that_changes(corrections):
    renamed = [[json.dumps(side).lower() for side in sides] for control, *sides in corrections if control in RENAMES]
    assert len(renamed) >= 4
    for former, new in renamed:
        assert new.replace("kmskeyarn", "kmskey") == former


DENY = {"Effect": "Deny", "Action": ["a:B", "a:C"], "Resource": "x", "Condition": {"Bool": {"k": "true"}}}


@pytest.mark.parametrize(
    ("effect", "correction", "is_taken"),
    [
        ("Deny", {"drop_actions": ["a:b"]}, False),
        ("Deny", {"drop_actions": ["a:b"], "is_without_effect": True}, True),
        ("Allow", {"drop_actions": ["A:B"]}, True),
        ("Allow", {"drop_actions": ["a:b", "a:c"]}, False),
        ("Allow", {"replace_actions": {"a:B": "a:D"}}, False),
        ("Deny", {"replace_actions": {"a:B": "a:D"}}, True),
        ("Allow", {"set_resource": "*"}, False),
        ("Deny", {"add_condition": {"Null": {"k": "false"}}}, False),
        ("Allow", {"add_condition": {"Null": {"k": "false"}}}, True),
        ("Allow", {"add_condition": {"bool": {"K": "false"}}}, False),
        ("Allow", {"add_condition": {"Null": {"k": "false"}}, "only_actions": ["a:B"]}, False),
        ("Allow", {"rename_key": {"from": "k", "to": "K"}}, False),
        ("Allow", {"drop_condition": {"operator": "Null", "key": "k"}}, False),
    ],
)
def test_a_step_that_might_grant_more_is_not_taken(effect, correction, is_taken):
    assert (corrected({**DENY, "Effect": effect}, correction) is not None) is is_taken


@pytest.mark.parametrize("text", ["[", "[]", "{}", '{"drop_everything": 1}', '{"drop_condition": 3}'])
def test_a_correction_that_is_none_is_told(text):
    with pytest.raises(PolicylakeError, match="the correction "):
        corrected({**DENY, "Effect": "Allow"}, correction_of(text))
