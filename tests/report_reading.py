"""Reads a report's data scripts and pages back, and makes inputs whose every name is hostile."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

HOSTILE = "<script>window.hit=1</script>"
#: Ends of attributes and scripts, a handler, template marks, direction marks, line separators, rare characters.
NAMES = (
    HOSTILE,
    "\"><img src=x onerror='window.hit=2'>",
    "</script><script>window.hit=3</script>",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2028new\u2029line",
    "名前-𝒳-e\u0301&amp;&lt;",
    "javascript:window.hit=4",
    "#&action=x%3Cscript%3E",
)
WORDS = {"a": "allowed", "c": "conditional", "d": "denied", "b": "blocked", "n": "none"}
HOSTILE_ACCOUNT = "123456789012"


def script(report: Path, key: str):
    """The value that ``data/<key>.js`` hands over."""
    text = (report / "data" / f"{key}.js").read_text(encoding="utf-8")
    found = re.fullmatch(r'PL\.put\("([^"]*)",(.*)\);\n', text, re.DOTALL)
    assert found, text[:200]
    assert found.group(1) == key
    value = json.loads(found.group(2))
    return unfolded(value) if key.startswith("principals/") else value


def unfolded(run: dict) -> dict:
    """Principals with their policies, and answers with their scopes, which stand once in a script."""
    for answer in run["answers"]:
        answer[3] = [run["scopes"][number] for number in answer[3]]
    for one in run["principals"]:
        one["policies"] = [run["attachments"][number] for number in one.get("policies", ())]
    return run


def rows(report: Path, key: str) -> list[list[list[str]]]:
    """The rows of a piece of a table: text, address and kind of each cell."""
    piece = script(report, key)
    cells = [[cell, "", ""] if isinstance(cell, str) else cell for cell in piece["cells"]]
    told = [[text, f"principal.html#{text}" if href == 0 else href, kind] for text, href, kind in cells]
    return [[told[number] for number in row] for row in piece["rows"]]


def runs(text: str) -> str:
    return "".join(letter * int(times) for letter, times in re.findall(r"([a-z])(\d+)", text))


def ranges(text: str) -> list[int]:
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def matrix(report: Path) -> dict[tuple[str, str], str]:
    """The verdict that the matrix shows, by principal and action."""
    index = script(report, "index")
    names = [action[0] for action in index["actions"]]
    shown = {}
    for _, _, scripts, *_ in index["accounts"]:
        for key, count in scripts:
            run = script(report, key)
            assert len(run["principals"]) == count
            vectors = [runs(text) for text in run["vectors"]]
            for arn, _, _, vector, *_ in run["principals"]:
                assert len(vectors[vector]) == len(names)
                shown.update({(arn, name): WORDS[letter] for name, letter in zip(names, vectors[vector], strict=True)})
    return shown


def principals(report: Path) -> dict[str, tuple[dict, dict]]:
    """Each principal's data with the script that it stands in."""
    index = script(report, "index")
    found = {}
    for _, key in index["principals"]:
        run = script(report, key)
        found.update({principal["arn"]: (principal, run) for principal in run["principals"]})
    return found


def arn(report: Path, account: str, name: str) -> str:
    """The ARN of a principal, whatever its path: ``name`` is type and name."""
    kind, _, own = name.partition("/")
    return next(arn for arn, (one, run) in principals(report).items()
                if run["account"] == account and one["type"] == kind and one["name"] == own)  # fmt: skip


def answer(report: Path, arn: str, action: str):
    """What the principal page says of an action: verdict, layer, statements, scopes; None for nothing."""
    number = [one[0] for one in script(report, "index")["actions"]].index(action)
    principal, run = principals(report)[arn]
    for place, actions in run["profiles"][principal["profile"]]:
        if number in ranges(actions):
            letter, layer, decided, scopes, *_ = run["answers"][place]
            told = [
                (scope[0], run["conditions"][scope[2]][0] if scope[2] >= 0 else "", scope[5] if len(scope) > 5 else [])
                for scope in scopes
            ]
            return WORDS[letter], layer, decided, told
    return None


class Page(HTMLParser):
    """The elements of a page with their attributes, and its visible text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def text_of(markup: str) -> str:
    """The text of a piece of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", markup)).split())


def dangling(report: Path):
    """Yield the links of pages that lead to no page, policy, principal or condition of the report."""
    index = script(report, "index")
    known = {
        "policy.html": {key for _, one in index["policies"] for key in script(report, one)},
        "principal.html": set(principals(report)),
        "condition.html": {one[0] for _, key in index["words"] for one in script(report, key)},
    }
    for path in sorted(report.rglob("*.html")):
        for tag, attributes in Page(path).elements:
            for link in filter(None, (attributes.get("href"), attributes.get("src"))):
                target, _, place = link.partition("#")
                name = target.split("/")[-1]
                named = unquote(place.split("&")[0]) if name == "principal.html" else place.split(":")[0]
                is_outside = not link.startswith("data:") and (":" in target or tag == "iframe")
                is_lost = bool(target) and not link.startswith("data:") and not (path.parent / target).is_file()
                if is_outside or is_lost or (place and named not in known.get(name, {named})):
                    yield path.name, link


def write_hostile_inputs(folder: Path) -> None:
    """Accounts, units, users, roles, groups, tags, Sids, policies of every kind, resources, values and files that have
    hostile names."""
    folder.mkdir(parents=True)
    export = {
        "UserDetailList": [_user(number, name) for number, name in enumerate(NAMES)],
        "GroupDetailList": [
            {"Path": "/", "GroupName": name, "Arn": _arn(f"group/{name}"), "AttachedManagedPolicies": [],
             "GroupPolicyList": [{"PolicyName": name, "PolicyDocument": _document(name)}]}
            for name in NAMES
        ],
        "RoleDetailList": [_role(name) for name in NAMES],
        "Policies": [_managed(name) for name in NAMES],
    }  # fmt: skip
    (folder / "<img src=x onerror=window.hit=5>.json").write_text(json.dumps(export), encoding="utf-8")
    (folder / "broken <b>.json").write_text("{", encoding="utf-8")
    tagged = [
        {"ResourceARN": f"arn:aws:sagemaker:us-east-1:{HOSTILE_ACCOUNT}:model/{number}-{name}",
         "Tags": [{"Key": "x", "Value": name}, {"Key": name, "Value": name}]}
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    text = json.dumps({"ResourceTagMappingList": tagged})
    (folder / "resources.json").write_text(text, encoding="utf-8")
    (folder / "organization.json").write_text(json.dumps(_organization()), encoding="utf-8")


def _arn(resource: str) -> str:
    return f"arn:aws:iam::{HOSTILE_ACCOUNT}:{resource}"


def _user(number: int, name: str) -> dict:
    return {
        "Path": "/", "UserName": name, "UserId": f"AIDAEXAMPLE{number}", "CreateDate": "2024-01-01T00:00:00Z",
        "Arn": _arn(f"user/{name}"), "GroupList": [name], "Tags": [{"Key": name, "Value": name}],
        "AttachedManagedPolicies": [{"PolicyName": name, "PolicyArn": _arn(f"policy/{name}")}],
        "UserPolicyList": [{"PolicyName": name, "PolicyDocument": _document(name)}],
        "PermissionsBoundary": {"PermissionsBoundaryArn": _arn(f"policy/{name}")},
    }  # fmt: skip


def _role(name: str) -> dict:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Path": "/", "RoleName": name, "RoleId": "AROAEXAMPLE", "CreateDate": "2024-01-01T00:00:00Z",
        "Arn": _arn(f"role/{name}"), "InstanceProfileList": [], "Tags": [{"Key": name, "Value": name}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{**trust, "Sid": name}]},
        "RolePolicyList": [{"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:PassRole", "sagemaker:*"], "Resource": "*"}]}}],
        "AttachedManagedPolicies": [],
    }  # fmt: skip


def _managed(name: str) -> dict:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(name)}
    return {"PolicyName": name, "Arn": _arn(f"policy/{name}"), "PolicyId": "ANPAEXAMPLE", "DefaultVersionId": "v1",
            "PolicyVersionList": [version]}  # fmt: skip


def _organization() -> dict:
    """Units one within another, accounts and SCPs, each with a hostile name."""
    start = "arn:aws:organizations::999999999999"
    units = [f"ou-root-{number:08}" for number in range(len(NAMES))]
    parents = ["r-root", *units]
    accounts = [HOSTILE_ACCOUNT, *(f"{number:012}" for number in range(1, len(NAMES)))]

    def policy(number: int, name: str) -> dict:
        statement = {"Sid": name, "Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": f"*{name}"}
        listed = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, statement]
        summary = {"Id": f"p-{number:08}", "Name": name, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False,
                   "Arn": f"{start}:policy/o-example/service_control_policy/p-{number:08}"}  # fmt: skip
        targets = [("r-root", "ROOT"), *((one, "ORGANIZATIONAL_UNIT") for one in units), (HOSTILE_ACCOUNT, "ACCOUNT")]
        return {"PolicySummary": summary, "Content": {"Version": "2012-10-17", "Statement": listed},
                "Targets": [{"TargetId": one, "Type": kind, "Name": name} for one, kind in targets]}  # fmt: skip

    return {
        "Organization": {"Id": "o-example", "MasterAccountId": "999999999999", "FeatureSet": "ALL"},
        "Roots": [{"Id": "r-root", "Arn": f"{start}:root/o-example/r-root", "Name": HOSTILE}],
        "OrganizationalUnits": [
            {"Id": unit, "Name": name, "ParentId": parent, "Arn": f"{start}:ou/o-example/{unit}"}
            for unit, name, parent in zip(units, NAMES, parents, strict=False)
        ],
        "Accounts": [
            {"Id": one, "Name": name, "Status": "ACTIVE", "ParentId": units[-1],
             "Arn": f"{start}:account/o-example/{one}"}
            for one, name in zip(accounts, NAMES, strict=True)
        ],
        "Policies": [policy(number, name) for number, name in enumerate(NAMES)],
    }  # fmt: skip


def _document(name: str) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": name, "Effect": "Allow", "Action": ["sagemaker:CreateModel", f"sagemaker:{name}"],
                "Resource": f"arn:aws:sagemaker:*:*:model/{name}",
                "Condition": {"StringEquals": {"aws:ResourceTag/x": name, f"aws:RequestTag/{name}": name}},
            },
            {"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"},
        ],
    }  # fmt: skip
