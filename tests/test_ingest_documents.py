"""Documents are decoded the same whichever way is taken, and their canonical form is one."""

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from pipeline.errors import Problem
from pipeline.ingest.documents import Decoded, DocumentStore, decode_document

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
def test_the_canonical_form_is_that_of_pythons_json_with_texts_of_fractions(value, ensure_ascii, indent):
    decoded = decode_document(json.dumps(value, ensure_ascii=ensure_ascii, indent=indent), False)
    assert isinstance(decoded, Decoded)
    assert decoded.value == value
    expected = json.loads(json.dumps(value), parse_float=str)
    assert decoded.canonical == json.dumps(expected, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


NUMBERS = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?"
CONDITION = '{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"k":%s}}}]}'


@given(st.from_regex(NUMBERS, fullmatch=True))
@example("1.10")
@example("-0")
@example("1e3")
@example("0.1000")
@example("123456789012345678901234567890.5")
@example("123456789012345680.0")
def test_numbers_of_a_condition_are_the_texts_that_stand_there(number):
    text = CONDITION % number
    raws = [Raw(form.encode()) for form in (text, text.replace(":", " : "), json.dumps(text), json.dumps(quote(text)))]
    store = DocumentStore()
    outcomes = {store.outcome(raw, "identity") for raw in raws}
    assert len(outcomes) == 1
    (document,) = store.documents.values()
    assert document.policy.statements[0].conditions[0].values == (number,)
    again = json.loads(document.canonical)["Statement"][0]["Condition"]["StringEquals"]["k"]
    assert (again if isinstance(again, str) else json.dumps(again)) == number


@pytest.mark.parametrize("number", ["1e400", "9" * 5000])
def test_a_number_that_is_too_large_to_be_read_is_a_problem(number):
    problem = decode_document(CONDITION % number, False)
    assert isinstance(problem, Problem)
    assert problem.code == "malformed-json"
    assert problem.pointer.startswith("/Statement/0/Condition/StringEquals/k")


@pytest.mark.parametrize("element", ["Sid", "Resource"])
def test_a_number_with_a_fraction_is_no_text_where_a_text_belongs(element):
    text = f'{{"Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","{element}":1.5}}]}}'.replace(
        '"Resource":"*","Resource"', '"Resource"'
    )
    (problem,) = DocumentStore().outcome(Raw(text.encode()), "identity").problems
    assert "a number" in problem.message


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
