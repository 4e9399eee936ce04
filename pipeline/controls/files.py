"""Reads controls: SQL files that begin with a comment of TOML. What a file says wrongly is an error that tells where,
what and what to do. Runs nothing.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import assets
from pipeline.controls.accepted import OF_EXCEPTIONS
from pipeline.controls.model import CATEGORIES, SEVERITIES, Control, NotRun, Parameter, Source, Value
from pipeline.controls.not_run import NOT_RUN
from pipeline.errors import PolicylakeError
from pipeline.lake.dictionary import relations
from pipeline.lake.queries import NamedQuery, named_queries
from pipeline.user_files import FileError, WrongError, check_members, read_text, text_in

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME = re.compile(r"[a-z][a-z0-9_]*")
#: The place in what tomllib says.
OF_TOML = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
TOLD_ID = re.compile(r"^\s*id\s*=\s*[\"']([a-z0-9-]+)[\"']", re.MULTILINE)
#: Controls that the framework itself finds: no file may take their ids.
RESERVED = (*OF_EXCEPTIONS, NOT_RUN)
TEXTS = ("id", "title", "severity", "category", "rationale", "remedy", "avoid", "prefer")
MEMBERS = (*TEXTS, "uncorrected", "frameworks", "parameters", "sources")


#: Column of queries that are about principals.
OF_PRINCIPALS = "principal_arn"


def packaged() -> Path:
    """Return the folder of the controls that come with policylake."""
    return assets.folder("sql") / "controls"


def load_controls(folders: Sequence[Path] = (), failed: Callable[[NotRun], None] | None = None) -> tuple[Control, ...]:
    """Return the controls that come with policylake, then those of one's own folders, each folder's by id.

    A file that is no control, and an id that is there twice, is told to ``failed``, and the others are returned;
    without ``failed`` it raises PolicylakeError, as a folder without controls does anyway.
    """
    queries = {query.name: query for query in named_queries()}
    known: dict[str, Control] = {}
    wrong: list[tuple[Path, FileError]] = []
    for path in [path for folder in (packaged(), *folders) for path in _files(folder)]:
        try:
            control = read_control(path, queries)
            _check_new(control, known)
        except FileError as error:
            if failed is None:
                raise
            wrong.append((path, error))
        else:
            known[control.id] = control
    if failed:
        for path, found in wrong:
            name = _told_id(path)
            # Where another file gives that control, it is the file that did not run.
            failed(NotRun(path.name if name in known else name, found.place, found.problem))
    return tuple(known.values())


def _check_new(control: Control, known: Mapping[str, Control]) -> None:
    if control.id in known:
        other = known[control.id].path
        whose = "comes with policylake" if other.parent == packaged() else f"stands in {other.parent}"
        problem = f"the id {control.id} is that of a control that {whose}; give it another, to file and id"
        raise FileError(str(control.path), problem)


def _told_id(path: Path) -> str:
    """Return the id that a file which is no control would have."""
    try:
        told = TOLD_ID.search(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return path.stem
    return told[1] if told else path.stem


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.sql")) if folder.is_dir() else []
    if not found:
        what = "no control in it" if folder.is_dir() else "no such folder"
        raise PolicylakeError(f"{folder}: {what}; policylake controls new ID --controls {folder} makes one")
    return found


def read_control(path: Path, queries: Mapping[str, NamedQuery]) -> Control:
    """Return the control of one file. Raises FileError for what it says wrongly, with its line."""
    text = read_text(path, "give a file that can be read")
    try:
        return _control(path, text, _header(text), queries)
    except WrongError as error:
        raise FileError(f"{path}:{_line_of(text, str(error))}", str(error)) from error


def _line_of(text: str, wrong: str) -> int:
    """Return the line that is wrong: the one that a message of TOML tells, else that of the member or parameter that
    the message begins with, else the first."""
    told = OF_TOML.search(wrong)
    if told:
        return int(told[1])
    name = re.split(r"[:\s]", wrong, maxsplit=1)[0]
    parts = name.split(".")
    patterns = [rf"\s*\[?{re.escape(name)}\b", rf"\s*\[?{re.escape('.'.join(parts[:2]))}\b"]
    patterns += [rf"\s*{re.escape(parts[-1])}\s*=", rf".*{re.escape(name)}\b"] if name else []
    lines = text.splitlines()
    return next((n for pattern in patterns for n, line in enumerate(lines, 1) if re.match(pattern, line)), 1)


def _header(text: str) -> Mapping[str, Any]:
    if not text.startswith("/*") or "*/" not in text:
        raise WrongError("a control begins with a comment of TOML, /* id = ... */; add one")
    try:
        return tomllib.loads(text[2 : text.index("*/")])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        hint = "; the text */ ends the comment, write * / in it" if "*/" in text[text.index("*/") + 2 :] else ""
        raise WrongError(f"the comment at its head is no TOML: {error}; mend it there{hint}") from error


def _control(path: Path, text: str, header: Mapping[str, Any], queries: Mapping[str, NamedQuery]) -> Control:
    check_members(header, MEMBERS, "a control")
    words = {member: text_in(header, member) for member in TEXTS}
    _check_id(words["id"], path)
    _check_choice("severity", words["severity"], SEVERITIES)
    _check_choice("category", words["category"], CATEGORIES)
    body = text[text.index("*/") + 2 :]
    parameters = tuple(_parameter(name, told) for name, told in _table(header, "parameters").items())
    sources = tuple(_source(name, told, queries) for name, told in _table(header, "sources").items())
    _check_parameters(parameters, sources, body)
    return Control(
        **words,
        frameworks={name: _texts(name, ids) for name, ids in _table(header, "frameworks").items()},
        parameters=parameters,
        sources=sources,
        sql=body.strip(),
        path=path,
        uncorrected=text_in(header, "uncorrected") if "uncorrected" in header else "",
    )


def _check_id(name: str, path: Path) -> None:
    if not ID.fullmatch(name):
        raise WrongError(f"id {name}: lower case letters, digits and single hyphens are expected")
    if name in RESERVED:
        raise WrongError(f"id {name}: that is what policylake itself finds of exceptions; choose another")
    if name != path.stem:
        raise WrongError(f"id {name}: the file of that control is called {name}.sql; rename one of the two")


def _check_choice(member: str, word: str, choices: Sequence[str]) -> None:
    if word not in choices:
        raise WrongError(f"{member} {word}: one of these is expected: {', '.join(choices)}")


def _table(header: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    found = header.get(member, {})
    if not isinstance(found, dict):
        raise WrongError(f"{member}: a table is expected; write [{member}]")
    return found


def _texts(name: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise WrongError(f'frameworks.{name}: a list of requirement ids is expected, such as ["AC-6"]')
    return tuple(given)


def _parameter(name: str, told: Any) -> Parameter:
    if not NAME.fullmatch(name):
        raise WrongError(f"parameters.{name}: lower case letters, digits and _ are expected in a name")
    if not isinstance(told, dict) or not isinstance(told.get("description"), str) or "default" not in told:
        raise WrongError(f"parameters.{name}: description and default are expected")
    default = told["default"]
    if not isinstance(default, str | int | float | bool) and not _is_list_of_texts(default):
        raise WrongError(f"parameters.{name}: the default is a text, a number, true, false or a list of texts")
    return Parameter(name, told["description"], default)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _source(name: str, told: Any, queries: Mapping[str, NamedQuery]) -> Source:
    if not NAME.fullmatch(name) or name in {relation.name for relation in relations()}:
        raise WrongError(f"sources.{name}: a name is expected that is no relation's; choose another")
    if not isinstance(told, dict) or told.get("query") not in queries:
        raise WrongError(f"sources.{name}: query names none of the named queries; policylake query lists them")
    without = told.get("without")
    for query in (told["query"], without) if without else ():
        if query not in queries or OF_PRINCIPALS not in queries[query].grain:
            raise WrongError(f"sources.{name}.without: {query} is no named query of principals, by {OF_PRINCIPALS}")
    taken = {parameter.name for parameter in queries[told["query"]].parameters}
    values = {member: str(value) for member, value in told.items() if member not in ("query", "without")}
    for member in values:
        if member not in taken:
            raise WrongError(f"sources.{name}.{member}: the query {told['query']} has no parameter of that name")
    return Source(name, told["query"], values, without)


def _check_parameters(parameters: Sequence[Parameter], sources: Sequence[Source], body: str) -> None:
    passed = {value for source in sources for value in source.values.values()}
    declared = {parameter.name for parameter in parameters}
    for name in declared:
        if name not in used_in(body) and f"${name}" not in passed:
            raise WrongError(f"parameters.{name}: nothing reads ${name}; use it, or leave the parameter out")
    for name in used_in(body) | {value[1:] for value in passed if value.startswith("$")}:
        if name not in declared:
            raise WrongError(f"${name}: no parameter of that name; declare it under [parameters.{name}]")


def used_in(body: str) -> frozenset[str]:
    """Return the names of the parameters that SQL reads; texts and comments in it do not count."""
    code = re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", " ", body, flags=re.DOTALL)
    return frozenset(re.findall(r"\$([a-z][a-z0-9_]*)", code))


def value_of(control: Control, parameter: Parameter, given: str) -> Value:
    """Return a value as ``--set`` gives it. Raises PolicylakeError where it is not of the default's type."""
    default, words = parameter.default, f"--set {control.id}.{parameter.name}={given}"
    if isinstance(default, bool):
        if given.lower() not in ("true", "false"):
            raise PolicylakeError(f"{words}: true or false is expected")
        return given.lower() == "true"
    if isinstance(default, list):
        return [one.strip() for one in given.split(",") if one.strip()]
    if isinstance(default, int | float):
        try:
            return type(default)(given)
        except ValueError as error:
            kind = "whole number" if isinstance(default, int) else "number"
            raise PolicylakeError(f"{words}: a {kind} is expected, such as {default}") from error
    return given
