"""Data of the principal page: one script for a run of principals of one account, complete but for documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.lake import Lake
from pipeline.report.compact import Numbered, ranges
from pipeline.report.formulas import own_text
from pipeline.report.gaps import Gap, Gaps, read_gaps
from pipeline.report.model import Answer, Book, Principal, Scope
from pipeline.report.queries import rows
from pipeline.report.scripts import in_pieces, in_script_order, write_text

#: A run of principals before it is cut by size.
RUN = 400
Row = dict[str, Any]
#: A policy of a principal: its kind, number, name and ARN, and the group that brings it.
Attachment = tuple[str, int, str | None, str | None, str]
Roles = tuple[int, int, tuple[tuple[str, int, str, str, int], ...]]


class Holder(NamedTuple):
    """What of a principal decides which statements count for it."""

    arn: str
    account_id: str

    @classmethod
    def of(cls, principal: Principal) -> "Holder":
        """Return it for a principal."""
        return cls(principal.arn, principal.account_id)


class Counting(NamedTuple):
    """What counts for a principal: the names of its documents by layer and id, and the statements of resource policies
    that speak of it, by resource and id."""

    own: Mapping[tuple[str, str], str]
    speaking: Mapping[tuple[str, str], frozenset[int]]


class Sources(NamedTuple):
    """Where answers come from, by principal or account; ``entries`` by both, with an empty ARN for whole accounts.

    ``guards`` are the RCPs of other accounts whose resources' policies speak of the account. ``statements`` are by
    account and by the number with which answers name them; one counts for an action if its action set, in
    ``action_sets`` by id, holds the action's number. ``gaps`` are by account and profile, ``roles`` that may be passed
    by principal.
    """

    policies: dict[str, list[Row]]
    controls: dict[str, list[Row]]
    guards: dict[str, list[Row]]
    entries: dict[tuple[str, str], list[Row]]
    statements: dict[str, dict[int, list[Row]]]
    action_sets: dict[int, frozenset[int]]
    gaps: Gaps
    roles: dict[str, Row]

    def counting(self, principal: Holder) -> Counting:
        """Return what counts for a principal of its own policies, and of those of resources."""
        own = {
            ("boundary" if row["attachment_kind"] == "boundary" else "identity", row["policy_id"]): row["policy_name"]
            for row in self.policies.get(principal.arn, ())
        }
        speaking: dict[tuple[str, str], frozenset[int]] = {}
        for row in self.entries_of(principal):
            place = row["resource_arn"], row["policy_id"]
            speaking[place] = speaking.get(place, frozenset()) | {*row["statement_indexes"]}
        return Counting(own, speaking)

    def entries_of(self, principal: Holder) -> Iterator[Row]:
        """Yield the resource policies that speak of a principal or of its account, as rows."""
        for told in ("", principal.arn):
            yield from self.entries.get((principal.account_id, told), ())


def read_sources(lake: Lake, book: Book) -> Sources:
    """Read what the reasons are made of."""
    entries: dict[tuple[str, str], list[Row]] = {}
    for row in rows(lake, "environment_entries"):
        entries.setdefault((row["account_id"], row["principal_arn"]), []).append(row)
    statements: dict[str, dict[int, list[Row]]] = {}
    for row in rows(lake, "account_statements"):
        numbered = statements.setdefault(row["account_id"], {})
        numbered.setdefault(row["reason_number"], []).append(row)
    controls = _by(rows(lake, "account_controls"), "account_id")
    rcps = {owner: [row for row in listed if row["attachment_kind"] == "rcp"] for owner, listed in controls.items()}
    return Sources(
        _by(rows(lake, "principal_policies"), "principal_arn"),
        controls,
        {account: [row for owner in sorted(owners) for row in rcps.get(owner, ())]
         for account, owners in owners_of(entries).items()},
        entries,
        statements,
        {row["action_set_id"]: frozenset(book.numbers(row["action_numbers"])) for row in rows(lake, "action_sets")},
        read_gaps(lake, book),
        {row["principal_arn"]: row for row in rows(lake, "passable_roles")},
    )  # fmt: skip


def owners_of(entries: Mapping[tuple[str, str], Sequence[Row]]) -> dict[str, set[str]]:
    """Return the other accounts whose resources' policies speak of an account or its principals, by account."""
    found: dict[str, set[str]] = {}
    for (account, _), listed in entries.items():
        found.setdefault(account, set()).update(row["owner_account_id"] for row in listed)
    return {account: owners - {account} for account, owners in found.items()}


def _by(listed: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in listed:
        found.setdefault(row[column], []).append(row)
    return found


def write_principals(folder: Path, book: Book, sources: Sources) -> list[list[str]]:
    """Write ``data/principals/<n>.js``; return the first key and the script of each, in the order of keys.

    A key is the ARN after the account, so that each account's principals stand together.
    """
    index: list[list[str]] = []
    for account_id, listed in book.principals.items():
        ordered = sorted(listed, key=lambda principal: in_script_order(key_of(principal)))
        for start in range(0, len(ordered), RUN):
            build = partial(_run, account_id=account_id, book=book, sources=sources)
            pieces = in_pieces(ordered[start : start + RUN], build)
            for run, text in pieces:
                index.append([key_of(run[0]), f"principals/{len(index):05}"])
                write_text(folder, index[-1][1], text)
    return sorted(index, key=lambda entry: in_script_order(entry[0]))


def key_of(principal: Principal) -> str:
    """Return account and ARN: what the scripts are ordered by."""
    return f"{principal.account_id}|{principal.arn}"


def _run(run: Sequence[Principal], account_id: str, book: Book, sources: Sources) -> dict[str, Any]:
    policies, profiles, action_sets, reasons = Numbered[str](), Numbered[int](), Numbered[int](), Numbered[int]()
    answers, conditions, gaps = Numbered[int](), Numbered[tuple[str, str, int, str]](), Numbered[Gap]()
    roles, attachments, scopes = Numbered[Roles](), Numbered[Attachment](), Numbered[Scope]()
    listed = [_principal(principal, profiles, policies, attachments, roles, book, sources) for principal in run]
    parts = [
        [[answers(answer), ranges(actions)] for answer, actions in book.profiles[profile].parts]
        for profile in profiles.all()
    ]
    told = [_answer(book.answers[answer], scopes, reasons) for answer in answers.all()]
    controls = [
        [row["attachment_kind"], row["level"], row["level_name"], policies(row["policy_id"]), row["policy_name"]]
        for row in sources.controls.get(account_id, ())
        if row["policy_id"]
    ]
    entries = _entries(sources.entries.get((account_id, ""), ()), policies)
    return {
        "account": account_id,
        "principals": listed,
        "profiles": parts,
        "answers": told,
        "scopes": [_scope(scope, account_id, conditions, reasons) for scope in scopes.all()],
        "attachments": attachments.all(),
        "profileGaps": [
            [[gaps(gap), ranges(actions)] for gap, actions in sources.gaps.get((account_id, profile), ())]
            for profile in profiles.all()
        ],
        "gaps": [list(gap) for gap in gaps.all()],
        "conditions": conditions.all(),
        "controls": controls,
        "guards": [
            [row["account_id"], row["level_name"], policies(row["policy_id"]), row["policy_name"]]
            for row in sources.guards.get(account_id, ())
            if row["policy_id"]
        ],
        "entries": entries,
        "reasons": _reasons(reasons.all(), account_id, policies, action_sets, sources),
        "actionSets": [ranges(sorted(sources.action_sets.get(number, ()))) for number in action_sets.all()],
        "policies": policies.all(),
        "roles": roles.all(),
    }


def _principal(
    principal: Principal,
    profiles: Numbered[int],
    policies: Numbered[str],
    attachments: Numbered[Attachment],
    roles: Numbered[Roles],
    book: Book,
    sources: Sources,
) -> dict[str, Any]:
    details = principal.details
    told = {
        "arn": principal.arn,
        "name": principal.name,
        "type": principal.type,
        "profile": profiles(principal.profile_id),
        "tags": [list(pair) for pair in details["tags"] or ()],
        "created": details["created_at"],
        "used": details["last_used_at"],
        "source": details["source"],
        "linked": details["is_service_linked"],
        "missing": details["missing"] or [],
        "incomplete": details["is_incomplete"],
        "groups": details["group_arns"] or [],
        "policies": [
            attachments((row["attachment_kind"], policies(row["policy_id"]), row["policy_name"], row["policy_arn"],
                         "" if row["via_arn"] == principal.arn else row["via_arn"]))
            for row in sources.policies.get(principal.arn, ())
        ],
        "entries": _entries(sources.entries.get((principal.account_id, principal.arn), ()), policies),
        "roles": roles(_roles(sources.roles[principal.arn], book)) if principal.arn in sources.roles else None,
    }  # fmt: skip
    return {key: value for key, value in told.items() if value is not None and value is not False and value != []}


def _entries(listed: Iterable[dict[str, Any]], policies: Numbered[str]) -> list[list[Any]]:
    """Return resource policies with the indexes of the statements that speak of whoever is asked for."""
    return [[row["resource_arn"], policies(row["policy_id"]), row["statement_indexes"]] for row in listed]


def _roles(row: dict[str, Any], book: Book) -> Roles:
    """Return how many roles a principal may pass, how many of them trust SageMaker, and the first of them.

    The last of a role's members is 1 where the report has a page of it.
    """
    first = tuple(
        (
            role["role_arn"],
            int(role["is_trusting"]),
            role["verdict"][0],
            role["condition_id"] or "",
            int(role["role_arn"] in book.arns),
        )
        for role in row["first_roles"]
    )
    return row["role_count"], row["trusting_count"], first


def _answer(answer: Answer, scopes: Numbered[Scope], reasons: Numbered[int]) -> list[Any]:
    asked = [-1, [*answer.lacking]] if answer.is_partial else [answer.demand] if answer.demand >= 0 else []
    return [answer.verdict[0], answer.layer, [*map(reasons, answer.decided_by)], [*map(scopes, answer.scopes)], *asked]


def _told(scope: Scope, own: str) -> tuple[str, str, int, str]:
    """Return the words of a scope's condition, its proof, its number and its id."""
    return own_text(scope.condition or "", own), scope.proof or "", scope.number, scope.condition_id


def _scope(
    scope: Scope, own: str, conditions: Numbered[tuple[str, str, int, str]], reasons: Numbered[int]
) -> list[Any]:
    told = [
        own_text(scope.pattern, own),
        scope.verdict[0],
        -1 if scope.condition is None else conditions(_told(scope, own)),
        [*map(reasons, scope.granted_by)],
        [*map(reasons, scope.limited_by)],
        [own_text(text, own) for text in scope.exceptions],
        list(scope.types),
    ]
    while told and told[-1] == []:
        told.pop()
    return told


def _reasons(
    numbers: Iterable[int], account_id: str, policies: Numbered[str], action_sets: Numbered[int], sources: Sources
) -> list[list[Any]]:
    """Return of each reason its layer, the statements that it can be, and of a resource policy the resource."""
    known = set(policies.all())
    numbered = sources.statements.get(account_id, {})
    return [_reason([row for row in numbered.get(number, ()) if row["policy_id"] in known], policies, action_sets)
            for number in numbers]  # fmt: skip


def _reason(listed: Sequence[Row], policies: Numbered[str], action_sets: Numbered[int]) -> list[Any]:
    if not listed:
        return []
    statements = [
        [policies(row["policy_id"]), row["statement_index"], row["sid"] or "", action_sets(row["action_set_id"])]
        for row in listed
    ]
    first = listed[0]
    return [first["layer"], statements, *([first["resource_arn"]] if first["resource_arn"] else [])]
