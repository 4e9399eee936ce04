"""The main tables as Parquet, CSV and JSON lines: each is read once, in batches, for all formats at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.export.formats import csv_texts
from pipeline.export.values import json_text, rows
from pipeline.lake import Lake
from pipeline.lake.dictionary import relations
from pipeline.progress import Progress, Step

RELATIONS = ("access", "access_matrix", "residual_conditions", "accounts", "principals", "rejects")
FINDINGS = "findings"
#: Rows of a batch, and of a Parquet row group.
BATCH = 122_880
#: Tables with more rows are left to Parquet: as text they are too slow to write and to read.
MOST_TEXT_ROWS = 1_000_000
#: Tables with more rows are left to the lake, whose own files hold the same in a fraction of the room.
MOST_ROWS = 100_000_000

#: Tables that are read group by group of accounts: sorted as one they would take memory, or room to spill to, for all.
BY_ACCOUNT = ("access", "access_matrix")
#: Principals of a group of accounts: some 250 MB of memory for each thousand, and a second or so for each group.
GROUP = 4_000

WriteBatch = Callable[[pa.Table], None]


class Written(NamedTuple):
    """Row counts by table, and in words what was left out."""

    rows: Mapping[str, int]
    left_out: tuple[str, ...]


def write_tables(lake: Lake, findings: pa.Table, folder: Path, formats: Sequence[str], progress: Progress) -> Written:
    """Write the tables into the folder as ``TABLE.FORMAT``. The findings are Parquet whatever ``formats`` says.

    Raises PolicylakeError where the lake cannot be read, OSError where the folder cannot be written.
    """
    wanted = [name for name in WRITERS if name in formats]
    counts: dict[str, int] = {}
    left_out: list[str] = []
    if wanted:
        for number, name in enumerate(RELATIONS):
            progress(Step(f"table {name}", number, len(RELATIONS), "tables"))
            counts[name] = _count(lake, name)
            fitting, words = _fitting(name, counts[name], wanted)
            left_out += words
            if fitting:
                _write(_batches(lake, name), folder, name, fitting)
    counts[FINDINGS] = findings.num_rows
    kept, words = _fitting(FINDINGS, findings.num_rows, [*dict.fromkeys(["parquet", *wanted])])
    _write(iter([findings]), folder, FINDINGS, kept)
    return Written(counts, (*left_out, *words))


def _fitting(name: str, count: int, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the formats that hold so many rows, and in words what is left out."""
    if count > MOST_ROWS:
        return [], [f"{name}: {count:,} rows, more than {MOST_ROWS:,}: read it from the lake, policylake sql"]
    if count > MOST_TEXT_ROWS:
        words = [
            f"{name}.{one}: {count:,} rows, more than {MOST_TEXT_ROWS:,}: it is Parquet only"
            for one in wanted
            if one != "parquet"
        ]
        return [one for one in wanted if one == "parquet"], words
    return list(wanted), []


def _count(lake: Lake, name: str) -> int:
    return int(lake.query(f"select count(*) as row_count from {name}")["row_count"][0].as_py())


def _batches(lake: Lake, name: str) -> Iterator[pa.Table]:
    """Yield the rows in the order of the relation's grain, those of BY_ACCOUNT account by account."""
    order = ", ".join(next(relation.grain for relation in relations() if relation.name == name))
    if name in BY_ACCOUNT:
        of_accounts = f"from {name} where list_contains($accounts, coalesce(account_id, ''))"
        asked = [(f"{of_accounts} order by coalesce(account_id, ''), {order}", {"accounts": accounts})
                 for accounts in _account_groups(lake)]  # fmt: skip
    else:
        asked = [(f"from {name} order by {order}", {})]
    for sql, parameters in asked:
        reader = lake.batches(sql, BATCH, parameters)
        # A table even where there are no rows: it has the columns.
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _account_groups(lake: Lake) -> list[list[str]]:
    """Return the accounts, in their order, in groups that have about GROUP principals; none is an empty text."""
    sql = (
        "select coalesce(account_id, '') as account, count(*) as size from principals group by account order by account"
    )
    groups: list[list[str]] = [[]]
    held = 0
    for row in lake.query(sql).to_pylist():
        if groups[-1] and held + row["size"] > GROUP:
            groups.append([])
            held = 0
        groups[-1].append(row["account"])
        held += row["size"]
    return groups


def _write(tables: Iterator[pa.Table], folder: Path, name: str, formats: Sequence[str]) -> None:
    first = next(tables)
    with ExitStack() as stack:
        writers = [stack.enter_context(WRITERS[one](folder / f"{name}.{one}", first.schema)) for one in formats]
        for table in chain([first], tables):
            for write in writers:
                write(table)


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def write(table: pa.Table) -> None:
            if table.num_rows:
                writer.write_table(table)

        yield write


@contextmanager
def _csv(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:
    del schema
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:

        def write(table: pa.Table) -> None:
            file.writelines(csv_texts(table, has_header=file.tell() == 0))

        yield write


@contextmanager
def _jsonl(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:

        def write(table: pa.Table) -> None:
            for row in rows(table):
                file.write(json_text(dict(zip(schema.names, row, strict=True))) + "\n")

        yield write


#: Writers by format: each yields what takes one batch after the other.
WRITERS = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}
