"""What the dictionary declares of each relation holds on the sample and on a generated organization."""

import pyarrow.parquet as pq
import pytest

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.lake.dictionary import markdown, relations

NAMES = [relation.name for relation in relations()]


@pytest.fixture(scope="module", params=["sample", "generated"])
def lake(request, tmp_path_factory):
    if request.param == "sample":
        return open_lake(request.getfixturevalue("sample_lake"))
    from bench.generate import generate

    folder = tmp_path_factory.mktemp("generated")
    generate(folder / "in", accounts=3, principals=40, seed=7)
    build_lake([folder / "in"], folder / "lake")
    return open_lake(folder / "lake")


def by_name(name):
    return next(relation for relation in relations() if relation.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_the_grain_is_unique_and_not_null(name, lake):
    grain = by_name(name).grain
    columns = ", ".join(grain)
    nulls = " or ".join(f"{column} is null" for column in grain)
    repeated = f"select {columns}, count(*) as n from {name} group by all having n > 1 or {nulls} order by all limit 3"
    assert lake.query(repeated).to_pylist() == []


@pytest.mark.parametrize("name", NAMES)
def test_null_stands_only_where_the_dictionary_says_so(name, lake):
    table = lake.query(f"select * from {name}")
    wrong = [c.name for c in by_name(name).columns if not c.is_nullable and table[c.name].null_count]
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_are_those_of_the_dictionary(name, lake):
    schema, described = lake.query(f"select * from {name} limit 0").schema, by_name(name).schema
    assert schema.names == described.names
    assert [field.type for field in schema] == [field.type for field in described]


#: (relation, column, relation it names, column there): every value of the first stands in the second.
LINKS = [
    ("attachments", "policy_id", "policies", "policy_id"),
    ("statements", "policy_id", "policies", "policy_id"),
    ("principals", "boundary_policy_id", "policies", "policy_id"),
    ("principals", "account_id", "accounts", "account_id"),
    ("memberships", "user_arn", "principals", "principal_arn"),
    ("memberships", "group_arn", "principals", "principal_arn"),
    *((name, "statement_id", "statements", "statement_id") for name in ("actions", "resources", "conditions")),
    ("statement_principals", "statement_id", "statements", "statement_id"),
    ("reference_action_resource_types", "action", "reference_actions", "action"),
    ("access", "principal_arn", "principals", "principal_arn"),
    ("access", "action", "evaluated_actions", "action"),
    ("access", "condition_id", "residual_conditions", "condition_id"),
    ("access_matrix", "principal_arn", "principals", "principal_arn"),
    ("access_matrix", "action", "evaluated_actions", "action"),
]


@pytest.mark.parametrize(("relation", "column", "other", "key"), LINKS)
def test_what_a_row_names_is_there(relation, column, other, key, lake):
    missing = (
        f"select distinct {column} as missing from {relation} where {column} is not null"
        f" and {column} not in (select {key} from {other}) order by all limit 3"
    )
    assert lake.query(missing).to_pylist() == []


@pytest.mark.parametrize(("relation", "column"), [("access", "granted_by"), ("access", "limited_by")])
def test_reasons_are_statements(relation, column, lake):
    missing = (
        f"select distinct statement from (select unnest({column}) as statement from {relation})"
        " where statement not in (select statement_id from statements) order by all limit 3"
    )
    assert lake.query(missing).to_pylist() == []


def test_counts_of_the_manifest_are_those_of_the_relations(lake):
    for name, count in lake.manifest["counts"].items():
        assert lake.query(f"select count(*) as n from {name}")["n"].to_pylist() == [count], name


def test_every_relation_and_column_is_described_in_the_dictionary_page():
    page = markdown()
    for relation in relations():
        assert f"### {relation.name}\n" in page
        for column in relation.columns:
            assert column.description.endswith("."), (relation.name, column.name)
            assert set(relation.grain) <= {c.name for c in relation.columns}


def test_the_rows_of_every_file_are_ordered_by_the_grain(lake):
    written = sorted((lake.path / "snapshots" / lake.snapshot_id).glob("*/*.parquet"))
    assert written
    for path in written:
        grain = list(by_name(path.parent.name).grain)
        keys = [[in_bytes(value) for value in row.values()] for row in pq.read_table(path, columns=grain).to_pylist()]
        assert keys == sorted(keys), path.parent.name


def in_bytes(value):
    """DuckDB orders text by its bytes."""
    if isinstance(value, list):
        return [in_bytes(part) for part in value]
    return value.encode() if isinstance(value, str) else value
