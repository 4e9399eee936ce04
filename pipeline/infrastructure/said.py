"""What plans and templates alike are told of: the words of settings that count and of what is not known or not read."""

from collections.abc import Iterable

from pipeline.infrastructure.facts import NO_ACCOUNT, Kind

#: Settings that decide who may do what and are no policies.
OTHER_AUDIENCE = "an identity provider takes tokens for another audience"
OTHER_CERTIFICATE = "an identity provider is trusted with another certificate"
OTHER_METADATA = "an identity provider has other metadata"
OTHER_ACL = "another ACL of a bucket"
OTHER_CREDENTIALS = "a function is called with other credentials"
OTHER_ROLE = "it runs with another role"
NOT_BLOCKED = "public access is not blocked"


def incomplete(whose: str) -> str:
    """Return that whoever this is has answers that may be wrong."""
    return f"{whose} is marked incomplete"


def stands_for(arn: str, kind: Kind) -> str:
    """Return which ARN takes the place of a principal that is not known yet."""
    return f"{arn} stands for this {kind}"


def without_account(where: str) -> str:
    """Return that nothing in a plan or template tells whose it is."""
    return f"nothing in {where} tells its account: {NO_ACCOUNT} stands for it; give --account ID"


def not_read(arguments: Iterable[str], kind: str) -> str:
    """Return which arguments of a type of resources hold a policy that no reader reads."""
    return f"{', '.join(sorted(arguments))} of {kind} is not read; who may do what through it is not seen"
