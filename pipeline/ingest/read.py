"""Reads all inputs. The order is: find files, recognise and read each, put together, find the lines of the rejects."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.errors import Reject, printable
from pipeline.flatten.records import Inputs, SourceFile
from pipeline.ingest.assemble import assemble
from pipeline.ingest.decode import COMMENTED, Page, pages
from pipeline.ingest.documents import DocumentStore, merged
from pipeline.ingest.files import InputFile, find, load, reload
from pipeline.ingest.locate import locate
from pipeline.ingest.parts import Part
from pipeline.ingest.recognise import recognise
from pipeline.ingest.syntax import blank_comments
from pipeline.memory import collection_off
from pipeline.progress import Progress, Step, silent
from pipeline.remote import shown
from pipeline.workers import Pool

UNRECOGNISED = "unrecognised"
#: Errors that are told one by one of a file in which nothing is recognised.
TOLD = 20


def read_inputs(paths: Sequence[Path], *, latest: bool = False, progress: Progress = silent) -> Inputs:
    """Read files and folders and return what they hold; a file or item that cannot be read becomes a reject.

    Where the same account or organization is given twice with different data, ``latest`` takes the newest.
    ``progress`` is told how many files were read.

    Raises PolicylakeError for a path that does not exist, where there is no file at all, and for data that
    contradict each other.
    """
    with collection_off():
        files, rejects = input_files(paths)
        documents = DocumentStore()
        sources: list[SourceFile] = []
        parts: list[Part] = list(rejects)
        for number, file in enumerate(files, start=1):
            source, held = read_file(file, documents)
            sources.append(source)
            parts += held
            tell_read(progress, number, len(files))
        inputs = assemble(parts, merged(documents.documents), sources, latest)
        return replace(inputs, rejects=placed(inputs.rejects, files))


def tell_read(progress: Progress, number: int, of: int) -> None:
    """Tell how many files were read."""
    progress(Step("reading", number, of, "files"))


def input_files(paths: Sequence[Path]) -> tuple[tuple[InputFile, ...], tuple[Reject, ...]]:
    """Return the files to read, sorted, and rejects for what of a folder cannot be read.

    Raises PolicylakeError for a path that does not exist and where there is no file at all.
    """
    found, rejects = find(paths)
    return _distinctly_named(found), rejects


def _distinctly_named(files: Sequence[InputFile]) -> tuple[InputFile, ...]:
    """Return the files by names that tell them apart, because a file is known by its printable name from here on.

    A line feed and the two characters ``\\n`` in a name print the same; where that happens backslashes are doubled.
    """
    if len({file.source for file in files}) == len(files):
        return tuple(files)
    return tuple(file._replace(source=printable(shown(file.path).replace("\\", 2 * "\\"))) for file in files)


def read_file(file: InputFile, documents: DocumentStore) -> tuple[SourceFile, list[Part]]:
    """Return what a file holds. Where nothing in it is recognised the first errors are told, and how many there are."""
    content = load(file)
    if content.data is None:
        found = [content.reject] if content.reject else []
        return SourceFile(file.source, content.sha256, content.size, UNRECOGNISED), list(found)
    cut, rejects = pages(file.source, file.name, content.data)
    parts: list[Part] = list(rejects)
    contents: set[str] = set()
    for page in cut:
        contents |= _read_page(page, documents, parts)
    if not contents:
        problems = [part for part in parts if isinstance(part, Reject)]
        return SourceFile(file.source, content.sha256, content.size, UNRECOGNISED), _first(problems)
    return SourceFile(file.source, content.sha256, content.size, ", ".join(sorted(contents))), parts


def _first(problems: Sequence[Reject]) -> list[Part]:
    """Return the warnings, and of the errors as many as are worth reading."""
    errors = [problem for problem in problems if problem.severity == "error"]
    told: list[Part] = [problem for problem in problems if problem.severity == "warning"]
    told += errors[:TOLD]
    more = len(errors) - TOLD
    if more > 0:
        last = errors[TOLD - 1]
        told[-1] = last._replace(message=f"{last.message}; {more} more items of this file are none either")
    return told


def _read_page(page: Page, documents: DocumentStore, parts: list[Part]) -> set[str]:
    """Add the parts of a page; return the name of its format, none where it is not recognised."""
    adapter = recognise(page)
    if isinstance(adapter, Reject):
        parts.append(adapter)
        return set()
    parts.extend(adapter.read(page, documents))
    return {adapter.content}


def placed(rejects: Sequence[Reject], files: Iterable[InputFile], pool: Pool | None = None) -> tuple[Reject, ...]:
    """Give each reject its line and column, sort them, and make their texts printable."""
    by_source = {file.source: file for file in files}
    unplaced: dict[str, set[str]] = defaultdict(set)
    for reject in rejects:
        if reject.line is None and reject.source in by_source:
            unplaced[reject.source].add(reject.pointer)
    commented = {reject.source for reject in rejects if reject.code == COMMENTED}
    asked = [(by_source[source], sorted(pointers), source in commented) for source, pointers in unplaced.items()]
    found = pool.map(_places, asked) if pool else map(_places, asked)
    places = dict(zip(unplaced, found, strict=True))
    complete = set()
    for reject in rejects:
        line, column = places.get(reject.source, {}).get(reject.pointer, (reject.line, reject.column))
        texts = (printable(reject.message), printable(reject.remedy))
        complete.add(Reject(reject.source, reject.line or line, reject.column or column, *reject[3:6], *texts))
    return tuple(sorted(complete, key=_reject_order))


def _places(asked: tuple[InputFile, list[str], bool]) -> dict[str, tuple[int, int]]:
    """Return where pointers of a file lead; the last of ``asked`` says that the file has comments."""
    file, pointers, is_commented = asked
    text = reload(file)
    if text is None:
        return {}
    return locate(blank_comments(text)[0] if is_commented else text, pointers)


def _reject_order(reject: Reject) -> tuple[object, ...]:
    return (reject.source, reject.line or 0, reject.column or 0, *reject[3:])
