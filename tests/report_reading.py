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
    return json.loads(found.group(2))


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
    """An account whose users, roles, groups, tags, Sids, policies, values and file have hostile names."""
    folder.mkdir(parents=True)
    users = [
        {
            "Path": "/", "UserName": name, "UserId": f"AIDAEXAMPLE{number}", "CreateDate": "2024-01-01T00:00:00Z",
            "Arn": f"arn:aws:iam::{HOSTILE_ACCOUNT}:user/{name}", "GroupList": [], "AttachedManagedPolicies": [],
            "Tags": [{"Key": name, "Value": name}],
            "UserPolicyList": [{"PolicyName": name, "PolicyDocument": _document(name)}],
        }
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    export = {"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    (folder / "<img src=x onerror=window.hit=5>.json").write_text(json.dumps(export), encoding="utf-8")
    (folder / "broken <b>.json").write_text("{", encoding="utf-8")
    tagged = [
        {"ResourceARN": f"arn:aws:sagemaker:us-east-1:{HOSTILE_ACCOUNT}:model/{number}-{name}",
         "Tags": [{"Key": "x", "Value": name}, {"Key": name, "Value": name}]}
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    text = json.dumps({"ResourceTagMappingList": tagged})
    (folder / "resources.json").write_text(text, encoding="utf-8")


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
