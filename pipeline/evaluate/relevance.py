"""Which action forms a statement can matter to, told by service and resource type alone. Errs towards "can matter".

Most statements name one resource type: leaving them out of the cases of all other actions keeps the cases few.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.evaluate import globs
from pipeline.evaluate.actions import ActionForm, TypeForm
from pipeline.evaluate.statements import NumberedStatement, wide_glob
from pipeline.iam import grammar

_STOP = re.compile(r"[/*?$:]")


@lru_cache(maxsize=1 << 16)
def head_of(pattern: str) -> tuple[str, str, bool] | None:
    """Return service, start of the resource, and whether the resource type ends there; None where it is not told."""
    fields = grammar.completed_arn(pattern).split(":", grammar.ARN_FIELDS - 1)
    if len(fields) < grammar.ARN_FIELDS or _STOP.search(fields[2]):
        return None
    stop = _STOP.search(fields[5])
    if stop is None:
        return fields[2], fields[5], True
    return fields[2], fields[5][: stop.start()], stop.group() in "/:"


@lru_cache(maxsize=1 << 18)
def _can_meet(pattern: str, arn_format: str) -> bool:
    mine, theirs = head_of(pattern), head_of(arn_format)
    if mine is None or theirs is None:
        return True
    if mine[0] != theirs[0]:
        return False
    (_, head, is_whole), (_, other, is_whole_too) = mine, theirs
    if is_whole and is_whole_too:
        return head == other
    return (is_whole or other.startswith(head)) and (is_whole_too or head.startswith(other))


def _matters(statement: NumberedStatement, kind: TypeForm) -> bool:
    if statement.resource_element != "Resource" or kind.arn_format == "":
        return True
    if kind.arn_format is None:
        return any(globs.matches(wide_glob(p, statement.has_variables, True), "*") for p in statement.resources)
    return any(_can_meet(pattern, kind.arn_format) for pattern in statement.resources)


@dataclass
class Relevance:
    """Numbers the sets of forms that statements matter to. ``open_forms`` are those that every statement matters to."""

    forms: Sequence[ActionForm]
    open_forms: frozenset[int] = frozenset()
    classes: dict[frozenset[int], int] = field(default_factory=dict)
    _known: dict[int, int] = field(default_factory=dict)
    _mattering: dict[tuple[str, ...], frozenset[TypeForm]] = field(default_factory=dict)

    def class_of(self, statement: NumberedStatement) -> int:
        """Return the number of the set of forms that a statement can matter to."""
        if statement.number not in self._known:
            mattering = {kind for kind in self._kinds() if _matters(statement, kind)}
            self._known[statement.number] = self._number(
                {n for n, form in enumerate(self.forms) if not mattering.isdisjoint(form.types)} | self.open_forms
            )
        return self._known[statement.number]

    def class_of_resource(self, governed: Sequence[str]) -> int:
        """Return the number of the set of forms that a policy of these resources can matter to."""
        return self._number(
            {n for n, form in enumerate(self.forms) if any(meets(governed, kind) for kind in form.types)}
        )

    def _number(self, forms: Iterable[int]) -> int:
        return self.classes.setdefault(frozenset(forms), len(self.classes) + 1)

    def _kinds(self) -> Iterable[TypeForm]:
        return dict.fromkeys(kind for form in self.forms for kind in form.types)


def meets(governed: Sequence[str], kind: TypeForm) -> bool:
    """Whether resources under a resource-based policy can be of a type."""
    if not kind.arn_format:
        return kind.arn_format == ""
    return any(_can_meet(pattern, kind.arn_format) for pattern in governed)


def governed_by(resource_arn: str) -> tuple[str, ...]:
    """Return patterns of the resources that a resource-based policy speaks for: the resource, and what lies in it.

    The policy of a model package group is also that of its packages.
    """
    patterns = [resource_arn, f"{resource_arn}/*"]
    if ":model-package-group/" in resource_arn:
        patterns.append(resource_arn.replace(":model-package-group/", ":model-package/") + "/*")
    return tuple(patterns)
