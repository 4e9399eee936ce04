"""Writes the pages of docs/ that come from the code: the commands with their help, and the data dictionary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from pipeline.cli.app import app
from pipeline.controls.files import load_controls
from pipeline.controls.frameworks import frameworks
from pipeline.controls.pages import index, page
from pipeline.lake.dictionary import markdown
from pipeline.lake.queries import NamedQuery, named_queries

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDTH = 100
INTRODUCTION = """# Commands

Generated from the code by `make docs`; do not edit.

Results go to standard output, progress and messages to standard error. Exit codes: 0 done, 1 a control or an
expectation failed, 2 wrong usage or unreadable input, 3 some inputs were rejected and the rest was built.

Commands that print rows take `--format table|csv|json|jsonl|parquet|xlsx|md` and `--out FILE`, whose ending chooses the
format too. Lists and maps are JSON text in csv and xlsx, and a text that a spreadsheet would take for a formula has an
apostrophe before it. On a terminal a table that is too wide becomes one block of lines a row.
"""


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    return {
        "commands.md": "\n".join(_commands()) + "\n",
        "data-dictionary.md": markdown(),
        **_controls(),
    }


def _controls() -> dict[str, str]:
    """Return the pages of the controls that come with policylake, and their list."""
    known, of = load_controls(), frameworks()
    return {"controls/README.md": index(known, of)} | {f"controls/{c.id}.md": page(c, of) for c in known}


def helps() -> Iterator[tuple[str, str]]:
    """Yield each command, such as ``policylake build``, with its help."""
    yield from _helps(typer.main.get_command(app), "policylake", None)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = typer.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    yield context.command_path, command.get_help(context)
    for part, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, part, context)


def _commands() -> Iterator[str]:
    yield INTRODUCTION
    for path, text in helps():
        yield from (f"## {path}", "", "```text", *(line.rstrip() for line in text.splitlines()), "```", "")
    yield from (
        "## Named queries",
        "",
        "`policylake query NAME --set PARAMETER=VALUE`; the SQL is in `sql/queries`.",
        "",
    )
    yield from ("| query | answers | parameters |", "| --- | --- | --- |")
    yield from (f"| `{query.name}` | {query.description} | {_parameters(query)} |" for query in named_queries())


def _parameters(query: NamedQuery) -> str:
    return "; ".join(
        f"`{p.name}`: {p.description}" + (f" (`{p.default}`)" if p.default is not None else ", must be given")
        for p in query.parameters
    )


def main() -> None:
    """Write the pages."""
    DOCS.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
