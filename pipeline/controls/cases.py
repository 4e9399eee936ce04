"""Cases of controls: inputs with what a control must find in them. Writes inputs and compares; builds no lake.

All cases of a run lie in one lake: each is an account of its own, with its own folder of loose documents.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.controls.find import find
from pipeline.controls.model import FINDINGS, Control, NotRun
from pipeline.controls.not_run import NOT_RUN
from pipeline.errors import PolicylakeError, Reject
from pipeline.iam.model import CONTROL_TYPES
from pipeline.lake import Lake
from pipeline.user_files import read_text, toml_of

FIRST_ACCOUNT = 100_000_000_000
#: What cases write for an account that they are not in; nothing of it is in the inputs.
OTHER_ACCOUNT = "999988887777"
INPUTS = ("users", "roles", "groups", "managed", "documents", "resources", "inventory", "scp", "rcp", "files")
MEMBERS = ("name", "findings", "parameters", "may_reject", *INPUTS)
OF_PRINCIPALS = (
    "policy", "trust", "boundary", "tags", "last_used", "created", "path", "groups", "managed", "policy_name",
)  # fmt: skip
#: Fields of a finding that tell which case it is of.
PLACES = ("account_id", "principal_arn", "attached_to", "source", "resource_arn")
CREATED = "2026-01-01T00:00:00Z"
TRUST = [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}]

Json = Any


class Case(NamedTuple):
    """Inputs, and the findings of one control in them: columns with values; others may be anything."""

    control: str
    name: str
    account: str
    findings: tuple[Mapping[str, str], ...]
    parameters: Mapping[str, str]
    may_reject: bool
    inputs: Mapping[str, Json]


class Outcome(NamedTuple):
    """A case with what is wrong; None where it passed."""

    control: str
    case: str
    problem: str | None


def case_file(control: Control) -> Path:
    """Return the file of a control's cases, which stands beside it."""
    return control.path.with_suffix(".toml")


def read_cases(controls: Sequence[Control], failed: Callable[[NotRun], None] | None = None) -> tuple[Case, ...]:
    """Return the cases of the controls, each with an account of its own.

    A control whose file of cases says something wrong, or lacks a case that finds something or one that finds nothing,
    is told to ``failed``, and the cases of the others are returned; without ``failed`` it raises PolicylakeError.
    """
    cases: list[Case] = []
    for control in controls:
        path = case_file(control)
        try:
            cases += _cases_of(control, path, FIRST_ACCOUNT + len(cases))
        except PolicylakeError as error:
            if failed is None:
                raise
            failed(NotRun(control.id, str(path), str(error).removeprefix(f"{path}: ")))
    return tuple(cases)


def _cases_of(control: Control, path: Path, first: int) -> list[Case]:
    cases = [_writable(path, control, table, first + n) for n, table in enumerate(_tables(path))]
    if {bool(case.findings) for case in cases} != {True, False}:
        raise PolicylakeError(f"{path}: a [[case]] with findings is expected, and one with findings = []")
    return cases


def _writable(path: Path, control: Control, table: Json, number: int) -> Case:
    """Return a case whose inputs can be written."""
    try:
        case = _case(path, control, table, number)
        list(_files(case))
    except (AttributeError, TypeError, ValueError) as error:
        what = f"case {number - FIRST_ACCOUNT + 1} of the run is not as policylake controls new writes them ({error})"
        raise PolicylakeError(f"{path}: {what}; compare the two") from error
    return case


def _tables(path: Path) -> list[Json]:
    tables = toml_of(read_text(path, "every control has its cases in this file"), str(path))
    listed = tables.pop("case", None)
    if tables or not isinstance(listed, list):
        raise PolicylakeError(f"{path}: a table [[case]] is expected for each case, and nothing else")
    return listed


def _case(path: Path, control: Control, table: Json, number: int) -> Case:
    account, name = str(number), table.get("name") if isinstance(table, dict) else None
    if not isinstance(name, str) or not isinstance(table.get("findings"), list):
        raise PolicylakeError(f"{path}: a case has a name and findings, a list of tables; complete case {name!r}")
    place = f"{path}: case {name}"
    for member in table:
        if member not in MEMBERS:
            raise PolicylakeError(f"{place}: {member}: no member of a case; it takes {', '.join(MEMBERS)}")
    for expected in table["findings"]:
        for column in expected:
            if column not in FINDINGS.names:
                raise PolicylakeError(f"{place}: findings: {column} is no column of a finding")
    return Case(
        control.id,
        name,
        account,
        tuple({column: _filled(value, account) for column, value in one.items()} for one in table["findings"]),
        {f"{control.id}.{name}": str(value) for name, value in table.get("parameters", {}).items()},
        bool(table.get("may_reject", False)),
        {name: _parsed(table[name], account, f"{place}: {name}") for name in INPUTS if name in table},
    )


def _filled(text: str, account: str) -> str:
    return text.replace("{account}", account).replace("{other}", OTHER_ACCOUNT)


def _parsed(value: Json, account: str, place: str) -> Json:
    """Return the value with the account filled in and JSON texts read: those that begin with a bracket or a brace."""
    if isinstance(value, dict):
        return {_filled(k, account): _parsed(v, account, f"{place}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [_parsed(one, account, place) for one in value]
    text = _filled(value, account) if isinstance(value, str) else value
    if isinstance(text, str) and text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError as error:
            raise PolicylakeError(f"{place}: no JSON: {error}; mend it there") from error
    return text


def write_inputs(cases: Iterable[Case], folder: Path) -> None:
    """Write the inputs of all cases: a folder for each, named after its account, and one organization."""
    held = tuple(cases)
    for case in held:
        for name, content in _files(case):
            path = folder / case.account / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
    _write(folder / "organization.json", _organization(held))


def _write(path: Path, content: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _document(case: Case, given: Json, *what: str) -> Json:
    """Return a policy document with an Id of its own: no other case has this very document."""
    body = given if isinstance(given, dict) and "Statement" in given else {"Version": "2012-10-17", "Statement": given}
    return {**body, "Id": "-".join((case.control, case.account, *what))} if "Id" not in body else body


def _files(case: Case) -> Iterable[tuple[str, Json]]:
    given = case.inputs
    if any(name in given for name in ("users", "roles", "groups", "managed")):
        yield "account.json", _account(case)
    for name, document in given.get("documents", {}).items():
        yield f"{name}.json", _document(case, document, name)
    if "resources" in given:
        listed = given["resources"].items()
        yield (
            "resource-policies.json",
            [{"ResourceArn": arn, "ResourcePolicy": _document(case, policy, arn)} for arn, policy in listed],
        )
    if "inventory" in given:
        listed = given["inventory"].items()
        yield (
            "tags.json",
            {
                "ResourceTagMappingList": [
                    {"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
                    for arn, tags in listed
                ]
            },
        )
    yield from given.get("files", {}).items()


def _account(case: Case) -> Json:
    given = case.inputs
    arn = f"arn:aws:iam::{case.account}"
    bounds = {f"{kind}-{name}": told["boundary"] for kind in ("users", "roles") for name, told in
              given.get(kind, {}).items() if "boundary" in told}  # fmt: skip
    managed = {**given.get("managed", {}), **bounds}
    return {
        "UserDetailList": [_user(case, name, told) for name, told in given.get("users", {}).items()],
        "GroupDetailList": [
            {"GroupName": name, "Arn": f"{arn}:group/{name}", "Path": "/", **_policies(case, "Group", name, told)}
            for name, told in given.get("groups", {}).items()
        ],
        "RoleDetailList": [_role(case, name, told) for name, told in given.get("roles", {}).items()],
        "Policies": [
            {
                "PolicyName": name,
                "Arn": f"{arn}:policy/{name}",
                "DefaultVersionId": "v1",
                "PolicyVersionList": [
                    {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(case, policy, name)}
                ],
            }
            for name, policy in managed.items()
        ],
    }


def _policies(case: Case, kind: str, name: str, told: Json) -> Json:
    for member in told:
        if member not in OF_PRINCIPALS:
            raise PolicylakeError(f"{case.control}: case {case.name}: {name}.{member}: no member of a principal")
    inline = [] if "policy" not in told else [
        {
            "PolicyName": told.get("policy_name", "own"),
            "PolicyDocument": _document(case, told["policy"], kind, name),
        }
    ]  # fmt: skip
    attached = [
        {
            "PolicyName": one.rsplit("/", 1)[-1],
            "PolicyArn": one if one.startswith("arn:") else f"arn:aws:iam::{case.account}:policy/{one}",
        }
        for one in told.get("managed", ())
    ]
    return {f"{kind}PolicyList": inline, "AttachedManagedPolicies": attached}


def _bounded(case: Case, kind: str, name: str, told: Json) -> Json:
    if "boundary" not in told:
        return {}
    arn = f"arn:aws:iam::{case.account}:policy/{kind}-{name}"
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}}


def _common(case: Case, kind: str, name: str, told: Json) -> Json:
    path = told.get("path", "/")
    return {
        "Arn": f"arn:aws:iam::{case.account}:{kind}{path}{name}",
        "Path": path,
        "CreateDate": told.get("created", CREATED),
        "Tags": [{"Key": k, "Value": v} for k, v in told.get("tags", {}).items()],
        **_policies(case, kind.title(), name, told),
        **_bounded(case, f"{kind}s", name, told),
    }


def _user(case: Case, name: str, told: Json) -> Json:
    return {"UserName": name, "GroupList": list(told.get("groups", ())), **_common(case, "user", name, told)}


def _role(case: Case, name: str, told: Json) -> Json:
    used = {"RoleLastUsed": {"LastUsedDate": told["last_used"], "Region": "us-east-1"}} if "last_used" in told else {}
    trust = told.get("trust", _parsed(TRUST, case.account, "trust"))
    return {
        "RoleName": name,
        "InstanceProfileList": [],
        "AssumeRolePolicyDocument": _document(case, trust, "trust", name),
        **used,
        **_common(case, "role", name, told),
    }


FULL: Json = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
FULL_RCP = {"Version": "2012-10-17", "Statement": {**FULL["Statement"], "Principal": "*"}}
MANAGEMENT = "099999999999"
ORGANIZATION_ID = "o-controls00"
ORGANIZATION = f"arn:aws:organizations::{MANAGEMENT}"


def _organization(cases: Sequence[Case]) -> Json:
    """Return an organization with the accounts of the cases that have SCPs or RCPs."""
    inside = [case for case in cases if {"scp", "rcp"} & set(case.inputs)]
    ids = [MANAGEMENT, *(case.account for case in inside)]
    everywhere = [{"TargetId": "r-case", "Type": "ROOT"}, *({"TargetId": one, "Type": "ACCOUNT"} for one in ids)]
    policies = [
        _control_policy("p-FullAWSAccess", "SERVICE_CONTROL_POLICY", FULL, everywhere),
        _control_policy("p-RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY", FULL_RCP, everywhere),
    ]
    for case in inside:
        target = [{"TargetId": case.account, "Type": "ACCOUNT"}]
        for word, kind in CONTROL_TYPES.items():
            if kind in case.inputs:
                document = _document(case, case.inputs[kind], kind)
                policies.append(_control_policy(f"p-{kind}{case.account}", word, document, target))
    return {
        "Organization": {
            "Id": ORGANIZATION_ID,
            "MasterAccountId": MANAGEMENT,
            "Arn": f"{ORGANIZATION}:organization/{ORGANIZATION_ID}",
        },
        "Roots": [{"Id": "r-case", "Name": "Root", "Arn": f"{ORGANIZATION}:root/{ORGANIZATION_ID}/r-case"}],
        "OrganizationalUnits": [],
        "Accounts": [
            {"Id": one, "Name": one, "ParentId": "r-case", "Arn": f"{ORGANIZATION}:account/{ORGANIZATION_ID}/{one}"}
            for one in ids
        ],
        "Policies": policies,
    }


def _control_policy(name: str, kind: str, document: Json, targets: Sequence[Json]) -> Json:
    arn = f"{ORGANIZATION}:policy/{ORGANIZATION_ID}/{kind.lower()}/{name}"
    summary = {"Id": name, "Name": name, "Arn": arn, "Type": kind, "AwsManaged": False}
    return {"PolicySummary": summary, "Content": json.dumps(document), "Targets": list(targets)}


def outcomes(
    lake: Lake, controls: Sequence[Control], cases: Sequence[Case], rejects: Sequence[Reject]
) -> list[Outcome]:
    """Return what became of each case in a lake of all of them; ``rejects`` are those of its build."""
    with_cases = {case.control for case in cases}
    known = {control.id: control for control in controls if control.id in with_cases}
    common = find(lake, tuple(known.values())).to_pylist()
    found = []
    for case in cases:
        rows = common
        try:
            if case.parameters:
                rows = find(lake, (known[case.control],), case.parameters).to_pylist()
        except PolicylakeError as error:
            found.append(Outcome(case.control, case.name, str(error)))
        else:
            found.append(Outcome(case.control, case.name, _problem_of(case, rows, rejects)))
    return found


def _problem_of(case: Case, rows: Iterable[Mapping[str, Any]], rejects: Iterable[Reject]) -> str | None:
    own = []
    for row in rows:
        if row["control_id"] == NOT_RUN and row["subject"] == case.control:
            return f"{row['source']}: {row['message']}"
        if row["control_id"] == case.control and _is_of(case, row):
            own.append(row)
    left_out = [str(one) for one in rejects if one.severity == "error" and case.account in one.source]
    return left_out[0] if left_out and not case.may_reject else _problem(case.findings, own)


def _is_of(case: Case, row: Mapping[str, Any]) -> bool:
    return any(case.account in (row[name] or "") for name in PLACES)


def _problem(expected: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, Any]]) -> str | None:
    left = list(rows)
    for one in expected:
        match = next((row for row in left if all(row[name] == value for name, value in one.items())), None)
        if match is None:
            return f"no finding with {_said(one)}; found: {'; '.join(map(_brief, left)) or 'nothing'}"
        left.remove(match)
    return f"found besides: {'; '.join(map(_brief, left))}" if left else None


def _said(one: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in one.items()) or "anything"


def _brief(row: Mapping[str, Any]) -> str:
    told = f", action {row['action']}" if row["action"] else ""
    return f"subject {row['subject']}{told}: {row['message']}"
