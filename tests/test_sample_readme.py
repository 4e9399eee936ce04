"""The tables of the sample's README say what the matrix says: each row with a principal, an action and a verdict."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.lake import Lake, open_lake

README = Path(__file__).resolve().parents[1] / "samples" / "organization" / "README.md"
VERDICTS = ("allowed", "conditional", "denied", "blocked", "none")
HOME = "ml-dev"


class Row(NamedTuple):
    """A row of a table; what its cells leave blank stands in an earlier row."""

    principal: str
    actions: tuple[str, ...]
    verdicts: tuple[str, ...]


class Claim(NamedTuple):
    """What a row says of one principal and one action."""

    principal: str
    action: str
    verdict: str


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables() -> Iterator[Row]:
    """Yield the rows of the tables that have principals, actions and verdicts."""
    columns: list[str] = []
    principal = actions = ""
    for line in README.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells(line)
        elif {"principal", "action", "verdict"} <= set(columns) and not line.startswith("| ---"):
            row = dict(zip(columns, cells(line), strict=True))
            principal = row["principal"] or principal
            actions = actions if row["action"] == "the same" else row["action"]
            yield Row(principal, tuple(re.split(r", | / ", actions)), tuple(row["verdict"].split(" / ")))


def named(text: str, names: dict[tuple[str, str], str]) -> list[str]:
    """Return the ARNs of the principals that a cell names; without an account they are those of ml-dev."""
    bare = re.sub(r"\(.*?\)", "", text)
    account = next((word for word in re.findall(r"of ([\w-]+)", bare)), HOME)
    # Names of permission sets end in characters that the README leaves out.
    spelt = {
        (place, re.sub(r"^(AWSReservedSSO_.*)_[0-9a-f]{16}$", r"\1", name)): arn for (place, name), arn in names.items()
    }
    return [spelt[account, word] for word in re.findall(r"[\w.-]+", bare) if (account, word) in spelt]


def claims(names: dict[tuple[str, str], str]) -> Iterator[Claim]:
    for row in tables():
        principals = named(row.principal, names)
        actions = [f"sagemaker:{a}" if ":" not in a else a for a in row.actions if " on " not in a and a != "anything"]
        verdicts = [next((v for v in VERDICTS if text.startswith(v)), "") for text in row.verdicts]
        pairs = [(principal, action) for principal in principals for action in actions]
        if not pairs or "" in verdicts:
            continue
        if len(verdicts) == 1:
            verdicts *= len(pairs)
        yield from (Claim(*pair, verdict) for pair, verdict in zip(pairs, verdicts, strict=True))


@pytest.fixture(scope="module")
def lake(sample_lake: Path) -> Lake:
    return open_lake(sample_lake)


def test_the_matrix_says_what_the_readme_says(lake: Lake) -> None:
    rows = lake.query("select account_id, account_name from accounts").to_pylist()
    accounts = {row["account_id"]: row["account_name"] for row in rows}
    rows = lake.query("select principal_arn, principal_name, account_id from principals").to_pylist()
    names = {(accounts.get(r["account_id"], ""), r["principal_name"]): r["principal_arn"] for r in rows}
    rows = lake.query("select principal_arn, action, verdict from access_matrix").to_pylist()
    matrix = {(row["principal_arn"], row["action"]): row["verdict"] for row in rows}
    found = list(claims(names))
    assert len(found) > 90
    assert {claim.verdict for claim in found} == set(VERDICTS)
    assert [claim for claim in found if matrix.get(claim[:2], "none") != claim.verdict] == []
