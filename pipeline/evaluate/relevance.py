"""For which actions a statement can matter, told by service and resource type alone. Errs towards "can matter".

Most statements name one resource type: leaving them out of the cases of all other actions keeps the cases few.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import or_

from pipeline.evaluate import globs
from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.statements import NumberedStatement, wide_glob
from pipeline.iam import grammar

_STOP = re.compile(r"[/*?$:]")
Head = tuple[str, str, bool]
#: Stands for every place.
ANYWHERE = Place("*", "*")


@lru_cache(maxsize=1 << 16)
def head_of(pattern: str) -> Head | None:
    """Return service, start of the resource, and whether the resource type ends there; None where it is not told."""
    fields = grammar.completed_arn(pattern).split(":", grammar.ARN_FIELDS - 1)
    if len(fields) < grammar.ARN_FIELDS or _STOP.search(fields[2]):
        return None
    stop = _STOP.search(fields[5])
    if stop is None:
        return fields[2], fields[5], True
    return fields[2], fields[5][: stop.start()], stop.group() in "/:"


@lru_cache(maxsize=1 << 18)
def _can_meet(mine: Head | None, theirs: Head | None) -> bool:
    if mine is None or theirs is None:
        return True
    if mine[0] != theirs[0]:
        return False
    (_, head, is_whole), (_, other, is_whole_too) = mine, theirs
    if is_whole and is_whole_too:
        return head == other
    # A head that is open goes on with anything, also with the rest of the other one.
    return (not is_whole and other.startswith(head)) or (not is_whole_too and head.startswith(other))


@dataclass
class Relevance:
    """Tells for which actions statements can matter, as bits. ``kinds`` are the actions of each resource type,
    ``open_actions`` those that every statement matters to."""

    kinds: Mapping[TypeForm, int]
    open_actions: int
    _by_format: dict[str | None, int] = field(default_factory=dict)
    _by_head: dict[Head | None, int] = field(default_factory=dict)
    _known: dict[int, int] = field(default_factory=dict)
    _resources: dict[tuple[str, ...], int] = field(default_factory=dict)

    def of_statement(self, statement: NumberedStatement) -> int:
        """Return the actions that a statement can matter to."""
        if statement.number not in self._known:
            self._known[statement.number] = self._of_patterns(statement) | self.open_actions
        return self._known[statement.number]

    def _of_patterns(self, statement: NumberedStatement) -> int:
        if statement.resource_element != "Resource":
            return _union(self.kinds.values())
        found = self._of_format("")
        for pattern in statement.resources:
            found |= self._of_head(head_of(pattern))
            if globs.matches(wide_glob(pattern, statement.has_variables, True), "*"):
                found |= self._of_format(None)
        return found

    def _of_format(self, arn_format: str | None) -> int:
        if arn_format not in self._by_format:
            self._by_format[arn_format] = _union(
                actions for kind, actions in self.kinds.items() if kind.arn_format == arn_format
            )
        return self._by_format[arn_format]

    def _of_head(self, head: Head | None) -> int:
        if head not in self._by_head:
            self._by_head[head] = _union(
                actions
                for kind, actions in self.kinds.items()
                if kind.arn_format and _can_meet(head, head_of(kind.arn_format))
            )
        return self._by_head[head]

    def of_resource(self, governed: tuple[str, ...]) -> int:
        """Return the actions that a policy of these resources can matter to."""
        if governed not in self._resources:
            self._resources[governed] = _union(actions for kind, actions in self.kinds.items() if meets(governed, kind))
        return self._resources[governed]


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def meets(governed: Sequence[str], kind: TypeForm) -> bool:
    """Whether resources under a resource-based policy can be of a type."""
    if not kind.arn_format:
        return kind.arn_format == ""
    return any(_can_meet(head_of(pattern), head_of(kind.arn_format)) for pattern in governed)


def governed_by(resource_arn: str) -> tuple[str, ...]:
    """Return patterns of the resources that a resource-based policy speaks for: the resource, and what lies in it.

    Nothing lies in a role or a key; what lies in another resource is of another type: see :func:`governed_of`. The
    policy of a model package group is also that of its packages.
    """
    if re.match(r"arn:[^:]*:(iam:.*:role|kms:.*:key)/", resource_arn):
        return (resource_arn,)
    patterns = [resource_arn, f"{resource_arn}/*"]
    if ":model-package-group/" in resource_arn:
        patterns.append(resource_arn.replace(":model-package-group/", ":model-package/") + "/*")
    return tuple(patterns)


def governed_of(resource_arn: str, kind: TypeForm) -> tuple[str, ...]:
    """Return patterns of the resources of a type that a resource-based policy speaks for.

    Of its own type that is the resource alone: another one whose name goes on after a slash has its own policy. The
    types of an action that the reference does not know are not known either.
    """
    if kind.arn_format and "*" not in kind.arn_format and globs.matches(kind.universe(ANYWHERE), resource_arn):
        return (resource_arn,)
    return governed_by(resource_arn)
