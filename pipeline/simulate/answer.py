"""Answers lines: puts a request's facts and layers together, lets ``iam`` decide, writes the decision as a line.

The clock is read here, once, where no time is given.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

from pipeline.errors import PolicylakeError
from pipeline.iam.context import Context
from pipeline.iam.decide import Decision, Layers, Request, decide
from pipeline.iam.grammar import account_in
from pipeline.iam.principals import Caller, kind_of
from pipeline.iam.services import RCP_EXEMPT, is_service_linked_role, needs_consent
from pipeline.lake import Lake
from pipeline.reference import Reference
from pipeline.simulate import facts as known
from pipeline.simulate.contexts import Sent, Told, as_sent, asked_in, spelt
from pipeline.simulate.from_lake import LakeReader, Principal
from pipeline.simulate.line_policies import doubts_in, given_layers, names_in
from pipeline.simulate.lines import Line, decoded, id_of, read_line, refused
from pipeline.simulate.remarks import Names, Remarks
from pipeline.simulate.together import looked_at

UNOWNED = "the input does not tell whose {} is: taken as the caller's own"
BY_LAKE = "by the lake "
NO_LAKE = "the line carries no policies and there is no lake; give identity_policies in the line, or a lake with --lake"


def simulate_lines(
    lines: Iterable[str],
    lake: Lake | Callable[[], Lake] | None,
    reference: Reference,
    *,
    now: datetime | None = None,
    ahead: int = 1,
    is_strict: bool = False,
) -> Iterator[str]:
    """Yield the decision of each line that is not blank, as one line of JSON without a line end.

    A bad line gives a decision ``error`` whose ``detail`` says where, what and what to do; the others go on. A line
    with policies of its own is answered from these alone; others from ``lake``, or the lake that it opens when it is
    first needed. ``now`` is the time of requests that name none. ``ahead`` lines are taken in at once, which asks the
    lake fewer questions; 1 answers each line before the next one is read. A value that is none of its key's type is a
    bad line. Where ``is_strict``, a line that names an action or key that nobody knows is one too, and each decision
    has ``warnings``: what else is odd. Else ``detail`` tells both. Never raises PolicylakeError: where the lake cannot
    be opened or read, each line that needs it says so.
    """
    desk = _Desk(lake, reference, now or datetime.now(UTC), is_strict)
    numbered = ((number, text) for number, text in enumerate(lines, start=1) if text.strip())
    while block := list(islice(numbered, ahead)):
        if len(block) > 1:
            desk.look_at(text for _, text in block)
        yield from (desk.answer(text, number) for number, text in block)


class Notes(NamedTuple):
    """What ``detail`` says besides the decision. ``doubts`` are those that make a test of access doubtful."""

    told: tuple[str, ...]
    doubts: tuple[str, ...] = ()


class Decided(NamedTuple):
    """A decision with what it was made on: every key of the request by its name in lower case, () one that is absent.

    ``notes`` are what ``detail`` of a line says besides.
    """

    decision: Decision
    context: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def decided_request(text: str, lake: Lake, reference: Reference, *, now: datetime | None = None) -> Decided:
    """Decide the one request of a line, from the lake. Raises PolicylakeError where it cannot be decided."""
    desk = _Desk(lake, reference, now or datetime.now(UTC))
    request, layers, notes = desk.asked_of_lake(read_line(decoded(text)), LakeReader(lake))
    return Decided(decide(request, layers), request.context.by_key, (*notes.told, *notes.doubts))


def unowned_bucket(lake: Lake, resource: str) -> str | None:
    """Return that the lake does not tell whose a bucket is; None of other resources, and where it does."""
    bucket = resource.partition("/")[0]
    is_unknown = ":s3:::" in bucket and LakeReader(lake).owner(bucket) is None
    return UNOWNED.format(bucket) if is_unknown else None


def contradiction(
    action: str, resource: str | None, context: Mapping[str, Sequence[str]], remarks: Remarks
) -> str | None:
    """Return why no request of any principal is so, on any resource where it is None; None where one may be."""
    spelling = {key.lower(): key for key in context}
    values = {key.lower(): tuple(listed) for key, listed in context.items()}
    line = Line(None, "", action, resource or "*", None, None, values, {}, spelling)
    asked = asked_in(line, line.resource, "user", remarks)
    try:
        called = known.called_facts(values)
    except PolicylakeError as error:
        return str(error)
    found = looked_at(asked._replace(carries=partial(remarks.can_carry, action, resource)), called).contradictions
    return found[0] if found else None


@dataclass
class _Desk:
    """What outlasts a line: the lake's reader, ids that were used, the data types of keys."""

    lake: Lake | Callable[[], Lake] | None
    reference: Reference
    now: datetime
    is_strict: bool = False
    reader: LakeReader | None = None
    ids: dict[str | int, int] = field(default_factory=dict)
    types: dict[str, str | None] = field(default_factory=dict)
    remarks: Remarks = field(init=False)

    def __post_init__(self) -> None:
        self.remarks = Remarks(self.reference)

    def answer(self, text: str, number: int) -> str:
        """Return the decision of a line as JSON."""
        found: str | int | None = None
        try:
            value = decoded(text)
            found = id_of(value)
            line = read_line(value)
            self._take_id(line.id, number)
            reader = None if line.policies else self._reader()
        except PolicylakeError as error:
            return _error(found, number, error)
        if line.policies:
            return self._answered(line, number, lambda: self._from_line(line))
        return self._answered(line, number, lambda: self._from_lake(line, reader))

    def look_at(self, texts: Iterable[str]) -> None:
        """Read what the lake has on the principals and resources of these lines; what fails here fails in its line."""
        asked = [value for value in map(_peeked, texts) if value is not None]
        with suppress(PolicylakeError):  # told with the line, when it is answered
            reader = self._reader() if asked else None
            if reader:
                reader.read_principals(principal for principal, _ in asked)
                reader.read_resources(resource for _, resource in asked)

    def _answered(self, line: Line, number: int, decided: Callable[[], tuple[Decision, Notes]]) -> str:
        try:
            decision, notes = decided()
        except PolicylakeError as error:
            return _error(line.id, number, error)
        return _written(line.id, decision, notes, has_warnings=self.is_strict)

    def _take_id(self, given: str | int | None, number: int) -> None:
        if given is not None and self.ids.setdefault(given, number) != number:
            raise PolicylakeError(f"id {given!r} is that of line {self.ids[given]} too; give each line its own")

    def _reader(self) -> LakeReader | None:
        if self.reader is None and self.lake is not None:
            self.reader = LakeReader(self.lake() if callable(self.lake) else self.lake)
        return self.reader

    def key_type(self, key: str) -> str | None:
        """Return the data type of a condition key."""
        if key not in self.types:
            entry = self.reference.key(key)
            self.types[key] = entry.value_type if entry else None
        return self.types[key]

    def _remarked(self, line: Line, names: Callable[[], Names]) -> Notes:
        """Return what there is to say of a line's names and values. Raises PolicylakeError where that is an error."""
        told: list[str] = []
        doubts: list[str] = []
        for remark in self.remarks.on(line.action, line.resource, line.context, names):
            text = f"{remark.member} {spelt(line, self.remarks, remark.name)}: {remark.text}"
            if remark.is_malformed or (remark.is_mistake and self.is_strict):
                raise PolicylakeError(text)
            (told if remark.is_mistake else doubts).append(text)
        if self.reference.action(line.action) is None:
            told.append("taken as an action on any resource")
        return Notes(tuple(told), tuple(doubts))

    def _from_line(self, line: Line) -> tuple[Decision, Notes]:
        roles = line.context.get("aws:principalarn", ())
        caller = known.caller_of(line.principal, roles[0] if roles else None, line.federated_by)
        resource, notes = self._resource(line)
        given = given_layers(line)
        remarks = self._remarked(line, lambda: names_in(given))
        owner = line.resource_account or account_in(resource) or _said_owner(line, resource)
        told = Told(caller, owner or caller.account_id)
        sent = as_sent(line, resource, told, self.remarks, self.now)
        if self.is_strict:
            sent.check()
        beside = Notes((*sent.notes, *sent.contradictions), (*sent.doubts, *doubts_in(given)))
        layers = self._limited(given, line.action, resource, caller)
        return decide(self._request(line, resource, told, sent), layers), _joined(notes, remarks, beside)

    def _from_lake(self, line: Line, reader: LakeReader | None) -> tuple[Decision, Notes]:
        if reader is None:
            raise PolicylakeError(NO_LAKE)
        request, layers, notes = self.asked_of_lake(line, reader)
        return decide(request, layers), notes

    def asked_of_lake(self, line: Line, reader: LakeReader) -> tuple[Request, Layers, Notes]:
        """Return a line's request and layers, and remarks. Raises PolicylakeError where the lake contradicts it."""
        remarks = self._remarked(line, reader.names)
        principal = _principal(reader, line)
        caller = known.caller_of(line.principal, principal.arn if principal else None)
        resource, notes = self._resource(line)
        inventoried = reader.resource(resource)
        owner, of_owner = _owner(reader, line, resource, inventoried.account_id if inventoried else None)
        owner = owner or caller.account_id
        places = (reader.organization(caller.account_id), reader.organization(owner))
        told = Told(caller, owner, principal, *places, inventoried.tags if inventoried else (), BY_LAKE)
        sent = as_sent(line, resource, told, self.remarks, self.now)
        sent.check()
        request = self._request(line, resource, told, sent)
        layers = self._layers(reader, request, principal)
        lacking = (*_missing(principal), *_without_policy(line.action, resource, layers))
        beside = Notes((*lacking, *sent.notes), (*sent.doubts, *of_owner, *doubts_in(layers)))
        return request, layers, _joined(notes, beside, remarks)

    def _layers(self, reader: LakeReader, request: Request, principal: Principal | None) -> Layers:
        """Return the layers of the lake that count for a request. A loose document stands by itself (architecture)."""
        caller, owner = request.caller, request.resource_account
        identity, boundary = (principal.identity, principal.boundary) if principal else ((), None)
        if caller.kind == "document":
            return Layers(identity=identity)
        is_assumption = request.action.lower().startswith("sts:")
        entry = self.reference.action(request.action)
        formats = [kind.arn_format for kind in entry.resource_types] if entry else []
        endpoint = next(iter(request.context.values("aws:sourcevpce")), None)
        own_account, is_managing = caller.account_id, reader.organization(caller.account_id).is_management_account
        layers = Layers(
            identity=identity,
            boundary=boundary,
            scps=reader.controls("scp", own_account) if own_account and not is_managing else None,
            rcps=reader.controls("rcp", owner)
            if owner and not reader.organization(owner).is_management_account
            else None,
            resource=reader.resource_policy(request.resource, formats, is_assumption=is_assumption),
            endpoint=reader.endpoint_policy(endpoint) if endpoint else None,
        )
        return self._limited(layers, request.action, request.resource, caller)

    def _limited(self, layers: Layers, action: str, resource: str, caller: Caller) -> Layers:
        """Leave out the SCPs and RCPs that do not act: neither binds service-linked roles (SCP, RCP).

        SCPs bind principals of accounts only. RCPs act on the services that AWS lists, where a resource is authorized.
        """
        is_service_linked = is_service_linked_role(caller.principal_arn)
        entry = self.reference.action(action)
        is_under_rcps = (
            self.reference.is_rcp_supported(action.split(":", 1)[0])
            and (entry is None or bool(entry.resource_types))
            and action.lower() != RCP_EXEMPT
            and not is_service_linked
            and not is_service_linked_role(resource)
        )
        has_scps = caller.account_id is not None and not is_service_linked
        return Layers(
            layers.identity, layers.boundary, layers.session, layers.scps if has_scps else None,
            layers.rcps if is_under_rcps else None, layers.resource, layers.endpoint,
        )  # fmt: skip

    def _resource(self, line: Line) -> tuple[str, Notes]:
        """Return what the action is requested on, with remarks: actions without resource types on ``*`` (SAR).

        Raises PolicylakeError for a resource of another type, where the lake is asked.
        """
        said = self.remarks.on_resource(line.action, line.resource)
        if said is None:
            return line.resource, Notes(())
        if not said.is_mistake:
            is_doubt = said.resource == line.resource != "*"
            return said.resource, Notes((), (said.text,)) if is_doubt else Notes((said.text,))
        if not line.policies:
            raise PolicylakeError(f"resource {said.text}; {said.remedy}")
        return line.resource, Notes((), (said.text,))

    def _request(self, line: Line, resource: str, told: Told, sent: Sent) -> Request:
        return Request(told.caller, line.action, resource, told.owner, Context(sent.by_key, self.key_type))


def _peeked(text: str) -> tuple[str, str] | None:
    try:
        line = read_line(decoded(text))
    except PolicylakeError:
        return None
    return None if line.policies else (line.principal, line.resource)


def _principal(reader: LakeReader, line: Line) -> Principal | None:
    """Return the principal of a line from the lake. Raises PolicylakeError for one that is not there."""
    kind = kind_of(line.principal)
    if kind in ("service", "provider", "anonymous", "root"):
        return None
    if kind == "federated user":
        raise PolicylakeError(
            f"{line.principal}: the lake does not tell who made this session; give its policies in the line"
        )
    found = reader.principal(line.principal)
    if found is None:
        raise PolicylakeError(
            f"the lake knows no principal {line.principal}; see: policylake sql 'select * from principals'"
        )
    return found


def _owner(reader: LakeReader, line: Line, resource: str, account_id: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the account of a resource by the line, its ARN or the lake, None where none tells, and what is doubtful of
    it. Raises PolicylakeError where the line contradicts the lake on whose a bucket is."""
    told = account_in(resource) or account_id
    bucket = resource.partition("/")[0]
    if ":s3:::" not in bucket:
        return line.resource_account or told or _said_owner(line, resource), ()
    told = told or reader.owner(bucket)
    if line.resource_account and told and line.resource_account != told:
        raise PolicylakeError(f"resource_account is {line.resource_account}, but by the lake {bucket} is of {told}")
    owner = line.resource_account or told or _said_owner(line, resource)
    if owner:
        return owner, ()
    return None, (f"{UNOWNED.format(bucket)}; give resource_account to say whose",)


def _said_owner(line: Line, resource: str) -> str | None:
    """Return the account of a resource by the context of its line; None of no resource, whose is the caller's."""
    return None if resource == "*" else next(iter(line.context.get("aws:resourceaccount", ())), None)


def _missing(principal: Principal | None) -> list[str]:
    if principal is None or not principal.missing:
        return []
    return [f"the input lacks {', '.join(principal.missing)}: the answer may be wrong"]


def _without_policy(action: str, resource: str, layers: Layers) -> list[str]:
    if layers.resource is not None or not needs_consent(action.lower(), resource):
        return []
    return [f"the input lacks the policy of {resource}, without which nothing is allowed: the answer may be wrong"]


def _joined(*notes: Notes) -> Notes:
    return Notes(tuple(text for n in notes for text in n.told), tuple(text for n in notes for text in n.doubts))


def _written(given: str | int | None, decision: Decision, notes: Notes, *, has_warnings: bool) -> str:
    answer = {
        "id": given,
        "decision": decision.decision,
        "blocked_by": decision.blocked_by,
        "statements": [hit._asdict() for hit in decision.statements],
        "detail": "; ".join([decision.detail, *notes.told, *notes.doubts]),
    }
    return json.dumps({**answer, "warnings": notes.doubts} if has_warnings else answer)


def _error(given: str | int | None, number: int, error: PolicylakeError) -> str:
    return json.dumps(refused(given, number, error))
