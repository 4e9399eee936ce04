"""The words of conditions: the one place that says in English what a formula means, exact about absence."""

from collections.abc import Mapping, Sequence

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import RESOURCE, Formula, Junction, Test
from pipeline.evaluate.knowledge import ALWAYS_PRESENT

#: Verbs of the operators that are not negated: what they say, and what their negation says.
VERBS: dict[str, tuple[str, str]] = {
    "StringEquals": ("is", "is not"),
    "StringEqualsIgnoreCase": ("is, in any case of letters,", "is not, in any case of letters,"),
    "StringLike": ("is like", "is not like"),
    "ArnEquals": ("is like", "is not like"),
    "ArnLike": ("is like", "is not like"),
    "Bool": ("is", "is not"),
    "BinaryEquals": ("is", "is not"),
    "NumericEquals": ("is", "is not"),
    "NumericLessThan": ("is less than", "is at least"),
    "NumericLessThanEquals": ("is at most", "is more than"),
    "NumericGreaterThan": ("is more than", "is at most"),
    "NumericGreaterThanEquals": ("is at least", "is less than"),
    "DateEquals": ("is", "is not"),
    "DateLessThan": ("is before", "is not before"),
    "DateLessThanEquals": ("is not after", "is after"),
    "DateGreaterThan": ("is after", "is not after"),
    "DateGreaterThanEquals": ("is not before", "is before"),
    "IpAddress": ("is in", "is not in"),
}

_POSITIVE = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}  # fmt: skip
_OPPOSITE = {"true": "false", "false": "true"}


def words(f: Formula, spelling: Mapping[str, str]) -> str:
    """Return a formula as a sentence. ``spelling`` maps keys, or what a key begins with, in lower case to AWS's."""
    return _words(f, spelling, is_outermost=True)


def _words(f: Formula, spelling: Mapping[str, str], *, is_outermost: bool = False) -> str:
    if isinstance(f, bool):
        return "always" if f else "never"
    if isinstance(f, Test):
        return _test(f, spelling, is_negated=False)
    if f.kind == "not":
        inner = f.parts[0]
        return (
            _test(inner, spelling, is_negated=True) if isinstance(inner, Test) else f"not ({_words(inner, spelling)})"
        )
    joined = f" {f.kind} ".join(_words(part, spelling) for part in _paired(f))
    return joined if is_outermost else f"({joined})"


def _paired(f: Junction) -> Sequence[Formula]:
    """Return the parts of a formula, those about one key side by side: presence first."""
    return sorted(f.parts, key=lambda part: ([test.key for test in formulas.tests(part)], formulas.order(part)))


def _test(test: Test, spelling: Mapping[str, str], *, is_negated: bool) -> str:
    if test.key.startswith(RESOURCE):
        return f"the resource {'is not' if is_negated else 'is'} like {_listed(test.values)}"
    if test.key.startswith("session "):
        return f"the session {'is not' if is_negated else 'is'} {test.values[0]}"
    key = spelt(test.key, spelling)
    holds_when_absent = predicates.when_absent(test) != is_negated
    if test.operator == "Null":
        return f"{key} is {'absent' if holds_when_absent else 'present'}"
    says_no = (test.operator in predicates.NEGATED) != is_negated
    if test.set_qualifier is not None:
        return _of_many(key, test, is_negated, holds_when_absent)
    verb, values = _phrase(test, says_no)
    if test.key in ALWAYS_PRESENT:
        return f"{key} {verb} {values}"
    if holds_when_absent:
        return f"({key} is absent or {verb} {values})"
    return f"{key} is present and {verb} {values}" if says_no and verb != "is" else f"{key} {verb} {values}"


def _phrase(test: Test, says_no: bool) -> tuple[str, str]:
    operator = _POSITIVE.get(test.operator, test.operator)
    values = test.values
    if operator == "Bool" and says_no and len(values) == 1 and values[0].lower() in _OPPOSITE:
        return "is", _OPPOSITE[values[0].lower()]
    return VERBS.get(operator, (operator, f"not {operator}"))[says_no], _listed(values)


def _of_many(key: str, test: Test, is_negated: bool, holds_when_absent: bool) -> str:
    """Say a test on a key with many values; a negated one is said by its opposite quantity."""
    asks_all = (test.set_qualifier == "ForAllValues") != is_negated
    verb, values = _phrase(test, (test.operator in predicates.NEGATED) != is_negated)
    sentence = f"{'every' if asks_all else 'some'} value of {key} {verb} {values}"
    if holds_when_absent:
        return f"({key} is absent or {sentence})"
    return f"{key} is present and {sentence}" if asks_all else sentence


def _listed(values: Sequence[str]) -> str:
    texts = [value if value else '""' for value in values]
    if len(texts) < 2:
        return texts[0] if texts else "nothing"
    return "one of " + ", ".join(texts)


def spelt(key: str, spelling: Mapping[str, str]) -> str:
    """Return a key in AWS's spelling; a part that policies name as the policy writes it."""
    key = key.split(" #", 1)[0]
    if key in spelling:
        return spelling[key]
    prefix = next((p for p in spelling if p.endswith("/") and key.startswith(p)), None)
    return spelling[prefix] + key[len(prefix) :] if prefix else key
