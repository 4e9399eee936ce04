"""Tags as condition keys: of principals, and of resources under both spellings. Source: KEYS, TAGS, STAG."""

from collections.abc import Iterable, Mapping

from pipeline.iam.request_keys import PRINCIPAL_TAG, TAG_KEY
from pipeline.reference import ActionResourceType, ReferenceAction
from pipeline.simulate.facts import Facts
from pipeline.simulate.from_lake import Principal, Tags
from pipeline.simulate.remarks import types_of


def principal_tags(principal: Principal | None, line: Mapping[str, tuple[str, ...]]) -> Facts:
    """Return the principal's tags as keys.

    Where its trust policy lets somebody pass session tags, a role's tags give way to those in the line (STAG), which
    cannot remove them. Of all others, tags that the line names and the principal has not are known to be absent.
    """
    if principal is None or principal.principal_type == "policy":
        return {}
    tags: Facts = {PRINCIPAL_TAG + key.lower(): (value,) for key, value in principal.tags}
    asked = [key for key in line if key.startswith(PRINCIPAL_TAG)]
    if not principal.has_session_tags:
        return {**dict.fromkeys(asked, ()), **tags}
    return {key: values for key, values in tags.items() if not line.get(key)}


def resource_tags(tags: Tags, entry: ReferenceAction | None, action: str, resource: str) -> tuple[Facts, list[str]]:
    """Return a resource's tags as keys, under aws: and under the service's own spelling, with remarks.

    Only keys that requests for this action and resource can carry; any where the reference does not know the action.
    """
    service = action.split(":", 1)[0].lower()
    prefixes = [p for p in (TAG_KEY, f"{service}:resourcetag/") if entry is None or _carries(entry, resource, p)]
    found: Facts = {}
    notes = []
    for key, value in tags:
        if any(prefix + key.lower() in found for prefix in prefixes):
            notes.append(
                f"two tags of the resource differ from {key} in case only; AWS compares one of them, here the first"
            )
        for prefix in prefixes:
            found.setdefault(prefix + key.lower(), (value,))
    return found, notes


def tied_tags(line: Mapping[str, tuple[str, ...]], entry: ReferenceAction | None, action: str, resource: str) -> Facts:
    """Return the resource tags that a line gives under one spelling only, under the other: both are one fact."""
    service = action.split(":", 1)[0].lower()
    prefixes = (TAG_KEY, f"{service}:resourcetag/")
    if entry is not None and not all(_carries(entry, resource, prefix) for prefix in prefixes):
        return {}
    found: Facts = {}
    for one, other in (prefixes, prefixes[::-1]):
        for key in line:
            if key.startswith(one) and other + key.removeprefix(one) not in line:
                found[other + key.removeprefix(one)] = line[key]
    return found


def _carries(entry: ReferenceAction, resource: str, prefix: str) -> bool:
    types = types_of(entry, resource) or entry.resource_types
    return any(key.lower().startswith(prefix) for key in _keys(types))


def _keys(types: Iterable[ActionResourceType]) -> Iterable[str]:
    return (key for kind in types for key in kind.condition_keys)
