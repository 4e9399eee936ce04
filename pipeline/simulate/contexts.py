"""Puts a request's context together: what its line gives, what is known besides, what AWS sends along or not at all.

Alike for lines that the lake answers and for those with policies of their own. Decides no request.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import NamedTuple

from pipeline.errors import PolicylakeError
from pipeline.iam.principals import Caller
from pipeline.simulate import facts as known
from pipeline.simulate.facts import NOWHERE, Organization
from pipeline.simulate.from_lake import Principal, Tags
from pipeline.simulate.lines import Line
from pipeline.simulate.remarks import Remarks
from pipeline.simulate.tags import principal_tags, resource_tags, tied_tags
from pipeline.simulate.together import Asked, looked_at


class Told(NamedTuple):
    """What is known of a line's caller and of its resource's owner besides the line.

    ``owner`` is the caller's own account where nothing tells. ``source`` begins what contradicts the line, such as
    "by the lake ".
    """

    caller: Caller
    owner: str | None
    principal: Principal | None = None
    place: Organization = NOWHERE
    owners_place: Organization = NOWHERE
    tags: Tags = ()
    source: str = ""


class Sent(NamedTuple):
    """A request's context, and what there is to say of it: why no request of AWS is so, what AWS hardly sends and what
    was taken for granted."""

    by_key: Mapping[str, tuple[str, ...]]
    contradictions: tuple[str, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]

    def check(self) -> None:
        """Raise PolicylakeError where no request of AWS is so."""
        if self.contradictions:
            raise PolicylakeError(self.contradictions[0])


def as_sent(line: Line, resource: str, told: Told, remarks: Remarks, now: datetime) -> Sent:
    """Return the context in which a line's request reaches AWS. Keys that AWS does not send with the action are absent.

    What the line gives goes before what is known. ``now`` is the time of requests that name none. Raises
    PolicylakeError where the line names two chains of services.
    """
    line = replace(line, context=_carried(line, resource, remarks))
    caller, entry = told.caller, remarks.reference.action(line.action)
    principal_id = told.principal.principal_id if told.principal else None
    of_principal = known.principal_facts(caller, principal_id, told.place)
    own_tags = principal_tags(told.principal, line.context)
    of_owner = known.resource_facts(told.owner, told.owners_place)
    tags, tag_notes = resource_tags(told.tags, entry, line.action, resource)
    defaults = known.request_facts(line.context, resource, line.action, line.principal, now)
    together = looked_at(asked_in(line, resource, caller.kind, remarks), defaults)
    contradicted = partial(known.disagreements, line.context, name=partial(spelt, line, remarks))
    wrong = chain(
        together.contradictions,
        known.strange_user_ids(line.context, caller, principal_id),
        contradicted(of_principal, told.source, line.principal),
        contradicted(own_tags, told.source, f"{line.principal}{_untagged(told.principal)}"),
        contradicted({**of_owner, **tags}, told.source, resource),
    )
    by_key = {
        **defaults, **known.default_user_id(caller, principal_id), **of_principal, **own_tags, **of_owner,
        **tied_tags(line.context, entry, line.action, resource), **tags, **together.facts, **line.context,
    }  # fmt: skip
    return Sent(by_key, tuple(wrong), together.doubts, (*tag_notes, *together.stand_ins))


def asked_in(line: Line, resource: str, kind: str, remarks: Remarks) -> Asked:
    """Return a line as its keys are looked at beside each other."""
    carries = partial(remarks.can_carry, line.action, resource)
    return Asked(line.action, resource, kind, line.context, partial(spelt, line, remarks), carries)


def spelt(line: Line, remarks: Remarks, key: str) -> str:
    """Return a key of a line as AWS spells it."""
    return remarks.name(line.spelling.get(key, key))


def _carried(line: Line, resource: str, remarks: Remarks) -> dict[str, tuple[str, ...]]:
    """Return a line's context without the keys that AWS does not send with its action, of which remarks tell."""
    return {k: values for k, values in line.context.items() if remarks.can_carry(line.action, resource, k)}


def _untagged(principal: Principal | None) -> str:
    """Return why the sessions of a role have no tags of their own; nothing of others."""
    is_fixed = principal is not None and principal.principal_type == "role" and not principal.has_session_tags
    return ", whose trust policy lets nobody pass session tags (sts:TagSession)" if is_fixed else ""
