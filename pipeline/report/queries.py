"""Runs the queries of ``sql/report``. Must not hold SQL itself."""

from collections.abc import Mapping
from typing import Any

from pipeline import assets
from pipeline.lake import Lake


def rows(lake: Lake, name: str, values: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
    """Return the rows of ``sql/report/<name>.sql``, with ``values`` for its parameters."""
    return list(lake.query(assets.text("sql", f"report/{name}.sql"), values).to_pylist())
