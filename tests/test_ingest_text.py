"""Finding mistakes and places in JSON text agrees with Python's own JSON reader."""

import json
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.ingest.locate import line_column, locate, pointer_at
from pipeline.ingest.syntax import blank_comments, first_mistake

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
json_like = st.lists(
    st.sampled_from(["{", "}", "[", "]", ",", ":", '"a"', '"', "1", "-", "null", " ", "\n", "\\"]), max_size=12
).map("".join)


def pointers(value, pointer=""):
    yield pointer, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from pointers(below, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from pointers(below, f"{pointer}/{index}")


def offset_of(text, line, column):
    return sum(len(part) for part in text.split("\n")[: line - 1]) + line - 1 + column - 1


@given(values, st.sampled_from([None, 1]))
def test_every_pointer_of_a_document_is_found_where_its_value_begins(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    wanted = dict(pointers(value))
    places = locate(text, wanted)
    for pointer, expected in wanted.items():
        found, _ = json.JSONDecoder().raw_decode(text, offset_of(text, *places[pointer]))
        assert found == expected


@given(values, st.sampled_from([None, 1]))
def test_the_place_of_a_value_leads_back_to_its_pointer(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    for pointer, place in locate(text, dict(pointers(value))).items():
        assert pointer_at(text, offset_of(text, *place)) == pointer


def test_what_is_nested_deeply_is_reached():
    text = "[\n" * 5000 + "]" * 5000
    assert locate(text, ["/0" * 4999])["/0" * 4999] == (5000, 1)


@pytest.mark.parametrize("text", ['"\\"' * 100_000 + "//", "/*" * 100_000, '"a\n' * 70_000 + "//", "//\n" * 70_000])
def test_comments_are_looked_for_once_whatever_is_never_closed(text):
    started = process_time()
    blank_comments(text)
    assert process_time() - started < 5


@pytest.mark.parametrize("text", ['"a // b', '"a\\" /* b */', "/* a", '{"a": "b\n// c\n"}'])
def test_what_stands_in_a_text_or_comment_that_is_never_closed_stays_and_is_the_mistake(text):
    blanked, _ = blank_comments(text)
    assert first_mistake(blanked) == first_mistake(text) is not None


def test_a_pointer_to_nothing_has_the_place_of_what_would_hold_it():
    text = '{"a": [1,\n {"b": 2}]}'
    assert locate(text, ["/a/1/x/y", "/a/7"]) == {"/a/1/x/y": (2, 2), "/a/7": (1, 7)}


def test_what_is_nested_deeply_is_skipped_on_the_way_to_a_pointer():
    deep = "[" * 40 + '"]"' + "]" * 40
    assert locate(f'{{"a": {deep},\n"b": {deep}, "c": 1}}', ["/c"]) == {"/c": (2, 96)}


def test_of_a_name_that_stands_twice_the_last_one_is_found():
    assert locate('{"a": 1,\n"a": 2}', ["/a"]) == {"/a": (2, 6)}


@given(values)
def test_what_is_json_has_no_mistake(value):
    assert first_mistake(json.dumps(value)) is None


@given(json_like)
@example("")
@example("[1,]")
def test_a_mistake_is_found_just_where_python_refuses_too(text):
    try:
        json.loads(text)
        is_json = True
    except ValueError:
        is_json = False
    assert (first_mistake(text) is None) == is_json


@given(json_like)
def test_a_mistake_lies_within_the_text(text):
    mistake = first_mistake(text)
    assert mistake is None or 0 <= mistake.offset <= len(text)


@given(values, st.sampled_from(["// x\n", '/* ] } " */', "/**/", "//\n"]))
def test_comments_are_blanked_and_everything_else_keeps_its_place(value, comment):
    text = json.dumps(value, indent=1, ensure_ascii=False)
    blanked, first = blank_comments(f"{comment}{text} {comment}")
    assert first == 0
    assert json.loads(blanked) == value
    assert blanked[len(comment) :].startswith(text)


@given(st.text(st.sampled_from("ab\n")), st.data())
def test_line_and_column_lead_back_to_the_offset(text, data):
    offset = data.draw(st.integers(0, len(text)))
    assert offset_of(text, *line_column(text, offset)) == offset
