"""Evaluates account groups, each by itself, in whatever process: tables in, Parquet files out.

Numbers of profiles, cases, cells and so on count within a group; in the files they begin at a start of the group's own,
so that the files of all groups lie beside each other in one relation, and one group's do not change with another's.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import reference
from pipeline.cache import packed, unpacked
from pipeline.evaluate import evaluate, evaluate_documents, of_all
from pipeline.flattened import OF_DOCUMENTS, Tables, beside, only, only_documents, texts, without
from pipeline.gather import ANY, Gathered, Group, Unknown, tables_of
from pipeline.lake.dictionary import Column, relation
from pipeline.lake.duck import Connection, Limits, connect, limits, literal, room_needed
from pipeline.lake.write import FIRST, load_table, parquet_files
from pipeline.memory import collection_off
from pipeline.progress import Progress, silent
from pipeline.reference import RELATIONS
from pipeline.workers import Pool, Workers

#: Relations of which every group has a file.
OF_GROUPS = (
    "principals", "memberships", "attachments", *OF_DOCUMENTS, "action_sets", "principal_policies",
    "principal_profiles", "environment_entries", "account_statements", "profile_cases", "blocks", "action_forms",
    "case_cells", "cell_access", "witnesses", "cell_verdicts",
)  # fmt: skip
#: Relations that are merged of what the groups have of them.
MERGED = ("action_set_members", "residual_conditions", "context_decisions")
WRITTEN = (*OF_GROUPS, *MERGED)
#: What a group without principals writes.
WRITTEN_OF_NOBODY = ("attachments", *OF_DOCUMENTS, "action_sets", "action_set_members")
#: Columns of numbers that count within a group.
OF_GROUP = ("profile_id", "case_id", "block_id", "form_id", "cell_id", "witness_id")
#: Columns of ``accounts`` that decisions ask for: the others change with every export.
OF_DECISIONS = ("account_id", "organization_id", "ou_path", "is_management_account")
#: Relations that no decision asks for.
UNEVALUATED = ("account_ancestors", "training_jobs", "rejects")
SHARED = 0
NUMBERS = 1 << 31


class Task(NamedTuple):
    """A group to evaluate, with what it needs of what all share, packed. ``number`` is where its numbers start.

    ``group`` is None for the accounts that are among what all share. ``trusts`` are trust policies of other accounts.
    """

    number: int
    group: Group | None
    shared: bytes
    trusts: bytes
    reference: Path | None

    @property
    def file_name(self) -> str:
        """The name of its files, the first file of a relation for what all share."""
        return f"{self.number:08x}.parquet" if self.group else FIRST

    @property
    def causes(self) -> Sequence[str]:
        """All that the files follow from."""
        g = self.group
        held = [hashlib.sha256(data).hexdigest() for data in (self.shared, self.trusts)]
        own = [] if g is None else [
            *g.keys, *map(repr, (sorted(g.early), sorted(g.several), sorted(g.elsewhere), sorted(g.lacking.items())))
        ]  # fmt: skip
        return ["group", str(self.number), *held, *own]


def tasks_of(
    gathered: Gathered, known: reference.Reference, services: Iterable[str], within: Limits
) -> tuple[list[Task], Tables]:
    """Return the groups to evaluate, that of the shared accounts first, and the evaluated relations that all share."""
    with closing(connect(within=within)) as connection, room_needed(within):
        _load(connection, gathered.shared, known)
        common = of_all(connection, services, _unknown(gathered.unknown))
    trusts = packed(gathered.trusts)
    everything = {name: table for name, table in {**gathered.shared, **common}.items() if name not in UNEVALUATED}
    tasks = [Task(SHARED, None, packed(everything), trusts, reference.elsewhere(known))]
    numbers = {SHARED}
    for group in gathered.groups:
        number = _number(group.name, numbers)
        numbers.add(number)
        tasks.append(Task(number, group, packed(_needed(group, gathered, common)), trusts, tasks[0].reference))
    return tasks, common


def _number(name: str, taken: set[int]) -> int:
    """Return the number of a group: the same from build to build, whatever other groups there are."""
    number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4]) % NUMBERS
    while number in taken:
        number = (number + 1) % NUMBERS
    return number


def _unknown(found: Iterable[Unknown]) -> pa.Table:
    schema = pa.schema([("action_pattern", pa.string()), ("service", pa.string()), ("uses", pa.int64())])
    return pa.Table.from_pylist([one._asdict() for one in found], schema)


def _needed(group: Group, gathered: Gathered, common: Tables) -> Tables:
    """Return what a group needs of what all share: where nothing of it changed, its answers did not either."""
    shared = gathered.shared
    attachments = shared["attachments"]
    resource_policies = attachments.filter(pc.equal(attachments["attachment_kind"], "resource"))
    owners = {*group.accounts, *resource_policies["account_id"].to_pylist()}
    if gathered.trusts:
        owners |= set(gathered.trusts["attachments"]["account_id"].to_pylist())
    controls = only(common["account_controls"], "account_id", owners)
    documents = {*controls["policy_id"].to_pylist(), *resource_policies["policy_id"].to_pylist(), *group.several}
    known = group.accounts | group.named | set(resource_policies["account_id"].to_pylist())
    inventory = shared["inventory"]
    return {
        "accounts": only(shared["accounts"], "account_id", owners).select(OF_DECISIONS),
        "attachments": resource_policies,
        "inventory": inventory if ANY in known else inventory.filter(_known_or_bucket(inventory, known)),
        "account_controls": controls,
        "evaluated_actions": common["evaluated_actions"],
        "decided_actions": common["decided_actions"],
        **only_documents(shared, documents),
    }


def _known_or_bucket(inventory: pa.Table, known: Collection[str | None]) -> pa.ChunkedArray:
    """Return which resources a group needs: those of accounts that it names, and the buckets of which it is known whose
    they are, for any policy may name one without the account."""
    is_known = pc.is_in(inventory["account_id"], value_set=texts(known))
    is_owned = pc.and_(pc.equal(inventory["service"], "s3"), pc.is_valid(inventory["account_id"]))
    return pc.or_(is_known, is_owned)


class Share(NamedTuple):
    """What one of several processes may use for DuckDB: ``memory`` in bytes, ``threads``, and where it may spill, on
    the machine of the build; another machine has its own folder."""

    memory: int
    threads: int
    spill: Path


def evaluate_in_share(share: Share, task: Task) -> dict[str, bytes]:
    """Do as :func:`evaluate_group` in a process of several, on whatever machine."""
    spill = share.spill / str(os.getpid()) if share.spill.is_dir() else None
    return evaluate_group(task, limits(share.memory, share.threads, spill), Workers(1))


def evaluate_group(task: Task, within: Limits, pool: Pool, progress: Progress = silent) -> dict[str, bytes]:
    """Return the Parquet files of a group by relation; those without rows are left out.

    Raises PolicylakeError where ``within`` is not enough.
    """
    known = reference.load_once(task.reference)
    shared, trusts = unpacked(task.shared), unpacked(task.trusts)
    own = tables_of(task.group) if task.group else shared
    tables = beside(beside(own, shared) if task.group else shared, trusts)
    with closing(connect(within=within)) as connection, collection_off(), room_needed(within):
        _load(connection, tables, known)
        has_principals = bool(own["principals"].num_rows)
        if has_principals:
            evaluate(connection, known, pool, progress)
        else:
            evaluate_documents(connection, known)
        documents = without(own["policies"], "policy_id", task.group.elsewhere if task.group else ())
        load_table(connection, "documents_here", documents.select(["policy_id"]))
        return parquet_files(connection, _selections(task, WRITTEN if has_principals else WRITTEN_OF_NOBODY))


def _load(connection: Connection, tables: Mapping[str, pa.Table], known: reference.Reference) -> None:
    """Load tables and the reference. ``actions`` lacks its counts and goes to staging."""
    connection.execute("create schema staging")
    for name, table in tables.items():
        load_table(connection, name, table, "staging" if name == "actions" else "main", relation(name).grain)
    for name in RELATIONS:
        load_table(connection, name, known.table(name))


def _selections(task: Task, names: Iterable[str]) -> dict[str, str]:
    """Return what to write of each relation, as SQL: rows that no other group writes, with numbers of this group."""
    selections = {}
    for name in names:
        columns = ", ".join(_column(column, task.number) for column in relation(name).columns)
        if name == "residual_conditions":
            columns += ", is_shown"
        source = "numbered_entries" if name == "environment_entries" else f'"{name}"'
        order = ", ".join(f'"{column}"' for column in relation(name).grain)
        selections[name] = f"select {columns} from {source} {_restriction(name, task)} order by {order}"
    return selections


def _column(column: Column, number: int) -> str:
    """Return a column as it is written."""
    if column.name in OF_GROUP:
        return f'("{column.name}" + ({number}::bigint << 32)) as "{column.name}"'
    return f'"{column.name}"'


def _restriction(name: str, task: Task) -> str:
    if name in OF_DOCUMENTS or name == "action_sets":
        owner = "policy_id" if name in ("policies", "statements") else "split_part(statement_id, '#', 1)"
        return f"where {owner} in (select policy_id from documents_here)"
    if name == "attachments":
        own = "target_arn in (select principal_arn from principals)"
        return f"where {own}" if task.group else f"where attachment_kind != 'trust' or {own}"
    return ""


def merged(name: str, files: Iterable[Path]) -> str:
    """Return the rows of a relation of :data:`MERGED` as SQL, from the files that the groups have of it.

    A condition of several groups has the example of one of them: the best, then the first.
    """
    rows = _rows_of(files)
    if name != "residual_conditions":
        return f"select distinct * from {rows}"
    best = "witness is null, smallest_change is null, not is_shown, witness"
    return f"select distinct on (condition_id) * from {rows} order by condition_id, {best}"


def action_sets_in(files: Iterable[Path]) -> str:
    """Return what the groups say the action sets are, as SQL for :func:`hold_one_text_each`."""
    members = "string_agg(action, ',' order by action)"
    return f"select action_set_id as number, {members} as text from {_rows_of(files)} group by filename, action_set_id"


def _rows_of(files: Iterable[Path]) -> str:
    return f"read_parquet([{', '.join(literal(file) for file in files)}])"
