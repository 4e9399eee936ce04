"""Shows how decisions differ from what their lines expect, and sums them up."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.cli.common import note
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.simulate import Checked


def tell(checked: "Checked") -> None:
    """Print on standard error how a line differs, or why it is an error, and its warnings; else nothing."""
    for line in _told(checked):
        note(line)


def summary(verdicts: Counter[str]) -> str:
    """Return how many lines are as expected."""
    parts = (("as expected", "holds"), ("different", "differs"), ("in error", "error"))
    told = ", ".join(f"{verdicts[name]:,} {words}" for words, name in parts if verdicts[name] or name == "holds")
    return f"{counted(verdicts.total(), 'decision')}: {told}"


def _told(checked: "Checked") -> Iterator[str]:
    warnings = checked.answer.get("warnings", ())
    if checked.verdict != "holds" or warnings:
        yield _heading(checked)
    yield from (f"  warning: {warning}" for warning in warnings)
    if checked.verdict != "holds":
        yield from _difference(checked)


def _difference(checked: "Checked") -> Iterator[str]:
    if checked.expectation is None:
        yield f"  error: {checked.answer['detail']}"
        return
    for member, expected, found in checked.expectation.unmet(checked.answer):
        label = "" if member == "decision" else f"{member}: "
        yield f"  - expected {label}{expected}"
        yield f"  + got      {label}{found}"
    yield f"    {checked.answer['detail']}"
    yield from dict.fromkeys(f"    {_statement(hit)}" for hit in _deciding(checked.answer))


def _deciding(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the statements that an answer rests on: the Denies where one ends it, else all that applied."""
    hits: list[dict[str, Any]] = answer["statements"]
    return [hit for hit in hits if hit["effect"] == "Deny" or answer["decision"] != "explicitDeny"]


def _heading(checked: "Checked") -> str:
    given = checked.answer["id"]
    asked = " ".join(str(checked.request.get(name, "?")) for name in ("principal", "action", "resource"))
    return f"line {checked.number}{'' if given is None else f' ({given})'}: {asked}"


def _statement(hit: Mapping[str, Any]) -> str:
    sid = f" {hit['sid']!r}" if hit["sid"] else ""
    return f"{hit['effect']} of {hit['layer']}: {hit['policy']}, statement {hit['statement']}{sid}"
