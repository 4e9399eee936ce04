"""Compares two snapshots set by set: who has equal access is found by numbers, and only what differs is looked at.

Ids of profiles, cells and statements mean nothing from snapshot to snapshot, so contents are compared.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.diff.compare import Difference, Row, differences
from pipeline.diff.queries import query
from pipeline.diff.reasons import reason_texts
from pipeline.diff.resource_policies import policy_changes
from pipeline.diff.unknown import UNKNOWN, Unknown, unknowns
from pipeline.errors import PolicylakeError
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.tables import OWN_ACCOUNT, request_text
from pipeline.evaluate.witness import Witness, Witnesses
from pipeline.infrastructure.facts import UNKNOWN as NOBODY
from pipeline.infrastructure.facts import Doubt
from pipeline.lake import Lake
from pipeline.reference import Reference

#: The columns of the differences, each with what it holds.
COLUMNS: dict[str, str] = {
    "principal_arn": "User, role or loose document; whom a trust policy or a resource's policy names; null where all "
    "may be meant.",
    "account_id": "Account of the principal; null where it has none.",
    "principal_type": "user, role, group or policy; of what a resource's policy names: AWS, Service, Federated, "
    "CanonicalUser or everyone.",
    "found_in": "both, new only or old only: which side has the principal.",
    "action": "The action, spelt as in the service reference.",
    "access_level": "Access level of the action.",
    "resource_type": "Resource type, or * for actions without resource types.",
    "change": "gained: no scope of the old side reaches these resources; lost: none of the new side does; "
    "changed: both do, under other conditions or with other scopes; unknown: nobody can tell, and through says why.",
    "residual": "wider: requests are allowed that were not, and none is lost; narrower: the other way round; "
    "different: some are new and some are lost; unknown: nobody can tell.",
    "resource_pattern": "Scope on the new side; null where there is none.",
    "old_resource_pattern": "Scope on the old side; null where there is none.",
    "except_resources": "JSON list of what is taken out of the new scope.",
    "old_except_resources": "JSON list of what is taken out of the old scope.",
    "verdict": "allowed or conditional in the new scope; else the verdict of the action, or none.",
    "old_verdict": "The same on the old side.",
    "condition": "The new residual condition in words; null where allowed, or no scope.",
    "old_condition": "The old one.",
    "through": "The statements that make the difference: + is new on the new side, - is gone from the old one, = is "
    "on both and something else made the difference. Effect, policy, place in it, Sid, file. ? is what is not known.",
    "granted_by": "Allow statements of the new side for these resources.",
    "limited_by": "Statements that limit the new side: Deny, boundary, SCP, RCP.",
    "old_granted_by": "Allow statements of the old side.",
    "old_limited_by": "Statements that limit the old side.",
    "witness": "A simulate line that the new side allows and the old one does not; null where nothing is gained, or "
    "none was found.",
    "lost_witness": "A simulate line that the old side allows and the new one does not; null where nothing is lost, "
    "or none was found.",
    "is_incomplete": "Whether something of the principal's policies is missing on either side: the difference may be "
    "wrong.",
}
#: Relations that tell what principals may do; the files of a group are named alike.
OF_ACCESS = (
    "principal_profiles", "profile_cases", "blocks", "action_forms", "case_cells", "cell_access", "cell_verdicts",
)  # fmt: skip
#: What is said where nothing differs.
NOTHING = "no access changed"
DIFFERENCES = pa.schema(
    [
        ("question_id", pa.string()),
        ("difference_number", pa.int64()),
        ("resource_type", pa.string()),
        ("change", pa.string()),
        ("residual", pa.string()),
        ("old_places", pa.list_(pa.int64())),
        ("new_places", pa.list_(pa.int64())),
        ("witness", pa.string()),
        ("witness_session", pa.string()),
        ("lost_witness", pa.string()),
        ("lost_witness_session", pa.string()),
    ]
)


class Wanted(NamedTuple):
    """What to compare: a principal by ARN or name, actions by pattern, an account; None is all."""

    principal: str | None = None
    action: str | None = None
    account: str | None = None


EVERYTHING = Wanted()


def changes(
    old: Lake,
    new: Lake,
    reference: Reference,
    wanted: Wanted = EVERYTHING,
    doubts: Iterable[Doubt] = (),
    targets: Collection[str] | None = None,
) -> pa.Table:
    """Return how access differs between two snapshots, with the columns of :data:`COLUMNS`, ordered by principal.

    After them come the parties of trust policies and of resources' policies, and what nobody can know, with ``doubts``.
    Actions that only one snapshot answers for are left out, but those that a policy names and no reference knows.
    Policies are called as they are attached to ``targets``; None is whatever it is.
    Raises PolicylakeError where nothing is ``wanted``, or a snapshot cannot be read.
    """
    compared = _compared_actions(old, new, wanted)
    for lake in (old, new):
        lake.lend("compared_actions", compared)
        lake.lend("equal_groups", _equal_groups(old, new))
    given = {"account": wanted.account, "principal": wanted.principal}
    _check_found((old, new), wanted, given)
    principals = {side: lake.query(query("principals"), given) for side, lake in (("old", old), ("new", new))}
    for side, rows in principals.items():
        new.lend(f"{side}_principals", rows)
    pairs = new.query(query("pairs"))
    new.lend("pairs", pairs)
    for side, lake in (("old", old), ("new", new)):
        asked = pa.table({"profile_id": pairs[f"{side}_profile_id"].drop_null().unique()})
        lake.lend("asked_profiles", asked)
        new.lend(f"{side}_contents", lake.query(query("profile_contents")))
    new.lend("questions", new.query(query("questions")))
    new.lend("differences", _answers(new, reference))
    rows = new.query(query("rows"))
    new.lend("changed_rows", rows)
    for side, lake in (("old", old), ("new", new)):
        lake.lend("asked", _asked(rows, side))
        new.lend(f"{side}_side", lake.query(query("sides")))
    new.lend("reason_texts", reason_texts(old, new, targets))
    found = new.query(query("changes")).select(list(COLUMNS))
    others = [*policy_changes(old, new, reference, *wanted), *map(_row, _wanted(unknowns(old, new, doubts), wanted))]
    return pa.concat_tables([found, pa.Table.from_pylist(others, found.schema)]) if others else found


def _wanted(found: Iterable[Unknown], wanted: Wanted) -> Iterator[Unknown]:
    """Yield what is unknown of the wanted principals; whoever is not known yet may be one of them."""
    for one in found:
        is_anyone = one.principal_arn is None or f"/{NOBODY}/" in one.principal_arn
        names = (None, one.principal_arn, (one.principal_arn or "").rsplit("/", 1)[-1])
        if is_anyone or (wanted.account in (None, one.account_id) and wanted.principal in names):
            yield one


def _row(one: Unknown) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in ("principal_arn", "account_id", "principal_type")}
    told = {"change": UNKNOWN, "residual": UNKNOWN, "through": [f"? {one.what}"], "is_incomplete": True}
    return {**dict.fromkeys(COLUMNS), **named, **told, "found_in": "both"}


def _compared_actions(old: Lake, new: Lake, wanted: Wanted) -> pa.Table:
    """Return the actions that both snapshots answer for, and those that only policies name."""
    sides = [lake.query(query("actions"), {"action": wanted.action}).to_pylist() for lake in (old, new)]
    names = [{row["action"] for row in rows} for rows in sides]
    named_by_policies = {row["action"] for rows in sides for row in rows if not row["is_known"]}
    both = sorted((names[0] & names[1]) | named_by_policies)
    if not both:
        raise PolicylakeError(
            f"--action {wanted.action}: no action of this name that both snapshots answer for; "
            "list them with: policylake sql 'from evaluated_actions'"
            if wanted.action
            else "the two snapshots answer for no action in common; build them with the same --services"
        )
    return pa.table({"action": pa.array(both, pa.string())})


def _equal_groups(old: Lake, new: Lake) -> pa.Table:
    """Return the account groups whose files are the same to the byte: nothing of their principals changed."""
    hashes = [files_of_groups(lake) for lake in (old, new)]
    equal = sorted(group for group in hashes[0] if hashes[0][group] == hashes[1].get(group))
    return pa.table({"group_number": pa.array(equal, pa.int64())})


def files_of_groups(lake: Lake) -> dict[int, dict[str, str]]:
    """Return the hashes of the files that access is made of, by account group and relation."""
    found: dict[int, dict[str, str]] = {}
    for name, sha256 in lake.manifest.get("files", {}).items():
        relation, _, file_name = name.partition("/")
        if relation in OF_ACCESS:
            found.setdefault(int(file_name.removesuffix(".parquet"), 16), {})[relation] = sha256
    return found


def _check_found(lakes: Sequence[Lake], wanted: Wanted, given: Mapping[str, str | None]) -> None:
    if wanted._replace(action=None) == EVERYTHING or any(
        lake.query(query("found"), given)["is_found"][0].as_py() for lake in lakes
    ):
        return
    for option, value in (("--principal", wanted.principal), ("--account", wanted.account)):
        if value is not None:
            remedy = "list them with: policylake sql 'from principals'"
            raise PolicylakeError(f"{option} {value}: no such user or role on either side; {remedy}")


def _asked(rows: pa.Table, side: str) -> pa.Table:
    names = ["row_id", "principal_arn", "account_id", "action", f"{side}_cell_id", f"{side}_places"]
    asked = rows.select(names).rename_columns([*names[:4], "cell_id", "places"])
    # A side without the principal has no cells, and a column of nulls no type.
    return asked.set_column(4, "cell_id", asked["cell_id"].cast(pa.int64()))


def _answers(new: Lake, reference: Reference) -> pa.Table:
    """Return the differences behind each question."""
    (own_token,) = new.query("select own_token() as token")["token"].to_pylist()
    knowledge = Knowledge(reference, {})
    inventory = frozenset(new.query("select resource_arn from inventory")["resource_arn"].to_pylist())
    witnesses = Witnesses(Solver(knowledge.domain), knowledge, inventory)
    spelling = _spelling(reference)
    formats = _Formats(reference, new)
    found: list[dict[str, Any]] = []
    for question in new.query(query("distinct_questions")).to_pylist():
        own = question["own_account"] or own_token
        before, after = (_rows(question[f"{side}_content"], own) for side in ("old", "new"))
        listed = differences(before, after, formats.of(question["service"]), own, witnesses)
        found += [
            {**_told(one, spelling, own_token), "question_id": question["question_id"], "difference_number": number}
            for number, one in enumerate(listed)
        ]
    return pa.Table.from_pylist(found, DIFFERENCES)


class _Formats:
    """The forms of ARNs by service."""

    def __init__(self, reference: Reference, lake: Lake) -> None:
        rows = lake.query("select service, resource_type, arn_format from reference_resource_types").to_pylist()
        self._formats: dict[str, dict[str, str | None]] = {}
        for row in rows:
            self._formats.setdefault(row["service"], {"*": None})[row["resource_type"]] = row["arn_format"]

    def of(self, service: str) -> Mapping[str, str | None]:
        return self._formats.get(service, {"*": None})


def _spelling(reference: Reference) -> dict[str, str]:
    names = (
        name.split("${", 1)[0] for name in reference.table("reference_condition_keys")["condition_key"].to_pylist()
    )
    return {name.lower(): name for name in names}


@lru_cache(maxsize=1 << 14)
def _rows(content: str | None, own: str) -> tuple[Row, ...]:
    """Return the rows of an answer, with the principal's own account in place."""
    listed = json.loads(content) if content else ()
    return tuple(
        Row(kind, pattern.replace(OWN_ACCOUNT, own), _exceptions(exceptions, own), _formula(formula, own))
        for kind, pattern, exceptions, formula in listed
    )


def _exceptions(text: str | None, own: str) -> tuple[str, ...]:
    return tuple(json.loads(text.replace(OWN_ACCOUNT, own))) if text else ()


@lru_cache(maxsize=1 << 14)
def _formula(text: str | None, own: str) -> Any:
    return True if text is None else formula_of(text.replace(OWN_ACCOUNT, own))


def _told(one: Difference, spelling: Mapping[str, str], own_token: str) -> dict[str, object]:
    gained, lost = (only.witness if only else None for only in (one.gained, one.lost))
    return {
        "resource_type": one.resource_type,
        "change": one.change,
        "residual": one.residual,
        "old_places": list(one.old),
        "new_places": list(one.new),
        "witness": _request(gained, spelling, own_token),
        "witness_session": gained.session if gained else None,
        "lost_witness": _request(lost, spelling, own_token),
        "lost_witness_session": lost.session if lost else None,
    }


def _request(witness: Witness | None, spelling: Mapping[str, str], own_token: str) -> str | None:
    return None if witness is None else request_text(witness, spelling).replace(own_token, OWN_ACCOUNT)
