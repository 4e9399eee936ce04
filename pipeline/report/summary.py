"""What a report of one piece is made of, on paper or as Markdown: numbers and findings, no data."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.evaluate.scenarios import Scenario
from pipeline.lake import Lake
from pipeline.report.actions import groups, page_names
from pipeline.report.answers import Answers, answers_of
from pipeline.report.changes import Changes, changes_of, compared, within
from pipeline.report.conditions import Dependents, dependents, keys_in_use
from pipeline.report.findings import Checks, Finding, belonging, write_findings, write_rejects
from pipeline.report.history import History, read_history
from pipeline.report.matrix import counts_of, place_of
from pipeline.report.model import LETTERS, Book
from pipeline.report.overview import Row, Sentence, dangerous, story
from pipeline.report.part import Part
from pipeline.report.policies import write_policies
from pipeline.report.provenance import gaps, inputs_of
from pipeline.report.reading import read_all
from pipeline.report.tables import Table
from pipeline.report.tasks import OTHER, TASKS, task

#: Findings of a control that are critical or high, of which a document tells.
MOST_GRAVE = 100


class AccountSummary(NamedTuple):
    """An account with its numbers of principals and of answers by verdict."""

    account_id: str
    name: str
    place: str
    principals: int
    counts: dict[str, int]


class Summary(NamedTuple):
    """The report in numbers and sentences. ``tasks`` are tasks with their answers by verdict.

    ``whose`` tells who depends on each condition of the book. ``history`` is None of a part and under a scenario.
    ``changes`` are those since the snapshot before, None where there is none. ``answers`` are those of a part that
    names principals or actions.
    """

    snapshot_id: str
    manifest: dict[str, Any]
    book: Book
    part: Part | None
    scenario: Scenario | None
    principals: int
    totals: dict[str, int]
    accounts: tuple[AccountSummary, ...]
    tasks: tuple[tuple[str, dict[str, int]], ...]
    story: tuple[Sentence, ...]
    dangerous: tuple[Row, ...]
    findings: tuple[Finding, ...]
    rejects: Table
    keys: tuple[tuple[str, int, int], ...]
    whose: tuple[Dependents, ...]
    gaps: tuple[str, ...]
    inputs: tuple[dict[str, Any], ...]
    history: History | None
    changes: Changes | None
    answers: Answers | None


def read_summary(lake: Lake, scenario: Scenario | None, part: Part | None, checks: Checks) -> Summary:
    """Read the report in numbers."""
    read = read_all(lake, part)
    book, sources, _, own = read
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        policies, _ = write_policies(folder, lake, own)
        findings = write_findings(folder, lake, policies, checks, book, belonging(lake, book, part, own), MOST_GRAVE)
        rejects = write_rejects(folder, lake, own)
    counts = action_counts(book)
    accounts = tuple(_account(book, account_id) for account_id in book.accounts)
    total = {verdict: sum(account.counts[verdict] for account in accounts) for verdict in LETTERS}
    whose = dependents(book)
    keys = keys_in_use(book, whose)
    history = read_history(lake)
    differing = compared(lake, history, scenario, within(read))
    return Summary(
        lake.snapshot_id,
        lake.manifest,
        book,
        part,
        scenario,
        sum(account.principals for account in accounts),
        total,
        accounts,
        _tasks(book, counts),
        tuple(story(book, counts, findings, total, keys, part)),
        tuple(dangerous(book, [action.name for action in book.actions], counts)),
        tuple(findings),
        rejects,
        tuple(keys),
        tuple(whose),
        tuple(gaps(lake, book, own)),
        tuple(inputs_of(lake.manifest, own)),
        None if scenario or part else history,
        changes_of(differing, book, page_names(book.actions)) if differing else None,
        answers_of(book, sources, part),
    )


def action_counts(book: Book) -> list[dict[str, int]]:
    """Return for each action its numbers of principals by verdict."""
    everyone = sum(len(listed) for listed in book.principals.values())
    counted = []
    for listed in groups(book):
        counts = dict.fromkeys(LETTERS, 0)
        for group in listed:
            counts[book.answers[group.answer].verdict] += len(group.principals)
        counts["none"] = everyone - sum(counts.values())
        counted.append(counts)
    return counted


def _account(book: Book, account_id: str) -> AccountSummary:
    row, listed = book.accounts[account_id], book.principals.get(account_id, ())
    counts = counts_of([book.vector(principal) for principal in listed])._asdict()
    return AccountSummary(account_id, row["account_name"] or "", place_of(row), len(listed), counts)


def _tasks(book: Book, counts: Sequence[dict[str, int]]) -> tuple[tuple[str, dict[str, int]], ...]:
    found: dict[str, dict[str, int]] = {}
    for action, counted in zip(book.actions, counts, strict=True):
        own = found.setdefault(task(action.name), dict.fromkeys(LETTERS, 0))
        for verdict, count in counted.items():
            own[verdict] += count
    return tuple((name, found[name]) for name in (*(name for name, _ in TASKS), OTHER) if name in found)
