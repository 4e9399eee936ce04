"""Whatever files hold, reading them ends in inputs with rejects, never in a traceback."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_inputs import CASES

from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs

FILES = [path.read_bytes() for path in sorted((CASES / "example").rglob("*.json*"))]
VALUES = [json.loads(text) for text in FILES if not text.startswith(b"//")]
NAMES = sorted(
    {"Arn", "Policies", "Roots", "ParentId", "Statement", "Effect", "Tags", "Document", "Targets", "Id", "ResourceArn"}
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)
quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def assert_read(stored: bytes) -> None:
    """Read ``stored`` as a file; it gives inputs or the one exception, and every place and text is fit to print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "111122223333.json")
        path.write_bytes(stored)
        try:
            inputs = read_inputs([path])
        except PolicylakeError:
            return
        assert all(str(reject).isprintable() for reject in inputs.rejects)
        assert len(inputs.sources) == 1


@st.composite
def mutated(draw):
    """One of the valid files, with one value somewhere in it replaced, deleted or moved into a list."""
    value = json.loads(json.dumps(draw(st.sampled_from(VALUES))))
    place = value
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return value
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
            place[key] = draw(values | st.just(place[key]).map(lambda held: [held]))
            return value
        place = place[key]


@quick
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_rejected(stored):
    assert_read(stored)


@quick
@given(values)
def test_any_json_is_read_or_rejected(value):
    assert_read(json.dumps(value).encode())


@quick
@given(st.sampled_from(FILES), st.data())
def test_any_truncation_of_a_valid_file_is_read_or_rejected(stored, data):
    assert_read(stored[: data.draw(st.integers(0, len(stored)))])


@quick
@given(st.sampled_from(FILES), st.binary(max_size=3), st.data())
def test_any_damage_of_a_valid_file_is_read_or_rejected(stored, damage, data):
    start = data.draw(st.integers(0, len(stored)))
    end = data.draw(st.integers(start, min(len(stored), start + 3)))
    assert_read(stored[:start] + damage + stored[end:])


@quick
@given(mutated())
def test_any_wrong_value_in_a_valid_file_is_read_or_rejected(value):
    assert_read(json.dumps(value).encode())
