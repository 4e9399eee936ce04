"""Tables of Athena and Trino over a snapshot's files: the statements parse, and their types are those of the files."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from cli_run import run
from sqlglot import exp

from pipeline.lake import ddl
from pipeline.lake.dictionary import relation, relations

PLACE = "s3://bucket/lake/snapshots/0123"
DIALECTS = ["athena", "trino"]
KINDS = exp.DataType.Type
SIMPLE = {
    KINDS.TEXT: pa.string(), KINDS.VARCHAR: pa.string(), KINDS.INT: pa.int32(), KINDS.BIGINT: pa.int64(),
    KINDS.BOOLEAN: pa.bool_(),
}  # fmt: skip


def arrow_type(kind):
    """The Arrow type of a column as sqlglot has parsed it."""
    if kind.this == KINDS.ARRAY:
        return pa.list_(arrow_type(kind.expressions[0]))
    if kind.this == KINDS.MAP:
        return pa.map_(*map(arrow_type, kind.expressions))
    if kind.this == KINDS.STRUCT:
        return pa.struct([(member.name, arrow_type(member.args["kind"])) for member in kind.expressions])
    return SIMPLE[kind.this]


def parsed(text, dialect):
    """The tables that statements create, by name."""
    found = {}
    for statement in sqlglot.parse(text, dialect=dialect):
        assert isinstance(statement, exp.Create | exp.Drop), statement
        if isinstance(statement, exp.Create):
            found[statement.this.this.name] = statement
    return found


def columns(table):
    return {c.name: arrow_type(c.args["kind"]) for c in table.this.expressions}


@pytest.fixture(params=DIALECTS)
def printed(request, monkeypatch):
    done = run(monkeypatch, "tables", "--ddl", request.param, "--location", PLACE)
    assert (done.code, done.err) == (0, "")
    return request.param, done.text


def test_every_relation_that_snapshots_hold_is_a_table_with_the_types_of_the_dictionary(printed, sample_lake):
    dialect, text = printed
    tables = parsed(text, dialect)
    current = sample_lake / "snapshots" / (sample_lake / "CURRENT").read_text().strip()
    assert set(tables) == {folder.name for folder in current.iterdir() if folder.is_dir()}
    for name, table in tables.items():
        schema = relation(name).schema
        assert columns(table) == dict(zip(schema.names, schema.types, strict=True)), name


def test_the_types_are_those_of_the_parquet_files(printed, sample_lake):
    dialect, text = printed
    current = sample_lake / "snapshots" / (sample_lake / "CURRENT").read_text().strip()
    for name, table in parsed(text, dialect).items():
        held = pq.read_schema(min((current / name).iterdir()))
        assert columns(table) == dict(zip(held.names, held.types, strict=True)), name


def test_tables_have_their_location_their_format_and_their_comments(printed):
    dialect, text = printed
    for name, table in parsed(text, dialect).items():
        said = table.sql(dialect=dialect)
        assert f"'{PLACE}/{name}/'" in said
        assert "PARQUET" in said.upper()
        described = relation(name).description.replace("'", "’")
        assert described[:60] in said
        assert all(c.find(exp.CommentColumnConstraint) for c in table.this.expressions)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_comments_are_as_long_as_the_catalogue_takes_them(dialect):
    for statement in ddl.statements(relations(), dialect, PLACE):
        for comment in re.findall(r"comment '([^']*)'", statement):
            assert 0 < len(comment.encode()) <= 255


def test_a_relation_that_is_a_view_can_be_asked_for_by_name(monkeypatch, tmp_path):
    out = ["--out", str(tmp_path / "x")]
    done = run(monkeypatch, "tables", "access", "--ddl", "trino", "--location", "s3://b/t/", *out)
    assert done.code == 0
    (name,) = parsed((tmp_path / "x").read_text(), "trino")
    assert name == "access"
    assert "'s3://b/t/access/'" in (tmp_path / "x").read_text()


def test_every_type_of_the_dictionary_has_its_words():
    used = {column.type for r in relations() for column in r.columns}
    assert all(used <= set(words) for words in ddl.TYPES.values())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ddl", "athena"], "give --location, such as s3://bucket/lake/snapshots/ID"),
        (["--location", PLACE], "only with --ddl athena or --ddl trino"),
        (["--ddl", "trino", "--location", "s3://b/it's"], "choose another location"),
        (["acess", "--ddl", "trino", "--location", PLACE], "did you mean access"),
        (["--ddl", "oracle", "--location", PLACE], "oracle"),
    ],
)
def test_what_does_not_go_together_is_told(options, said, monkeypatch):
    done = run(monkeypatch, "tables", *options)
    assert done.code == 2
    assert said in done.err
    assert done.text == ""
