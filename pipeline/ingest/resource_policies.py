"""Reads ``resource-policies.json``: policies of resources and VPC endpoints, with the ARNs that AWS's answers lack."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.ingest.arns import RESOURCE_ARN, account_in_name, is_bucket, is_vpc_endpoint
from pipeline.ingest.decode import Page, one
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import Part, ResourcePolicyPart

CONTENT = "resource-policies"
RECOGNISES = "resource-policies.json: objects with ResourceArn and ResourcePolicy"
YIELDS = "the policy of a resource, or of a VPC endpoint where the ARN is one's"


#: No group's name has a slash (SageMaker API Reference, CreateModelPackageGroup): what follows it names a version, and
#: that has no policy. Other characters that AWS refuses today are kept: nothing is lost by believing them.
GROUP_NAME = re.compile("[^/]+")


class ResourcePolicy(msgspec.Struct, rename="pascal"):
    """One item of the list."""

    resource_arn: str
    resource_policy: Raw = Raw(b"null")


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a resource with its policy."""
    return {"ResourceArn", "ResourcePolicy"} <= names


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the policy of the item."""
    item = one(page, "", page.raw, ResourcePolicy, "resource policy")
    if isinstance(item, Reject):
        yield item
        return
    if not RESOURCE_ARN.fullmatch(item.resource_arn):
        message = f"{item.resource_arn!r} is not an ARN"
        remedy = "write the resource's ARN; this policy was left out"
        yield page.reject("/ResourceArn", "error", "bad-arn", message, remedy)
        return
    _, is_group, name = item.resource_arn.partition(":model-package-group/")
    if is_group and not GROUP_NAME.fullmatch(name):
        message = f"{name!r} is the name of no model package group: no slash is in these"
        yield page.reject(
            "/ResourceArn", "error", "bad-arn", message, "write the group's ARN; this policy was left out"
        )
        return
    kind: Literal["endpoint", "resource"] = "endpoint" if is_vpc_endpoint(item.resource_arn) else "resource"
    label = f"{kind} policy of {item.resource_arn}"
    policy_id = yield from documents.use(page, "/ResourcePolicy", item.resource_policy, kind, label)
    owner = account_in_name(page.name) if is_bucket(item.resource_arn) else None
    doubts = documents.doubts(item.resource_policy, kind, label)
    yield ResourcePolicyPart(page.source, page.pointer, item.resource_arn, policy_id, doubts, owner)
