"""The commands ``sql``, ``query`` and ``tables``: ad hoc and named SQL, and the data dictionary."""

import difflib
from collections.abc import Iterable
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
)
from pipeline.cli.pairs import single_values
from pipeline.cli.scenarios import lake_under
from pipeline.errors import PolicylakeError
from pipeline.lake.dictionary import relations
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
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Show the data dictionary: the relations, or the columns of one."""
    emit(_relations() if relation is None else _columns(relation), format_name, out)


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


def _columns(name: str) -> pa.Table:
    known = {r.name: r for r in relations()}
    if name not in known:
        close = difflib.get_close_matches(name, known, 3)
        hint = f"did you mean {' or '.join(close)}?" if close else "policylake tables lists them"
        raise PolicylakeError(f"tables {name}: there is no relation of that name; {hint}")
    columns = known[name].columns
    return pa.Table.from_pylist(
        [
            {"column": c.name, "type": c.type, "is_nullable": c.is_nullable, "description": c.description}
            for c in columns
        ]
    )
