"""What an operator does beside serving: reports that the tables would not take, a database that does not answer, and what
people with BI tools may see."""
import json
import socket
import subprocess
import urllib.parse
from decimal import Decimal

import psycopg2
import pytest
from brp import Client
from reports import check_exact, communes, many, report, send_until_committed


def listed(daemon):
    done = daemon.operate("quarantine", "list", "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_report_that_the_tables_refuse_is_set_aside_alone_and_taken_once_that_is_mended(daemon):
    """A constraint that nobody foresaw: class 23. The others of its batch are stored; it is kept once, whatever often it
    is sent."""
    assert listed(daemon) == []
    for words, says in ((("quarantine", "list"), "Không có báo cáo nào bị giữ riêng."), (("token", "list", "--lang", "en"), "There are no tokens")):
        none = daemon.operate(*words)
        assert (none.returncode, none.stdout) == (0, "") and says in none.stderr, none
    slot = daemon.sql("SELECT slot FROM baocao.indicator WHERE code = 'diss.press'")[0][0]
    daemon.sql(f"ALTER TABLE baocao.report ADD CONSTRAINT mistake CHECK (figures[{slot}] IS DISTINCT FROM 7777)")
    good, units = many(60, seed=61), communes()
    bad = report(units[70], 1, 7777)
    with Client(daemon.reports_port, timeout=60) as client:
        answers = client.submit_all([document for _, document in good.values()] + [bad])
        assert {a.verb for a in answers[:-1]} == {"OK"}
        assert (answers[-1].verb, answers[-1].code) == ("WAIT", "INTERNAL"), answers[-1]
        again = client.submit(bad)
        assert (again.verb, again.code) == ("WAIT", "INTERNAL"), again
    kept, = listed(daemon)
    assert (kept["unit"], kept["form"], kept["period"], kept["revision"]) == (units[70], "nd73-quarterly", "2026-Q3", 1)
    assert (kept["tries"], kept["sqlstate"], kept["accepted"]) == (2, "23514", False) and "mistake" in kept["message"]
    shown = daemon.operate("quarantine", "show", kept["id"])
    assert shown.returncode == 0 and shown.stdout == bad
    assert "còn chờ" in daemon.operate("quarantine", "list").stdout
    daemon.sql("ALTER TABLE baocao.report DROP CONSTRAINT mistake")
    send_until_committed(daemon, {(units[70], 1): (7777, bad)})
    assert listed(daemon)[0]["accepted"] is True
    assert "a later copy was accepted" in daemon.operate("--lang", "en", "quarantine", "list").stdout
    assert daemon.operate("quarantine", "drop", kept["id"]).returncode == 0
    assert listed(daemon) == []
    gone = daemon.operate("quarantine", "drop", kept["id"])
    assert gone.returncode == 1 and "quarantine list" in gone.stderr
    assert daemon.operate("quarantine", "show", "x").returncode == 2
    check_exact(daemon.sql, {**good, (units[70], 1): (7777, bad)})


@pytest.mark.parametrize("words, says", [(["verify"], "chưa trả lời"), (["--lang", "en", "token", "list"], "does not answer yet")])
def test_a_command_says_at_once_that_the_database_does_not_answer(make_daemon, words, says):
    with socket.socket() as silent:  # takes connections and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        daemon = make_daemon(database_url=f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x")
        asked = subprocess.Popen([daemon.programs.baocaod, "--config", daemon.write_config(), *words],
                                 stderr=subprocess.PIPE, text=True)
        try:
            assert says in asked.stderr.readline()
            assert asked.poll() is None, "it was told while it still waits"
        finally:
            asked.kill()
            asked.communicate()


def test_a_login_without_rights_is_told_which_it_needs(make_daemon, postgres):
    postgres.sql("CREATE ROLE poor LOGIN")
    url = urllib.parse.urlsplit(postgres.url)
    host = url.netloc.rpartition("@")[2]
    done = make_daemon(database_url=url._replace(netloc=f"poor@{host}").geturl()).operate("migrate")
    assert done.returncode == 1 and "42501" in done.stderr and "must own the database" in done.stderr, done.stdout + done.stderr


def refused(cursor, sql):
    """The SQLSTATE that the statement ends with."""
    try:
        cursor.execute(sql)
    except psycopg2.Error as error:
        return error.pgcode
    return "00000"


def test_the_offices_role_reads_the_views_and_nothing_else(daemon):
    send_until_committed(daemon, many(5, seed=62))
    owner = daemon.sql("SELECT current_user")[0][0]
    connection = daemon.connect()
    connection.autocommit = True
    with connection.cursor() as c:
        c.execute("SELECT relname FROM pg_class WHERE relnamespace = 'office'::regnamespace AND relkind = 'v'")
        views = [row[0] for row in c.fetchall()]
        c.execute("SELECT relname FROM pg_class WHERE relnamespace = 'baocao'::regnamespace AND relkind IN ('r', 'p', 'v')")
        tables = [row[0] for row in c.fetchall()]
        c.execute("SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'baocao'::regnamespace AND prosecdef")
        assert c.fetchall() == [("heirs", ["search_path=pg_catalog"])], "functions that lend their owner's rights"
        c.execute("SELECT rolname FROM pg_roles WHERE pg_has_role('baocao_office', oid, 'MEMBER') AND rolname <> 'baocao_office'")
        assert c.fetchall() == []
        c.execute("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'baocao_office'")
        assert {("statement_timeout=60s",), ("idle_in_transaction_session_timeout=60s",)} <= set(c.fetchall())
        assert len(views) >= 12 and len(tables) >= 20
        c.execute("SET SESSION AUTHORIZATION baocao_office")
        for view in views:
            c.execute(f"SELECT * FROM office.{view} LIMIT 3")
        c.execute("SELECT count(*) FROM office.report")
        assert c.fetchone()[0] == 5
        assert {refused(c, f"SELECT * FROM baocao.{table}") for table in tables} == {"42501"}
        acts = ["UPDATE office.unit SET name_vi = ''", "DELETE FROM office.report", "INSERT INTO office.alert DEFAULT VALUES",
                "DELETE FROM baocao.report", "CREATE TABLE office.mine (a int)", "CREATE TABLE baocao.mine (a int)",
                "CREATE VIEW office.mine AS SELECT 1", f'SET ROLE "{owner}"', "SELECT baocao.make_year(2031)",
                "DROP VIEW office.unit", "COMMENT ON VIEW office.unit IS ''"]
        assert not {"00000"} & {refused(c, act) for act in acts}, [a for a in acts if refused(c, a) == "00000"]
    connection.close()


def test_every_view_and_column_of_the_office_is_explained_in_both_languages(daemon):
    rows = daemon.sql("SELECT c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid)"
                      "  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
                      " WHERE c.relnamespace = 'office'::regnamespace AND c.relkind = 'v'")
    assert len(rows) > 100
    assert [row[:2] for row in rows if " — " not in (row[2] or "") or " — " not in (row[3] or "")] == []


def test_a_rollup_of_one_scope_is_the_views_to_the_last_digit(daemon):
    """Totals of one scope, of all scopes of a period, and of everything go three ways, none of them the view's."""
    send_until_committed(daemon, many(90, seed=63))
    columns = ("scope", "indicator", "value", "min", "max", "reported", "owed", "target")
    view = daemon.sql(f"SELECT {', '.join(columns)} FROM office.rollup WHERE form = 'nd73-quarterly' AND period = '2026-Q3'")
    expected = {row[:2]: [None if x is None else Decimal(x) for x in row[2:]] for row in view}
    assert len({v[1] for v in expected.values()}) > 5, "the least of the units differ"
    assert any(v[1] is not None and v[1] != v[2] for v in expected.values())

    def asked(**more):
        with daemon.open(f"{daemon.server}/v1/rollups?{urllib.parse.urlencode({**window, **more})}") as answer:
            rows = json.load(answer, parse_float=Decimal, parse_int=Decimal)
        return {(row["scope"], row["indicator"]): [row[c] for c in columns[2:]] for row in rows if row["period"] == "2026-Q3"}

    window, one = {"form": "nd73-quarterly", "period": "2026-Q3"}, {}
    for scope in {row[0] for row in view}:
        one.update(asked(scope=scope))
    assert one == expected
    assert asked() == expected
    window = {"form": "nd73-quarterly"}
    assert asked() == expected
    window = {"form": "nd73-quarterly", "period": "2026-Q3"}
    code = next(c for _, c in expected if expected["66", c][1] is not None)
    assert asked(scope="66", indicator=code) == {("66", code): expected["66", code]}
    assert asked(scope="nowhere") == {}
    assert daemon.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'baocaod reading, quick'")[0][0] == 1
