"""Inputs for the tests of ingest: builders of small exports and a way to read them."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import Reject
from pipeline.flatten.records import Inputs, PrincipalRecord
from pipeline.ingest import read_inputs

CASES = Path(__file__).parent / "cases" / "inputs"
ACCOUNT = "111122223333"

Json = Any


def arn(tail: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{tail}"


def document(action: Json = "sagemaker:ListModels", **statement: Json) -> Json:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **statement}],
    }


def user(name: str = "ana", **members: Json) -> Json:
    return {"Arn": arn(f"user/{name}"), "UserName": name, **members}


def group(name: str = "DevTeam1", **members: Json) -> Json:
    return {"Arn": arn(f"group/{name}"), "GroupName": name, **members}


def role(name: str = "execution", **members: Json) -> Json:
    return {"Arn": arn(f"role/{name}"), "RoleName": name, **members}


def inline(name: str, policy: Json) -> Json:
    return {"PolicyName": name, "PolicyDocument": policy}


def attached(policy_arn: str) -> Json:
    return {"PolicyName": policy_arn.rsplit("/", 1)[-1], "PolicyArn": policy_arn}


def managed(policy_arn: str, policy: Json, **members: Json) -> Json:
    versions = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": policy}]
    return {"Arn": policy_arn, "PolicyName": policy_arn.rsplit("/", 1)[-1], "PolicyVersionList": versions, **members}


def export(
    users: Json = (), groups: Json = (), roles: Json = (), policies: Json = (),
) -> Json:  # fmt: skip
    return {
        "UserDetailList": list(users) if isinstance(users, tuple) else users,
        "GroupDetailList": list(groups),
        "RoleDetailList": list(roles),
        "Policies": list(policies),
    }


def write(folder: Path, name: str, value: Json) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), encoding="utf-8", newline="")
    return path


def read(folder: Path, name: str, value: Json) -> Inputs:
    """Write one file and read it."""
    return read_inputs([write(folder, name, value)])


def only_reject(inputs: Inputs) -> Reject:
    (reject,) = inputs.rejects
    return reject


def principal(inputs: Inputs, tail: str, account: str = ACCOUNT) -> PrincipalRecord:
    (found,) = [p for p in inputs.principals if p.principal_arn == arn(tail, account)]
    return found


def line_of(path: Path, text: str) -> int:
    """Return the line, from 1, on which ``text`` stands for the first time."""
    content = path.read_text(encoding="utf-8")
    return content.count("\n", 0, content.index(text)) + 1
