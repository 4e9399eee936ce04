"""A part of a report: some accounts, principals or actions, and nothing of the others. Must not read what it leaves out
into a page: whoever gets the part learns of the part alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.lake.names import actions_of, principal_of
from pipeline.report.formulas import Condition, Conditions, Demand
from pipeline.report.model import Answer, Book, Principal, profile_of
from pipeline.report.principals import Sources, owners_of
from pipeline.report.queries import rows


class Part(NamedTuple):
    """What a report is of. An empty member leaves nothing out: those that are given narrow one another.

    ``words`` say it to readers, each with what it is (``account``, ``principal``, ``action``).
    """

    accounts: frozenset[str] = frozenset()
    principals: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    words: tuple[tuple[str, str], ...] = ()


def part_of(lake: Lake, accounts: Sequence[str], principals: Sequence[str], actions: Sequence[str]) -> Part | None:
    """Return the part that the options name; None where there are none.

    An account is given by its id or its name, a principal as ``explain`` takes it, an action with * and ? as wildcards.
    Raises PolicylakeError for what the lake does not have, with what to do.
    """
    if not (accounts or principals or actions):
        return None
    known = lake.query("select account_id, account_name from accounts").to_pylist()
    ids = [_account(given, known) for given in accounts]
    arns = [principal_of(lake, given) for given in principals]
    names = [name for given in actions for name in actions_of(lake, given)]
    called = {row["account_id"]: row["account_name"] for row in known}
    words = (
        *(("account", f"{called[one]} ({one})" if called[one] else one) for one in ids),
        *(("principal", arn) for arn in arns),
        *(("action", given) for given in actions),
    )
    return Part(frozenset(ids), frozenset(arns), frozenset(names), words)


def _account(given: str, known: Iterable[Mapping[str, str | None]]) -> str:
    found = [str(row["account_id"]) for row in known if given in (row["account_id"], row["account_name"])]
    if len(found) == 1:
        return found[0]
    if found:
        raise PolicylakeError(
            f"--account {given}: {len(found)} accounts have this name; give one id of {', '.join(found)}"
        )
    raise PolicylakeError(f"--account {given}: no such account; list them with: policylake sql 'from accounts'")


def narrowed(book: Book, part: Part) -> Book:
    """Return the book of a part, with its own numbers of actions, answers and conditions.

    Raises PolicylakeError where no principal is left.
    """
    principals = {
        account: tuple(one for one in listed if _is_in(one, part)) for account, listed in book.principals.items()
    }
    if not any(principals.values()):
        told = ", ".join(f"--{kind} {words}" for kind, words in part.words)
        raise PolicylakeError(f"{told}: no user, role or document is in all of these; leave one of the options out")
    accounts = {
        account: row
        for account, row in book.accounts.items()
        if principals.get(account) or (not part.principals and _takes(part.accounts, account))
    }
    kept = [action for action in book.actions if _takes(part.actions, action.name)]
    actions = {action.number: number for number, action in enumerate(kept)}
    asked = {
        profile: _asked(book, profile, actions)
        for profile in sorted({one.profile_id for listed in principals.values() for one in listed})
    }
    used = sorted({answer for own in asked.values() for answer in own})
    conditions, answers = _conditions(book.conditions, [book.answers[number] for number in used])
    places = {number: place for place, number in enumerate(used)}
    profiles = {
        profile: profile_of({places[answer]: numbers for answer, numbers in own.items()}, len(kept), answers)
        for profile, own in asked.items()
    }
    return Book(
        tuple(action._replace(number=number) for number, action in enumerate(kept)),
        accounts,
        {account: listed for account, listed in principals.items() if listed},
        profiles,
        answers,
        conditions,
        actions,
    )


def narrowed_sources(sources: Sources, book: Book) -> Sources:
    """Return what answers of a part come from: of its accounts and principals alone."""
    arns = {one.arn for one in book.everyone()}
    entries = {
        (account, arn): listed
        for (account, arn), listed in sources.entries.items()
        if account in book.accounts and arn in arns | {""}
    }
    return sources._replace(
        policies={arn: listed for arn, listed in sources.policies.items() if arn in arns},
        controls={account: listed for account, listed in sources.controls.items() if account in book.accounts},
        guards={
            account: [row for row in sources.guards.get(account, ()) if row["account_id"] in owners]
            for account, owners in owners_of(entries).items()
        },
        entries=entries,
        statements={account: listed for account, listed in sources.statements.items() if account in book.accounts},
        roles={arn: row for arn, row in sources.roles.items() if arn in arns},
    )


def with_own_witnesses(book: Book, lake: Lake) -> Book:
    """Return the book with requests of its own principals in place of others'; what makes these fail is not known."""
    found = {
        row["condition_id"]: row["witness"] for row in rows(lake, "part/witnesses", {"principals": sorted(book.arns)})
    }
    listed = tuple(
        _witnessed(condition, found.get(condition.condition_id), book) for condition in book.conditions.listed
    )
    return replace(book, conditions=book.conditions._replace(listed=listed))


def _witnessed(condition: Condition, witness: str | None, book: Book) -> Condition:
    if condition.witness is None or json.loads(condition.witness)["principal"] in book.arns:
        return condition
    return condition._replace(witness=witness, smallest_change=None)


def _takes(members: frozenset[str], one: str) -> bool:
    return not members or one in members


def _is_in(principal: Principal, part: Part) -> bool:
    return _takes(part.accounts, principal.account_id) and _takes(part.principals, principal.arn)


def _asked(book: Book, profile: int, actions: Mapping[int, int]) -> dict[int, set[int]]:
    """Return the answers of a profile with the new numbers of the actions that are left of each."""
    left = {
        answer: {actions[number] for number in numbers if number in actions}
        for answer, numbers in book.profiles[profile].parts
    }
    return {answer: numbers for answer, numbers in left.items() if numbers}


def _conditions(whole: Conditions, answers: Sequence[Answer]) -> tuple[Conditions, tuple[Answer, ...]]:
    """Return the conditions that answers ask for, and the answers with their new numbers."""
    demands = sorted({answer.demand for answer in answers} - {-1})
    of_demands = {number for demand in demands for _, asked in whole.demands[demand][0] for number in asked}
    of_scopes = {scope.number for answer in answers for scope in answer.scopes}
    used = sorted((of_demands | of_scopes) - {-1})
    joint = sorted({whole.demands[demand][1] for demand in demands} - {-1})
    numbers = {number: place for place, number in enumerate([*used, *joint])} | {-1: -1}
    places = {number: place for place, number in enumerate(demands)} | {-1: -1}
    listed: tuple[Condition, ...] = tuple(whole.listed[number] for number in used)
    formulas = whole.formulas
    left = Conditions(
        listed,
        tuple(formulas[number] for number in joint),
        tuple(_demand(whole.demands[one], numbers) for one in demands),
        {},
    )
    return left, tuple(
        answer._replace(
            demand=places[answer.demand],
            scopes=tuple(scope._replace(number=numbers[scope.number]) for scope in answer.scopes),
        )
        for answer in answers
    )


def _demand(demand: Demand, numbers: Mapping[int, int]) -> Demand:
    types, joint = demand
    return tuple((is_required, tuple(numbers[one] for one in asked)) for is_required, asked in types), numbers[joint]
