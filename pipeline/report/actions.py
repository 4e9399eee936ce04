"""Action pages: everyone who can, grouped by what they get, with reasons; what does not fit is counted and linked."""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from pipeline.report.compact import Numbered
from pipeline.report.formulas import own_text
from pipeline.report.gaps import gaps_of_actions
from pipeline.report.model import LETTERS, VERDICTS, Action, Answer, Book, Principal, Scope
from pipeline.report.pages import Pages
from pipeline.report.principals import Counting, Holder, Sources
from pipeline.report.tasks import task
from pipeline.wording import counted

#: Groups that an action page shows for a verdict, and principals of a group. The matrix has them all.
MOST_GROUPS = 40
MOST_PRINCIPALS = 16
MOST_SCOPES = 30
#: Statements that are named as a reason, and links and scopes of one verdict on a page, which keep it far below 2 MB.
MOST_REASONS = 8
MOST_THINGS = 1500
SAFE = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
#: Principals of whom is remembered what counts for them.
REMEMBERED = 1 << 13
CONTROLS = ("scp", "rcp")
#: What denies or blocks: its name before the statements that do, and its words where no statement does.
LAYERS = {
    "identity": ("identity policy", "its policies together"),
    "boundary": ("permissions boundary", "the permissions boundary, which does not allow it"),
    "scp": ("SCP", "the SCPs of a level, none of which allows it"),
    "rcp": ("RCP", "the RCPs of a level, none of which allows it"),
    "resource": ("resource policy", "the resource policy, which does not allow it"),
    "scenario": ("scenario", "the scenario: no such request meets the conditions"),
}


class Group(NamedTuple):
    """Principals with the same answer, each with its place among all by account and name."""

    answer: int
    principals: list[tuple[int, Principal]]


#: A principal with its place, and the number of its answer.
Member = tuple[int, Principal, int]


class Reasons:
    """The statements behind answers. What counts for a principal is asked for action after action, and remembered."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._counting = lru_cache(maxsize=REMEMBERED)(sources.counting)
        self._told = lru_cache(maxsize=8 * REMEMBERED)(self._rows)
        controls = (row for listed in (*sources.controls.values(), *sources.guards.values()) for row in listed)
        self._names = {row["policy_id"]: row["policy_name"] for row in controls}

    def of(self, numbers: tuple[int, ...], action: Action, holder: Holder) -> list[dict[str, str]]:
        """Return the statements of these reasons that match the action and count for a principal, by document and in
        its order: words and a link."""
        return [
            statement_link(row["policy_id"], row["statement_index"], row["sid"], name)
            for row, name in self._told(numbers, holder)
            if action.number in self.sources.action_sets.get(row["action_set_id"], ())
        ]

    def _rows(self, numbers: tuple[int, ...], holder: Holder) -> list[tuple[dict[str, Any], str]]:
        counting = self._counting(holder)
        numbered = self.sources.statements.get(holder.account_id, {})
        named = ((row, self._name(row, counting)) for number in numbers for row in numbered.get(number, ()))
        ordered = ((name, row["statement_index"], row["policy_id"], row) for row, name in named if name is not None)
        return [(row, name) for name, *_, row in sorted(ordered, key=lambda one: one[:3])]

    def _name(self, row: dict[str, Any], counting: Counting) -> str | None:
        """Return how the document of a statement is called; None where the statement does not count: others may have
        equal ones."""
        layer, policy_id = row["layer"], row["policy_id"]
        if layer == "resource":
            speaking = counting.speaking.get((row["resource_arn"], policy_id), frozenset())
            return f"policy of {row['resource_arn']}" if row["statement_index"] in speaking else None
        return self._names.get(policy_id) if layer in CONTROLS else counting.own.get((layer, policy_id))


def page_names(actions: Sequence[Action]) -> list[str]:
    """Return the file of each action's page; names that policies made up get a number instead."""
    return [
        f"actions/{action.name.replace(':', '-')}.html"
        if action.is_known and SAFE.fullmatch(action.name)
        else f"actions/unknown-{action.number}.html"
        for action in actions
    ]


def groups(book: Book) -> Iterator[list[Group]]:
    """Yield for each action the groups of principals by answer, in no order; one action at a time, for all are many."""
    holders: dict[int, list[tuple[int, Principal]]] = {}
    for place, principal in enumerate(sorted(book.everyone(), key=by_account)):
        holders.setdefault(principal.profile_id, []).append((place, principal))
    profiles: list[dict[int, list[int]]] = [{} for _ in book.actions]
    for profile_id, profile in book.profiles.items():
        for answer, numbers in profile.parts:
            for number in numbers:
                profiles[number].setdefault(answer, []).append(profile_id)
    for answers in profiles:
        yield [
            Group(answer, [principal for profile in listed for principal in holders.get(profile, ())])
            for answer, listed in answers.items()
        ]


def write_actions(pages: Pages, book: Book, sources: Sources, names: Sequence[str]) -> list[dict[str, int]]:
    """Write a page for each action; return its numbers of principals by verdict."""
    everyone = sum(len(listed) for listed in book.principals.values())
    totals = []
    reasons = Reasons(sources)
    told = pages.piece("group", "told", "../")
    lacking = gaps_of_actions(book, sources.gaps)
    kinds = kinds_of(book)
    for action, name, listed, gaps in zip(book.actions, names, groups(book), lacking, strict=True):
        counts = dict.fromkeys(LETTERS, 0)
        for group in listed:
            counts[book.answers[group.answer].verdict] += len(group.principals)
        counts["none"] = everyone - sum(counts.values())
        sections = [section_of(verdict, action, listed, book, reasons, kinds) for verdict in VERDICTS]
        for section in sections:
            section["groups"] = [_rendered(group, section["verdict"], told) for group in section["groups"]]
        pages.write(name, "action", action=action, task=task(action.name), counts=counts, sections=sections, gaps=gaps)
        totals.append(counts)
    return totals


def _rendered(group: dict[str, Any], verdict: str, told: Callable[..., Any]) -> dict[str, Any]:
    """Return a group with what it says as ``told``: the same for many actions."""
    own = ("who", "demand", "more", "more_accounts", "link")
    said = {name: value for name, value in group.items() if name not in own}
    return {**{name: group[name] for name in own}, "told": told(said, verdict)}


def kinds_of(book: Book) -> list[int]:
    """Return for each answer a number that answers share which differ in their statements alone."""
    numbered = Numbered[Answer]()
    return [numbered(_without_statements(answer)) for answer in book.answers]


def _without_statements(answer: Answer) -> Answer:
    scopes = tuple(scope._replace(granted_by=(), limited_by=()) for scope in answer.scopes)
    return answer._replace(decided_by=(), scopes=scopes)


def section_of(
    verdict: str, action: Action, listed: Iterable[Group], book: Book, reasons: Reasons, kinds: Sequence[int]
) -> dict[str, Any]:
    """Return what a page tells of an action's principals with a verdict; ``kinds`` are those of ``kinds_of``."""
    fitting = [group for group in listed if book.answers[group.answer].verdict == verdict and group.principals]
    alike: dict[int, list[Group]] = {}
    for group in fitting:
        alike.setdefault(kinds[group.answer], []).append(group)
    told = sorted(alike.values(), key=lambda groups: (-_count(groups), min(min(one.principals)[0] for one in groups)))
    shown: list[dict[str, Any]] = []
    things = 0
    for groups in told[:MOST_GROUPS]:
        if things < MOST_THINGS:
            shown.append(group_of(groups, action, verdict, book, reasons))
            things += _things(shown[-1])
    rest = told[len(shown) :]
    return {
        "verdict": verdict,
        "count": _count(fitting),
        "groups": shown,
        "rest_groups": len(rest),
        "rest_principals": sum(map(_count, rest)),
        "link": matrix_link(action=action.name, verdict=verdict),
        "demands": _demands(fitting, book) if verdict == "conditional" else "",
    }


def _count(groups: Iterable[Group]) -> int:
    return sum(len(group.principals) for group in groups)


def _demands(fitting: Iterable[Group], book: Book) -> str:
    """Return what conditional groups ask for with their numbers of principals: 3:12,7:1."""
    numbers: Counter[int] = Counter()
    for group in fitting:
        numbers[book.answers[group.answer].demand] += len(group.principals)
    return ",".join(f"{demand}:{count}" for demand, count in sorted(numbers.items()))


def _things(group: dict[str, Any]) -> int:
    """Return how many scopes, statements and principals of a group a page shows."""
    lists = ("granted_by", "limited_by", "decided_by", "principals")
    places = sum(len(scope["places"]) for scope in group["scopes"])
    return places + sum(len(holders[name]) for holders in group["holders"] for name in lists)


def group_of(
    groups: Sequence[Group], action: Action, verdict: str, book: Book, reasons: Reasons, most: int = MOST_SCOPES
) -> dict[str, Any]:
    """Return what a page tells of groups that get the same, for whatever reasons, with up to ``most`` scopes."""
    answer = book.answers[groups[0].answer]
    shown = _first(groups)
    places = {place for place, *_ in shown}
    members = [member for group in groups for member in group.principals]
    accounts = {principal.account_id for _, principal in members}
    own = next(iter(accounts)) if len(accounts) == 1 else None
    return {
        "who": _who(len(members), accounts, book),
        "demand": answer.demand,
        "scopes": _alike(_scope(scope, own) for scope in answer.scopes[:most]),
        "more_scopes": max(0, len(answer.scopes) - most),
        "layer": LAYERS.get(answer.layer, (answer.layer, answer.layer)) if verdict in ("denied", "blocked") else (),
        "is_partial": answer.is_partial,
        "lacking": answer.lacking,
        "holders": _holders(shown, action, book, reasons),
        "more": len(members) - len(shown),
        "more_accounts": len({principal.account_id for place, principal in members if place not in places} - {""}),
        "link": matrix_link(action=action.name, verdict=verdict),
    }


def _who(count: int, accounts: Collection[str], book: Book) -> tuple[str, str]:
    """Return how many principals a group has, and in which account or in how many."""
    real = [account for account in accounts if account]
    if not real:
        return counted(count, "loose document"), ""
    where = counted(len(real), "account") if len(real) > 1 else " ".join(_account(real[0], book))
    return counted(count, "principal"), f"in {where}" + (" and loose documents" if len(real) < len(accounts) else "")


def _first(groups: Iterable[Group]) -> list[Member]:
    """Return the principals that a page names, in their order: the first of each group before any second one."""
    ranked = [
        (rank, *member, group.answer)
        for group in groups
        for rank, member in enumerate(heapq.nsmallest(MOST_PRINCIPALS, group.principals))
    ]
    return sorted(
        (place, principal, answer) for _, place, principal, answer in heapq.nsmallest(MOST_PRINCIPALS, ranked)
    )


def _holders(members: Iterable[Member], action: Action, book: Book, reasons: Reasons) -> list[dict[str, Any]]:
    """Return principals together that have what they get for reasons of the same names.

    Reasons of one name can be several documents, such as an inline policy of each: they then lead nowhere.
    """
    found: dict[str, dict[str, Any]] = {}
    for _, principal, answer in members:
        holder = Holder.of(principal)
        numbers = _statements(book.answers[answer])
        told = {kind: reasons.of(listed, action, holder) for kind, listed in numbers.items()}
        key = str([[one["text"] for one in statements] for statements in told.values()])
        more = sum(max(0, len(statements) - MOST_REASONS) for statements in told.values())
        first = {kind: statements[:MOST_REASONS] for kind, statements in told.items()}
        holders = found.setdefault(key, {**first, "more_reasons": more, "principals": []})
        for kind, statements in first.items():
            holders[kind] = [one if one == other else {**one, "href": ""}
                             for one, other in zip(holders[kind], statements, strict=True)]  # fmt: skip
        holders["principals"].append(_principal(principal, book))
    return list(found.values())


def _statements(answer: Answer) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the statements that grant, of those that limit a scope, and of those that decide."""
    numbers = {
        "granted_by": {number for scope in answer.scopes for number in scope.granted_by},
        "limited_by": {number for scope in answer.scopes for number in scope.limited_by},
        "decided_by": answer.decided_by,
    }
    return {kind: tuple(sorted(found)) for kind, found in numbers.items()}


def by_account(principal: Principal) -> tuple[bool, str, str, str]:
    """Return what to sort principals by: account and name, loose documents last."""
    return (not principal.account_id, principal.account_id, principal.name, principal.arn)


def _scope(scope: Scope, own: str | None) -> dict[str, Any]:
    def told(text: str) -> str:
        return own_text(text, own)

    return {
        "place": (told(scope.pattern), tuple("calls without a resource" if one == "*" else one for one in scope.types)),
        "verdict": scope.verdict,
        "condition": told(scope.condition) if scope.condition else "",
        "proof": told(scope.proof) if scope.proof else "",
        "number": scope.number,
        "condition_id": scope.condition_id,
        "exceptions": [told(text) for text in scope.exceptions],
    }


def _alike(scopes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return scopes that differ in the resources alone together; ``places`` are their patterns with types."""
    found: dict[str, dict[str, Any]] = {}
    for scope in scopes:
        place = scope.pop("place")
        found.setdefault(str(scope), {**scope, "places": []})["places"].append(place)
    return list(found.values())


def statement_link(policy_id: str, index: int, sid: str | None, name: str) -> dict[str, str]:
    """Return the words for a statement and the link to it."""
    place = sid or f"statement {index + 1}"
    return {"text": f"{name}, {place}" if name else place, "href": f"policy.html#{policy_id}:{index}"}


def _principal(principal: Principal, book: Book) -> dict[str, str]:
    return {
        "name": principal.name,
        "type": principal.type,
        "account": _account(principal.account_id, book)[0],
        "href": principal_link(principal),
        "is_incomplete": principal.details["is_incomplete"],
    }


def _account(account_id: str, book: Book) -> list[str]:
    """Return the name of an account, where it has one, and its id."""
    return [part for part in (book.accounts.get(account_id, {}).get("account_name"), account_id) if part]


def principal_link(principal: Principal) -> str:
    """Return the address of a principal's page."""
    return address_of(principal.arn)


def address_of(arn: str) -> str:
    """Return the address of the page of the principal with this ARN."""
    return "principal.html#" + quote(arn, safe=":/")


def matrix_link(**filters: str) -> str:
    """Return the address of the matrix with filters."""
    return "matrix.html#" + "&".join(f"{key}={quote(value, safe=':')}" for key, value in filters.items())
