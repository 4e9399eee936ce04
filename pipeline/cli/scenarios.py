"""The command ``scenarios``, and how other commands take ``--scenario``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer

from pipeline.cli.common import FormatOption, OutOption, ScenariosOption, emit, lake_at, note
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake

if TYPE_CHECKING:
    from pipeline.evaluate.scenarios import Scenario


def scenarios(
    scenarios: ScenariosOption = None,
    copy: Annotated[
        Path | None, typer.Option("--copy", metavar="FILE", help="Copy the file of scenarios to FILE, to be edited.")
    ] = None,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """List the scenarios that --scenario takes, with their facts and what follows from them.

    Values of the keys under placeholders are examples: replace them by your own in a copy named scenarios.toml.
    """
    from pipeline.evaluate.scenario_files import file_of, read_scenarios
    from pipeline.reference import load

    path = file_of(scenarios)
    known = read_scenarios(path, load())
    if copy is not None:
        _copy(path, copy)
        return
    emit(pa.Table.from_pylist([_row(scenario) for scenario in known]), format_name, out)


def _row(scenario: "Scenario") -> dict[str, object]:
    from pipeline.evaluate.scenarios import said

    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "description": scenario.description,
        "facts": [said(fact) for fact in scenario.facts if fact.follows_from is None],
        "what_follows": [said(fact) for fact in scenario.facts if fact.follows_from is not None],
        "placeholders": list(scenario.placeholders),
        "source": scenario.source,
    }


def _copy(path: Path, copy: Path) -> None:
    try:
        with copy.open("x", encoding="utf-8") as file:
            file.write(path.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise PolicylakeError(f"--copy {copy}: there is one already; choose another name, or remove it") from error
    note(f"{copy}: write your own values into it")
    typer.echo(str(copy))


def lake_under(path: Path, name: str | None, file: Path | None) -> tuple[Lake, "Scenario | None"]:
    """Open the lake that an option names, for queries, under the scenario that others name, if any."""
    lake = lake_at(path)
    return lake, put_under(lake, name, file)


def put_under(lake: Lake, name: str | None, file: Path | None) -> "Scenario | None":
    """Put an opened lake under the scenario of that name and return it; None where no name is given.

    Raises PolicylakeError for a name that the file does not have, and for a file without a name.
    """
    if name is None:
        if file is not None:
            raise PolicylakeError("--scenarios needs --scenario NAME; list the names with: policylake scenarios")
        return None
    # Here and not above: it loads the evaluation, which needs no answer without a scenario.
    from pipeline.evaluate import under
    from pipeline.evaluate.scenario_files import chosen, file_of, read_scenarios
    from pipeline.reference import load

    reference = load()
    scenario = chosen(read_scenarios(file_of(file), reference), name)
    under.put_under(lake, scenario, reference)
    if scenario.placeholders:
        keys = ", ".join(scenario.placeholders)
        copy = "policylake scenarios --copy scenarios.toml"
        note(f"scenario {name}: the values of {keys} are placeholders; write your own into a copy: {copy}")
    for endpoint in under.endpoints_with_policies(lake, scenario):
        note(f"scenario {name}: {endpoint} has a policy, which verdicts leave out; policylake simulate applies it")
    return scenario


def whole_context(scenario: "Scenario | None", given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the context of a request: what is given, with the facts of the scenario, if any. Nothing given is none."""
    if scenario is None or not given:
        return dict(given)
    from pipeline.evaluate.under import context_of

    return context_of(scenario, given)
