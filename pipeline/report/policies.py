"""Data of the policy page: documents with their places, and the names that other pages call them by."""

from pathlib import Path
from typing import Any, NamedTuple

from pipeline.lake import Lake
from pipeline.report.queries import rows
from pipeline.report.scripts import in_pieces, write_text


class Policy(NamedTuple):
    """A document: ``name`` is its first name, or its kind and place; ``place_count`` is how many places."""

    policy_id: str
    name: str
    place_count: int
    first_place: str


def write_policies(folder: Path, lake: Lake) -> tuple[dict[str, Policy], list[list[str]]]:
    """Write ``data/policies/<n>.js``; return the policies by id, and the first id of each script."""
    listed = rows(lake, "policies")
    index = []
    if listed:
        pieces = in_pieces(listed, lambda some: {row["policy_id"]: _data(row) for row in some})
        for number, (run, text) in enumerate(pieces):
            index.append([run[0]["policy_id"], f"policies/{number:05}"])
            write_text(folder, index[-1][1], text)
    return {row["policy_id"]: _policy(row) for row in listed}, index


def _policy(row: dict[str, Any]) -> Policy:
    _, kind, place = row["first_places"][0] if row["first_places"] else ("", "", "")
    names = row["policy_names"] or []
    name = names[0] if names else f"{kind} policy of {place}" if place else row["policy_id"]
    return Policy(row["policy_id"], name, row["place_count"], place)


def _data(row: dict[str, Any]) -> list[Any]:
    lists = ("policy_names", "first_places", "sources")
    names, places, sources = (row[column] or [] for column in lists)
    return [row["document"], names, row["place_count"], [place[1:] for place in places], sources]
