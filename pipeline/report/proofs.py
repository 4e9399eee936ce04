"""Says what proves a condition: a request that meets it, and the smallest change with which it is denied."""

import json
from typing import Any

from pipeline.wording import why_not_proven


def proof(verdict: str, witness: str | None, change: str | None, *, is_proven: bool) -> str | None:
    """Return the proof of a condition in words, from its witness and smallest change; None where there are none.

    The request is some principal's that has the condition, so only its context is told.
    """
    if not is_proven:
        return f"not proven: {why_not_proven(verdict, witness, change)}"
    if witness is None or change is None:
        return None
    context: dict[str, Any] = json.loads(witness)["context"]
    changed: dict[str, Any] = json.loads(change)
    given = ", ".join(_told(key, value) for key, value in context.items())
    differs = [_told(key, value) for key, value in changed["context"].items()]
    is_elsewhere = "aws:RequestedRegion" in changed["context"]
    differs += [f"resource = {changed['resource']}"] if "resource" in changed and not is_elsewhere else []
    differs += ["no session of that name"] if "principal" in changed else []
    return f"allowed with {given or 'none of these keys'}; denied with {', '.join(differs)}"


def _told(key: str, value: Any) -> str:
    if value is None:
        return f"no {key}"
    return f"{key} = {', '.join(value) if isinstance(value, list) else value}"
