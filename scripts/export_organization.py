"""Prints organization.json: the tree, accounts, SCPs and RCPs of one's AWS organization, read with the AWS CLI.

    python3 scripts/export_organization.py > exports/organization.json

Standard library only. Run it with credentials of the management account or of a delegated administrator that may
organizations:Describe* and organizations:List*. Changes nothing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

POLICY_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def aws(operation: str, *arguments: str) -> Json:
    """Run one operation of Organizations; the CLI joins pages. Ends the program where it fails."""
    command = ["aws", "organizations", operation, *arguments, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])}: {done.stderr.strip()}; use credentials that may read the organization")
    answer: Json = json.loads(done.stdout)
    return answer


def below(parent_id: str) -> Iterator[tuple[str, Json]]:
    """Yield ("OrganizationalUnits" or "Accounts", item) for everything below a root or unit, with its ParentId."""
    for account in aws("list-accounts-for-parent", "--parent-id", parent_id)["Accounts"]:
        yield "Accounts", {**account, "ParentId": parent_id}
    for unit in aws("list-organizational-units-for-parent", "--parent-id", parent_id)["OrganizationalUnits"]:
        yield "OrganizationalUnits", {**unit, "ParentId": parent_id}
        yield from below(unit["Id"])


def policies(kind: str) -> Iterator[Json]:
    """Yield the policies of a type with their contents and targets."""
    for summary in aws("list-policies", "--filter", kind)["Policies"]:
        described = aws("describe-policy", "--policy-id", summary["Id"])["Policy"]
        targets = aws("list-targets-for-policy", "--policy-id", summary["Id"])["Targets"]
        yield {**described, "Targets": targets}


def main() -> None:
    """Print the organization."""
    roots = aws("list-roots")["Roots"]
    found: dict[str, list[Json]] = {"OrganizationalUnits": [], "Accounts": []}
    for root in roots:
        for kind, item in below(root["Id"]):
            found[kind].append(item)
    enabled = {kind["Type"] for root in roots for kind in root.get("PolicyTypes", []) if kind["Status"] == "ENABLED"}
    listed = [policy for kind in POLICY_TYPES if kind in enabled for policy in policies(kind)]
    organization = aws("describe-organization")["Organization"]
    json.dump({"Organization": organization, "Roots": roots, **found, "Policies": listed}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
