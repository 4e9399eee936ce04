"""Decides the cases of an evaluation, in one or several processes; cells are numbered alike whatever their number."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from pipeline.evaluate.actions import EvaluatedActions
from pipeline.evaluate.callers import Callers
from pipeline.evaluate.cases import Actions, Case
from pipeline.evaluate.cells import Inventory, Outcome
from pipeline.evaluate.engine import Engine
from pipeline.evaluate.knowledge import Knowledge
from pipeline.memory import collection_off
from pipeline.progress import Progress, Step
from pipeline.workers import Pool

#: Fewer cases are decided before another process has started.
CASES_WORTH_A_PROCESS = 2_000
#: So many that nobody waits long for the last one.
SHARDS_A_PROCESS = 8


class Facts(NamedTuple):
    """What cases are decided from; ``engine`` decides them in this process and remembers."""

    knowledge: Knowledge
    callers: Callers
    actions: EvaluatedActions
    inventory: Inventory
    owners: Mapping[str, str]
    engine: Engine

    def __reduce__(self) -> tuple[Callable[..., "Facts"], tuple[object, ...]]:
        """Leave the engine behind: another process has its own."""
        return facts_for, (self.knowledge, self.callers, self.actions, self.inventory, self.owners)


def facts_for(
    knowledge: Knowledge,
    callers: Callers,
    actions: EvaluatedActions,
    inventory: Inventory,
    owners: Mapping[str, str],
) -> Facts:
    """Return facts with a new engine."""
    engine = Engine(knowledge, callers, actions.forms, inventory, owners)
    return Facts(knowledge, callers, actions, inventory, owners, engine)


class Decisions(NamedTuple):
    """The distinct cells, and as columns which of them answers for each case and action form; numbers from 1."""

    cells: list[Outcome]
    case_ids: list[int]
    form_ids: list[int]
    cell_ids: list[int]


#: A case with the action forms that it is needed for.
Needed = tuple[Case, tuple[int, ...]]


class _Decided(NamedTuple):
    """The distinct cells of a shard, and for each of its cases the places of its cells there, one an action form."""

    cells: Sequence[Outcome]
    places: Sequence[Sequence[int]]


def decide(facts: Facts, cases: Mapping[Case, Actions], pool: Pool, progress: Progress) -> Decisions:
    """Decide every case on the forms of the actions that it is needed for.

    Cases are numbered in the order of ``cases``, cells in the order in which the cases come to them.
    """
    forms_in = {actions: facts.actions.forms_in(actions) for actions in set(cases.values())}
    needed = [(case, forms_in[actions]) for case, actions in cases.items()]
    shards = _shards(needed, pool.count)
    distinct: dict[Outcome, Outcome] = {}
    answers: list[list[Outcome]] = [[]] * len(needed)
    done = 0
    progress(Step("deciding", done, len(needed), "cases"))
    for shard, decided in zip(shards, _decided(facts, needed, shards, pool), strict=True):
        cells = [distinct.setdefault(cell, cell) for cell in decided.cells]
        for number, places in zip(shard, decided.places, strict=True):
            answers[number] = [cells[place] for place in places]
        done += len(shard)
        progress(Step("deciding", done, len(needed), "cases"))
    return _numbered(needed, answers)


def _numbered(needed: Sequence[Needed], answers: Sequence[Sequence[Outcome]]) -> Decisions:
    """Number the cells, which are one object each, as the cases come to them."""
    numbers: dict[int, int] = {}
    found = Decisions([], [], [], [])
    for case_id, ((_, form_ids), answer) in enumerate(zip(needed, answers, strict=True), start=1):
        for form_id, cell in zip(form_ids, answer, strict=True):
            cell_id = numbers.setdefault(id(cell), len(numbers) + 1)
            if cell_id > len(found.cells):
                found.cells.append(cell)
            found.case_ids.append(case_id)
            found.form_ids.append(form_id)
            found.cell_ids.append(cell_id)
    return found


def _shards(needed: Sequence[Needed], processes: int) -> list[list[int]]:
    """Return the places of the cases in shards. Those with the same identity policies stand together: most of what is
    decided for one serves the next."""
    order = sorted(range(len(needed)), key=lambda number: needed[number][0].identity)
    size = max(1, -(-len(order) // (SHARDS_A_PROCESS * processes)))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _decided(facts: Facts, needed: Sequence[Needed], shards: Sequence[Sequence[int]], pool: Pool) -> Iterator[_Decided]:
    """Yield what the shards come to, from several processes where that pays."""
    if pool.count < 2 or len(needed) < CASES_WORTH_A_PROCESS:
        yield from (_decided_by(facts.engine, [needed[number] for number in shard]) for shard in shards)
        return
    # The protocol is that of every process: all run this same Python.
    pickled = pickle.dumps(facts, pickle.HIGHEST_PROTOCOL)
    yield from pool.map(partial(_decided_there, pickled), [[needed[number] for number in shard] for shard in shards])
    _engine.cache_clear()


def _decided_there(facts: bytes, cases: Sequence[Needed]) -> _Decided:
    """Decide a shard in any process, from pickled :class:`Facts`."""
    with collection_off():
        return _decided_by(_engine(facts), cases)


@lru_cache(maxsize=1)
def _engine(facts: bytes) -> Engine:
    """Return this process's engine, which remembers from shard to shard."""
    found: Facts = pickle.loads(facts)
    return found.engine


def _decided_by(engine: Engine, cases: Sequence[Needed]) -> _Decided:
    places: dict[int, int] = {}
    found = [
        [places.setdefault(cell_id, len(places)) for cell_id in engine.cells_of(case, form_ids)]
        for case, form_ids in cases
    ]
    return _Decided([engine.cells[cell_id] for cell_id in places], found)
