"""The conditions behind the rows of a comparison, by their ids: for whoever decides them again. Decides nothing."""

from typing import NamedTuple

from pipeline import assets
from pipeline.lake import Lake


class Behind(NamedTuple):
    """The ids of the conditions of both sides, an empty text for a scope without one.

    ``is_same_scope`` says that one scope stands against the same one.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    is_same_scope: bool


def behind(new: Lake) -> list[Behind]:
    """Return what is behind the first rows of the comparison that ``changes`` made last, in their order.

    The rows after these are of policies and of what nobody knows. ``new`` is the new side of that comparison.
    """
    return [
        Behind(tuple(row["old_condition_ids"]), tuple(row["condition_ids"]), row["is_same_scope"])
        for row in new.query(assets.text("sql", "diff/conditions_behind.sql")).to_pylist()
    ]
