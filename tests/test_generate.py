"""The generator of large organizations, and what the benchmark takes for granted of the package."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # bench is no part of the installed package

from bench.formulas import SOLVING, WORKING
from bench.generate import Summary, generate

ACCOUNTS, PRINCIPALS = 7, 60


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("organization")
    return out, generate(out, ACCOUNTS, PRINCIPALS, seed=3)


def fingerprints(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def exports(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((folder / "accounts").iterdir())}


def statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for member in value.values():
            yield from statements(member)
    elif isinstance(value, list):
        for item in value:
            yield from statements(item)


def test_the_same_arguments_give_the_same_bytes(organization: tuple[Path, Summary], tmp_path: Path) -> None:
    folder, summary = organization
    assert generate(tmp_path, ACCOUNTS, PRINCIPALS, seed=3) == summary
    assert fingerprints(tmp_path) == fingerprints(folder)


def test_another_seed_gives_other_accounts(organization: tuple[Path, Summary], tmp_path: Path) -> None:
    generate(tmp_path, ACCOUNTS, PRINCIPALS, seed=4)
    assert fingerprints(tmp_path) != fingerprints(organization[0])


def test_more_accounts_do_not_change_the_first_ones(organization: tuple[Path, Summary], tmp_path: Path) -> None:
    generate(tmp_path, ACCOUNTS + 1, PRINCIPALS, seed=3)
    wider, first = fingerprints(tmp_path), fingerprints(organization[0])
    assert [name for name in first if name.startswith("accounts/") and first[name] != wider[name]] == []


def test_the_summary_counts_what_the_files_hold(organization: tuple[Path, Summary]) -> None:
    folder, summary = organization
    found = exports(folder).values()
    members = ("UserDetailList", "GroupDetailList", "RoleDetailList")
    assert (summary.users, summary.groups, summary.roles) == tuple(sum(len(e[m]) for e in found) for m in members)
    assert summary.accounts == len(found) == ACCOUNTS
    assert summary.principals == ACCOUNTS * PRINCIPALS
    assert summary.customer_policies == sum("aws:policy" not in p["Arn"] for e in found for p in e["Policies"])
    assert summary.resource_policies == len(json.loads((folder / "resource-policies.json").read_bytes()))
    assert summary.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_inventory_holds_as_many_resources_as_asked_for(tmp_path: Path) -> None:
    summary = generate(tmp_path, 2, 10, resources=230)
    pages = [json.loads(path.read_bytes()) for path in sorted((tmp_path / "inventory").iterdir())]
    assert summary.resources == sum(len(page["ResourceTagMappingList"]) for listed in pages for page in listed) == 460
    assert [[bool(page["PaginationToken"]) for page in listed] for listed in pages] == [[True, True, False]] * 2


def test_repeated_roles_are_identical_but_for_the_account_id(organization: tuple[Path, Summary]) -> None:
    folder, summary = organization
    texts = [
        [
            json.dumps(role).replace(account_id, "OWN")
            for role in export["RoleDetailList"]
            if role["Path"] == "/rollout/"
        ]
        for account_id, export in exports(folder).items()
    ]
    assert len(texts[0]) == summary.repeated_roles / ACCOUNTS == round(0.7 * (PRINCIPALS - 9))
    assert all(text == texts[0] for text in texts)


def test_other_roles_differ_from_account_to_account(organization: tuple[Path, Summary]) -> None:
    seen = [
        {
            json.dumps(role).replace(account_id, "OWN")
            for role in export["RoleDetailList"]
            if not role["Path"].startswith(("/rollout/", "/aws-service-role/"))
        }
        for account_id, export in exports(organization[0]).items()
    ]
    assert len(set().union(*seen)) == sum(map(len, seen)) > 0


@pytest.mark.parametrize("repeated", [0.0, 1.0])
def test_the_share_of_repeated_roles_can_be_all_or_nothing(repeated: float, tmp_path: Path) -> None:
    summary = generate(tmp_path, 2, 20, repeated=repeated)
    assert summary.repeated_roles == repeated * summary.roles
    assert summary.principals == 40


def test_every_policy_that_is_attached_is_in_the_export(organization: tuple[Path, Summary]) -> None:
    for export in exports(organization[0]).values():
        held = {policy["Arn"] for policy in export["Policies"]}
        principals = [*export["UserDetailList"], *export["GroupDetailList"], *export["RoleDetailList"]]
        used = {attached["PolicyArn"] for each in principals for attached in each["AttachedManagedPolicies"]}
        used |= {p["PermissionsBoundary"]["PermissionsBoundaryArn"] for p in principals if "PermissionsBoundary" in p}
        assert used - held == set()


def test_principals_of_an_account_have_ids_and_arns_of_their_own(organization: tuple[Path, Summary]) -> None:
    for export in exports(organization[0]).values():
        named = [(user["UserId"], user["Arn"]) for user in export["UserDetailList"]]
        named += [(role["RoleId"], role["Arn"]) for role in export["RoleDetailList"]]
        assert len({key for key, _ in named}) == len({arn for _, arn in named}) == len(named)


def test_an_aws_managed_policy_has_the_same_text_in_every_account(organization: tuple[Path, Summary]) -> None:
    texts: dict[str, set[str]] = {}
    for export in exports(organization[0]).values():
        for policy in export["Policies"]:
            if policy["Arn"].startswith("arn:aws:iam::aws:"):
                texts.setdefault(policy["Arn"], set()).add(json.dumps(policy["PolicyVersionList"]))
    assert "arn:aws:iam::aws:policy/AdministratorAccess" in texts
    assert {arn for arn, documents in texts.items() if len(documents) > 1} == set()


def test_no_placeholder_is_left(organization: tuple[Path, Summary]) -> None:
    assert [path.name for path in organization[0].rglob("*.json") if b"{own-account}" in path.read_bytes()] == []


def test_the_organization_has_units_on_three_or_four_levels_and_a_parent_for_every_account(
    organization: tuple[Path, Summary],
) -> None:
    content = json.loads((organization[0] / "organization.json").read_bytes())
    parents = {node["Id"]: node["ParentId"] for node in [*content["OrganizationalUnits"], *content["Accounts"]]}

    def depth(node: str) -> int:
        return 1 + depth(parents[node]) if node in parents else 0

    assert 5 <= len(content["OrganizationalUnits"]) <= 12
    assert max(depth(unit["Id"]) for unit in content["OrganizationalUnits"]) in (3, 4)
    targets = {target["Type"] for policy in content["Policies"] for target in policy["Targets"]}
    assert targets == {"ROOT", "ORGANIZATIONAL_UNIT", "ACCOUNT"}
    assert all(json.loads(policy["Content"])["Statement"] for policy in content["Policies"])


def test_every_statement_has_exactly_one_action_element(organization: tuple[Path, Summary]) -> None:
    found = [each for export in exports(organization[0]).values() for each in statements(export)]
    assert all(("Action" in each) != ("NotAction" in each) for each in found)
    assert {each["Effect"] for each in found} == {"Allow", "Deny"}


@pytest.mark.parametrize("conditions", [0.0, 1.0])
def test_the_share_of_conditions_can_be_all_or_nothing(conditions: float, tmp_path: Path) -> None:
    generate(tmp_path, 2, 20, conditions=conditions)
    inline = [
        each
        for export in exports(tmp_path).values()
        for role in export["RoleDetailList"]
        for each in statements(role["RolePolicyList"])
    ]
    assert {"Condition" in each for each in inline} == {bool(conditions)}


@pytest.mark.parametrize("arguments", [{"accounts": 0}, {"principals": 0}, {"repeated": 1.5}, {"conditions": -0.1}])
def test_impossible_arguments_are_refused(arguments: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must"):
        generate(tmp_path, **{"accounts": 1, "principals": 1, **arguments})


def test_the_script_runs_by_its_path_and_prints_the_counts(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "bench" / "generate.py"
    command = [sys.executable, str(script), str(tmp_path / "out"), "--accounts", "2", "--principals", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["accounts"] == 2
    assert (tmp_path / "out" / "organization.json").is_file()


@pytest.mark.parametrize("place", [SOLVING, *WORKING])
def test_what_the_benchmark_times_is_there(place: str) -> None:
    assert callable(resolve_name(place))
