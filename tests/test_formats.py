"""Every format holds the rows that it is given, and none of them harms who reads it."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

from pipeline import export
from pipeline.errors import PolicylakeError
from pipeline.export import terminal
from pipeline.export.values import plain

FILE = export.Screen(None)
MAP = pa.map_(pa.string(), pa.string())
ROWS = pa.table(
    {
        "name": ["übung", '=HYPERLINK("x")', None],
        "count": [1, -2, None],
        "share": [0.5, float("nan"), None],
        "is_known": [True, False, None],
        "ids": [["a#0", "b#1"], [], None],
        "tags": pa.array([[("Project", "A")], [], None], MAP),
    }
)


def written(table, name, screen=FILE):
    out = io.BytesIO()
    export.write(table, name, out, screen)
    return out.getvalue()


def text(table, name, screen=FILE):
    return written(table, name, screen).decode("utf-8")


def column(*values):
    return pa.table({"v": pa.array(values, pa.string())})


def sheet(data):
    return list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows())


def test_json_is_a_list_of_objects_with_lists_and_maps():
    first, second, third = json.loads(text(ROWS, "json"))
    assert first == {
        "name": "übung", "count": 1, "share": 0.5, "is_known": True, "ids": ["a#0", "b#1"], "tags": {"Project": "A"},
    }  # fmt: skip
    assert second["share"] == "nan"
    assert set(third.values()) == {None}


def test_jsonl_is_one_object_a_line():
    assert [json.loads(line) for line in text(ROWS, "jsonl").splitlines()] == json.loads(text(ROWS, "json"))


def test_csv_has_json_text_in_cells_and_nothing_for_null():
    header, first, _, third = csv.reader(io.StringIO(text(ROWS, "csv")))
    assert header == ROWS.column_names
    assert first == ["übung", "1", "0.5", "true", '["a#0", "b#1"]', '{"Project": "A"}']
    assert third == [""] * 6


def test_parquet_holds_the_table_itself():
    read = pq.read_table(io.BytesIO(written(ROWS, "parquet")))
    assert read.column_names == ROWS.column_names
    assert read.drop_columns(["share"]).to_pylist() == ROWS.drop_columns(["share"]).to_pylist()


def test_xlsx_has_numbers_as_numbers_and_lists_as_json_text():
    header, first, second = sheet(written(ROWS, "xlsx"))
    assert [cell.value for cell in header] == ROWS.column_names
    assert [cell.value for cell in first] == ["übung", 1, 0.5, True, '["a#0", "b#1"]', '{"Project": "A"}']
    assert second[1].value == -2


def test_markdown_is_a_table_of_one_line_a_row():
    lines = text(ROWS, "md").splitlines()
    assert len(lines) == 2 + ROWS.num_rows
    assert lines[1] == "| " + " | ".join(["---"] * 6) + " |"
    assert "a#0, b#1 | Project=A" in lines[2]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1+2", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_text_becomes_a_formula_in_a_spreadsheet(value):
    (_, (in_csv,)) = csv.reader(io.StringIO(text(column(value), "csv"), newline=""))
    (_, (in_sheet,)) = sheet(written(column(value), "xlsx"))
    assert in_csv == "'" + value
    assert in_sheet.data_type == "s"
    assert in_sheet.value.startswith("'")


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_a_column_name_is_no_formula_either(name):
    data = written(pa.table({"=1+1": [1]}), name)
    first = next(csv.reader(io.StringIO(data.decode())))[0] if name == "csv" else sheet(data)[0][0].value
    assert first == "'=1+1"


def test_markdown_takes_nothing_in_a_name_for_markup():
    cell = text(column("<script>|`x`[a](b) arn:aws:*:*_"), "md").splitlines()[2]
    assert cell == r"| &lt;script&gt;\|\`x\`\[a\](b) arn:aws:\*:\*\_ |"


UNSAFE = "a\x1b[31mb\u202ec\x9b\nd"


@pytest.mark.parametrize("name", ["table", "csv", "json", "jsonl", "md"])
def test_no_control_character_reaches_a_terminal(name):
    shown = text(column(UNSAFE), name, export.Screen(80))
    assert all(c.isprintable() or c == "\n" for c in shown)


def test_json_keeps_what_it_escapes():
    assert json.loads(text(column(UNSAFE), "jsonl")) == {"v": UNSAFE}


def test_json_escapes_characters_beyond_the_first_plane_as_pairs():
    assert json.loads(text(column("\U000e0001x😀"), "jsonl")) == {"v": "\U000e0001x😀"}


@pytest.mark.parametrize("name", [name for name in export.FORMATS if name not in export.BINARY])
def test_a_table_without_rows_is_written(name):
    assert (
        text(ROWS.slice(0, 0), name).strip()
        == {
            "table": "name  count  share  is_known  ids  tags\n────  ─────  ─────  ────────  ───  ────",
            "csv": "name,count,share,is_known,ids,tags",
            "json": "[]",
            "jsonl": "",
            "md": "| name | count | share | is\\_known | ids | tags |\n| --- | --- | --- | --- | --- | --- |",
        }[name]
    )


@pytest.mark.parametrize("name", sorted(export.BINARY))
def test_the_same_rows_give_the_same_bytes(name):
    assert written(ROWS, name) == written(ROWS, name)


@pytest.mark.parametrize("name", list(export.FORMATS))
def test_columns_of_one_name_are_told_apart(name):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    data = written(table, name)
    assert name in export.BINARY or b"a" in data
    if name == "json":
        assert json.loads(data) == [{"a": 1, "a_2": 2}]


VALUES = [
    (Decimal("12"), 12),
    (Decimal("1.5"), 1.5),
    (b"\x00\xff", "AP8="),
    (date(2026, 1, 2), "2026-01-02"),
    (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    ({"a": [Decimal(1)]}, {"a": [1]}),
    ([(1, "x")], {"1": "x"}),
    (float("inf"), "inf"),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_values_that_json_lacks_become_what_it_has(value, expected):
    assert plain(value) == expected


def test_an_integer_that_a_sheet_would_round_is_text():
    assert sheet(written(pa.table({"v": [2**53 + 1]}), "xlsx"))[1][0].value == str(2**53 + 1)


def test_a_text_too_long_for_a_sheet_ends_with_a_mark():
    value = sheet(written(column("x" * 40_000), "xlsx"))[1][0].value
    assert len(value) == 32_767
    assert value.endswith("…")


def test_more_rows_than_a_sheet_holds_say_which_format_does():
    with pytest.raises(PolicylakeError, match="use csv or parquet"):
        written(pa.table({"v": pa.nulls(1_048_576, pa.int8())}), "xlsx")


def test_a_type_that_parquet_lacks_says_what_to_do():
    table = pa.table({"v": pa.array([pa.MonthDayNano([1, 2, 3])])})
    with pytest.raises(PolicylakeError, match="cast the column to varchar"):
        written(table, "parquet")


WIDE = [
    "short",
    "a text of many words that goes on and on for a while",
    "arn:aws:iam::111122223333:role/" + "x" * 90,
    "日本語" * 20,
]


@pytest.mark.parametrize("width", [20, 60, 100, 200])
def test_no_line_of_a_table_is_wider_than_the_terminal(width):
    lines = list(terminal.layout(["a", "b", "c", "d"], [WIDE, WIDE], width))
    floor = 1 + 2 + terminal.NARROWEST
    assert max(cell_len(line) for line in lines) <= max(width, floor)


def test_a_table_too_wide_for_columns_becomes_blocks_that_leave_nothing_out():
    lines = terminal.layout(["a", "b", "c", "d"], [WIDE], 50)
    joined = "".join(line[3:] for line in lines if not line.startswith("──"))
    assert joined.replace(" ", "") == "".join(WIDE).replace(" ", "")


def test_a_table_that_goes_to_a_file_is_not_cut():
    assert any(WIDE[2] in line for line in terminal.layout(["c"], [[WIDE[2]]], None))


@pytest.mark.parametrize(
    ("name", "expected"), [("x.csv", "csv"), ("x.XLSX", "xlsx"), ("x.txt", "table"), ("x.dat", None)]
)
def test_the_ending_of_a_file_chooses_the_format(name, expected, tmp_path):
    assert export.format_of(tmp_path / name) == expected
