"""The algebra under the set-based engine: globs, ways of a key, formulas. Held against trying everything."""

import itertools
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.values import KeyDomain, ways
from pipeline.iam import grammar

Test.__test__ = False  # a test of a policy, none of ours
LETTERS = "ab:"
TEXTS = ["".join(letters) for n in range(1, 7) for letters in itertools.product("abz:", repeat=n)][:6000]
patterns = st.text("ab:*?", min_size=1, max_size=4)
STRING = KeyDomain("String", False, True)


def glob(text: str) -> globs.Glob:
    return globs.glob(grammar.parts(text, False))


def expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern), re.DOTALL)


@given(patterns, st.text("abz:", max_size=6))
def test_a_glob_matches_what_the_expression_of_it_matches(pattern: str, text: str) -> None:
    assert globs.matches(glob(pattern), text) == bool(expression(pattern).fullmatch(text))


@settings(max_examples=150, deadline=None)
@given(patterns, patterns)
def test_the_relation_of_two_globs_is_what_trying_all_short_texts_shows(scope: str, pattern: str) -> None:
    found = globs.relation((glob(scope),), glob(pattern))
    hits = {bool(expression(pattern).fullmatch(text)) for text in TEXTS if expression(scope).fullmatch(text)}
    assert not hits - ({True} if found.inside else set()) - ({False} if found.outside else set()), "a text was missed"
    if len(scope) + len(pattern) <= 5:  # then a text of six letters is enough to show each way
        assert hits == {truth for truth, is_there in ((True, found.inside), (False, found.outside)) if is_there}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text("ab*", min_size=1, max_size=4), st.booleans()), min_size=2, max_size=3))
def test_globs_whose_runs_are_not_empty_meet_as_a_walk_over_all_texts_shows(listed: list[tuple[str, bool]]) -> None:
    *scope, pattern = [globs.filled(glob(text)) if is_filled else glob(text) for text, is_filled in listed]
    # Two stars side by side are one run.
    expressions = [expression(re.sub(r"\*+", "?*", text) if is_filled else text) for text, is_filled in listed]
    found = globs.relation(tuple(scope), pattern)
    hits = {bool(expressions[-1].fullmatch(text)) for text in TEXTS if all(e.fullmatch(text) for e in expressions[:-1])}
    assert not hits - ({True} if found.inside else set()) - ({False} if found.outside else set()), "a text was missed"
    if hits:  # of no text at all either may be said
        assert found == globs._walked(tuple(scope), pattern)


@settings(max_examples=100, deadline=None)
@given(st.lists(patterns, min_size=1, max_size=3))
def test_truth_vectors_miss_no_text_and_their_examples_are_true(listed: list[str]) -> None:
    vectors = globs.truth_vectors(tuple(glob(pattern) for pattern in listed))
    assert vectors is not None
    expressions = [expression(pattern) for pattern in listed]
    for text in TEXTS[:1500]:
        assert tuple(bool(e.fullmatch(text)) for e in expressions) in vectors
    for vector, text in vectors.items():
        assert vector == tuple(bool(e.fullmatch(text)) for e in expressions)


def test_arns_that_differ_in_a_field_never_meet_though_their_globs_are_wide() -> None:
    universe = globs.bound(glob("arn:aws:sagemaker:*:111122223333:model/*"))
    assert globs.relation((universe,), glob("arn:aws:sagemaker:*:*:endpoint/*")) == globs.Relation(False, True)
    assert globs.relation((universe,), glob("arn:aws:sagemaker:*:*:*")) == globs.Relation(True, False)
    assert globs.relation((universe,), glob("arn:aws:sagemaker:us-east-1:*:model/a*")) == globs.Relation(True, True)


string_tests = st.builds(
    lambda operator, qualifier, if_exists, values: Test(operator, qualifier, if_exists, "k", tuple(values)),
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]),
    st.sampled_from([None, None, "ForAllValues", "ForAnyValue"]),
    st.booleans(),
    st.lists(st.sampled_from(["a", "b", "A", "ab", "a*", "*b", "a?"]), max_size=3),
)
null_tests = st.builds(lambda value: Test("Null", None, False, "k", (value,)), st.sampled_from(["true", "false"]))
VALUES = [(), *itertools.product(["a", "b", "A", "ab", "ax", "xb", "axb", "zz"], repeat=1)]
SETS = [
    *VALUES,
    *itertools.combinations(["a", "b", "A", "ab", "ax", "xb", "zz"], 2),
    *itertools.combinations(["a", "ab", "xb", "zz"], 3),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(string_tests, null_tests), min_size=1, max_size=4), st.booleans())
def test_the_ways_of_a_key_hold_every_value_and_their_examples_are_true(
    listed: list[Test], is_multivalued: bool
) -> None:
    tests = tuple(dict.fromkeys(listed))
    found = ways(tests, KeyDomain("String", is_multivalued, True))
    known = {(way.truths, way.is_present) for way in found}
    for values in SETS if is_multivalued else VALUES:
        assert (tuple(predicates.holds(test, values) for test in tests), bool(values)) in known
    for way in found:
        if way.is_exact:
            assert way.truths == tuple(predicates.holds(test, way.values) for test in tests)


@pytest.mark.parametrize("seed", range(40))
def test_the_ways_of_numbers_dates_and_addresses_hold_every_value(seed: int) -> None:
    chance = random.Random(seed)
    kinds = (
        (
            "Numeric",
            ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"],
            lambda: str(chance.randint(0, 6) / 2),
        ),
        ("Date", ["DateLessThan", "DateGreaterThan", "DateEquals"], lambda: f"202{chance.randint(0, 9)}-01-01"),
        (
            "IPAddress",
            ["IpAddress", "NotIpAddress"],
            lambda: f"10.0.0.{chance.randint(0, 255)}/{chance.randint(22, 32)}",
        ),
    )
    value_type, operators, value = chance.choice(kinds)
    tests = tuple(
        {Test(chance.choice(operators), None, chance.random() < 0.3, "k", (value(), value())) for _ in range(3)}
    )
    known = {(way.truths, way.is_present) for way in ways(tests, KeyDomain(value_type, False, True))}
    for _ in range(300):
        text = value().split("/")[0]
        assert (tuple(predicates.holds(test, (text,)) for test in tests), True) in known


atoms = st.builds(
    lambda key, value, operator: Test(operator, None, False, key, (value,)),
    st.sampled_from(["k", "l"]), st.sampled_from(["a", "b", "a*"]), st.sampled_from(["StringLike", "StringNotEquals"]),
)  # fmt: skip
trees = st.recursive(
    st.one_of(atoms, st.booleans()),
    lambda inner: st.one_of(
        st.builds(formulas.negation, inner),
        st.builds(lambda parts: formulas.conjunction(parts), st.lists(inner, max_size=3)),
        st.builds(lambda parts: formulas.disjunction(parts), st.lists(inner, max_size=3)),
    ),
    max_leaves=8,
)
CONTEXTS = list(itertools.product([(), ("a",), ("b",), ("ax",), ("a*",), ("zz",)], repeat=2))


def truth(f: Formula, context: tuple[tuple[str, ...], tuple[str, ...]]) -> bool | None:
    values = dict(zip("kl", context, strict=True))
    return formulas.value(f, {test: predicates.holds(test, values[test.key]) for test in formulas.tests(f)})


@settings(max_examples=300, deadline=None)
@given(trees)
def test_a_formula_is_possible_or_certain_if_trying_every_context_shows_it(f: Formula) -> None:
    solver = Solver(lambda key: STRING)
    found = {truth(f, context) for context in CONTEXTS}
    assert solver.is_possible(f) == (True in found)
    assert solver.is_certain(f) == (found == {True})


@settings(max_examples=200, deadline=None)
@given(trees)
def test_a_simplified_formula_says_the_same(f: Formula) -> None:
    simplified = Solver(lambda key: STRING).simplified(f)
    assert all(truth(simplified, context) == truth(f, context) for context in CONTEXTS)


@settings(max_examples=100, deadline=None)
@given(st.lists(atoms, min_size=2, max_size=4, unique=True))
def test_equal_formulas_have_equal_ids_in_whatever_order(parts: list[Test]) -> None:
    forward, backward = formulas.disjunction(parts), formulas.disjunction(parts[::-1])
    assert forward == backward
    assert formulas.identity(forward) == formulas.identity(backward)


def test_a_search_that_is_too_long_errs_towards_possible() -> None:
    one_of_two = [
        formulas.disjunction([Test("StringEquals", None, False, f"k{n}", (value,)) for value in "ab"])
        for n in range(14)
    ]
    never = [Test("StringEquals", None, False, "z", (value,)) for value in "ab"]
    tied = [formulas.disjunction((Test("StringLike", None, False, "z", (f"{n}*",)), never[n % 2])) for n in range(8)]
    answer = Solver(lambda key: STRING).satisfy(formulas.conjunction([*one_of_two, *tied, *never]))
    assert answer.is_possible
    assert not answer.is_proven
