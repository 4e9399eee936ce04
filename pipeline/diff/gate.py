"""Decides whether differences fail a gate."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake import Lake

#: The residuals that each gate fails on.
GATES: dict[str, tuple[str, ...]] = {
    "new-access": ("wider", "different"),
    "lost-access": ("narrower", "different"),
    "changed-access": ("wider", "narrower", "different"),
}


def fails(rows: pa.Table, gate: str) -> int:
    """Return how many rows of the differences fail a gate of :data:`GATES`."""
    return int(pc.sum(pc.is_in(rows["residual"], pa.array(GATES[gate]))).as_py() or 0)


def newly_incomplete(old: Lake, new: Lake) -> list[str]:
    """Return the principals of which something is missing on the new side that the old one has, or has not either.

    What they gain cannot be told, so a gate must not pass them without a word.
    """
    missing = [
        {
            (row["principal_arn"], what)
            for row in lake.query("select principal_arn, missing from principals where is_incomplete").to_pylist()
            for what in row["missing"] or ("",)
        }
        for lake in (old, new)
    ]
    return sorted({arn for arn, _ in missing[1] - missing[0]})
