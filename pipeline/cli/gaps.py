"""Says of the rows of ``principal-can`` which further actions they lack, and which roles they pass."""

import pyarrow as pa

from pipeline.iam.request_keys import PASS_ROLE
from pipeline.lake import Lake
from pipeline.lake.queries import command_query
from pipeline.lake.restated import of_principal


def with_missing_dependencies(lake: Lake, principal: str, rows: pa.Table) -> pa.Table:
    """Return the rows with the column ``missing_dependencies``: texts, null where an action lacks nothing."""
    found = lake.query(of_principal(command_query("principal_gaps")), {"principal": principal}).to_pylist()
    by_action = {row["action"]: row["missing_dependencies"] for row in found}
    missing = [by_action.get(action) for action in rows["action"].to_pylist()]
    return rows.append_column("missing_dependencies", pa.array(missing, pa.list_(pa.string())))


def with_passable_roles(lake: Lake, principal: str, rows: pa.Table) -> pa.Table:
    """Return the rows with the column ``passable_roles``: the roles that a scope of iam:PassRole reaches, null for
    other actions."""
    found = lake.query(of_principal(command_query("principal_passable_roles")), {"principal": principal}).to_pylist()
    by_scope = {row["resource_pattern"]: row["role_arns"] for row in found}
    scopes = zip(rows["action"].to_pylist(), rows["resource_pattern"].to_pylist(), strict=True)
    passed = [by_scope.get(pattern, []) if action.lower() == PASS_ROLE else None for action, pattern in scopes]
    return rows.append_column("passable_roles", pa.array(passed, pa.list_(pa.string())))
