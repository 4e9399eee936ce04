"""Numbers of statements, entries and action sets: two texts of one number end a build, they are never mixed up."""

import pytest
from conftest import SAMPLE

from pipeline import account_groups, assets
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.evaluate.numbers import ACTION_SETS, ENTRIES, STATEMENTS, Texts, hold_one_text_each
from pipeline.lake.duck import connect

ONE_EACH = "create table {0} as select * from (values (1, 'a'), (1, 'a'), (2, 'b')) t({1})"
CLASH = "insert into {0} values (2, 'a')"


@pytest.mark.parametrize(
    ("query", "table", "columns"),
    [
        (STATEMENTS, "account_statements", "statement_number, content"),
        (ENTRIES, "numbered_entries", "entry_number, entry"),
    ],
)
def test_a_number_with_two_texts_is_an_error(query, table, columns):
    with connect() as connection:
        connection.execute(ONE_EACH.format(table, columns))
        hold_one_text_each(connection, (query,))
        connection.execute(CLASH.format(table))
        with pytest.raises(PolicylakeError, match="take them out of the input"):
            hold_one_text_each(connection, (query,))


def test_an_action_set_with_two_lists_of_actions_is_an_error():
    with connect() as connection:
        connection.execute("create table action_sets(statement_id text, action_list_id text, action_set_id bigint)")
        connection.execute("insert into action_sets values ('p#0', 'x', 7), ('p#1', 'y', 7)")
        connection.execute("create table action_list_matches(action_list_id text, action text)")
        connection.execute("insert into action_list_matches values ('x', 'a'), ('x', 'b'), ('y', 'b'), ('y', 'a')")
        hold_one_text_each(connection, (ACTION_SETS,))
        connection.execute("insert into action_list_matches values ('y', 'c')")
        with pytest.raises(PolicylakeError):
            hold_one_text_each(connection, (ACTION_SETS,))


def test_action_sets_of_groups_are_held_against_each_other(tmp_path):
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    with connect() as connection:
        for file, actions in zip(files, ("('x'), ('y')", "('y'), ('x')"), strict=True):
            connection.execute(f"copy (select 1 action_set_id, action from (values {actions}) t(action)) to '{file}'")
        hold_one_text_each(connection, (account_groups.action_sets_in(files),))
        connection.execute(f"copy (select 1 as action_set_id, 'z' as action) to '{files[1]}'")
        with pytest.raises(PolicylakeError):
            hold_one_text_each(connection, (account_groups.action_sets_in(files),))


def test_what_is_known_of_a_number_must_stay():
    texts = Texts()
    texts.hold({1: "a", 2: "b"})
    texts.hold({2: "b", 3: "\ud800"})
    with pytest.raises(PolicylakeError):
        texts.hold({2: "c"})


def test_a_build_in_which_texts_share_a_number_ends(tmp_path, monkeypatch):
    whole = assets.text

    def short(*names):
        return whole(*names).replace("left(md5(text), 15)", "left(md5(text), 1)")

    monkeypatch.setattr(assets, "text", short)
    with pytest.raises(PolicylakeError, match="60 bits"):
        build_lake([SAMPLE], tmp_path / "lake")
    assert not (tmp_path / "lake" / "CURRENT").exists()
