"""Writes cells of a lake, a principal and an action each, as simulations of @cloud-copilot/iam-simulate (npm).

bench/run.py times it: python bench/peer.py LAKE NUMBER prints one simulation a line, with all policies that count.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PRINCIPALS = """
select principal_arn, account_id, is_service_linked
from principals
where principal_type in ('user', 'role')
order by hash(principal_arn)
limit $most
"""
ACTIONS = """
select actions.action, min(types.arn_format) as arn_format
from evaluated_actions as actions
inner join reference_action_resource_types as listed on actions.action = listed.action
inner join reference_resource_types as types
    on listed.resource_type = types.resource_type and types.service = actions.service
group by actions.action
order by actions.action
"""


def simulations(lake: Path, most: int) -> list[dict[str, Any]]:
    """Return cells of a lake as the package takes them."""
    from pipeline.lake import open_lake
    from pipeline.simulate.from_lake import CONTROLS, POLICIES

    opened = open_lake(lake)
    chance = random.Random(1)
    actions = opened.query(ACTIONS).to_pylist()
    principals = opened.query(PRINCIPALS, {"most": most}).to_pylist()
    cells = [{**principal, **chance.choice(actions)} for principal in principals]
    attached: dict[str, list[dict[str, Any]]] = {}
    for row in opened.query(POLICIES, {"names": [cell["principal_arn"] for cell in cells]}).to_pylist():
        attached.setdefault(row["principal_arn"], []).append(row)
    controls: dict[tuple[str, str], list[dict[str, Any]]] = {}
    found = []
    for cell in cells:
        account = cell["account_id"]
        for kind in ("scp", "rcp"):
            if (kind, account) not in controls:
                rows = opened.query(CONTROLS, {"kind": kind, "account": account}).to_pylist()
                # The package has RCPFullAWSAccess by itself and refuses it here.
                controls[kind, account] = _levels([row for row in rows if kind == "scp" or _denies(row)])
        policies = attached.get(cell["principal_arn"], [])
        boundaries = [_policy(row) for row in policies if row["kind"] == "boundary"]
        found.append(
            {
                "request": {
                    "principal": cell["principal_arn"],
                    "action": cell["action"],
                    "resource": {"resource": _resource(cell["arn_format"], account), "accountId": account},
                    "contextVariables": {},
                },
                "identityPolicies": [_policy(row) for row in policies if row["kind"] != "boundary"],
                "serviceControlPolicies": [] if cell["is_service_linked"] else controls["scp", account],
                "resourceControlPolicies": [] if cell["is_service_linked"] else controls["rcp", account],
                **({"permissionBoundaryPolicies": boundaries} if boundaries else {}),
            }
        )
    return found


def _levels(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    levels: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        levels.setdefault(row["level"], []).extend([_policy(row)] if row["policy_id"] else [])
    return [{"orgIdentifier": f"level-{level}", "policies": levels[level]} for level in sorted(levels)]


def _denies(row: dict[str, Any]) -> bool:
    return bool(row["policy_id"]) and '"Effect":"Deny"' in row["document"]


def _policy(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": row["policy_name"] or row["policy_id"], "policy": json.loads(row["document"])}


def _resource(arn_format: str, account: str) -> str:
    known = {"Partition": "aws", "Region": "us-east-1", "Account": account}
    text = arn_format
    while "${" in text:
        start, end = text.index("${"), text.index("}")
        text = text[:start] + known.get(text[start + 2 : end], "example") + text[end + 1 :]
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for simulation in simulations(Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(simulation))
