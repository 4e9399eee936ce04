"""What the pages are made of, read from the lake once: cells share answers, profiles cells, principals profiles."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from pipeline.evaluate.verdicts import is_granted
from pipeline.lake import Lake
from pipeline.report.formulas import Conditions, read_conditions
from pipeline.report.proofs import proof
from pipeline.report.queries import rows
from pipeline.wording import counted

#: Verdicts by the letter that stands for them in verdict vectors, the widest access first.
LETTERS = {"allowed": "a", "conditional": "c", "denied": "d", "blocked": "b", "none": "n"}
#: The verdicts of which the tables have rows.
VERDICTS = tuple(verdict for verdict in LETTERS if verdict != "none")


class Action(NamedTuple):
    """An evaluated action. ``number`` is its place in verdict vectors."""

    number: int
    name: str
    service: str
    access_level: str
    is_known: bool
    description: str
    takes_resources: bool


class Scope(NamedTuple):
    """A granted scope; statements by number. ``proof`` is that of the condition, in words, ``number`` is its own.

    ``types`` is empty where all resource types of the action are meant.
    """

    pattern: str
    verdict: str
    condition: str | None
    proof: str | None
    exceptions: tuple[str, ...]
    granted_by: tuple[int, ...]
    limited_by: tuple[int, ...]
    types: tuple[str, ...]
    number: int = -1
    condition_id: str = ""


class Answer(NamedTuple):
    """What a profile gets for an action: the verdict, the layer and statements that decided it, the scopes.

    ``demand`` is the number of what a conditional answer asks for, -1 for any other. ``lacking`` are the resource types
    that every call needs and that are not granted, of an answer that is denied or blocked although it has scopes.
    """

    verdict: str
    layer: str
    decided_by: tuple[int, ...]
    scopes: tuple[Scope, ...]
    demand: int = -1
    lacking: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether something is granted and no call can be made with it."""
        return bool(self.scopes) and self.verdict in ("denied", "blocked")


class Profile(NamedTuple):
    """``vector`` has a letter for each action; ``parts`` are answers (by number) with the numbers of their actions.

    ``demands`` are the numbers of what the conditional actions ask for, in their order.
    """

    vector: str
    parts: tuple[tuple[int, tuple[int, ...]], ...]
    demands: tuple[int, ...] = ()


class Principal(NamedTuple):
    """A user, a role or a loose document; ``account_id`` is empty for a document. ``details`` is its row."""

    arn: str
    account_id: str
    type: str
    name: str
    profile_id: int
    details: dict[str, Any]


@dataclass(frozen=True)
class Book:
    """All of it, or a part. ``accounts`` are rows by account id, in order, with "" for loose documents if any.

    ``actions_left`` are the numbers of a part's actions by those that the lake's queries give them; None of a whole.
    """

    actions: tuple[Action, ...]
    accounts: dict[str, dict[str, Any]]
    principals: dict[str, tuple[Principal, ...]]
    profiles: dict[int, Profile]
    answers: tuple[Answer, ...]
    conditions: Conditions
    actions_left: Mapping[int, int] | None = None

    def numbers(self, text: str) -> tuple[int, ...]:
        """Return the actions that a query of the lake names by number, by the numbers that they have here."""
        listed = (int(part) for part in text.split(","))
        if self.actions_left is None:
            return tuple(listed)
        return tuple(self.actions_left[number] for number in listed if number in self.actions_left)

    def vector(self, principal: Principal) -> str:
        """Return the verdicts of a principal, a letter for each action."""
        return self.profiles[principal.profile_id].vector

    @cached_property
    def arns(self) -> frozenset[str]:
        """The ARNs of all principals that have a page."""
        return frozenset(principal.arn for principal in self.everyone())

    @property
    def scope(self) -> str:
        """Of how many users and roles, loose documents and actions it is, in words."""
        people = [len(self.principals.get(account, ())) for account in self.accounts if account]
        documents = len(self.principals.get("", ()))
        told = [f"{counted(sum(people), 'user or role', 'users and roles')} in {counted(len(people), 'account')}"]
        found = [
            *(told if people or not documents else ()),
            *([counted(documents, "loose document")] * bool(documents)),
        ]
        return ", ".join([*found, counted(len(self.actions), "action")])

    def everyone(self) -> Iterable[Principal]:
        """Return every principal, by account and name."""
        return (principal for account in self.accounts for principal in self.principals.get(account, ()))


def read_book(lake: Lake) -> Book:
    """Read what the pages share."""
    actions = tuple(_action(row) for row in rows(lake, "actions"))
    conditions = read_conditions(lake)
    cells, answers = _answers(lake, conditions)
    principals: dict[str, list[Principal]] = {}
    for row in rows(lake, "principals"):
        principals.setdefault(row["account_id"], []).append(_principal(row))
    accounts = {row["account_id"]: row for row in rows(lake, "accounts")}
    for account_id in sorted(principals.keys() - accounts.keys()):
        accounts[account_id] = _unknown_account(account_id)
    profiles = _profiles(lake, len(actions), cells, answers)
    for listed in principals.values():
        for principal in listed:
            profiles.setdefault(principal.profile_id, Profile("n" * len(actions), ()))
    by_account = {key: tuple(listed) for key, listed in principals.items()}
    return Book(actions, accounts, by_account, profiles, answers, conditions)


def _action(row: dict[str, Any]) -> Action:
    level = row["access_level"] or "Unknown"
    takes_resources = row["takes_resources"] is not False
    description = row["description"] or ""
    return Action(row["number"], row["action"], row["service"], level, row["is_known"], description, takes_resources)


def _principal(row: dict[str, Any]) -> Principal:
    return Principal(
        row["principal_arn"], row["account_id"], row["principal_type"], row["principal_name"], row["profile_id"], row
    )


def _unknown_account(account_id: str) -> dict[str, Any]:
    name = None if account_id else "loose documents"
    return {
        "account_id": account_id,
        "account_name": name,
        "ou_path": None,
        "organization_id": None,
        "is_management_account": False,
        "is_exported": True,
        "data_as_of": None,
        "level_names": None,
    }


def _answers(lake: Lake, conditions: Conditions) -> tuple[dict[int, int], tuple[Answer, ...]]:
    """Return the number of each cell's answer, and the distinct answers."""
    scopes: dict[int, list[Scope]] = {}
    condition_numbers = {condition.condition_id: number for number, condition in enumerate(conditions.listed)}
    for row in rows(lake, "cell_scopes"):
        scopes.setdefault(row["cell_id"], []).append(_scope(row, condition_numbers))
    numbers: dict[Answer, int] = {}
    cells = {}
    for row in rows(lake, "cell_verdicts"):
        decided = () if is_granted(row["verdict"]) else tuple(row["decided_by_numbers"] or ())
        demand = conditions.of_cells.get(row["cell_id"], -1)
        granted, lacking = tuple(scopes.get(row["cell_id"], ())), tuple(row["lacking_types"] or ())
        answer = Answer(row["verdict"], row["layer"], decided, granted, demand, lacking)
        cells[row["cell_id"]] = numbers.setdefault(answer, len(numbers))
    return cells, tuple(numbers)


def _scope(row: dict[str, Any], condition_numbers: dict[str, int]) -> Scope:
    return Scope(
        row["resource_pattern"],
        row["verdict"],
        row["condition"],
        proof(row["verdict"], row["witness"], row["smallest_change"], is_proven=row["is_proven"]),
        tuple(json.loads(row["except_resources"])) if row["except_resources"] else (),
        tuple(row["granted_by_numbers"] or ()),
        tuple(row["limited_by_numbers"] or ()),
        tuple(row["resource_types"] or ()),
        condition_numbers.get(row["condition_id"], -1),
        row["condition_id"] or "",
    )


def _profiles(lake: Lake, width: int, cells: dict[int, int], answers: tuple[Answer, ...]) -> dict[int, Profile]:
    parts: dict[int, dict[int, set[int]]] = {}
    numbers: dict[str, tuple[int, ...]] = {}
    for row in rows(lake, "profile_answers"):
        own = parts.setdefault(row["profile_id"], {})
        answer = cells.get(row["cell_id"])
        text = row["action_numbers"]
        if answer is not None:
            if text not in numbers:
                numbers[text] = tuple(int(part) for part in text.split(","))
            own.setdefault(answer, set()).update(numbers[text])
    return {profile: profile_of(own, width, answers) for profile, own in parts.items()}


def profile_of(own: dict[int, set[int]], width: int, answers: tuple[Answer, ...]) -> Profile:
    """Return the profile that has these actions of each answer, of ``width`` actions."""
    vector = ["n"] * width
    demands: dict[int, int] = {}
    for answer, actions in own.items():
        letter = LETTERS[answers[answer].verdict]
        for number in actions:
            vector[number] = letter
            if letter == "c":
                demands[number] = answers[answer].demand
    parts = tuple((answer, tuple(sorted(actions))) for answer, actions in sorted(own.items()))
    return Profile("".join(vector), parts, tuple(demands[number] for number in sorted(demands)))
