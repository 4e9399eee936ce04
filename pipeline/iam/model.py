"""The policy model: what a policy document says, with no opinion on what it grants.

Values only, standard library only. Source: IAM JSON policy elements reference.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Effect = Literal["Allow", "Deny"]
SetQualifier = Literal["ForAllValues", "ForAnyValue"]

#: Version that a document without ``Version`` has; policy variables are plain text in it.
OLD_LANGUAGE = "2008-10-17"
#: Version in which policy variables work.
NEW_LANGUAGE = "2012-10-17"
#: AWS's names of an organization's policies that limit its accounts, each with the layer that they are.
CONTROL_TYPES: dict[str, Literal["scp", "rcp"]] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


class PrincipalEntry(NamedTuple):
    """One entry of ``Principal`` or ``NotPrincipal``.

    ``kind`` is ``AWS``, ``Service``, ``Federated`` or ``CanonicalUser``, or ``*`` for ``"Principal": "*"``
    (then ``value`` is ``*`` too).
    """

    kind: str
    value: str


class Condition(NamedTuple):
    """One operator and key of a ``Condition`` block, with its values.

    ``operator`` is the family name in AWS's spelling (``StringEquals``), without set qualifier and
    ``IfExists``. ``key`` keeps the spelling of the document; compare it without regard to case. ``values``
    are texts: JSON numbers and booleans are written as JSON writes them.
    """

    operator: str
    set_qualifier: SetQualifier | None
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``index`` counts from 0 in its policy.

    ``resource_element`` and ``principal_element`` are None where the document has no such element.
    """

    index: int
    sid: str | None
    effect: Effect
    action_element: Literal["Action", "NotAction"]
    actions: tuple[str, ...]
    resource_element: Literal["Resource", "NotResource"] | None
    resources: tuple[str, ...]
    principal_element: Literal["Principal", "NotPrincipal"] | None
    principals: tuple[PrincipalEntry, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document. ``language_version`` is 2008-10-17 where the document names none."""

    language_version: str
    statements: tuple[Statement, ...]

    @property
    def has_variables(self) -> bool:
        """Whether ``${...}`` is a policy variable here: only in the language of 2012-10-17."""
        return self.language_version == NEW_LANGUAGE
