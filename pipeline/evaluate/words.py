"""The words of conditions: says in English what a formula means, exact about absence. The one place that does.

Formulas that differ in meaning read differently, and the order of their parts does not matter. What is plain text in
values stands bare or, where that could be misread, in quotation marks; ``*``, ``?`` and ``${...}`` outside of them are
wildcards and policy variables. A key is "given" if it is in the request, and "has a value" if that is not empty.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.evaluate import predicates
from pipeline.evaluate.claims import (
    ALWAYS_THERE,
    Claim,
    Group,
    Said,
    Value,
    said,
)
from pipeline.evaluate.formula import RESOURCE, SESSION_IS, Formula, bare, tests
from pipeline.evaluate.vocabulary import COMPARISONS, RESERVED, TRUTHS, Speech, rank_of, speech_of
from pipeline.iam.grammar import Part, parts
from pipeline.iam.request_keys import TAG_ALIAS, TAG_KEY

Spelling = Mapping[str, str]

#: What stands bare. Characters for private use stand for the principal's own account while conditions are made.
_BARE = re.compile(r"(?=.*[0-9A-Za-z\ue000-\ue00b])[0-9A-Za-z\ue000-\ue00b_@+=./:-]+")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_NEGATION = "not "


def words(f: Formula, spelling: Spelling) -> str:
    """Return a formula as a sentence. ``spelling`` maps keys, or what a key begins with, in lower case to AWS's."""
    sentence = said(f)
    if isinstance(sentence, bool):
        return "always" if sentence else "never"
    return Speaker(spelling).sentence(sentence)


def spelt(key: str, spelling: Spelling) -> str:
    """Return a key in AWS's spelling; a part that policies name as the policy writes it."""
    if key in spelling:
        return spelling[key]
    for end in reversed([match.end() for match in re.finditer("[/:]", key)]):
        if key[:end] in spelling:
            return spelling[key[:end]] + key[end:]
    return key


def spelling_of(known: Iterable[str], written: Iterable[str]) -> dict[str, str]:
    """Return how keys are spelt: as the reference has them, what it does not know as policies write it first.

    ``known`` are the reference's keys, of those with a part up to ``${``; ``written`` are those of policies.
    """
    starts = (key.split("${", 1)[0] for key in known)
    found = {key.lower(): key for key in starts}
    for key in written:
        found.setdefault(key.lower(), key)
    tags = [text[len(TAG_ALIAS) :] for key, text in found.items() if key.startswith(TAG_ALIAS)]
    for tag in tags:
        found.setdefault(TAG_KEY + tag.lower(), f"aws:ResourceTag/{tag}")
    return found


def keys_of(f: Formula, spelling: Spelling) -> list[str]:
    """Return the keys of requests that a formula depends on, in AWS's spelling: those that it tests, and those of
    policy variables whose values nobody knows."""
    requested = [test for test in tests(f) if test.operator != SESSION_IS]
    asked = {bare(test.key) for test in requested if not test.key.startswith(RESOURCE)}
    values = (value for test in requested if test.is_opaque for value in test.values)
    variables = (part for value in values for part in parts(bare(value), True) if part.kind == "variable")
    named = {part.text.lower(): _as_written(part.text, spelling) for part in variables}
    return sorted((named | {key: spelt(key, spelling) for key in asked}).values())


class Phrase(NamedTuple):
    """What can follow "only": its text, whom it includes besides, and what goes with it."""

    text: str
    included: str = ""
    beside: str = ""


class Speaker(NamedTuple):
    """Says formulas with keys in the spelling that is given."""

    spelling: Spelling

    def sentence(self, node: Claim | Group) -> str:
        """Return a whole sentence."""
        if isinstance(node, Claim):
            return self._exception(node) or _clause(self._phrase(node))
        if node.kind == "or":
            return _only(self._body(node))
        joint = ", and " if _height(node) == 1 else "; and "
        return joint.join(
            _clause(self._phrase(member)) if isinstance(member, Claim) else _only(self._member(member))
            for member in self._sorted(node.members)
        )

    def _exception(self, claim: Claim) -> str:
        """Return the sentence of a claim that only another value than its own breaks; "" for all others."""
        speech = self._speech(claim)
        is_exception = claim.values and claim.quantity == "one" and claim.holds_when_absent and not claim.is_negated
        if not is_exception or speech.phrase:
            return ""
        return f"unless {self._noun(claim)} is given and {self._is(claim, not claim.is_negated)}"

    def _body(self, group: Group) -> str:
        joint = f", {group.kind} " if _height(group) == 1 else f"; {group.kind} "
        return joint.join(self._member(member) for member in self._sorted(group.members))

    def _member(self, node: Claim | Group) -> str:
        if isinstance(node, Claim):
            return _within(self._phrase(node))
        return self._body(node) if _height(node) == 1 else f"({self._body(node)})"

    def _sorted(self, nodes: Iterable[Claim | Group]) -> list[Claim | Group]:
        """Return nodes in the order in which they are said: those on one key side by side, presence first."""
        return sorted(nodes, key=self._order)

    def _order(self, node: Claim | Group) -> tuple[tuple[float, str], bool, bool, bool, str]:
        if isinstance(node, Group):
            return (min(map(_place, _claims(node))), True, False, False, self._body(node))
        return (_place(node), False, not node.is_presence, node.is_negated, _within(self._phrase(node)))

    def _phrase(self, claim: Claim) -> Phrase:
        speech = self._speech(claim)
        if claim.is_presence:
            return self._of_presence(claim, speech)
        if claim.quantity != "one":
            return self._of_many(claim, speech)
        if speech.phrase and {value.kind for value in claim.values} == {speech.kind} and not _is_read_as_text(claim):
            found = self._truth(claim, speech) if speech.kind == "truth" else self._adverb(claim, speech)
            if found:
                return found
        return self._plain(claim)

    def _of_presence(self, claim: Claim, speech: Speech) -> Phrase:
        is_value = claim.quantity == "some"
        templates = (speech.valued, speech.valueless) if is_value else (speech.given, speech.missing)
        template = templates[claim.is_negated]
        if template:
            return Phrase(self._filled(template, claim), "", "" if claim.is_negated else speech.beside)
        if speech.is_list and speech is not _OF_MANY:
            return Phrase(f"if {'no ' if claim.is_negated else ''}{self._plural(claim)} are given")
        if claim.quantity == "one":
            return Phrase(f"if {self._noun(claim)} is {'not given' if claim.is_negated else 'given'}")
        return Phrase(f"if {self._noun(claim)} has {'no' if claim.is_negated else 'a'} value")

    def _of_many(self, claim: Claim, speech: Speech) -> Phrase:
        """Say a claim on each or some of a key's values."""
        one, many = self._noun_of_one(claim, speech), self._plural(claim)
        included = "or none is given" if claim.holds_when_absent else ""
        if claim.quantity == "some":
            return Phrase(f"if at least one {one} {self._is(claim, claim.is_negated)}", included)
        if claim.holds_when_absent:
            return Phrase(f"if {'no' if claim.is_negated else 'every'} {one} {self._is(claim, False)}", included)
        return Phrase(f"if {many} are given and {'none' if claim.is_negated else 'each'} {self._is(claim, False)}")

    def _truth(self, claim: Claim, speech: Speech) -> Phrase | None:
        if claim.is_negated or len(claim.values) > 1:
            return None
        is_true = claim.values[0].parts[0].text == "true"
        is_clear = is_true or claim.holds_when_absent or claim.key in ALWAYS_THERE
        included = speech.included if claim.holds_when_absent else ""
        return Phrase(speech.phrase if is_true else speech.negation, included) if is_clear else None

    def _adverb(self, claim: Claim, speech: Speech) -> Phrase | None:
        included = speech.included if claim.holds_when_absent and claim.key not in ALWAYS_THERE else ""
        if not claim.is_negated:
            return Phrase(
                self._filled(speech.phrase, claim), included, "" if claim.holds_when_absent else speech.beside
            )
        if claim.holds_when_absent:
            return Phrase(self._filled(speech.negation or _NEGATION + speech.phrase, claim), included)
        return Phrase(self._filled(speech.other, claim), "", speech.beside) if speech.other else None

    def _plain(self, claim: Claim) -> Phrase:
        """Say a claim by the name of its key."""
        noun, comparison = self._noun(claim), self._is(claim, claim.is_negated)
        if claim.key in ALWAYS_THERE:
            return Phrase(f"if {noun} {comparison}")
        if claim.holds_when_absent:
            return Phrase(f"if {noun} is not given or {comparison}")
        return Phrase(f"if {noun} is given and {comparison}" if claim.is_negated else f"if {noun} {comparison}")

    def _is(self, claim: Claim, is_negated: bool) -> str:
        """Say that something is one of a claim's values, or that it is none of them."""
        verb, negated = ("reads", "does not read") if _is_read_as_text(claim) else ("is", "is not")
        before, listed = self._listed(claim)
        if not is_negated:
            return f"{verb} {before}{_joined(listed, 'or')}"
        if len(listed) == 1:
            return f"{negated} {before}{listed[0]}"
        return f"{verb} {before}neither {_joined(listed, 'nor')}"

    def _listed(self, claim: Claim) -> tuple[str, list[str]]:
        """Return what stands before a list of values, and the list."""
        kind = claim.values[0].kind
        is_read_as_text = _is_read_as_text(claim)
        listed = [self._text(value, is_read_as_text=is_read_as_text) for value in claim.values]
        if kind == "text":
            reserved = [_quoted(text) if text.lower() in TRUTHS else text for text in listed]
            return "like " if _has_patterns(claim) else "", reserved
        if kind == "address":
            return "in ", listed
        if kind == "octets":
            return "", [f"the bytes {text} in base64" for text in listed]
        return "", [f"{_comparison(value)}{text}" for value, text in zip(claim.values, listed, strict=True)]

    def _text(self, value: Value, *, is_read_as_text: bool = False) -> str:
        """Return a value, with what must be known to read it in brackets."""
        if value.kind == "truth":
            return value.parts[0].text
        variables = [part for part in value.parts if part.kind == "variable"]
        if _is_variable(value):
            return self._variable(variables[0])
        text = "".join(_chunk(part, self.spelling) for part in value.parts) or '""'
        if text.lower() in RESERVED:
            text = _quoted(text)
        notes = [note for note in (_reading(value, is_read_as_text), self._filling(variables)) if note]
        return f"{text} ({', '.join(notes)})" if notes else text

    def _variable(self, part: Part) -> str:
        """Return what a variable stands for."""
        return self._value_of(part) + ("" if part.default is None else f" (without one {_token(part.default)})")

    def _value_of(self, part: Part) -> str:
        key = part.text.lower()
        speech, written = speech_of(key), _as_written(part.text, self.spelling)
        if speech is None or speech.noun == "{key}":
            return f"the value of {_token(written)}"
        return _named(speech.noun, written)

    def _filling(self, variables: Sequence[Part]) -> str:
        named = dict.fromkeys(self._value_of(part) for part in variables)
        return f"with {_joined(list(named), 'and')} filled in" if named else ""

    def _filled(self, template: str, claim: Claim) -> str:
        """Return a template with names and values in their places."""
        if not claim.values:
            return self._named(template, claim.key)
        unit = "" if all(map(_is_variable, claim.values)) else self._speech(claim).unit
        is_plain = claim.values[0].kind in ("text", "address")
        listed = [self._text(value) for value in claim.values] if is_plain else self._listed(claim)[1]
        sign = "like" if _has_patterns(claim) else "="
        return self._named(template, claim.key, sign=sign, unit=unit, values=_joined(listed, "or"))

    def _named(self, template: str, key: str, **texts: str) -> str:
        return _named(template, spelt(key, self.spelling), **texts)

    def _speech(self, claim: Claim) -> Speech:
        speech = speech_of(claim.key)
        return speech or (_OF_ONE if claim.quantity == "one" else _OF_MANY)

    def _noun(self, claim: Claim) -> str:
        speech = speech_of(claim.key)
        is_single = speech is not None and not speech.is_list
        return self._named(speech.noun if speech and is_single else "{key}", claim.key)

    def _noun_of_one(self, claim: Claim, speech: Speech) -> str:
        return self._named(speech.noun if speech.is_list else f"value of {speech.noun}", claim.key)

    def _plural(self, claim: Claim) -> str:
        speech = self._speech(claim)
        return self._named(speech.plural or f"values of {speech.noun}", claim.key)


#: How keys are spoken of that are not well known: by their spelling.
_OF_ONE = Speech("{key}", is_empty_possible=True)
_OF_MANY = Speech("value of {key}", plural="values of {key}", is_empty_possible=True)


def _clause(phrase: Phrase) -> str:
    """Return a phrase as a sentence or as a part of one."""
    text = phrase.text
    text = "never " + text.removeprefix(_NEGATION) if text.startswith(_NEGATION) else "only " + text
    text += f" ({phrase.included})" if phrase.included else ""
    return f"{text}, and {phrase.beside}" if phrase.beside else text


def _within(phrase: Phrase) -> str:
    """Return a phrase as one of several of which only some must hold, or all."""
    note = phrase.included or phrase.beside
    return f"{phrase.text} ({note})" if note else phrase.text


def _only(text: str) -> str:
    return ("only if " if text.startswith(_NEGATION) else "only ") + text


def _height(node: Said) -> int:
    return 1 + max(map(_height, node.members)) if isinstance(node, Group) else 0


def _claims(node: Claim | Group) -> Iterable[Claim]:
    if isinstance(node, Claim):
        yield node
        return
    for member in node.members:
        yield from _claims(member)


def _place(claim: Claim) -> tuple[float, str]:
    return (rank_of(claim.key), claim.key)


def _named(template: str, key: str, **texts: str) -> str:
    return template.format(key=_token(key), name=_token(key.partition("/")[2]), **texts)


def _as_written(key: str, spelling: Spelling) -> str:
    """Return the key of a variable in AWS's spelling; a part that policies name as it is written there."""
    known = spelt(key.lower(), spelling)
    start, slash, _ = known.partition("/")
    return start + slash + key[len(start) + 1 :] if slash and known.lower() == key.lower() else known


def _has_patterns(claim: Claim) -> bool:
    return any(value.comparison in ("Like", "Arn", "Resource") for value in claim.values)


def _is_variable(value: Value) -> bool:
    """Whether a value is a policy variable and nothing else."""
    return value.comparison == "Equals" and [part.kind for part in value.parts] == ["variable"]


def _comparison(value: Value) -> str:
    return COMPARISONS[value.kind, value.comparison] + " " if value.comparison else ""


def _is_wide(value: Value) -> bool:
    """Whether a text that looks like an ARN is not compared as one: its wildcards may run past colons."""
    return value.comparison == "Like" and predicates.is_arn(value.parts) and predicates.has_early_wildcards(value.parts)


def _is_read_as_text(claim: Claim) -> bool:
    """Whether all ARNs of a claim are compared as texts: it "reads like" them. They "are like" ARNs field by field."""
    is_mixed = any(value.comparison == "Arn" for value in claim.values)
    return any(map(_is_wide, claim.values)) and not is_mixed


def _reading(value: Value, is_read_as_text: bool) -> str:
    """Return how a text is compared, where that is not what anyone would take it for."""
    if value.comparison == "IgnoreCase":
        return "in any case of letters"
    if value.comparison == "Arn":
        return "" if predicates.is_arn(value.parts) else "compared as an ARN"
    if value.comparison == "Like":
        return "compared as text" if _is_wide(value) and not is_read_as_text else ""
    is_plain = not any(sign in part.text for part in value.parts for sign in "*?" if part.kind == "literal")
    return "" if is_plain or value.kind != "text" else "no wildcard"


def _joined(texts: Sequence[str], conjunction: str) -> str:
    *others, last = texts
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def _chunk(part: Part, spelling: Spelling) -> str:
    """Return a piece of a value: plain text bare or quoted, wildcards and variables always bare."""
    if part.kind in ("star", "mark"):
        return part.text
    if part.kind == "literal":
        return _token(part.text, is_whole=False)
    name = _as_written(part.text, spelling)
    default = "" if part.default is None else f", {_token(part.default)}"
    return "${" + _token(name) + default + "}"


def _token(text: str, *, is_whole: bool = True) -> str:
    """Return a text bare, or in quotation marks where it could be misread."""
    is_bare = _BARE.fullmatch(text) or (not is_whole and re.fullmatch("[_@+=./:-]+", text))
    return text if is_bare and not (is_whole and text.lower() in RESERVED) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_written, text)) + '"'


def _written(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable() or _PRIVATE.match(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
