"""Says of the rows of ``principal-can`` which further actions they depend on and lack."""

import pyarrow as pa

from pipeline.lake import Lake
from pipeline.lake.queries import command_query


def with_missing_dependencies(lake: Lake, principal: str, rows: pa.Table) -> pa.Table:
    """Return the rows with the column ``missing_dependencies``: texts, null where an action lacks nothing."""
    (profile,) = lake.query(command_query("principal_profile"), {"principal": principal}).to_pylist()
    asked = {name: profile[name] for name in ("profile_id", "account_id")}
    found = lake.query(command_query("principal_gaps"), asked).to_pylist()
    by_action = {row["action"]: row["missing_dependencies"] for row in found}
    missing = [by_action.get(action) for action in rows["action"].to_pylist()]
    return rows.append_column("missing_dependencies", pa.array(missing, pa.list_(pa.string())))
