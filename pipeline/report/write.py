"""Writes the report: reads the lake once, then one page after the other. The same lake gives the same bytes."""

from collections.abc import Sequence
from pathlib import Path

from pipeline import assets, reference
from pipeline.evaluate.scenario_files import file_of, read_scenarios
from pipeline.evaluate.scenarios import Scenario
from pipeline.lake import Lake
from pipeline.lake.dictionary import relations
from pipeline.report.accounts import write_accounts
from pipeline.report.actions import page_names, write_actions
from pipeline.report.changes import compared, with_former, write_changes
from pipeline.report.conditions import conditions_table, dependents, keys_in_use, write_conditions
from pipeline.report.findings import Checks, belonging, by_severity, write_findings, write_rejects
from pipeline.report.folder import replaced_folder
from pipeline.report.history import read_history
from pipeline.report.inventory import write_inventory
from pipeline.report.matrix import write_index
from pipeline.report.overview import dangerous, story, totals
from pipeline.report.pages import Pages
from pipeline.report.part import Part
from pipeline.report.policies import write_policies
from pipeline.report.principals import write_principals
from pipeline.report.provenance import ASSUMPTIONS, BLIND_SPOTS, gaps, inputs_of, inputs_table, told, versions
from pipeline.report.reading import Read, read_all
from pipeline.report.tasks import task

#: Files that every page loads, beside the pages.
SCRIPTS = ("report", "formula", "taken", "matrix", "action", "condition", "people", "principal", "policy",
           "inventory", "resource")  # fmt: skip
NO_OTHERS = Checks()
CONSOLE, CHANGES = "sql.js", "changes.js"
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
            (folder / name).write_text(assets.text("reports", name), encoding="utf-8")
        pages = _write(folder, lake, read, scenario, scenarios, checks, with_console)
        if with_console:
            (folder / CONSOLE).write_text(assets.text("reports", CONSOLE), encoding="utf-8")
            pages.write("sql.html", "sql", relations=relations())
    return out / "index.html"


def _write(
    folder: Path,
    lake: Lake,
    read: Read,
    scenario: Scenario | None,
    scenarios: Sequence[Scenario],
    checks: Checks,
    has_console: bool,
) -> Pages:
    book, sources, part, own = read
    history = None if part else read_history(lake)
    differing = compared(lake, history, scenario) if history else None
    names, book = page_names(book.actions), with_former(book, differing)
    changes = write_changes(folder, differing, book, names) if differing else None
    del differing  # A comparison can be large.
    policies, policy_index = write_policies(folder, lake, own)
    whose = dependents(book)
    conditions = write_conditions(folder, book, whose, scenarios, scenario)
    write_index(folder, book, names, write_principals(folder, book, sources), policy_index, conditions)
    findings = write_findings(folder, lake, policies, checks, book, belonging(book, sources, part, own))
    rejects = write_rejects(folder, lake, own)
    pages = Pages(folder, {
        "snapshot_id": lake.snapshot_id,
        "finding_count": sum(finding.open_count for finding in findings),
        "reject_count": rejects.count,
        "scenario": told(scenario) if scenario else None,
        "part": part.words if part else None,
        "is_cut": own is not None and own.files is not None,
        "has_console": has_console,
        "changes": changes,
    })  # fmt: skip
    counts = write_actions(pages, book, sources, names)
    accounts = write_accounts(pages, book, sources, policies)
    tasks = [task(action.name) for action in book.actions]
    missing, inputs = gaps(lake, book, own), inputs_of(lake.manifest, own)
    pages.write("actions.html", "actions", actions=list(zip(book.actions, tasks, names, counts, strict=True)))
    pages.write("findings.html", "findings", severities=by_severity(findings))
    if changes:
        (folder / CHANGES).write_text(assets.text("reports", CHANGES), encoding="utf-8")
        pages.write("changes.html", "changes")
    pages.write("rejects.html", "rejects", table=rejects)
    pages.write("provenance.html", "provenance", versions=versions(lake), inputs=inputs_table(folder, inputs),
                gaps=missing, assumptions=ASSUMPTIONS, blind_spots=BLIND_SPOTS,
                rows=sorted(lake.manifest.get("counts", {}).items()))  # fmt: skip
    pages.write("conditions.html", "conditions", table=conditions_table(folder, book, whose))
    pages.write("inventory.html", "inventory", table=write_inventory(folder, lake, book))
    for name in ("matrix", "principal", "policy", "condition", "resource"):
        pages.write(f"{name}.html", name)
    keys, total = keys_in_use(book, whose), totals(accounts)
    pages.write("index.html", "index", accounts=accounts, totals=total, severities=by_severity(findings), gaps=missing,
                story=story(book, counts, findings, total, keys, part), keys=keys[:10], key_count=len(keys),
                history=None if scenario else history,
                dangerous=dangerous(book, names, counts), actions=len(book.actions),
                principals=sum(account["principals"] for account in accounts), manifest=lake.manifest,
                inputs=len(inputs))  # fmt: skip
    return pages
