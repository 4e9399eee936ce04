"""Finds the data that lie outside the repository; tests that need them are skipped where they are absent."""

from pathlib import Path

_PLACE = Path(__file__).resolve().parents[1].parent / "shared"

#: The folder, None where there is none.
SHARED: Path | None = _PLACE if _PLACE.is_dir() else None
