"""Reads the layers of a case for one resource type: without the statements that cannot apply there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate import globs
from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.cases import Levels
from pipeline.evaluate.knowledge import TAG_ALIAS, Knowledge
from pipeline.evaluate.profiles import Numbers
from pipeline.evaluate.statements import NumberedStatement, wide_glob


class Read(NamedTuple):
    """The statements of a layer that can apply to a resource type. Reads of equal ``number`` come to the same.

    ``crossing`` are the patterns that may match some of its resources and not others, variables not filled in.
    """

    number: int
    levels: Levels
    statements: Numbers
    crossing: frozenset[str]


class _Meeting(NamedTuple):
    """How a statement meets the resources of a type: whether it can apply there, and all else that the type decides."""

    is_relevant: bool
    details: tuple[bool, ...]
    crossing: tuple[str, ...]


@dataclass
class Reader:
    """Reads one layer (identity, boundary, scp, rcp) and remembers.

    ``keeps_all`` leaves nothing out: a resource of another account may meet any of the statements.
    """

    layer: str
    keeps_all: bool
    statements: Mapping[int, NumberedStatement]
    knowledge: Knowledge
    _reads: dict[tuple[Levels, Place], dict[int, Read]] = field(default_factory=dict)
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _meetings: dict[tuple[int, int, Place], _Meeting] = field(default_factory=dict)

    def reads(self, levels: Levels, place: Place) -> dict[int, Read]:
        """Return what is read already of these levels, by resource type; :meth:`read` adds to it."""
        return self._reads.setdefault((levels, place), {})

    def read(self, levels: Levels, place: Place, kind_id: int, kind: TypeForm) -> Read:
        """Return the levels as far as they can apply to the type. ``kind_id`` stands for ``kind``."""
        meetings = {n: self._meeting(n, place, kind_id, kind) for level in levels for n in level}
        kept = tuple(tuple(n for n in level if self.keeps_all or meetings[n].is_relevant) for level in levels)
        if self.layer == "scp":
            kept = self._levels_that_limit(kept)
        numbers = tuple(dict.fromkeys(n for level in kept for n in level))
        details = tuple(meetings[n].details for n in numbers)
        crossing = frozenset(pattern for n in numbers for pattern in meetings[n].crossing)
        number = self._numbers.setdefault((kept, details, crossing), len(self._numbers))
        return Read(number, kept, numbers, crossing)

    def _levels_that_limit(self, levels: Levels) -> Levels:
        """Return the levels that do not allow everything, each once, with all Denies in the last."""
        denies = sorted({n for level in levels for n in level if not self.statements[n].is_allow})
        allows = [tuple(n for n in level if self.statements[n].is_allow) for level in levels]
        everything = [level for level in allows if any(self.statements[n].is_all for n in level)]
        limiting = sorted({level for level in allows if level not in everything})
        kept = [*limiting, *everything[:1]]
        return (*kept[:-1], (*kept[-1], *denies)) if kept else ()

    def _meeting(self, number: int, place: Place, kind_id: int, kind: TypeForm) -> _Meeting:
        key = (number, kind_id, place)
        found = self._meetings.get(key)
        if found is None:
            found = self._meetings[key] = self._meet(self.statements[number], place, kind)
        return found

    def _meet(self, statement: NumberedStatement, place: Place, kind: TypeForm) -> _Meeting:
        known, view = self.knowledge, kind.view
        keys = tuple(known.is_absent(known.canonical(key, view), view) for key in statement.asked_keys)
        keys += tuple(view.has(key) for key in statement.asked_keys if key.startswith(TAG_ALIAS))
        if statement.resource_element is None or not statement.resources:
            return _Meeting(True, keys, ())
        universe, completes = (kind.universe(place),), self.layer in ("identity", "boundary")
        meetings = [
            (pattern, globs.relation(universe, wide_glob(pattern, statement.has_variables, completes)))
            for pattern in statement.resources
        ]
        crossing = tuple(
            pattern for pattern, meeting in meetings if meeting.inside and (meeting.outside or "${" in pattern)
        )
        details = keys + tuple(meeting.inside for _, meeting in meetings)
        if statement.resource_element == "NotResource":
            leaves_some = any("${" in pattern for pattern in crossing) or all(m.outside for _, m in meetings)
            return _Meeting(leaves_some, details, crossing)
        return _Meeting(any(meeting.inside for _, meeting in meetings), details, crossing)
