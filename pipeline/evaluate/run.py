"""Runs the evaluation over loaded relations: models, profiles, cells, tables. Writes nothing outside the connection."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from pipeline import assets
from pipeline.evaluate.actions import ActionForm, TypeForm, action_form
from pipeline.evaluate.engine import Engine
from pipeline.evaluate.knowledge import TAG_ALIAS, TAG_KEY, Knowledge
from pipeline.evaluate.models import run_models
from pipeline.evaluate.profiles import Principal, Profile, Profiles, read_entry
from pipeline.evaluate.relevance import Relevance, governed_by, meets
from pipeline.evaluate.statements import NumberedStatement, read_statement
from pipeline.lake.duck import Connection
from pipeline.lake.write import load_table
from pipeline.reference import Reference

#: Services whose actions are evaluated unless others are asked for.
SAGEMAKER_FAMILY = (
    "sagemaker",
    "sagemaker-geospatial",
    "sagemaker-mlflow",
    "sagemaker-data-science-assistant",
    "sagemaker-unified-studio-mcp",
    "groundtruthlabeling",
)

BEFORE = (
    "actions",
    "evaluated_actions",
    "principal_policies",
    "action_sets",
    "principal_layers",
    "numbered_statements",
    "numbered_entries",
    "environment_entries",
    "account_controls",
    "account_statements",
    "action_set_members",
)
#: Columns of distinct_cases that number a case, in the order in which the engine takes their texts.
CASE_COLUMNS = (
    "identity_case",
    "boundary_case",
    "scp_case",
    "rcp_case",
    "account_environment_case",
    "environment_case",
)
PROGRESS_EVERY = 20_000


def evaluate(
    connection: Connection, reference: Reference, services: Sequence[str], progress: Callable[[str], None]
) -> None:
    """Make every evaluated relation as a table of the connection.

    The flattened relations and those of the reference are tables already (``actions`` in the schema ``staging``).
    ``services`` are the prefixes whose actions are answered for.
    """
    load_table(connection, "evaluated_services", pa.table({"service": pa.array(sorted(set(services)), pa.string())}))
    connection.execute(assets.text("sql", "macros.sql"))
    run_models(connection, BEFORE)
    statements = {
        number: read_statement(number, content)
        for number, content in _rows(connection, "select statement_number, content from numbered_statements")
    }
    entries = {
        number: read_entry(text)
        for number, text in _rows(connection, "select distinct entry_number, entry from numbered_entries")
    }
    profiles = _profiles(connection, statements, entries)
    forms = _action_forms(connection, reference, statements)
    _load_profiles(connection, profiles, _relevance(forms, entries))
    run_models(connection, ("cell_cases", "distinct_cases"))
    spelling = _spelling(connection)
    engine = Engine(Knowledge(reference, _former(connection)), statements, entries, forms, profiles.examples, spelling)
    _decide(connection, engine, progress)
    run_models(connection, ("profile_cells",))


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def _profiles(
    connection: Connection, statements: dict[int, NumberedStatement], entries: dict[int, dict[str, Any]]
) -> Profiles:
    names = _rows(connection, "select statement_id, list(principal_value) from statement_principals group by all")
    profiles = Profiles(statements, entries, {statement_id: frozenset(values) for statement_id, values in names})
    columns = ", ".join(Principal._fields)
    found: list[tuple[object, ...]] = []
    for row in _batches(connection, f"select {columns}, is_incomplete from principal_layers order by principal_arn"):
        *values, is_incomplete = row
        principal = Principal(*values)._replace(tags=tuple(_pairs(values[6])))
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
    load_table(connection, "principal_profiles", _table(found, schema))
    return profiles


def _batches(connection: Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    result = connection.cursor().execute(sql)
    while rows := result.fetchmany(10_000):
        yield from rows


def _pairs(tags: object) -> Iterable[tuple[str, str]]:
    if isinstance(tags, dict):
        return [(str(key), str(value)) for key, value in tags.items()]
    return []


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(list(c), type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _relevance(forms: Sequence[ActionForm], entries: dict[int, dict[str, Any]]) -> Relevance:
    """Return what statements matter to. Where a resource-based policy speaks, statements that name no resource of the
    own account count as well."""
    resources = {governed_by(entry["resource_arn"]) for entry in entries.values()}
    kinds = {kind for form in forms for kind in form.types if any(meets(governed, kind) for governed in resources)}
    return Relevance(forms, frozenset(n for n, form in enumerate(forms) if not kinds.isdisjoint(form.types)))


def _load_profiles(connection: Connection, profiles: Profiles, relevance: Relevance) -> None:
    levels = list(profiles.chain_levels())
    fields = [
        ("profile_id", pa.int32()),
        *((name, pa.bool_() if name == "has_boundary" else pa.int32()) for name in Profile._fields),
    ]
    load_table(
        connection, "profiles", _table([(n, *profile) for profile, n in profiles.by_profile.items()], pa.schema(fields))
    )
    parts = list(profiles.set_parts(relevance))
    classes = [(number, form) for forms, number in relevance.classes.items() for form in sorted(forms)]
    _load_numbers(connection, "chain_levels", ("chain_id", "level", "set_id"), levels)
    _load_numbers(connection, "form_classes", ("class_id", "form_id"), classes)
    _load_numbers(connection, "set_parts", ("set_id", "part_number", "action_set_id", "class_id", "asks_facts"), parts)


def _load_numbers(
    connection: Connection, name: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    kinds = (pa.bool_() if column == "asks_facts" else pa.int32() for column in columns)
    load_table(connection, name, _table(rows, pa.schema(list(zip(columns, kinds, strict=True)))))


def _action_forms(
    connection: Connection, reference: Reference, statements: dict[int, NumberedStatement]
) -> list[ActionForm]:
    sql = "select action, resource_type from reference_action_resource_types where is_required_mark_doubtful"
    doubtful = frozenset((str(action), str(kind)) for action, kind in _rows(connection, sql))
    former = _former(connection)
    keys = {test.key for s in statements.values() for test in s.tests} | {
        key for s in statements.values() for key in s.fact_keys
    }
    mentioned = frozenset(keys | {former[key] for key in keys if key in former} | {"aws:tagkeys"})
    forms: dict[ActionForm, int] = {}
    kinds: dict[TypeForm, TypeForm] = {}
    rows = []
    for (action,) in _rows(connection, "select action from evaluated_actions order by action"):
        form = action_form(reference, action, doubtful, mentioned)
        # Equal types are one object: the engine tells them apart by it.
        form = form._replace(types=tuple(kinds.setdefault(kind, kind) for kind in form.types))
        rows.append((action, forms.setdefault(form, len(forms))))
    load_table(connection, "action_forms", _table(rows, pa.schema([("action", pa.string()), ("form_id", pa.int32())])))
    return list(forms)


def _former(connection: Connection) -> dict[str, str]:
    columns = "lower(condition_key), lower(current_spelling)"
    sql = f"select {columns} from reference_condition_keys where current_spelling is not null"
    return dict(_rows(connection, sql))


def _spelling(connection: Connection) -> dict[str, str]:
    """Return AWS's spelling of every key; of keys with a part that policies name, also the policies' own spelling."""
    written = _rows(
        connection,
        "select min(condition_key) from conditions where contains(condition_key, '/') group by lower(condition_key)",
    )
    found = {key.lower(): key for (key,) in written}
    for (key,) in _rows(connection, "select distinct condition_key from reference_condition_keys"):
        name = key.split("${", 1)[0]
        found[name.lower()] = name
    for key in list(found):
        if key.startswith(TAG_ALIAS):
            found.setdefault(TAG_KEY + key.removeprefix(TAG_ALIAS), "aws:ResourceTag/" + found[key][len(TAG_ALIAS) :])
    return found


def _decide(connection: Connection, engine: Engine, progress: Callable[[str], None]) -> None:
    (total,) = _rows(connection, "select count(*) from distinct_cases")[0]
    cells: list[int] = []
    texts = {0: "", **dict(_rows(connection, "select case_id, case_text from cases")), None: None}
    columns = f"form_id, facts_id, {', '.join(CASE_COLUMNS)}"
    for form_id, facts_id, *case_ids in _batches(
        connection, f"select {columns} from distinct_cases order by case_number"
    ):
        cells.append(engine.cell_of(form_id, facts_id, *(texts[case_id] for case_id in case_ids)))
        if len(cells) % PROGRESS_EVERY == 0 or len(cells) == total:
            progress(f"decided {len(cells)} of {total} distinct cases")
    numbers = pa.array(range(1, total + 1), pa.int32())
    load_table(connection, "decided_cases", pa.table({"case_number": numbers, "cell_id": pa.array(cells, pa.int32())}))
    for name, table in engine.tables().items():
        load_table(connection, name, table)
