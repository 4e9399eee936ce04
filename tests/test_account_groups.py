"""Account groups: the answers are those of one group, and a build that finds what a former one kept has its bytes."""

import json
import shutil

import pytest
from conftest import SAMPLE
from random_crossings import write_crossings
from random_organization import write_organization

from bench.generate import generate
from pipeline import account_groups, build
from pipeline.build import build_lake
from pipeline.cache import FOLDER
from pipeline.ingest import shards
from pipeline.lake import open_lake

#: What people ask for. A witness may be of any of the principals that share a condition.
ANSWERS = {
    "access": "select * exclude (witness) from access",
    "access_matrix": "from access_matrix",
    "residual_conditions": "select * exclude (witness, smallest_change) from residual_conditions",
    "missing_dependencies": "from missing_dependencies",
    "passable_roles": "from passable_roles",
    "statement_actions": "from statement_actions",
    "policies": "from policies",
    "actions": "from actions",
    "attachments": "from attachments",
    "principals": "from principals",
}


@pytest.fixture
def each_alone(monkeypatch):
    """Return what makes every account a group of its own."""

    def part():
        monkeypatch.setattr(shards, "GROUP_MOST", 1)

    return part


def answers(lake):
    opened = open_lake(lake)
    return {name: opened.query(f"select * from ({sql}) order by all").to_pylist() for name, sql in ANSWERS.items()}


def written(folder, kind):
    """Write an organization of a kind and return its folder."""
    if kind == "sample":
        return SAMPLE
    if kind == "generated":
        generate(folder, accounts=4, principals=25, seed=5)
    elif kind == "crossings":
        write_crossings(folder, 7)
    else:
        write_organization(folder, 3)
    return folder


@pytest.mark.parametrize(
    ("kind", "services"),
    [("sample", ()), ("generated", ()), ("crossings", ("sts", "kms")), ("random", ("sts",))],
)
def test_accounts_in_groups_of_their_own_get_the_answers_of_one_group(kind, services, tmp_path, each_alone):
    inputs = written(tmp_path / "in", kind)
    build_lake([inputs], tmp_path / "one", services=services)
    each_alone()
    build_lake([inputs], tmp_path / "many", services=services)
    one, many = answers(tmp_path / "one"), answers(tmp_path / "many")
    for name in ANSWERS:
        assert many[name] == one[name], name


@pytest.fixture
def evaluated(monkeypatch):
    """Return a list that names each group that is evaluated from now on, and does not just come from the cache."""
    numbers = []
    evaluate_group = account_groups.evaluate_group

    def noted(task, *others):
        numbers.append(task.number)
        return evaluate_group(task, *others)

    for module in (account_groups, build):
        monkeypatch.setattr(module, "evaluate_group", noted)
    return numbers


def test_a_second_build_evaluates_nothing_and_has_the_same_bytes(tmp_path, each_alone, evaluated):
    each_alone()
    first = build_lake([SAMPLE], tmp_path).snapshot_id
    assert len(evaluated) > 2
    evaluated.clear()
    assert build_lake([SAMPLE], tmp_path).snapshot_id == first
    assert evaluated == []
    shutil.rmtree(tmp_path / FOLDER)
    assert build_lake([SAMPLE], tmp_path).snapshot_id == first
    assert build_lake([SAMPLE], tmp_path / "other", keeps=False).snapshot_id == first
    assert not (tmp_path / "other" / FOLDER).exists()


def test_one_account_that_changed_is_evaluated_alone(tmp_path, each_alone, evaluated):
    each_alone()
    generate(tmp_path / "in", accounts=5, principals=20, seed=9)
    build_lake([tmp_path / "in"], tmp_path / "lake")
    file = sorted((tmp_path / "in" / "accounts").glob("*.json"))[2]
    export = json.loads(file.read_text())
    pages = export if isinstance(export, list) else [export]
    role = next(role for page in pages for role in page["RoleDetailList"] if role["RolePolicyList"])
    role["RolePolicyList"][0]["PolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*"},
    }
    file.write_text(json.dumps(export))
    evaluated.clear()
    changed = build_lake([tmp_path / "in"], tmp_path / "lake").snapshot_id
    assert len(evaluated) == 1
    assert build_lake([tmp_path / "in"], tmp_path / "fresh", keeps=False).snapshot_id == changed


@pytest.mark.parametrize("ending", ["*.summary", "*.tables", "*/access*", "*/principals", "*/.sums"])
@pytest.mark.parametrize("damage", [b"", b"damaged"])
def test_what_is_damaged_in_the_cache_is_found_anew(ending, damage, tmp_path):
    first = build_lake([SAMPLE], tmp_path).snapshot_id
    for path in (tmp_path / FOLDER).glob(ending):
        path.unlink()
        path.write_bytes(damage)
    assert build_lake([SAMPLE], tmp_path).snapshot_id == first
    assert answers(tmp_path)["access"]


def test_what_other_processes_evaluate_has_the_same_bytes(tmp_path, each_alone):
    each_alone()
    write_crossings(tmp_path / "in", 4)
    ids = {build_lake([tmp_path / "in"], tmp_path / str(n), processes=n, keeps=False).snapshot_id for n in (1, 2)}
    assert len(ids) == 1
