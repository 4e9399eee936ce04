"""Writes cells as tables: their rows, their verdicts, and the conditions that stand in them."""

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.cells import AccessRow, Outcome
from pipeline.evaluate.changes import Change, Scope, smallest_change
from pipeline.evaluate.contexts import completed
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.instances import Place
from pipeline.evaluate.scopes import scope_of
from pipeline.evaluate.statements import shown
from pipeline.evaluate.witness import Witness, Witnesses
from pipeline.evaluate.words import keys_of, spelt, words

#: Stands for the principal's own account in stored texts.
OWN_ACCOUNT = "{ownaccount}"
#: A scope that names one bucket, whose account its ARN does not tell.
_OF_ONE_BUCKET = re.compile(r"arn:[^:]*:s3:[^:]*:[^:]*:([^*?$/]+)(/|$)")
CELL_ACCESS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("resource_type", pa.string()),
        ("resource_pattern", pa.string()),
        ("verdict", pa.string()),
        ("condition_id", pa.string()),
        ("except_resources", pa.string()),
        ("granted_by_numbers", pa.list_(pa.int64())),
        ("limited_by_numbers", pa.list_(pa.int64())),
        ("witness_id", pa.int32()),
        ("is_proven", pa.bool_()),
    ]
)
WITNESSES = pa.schema([("witness_id", pa.int32()), ("request", pa.string()), ("session_arn", pa.string())])
CELL_VERDICTS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("verdict", pa.string()),
        ("layer", pa.string()),
        ("decided_by_numbers", pa.list_(pa.int64())),
    ]
)
#: Residual conditions, each with the witness of the first cell that has one; its caller and action are found later.
RESIDUAL_FORMULAS = pa.schema(
    [
        ("condition_id", pa.string()),
        ("condition", pa.string()),
        ("formula", pa.string()),
        ("condition_keys", pa.list_(pa.string())),
        ("cell_id", pa.int32()),
        ("witness_id", pa.int32()),
        ("smallest_change", pa.string()),
    ]
)


class _Example(NamedTuple):
    """A cell that has a condition, its row, and the row's witness."""

    cell_id: int
    row: AccessRow
    witness: Witness | None


class _Columns(NamedTuple):
    """A row of cell_access but for its last column."""

    cell_id: int
    resource_type: str
    resource_pattern: str
    verdict: str
    condition_id: str | None
    except_resources: str | None
    granted_by_numbers: tuple[int, ...]
    limited_by_numbers: tuple[int, ...]
    witness_id: int | None


@dataclass
class _Found:
    """Witnesses by number from 1, and the conditions so far with an example each."""

    witnesses: Witnesses
    shown: Set[int]
    numbers: dict[Witness, int] = field(default_factory=dict)
    ids: dict[Formula, str] = field(default_factory=dict)
    examples: dict[Formula, _Example] = field(default_factory=dict)

    def witness_id(self, witness: Witness | None) -> int | None:
        """Return the number of a witness."""
        return None if witness is None else self.numbers.setdefault(witness, len(self.numbers) + 1)

    def _rank(self, example: _Example | None) -> int:
        """Return how well an example serves readers: with a witness, of what reports show, of a required type."""
        if example is None:
            return -1
        is_required = example.row.kind is not None and example.row.kind.is_required
        return 4 * (example.witness is not None) + 2 * (example.cell_id in self.shown) + is_required

    def columns(self, cell_id: int, row: AccessRow) -> _Columns:
        """Return the columns of a row of cell_access, and note its condition."""
        witness = self.witnesses.of(*_scope(row))
        condition_id = None
        if row.verdict == "conditional":
            if row.formula not in self.ids:
                self.ids[row.formula] = formulas.identity(row.formula)
            example = _Example(cell_id, row, witness)
            if self._rank(example) > self._rank(self.examples.get(row.formula)):
                self.examples[row.formula] = example
            condition_id = self.ids[row.formula]
        exceptions = json.dumps([shown(p) for p in row.exceptions], ensure_ascii=False) if row.exceptions else None
        return _Columns(
            cell_id,
            row.kind.name if row.kind else "",
            shown(row.pattern),
            row.verdict,
            condition_id,
            exceptions,
            row.granted_by,
            row.limited_by,
            self.witness_id(witness),
        )


def tables_of(
    cells: Sequence[Outcome],
    shown: Set[int],
    witnesses: Witnesses,
    spelling: Mapping[str, str],
    own_token: str,
    owned: Container[str],
) -> dict[str, pa.Table]:
    """Return cell_access, cell_verdicts, witnesses and residual_formulas; cells are numbered from 1.

    ``shown`` are the cells of evaluated actions: a condition that any of them has gets its example from one.
    ``spelling`` maps condition keys in lower case to AWS's spelling. ``own_token`` stands for the principal's own
    account; the tables say ``{ownaccount}``. ``owned`` are the names of the buckets of which the input tells whose they
    are: of others it is not proven that they are reached.
    """
    found = _Found(witnesses, shown)
    numbered = list(enumerate(cells, start=1))
    rows = [found.columns(cell_id, row) for cell_id, outcome in numbered for row in outcome.rows]
    verdicts = [(cell_id, outcome.verdict, outcome.layer, outcome.decided_by) for cell_id, outcome in numbered]
    by_id = {condition_id: f for f, condition_id in found.ids.items()}
    residual = [
        _condition(condition_id, found.examples[by_id[condition_id]], cells, found, spelling)
        for condition_id in sorted(by_id)
    ]
    changeable = {condition_id for condition_id, *_, change in residual if change is not None}
    exact = (row.condition_id is None or bool(row.witness_id and row.condition_id in changeable) for row in rows)
    access = [
        (*row, is_exact and _has_owner(row.resource_pattern, owned)) for row, is_exact in zip(rows, exact, strict=True)
    ]
    lines = [(number, request_text(witness, spelling), witness.session) for witness, number in found.numbers.items()]
    return {
        "cell_access": _readable(table(access, CELL_ACCESS), own_token),
        "cell_verdicts": table(verdicts, CELL_VERDICTS),
        "witnesses": _readable(table(lines, WITNESSES), own_token),
        "residual_formulas": _readable(table(residual, RESIDUAL_FORMULAS), own_token),
    }


def _has_owner(pattern: str, owned: Container[str]) -> bool:
    """Whether it is known whose the resources of a scope are; what a wildcard reaches is the principal's own."""
    named = _OF_ONE_BUCKET.match(pattern)
    return named is None or named.group(1) in owned


def _readable(rows: pa.Table, own_token: str) -> pa.Table:
    for number, column in enumerate(rows.schema):
        if column.type == pa.string():
            rows = rows.set_column(number, column, pc.replace_substring(rows.column(number), own_token, OWN_ACCOUNT))
    return rows


def request_text(witness: Witness, spelling: Mapping[str, str]) -> str:
    """Return the members ``resource`` and ``context`` of a witness as the end of a JSON object."""
    members = {"resource": witness.resource, "context": _context(completed(dict(witness.context)), spelling)}
    return json.dumps(members, ensure_ascii=False)[1:]


def _context(context: Mapping[str, tuple[str, ...]], spelling: Mapping[str, str]) -> dict[str, object]:
    """Return a context as a line writes it; None is a key that is left out."""
    return {
        spelt(key, spelling): None if not values else values[0] if len(values) == 1 else list(values)
        for key, values in sorted(context.items())
    }


def _condition(
    condition_id: str, example: _Example, cells: Sequence[Outcome], found: _Found, spelling: Mapping[str, str]
) -> tuple[object, ...]:
    cell_id, row, witness = example
    text = json.dumps(formulas.as_json(row.formula), ensure_ascii=False)
    change = None
    if witness:
        beside = [_scope(other) for other in cells[cell_id - 1].rows if other.kind == row.kind]
        change = smallest_change(witness, _scope(row), beside, found.witnesses)
    said, keys = words(row.formula, spelling), keys_of(row.formula, spelling)
    return (condition_id, said, text, keys, cell_id, found.witness_id(witness), change and _changed(change, spelling))


def _scope(row: AccessRow) -> Scope:
    """Return where a row is, and what must hold there."""
    if row.kind is None:
        raise ValueError("a row of a cell has no resource type")
    universe = row.kind.universe if scope_of(row.kind.universe, row.pattern) else row.kind.anywhere
    return Scope(Place(universe, row.pattern, row.exceptions), row.formula)


def _changed(change: Change, spelling: Mapping[str, str]) -> str:
    """Return the members of a line that a change gives new values."""
    members: dict[str, object] = {"context": _context(dict(change.context), spelling)}
    if change.resource:
        members["resource"] = change.resource
    if change.caller is not None:
        members["principal"] = change.caller or "{principal}"
    return json.dumps(members, ensure_ascii=False)


def table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
