"""Runs named queries. Makes the relations that they read and SQL cannot: what formulas and conditions come to."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from pipeline import reference
from pipeline.errors import PolicylakeError
from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.given import decision, depends_on, formula_of, remaining, test_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.ties import is_absent, is_present
from pipeline.evaluate.vacuous import Judgement, judged
from pipeline.iam.request_keys import REQUEST_TAG, TAG_ALIAS, TAG_KEY, TAG_KEYS
from pipeline.lake import Lake
from pipeline.lake.parameters import settled
from pipeline.lake.queries import NamedQuery, command_query

Values = Mapping[str, str]

DECISIONS = pa.schema([("condition_id", pa.string()), ("decision", pa.string()), ("is_dependent", pa.bool_())])
TAG_REQUESTS = pa.schema(
    [("condition_id", pa.string()), ("tag_key", pa.string()), ("can_lack", pa.bool_()), ("can_name", pa.bool_())]
)
#: The key by which AWS tells the tagging that goes with a creation from that of a resource that is there.
CREATING_WITH_TAGS = "sagemaker:taggingaction"


def run(lake: Lake, query: NamedQuery, values: Values) -> pa.Table:
    """Run a named query with values for its parameters; the others have their defaults.

    Raises PolicylakeError for a value that the query does not take, for one that is missing, and for one that it has
    no use for.
    """
    given = settled(lake, query, values)
    try:
        for name in query.needs:
            lake.lend(name, MAKERS[name](lake, query, given))
        return lake.query(query.sql, given)
    except PolicylakeError as error:
        raise PolicylakeError(f"query {query.name}: {error}") from error


@lru_cache(maxsize=1)
def _knowledge() -> Knowledge:
    return Knowledge(reference.load(), {})


def _decisions(lake: Lake, query: NamedQuery, values: Values) -> pa.Table:
    """Return what each residual condition comes to where the keys that the query names have the given values."""
    solver = Solver(_knowledge().domain)
    given = {_key(key, values): _values_of(values[parameter]) for key, parameter in query.given.items()}
    rows = []
    for row in lake.query(command_query("residual_formulas")).to_pylist():
        f = formula_of(row["formula"])
        is_dependent = any(depends_on(f, key, solver) for key in given)
        decided = {"decision": decision(f, given, solver), "is_dependent": is_dependent}
        rows.append({"condition_id": row["condition_id"], **decided})
    return pa.Table.from_pylist(rows, DECISIONS)


def _key(key: str, values: Values) -> str:
    """Return a condition key; one that begins with $ is the value of that parameter."""
    return values[key[1:]] if key.startswith("$") else key


def _values_of(text: str) -> tuple[str, ...]:
    """Return the values of a key in a request: none where the text is empty."""
    return (text,) if text else ()


def _tag_requests(lake: Lake, query: NamedQuery, values: Values) -> pa.Table:
    """Return what conditions say of requests with and without each tag that some condition is about.

    Conditions that say nothing of the tags of a request have no rows.
    """
    del query, values
    solver = Solver(_knowledge().domain)
    read = {
        row["condition_id"]: formula_of(row["formula"])
        for row in lake.query(command_query("residual_formulas")).to_pylist()
    }
    keys = {name: {test.key for test in formulas.tests(f)} for name, f in read.items()}
    tags = sorted({_tag_of(key) for named in keys.values() for key in named} - {""})
    rows = [
        {"condition_id": name, "tag_key": tag, **_with_and_without(f, tag, solver)}
        for name, f in read.items()
        if any(key.startswith(REQUEST_TAG) or key in (TAG_KEYS, CREATING_WITH_TAGS) for key in keys[name])
        for tag in tags
    ]
    return pa.Table.from_pylist(rows, TAG_REQUESTS)


def _tag_of(key: str) -> str:
    """Return the tag that a condition key is about; an empty text for other keys."""
    start = next((start for start in (TAG_KEY, TAG_ALIAS, REQUEST_TAG) if key.startswith(start)), None)
    return key.removeprefix(start) if start else ""


def _with_and_without(f: Formula, tag: str, solver: Solver) -> dict[str, bool]:
    is_named = Test("StringEqualsIgnoreCase", "ForAnyValue", False, TAG_KEYS, (tag,))
    without = remaining(f, {REQUEST_TAG + tag: ()})
    lacks = formulas.conjunction((without, is_absent(REQUEST_TAG + tag), formulas.negation(is_named)))
    names = formulas.conjunction((f, is_named, is_present(REQUEST_TAG + tag), is_absent(CREATING_WITH_TAGS)))
    return {"can_lack": solver.is_possible(lacks), "can_name": solver.is_possible(names)}


def _judged_conditions(lake: Lake, query: NamedQuery, values: Values) -> pa.Table:
    """Return the conditions of all statements with whether they are certain, and whether without their key."""
    del query, values
    rows = lake.query(command_query("written_conditions"))
    found = [_judgement(row) for row in rows.to_pylist()]
    for name in Judgement._fields:
        kind = pa.float64() if name == "ends_at" else pa.bool_()
        rows = rows.append_column(name, pa.array([getattr(one, name) for one in found], kind))
    return rows


def _judgement(row: Mapping[str, Any]) -> Judgement:
    members = (row["operator"], row["set_qualifier"], row["if_exists"], row["condition_key"].lower())
    test = test_of(*members, tuple(row["condition_values"]), has_variables=row["has_variables"])
    return judged(test, _knowledge(), is_key_there=row["is_key_asked_for"])


MAKERS: dict[str, Callable[[Lake, NamedQuery, Values], pa.Table]] = {
    "decisions": _decisions,
    "tag_requests": _tag_requests,
    "judged_conditions": _judged_conditions,
}
