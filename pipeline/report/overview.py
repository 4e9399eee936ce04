"""The first page: what matters most in sentences, verdicts and conditions as pictures, the most dangerous actions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.reference.dangerous import DANGEROUS
from pipeline.report.actions import matrix_link
from pipeline.report.findings import Finding
from pipeline.report.model import LETTERS, Action, Book
from pipeline.report.part import Part
from pipeline.wording import counted


class Row(NamedTuple):
    """An action of the overview."""

    action: Action
    why: str
    href: str
    counts: dict[str, int]


def dangerous(book: Book, names: Sequence[str], counts: Sequence[dict[str, int]]) -> list[Row]:
    """Return the dangerous actions that were evaluated, with their numbers of principals by verdict."""
    numbers = {action.name: action.number for action in book.actions}
    return [
        Row(book.actions[numbers[name]], why, names[numbers[name]], counts[numbers[name]])
        for name, why in DANGEROUS
        if name in numbers
    ]


def totals(summaries: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add the verdict counts of all accounts."""
    total = dict.fromkeys(LETTERS, 0)
    for summary in summaries:
        for verdict, count in summary["counts"].items():
            total[verdict] += count
    return total


class Sentence(NamedTuple):
    """A sentence of the story: a number that links to its rows, and what it is a number of."""

    figure: str
    href: str
    words: str


#: The matrix's word for allowed or conditional.
CAN = "can"
#: And the one that takes those whose answer is allowed for every known action.
THROUGHOUT = "throughout"
#: Actions of the story, with the words for those who can.
TOLD: tuple[tuple[str, str], ...] = (
    ("iam:PassRole", "may pass a role to a job or a notebook, and so borrow its rights"),
    ("sagemaker:CreatePresignedNotebookInstanceUrl", "may open notebooks and work with their roles' rights"),
    ("sagemaker:CreateTrainingJob", "may run any container as a training job"),
    ("sagemaker:UpdateEndpoint", "may replace the model behind an endpoint"),
)

#: Controls that the story names, the worst of those that find something.
MOST_TOLD = 5


def story(book: Book, counts: Sequence[dict[str, int]], findings: Sequence[Finding], total: dict[str, int],
          keys: Sequence[tuple[str, int, int]], part: Part | None) -> list[Sentence]:  # fmt: skip
    """Return what matters most: who can do the worst, what looks like protection, what depends on requests."""
    numbers = {action.name: action.number for action in book.actions}
    found = [finding for finding in findings if finding.open_count][:MOST_TOLD]
    told: list[Sentence | None] = [_finding(finding) for finding in found if finding.severity == "critical"]
    if not (part and part.actions):
        told.append(_everything(book))
    for name, words in TOLD:
        if name in numbers:
            told.append(_who(name, words, counts[numbers[name]]))
    told += [_finding(finding) for finding in found if finding.severity != "critical"]
    told.append(_depending(total, keys))
    told.append(_taken(total))
    return [sentence for sentence in told if sentence]


def _everything(book: Book) -> Sentence | None:
    known = [action.number for action in book.actions if action.is_known and action.name.startswith("sagemaker:")]
    full = {
        number
        for number, profile in book.profiles.items()
        if known and all(profile.vector[place] == "a" for place in known)
    }
    count = sum(principal.profile_id in full for principal in book.everyone())
    words = "can do everything with SageMaker, whatever the request says"
    return _sentence(count, "principal", matrix_link(action="sagemaker:", verdict=THROUGHOUT), words) if count else None


def _who(name: str, words: str, counts: dict[str, int]) -> Sentence | None:
    count = counts["allowed"] + counts["conditional"]
    if not count:
        return None
    some = f"{counts['conditional']:,} of them " if counts["allowed"] else ""
    only = f", {some}only under a condition" if counts["conditional"] else ""
    return _sentence(count, "principal", matrix_link(action=name, verdict=CAN), words + only)


def _finding(finding: Finding) -> Sentence:
    words = finding.title.rstrip(".")
    return _sentence(finding.open_count, f"{finding.severity} finding", f"findings.html#{finding.name}", f": {words}")


def _depending(total: dict[str, int], keys: Sequence[tuple[str, int, int]]) -> Sentence | None:
    if not total["conditional"]:
        return None
    count = total["conditional"]
    words = _verb(count, "depend") + " on the request"
    if keys:
        key, _, depending = keys[0]
        some = "all" if depending == count else f"{depending:,}"
        words += f", {some} of them on {key}" if count > 1 else f", on {key}"
    return _sentence(count, "answer", matrix_link(verdict="conditional"), words)


def _taken(total: dict[str, int]) -> Sentence | None:
    count = total["blocked"]
    words = f"{'is' if count == 1 else 'are'} granted by policies and taken away whole by a boundary, an SCP or an RCP"
    return _sentence(count, "answer", matrix_link(verdict="blocked"), words) if count else None


def _verb(count: int, verb: str) -> str:
    return verb + "s" if count == 1 else verb


def _sentence(count: int, unit: str, href: str, words: str) -> Sentence:
    return Sentence(counted(count, unit), href, words)
