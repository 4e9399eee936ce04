"""The commands ``sql``, ``query`` and ``tables``: ad hoc and named SQL, and the data dictionary."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from pipeline.cli.common import (
    DEFAULT_LAKE,
    FormatOption,
    LakeOption,
    OutOption,
    ScenarioOption,
    ScenariosOption,
    emit,
    file_output,
    standard_output,
)
from pipeline.cli.pairs import single_values
from pipeline.cli.scenarios import lake_under
from pipeline.errors import PolicylakeError
from pipeline.lake.ddl import Dialect, is_stored, statements
from pipeline.lake.dictionary import Relation, relations
from pipeline.lake.queries import NamedQuery, named_queries, named_query


def sql(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One query in DuckDB's SQL.")],
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Run one query over the relations of the lake. `policylake tables` lists them; SQL changes nothing."""
    emit(lake_under(lake, scenario, scenarios)[0].query(statement), format_name, out)


def query(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A named query; without it all are listed.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="PARAMETER=VALUE", help="A value for a parameter; may repeat.")
    ] = None,
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Run a named query, or list the named queries with their parameters."""
    if name is None:
        emit(_listing(named_queries()), format_name, out)
        return
    # Here and not above: it loads the evaluation, which no other command of this module needs.
    from pipeline.evaluate.named import run

    chosen = named_query(name)
    opened, _ = lake_under(lake, scenario, scenarios)
    emit(run(opened, chosen, single_values(settings or (), "--set")), format_name, out)


def tables(
    relation: Annotated[
        str | None, typer.Argument(metavar="RELATION", help="Show its columns; without it all relations.")
    ] = None,
    ddl: Annotated[
        Dialect | None,
        typer.Option("--ddl", help="Print the statements that make a snapshot's files tables of Athena or Trino."),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option("--location", metavar="URL", help="With --ddl: where the folders of the relations are."),
    ] = None,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Show the data dictionary: the relations, or the columns of one.

    With --ddl it prints SQL for Athena or Trino instead, for all relations that snapshots hold, or for one. --location
    is then the snapshot's folder, such as s3://bucket/lake/snapshots/ID.
    """
    if ddl is not None:
        _print_ddl(relation, ddl, location, out)
        return
    if location is not None:
        raise PolicylakeError(f"--location {location}: only with --ddl athena or --ddl trino")
    emit(_relations() if relation is None else _columns(relation), format_name, out)


def _print_ddl(name: str | None, dialect: Dialect, location: str | None, out: Path | None) -> None:
    if location is None:
        raise PolicylakeError("--ddl: where are the files? give --location, such as s3://bucket/lake/snapshots/ID")
    chosen = [r for r in relations() if is_stored(r)] if name is None else [_known(name)]
    try:
        text = "\n\n".join(statements(chosen, dialect, location)) + "\n"
    except ValueError as error:
        raise PolicylakeError(f"--location {error}") from error
    with standard_output() if out is None else file_output(out) as stream:
        stream.write(text.encode())


def _listing(queries: Iterable[NamedQuery]) -> pa.Table:
    rows = [
        {
            "query": q.name,
            "description": q.description,
            "parameters": "; ".join(
                f"{p.name}: {p.description}" + (f" [{p.default}]" if p.default is not None else " (must be given)")
                for p in q.parameters
            ),
        }
        for q in queries
    ]
    return pa.Table.from_pylist(rows)


def _relations() -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"relation": r.name, "stage": r.stage, "description": r.description, "grain": list(r.grain)}
            for r in relations()
        ]
    )


def _known(name: str) -> Relation:
    known = {r.name: r for r in relations()}
    if name not in known:
        close = difflib.get_close_matches(name, known, 3)
        hint = f"did you mean {' or '.join(close)}?" if close else "policylake tables lists them"
        raise PolicylakeError(f"tables {name}: there is no relation of that name; {hint}")
    return known[name]


def _columns(name: str) -> pa.Table:
    columns = _known(name).columns
    return pa.Table.from_pylist(
        [
            {"column": c.name, "type": c.type, "is_nullable": c.is_nullable, "description": c.description}
            for c in columns
        ]
    )
