"""The lake: immutable Parquet snapshots, the pointer to the current one, and DuckDB over it."""

from pipeline.lake.read import Lake, open_lake
from pipeline.lake.write import Snapshot, new_snapshot

__all__ = ["Lake", "Snapshot", "new_snapshot", "open_lake"]
