"""Reads files in shards, each by itself in whatever process, and puts together what the shards give.

Accounts whose files all lie in one shard are settled there. Where it turns out that another shard holds something of
them, their files are read again and go the way of all that must be seen together.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, get_args

import msgspec

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
#: Bytes of an account group: the memory that its evaluation takes grows with it, and what groups decide twice shrinks.
GROUP_LEAST, GROUP_MOST = 6_000_000, 18_000_000
#: One name in so many may end a group that has the least.
GROUP_ENDS = 8
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


def cut(files: Iterable[InputFile]) -> list[list[tuple[InputFile, ...]]]:
    """Return the files in groups of shards. Those whose names tell one account stay together in one shard.

    Groups and shards depend on the files alone: they are the same whatever number of processes reads them. Where a
    group ends depends on names more than on sizes: a file that grows moves few ends.
    """
    accounts: dict[str, list[InputFile]] = defaultdict(list)
    for file in files:
        accounts[account_in_name(file.name) or file.source].append(file)
    groups: list[list[tuple[InputFile, ...]]] = []
    held: list[list[InputFile]] = []
    weights = 0
    for name, files_of_account in accounts.items():
        held.append(files_of_account)
        weights += sum(map(weight, files_of_account))
        if weights >= GROUP_MOST or (weights >= GROUP_LEAST and _is_end(name)):
            groups.append(_shards(held))
            held, weights = [], 0
    return [*groups, _shards(held)] if held else groups


def _is_end(name: str) -> bool:
    """Whether a group may end behind what has this name: every so many do."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[0] % GROUP_ENDS == 0


def _shards(accounts: Iterable[list[InputFile]]) -> list[tuple[InputFile, ...]]:
    shards: list[tuple[InputFile, ...]] = []
    held: list[InputFile] = []
    for files in accounts:
        held += files
        if sum(map(weight, held)) >= SHARD_BYTES:
            shards.append(tuple(held))
            held = []
    return [*shards, tuple(held)] if held else shards


def weight(file: InputFile) -> int:
    """Return about how many bytes of text a file holds."""
    return size(file) * (UNPACKED if remote.name(file.path).lower().endswith(GZIP_ENDING) else 1)


def harvest(files: Iterable[InputFile], documents: DocumentStore, latest: bool, settles: bool) -> Harvest:
    """Read files; ``settles`` says to resolve the accounts that they hold."""
    sources: list[SourceFile] = []
    parts: list[Part] = []
    for file in files:
        source, held = read_file(file, documents)
        sources.append(source)
        parts += held
    settled, waiting = settle(parts, latest) if settles else (Settled((), {}, {}, Inputs()), parts)
    return Harvest(tuple(sources), documents.documents, settled, tuple(waiting))


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


def encoded(gleaned: Gleaned) -> bytes | None:
    """Return what was gleaned as bytes, None where it holds a text that cannot be encoded."""
    parts = [(type(part).__name__, part) for part in gleaned.waiting]
    try:
        return msgspec.msgpack.encode((*gleaned[:3], parts))
    except UnicodeEncodeError:
        return None


def decoded(data: bytes) -> Gleaned:
    """Return what :func:`encoded` encoded."""
    accounts, sources, unresolved, parts = msgspec.msgpack.decode(data, type=_Encoded)
    return Gleaned(accounts, sources, unresolved, tuple(msgspec.msgpack.decode(p, type=_KINDS[k]) for k, p in parts))


_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Part)}
_Encoded: TypeAlias = tuple[
    tuple[Account, ...], dict[str, frozenset[str]], dict[str, frozenset[str]], list[tuple[str, msgspec.Raw]]
]
