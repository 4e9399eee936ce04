"""Reads inputs shard by shard, in as many processes as there are, and puts together what the shards say of each other.

What comes of it are account groups: the tables of the accounts that lie in a few shards, and tables that all of them
share. Groups depend on the files alone, never on the number of processes. Must not know DuckDB.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import reference
from pipeline.cache import Cache, Stored, packed, unpacked
from pipeline.errors import Reject
from pipeline.flatten import flatten
from pipeline.flatten.records import Inputs, SourceFile
from pipeline.flattened import (
    OF_ACCOUNTS,
    OF_DOCUMENTS,
    Tables,
    documents_of,
    joined,
    marked,
    only,
    only_documents,
    without_accounts,
    without_documents,
)
from pipeline.ingest.assemble import assemble
from pipeline.ingest.documents import DocumentCache, DocumentStore, Form, whole
from pipeline.ingest.files import InputFile, fingerprint, is_of_process
from pipeline.ingest.read import input_files, placed, tell_read
from pipeline.ingest.shards import Gleaned, cut, decoded, encoded, harvest, of_accounts, still_told, unsettled, weight
from pipeline.lake.columns import rows_table
from pipeline.lake.dictionary import relation
from pipeline.memory import collection_off
from pipeline.progress import Progress, Step
from pipeline.workers import Pool, Pools, workers

#: Bytes of text from which on other processes pay for their start: about a second of reading.
WORTH_PROCESSES = 20_000_000
ANY = "*"
#: The variable for the principal's own account, in lower case.
OWN_ACCOUNT = "${aws:principalaccount}"
#: The column of ``actions`` that is counted in SQL.
COUNTED_LATER = "matched_action_count"


class Shard(NamedTuple):
    """Files to read at once; ``group`` is the account group that they belong to.

    ``reference`` is the folder of the service reference, None for the packaged one: each machine has its own.
    """

    group: int
    files: tuple[InputFile, ...]
    latest: bool
    settles: bool
    reference: Path | None


class Unknown(NamedTuple):
    """An action that statements name and the service reference does not know; ``uses`` are their statements."""

    action_pattern: str
    service: str
    uses: int


class Summary(NamedTuple):
    """The little of a shard that must be seen together with other shards: no rows.

    ``named`` are the accounts that resource patterns name, ``*`` among them where one may name any: what is known of
    their resources matters. ``trusts`` are the documents of trust policies that speak of other actions than sts's.
    """

    gleaned: Gleaned
    sources: tuple[SourceFile, ...]
    rejects: tuple[Reject, ...]
    forms: tuple[Form, ...]
    unknown: tuple[Unknown, ...]
    named: tuple[str, ...]
    trusts: tuple[str, ...]


#: A summary as the cache has it: what was gleaned in the form that ingest gives it.
Encoded: TypeAlias = tuple[
    bytes,
    tuple[SourceFile, ...],
    tuple[Reject, ...],
    tuple[Form, ...],
    tuple[Unknown, ...],
    tuple[str, ...],
    tuple[str, ...],
]


class Sheaf(NamedTuple):
    """What a shard gives: its summary, and the tables of what is settled as :func:`packed` packs them."""

    summary: Summary
    tables: bytes


class Kept(NamedTuple):
    """A sheaf whose tables are on the disk. ``key`` tells what it was read from, ``group`` is None where no account was
    settled."""

    group: int | None
    key: str
    summary: Summary
    tables: Stored

    @property
    def documents(self) -> frozenset[str]:
        """The ids of its documents."""
        return frozenset(form[0] for form in self.summary.forms)


class Group(NamedTuple):
    """Accounts that are evaluated together: the tables of shards, and what of them does not count.

    ``name`` tells groups apart. ``keys`` are what the tables follow from, ``several`` are documents that were read as
    several kinds: the shared tables have them. ``named`` are the accounts that they name. ``early`` are
    files whose accounts were settled too early, ``elsewhere`` documents that the shared tables or an earlier group
    hold. ``lacking`` tells what principals are missing besides, by account.
    """

    name: str
    shards: tuple[Stored, ...]
    keys: tuple[str, ...]
    accounts: frozenset[str]
    named: frozenset[str]
    early: frozenset[str]
    several: frozenset[str]
    elsewhere: frozenset[str]
    lacking: Mapping[str, tuple[str, ...]]


class Gathered(NamedTuple):
    """What was read. ``shared`` are the tables, by relation, of what was put together of several files: organization,
    inventory, policies of resources, accounts in files of several shards; rows are in no order that counts, ``actions``
    lacks its counts. ``trusts`` are the trust policies of the groups that matter to other accounts."""

    shared: Tables
    groups: tuple[Group, ...]
    unknown: tuple[Unknown, ...]
    trusts: Tables
    sources: tuple[SourceFile, ...]
    rejects: tuple[Reject, ...]


def gather(
    paths: Sequence[Path],
    known: reference.Reference,
    cache: Cache,
    *,
    latest: bool,
    processes: int,
    with_trusts: bool,
    progress: Progress,
    pools: Pools = workers,
) -> Gathered:
    """Read files and folders; see ``read_inputs`` for what is read and raised.

    Shards that ``cache`` has are not read again. ``with_trusts``: what trust policies say matters to other accounts.
    """
    files, rejects = input_files(paths)
    count = processes if sum(weight(file) for file in files) >= WORTH_PROCESSES else 1
    with collection_off(), pools(count) as pool:
        shards = _shards(files, latest, reference.elsewhere(known))
        kept = [*_read(shards, cache, pool, len(files), progress)]
        progress(Step("joining accounts"))
        early = unsettled([one.summary.gleaned for one in kept])
        again = [sheaf.summary for sheaf in pool.map(read_shard, _again(shards, early))]
        inputs = _inputs([one.summary for one in kept], again, early, rejects, latest)
        inputs = replace(inputs, rejects=placed(inputs.rejects, files, pool))
        return _gathered(inputs, kept, early, known, with_trusts)


def _shards(files: Iterable[InputFile], latest: bool, folder: Path | None) -> list[Shard]:
    """Return the shards to read. What only this process can read, perhaps once, is one by itself and not settled."""
    own: list[InputFile] = []
    others: list[InputFile] = []
    for file in files:
        (own if is_of_process(file) else others).append(file)
    here = [Shard(0, tuple(own), latest, False, folder)] if own else []
    groups = enumerate(cut(others))
    return here + [Shard(number, held, latest, True, folder) for number, group in groups for held in group]


def _read(shards: Sequence[Shard], cache: Cache, pool: Pool, of: int, progress: Progress) -> Iterator[Kept]:
    """Yield what the shards hold, in their order: from the cache where it has the same files, else read."""
    elsewhere = [shard for shard in shards if shard.settles]
    hashes = pool.map(_hashes, elsewhere) if cache.is_warm else ()
    keys = {shard: _key(cache, shard, found) for shard, found in zip(elsewhere, hashes, strict=False)}
    known = {shard: found for shard, key in keys.items() if (found := cache.shard(key))}
    unknown = [shard for shard in elsewhere if shard not in known]
    fresh = chain(map(read_shard, (s for s in shards if not s.settles)), pool.map(read_shard, unknown))
    number = 0
    tell_read(progress, number, of)
    for shard in shards:
        if shard in known:
            data, tables = known[shard]
            one = Kept(shard.group, keys[shard], _summary(data), tables)
        else:
            sheaf = next(fresh)
            key = _key(cache, shard, {source.path: source.sha256 for source in sheaf.summary.sources})
            tables = cache.keep_shard(key, _encoded(sheaf.summary) if shard.settles else None, sheaf.tables)
            one = Kept(shard.group if shard.settles else None, key, sheaf.summary, tables)
        number += len(one.summary.sources)
        tell_read(progress, number, of)
        yield one


def _hashes(shard: Shard) -> dict[str, str]:
    return {file.source: fingerprint(file) for file in shard.files}


def _key(cache: Cache, shard: Shard, hashes: Mapping[str, str]) -> str:
    """Return what the tables of a shard follow from: names and hashes of its files, and how they are read."""
    files = [(file.source, file.name, hashes[file.source]) for file in shard.files]
    return cache.key("shard", str(shard.latest), str(shard.settles), *map(repr, files))


def _encoded(summary: Summary) -> bytes | None:
    """Return a summary for the cache; None where a file could not be read, or holds what no text can."""
    gleaned = encoded(summary.gleaned)
    if gleaned is None or not all(source.sha256 for source in summary.sources):
        return None
    try:
        return msgspec.msgpack.encode((gleaned, *summary[1:]))
    except UnicodeEncodeError:
        return None


def _summary(data: bytes) -> Summary:
    gleaned, *others = msgspec.msgpack.decode(data, type=Encoded)
    return Summary(decoded(gleaned), *others)


def read_shard(shard: Shard) -> Sheaf:
    """Read the files of a shard."""
    with collection_off():
        found = harvest(shard.files, DocumentStore(_documents()), shard.latest, shard.settles)
        settled, known = found.settled, reference.load_once(shard.reference)
        tables = _tables(replace(settled.inputs, documents=tuple(found.documents.values())), known)
        summary = Summary(
            Gleaned(settled.accounts, settled.sources, settled.unresolved, found.waiting),
            found.sources,
            settled.inputs.rejects,
            tuple(found.documents),
            _unknown(tables["actions"], known),
            _named(tables["resources"]),
            _odd_trusts(tables),
        )
        return Sheaf(summary, packed({name: tables[name] for name in (*OF_DOCUMENTS, *OF_ACCOUNTS)}))


@lru_cache(maxsize=1)
def _documents() -> DocumentCache:
    """Return the documents that this process found in several shards: each is parsed once."""
    return DocumentCache()


def _tables(inputs: Inputs, known: reference.Reference) -> Tables:
    rows = flatten(inputs, lambda key: known.key(key) is not None)
    tables = {name: rows_table(relation(name), listed) for name, listed in rows.items()}
    uncounted = [name for name in tables["actions"].column_names if name != COUNTED_LATER]
    return {**tables, "actions": tables["actions"].select(uncounted)}


def _unknown(actions: pa.Table, known: reference.Reference) -> tuple[Unknown, ...]:
    """Return the actions that statements name and the reference does not know."""
    named = actions.filter(pc.invert(actions["is_wildcard"]))
    counted = named.group_by(["action_pattern", "service"]).aggregate([("statement_id", "count")]).to_pylist()
    rows = [Unknown(row["action_pattern"], row["service"], row["statement_id_count"]) for row in counted]
    return tuple(sorted(row for row in rows if row.service is not None and known.action(row.action_pattern) is None))


def _named(resources: pa.Table) -> tuple[str, ...]:
    """Return the accounts that patterns name; one that is open is the principal's own, but a variable may be any."""
    fields = {field for field in pc.unique(resources["account_id"]).to_pylist() if field}
    open_fields = {field for field in fields if "$" in field and field.lower() != OWN_ACCOUNT}
    return tuple(sorted({field for field in fields if field.isdigit()} | ({ANY} if open_fields else set())))


def _odd_trusts(tables: Tables) -> tuple[str, ...]:
    """Return the documents of trust policies with a statement of other actions than those of sts."""
    attachments, statements, actions = tables["attachments"], tables["statements"], tables["actions"]
    trusts = attachments.filter(pc.equal(attachments["attachment_kind"], "trust"))["policy_id"]
    plain = pc.starts_with(pc.utf8_lower(actions["action_pattern"]), "sts:")
    others = set(documents_of(actions.filter(pc.invert(plain))).to_pylist())
    negated = statements.filter(pc.not_equal(statements["action_element"], "Action"))["policy_id"]
    return tuple(sorted(set(trusts.to_pylist()) & (others | set(negated.to_pylist()))))


def _again(shards: Iterable[Shard], early: frozenset[str]) -> list[Shard]:
    """Return what to read again of the shards: nothing in it is to be settled."""
    left = [(shard, tuple(file for file in shard.files if file.source in early)) for shard in shards]
    return [shard._replace(files=files, settles=False) for shard, files in left if files]


def _inputs(
    summaries: Sequence[Summary],
    again: Sequence[Summary],
    early: frozenset[str],
    rejects: Sequence[Reject],
    latest: bool,
) -> Inputs:
    """Put together what files say of each other: all but the principals that were settled in their shards."""
    parts = [*rejects, *(part for one in summaries for part in one.gleaned.waiting)]
    parts += [part for one in again for part in of_accounts(one.gleaned.waiting, early)]
    settled = [
        account
        for one in summaries
        for account in one.gleaned.accounts
        if one.gleaned.sources[account.account_id or ""].isdisjoint(early)
    ]
    inputs = assemble(parts, (), [source for one in summaries for source in one.sources], latest, settled)
    told = still_told((reject for one in summaries for reject in one.rejects), early)
    return replace(inputs, rejects=(*inputs.rejects, *told))


def _gathered(
    inputs: Inputs, kept: Sequence[Kept], early: frozenset[str], known: reference.Reference, with_trusts: bool
) -> Gathered:
    """Make groups of the shards, and the tables that they share."""
    forms = {form for one in kept for form in one.summary.forms}
    several = frozenset(policy_id for policy_id, times in Counter(form[0] for form in forms).items() if times > 1)
    texts = _of_documents(kept, several)["policies"] if several else None
    wholes = () if texts is None else tuple(whole(row["policy_id"], row["document"]) for row in texts.to_pylist())
    shared = _tables(replace(inputs, documents=wholes), known)
    asked: set[str | None] = {p.boundary_policy_id for p in inputs.principals}
    asked |= {a.policy_id for a in inputs.attachments}
    asked |= {policy_id for one in kept if one.group is None for policy_id in one.documents}
    asked_here = {policy_id for policy_id in asked if policy_id} - several
    shared = joined([shared, _of_documents(kept, asked_here)])
    grouped: dict[int, list[Kept]] = {}
    for one in kept:
        if one.group is not None:
            grouped.setdefault(one.group, []).append(one)
    seen = asked_here | several
    groups = []
    for ones in grouped.values():
        documents = frozenset().union(*(one.documents for one in ones))
        if documents <= seen and not any(one.summary.gleaned.accounts for one in ones):
            continue
        groups.append(_group(ones, early, documents & several, documents & seen, inputs.lacking))
        seen |= documents
    return Gathered(
        shared,
        tuple(groups),
        _all_unknown(kept),
        _trusts(kept, early, with_trusts),
        inputs.sources,
        inputs.rejects,
    )


def _group(
    ones: Sequence[Kept],
    early: frozenset[str],
    several: frozenset[str],
    elsewhere: frozenset[str],
    lacking: Mapping[str, tuple[str, ...]],
) -> Group:
    accounts = frozenset(a.account_id for one in ones for a in one.summary.gleaned.accounts if a.account_id)
    return Group(
        ones[0].summary.sources[0].path,
        tuple(one.tables for one in ones),
        tuple(one.key for one in ones),
        accounts,
        frozenset(account_id for one in ones for account_id in one.summary.named),
        frozenset(source.path for one in ones for source in one.summary.sources) & early,
        several,
        elsewhere,
        {account_id: lacking[account_id] for account_id in sorted(accounts & lacking.keys())},
    )


def _all_unknown(kept: Iterable[Kept]) -> tuple[Unknown, ...]:
    uses: Counter[tuple[str, str]] = Counter()
    for one in kept:
        for action_pattern, service, times in one.summary.unknown:
            uses[action_pattern, service] += times
    return tuple(Unknown(*named, times) for named, times in sorted(uses.items()))


def _trusts(kept: Sequence[Kept], early: frozenset[str], every: bool) -> Tables:
    """Return the trust policies that matter to other accounts, as attachments and documents; empty where none does."""
    found: list[pa.Table] = []
    for one in kept:
        if every or one.summary.trusts:
            attachments = without_accounts(unpacked(one.tables.read()), early)["attachments"]
            trusts = attachments.filter(pc.equal(attachments["attachment_kind"], "trust"))
            found.append(trusts if every else only(trusts, "policy_id", one.summary.trusts))
    if not found:
        return {}
    attachments = pa.concat_tables(found)
    return {"attachments": attachments, **_of_documents(kept, set(attachments["policy_id"].to_pylist()))}


def _of_documents(kept: Iterable[Kept], policy_ids: Collection[str]) -> Tables:
    """Return the tables of documents with these ids, each from the first shard that has it."""
    left = set(policy_ids)
    found: list[Tables] = []
    for one in kept:
        here = left & one.documents
        if here:
            left -= here
            found.append(only_documents(unpacked(one.tables.read()), here))
    return joined(found)


def tables_of(group: Group) -> Tables:
    """Return the tables of a group's accounts and of all documents in its files."""
    found: list[Tables] = []
    seen = group.several
    for shard in group.shards:
        new = without_documents(unpacked(shard.read()), seen)
        seen |= frozenset(new["policies"]["policy_id"].to_pylist())
        found.append(without_accounts(new, group.early))
    tables = joined(found)
    return {**tables, "principals": marked(tables["principals"], group.lacking)}
