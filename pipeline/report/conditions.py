"""Writes the conditions as data: formulas for ``formula.js``, words for people, what cells ask for, and scenarios."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pipeline.evaluate.scenarios import Scenario
from pipeline.report.compact import ranges
from pipeline.report.formulas import Condition, Spelling, facts_data
from pipeline.report.model import Book, Principal
from pipeline.report.scripts import in_pieces, write_script, write_text
from pipeline.report.tables import Cell, Table, write_table

Item = TypeVar("Item")
#: Principals that a condition's page names; of all of them it has the number.
MOST_DEPENDENTS = 40
COLUMNS = ("condition", "keys", "principals", "accounts", "actions")


class Dependents(NamedTuple):
    """Who depends on a condition: the first principals with their numbers of actions, how many there are in how many
    accounts, and the actions by number."""

    first: tuple[tuple[Principal, int], ...]
    total: int
    accounts: int
    actions: tuple[int, ...]


def dependents(book: Book) -> list[Dependents]:
    """Return who depends on each condition, those with most actions first."""
    holders: dict[int, list[Principal]] = {}
    for principal in book.everyone():
        holders.setdefault(principal.profile_id, []).append(principal)
    profiles: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in book.conditions.listed]
    for profile_id, profile in book.profiles.items():
        asked: dict[int, set[int]] = {}
        for answer, actions in profile.parts:
            for number in {scope.number for scope in book.answers[answer].scopes} - {-1}:
                asked.setdefault(number, set()).update(actions)
        for number, numbers in asked.items():
            profiles[number].append((profile_id, tuple(numbers)))
    return [_dependents(listed, holders) for listed in profiles]


def _dependents(profiles: Sequence[tuple[int, tuple[int, ...]]], holders: dict[int, list[Principal]]) -> Dependents:
    found = [(principal, len(actions)) for profile, actions in profiles for principal in holders.get(profile, ())]
    found.sort(key=lambda one: (-one[1], one[0].account_id, one[0].name, one[0].arn))
    actions = sorted({number for _, numbers in profiles for number in numbers})
    accounts = {principal.account_id for principal, _ in found} - {""}
    return Dependents(tuple(found[:MOST_DEPENDENTS]), len(found), len(accounts), tuple(actions))


def most_used(book: Book, listed: Sequence[Dependents]) -> list[tuple[Condition, Dependents]]:
    """Return conditions with who depends on them, those that most principals depend on first.

    Conditions of further actions that calls need, and nobody depends on for an action of the report, are left out.
    """
    used = [pair for pair in zip(book.conditions.listed, listed, strict=True) if pair[1].total]
    return sorted(used, key=lambda pair: (-pair[1].total, pair[0].condition_id))


def conditions_table(folder: Path, book: Book, listed: Sequence[Dependents]) -> Table:
    """Return the table of conditions, those that most principals depend on first."""
    rows = [
        [
            Cell(condition.told, f"condition.html#{condition.condition_id}"),
            Cell(", ".join(condition.keys), kind="code"),
            *(Cell(f"{n:,}", kind="number") for n in (whose.total, whose.accounts, len(whose.actions))),
        ]
        for condition, whose in most_used(book, listed)
    ]
    return write_table(folder, "tables/conditions", "Conditions", COLUMNS, rows)


def keys_in_use(book: Book, listed: Sequence[Dependents]) -> list[tuple[str, int, int]]:
    """Return condition keys with how many conditions that somebody depends on ask for each, and how many conditional
    cells do; most first."""
    conditions: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    holders = Counter(principal.profile_id for principal in book.everyone())
    for condition, _ in most_used(book, listed):
        conditions.update(condition.keys)
    for profile_id, count in holders.items():
        for answer, actions in book.profiles[profile_id].parts:
            if book.answers[answer].verdict != "conditional":
                continue
            numbers = {scope.number for scope in book.answers[answer].scopes} - {-1}
            for key in {key for number in numbers for key in book.conditions.listed[number].keys}:
                cells[key] += len(actions) * count
    return sorted(((key, conditions[key], cells[key]) for key in conditions), key=lambda row: (-row[2], row[0]))


def write_conditions(
    folder: Path, book: Book, whose: Sequence[Dependents], scenarios: Sequence[Scenario], fixed: Scenario | None
) -> dict[str, list[list[Any]]]:
    """Write ``data/facts.js`` and the scripts of formulas, words and demands; return the first number and key of each.

    ``fixed`` is the scenario that the whole report is of, if any: no other can be chosen then.
    """
    conditions = book.conditions
    known = (fixed,) if fixed else tuple(scenarios)
    spelling = Spelling(known)
    write_script(folder, "facts", facts_data(known, fixed, conditions))
    words = [_told(condition, one) for condition, one in zip(conditions.listed, whose, strict=True)]
    return {
        "formulas": _pieces(folder, "formulas", conditions.formulas, spelling.piece),
        "words": _pieces(folder, "words", words, list),
        "demands": _pieces(folder, "demands", conditions.demands, list),
    }


def _told(condition: Condition, whose: Dependents) -> list[Any]:
    first = [[principal.arn, principal.name, principal.account_id, count] for principal, count in whose.first]
    return [condition.condition_id, condition.words, list(condition.keys), condition.witness, condition.smallest_change,
            whose.total, whose.accounts, ranges(whose.actions), first]  # fmt: skip


def _pieces(
    folder: Path, name: str, items: Sequence[Item], build: Callable[[Sequence[Item]], object]
) -> list[list[Any]]:
    index: list[list[Any]] = []
    first = 0
    for number, (run, text) in enumerate(in_pieces(items, build) if items else []):
        index.append([first, f"{name}/{number:05}"])
        write_text(folder, index[-1][1], text)
        first += len(run)
    return index
