"""What is known of a request before it is made: facts of the principal and resource, and an action's keys.

Source: AWS global condition context keys; the service reference for the keys of each action.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import predicates
from pipeline.evaluate.formula import KNOWN, RESOURCE, Test
from pipeline.evaluate.ties import NEVER_EMPTY
from pipeline.evaluate.values import KeyDomain, TooManyWaysError, ways
from pipeline.evaluate.vocabulary import speech_of
from pipeline.iam.request_keys import (
    ALWAYS_ARNS,
    ALWAYS_PRESENT,
    ASSOCIATED,
    MFA_AGE,
    NEVER_OF_PRINCIPALS,
    PRINCIPAL_TAG,
    TAG_ALIAS,
    TAG_KEY,
    TOKEN,
    is_of_every_action,
)
from pipeline.reference import Reference, ReferenceAction

Facts = Mapping[str, tuple[str, ...]]

USER_ID = "aws:userid"
#: Data types of keys of which is known what their values begin with; of others they are texts.
KNOWN_TYPES = {TOKEN: "Date", ASSOCIATED: "ARN"}
#: Stands behind KNOWN where not the start of a value is known but all values, which follow as digits.
EXACTLY = "::"
#: Ids that values of aws:userid can be told to begin with.
_ID = re.compile(r"[A-Za-z0-9]+")


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


@lru_cache(maxsize=1 << 14)
def can_be_empty(key: str) -> bool:
    """Whether a value of a key in lower case may be an empty text: of well-known keys only what people write."""
    speech = speech_of(key)
    return key not in NEVER_EMPTY and (speech is None or speech.is_empty_possible)


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
        if key in NEVER_OF_PRINCIPALS:
            return True
        if not view.is_known or is_of_every_action(key):
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
        if KNOWN in key:
            return known_domain(key)
        value_type, is_multivalued = self._described(key)
        least = Decimal(0) if key == MFA_AGE else None
        is_optional = key not in ALWAYS_PRESENT
        start = "arn:" if value_type == "ARN" and key.startswith(ALWAYS_ARNS) else ""
        empty = can_be_empty(key)
        return KeyDomain(value_type, is_multivalued, is_optional, can_be_empty=empty, start=start, least=least)

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
    :func:`fact`. A key with KNOWN behind it is one whose values are not known; the value is what they begin with. Every
    request has it, but for the resource that a role is passed for, which is of the role's partition: nothing crosses
    partitions (XRES). A session tag takes the place of the role's own tag, which it cannot remove, and may be empty
    (STAG, API_Tag); requests of roles are made with temporary credentials, and their aws:userid is the role's id with
    the session's name (KEYS, VARS).
    """
    facts: dict[str, tuple[str, ...]] = {"aws:principalisawsservice": ("false",)}
    if principal_type == "policy":
        return facts
    is_user = principal_type == "user"
    facts["aws:principalarn"] = (principal_arn,)
    facts["aws:principalaccount"] = (account_id,)
    facts["aws:principaltype"] = ("User" if is_user else "AssumedRole",)
    facts["aws:username"] = (name,) if is_user else ()
    facts[ASSOCIATED + KNOWN] = (":".join((*principal_arn.split(":", 2)[:2], "")),)
    if is_user and principal_id:
        facts[USER_ID] = (principal_id,)
    if not is_user:
        facts[TOKEN + KNOWN] = ("",)
        if principal_id and _ID.fullmatch(principal_id):
            facts[USER_ID + KNOWN] = (f"{principal_id}:",)
    if organization_id:
        facts["aws:principalorgid"] = (organization_id,)
        facts["aws:principalorgpaths"] = (ou_path,) if ou_path else ()
    if has_session_tags:
        facts.update((f"{PRINCIPAL_TAG}{key.lower()}{KNOWN}", ("",)) for key, _ in tags)
    else:
        facts[PRINCIPAL_TAG] = ()
        facts.update((PRINCIPAL_TAG + key.lower(), (value,)) for key, value in tags)
    return facts


def resource_facts(account: str, organization_id: str | None, ou_path: str | None) -> dict[str, tuple[str, ...]]:
    """Return the keys whose values are known of every resource of an account."""
    facts: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (account,)}
    if organization_id:
        facts["aws:resourceorgid"] = (organization_id,)
        facts["aws:resourceorgpaths"] = (ou_path,) if ou_path else ()
    return facts


def fact(facts: Facts, key: str) -> tuple[str, ...] | None:
    """Return the known values of a key, () for known to be absent, None for unknown."""
    found = facts.get(key)
    if found is None and key.startswith(PRINCIPAL_TAG):
        return facts.get(PRINCIPAL_TAG)
    return found


def told(facts: Facts, key: str) -> tuple[str, tuple[str, ...] | None]:
    """Return what there is to know of a key: it with its values, or with KNOWN behind it what they begin with."""
    found = fact(facts, key)
    return (key, found) if found is not None else (key + KNOWN, facts.get(key + KNOWN))


def known_key(key: str, facts: Facts) -> str:
    """Return a key whose values are not known with what they begin with behind it, where that is."""
    start = facts.get(key + KNOWN)
    return key if start is None else key + KNOWN + start[0]


def exact_key(key: str, values: Sequence[str]) -> str:
    """Return a key whose values are known with all of them behind it, for tests that say nothing without it."""
    return key + KNOWN + EXACTLY + ":".join(value.encode("utf-8", "surrogatepass").hex() for value in values)


def is_always_there(key: str) -> bool:
    """Whether every request has the key, every one of the principal's at least."""
    return key in ALWAYS_PRESENT or (KNOWN in key and not key.startswith(ASSOCIATED))


@lru_cache(maxsize=1 << 14)
def known_domain(key: str) -> KeyDomain:
    """Return what values a key has of which is known what they begin with."""
    name, _, start = key.partition(KNOWN)
    if start.startswith(EXACTLY):
        listed = start.removeprefix(EXACTLY).split(":")
        only = tuple(bytes.fromhex(value).decode("utf-8", "surrogatepass") for value in listed)
        return KeyDomain("String", len(only) > 1, False, can_be_empty="" in only, only=only)
    value_type = KNOWN_TYPES.get(name, "String")
    can_be_absent = not is_always_there(key)
    return KeyDomain(value_type, False, can_be_absent, can_be_empty=name.startswith(PRINCIPAL_TAG), start=start)


def narrowed(test: Test) -> Test:
    """Return a test on a key of which only that is known without the texts that no value is."""
    if test.is_opaque or predicates.family(test.operator) != "text":
        return test
    one = test._replace(operator=predicates.POSITIVE.get(test.operator, test.operator), if_exists=False)
    kept = tuple(value for value in test.values if settled(one._replace(values=(value,))) is not False)
    return test._replace(values=kept) if kept else test


def settled(test: Test) -> bool | None:
    """Return the truth of a test on a key of which only that is known; None where it depends on the value."""
    if test.is_opaque:
        return None
    try:
        truths = {way.truths for way in ways((test,), known_domain(test.key))}
    except TooManyWaysError:
        return None
    return truths.pop()[0] if len(truths) == 1 else None


@lru_cache(maxsize=1 << 14)
def is_principal_key(key: str) -> bool:
    """Whether the key is about the principal alone: what it comes to belongs to the principal's profile."""
    return key in {
        "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", USER_ID,
        "aws:principalorgid", "aws:principalorgpaths", "aws:principalisawsservice", TOKEN,
    } or key.startswith(PRINCIPAL_TAG)  # fmt: skip
