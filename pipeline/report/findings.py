"""Findings: what queries turn up that somebody should look at, with why it counts and what to write instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pipeline.evaluate.named import run
from pipeline.lake import Lake
from pipeline.lake.queries import named_query
from pipeline.report.actions import statement_link
from pipeline.report.policies import Policy
from pipeline.report.queries import rows
from pipeline.report.tables import Cell, Table, write_table

Row = dict[str, Any]
COLUMNS = ("statement", "what", "effect on access", "attached to")
PRINCIPALS = ("principal", "what is missing", "file")
#: Actions that a finding names before it counts the rest.
MOST_ACTIONS = 6


class Kind(NamedTuple):
    """A kind of finding: its words, where its rows come from, and what of a row is the subject and the detail."""

    name: str
    title: str
    severity: Literal["error", "warning"]
    rationale: str
    remedy: str
    rows: Callable[[Lake], list[Row]]
    subject: Callable[[Row], str]
    detail: Callable[[Row], str]


class Finding(NamedTuple):
    """A kind of finding with its cases."""

    kind: Kind
    table: Table


def _named(name: str, **values: str) -> Callable[[Lake], list[Row]]:
    return lambda lake: run(lake, named_query(name), values).to_pylist()


def _own(name: str) -> Callable[[Lake], list[Row]]:
    return lambda lake: rows(lake, name)


def _operator(row: Row) -> str:
    qualifier = f"{row['set_qualifier_key']}:" if row["set_qualifier_key"] else ""
    values = ", ".join(row["condition_values"] or ())
    return f"{qualifier}{row['operator']}{'IfExists' if row['if_exists'] else ''} {row['condition_key']}: {values}"


def _without_key(row: Row) -> str:
    named = ", ".join(row["actions"][:MOST_ACTIONS])
    rest = len(row["actions"]) - MOST_ACTIONS
    total = row["actions_with_key"] + row["actions_without_key"]
    return f"{row['effect']}: {row['actions_without_key']:,} of its {total:,} actions never carry the key: {named}" + (
        f" and {rest:,} more" if rest > 0 else ""
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        "incomplete-principals",
        "Principals of which something is missing",
        "error",
        "The export names a group, a policy or a boundary that it does not hold, or that was rejected. What is said of "
        "these principals may be too little or too much.",
        "Export the account again, whole, or mend what the rejects name, and build again.",
        _named("incomplete_principals"),
        lambda row: str(row["principal_arn"]),
        lambda row: "; ".join(row["missing"] or ()),
    ),
    Kind(
        "unknown-actions",
        "Actions that do not exist",
        "warning",
        "The service reference knows no action of this name: it is misspelt, retired, or newer than the reference. An "
        "Allow gives nothing, and a Deny protects nothing. Such actions are evaluated all the same, and flagged.",
        "Use the name of the action that the API authorizes. Tags are set with sagemaker:AddTags and taken away with "
        "sagemaker:DeleteTags; sagemaker:CreateTags never existed.",
        _own("unknown_action_statements"),
        lambda row: str(row["subject"]),
        lambda row: "grants nothing" if row["effect"] == "Allow" else "protects nothing",
    ),
    Kind(
        "tag-conditions",
        "Tag conditions on actions that tags cannot restrict",
        "warning",
        "The tags of a resource come into a request only with a resource that has them. List calls, Search and the "
        "like name none: for them the key is absent, so an Allow that asks for a tag never applies, and a Deny that "
        "looks for a tag never fires.",
        "Put these actions into a statement of their own without the tag condition, and decide there whether to allow "
        "them. What List calls and Search show cannot be limited by tags.",
        _named("unavailable_condition_keys", key="*resourcetag*"),
        lambda row: str(row["condition_key"]),
        _without_key,
    ),
    Kind(
        "idle-conditions",
        "Conditions that do nothing",
        "warning",
        "Every request meets the condition, or every request without the key: it looks like protection and is none. "
        "ForAllValues is true of no values at all. Where its dates lie in the past no request meets it: an Allow has "
        "expired, and a Deny denies no more.",
        "Compare with the values that are meant. Beside ForAllValues put a Null condition with the value false for the "
        "same key, so that the key must be there. Remove statements that have expired.",
        _named("idle_conditions"),
        _operator,
        lambda row: f"{row['effect']}: {row['reason']}",
    ),
    Kind(
        "wildcard-grants",
        "Wildcard grants on every resource",
        "warning",
        "The statement allows a whole service, everything, or all but some actions, on every resource, whatever the "
        "request says. What it grants grows with each action that AWS adds.",
        "Name the actions and the resources that the work needs, or limit the holders by a boundary or an SCP.",
        _own("service_wide_grants"),
        lambda row: str(row["subject"]),
        lambda row: "allowed on every resource, without a condition",
    ),
)


def write_findings(folder: Path, lake: Lake, policies: dict[str, Policy]) -> list[Finding]:
    """Return all kinds of findings in the order of KINDS; long tables go on in ``data/tables``."""
    found = []
    for kind in KINDS:
        listed = [_row(kind, row, policies) for row in kind.rows(lake)]
        columns = PRINCIPALS if kind.name == "incomplete-principals" else COLUMNS
        found.append(Finding(kind, write_table(folder, f"tables/{kind.name}", kind.title, columns, listed)))
    return found


def _row(kind: Kind, row: Row, policies: dict[str, Policy]) -> list[Cell]:
    if "statement_id" not in row:
        return [Cell(text, kind="code") for text in (kind.subject(row), kind.detail(row), row["source"])]
    policy_id, _, index = row["statement_id"].rpartition("#")
    policy = _counted(row, policy_id, policies)
    statement = statement_link(policy_id, int(index), row["sid"], policy.name)
    others = f" and {policy.place_count - 1:,} more" if policy.place_count > 1 else ""
    return [
        Cell(statement["text"], statement["href"]),
        Cell(kind.subject(row), kind="code"),
        Cell(kind.detail(row)),
        Cell(policy.first_place + others, f"policy.html#{policy_id}", "code"),
    ]


def _counted(row: Row, policy_id: str, policies: dict[str, Policy]) -> Policy:
    """Return the document with the places that count for the finding: those of the row, where it names some."""
    if "place_count" in row:
        return Policy(policy_id, row["policy_name"] or policy_id, row["place_count"], row["first_place"])
    return policies.get(policy_id, Policy(policy_id, policy_id, 0, ""))


def write_rejects(folder: Path, lake: Lake) -> Table:
    """Return the table of rejects; what is long goes on in ``data/tables``."""
    columns = ("severity", "place", "what is wrong", "what to do", "code")
    listed = []
    for row in rows(lake, "rejects"):
        place = ":".join(str(part) for part in (row["source"], row["line"], row["column"]) if part is not None)
        listed.append([
            Cell(row["severity"], kind=f"severity-{row['severity']}"),
            Cell(place, kind="code"),
            Cell(row["message"]),
            Cell(row["remedy"]),
            Cell(row["code"], kind="code"),
        ])  # fmt: skip
    return write_table(folder, "tables/rejects", "Problems of the inputs", columns, listed)
