"""Documents are decoded the same whichever way is taken, and their canonical form is one."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import Problem
from pipeline.ingest.documents import Decoded, decode_document

texts = st.text(st.characters(codec="utf-8"), max_size=6)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=4), st.booleans(), st.sampled_from([None, 2]))
@example({"a": 1e16}, False, None)
@example({"a": "\x7f\u2028\x00"}, True, None)
def test_the_canonical_form_is_that_of_pythons_json(value, ensure_ascii, indent):
    decoded = decode_document(json.dumps(value, ensure_ascii=ensure_ascii, indent=indent), False)
    assert isinstance(decoded, Decoded)
    assert decoded.value == value
    assert decoded.canonical == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(st.dictionaries(texts, values, min_size=1, max_size=3), st.data())
def test_a_name_that_stands_twice_is_found_at_its_place(value, data):
    name = data.draw(st.sampled_from(sorted(value)))
    members = [f"{json.dumps(key)}:{json.dumps(held)}" for key, held in value.items()]
    again = data.draw(st.integers(0, len(members)))
    members.insert(again, f"{json.dumps(name)}:1")
    problem = decode_document('{"Statement":[0,{' + ",".join(members) + "}]}", False)
    assert isinstance(problem, Problem)
    assert problem.code == "duplicate-name"
    assert problem.pointer == "/Statement/1/" + name.replace("~", "~0").replace("/", "~1")


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": "\ud800"}', '{"\\udfff": 1}'])
def test_half_a_surrogate_pair_is_a_problem(text):
    assert isinstance(decode_document(text, False), Problem)
