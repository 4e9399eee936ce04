"""Holds a request to the service reference: names that nobody knows, values of another type, keys that AWS never sends.

What no request of AWS has is a mistake: an access test with one tests nothing. What AWS does not send with this action
is a doubt. Decides no request.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.iam import grammar
from pipeline.iam.request_keys import ALWAYS_ARNS, is_of_every_action, is_of_provider
from pipeline.reference import ActionResourceType, Reference, ReferenceAction, ReferenceKey
from pipeline.simulate.forms import flaw, is_of_form, oddity

#: What to write as a value of a data type.
WANTED: Mapping[str, str] = {
    "Bool": "true or false",
    "Numeric": "a number",
    "Date": "a date such as 2026-11-25T00:00:00Z, or seconds since 1970",
    "IPAddress": "one address, no network",
    "ARN": "a whole ARN",
    "Binary": "base64",
}
REFRESH = "a name that AWS has added lately comes with: policylake reference refresh"


class Names(NamedTuple):
    """Names in lower case that the policies at hand use: actions without wildcards, and condition keys."""

    actions: frozenset[str]
    keys: frozenset[str]


class Remark(NamedTuple):
    """What there is to say of a ``member`` of the request: of an action or a key. A mistake, or else a doubt; of a
    mistake that ``is_malformed`` nobody can read the value, so that no request is told."""

    member: Literal["action", "context"]
    name: str
    text: str
    is_mistake: bool
    is_malformed: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


class OfResource(NamedTuple):
    """What there is to say of a request's ``resource``, as it is decided on, and what to do about a mistake."""

    resource: str
    text: str
    is_mistake: bool
    remedy: str = ""


class Remarks:
    """Makes remarks on requests, and remembers what it knows of names."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._key = lru_cache(maxsize=4096)(reference.key)
        self._carries = lru_cache(maxsize=4096)(self._can_carry)

    def on(
        self, action: str, resource: str | None, context: Mapping[str, Sequence[str]], names: Callable[[], Names]
    ) -> Iterator[Remark]:
        """Yield what there is to say of a request, on any resource where it is None. ``names`` is asked where the
        reference does not know a name."""
        entry = self.reference.action(action)
        if entry is None:
            yield Remark("action", action, *self._unknown(action, "action", action.lower() in names().actions))
        for key, values in context.items():
            known = self._key(key)
            if known is None:
                yield from self._on_unknown_key(key, names)
                continue
            yield from _on_values(key, known, values)
            if not self.can_carry(action, resource, key):
                yield Remark("context", key, f"AWS sends no such key with {action}; leave it out", False)

    def on_resource(self, action: str, resource: str) -> OfResource | None:
        """Return what there is to say where requests for an action are never on that resource. An ARN of a type that
        the action does not take is a mistake, and so is none, or one that is not whole, where it needs a resource: AWS
        authorizes no such request (SAR)."""
        entry = self.reference.action(action)
        if resource == "*":
            return _on_every_resource(entry)
        if entry is not None and not entry.resource_types:
            return OfResource("*", f'{entry.action} has no resource types: decided on "*"', False)
        found = [kind.arn_format for kind in types_of(entry, resource)] if entry else [None]
        if entry is not None and not found:
            told = f"{resource} is of no resource type of {entry.action}: no such request is made"
            return OfResource(resource, told, True, f"name one of {_taken(entry)}")
        for look, is_mistake in ((flaw, True), (oddity, False)):
            said = [look(resource, f) for f in found]
            if all(said):
                return OfResource(resource, f"{resource} {said[0]}", is_mistake, "write the ARN of one resource")
        return None

    def _on_unknown_key(self, key: str, names: Callable[[], Names]) -> Iterator[Remark]:
        if is_of_provider(key):
            return
        yield Remark("context", key, *self._unknown(key, "condition key", key.lower() in names().keys))

    def _unknown(self, name: str, what: str, is_named: bool) -> tuple[str, bool]:
        text = f"the service reference does not know this {what}"
        if is_named:
            return f"{text}, but a policy names it", False
        near = self._near(name, what)
        return f"{text}; {f'did you mean {near}?' if near else REFRESH}", True

    def _near(self, name: str, what: str) -> str | None:
        """Return the known name nearest to one, with its part after the slash if it takes one."""
        relation, column = ("reference_actions", "action")
        if what != "action":
            relation, column = ("reference_condition_keys", "condition_key")
        start, slash, end = name.partition("/")
        known = {}
        for listed in self.reference.table(relation)[column].to_pylist():
            known[listed.split("${", 1)[0].lower()] = listed.split("${", 1)[0] + (end if "${" in listed else "")
        close = difflib.get_close_matches((start + slash).lower(), known, 1, 0.75)
        return known[close[0]] if close else None

    def name(self, key: str) -> str:
        """Return a key in AWS's spelling; what a policy or a line names in it, such as a tag, as it is."""
        known = self._key(key)
        return known.spelt(key) if known else key

    def can_carry(self, action: str, resource: str | None, key: str) -> bool:
        """Whether AWS can send a key with an action on a resource; of an unknown action any. Each type that the
        resource may be of has keys of its own (SAR); all of them count where it is None."""
        entry = self.reference.action(action)
        if entry is None or self._key(key) is None:
            return True
        if resource == "*":
            return self._carries(entry, (), key.lower())
        kinds = types_of(entry, resource) if resource else ()
        return self._carries(entry, kinds or entry.resource_types, key.lower())

    def _can_carry(self, entry: ReferenceAction, kinds: Sequence[ActionResourceType], key: str) -> bool:
        """Whether AWS can send a key that the reference knows with an action on a resource of some types."""
        if is_of_every_action(key):
            return True
        listed = (*entry.condition_keys, *(name for kind in kinds for name in kind.condition_keys))
        found = self._key(key)
        names = {found.name.lower(), self.reference.former_spellings.get(found.name.lower())} if found else {}
        return any(name.lower() in names for name in listed)


def types_of(entry: ReferenceAction, resource: str) -> tuple[ActionResourceType, ...]:
    """Return the resource types of an action that a resource may be of."""
    return tuple(kind for kind in entry.resource_types if is_of_form(resource, kind.arn_format))


def _on_every_resource(entry: ReferenceAction | None) -> OfResource | None:
    """Return that an action names a resource, or that it may name one; None of one that has no resource types."""
    if entry is None or not entry.resource_types:
        return None
    if not any(kind.is_required for kind in entry.resource_types):
        return OfResource("*", f"* is taken as a request of {entry.action} that names none of its resources", False)
    told = f"* is no resource of {entry.action}: a request names the one that it is about"
    return OfResource("*", told, True, f"name one of {_taken(entry)}")


def _taken(entry: ReferenceAction) -> str:
    return ", ".join(dict.fromkeys(kind.arn_format for kind in entry.resource_types))


def _on_values(key: str, known: ReferenceKey, values: Sequence[str]) -> Iterator[Remark]:
    """A name or an id of a service's key of ARNs is a doubt: AWS's pages give that type to keys of which some requests
    have one. What begins as an ARN is meant to be one."""
    if len(values) > 1 and not known.is_multivalued:
        yield Remark("context", key, f"the key has one value, not {len(values)}; give one", True, True)
    kind = known.value_type.removeprefix("ArrayOf")
    wrong = next((value for value in values if not grammar.is_value(value, kind)), None)
    if wrong is not None:
        told = f"{wrong[:100]!r} is no value of the type {kind}; write {WANTED[kind]}"
        is_malformed = kind != "ARN" or wrong.startswith("arn:") or key.lower().startswith(ALWAYS_ARNS)
        yield Remark("context", key, told, is_malformed, is_malformed)
