"""The first page: what was read, verdicts as a picture, who can do the most dangerous things, findings by severity."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.report.model import LETTERS, Action, Book

#: Actions that open the widest doors, and why. Order is the order of the page.
DANGEROUS: tuple[tuple[str, str], ...] = (
    ("iam:PassRole", "gives a role's rights to a job or a notebook"),
    ("sagemaker:CreatePresignedNotebookInstanceUrl", "opens a notebook with its role's rights"),
    ("sagemaker:CreatePresignedDomainUrl", "opens Studio as somebody else"),
    ("sagemaker:CreateNotebookInstance", "runs any code with the role that it is given"),
    ("sagemaker:CreateTrainingJob", "runs any container with the role that it is given"),
    ("sagemaker:CreateProcessingJob", "runs any container with the role that it is given"),
    ("sagemaker:UpdateEndpoint", "replaces a model in production"),
    ("sagemaker:InvokeEndpoint", "asks a model, and so sees what it knows"),
    ("sagemaker:AddTags", "changes the tags that tag conditions rely on"),
    ("sagemaker:PutModelPackageGroupPolicy", "shares models with other accounts"),
    ("sagemaker:PutResourcePolicy", "shares resources with other accounts"),
    ("sagemaker:DeleteModelPackageGroup", "deletes the registry's entries"),
)


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
