"""policylake serve: pages and SQL for browsers of this machine, and nothing for anybody else."""

import contextlib
import http.client
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from chromium import in_browser, started

from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.lake.console import Console
from pipeline.lake.console_process import MIB, MOST_TEXT, open_relations
from pipeline.lake.spill import query_folder
from pipeline.report import part_of, write_report
from pipeline.serve import open_server


@pytest.fixture(scope="module")
def console(sample_lake):
    with Console(open_lake(sample_lake), patience=5) as made:
        yield made


@pytest.fixture(scope="module")
def server(sample_lake, console, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "secret.html").write_text("outside of the report")
    lake = open_lake(sample_lake)
    write_report(lake, folder / "report", part=part_of(lake, (), ("hana",), ()), with_console=True)
    with open_server(0, folder / "report", console) as started:
        thread = threading.Thread(target=started.serve_forever, daemon=True)
        thread.start()
        yield started
        started.shutdown()


def asked(server, method="GET", path="/", body=None, **headers):
    """Status, headers and content of an answer; names of headers have _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8")


def query(server, sql, **headers):
    sent = {"Content_Type": "application/json", **headers}
    status, _, text = asked(server, "POST", "/query", json.dumps({"sql": sql}), **sent)
    return status, json.loads(text) if text.startswith("{") else text


def test_pages_come_with_a_policy_that_lets_nothing_else_in(server):
    for path in ("/", "/index.html", "/sql.html", "/report.css", "/data/index.js", "/matrix.html?x=1"):
        status, headers, text = asked(server, path=path)
        assert status == 200, path
        assert text
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html",
        "/..%2fsecret.html",
        "/%2e%2e/secret.html",
        "//etc/passwd",
        "/.policylake-report",
        "/data",
        "/%00",
    ],
)
def test_nothing_but_the_files_of_the_report_is_served(server, path):
    status, _, text = asked(server, path=path)
    assert status == 404
    assert "outside" not in text


def test_a_name_that_others_made_point_here_gets_nothing(server):
    port = server.server_port
    assert asked(server, Host=f"localhost:{port}")[0] == 200
    for host in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", ""):
        assert asked(server, Host=host)[0] == 403
        assert query(server, "select 1", Host=host)[0] == 403


def test_other_sites_load_nothing_and_ask_nothing(server):
    cross = {"Sec_Fetch_Site": "cross-site"}
    assert asked(server, path="/data/index.js", Sec_Fetch_Mode="no-cors", **cross)[0] == 403
    assert asked(server, path="/index.html", Sec_Fetch_Mode="navigate", **cross)[0] == 200
    assert query(server, "select 1", Sec_Fetch_Mode="navigate", **cross)[0] == 403
    assert query(server, "select 1", Origin="https://evil.example")[0] == 403
    assert query(server, "select 1", Origin="null")[0] == 403
    assert asked(server, "OPTIONS", "/query", Origin="https://evil.example")[0] == 501
    assert asked(server, "POST", "/query", '{"sql": "select 1"}', Content_Type="text/plain")[0] == 404
    assert query(server, "select 1 as n", Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200


def test_it_listens_on_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PolicylakeError, match=f"--port {port}: .*choose another"):
            open_server(port, Path(), server.console)


def test_a_query_is_answered_as_the_lake_answers_it(server, sample_lake):
    sql = "select verdict, count(*) as n from access_matrix group by verdict order by all"
    rows = open_lake(sample_lake).query(sql).to_pylist()
    status, found = query(server, sql)
    assert status == 200
    assert found == {
        "columns": ["verdict", "n"], "rows": [[row["verdict"], str(row["n"])] for row in rows], "cut": False
    }  # fmt: skip
    assert query(server, "describe access")[0] == 200
    assert query(server, "with a as (select 1 as n) select n, unnest([1, 2]) from a, range(2)")[0] == 200
    assert query(server, "select comment from duckdb_columns() where table_name = 'access'")[1]["rows"][0][0]


REFUSED = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('{lake}/CURRENT')",
    "select * from '/etc/passwd'",
    "select * from '{parquet}'",
    "select * from read_parquet('{parquet}')",
    "select (select content from read_text('/etc/passwd'))",
    "with x as (select * from glob('/*')) select * from x",
    "select * from query('select * from read_text(''/etc/passwd'')')",
    "select * from json_execute_serialized_sql('{{}}')",
    "select * from sniff_csv('/etc/passwd')",
    "copy access to '{lake}/out.csv'",
    "copy (select 1) to '/tmp/policylake-never.csv'",
    "explain analyze copy (select 1) to '/tmp/policylake-never.csv'",
    "attach '{lake}/policylake.duckdb' as other",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "reset lock_configuration",
    "pragma enable_external_access",
    "call enable_logging(storage = 'file')",
    "select * from enable_logging()",
    "select write_log('x')",
    "create table t as select 1",
    "drop view access",
    "insert into accounts values (1)",
    "export database '/tmp/policylake-never'",
    "select 1; select 2",
    "",
    "pivot access_matrix on verdict using count(*)",
    "select * from duckdb_secrets()",
    "select * from pg_settings",
    "from pg_catalog.pg_settings",
    "with x as (summarize system.pg_catalog.PG_SETTINGS) from x",
    "select * from (with pg_settings as (select 1) select * from pg_settings), pg_settings",
    "select * from duckdb_logs",
    "table sqlite_master",
    "select * from duckdb_databases",
    "select * from pragma_database_list",
    "select * from duckdb_settings()",
    "show databases",
    "select current_setting('temp_directory')",
    "select system.main.current_setting('allowed_paths')",
    "select max(1) over (), current_setting('threads')",
    "select json_serialize_plan('select * from access')",
    "select pg_sleep(9)",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_a_query_reads_and_writes_no_file_and_changes_no_setting(server, sample_lake, sql):
    parquet = next((sample_lake / "snapshots").rglob("*.parquet"))
    before = sorted(sample_lake.rglob("*"))
    status, found = query(server, sql.format(lake=sample_lake, parquet=parquet))
    assert status == 400, found
    assert "sql" in found["error"]
    assert sorted(sample_lake.rglob("*")) == before
    assert not list(Path("/tmp").glob("policylake-never*"))


FILES = re.compile(r"/etc|/tmp|CURRENT|glob|attach|install|load|^set|^reset|copy|export")


@pytest.fixture(scope="module")
def relations(sample_lake):
    lake, before = open_lake(sample_lake), Path.cwd()
    os.chdir(sample_lake / "snapshots" / lake.snapshot_id)
    yield open_relations(1024 * MIB)
    os.chdir(before)


@pytest.mark.parametrize("sql", [sql for sql in REFUSED if FILES.search(sql) and "{parquet}" not in sql])
def test_the_database_itself_refuses_what_a_query_must_not_do(relations, sample_lake, sql):
    """The second guard: were the first not there, DuckDB would open no file but the snapshot's own, and stay locked."""
    text = sql.format(lake=sample_lake)
    with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|not.*allowed|cannot|parser|catalog|no files"):
        relations.cursor().execute(text).fetchall()
    assert not list(Path("/tmp").glob("policylake-never*"))


def test_the_dictionary_is_to_be_had_and_shows_no_path_of_the_machine(console, sample_lake):
    for sql in ("from duckdb_views()", "from duckdb_views", "from information_schema.views", "from duckdb_columns()"):
        answer = console.answer(sql)
        assert answer.rows
        assert str(sample_lake) not in str(answer)
        assert "/home" not in str(answer)
    assert console.answer("select sql from duckdb_views() where view_name = 'accounts'").rows[0][0].count("accounts/")
    assert ("access",) in console.answer("show tables").rows


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select '\ud800'", "no characters"),
        ("select " + "(" * 4000 + "1" + ")" * 4000, "(?i)expression"),
        ("select " + "[" * 900 + "1" + "]" * 900, "within one another"),
        ("select chr(55296)", "UTF8"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_in_words(server, sql, said):
    status, found = query(server, sql)
    assert status == 400
    assert re.search(said, found["error"])
    assert query(server, "select 1 as n")[0] == 200


def test_rows_and_time_are_limited(sample_lake):
    with Console(open_lake(sample_lake), patience=0.5, most_rows=10) as small:
        answer = small.answer("select * from range(100000)")
        assert (len(answer.rows), answer.is_cut) == (10, True)
        began = time.monotonic()
        with pytest.raises(PolicylakeError, match=r"stopped after 0.5 s"):
            small.answer("select count(*) from range(10000000) a, range(10000000) b where a.range * b.range % 7 = 3")
        assert time.monotonic() - began < 10
        assert small.answer("select 1 as n").rows == (("1",),)
        with pytest.raises(PolicylakeError, match="shorter query"):
            small.answer("select " + "1, " * 20_000 + "1")


def test_planning_counts_as_time_of_the_query(sample_lake):
    """DuckDB plans this for over a minute, and does not listen meanwhile."""
    one = "(select count(*) from access where action = '{}')"
    with Console(open_lake(sample_lake), patience=1) as small:
        small.answer("select 1")
        began = time.monotonic()
        with pytest.raises(PolicylakeError, match=r"stopped after 1 s"):
            small.answer("select " + " + ".join(one.format(number) for number in range(280)))
        assert time.monotonic() - began < 10


@pytest.fixture(scope="module")
def tight(sample_lake):
    with Console(open_lake(sample_lake), memory=64 * MIB) as made:
        yield made


@pytest.mark.parametrize(
    "sql", ["select repeat('x', 2000000000)", "select * from unnest(range(100000000))", "select range(300000000)"]
)
def test_memory_is_limited_and_the_next_query_answered(tight, sql):
    held = []
    over = threading.Event()

    def watch():
        while not over.wait(0.02):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    held.append(child.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with pytest.raises(PolicylakeError, match="more than 64 MiB of memory; ask for less"):
            tight.answer(sql)
    finally:
        over.set()
        watching.join()
    assert max(held, default=0) < 1024 * MIB
    assert tight.answer("select 1 as n").rows == (("1",),)


def test_a_query_may_spill_and_its_files_go_with_its_process(sample_lake):
    others = set(multiprocessing.active_children())
    with Console(open_lake(sample_lake), memory=32 * MIB) as small:
        small.answer("select 1")
        (child,) = set(multiprocessing.active_children()) - others
        spilled = query_folder(child.pid)
        sorted_rows = "select range from range(4000000) order by hash(range) limit 1 offset 3999999"
        assert len(small.answer(sorted_rows).rows) == 1
        assert spilled.is_dir()
    assert not spilled.exists()


def test_an_answer_is_limited_in_characters_and_columns(console):
    answer = console.answer("select " + ", ".join(["repeat('x', 3000)"] * 100) + " from range(100)")
    assert answer.is_cut
    assert 0 < sum(len(value) for row in answer.rows for value in row) <= MOST_TEXT
    assert len(console.answer('select 1 as "' + "x" * 1000 + '"').columns[0]) == 201
    with pytest.raises(PolicylakeError, match=r"more than 1,000 columns; name those"):
        console.answer("select " + ", ".join(["1"] * 1001))


def test_a_process_that_was_killed_is_replaced(sample_lake):
    others = set(multiprocessing.active_children())
    with Console(open_lake(sample_lake)) as console:
        assert console.answer("select 1 as n").rows
        (child,) = set(multiprocessing.active_children()) - others
        child.kill()
        child.join()
        assert console.answer("select 2 as n").rows == (("2",),)
        (child,) = set(multiprocessing.active_children()) - others
        threading.Timer(0.3, child.kill).start()
        with pytest.raises(PolicylakeError, match="ended the process that worked on it"):
            console.answer("select sum(a * b) from range(10000000) r(a), range(10000000) s(b)")
        assert console.answer("select 3 as n").rows == (("3",),)
    assert set(multiprocessing.active_children()) <= others
    with pytest.raises(PolicylakeError, match="the server ends"):
        console.answer("select 1")


def test_values_are_cut_and_null_is_told_apart(console):
    (row,) = console.answer("select repeat('x', 100000) as a, null as b, ['<b>'] as c, true as d").rows
    assert len(row[0]) == 2001
    assert row[1:] == (None, '["<b>"]', "true")


@pytest.mark.parametrize("body", ["", "[]", "{", '{"sql": 1}', "[" * 100_000, '"' + "x" * 70_000 + '"'])
def test_a_body_that_is_no_query_says_what_is_expected(server, body):
    status, _, text = asked(server, "POST", "/query", body, Content_Type="application/json")
    assert (status, "JSON is expected" in text) == (400, True)


#: The command without the seconds that the pages take.
SERVING = """
import pipeline.report
pipeline.report.write_report = lambda lake, out, **_: out.mkdir()
from pipeline.cli import main
main()
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_no_process_and_no_file_stays_however_it_ends(sample_lake, tmp_path, number):
    command = [sys.executable, "-c", SERVING, "serve", "--port", "0", "--lake", str(sample_lake)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as started:
        address = started.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), started.stderr.read()
        endless = {"sql": "select sum(a * b) from range(10000000) r(a), range(10000000) s(b)"}
        asking = http.client.HTTPConnection(address.split("/")[2])
        asking.request("POST", "/query", json.dumps(endless), {"Content-Type": "application/json"})
        children = busy_children(started.pid)
        started.send_signal(getattr(signal, number))
        try:
            _, said = started.communicate(timeout=20)
        finally:
            started.kill()
        asking.close()
    assert started.returncode == {"SIGINT": 0, "SIGTERM": 0, "SIGKILL": -9}[number]
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    if number != "SIGKILL":
        assert [path.name for path in tmp_path.iterdir() if "serve" in path.name] == []


def busy_children(server):
    """The processes that a server started, once a query is at work in one of them."""
    for _ in range(200):
        children = psutil.Process(server).children(recursive=True)
        if any(child.cpu_times().user > 1 for child in children):
            return children
        time.sleep(0.05)
    raise AssertionError("no query runs")


@in_browser
def test_a_person_asks_in_the_box_and_sees_rows_and_errors_as_text(server):
    troubles = []
    with started() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.get_by_role("link", name="SQL", exact=True).click()
        page.get_by_role("button", name="Run").click()
        page.locator("#rows td").first.wait_for()
        assert "allowed" in page.locator("#rows").inner_text()
        page.locator("#sql").fill("select '<img src=x onerror=alert(1)>' as a")
        page.locator("#sql").press("Control+Enter")
        page.get_by_text("<img src=x").first.wait_for()
        page.locator("#sql").fill("select * from read_csv('/etc/passwd')")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("alert").wait_for()
        page.locator("#sql").fill("select x from nowhere")
        page.get_by_role("button", name="Run").click()
        page.get_by_text("LINE 1: select x from nowhere").wait_for()
        assert "\\n" not in page.get_by_role("alert").inner_text()
        page.locator("#sql").fill("select repeat('x ', 900) as a, repeat('y ', 900) as b from range(500)")
        page.get_by_role("button", name="Run").click()
        page.get_by_text("500 rows").wait_for()
        box, heading = page.locator("#rows .scroller"), page.locator("#rows th").first
        assert box.bounding_box()["height"] < page.viewport_size["height"]
        assert page.locator("#rows td").first.bounding_box()["width"] > 200
        box.evaluate("box => { box.scrollTop = 5000; }")
        assert heading.bounding_box()["y"] >= box.bounding_box()["y"]
        page.goto(f"http://127.0.0.1:{server.server_port}/principal.html#arn:aws:iam::333344445555:user/hana")
        page.get_by_role("heading", name=re.compile("^hana")).wait_for()
    assert troubles == []


@in_browser
def test_the_box_follows_the_address_and_shows_no_rows_of_another_query(server):
    with started() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/sql.html#q=select+1+as+linked")
        field, rows = page.locator("#sql"), page.locator("#rows td")
        assert (field.input_value(), rows.count()) == ("select 1 as linked", 0)
        for text in ("select 22 as first", "select 33 as second"):
            field.fill(text)
            page.get_by_role("button", name="Run").click()
            page.locator("#rows td", has_text=text.split()[1]).wait_for()
        page.go_back()
        page.wait_for_function("document.querySelectorAll('#rows td').length === 0")
        assert field.input_value() == "select 22 as first"


@in_browser
def test_what_is_wrong_with_a_query_wraps_but_for_the_line_with_the_mark(server):
    with started() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.goto(f"http://127.0.0.1:{server.server_port}/sql.html")
        page.locator("#sql").fill("select nowhere_to_be_found, principal_arn, action, verdict from access_matrix")
        page.get_by_role("button", name="Run").click()
        alert = page.get_by_role("alert")
        alert.wait_for()
        words, line = alert.locator("pre").all()
        assert line.inner_text().startswith("LINE 1: select nowhere_to_be_found")
        assert words.evaluate("one => one.scrollWidth <= one.clientWidth")
        above, below = line.inner_text().split("\n")[:2]
        assert above[below.index("^")] == "n"
        assert len(line.evaluate("one => [...one.getClientRects()]")) == 1
        page.locator("#sql").fill("")
        page.get_by_role("button", name="Run").click()
        alert.get_by_text("one query is expected (select, with, from, describe)").wait_for()


@in_browser
def test_on_paper_a_wide_result_has_a_block_for_each_row_and_a_long_one_says_where_the_rest_is(server):
    with started() as browser:
        page = browser.new_page(viewport={"width": 688, "height": 994})
        page.emulate_media(media="print")
        page.goto(f"http://127.0.0.1:{server.server_port}/sql.html")

        def asked(sql):
            page.emulate_media(media="screen")
            page.locator("#sql").fill(sql)
            page.get_by_role("button", name="Run").click()
            page.locator("#box button:not([disabled])").wait_for()
            page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
            page.emulate_media(media="print")
            assert page.evaluate("document.documentElement.scrollWidth") == 688
            return page.locator("#rows tbody tr").evaluate_all("rows => rows.map(row => getComputedStyle(row).display)")

        assert asked("select verdict, count(*) as n from access_matrix group by all")[0] == "table-row"
        assert page.locator("#rows p.on-paper").inner_text() == ""
        assert asked("from access limit 5") == ["block"] * 5
        name = page.locator("#rows td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert name.replace('" "', "").strip('" ') == "principal_arn"
        shown = asked("select repeat('word ', 100) as a from range(1000)")
        printed = len(shown) - shown.count("none")
        assert 0 < printed < len(shown)
        assert (
            f"Printed: the first {printed:,} of {len(shown):,} rows." in page.locator("#rows p.on-paper").inner_text()
        )
