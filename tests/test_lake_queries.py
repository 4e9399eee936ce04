"""SQL reads the lake and nothing else, and changes nothing."""

import os
from pathlib import Path

import pytest
from test_lake import built, inputs, tree  # noqa: F401 (fixtures)

from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake


@pytest.fixture(scope="module")
def opened(built):  # noqa: F811 (a fixture)
    return open_lake(built)


QUERIES = [
    "select 1 as n",
    "  -- why\n select 1 as n",
    "/* why */ with t as (select 1 as n) select n from t",
    "from accounts",
    "values (1), (2)",
    "(select 1 as n)",
    "describe access",
    "summarize accounts",
    "show tables",
    "select 'ü; copy' as n;",
    "pivot access_matrix on verdict using count(*) group by principal_arn",
    "from access_matrix pivot (count(*) for verdict in ('allowed', 'conditional'))",
    "explain select 1",
    "explain analyze select count(*) from access",
    "explain (format json) select 1",
    "explain /* é */ (analyze) with t as (select 1) from t",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_is_answered(sql, opened):
    assert opened.query(sql).num_rows > 0


CHANGES = [
    "create table t as select 1",
    "create or replace view access as select 1",
    "create macro f() as 1",
    "drop view access",
    "delete from access",
    "insert into access values (1)",
    "update accounts set account_id = ''",
    "copy accounts to '{lake}/out.csv'",
    "copy (pivot accounts on account_name) to '{lake}/out.csv'",
    "explain analyze copy accounts to '{lake}/CURRENT' (format csv)",
    "explain (analyze) copy (select 1) to '{lake}/CURRENT'",
    "explain (analyze, format json) copy (select 1) to '{lake}/CURRENT'",
    "explain -- select\n analyze copy (from accounts) to '{lake}/CURRENT'",
    "explain analyze copy (pivot accounts on account_name) to '{lake}/CURRENT'",
    "explain analyze drop view access",
    "export database '{lake}/out'",
    "attach '{lake}/new.duckdb'",
    "attach ':memory:' as other",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma enable_profiling",
    "call pragma_version()",
    "prepare p as select 1",
    "begin",
    "checkpoint",
    "use memory",
    "select 1; select 2",
    "select 1; drop view access",
    "",
    " -- nothing",
]


@pytest.mark.parametrize("sql", CHANGES)
def test_anything_but_a_query_is_refused(sql, opened):
    before = tree(opened.path)
    with pytest.raises(PolicylakeError, match="one query is expected") as error:
        opened.query(sql.format(lake=opened.path))
    assert error.value.exit_code == 2
    assert tree(opened.path) == before


@pytest.fixture
def neighbour(opened):
    """A file beside the lake, in a folder whose name begins as the lake's does."""
    place = Path(f"{opened.path}-secret")
    place.mkdir(exist_ok=True)
    (place / "x.csv").write_text("secret\n1\n")
    return place / "x.csv"


READS = [
    "from read_text('{file}')",
    "from read_csv('{file}')",
    "from '{file}'",
    "from read_blob('{lake}/../{folder}/x.csv')",
    "from read_text('/etc/passwd')",
    "from glob('/etc/*')",
    "from sniff_csv('{file}')",
    "from parquet_metadata('{file}')",
    "from read_csv('http://127.0.0.1:9/x.csv')",
    "from read_parquet('s3://bucket/x.parquet')",
    "from query('copy accounts to ''/tmp/x''')",
    "from enable_logging(storage = 'file', storage_path = '{lake}/log')",
    "select getenv('HOME')",
    "from duckdb_secrets()",
    "from neighbour",
]


@pytest.mark.parametrize("sql", READS)
def test_a_query_reads_no_file_outside_the_lake(sql, opened, neighbour):
    before = tree(opened.path)
    with pytest.raises(PolicylakeError):
        opened.query(sql.format(file=neighbour, folder=neighbour.parent.name, lake=opened.path))
    assert tree(opened.path) == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select", "Parser Error"),
        ("selec 1", "Parser Error"),
        ("from nosuch", "nosuch"),
        ("select nosuch from access", "nosuch"),
        ("select $action", "action"),
        ("select 'a'::int", "Conversion Error"),
        ("select error('no')", "no"),
        ("explain selec 1", "Parser Error"),
        ("select '\udcff'", "characters"),
    ],
)
def test_a_wrong_query_says_what_is_wrong(sql, said, opened):
    with pytest.raises(PolicylakeError, match=r"^sql: ") as error:
        opened.query(sql)
    assert said in str(error.value)


def test_parameters_are_values_and_never_sql(opened):
    text = "x'; drop view access; --"
    assert opened.query("select $name as n", {"name": text})["n"].to_pylist() == [text]
    assert opened.query("select count(*) as n from access")["n"][0].as_py() > 0


def test_a_query_after_a_wrong_one_is_answered(opened):
    with pytest.raises(PolicylakeError):
        opened.query("select error('no')")
    assert opened.query("select 1 as n")["n"].to_pylist() == [1]


def test_a_query_writes_nothing_into_the_working_folder(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened.query("select count(*) as n from access join reference_actions using (action)")
    assert os.listdir(tmp_path) == []


def test_a_relation_that_is_held_leaves_every_answer_as_it_was(sample_lake):
    lake = open_lake(sample_lake)
    answers = {name: lake.query(f"from {name} order by all") for name in ("profile_cells", "access", "access_matrix")}
    for _ in range(2):
        lake.hold("profile_cells")
    kinds = lake.query("select table_type from information_schema.tables where table_name = 'profile_cells'")
    assert kinds["table_type"].to_pylist() == ["BASE TABLE"]
    assert answers["access"].num_rows > 0
    assert {name: lake.query(f"from {name} order by all") for name in answers} == answers
