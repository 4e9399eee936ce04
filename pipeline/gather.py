"""Reads inputs shard by shard, in as many processes as there are, into tables of the flattened relations.

The tables and rejects are the same whatever the number of processes. Must not know DuckDB.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import reference
from pipeline.errors import Reject
from pipeline.flatten import flatten
from pipeline.flatten.records import Inputs, SourceFile
from pipeline.ingest.assemble import assemble
from pipeline.ingest.documents import POLICY_ID_DIGITS, DocumentStore, Form, whole
from pipeline.ingest.files import InputFile, is_of_process
from pipeline.ingest.read import input_files, placed, tell_read
from pipeline.ingest.shards import Gleaned, cut, harvest, of_accounts, still_told, unsettled, weight
from pipeline.lake.columns import rows_table
from pipeline.lake.dictionary import relation
from pipeline.memory import collection_off
from pipeline.progress import Progress, Step
from pipeline.workers import Pool, Pools, workers

#: Bytes of text from which on other processes pay for their start: about a second of reading.
WORTH_PROCESSES = 20_000_000
OF_STATEMENTS = ("statements", "actions", "resources", "conditions", "statement_principals")
OF_DOCUMENTS = ("policies", *OF_STATEMENTS)
#: The column of ``actions`` that is counted in SQL.
COUNTED_LATER = "matched_action_count"
OF_ACCOUNTS = ("principals", "memberships", "attachments")

Tables = dict[str, pa.Table]


class Gathered(NamedTuple):
    """What was read. ``tables`` are by relation, their rows in no order that counts; ``actions`` lacks its counts.

    ``incomplete`` is the number of principals of which something is missing.
    """

    tables: Tables
    sources: tuple[SourceFile, ...]
    rejects: tuple[Reject, ...]
    incomplete: int


class Shard(NamedTuple):
    """Files to read at once. Shards of one ``build`` share what a process knows of documents.

    ``reference`` is the folder of the service reference, None of the packaged one: each machine has its own.
    """

    build: str
    files: tuple[InputFile, ...]
    latest: bool
    settles: bool
    reference: Path | None


class Sheaf(NamedTuple):
    """What a shard gives: tables of what is settled, and the little that must be seen together with other shards."""

    sources: tuple[SourceFile, ...]
    gleaned: Gleaned
    rejects: tuple[Reject, ...]
    forms: tuple[Form, ...]
    tables: Tables


def gather(
    paths: Sequence[Path],
    known: reference.Reference,
    *,
    latest: bool,
    processes: int,
    progress: Progress,
    pools: Pools = workers,
) -> Gathered:
    """Read files and folders and return their flattened relations; see ``read_inputs`` for what is read and raised."""
    files, rejects = input_files(paths)
    count = processes if sum(weight(file) for file in files) >= WORTH_PROCESSES else 1
    with collection_off(), pools(count) as pool:
        shards = _shards(files, latest, None if known.folder == reference.PACKAGED else known.folder, pool.remembers)
        sheaves = [*_read(shards, pool, len(files), progress)]
        progress(Step("joining accounts"))
        early = unsettled([sheaf.gleaned for sheaf in sheaves])
        again = [*pool.map(read_shard, _again(shards, early))]
        _documents.cache_clear()
        inputs = _inputs(sheaves, again, early, rejects, latest)
        inputs = replace(inputs, rejects=placed(inputs.rejects, files, pool))
        return _gathered(inputs, [*sheaves, *again], early, known)


def _shards(files: Iterable[InputFile], latest: bool, folder: Path | None, remembers: bool) -> list[Shard]:
    """Return the shards to read. What only this process can read, perhaps once, is one by itself and not settled."""
    build = uuid.uuid4().hex
    own: list[InputFile] = []
    others: list[InputFile] = []
    for file in files:
        (own if is_of_process(file) else others).append(file)
    here = [Shard(build, tuple(own), latest, False, folder)] if own else []
    return here + [Shard(build if remembers else uuid.uuid4().hex, held, latest, True, folder) for held in cut(others)]


def _read(shards: Sequence[Shard], pool: Pool, of: int, progress: Progress) -> Iterator[Sheaf]:
    here = [shard for shard in shards if not shard.settles]
    elsewhere = [shard for shard in shards if shard.settles]
    number = 0
    tell_read(progress, number, of)
    for sheaf in chain(map(read_shard, here), pool.map(read_shard, elsewhere)):
        number += len(sheaf.sources)
        tell_read(progress, number, of)
        yield sheaf


def read_shard(shard: Shard) -> Sheaf:
    """Read the files of a shard; documents are those that this process has not given for this build before."""
    with collection_off():
        found = harvest(shard.files, _documents(shard.build), shard.latest, shard.settles)
        settled = found.settled
        rows = _tables(replace(settled.inputs, documents=tuple(found.documents.values())), _reference(shard.reference))
        return Sheaf(
            found.sources,
            Gleaned(settled.accounts, settled.sources, settled.unresolved, found.waiting),
            settled.inputs.rejects,
            tuple(found.documents),
            {name: rows[name] for name in (*OF_DOCUMENTS, *OF_ACCOUNTS)},
        )


@lru_cache(maxsize=1)
def _documents(build: str) -> DocumentStore:
    """Return the documents that this process knows of a build: each is parsed once, in whatever shards it stands."""
    del build
    return DocumentStore()


@lru_cache(maxsize=1)
def _reference(folder: Path | None) -> reference.Reference:
    return reference.load(folder or reference.PACKAGED)


def _tables(inputs: Inputs, known: reference.Reference) -> Tables:
    rows = flatten(inputs, lambda key: known.key(key) is not None)
    tables = {name: rows_table(relation(name), listed) for name, listed in rows.items()}
    uncounted = [name for name in tables["actions"].column_names if name != COUNTED_LATER]
    return {**tables, "actions": tables["actions"].select(uncounted)}


def _again(shards: Iterable[Shard], early: frozenset[str]) -> list[Shard]:
    """Return what to read again of the shards: nothing in it is to be settled."""
    left = [(shard, tuple(file for file in shard.files if file.source in early)) for shard in shards]
    return [shard._replace(files=files, settles=False) for shard, files in left if files]


def _inputs(
    sheaves: Sequence[Sheaf], again: Sequence[Sheaf], early: frozenset[str], rejects: Sequence[Reject], latest: bool
) -> Inputs:
    """Put together what files say of each other: all but the principals that were settled in their shards."""
    parts = [*rejects, *(part for sheaf in sheaves for part in sheaf.gleaned.waiting)]
    parts += [part for sheaf in again for part in of_accounts(sheaf.gleaned.waiting, early)]
    settled = [
        account
        for sheaf in sheaves
        for account in sheaf.gleaned.accounts
        if sheaf.gleaned.sources[account.account_id or ""].isdisjoint(early)
    ]
    inputs = assemble(parts, (), [source for sheaf in sheaves for source in sheaf.sources], latest, settled)
    told = still_told((reject for sheaf in sheaves for reject in sheaf.rejects), early)
    return replace(inputs, rejects=(*inputs.rejects, *told))


def _gathered(inputs: Inputs, sheaves: Sequence[Sheaf], early: frozenset[str], known: reference.Reference) -> Gathered:
    """Join the tables of the shards with those of what was put together."""
    forms = {form for sheaf in sheaves for form in sheaf.forms}
    several = {policy_id for policy_id, times in Counter(form[0] for form in forms).items() if times > 1}
    wholes = tuple(whole(policy_id, text) for policy_id, text in sorted(_canonical(sheaves, several).items()))
    joined = [_tables(replace(inputs, documents=wholes), known)]
    seen: set[Form] = set()
    for sheaf in sheaves:
        repeated = {form[0] for form in sheaf.forms if form in seen}
        seen.update(sheaf.forms)
        joined.append(_without_accounts(_without_documents(sheaf.tables, repeated | several), early))
    tables = {name: pa.concat_tables([some[name] for some in joined if name in some]) for name in joined[0]}
    tables["principals"] = _marked(tables["principals"], inputs.lacking)
    incomplete = pc.sum(tables["principals"]["is_incomplete"]).as_py() or 0
    return Gathered(tables, inputs.sources, inputs.rejects, incomplete)


def _canonical(sheaves: Iterable[Sheaf], policy_ids: Collection[str]) -> dict[str, str]:
    """Return the texts of documents."""
    if not policy_ids:
        return {}
    found = pa.concat_tables([sheaf.tables["policies"] for sheaf in sheaves])
    chosen = found.filter(_is_in(found["policy_id"], policy_ids))
    return dict(zip(chosen["policy_id"].to_pylist(), chosen["document"].to_pylist(), strict=True))


def _without_documents(tables: Tables, policy_ids: Collection[str]) -> Tables:
    """Return the tables without the rows of these documents; a statement's id begins with its document's."""
    if not policy_ids:
        return tables
    kept = dict(tables)
    kept["policies"] = _without(tables["policies"], tables["policies"]["policy_id"], policy_ids)
    for name in OF_STATEMENTS:
        owners = pc.utf8_slice_codeunits(tables[name]["statement_id"], 0, POLICY_ID_DIGITS)
        kept[name] = _without(tables[name], owners, policy_ids)
    return kept


def _without_accounts(tables: Tables, sources: Collection[str]) -> Tables:
    """Return the tables without what was read of accounts in these files."""
    if not sources:
        return tables
    kept = dict(tables)
    for name in ("principals", "attachments"):
        kept[name] = _without(tables[name], tables[name]["source"], sources)
    left = kept["principals"]["principal_arn"]
    users = tables["memberships"]["user_arn"]
    kept["memberships"] = tables["memberships"].filter(pc.is_in(users, value_set=left.combine_chunks()))
    return kept


def _without(table: pa.Table, column: pa.ChunkedArray, values: Collection[str]) -> pa.Table:
    return table.filter(pc.invert(_is_in(column, values)))


def _is_in(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(sorted(values), pa.string()))


def _marked(principals: pa.Table, lacking: Mapping[str, tuple[str, ...]]) -> pa.Table:
    """Add to principals what is missing of their accounts, by account."""
    if not lacking:
        return principals
    concerned = pc.fill_null(_is_in(principals["account_id"], lacking), False)
    rows = principals.filter(concerned).to_pylist()
    for row in rows:
        row["missing"] = sorted({*row["missing"], *lacking[row["account_id"]]})
        row["is_incomplete"] = bool(row["missing"])
    marked = pa.Table.from_pylist(rows, schema=principals.schema)
    return pa.concat_tables([principals.filter(pc.invert(concerned)), marked])
