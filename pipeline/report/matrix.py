"""Data of the matrix and the index that every page shares: accounts, actions, and which script holds what."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.report.compact import Numbered, repeats, runs
from pipeline.report.model import LETTERS, Book, Principal, Profile
from pipeline.report.scripts import in_pieces, write_script, write_text
from pipeline.report.tasks import OTHER, TASKS, task

#: A run of principals before it is cut by size.
RUN = 4000
LEVELS = ("List", "Read", "Write", "Permissions management", "Tagging", "Unknown")


def units_of(row: dict[str, Any]) -> list[str]:
    """Return the names of the units above an account, the root's first; none where none is known."""
    return (row["level_names"] or [])[:-1]


def place_of(row: dict[str, Any]) -> str:
    """Return the organizational unit of an account with those above it; empty where none is known."""
    return " / ".join(units_of(row))


class Counts(NamedTuple):
    """Cells of the matrix by verdict."""

    allowed: int
    conditional: int
    denied: int
    blocked: int
    none: int


def counts_of(vectors: Sequence[str]) -> Counts:
    """Count the letters of verdict vectors, equal vectors once."""
    total = dict.fromkeys(LETTERS, 0)
    for vector, times in Counter(vectors).items():
        for verdict, letter in LETTERS.items():
            total[verdict] += vector.count(letter) * times
    return Counts(*total.values())


def write_matrix(folder: Path, book: Book) -> dict[str, list[list[Any]]]:
    """Write ``data/matrix/<n>.js``; return for each account the scripts with their numbers of principals."""
    scripts: dict[str, list[list[Any]]] = {}
    number = 0
    for account_id in book.accounts:
        listed = book.principals.get(account_id, ())
        for start in range(0, len(listed), RUN):
            for run, text in in_pieces(listed[start : start + RUN], lambda some: _run(some, book)):
                key = f"matrix/{number:05}"
                number += 1
                write_text(folder, key, text)
                scripts.setdefault(account_id, []).append([key, len(run)])
    return scripts


def _run(run: Sequence[Principal], book: Book) -> dict[str, Any]:
    vectors = Numbered[tuple[str, tuple[int, ...]]]()
    listed = [
        [principal.arn, principal.name, principal.type[0], vectors(_told(book.profiles[principal.profile_id])),
         *([1] if principal.details["is_incomplete"] else [])]
        for principal in run
    ]  # fmt: skip
    return {
        "principals": listed,
        "vectors": [runs(vector) for vector, _ in vectors.all()],
        "demands": [repeats(demands) for _, demands in vectors.all()],
    }


def _told(profile: Profile) -> tuple[str, tuple[int, ...]]:
    """Return a profile's verdicts, and what its conditional actions ask for."""
    return profile.vector, profile.demands


def write_index(
    folder: Path,
    book: Book,
    action_pages: Sequence[str],
    principals: list[list[str]],
    policies: list[list[str]],
    conditions: dict[str, list[list[Any]]],
) -> None:
    """Write ``data/index.js``: what a script needs to find the other scripts."""
    tasks = [*(name for name, _ in TASKS), OTHER]
    scripts = write_matrix(folder, book)
    accounts = [
        [account_id, row["account_name"] or "", scripts.get(account_id, []), units_of(row)]
        for account_id, row in book.accounts.items()
        if account_id in scripts
    ]
    actions = [
        [action.name, LEVELS.index(action.access_level) if action.access_level in LEVELS else len(LEVELS) - 1,
         tasks.index(task(action.name)), page, 0 if action.is_known else 1]
        for action, page in zip(book.actions, action_pages, strict=True)
    ]  # fmt: skip
    index = {
        "actions": actions,
        "levels": LEVELS,
        "tasks": tasks,
        "accounts": accounts,
        "principals": principals,
        "policies": policies,
        **conditions,
    }
    write_script(folder, "index", index)
