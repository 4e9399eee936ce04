"""The answers of a small part, for paper and Markdown: of few principals everything that they can do, of few actions
everyone who can. In the HTML report the pages of principals and of actions tell them."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.report.actions import (
    Group,
    Reasons,
    by_account,
    group_of,
    groups,
    kinds_of,
    page_names,
    principal_link,
    section_of,
)
from pipeline.report.gaps import gaps_of_actions
from pipeline.report.model import VERDICTS, Action, Book, Principal
from pipeline.report.part import Part
from pipeline.report.principals import Sources

#: Principals, or actions, of which one document tells the answers.
MOST_TOLD = 20
#: Resources of one answer of a principal that are told, with their conditions.
MOST_SCOPES = 200
#: Actions that need no headings of access levels.
FEW = 12
#: What a group of an action's page says of a principal, too.
SAID = ("scopes", "more_scopes", "layer", "is_partial", "lacking", "holders")


class Told(NamedTuple):
    """An action or a principal: its name, what it is, and its answers by verdict.

    ``sections`` are as pages of actions have them; groups of a principal have ``parts`` in place of principals: their
    actions, those on the same resources together. ``gaps`` are further actions that are missing, each with the number
    of principals or actions that it concerns. ``missing`` is what of a principal could not be read.
    """

    name: str
    href: str
    about: str
    sections: tuple[dict[str, Any], ...]
    gaps: Sequence[dict[str, Any]]
    missing: Sequence[str] = ()


class Answers(NamedTuple):
    """The answers of a part: of its ``total`` actions or principals. Of more than MOST_TOLD none are ``told``."""

    kind: Literal["action", "principal"]
    told: tuple[Told, ...]
    total: int


def answers_of(book: Book, sources: Sources, part: Part | None) -> Answers | None:
    """Return the answers of the principals that a part names, else of its actions; None where it names neither."""
    if part is None or not (part.principals or part.actions):
        return None
    reasons = Reasons(sources)
    if part.principals:
        everyone = sorted(book.everyone(), key=by_account)
        principals = (_principal(one, book, sources, reasons) for one in everyone)
        return Answers("principal", tuple(principals) if len(everyone) <= MOST_TOLD else (), len(everyone))
    told = _actions(book, sources, reasons)
    return Answers("action", tuple(told) if len(book.actions) <= MOST_TOLD else (), len(book.actions))


def _actions(book: Book, sources: Sources, reasons: Reasons) -> Iterable[Told]:
    kinds = kinds_of(book)
    lacking = gaps_of_actions(book, sources.gaps)
    for action, href, listed, gaps in zip(book.actions, page_names(book.actions), groups(book), lacking, strict=True):
        sections = (section_of(verdict, action, listed, book, reasons, kinds) for verdict in VERDICTS)
        about = f"{action.description}." if action.description else ""
        yield Told(action.name, href, about, tuple(one for one in sections if one["count"]), gaps)


def _principal(principal: Principal, book: Book, sources: Sources, reasons: Reasons) -> Told:
    """Return what a principal can do: actions together that have the same answer for the same reasons."""
    found: dict[str, tuple[str, dict[str, Any], dict[str, _Part]]] = {}
    for answer, numbers in book.profiles[principal.profile_id].parts:
        verdict = book.answers[answer].verdict
        alone = [Group(answer, [(0, principal)])]
        for number in numbers:
            said, places = _said(group_of(alone, book.actions[number], verdict, book, reasons, MOST_SCOPES))
            _, _, parts = found.setdefault(repr((verdict, said)), (verdict, said, {}))
            parts.setdefault(repr(places), _Part(places, []))[1].append(book.actions[number])
    sections = (
        _section(verdict, [(said, list(parts.values())) for own, said, parts in found.values() if own == verdict])
        for verdict in VERDICTS
    )
    lacking = sources.gaps.get((principal.account_id, principal.profile_id), ())
    gaps = [{**gap._asdict(), "count": len(numbers)} for gap, numbers in lacking]
    href, told = principal_link(principal), tuple(one for one in sections if one["count"])
    missing = (principal.details["missing"] or ["it is not said what"]) if principal.details["is_incomplete"] else ()
    return Told(principal.arn, href, principal.type, told, gaps, missing)


class _Part(NamedTuple):
    """Actions on the same resources; ``places`` are these as patterns with types, none where scopes tell them."""

    places: list[Any]
    actions: list[Action]


def _said(group: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return what a group says of a principal that needs no name; the resources of a single scope apart."""
    said = {name: group[name] for name in SAID}
    said["holders"] = [{**one, "principals": []} for one in said["holders"]]
    if len(said["scopes"]) != 1:
        return said, []
    (scope,) = said["scopes"]
    return {**said, "scopes": [{**scope, "places": []}]}, scope["places"]


def _section(verdict: str, listed: Iterable[tuple[dict[str, Any], list[_Part]]]) -> dict[str, Any]:
    groups = [_group(said, parts) for said, parts in listed]
    ordered = sorted(groups, key=lambda group: (-group["count"], group["first"]))
    count = sum(group["count"] for group in groups)
    return {"verdict": verdict, "count": count, "groups": ordered, "rest_groups": 0}


def _group(said: dict[str, Any], parts: list[_Part]) -> dict[str, Any]:
    """Return a group of a principal; its only resources stand with its condition, several with their actions."""
    if len(parts) == 1 and parts[0].places:
        said = {**said, "scopes": [{**said["scopes"][0], "places": parts[0].places}]}
        parts = [parts[0]._replace(places=[])]
    ordered = sorted(parts, key=lambda part: (-len(part.actions), min(part.actions)))
    numbers = [action.number for part in parts for action in part.actions]
    told = [{"places": part.places, "levels": _by_level(part.actions)} for part in ordered]
    return {**said, "parts": told, "count": len(numbers), "first": min(numbers), "more": 0}


def _by_level(actions: Sequence[Action]) -> list[tuple[str, list[str]]]:
    """Return the names of actions by access level; few stand together, under no level."""
    levels: dict[str, list[str]] = {}
    for action in sorted(actions):
        levels.setdefault(action.access_level if len(actions) > FEW else "", []).append(action.name)
    return sorted(levels.items())
