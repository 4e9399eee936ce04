"""What a finding is about as an AWS resource: its ARN, and the names that Security Hub has for its type."""

from typing import NamedTuple

from pipeline.export.records import Finding
from pipeline.iam.grammar import arn_fields

#: Security Hub's names of resource types, by service and the first part of an ARN's last field.
TYPES = {
    ("iam", ""): "AwsAccount",
    ("iam", "role"): "AwsIamRole",
    ("iam", "user"): "AwsIamUser",
    ("iam", "group"): "AwsIamGroup",
    ("iam", "policy"): "AwsIamPolicy",
    ("sagemaker", "notebook-instance"): "AwsSageMakerNotebookInstance",
    ("s3", ""): "AwsS3Bucket",
    ("kms", "key"): "AwsKmsKey",
    ("ec2", "vpc-endpoint"): "AwsEc2VpcEndpoint",
}
OTHER = "Other"


class Arn(NamedTuple):
    """An ARN and its fields; all are empty where a finding has none. ``kind`` is a key of TYPES."""

    text: str
    partition: str
    region: str
    account_id: str
    kind: tuple[str, str]


NONE = Arn("", "", "", "", ("", ""))


def arn(text: str | None) -> Arn:
    """Return the fields of an ARN; those of a text that is none are empty."""
    fields = arn_fields(text or "")
    if fields is None:
        return NONE
    _, partition, service, region, account_id, resource = fields
    kind = resource.replace(":", "/").partition("/")
    return Arn(text or "", partition, region, account_id, (service, kind[0] if kind[1] else ""))


def arn_of(finding: Finding) -> Arn:
    """Return the ARN of what a finding is about: the resource, the principal, the policy, or where that hangs.

    A subject begins with the ARN of its policy or principal and goes on with the statement. Without any of these it is
    the account; of a loose document there is none.
    """
    subject = finding.subject.split(maxsplit=1)[0].rstrip(":") if finding.subject.strip() else None
    account = f"arn:aws:iam::{finding.account_id}:root" if finding.account_id else None
    candidates = (finding.resource_arn, finding.principal_arn, subject, finding.attached_to, account)
    found = (arn(candidate) for candidate in candidates)
    return next((one for one in found if one.text and "*" not in one.text), NONE)


def resource_type(finding: Finding) -> str:
    """Return Security Hub's name for the type of what a finding is about."""
    return TYPES.get(arn_of(finding).kind, OTHER)
