"""The words of conditions: the one place that says in English what a formula means, exact about absence."""

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import RESOURCE, Formula, Test

_VERBS = {
    "StringEquals": "is", "StringEqualsIgnoreCase": "is (in any case of letters)", "StringLike": "is like",
    "ArnEquals": "is like", "ArnLike": "is like", "Bool": "is", "BinaryEquals": "is",
    "NumericEquals": "is", "NumericLessThan": "is less than", "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is more than", "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is", "DateLessThan": "is before", "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after", "DateGreaterThanEquals": "is not before", "IpAddress": "is in",
}  # fmt: skip
_POSITIVE = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}  # fmt: skip
_SPELLING = {
    "aws:sourcevpc": "aws:SourceVpc", "aws:sourcevpce": "aws:SourceVpce", "aws:sourceip": "aws:SourceIp",
    "aws:vpcsourceip": "aws:VpcSourceIp", "aws:tagkeys": "aws:TagKeys",
}  # fmt: skip


def words(f: Formula, spelling: dict[str, str] | None = None) -> str:
    """Return a formula as a sentence. ``spelling`` maps keys in lower case to AWS's spelling."""
    names = {**_SPELLING, **(spelling or {})}
    return _words(f, names, outermost=True)


def _words(f: Formula, names: dict[str, str], *, outermost: bool = False) -> str:
    if isinstance(f, bool):
        return "always" if f else "never"
    if isinstance(f, Test):
        return _test(f, names, is_negated=False)
    if f[0] == "not":
        inner = f[1]
        return _test(inner, names, is_negated=True) if isinstance(inner, Test) else f"not ({_words(inner, names)})"  # type: ignore[arg-type]
    joined = f" {f[0]} ".join(_words(part, names) for part in formulas.parts_of(f))
    return joined if outermost else f"({joined})"


def _test(test: Test, names: dict[str, str], *, is_negated: bool) -> str:
    if test.key.startswith(RESOURCE):
        return f"the resource {'is not' if is_negated else 'is'} like {_listed(test)}"
    if test.key.startswith("session "):
        return f"the session {'is not' if is_negated else 'is'} {test.values[0]}"
    key = spelt(test.key, names)
    if test.operator == "Null":
        is_absent = predicates.when_absent(test) != is_negated
        return f"{key} is {'absent' if is_absent else 'present'}"
    holds_when_absent = predicates.when_absent(test) != is_negated
    if test.set_qualifier is None:
        says_no = (test.operator in predicates.NEGATED) != is_negated
        sentence = f"{key} {_phrase(test, says_no)}"
    else:
        sentence = _of_many(key, test, is_negated)
    positive_by_nature = not holds_when_absent
    return f"{sentence}, present" if positive_by_nature and _may_mislead(test, is_negated) else _with_absence(sentence, holds_when_absent)


def _with_absence(sentence: str, holds_when_absent: bool) -> str:
    return f"{sentence} (or is absent)" if holds_when_absent else sentence


def _may_mislead(test: Test, is_negated: bool) -> bool:
    """Whether the sentence denies something and yet the key must be there."""
    return (test.operator in predicates.NEGATED) != is_negated


def _phrase(test: Test, says_no: bool) -> str:
    operator = _POSITIVE.get(test.operator, test.operator)
    verb = _VERBS.get(operator, operator)
    if says_no:
        verb = "is not" + verb.removeprefix("is")
    return f"{verb} {_listed(test)}".replace("is not not ", "is ")


def _of_many(key: str, test: Test, is_negated: bool) -> str:
    says_no = test.operator in predicates.NEGATED
    phrase = _phrase(test, says_no)
    quantity = "every" if test.set_qualifier == "ForAllValues" else "some"
    return f"{'not ' if is_negated else ''}{quantity} value of {key} {phrase}"


def _listed(test: Test) -> str:
    texts = [value if value else '""' for value in test.values]
    if not texts:
        return "nothing"
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " or " + texts[-1]


def spelt(key: str, names: dict[str, str]) -> str:
    """Return a key in AWS's spelling; a part that policies name is as it was compared."""
    key = key.split(" #", 1)[0]
    if key in names:
        return names[key]
    prefix = next((p for p in names if p.endswith("/") and key.startswith(p)), None)
    return names[prefix] + key[len(prefix) :] if prefix else key
