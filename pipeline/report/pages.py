"""Renders templates. Templates get finished values; they neither compute nor sort."""

import re
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline import assets
from pipeline.errors import printable
from pipeline.wording import counted


def environment() -> Environment:
    """Return the templates' environment: everything is escaped and visible, an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(assets.folder("reports") / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["counted"] = counted
    made.filters["breakable"] = breakable
    return made


#: Words of more characters may break within, where parts meet: CreatePresigned|NotebookInstanceUrl, and not before the
#: line and column of a place, which are shorter than an account. As in report.js.
LONG = re.compile(r"(\S{13,})")
JOINT = re.compile(r"\barn:[a-z-]+:|[a-z](?=[A-Z])|(?::(?!\d{1,11}\b)|[_,=])(?=[\w*{$])|/(?=[A-Za-z*{$])")


def breakable(text: str, *, is_prose: bool = False) -> Markup:
    """Return text as markup in which long words break where their parts meet, and not after any letter.

    In prose a word breaks only where it is too long for a line of its own.
    """
    around = Markup('<span class="unit">{}</span>') if is_prose else Markup("{}")
    pieces = LONG.split(printable(text))
    long = (JOINT.sub(r"\g<0> ", word).split(" ") for word in pieces[1::2])
    pieces[1::2] = [around.format(Markup("<wbr>").join(parts)) for parts in long]
    return Markup("").join(pieces)


def _visible(value: object) -> object:
    """Return text with its control and direction characters written as on a terminal; markup of macros as it is."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


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

    def piece(self, template: str, macro: str, root: str | None) -> Callable[..., Markup]:
        """Return what renders a piece of pages by a macro.

        ``root`` is the way from these pages to the first one; None is paper, on which nothing leads anywhere.
        """
        module = self._environment.get_template(f"{template}.html.j2").make_module({"root": root})
        return remembered(getattr(module, macro))


def remembered(render: Callable[..., Markup]) -> Callable[..., Markup]:
    """Return the same function, which renders equal values once: pages of many actions have the same pieces."""
    known: dict[bytes, Markup] = {}

    def rendered(*values: object) -> Markup:
        key = blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in known:
            known[key] = render(*values)
        return known[key]

    return rendered
