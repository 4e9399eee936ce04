"""Finds the queries of ``sql/diff``. Must not run them, nor hold SQL itself."""

from pipeline import assets


def query(name: str) -> str:
    """Return the text of ``sql/diff/<name>.sql``."""
    return assets.text("sql", f"diff/{name}.sql")
