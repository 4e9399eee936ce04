"""Runs the queries of ``sql/report``. Must not hold SQL itself."""

from typing import Any

from pipeline import assets
from pipeline.lake import Lake


def rows(lake: Lake, name: str) -> list[dict[str, Any]]:
    """Return the rows of ``sql/report/<name>.sql``."""
    return list(lake.query(assets.text("sql", f"report/{name}.sql")).to_pylist())
