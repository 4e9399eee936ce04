"""Which condition keys requests have, and which AWS sends together: data that both evaluators read. Decides nothing.

Source: AWS global condition context keys (KEYS); forward access sessions (FAS); tags in requests (TAGS).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

State = Literal["present", "absent", "true", "false"]
#: How far a tie goes. ``always``: no request is otherwise. ``as written``: by AWS's pages no request is otherwise, but
#: people write such requests, so no condition is shortened by it and ``simulate`` answers them with a remark.
#: ``scenario``: it holds for the facts of scenarios only.
Reach = Literal["always", "as written", "scenario"]


class Tie(NamedTuple):
    """Where ``key`` is in ``state``, ``other`` is in ``other_state``; ``why`` says it in words."""

    key: str
    state: State
    other: str
    other_state: State
    why: str
    reach: Reach = "always"


#: Keys that every signed request has.
ALWAYS_PRESENT = frozenset(
    {
        "aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:useragent",
        "aws:viaawsservice", "aws:principalisawsservice", "aws:principalarn", "aws:principalaccount",
        "aws:principaltype", "aws:userid",
    }
)  # fmt: skip
#: Keys of ARNs begin so that never have anything else; other services' may have a name or an id.
ALWAYS_ARNS = ("aws:", "iam:")
#: Keys that only requests through a VPC endpoint have: all of them or none; then aws:SourceIp is absent.
THROUGH_ENDPOINT = frozenset({"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"})
FROM_OUTSIDE = "aws:sourceip"
#: Keys that requests through an endpoint have for some services only.
OF_ENDPOINT = ("aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths")
#: Keys of calls that a service makes with a principal's rights: all or none, and then aws:ViaAWSService is true.
CALLED_VIA, CALLED_FIRST, CALLED_LAST = "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"
FOR_THE_CALLER = frozenset({CALLED_VIA, CALLED_FIRST, CALLED_LAST})
VIA_SERVICE = "aws:viaawsservice"
#: Keys of what a service works for.
OF_SOURCE = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
#: Keys that tell which service calls; with what it works for, keys of calls that a service principal makes itself:
#: principals of accounts never have them.
OF_SERVICES = frozenset({"aws:principalservicename", "aws:principalservicenameslist"})
NEVER_OF_PRINCIPALS = OF_SERVICES | frozenset(OF_SOURCE)
#: Global keys that only some actions carry: the reference lists them with those.
PER_ACTION = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys", *OF_ENDPOINT)
#: Keys of a service that its credentials bring into requests of every service, by how they start. Where the pages leave
#: it open whether a key outlasts the call that makes the session (KEYS), it can be there.
OF_CREDENTIALS = (
    "saml:", "identitystore:userid", "identitystore:identitystorearn", "identitycenter:", "sts:requestcontext",
    "cognito-identity-auth:", "cognito-identity-unauth:", "ec2:sourceinstancearn", "ec2:roledelivery",
    "ssm:sourceinstancearn", "lambda:sourcefunctionarn", "glue:roleassumedby", "glue:credentialissuingservice",
    "codebuild:buildarn", "codebuild:projectarn", "sagemaker:domainid", "sagemaker:userprofilename",
)  # fmt: skip
#: Tags of the principal.
PRINCIPAL_TAG = "aws:principaltag/"
#: Keys that count as two data types (KEYS).
TWO_TYPES = {"aws:epochtime": ("Date", "Numeric"), "aws:federatedprovider": ("String", "ARN")}
#: The action that passes a role, whose keys are others than those of IAM's calls.
PASS_ROLE = "iam:passrole"
#: Keys of temporary credentials.
TOKEN, MFA, MFA_AGE = "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:multifactorauthage"
#: A tag of the request has its key among the request's tag keys.
REQUEST_TAG, TAG_KEYS = "aws:requesttag/", "aws:tagkeys"
#: The region called: of SageMaker and most services that of the resource.
REGION = "aws:requestedregion"
#: To which service a role is passed, and for which resource of it (KEYS, iam:PassRole). SageMaker's name is known both
#: in principals and in ARNs; those of other services may differ (ecs-tasks, monitoring.rds), so these are not tied.
PASSED_TO, ASSOCIATED = "iam:passedtoservice", "iam:associatedresourcearn"
SAGEMAKER, SAGEMAKER_ARNS = "sagemaker.amazonaws.com", "sagemaker"
#: The time of the call, before which its credentials were issued, under two names: both are read as instants.
NOW = "aws:currenttime"
SAME_FACT = {"aws:epochtime": NOW}
#: A tag of a SageMaker resource under the service's key and under the global one: one fact.
TAG_ALIAS, TAG_KEY = "sagemaker:resourcetag/", "aws:resourcetag/"
#: Region in which IAM, which has one endpoint in a partition, counts as called, by partition: that of its control plane
#: (KEYS; IAM User Guide: Resilience in IAM). Where the pages do not tell it, the one that AWS's SDKs sign calls to IAM
#: for (botocore, endpoints.json: credentialScope of its global endpoints); of other partitions they do not either.
HOME_REGIONS = {
    "aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1", "aws-iso-f": "us-isof-south-1",
}  # fmt: skip

_TOGETHER = "a request through a VPC endpoint has aws:SourceVpc, aws:SourceVpce and aws:VpcSourceIp, any other none"
_NO_ADDRESS = "a request through a VPC endpoint has no aws:SourceIp"
_NOT_KEPT = "a call that an AWS service makes for a principal does not keep the keys of a VPC endpoint"
CALLED = "aws:CalledVia, its First and its Last come together, and only where aws:ViaAWSService is true"
_SOURCE = "only a call by an AWS service has aws:SourceArn, aws:SourceAccount, aws:SourceOrgID and aws:SourceOrgPaths"
_SESSION = "only temporary credentials tell of MFA, and they have aws:TokenIssueTime"
_AGE = "aws:MultiFactorAuthAge is only where aws:MultiFactorAuthPresent is true"
TAGGED = "a tag of the request has its key in aws:TagKeys, and nothing else is there"

_PRESENT: State = "present"
_ABSENT: State = "absent"
#: Every two tied keys directly, for formulas speak of some of the keys only.
TIES: tuple[Tie, ...] = (
    *(Tie(k, s, other, s, _TOGETHER) for s in (_PRESENT, _ABSENT)
      for k in sorted(THROUGH_ENDPOINT) for other in sorted(THROUGH_ENDPOINT) if k != other),
    *(Tie(key, "present", FROM_OUTSIDE, "absent", _NO_ADDRESS) for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(FROM_OUTSIDE, "present", key, "absent", _NO_ADDRESS) for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(key, "present", VIA_SERVICE, "false", _NOT_KEPT, "as written")
      for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(VIA_SERVICE, "true", key, "absent", _NOT_KEPT, "as written")
      for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(key, "present", called, "absent", _NOT_KEPT, "as written")
      for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT) for called in sorted(FOR_THE_CALLER)),
    *(Tie(called, "present", key, "absent", _NOT_KEPT, "as written")
      for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT) for called in sorted(FOR_THE_CALLER)),
    *(Tie(k, "present", other, "present", _TOGETHER) for k in OF_ENDPOINT for other in sorted(THROUGH_ENDPOINT)),
    *(Tie(other, "absent", k, "absent", _TOGETHER) for k in OF_ENDPOINT for other in sorted(THROUGH_ENDPOINT)),
    *(Tie(k, s, other, s, CALLED) for s in (_PRESENT, _ABSENT)
      for k in sorted(FOR_THE_CALLER) for other in sorted(FOR_THE_CALLER) if k != other),
    *(Tie(key, "present", VIA_SERVICE, "true", CALLED) for key in sorted(FOR_THE_CALLER)),
    *(Tie(VIA_SERVICE, "false", key, "absent", CALLED) for key in sorted(FOR_THE_CALLER)),
    *(Tie(key, "present", VIA_SERVICE, "true", _SOURCE, "scenario") for key in OF_SOURCE),
    *(Tie(VIA_SERVICE, "false", key, "absent", _SOURCE, "scenario") for key in OF_SOURCE),
    Tie(MFA, "present", TOKEN, "present", _SESSION),
    Tie(TOKEN, "absent", MFA, "absent", _SESSION),
    Tie(MFA_AGE, "present", MFA, "true", _AGE),
    Tie(MFA_AGE, "present", TOKEN, "present", _SESSION),
    Tie(TOKEN, "absent", MFA_AGE, "absent", _SESSION),
    Tie(MFA, "absent", MFA_AGE, "absent", _AGE),
    Tie(MFA, "false", MFA_AGE, "absent", _AGE),
)  # fmt: skip


def is_of_credentials(key: str) -> bool:
    """Whether a key in lower case can come with a session's credentials. Identity providers' keys have their host's
    name, such as accounts.google.com, where other keys have a service's."""
    return key.startswith(OF_CREDENTIALS) or is_of_provider(key)


def is_of_provider(key: str) -> bool:
    """Whether a key is an identity provider's: these begin with the name of its host."""
    host, colon, _ = key.partition(":")
    return bool(colon) and "." in host


def is_of_every_action(key: str) -> bool:
    """Whether requests for any action may have a key, in lower case; others come with the actions that the service
    reference lists them for."""
    return is_of_credentials(key) or (key.startswith("aws:") and not key.startswith(PER_ACTION))


def chain_of(context: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the services that a call came through, as any of the three keys tells them; () of none."""
    ends = (*context.get(CALLED_FIRST, ()), *context.get(CALLED_LAST, ()))
    return context.get(CALLED_VIA) or tuple(dict.fromkeys(ends))


def ends_of(chain: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the keys of the first and the last of the services that a call came through."""
    return {CALLED_FIRST: chain[:1], CALLED_LAST: chain[-1:]}


def one_spelling(key: str) -> str:
    """Return a key as facts are found by: in lower case, a service's own key for resource tags as the global one."""
    lowered = key.lower()
    return TAG_KEY + lowered.removeprefix(TAG_ALIAS) if lowered.startswith(TAG_ALIAS) else lowered
