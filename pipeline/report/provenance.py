"""Provenance: what the report was made from, what it takes for granted, and what it cannot see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluate.named import run
from pipeline.evaluate.scenarios import Scenario, said
from pipeline.iam.grammar import account_in
from pipeline.lake import Lake
from pipeline.lake.queries import named_query
from pipeline.report.model import Book
from pipeline.report.own import Own
from pipeline.report.queries import rows
from pipeline.report.tables import Cell, Table, write_table
from pipeline.wording import some

ASSUMPTIONS: tuple[str, ...] = (
    "A verdict is about requests that the principal signs itself with the rights of its identity policies; session "
    "policies can only narrow it and are not known.",
    "What is not in the inputs is unknown, not absent: a condition on an unknown key makes a cell conditional.",
    "A grant reaches resources of the principal's own account, other accounts' only where their resource policy "
    "is in the inputs.",
    "SCPs are not applied to the management account, to service-linked roles, and to accounts whose organization "
    "is unknown.",
    "RCPs act on actions of the services that AWS lists for them; by the service reference that this lake was built "
    "with, that decides whether any cell depends on them.",
    "A role's tags count as fixed unless its trust policy lets sessions bring tags of their own.",
    "The required resource types of an action come from the service reference; marks that it calls doubtful do not "
    "count.",
    "Actions that the service reference does not know are evaluated as if they took any resource, and flagged.",
    "Names of resources are any text: a grant counts although AWS would refuse the only names that it is about, such "
    "as that of a model with a slash.",
)
NOBODY = "Users, roles and policy documents: none was read, so nothing is said of anybody"
#: Names that a sentence on what is missing lists.
SHOWN = 8
BLIND_SPOTS: tuple[str, ...] = (
    "What the account root user can do.",
    "Grants that are no policies: KMS grants, S3 access control lists, shares of AWS RAM whose policies are not "
    "in the inputs.",
    "Who can assume a role, and so act with its rights: trust policies are shown, paths through roles "
    "are not followed.",
    "What a role that SageMaker runs a job with can do in other services, beyond the services evaluated here.",
    "Changes since the exports were made.",
    "Policies of VPC endpoints: they narrow only requests that use the endpoint, and verdicts leave them out; "
    "policylake simulate applies them where a request names the endpoint.",
)


def gaps(lake: Lake, book: Book, own: Own | None) -> list[str]:
    """Return what is missing in these very inputs, in words; of a part, what is missing of it."""
    unexported = [row for row in book.accounts.values() if not row["is_exported"]]
    outside = [row for row in book.accounts.values() if row["account_id"] and not row["organization_id"]]
    found = run(lake, named_query("incomplete_principals"), {}).to_pylist()
    incomplete = [row for row in found if book.actions_left is None or row["principal_arn"] in book.arns]
    errors = lake.manifest.get("rejects", {}).get("error", 0)
    is_cut = own is not None and own.files is not None
    endpoints = [
        row for row in rows(lake, "endpoint_policies") if not is_cut or account_in(row["target_arn"]) in book.accounts
    ]
    told = (
        (len(unexported), "Accounts of the organization without an export, so none of their principals is here",
         some([row["account_id"] for row in unexported], SHOWN)),
        (len(outside), "Accounts whose organization is unknown, evaluated without SCPs",
         some([row["account_id"] for row in outside], SHOWN)),
        (len(incomplete), "Principals of which something is missing", "see the findings"),
        (errors, "Inputs, or parts of inputs, left out because they could not be read",
         "of the whole snapshot; its report lists them" if is_cut else "see the rejects"),
        (len(endpoints), "VPC endpoint policies in the inputs that verdicts leave out",
         some([row["target_arn"] for row in endpoints], SHOWN)),
    )  # fmt: skip
    missing = [f"{words}: {count:,} ({which})" for count, words, which in told if count]
    return missing if book.arns else [NOBODY, *missing]


def inputs_of(manifest: dict[str, Any], own: Own | None) -> list[dict[str, Any]]:
    """Return the input files; of a part those that it was read from."""
    files = own.files if own else None
    return [source for source in manifest.get("inputs", ()) if files is None or source["path"] in files]


def inputs_table(folder: Path, inputs: Sequence[dict[str, Any]]) -> Table:
    """Return the table of input files with their hashes."""
    listed = [
        [
            Cell(str(source["path"]), kind="code"),
            Cell(str(source["content"]), kind="whole"),
            Cell(f"{source['size']:,}", kind="number"),
            Cell(str(source["sha256"]), kind="hash"),
        ]
        for source in inputs
    ]
    return write_table(folder, "tables/inputs", "Input files", ("file", "content", "bytes", "SHA-256"), listed)


def days_of(book: Book) -> str:
    """Return the days of the accounts' exports, the first and the last; an empty text where none is known."""
    days = sorted({row["data_as_of"][:10] for row in book.accounts.values() if row["data_as_of"]})
    return " to ".join(dict.fromkeys((*days[:1], *days[-1:])))


def told(scenario: Scenario) -> dict[str, Any]:
    """Return what the pages say of the scenario that the report is of."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "description": scenario.description,
        "facts": [said(fact) for fact in scenario.facts],
        "placeholders": ", ".join(scenario.placeholders),
        "source": scenario.source,
    }


def versions(lake: Lake) -> list[tuple[str, str]]:
    """Return names and values of what made the report."""
    return versions_of(lake.manifest, lake.snapshot_id)


def versions_of(manifest: dict[str, Any], snapshot_id: str) -> list[tuple[str, str]]:
    """Return names and values of what made a snapshot, from its manifest."""
    reference = manifest.get("reference", {})
    return [
        ("Snapshot", snapshot_id),
        ("policylake", str(manifest.get("policylake_version", ""))),
        ("Service reference", f"{reference.get('version', '')}, {reference.get('origin', '')}"),
        ("Date of the service reference", str(reference.get("data_date", ""))),
        ("Services evaluated", ", ".join(manifest.get("services", ())) + ", and iam:PassRole"),
    ]
