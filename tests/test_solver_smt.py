"""The solver's answers are those of an SMT solver, wherever it says that they are proven; elsewhere on the safe side.

POLICYLAKE_SMT_FORMULAS=100000 holds more formulas against z3 than the default run does (make smt).
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import smt
import z3
from random_formulas import built, made

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.normal import normal
from pipeline.evaluate.solver import Answer, Solver, satisfy
from pipeline.evaluate.values import KeyDomain
from pipeline.iam import conditions, grammar
from pipeline.iam.context import Context
from pipeline.iam.model import Condition
from pipeline.iam.parse import OPERATORS

Test.__test__ = False  # a test of a policy, none of ours
FORMULAS = int(os.environ.get("POLICYLAKE_SMT_FORMULAS", "300"))
#: Most questions in a hundred that z3 may leave open.
MOST_OPEN = 2
NUMERIC, STRING, BINARY, ADDRESS = (
    KeyDomain(kind, False, False) for kind in ("Numeric", "String", "Binary", "IPAddress")
)

Domains = dict[str, KeyDomain]


def asked(f: Formula, domains: Domains, *others: Formula) -> smt.Question:
    return smt.question((f, *others), domains.__getitem__)


def by_smt(f: Formula, domains: Domains) -> bool | None:
    found = asked(f, domains)
    return smt.is_satisfiable(smt.translated(f, found.keys), found.facts)


def concretely(f: Formula, context: dict[str, tuple[str, ...]], domains: Domains) -> bool:
    """Return the truth of a formula by the operators of the concrete evaluator."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        if f.operator == "ResourceLike":
            return any(conditions.like(grammar.parts(text, True), context[f.key][0]) for text in f.values)
        condition = Condition(f.operator, f.set_qualifier, f.if_exists, f.key, f.values)
        return conditions.holds(condition, f.has_variables, Context(context, lambda key: domains[key].value_type))
    truths = [concretely(part, context, domains) for part in f.parts]
    return not truths[0] if f.kind == "not" else all(truths) if f.kind == "and" else any(truths)


def wrong(f: Formula, domains: Domains, answer: Answer | None = None, known: bool | None = None) -> str | None:
    """Say what is wrong with the answer on a formula; None where nothing is."""
    if answer is None:
        answer, known = satisfy(f, domains.__getitem__), by_smt(f, domains)
    if known is True and not answer.is_possible:
        return "impossible, and z3 has values for it"
    if known is False and answer.is_possible and answer.is_proven:
        return "possible and proven, and z3 says that it is not"
    if answer.is_possible and answer.is_proven:
        context = with_both_clocks(answer.context)
        if smt.is_true(f, context) is False:
            return f"z3 refuses the context {answer.context}"
        if not concretely(f, context, domains):
            return f"the concrete evaluator refuses the context {answer.context}"
    return None


def with_both_clocks(context: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return a context in which the present moment has both of its names."""
    now = context.get(smt.NOW) or context.get(smt.EPOCH)
    return {**context, smt.NOW: now, smt.EPOCH: now} if now else context


def smaller(f: Formula) -> Iterator[Formula]:
    """Yield formulas that are a step smaller: a part alone, without a part, without a value of a test."""
    if isinstance(f, Test):
        if len(f.values) > 1:
            yield from (f._replace(values=tuple(v for v in f.values if v != value)) for value in f.values)
        if f.if_exists:
            yield f._replace(if_exists=False)
        if f.set_qualifier:
            yield f._replace(set_qualifier=None)
        return
    if isinstance(f, bool):
        return
    yield from f.parts
    if f.kind == "not":
        yield from (formulas.negation(inner) for inner in smaller(f.parts[0]))
        return
    join = formulas.conjunction if f.kind == "and" else formulas.disjunction
    for part in f.parts:
        rest = [other for other in f.parts if other is not part]
        yield join(rest)
        yield from (join([*rest, inner]) for inner in smaller(part))


def least(f: Formula, is_wrong: Callable[[Formula], str | None]) -> str:
    """Return what is wrong with the smallest formula on the way down from one that is."""
    while True:
        below = next((g for g in smaller(f) if is_wrong(g)), None)
        if below is None:
            return f"{is_wrong(f)}: {formulas.as_json(f)}"
        f = below


def one(operator: str, key: str, value: str) -> Test:
    """Return a test of one value; of TagKeys for some of its values."""
    return Test(operator, "ForAnyValue" if key == smt.TAG_KEYS else None, False, key, (value,))


THERE, ABSENT = "false", "true"


@pytest.mark.parametrize(
    "tests",
    [
        (one("Null", "aws:sourcevpc", THERE), one("Null", "aws:sourcevpce", ABSENT)),
        (one("Null", "aws:vpcsourceip", THERE), one("Null", "aws:sourcevpc", ABSENT)),
        (one("Null", "aws:sourcevpce", THERE), one("Null", "aws:sourceip", THERE)),
        (one("Null", "aws:sourcevpcarn", THERE), one("Null", "aws:sourcevpce", ABSENT)),
        (one("Null", "aws:sourcevpcarn", THERE), one("Null", "aws:sourceip", THERE)),
        (one("Null", "aws:calledviafirst", THERE), one("Null", "aws:calledvia", ABSENT)),
        (one("Null", "aws:calledvialast", THERE), one("Bool", "aws:viaawsservice", "false")),
        (one("Null", "aws:multifactorauthage", THERE), one("Null", "aws:multifactorauthpresent", ABSENT)),
        (one("Null", "aws:multifactorauthage", THERE), one("Null", "aws:tokenissuetime", ABSENT)),
        (one("Null", "aws:multifactorauthpresent", THERE), one("Null", "aws:tokenissuetime", ABSENT)),
        (one("DateLessThan", "aws:currenttime", "2020-01-01"), one("NumericEquals", "aws:epochtime", "1577836800")),
        (one("Null", "aws:requesttag/a", THERE), formulas.negation(one("StringEqualsIgnoreCase", "aws:tagkeys", "A"))),
        (formulas.negation(one("StringLike", "aws:requesttag/a", "*")), one("StringEquals", "aws:tagkeys", "A")),
    ],
    ids=lambda tests: " ".join(test.key for part in tests for test in formulas.tests(part)),
)
def test_keys_that_are_tied_are_not_apart(tests: tuple[Formula, Formula]) -> None:
    f, domains = formulas.conjunction(tests), made(0).domains
    assert by_smt(f, domains) is False
    assert not satisfy(f, domains.__getitem__).is_possible


def test_the_solver_finds_what_z3_finds_and_its_contexts_are_true() -> None:
    kinds, failures = Counter[str](), []
    for seed in range(FORMULAS):
        f, _, domains = made(seed)
        answer, known = satisfy(f, domains.__getitem__), by_smt(f, domains)
        kinds["open" if known is None else f"{known}, {'proven' if answer.is_proven else 'not proven'}"] += 1
        if wrong(f, domains, answer, known):
            failures.append(f"seed {seed}: {least(f, lambda g, d=domains: wrong(g, d))}")
    assert failures == []
    assert kinds["open"] * 100 < MOST_OPEN * FORMULAS, kinds
    assert min(kinds["True, proven"], kinds["False, proven"]) * 10 > FORMULAS, kinds
    assert kinds["True, not proven"] * 20 < FORMULAS, kinds


def test_what_is_built_and_simplified_is_the_same_formula() -> None:
    open_questions = 0
    for seed in range(FORMULAS // 2):
        f, tree, domains = made(seed)
        simplified = Solver(domains.__getitem__).simplified(f)
        found = asked(f, domains, *written_tests(tree))
        plain, mine, short = (
            as_written(tree, found),
            smt.translated(f, found.keys),
            smt.translated(simplified, found.keys),
        )
        for words, other in (("built", mine), ("simplified", short)):
            differs = smt.is_satisfiable(z3.Xor(plain, other), found.facts)
            assert not differs, f"seed {seed}: {words} to something else: {tree} {simplified}"
            open_questions += differs is None
    assert open_questions * 100 < MOST_OPEN * FORMULAS


def written_tests(tree: object) -> list[Test]:
    return [tree] if isinstance(tree, Test) else [t for part in tree[1:] for t in written_tests(part)]


def as_written(tree: Any, found: smt.Question) -> Any:
    """Return the tree of a formula in z3's language, no rule of the formula code used."""
    if isinstance(tree, Test):
        return smt.holds(tree, found.keys[tree.key])
    kind, *parts = tree
    listed = [as_written(part, found) for part in parts]
    return z3.Not(listed[0]) if kind == "not" else z3.And(*listed) if kind == "and" else z3.Or(*listed)


@pytest.mark.parametrize("value", ["${$}a", "${aws:username}"])
def test_a_text_that_looks_like_a_variable_stays_a_text_beside_others(value: str) -> None:
    domains = made(0).domains
    one, other = (Test("StringEquals", None, False, "aws:requesttag/a", (text,)) for text in (value, "b"))
    f = formulas.disjunction((one, other))
    simplified = Solver(domains.__getitem__).simplified(f)
    found = asked(f, domains, simplified)
    differs = z3.Xor(smt.translated(f, found.keys), smt.translated(simplified, found.keys))
    assert simplified != f
    assert smt.is_satisfiable(differs, found.facts) is False


@pytest.mark.parametrize(("operator", "value"), [("Bool", "x"), ("IpAddress", "x"), ("NumericEquals", "x")])
def test_an_empty_text_is_there_where_no_value_can_be_read(operator: str, value: str) -> None:
    domains = {"unknown": KeyDomain(None, True, True)}
    test = Test(operator, None, True, "unknown", (value,))
    found = asked(test, domains, normal(test))
    differs = z3.Xor(smt.holds(test, found.keys["unknown"]), smt.translated(normal(test), found.keys))
    assert smt.is_satisfiable(differs, found.facts) is False


def test_the_one_form_of_a_test_is_the_same_test() -> None:
    listed = [(test, made(seed)) for seed in range(FORMULAS) for test in formulas.tests(made(seed).formula)[:2]]
    open_questions = 0
    for test, (_, _, domains) in listed:
        for one in (normal(test), normal(test, domains[test.key])) if not test.is_opaque else ():
            found = asked(test, domains, one)
            differs = z3.Xor(smt.holds(test, found.keys[test.key]), smt.translated(one, found.keys))
            answer = smt.is_satisfiable(differs, found.facts)
            assert not answer, f"{test} is not {one}"
            open_questions += answer is None
    assert open_questions * 100 < MOST_OPEN * 2 * len(listed)


def test_implication_is_what_z3_says() -> None:
    kinds = Counter[object]()
    for seed in range(FORMULAS // 2):
        left, _, domains = made(seed)
        right = built(("or", *formulas.tests(left)[:2]))
        solver = Solver(domains.__getitem__)
        found = asked(left, domains, right)
        refuted = z3.And(smt.translated(left, found.keys), z3.Not(smt.translated(right, found.keys)))
        known, says = smt.is_satisfiable(refuted, found.facts), solver.implies(left, right)
        kinds[says, known] += 1
        assert not (says and known), f"seed {seed}: implied, and z3 has values that refute it: {left} {right}"
        is_proven = solver.satisfy(formulas.conjunction((left, formulas.negation(right)))).is_proven
        assert says or not is_proven or known is not False, f"seed {seed}: not implied, and z3 says so: {left} {right}"
    assert kinds[True, False] * 20 > FORMULAS, kinds


@pytest.mark.parametrize(
    ("f", "domain"),
    [
        pytest.param(Test("NumericLessThan", None, False, "k", ("1e40",)), NUMERIC, id="below a number of 41 digits"),
        pytest.param(
            formulas.conjunction(
                Test("NumericGreaterThan" if n else "NumericLessThan", None, False, "k", (f"1.{'0' * 40}{2 - n}",))
                for n in (0, 1)
            ),
            NUMERIC,
            id="between numbers of 42 digits",
        ),
        pytest.param(
            formulas.negation(Test("BinaryEquals", None, False, "k", ("AAAA", "AAAAAA=="))), BINARY, id="other bytes"
        ),
        pytest.param(
            formulas.conjunction(
                (
                    Test("StringEqualsIgnoreCase", None, False, "k", ("ß",)),
                    formulas.negation(Test("StringEquals", None, False, "k", ("ß",))),
                )
            ),
            STRING,
            id="a letter whose other case is rare",
        ),
        pytest.param(
            formulas.conjunction(
                (
                    Test("StringEqualsIgnoreCase", None, False, "k", ("k",)),
                    formulas.negation(Test("StringEquals", None, False, "k", ("k", "K"))),
                )
            ),
            STRING,
            id="the sign of the kelvin",
        ),
        pytest.param(
            formulas.conjunction(
                (
                    Test("IpAddress", None, False, "k", ("10.0.0.0/8",)),
                    Test("NotIpAddress", None, False, "k", ("10.0.0.0/9", "10.255.0.0/16")),
                )
            ),
            ADDRESS,
            id="between two networks",
        ),
    ],
)
def test_what_few_values_meet_is_possible(f: Formula, domain: KeyDomain) -> None:
    assert by_smt(f, {"k": domain}) is True
    assert satisfy(f, lambda key: domain).is_proven
    assert wrong(f, {"k": domain}) is None


FIELDS = ("*", "*", "", "?", "a", "a*", "*b", "?*")


def random_pattern(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return "".join(chance.choice("ab*?:") for _ in range(chance.randint(1, 4)))
    fields = [chance.choice(FIELDS) for _ in range(3)]
    return ":".join(("arn", "aws", *fields, chance.choice((*FIELDS, "a:b", "*:*"))))


def changed(pattern: str, chance: random.Random) -> str:
    """Return a pattern with a field replaced."""
    fields = pattern.split(":")
    fields[chance.randrange(len(fields))] = chance.choice(FIELDS)
    return ":".join(fields) or "a"


def both(pattern: str, is_bound: bool) -> tuple[globs.Glob, Any]:
    """Return a pattern as a glob and as z3's expression; a bound one has wildcards that match no colon."""
    found = globs.glob(grammar.parts(pattern, False))
    expression = smt.glob(smt.pieces(pattern, False), smt._NO_COLON if is_bound else smt._ANY)
    return globs.bound(found) if is_bound else found, expression


def test_globs_meet_as_z3_says() -> None:
    kinds = Counter[object]()
    for seed in range(FORMULAS // 5):
        chance = random.Random(seed)
        texts = [random_pattern(chance) for _ in range(chance.choice((1, 1, 1, 2)))]
        scope = [both(text, chance.random() < 0.6) for text in texts]
        other = changed(texts[0], chance) if chance.random() < 0.7 else random_pattern(chance)
        pattern = both(other, chance.random() < 0.3)
        text = z3.String("text")
        is_there = z3.And(text != z3.StringVal(""), *(z3.InRe(text, expression) for _, expression in scope))
        some = smt.is_satisfiable(is_there, ())
        inside = smt.is_satisfiable(z3.And(is_there, z3.InRe(text, pattern[1])), ())
        outside = smt.is_satisfiable(z3.And(is_there, z3.Not(z3.InRe(text, pattern[1]))), ())
        found = globs.relation(tuple(member for member, _ in scope), pattern[0])
        words = f"seed {seed}: {texts} and {other}: {found}, z3 says {inside}, {outside}"
        assert found.inside or not inside, words
        assert found.outside or not outside, words
        if some:  # of a scope without texts either answer does no harm
            assert None in (inside, outside) or (inside, outside) == found, words
        kinds[inside, outside] += 1
    assert all(kinds[way] * 20 > FORMULAS // 5 for way in ((True, True), (True, False), (False, True))), kinds


def test_a_field_that_may_be_empty_is_not_taken_for_one_that_is() -> None:
    scope = both("arn:aws:sagemaker:*:111122223333:model/*", True)[0]
    for pattern in ("arn:aws:sagemaker::111122223333:model/*", "arn:aws:sagemaker:?*:111122223333:model/*"):
        assert globs.relation((scope,), both(pattern, False)[0]) == globs.Relation(True, True)


def test_every_operator_is_asked_for_with_every_set_qualifier() -> None:
    met = {(test.operator, test.set_qualifier) for seed in range(3000) for test in formulas.tests(made(seed).formula)}
    words = ("ForAllValues", "ForAnyValue", None)
    named = {(name, word) for names in OPERATORS.values() for name in names for word in words}
    assert named | {("ResourceLike", None)} == met
