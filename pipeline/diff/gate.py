"""Decides whether differences fail a gate."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.diff.unknown import UNKNOWN

#: The residuals that each gate fails on.
GATES: dict[str, tuple[str, ...]] = {
    "new-access": ("wider", "different", UNKNOWN),
    "lost-access": ("narrower", "different", UNKNOWN),
    "changed-access": ("wider", "narrower", "different", UNKNOWN),
}


def fails(rows: pa.Table, gate: str, *, accepts_unknown: bool = False) -> int:
    """Return how many rows of the differences fail a gate of :data:`GATES`. What nobody can know fails each, unless it
    is accepted."""
    failing = [residual for residual in GATES[gate] if not (accepts_unknown and residual == UNKNOWN)]
    return int(pc.sum(pc.is_in(rows["residual"], pa.array(failing))).as_py() or 0)
