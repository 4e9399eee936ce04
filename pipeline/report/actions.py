"""Action pages: everyone who can, grouped by what they get, with reasons; what does not fit is counted and linked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from pipeline.report.model import LETTERS, OWN_ACCOUNT, Action, Book, Principal, Scope
from pipeline.report.pages import Pages
from pipeline.report.policies import Policy
from pipeline.report.principals import Sources
from pipeline.report.tasks import task

#: Groups that an action page shows for a verdict, and principals of a group. The matrix has them all.
MOST_GROUPS = 60
MOST_PRINCIPALS = 24
MOST_SCOPES = 40
SAFE = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
VERDICTS = ("allowed", "conditional", "denied", "blocked")
LAYERS = {
    "identity": "identity policy",
    "boundary": "permissions boundary",
    "scp": "SCP",
    "rcp": "RCP",
    "resource": "resource policy",
}


class Group(NamedTuple):
    """Principals with the same answer."""

    answer: int
    principals: list[Principal]


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
    holders: dict[int, list[Principal]] = {}
    for principal in book.everyone():
        holders.setdefault(principal.profile_id, []).append(principal)
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


def write_actions(
    pages: Pages, book: Book, sources: Sources, policies: dict[str, Policy], names: Sequence[str]
) -> list[dict[str, int]]:
    """Write a page for each action; return its numbers of principals by verdict."""
    everyone = sum(len(listed) for listed in book.principals.values())
    counted = []
    for action, name, listed in zip(book.actions, names, groups(book), strict=True):
        counts = dict.fromkeys(LETTERS, 0)
        for group in listed:
            counts[book.answers[group.answer].verdict] += len(group.principals)
        counts["none"] = everyone - sum(counts.values())
        sections = [_section(verdict, action, listed, book, sources, policies) for verdict in VERDICTS]
        pages.write(name, "action", action=action, task=task(action.name), counts=counts, sections=sections)
        counted.append(counts)
    return counted


def _section(
    verdict: str, action: Action, listed: Iterable[Group], book: Book, sources: Sources, policies: dict[str, Policy]
) -> dict[str, Any]:
    fitting = [group for group in listed if book.answers[group.answer].verdict == verdict and group.principals]
    fitting.sort(key=lambda group: (-len(group.principals), group.principals[0].account_id, group.principals[0].arn))
    rest = fitting[MOST_GROUPS:]
    return {
        "verdict": verdict,
        "count": sum(len(group.principals) for group in fitting),
        "groups": [_group(group, action, verdict, book, sources, policies) for group in fitting[:MOST_GROUPS]],
        "rest_groups": len(rest),
        "rest_principals": sum(len(group.principals) for group in rest),
        "link": matrix_link(action=action.name, verdict=verdict),
    }


def _group(
    group: Group, action: Action, verdict: str, book: Book, sources: Sources, policies: dict[str, Policy]
) -> dict[str, Any]:
    answer = book.answers[group.answer]
    ordered = sorted(group.principals, key=lambda p: (p.account_id, p.name, p.arn))
    accounts = {principal.account_id for principal in ordered}
    own = next(iter(accounts)) if len(accounts) == 1 else None
    first = ordered[0]
    return {
        "count": len(ordered),
        "scopes": [_scope(scope, action, own, first, sources, policies) for scope in answer.scopes[:MOST_SCOPES]],
        "more_scopes": max(0, len(answer.scopes) - MOST_SCOPES),
        "layer": LAYERS.get(answer.layer, answer.layer),
        "decided_by": reasons(answer.decided_by, action, first, sources, policies),
        "example": first.name if len(ordered) > 1 else "",
        "principals": [_principal(principal, book) for principal in ordered[:MOST_PRINCIPALS]],
        "more": len(ordered) - MOST_PRINCIPALS,
        "more_accounts": len({p.account_id for p in ordered[MOST_PRINCIPALS:]}),
        "link": matrix_link(action=action.name, verdict=verdict),
    }


def _scope(
    scope: Scope, action: Action, own: str | None, first: Principal, sources: Sources, policies: dict[str, Policy]
) -> dict[str, Any]:
    def told(text: str) -> str:
        return text.replace(OWN_ACCOUNT, "‹own account›" if own is None else own or "*")

    return {
        "pattern": told(scope.pattern),
        "types": ", ".join(scope.types),
        "verdict": scope.verdict,
        "condition": told(scope.condition) if scope.condition else "",
        "exceptions": [told(text) for text in scope.exceptions],
        "granted_by": reasons(scope.granted_by, action, first, sources, policies),
        "limited_by": reasons(scope.limited_by, action, first, sources, policies),
    }


def reasons(
    numbers: Iterable[int], action: Action, principal: Principal, sources: Sources, policies: dict[str, Policy]
) -> list[dict[str, str]]:
    """Return the statements with these numbers that match the action and count for a principal: words and a link."""
    counting = sources.policies_of(principal)
    numbered = sources.statements.get(principal.account_id, {})
    told = []
    for number in numbers:
        for row in numbered.get(number, ()):
            matches = action.number in sources.action_sets.get(row["action_set_id"], ())
            if matches and row["policy_id"] in counting:
                told.append(statement_link(row["policy_id"], row["statement_index"], row["sid"], policies))
    return told


def statement_link(policy_id: str, index: int, sid: str | None, policies: dict[str, Policy]) -> dict[str, str]:
    """Return the words for a statement and the link to it."""
    policy = policies.get(policy_id)
    name = policy.name if policy else policy_id
    return {"text": f"{name}, {sid or f'statement {index + 1}'}", "href": f"policy.html#{policy_id}:{index}"}


def _principal(principal: Principal, book: Book) -> dict[str, str]:
    account = book.accounts.get(principal.account_id, {})
    return {
        "name": principal.name,
        "type": principal.type,
        "account": account.get("account_name") or principal.account_id,
        "href": principal_link(principal),
    }


def principal_link(principal: Principal) -> str:
    """Return the address of a principal's page."""
    return "principal.html#" + quote(principal.arn, safe=":/")


def matrix_link(**filters: str) -> str:
    """Return the address of the matrix with filters."""
    return "matrix.html#" + "&".join(f"{key}={quote(value, safe=':')}" for key, value in filters.items())
