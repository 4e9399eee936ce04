"""The requests of ``--context``: whether there can be such, and what the concrete evaluator makes of them."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipeline.cli.common import note
from pipeline.cli.simulate import AHEAD
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.reference import load

#: Actions of which is told that a resource is none of theirs.
MOST_TOLD = 3


def check(lake: Lake, actions: Sequence[str], resource: str | None, context: Mapping[str, list[str]]) -> None:
    """Say what is odd about the resource and the keys of a request for any of these actions.

    Raises PolicylakeError for a key that nobody knows and for a value of another type than the key's.
    """
    from pipeline.simulate import Remarks, named_in

    remarks, names = Remarks(load()), named_in(lake)
    on_resource = [remarks.on_resource(action, resource) for action in actions] if resource else []
    if all(on_resource):
        for said in on_resource[:MOST_TOLD]:
            note(f"--resource: {said}")
    found = [[r for r in remarks.on(action, context, names) if r.member == "context"] for action in actions]
    mistake = next((remark for listed in found for remark in listed if remark.is_mistake), None)
    if mistake:
        raise PolicylakeError(f"--context {mistake}")
    for remark in found[0]:
        if all(any(other.name == remark.name for other in listed) for listed in found):
            note(f"--context {remark}")


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
