"""A resource on one side of a plan: its values, which of them are unknown, and where it stands."""

import json
from typing import Any, Literal, NamedTuple

from pipeline.infrastructure.facts import (
    Json,
    as_list,
    as_object,
)
from pipeline.infrastructure.terraform.configuration import INDEX, Configuration
from pipeline.infrastructure.terraform.values import is_unknown_within

Side = Literal["before", "after"]
#: Arguments of what is read that hold documents.
DOCUMENTS = ("policy", "assume_role_policy", "content", "resource_policy")


class Resource(NamedTuple):
    """A resource on one side of a plan: its values, and which of them are unknown."""

    address: str
    type: str
    values: Json
    unknown: Json
    provider: str
    #: A former one that another replaced, and that is still to go.
    is_deposed: bool = False

    def get(self, name: str) -> Any:
        """Return an argument; None where it was taken out of the plan."""
        return None if isinstance(self.unknown.get(name), str) else self.values.get(name)

    def is_unknown(self, name: str) -> bool:
        """Whether an argument is known only after apply."""
        return bool(self.unknown.get(name)) and not self.get(name)

    @property
    def module(self) -> str:
        """The address of its module with a dot behind, empty for the root."""
        end = self.address.rfind(f"{self.type}.")
        return self.address[:end]

    @property
    def instance(self) -> str:
        """The index in its address, with its brackets."""
        found = INDEX.search(self.address[len(self.module) :])
        return found.group() if found else ""


def resource_of(change: Json, side: Side, config: "Configuration") -> Resource | None:
    """Return the resource of a change on one side; None where it is not there."""
    delta = as_object(change.get("change"))
    values = delta.get(side)
    if values is None and "forget" in as_list(delta.get("actions")):
        # What Terraform forgets stays as it was.
        values = delta.get("before")
    if change.get("mode", "managed") != "managed" or not isinstance(values, dict):
        return None
    unknown = as_object(delta.get("after_unknown")) if side == "after" else {}
    address, kind = str(change.get("address")), str(change.get("type"))
    is_same = as_list(delta.get("actions")) in (["no-op"], ["read"])
    unknown = {**unknown, **_redacted(values, delta.get(f"{side}_sensitive"), "" if is_same else side)}
    return Resource(address, kind, values, unknown, config.provider(address), "deposed" in change)


def _redacted(values: Json, marks: Any, side: str) -> Json:
    """Return the arguments that are sensitive and whose documents somebody took out of the plan: they are unknown, and
    on each side another unknown, unless nothing changes."""
    gone = {
        name
        for name, mark in as_object(marks).items()
        if mark is True and name in DOCUMENTS and not _is_document(values.get(name))
    }
    inline = [one for one in map(as_object, as_list(values.get("inline_policy"))) if one.get("policy")]
    is_marked = is_unknown_within(as_object(marks).get("inline_policy"))
    if is_marked and not all(_is_document(one["policy"]) for one in inline):
        gone.add("inline_policy")
    return dict.fromkeys(gone, f"redacted {side}")


def _is_document(text: Any) -> bool:
    try:
        return isinstance(text, dict) or isinstance(json.loads(text), dict)
    except (TypeError, ValueError, RecursionError):
        return False
