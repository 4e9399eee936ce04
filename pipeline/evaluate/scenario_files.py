"""Reads ``scenarios.toml``: one table a scenario. What a file says wrongly is an error that tells where, what and what
to do. Decides no condition.
"""

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.evaluate.following import TieError, completed
from pipeline.evaluate.scenarios import WILDCARD, Fact, Scenario, is_text
from pipeline.iam import grammar
from pipeline.iam.request_keys import ALWAYS_PRESENT, OF_SERVICES, is_of_credentials, one_spelling
from pipeline.reference import Reference
from pipeline.user_files import WrongError, check_members, read_text, toml_of
from pipeline.wording import one_line

FILE = "scenarios.toml"
#: What the file that comes with policylake is called: its place is another on every machine.
PACKAGED = "scenarios.toml of policylake"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MEMBERS = ("title", "description", "facts", "other_than", "present", "absent", "may_be_absent", "placeholders")
#: Keys that tell who calls: known of each principal of a lake, so no scenario can say otherwise.
OF_CALLER = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", "aws:principalisawsservice"}
) | OF_SERVICES  # fmt: skip
ABOUT_CALLER = (
    "it tells who calls, which is known of each principal of a lake; leave it out (of a call that an AWS service makes "
    "for a principal aws:ViaAWSService is true)"
)


class Key(NamedTuple):
    """A condition key as a scenario's file names it."""

    name: str
    value_type: str | None
    is_multivalued: bool


def file_of(given: Path | None) -> Path:
    """Return the file of scenarios: the one that is given, else ``scenarios.toml`` here, else the packaged one."""
    if given is not None:
        return given
    return Path(FILE) if Path(FILE).is_file() else assets.file(FILE)


def named(path: Path) -> str:
    """Return what messages and reports call a file of scenarios."""
    return PACKAGED if path.is_absolute() and path == assets.file(FILE) else str(path)


def read_scenarios(path: Path, reference: Reference) -> tuple[Scenario, ...]:
    """Return the scenarios of a file, in its order. Raises PolicylakeError for what it says wrongly."""
    source = named(path)
    tables = toml_of(read_text(path, "give a file of scenarios with --scenarios", source), source)
    if not tables:
        raise PolicylakeError(f"{source}: no scenario in it; write a table for each, such as [office-network]")
    return tuple(_scenario(source, name, table, reference) for name, table in tables.items())


def chosen(scenarios: tuple[Scenario, ...], name: str) -> Scenario:
    """Return the scenario of that name. Raises PolicylakeError that lists the names where there is none."""
    for scenario in scenarios:
        if scenario.name == name:
            return scenario
    close = difflib.get_close_matches(name, [scenario.name for scenario in scenarios], 1)
    hint = f"did you mean {close[0]}? " if close else ""
    known = ", ".join(scenario.name for scenario in scenarios)
    raise PolicylakeError(f"--scenario {name}: {scenarios[0].source} has none of that name; {hint}known: {known}")


def _scenario(source: str, name: str, table: Any, reference: Reference) -> Scenario:
    try:
        if not NAME.fullmatch(name):
            raise WrongError("a name of letters, digits, - and _ is expected; name it otherwise")
        if not isinstance(table, dict):
            raise WrongError(f"a table is expected; write [{name}] with title and facts")
        check_members(table, MEMBERS, "a scenario")
        stated = _Stated(table, reference)
        facts = completed(stated.facts, reference)
        title, description = _text(table, "title"), _text(table, "description")
        if not title:
            raise WrongError('title: missing; write one, such as title = "Office network"')
        return Scenario(name, title, description, facts, stated.placeholders, source)
    except (WrongError, TieError) as error:
        raise PolicylakeError(f"{source}: scenario {name}: {error}") from error


def _text(table: Mapping[str, Any], member: str) -> str:
    text = table.get(member, "")
    if not isinstance(text, str):
        raise WrongError(f"{member}: a text is expected; write it in quotes")
    return one_line(text)


class _Stated:
    """The facts that a table states, without those that follow."""

    def __init__(self, table: Mapping[str, Any], reference: Reference) -> None:
        self.reference = reference
        self.facts: dict[str, Fact] = {}
        for member in ("facts", "other_than"):
            for name, value in _table(table, member).items():
                self._add(name, member, value)
        for member in ("present", "absent"):
            for name in _names(table, member):
                self._add(name, member, [])
        for name in _names(table, "may_be_absent"):
            self._allow_absence(name)
        self.placeholders = tuple(self._held(name, "placeholders").key for name in _names(table, "placeholders"))

    def _add(self, name: str, member: str, value: Any) -> None:
        key = _key(name, self.reference)
        place = one_spelling(key.name)
        if place in self.facts:
            raise WrongError(f"{name}: told twice; leave one of the two (keys are the same in any case of letters)")
        fact = Fact(key.name, key.value_type, key.is_multivalued)
        if member == "absent":
            if place in ALWAYS_PRESENT:
                raise WrongError(f"{name}: every request has it; take it out of absent")
            fact = fact._replace(can_be_present=False)
        elif member == "facts":
            fact = fact._replace(values=_values(key, value))
        elif member == "other_than":
            if key.is_multivalued:
                raise WrongError(f"{name}: it has many values at once; other_than takes keys with one value")
            fact = fact._replace(excluded=_values(key, value))
        self.facts[place] = fact

    def _held(self, name: str, member: str) -> Fact:
        fact = self.facts.get(one_spelling(name))
        if fact is None or not (fact.values or fact.excluded):
            raise WrongError(f"{name}: named under {member}, and neither facts nor other_than has it; add it there")
        return fact

    def _allow_absence(self, name: str) -> None:
        fact = self._held(name, "may_be_absent")
        if one_spelling(name) in ALWAYS_PRESENT:
            raise WrongError(f"{name}: every request has it; take it out of may_be_absent")
        if fact.is_multivalued:
            raise WrongError(f"{name}: it has many values at once; write one scenario with and one without it")
        self.facts[one_spelling(name)] = fact._replace(can_be_absent=True)


def _table(table: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    found = table.get(member, {})
    if not isinstance(found, dict):
        raise WrongError(f'{member}: a table of keys is expected, such as {member}."aws:SourceVpc" = "vpc-111bbaaa"')
    return found


def _names(table: Mapping[str, Any], member: str) -> list[str]:
    found = table.get(member, [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise WrongError(f'{member}: a list of condition keys is expected, such as {member} = ["aws:SourceVpc"]')
    return found


def _key(name: str, reference: Reference) -> Key:
    """Return the condition key of that name, in the reference's spelling but for what policies name themselves."""
    lowered = name.lower()
    if lowered in OF_CALLER:
        raise WrongError(f"{name}: {ABOUT_CALLER}")
    known = reference.key(name)
    if known is None and ":" in name and is_of_credentials(lowered):
        return Key(name, None, False)
    if known is None:
        what = "no condition key of the service reference"
        raise WrongError(f"{name or repr(name)}: {what}; {_advice(lowered, reference)}")
    return Key(known.spelt(name), known.value_type, known.is_multivalued)


def _advice(name: str, reference: Reference) -> str:
    rows = reference.table("reference_condition_keys")["condition_key"].to_pylist()
    known = {key.lower(): key for key in rows}
    close = [known[text] for text in difflib.get_close_matches(name, known, 3, 0.75)]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "mend its name; a key that AWS has added lately comes with: policylake reference refresh"


def _values(key: Key, value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise WrongError(f"{key.name}: no value; give one, or name the key under present or absent")
    found = tuple(dict.fromkeys(_value(key, one) for one in listed))
    if key.is_multivalued and any(WILDCARD.search(text) for text in found if is_text(key.value_type)):
        raise WrongError(f"{key.name}: it has many values at once, which are told whole; write them without * and ?")
    return found


def _value(key: Key, value: Any) -> str:
    if isinstance(value, dict | list | time):
        raise WrongError(f"{key.name}: a value or a list of values is expected, not {type(value).__name__}")
    kind = (key.value_type or "String").removeprefix("ArrayOf")
    text = READERS.get(kind, _as_text)(value)
    if text is None:
        raise WrongError(f"{key.name}: {_shown(value)} is no value of the type {kind}; {EXPECTED[kind]}")
    if not text:
        raise WrongError(f"{key.name}: an empty text counts as no value; name the key under absent")
    return text


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, str) else str(value)


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _as_arn(value: Any) -> str | None:
    return value if isinstance(value, str) and grammar.arn_fields(value) is not None else None


def _as_boolean(value: Any) -> str | None:
    text = str(value).lower() if isinstance(value, bool | str) else ""
    return text if text in ("true", "false") else None


def _as_number(value: Any) -> str | None:
    text = "" if isinstance(value, bool) else str(value)
    return text if grammar.number(text) is not None else None


def _as_date(value: Any) -> str | None:
    text = value.isoformat() if isinstance(value, datetime | date) else "" if isinstance(value, bool) else str(value)
    return text if grammar.instant(text) is not None else None


def _as_network(value: Any) -> str | None:
    network = grammar.network(value) if isinstance(value, str) else None
    if network is None or ipaddress.ip_interface(value.strip()).ip != network.network_address:
        return None
    return str(value)


def _as_octets(value: Any) -> str | None:
    return value if isinstance(value, str) and grammar.octets(value) is not None else None


READERS: dict[str, Callable[[Any], str | None]] = {
    "String": _as_text, "ARN": _as_arn, "Bool": _as_boolean, "Numeric": _as_number, "Date": _as_date,
    "IPAddress": _as_network, "Binary": _as_octets,
}  # fmt: skip
EXPECTED = {
    "String": "write a text in quotes",
    "ARN": "write a whole ARN in quotes; * and ? stand for anything",
    "Bool": "write true or false",
    "Numeric": "write a number",
    "Date": "write a date such as 2026-11-25T00:00:00Z",
    "IPAddress": 'write an address or a network without bits beyond its prefix, such as "192.0.2.0/24"',
    "Binary": "write base64 in quotes",
}
