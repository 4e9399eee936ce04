"""Reads Terraform plans and CloudFormation templates: the accounts as they are once the change is made.

They are written in the shape of an account export first, so that one reader knows what that means.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.errors import PolicylakeError, Reject
from pipeline.infrastructure import cloudformation, terraform
from pipeline.infrastructure.facts import Infrastructure, Json, account_details
from pipeline.ingest import account_details as exports
from pipeline.ingest.arns import account_in_name
from pipeline.ingest.decode import Page, pages
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.files import InputFile, load
from pipeline.ingest.parts import Part

#: Numbers with a fraction or exponent stay the texts that they are, as in YAML and as AWS reads them in conditions.
_decoder = msgspec.json.Decoder(float_hook=str)


class _Kind(NamedTuple):
    """A format of infrastructure as code, with what the list of formats says of it."""

    CONTENT: str
    RECOGNISES: str
    YIELDS: str
    recognises: Callable[[frozenset[str]], bool]
    reads: Callable[[Json, str | None, Mapping[str, str]], Infrastructure]

    def read(self, page: Page, documents: DocumentStore) -> Iterator[Part]:
        """Yield the principals and policies after the change; what cannot be resolved is a warning."""
        infrastructure = self.reads(_decoder.decode(page.raw), account_in_name(page.name), {})
        doubts = (f"{doubt.where}: {doubt.why}" for doubt in infrastructure.doubts)
        for remark in (*infrastructure.remarks, *doubts):
            remedy = "give the account's export too, and compare with: policylake diff --lake LAKE FILE"
            yield page.reject("", "warning", "unresolved", remark, remedy)
        if infrastructure.has_controls:
            what = "SCPs and RCPs of a plan or template count only over a lake that has the organization"
            yield page.reject("", "warning", "unresolved", what, "compare with: policylake diff --lake LAKE FILE")
        for account in sorted(infrastructure.accounts):
            text = msgspec.Raw(json.dumps(account_details(infrastructure.after, account)).encode())
            members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            for part in exports.read(Page(page.source, account, page.pointer, text, members), documents):
                yield part._replace(pointer=page.pointer) if isinstance(part, Reject) else part


PLAN = _Kind(
    "terraform-plan",
    "a Terraform plan as terraform show -json prints it: resource_changes",
    "the users, groups, roles and policies that the plan leads to",
    terraform.recognises,
    lambda plan, account, _: terraform.read_plan(plan, account),
)
TEMPLATE = _Kind(
    "cloudformation-template",
    "a CloudFormation template: Resources",
    "the users, groups, roles and policies that the template makes",
    cloudformation.recognises,
    cloudformation.read_template,
)


class InfrastructureFile(NamedTuple):
    """A file of infrastructure as code. ``is_plan``: it tells what was there before. ``parameters`` are those that it
    has."""

    infrastructure: Infrastructure
    is_plan: bool
    parameters: frozenset[str] = frozenset()


def read_infrastructure(
    path: Path, account: str | None, parameters: Mapping[str, str] | None = None
) -> InfrastructureFile | None:
    """Return what a file says of accounts, with the given parameters of a template; None for a file of any other
    content.

    Raises PolicylakeError where the file cannot be read.
    """
    content = load(InputFile(str(path), path.stem, path))
    if content.data is None:
        raise PolicylakeError(str(content.reject))
    found, _ = pages(str(path), path.stem, content.data)
    if len(found) != 1 or found[0].pointer:
        return None
    names = frozenset(found[0].members)
    for kind in (PLAN, TEMPLATE):
        if kind.recognises(names):
            value: Any = _decoder.decode(found[0].raw)
            infrastructure = kind.reads(value, account or account_in_name(path.stem), parameters or {})
            named = value.get("Parameters") if kind is TEMPLATE else None
            return InfrastructureFile(infrastructure, kind is PLAN, frozenset(named if isinstance(named, dict) else ()))
    return None
