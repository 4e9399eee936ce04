"""AWS's machine-readable service reference, version 1: the shapes of its two kinds of files. No I/O.

An index is a list of services with the address of each one's file; a service's file holds its actions, resource types,
condition keys and operations. Lists that would be empty may be missing.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import DecodeError, Meta, Struct, field, json

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$", max_length=200)]
KeyName = Annotated[str, Meta(pattern=r"^[^\s:]+:\S.*$", max_length=300)]


class _Part(Struct, rename="pascal", frozen=True):
    pass


class IndexEntry(Struct, frozen=True):
    """A line of the index; ``url`` may be relative to the index's own address."""

    service: Name
    url: str


class Annotations(_Part, frozen=True):
    """Marks of an action: ``IsList``, ``IsPermissionManagement``, ``IsTaggingOnly``, ``IsWrite``."""

    properties: dict[str, bool] = {}


class ActionResource(_Part, frozen=True):
    """A resource type that an action takes, with the keys that only a request for it carries."""

    name: Name
    condition_keys: list[KeyName] = []


class Action(_Part, frozen=True):
    """An action; without ``resources`` it is requested on ``*``."""

    name: Name
    action_condition_keys: list[KeyName] = []
    annotations: Annotations | None = None
    resources: list[ActionResource] = []


class AuthorizedAction(_Part, frozen=True):
    """An action that an operation may need, with the context values that this further request carries."""

    service: Name
    name: Name
    context: dict[str, list[str]] | None = None


class Operation(_Part, frozen=True):
    """An API operation."""

    name: Name
    authorized_actions: list[AuthorizedAction] = []


class ResourceType(_Part, frozen=True):
    """A resource type; its ARNs may have several forms."""

    name: Name
    arn_formats: list[str] = field(name="ARNFormats", default_factory=list)
    condition_keys: list[KeyName] = []


class ConditionKey(_Part, frozen=True):
    """A condition key with its types, such as ``String`` or ``ArrayOfString``."""

    name: KeyName
    types: list[str] = []


class Service(_Part, frozen=True):
    """One service prefix: the content of one file."""

    name: Name
    version: str = "unknown"
    actions: list[Action] = []
    operations: list[Operation] = []
    resources: list[ResourceType] = []
    condition_keys: list[ConditionKey] = []

    @property
    def prefix(self) -> str:
        """The prefix in lower case."""
        return self.name.lower()


def decode(data: bytes) -> Service | tuple[IndexEntry, ...]:
    """Return the service or the index that ``data`` holds.

    Raises ValueError that says what is wrong.
    """
    try:
        content = json.decode(data, type=Service | list[IndexEntry])
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"this is no file of AWS's service reference: {error}") from error
    if isinstance(content, list):
        return tuple(content)
    if not content.actions:
        raise ValueError(f"service {content.name} has no actions")
    return content


#: The types of condition keys, each also as ``ArrayOf...``.
TYPES = frozenset({"String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary"})


def value_type(key: ConditionKey) -> str | None:
    """Return the first type of the key that is known; None where there is none."""
    return next((kind for kind in key.types if kind.removeprefix("ArrayOf") in TYPES), None)


def odd_types(service: Service) -> Iterator[str]:
    """Yield what to say about each condition key none of whose types is known."""
    for key in service.condition_keys:
        if key.types and value_type(key) is None:
            what = f"condition key {key.name} has the unknown type {', '.join(key.types)}"
            yield f"{what}; it keeps its former type, String if it has none: mend the file, or take a newer policylake"


#: The first mark that is true names the access level; without any it is Read.
LEVELS = (
    ("IsTaggingOnly", "Tagging"),
    ("IsPermissionManagement", "Permissions management"),
    ("IsList", "List"),
    ("IsWrite", "Write"),
)


def access_level(action: Action) -> str | None:
    """Return the access level in the words of AWS's pages; None where the file says nothing."""
    if action.annotations is None:
        return None
    marks = action.annotations.properties
    return next((level for mark, level in LEVELS if marks.get(mark)), "Read")
