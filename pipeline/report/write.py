"""Writes the report: reads the lake once, then one page after the other. The same lake gives the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import assets, reference
from pipeline.evaluate.scenario_files import file_of, read_scenarios
from pipeline.evaluate.scenarios import Scenario
from pipeline.lake import Lake
from pipeline.lake.dictionary import relations
from pipeline.report.accounts import write_accounts
from pipeline.report.actions import page_names, write_actions
from pipeline.report.changes import Changes, compared, with_former, within, write_changes
from pipeline.report.conditions import Dependents, conditions_table, dependents, keys_in_use, write_conditions
from pipeline.report.findings import Checks, Finding, belonging, by_severity, write_findings, write_rejects
from pipeline.report.folder import replaced_folder
from pipeline.report.history import History, read_history
from pipeline.report.inventory import write_inventory
from pipeline.report.matrix import write_index
from pipeline.report.model import Book
from pipeline.report.overview import dangerous, story, totals
from pipeline.report.pages import Pages
from pipeline.report.part import Part
from pipeline.report.policies import Policy, write_policies
from pipeline.report.principals import write_principals
from pipeline.report.provenance import ASSUMPTIONS, BLIND_SPOTS, days_of, gaps, inputs_of, inputs_table, told, versions
from pipeline.report.reading import Read, read_all
from pipeline.report.tables import Table
from pipeline.report.tasks import task

#: Files that every page loads, beside the pages.
SCRIPTS = ("report", "formula", "taken", "matrix", "action", "condition", "people", "principal", "policy",
           "inventory", "resource")  # fmt: skip
NO_OTHERS = Checks()
CONSOLE, CHANGES = "sql.js", "changes.js"
#: Pages without data of their own: their scripts load what the address names.
SHELLS = ("matrix", "principal", "policy", "condition", "resource")
STATIC = ("report.css", *(f"{name}.js" for name in SCRIPTS))


def write_report(
    lake: Lake,
    out: Path,
    *,
    scenario: Scenario | None = None,
    scenarios: Sequence[Scenario] | None = None,
    part: Part | None = None,
    checks: Checks = NO_OTHERS,
    with_console: bool = False,
) -> Path:
    """Write the report of the lake's current snapshot into the folder ``out`` and return its first page.

    ``scenario`` is the one under which the lake was put, if any: every page names it. ``scenarios`` are those that a
    reader of the pages can choose, by default those of scenarios.toml.
    ``part`` is what the report is of, where it is not of everything: nothing else is in its files.
    ``checks`` are the controls whose findings it tells, by default those that come along, and accepted risks.
    ``with_console`` adds the page of the SQL box, which works where ``policylake serve`` serves the report.
    A former report is replaced when the new one is complete. Raises PolicylakeError where ``out`` holds anything else
    or cannot be written.
    """
    if scenarios is None:
        scenarios = () if scenario else read_scenarios(file_of(None), reference.load())
    read = read_all(lake, part)
    with replaced_folder(out) as folder:
        for name in STATIC:
            _write_asset(folder, name)
        data = _write_data(folder, lake, read, _Asked(scenario, scenarios, checks))
        pages = Pages(folder, _common(lake, read, data, scenario, with_console))
        _write_pages(pages, lake, read, data)
        if with_console:
            _write_asset(folder, CONSOLE)
            pages.write("sql.html", "sql", relations=relations())
    return out / "index.html"


class _Asked(NamedTuple):
    """What the report is asked for besides the part: see :func:`write_report`."""

    scenario: Scenario | None
    scenarios: Sequence[Scenario]
    checks: Checks


class _Data(NamedTuple):
    """What the pages tell of the data that is written: ``names`` are the pages of the actions.

    ``book`` has the conditions of the snapshot before, too, as far as the changes ask for them.
    """

    book: Book
    names: Sequence[str]
    history: History | None
    changes: Changes | None
    policies: dict[str, Policy]
    whose: Sequence[Dependents]
    findings: Sequence[Finding]
    rejects: Table


def _write_data(folder: Path, lake: Lake, read: Read, asked: _Asked) -> _Data:
    """Write the scripts and tables that pages load."""
    book, sources, part, own = read
    history = read_history(lake)
    differing = compared(lake, history, asked.scenario, within(read))
    names, book = page_names(book.actions), with_former(book, differing)
    changes = write_changes(folder, differing, book, names) if differing else None
    del differing  # A comparison can be large.
    policies, policy_index = write_policies(folder, lake, own)
    whose = dependents(book)
    conditions = write_conditions(folder, book, whose, asked.scenarios, asked.scenario)
    write_index(folder, book, names, write_principals(folder, book, sources), policy_index, conditions)
    findings = write_findings(folder, lake, policies, asked.checks, book, belonging(lake, book, part, own))
    shown = None if asked.scenario or part else history
    return _Data(book, names, shown, changes, policies, whose, findings, write_rejects(folder, lake, own))


def _common(lake: Lake, read: Read, data: _Data, scenario: Scenario | None, has_console: bool) -> dict[str, Any]:
    """Return what every page tells."""
    return {
        "snapshot_id": lake.snapshot_id,
        "finding_count": sum(finding.open_count for finding in data.findings),
        "reject_count": data.rejects.count,
        "scenario": told(scenario) if scenario else None,
        "part": read.part.words if read.part else None,
        "is_cut": read.own is not None and read.own.files is not None,
        "has_console": has_console,
        "changes": data.changes,
    }


def _write_pages(pages: Pages, lake: Lake, read: Read, data: _Data) -> None:
    """Write the pages."""
    counts = write_actions(pages, data.book, read.sources, data.names)
    accounts = write_accounts(pages, data.book, read.sources, data.policies)
    listed = [
        (action, task(action.name), *both) for action, *both in zip(data.book.actions, data.names, counts, strict=True)
    ]
    pages.write("actions.html", "actions", actions=listed)
    pages.write("findings.html", "findings", severities=by_severity(data.findings))
    pages.write("rejects.html", "rejects", table=data.rejects)
    pages.write("conditions.html", "conditions", table=conditions_table(pages.folder, data.book, data.whose))
    pages.write("inventory.html", "inventory", table=write_inventory(pages.folder, lake, data.book))
    for name in SHELLS:
        pages.write(f"{name}.html", name)
    if data.changes:
        _write_asset(pages.folder, CHANGES)
        pages.write("changes.html", "changes")
    missing, inputs = gaps(lake, data.book, read.own), inputs_of(lake.manifest, read.own)
    pages.write("provenance.html", "provenance", versions=versions(lake), inputs=inputs_table(pages.folder, inputs),
                gaps=missing, assumptions=ASSUMPTIONS, blind_spots=BLIND_SPOTS,
                rows=sorted(lake.manifest.get("counts", {}).items()))  # fmt: skip
    keys, total = keys_in_use(data.book, data.whose), totals(accounts)
    pages.write("index.html", "index", accounts=accounts, totals=total, severities=by_severity(data.findings),
                story=story(data.book, counts, data.findings, total, keys, read.part), keys=keys[:10],
                key_count=len(keys), history=data.history, dangerous=dangerous(data.book, data.names, counts),
                scope=data.book.scope, principals=sum(account["principals"] for account in accounts),
                manifest=lake.manifest, inputs=len(inputs), gaps=missing,
                days=days_of(data.book))  # fmt: skip


def _write_asset(folder: Path, name: str) -> None:
    (folder / name).write_text(assets.text("reports", name), encoding="utf-8")
