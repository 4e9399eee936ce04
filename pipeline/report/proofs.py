"""Says what proves a condition: a request that meets it, and the smallest change with which it is denied."""

import json
from typing import Any

NOT_PROVEN = "not proven: whether some request meets the condition, or does not, is beyond the method"
UNOWNED = "not proven: the input does not tell whose the bucket is; it is taken as the principal's own"


def proof(verdict: str, witness: str | None, change: str | None, *, is_proven: bool) -> str | None:
    """Return the proof of a condition in words, from its witness and smallest change; None where there are none.

    The request is some principal's that has the condition, so only its context is told. A row that is not proven,
    though it has both or needs none, is that of a bucket of which nobody knows the owner.
    """
    if not is_proven and (verdict == "allowed" or (witness is not None and change is not None)):
        return UNOWNED
    if witness is None or change is None:
        return None if is_proven else NOT_PROVEN
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
