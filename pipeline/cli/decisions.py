"""Asks the concrete evaluator about rows of ``who-can``: one request for each principal and action."""

import json
from collections.abc import Mapping

import pyarrow as pa

from pipeline.cli.simulate import AHEAD
from pipeline.lake import Lake
from pipeline.reference import load


def decided(lake: Lake, rows: pa.Table, resource: str, context: Mapping[str, list[str]]) -> pa.Table:
    """Return the rows with the column ``decision``: allowed, explicitDeny, implicitDeny or error."""
    from pipeline.simulate import simulate_lines

    pairs = list(zip(rows["principal_arn"].to_pylist(), rows["action"].to_pylist(), strict=True))
    asked = list(dict.fromkeys(pairs))
    requests = (
        json.dumps({"principal": principal, "action": action, "resource": resource, "context": context})
        for principal, action in asked
    )
    answers = [json.loads(line)["decision"] for line in simulate_lines(requests, lake, load(), ahead=AHEAD)]
    decision = dict(zip(asked, answers, strict=True))
    return rows.append_column("decision", pa.array([decision[pair] for pair in pairs], pa.string()))
