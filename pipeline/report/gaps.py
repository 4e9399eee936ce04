"""What is granted and depends on something that is not: a part of the principal pages and of the action pages."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.lake import Lake
from pipeline.report.model import Book
from pipeline.report.queries import rows


class Gap(NamedTuple):
    """A further action that is missing, why, and which calls need it."""

    dependent_action: str
    reason: str
    needed_when: str


#: By account and profile: each gap with the numbers of the actions that it concerns.
Gaps = Mapping[tuple[str, int], tuple[tuple[Gap, tuple[int, ...]], ...]]


def read_gaps(lake: Lake, book: Book) -> Gaps:
    """Read the gaps of every profile in every account."""
    found: dict[tuple[str, int], list[tuple[Gap, tuple[int, ...]]]] = {}
    numbers: dict[str, tuple[int, ...]] = {}
    for row in rows(lake, "profile_gaps"):
        gap = Gap(row["dependent_action"], row["reason"], row["needed_when"])
        text = row["action_numbers"]
        if text not in numbers:
            numbers[text] = book.numbers(text)
        if listed := numbers[text]:
            found.setdefault((row["account_id"], row["profile_id"]), []).append((gap, listed))
    return {key: tuple(listed) for key, listed in found.items()}


def gaps_of_actions(book: Book, gaps: Gaps) -> list[list[dict[str, Any]]]:
    """Return for each action its gaps with the number of principals that have each, the most first."""
    counts: list[Counter[Gap]] = [Counter() for _ in book.actions]
    holders = Counter((principal.account_id, principal.profile_id) for principal in book.everyone())
    for key, count in holders.items():
        for gap, numbers in gaps.get(key, ()):
            for number in numbers:
                counts[number][gap] += count
    return [
        [{**gap._asdict(), "count": count} for gap, count in sorted(one.items(), key=lambda item: (-item[1], item[0]))]
        for one in counts
    ]
