"""Formulas in the language of the SMT solver z3: a third reading of the condition operators, for tests alone.

Written from docs/evaluation-rules.md, section 5. Shares the shape of formulas with the engine, and no matcher, no
reader of texts and no table of operators with either evaluator.

A key is a row of places for values. Each place is taken or not; a value is a text, a real number (numbers and dates),
a truth, an address (128 bits and a version) or the number of a run of bytes. No more places are needed than tests on
the key and two: see docs/solver.md.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import z3

from pipeline.evaluate.formula import Formula, Junction, Test
from pipeline.evaluate.values import KeyDomain

#: Work that a question may cost, in z3's own units: the same on every machine.
MOST_WORK = 2_000_000
#: Keys that AWS ties together (docs/evaluation-rules.md, section 7): where one is asked for, all of its group count.
ENDPOINT, OUTSIDE = ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"), "aws:sourceip"
OF_ENDPOINT = "aws:sourcevpcarn"
FORWARDED, VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"), "aws:viaawsservice"
TEMPORARY = ("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:tokenissuetime")
NOW, EPOCH = "aws:currenttime", "aws:epochtime"
GROUPS = ((*ENDPOINT, OF_ENDPOINT, OUTSIDE, VIA), (*FORWARDED, VIA), (*TEMPORARY, NOW, EPOCH))
REQUEST_TAG, TAG_KEYS = "aws:requesttag/", "aws:tagkeys"
_ANY = z3.AllChar(z3.ReSort(z3.StringSort()))
_EVERYTHING = z3.Star(_ANY)
_LAST_CHARACTER = 0x2FFFF
_NO_COLON = z3.Union(
    z3.Range(z3.StringVal("\\u{0}"), z3.StringVal("9")), z3.Range(z3.StringVal(";"), z3.StringVal("\\u{2ffff}"))
)


class Value(NamedTuple):
    """A place for a value. What is None cannot be asked of it; ``reads`` tell whether the text can be read so."""

    is_there: Any
    is_empty: Any
    text: Any = None
    number: Any = None
    is_number: Any = None
    instant: Any = None
    is_instant: Any = None
    truth: Any = None
    is_truth: Any = None
    is_sixth: Any = None
    address: Any = None
    is_address: Any = None
    octets: Any = None
    is_octets: Any = None


Keys = Mapping[str, tuple[Value, ...]]
Domains = Callable[[str], KeyDomain]


# ---- texts ----


def text_value(text: str) -> Any:
    """Return a text as z3 writes it."""
    return z3.StringVal("".join(c if 32 <= ord(c) < 127 and c != "\\" else f"\\u{{{ord(c):x}}}" for c in text))


def pieces(text: str, has_variables: bool) -> list[str]:
    """Split a text of a policy: ``*`` and ``?`` stand for wildcards, ``=`` and a character for the character."""
    found = re.findall(r"\$\{[*?$]\}|.", text, re.DOTALL) if has_variables else list(text)
    return ["=" + piece[2] if len(piece) > 1 else piece if piece in "*?" else "=" + piece for piece in found]


def glob(listed: Iterable[str], one: Any = _ANY) -> Any:
    """Return the expression of pieces whose wildcards match characters of ``one``."""
    wildcards = {"*": z3.Star(one), "?": one}
    return _joined([z3.Re(""), *(wildcards[p] if p in wildcards else z3.Re(text_value(p[1])) for p in listed)])


def _joined(parts: list[Any]) -> Any:
    return z3.Concat(*parts) if len(parts) > 1 else parts[0]


def arn(listed: list[str]) -> Any:
    """Return the expression of an ARN pattern: six fields, and only the last may have colons."""
    if listed == ["*"]:
        return _joined([z3.Re("arn:"), *[z3.Concat(z3.Star(_NO_COLON), z3.Re(":"))] * 4, _EVERYTHING])
    fields: list[list[str]] = [[]]
    for piece in listed:
        if piece == "=:" and len(fields) < 6:
            fields.append([])
        else:
            fields[-1].append(piece)
    if len(fields) < 6:
        return z3.Empty(z3.ReSort(z3.StringSort()))
    first = z3.Intersect(glob(fields[0]), z3.Re("arn"))
    middle = [glob(field, _NO_COLON) for field in fields[1:5]]
    parts = [first]
    for field in (*middle, glob(fields[5])):
        parts += [z3.Re(":"), field]
    return _joined(parts)


def _fold(character: str) -> str:
    """Return the simple case folding of a character: "ẞ" is "ß", and neither of them "ss"."""
    found = character.casefold()
    if len(found) > 1:
        found = character.lower()
    return character if len(found) > 1 else found


@cache
def _folded() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number in range(_LAST_CHARACTER + 1):
        if not 0xD800 <= number < 0xE000:
            found.setdefault(_fold(chr(number)), []).append(chr(number))
    return found


def ignoring_case(text: str) -> Any:
    """Return the expression of all texts that are the same without regard to case, character by character."""
    found = z3.Re("")
    for character in text:
        ways = [z3.Re(text_value(c)) for c in _folded()[_fold(character)]]
        found = z3.Concat(found, z3.Union(*ways) if len(ways) > 1 else ways[0])
    return found


# ---- what texts are read as ----


def number_of(text: str) -> Fraction | None:
    """Return the number that a text is."""
    try:
        return Fraction(text.strip()) if "/" not in text and "_" not in text else None
    except ValueError:
        return None


def instant_of(text: str) -> Fraction | None:
    """Return the seconds since 1970 of a date; a number is seconds itself."""
    seconds = number_of(text)
    if seconds is not None:
        return seconds
    written = text + "-01" if re.fullmatch(r"\d{4}-\d\d", text) else text
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Fraction(str(moment.timestamp()))


def truth_of(text: str) -> bool | None:
    """Return the truth that a text is."""
    return {"true": True, "false": False}.get(text.lower())


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a text is."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


_OCTETS = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


@cache
def octets_of(text: str) -> int | None:
    """Return a number for the bytes that a text is in base64: equal for equal bytes."""
    if not _OCTETS.fullmatch(text):
        return None
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bits = "".join(f"{alphabet.index(c):06b}" for c in text.rstrip("="))
    return int("1" + bits[: len(bits) // 8 * 8], 2)


# ---- tests ----


def _order(name: str, left: Any, right: Fraction) -> Any:
    wanted = z3.Q(right.numerator, right.denominator)
    return {
        "Equals": left == wanted, "NotEquals": left == wanted, "LessThan": left < wanted,
        "LessThanEquals": left <= wanted, "GreaterThan": left > wanted, "GreaterThanEquals": left >= wanted,
    }[name]  # fmt: skip


def _plain(text: str, has_variables: bool) -> str:
    return "".join(piece[-1] for piece in pieces(text, has_variables))


def matched(test: Test, text: str, value: Value) -> Any:
    """Return whether a value of the request matches one of the policy; negation comes later."""
    name, plain = test.operator, _plain(text, test.has_variables)
    if name.startswith("Arn"):
        return z3.InRe(value.text, arn(pieces(text, test.has_variables)))
    if name.endswith("Like"):  # of strings and of the resource
        return z3.InRe(value.text, glob(pieces(text, test.has_variables)))
    if name.endswith("IgnoreCase"):
        return z3.InRe(value.text, ignoring_case(plain))
    if name.startswith("String"):
        return value.text == text_value(plain)
    if name.startswith("Numeric"):
        number = number_of(plain)
        return False if number is None else z3.And(value.is_number, _order(name[7:], value.number, number))
    if name.startswith("Date"):
        instant = instant_of(plain)
        return False if instant is None else z3.And(value.is_instant, _order(name[4:], value.instant, instant))
    if name == "Bool":
        truth = truth_of(plain)
        return False if truth is None else z3.And(value.is_truth, value.truth == truth)
    if name == "BinaryEquals":
        octets = octets_of(plain)
        return False if octets is None else z3.And(value.is_octets, value.octets == octets)
    return _in_network(plain, value)


def _in_network(text: str, value: Value) -> Any:
    address, _, length = text.partition("/")
    start = address_of(address)
    if start is None or (length and not length.isdigit()):
        return False
    free = start.max_prefixlen - int(length or start.max_prefixlen)
    is_inside = z3.LShR(value.address, free) == z3.BitVecVal(int(start) >> free, 128)
    return z3.And(value.is_address, value.is_sixth == (start.version == 6), is_inside)


def holds(test: Test, values: tuple[Value, ...]) -> Any:
    """Return the truth of a test for the values that its key has."""
    skips_empty = test.operator == "Null" or test.set_qualifier is not None
    counts = [z3.And(v.is_there, z3.Not(v.is_empty)) if skips_empty else v.is_there for v in values]
    is_present = z3.Or(*counts)
    if test.operator == "Null":
        if test.set_qualifier:
            return z3.BoolVal(test.set_qualifier == "ForAllValues")
        wanted = {truth_of(_plain(text, test.has_variables)) for text in test.values}
        return z3.Or(z3.And(True in wanted, z3.Not(is_present)), z3.And(False in wanted, is_present))
    is_negated = "Not" in test.operator
    is_true_without = test.if_exists or test.set_qualifier == "ForAllValues" or is_negated
    absent = is_true_without and test.set_qualifier != "ForAnyValue"
    if test.is_opaque:
        return z3.If(is_present, z3.Bool(f"guess {test!r}"), absent)
    hits = [z3.Or(*(matched(test, text, value) for text in test.values)) for value in values]
    is_hit = z3.Or(*(z3.And(counted, hit) for counted, hit in zip(counts, hits, strict=True)))
    is_missed = z3.Or(*(z3.And(counted, z3.Not(hit)) for counted, hit in zip(counts, hits, strict=True)))
    if test.set_qualifier == "ForAllValues":
        present = z3.Not(is_hit) if is_negated else z3.Not(is_missed)
    elif test.set_qualifier == "ForAnyValue":
        present = is_missed if is_negated else is_hit
    else:
        present = z3.Not(is_hit) if is_negated else is_hit
    return z3.If(is_present, present, absent)


def translated(f: Formula, keys: Keys) -> Any:
    """Return a formula of the engine in z3's language."""
    if isinstance(f, bool):
        return z3.BoolVal(f)
    if isinstance(f, Test):
        return holds(f, keys[f.key])
    parts = [translated(part, keys) for part in f.parts]
    return z3.Not(parts[0]) if f.kind == "not" else z3.And(*parts) if f.kind == "and" else z3.Or(*parts)


# ---- keys ----


def tests_of(f: Formula) -> set[Test]:
    """Return the tests of a formula."""
    if isinstance(f, Junction):
        return {test for part in f.parts for test in tests_of(part)}
    return set() if isinstance(f, bool) else {f}


class Question(NamedTuple):
    """The keys of formulas with what AWS says of their values whatever the policies are."""

    keys: dict[str, tuple[Value, ...]]
    facts: list[Any]


def question(formulas: Iterable[Formula], domains: Domains) -> Question:
    """Return the unknowns of the formulas: a key each, and those that AWS ties to them."""
    by_key: dict[str, set[Test]] = {}
    for test in (test for f in formulas for test in tests_of(f)):
        by_key.setdefault(test.key, set()).add(test)
    for group in GROUPS:
        if not by_key.keys().isdisjoint(group):
            by_key.update({key: by_key.get(key, set()) for key in group})
    found = Question({}, [])
    tags = [key for key in by_key if key.startswith(REQUEST_TAG)]
    for key, tests in by_key.items():
        domain = domains(key)
        places = len(tests) + 2 + len(tags) + 2 * (key in FORWARDED) if domain.is_multivalued else 1
        values = [_unknown(f"{key} {place}", key, domain, found.facts) for place in range(places)]
        found.keys[key] = tuple(values)
        if not domain.can_be_absent:
            found.facts.append(_is_present(found.keys[key]))
        if not domain.can_be_present:
            found.facts.append(z3.Not(_is_present(found.keys[key])))
    found.facts.extend(_ties(found.keys, tags))
    return found


def _ties(keys: Mapping[str, tuple[Value, ...]], tags: Iterable[str]) -> Iterator[Any]:
    """Yield what holds between keys in every request."""
    there = {key: _is_present(values) for key, values in keys.items()}
    for group in (ENDPOINT, FORWARDED):
        if group[0] in there:
            yield from (there[key] == there[group[0]] for key in group[1:])
    if OUTSIDE in there:
        yield z3.Not(z3.And(there[ENDPOINT[0]], there[OUTSIDE]))
        yield z3.Implies(there[OF_ENDPOINT], there[ENDPOINT[0]])
        yield z3.Not(z3.And(there[ENDPOINT[0]], keys[VIA][0].truth))
    if FORWARDED[0] in there:
        yield z3.Implies(there[FORWARDED[0]], keys[VIA][0].truth)
        for end in FORWARDED[1:]:  # it is one of the services
            places = (z3.And(place.is_there, place.text == keys[end][0].text) for place in keys[FORWARDED[0]])
            yield z3.Implies(there[end], z3.Or(*places))
    if TEMPORARY[0] in there:
        yield from (z3.Implies(there[one], there[other]) for one, other in pairwise(TEMPORARY))
        yield z3.Implies(there[TEMPORARY[0]], keys[TEMPORARY[1]][0].truth)
        yield z3.Implies(there[TEMPORARY[0]], keys[TEMPORARY[0]][0].number >= 0)
        yield z3.Implies(there[TEMPORARY[2]], keys[TEMPORARY[2]][0].instant <= keys[NOW][0].instant)
    if NOW in there:
        yield keys[NOW][0].instant == keys[EPOCH][0].instant
    if TAG_KEYS in there:
        for tag in tags:
            named = ignoring_case(tag.removeprefix(REQUEST_TAG))
            yield there[tag] == z3.Or(*(z3.And(v.is_there, z3.InRe(v.text, named)) for v in keys[TAG_KEYS]))


def _is_present(values: tuple[Value, ...]) -> Any:
    return z3.Or(*(value.is_there for value in values))


def _unknown(name: str, key: str, domain: KeyDomain, facts: list[Any]) -> Value:
    """Return a value that nobody knows. One of unknown type is read in every way, each by itself."""
    kind = (domain.value_type or "").removeprefix("ArrayOf")
    text = z3.String(f"{name} text")
    is_empty = text == z3.StringVal("")
    if (
        kind in ("Numeric", "Date", "Bool", "IPAddress", "Binary", "ARN")
        or not domain.can_be_empty
        or key == "resource"
    ):
        facts.append(z3.Not(is_empty))
    if domain.start:
        rest = z3.Concat(_NO_COLON, _NO_COLON, z3.Star(_NO_COLON))
        facts.append(z3.InRe(text, z3.Concat(z3.Re(text_value(domain.start)), rest)))
    value = Value(
        z3.Bool(f"{name} there"), is_empty, text,
        z3.Real(f"{name} number"), z3.Bool(f"{name} reads number"),
        z3.Real(f"{name} instant"), z3.Bool(f"{name} reads instant"),
        z3.Bool(f"{name} truth"), z3.Bool(f"{name} reads truth"),
        z3.Bool(f"{name} sixth"), z3.BitVec(f"{name} address", 128), z3.Bool(f"{name} reads address"),
        z3.Int(f"{name} octets"), z3.Bool(f"{name} reads octets"),
    )  # fmt: skip
    readings = [value.is_number, value.is_instant, value.is_truth, value.is_address]
    facts.append(z3.Implies(is_empty, z3.Not(z3.Or(*readings))))
    facts.append(is_empty == z3.And(value.is_octets, value.octets == octets_of("")))
    facts.append(z3.Or(value.is_sixth, z3.ULT(value.address, z3.BitVecVal(1 << 32, 128))))
    typed = {"Numeric": "is_number", "Date": "is_instant", "Bool": "is_truth", "IPAddress": "is_address"}
    typed["Binary"] = "is_octets"
    if kind in typed:
        facts.append(getattr(value, typed[kind]))
    if key == EPOCH:  # seconds, for operators of dates and of numbers
        facts += [value.is_number, value.number == value.instant]
    return value


def constant(text: str) -> Value:
    """Return a text of a request as a value that is there."""
    number, instant, truth, octets = number_of(text), instant_of(text), truth_of(text), octets_of(text)
    address = address_of(text)
    return Value(
        z3.BoolVal(True), z3.BoolVal(text == ""), text_value(text),
        _real(number), z3.BoolVal(number is not None), _real(instant), z3.BoolVal(instant is not None),
        z3.BoolVal(bool(truth)), z3.BoolVal(truth is not None),
        z3.BoolVal(address is not None and address.version == 6), z3.BitVecVal(int(address or 0), 128),
        z3.BoolVal(address is not None), z3.IntVal(octets or 0), z3.BoolVal(octets is not None),
    )  # fmt: skip


def _real(number: Fraction | None) -> Any:
    return z3.Q(number.numerator, number.denominator) if number is not None else z3.RealVal(0)


# ---- answers ----


def is_satisfiable(formula: Any, facts: Iterable[Any]) -> bool | None:
    """Return whether some values make a formula true; None where z3 does not know."""
    solver = z3.Solver()
    solver.set("rlimit", MOST_WORK)
    solver.add(*facts, formula)
    found = solver.check()
    return None if found == z3.unknown else bool(found == z3.sat)


def is_true(f: Formula, context: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Return whether values make a formula true; None where z3 does not know."""
    keys = {test.key: tuple(constant(text) for text in context.get(test.key, ())) for test in tests_of(f)}
    return is_satisfiable(translated(f, keys), ())
