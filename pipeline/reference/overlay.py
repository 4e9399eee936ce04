"""Lays services of AWS's machine-readable reference over the rows of a reference. No I/O.

AWS's files name no required marks, no descriptions, no service names and no RCP support: these stay as they were.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pipeline.reference.aws_format import Action, Service, access_level, value_type

Row: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = dict[str, list[Row]]

SOURCE = "aws-service-reference"
#: Keys of requests through a VPC endpoint that AWS gives to requests of some services only (KEYS).
ENDPOINT_KEYS = frozenset({"aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"})
UNKNOWN_MARK = "AWS's machine-readable reference has no required marks and the packaged one does not know this pair"


def overlay(base: Mapping[str, list[Row]], services: Mapping[str, Service]) -> Rows:
    """Return the rows of every relation, those of ``services`` (by prefix) replaced; columns as in the schema."""
    actions = list(_actions(base["reference_actions"], services))
    known = {row[0] for row in actions}
    return {
        "reference_services": list(_services(base["reference_services"], services)),
        "reference_actions": actions,
        "reference_action_resource_types": list(_action_types(base["reference_action_resource_types"], services)),
        "reference_resource_types": list(_resource_types(base["reference_resource_types"], services)),
        "reference_condition_keys": list(_condition_keys(base["reference_condition_keys"], services)),
        "reference_dependent_actions": list(_dependents(base["reference_dependent_actions"], services, known)),
        "reference_operations": [
            (operation, prefix, f"{prefix}:{operation.split('.', 1)[-1]}" in known, *rest)
            for operation, prefix, _, *rest in base["reference_operations"]
        ],
    }


def _prefix(action: str) -> str:
    return action.split(":", 1)[0].lower()


def _services(rows: list[Row], services: Mapping[str, Service]) -> Iterator[Row]:
    yield from rows
    known = {row[0] for row in rows}
    for prefix in services:
        if prefix not in known:
            yield (prefix, prefix, False)


def _endpoint_keys(rows: list[Row]) -> dict[str, frozenset[str]]:
    """Return the keys of VPC endpoints that requests of each action carry: AWS's guide lists them, its files do not."""
    return {row[0]: frozenset(row[4]) & ENDPOINT_KEYS for row in rows}


def _by_name(actions: Iterable[Action]) -> dict[str, Action]:
    return {action.name: action for action in actions}


def _known_types(service: Service, action: Action) -> dict[str, list[str]]:
    """The action's resource types, without those that the file does not describe, with their keys."""
    described = {kind.name for kind in service.resources}
    return {taken.name: sorted(set(taken.condition_keys)) for taken in action.resources if taken.name in described}


def _actions(rows: list[Row], services: Mapping[str, Service]) -> Iterator[Row]:
    former = {row[0]: row for row in rows}
    endpoint_keys = _endpoint_keys(rows)
    yield from (row for row in rows if row[1] not in services)
    for prefix, service in services.items():
        of_service = frozenset[str]().union(*(endpoint_keys[full] for full in endpoint_keys if _prefix(full) == prefix))
        for name, action in _by_name(service.actions).items():
            full = f"{prefix}:{name}"
            _, _, level, words, *_ = former.get(full, (full, prefix, "Write", None))
            keys = sorted({*action.action_condition_keys, *endpoint_keys.get(full, of_service)})
            yield (full, prefix, access_level(action) or level, words, keys, bool(_known_types(service, action)))


def _action_types(rows: list[Row], services: Mapping[str, Service]) -> Iterator[Row]:
    former = {(row[0], row[1]): row for row in rows}
    yield from (row for row in rows if _prefix(row[0]) not in services)
    for prefix, service in services.items():
        for name, action in _by_name(service.actions).items():
            for kind, keys in _known_types(service, action).items():
                pair = (f"{prefix}:{name}", kind)
                _, _, is_required, _, is_doubtful, remark = former.get(pair, (*pair, False, [], True, UNKNOWN_MARK))
                yield (*pair, is_required, keys, is_doubtful, remark)


def _resource_types(rows: list[Row], services: Mapping[str, Service]) -> Iterator[Row]:
    """An ARN form that was known and still holds stays; else the first one counts."""
    former = {(row[0], row[1]): row[2] for row in rows}
    yield from (row for row in rows if row[0] not in services)
    for prefix, service in services.items():
        for name, kind in {kind.name: kind for kind in service.resources}.items():
            known = former.get((prefix, name))
            forms = kind.arn_formats or [known or "*"]
            yield (prefix, name, known if known in forms else forms[0], sorted(set(kind.condition_keys)))


def _condition_keys(rows: list[Row], services: Mapping[str, Service]) -> Iterator[Row]:
    """Former spellings stay known even where the file lists them no more: policies still use them."""
    former = {(row[0], row[1]): row for row in rows}
    listed = {(key.name, prefix) for prefix, service in services.items() for key in service.condition_keys}
    for row in rows:
        if row[1] not in services or (row[8] and (row[0], row[1]) not in listed):
            yield row
    for prefix, service in services.items():
        used = set(_used_keys(service))
        for name, key in {key.name: key for key in service.condition_keys}.items():
            if not name.lower().startswith("aws:"):
                _, _, known_type, *_, words, _, current = former.get((name, prefix), (None,) * 9)
                kind = value_type(key) or known_type or "String"
                is_former = current is not None and name not in used
                yield (name, prefix, kind, kind.startswith("ArrayOf"), False, None, words, is_former, current)


def _used_keys(service: Service) -> Iterator[str]:
    for action in service.actions:
        yield from action.action_condition_keys
        for taken in action.resources:
            yield from taken.condition_keys
    for kind in service.resources:
        yield from kind.condition_keys


def _dependents(rows: list[Row], services: Mapping[str, Service], known: Collection[str]) -> Iterator[Row]:
    """What AWS says of an operation takes the place of what it said before; what others say stays."""
    said = _said(services, known)
    mapped = {action for action, _ in said}
    for action, dependent, context, sources in rows:
        others = [source for source in sources if source != SOURCE] if action in mapped else list(sources)
        fresh = said.pop((action, dependent), None)
        if fresh is not None:
            yield (action, dependent, fresh or context, sorted({*others, SOURCE}))
        elif others and action in known:
            yield (action, dependent, context, others)
    for (action, dependent), context in said.items():
        yield (action, dependent, context or None, [SOURCE])


def _said(services: Mapping[str, Service], known: Collection[str]) -> dict[tuple[str, str], str]:
    """Map (action, further action) to the context as JSON text, empty where there is none."""
    said: dict[tuple[str, str], str] = {}
    for prefix, service in services.items():
        for operation in service.operations:
            action = f"{prefix}:{operation.name}"
            for needed in operation.authorized_actions:
                dependent = f"{needed.service}:{needed.name}"
                if action in known and dependent != action:
                    said[action, dependent] = json.dumps(needed.context, sort_keys=True) if needed.context else ""
    return said
