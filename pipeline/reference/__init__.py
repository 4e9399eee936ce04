"""The service reference: what AWS documents of its actions, resource types and condition keys."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import PolicylakeError, first_line
from pipeline.reference.schema import SCHEMAS

PACKAGED = Path(__file__).parent / "data"
RELATIONS = tuple(SCHEMAS)
MEND = "remove the folder to use the packaged reference, or refresh it again"


class ReferenceKey(NamedTuple):
    """A condition key. ``name`` may hold a ``${...}`` part; ``value_type`` is String, ARN, Bool, ... or ArrayOf one."""

    name: str
    value_type: str
    is_multivalued: bool
    is_global: bool

    def spelt(self, written: str) -> str:
        """Return the key as AWS spells it; what somebody names in it, such as a tag, as it is written."""
        start, is_open, _ = self.name.partition("${")
        return start + written[len(start) :] if is_open else self.name


class ActionResourceType(NamedTuple):
    """A resource type of an action; ``condition_keys`` are those of a request for it, global keys apart."""

    resource_type: str
    arn_format: str
    is_required: bool
    condition_keys: tuple[str, ...]


class ReferenceAction(NamedTuple):
    """An action; without ``resource_types`` it is requested on ``*``."""

    action: str
    service: str
    access_level: str
    condition_keys: tuple[str, ...]
    resource_types: tuple[ActionResourceType, ...]


def user_folder() -> Path:
    """Return where a refreshed reference of this user lies: $POLICYLAKE_REFERENCE, or the user's data folder."""
    given = os.environ.get("POLICYLAKE_REFERENCE")
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(given) if given else Path(data) / "policylake" / "reference"


_ARN_COLONS = 5


@dataclass(frozen=True)
class Reference:
    """A service reference read from ``folder``. Tables are read when first asked for, services indexed one by one."""

    folder: Path
    meta: dict[str, Any]
    _services: dict[str, dict[str, ReferenceAction]] = field(default_factory=dict)
    _tables: dict[str, pa.Table] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Let a copy in another process read what it needs anew, the packaged one where that lies on its machine."""
        return (_packaged, (self.meta,)) if self.folder == PACKAGED else (Reference, (self.folder, self.meta))

    @property
    def version(self) -> str:
        """Version of the source."""
        return str(self.meta["version"])

    @property
    def data_date(self) -> date:
        """Day of the data."""
        return date.fromisoformat(self.meta["data_date"])

    @property
    def origin(self) -> str:
        """``packaged``, or where it was refreshed from."""
        return str(self.meta["origin"])

    @property
    def fingerprint(self) -> str:
        """Hash of its files: equal ones mean the same reference."""
        files = sorted(path for path in self.folder.iterdir() if path.is_file())
        return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()

    @property
    def kind(self) -> str:
        """``packaged`` or ``refreshed``."""
        return "packaged" if self.origin == "packaged" else "refreshed"

    def table(self, relation: str) -> pa.Table:
        """Return a relation of RELATIONS as Arrow data. Raises PolicylakeError where its file is damaged."""
        if relation not in self._tables:
            path = self.folder / f"{relation}.parquet"
            try:
                self._tables[relation] = pq.read_table(path).cast(SCHEMAS[relation])
            except (OSError, ValueError, pa.ArrowException) as error:
                raise PolicylakeError(f"{path}: damaged ({first_line(error)}); {MEND}") from error
        return self._tables[relation]

    def action(self, name: str) -> ReferenceAction | None:
        """Return an action by its name with prefix, whatever its case; None if the reference does not know it."""
        service = name.split(":", 1)[0].lower()
        return self._service(service).get(name.lower())

    def actions_of(self, services: Iterable[str]) -> tuple[ReferenceAction, ...]:
        """Return the actions of these service prefixes, sorted by name."""
        return tuple(
            action for service in sorted(set(services)) for _, action in sorted(self._service(service.lower()).items())
        )

    def key(self, name: str) -> ReferenceKey | None:
        """Return a condition key whatever its case; ``aws:ResourceTag/x`` is found as ``aws:ResourceTag/${TagKey}``."""
        exact, templates = self._keys
        lowered = name.lower()
        if lowered in exact:
            return exact[lowered]
        return next((key for prefix, key in templates if lowered.startswith(prefix) and lowered != prefix), None)

    def is_rcp_supported(self, service: str) -> bool:
        """Whether resource control policies act on the service's actions."""
        return service.lower() in self._rcp_services

    @cached_property
    def _rcp_services(self) -> frozenset[str]:
        table = self.table("reference_services")
        return frozenset(table.filter(table["is_rcp_supported"])["service"].to_pylist())

    @cached_property
    def former_spellings(self) -> dict[str, str]:
        """The spelling of keys that actions list, by a former one; both in lower case."""
        rows = self.table("reference_condition_keys").select(["condition_key", "current_spelling"]).to_pylist()
        return {
            row["condition_key"].lower(): row["current_spelling"].lower() for row in rows if row["current_spelling"]
        }

    @cached_property
    def doubtful_types(self) -> frozenset[tuple[str, str]]:
        """The resource types of actions whose required mark does not count."""
        table = self.table("reference_action_resource_types")
        rows = table.filter(table["is_required_mark_doubtful"]).to_pylist()
        return frozenset((row["action"], row["resource_type"]) for row in rows)

    def has_plain_arns(self, service: str) -> bool:
        """Whether every ARN of the service names an account and has five colons; False of an unknown service."""
        formats = [row["arn_format"] for row in self._rows("reference_resource_types", "service", service.lower())]
        return bool(formats) and all(":${Account}:" in text and text.count(":") == _ARN_COLONS for text in formats)

    @cached_property
    def _keys(self) -> tuple[dict[str, ReferenceKey], tuple[tuple[str, ReferenceKey], ...]]:
        columns = ["condition_key", "value_type", "is_multivalued", "is_global"]
        rows = self.table("reference_condition_keys").select(columns).to_pylist()
        keys = [ReferenceKey(*(row[column] for column in columns)) for row in rows]
        exact = {key.name.lower(): key for key in keys if "${" not in key.name}
        templates = tuple((key.name.split("${")[0].lower(), key) for key in keys if "${" in key.name)
        return exact, templates

    def _service(self, service: str) -> dict[str, ReferenceAction]:
        if service not in self._services:
            self._services[service] = self._read_service(service)
        return self._services[service]

    def _rows(self, relation: str, column: str, value: str) -> list[dict[str, Any]]:
        table = self.table(relation)
        is_service = column == "service"
        chosen = pc.equal(table[column], value) if is_service else pc.starts_with(table[column], value + ":")
        return list(table.filter(chosen).to_pylist())

    def _read_service(self, service: str) -> dict[str, ReferenceAction]:
        kinds = {row["resource_type"]: row for row in self._rows("reference_resource_types", "service", service)}
        types: dict[str, list[dict[str, Any]]] = {}
        for row in self._rows("reference_action_resource_types", "action", service):
            types.setdefault(row["action"], []).append(row)
        actions = {}
        for row in self._rows("reference_actions", "service", service):
            own = row["condition_keys"]
            resource_types = tuple(
                ActionResourceType(
                    t["resource_type"],
                    kinds[t["resource_type"]]["arn_format"],
                    t["is_required"],
                    tuple(sorted({*own, *t["condition_keys"], *kinds[t["resource_type"]]["condition_keys"]})),
                )
                for t in types.get(row["action"], [])
                if t["resource_type"] in kinds
            )
            actions[row["action"].lower()] = ReferenceAction(
                row["action"], service, row["access_level"], tuple(own), resource_types
            )
        return actions


def _packaged(meta: dict[str, Any]) -> Reference:
    return Reference(PACKAGED, meta)


def load(directory: Path | None = None) -> Reference:
    """Return the reference of ``directory``: by default the user's refreshed one, else the packaged one.

    Raises PolicylakeError where it cannot be read.
    """
    folder = directory or (user_folder() if (user_folder() / "meta.json").is_file() else PACKAGED)
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        reference = Reference(folder, meta)
        _ = (reference.version, reference.data_date, reference.origin)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PolicylakeError(f"{folder}: no readable service reference ({first_line(error)}); {MEND}") from error
    return reference


@lru_cache(maxsize=1)
def load_once(directory: Path | None) -> Reference:
    """Return the reference of ``directory``, of None the packaged one; this process reads it once."""
    return load(directory or PACKAGED)


def elsewhere(known: Reference) -> Path | None:
    """Return what :func:`load_once` takes in any process, also on another machine, which has the packaged one too."""
    return None if known.folder == PACKAGED else known.folder
