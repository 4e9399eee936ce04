"""Data of the policy page: documents with their places, and the names that other pages call them by."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.lake import Lake
from pipeline.report.own import Own
from pipeline.report.queries import rows
from pipeline.report.scripts import in_pieces, write_text

Row = dict[str, Any]
#: Places and files that a policy's page names; of all places it has the number.
MOST_PLACES = 50
MOST_SOURCES = 20


class Policy(NamedTuple):
    """A document: ``name`` is its first name, or its kind and places; ``place_count`` is how many places.

    ``kind`` is the kind of one without a name, such as ``trust``.
    """

    policy_id: str
    name: str
    kind: str
    place_count: int
    first_place: str
    document: str


def write_policies(folder: Path, lake: Lake, own: Own | None) -> tuple[dict[str, Policy], list[list[str]]]:
    """Write ``data/policies/<n>.js``; return the policies by id, and the first id of each script.

    ``own`` is what a part of the report may show: then nothing else is written; None is all there is.
    """
    listed = rows(lake, "policies")
    if own is not None:
        listed = [_cut(row, own) for row in _attached(listed, own.places)]
    index = []
    if listed:
        pieces = in_pieces(listed, lambda some: {row["policy_id"]: _data(row) for row in some})
        for number, (run, text) in enumerate(pieces):
            index.append([run[0]["policy_id"], f"policies/{number:05}"])
            write_text(folder, index[-1][1], text)
    return {row["policy_id"]: _policy(row) for row in listed}, index


def _attached(listed: Sequence[Row], places: Iterable[Row]) -> list[Row]:
    """Return the policies that have a place among these, with no other places, names and files."""
    known: dict[str, list[Row]] = {}
    for place in places:
        known.setdefault(place["policy_id"], []).append(place)
    return [_placed(row, known[row["policy_id"]]) for row in listed if row["policy_id"] in known]


def _placed(row: Row, places: Sequence[Row]) -> Row:
    found = sorted({("", place["attachment_kind"], place["target_arn"]) for place in places})
    return row | {
        "policy_names": sorted({place["policy_name"] for place in places} - {""}),
        "place_count": len(found),
        "first_places": found[:MOST_PLACES],
        "sources": sorted({place["source"] for place in places})[:MOST_SOURCES],
    }


def _cut(row: Row, own: Own) -> Row:
    """Return a policy with null for each statement that the part does not show: the others keep their numbers."""
    if row["policy_id"] not in own.statements:
        return row
    document = json.loads(row["document"])
    listed = document["Statement"]
    statements = listed if isinstance(listed, list) else [listed]
    kept = [one if own.shows(row["policy_id"], index) else None for index, one in enumerate(statements)]
    return row | {"document": json.dumps(document | {"Statement": kept}, ensure_ascii=False)}


def _policy(row: dict[str, Any]) -> Policy:
    _, kind, place = row["first_places"][0] if row["first_places"] else ("", "", "")
    names = row["policy_names"] or []
    if names:
        return Policy(row["policy_id"], names[0], "", row["place_count"], place, row["document"])
    others = f" and {row['place_count'] - 1:,} more" if row["place_count"] > 1 else ""
    name = f"{kind} policy of {place}{others}" if place else row["policy_id"]
    return Policy(row["policy_id"], name, kind, row["place_count"], place, row["document"])


def _data(row: dict[str, Any]) -> list[Any]:
    lists = ("policy_names", "first_places", "sources")
    names, places, sources = (row[column] or [] for column in lists)
    return [row["document"], names, row["place_count"], [place[1:] for place in places], sources]
