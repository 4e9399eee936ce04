"""What the service reference says of the evaluated actions, in the form that cells are decided in."""

from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import globs
from pipeline.evaluate.knowledge import EVERY_KEY, KeyView, key_view
from pipeline.iam.grammar import ARN_FIELDS
from pipeline.iam.request_keys import HOME_REGIONS, PASS_ROLE, REGION
from pipeline.iam.services import RCP_EXEMPT, ends_in_any_text, is_trusted, works_across_accounts
from pipeline.reference import ActionResourceType, Reference, ReferenceAction

ANY_TYPE = "*"
#: Name of the type of resources of an action that the reference does not know.
UNKNOWN_TYPE = "unknown"
#: What an action that the reference does not know may work on: resources of the account, or "*".
PLAIN_FORMATS = ("arn:${Partition}:*:*:${Account}:${Resource}", None)
#: Of KMS only keys have policies: its types are told apart.
KMS_TYPES = {
    "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}": "key",
    "arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}": "alias",
}
#: As PLAIN_FORMATS, where a service has resources of no account, or colons in their names.
WIDE_FORMATS = ("arn:${Partition}:*:*:${Account}:*", "arn:${Partition}:*:*::*", None)
#: Ways of naming a principal in a resource policy that need nothing more to allow (DA).
OUTRIGHT = frozenset({"everyone", "user", "session"})


class Place(NamedTuple):
    """Where resources are: account (``*`` for any) and partition."""

    own_account: str
    partition: str


class TypeForm(NamedTuple):
    """A resource type of an action. ``arn_format`` is None for requests on ``*``, an empty text for any resource.

    ``needs_consent``: identity policies count only where the resource's own policy agrees (roles, KMS keys).
    ``is_of_one_region``: the action is called in one region of a partition, wherever one works (IAM; KEYS).
    """

    resource_type: str
    arn_format: str | None
    is_required: bool
    view: KeyView
    needs_consent: bool
    is_of_one_region: bool

    def facts(self, partition: str) -> dict[str, tuple[str, ...]]:
        """Return what is known of every request for the type in a partition."""
        is_known = self.is_of_one_region and partition in HOME_REGIONS
        return {REGION: (HOME_REGIONS[partition],)} if is_known else {}

    def universe(self, place: Place) -> globs.Glob:
        """Return the glob of all resources of this type at a place."""
        return _universe(self.arn_format, place)


@lru_cache(maxsize=1 << 14)
def _universe(arn_format: str | None, place: Place) -> globs.Glob:
    if arn_format is None:
        return globs.literal("*")
    if not arn_format:
        return globs.Glob((globs.Token("run"),))
    tokens: list[globs.Token] = []
    for number, field in enumerate(arn_format.split(":", ARN_FIELDS - 1)):
        if number == ARN_FIELDS - 1 and field == "*":
            return globs.Glob((*tokens, globs.Token("char", ":"), globs.Token("run")))
        text = field.replace("${Partition}", place.partition)
        text = text if place.own_account == "*" else text.replace("${Account}", place.own_account)
        tokens += ([globs.Token("char", ":")] if number else []) + list(_field(text))
    if ends_in_any_text(arn_format):
        tokens[-2:] = [globs.Token("any", globs.FILLED), globs.Token("run")]
    return globs.Glob(tuple(tokens))


@lru_cache(maxsize=1 << 14)
def universe_text(arn_format: str | None, place: Place) -> str:
    """Return the pattern of all resources of a type at a place."""
    tokens = (token for token in _universe(arn_format, place).tokens if not token.is_implied)
    return "".join("*" if token.kind == "run" else token.text for token in tokens)


def is_of_s3(kind: TypeForm) -> bool:
    """Whether a type is that of S3's buckets or of what lies in them: their ARNs name no account."""
    return ":s3:::" in (kind.arn_format or "")


class ActionForm(NamedTuple):
    """An action as far as its verdict goes: actions of equal form get equal answers from equal statements.

    ``outright`` are the ways of being named that no boundary limits. ``works_across_accounts``: resources of another
    account can be meant.
    """

    types: tuple[TypeForm, ...]
    outright: frozenset[str]
    is_rcp_supported: bool
    works_across_accounts: bool


class EvaluatedActions(NamedTuple):
    """The evaluated actions: bit n of a set of actions is ``names[n]``. Forms are numbered."""

    names: tuple[str, ...]
    form_ids: tuple[int, ...]
    forms: tuple[ActionForm, ...]

    @property
    def everything(self) -> int:
        """The set of all actions."""
        return (1 << len(self.names)) - 1

    @property
    def rcp_supported(self) -> int:
        """The set of the actions that RCPs limit."""
        return self._of_forms({n for n, form in enumerate(self.forms) if form.is_rcp_supported})

    def those_with(self, kinds: Set[TypeForm]) -> int:
        """Return the set of the actions that have any of the resource types."""
        return self._of_forms({n for n, form in enumerate(self.forms) if not kinds.isdisjoint(form.types)})

    def _of_forms(self, form_ids: Set[int]) -> int:
        return sum(1 << bit for bit, form_id in enumerate(self.form_ids) if form_id in form_ids)

    def forms_in(self, actions: int) -> tuple[int, ...]:
        """Return the forms of the actions in a set, by number."""
        digits = reversed(f"{actions:b}")
        return tuple(sorted({form_id for form_id, digit in zip(self.form_ids, digits, strict=False) if digit == "1"}))


def _field(text: str) -> Iterable[globs.Token]:
    """Yield the tokens of one field of an ARN format: ``*`` stands for anything without a colon, ``${...}`` for what no
    ARN of the type lacks (a name, a region, an account)."""
    rest = text
    while rest:
        if rest.startswith("${") and "}" in rest:
            rest = rest[rest.index("}") + 1 :]
            yield from (globs.Token("any", globs.FILLED, True), globs.Token("run", "", True))
        elif rest[0] == "*":
            rest = rest[1:]
            yield globs.Token("run", "", True)
        else:
            yield globs.Token("char", rest[0])
            rest = rest[1:]


def action_form(
    reference: Reference, action: str, doubtful: frozenset[tuple[str, str]], mentioned: frozenset[str]
) -> ActionForm:
    """Return the form of an action.

    ``doubtful`` are (action, resource type) whose required mark does not count; ``mentioned`` are the condition keys
    that some statement asks for: others tell no actions apart.
    """
    lowered = action.lower()
    return ActionForm(
        _types(lowered, reference.action(action), _unknown_formats(reference, lowered), doubtful, mentioned),
        OUTRIGHT - {"user"} if is_trusted(lowered) else OUTRIGHT,
        _is_limited_by_rcps(reference, lowered),
        works_across_accounts(lowered),
    )


def _unknown_formats(reference: Reference, action: str) -> Sequence[str | None]:
    """Return what an action that the reference does not know may work on."""
    if action.startswith("kms:"):
        return (*KMS_TYPES, None)
    return PLAIN_FORMATS if reference.has_plain_arns(action.split(":", 1)[0]) else WIDE_FORMATS


def _needs_consent(action: str, resource_type: str) -> bool:
    """Whether a request is decided by the resource's policy first: by a role's trust policy or a key's policy. KMS
    operations that involve no key are left to identity policies (KMS: Using IAM policies)."""
    return (is_trusted(action) and resource_type == "role") or (action.startswith("kms:") and resource_type == "key")


def is_of_one_region(action: str) -> bool:
    """Whether an action is called in one region only. A role is passed within a call of another service, in any region:
    AWS's pages do not say which region iam:PassRole then counts as (choice 25)."""
    return action.lower().startswith("iam:") and action.lower() != PASS_ROLE


def _is_limited_by_rcps(reference: Reference, action: str) -> bool:
    """Whether RCPs act on an action: it authorizes a resource of a service that they know (RCP)."""
    known = reference.action(action)
    has_resources = known is None or bool(known.resource_types)
    return has_resources and action != RCP_EXEMPT and reference.is_rcp_supported(action.split(":", 1)[0])


def _types(
    action: str,
    known: ReferenceAction | None,
    unknown_formats: Sequence[str | None],
    doubtful: frozenset[tuple[str, str]],
    mentioned: frozenset[str],
) -> tuple[TypeForm, ...]:
    if known is None:
        return tuple(_unknown_type(action, arn_format) for arn_format in unknown_formats)
    view = _view(known, known.condition_keys, mentioned)
    bare = TypeForm(ANY_TYPE, None, not known.resource_types, view, False, is_of_one_region(known.action))
    named = tuple(_type(known, kind, doubtful, mentioned) for kind in known.resource_types)
    # Types that are not required may be left out (SAR): the request is then on "*".
    return named if any(kind.is_required for kind in known.resource_types) else (*named, bare)


def _unknown_type(action: str, arn_format: str | None) -> TypeForm:
    if arn_format is None:
        return TypeForm(ANY_TYPE, None, False, EVERY_KEY, False, is_of_one_region(action))
    name = KMS_TYPES.get(arn_format, UNKNOWN_TYPE)
    needs_consent = is_trusted(action) or name == "key"
    return TypeForm(name, arn_format, False, EVERY_KEY, needs_consent, is_of_one_region(action))


def _type(
    known: ReferenceAction, kind: ActionResourceType, doubtful: frozenset[tuple[str, str]], mentioned: frozenset[str]
) -> TypeForm:
    is_required = kind.is_required and (known.action, kind.resource_type) not in doubtful
    view = _view(known, kind.condition_keys, mentioned)
    needs_consent = _needs_consent(known.action.lower(), kind.resource_type)
    return TypeForm(
        kind.resource_type, kind.arn_format, is_required, view, needs_consent, is_of_one_region(known.action)
    )


def _view(known: ReferenceAction, keys: Iterable[str], mentioned: frozenset[str]) -> KeyView:
    view = key_view(known, tuple(keys))
    exact = frozenset(key for key in view.exact if key in mentioned)
    return view._replace(exact=exact)
