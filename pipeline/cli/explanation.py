"""Shows an explanation to people: the verdict, the scopes as a table, then the statements layer by layer."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.cli.common import FormatName, emit, standard_output
from pipeline.errors import printable

#: Columns that only tell the parts of the joint table apart.
REPEATED = ("principal_arn", "part")


def is_wanted(name: FormatName | None, out: Path | None) -> bool:
    """Whether the answer is for people: the table format, on standard output."""
    return name in (None, "table") and out is None


def show(action: str, verdicts: pa.Table, scopes: pa.Table, statements: pa.Table) -> None:
    """Print the three parts on standard output."""
    verdict = verdicts.to_pylist()[0]
    _say(f"{verdict['principal_arn']}", f"{action}: {_decision(verdict)}")
    if verdict["is_incomplete"]:
        _say(f"Incomplete, the answer may be wrong. Missing: {', '.join(verdict['missing'])}")
    if scopes.num_rows:
        _say("", "Granted scopes")
        emit(scopes.drop_columns(list(REPEATED)), "table", None)
    layer = None
    for row in statements.to_pylist():
        if row["layer"] != layer:
            layer = row["layer"]
            _say("", f"Layer {layer}")
        _say(*_lines(row))


def _decision(verdict: dict[str, Any]) -> str:
    by = f", decided by {verdict['layer']}" if verdict["layer"] else ""
    reasons = f" ({', '.join(verdict['statement_ids'])})" if verdict["statement_ids"] else ""
    return f"{verdict['verdict']}{by}{reasons}"


def _lines(row: dict[str, Any]) -> list[str]:
    level = f"level {row['level']}, " if row["level"] is not None else ""
    place = f"{level}{row['target_name'] or row['target_arn']}" if row["target_arn"] else ""
    policy = " ".join(part for part in (row["policy_name"], row["policy_arn"]) if part)
    lines = ["  " + ": ".join(part for part in (place, policy, row["remark"]) if part)]
    if row["statement_id"]:
        sid = f" {row['sid']!r}" if row["sid"] else ""
        counts = f", {row['counts_as']}" if row["counts_as"] else ""
        lines.append(f"    {row['effect']}{sid} {row['statement_id']}{counts}, from {row['source']}")
        lines.append(f"      {row['statement']}")
    return lines


def _say(*lines: str) -> None:
    with standard_output() as out:
        out.write("".join(printable(line) + "\n" for line in lines).encode("utf-8", "backslashreplace"))
