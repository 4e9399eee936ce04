"""Known facts against texts around policy variables, turned round: as the concrete evaluator decides them."""

import json
import random

from pipeline import reference
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Formula, bare
from pipeline.evaluate.knowledge import EVERY_KEY, Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import Surroundings, condition, read_statement
from pipeline.iam.conditions import holds
from pipeline.iam.context import Context
from pipeline.iam.model import Condition

REFERENCE = reference.load()
KNOWLEDGE = Knowledge(REFERENCE, {})
#: Two tags of the request, a key with many values and one that the reference does not know.
VARIABLES = ("aws:RequestTag/a", "aws:RequestTag/b", "aws:TagKeys", "example:key")
MANY = ("aws:TagKeys", "example:key")
TEXTS = ("a", "b", "ab", "ba", "aab", "A", "aB", "ß", "a:b", "a*", "")
PIECES = ("a", "b", "A", "ab", "ß", "ẞ", ":", "*", "?", "${*}", "${?}")
STRING = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
OPERATORS = {
    "aws:PrincipalTag/team": tuple("String" + name for name in STRING),
    "aws:PrincipalArn": ("ArnLike", "ArnEquals", "ArnNotLike", "StringLike", "StringNotEquals"),
}
ARN = "arn:aws:iam::1:user/"
STARTS = (ARN, "arn:*:iam::*:user/", "arn:aws:iam:*:user/", "arn:aws:iam::?:", "*/", "arn:*:*:*:*:*", "")
IGNORING = "StringEqualsIgnoreCase"
CASES = 4000


def key_type(key: str) -> str | None:
    found = REFERENCE.key(key)
    return found.value_type if found else None


def value(chance: random.Random) -> str:
    """Return a text with variables in it, mostly one."""
    pieces = [chance.choice(PIECES) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        default = chance.choice(("", "", "", ", 'a'", ", ''", ", 'Ab'"))
        pieces.insert(chance.randint(0, len(pieces)), "${" + chance.choice(VARIABLES) + default + "}")
    return "".join(pieces)


def case(seed: int) -> tuple[Condition, str]:
    """Return a condition on a key of the principal, and the key's value."""
    chance = random.Random(seed)
    key = chance.choice(("aws:PrincipalTag/team", "aws:PrincipalTag/team", "aws:PrincipalArn"))
    is_arn = key == "aws:PrincipalArn"
    values = [(chance.choice(STARTS) if is_arn else "") + value(chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    qualifier = chance.choice((None, None, None, "ForAllValues", "ForAnyValue"))
    asked = Condition(chance.choice(OPERATORS[key]), qualifier, chance.random() < 0.15, key, tuple(values))
    text = chance.choice(TEXTS)
    return asked, ARN + (text or "a") if is_arn else text


def read(asked: Condition, text: str) -> Formula:
    """Return what the set-based evaluator makes of a condition where its key has a value."""
    content = {"effect": "Allow", "has_variables": True, "resource_element": None, "resources": []}
    member = {**asked._asdict(), "key": asked.key.lower()}
    statement = read_statement(1, json.dumps({**content, "conditions": [member]}))
    return condition(statement, Surroundings({asked.key.lower(): (text,)}, EVERY_KEY, KNOWLEDGE))


def contexts(chance: random.Random, text: str) -> dict[str, tuple[str, ...]]:
    """Return values of the variables, such as a part of the known text."""
    found = {}
    for key in VARIABLES:
        start = chance.randrange(len(text) + 1)
        part = text[start : chance.randint(start, len(text))]
        counts = (0, 1, 1, 1, 2) if key in MANY else (0, 1, 1, 1)
        texts = [chance.choice((part, part, part.swapcase(), *TEXTS)) for _ in range(chance.choice(counts))]
        # Nothing of AWS sends an empty text, or a text twice, among others.
        found[key.lower()] = tuple(dict.fromkeys(text for text in texts if text or len(texts) == 1))
    return found


def test_a_known_text_meets_texts_around_variables_as_the_concrete_evaluator_says() -> None:
    seen = {True: 0, False: 0}
    for seed in range(CASES):
        asked, text = case(seed)
        f = read(asked, text)
        chance = random.Random(seed)
        for _ in range(6):
            context = contexts(chance, text)
            wanted = holds(asked, True, Context({**context, asked.key.lower(): (text,)}, key_type))
            known = {
                test: predicates.holds(test, context[bare(test.key)])
                for test in formulas.tests(f)
                if not test.is_opaque
            }
            found = formulas.value(f, known)
            assert found is wanted or (found is None and is_left_open(f)), (seed, context)
            seen[wanted] += found is not None
    assert min(seen.values()) > CASES


def is_left_open(f: Formula) -> bool:
    """Whether a test is left with a variable whose key may have many values, and a default or no regard to case."""
    return any(
        test.is_opaque and any("example:key" + (", '" if test.operator != IGNORING else "") in v for v in test.values)
        for test in formulas.tests(f)
    )


def test_what_is_too_much_to_turn_round_is_never_asked_of_another_value() -> None:
    asked = Condition("StringLike", None, False, "aws:PrincipalTag/team", ("*${aws:RequestTag/a}*",))
    solver = Solver(KNOWLEDGE.domain)
    text = "".join(map(chr, range(ord("a"), ord("z") + 1)))
    f = read(asked, text)
    (test,) = formulas.tests(f)
    assert test.is_opaque
    assert solver.is_possible(f)
    assert solver.is_possible(formulas.negation(f))
    filled = {word: test._replace(values=(f"*{word}*",), is_opaque=False) for word in ("lmn", "nml")}
    assert [solver.satisfy(one).context for one in (filled["lmn"], formulas.negation(filled["nml"]))] == [
        {test.key: (text,)}
    ] * 2
    assert not solver.is_possible(filled["nml"])
    assert solver.is_certain(filled["lmn"])
