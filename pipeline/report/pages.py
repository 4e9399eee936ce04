"""Renders templates. Templates get finished values; they neither compute nor sort."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline import assets


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, an unknown name is an error."""
    place = assets.folder("reports") / "templates"
    return Environment(
        loader=FileSystemLoader(place), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


class Pages:
    """Writes pages into the report's folder. ``common`` is known to every template."""

    def __init__(self, folder: Path, common: dict[str, Any]) -> None:
        self.folder = folder
        self._environment = environment()
        self._environment.globals.update(common)

    def write(self, name: str, template: str, **values: Any) -> Path:
        """Render a template into the file ``name``, a path below the report's folder, and return the file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        root = "../" * name.count("/")
        text = self._environment.get_template(f"{template}.html.j2").render(root=root, here=name, **values)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return path
