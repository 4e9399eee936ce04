"""Pairs of changes, one that widens access and one that narrows it, with the gate's exit code worked out beforehand.

The cases are in ``cases/infrastructure/pairs.jsonl``: a plan or a template (``new``), its former one (``old``), its
``kind`` (put over a lake or not), ``account`` and ``parameters`` as the options of these names, the ``exit`` code of
``diff --fail-on new-access``. A case for itself builds two lakes; here all cases of a kind are accounts of two lakes.
Policies of buckets are apart: they let in the principals of all other cases.
"""

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.build import build_lake
from pipeline.cli.diff_sides import built
from pipeline.diff import changes, fails
from pipeline.diff.overlay import write_sides
from pipeline.infrastructure.facts import Doubt, Infrastructure, Setting
from pipeline.ingest.infrastructure import read_infrastructure
from pipeline.lake import open_lake
from pipeline.reference import load

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "infrastructure" / "pairs.jsonl").read_text().splitlines()
]
BY_NAME = {case["name"]: case for case in CASES}
#: The account of the cases as they are written; each has one of its own here.
WRITTEN = "111122223333"
ACCOUNTS = {case["name"]: str(200_000_000_000 + number) for number, case in enumerate(CASES)}
#: What else is of one account alone: the SCP that it has, and the organization that no case is about.
SCP = "p-nodelete"
MANAGEMENT = "999999999999"
ORGANIZATION = f"arn:aws:organizations::{MANAGEMENT}"
#: Columns of a row that tell its case, the first that names an account.
PLACES = ["resource_pattern", "old_resource_pattern", "principal_arn", "account_id"]
FULL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def own(text, account):
    """A text with the account of its case in place of the one as written."""
    return text.replace(WRITTEN, account).replace(SCP, f"{SCP}{account}")


def read_side(case, side, folder):
    value, account = case[side], ACCOUNTS[case["name"]]
    path = folder / f"{account}-{side}.{'yaml' if isinstance(value, str) else 'json'}"
    path.write_text(own(value if isinstance(value, str) else json.dumps(value), account))
    given = own(case["account"], account) if "account" in case else None
    parameters = {name: own(text, account) for name, text in case.get("parameters", {}).items()}
    return read_infrastructure(path, given, parameters).infrastructure


def change_of(case, folder):
    """The change of a case, its places marked with the account: all cases use the same addresses."""
    new = read_side(case, "new", folder)
    if "old" in case:
        new = Infrastructure(read_side(case, "old", folder).after, new.after, ())
    account = ACCOUNTS[case["name"]]
    marked = [
        {
            k._replace(where=f"{k.where} of {account}") if isinstance(k, Doubt | Setting) else k: v
            for k, v in one.items()
        }
        for one in (new.before, new.after)
    ]
    return Infrastructure(*marked, (), new.replaced, new.unnamed, new.listed)


def together(listed):
    sides = [
        {key: value for one in listed for key, value in getattr(one, side).items()} for side in ("before", "after")
    ]
    assert len(sides[1]) == sum(len(one.after) for one in listed)  # no two cases speak of the same
    sets = (frozenset(p for one in listed for p in getattr(one, name)) for name in ("replaced", "unnamed", "listed"))
    return Infrastructure(*sides, (), *sets)


def rows_of(cases, base, folder):
    """The rows of all cases, compared at once."""
    folder.mkdir()
    known = frozenset(load().table("reference_services")["service"].to_pylist())
    written = write_sides(together([change_of(case, folder) for case in cases]), base, folder, known)
    services = sorted(written.services)
    old, new = (
        built([side], services, folder / f"{side.name}-lake", tells=False) for side in (written.before, written.after)
    )
    return changes(old, new, load(), doubts=written.doubts)


def lake_of(cases, folder):
    """A lake with the account that the cases are put over, once for each of them."""
    account = json.loads((Path(__file__).parent / "cases" / "infrastructure" / "account.json").read_text())
    inputs = folder / "inputs"
    inputs.mkdir(parents=True)
    ids = [ACCOUNTS[case["name"]] for case in cases]
    for one in ids:
        (inputs / f"{one}.json").write_text(own(json.dumps(account), one))
    everywhere = [{"TargetId": "r-aaaa", "Type": "ROOT"}, *({"TargetId": one, "Type": "ACCOUNT"} for one in ids)]
    denial = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}}
    policies = [control("p-FullAWSAccess", FULL, [*everywhere, {"TargetId": MANAGEMENT, "Type": "ACCOUNT"}])]
    policies += [control(f"{SCP}{one}", denial, [{"TargetId": one, "Type": "ACCOUNT"}]) for one in ids]
    root = f"{ORGANIZATION}:root/o-aaaaaaaaaa/r-aaaa"
    organization = {
        "Organization": {"Id": "o-aaaaaaaaaa", "MasterAccountId": MANAGEMENT,
                         "Arn": f"{ORGANIZATION}:organization/o-aaaaaaaaaa"},
        "Roots": [{"Id": "r-aaaa", "Name": "Root", "Arn": root}],
        "OrganizationalUnits": [],
        "Accounts": [
            {"Id": one, "Name": one, "ParentId": "r-aaaa", "Arn": f"{ORGANIZATION}:account/o-aaaaaaaaaa/{one}"}
            for one in (*ids, MANAGEMENT)
        ],
        "Policies": policies,
    }  # fmt: skip
    (inputs / "organization.json").write_text(json.dumps(organization))
    build_lake([inputs], folder / "lake", keeps=False)
    return open_lake(folder / "lake")


def control(name, document, targets):
    arn = f"{ORGANIZATION}:policy/o-aaaaaaaaaa/service_control_policy/{name}"
    summary = {"Id": name, "Name": name, "Arn": arn, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
    return {"PolicySummary": summary, "Content": json.dumps(document), "Targets": targets}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The rows of the cases of each kind, with the account of its case in the column ``case``."""
    folder = tmp_path_factory.mktemp("pairs")
    by_kind = {kind: [case for case in CASES if case["kind"] == kind] for kind in ("alone", "over a lake", "bucket")}
    bases = {"over a lake": lake_of(by_kind["over a lake"], folder / "base")}
    found = {kind: rows_of(cases, bases.get(kind), folder / kind) for kind, cases in by_kind.items()}
    return {
        kind: table.append_column(
            "case", pa.array(map(case_of, table.select([*PLACES, "through"]).to_pylist()), pa.string())
        )
        for kind, table in found.items()
    }


def case_of(row):
    """The account of the case that a row is of.

    The policy of a resource may let in those of all others, and what is not known is told by its place alone.
    """
    texts = [row[name] or "" for name in PLACES] + row["through"]
    return next(account for text in texts for account in re.findall("200000000[0-9]{3}", text))


@pytest.mark.parametrize("name", [case["name"] for case in CASES])
def test_the_gate_ends_as_it_was_worked_out_beforehand(name, rows):
    case = BY_NAME[name]
    all_rows = rows[case["kind"]]
    its = all_rows.filter(pc.equal(all_rows["case"], ACCOUNTS[name]))
    failing = fails(its, "new-access", accepts_unknown=case.get("accepts_unknown", False))
    assert int(failing > 0) == case["exit"], its.select(["principal_arn", "action", "residual"]).to_pylist()[:5]
