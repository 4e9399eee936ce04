"""Runs the evaluation over loaded relations: models, profiles, cells, tables. Writes nothing outside the connection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline import assets
from pipeline.evaluate.actions import ActionForm, EvaluatedActions, action_form
from pipeline.evaluate.callers import Callers
from pipeline.evaluate.cases import Case, Cases
from pipeline.evaluate.decide import decide
from pipeline.evaluate.dependents import context_decisions
from pipeline.evaluate.models import run_models
from pipeline.evaluate.numbers import hold_one_text_each
from pipeline.evaluate.profiles import Principal, Profiles
from pipeline.evaluate.relevance import Relevance, governed_by, meets
from pipeline.evaluate.remembered import Remembered, remembered
from pipeline.evaluate.statements import NumberedStatement, mentioned
from pipeline.evaluate.tables import table, tables_of
from pipeline.evaluate.witness import Witnesses
from pipeline.evaluate.words import spelling_of
from pipeline.lake.duck import Connection, cursor
from pipeline.lake.restated import owners_of_buckets
from pipeline.lake.write import load_table
from pipeline.progress import Progress, Step
from pipeline.reference import Reference
from pipeline.workers import Pool

#: Services whose actions are evaluated unless others are asked for.
SAGEMAKER_FAMILY = (
    "sagemaker",
    "sagemaker-geospatial",
    "sagemaker-mlflow",
    "sagemaker-data-science-assistant",
    "sagemaker-unified-studio-mcp",
    "groundtruthlabeling",
)

TAGS = Principal._fields.index("tags")
#: What is the same for all accounts, from the relations that they share.
OF_ALL = ("evaluated_actions", "decided_actions", "account_controls")
#: What follows from the action patterns of documents alone.
OF_PATTERNS = ("actions", "action_sets", "action_set_members")
BEFORE = (
    "principal_policies",
    "principal_layers",
    "numbered_statements",
    "numbered_entries",
    "environment_entries",
    "account_statements",
)


def of_all(connection: Connection, services: Iterable[str], unknown: pa.Table) -> dict[str, pa.Table]:
    """Return the relations of :data:`OF_ALL`, which :func:`evaluate` reads.

    ``services`` are the prefixes whose actions are answered for, ``unknown`` the actions that statements name and the
    reference does not know: action_pattern, service and uses. The relations that accounts share are tables already.
    """
    load_table(connection, "evaluated_services", pa.table({"service": pa.array(sorted(set(services)), pa.string())}))
    load_table(connection, "unknown_actions", unknown)
    connection.execute(assets.text("sql", "macros.sql"))
    run_models(connection, OF_ALL)
    return {name: connection.sql(f"from {name} order by all").to_arrow_table() for name in OF_ALL}


def evaluate(connection: Connection, reference: Reference, pool: Pool, progress: Progress) -> None:
    """Make every evaluated relation of the principals that are loaded, as a table of the connection.

    The flattened relations, those of the reference and those of :func:`of_all` are tables already (``actions`` in the
    schema ``staging``). Cases are decided in the processes of ``pool``; the relations are the same for any number.
    """
    progress(Step("matching statements"))
    memory = _matched(connection, reference)
    run_models(connection, BEFORE)
    hold_one_text_each(connection)
    contents = dict(_rows(connection, "select statement_number, content from numbered_statements"))
    texts = dict(_rows(connection, "select distinct entry_number, entry from numbered_entries"))
    callers = memory.learn(contents, texts)
    statements = [callers.statements[number] for number in contents]
    entries = [callers.entries[number] for number in texts]
    progress(Step("grouping principals"))
    profiles = _profiles(connection, callers)
    actions = _actions(connection, memory, reference, statements)
    cases = _cases(connection, profiles, actions, entries)
    inventory = _inventory(connection)
    owners = dict(_rows(connection, owners_of_buckets()))
    decisions = decide(memory.facts(actions, inventory, owners), cases, pool, progress)
    progress(Step("finding witnesses"))
    _load_columns(connection, "case_cells", ("case_id", "form_id", "cell_id"), decisions[1:])
    (own_token,) = _rows(connection, "select own_token()")[0]
    witnesses = Witnesses(memory.solver, memory.knowledge, inventory, memory.witnesses, own_token)
    shown = _cells_of_access(connection)
    owned = {arn.rpartition(":")[2] for arn in owners}
    tables = tables_of(decisions.cells, shown, witnesses, _spelling(connection), own_token, owned)
    for name, rows in tables.items():
        load_table(connection, name, rows)
    run_models(connection, ("residual_conditions",))
    load_table(connection, "context_decisions", context_decisions(connection, memory.solver))


def evaluate_documents(connection: Connection, reference: Reference) -> None:
    """Make the relations of :data:`OF_PATTERNS` alone, for documents that no loaded principal has."""
    _matched(connection, reference)


def _matched(connection: Connection, reference: Reference) -> Remembered:
    """Make the relations of :data:`OF_PATTERNS`, with what is remembered of action patterns; return all of that."""
    connection.execute(assets.text("sql", "macros.sql"))
    decided = tuple(name for (name,) in _rows(connection, "select action from decided_actions order by action"))
    memory = remembered(reference, reference.former_spellings, decided)
    for name, known in memory.patterns.items():
        load_table(connection, f"known_{name}", known)
    run_models(connection, OF_PATTERNS)
    for name in memory.patterns:
        memory.patterns[name] = connection.table(name).to_arrow_table()
    return memory


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def _cells_of_access(connection: Connection) -> frozenset[int]:
    """Return the cells that evaluated actions come to, not only those that these need besides."""
    sql = (
        "select distinct cell_id from case_cells inner join action_forms using (form_id) "
        "semi join evaluated_actions using (action)"
    )
    return frozenset(cell_id for (cell_id,) in _rows(connection, sql))


def _profiles(connection: Connection, callers: Callers) -> Profiles:
    names = _rows(connection, "select statement_id, list(principal_value) from statement_principals group by all")
    profiles = Profiles(callers, {statement_id: frozenset(values) for statement_id, values in names})
    columns = ", ".join(Principal._fields)
    found: list[tuple[object, ...]] = []
    for row in _batches(connection, f"select {columns}, is_incomplete from principal_layers order by principal_arn"):
        *values, is_incomplete = row
        values[TAGS] = tuple(_pairs(values[TAGS]))
        principal = Principal(*values)
        account_id = principal.account_id or None
        found.append(
            (principal.principal_arn, account_id, principal.principal_type, is_incomplete, profiles.add(principal))
        )
    schema = pa.schema(
        [
            ("principal_arn", pa.string()),
            ("account_id", pa.string()),
            ("principal_type", pa.string()),
            ("is_incomplete", pa.bool_()),
            ("profile_id", pa.int32()),
        ]
    )
    load_table(connection, "principal_profiles", table(found, schema))
    return profiles


def _batches(connection: Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    result = cursor(connection).execute(sql)
    while rows := result.fetchmany(10_000):
        yield from rows


def _pairs(tags: object) -> Iterable[tuple[str, str]]:
    if isinstance(tags, dict):
        return [(str(key), str(value)) for key, value in tags.items()]
    return []


def _actions(
    connection: Connection, memory: Remembered, reference: Reference, statements: Iterable[NumberedStatement]
) -> EvaluatedActions:
    keys = mentioned(statements, memory.former)
    if keys not in memory.actions:
        doubtful = reference.doubtful_types
        names = tuple(name for (name,) in _rows(connection, "select action from decided_actions order by action"))
        forms: dict[ActionForm, int] = {}
        form_ids = [forms.setdefault(action_form(reference, n, doubtful, keys), len(forms)) for n in names]
        memory.actions[keys] = EvaluatedActions(names, tuple(form_ids), tuple(forms))
    return memory.actions[keys]


def _cases(
    connection: Connection, profiles: Profiles, actions: EvaluatedActions, entries: Iterable[Mapping[str, Any]]
) -> dict[Case, int]:
    """Split all profiles; return the cases in the order of their numbers, with the actions that they are needed for.

    Loads profile_cases, action_forms and blocks.
    """
    members: dict[int, int] = {}
    bits = {name: 1 << bit for bit, name in enumerate(actions.names)}
    for action_set_id, action in _rows(connection, "select action_set_id, action from action_set_members"):
        members[action_set_id] = members.get(action_set_id, 0) | bits[action]
    relevance = _relevance(entries, actions)
    cases = Cases(profiles.callers, relevance, members, actions.everything, actions.rcp_supported)
    numbers: dict[Case, int] = {}
    needed: list[int] = []
    blocks: dict[int, int] = {}
    profile_ids: list[int] = []
    case_ids: list[int] = []
    block_ids: list[int] = []
    for profile, profile_id in profiles.by_profile.items():
        for case, block in cases.of(profile):
            number = numbers.setdefault(case, len(numbers))
            if number == len(needed):
                needed.append(0)
            needed[number] |= block
            profile_ids.append(profile_id)
            case_ids.append(number + 1)
            block_ids.append(blocks.setdefault(block, len(blocks) + 1))
    columns = (profile_ids, case_ids, block_ids)
    _load_columns(connection, "profile_cases", ("profile_id", "case_id", "block_id"), columns)
    _load_blocks(connection, blocks, actions)
    return dict(zip(numbers, needed, strict=True))


def _load_blocks(connection: Connection, blocks: Mapping[int, int], actions: EvaluatedActions) -> None:
    """Load the actions by number, and the blocks with a digit for each of them."""
    numbered = [
        (number, *both) for number, both in enumerate(zip(actions.names, actions.form_ids, strict=True), start=1)
    ]
    schema = pa.schema([("action_number", pa.int32()), ("action", pa.string()), ("form_id", pa.int32())])
    load_table(connection, "action_forms", table(numbered, schema))
    digits = [(block_id, f"{block:0{len(numbered)}b}"[::-1]) for block, block_id in blocks.items()]
    load_table(connection, "blocks", table(digits, pa.schema([("block_id", pa.int32()), ("digits", pa.string())])))


def _relevance(entries: Iterable[Mapping[str, Any]], actions: EvaluatedActions) -> Relevance:
    """Return what statements matter to. Where a resource-based policy speaks, statements that name no resource of the
    own account count as well."""
    resources = {governed_by(entry["resource_arn"]) for entry in entries}
    kinds = dict.fromkeys(kind for form in actions.forms for kind in form.types)
    spoken_of = {kind for kind in kinds if any(meets(governed, kind) for governed in resources)}
    return Relevance(
        {kind: actions.those_with({kind}) for kind in kinds},
        actions.those_with(spoken_of),
    )


def _load_columns(connection: Connection, name: str, names: Sequence[str], columns: Sequence[Sequence[int]]) -> None:
    load_table(connection, name, pa.table([pa.array(column, pa.int32()) for column in columns], names=list(names)))


def _inventory(connection: Connection) -> dict[str, dict[str, str]]:
    """Return the tags of every known resource; keys in lower case."""
    rows = _rows(connection, "select resource_arn, tags from inventory")
    return {arn: {key.lower(): value for key, value in _pairs(tags)} for arn, tags in rows}


def _spelling(connection: Connection) -> dict[str, str]:
    """Return the spelling of every key; of those that policies write in several ways the first in order."""
    known = _rows(connection, "select distinct condition_key from reference_condition_keys")
    written = _rows(connection, "select min(condition_key) from conditions group by lower(condition_key)")
    return spelling_of((key for (key,) in known), (key for (key,) in written))
