"""Shows an explanation to people: the verdict, what would change it, the scopes as a table, the statements by layer."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.cli.common import emit, standard_output
from pipeline.cli.explain_rows import Parts
from pipeline.errors import printable
from pipeline.wording import why_not_proven

Row = Mapping[str, Any]

#: Lines of proof; --format shows them all.
MOST_WITNESSES = 3
#: Columns that only tell the parts of the joint table apart, or are said elsewhere.
REPEATED = ("principal_arn", "part", "condition_id", "witness", "smallest_change", "is_proven")
#: Characters of a clause that are shown; --format has all of it.
LONGEST = 300
ONLY_THROUGH = ": only for calls through that VPC endpoint, so no verdict counts it"
SAID = {"always": "always", "never": "never", "depends": "depends on the request"}


def show(action: str, parts: Parts) -> None:
    """Print the parts on standard output."""
    verdict = parts.verdicts.to_pylist()[0]
    _say(f"{verdict['principal_arn']}", f"{action}: {_verdict(verdict)}")
    if verdict.get("decision"):
        _say(f"This request: {verdict['decision']}: {verdict['detail']}")
    elif verdict.get("resource_verdict"):
        _say(f"This resource: {verdict['resource_verdict']}")
    if verdict["is_incomplete"]:
        _say(f"Incomplete, the answer may be wrong. Missing: {', '.join(verdict['missing'])}")
    if parts.changes.num_rows:
        _say("", "What would change it", *_changes(parts.changes.to_pylist()))
    if parts.scopes.num_rows:
        _say("", "Granted scopes")
        emit(parts.scopes.drop_columns(list(REPEATED)), "table", None)
        if not verdict.get("decision") and not verdict.get("resource_verdict"):
            _say(*_proofs(parts.scopes.to_pylist()))
    _say(*_layers(parts.statements.to_pylist(), parts.clauses.to_pylist()))


def _proofs(scopes: Iterable[Row]) -> Iterator[str]:
    listed = list(scopes)
    found = dict.fromkeys(row["witness"] for row in listed if row["witness"])
    if found:
        yield from ("", "Proof: requests that are allowed, as lines of simulate")
        yield from (f"  {line}" for line in itertools.islice(found, MOST_WITNESSES))
    if len(found) > MOST_WITNESSES:
        yield f"  and {len(found) - MOST_WITNESSES} more; --format jsonl shows them all"
    for row in listed:
        if not row["is_proven"]:
            why = why_not_proven(row["verdict"], row["witness"], row["smallest_change"])
            yield f"  not proven on {row['resource_pattern']}: {why}"


def _layers(statements: Iterable[Row], clauses: Iterable[Row]) -> Iterator[str]:
    # Here and not above: explain alone needs the evaluation, which takes a while to load.
    from pipeline.evaluate.explained_statements import key_of

    held: dict[tuple[str, str, str], list[Row]] = {}
    for clause in clauses:
        held.setdefault((clause["layer"], clause["target_arn"] or "", clause["statement_id"]), []).append(clause)
    layer = None
    for row in statements:
        if row["layer"] != layer:
            layer = row["layer"]
            yield from ("", f"Layer {layer}{ONLY_THROUGH if layer == 'endpoint' else ''}")
        yield from _lines(row, held.get(key_of(row), ()))


def _verdict(verdict: Row) -> str:
    by = f", decided by {verdict['layer']}" if verdict["layer"] else ""
    reasons = f" ({', '.join(verdict['statement_ids'])})" if verdict["statement_ids"] else ""
    return f"{verdict['verdict']}{by}{reasons}"


def _changes(changes: Iterable[Row]) -> Iterator[str]:
    said: dict[str, None] = {}
    for row in changes:
        where = f" (for {row['resource_pattern']})" if row["resource_pattern"] else ""
        lines = [f"  {row['change']}{where}"]
        if row["example"]:
            lines.append(f"    so it is with {row['example']}")
        if row["counter_example"]:
            lines.append(f"    but not with {row['counter_example']}")
        said["\n".join(lines)] = None
    for text in said:
        yield from text.split("\n")


def _lines(row: Row, clauses: Iterable[Row]) -> Iterator[str]:
    level = f"level {row['level']}, " if row["level"] is not None else ""
    place = f"{level}{row['target_name'] or row['target_arn']}" if row["target_arn"] else ""
    policy = " ".join(part for part in (row["policy_name"], row["policy_arn"]) if part)
    yield "  " + ": ".join(part for part in (place, policy, row["remark"]) if part)
    if row["statement_id"]:
        sid = f" {row['sid']!r}" if row["sid"] else ""
        counts = f", {row['counts_as']}" if row["counts_as"] else ""
        yield f"    {row['effect']}{sid} {row['statement_id']}{counts}, applies: {SAID[row['applies']]}"
        yield f"      at {_place(row)}"
        yield f"      {row['statement']}"
        yield from (f"      {_clause(clause)}" for clause in clauses)


def _place(row: Row) -> str:
    """Say where a statement stands: file with line and column, the pointer, and what there is to know of both."""
    place = ":".join(str(part) for part in (row["file"], row["line"], row["column"]) if part is not None)
    pointer = f"{row['document_pointer'] or ''}{row['statement_pointer']}"
    within = " of its document" if row["document_pointer"] is None else ""
    remark = f"; {row['position_remark']}" if row["position_remark"] else ""
    return f"{place} ({pointer}{within}{remark})"


def _clause(clause: Row) -> str:
    kinds = f" on {', '.join(clause['resource_types'])}" if clause["resource_types"] else ""
    text = clause["clause"] if len(clause["clause"]) <= LONGEST else clause["clause"][:LONGEST] + " ..."
    reason = f" ({clause['reason']})" if clause["reason"] else ""
    return f"- {text}: {SAID[clause['holds']]}{kinds}{reason}"


def _say(*lines: str) -> None:
    with standard_output() as out:
        out.write("".join(printable(line) + "\n" for line in lines).encode("utf-8", "backslashreplace"))
