"""How the well-known condition keys are spoken of. Data for words.py, which puts the sentences together."""

from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.evaluate.formula import RESOURCE

#: What the values of a test are compared as.
Kind = Literal["text", "number", "instant", "truth", "octets", "address"]
#: Key of the tests on the caller's session.
SESSION = "session"


class Speech(NamedTuple):
    """How to speak of a key. Templates take {key}, {name} (what follows the key's prefix), {sign} ("=" or "like"),
    {values} and {unit}, which stands before values that do not say themselves what they are.

    ``noun`` names its value: "if <noun> is ...". Of a key with many values it names one of them, ``plural`` all.
    ``phrase`` says that the value is one of some; of a truth that it is true. ``negation`` says that it is not, the key
    being there or not; "not <phrase>" if not given. ``other`` says that the key is there with another value; ``given``
    and ``missing`` that it has a value and that it has none; ``included`` whom a test lets pass that holds without the
    key; ``beside`` what goes without saying where there is a value, and is said. What is not given is said by the noun.

    ``kind`` is what ``phrase`` compares as. ``is_empty_possible`` is False where no value is an empty text: then to
    have no value is to be absent.
    """

    noun: str
    phrase: str = ""
    negation: str = ""
    other: str = ""
    given: str = ""
    missing: str = ""
    valued: str = ""
    valueless: str = ""
    included: str = ""
    beside: str = ""
    kind: Kind = "text"
    unit: str = ""
    plural: str = ""
    is_empty_possible: bool = False

    @property
    def is_list(self) -> bool:
        """Whether the key has many values."""
        return bool(self.plural)


def _listed(noun: str, rest: str = "") -> Speech:
    """Return the speech of a key with many values. An empty list is no value."""
    return Speech(noun + rest, plural=f"{noun}s{rest}")


def _flag(true: str, false: str, included: str = "calls that do not say included") -> Speech:
    return Speech("{key}", true, negation=false, included=included, kind="truth")


def _tags(whose: str, on: str) -> Speech:
    return Speech(
        f"{whose} tag {{name}}",
        phrase=f"{on} tagged {{name}} {{sign}} {{values}}",
        negation=f"{on} not tagged {{name}} {{sign}} {{values}}",
        other=f"{on} whose tag {{name}} is there and is not {{values}}",
        given=f"{on} with the tag {{name}}",
        missing=f"{on} without the tag {{name}}",
        valued=f"{on} with a value for the tag {{name}}",
        valueless=f"{on} without a value for the tag {{name}}",
        included="untagged ones included",
        is_empty_possible=True,
    )


#: Keys in lower case, or what they begin with up to a slash, in the order in which a sentence speaks of them: who
#: calls, from where, how, when, what is asked for, and on which resource.
SPEECH: dict[str, Speech] = {
    "aws:principalarn": Speech("the caller's ARN", "by {values}"),
    "aws:principalaccount": Speech("the caller's account", "by callers of {unit}{values}", unit="account "),
    "aws:principaltype": Speech("the caller's type"),
    "aws:userid": Speech("the caller's unique id"),
    "aws:username": Speech(
        "the caller's user name",
        phrase="by {unit}{values}",
        unit="user ",
        other="by users other than {values}",
        given="by users",
        missing="by callers without a user name",
        included="callers without a user name included, such as roles",
    ),
    "aws:principalorgid": Speech(
        "the caller's organization",
        phrase="by callers of {unit}{values}",
        unit="organization ",
        other="by callers of organizations other than {values}",
        given="by callers of an organization",
        missing="by callers of no organization",
        included="callers of no organization included",
    ),
    "aws:principalorgpaths": _listed("organization path", " of the caller"),
    "aws:principaltag/": _tags("the caller's", "by callers"),
    "aws:principalisawsservice": _flag("by AWS services themselves", "by callers that are no AWS service"),
    "aws:principalservicename": Speech(
        "the AWS service that calls for itself",
        phrase="by AWS service {values}",
        other="by AWS services other than {values}",
        included="callers that are no AWS service included",
    ),
    SESSION: Speech("the session", "in session {values}"),
    "aws:sourceidentity": Speech("the session's source identity"),
    "aws:federatedprovider": Speech("the session's identity provider"),
    "aws:tokenissuetime": Speech("the time when the session began", kind="instant"),
    "aws:multifactorauthpresent": _flag(
        "with MFA", "without MFA", "credentials that cannot tell included, such as long-term access keys"
    ),
    "aws:multifactorauthage": Speech("the age of the MFA sign-in in seconds", kind="number"),
    "sts:externalid": Speech("the external id"),
    "sts:rolesessionname": Speech("the name of the new session"),
    "aws:sourceip": Speech(
        "the caller's public address",
        phrase="from {values}",
        other="from public addresses outside {values}",
        given="from a public address",
        missing="not from a public address",
        included="calls without a public address included, as through a VPC endpoint",
        beside="never through a VPC endpoint",
        kind="address",
    ),
    "aws:vpcsourceip": Speech(
        "the caller's address in its VPC",
        phrase="from {values} through a VPC endpoint",
        other="from addresses outside {values} through a VPC endpoint",
        given="from an address behind a VPC endpoint",
        missing="not from an address behind a VPC endpoint",
        included="calls through no VPC endpoint included",
        kind="address",
    ),
    "aws:sourcevpc": Speech(
        "the caller's VPC",
        phrase="through an endpoint of {unit}{values}",
        unit="VPC ",
        other="through an endpoint of a VPC other than {values}",
        given="through an endpoint of a VPC",
        missing="not through an endpoint of a VPC",
        included="calls through no VPC endpoint included",
    ),
    "aws:sourcevpce": Speech(
        "the VPC endpoint",
        phrase="through {unit}{values}",
        unit="VPC endpoint ",
        other="through a VPC endpoint other than {values}",
        given="through a VPC endpoint",
        missing="not through a VPC endpoint",
        included="calls through no VPC endpoint included",
    ),
    "aws:vpceaccount": Speech("the account of the VPC endpoint"),
    "aws:vpceorgid": Speech("the organization of the VPC endpoint"),
    "aws:vpceorgpaths": _listed("organization path", " of the VPC endpoint"),
    "aws:ec2instancesourcevpc": Speech("the VPC of the instance that the credentials were made for"),
    "aws:ec2instancesourceprivateipv4": Speech(
        "the private address of the instance that the credentials were made for", kind="address"
    ),
    "aws:securetransport": _flag("over TLS", "without TLS"),
    "aws:useragent": Speech("the user agent that the caller names", is_empty_possible=True),
    "aws:referer": Speech("the web page that the caller names", is_empty_possible=True),
    "aws:viaawsservice": _flag("when an AWS service makes the call for the caller", "when the caller calls directly"),
    "aws:calledvia": _listed("service", " that the call came through"),
    "aws:calledviafirst": Speech("the first service that the call came through"),
    "aws:calledvialast": Speech("the last service that the call came through"),
    "aws:sourcearn": Speech(
        "the resource that an AWS service calls for",
        phrase="when an AWS service calls for {values}",
        other="when an AWS service calls for a resource other than {values}",
        given="when an AWS service calls for a resource",
        missing="when no AWS service calls for a resource",
        included="calls that no AWS service makes included",
    ),
    "aws:sourceaccount": Speech(
        "the account that an AWS service calls for",
        phrase="when an AWS service calls for {unit}{values}",
        unit="account ",
        other="when an AWS service calls for an account other than {values}",
        given="when an AWS service calls for an account",
        missing="when no AWS service calls for an account",
        included="calls that no AWS service makes included",
    ),
    "aws:sourceorgid": Speech("the organization that an AWS service calls for"),
    "aws:sourceorgpaths": _listed("organization path", " that an AWS service calls for"),
    "kms:viaservice": Speech(
        "the service that asks for the key",
        phrase="through {unit}{values}",
        unit="service ",
        other="through services other than {values}",
        given="through a service",
        missing="not through a service",
        included="calls through no service included",
    ),
    "kms:grantisforawsresource": _flag("when an AWS service asks for the grant", "when no AWS service asks for it"),
    "aws:currenttime": Speech("the time of the call", "{values}", kind="instant"),
    "aws:epochtime": Speech("the time of the call in seconds since 1970", kind="instant"),
    "aws:requestedregion": Speech("the region", "in {unit}{values}", unit="region "),
    "iam:passedtoservice": Speech(
        "the service that the role is passed to",
        phrase="to pass the role to {values}",
        other="to pass the role to a service other than {values}",
        given="to pass the role to a service that is named",
        missing="to pass the role without naming a service",
        included="calls that name no service included",
    ),
    "iam:associatedresourcearn": Speech("the resource that the role is passed for"),
    "iam:awsservicename": Speech("the service of the service-linked role"),
    "iam:permissionsboundary": Speech("the permissions boundary"),
    "iam:policyarn": Speech("the managed policy"),
    "aws:requesttag/": Speech("{key}", is_empty_possible=True),
    "aws:tagkeys": _listed("tag key", " in the request"),
    "sagemaker:vpcsubnets": _listed("subnet"),
    "sagemaker:vpcsecuritygroupids": _listed("security group"),
    "sagemaker:instancetypes": _listed("instance type"),
    "sagemaker:acceleratortypes": _listed("accelerator type"),
    "sagemaker:imagearns": _listed("image"),
    "sagemaker:imageversionarns": _listed("image version"),
    "sagemaker:studiolifecycleconfigarns": _listed("Studio lifecycle configuration"),
    "sagemaker:notebookinstancelifecycleconfigarns": _listed("lifecycle configuration"),
    "sagemaker:updatablefeatures": _listed("feature", " that is updated"),
    "sagemaker:networkisolation": _flag("with network isolation", "without network isolation"),
    "sagemaker:intercontainertrafficencryption": _flag(
        "with encryption between containers", "without encryption between containers"
    ),
    "sagemaker:enableremotedebug": _flag("with remote debugging", "without remote debugging"),
    "sagemaker:rootaccess": Speech("root access"),
    "sagemaker:directinternetaccess": Speech("direct internet access"),
    "sagemaker:remoteaccess": Speech("remote access"),
    "sagemaker:directgatedmodelaccess": Speech("direct access to gated models"),
    "sagemaker:appnetworkaccesstype": Speech("the network access of apps"),
    "sagemaker:authmode": Speech("the domain's authentication mode"),
    "sagemaker:minimuminstancemetadataserviceversion": Speech("the minimum version of the instance metadata service"),
    "sagemaker:maxruntimeinseconds": Speech("the maximum runtime in seconds", kind="number"),
    "sagemaker:keepaliveperiod": Speech("the keep-alive period in seconds", kind="number"),
    "sagemaker:serverlessmaxconcurrency": Speech("the maximum concurrency of serverless inference", kind="number"),
    "sagemaker:serverlessmemorysize": Speech("the memory size of serverless inference in MB", kind="number"),
    "sagemaker:volumekmskeyarn": Speech("the ARN of the volume's KMS key"),
    "sagemaker:volumekmskey": Speech("the volume's KMS key"),
    "sagemaker:outputkmskeyarn": Speech("the ARN of the output's KMS key"),
    "sagemaker:outputkmskey": Speech("the output's KMS key"),
    "sagemaker:modelarn": Speech("the model"),
    "sagemaker:modelapprovalstatus": Speech("the model's approval status"),
    "sagemaker:targetmodel": Speech("the target model", is_empty_possible=True),
    "sagemaker:taggingaction": Speech("the operation that gives the tags"),
    "sagemaker:workteamtype": Speech("the workteam type"),
    "sagemaker:workteamarn": Speech("the workteam"),
    "sagemaker:owneruserprofilearn": Speech("the owner's user profile"),
    "sagemaker:spacesharingtype": Speech("the space's sharing type"),
    "aws:resourceaccount": Speech(
        "the resource's account",
        phrase="on resources of {unit}{values}",
        unit="account ",
        other="on resources of accounts other than {values}",
        included="calls that tell no account included",
    ),
    "aws:resourceorgid": Speech(
        "the resource's organization",
        phrase="on resources of {unit}{values}",
        unit="organization ",
        other="on resources of organizations other than {values}",
        included="resources of no organization included",
    ),
    "aws:resourceorgpaths": _listed("organization path", " of the resource"),
    "aws:resourcetag/": _tags("the resource's", "on resources"),
    "sagemaker:resourcetag/": _tags("the SageMaker resource's", "on SageMaker resources"),
    RESOURCE: Speech("the resource", "on {values}"),
}

_RANKS: dict[str, float] = {key: number for number, key in enumerate(SPEECH)}


def _well_known(key: str) -> str:
    """Return what SPEECH has a key under: itself, or what it begins with up to a slash."""
    return key if key in SPEECH else key.split("/", 1)[0] + "/"


@lru_cache(maxsize=1 << 14)
def speech_of(key: str) -> Speech | None:
    """Return how a well-known key is spoken of, None for the others."""
    return SPEECH.get(_well_known(key))


def rank_of(key: str) -> float:
    """Return the place of a key in a sentence; keys that are not well known come last, but before the resource's."""
    return _RANKS.get(_well_known(key), _RANKS["aws:resourceaccount"] - 0.5)


#: Words of values and lists: a value that is one of them is quoted.
RESERVED = frozenset(
    {
        "after", "and", "any", "at", "before", "bytes", "does", "each", "equal", "every", "exactly", "given", "if",
        "in", "is", "least", "less", "like", "more", "most", "neither", "never", "no", "none", "nor", "not", "of",
        "on", "only", "or", "other", "read", "reads", "than", "the", "there", "unless", "value", "values", "when",
        "without",
    }
)  # fmt: skip
#: Words of a truth: where one may stand, a text that is one of them is quoted.
TRUTHS = frozenset({"true", "false"})

#: What a number or an instant is compared by, and its words.
COMPARISONS = {
    ("number", "Equals"): "equal to",
    ("number", "LessThan"): "less than",
    ("number", "LessThanEquals"): "at most",
    ("number", "GreaterThan"): "more than",
    ("number", "GreaterThanEquals"): "at least",
    ("instant", "Equals"): "exactly at",
    ("instant", "LessThan"): "before",
    ("instant", "LessThanEquals"): "at or before",
    ("instant", "GreaterThan"): "after",
    ("instant", "GreaterThanEquals"): "at or after",
}
#: What holds of a number or an instant for which a comparison does not.
OPPOSITES = {
    "LessThan": "GreaterThanEquals",
    "LessThanEquals": "GreaterThan",
    "GreaterThan": "LessThanEquals",
    "GreaterThanEquals": "LessThan",
}
