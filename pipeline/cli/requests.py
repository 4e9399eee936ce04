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

    Raises PolicylakeError for a key that nobody knows, a value of another type than the key's, keys that no request has
    together, and, of a request with a context, for a resource of a type that none of the actions takes.
    """
    from pipeline.simulate import Remarks, contradiction, named_in, unowned_bucket

    remarks, names = Remarks(load()), named_in(lake)
    on_resource = [said for action in actions if resource and (said := remarks.on_resource(action, resource))]
    if len(on_resource) == len(actions):
        for said in on_resource[:MOST_TOLD]:
            if said.is_mistake and context:
                raise PolicylakeError(f"--resource {said.text}; {said.remedy}")
            note(f"--resource: {said.text}")
    unowned = unowned_bucket(lake, resource) if resource else None
    if unowned:
        note(f"--resource: {unowned}")
    wrong = [contradiction(action, resource, context, remarks) for action in actions]
    if wrong and all(wrong):
        raise PolicylakeError(f"--{wrong[0]}")
    found = [[r for r in remarks.on(action, resource, context, names) if r.member == "context"] for action in actions]
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
    answers = [json.loads(line) for line in simulate_lines(requests, lake, load(), ahead=AHEAD)]
    decision = {pair: answer["decision"] for pair, answer in zip(asked, answers, strict=True)}
    details = {
        pair: answer["detail"].partition(": ")[2]
        for pair, answer in zip(asked, answers, strict=True)
        if answer["decision"] == "error"
    }
    for (principal, action), detail in list(details.items())[:MOST_TOLD]:
        note(f"{principal} {action}: {detail}")
    if len(details) > MOST_TOLD:
        note(f"and {len(details) - MOST_TOLD} requests more that cannot be made")
    return rows.append_column("decision", pa.array([decision[pair] for pair in pairs], pa.string()))
