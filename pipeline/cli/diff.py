"""The command ``diff``: its two sides, its rows and its gate."""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import typer

from pipeline.cli.common import DEFAULT_LAKE, FormatOption, LakeOption, OutOption, emit, is_for_people, note
from pipeline.errors import FAILED, SOME_REJECTED, PolicylakeError
from pipeline.wording import counted

#: Columns for people; files and other formats have all.
FOR_PEOPLE = (
    "principal_arn", "action", "resource_type", "change", "residual", "resource_pattern", "old_resource_pattern",
    "condition", "old_condition", "through",
)  # fmt: skip
Gate = Literal["new-access", "changed-access", "lost-access"]


def diff(
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="[OLD] NEW",
            help="Snapshots of --lake (an id, its first characters, or current), lakes, files and folders; "
            "Terraform plans and CloudFormation templates as NEW, which need no OLD.",
        ),
    ],
    lake: LakeOption = DEFAULT_LAKE,
    fail_on: Annotated[
        Gate | None,
        typer.Option(
            "--fail-on",
            help="Exit with 1 where requests are allowed that were not (new-access), where some no longer are "
            "(lost-access), or for either (changed-access).",
        ),
    ] = None,
    principal: Annotated[
        str | None, typer.Option("--principal", metavar="ARN|NAME", help="Compare this user or role alone.")
    ] = None,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="PATTERN", help="Compare these actions alone; * and ? are wildcards."),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="ID",
            help="Compare this account alone; of a plan or template: the account, where no ARN in it tells.",
        ),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option(
            "--services", metavar="PREFIX,...", help="Answer for these service prefixes too in what is built."
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            metavar="NAME=VALUE",
            help="A parameter of a template as it is deployed, instead of its default; can be given again.",
        ),
    ] = None,
    accept_unknown: Annotated[
        bool,
        typer.Option(
            "--accept-unknown",
            help="Let --fail-on pass what nobody can know before the change: rows that say unknown.",
        ),
    ] = False,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Tell what changed: access gained, lost, and granted under other conditions, and through which statements.

    Sides that are files or folders are built in a temporary lake. A plan or a template by itself is compared with what
    it changes: the current snapshot of --lake where it has the account, else what the plan says was there before.
    Conditions are compared by what they allow, not by their text: wider, narrower, or different.
    """
    # Here and not above: it loads the evaluation.
    from pipeline.cli.diff_sides import Given, opened
    from pipeline.diff import NOTHING, Wanted, changes, fails, notes, told_once
    from pipeline.reference import load

    with tempfile.TemporaryDirectory(prefix="policylake-diff-") as folder:
        given = Given(lake, account, services or (), _parameters(parameter or ()))
        found = opened(sides, given, Path(folder))
        wanted = Wanted(principal, action, None if found.is_of_plan else account)
        rows = told_once(changes(found.old, found.new, load(), wanted, found.doubts))
        rows = _without_folder(rows, Path(folder))
        for remark in (*found.remarks, *notes(found.old, found.new)):
            note(f"note: {remark}")
        emit(rows.select(FOR_PEOPLE) if is_for_people(format_name, out) else rows, format_name, out, NOTHING)
        if rows.num_rows:
            note(_summary(rows))
        failing = fails(rows, fail_on, accepts_unknown=accept_unknown) if fail_on else 0
        unknown = fails(rows, fail_on) - fails(rows, fail_on, accepts_unknown=True) if fail_on else 0
        built = [side for side in (found.old, found.new) if Path(folder) in side.path.parents]
        rejected = 0 if found.is_of_plan else sum(side.manifest["rejects"]["error"] for side in built)
        found.old.connection.close()
        found.new.connection.close()
    if failing:
        note(f"--fail-on {fail_on}: {failing} of {rows.num_rows} rows fail")
        if unknown and not accept_unknown:
            note(f"{unknown} of them say what nobody can know yet: look at it, then pass it with --accept-unknown")
        raise typer.Exit(FAILED)
    if rejected:
        note(f"{counted(rejected, 'part')} of the inputs could not be read, so the comparison is without")
        raise typer.Exit(SOME_REJECTED)


def _parameters(given: Sequence[str]) -> dict[str, str]:
    for one in given:
        if "=" not in one:
            raise PolicylakeError(f"--parameter {one}: NAME=VALUE is expected")
    return dict(one.split("=", 1) for one in given)


def _without_folder(rows: pa.Table, folder: Path) -> pa.Table:
    """Leave out the names of files that were written for the comparison alone."""
    place = rows.schema.get_field_index("through")
    own = re.compile(rf" \({re.escape(str(folder))}[^)]*\)")
    told = [[own.sub("", text) for text in texts or ()] for texts in rows["through"].to_pylist()]
    return rows.set_column(place, "through", pa.array(told, pa.list_(pa.string())))


def _summary(rows: pa.Table) -> str:
    changed = Counter(zip(rows["change"].to_pylist(), rows["residual"].to_pylist(), strict=True))
    told = [f"{count} {change if change != 'changed' else residual}" for (change, residual), count in changed.items()]
    principals, actions = (len(rows[name].drop_null().unique()) for name in ("principal_arn", "action"))
    return f"{rows.num_rows} scopes changed ({', '.join(sorted(told))}): {principals} principals, {actions} actions"
