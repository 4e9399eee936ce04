"""Reads what ``terraform show -json`` prints of a plan. Values that are unknown until apply are told, never dropped.

Source: Terraform, JSON output format; the arguments of the AWS provider's IAM and Organizations resources.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.infrastructure.documents import holds_policy, roles_in
from pipeline.infrastructure.facts import (
    KINDS,
    UNKNOWN,
    Attached,
    Attributes,
    Control,
    ControlValue,
    Doubt,
    Facts,
    Infrastructure,
    Inline,
    Json,
    Kind,
    ManagedPolicy,
    Member,
    Principal,
    ResourcePolicy,
    Setting,
    Target,
    Unread,
    Unresolved,
    arn_of,
    digest,
    nobody,
    text_of,
)

Side = Literal["before", "after"]
IAM_ARN = re.compile(r"arn:(aws[\w-]*):iam::(\d{12}):")
REFERENCE = re.compile(r"(aws_iam_(?:policy|role|user|group)|aws_organizations_policy)\.([\w-]+)(\[[^\]]*\])?(?:\.|$)")
OUTPUT = re.compile(r"(module\.[\w-]+(?:\[[^\]]*\])?)\.([\w-]+)(?:\.|\[|$)")
VARIABLE = re.compile(r"var\.([\w-]+)(?:\.|\[|$)")
#: The last module of a resource's address, which ends with a dot.
MODULE = re.compile(r"(.*?)module\.[\w-]+(?:\[[^\]]*\])?\.$")
#: Modules through which a reference is followed.
DEEPEST = 10
DATA = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)")
DATA_SOURCE = re.compile(r"data\.[\w-]+\.[\w-]+")
#: References to the index of a resource itself; of a set, each value is its own.
SAME_INDEX = {"each.key", "each.value", "count.index"}
OTHER_INDEX = re.compile(r"(?:each|count|local|var|data|module)\.")
#: Begin references to values that each plan knows.
KNOWN_AT_PLAN = re.compile(r"(?:each|count|path|terraform|self)\.")
#: Ends the names of policies of which only a part is known.
DRAFT = " (as far as known before apply)"
INDEX = re.compile(r"\[[^\]]*\]")
#: The kind of principal that a type of resource is, or is about.
OWNERS: dict[str, Kind] = {
    f"aws_iam_{kind}{end}": kind for kind in KINDS for end in ("", "_policy", "_policy_attachment")
}
#: Arguments of what is read that hold documents.
DOCUMENTS = ("policy", "assume_role_policy", "content", "resource_policy")
#: Types of which an account has one of a name.
NAMED_ONCE = (*(f"aws_iam_{kind}" for kind in KINDS), "aws_iam_policy")
#: Resources that bring policies of roles.
ROLE_POLICIES = ("aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy_attachment")
#: Account and region of a plan in which nothing tells one.
NO_ACCOUNT = "000000000000"
REGION = "us-east-1"
#: Resources that change who may do what and that are not read.
UNREAD = re.compile(
    r"aws_iam_(?:role|user|group)_polic(?:ies|y_attachments)_exclusive|aws_iam_service_linked_role|"
    r"awscc_(?:iam|sso|organizations|ram)_.*|aws_ssoadmin_.*|aws_ram_.*|aws_controltower_.*|"
    r"aws_organizations_(?:account|organization|organizational_unit|resource_policy)|"
    r"aws_cloudformation_(?:stack|stack_set|stack_set_instance|stack_instances)|"
    r"aws_serverlessapplicationrepository_cloudformation_stack|aws_servicecatalog_provisioned_product|"
    r"(?:aws|awscc)_.*_(?:bucket_policy|key_policy|repository_policy|queue_policy|topic_policy|resource_policy|"
    r"access_point_policy|file_system_policy|secret_policy|vault_policy|domain_policy|endpoint_policy|permission)|"
    r"(?:aws|awscc)_kms_(?:replica_key|external_key|grant)|awscc_kms_key|awscc_sagemaker_model_package_group|"
    r"aws_vpc_endpoint|"
    # Access without a document.
    r"(?:aws_s3control|awscc_s3)_access_grant.*|(?:aws|awscc)_(?:lakeformation|identitystore|rolesanywhere)_.*|"
    r"aws_s3_bucket_acl|"
    # Roles for whom the resource itself names.
    r"(?:aws|awscc)_(?:eks_pod_identity_association|cognito_identity_pool_roles?_attachment|iot_policy(?:_attachment)?|"
    r"iot_role_alias|opensearchserverless_access_policy)|"
    r"aws_organizations_delegated_administrator|aws_iam_organizations_features"
)
#: Those of them that only give: where they go, something is taken away.
GIVING = re.compile(
    r"(?:aws|awscc)_.*_permissions?|aws_ram_.*|(?:aws_s3control|awscc_s3)_access_grant.*|(?:aws|awscc)_kms_grant|"
    r"(?:aws|awscc)_(?:lakeformation|identitystore|rolesanywhere)_.*|aws_ssoadmin_account_assignment|"
    r"(?:aws|awscc)_(?:eks_pod_identity_association|cognito_identity_pool_roles?_attachment|iot_policy(?:_attachment)?|"
    r"iot_role_alias|opensearchserverless_access_policy)|"
    r"aws_organizations_delegated_administrator|aws_iam_organizations_features|aws_iam_service_linked_role"
)
#: Arguments that let others do something without a policy, by type, and what one more of them is.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "aws_iam_openid_connect_provider": {
        "client_id_list": "an identity provider takes tokens for another audience",
        "thumbprint_list": "an identity provider is trusted with another certificate",
    },
    "aws_iam_saml_provider": {"saml_metadata_document": "an identity provider has other metadata"},
    "aws_s3_bucket": {"acl": "another ACL of a bucket"},
    "aws_lambda_function_url": {"authorization_type": "a function is called with other credentials"},
    "aws_db_snapshot": {"shared_accounts": "a snapshot is shared with another account"},
}
BLOCKS = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
PUBLIC_ACCESS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
NOT_BLOCKED = "public access is not blocked"


#: Begin the types of AWS's providers.
AWS = ("aws_", "awscc_")
#: Of these only one argument changes who may do what.
MATTERING = {
    "aws_vpc_endpoint": "policy",
    "aws_kms_replica_key": "policy",
    "aws_kms_external_key": "policy",
    "aws_organizations_account": "parent_id",
    "aws_organizations_organizational_unit": "parent_id",
}


class _Resource(NamedTuple):
    """A resource on one side of a plan: its values, and which of them are unknown."""

    address: str
    type: str
    values: Json
    unknown: Json
    provider: str
    #: A former one that another replaced, and that is still to go.
    is_deposed: bool = False

    def get(self, name: str) -> Any:
        return None if isinstance(self.unknown.get(name), str) else self.values.get(name)

    def is_unknown(self, name: str) -> bool:
        return bool(self.unknown.get(name)) and not self.get(name)

    @property
    def module(self) -> str:
        """The address of its module with a dot behind, empty for the root."""
        end = self.address.rfind(f"{self.type}.")
        return self.address[:end]

    @property
    def instance(self) -> str:
        """The index in its address, with its brackets."""
        found = INDEX.search(self.address[len(self.module) :])
        return found.group() if found else ""


def recognises(names: Iterable[str]) -> bool:
    """Whether an object with these members is a plan."""
    return {"resource_changes", "planned_values"} <= {*names} or {"format_version", "resource_changes"} <= {*names}


def read_plan(plan: Json, account: str | None = None) -> Infrastructure:
    """Return the facts of a plan before and after it. ``account`` counts where no ARN of the plan tells one.

    Members of the wrong shape are left out with a remark.
    """
    remarks: list[str] = []
    changes = [one for one in _list(plan.get("resource_changes")) if isinstance(one, dict)]
    deferred = frozenset(INDEX.sub("", str(one.get("address"))) for one in changes if one.get("mode") == "data")
    config = _Configuration(_dict(plan.get("configuration")), deferred)
    accounts = _Accounts(changes, config, account, plan)
    facts: dict[Side, Facts] = {}
    sides: tuple[Side, Side] = ("before", "after")
    documents = _documents(changes)
    former: _Reading | None = None
    replaced: frozenset[Principal] = frozenset()
    for side in sides:
        resources = [r for change in changes if (r := _resource(change, side, config)) is not None]
        reading = _Reading(resources, config, accounts, documents, remarks if side == "after" else [], former)
        facts[side] = reading.facts()
        replaced = replaced or frozenset(reading.principals(filter(_is_replaced, changes)))
        former = reading
    facts["after"] |= dict.fromkeys(_doubts(plan, changes, config), True)
    if accounts.is_guessed:
        remarks.append(f"nothing in the plan tells its account: {NO_ACCOUNT} stands for it; give --account ID")
    return Infrastructure(facts["before"], facts["after"], tuple(dict.fromkeys(remarks)), replaced)


def _is_replaced(change: Json) -> bool:
    return {"create", "delete"} <= {*map(str, _list(_dict(change.get("change")).get("actions")))}


def _doubts(plan: Json, changes: Iterable[Json], config: "_Configuration") -> Iterator[Doubt]:
    """Yield what a plan does or may do that is not read, and that may change who may do what."""
    if plan.get("complete") is False or plan.get("deferred_changes"):
        told = "a further plan follows this one, whose changes are not seen"
        yield Doubt("complete", told, digest([plan.get("deferred_changes"), plan.get("complete")]))
    if plan.get("errored") is True:
        yield Doubt("errored", "the plan ended in an error: what it does not hold is not seen")
    listed = plan.get("resource_changes")
    for number, change in enumerate(listed if isinstance(listed, list) else [listed]):
        delta = _dict(_dict(change).get("change"))
        sides = [delta.get("before"), delta.get("after")]
        is_whole = all(isinstance(_dict(change).get(name), str) for name in ("address", "type"))
        if not is_whole or not isinstance(delta.get("actions"), list) or any(map(_is_odd, sides)):
            told = "address, type and change with its actions are expected here; this entry is not read"
            yield Doubt(f"resource_changes[{number}]", told, digest(change))
    for change in changes:
        delta = _dict(change.get("change"))
        actions = _list(delta.get("actions"))
        kind = str(change.get("type"))
        if actions in (["no-op"], ["read"]):
            continue
        address, whole = str(change.get("address")), [delta.get("after"), delta.get("after_unknown")]
        is_mattering = not (kind in MATTERING and _is_same(delta, MATTERING[kind]))
        is_mattering = is_mattering and not (actions == ["delete"] and GIVING.fullmatch(kind))
        if kind not in READERS and UNREAD.fullmatch(kind) and is_mattering:
            yield Doubt(address, f"resources of type {kind} are not read; its change is not seen", digest(whole))
        elif names := sorted(_unread_policies(change, config)):
            told = f"{', '.join(names)} of {kind} is not read; who may do what through it is not seen"
            yield Doubt(address, told, digest(whole))


def _unread_policies(change: Json, config: "_Configuration") -> Iterator[str]:
    """Yield the arguments of a resource that hold a policy which no reader reads, and that change."""
    kind, delta = str(change.get("type")), _dict(change.get("change"))
    if change.get("mode", "managed") != "managed" or (kind in READERS and kind not in RESOURCE_POLICIES):
        return
    read = RESOURCE_POLICIES[kind][0] if kind in RESOURCE_POLICIES else None
    before, after, unknown = (_dict(delta.get(name)) for name in ("before", "after", "after_unknown"))
    for name in {*before, *after, *unknown} - {read}:
        is_held = any(holds_policy({name: side.get(name)}, _is_never) for side in (before, after))
        # What the configuration does not give is only read back.
        is_open = kind.startswith(AWS) and config.gives(str(change.get("address")), name) is not False
        is_held = is_held or (is_open and holds_policy({name: unknown.get(name)}, _is_flag))
        if is_held and not _is_same(delta, name):
            yield name


def _flagged(flags: Any) -> Any:
    """Return marks of what is unknown with texts in their place."""
    if isinstance(flags, dict):
        return {name: _flagged(one) for name, one in flags.items()}
    return [_flagged(one) for one in flags] if isinstance(flags, list) else "unknown" if flags is True else None


def _is_never(value: Any) -> bool:
    return False


def _is_flag(value: Any) -> bool:
    return value is True


def _is_same(delta: Json, argument: str) -> bool:
    """Whether an argument stays as it is."""
    before, after = (_dict(delta.get(side)).get(argument) for side in ("before", "after"))
    return bool(before == after and not _is_unknown_within(_dict(delta.get("after_unknown")).get(argument)))


def _is_odd(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def _documents(changes: Iterable[Json]) -> dict[str, Json]:
    """Return what is known of the data sources aws_iam_policy_document that are read only at apply, by address."""
    return {
        str(change.get("address")): _dict(change.get("change"))
        for change in changes
        if change.get("mode") == "data" and change.get("type") == "aws_iam_policy_document"
    }


def drafted(change: Json) -> str | None:
    """Return the Allow statements of a policy document that is not known as a whole, as far as they are known.

    What is unknown counts as what allows most: the rest of it can only allow less. A Deny is left out.
    """
    after, unknown = _dict(change.get("after")), _dict(change.get("after_unknown"))
    flags = _list(unknown.get("statement"))
    statements = []
    for number, statement in enumerate(map(_dict, _list(after.get("statement")))):
        flag = _dict(flags[number]) if number < len(flags) else {}
        if (statement.get("effect") or "Allow") == "Allow":
            statements.append(_drafted_statement(statement, flag))
    if not statements:
        return None
    return json.dumps({"Version": after.get("version") or "2012-10-17", "Statement": statements})


def _drafted_statement(statement: Json, flag: Json) -> Json:
    found: Json = {"Effect": "Allow"}
    if statement.get("sid"):
        found["Sid"] = statement["sid"]
    for positive, element in (("actions", "Action"), ("resources", "Resource")):
        negative = f"not_{positive}"
        if statement.get(negative) and not _is_partly_unknown(flag.get(negative)):
            found[f"Not{element}"] = _variables(statement[negative])
        elif _is_partly_unknown(flag.get(positive)) or _is_partly_unknown(flag.get(negative)):
            found[element] = "*"
        else:
            found[element] = _variables(statement.get(positive)) or "*"
    conditions: dict[str, Json] = {}
    marks = _list(flag.get("condition"))
    for number, condition in enumerate(map(_dict, _list(statement.get("condition")))):
        if not (number < len(marks) and _is_unknown_within(marks[number])):
            values = conditions.setdefault(str(condition.get("test")), {})
            values.setdefault(str(condition.get("variable")), []).extend(_variables(condition.get("values")))
    return {**found, **({"Condition": conditions} if conditions else {})}


def _variables(texts: Any) -> list[str]:
    """Return texts with policy variables as policies write them: the data source writes &{...}."""
    return [str(text).replace("&{", "${") for text in _list(texts) if text is not None]


def _is_unknown_within(value: Any) -> bool:
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is True or isinstance(value, str) or any(map(_is_unknown_within, held))


def _resource(change: Json, side: Side, config: "_Configuration") -> _Resource | None:
    delta = _dict(change.get("change"))
    values = delta.get(side)
    if values is None and "forget" in _list(delta.get("actions")):
        # What Terraform forgets stays as it was.
        values = delta.get("before")
    if change.get("mode", "managed") != "managed" or not isinstance(values, dict):
        return None
    unknown = _dict(delta.get("after_unknown")) if side == "after" else {}
    address, kind = str(change.get("address")), str(change.get("type"))
    is_same = _list(delta.get("actions")) in (["no-op"], ["read"])
    unknown = {**unknown, **_redacted(values, delta.get(f"{side}_sensitive"), "" if is_same else side)}
    return _Resource(address, kind, values, unknown, config.provider(address), "deposed" in change)


def _redacted(values: Json, marks: Any, side: str) -> Json:
    """Return the arguments that are sensitive and whose documents somebody took out of the plan: they are unknown, and
    on each side another unknown, unless nothing changes."""
    gone = {
        name
        for name, mark in _dict(marks).items()
        if mark is True and name in DOCUMENTS and not _is_document(values.get(name))
    }
    inline = [one for one in map(_dict, _list(values.get("inline_policy"))) if one.get("policy")]
    if _is_unknown_within(_dict(marks).get("inline_policy")) and not all(_is_document(one["policy"]) for one in inline):
        gone.add("inline_policy")
    return dict.fromkeys(gone, f"redacted {side}")


def _is_document(text: Any) -> bool:
    try:
        return isinstance(text, dict) or isinstance(json.loads(text), dict)
    except (TypeError, ValueError, RecursionError):
        return False


class _Target(NamedTuple):
    """A resource that a reference leads to: its address without an index, and the index that is written there."""

    base: str
    instance: str


class _Configuration:
    """The expressions of a plan's configuration: what an unknown value refers to."""

    def __init__(self, configuration: Json, deferred: frozenset[str] = frozenset()) -> None:
        #: Data sources that are read only at apply, by their addresses without indices.
        self._deferred = deferred
        self._found: dict[str, Json] = {}
        self._outputs: dict[str, Json] = {}
        self._calls: dict[str, Json] = {}
        self._providers = _dict(configuration.get("provider_config"))
        self._visit(_dict(configuration.get("root_module")), "")

    def _visit(self, module: Json, prefix: str) -> None:
        for resource in _list(module.get("resources")):
            if isinstance(resource, dict):
                self._found[prefix + str(resource.get("address"))] = resource
        self._outputs[prefix] = _dict(module.get("outputs"))
        for name, call in _dict(module.get("module_calls")).items():
            self._calls[f"{prefix}module.{name}."] = _dict(_dict(call).get("expressions"))
            self._visit(_dict(_dict(call).get("module")), f"{prefix}module.{name}.")

    def _of(self, address: str) -> Json:
        return self._found.get(INDEX.sub("", address), {})

    def region(self, provider: str) -> str | None:
        """Return the region of a provider where it is written out."""
        expressions = _dict(_dict(self._providers.get(provider or "aws")).get("expressions"))
        found = _dict(expressions.get("region")).get("constant_value")
        return found if isinstance(found, str) else None

    def has_default_tags(self, address: str) -> bool | None:
        """Whether the provider of a resource gives tags by default; None where there is no configuration of it."""
        provider = self._providers.get(self.provider(address))
        return "default_tags" in _dict(provider.get("expressions")) if isinstance(provider, dict) else None

    def provider(self, address: str) -> str:
        return str(self._of(address).get("provider_config_key", ""))

    def gives(self, address: str, argument: str) -> bool | None:
        """Whether a resource's configuration has an argument; None where there is no configuration of it."""
        found = self._of(address)
        return argument in _dict(found.get("expressions")) if found else None

    def references(self, address: str, argument: str) -> list[str]:
        """Return what an argument's expression refers to; that of a block, its own arguments' do."""
        return _references(_dict(self._of(address).get("expressions")).get(argument))

    def targets(
        self, module: str, references: Sequence[str], kind: str, depth: int = DEEPEST
    ) -> Iterator[_Target | None]:
        """Yield the resources of a type that references of a module lead to, through outputs and variables; None for
        each that leads to anything else whose value the plan may not know."""
        for text in references:
            inner, variable, outer = OUTPUT.match(text), VARIABLE.match(text), MODULE.match(module)
            found = REFERENCE.match(text)
            if found and found[1] == kind:
                yield _Target(f"{module}{kind}.{found[2]}", found[3] or "")
            elif inner and depth:
                place = f"{module}{inner[1]}."
                output = self._outputs.get(INDEX.sub("", place), {}).get(inner[2])
                leads = self.targets(place, _references(_dict(output).get("expression")), kind, depth - 1)
                yield from leads if isinstance(output, dict) else [None]
            elif variable and not outer:
                # The plan knows the variables of its root.
                continue
            elif variable and outer and depth:
                given = self._calls.get(INDEX.sub("", module), {}).get(variable[1])
                yield from self.targets(outer[1], _references(given), kind, depth - 1)
            elif not (KNOWN_AT_PLAN.match(text) or _is_prefix(text, references) or self._is_read(module, text)):
                yield None

    def _is_read(self, module: str, reference: str) -> bool:
        """Whether a reference is to a data source that was read for the plan."""
        found = DATA_SOURCE.match(reference)
        return found is not None and f"{INDEX.sub('', module)}{found.group()}" not in self._deferred


def _is_prefix(reference: str, references: Iterable[str]) -> bool:
    """Whether a reference only begins another one: the plan repeats what holds a value beside the value."""
    return any(other.startswith((f"{reference}.", f"{reference}[")) for other in references)


def _references(expression: Any) -> list[str]:
    found: list[str] = []
    waiting = [expression]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict) and "references" in one:
            found += map(str, _list(one["references"]))
        elif isinstance(one, dict):
            waiting += [inner for inner in one.values() if isinstance(inner, dict | list)]
    return found


class _Accounts:
    """Which account and partition a resource is in: as its ARN says, else as those of its provider do."""

    def __init__(self, changes: Iterable[Json], config: _Configuration, given: str | None, plan: Json) -> None:
        counted: dict[str, Counter[tuple[str, str]]] = {}
        for change in changes:
            delta = _dict(change.get("change"))
            for side in ("before", "after"):
                for found in _iam_arns(_dict(delta.get(side))):
                    provider = config.provider(str(change.get("address")))
                    counted.setdefault(provider, Counter())[found] += 1
                    counted.setdefault("*", Counter())[found] += 1
        self._by_provider = {provider: found.most_common(1)[0][0] for provider, found in counted.items()}
        caller = _caller(plan)
        self.is_guessed = not (given or self._by_provider or caller)
        fallback = ("aws", given or caller or NO_ACCOUNT)
        self._default = ("aws", given) if given else self._by_provider.get("*", fallback)
        self._is_given = given is not None
        self._apart: dict[str, tuple[str, str]] = {}
        self._tell_apart(changes, config)

    def of(self, resource: _Resource) -> tuple[str, str]:
        """Return partition and account."""
        own = next(_iam_arns(resource.values), None)
        return own or self._of_provider(resource.provider)

    def _of_provider(self, provider: str) -> tuple[str, str]:
        if provider in self._apart:
            return self._apart[provider]
        return self._default if self._is_given else self._by_provider.get(provider, self._default)

    def _tell_apart(self, changes: Iterable[Json], config: _Configuration) -> None:
        """Give providers accounts of their own where two principals or policies of one name would be in one account."""
        sides: tuple[Side, Side] = ("before", "after")
        for side in sides:
            found = (_resource(change, side, config) for change in changes)
            named = [one for one in found if one and one.type in NAMED_ONCE and one.get("name") and not one.is_deposed]
            taken: dict[tuple[str, str, str], _Resource] = {}
            # Those whose ARN is known first: the account of the others is a guess.
            for resource in sorted(named, key=lambda one: not _has_arn(one)):
                key = (self.of(resource)[1], resource.type, str(resource.get("name")))
                other = taken.setdefault(key, resource)
                if other.provider != resource.provider and not _has_arn(resource):
                    self._apart[resource.provider] = self._other_account(resource.provider)

    def _other_account(self, provider: str) -> tuple[str, str]:
        """Return the account of a provider that is not in the one that was taken for its own."""
        known = self._by_provider.get(provider) if self._is_given else None
        return known or ("aws", f"{len(self._apart) + 1:0{len(NO_ACCOUNT)}}")


def _has_arn(resource: _Resource) -> bool:
    return any(_iam_arns(resource.values))


def _iam_arns(values: Json) -> Iterator[tuple[str, str]]:
    found = IAM_ARN.match(values["arn"]) if isinstance(values.get("arn"), str) else None
    if found:
        yield found[1], found[2]


def _caller(plan: Json) -> str | None:
    """Return the account that the data source aws_caller_identity of the prior state tells."""
    module = _dict(_dict(_dict(plan.get("prior_state")).get("values")).get("root_module"))
    waiting = [module]
    while waiting:
        one = waiting.pop()
        waiting += [_dict(child) for child in _list(one.get("child_modules"))]
        for resource in map(_dict, _list(one.get("resources"))):
            if resource.get("type") == "aws_caller_identity":
                found = _dict(resource.get("values")).get("account_id")
                return str(found) if found else None
    return None


class _Reading:
    """Turns the resources of one side into facts."""

    def __init__(
        self,
        resources: Iterable[_Resource],
        config: _Configuration,
        accounts: _Accounts,
        documents: Mapping[str, Json],
        remarks: list[str],
        former: "_Reading | None" = None,
    ) -> None:
        listed = sorted(resources, key=lambda one: (not one.is_deposed, one.type != "aws_kms_key"))
        self.resources = {one.address: one for one in listed if not one.is_deposed}
        #: What goes once its replacement is there counts before, beneath it.
        self.read_in_turn = listed
        self.config, self.accounts, self.documents, self.remarks = config, accounts, documents, remarks
        #: The side before the plan, where this is the one after it.
        self.former = former
        self.found: Facts = {}
        self.drafts: dict[str, str] = {}
        #: Why the principal of a resource is not told, by the resource's address.
        self.untold: dict[str, str] = {}
        #: Keys whose policy only the key itself tells so far.
        self.keys: set[str] = set()
        self.apart = self._told_apart()

    def _told_apart(self) -> frozenset[tuple[Principal, str]]:
        """Return the policies of roles that resources of their own bring on this side: roles, with names or ARNs of
        policies. The provider reads them back into the role's own lists."""
        found = set()
        for resource in self.resources.values():
            if resource.type in ROLE_POLICIES:
                policy = str(resource.get("policy_arn") or resource.get("name"))
                names = [resource.get("role"), *_list(resource.get("roles"))]
                told = [str(name) for name in names if name and len(self.namesakes(resource, str(name), "role")) < 2]
                found |= {(self.called(resource, name, "role"), policy) for name in told}
        return frozenset(found)

    def facts(self) -> Facts:
        for resource in self.read_in_turn:
            read = READERS.get(resource.type)
            if read:
                read(self, resource)
            elif resource.type.startswith(AWS):
                self.set_apart(resource)
        for key in [key for key in self.found if isinstance(key, Attached) and key.arn in self.drafts]:
            name = key.arn.rsplit("/", 1)[-1]
            self.found[Inline(key.owner, f"{name}{DRAFT}")] = self.drafts[key.arn]
        former = self.former.untold if self.former else {}
        for address in former.keys() - self.resources.keys():
            self.found[Doubt(address, f"{former[address]}; what goes may have limited it")] = True
        for held in self.former.found if self.former else ():
            if isinstance(held, Setting) and held.what == NOT_BLOCKED:
                self.found.setdefault(held, frozenset(PUBLIC_ACCESS))
        return self.found

    def set_apart(self, resource: _Resource) -> None:
        """Note what of a resource lets others do something without a policy."""
        roles = {*roles_in(resource.values)}
        given = {
            name: flag
            for name, flag in resource.unknown.items()
            if self.config.gives(resource.address, name) is not False
        }
        if any(roles_in(_flagged(given))):
            roles.add(f"known only after apply ({digest([resource.unknown, resource.address])})")
        if roles:
            self.found[Setting(resource.address, "it runs with another role")] = frozenset(roles)
        for argument, what in SETTINGS.get(resource.type, {}).items():
            held = resource.get(argument) if not resource.is_unknown(argument) else "known only after apply"
            listed = held if isinstance(held, list) else [] if held is None else [held]
            self.found[Setting(resource.address, what)] = frozenset(map(str, listed))
        if resource.type in BLOCKS:
            off = frozenset(flag for flag in PUBLIC_ACCESS if resource.get(flag) is not True)
            self.found[Setting(resource.address, NOT_BLOCKED)] = off

    def principals(self, changes: Iterable[Json]) -> Iterator[Principal]:
        """Yield the principals that changes are about, as they are on this side."""
        for change in changes:
            kind = str(change.get("type"))
            resource = self.resources.get(str(change.get("address")))
            if resource and READERS.get(kind) is _Reading.read_principal:
                yield self.owner(resource, OWNERS[kind])

    # Values, and what unknown ones refer to.

    def named(self, resource: _Resource) -> str:
        """Return a resource's name: as written, else one that tells its address."""
        name = resource.get("name")
        return str(name) if name else f"{resource.get('name_prefix') or ''}{resource.address}"

    def owner(self, resource: _Resource, kind: Kind) -> Principal:
        _, account = self.accounts.of(resource)
        return Principal(account, kind, self.named(resource))

    def policy_arn(self, resource: _Resource) -> str:
        if resource.get("arn"):
            return str(resource.get("arn"))
        partition, account = self.accounts.of(resource)
        return f"arn:{partition}:iam::{account}:policy{resource.get('path') or '/'}{self.named(resource)}"

    def referred(self, resource: _Resource, argument: str, kind: str) -> _Resource | None:
        """Return the resource of a type that an argument's expression refers to; None where that is not one alone."""
        found, is_whole = self.all_referred(resource, argument, kind)
        return found[0] if is_whole and len(found) == 1 else None

    def all_referred(self, resource: _Resource, argument: str, kind: str) -> tuple[list[_Resource], bool]:
        """Return the resources of a type that an argument's expression refers to, and whether nothing else that the
        plan may not know is in it."""
        references = self.config.references(resource.address, argument)
        targets = {*self.config.targets(resource.module, references, kind)}
        told = {target for target in targets if target is not None}
        # A resource stands beside its instance.
        told -= {_Target(target.base, "") for target in told if target.instance}
        instances = [self._instances(target, resource, references) for target in sorted(told)]
        found = [one for listed in instances for one in listed]
        return found, bool(found) and None not in targets and all(instances)

    def _instances(self, target: _Target, resource: _Resource, references: Iterable[str]) -> list[_Resource]:
        """Return the instances of a resource that a reference leads to: the one that is written there, that of the same
        index where the expression speaks of the index, else all."""
        base, index = target
        if index or base in self.resources:
            found = self.resources.get(base + index)
            return [found] if found else []
        listed = [one for one in self.resources.values() if one.address.startswith(f"{base}[")]
        whole = {text for text in references if not _is_prefix(text, references)}
        if SAME_INDEX & whole and len(listed) > 1:
            return [one for one in listed if one.address == base + resource.instance]
        is_elsewhere = len(listed) > 1 and any(map(OTHER_INDEX.match, whole))
        return [] if is_elsewhere else listed

    def principal(self, resource: _Resource, argument: str, kind: Kind) -> Principal:
        """Return the principal that an argument names, by name or by ARN; one that is not known is nobody yet."""
        value = resource.get(argument)
        if value:
            return self.called(resource, str(value), kind)
        target = self.referred(resource, argument, f"aws_iam_{kind}")
        return self.owner(target, kind) if target else self.nobody(resource, argument, kind)

    def nobody(self, resource: _Resource, argument: str, kind: Kind) -> Principal:
        """Return a principal that stands for one that is known only after apply."""
        owner, attributes = nobody(self.accounts.of(resource)[1], kind, resource.address)
        self.tell(resource, argument, f"{attributes.arn} stands for this {kind}")
        self.found[owner] = attributes
        self.found[Unread(owner, f"{resource.address}: {argument}", self.detail(resource, argument))] = True
        return owner

    def called(self, resource: _Resource, name: str, kind: Kind) -> Principal:
        """Return the principal of a name in the account of a resource, which may be in the same plan. Where that may be
        one of several of that name, one stands for whichever it is."""
        found = self.namesakes(resource, name, kind)
        if len(found) == 1:
            return found[0]
        if found:
            told = f"nothing in the plan tells which of {len(found)} of the name {name} this {kind} is"
            self.untold[resource.address] = told
            self.found[Doubt(resource.address, told, digest(resource.values))] = True
            return self.nobody(resource, f"which {kind} of the name {name} it is", kind)
        return Principal(self.accounts.of(resource)[1], kind, name.rsplit("/", 1)[-1])

    def namesakes(self, resource: _Resource, name: str, kind: Kind) -> list[Principal]:
        """Return the principals of a name among the resources of the same provider."""
        found = (one for one in self.resources.values() if one.type == f"aws_iam_{kind}" and one.get("name") == name)
        return sorted({self.owner(one, kind) for one in found if one.provider == resource.provider})

    def tell(self, resource: _Resource, argument: str, what: str) -> None:
        self.remarks.append(f"{resource.address}: {argument} is known only after apply: {what}")

    def document(self, resource: _Resource, argument: str) -> str | Unresolved:
        text = text_of(resource.get(argument))
        if text is not None:
            return text
        if resource.is_unknown(argument):
            self.tell(resource, argument, "whoever has this policy is marked incomplete")
        return Unresolved(self.detail(resource, argument))

    def detail(self, resource: _Resource, argument: str) -> str:
        """Return what tells an unknown argument from another: the expression of the configuration, and what is known of
        the policy documents that it refers to."""
        references = self.config.references(resource.address, argument)
        found = (DATA.match(text) for text in references)
        documents = [
            self.documents.get(f"{resource.module}{name.group()}{resource.instance}") for name in found if name
        ]
        return digest([references, resource.unknown.get(argument), documents])

    def drafted(self, resource: _Resource, argument: str) -> str | None:
        """Return a policy that is known only after apply as far as its aws_iam_policy_document tells: an unknown
        resource is any, an unknown condition none. None where there is no such document, or nothing in it allows."""
        if resource.get(argument) or not resource.is_unknown(argument):
            return None
        names = (DATA.match(text) for text in self.config.references(resource.address, argument))
        found = {name[1] for name in names if name}
        if len(found) != 1:
            return None
        base = f"{resource.module}data.aws_iam_policy_document.{found.pop()}"
        value = self.documents.get(base + resource.instance) or self.documents.get(base)
        return drafted(value) if value else None

    def attach(self, owner: Principal, resource: _Resource, argument: str = "policy_arn") -> None:
        arn = resource.get(argument)
        target = None if arn else self.referred(resource, argument, "aws_iam_policy")
        if arn:
            self.found[Attached(owner, str(arn))] = True
        elif target:
            self.found[Attached(owner, self.policy_arn(target))] = True
        else:
            self.unread(owner, resource, argument)

    def unread(self, owner: Principal, resource: _Resource, argument: str) -> None:
        """Mark a principal of which an argument is known only after apply."""
        self.tell(resource, argument, f"{owner.kind} {owner.name} is marked incomplete")
        self.found[Unread(owner, f"{resource.address}: {argument}", self.detail(resource, argument))] = True

    # Types of resources.

    def read_principal(self, resource: _Resource) -> None:
        kind = OWNERS[resource.type]
        owner = self.owner(resource, kind)
        path = str(resource.get("path") or "/")
        partition, _ = self.accounts.of(resource)
        arn = str(resource.get("arn") or arn_of(owner, path, partition))
        boundary = resource.get("permissions_boundary")
        if not boundary and resource.is_unknown("permissions_boundary"):
            target = self.referred(resource, "permissions_boundary", "aws_iam_policy")
            boundary = self.policy_arn(target) if target else None
            if boundary is None:
                self.unread(owner, resource, "permissions_boundary")
        trust = resource.get("assume_role_policy") if kind == "role" else None
        if kind == "role" and not trust:
            self.unread(owner, resource, "assume_role_policy")
        tags = _dict(resource.get("tags_all")) or _dict(resource.get("tags"))
        if self._has_unknown_tags(resource):
            self.unread(owner, resource, "tags")
        listed = tuple(sorted((str(key), str(value)) for key, value in tags.items() if value is not None))
        own_id = resource.get("unique_id")
        self.found[owner] = Attributes(arn, path, text_of(trust), boundary, listed, str(own_id) if own_id else None)
        if kind == "role":
            self._of_role(resource, owner)

    def _has_unknown_tags(self, resource: _Resource) -> bool:
        """Whether a tag of a principal is unknown. Of one without tags of its own the provider may leave ``tags_all``
        unknown as a whole: that counts unless its configuration has no default tags."""
        own, every = (resource.unknown.get(name) for name in ("tags", "tags_all"))
        is_whole = every is True
        return (
            _is_unknown_within(own)
            or (not is_whole and _is_unknown_within(every))
            or (is_whole and self.config.has_default_tags(resource.address) is not False)
        )

    def _of_role(self, resource: _Resource, owner: Principal) -> None:
        """Read the policies that stand in a role itself."""
        listed = _list(resource.get("inline_policy"))
        flags = _list(resource.unknown.get("inline_policy"))
        for number, inline in enumerate(map(_dict, listed)):
            flag = _dict(flags[number]) if number < len(flags) else {}
            is_told = inline.get("name") or inline.get("policy") or any(flag.values())
            place = f"{resource.address}.inline_policy[{number}]"
            name = str(inline.get("name") or place)
            if is_told and not self._is_repeated(resource, "inline_policy", owner, name):
                text = text_of(inline.get("policy"))
                # Beside a resource of the same name nobody knows which text is written last: both count.
                key = Inline(owner, place if (owner, name) in self.apart else name)
                self.found[key] = text or Unresolved(self.detail(resource, "inline_policy"))
        if self._is_unknown_of_role(resource, "inline_policy") and not listed:
            self.unread(owner, resource, "inline_policy")
        for arn in _list(resource.get("managed_policy_arns")):
            is_arn = isinstance(arn, str) and arn
            if is_arn and not self._is_repeated(resource, "managed_policy_arns", owner, arn):
                self.found[Attached(owner, arn)] = True
        if self._is_unknown_of_role(resource, "managed_policy_arns"):
            self._of_references(resource, owner)

    def _is_repeated(self, resource: _Resource, argument: str, owner: Principal, policy: str) -> bool:
        """Whether a role's list has a policy only because the provider read it back: what resources of their own bring
        is in the list too, and after a plan that takes it away still is. A list that the configuration gives, or that
        the plan changes, says what will be; where neither tells, the policy counts and the role is incomplete."""
        if self.former is None:
            return (owner, policy) in self.apart
        if (owner, policy) not in self.apart | self.former.apart:
            return False
        before = self.former.resources.get(resource.address)
        is_given = self.config.gives(resource.address, argument)
        if is_given or before is None or before.get(argument) != resource.get(argument):
            return False
        if is_given is None and (owner, policy) not in self.apart:
            self.unread(owner, resource, argument)
            return False
        return True

    def _is_unknown_of_role(self, resource: _Resource, argument: str) -> bool:
        """Whether a part of a role's own list is unknown. Of a new role both lists always are: the provider reads them
        back; so that counts only where the configuration gives the argument, or is not there to tell."""
        is_given = self.config.gives(resource.address, argument)
        return is_given is not False and _is_unknown_within(resource.unknown.get(argument))

    def _of_references(self, resource: _Resource, owner: Principal) -> None:
        """Attach the policies of the plan that a role's list of unknown ARNs refers to."""
        found, is_whole = self.all_referred(resource, "managed_policy_arns", "aws_iam_policy")
        arns = {self.policy_arn(target) for target in found} - {*map(str, _list(resource.get("managed_policy_arns")))}
        self.found |= {Attached(owner, arn): True for arn in arns}
        if not is_whole or len(arns) < _count(resource.unknown.get("managed_policy_arns")):
            self.unread(owner, resource, "managed_policy_arns")

    def read_policy(self, resource: _Resource) -> None:
        arn = self.policy_arn(resource)
        self.found[ManagedPolicy(arn)] = self.document(resource, "policy")
        draft = self.drafted(resource, "policy")
        if draft:
            self.drafts[arn] = draft

    def read_inline(self, resource: _Resource) -> None:
        kind = OWNERS[resource.type]
        owner = self.principal(resource, kind, kind)
        self.found[Inline(owner, self.named(resource))] = self.document(resource, "policy")
        draft = self.drafted(resource, "policy")
        if draft:
            self.found[Inline(owner, f"{self.named(resource)}{DRAFT}")] = draft

    def read_attachment(self, resource: _Resource) -> None:
        kind = OWNERS[resource.type]
        self.attach(self.principal(resource, kind, kind), resource)

    def read_attachments(self, resource: _Resource) -> None:
        for kind in KINDS:
            for owner in self.several(resource, f"{kind}s", kind):
                self.attach(owner, resource)

    def several(self, resource: _Resource, argument: str, kind: Kind) -> Iterator[Principal]:
        """Yield the principals that a list names. Entries that are not known are those that it refers to beside the
        known ones, or nobody yet."""
        known = {self.called(resource, str(name), kind) for name in _list(resource.get(argument)) if name}
        yield from sorted(known)
        flags = resource.unknown.get(argument)
        if _is_partly_unknown(flags):
            found, is_whole = self.all_referred(resource, argument, f"aws_iam_{kind}")
            owners = {self.owner(target, kind) for target in found} - known
            yield from sorted(owners)
            if not is_whole or len(owners) < _count(flags):
                yield self.nobody(resource, argument, kind)

    def read_membership(self, resource: _Resource) -> None:
        for user in self.several(resource, "users", "user"):
            self.join(resource, user, self.principal(resource, "group", "group"))

    def read_groups_of_user(self, resource: _Resource) -> None:
        user = self.principal(resource, "user", "user")
        for group in self.several(resource, "groups", "group"):
            self.join(resource, user, group)

    def join(self, resource: _Resource, user: Principal, group: Principal) -> None:
        """Put a user into a group; who joins one that is not known yet is incomplete."""
        if self._is_nobody(group):
            self.unread(user, resource, "groups" if resource.type == "aws_iam_user_group_membership" else "group")
        else:
            self.found[Member(user, group.name)] = True

    def _is_nobody(self, owner: Principal) -> bool:
        known = self.found.get(owner)
        return isinstance(known, Attributes) and UNKNOWN in known.path

    def read_resource_policy(self, resource: _Resource) -> None:
        """Read the policy of a resource. One of a resource that is not known yet is that of a resource called after
        its address; a key without one has the policy that AWS gives it."""
        argument, service, name_argument, form = RESOURCE_POLICIES[resource.type]
        text = text_of(resource.get(argument))
        partition, account = self.accounts.of(resource)
        if resource.type == "aws_kms_key" and not text and self.config.gives(resource.address, argument) is False:
            root = f"arn:{partition}:iam::{account}:root"
            every = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
            text = text_of({"Version": "2012-10-17", "Statement": [every]})
        if text is None:
            told = f"{argument} is known only after apply: who may use this resource is not seen"
            self.found[Doubt(resource.address, told, self.detail(resource, argument))] = True
            return
        name = str(resource.get(name_argument) or resource.address)
        region = "" if service == "s3" else self._region(resource)
        owner = "" if service == "s3" else account
        arn = name if name.startswith("arn:") else f"arn:{partition}:{service}:{region}:{owner}:{form.format(name)}"
        if resource.type == "aws_kms_key":
            # What a resource of its own brings is read back here.
            self.keys.add(arn)
        elif arn in self.keys:
            self.keys.remove(arn)
        elif ResourcePolicy(arn) in self.found:
            # Its region is a guess, or two resources write the same policy: whichever counts, it is not hidden.
            told = f"its {argument} is also that of another resource, as far as the plan tells"
            self.found[Doubt(resource.address, told, digest([text]))] = True
            return
        self.found[ResourcePolicy(arn)] = text

    def _region(self, resource: _Resource) -> str:
        region = resource.get("region")
        return str(region) if region else self.config.region(resource.provider) or REGION

    def read_control(self, resource: _Resource) -> None:
        policy_type = str(resource.get("type") or "SERVICE_CONTROL_POLICY")
        if policy_type in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            value = ControlValue(
                self.named(resource), policy_type, self.document(resource, "content"), resource.get("arn")
            )
            self.found[Control(self.control_id(resource))] = value

    def control_id(self, resource: _Resource) -> str:
        return str(resource.get("id") or resource.address)

    def read_target(self, resource: _Resource) -> None:
        policy_id = resource.get("policy_id")
        if not policy_id:
            target = self.referred(resource, "policy_id", "aws_organizations_policy")
            policy_id = self.control_id(target) if target else None
        if policy_id and resource.get("target_id"):
            self.found[Target(str(policy_id), str(resource.get("target_id")))] = True
        else:
            argument = "target_id" if policy_id else "policy_id"
            told = f"{argument} is known only after apply: this attachment is not seen"
            self.found[Doubt(resource.address, told, self.detail(resource, argument))] = True


#: Policies of resources: the argument that holds it, the service, the argument that names the resource by name or ARN,
#: and how the name stands in the ARN.
RESOURCE_POLICIES: Mapping[str, tuple[str, str, str, str]] = {
    "aws_sagemaker_model_package_group_policy": (
        "resource_policy", "sagemaker", "model_package_group_name", "model-package-group/{}",
    ),
    "aws_s3_bucket_policy": ("policy", "s3", "bucket", "{}"),
    "aws_kms_key": ("policy", "kms", "arn", "key/{}"),
    "aws_kms_key_policy": ("policy", "kms", "key_id", "key/{}"),
    "aws_ecr_repository_policy": ("policy", "ecr", "repository", "repository/{}"),
    "aws_sns_topic_policy": ("policy", "sns", "arn", "{}"),
    "aws_secretsmanager_secret_policy": ("policy", "secretsmanager", "secret_arn", "secret:{}"),
}  # fmt: skip
READERS: Mapping[str, Callable[[_Reading, _Resource], None]] = {
    "aws_iam_role": _Reading.read_principal,
    "aws_iam_user": _Reading.read_principal,
    "aws_iam_group": _Reading.read_principal,
    "aws_iam_policy": _Reading.read_policy,
    "aws_iam_role_policy": _Reading.read_inline,
    "aws_iam_user_policy": _Reading.read_inline,
    "aws_iam_group_policy": _Reading.read_inline,
    "aws_iam_role_policy_attachment": _Reading.read_attachment,
    "aws_iam_user_policy_attachment": _Reading.read_attachment,
    "aws_iam_group_policy_attachment": _Reading.read_attachment,
    "aws_iam_policy_attachment": _Reading.read_attachments,
    "aws_iam_group_membership": _Reading.read_membership,
    "aws_iam_user_group_membership": _Reading.read_groups_of_user,
    "aws_organizations_policy": _Reading.read_control,
    "aws_organizations_policy_attachment": _Reading.read_target,
    **dict.fromkeys(RESOURCE_POLICIES, _Reading.read_resource_policy),
}


def _count(flags: Any) -> int:
    """Return how many entries of a list are unknown, as far as is known."""
    return sum(map(bool, flags)) if isinstance(flags, list) else 1


def _is_partly_unknown(unknown: Any) -> bool:
    return unknown is True or (isinstance(unknown, list) and any(unknown))


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
