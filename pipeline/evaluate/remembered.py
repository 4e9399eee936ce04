"""What a process remembers from one account group to the next: what most accounts have alike is decided once.

Nothing that comes out depends on what was remembered: numbers of statements mean the same in every group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.evaluate.actions import EvaluatedActions
from pipeline.evaluate.callers import Callers, read_entry
from pipeline.evaluate.decide import Facts
from pipeline.evaluate.engine import Engine
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.numbers import Texts
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import read_statement
from pipeline.evaluate.witness import Witnesses
from pipeline.reference import Reference

#: Statements, callers and cells beyond which all is forgotten, so that memory has an end.
MOST = 100_000
#: Rows of patterns that take as much room as one of the others.
ROWS_FOR_ONE = 20


PATTERN_COUNTS = pa.schema([("action_pattern", pa.string()), ("matched_action_count", pa.int32())])
PATTERN_MATCHES = pa.schema([("action_pattern", pa.string()), ("action", pa.string())])


@dataclass
class Remembered:
    """Statements, principals and decisions so far, and by relation what action patterns match.

    ``former`` are the present names of keys by their former ones; ``actions`` are by the keys that statements mention.
    """

    knowledge: Knowledge
    former: Mapping[str, str]
    actions: dict[frozenset[str], EvaluatedActions] = field(default_factory=dict)
    patterns: dict[str, pa.Table] = field(
        default_factory=lambda: {
            "pattern_counts": PATTERN_COUNTS.empty_table(),
            "pattern_matches": PATTERN_MATCHES.empty_table(),
        }
    )
    solver: Solver = field(init=False)
    witnesses: Witnesses = field(init=False)
    callers: Callers = field(default_factory=lambda: Callers({}, {}))
    _texts: Texts = field(default_factory=Texts)
    _inventory: dict[str, dict[str, str]] = field(default_factory=dict)
    _engine: Engine | None = None

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)
        self.witnesses = Witnesses(self.solver, self.knowledge, ())

    @property
    def is_full(self) -> bool:
        """Whether it is time to begin anew."""
        cells = len(self._engine.cells) if self._engine else 0
        patterns: int = sum(table.num_rows for table in self.patterns.values()) // ROWS_FOR_ONE
        return len(self.callers.statements) + len(self.callers.listed) + cells + patterns > MOST

    def facts(
        self, actions: EvaluatedActions, inventory: Mapping[str, dict[str, str]], owners: Mapping[str, str]
    ) -> Facts:
        """Return what to decide cases from. The engine serves as long as action forms and owners of buckets stay the
        same."""
        self._inventory.update(inventory)
        if self._engine is None or (self._engine.forms, self._engine.owners) != (actions.forms, owners):
            self._engine = Engine(self.knowledge, self.callers, actions.forms, self._inventory, owners)
        return Facts(self.knowledge, self.callers, actions, self._inventory, owners, self._engine)

    def learn(self, statements: Mapping[int, str], entries: Mapping[int, str]) -> Callers:
        """Add what the statements and entries of a group say, given as texts by number; return the callers.

        What is known already stays the same object. Raises PolicylakeError where a number stands for two texts.
        """
        self._texts.hold(statements)
        self._texts.hold(entries)
        known = self.callers
        known.learn(
            {n: read_statement(n, text) for n, text in statements.items() if n not in known.statements},
            {n: read_entry(text) for n, text in entries.items() if n not in known.entries},
        )
        return known


_now: dict[tuple[object, ...], Remembered] = {}


def remembered(reference: Reference, former: Mapping[str, str], *causes: object) -> Remembered:
    """Return what this process remembers of a reference with ``causes``, on which too all that is remembered depends.

    ``former`` are the present names of keys by their former ones.
    """
    key = (reference.fingerprint, *causes)
    if key not in _now or _now[key].is_full:
        _now.clear()
        _now[key] = Remembered(Knowledge(reference, dict(former)), former)
    return _now[key]
