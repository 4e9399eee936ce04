"""What a part of a report may show of documents and files that are of others, too."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.lake import Lake
from pipeline.report.model import Book
from pipeline.report.part import Part
from pipeline.report.principals import Sources
from pipeline.report.queries import rows

Row = dict[str, Any]
RESOURCE = "resource"


class Own(NamedTuple):
    """What a part may show of documents and files; ``places`` are where its documents are attached, as rows.

    ``statements`` are, of documents that are not shown whole, the indexes of those that are shown. ``files`` are what
    the part was read from, ``own_files`` those of them that hold nothing but it; both are None where that is all.
    """

    places: tuple[Row, ...]
    statements: Mapping[str, frozenset[int]]
    files: frozenset[str] | None
    own_files: frozenset[str] | None

    def shows(self, policy_id: str, index: int) -> bool:
        """Return whether a statement is shown."""
        return policy_id not in self.statements or index in self.statements[policy_id]


def owned(lake: Lake, book: Book, sources: Sources, part: Part) -> Own:
    """Return what a part may show: resource policies tell of others too, and so do the files of others.

    A part of all accounts and principals leaves out actions alone, and shows the files and documents as they are.
    """
    places = tuple(rows(lake, "part/places", {"targets": sorted(targets(book, sources))}))
    if not (part.accounts or part.principals):
        return Own(places, {}, None, None)
    asked = {"principals": sorted(book.arns), "accounts": sorted(book.principals)}
    named: dict[str, set[int]] = {row["policy_id"]: set() for row in places}
    for row in rows(lake, "part/named_statements", asked):
        named.setdefault(row["policy_id"], set()).add(row["statement_index"])
    whole = {row["policy_id"] for row in places if row["attachment_kind"] != RESOURCE or _is_owned(row, part)}
    statements = {policy: frozenset(indexes) for policy, indexes in named.items() if policy not in whole}
    files = {row["source"] for row in places} | {one.details["source"] for one in book.everyone()}
    return Own(places, statements, frozenset(files), frozenset(_own_files(lake, part)))


def shown_sources(sources: Sources, own: Own) -> Sources:
    """Return the sources without statements that the part does not show: others may say the same of somebody else."""
    return sources._replace(
        statements={
            account: {
                number: [row for row in listed if own.shows(row["policy_id"], row["statement_index"])]
                for number, listed in numbered.items()
            }
            for account, numbered in sources.statements.items()
        }
    )


def _is_owned(place: Row, part: Part) -> bool:
    return not part.principals and place["account_id"] in part.accounts


def _own_files(lake: Lake, part: Part) -> set[str]:
    """Return the files of the part's accounts alone; a part of some principals has none."""
    if part.principals:
        return set()
    listed = rows(lake, "part/account_files")
    others = {row["source"] for row in listed if row["account_id"] not in part.accounts}
    return {row["source"] for row in listed} - others


def targets(book: Book, sources: Sources) -> frozenset[str]:
    """Return what policies of a part are attached to."""
    acting = (sources.controls, sources.guards)
    controls = {row["target_arn"] for source in acting for listed in source.values() for row in listed}
    entries = {row["resource_arn"] for listed in sources.entries.values() for row in listed}
    own = {row["via_arn"] for listed in sources.policies.values() for row in listed}
    groups = {arn for one in book.everyone() for arn in one.details["group_arns"] or ()}
    return frozenset(controls | entries | own | groups | book.arns) - {""}
