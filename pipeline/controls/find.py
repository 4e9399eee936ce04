"""Runs controls over a lake and makes findings of their rows: with places, names that stay, accepted risks."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.controls.accepted import ExceptionRule, accepted
from pipeline.controls.corrections import corrected, correction_of
from pipeline.controls.files import used_in, value_of
from pipeline.controls.model import (
    FINDINGS,
    REQUIRED,
    RETURNED,
    SEVERITIES,
    STABLE,
    SUBJECT_KINDS,
    Control,
    NotRun,
    Value,
    digest,
)
from pipeline.controls.not_run import finding_of
from pipeline.errors import PolicylakeError
from pipeline.evaluate.named import run
from pipeline.iam.grammar import account_in
from pipeline.lake import Lake
from pipeline.lake.queries import command_query, named_query

Row = dict[str, Any]
#: What the relations access, access_matrix and statement_grants are made of, and so most controls: made once a run.
READ_BY_MOST = "profile_cells"

_FOUND = pa.schema(
    [("row_number", pa.int64())]
    + [(name, pa.string()) for name in ("principal_arn", "resource_arn", "attached_to", "statement_id", "policy_id")]
)


def find(
    lake: Lake,
    controls: Sequence[Control],
    parameters: Mapping[str, str] | None = None,
    exceptions: Sequence[ExceptionRule] = (),
    today: date | None = None,
    unread: Sequence[NotRun] = (),
) -> pa.Table:
    """Return what the controls find in the lake, and what is wrong with exceptions: the columns of FINDINGS.

    ``parameters`` are values by ``control.parameter``, as texts; the others have their defaults. ``today`` decides
    which exceptions have expired, by default the day in UTC. A control whose SQL fails, and each of ``unread``, is a
    finding of its own, control-not-run, and the others run. Raises PolicylakeError for a parameter that no control has.
    """
    settings = _settings(controls, parameters or {})
    sources = _Sources(lake)
    if len(controls) > 1:
        lake.hold(READ_BY_MOST)
    rows: list[Row] = []
    ids, not_run = [], list(unread)
    for control in controls:
        try:
            rows += _findings(lake, control, settings[control.id], sources)
        except PolicylakeError as error:
            not_run.append(NotRun(control.id, str(control.path), f"{error}{_with(control, parameters or {})}"))
        else:
            ids.append(control.id)
    day = today or datetime.now(UTC).date()
    rows = sorted((*rows, *accepted(rows, exceptions, ids, day), *map(finding_of, not_run)), key=_order)
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def _order(row: Row) -> tuple[int, str, str]:
    return SEVERITIES.index(row["severity"]), row["control_id"], row["finding_id"]


def _settings(controls: Sequence[Control], given: Mapping[str, str]) -> dict[str, dict[str, Value]]:
    known = {f"{control.id}.{p.name}": (control, p) for control in controls for p in control.parameters}
    settings = {control.id: {p.name: p.default for p in control.parameters} for control in controls}
    for name, text in given.items():
        if name not in known:
            takes = f"there are {', '.join(known)}" if known else "the controls take none"
            raise PolicylakeError(f"--set {name}={text}: no parameter of a control; {takes}")
        control, parameter = known[name]
        settings[control.id][parameter.name] = value_of(control, parameter, text)
    return settings


def _with(control: Control, given: Mapping[str, str]) -> str:
    """Return with which values a control ran that are not its own; nothing where there are none."""
    told = [f"--set {name}={text}" for name, text in given.items() if name.startswith(f"{control.id}.")]
    return f" (it ran with {', '.join(told)})" if told else ""


class _Sources:
    """Runs named queries for controls, each once for the same values."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.kept: dict[tuple[str, tuple[tuple[str, str | None], ...]], pa.Table] = {}

    def rows(self, query: str, values: Mapping[str, str]) -> pa.Table:
        asked = named_query(query)
        key = (query, tuple((p.name, values.get(p.name, p.default)) for p in asked.parameters))
        if key not in self.kept:
            self.kept[key] = run(self.lake, asked, values)
        return self.kept[key]


def _findings(lake: Lake, control: Control, settings: Mapping[str, Value], sources: _Sources) -> list[Row]:
    for source in control.sources:
        values = {name: _passed(value, settings) for name, value in source.values.items()}
        rows = sources.rows(source.query, values)
        lake.lend(source.name, _left(rows, sources.rows(source.without, {})) if source.without else rows)
    found = lake.query(control.sql, {name: settings[name] for name in used_in(control.sql)})
    _check(found)
    return list(_placed(lake, control, _distinct(found.to_pylist())))


def _left(rows: pa.Table, others: pa.Table) -> pa.Table:
    """Return the rows of principals that are not among others."""
    return rows.filter(pc.invert(pc.is_in(rows["principal_arn"], value_set=others["principal_arn"].combine_chunks())))


def _passed(value: str, settings: Mapping[str, Value]) -> str:
    return str(settings[value[1:]]) if value.startswith("$") else value


def _check(found: pa.Table) -> None:
    """Raise PolicylakeError unless the columns are those that a control may return, and its words are known."""
    for name in found.column_names:
        if name not in RETURNED:
            raise PolicylakeError(f"the column {name} is none of a finding's; return {', '.join(RETURNED)}")
    for name in REQUIRED:
        if name not in found.column_names or found[name].null_count:
            raise PolicylakeError(f"the column {name} is missing or null; give every row one")
    for kind in found["subject_kind"].unique().to_pylist():
        if kind not in SUBJECT_KINDS:
            raise PolicylakeError(f"subject_kind {kind}: one of these is expected: {', '.join(SUBJECT_KINDS)}")
    if "corrected_statement" in found.column_names:
        for text in found["corrected_statement"].drop_null().unique().to_pylist():
            _check_statement(text)


def _check_statement(text: str) -> None:
    """Raise PolicylakeError for a text that is no statement of a policy."""
    try:
        statement = json.loads(text)
    except ValueError:
        statement = None
    if not isinstance(statement, dict) or "Effect" not in statement or not {"Action", "NotAction"} & statement.keys():
        expected = "a JSON object with Effect and Action or NotAction is expected"
        raise PolicylakeError(f"corrected_statement {text[:100]!r} is no statement: {expected}")


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without what is there twice, in an order that does not depend on the database."""
    return [json.loads(text) for text in sorted({json.dumps(row, sort_keys=True) for row in rows})]


def _placed(lake: Lake, control: Control, rows: Sequence[Row]) -> Iterator[Row]:
    if not rows:
        return
    made = list(_corrected(lake, rows))
    asked = [{name: row.get(name) for name in _FOUND.names} | {"row_number": n} for n, row in enumerate(made)]
    lake.lend("found_rows", pa.Table.from_pylist(asked, schema=_FOUND))
    places = lake.query(command_query("placed_findings")).to_pylist()
    taken: set[str] = set()
    for row, place in zip(made, places, strict=True):
        finding = _finding(control, row, place)
        if finding["finding_id"] in taken:
            finding["finding_id"] = digest(finding["finding_id"], row["message"])
        taken.add(finding["finding_id"])
        yield finding


def _corrected(lake: Lake, rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows with the statement that their ``correction`` makes, else the one that they bring themselves.

    A row that names no statement gets the one that is corrected: what is made takes its place, and is none to add.
    """
    told = [correction_of(row["correction"]) if row.get("correction") else {} for row in rows]
    asked = [one.get("statement") or row.get("statement_id") for one, row in zip(told, rows, strict=True)]
    wanted = sorted({name for name, one in zip(asked, told, strict=True) if one and name})
    texts = {}
    if wanted:
        lake.lend("asked_statements", pa.table({"statement_id": pa.array(wanted, pa.string())}))
        found = lake.query(command_query("statements_to_correct")).to_pylist()
        texts = {row["statement_id"]: row["statement"] for row in found}
    for row, one, name in zip(rows, told, asked, strict=True):
        text = texts.get(name) if one else None
        made = corrected(json.loads(text), one) if text else None
        is_changed = bool(text and made) and _effect(text) == _effect(made)
        statement_id = row.get("statement_id") or (name if is_changed else None)
        yield {**row, "statement_id": statement_id, "corrected_statement": made or row.get("corrected_statement")}


def _effect(statement: str | None) -> Any:
    return json.loads(statement or "{}").get("Effect")


def _finding(control: Control, row: Row, place: Row) -> Row:
    return {
        **dict.fromkeys(FINDINGS.names),
        **{name: row.get(name) for name in ("principal_arn", "action", "resource_arn", "statement_id")},
        **{name: place[name] for name in ("policy_id", "policy_name", "attachment_kind", "attached_to")},
        "attachment_count": place["attachment_count"],
        "source": row.get("source") or place["source"],
        "finding_id": finding_id(control.id, row, place),
        "control_id": control.id,
        "title": control.title,
        "severity": control.severity,
        "subject": row.get("subject") or _subject(row, place),
        "subject_kind": row["subject_kind"],
        "account_id": row.get("account_id") or _account(row) or place["account_id"],
        "message": row["message"],
        "remedy": row.get("remedy") or control.remedy,
        "corrected_statement": row.get("corrected_statement"),
        "status": "open",
    }


def finding_id(control: str, row: Row, place: Row) -> str:
    """Return the name of a finding, which stays from run to run: it is made of what the finding is about.

    A statement counts with its Sid, or with its text where it has none of its own: neither its number in the policy nor
    the rest of the policy does. The places of a policy count only where the row names neither principal nor resource.
    """
    parts = [control, *(row.get(name) or "" for name in STABLE), place["statement_key"] or ""]
    if place["policy_id"]:
        is_named = row.get("principal_arn") or row.get("resource_arn") or row.get("attached_to")
        parts.append((place["policy_arn"] or place["policy_name"] if is_named else place["label"]) or "")
    elif not any(row.get(name) for name in STABLE[1:]):
        parts.append(row.get("subject") or "")
    return digest(*parts)


def _account(row: Row) -> str | None:
    """Return the account in the ARN of the principal or the resource."""
    return account_in(row.get("principal_arn") or row.get("resource_arn") or "") or None


def _subject(row: Row, place: Row) -> str:
    if row["subject_kind"] == "statement":
        number = place["statement_index"]
        statement = place["sid"] or ("" if number is None else f"statement {number + 1}")
        return f"{place['label'] or place['policy_id']}: {statement}"
    named = {"policy": place["label"], "role": row.get("principal_arn"), "principal": row.get("principal_arn")}
    found = named.get(row["subject_kind"]) or row.get("resource_arn") or row.get("principal_arn")
    return found or place["label"] or ""
