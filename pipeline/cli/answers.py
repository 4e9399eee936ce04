"""The commands ``who-can``, ``principal-can`` and ``explain``. Their SQL is in ``sql/commands``; nothing is decided."""

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from pipeline.cli import explain_rows, explain_text, gaps, pairs, requests
from pipeline.cli.common import (
    DEFAULT_LAKE,
    FormatName,
    FormatOption,
    LakeOption,
    OutOption,
    ResourceOption,
    ScenarioOption,
    ScenariosOption,
    emit,
    is_for_people,
    lake_at,
    note,
)
from pipeline.cli.scenarios import lake_under, whole_context
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.lake.names import action_of, actions_of, principal_of, resource_of
from pipeline.lake.queries import command_query, named_query
from pipeline.reference import load
from pipeline.wording import BEYOND, UNOWNED

#: What it means that a row is not proven.
NOT_PROVEN = f"{BEYOND}, so it counts as conditional; or {UNOWNED}"

PrincipalArgument = Annotated[
    str, typer.Argument(metavar="PRINCIPAL", help="ARN of a user or role, or its name where only one has it.")
]


def who_can(
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="Such as sagemaker:CreateModel; * and ? are wildcards.")
    ],
    resource: ResourceOption = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="KEY=VALUE", help="With --resource: decide this very request. May repeat."),
    ] = None,
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Show who can perform an action: one row for each granted scope, with its condition and reasons.

    A principal that is not listed cannot; a note says of how many something is missing, so that they may all the same.
    The column verdict is of the whole action, scope_verdict of the row: an
    action may need resources of several types. With --context the column decision says what the concrete evaluator
    makes of the request: allowed, explicitDeny or implicitDeny; a key that is given several times has several values.
    With --scenario conditions are those that the scenario leaves, what it excludes is not listed, and a request of
    --context has the scenario's facts as well.
    """
    keys = _keys_of(context, resource)
    opened, under = lake_under(lake, scenario, scenarios)
    whole = whole_context(under, keys)
    named = actions_of(opened, action)
    requests.check(opened, named, resource_of(resource), keys)
    rows = opened.query(command_query("who_can"), {"action": action, "resource": resource_of(resource)})
    if whole and resource is not None:
        rows = requests.decided(opened, rows, resource, whole)
    unlisted = _incomplete(opened) - set(rows["principal_arn"].to_pylist())
    if unlisted:
        what = "answers about principals that are not listed may be wrong, as something of theirs is missing"
        note(f"{what}: {len(unlisted)}; see: policylake query incomplete_principals")
    where = f"in the scenario {under.name}" if under else "whatever the context"
    emit(_with_proofs_told(rows, format_name, out), format_name, out, f"{action}: {_nobody(opened, where)}")


def principal_can(
    principal: PrincipalArgument,
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Show what a principal can do: every action that has a verdict, with the scopes and conditions of its grants.

    The column missing_dependencies names further actions that calls of a granted one may need and that are not granted:
    a training job without a role that may be passed, tags at creation without sagemaker:AddTags. passable_roles are the
    roles of the inputs that a scope of iam:PassRole reaches. With --scenario an action that the scenario takes away has
    the verdict denied, decided by the scenario.
    """
    opened, _ = lake_under(lake, scenario, scenarios)
    arn = principal_of(opened, principal)
    rows = opened.query(command_query("principal_can"), {"principal": arn})
    rows = gaps.with_passable_roles(opened, arn, gaps.with_missing_dependencies(opened, arn, rows))
    if arn in _incomplete(opened):
        note(f"{arn}: a policy of this principal is missing, so these answers may be wrong; see: policylake explain")
    emit(_with_proofs_told(rows, format_name, out), format_name, out, f"{arn}: nothing is granted")


def _keys_of(context: list[str] | None, resource: str | None) -> dict[str, list[str]]:
    """Return the keys of a request with their values. Raises PolicylakeError where it names no resource."""
    keys = pairs.values(context or (), "--context")
    if keys and resource is None:
        raise PolicylakeError("--context needs --resource ARN: a request is for one resource")
    return keys


def _nobody(lake: Lake, where: str) -> str:
    """Say that nobody can; and where that may be for want of inputs, that too."""
    manifest = lake.manifest
    is_anybody = manifest.get("counts", {}).get("principals", 0)
    told = f"nobody can, {where}" if is_anybody else "nobody is known, for no user, role or policy document was read"
    rejected = manifest.get("rejects", {}).get("error", 0)
    if not rejected:
        return told
    return f"{told}; inputs or parts of them that were rejected: {rejected:,}; see: policylake query rejects_by_file"


def _incomplete(lake: Lake) -> set[str]:
    """Return the principals of which something is missing: it may be what grants, so that no row is theirs."""
    return set(lake.query(named_query("incomplete_principals").sql)["principal_arn"].to_pylist())


def _with_proofs_told(rows: pa.Table, format_name: FormatName | None, out: Path | None) -> pa.Table:
    """Return rows as they are printed: for people the column ``is_proven`` is there only where a row is not proven."""
    unproven = [proven for proven in rows["is_proven"].to_pylist() if proven is False]
    if not is_for_people(format_name, out):
        return rows
    if not unproven:
        return rows.drop_columns(["is_proven"])
    note(f"not proven, in {len(unproven)} of {rows.num_rows} rows: {NOT_PROVEN}; see the column is_proven")
    return rows


def explain(
    principal: PrincipalArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="One action, such as sagemaker:CreateModel.")],
    resource: ResourceOption = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="KEY=VALUE", help="With --resource: explain this very request. May repeat."),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Explain an answer: the verdict, what would change it, the granted scopes, and each layer with the statements that
    match the action, where they stand in their files, and whether each of their clauses holds.

    A clause holds always, never, or depends on the request; what is known of its key is said. With --resource it is
    about that resource, with --context about one request, in which keys that are not given are absent unless they are
    known. The rows have the columns of all parts; the column part tells them apart: verdict, scope, statement, clause,
    change.
    """
    keys = _keys_of(context, resource)
    opened = lake_at(lake)
    arn, name = principal_of(opened, principal), action_of(opened, action)
    requests.check(opened, [name], resource_of(resource), keys)
    parts = explain_rows.parts(opened, load(), explain_rows.Arguments(arn, name, resource_of(resource), keys))
    if is_for_people(format_name, out):
        explain_text.show(name, parts)
    else:
        emit(pa.concat_tables(parts, promote_options="default"), format_name, out)
