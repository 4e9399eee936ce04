"""Reads files in shards, each by itself in whatever process, and puts together what the shards give.

Accounts whose files all lie in one shard are settled there. Where it turns out that another shard holds something of
them, their files are read again and go the way of all that must be seen together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline import remote
from pipeline.errors import Reject
from pipeline.flatten.records import Document, Inputs, SourceFile
from pipeline.ingest.accounts import Account
from pipeline.ingest.arns import account_in_name
from pipeline.ingest.assemble import OF_ACCOUNTS, Settled, owners_of, settle
from pipeline.ingest.documents import DocumentStore, Form
from pipeline.ingest.files import GZIP_ENDING, InputFile, size
from pipeline.ingest.parts import ManagedPolicyPart, Part
from pipeline.ingest.read import read_file

#: Bytes of a shard: a few tenths of a second, so that no process waits long for the last one.
SHARD_BYTES = 3_000_000
#: How much longer JSON text is than its gzip form, about.
UNPACKED = 10


class Harvest(NamedTuple):
    """What the files of one shard hold. ``waiting`` are parts that other files may concern."""

    sources: tuple[SourceFile, ...]
    documents: dict[Form, Document]
    settled: Settled
    waiting: tuple[Part, ...]


class Gleaned(NamedTuple):
    """What of a harvest is needed to put shards together: no rows. ``sources`` and ``unresolved`` are by account."""

    accounts: tuple[Account, ...]
    sources: dict[str, frozenset[str]]
    unresolved: dict[str, frozenset[str]]
    waiting: tuple[Part, ...]


def cut(files: Iterable[InputFile]) -> list[tuple[InputFile, ...]]:
    """Return the files in shards. Those whose names tell one account stay together.

    Shards depend on the files alone: the result is the same whatever number of processes reads them.
    """
    groups: dict[str, list[InputFile]] = defaultdict(list)
    for file in files:
        groups[account_in_name(file.name) or file.source].append(file)
    shards: list[tuple[InputFile, ...]] = []
    held: list[InputFile] = []
    room = SHARD_BYTES
    for group in groups.values():
        held += group
        room -= sum(weight(file) for file in group)
        if room <= 0:
            shards.append(tuple(held))
            held, room = [], SHARD_BYTES
    return [*shards, tuple(held)] if held else shards


def weight(file: InputFile) -> int:
    """Return about how many bytes of text a file holds."""
    return size(file) * (UNPACKED if remote.name(file.path).lower().endswith(GZIP_ENDING) else 1)


def harvest(files: Iterable[InputFile], documents: DocumentStore, latest: bool, settles: bool) -> Harvest:
    """Read files; ``settles`` says to resolve the accounts that they hold. Documents are those new to the store."""
    sources: list[SourceFile] = []
    parts: list[Part] = []
    for file in files:
        source, held = read_file(file, documents)
        sources.append(source)
        parts += held
    settled, waiting = settle(parts, latest) if settles else (Settled((), {}, {}, Inputs()), parts)
    return Harvest(tuple(sources), documents.take(), settled, tuple(waiting))


def unsettled(gleaned: Sequence[Gleaned]) -> frozenset[str]:
    """Return the files whose accounts were settled too early: other shards hold something of these accounts."""
    waiting = [part for one in gleaned for part in one.waiting]
    holders = Counter(account_id for one in gleaned for account_id in one.sources)
    holders.update({account_id for found in owners_of(waiting).values() for account_id in found if account_id})
    unowned = _unowned(waiting)
    early = {account_id for account_id, shards in holders.items() if shards > 1}
    early |= {account for one in gleaned for account, named in one.unresolved.items() if named & unowned}
    accounts: dict[str, set[str]] = defaultdict(set)
    files: dict[str, set[str]] = defaultdict(set)
    for one in gleaned:
        for account_id, sources in one.sources.items():
            files[account_id] |= sources
            for source in sources:
                accounts[source].add(account_id)
    return _reached(early, files, accounts)


def _unowned(parts: Iterable[Part]) -> set[str]:
    """Return the ARNs of AWS's policies in files that name no account: they count for every account that lacks them."""
    nameless = {source for source, found in owners_of(parts).items() if None in found}
    return {part.arn for part in parts if isinstance(part, ManagedPolicyPart) and part.source in nameless}


def _reached(
    accounts: Iterable[str], files: Mapping[str, Iterable[str]], held: Mapping[str, Iterable[str]]
) -> frozenset[str]:
    """Return the files of the accounts, those of the other accounts in these files, and so on."""
    reached: set[str] = set()
    unvisited = [file for account_id in accounts for file in files.get(account_id, ())]
    while unvisited:
        file = unvisited.pop()
        if file not in reached:
            reached.add(file)
            unvisited += [other for account_id in held[file] for other in files[account_id]]
    return frozenset(reached)


def of_accounts(parts: Iterable[Part], files: frozenset[str]) -> list[Part]:
    """Return the parts of account exports of these files, without what was told of them before."""
    return [part for part in parts if isinstance(part, OF_ACCOUNTS) and part.source in files]


def still_told(rejects: Iterable[Reject], again: frozenset[str]) -> list[Reject]:
    """Return the rejects but for those of files that are read again."""
    return [reject for reject in rejects if reject.source not in again]
