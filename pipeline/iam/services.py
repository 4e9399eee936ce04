"""What AWS's pages say of single services: whose policies must agree first, and what works across accounts.

Data about actions, with names in lower case; decides nothing.
"""

import re

#: KMS operations that work across accounts (KMSX), and how the names of others begin.
KMS_ACROSS_ACCOUNTS = frozenset(
    {
        "kms:encrypt", "kms:decrypt", "kms:sign", "kms:derivesharedsecret", "kms:creategrant", "kms:describekey",
        "kms:getkeyrotationstatus", "kms:getpublickey", "kms:listgrants", "kms:retiregrant", "kms:revokegrant",
    }
)  # fmt: skip
KMS_FAMILIES_ACROSS_ACCOUNTS = ("kms:reencrypt", "kms:generate", "kms:verify")
#: What a call that assumes a role may pass; on a role the trust policy must allow it too (STAG, ARAPI).
PASSED_ON_ASSUMPTION = ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")

#: The operation that RCPs leave alone whatever they say (RCP).
RCP_EXEMPT = "kms:retiregrant"

#: Resource types whose names hold no slash, while what lies in them is a type of its own (S3: Bucket naming rules).
WITHOUT_SLASH = frozenset({"arn:${Partition}:s3:::${BucketName}"})
#: Names at the end of an ARN that may hold colons, by service: keys of objects, ids of models such as claude-v2:1.
NAMES_WITH_COLONS = frozenset({("s3", "ObjectName"), ("s3-outposts", "ObjectName"), ("bedrock", "ResourceId")})

#: Service-linked roles: neither SCPs nor RCPs bind them, nor RCPs who assumes them (SCP, RCP).
_SERVICE_LINKED = re.compile(r"arn:[^:]*:iam::[^:]*:role/aws-service-role/.+", re.DOTALL)


def ends_in_any_text(arn_format: str) -> bool:
    """Whether ARNs of a format end in a name that may hold colons."""
    service, _, rest = arn_format.removeprefix("arn:${Partition}:").partition(":")
    return rest.endswith("}") and (service, rest.rpartition("${")[2].removesuffix("}")) in NAMES_WITH_COLONS


def is_service_linked_role(arn: str) -> bool:
    """Whether an ARN is that of a service-linked role."""
    return _SERVICE_LINKED.fullmatch(arn) is not None


def service_linked_roles(partition: str, account_id: str) -> str:
    """Return the pattern of an account's service-linked roles."""
    return f"arn:{partition}:iam::{account_id}:role/aws-service-role/?*"


def is_assumption(action: str) -> bool:
    """Whether an action in lower case assumes a role."""
    return action.startswith("sts:assumerole")


def is_trusted(action: str) -> bool:
    """Whether an action in lower case is the trust policy's to allow, where it is asked on a role."""
    return is_assumption(action) or action in PASSED_ON_ASSUMPTION


def needs_consent(action: str, resource: str) -> bool:
    """Whether the resource's policy must agree before identity policies count: that of a role or of a KMS key.

    KMS operations that involve no key are left to identity policies (KMSP). The action is in lower case.
    """
    tail = resource.split(":", 5)[-1]
    if action.startswith("kms:"):
        return tail.startswith("key/")
    return is_assumption(action) or (is_trusted(action) and tail.startswith("role/"))


def works_across_accounts(action: str) -> bool:
    """Whether an action in lower case can be meant for a resource of another account: of KMS, few can."""
    is_listed = action in KMS_ACROSS_ACCOUNTS or action.startswith(KMS_FAMILIES_ACROSS_ACCOUNTS)
    return is_listed or not action.startswith("kms:")
