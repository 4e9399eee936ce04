"""Random requests to a lake, for holding its answers against the concrete evaluator.

Knows only the lake's public relations and the service reference; has a glob matcher of its own.
"""

import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from pipeline.iam.conditions import holds
from pipeline.iam.context import Context
from pipeline.iam.model import Condition
from pipeline.lake import Lake
from pipeline.reference import Reference

ADDRESSES = ("192.0.2.7", "203.0.113.9", "203.0.113.255", "10.1.2.3", "198.51.100.1", "2001:db8::1")
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
MOMENTS = ("2020-01-01T00:00:00Z", "2026-11-25T00:00:00Z", "2031-01-01T00:00:00Z")
NUMBERS = ("0", "1", "5", "100", "3600", "3601", "86400")
SESSIONS = ("s0", "s1", "s2")
PIECES = ("", "x", "a-1", "team-red", "us-east-1", "prod")
ENDPOINT_KEYS = ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourceip")
#: Global keys whose values follow from principal, resource or the service's own calls, or are given always.
NOT_FREE = (
    "aws:principal", "aws:resource", "aws:request", "aws:tagkeys", "aws:source", "aws:vpc", "aws:userid",
    "aws:username", "aws:viaaws", "aws:secure", "aws:current", "aws:epoch",
)  # fmt: skip

Json = dict[str, Any]


class Asked(NamedTuple):
    """A request with the resource type that it is for."""

    principal_arn: str
    account_id: str
    action: str
    resource_type: str
    line: Json


def session_arn(role_arn: str, name: str) -> str:
    """Return the ARN of a role's session: without the role's path."""
    return f"arn:aws:sts::{role_arn.split(':')[4]}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{name}"


def glob_matches(pattern: str, text: str) -> bool:
    """Whether a glob matches a text; ``${*}`` is the character itself, any other ``${...}`` stands for anything."""
    return _expression(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1 << 14)
def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.findall(r"\$\{[*?$]\}|\$\{[^}]*\}|.", pattern, re.DOTALL)
    expression = "".join(
        re.escape(piece[2]) if piece in ("${*}", "${?}", "${$}") else ".*" if piece == "*" or len(piece) > 1
        else "." if piece == "?" else re.escape(piece)
        for piece in pieces
    )  # fmt: skip
    return re.compile(expression, re.DOTALL)


@dataclass
class Requests:
    """Makes requests at random; the same seed gives the same ones."""

    lake: Lake
    reference: Reference
    seed: int
    #: Shares of the requests on resources of the own account, and of a role's requests that its sessions make.
    in_own_account: float = 0.95
    by_sessions: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def _rows(self, sql: str) -> list[Json]:
        return list(self.lake.query(sql).to_pylist())

    @cached_property
    def principals(self) -> list[Json]:
        kinds = "principal_type in ('user', 'role')"
        return self._rows(f"select principal_arn, account_id from principals where {kinds} order by 1")

    @cached_property
    def actions(self) -> list[str]:
        return [row["action"] for row in self._rows("select action from evaluated_actions order by 1")]

    @cached_property
    def answered(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for row in self._rows("select principal_arn, action from access_matrix order by all"):
            found[row["principal_arn"]].append(row["action"])
        return found

    @cached_property
    def patterns(self) -> list[str]:
        sql = "select distinct resource_pattern from resources where resource_pattern like 'arn:%' order by 1"
        return [row["resource_pattern"] for row in self._rows(sql)] or ["arn:aws:sagemaker:*:*:model/*"]

    @cached_property
    def inventory(self) -> list[str]:
        return [row["resource_arn"] for row in self._rows("select resource_arn from inventory order by 1")]

    @cached_property
    def values(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._rows("select lower(condition_key) as key, condition_values from conditions"):
            found[row["key"]].update(row["condition_values"])
        return {key: sorted(values) for key, values in sorted(found.items())}

    def next(self) -> Asked:
        principal = self.chance.choice(self.principals)
        action = self.action(principal["principal_arn"])
        known = self.reference.action(action)
        kinds = (
            [(kind.resource_type, kind.arn_format, kind.condition_keys) for kind in known.resource_types]
            if known
            else []
        )
        if known and not any(kind.is_required for kind in known.resource_types):
            kinds.append(("*", "", known.condition_keys))
        kind, arn_format, keys = self.chance.choice(kinds or [self.unknown_kind(action)])
        account = (
            principal["account_id"]
            if self.chance.random() < self.in_own_account
            else self.chance.choice(self.principals)["account_id"]
        )
        resource = self.resource(arn_format, account)
        context = self.context(keys)
        if resource in self.inventory:  # its tags are known
            context = {key: value for key, value in context.items() if "resourcetag/" not in key}
        context = called(context, resource, action)
        caller = self.caller(principal["principal_arn"])
        context = self.sent_together(context, principal["principal_arn"], caller)
        line = {"principal": caller, "action": action, "resource": resource, "context": context}
        return Asked(principal["principal_arn"], principal["account_id"], action, kind, line)

    def sent_together(self, context: Json, principal_arn: str, caller: str) -> Json:
        """Return a context with the keys that AWS sends with those in it, and in every request, where they are asked
        for. ``caller`` is the principal or a session of it."""
        del caller
        found = {key.lower(): value for key, value in context.items()}
        found |= _called_through(found)
        if found.get("aws:viaawsservice") == "true":  # it does not keep the keys of an endpoint
            found = {key: value for key, value in found.items() if key not in ENDPOINT_KEYS[:3]}
        if "aws:multifactorauthage" in found:
            found["aws:multifactorauthpresent"] = "true"
        if "iam:associatedresourcearn" in found:  # which goes with one service only
            found.pop("iam:passedtoservice", None)
        is_temporary = ":role/" in principal_arn or "aws:multifactorauthpresent" in found
        always = ["aws:useragent", *(["aws:tokenissuetime"] if is_temporary else [])]
        found |= {key: self.value(key) for key in always if key in self.values and key not in found}
        if found.get("aws:tokenissuetime", "") > found.get("aws:currenttime", "9"):  # issued before the call
            found["aws:tokenissuetime"] = found["aws:currenttime"]
        return found

    def action(self, principal_arn: str) -> str:
        """Return an action, rather one that the principal has an answer on."""
        answered = self.answered.get(principal_arn)
        return self.chance.choice(answered if answered and self.chance.random() < 0.6 else self.actions)

    def unknown_kind(self, action: str) -> tuple[str, str, tuple[str, ...]]:
        """Return a resource type, the form of its ARN and its keys, for an action that the reference does not know."""
        del action
        return "unknown", "arn:${P}:sagemaker:${Region}:${Account}:model/${N}", ()

    def caller(self, principal_arn: str) -> str:
        """Return who asks: the principal, or some session of a role."""
        if not self.by_sessions or ":role/" not in principal_arn or self.chance.random() >= self.by_sessions:
            return principal_arn
        return session_arn(principal_arn, self.chance.choice(SESSIONS))

    def resource(self, arn_format: str, account: str) -> str:
        if not arn_format:
            return "*"
        tail = re.sub(r"\$\{[^}]*\}", "*", arn_format)
        if self.chance.random() < 0.5:
            named = self._named(arn_format, tail, account)
            if named:
                return named
        held = [arn for arn in self.inventory if glob_matches(tail, arn)]
        if held and self.chance.random() < 0.3:
            return self.chance.choice(held)
        filled = arn_format.replace("${Partition}", "aws").replace("${P}", "aws").replace("${Account}", account)
        filled = filled.replace("${Region}", self.chance.choice(REGIONS))
        return re.sub(r"\$\{[^}]*\}", lambda _: self.chance.choice(("x1", "team-red-1", "prod-1", "alice-1")), filled)

    def _named(self, arn_format: str, tail: str, account: str) -> str | None:
        """Return an instance of some policy's pattern that is a resource of the type, None if no try gives one."""
        for _ in range(12):
            arn = self.placed(self.instance(self.chance.choice(self.patterns)), arn_format, account)
            if arn and glob_matches(tail, arn) and not _is_no_name(arn, arn_format):
                return arn
        return None

    def placed(self, text: str, arn_format: str, account: str) -> str | None:
        """Return a text that looks like an ARN in a region that there is and in an account, as far as its type has
        them; None where it is no ARN of the type's service."""
        fields, wanted = text.split(":", 5), arn_format.split(":", 5)
        if len(fields) != len(wanted) or fields[2] != wanted[2]:
            return None
        region = fields[3] if fields[3] in REGIONS else self.chance.choice(REGIONS)
        return ":".join(("arn", "aws", fields[2], region if wanted[3] else "", account if wanted[4] else "", fields[5]))

    def instance(self, pattern: str) -> str:
        plain = re.sub(r"\$\{[^}]*\}", lambda _: self.chance.choice(("red", "alice", "x")), pattern)
        return "".join(
            self.chance.choice(PIECES) if c == "*" else self.chance.choice("ab1") if c == "?" else c for c in plain
        )

    def value(self, key: str) -> str:
        known = self.reference.key(key)
        kind = known.value_type.removeprefix("ArrayOf") if known else "String"
        fixed = {"Bool": ("true", "false"), "Numeric": NUMBERS, "Date": MOMENTS, "IPAddress": ADDRESSES}.get(kind)
        if fixed:
            return self.chance.choice(fixed)
        return self.instance(self.chance.choice([*self.values.get(key, []), "zz-fresh"])) or "q"

    def context(self, keys: tuple[str, ...]) -> Json:
        found: Json = {
            "aws:SecureTransport": self.chance.choice(("true", "true", "false")),
            "aws:CurrentTime": self.chance.choice(MOMENTS),
            "aws:RequestedRegion": self.chance.choice(REGIONS),
            "aws:PrincipalIsAWSService": "false",
            "aws:ViaAWSService": self.chance.choice(("true", "false")),
        }
        found |= self._network()
        for key in self.values:
            if self._is_possible(key, keys) and self.chance.random() < 0.5:
                found[key] = self._values(key)
        return self._tied(found, keys)

    def _network(self) -> Json:
        """Return the keys of a public call, of one through a VPC endpoint, or of neither."""
        state = self.chance.random()
        if state < 0.4:
            return {"aws:sourceip": self.value("aws:sourceip")}
        return {key: self.value(key) for key in ENDPOINT_KEYS[:3]} if state < 0.8 else {}

    def _is_possible(self, key: str, keys: tuple[str, ...]) -> bool:
        for name in keys:
            prefix = name.lower().split("${")[0]
            if key == prefix or ("${" in name and key.startswith(prefix) and key != prefix):
                return not key.startswith("sagemaker:resourcetag/")
        return key.startswith("aws:") and not key.startswith(NOT_FREE)

    def _values(self, key: str) -> str | list[str]:
        known = self.reference.key(key)
        if known and known.is_multivalued:
            return [self.value(key) for _ in range(self.chance.choice((1, 1, 2)))]
        return self.value(key)

    def _tied(self, context: Json, keys: tuple[str, ...]) -> Json:
        """Give the two spellings of a resource's tags one value, and tags of the request the keys that name them."""
        carried = [key.lower() for key in keys]
        names = list(_listed(context.get("aws:tagkeys", ())))
        if any(key.startswith("aws:requesttag/") for key in carried):
            for name in names:
                context.setdefault(f"aws:requesttag/{name.lower()}", "")
        tags = [key.removeprefix("aws:requesttag/") for key in context if key.startswith("aws:requesttag/")]
        names += [tag for tag in tags if tag not in {name.lower() for name in names}]
        if names and "aws:tagkeys" in carried:
            context["aws:tagkeys"] = names
        if any(key.lower().startswith("sagemaker:resourcetag/") for key in keys):
            for key in [key for key in context if key.startswith("aws:resourcetag/")]:
                context["sagemaker:resourcetag/" + key.split("/", 1)[1]] = context[key]
        return context


@dataclass
class Answers:
    """The lake's answers, to hold a decision against."""

    lake: Lake
    reference: Reference

    def __post_init__(self) -> None:
        self.rows: dict[tuple[str, str, str], list[Json]] = defaultdict(list)
        columns = "principal_arn, action, resource_type, resource_pattern, verdict, except_resources, condition_id"
        formulas = self.lake.query("select condition_id, formula from residual_conditions").to_pylist()
        self.formulas = {row["condition_id"]: row["formula"] for row in formulas}
        for row in self.lake.query(f"select {columns} from access").to_pylist():
            row["except_resources"] = json.loads(row["except_resources"] or "[]")
            self.rows[row["principal_arn"], row["action"], row["resource_type"]].append(row)
        matrix = self.lake.query("select principal_arn, action, verdict from access_matrix").to_pylist()
        self.matrix = {(row["principal_arn"], row["action"]): row["verdict"] for row in matrix}

    def contradiction(self, asked: Asked, decision: str) -> str | None:
        """Say where the answers and a decision of the concrete evaluator cannot both be right; None if they can."""
        if decision == "error":
            return "the line was refused"
        speaking = [
            row for row in self.rows[asked.principal_arn, asked.action, asked.resource_type] if _speaks(row, asked)
        ]
        verdict = self.matrix.get((asked.principal_arn, asked.action), "none")
        if decision == "allowed" and not speaking:
            return "allowed, and no row speaks of it"
        if (
            decision == "allowed"
            and verdict not in ("allowed", "conditional")
            and self._needs_one_resource(asked.action)
        ):
            return f"allowed, and the matrix says {verdict}"
        if decision != "allowed" and any(row["verdict"] == "allowed" for row in speaking):
            return f"{decision}, and a row says allowed"
        return self._contradicted_condition(asked, decision, speaking)

    def _contradicted_condition(self, asked: Asked, decision: str, speaking: list[Json]) -> str | None:
        """Say where the conditions of the rows and the decision differ; what no condition tells is passed over."""
        texts = [self.formulas[row["condition_id"]] for row in speaking if row["condition_id"]]
        account = asked.account_id
        found = [self._holds(json.loads(text.replace("{ownaccount}", account)), asked) for text in texts]
        if None in found or any(row["verdict"] == "allowed" for row in speaking) or not speaking:
            return None
        return None if any(found) == (decision == "allowed") else f"{decision}, and the conditions say {found}"

    def _holds(self, formula: Any, asked: Asked) -> bool | None:
        """Return the truth of a formula for a request by the concrete evaluator's operators; None where unknown."""
        if isinstance(formula, bool):
            return formula
        if "operator" in formula:
            return self._test_holds(formula, asked)
        (kind, parts), *_ = formula.items()
        if kind == "not":
            inner = self._holds(parts, asked)
            return None if inner is None else not inner
        found = [self._holds(part, asked) for part in parts]
        if (kind == "or") in found:
            return kind == "or"
        return None if None in found else kind == "and"

    def _test_holds(self, test: Json, asked: Asked) -> bool | None:
        if test["key"].startswith("session "):
            return asked.line["principal"] in test["values"]
        variables = any(re.search(r"\$\{[^*?$]", value) for value in test["values"])
        if variables or test["key"].startswith("resource "):
            return None
        if test["key"] == "resource":
            return any(glob_matches(value, asked.line["resource"]) for value in test["values"])
        context = {key.lower(): _listed(value) for key, value in asked.line["context"].items()}
        known = self._tags.get(asked.line["resource"])
        for key, value in known or ():
            context[f"aws:resourcetag/{key.lower()}"] = (value,)
        for key, value in self._own_tags.get(asked.principal_arn, ()):  # a session's tags take their place
            context.setdefault(f"aws:principaltag/{key.lower()}", (value,))
        condition = Condition(
            test["operator"], test["set_qualifier"], test["if_exists"], test["key"], tuple(test["values"])
        )
        return holds(condition, True, Context(context, self._type))

    @cached_property
    def _own_tags(self) -> dict[str, list[tuple[str, str]]]:
        rows = self.lake.query("select principal_arn, tags from principals").to_pylist()
        return {row["principal_arn"]: list(dict(row["tags"] or {}).items()) for row in rows}

    @cached_property
    def _tags(self) -> dict[str, list[tuple[str, str]]]:
        rows = self.lake.query("select resource_arn, tags from inventory").to_pylist()
        return {row["resource_arn"]: list(dict(row["tags"] or {}).items()) for row in rows}

    def _type(self, key: str) -> str | None:
        found = self.reference.key(key)
        return found.value_type if found else None

    def _needs_one_resource(self, action: str) -> bool:
        known = self.reference.action(action)
        return known is None or sum(kind.is_required for kind in known.resource_types) < 2


def _is_no_name(arn: str, arn_format: str) -> bool:
    """Whether an ARN of a form ends in what is no name: keys of objects alone hold colons, a bucket's name no slash."""
    if arn_format.endswith("${BucketName}") and "/" in arn:
        return True
    return arn.count(":") > arn_format.count(":") and not arn_format.endswith(("/${ObjectName}", "/${K}"))


def called(context: Json, resource: str, action: str) -> Json:
    """Return a context with the region that the resource is in, if it is in one: that is the one called."""
    region = f"{resource}:::::".split(":")[3] or ("us-east-1" if action.startswith("iam:") else "")
    others = {key: value for key, value in context.items() if key.lower() != "aws:requestedregion"}
    return {**others, "aws:RequestedRegion": region} if region else context


CHAIN = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")


def _called_through(context: Json) -> Json:
    """Return the keys of calls that services make for a principal, as they follow from each other."""
    ends = [context[key] for key in CHAIN[1:] if key in context]
    chain = [*_listed(context.get("aws:calledvia", ends))]
    if not chain:
        return {}
    return {**dict(zip(CHAIN, (chain, chain[0], chain[-1]), strict=True)), "aws:viaawsservice": "true"}


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _speaks(row: Json, asked: Asked) -> bool:
    resource = asked.line["resource"]
    pattern = row["resource_pattern"]
    fields, theirs = resource.split(":"), pattern.split(":")
    is_foreign = len(fields) > 5 and fields[4] not in ("", asked.account_id)
    if is_foreign and theirs[4:5] != [fields[4]]:
        return False
    return glob_matches(pattern, resource) and not any(glob_matches(e, resource) for e in row["except_resources"])
