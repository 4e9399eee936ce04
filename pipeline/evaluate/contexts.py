"""Contexts of example requests: values that look real, and the keys that AWS sends together."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates, sample_values
from pipeline.evaluate.formula import Formula, Test, bare
from pipeline.evaluate.solver import Domains
from pipeline.evaluate.ties import CHOSEN_WITH
from pipeline.evaluate.values import KeyDomain
from pipeline.iam import grammar
from pipeline.iam.request_keys import (
    ASSOCIATED,
    CALLED_FIRST,
    CALLED_LAST,
    CALLED_VIA,
    FOR_THE_CALLER,
    HOME_REGIONS,
    NOW,
    REGION,
    REQUEST_TAG,
    SAME_FACT,
    TAG_KEYS,
    TIES,
    TOKEN,
    chain_of,
    ends_of,
)

#: Data types of keys that are there because others are.
OF_TIED_KEYS = {"aws:tokenissuetime": "Date"}
#: Keys with their values, sorted by key in lower case; () is a key that is left out.
Context = tuple[tuple[str, tuple[str, ...]], ...]


def realistic(f: Formula, context: Mapping[str, tuple[str, ...]], domains: Domains) -> dict[str, tuple[str, ...]]:
    """Return the context with values that look real and do the same to every test of the formula."""
    by_key: dict[str, list[Test]] = {}
    for test in formulas.tests(f):
        by_key.setdefault(CHOSEN_WITH.get(test.key, test.key), []).append(test)
    found: dict[str, tuple[str, ...]] = {}
    for key, values in context.items():
        if values and key not in (CALLED_FIRST, CALLED_LAST):
            tests = [test for test in by_key.get(key, ()) if test.operator != "Null"]
            real = tuple(_real_value(bare(key), tests, value, domains(key)) for value in values)
            for name in {test.key for test in by_key.get(key, ())} or {key}:
                found[bare(name)] = real
    found |= _alike(found)
    if CALLED_VIA in context:
        chain = found.get(CALLED_VIA, found.get(CALLED_FIRST, found.get(CALLED_LAST, ())))
        found |= {key: end for key, end in ends_of(chain).items() if key in found}
    return found


def _alike(found: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return values that go together where two keys that tests do not tell apart got two: the time when credentials
    were issued is not after that of the call, and a role is passed in the region of what it is for (ties.py)."""
    alike: dict[str, tuple[str, ...]] = {}
    made = _time_of_call(found)
    moments = [grammar.instant(values[0]) if values else None for values in (found.get(TOKEN, ()), made)]
    issued, called = moments
    if issued is not None and called is not None and issued > called:
        alike[TOKEN] = made
    arn = (*found.get(ASSOCIATED, ()), "")[0]
    region = grammar.region_in(arn)
    home = HOME_REGIONS.get(grammar.partition_in(arn)) if region else None
    if home and REGION in found and found[REGION] != (home,):
        alike[REGION] = (region,)
    return alike


def _time_of_call(found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the time of the call, under whichever of its names it is given; () where it is not."""
    return found.get(NOW) or next((found[key] for key in SAME_FACT if key in found), ())


def _real_value(key: str, tests: Sequence[Test], text: str, domain: KeyDomain) -> str:
    if not text or domain.only is not None:
        return text
    hits = [predicates.matches(test, text) for test in tests]
    value_type = domain.value_type
    candidates = itertools.chain(
        sample_values.begun(domain.start),
        sample_values.of_key(key) if _are_of_texts(tests) else (),
        (value for test, hit in zip(tests, hits, strict=True) if hit for value in _instances(test)),
        (value for test in tests for value in _moments_and_numbers(test)),
        sample_values.moment(text) if (value_type or "").endswith("Date") else (),
        sample_values.rounded(text) if (value_type or "").endswith("Numeric") else (),
        () if _is_read(tests) else sample_values.values(key, value_type),
    )
    for found in candidates:
        candidate = _as_begun(found, domain.start)
        if (
            candidate.startswith(domain.start)
            and candidate
            and [predicates.matches(test, candidate) for test in tests] == hits
        ):
            return candidate
    return text


def _as_begun(text: str, start: str) -> str:
    """Return an ARN with the fields that values are known to begin with, nothing for what is no ARN then; any other
    text as it is."""
    if not start.startswith("arn:"):
        return text
    known = start.count(":")
    return start + text.split(":", known)[known] if grammar.arn_fields(text) else ""


def _instances(test: Test) -> Iterator[str]:
    if predicates.family(test.operator) == "text":
        for value in test.values:
            yield from sample_values.like(bare(test.key), value, test.has_variables)


def _moments_and_numbers(test: Test) -> Iterator[str]:
    """Yield the values of a test as they are written: a number, or a moment as ISO 8601."""
    for value in predicates.plain_values(test):
        if predicates.family(test.operator) == "number":
            yield value
        elif predicates.family(test.operator) == "instant":
            yield from sample_values.moment(value)


def _are_of_texts(tests: Sequence[Test]) -> bool:
    return all(predicates.family(test.operator) == "text" for test in tests)


def _is_read(tests: Sequence[Test]) -> bool:
    """Whether the found text itself is as good as any: an address, a truth value."""
    return bool(tests) and all(predicates.family(test.operator) in ("boolean", "octets") for test in tests)


def completed(context: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the context with the keys that AWS sends together with those in it."""
    found = {key: values for key, values in context.items() if values}
    if not FOR_THE_CALLER.isdisjoint(found):
        chain = chain_of(found)
        found = {**ends_of(chain), **found, CALLED_VIA: chain}
    for tie in TIES:
        if tie.reach == "always" and tie.state == "present" and tie.key in found and tie.other not in found:
            if tie.other == TOKEN and _time_of_call(found):
                found[TOKEN] = _time_of_call(found)
            elif tie.other_state == "present":
                found[tie.other] = sample_values.values(tie.other, OF_TIED_KEYS.get(tie.other))[:1]
            elif tie.other_state == "true":
                found[tie.other] = ("true",)
    tagged = [key.removeprefix(REQUEST_TAG) for key in found if key.startswith(REQUEST_TAG)]
    named = found.get(TAG_KEYS, ())
    missing = [name for name in tagged if name not in {key.lower() for key in named}]
    if missing:
        found[TAG_KEYS] = (*named, *missing)
    return found


def difference(before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]) -> Context:
    """Return what is new in a context; () for a key that is gone."""
    return tuple(
        (key, after.get(key, ())) for key in sorted({*after, *before}) if after.get(key, ()) != before.get(key, ())
    )
