"""Decides whether differences fail a gate."""

import pyarrow as pa
import pyarrow.compute as pc

#: The residuals that each gate fails on.
GATES: dict[str, tuple[str, ...]] = {
    "new-access": ("wider", "different"),
    "lost-access": ("narrower", "different"),
    "changed-access": ("wider", "narrower", "different"),
}


def fails(rows: pa.Table, gate: str) -> int:
    """Return how many rows of the differences fail a gate of :data:`GATES`."""
    return int(pc.sum(pc.is_in(rows["residual"], pa.array(GATES[gate]))).as_py() or 0)
