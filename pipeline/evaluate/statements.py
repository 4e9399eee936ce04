"""Turns numbered statements into formulas for one principal, action and resource type."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.formula import KNOWN, RESOURCE, Formula, Test, bare
from pipeline.evaluate.knowledge import (
    EVERY_KEY,
    Facts,
    KeyView,
    Knowledge,
    exact_key,
    fact,
    is_principal_key,
    known_domain,
    known_key,
    narrowed,
    settled,
    told,
)
from pipeline.evaluate.normal import normal
from pipeline.evaluate.texts import escaped
from pipeline.evaluate.turned import Keys, turned_round
from pipeline.iam import grammar
from pipeline.iam.grammar import Part
from pipeline.iam.request_keys import TAG_KEYS

Known = tuple[tuple[str, tuple[str, ...] | None], ...]

#: A character as JSON writes it that no policy of AWS holds.
_MARK = "\\u0000"
#: Operator of the tests on the resource.
RESOURCE_LIKE = "ResourceLike"
#: Keys of the resource that are the principal's own organization within one account.
RESOURCE_ORGANIZATION = "aws:resourceorg"


@dataclass(frozen=True, slots=True, eq=False)
class NumberedStatement:
    """A statement by its number. ``tests`` are its conditions; ``resources`` its patterns, variables not filled in.

    ``principal_tests`` are the tests on the principal's own facts, ``fact_keys`` the principal's keys whose values
    themselves matter, ``asked_keys`` every key that the statement asks for.
    """

    number: int
    is_allow: bool
    has_variables: bool
    resource_element: str | None
    resources: tuple[str, ...]
    tests: tuple[Test, ...]
    principal_tests: tuple[Test, ...]
    fact_keys: tuple[str, ...]
    asked_keys: tuple[str, ...]


class Surroundings(NamedTuple):
    """What a statement is read against: the principal's and resource's facts, and the keys that can be there."""

    facts: Facts
    view: KeyView
    knowledge: Knowledge


def read_statement(number: int, content: str) -> NumberedStatement:
    """Return a statement from its content as ``statement_contents`` writes it."""
    data = _without_marks(json.loads(content)) if _MARK in content else json.loads(content)
    has_variables = bool(data["has_variables"])
    tests = tuple(
        Test(c["operator"], c["set_qualifier"], c["if_exists"], c["key"], tuple(c["values"]), has_variables)
        for c in data["conditions"]
    )
    texts = [*data["resources"], *(value for test in tests for value in test.values)]
    fact_keys = {
        part.text.lower() for text in texts for part in grammar.parts(text, has_variables) if part.kind == "variable"
    }
    if fact_keys:
        fact_keys |= {test.key for test in tests if is_principal_key(test.key)}
    if any(test.key.startswith(RESOURCE_ORGANIZATION) for test in tests):
        fact_keys |= {"aws:principalorgid", "aws:principalorgpaths"}
    return NumberedStatement(
        number,
        data["effect"] == "Allow",
        has_variables,
        data["resource_element"],
        tuple(data["resources"]),
        tests,
        tuple(test for test in tests if is_principal_key(test.key)),
        tuple(sorted(fact_keys)),
        tuple(sorted({*fact_keys, *(test.key for test in tests)})),
    )


def mentioned(statements: Iterable[NumberedStatement], former: Mapping[str, str]) -> frozenset[str]:
    """Return the keys that statements ask for, and the present names of those that ``former`` has as former ones."""
    keys = {key for statement in statements for key in statement.asked_keys}
    return frozenset(keys | {former[key] for key in keys if key in former} | {TAG_KEYS})


def _without_marks(value: object) -> Any:
    """Return JSON data whose texts hold nothing that stands for what is known of a principal."""
    if isinstance(value, str):
        return value.replace(KNOWN, "\ufffd")
    if isinstance(value, list):
        return [_without_marks(member) for member in value]
    return {name: _without_marks(member) for name, member in value.items()} if isinstance(value, dict) else value


def condition(statement: NumberedStatement, around: Surroundings) -> Formula:
    """Return what must hold of the context for the statement to apply."""
    return formulas.conjunction(_resolved(test, around) for test in statement.tests)


def _resolved(test: Test, around: Surroundings) -> Formula:
    """Return a test with what is known filled in: True or False where that decides it."""
    knowledge = around.knowledge
    if not predicates.fits(test.operator, test.key, knowledge.value_type(test.key)):
        return False
    if not test.values and (test.set_qualifier or test.if_exists):
        return _without_values(test, around)
    key = knowledge.canonical(test.key, around.view)
    known = fact(around.facts, key)
    if known is None and knowledge.is_absent(key, around.view):
        known = ()
    takes_variables = test.has_variables and predicates.family(test.operator) == "text"
    filled, is_opaque = _filled(test.values, takes_variables, around)
    has_variables = takes_variables and any("${" in value for value in filled)
    key = known_key(key, around.facts) if known is None else key
    test = test._replace(key=key, values=tuple(sorted(set(filled))), has_variables=has_variables, is_opaque=is_opaque)
    if known is None:
        return _on_key(test, knowledge)
    if not is_opaque or not known:
        return predicates.holds(test, known)
    keys = Keys(lambda part: key_of(part, around), knowledge.domain, lambda one: _on_key(one, knowledge))
    turned = turned_round(test, known, keys)
    return _on_key(test._replace(key=exact_key(key, known)), knowledge) if turned is None else turned


def _on_key(test: Test, knowledge: Knowledge) -> Formula:
    """Return what a test comes to on a key whose values are not known, or of which is known what they begin with."""
    if KNOWN not in test.key:
        return normal(test, knowledge.domain(test.key))
    truth = settled(test)
    return normal(narrowed(test), known_domain(test.key)) if truth is None else truth


def _without_values(test: Test, around: Surroundings) -> Formula:
    """Return what an empty list of values comes to under a set operator or IfExists: at most that the key is absent."""
    if test.set_qualifier == "ForAnyValue":
        return False
    rest = test._replace(set_qualifier=None, if_exists=False, has_variables=False)
    if test.set_qualifier or not around.knowledge.domain(test.key).takes_texts:
        return _resolved(rest._replace(operator="Null", values=("true",)), around)
    # To a plain operator a key with an empty text is there.
    return formulas.negation(_resolved(rest._replace(operator="StringLike", values=("*",)), around))


def _filled(values: Sequence[str], has_variables: bool, around: Surroundings) -> tuple[list[str], bool]:
    """Return values with known variables filled in, those without a value left out; and whether any is unknown."""
    if not has_variables:
        return list(values), False
    found, is_opaque = [], False
    for value in values:
        text, is_unknown = filled_text(value, around)
        is_opaque |= is_unknown
        if text is not None:
            found.append(text)
    return found, is_opaque


def filled_text(text: str, around: Surroundings) -> tuple[str | None, bool]:
    """Return a text with known variables filled in as literal text, and whether an unknown one is left.

    The text is None where a variable is known to have neither value nor default: it matches nothing (VARS).
    """
    written, is_opaque = [], False
    for part in grammar.parts(text, True):
        if part.kind != "variable":
            written.append(escaped(part.text) if part.kind == "literal" else part.text)
            continue
        value, is_unknown = _variable(part, around)
        if value is None and not is_unknown:
            return None, False
        if value is None:
            name, _, _ = part.text.partition(KNOWN)
            known = known_key(around.knowledge.canonical(name.lower(), around.view), around.facts)
            part = part._replace(text=name + known[len(bare(known)) :]) if KNOWN in known else part
        written.append(_variable_text(part) if value is None else escaped(value))
        is_opaque |= is_unknown
    return "".join(written), is_opaque


def key_of(variable: Part, around: Surroundings) -> str:
    """Return the key that a variable stands for."""
    name, known, start = variable.text.partition(KNOWN)
    return around.knowledge.canonical(name.lower(), around.view) + known + start


def _variable(part: Part, around: Surroundings) -> tuple[str | None, bool]:
    """Return what a variable stands for, and whether nobody knows; only single-valued keys are variables (VARS)."""
    value_type = around.knowledge.value_type(bare(part.text).lower()) or ""
    if " " in part.text or value_type.startswith("ArrayOf"):
        return part.default, False
    key = key_of(part, around)
    known = fact(around.facts, key)
    if known is None and around.knowledge.is_absent(key, around.view):
        known = ()
    if known is None:
        return None, True
    present = [value for value in known if value]
    return (present[0] if len(present) == 1 else part.default), False


def _variable_text(part: Part) -> str:
    default = "" if part.default is None else f", '{part.default}'"
    return "${" + part.text + default + "}"


def resource_patterns(statement: NumberedStatement, around: Surroundings, *, completes: bool) -> tuple[str, ...]:
    """Return the statement's resource patterns with known variables filled in; ``completes`` fills short ARNs up."""
    found = []
    for pattern in statement.resources:
        written = grammar.completed_arn(pattern) if completes else pattern
        if not statement.has_variables:
            found.append(written.replace("${", "${$}{"))
            continue
        text, _ = filled_text(written, around)
        if text is not None and not _has_early_variable(written):
            found.append(text)
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def _has_early_variable(pattern: str) -> bool:
    """Whether a variable stands before an ARN's fifth colon, where none works: the pattern matches nothing (VARS)."""
    before = ""
    for part in grammar.parts(pattern, True):
        if part.kind == "variable":
            return before.startswith("arn:") and before.count(":") < grammar.ARN_FIELDS - 1
        before += part.text
    return False


class Applies(NamedTuple):
    """What must hold for a statement to apply: its resource patterns with variables filled in, and the formula."""

    patterns: tuple[str, ...]
    formula: Formula


@lru_cache(maxsize=1 << 18)
def _applies(
    statement: NumberedStatement, view: KeyView, known: Known, knowledge: Knowledge, completes: bool
) -> Applies:
    around = Surroundings({key: values for key, values in known if values is not None}, view, knowledge)
    patterns = resource_patterns(statement, around, completes=completes)
    return Applies(patterns, formulas.conjunction((on_resources(statement, patterns), condition(statement, around))))


def applies(statement: NumberedStatement, around: Surroundings, *, completes: bool) -> Applies:
    """Return what must hold for a statement to apply. Remembered by what it asks for: few answers serve all cells."""
    if not statement.asked_keys:
        return _applies(statement, EVERY_KEY, (), around.knowledge, completes)
    known = tuple([told(around.facts, key) for key in statement.asked_keys])
    return _applies(statement, around.view, known, around.knowledge, completes)


@lru_cache(maxsize=1 << 16)
def without_slashes(statement: NumberedStatement) -> NumberedStatement | None:
    """Return a statement as it meets resources whose ARNs hold no slash: without the patterns that have one, as these
    match none of them. None where it meets none."""
    kept = tuple(pattern for pattern in statement.resources if not _has_slash(pattern, statement.has_variables))
    if len(kept) == len(statement.resources):
        return statement
    if not kept:
        is_of_all = statement.resource_element == "NotResource"
        return replace(statement, resource_element=None, resources=()) if is_of_all else None
    return replace(statement, resources=kept)


def _has_slash(pattern: str, has_variables: bool) -> bool:
    return any("/" in part.text for part in grammar.parts(pattern, has_variables) if part.kind != "variable")


def on_resources(statement: NumberedStatement, patterns: Sequence[str]) -> Formula:
    """Return what must hold of the resource for the statement to apply."""
    if statement.resource_element is None:
        return True
    if not statement.resources:
        return False
    matched = formulas.disjunction(resource_test(pattern) for pattern in patterns)
    return formulas.negation(matched) if statement.resource_element == "NotResource" else matched


@lru_cache(maxsize=1 << 16)
def resource_test(pattern: str) -> Formula:
    """Return the test that the resource matches a pattern; an unknown variable makes it a guess within a wider one."""
    parts = grammar.parts(pattern, True)
    if not any(part.kind == "variable" for part in parts):
        return Test(RESOURCE_LIKE, None, False, RESOURCE, (pattern,), True)
    wide = "".join(
        "*" if part.kind == "variable" else escaped(part.text) if part.kind == "literal" else part.text
        for part in parts
    )
    within = Test(RESOURCE_LIKE, None, False, RESOURCE, (wide,), True)
    guess = Test(RESOURCE_LIKE, None, False, f"{RESOURCE} {pattern}", (pattern,), True, is_opaque=True)
    return formulas.conjunction((within, guess))


@lru_cache(maxsize=1 << 16)
def pattern_glob(pattern: str) -> globs.Glob:
    """Return the glob of a filled pattern; a variable that is left matches anything."""
    return wide_glob(pattern, True, False)


@lru_cache(maxsize=1 << 16)
def wide_glob(pattern: str, has_variables: bool, completes: bool) -> globs.Glob:
    """Return the glob of a pattern as written, every variable of it matching anything."""
    written = grammar.completed_arn(pattern) if completes else pattern
    parts = grammar.parts(written, has_variables)
    return globs.of_arn(globs.glob([Part("star", "*") if part.kind == "variable" else part for part in parts]))


@lru_cache(maxsize=1 << 16)
def shown(pattern: str) -> str:
    """Return a filled pattern as a person reads it: what is meant literally stays ``${*}``, ``${?}`` and ``${$}{``."""
    pieces = groupby(grammar.parts(pattern, True), key=lambda part: part.kind == "literal")
    written = (
        escaped("".join(part.text for part in group)) if is_literal else "".join(map(_shown, group))
        for is_literal, group in pieces
    )
    return "".join(written)


def _shown(part: Part) -> str:
    return bare(_variable_text(part)) if part.kind == "variable" else part.text
