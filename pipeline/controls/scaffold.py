"""Begins a control: a file that finds something, cases that hold it to that, and its page. Overwrites nothing."""

from pathlib import Path

from pipeline.controls.files import ID, RESERVED, packaged, read_control
from pipeline.controls.frameworks import frameworks
from pipeline.controls.pages import page
from pipeline.errors import PolicylakeError
from pipeline.lake.queries import named_queries

TEMPLATES = {".sql": "control.sql", ".toml": "cases.toml"}


def begin(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the files of a new control and return them.

    Raises PolicylakeError for an id that cannot be, or that is taken, and for a folder that cannot be written.
    """
    if not ID.fullmatch(name) or name in RESERVED:
        raise PolicylakeError(f"controls new {name}: lower case letters, digits and single hyphens are expected")
    if (packaged() / f"{name}.sql").exists():
        raise PolicylakeError(f"controls new {name}: policylake has a control of that id; choose another")
    paths = {ending: folder / f"{name}{ending}" for ending in (*TEMPLATES, ".md")}
    for path in paths.values():
        if path.exists():
            raise PolicylakeError(f"{path}: there is one already; choose another id, or remove it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, template in TEMPLATES.items():
            text = (packaged() / "new" / template).read_text(encoding="utf-8")
            paths[ending].write_text(text.replace("NEW-CONTROL", name), encoding="utf-8")
        control = read_control(paths[".sql"], {query.name: query for query in named_queries()})
        paths[".md"].write_text(page(control, frameworks()), encoding="utf-8")
    except OSError as error:
        raise PolicylakeError(f"{error.filename or folder}: {error.strerror}; give a folder with --controls") from error
    return tuple(paths.values())
