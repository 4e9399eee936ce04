"""What a plan does that is not read and may change who may do what: it is told, never dropped."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.infrastructure import said
from pipeline.infrastructure.documents import holds_policy
from pipeline.infrastructure.facts import (
    Doubt,
    Json,
    as_list,
    as_object,
    digest,
)
from pipeline.infrastructure.terraform.configuration import Configuration
from pipeline.infrastructure.terraform.reading import AWS, READERS, RESOURCE_POLICIES
from pipeline.infrastructure.terraform.values import is_flag, is_never, is_same

#: Resources that change who may do what and that are not read.
UNREAD = re.compile(
    r"aws_iam_(?:role|user|group)_polic(?:ies|y_attachments)_exclusive|aws_iam_service_linked_role|"
    r"awscc_(?:iam|sso|organizations|ram)_.*|aws_ssoadmin_.*|aws_ram_.*|aws_controltower_.*|"
    r"aws_organizations_(?:account|organization|organizational_unit|resource_policy)|"
    r"aws_cloudformation_(?:stack|stack_set|stack_set_instance|stack_instances)|"
    r"aws_serverlessapplicationrepository_cloudformation_stack|aws_servicecatalog_provisioned_product|"
    r"(?:aws|awscc)_.*_(?:bucket_policy|key_policy|repository_policy|queue_policy|topic_policy|resource_policy|"
    r"access_point_policy|file_system_policy|secret_policy|vault_policy|domain_policy|endpoint_policy|permission)|"
    r"(?:aws|awscc)_kms_(?:replica_key|external_key|grant)|awscc_kms_key|awscc_sagemaker_model_package_group|"
    r"aws_vpc_endpoint|"
    # Access without a document.
    r"(?:aws_s3control|awscc_s3)_access_grant.*|(?:aws|awscc)_(?:lakeformation|identitystore|rolesanywhere)_.*|"
    r"aws_s3_bucket_acl|"
    # Roles for whom the resource itself names.
    r"(?:aws|awscc)_(?:eks_pod_identity_association|cognito_identity_pool_roles?_attachment|iot_policy(?:_attachment)?|"
    r"iot_role_alias|opensearchserverless_access_policy)|"
    r"aws_organizations_delegated_administrator|aws_iam_organizations_features"
)
#: Those of them that only give: where they go, something is taken away.
GIVING = re.compile(
    r"(?:aws|awscc)_.*_permissions?|aws_ram_.*|(?:aws_s3control|awscc_s3)_access_grant.*|(?:aws|awscc)_kms_grant|"
    r"(?:aws|awscc)_(?:lakeformation|identitystore|rolesanywhere)_.*|aws_ssoadmin_account_assignment|"
    r"(?:aws|awscc)_(?:eks_pod_identity_association|cognito_identity_pool_roles?_attachment|iot_policy(?:_attachment)?|"
    r"iot_role_alias|opensearchserverless_access_policy)|"
    r"aws_organizations_delegated_administrator|aws_iam_organizations_features|aws_iam_service_linked_role"
)
#: Of these only one argument changes who may do what.
MATTERING = {
    "aws_vpc_endpoint": "policy",
    "aws_kms_replica_key": "policy",
    "aws_kms_external_key": "policy",
    "aws_organizations_account": "parent_id",
    "aws_organizations_organizational_unit": "parent_id",
}


def doubts(plan: Json, changes: Iterable[Json], config: "Configuration") -> Iterator[Doubt]:
    """Yield what a plan does or may do that is not read, and that may change who may do what."""
    if plan.get("complete") is False or plan.get("deferred_changes"):
        told = "a further plan follows this one, whose changes are not seen"
        yield Doubt("complete", told, digest([plan.get("deferred_changes"), plan.get("complete")]))
    if plan.get("errored") is True:
        yield Doubt("errored", "the plan ended in an error: what it does not hold is not seen")
    listed = plan.get("resource_changes")
    for number, change in enumerate(listed if isinstance(listed, list) else [listed]):
        delta = as_object(as_object(change).get("change"))
        sides = [delta.get("before"), delta.get("after")]
        is_whole = all(isinstance(as_object(change).get(name), str) for name in ("address", "type"))
        if not is_whole or not isinstance(delta.get("actions"), list) or any(map(_is_odd, sides)):
            told = "address, type and change with its actions are expected here; this entry is not read"
            yield Doubt(f"resource_changes[{number}]", told, digest(change))
    for change in changes:
        delta = as_object(change.get("change"))
        actions = as_list(delta.get("actions"))
        kind = str(change.get("type"))
        if actions in (["no-op"], ["read"]):
            continue
        address, whole = str(change.get("address")), [delta.get("after"), delta.get("after_unknown")]
        is_mattering = not (kind in MATTERING and is_same(delta, MATTERING[kind]))
        is_mattering = is_mattering and not (actions == ["delete"] and GIVING.fullmatch(kind))
        if kind not in READERS and UNREAD.fullmatch(kind) and is_mattering:
            yield Doubt(address, f"resources of type {kind} are not read; its change is not seen", digest(whole))
        elif names := sorted(_unread_policies(change, config)):
            yield Doubt(address, said.not_read(names, kind), digest(whole))


def _unread_policies(change: Json, config: "Configuration") -> Iterator[str]:
    """Yield the arguments of a resource that hold a policy which no reader reads, and that change."""
    kind, delta = str(change.get("type")), as_object(change.get("change"))
    if change.get("mode", "managed") != "managed" or (kind in READERS and kind not in RESOURCE_POLICIES):
        return
    read = RESOURCE_POLICIES[kind][0] if kind in RESOURCE_POLICIES else None
    before, after, unknown = (as_object(delta.get(name)) for name in ("before", "after", "after_unknown"))
    for name in {*before, *after, *unknown} - {read}:
        is_held = any(holds_policy({name: side.get(name)}, is_never) for side in (before, after))
        # What the configuration does not give is only read back.
        is_open = kind.startswith(AWS) and config.gives(str(change.get("address")), name) is not False
        is_held = is_held or (is_open and holds_policy({name: unknown.get(name)}, is_flag))
        if is_held and not is_same(delta, name):
            yield name


def _is_odd(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)
