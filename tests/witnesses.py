"""Holds the witnesses of a lake against the concrete evaluator. Knows public relations and the service reference."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.lake import Lake
from pipeline.reference import Reference
from pipeline.simulate import simulate_lines

Json = dict[str, Any]
ENDPOINT = {"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"}
#: Global keys that only some actions carry.
PER_ACTION = (
    "aws:resourcetag/", "aws:requesttag/", "aws:tagkeys",
    "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths",
)  # fmt: skip
#: Keys that sessions of SageMaker Studio bring: the reference knows them and lists them with no action.
OF_SESSIONS = ("sagemaker:domainid", "sagemaker:userprofilename")
AHEAD = 500


def failures(lake: Lake, known: Reference, most: int = 4000) -> list[str]:
    """Say what is wrong with the witnesses of at most so many rows, and with those of all conditions."""
    sql = (
        "select principal_arn, action, resource_type, resource_pattern, verdict, is_proven, witness from access "
        "order by hash(principal_arn || action || resource_type || resource_pattern) limit $most"
    )
    rows = lake.query(sql, {"most": most}).to_pylist()
    conditions = lake.query(
        "select condition_id, formula, witness, smallest_change from residual_conditions"
    ).to_pylist()
    found = [f"no witness: {row}" for row in rows if row["witness"] is None and row["is_proven"]]
    # With a variable that nobody knows the formula may be certain without the method seeing it; and what no glob writes
    # is a test on the resource, beside which other rows may allow all the rest.
    told = [row for row in conditions if not re.search(r"\$\{[^*?$]|ResourceLike", row["formula"])]
    without = [row for row in told if not (row["witness"] and row["smallest_change"])]
    found += [f"no witness or no change: {row}" for row in without]
    lines = [row["witness"] for row in (*rows, *conditions) if row["witness"]]
    found += [f"{answer['decision']}: {line}" for line, answer in decided(lines, lake, known) if not is_allowed(answer)]
    changed = [changed_line(row) for row in conditions if row["witness"] and row["smallest_change"]]
    found += [f"allowed still: {line}" for line, answer in decided(changed, lake, known) if not is_refused(answer)]
    found += [f"{words}: {line}" for line in {*lines, *changed} for words in untied(json.loads(line)["context"])]
    asked = [(row, json.loads(row["witness"])["context"]) for row in rows if row["witness"]]
    return found + [f"{key} is out of place: {row}" for row, context in asked for key in uncarried(row, context, known)]


def decided(lines: list[str], lake: Lake, known: Reference) -> Iterator[tuple[str, Json]]:
    distinct = list(dict.fromkeys(lines))
    return zip(distinct, map(json.loads, simulate_lines(distinct, lake, known, ahead=AHEAD)), strict=True)


def is_allowed(answer: Json) -> bool:
    return bool(answer["decision"] == "allowed")


def is_refused(answer: Json) -> bool:
    return answer["decision"] in ("explicitDeny", "implicitDeny")


def changed_line(condition: Json) -> str:
    """Return a condition's witness with its change made."""
    line, change = json.loads(condition["witness"]), json.loads(condition["smallest_change"])
    context = {key: value for key, value in {**line["context"], **change["context"]}.items() if value is not None}
    return json.dumps({**line, **change, "context": context})


def untied(context: Json) -> Iterator[str]:
    """Say which keys of a context AWS never sends like this."""
    keys = {key.lower() for key in context}
    if ENDPOINT & keys and (not keys >= ENDPOINT or "aws:sourceip" in keys):
        yield "keys of a VPC endpoint"
    named = context.get("aws:TagKeys", [])
    names = {name.lower() for name in ([named] if isinstance(named, str) else named)}
    if any(key.startswith("aws:requesttag/") and key.removeprefix("aws:requesttag/") not in names for key in keys):
        yield "tags of the request without their keys"


def uncarried(row: Json, context: Json, known: Reference) -> Iterator[str]:
    """Yield the keys that a request for the action and resource type cannot carry."""
    action = known.action(row["action"])
    kind = action and next((k for k in action.resource_types if k.resource_type == row["resource_type"]), None)
    names = [name.lower() for name in (kind or action).condition_keys] if action else []
    for key in map(str.lower, context):
        is_listed = any(key == name or ("${" in name and key.startswith(name.split("${")[0])) for name in names)
        is_of_service = (not key.startswith("aws:") and key not in OF_SESSIONS) or key.startswith(PER_ACTION)
        if action and is_of_service and not is_listed and known.key(key) is not None and "." not in key.split(":")[0]:
            yield key
