"""Takes apart the ARNs by which exports name things. Must not match patterns."""

import re
from typing import NamedTuple

#: ARNs of users, roles, groups and policies; AWS's own policies have ``aws`` where others have an account id.
IAM_ARN = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}|aws):(user|role|group|policy)/(\S.*)", re.DOTALL)
RESOURCE_ARN = re.compile(r"arn:[a-z-]+:[^:\s]+:[^:\s]*:[^:\s]*:.+", re.DOTALL)
ACCOUNT_ID = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


class IamArn(NamedTuple):
    """``account_id`` is None for AWS's own policies; ``name`` is without path."""

    account_id: str | None
    kind: str
    name: str


BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::[^:/]+")


def iam_arn(arn: str) -> IamArn | None:
    """Return the parts of the ARN of a user, role, group or policy, None if it is none."""
    found = IAM_ARN.fullmatch(arn)
    if not found:
        return None
    return IamArn(None if found[1] == "aws" else found[1], found[2], found[3].rsplit("/", 1)[-1])


def is_vpc_endpoint(arn: str) -> bool:
    """Whether the ARN is that of a VPC endpoint."""
    fields = arn.split(":", 5)
    return len(fields) == 6 and fields[2] == "ec2" and fields[5].startswith("vpc-endpoint/")


def is_bucket(arn: str) -> bool:
    """Whether an ARN is that of an S3 bucket, which names no account."""
    return bool(BUCKET_ARN.fullmatch(arn))


def account_in_name(name: str) -> str | None:
    """Return the account id in a file's name, None if there is none or more than one."""
    found = set(ACCOUNT_ID.findall(name.rsplit("/", 1)[-1]))
    return found.pop() if len(found) == 1 else None
