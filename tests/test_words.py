"""The words of conditions: a table of cases, and that what differs in meaning never reads the same."""

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import and_, or_
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import reference
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.claims import said
from pipeline.evaluate.formula import Formula, Junction, Test
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.given import test_of as told_test
from pipeline.evaluate.vocabulary import SPEECH
from pipeline.evaluate.words import keys_of, spelt, words
from pipeline.iam.request_keys import ALWAYS_PRESENT

Test.__test__ = False  # a test of a policy, none of ours
CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "evaluation" / "words.json").read_text(encoding="utf-8")
)


def reference_spelling() -> dict[str, str]:
    """The reference's keys as ``run.py`` hands them over, without those that only policies name."""
    keys = reference.load().table("reference_condition_keys").column("condition_key").to_pylist()
    names = [key.split("${", 1)[0] for key in keys]
    return {name.lower(): name for name in names}


SPELLING = reference_spelling() | {"aws:resourcetag/project": "aws:ResourceTag/Project"}


@pytest.mark.parametrize("case", CASES, ids=[case["words"] for case in CASES])
def test_the_words_of(case: dict[str, Any]) -> None:
    assert words(formula_of(json.dumps(case["formula"])), SPELLING) == case["words"]


def test_no_two_cases_read_the_same_and_there_are_many() -> None:
    assert len({case["words"] for case in CASES}) == len({json.dumps(case["formula"]) for case in CASES}) == len(CASES)
    assert len(CASES) >= 60


class Asked(NamedTuple):
    """A key with the operators and values to ask it for, and the values that requests have of it."""

    key: str
    operators: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    contexts: tuple[tuple[str, ...], ...]


VARIABLE = "${aws:PrincipalTag/team}"
TEXT = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
ARN = ("ArnLike", "ArnNotEquals")
NUMERIC = ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals")
DATE = ("DateEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals")
ADDRESS = ("IpAddress", "NotIpAddress")
TEXTS = (("a",), ("A",), ("a", "b"), ("a*",), ("*",), ("",), ("a", "b*"), ("true",), (), (VARIABLE,), (VARIABLE + "*",))
ARNS = (
    ("arn:aws:iam::1:role/x",), ("arn:aws:iam::*:role/x",), ("arn:aws:iam::1:role/*",), ("*",), ("arn:aws:iam",),
    ("arn:aws:iam::1:role/x", "arn:aws:iam::2:role/*"),
)  # fmt: skip
ROLES = ("arn:aws:iam::1:role/x", "arn:aws:iam::2:role/x", "arn:aws:iam::1:role/y:x", "arn:aws:iam::1:z:role/x", "z")
NUMBERS = (("5",), ("5", "7"), ("7",), ("many",), ())
DAYS = (("2027-01-01",), ("2027-01-01", "2028-01-01"), ("2028-01-01",), ("soon",))
MOMENTS = ("2026-01-01", "2027-01-01", "2027-06-01", "2028-01-01", "2029-01-01")
BOOLEANS = (("true",), ("false",), ("true", "false"), ("yes",), ())


def singles(values: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


def some_of(values: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(subset for size in (1, 2) for subset in itertools.combinations(values, size))


LETTERS = ("a", "A", "b", "ab", "bb", "true", "TRUE", "v", "vv", "z")
ASKED = (
    Asked("k:any", TEXT, TEXTS, some_of(("", *LETTERS))),
    Asked("k:any", ARN, ARNS, some_of(("", *ROLES))),
    Asked(
        "k:any",
        ("StringEquals", "Bool", "NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "DateLessThan",
         "IpAddress", "NotIpAddress", "BinaryEquals"),
        (("5",), ("5", "7"), ("true",), ("false",), ("2027-01-01",), ("10.0.0.0/8",), ("AAAA",), ()),
        some_of(("", "5", "5.0", "7", "true", "TRUE", "false", "2026-01-01", "2027-01-01", "10.1.1.1", "AAAA", "z")),
    ),
    Asked("aws:resourcetag/project", TEXT, TEXTS, singles(("", *LETTERS))),
    Asked("aws:requesttag/a", TEXT, TEXTS, singles(("", *LETTERS))),
    Asked("aws:principaltag/a", TEXT, TEXTS, singles(("", *LETTERS))),
    Asked("aws:useragent", TEXT, TEXTS, singles(("", *LETTERS))),
    Asked("aws:sourcevpce", TEXT, TEXTS, singles(LETTERS)),
    Asked("iam:passedtoservice", TEXT, TEXTS, singles(LETTERS)),
    Asked("sagemaker:rootaccess", TEXT, TEXTS, singles(LETTERS)),
    Asked("aws:requestedregion", TEXT, TEXTS, singles(LETTERS)),
    Asked("sagemaker:vpcsubnets", TEXT, TEXTS, some_of(LETTERS)),
    Asked("aws:sourcearn", (*ARN, "StringLike", "StringEquals"), ARNS, singles(ROLES[:-1])),
    Asked("aws:principalarn", (*ARN, "StringLike", "StringEquals"), ARNS, singles(ROLES[:-1])),
    Asked("sagemaker:maxruntimeinseconds", NUMERIC, NUMBERS, singles(("4", "5", "6", "7", "8"))),
    Asked("aws:currenttime", DATE, DAYS, singles(MOMENTS)),
    Asked("aws:tokenissuetime", DATE, DAYS, singles(MOMENTS)),
    Asked("aws:sourceip", ADDRESS, (("10.0.0.0/8",), ("10.0.0.0/8", "::/0"), ("1.1.1.1",), ("x",), ()),
          singles(("10.1.1.1", "1.1.1.1", "2.2.2.2", "2001:db8::1"))),
    Asked("aws:multifactorauthpresent", ("Bool",), BOOLEANS, singles(("true", "false"))),
    Asked("aws:viaawsservice", ("Bool",), BOOLEANS, singles(("true", "false"))),
    Asked("sagemaker:networkisolation", ("Bool",), BOOLEANS, singles(("true", "false"))),
)  # fmt: skip
IDS = [f"{asked.key} {asked.operators[0]}" for asked in ASKED]
#: What the caller's tag may be in a request.
FILLED = ("v", "a")


def listed_tests(asked: Asked) -> Iterator[Test]:
    """Yield every test of a key: with all operators, set qualifiers, IfExists and values."""
    for operator, values, qualifier, if_exists in itertools.product(
        asked.operators, asked.values, (None, "ForAllValues", "ForAnyValue"), (False, True)
    ):
        is_text = predicates.family(operator) == "text"
        is_opaque = is_text and any("${" in value for value in values)
        yield Test(operator, qualifier, if_exists, asked.key, values, is_text, is_opaque)
    for qualifier, values in itertools.product((None, "ForAllValues", "ForAnyValue"), (("true",), ("false",))):
        yield Test("Null", qualifier, False, asked.key, values)


def contexts_of(asked: Asked) -> tuple[tuple[str, ...], ...]:
    return asked.contexts if asked.key in ALWAYS_PRESENT else ((), *asked.contexts)


class Requests:
    """All requests over some keys. A formula's meaning is the set of those that it holds for, as bits of a number."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        keys = [one.key for one in asked]
        self.contexts = [
            (dict(zip(keys, values, strict=True)), filled)
            for filled in FILLED
            for values in itertools.product(*map(contexts_of, asked))
        ]
        self.everything = (1 << len(self.contexts)) - 1
        self.known: dict[Test, int] = {}

    def meaning(self, f: Formula) -> int:
        if isinstance(f, bool):
            return self.everything if f else 0
        if isinstance(f, Test):
            return self._of_test(f)
        parts = [self.meaning(part) for part in f.parts]
        if f.kind == "not":
            return self.everything & ~parts[0]
        return reduce(and_ if f.kind == "and" else or_, parts)

    def _of_test(self, test: Test) -> int:
        if test not in self.known:
            held = {}
            for values, filled in {(context[test.key], filled) for context, filled in self.contexts}:
                listed = tuple(value.replace(VARIABLE, filled) for value in test.values)
                held[values, filled] = predicates.holds(test._replace(values=listed), values)
            hits = (held[context[test.key], filled] for context, filled in self.contexts)
            self.known[test] = sum(1 << number for number, hit in enumerate(hits) if hit)
        return self.known[test]


def confused(found: Iterable[Formula], asked: Sequence[Asked]) -> list[tuple[str, Formula, Formula]]:
    """Return formulas that differ in meaning and read the same."""
    told: dict[str, tuple[int, Formula]] = {}
    requests = Requests(asked)
    wrong = []
    for f in found:
        text, comes_to = words(f, SPELLING), requests.meaning(f)
        held = told.setdefault(text, (comes_to, f))
        if held[0] != comes_to:
            wrong.append((text, held[1], f))
    assert len(told) > 3
    return wrong


@pytest.mark.parametrize("asked", ASKED, ids=IDS)
def test_tests_of_one_key_that_differ_in_meaning_read_differently(asked: Asked) -> None:
    found = [f for test in listed_tests(asked) for f in (test, formulas.negation(test))]
    assert confused(found, [asked])[:3] == []


@pytest.mark.parametrize("asked", ASKED, ids=IDS)
def test_two_tests_of_one_key_that_differ_in_meaning_read_differently(asked: Asked) -> None:
    chance = random.Random(asked.key)
    found = list(listed_tests(asked))
    every: list[Formula] = [f for test in found for f in (test, formulas.negation(test))]
    pairs: list[Formula] = []
    for _ in range(2500):
        one, other = chance.sample(every, 2)
        pairs += [formulas.conjunction((one, other)), formulas.disjunction((one, other))]
    assert confused(pairs, [asked])[:3] == []


def trees(chance: random.Random, leaves: Sequence[Formula], depth: int) -> Formula:
    if depth == 0 or chance.random() < 0.25:
        return chance.choice(leaves)
    join = chance.choice((formulas.conjunction, formulas.disjunction))
    return join([trees(chance, leaves, depth - 1) for _ in range(chance.choice((2, 2, 3)))])


@pytest.mark.parametrize("seed", range(12))
def test_formulas_of_several_keys_that_differ_in_meaning_read_differently(seed: int) -> None:
    chance = random.Random(seed)
    asked = chance.sample([one for one in ASKED if one.operators != ARN and one.key != "k:any"], 3)
    leaves: list[Formula] = []
    for one in asked:
        for test in chance.sample(list(listed_tests(one)), 2):
            leaves += [test, formulas.negation(test)]
    found = [trees(chance, leaves, 3) for _ in range(600)]
    assert confused(found, asked)[:3] == []


def shuffled(f: Formula, chance: random.Random) -> Formula:
    """Return the same formula with the parts in another order, and the values of tests too."""
    if isinstance(f, Test):
        return f._replace(values=tuple(chance.sample(f.values, len(f.values))))
    if isinstance(f, bool):
        return f
    parts = [shuffled(part, chance) for part in f.parts]
    chance.shuffle(parts)
    return Junction(f.kind, tuple(parts))


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_parts_and_values_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    leaves: list[Formula] = [
        test for one in chance.sample(ASKED, 3) for test in chance.sample(list(listed_tests(one)), 4)
    ]
    leaves += [formulas.negation(leaf) for leaf in leaves]
    for _ in range(150):
        f = trees(chance, leaves, 3)
        assert words(f, SPELLING) == words(shuffled(f, chance), SPELLING)


hostile_tests = st.builds(
    lambda operator, qualifier, if_exists, key, values, has_variables: Test(
        operator, qualifier, if_exists, key, tuple(values), has_variables
    ),
    st.sampled_from([*TEXT, *ARN, *NUMERIC, *DATE, *ADDRESS, "Bool", "Null", "BinaryEquals", "ResourceLike"]),
    st.sampled_from([None, "ForAllValues", "ForAnyValue"]),
    st.booleans(),
    st.one_of(st.text(), st.sampled_from(sorted(SPEECH)), st.builds("aws:resourcetag/{}".format, st.text())),
    st.lists(st.one_of(st.text(), st.text(alphabet="${}*?'\", aor\n\u202e\\")), max_size=3),
    st.booleans(),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(hostile_tests, min_size=1, max_size=4))
def test_any_text_in_keys_and_values_makes_one_printable_line(tests: list[Test]) -> None:
    for join in (formulas.conjunction, formulas.disjunction):
        text = words(join(tests), {})
        assert text.replace("\ue000", "").isprintable() or re.search("[\ue000-\uf8ff]", text)
        assert re.match(r"(only|never|unless|always)\b", text)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.text(alphabet="ab ,or\"\\'=()\u202e\u05d0*?${}\n", max_size=8), min_size=2, max_size=2, unique=True))
def test_different_values_and_names_never_read_the_same(texts: list[str]) -> None:
    for template in ("aws:requesttag/{}", "aws:resourcetag/{}", "{}"):
        keys = [template.format(text) for text in texts]
        named = {words(Test("StringEquals", None, False, key, ("a",)), {}) for key in keys}
        assert len(named) == 2
    for key in ("aws:requesttag/a", "aws:sourcevpce", "sagemaker:vpcsubnets", "k"):
        assert len({words(Test("StringEquals", None, False, key, (text,)), {}) for text in texts}) == 2
        as_one = (f"{texts[0]}, {texts[1]}", "c")
        assert len({words(Test("StringEquals", None, False, key, v), {}) for v in ((*texts, "c"), as_one)}) == 2
    patterns = {words(Test("StringLike", None, False, "k", (text,)), {}) for text in texts}
    # Any number of * in a row is one.
    assert len(patterns) >= len({re.sub(r"\*+", "*", text) for text in texts})


def test_every_key_is_named_differently() -> None:
    keys = [*(key + "x" if key.endswith("/") else key for key in SPEECH if key not in ("resource", "session")), "k:any"]
    for operator, values in (("StringEquals", ("x",)), ("Null", ("false",)), ("Null", ("true",)), ("Bool", ("true",))):
        for is_negated in (False, True):
            tests = [Test(operator, None, False, key, values) for key in keys]
            told = [words(formulas.negation(test) if is_negated else test, {}) for test in tests]
            assert len(set(told)) == len(told), [text for text in told if told.count(text) > 1]


def test_a_key_is_spelt_by_its_longest_known_beginning() -> None:
    spelling = {
        "kms:encryptioncontext:": "kms:EncryptionContext:",
        "aws:resourcetag/": "aws:ResourceTag/",
        "a:b": "A:b",
    }
    assert spelt("kms:encryptioncontext:app/x", spelling) == "kms:EncryptionContext:app/x"
    assert spelt("aws:resourcetag/cost #1", spelling) == "aws:ResourceTag/cost #1"
    assert spelt("a:b", spelling) == "A:b"
    assert spelt("x:y/z", spelling) == "x:y/z"


def test_the_keys_of_a_condition_are_those_that_it_tests_and_those_of_its_variables() -> None:
    tests = [
        told_test(operator, None, False, key, values, has_variables=True)
        for operator, key, values in (
            ("StringEquals", "aws:resourcetag/project", ("${aws:PrincipalTag/Team, 'none'}", "${*}")),
            ("ResourceLike", "resource a", ("arn:aws:s3:::${aws:userid}-*",)),
            ("StringLike", "aws:sourcevpc", ("a*",)),
            ("SessionIs", "session x", ("x",)),
        )
    ]
    named = ["aws:PrincipalTag/Team", "aws:ResourceTag/Project", "aws:SourceVpc", "aws:userid"]
    assert keys_of(formulas.conjunction(tests), SPELLING) == named
    assert keys_of(tests[0]._replace(is_opaque=False), SPELLING) == ["aws:ResourceTag/Project"]


def test_what_is_constant_is_said_so() -> None:
    assert words(Test("Null", "ForAllValues", False, "k", ("true",)), {}) == "always"
    assert words(Test("StringEquals", None, False, "k", ()), {}) == "never"
    assert said(True) is True
