"""Every control on its cases, as ``policylake controls test`` runs them, and what goes with a control."""

from pathlib import Path

import pytest
from cli_run import run

from pipeline.cli.controls import outcomes_of
from pipeline.controls import load_controls
from pipeline.controls.cases import case_file, read_cases
from pipeline.controls.files import packaged
from pipeline.controls.frameworks import frameworks
from pipeline.errors import PolicylakeError

ROOT = Path(__file__).resolve().parents[1]
CONTROLS = load_controls()
EVERYTHING = '[{"Effect": "Allow", "Action": "*", "Resource": "*"}]'


@pytest.fixture(scope="module")
def outcomes():
    found = {}
    for outcome in outcomes_of(CONTROLS):
        found.setdefault(outcome.control, []).append(outcome)
    return found


@pytest.mark.parametrize("control", [control.id for control in CONTROLS])
def test_a_control_finds_what_its_cases_say_and_nothing_else(control, outcomes):
    assert [(one.case, one.problem) for one in outcomes[control] if one.problem] == []
    assert len(outcomes[control]) >= 2


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
)  # fmt: skip
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
