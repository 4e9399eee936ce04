"""ARNs of example resources: such as look real where they can, and exact ones where patterns leave little room."""

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates, sample_values
from pipeline.evaluate.formula import RESOURCE, Formula, Test
from pipeline.evaluate.globs import Glob
from pipeline.evaluate.scopes import scope_of
from pipeline.evaluate.statements import pattern_glob
from pipeline.evaluate.texts import escaped
from pipeline.evaluate.ties import is_absent
from pipeline.iam import grammar
from pipeline.iam.request_keys import REGION

#: Key of the resource's account.
OWNER = "aws:resourceaccount"
#: Keys that a resource's ARN decides.
SAID_BY_ARN = (RESOURCE, REGION, OWNER)
#: Tries after which no other resource is looked for.
MOST_RESOURCES, MOST_STARTS = 40, 4


class Place(NamedTuple):
    """The resources of a universe that match a pattern and none of the exceptions."""

    universe: Glob
    pattern: str
    exceptions: tuple[str, ...]

    def has(self, text: str) -> bool:
        """Whether a resource is there."""
        scope = scope_of(self.universe, self.pattern)
        within = (*scope.globs, self.universe) if scope else ()
        outside = any(globs.matches(pattern_glob(pattern), text) for pattern in self.exceptions)
        return bool(within) and not outside and all(globs.matches(member, text) for member in within)


def resources(place: Place, f: Formula, inventory: Container[str]) -> Iterator[str]:
    """Yield resources of a place, one for each way of the tests of a formula that the resource decides; one if none.

    Known resources, those of ``inventory``, are left out: what is known of them may matter.
    """
    asked = tuple(test for test in formulas.tests(f) if test.key in SAID_BY_ARN)
    most = MOST_RESOURCES if asked else 1
    yield from itertools.islice(_one_of_each(_all_resources(place, asked, inventory), asked), most)


def is_asked_for(f: Formula) -> bool:
    """Whether a formula may differ from resource to resource of a place."""
    return any(test.key in SAID_BY_ARN for test in formulas.tests(f))


def _all_resources(place: Place, asked: Sequence[Test], inventory: Container[str]) -> Iterator[str]:
    """Yield resources of a place: such as look real, then one for each way of the tests."""
    scope = scope_of(place.universe, place.pattern)
    if scope is None:
        return
    within = (*scope.globs, place.universe)
    only = next((text for text in (member.literal for member in within) if text is not None), None)
    if only is not None:
        yield only
        return
    patterns = [pattern_glob(test.values[0]) for test in asked if test.key == RESOURCE]
    named = [split for split in map(globs.fields, within) if split is not None]
    regions = (*_written(named, 3), *_literals(asked, REGION), *sample_values.REGIONS)
    accounts = (*_written(named, 4), *_literals(asked, OWNER), sample_values.ACCOUNT, sample_values.OTHER_ACCOUNT)
    excluded = [pattern_glob(pattern) for pattern in place.exceptions]
    for pattern in (*scope.globs, *patterns):
        for text in itertools.islice(sample_values.arns(pattern, regions, accounts), MOST_RESOURCES):
            if all(globs.matches(member, text) for member in within) and not _is_taken(text, excluded, inventory):
                yield text
    for text in _walked(within, excluded, patterns, regions, accounts):
        if text not in inventory:
            yield text


def _is_taken(text: str, excluded: Iterable[Glob], inventory: Container[str]) -> bool:
    return text in inventory or any(globs.matches(pattern, text) for pattern in excluded)


def _one_of_each(texts: Iterable[str], asked: Sequence[Test]) -> Iterator[str]:
    """Yield the first of the ARNs that do the same to all tests."""
    seen: set[tuple[bool, ...]] = set()
    for text in texts:
        said = dict(said_of(text, formulas.disjunction(asked)))
        way = tuple(
            globs.matches(pattern_glob(test.values[0]), text)
            if test.key == RESOURCE
            else not test.is_opaque and predicates.holds(test, said.get(test.key, ()))
            for test in asked
        )
        if way not in seen:
            seen.add(way)
            yield text


def _walked(
    within: Sequence[Glob],
    excluded: Sequence[Glob],
    patterns: Sequence[Glob],
    regions: Iterable[str],
    accounts: Iterable[str],
) -> Iterator[str]:
    """Yield texts that match all globs of ``within`` and none of the excluded, one for each way of the patterns.

    Field by field where all are ARNs of six fields: what stands in the last one is then walked alone.
    """
    split = [globs.fields(member) for member in (*within, *excluded, *patterns)]
    fields = [one for one in split if one is not None]
    if len(fields) < len(split):
        yield from _ways(within, excluded, patterns)
        return
    inside, outside, asked = (
        fields[: len(within)],
        fields[len(within) : -len(patterns) or None],
        fields[len(split) - len(patterns) :],
    )
    for start in _starts(inside, fields, regions, accounts):
        here = [[one for one in some if _begins(one, start)] for some in (inside, outside, asked)]
        if len(here[0]) == len(inside):
            last = [[one[-1] for one in some] for some in here]
            yield from (":".join((*start, text)) for text in _ways(*last))
    # Where the last field may hold colons, a wildcard of an earlier one can reach into it.
    yield from _ways(within, excluded, patterns)


def _starts(
    inside: Sequence[tuple[Glob, ...]],
    all_fields: Sequence[tuple[Glob, ...]],
    regions: Iterable[str],
    accounts: Iterable[str],
) -> Iterator[tuple[str, ...]]:
    """Yield the first five fields of ARNs: those that some glob writes out, then usual ones."""
    choices = []
    for number, usual in enumerate((("arn",), ("aws",), ("sagemaker",), regions, accounts)):
        field = [globs.bound(one[number]) for one in inside]
        written = [one[number].literal for one in all_fields]
        texts = dict.fromkeys(text for text in (*written, *usual) if text is not None)
        choices.append([text for text in texts if all(globs.matches(member, text) for member in field)][:MOST_STARTS])
    yield from itertools.product(*choices)


def _begins(fields: tuple[Glob, ...], start: Sequence[str]) -> bool:
    return all(globs.matches(globs.bound(one), text) for one, text in zip(fields, start, strict=False))


def _ways(within: Sequence[Glob], excluded: Sequence[Glob], patterns: Sequence[Glob]) -> Iterator[str]:
    walked = globs.truth_vectors((*within, *excluded, *patterns))
    for way, text in (walked or {}).items():
        if all(way[: len(within)]) and not any(way[len(within) : len(within) + len(excluded)]):
            yield text


def _written(split: Iterable[tuple[Glob, ...]], field: int) -> list[str]:
    """Return what ARNs write out in a field, where it is no empty text."""
    return [text for text in (fields[field].literal for fields in split) if text]


def _literals(tests: Iterable[Test], key: str) -> list[str]:
    return [value for test in tests if test.key == key for value in literal_values(test)]


def literal_values(test: Test) -> list[str]:
    """Return the values of a test that are texts as they stand: without wildcards and variables."""
    found = []
    for value in test.values:
        parts = grammar.parts(value, test.has_variables)
        kinds = {part.kind for part in parts}
        if kinds <= {"literal"} or ("variable" not in kinds and "Like" not in test.operator):
            text = "".join(part.text for part in parts)
            found += [text, text.upper(), text.lower()] if test.operator.endswith("IgnoreCase") else [text]
    return found


def on_resource(f: Formula, text: str) -> Formula:
    """Return a formula with its tests on the resource decided for one."""
    known: dict[Test, Formula] = {
        test: globs.matches(pattern_glob(test.values[0]), text) for test in formulas.tests(f) if test.key == RESOURCE
    }
    return formulas.replaced(f, known)


def said_of(text: str, f: Formula) -> list[tuple[str, tuple[str, ...]]]:
    """Return what an ARN says of the keys of a formula: its region is the one called, its account the owner."""
    keys = {test.key for test in formulas.tests(f)}
    said = ((REGION, grammar.region_in(text)), (OWNER, grammar.account_in(text)))
    return [(key, (value,)) for key, value in said if key in keys and value]


def said_by(text: str, f: Formula) -> Formula:
    """Return the same as a formula."""
    return formulas.conjunction(given(key, values) for key, values in said_of(text, f))


def given(key: str, values: tuple[str, ...]) -> Formula:
    """Return the test that a key has one value, or is absent."""
    if not values:
        return is_absent(key)
    return Test("StringEquals", None, False, key, (escaped(values[0]),), has_variables=True)
