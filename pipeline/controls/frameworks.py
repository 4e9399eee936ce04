"""Frameworks: which requirements there are, and what a control does for one. Data of ``sql/frameworks.toml``."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline import assets


class Requirement(NamedTuple):
    """A requirement: the id as its framework writes it, what it asks for in our words, and which controls check it.

    Every other control that names it only supports it.
    """

    id: str
    title: str
    checked_by: tuple[str, ...]


class Framework(NamedTuple):
    """A framework with the requirements that controls bear on; ``source`` is where the ids were looked up."""

    id: str
    title: str
    source: str
    requirements: Mapping[str, Requirement]

    def told(self, requirement: str, control: str) -> tuple[str, str]:
        """Return a requirement in words, and what the control does for it."""
        known = self.requirements.get(requirement)
        if known is None:
            return requirement, "supports it"
        return f"{known.id}: {known.title}", "checks it" if control in known.checked_by else "supports it"


@lru_cache(maxsize=1)
def frameworks() -> Mapping[str, Framework]:
    """Return the frameworks that come with policylake, by id."""
    told = tomllib.loads(assets.text("sql", "frameworks.toml"))
    return {name: _framework(name, table) for name, table in told.items()}


def _framework(name: str, table: Mapping[str, Any]) -> Framework:
    requirements = {
        requirement: Requirement(requirement, words["title"], tuple(words.get("checked_by", ())))
        for requirement, words in table["requirements"].items()
    }
    return Framework(name, table["title"], table["source"], requirements)
