"""Finds the files that are not Python: SQL and report templates.

They lie next to the package in a checkout and inside it in an installed wheel.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Return the folder ``sql`` or ``reports``.

    Raises FileNotFoundError where neither place holds it: the installation is broken.
    """
    for place in (PACKAGE / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name}: not found beside or inside {PACKAGE}; install policylake again")


def text(name: str, relative: str) -> str:
    """Return the text of the file ``relative`` in the folder ``name``."""
    return (folder(name) / relative).read_text(encoding="utf-8")


def file(name: str) -> Path:
    """Return a file beside the folders, such as ``scenarios.toml``. Raises FileNotFoundError as :func:`folder` does."""
    for place in (PACKAGE / name, PACKAGE.parent / name):
        if place.is_file():
            return place
    raise FileNotFoundError(f"{name}: not found beside or inside {PACKAGE}; install policylake again")
