"""What is known of a request before it is made: facts of the principal and resource, and an action's keys.

Source: AWS global condition context keys; the service reference for the keys of each action.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate.formula import RESOURCE
from pipeline.evaluate.ties import NEVER_EMPTY
from pipeline.evaluate.values import KeyDomain
from pipeline.reference import Reference, ReferenceAction

Facts = Mapping[str, tuple[str, ...]]

#: Keys that every signed request has.
ALWAYS_PRESENT = frozenset(
    {
        "aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:useragent",
        "aws:viaawsservice", "aws:principalisawsservice", "aws:principalarn", "aws:principalaccount",
        "aws:principaltype", "aws:userid",
    }
)  # fmt: skip
#: Global keys that only some actions carry: the reference lists them with those.
PER_ACTION = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")
#: Keys of a service that its credentials bring into requests of every service, by how they start. Where the pages leave
#: it open whether a key outlasts the call that makes the session (KEYS), it can be there.
OF_CREDENTIALS = (
    "saml:", "identitystore:userid", "identitystore:identitystorearn", "identitycenter:", "sts:requestcontext",
    "cognito-identity-auth:", "cognito-identity-unauth:", "ec2:sourceinstancearn", "ec2:roledelivery",
    "ssm:sourceinstancearn", "lambda:sourcefunctionarn", "glue:roleassumedby", "glue:credentialissuingservice",
)  # fmt: skip
#: Absent whenever the caller is a principal of an account (aws:PrincipalIsAWSService is false).
OF_SERVICES = frozenset({"aws:principalservicename", "aws:principalservicenameslist"})
#: Key of a service's own spelling of resource tags, and the global key that is the same fact.
TAG_ALIAS, TAG_KEY = "sagemaker:resourcetag/", "aws:resourcetag/"


class KeyView(NamedTuple):
    """The keys that requests of one action for one resource type can carry, in lower case; ${...} cut to a prefix.

    ``is_known`` is False for an action that the reference does not know: then every key is possible.
    """

    is_known: bool
    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def has(self, key: str) -> bool:
        """Whether the reference lists the key."""
        return key in self.exact or any(key.startswith(prefix) and key != prefix for prefix in self.prefixes)


def is_of_credentials(key: str) -> bool:
    """Whether a key in lower case can come with a session's credentials. Identity providers' keys have their host's
    name, such as accounts.google.com, where other keys have a service's."""
    return key.startswith(OF_CREDENTIALS) or "." in key.split(":", 1)[0]


EVERY_KEY = KeyView(False, frozenset(), ())


def key_view(action: ReferenceAction | None, keys: tuple[str, ...]) -> KeyView:
    """Return the view of an action with the keys of one of its resource types."""
    if action is None:
        return EVERY_KEY
    lowered = [key.lower() for key in keys]
    prefixes = {key.split("${", 1)[0] for key in lowered if "${" in key}
    return KeyView(True, frozenset(key for key in lowered if "${" not in key), tuple(sorted(prefixes)))


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Answers what is known of a key. ``reference`` tells data types."""

    reference: Reference
    former_spellings: Mapping[str, str]
    _keys: dict[str, tuple[str | None, bool]] = field(default_factory=dict)

    def canonical(self, key: str, view: KeyView) -> str:
        """Return the key that stands for the same fact: a service's tag key is the global one where both are there."""
        if key.startswith(TAG_ALIAS) and (not view.is_known or (view.has(key) and view.has(self._global_tag(key)))):
            return self._global_tag(key)
        return key

    @staticmethod
    def _global_tag(key: str) -> str:
        return TAG_KEY + key.removeprefix(TAG_ALIAS)

    def is_absent(self, key: str, view: KeyView) -> bool:
        """Whether a request cannot carry the key, whoever makes it."""
        if key in OF_SERVICES:
            return True
        if not view.is_known or is_of_credentials(key):
            return False
        if key.startswith("aws:") and not key.startswith(PER_ACTION):
            return False
        if not key.startswith("aws:") and self.value_type(key) is None:
            return False
        return not view.has(key) and not view.has(self.former_spellings.get(key, key))

    def value_type(self, key: str) -> str | None:
        """Return the key's data type; None where the reference does not know the key."""
        return self._described(key)[0]

    def domain(self, key: str) -> KeyDomain:
        """Return what values an unknown key can have. The resource itself is one, always there."""
        if key.startswith(RESOURCE):
            return KeyDomain("String", False, False)
        value_type, is_multivalued = self._described(key)
        return KeyDomain(value_type, is_multivalued, key not in ALWAYS_PRESENT, can_be_empty=key not in NEVER_EMPTY)

    def _described(self, key: str) -> tuple[str | None, bool]:
        """Return data type and whether there can be many values; of an unknown key the widest."""
        if key not in self._keys:
            found = self.reference.key(key)
            self._keys[key] = (found.value_type, found.is_multivalued) if found else (None, True)
        return self._keys[key]


def principal_facts(
    principal_type: str,
    principal_arn: str,
    account_id: str,
    name: str,
    principal_id: str | None,
    tags: tuple[tuple[str, str], ...],
    organization_id: str | None,
    ou_path: str | None,
    has_session_tags: bool,
) -> dict[str, tuple[str, ...]]:
    """Return the keys whose values are known whenever the principal calls; () is known to be absent.

    Of a loose document nothing is known but that no AWS service calls. Tags of the principal that are not in
    the result are unknown for roles whose sessions may carry tags, and absent for everyone else: see
    :func:`fact`.
    """
    facts: dict[str, tuple[str, ...]] = {"aws:principalisawsservice": ("false",)}
    if principal_type == "policy":
        return facts
    is_user = principal_type == "user"
    facts["aws:principalarn"] = (principal_arn,)
    facts["aws:principalaccount"] = (account_id,)
    facts["aws:principaltype"] = ("User" if is_user else "AssumedRole",)
    facts["aws:username"] = (name,) if is_user else ()
    if is_user and principal_id:
        facts["aws:userid"] = (principal_id,)
    if organization_id:
        facts["aws:principalorgid"] = (organization_id,)
        facts["aws:principalorgpaths"] = (ou_path,) if ou_path else ()
    if not has_session_tags:
        facts["aws:principaltag/"] = ()
        facts.update((f"aws:principaltag/{key.lower()}", (value,)) for key, value in tags)
    return facts


def fact(facts: Facts, key: str) -> tuple[str, ...] | None:
    """Return the known values of a key, () for known to be absent, None for unknown."""
    found = facts.get(key)
    if found is None and key.startswith("aws:principaltag/"):
        return facts.get("aws:principaltag/")
    return found


@lru_cache(maxsize=1 << 14)
def is_principal_key(key: str) -> bool:
    """Whether the key is about the principal alone: what it comes to belongs to the principal's profile."""
    return key in {
        "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", "aws:userid",
        "aws:principalorgid", "aws:principalorgpaths", "aws:principalisawsservice",
    } or key.startswith("aws:principaltag/")  # fmt: skip
