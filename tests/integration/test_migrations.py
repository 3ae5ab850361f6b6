"""An older database, with data in it, is brought forward by the newer program: nothing changes, everything goes on."""
import glob
import hashlib
import os
import re

import psycopg2
import pytest
from psycopg2.extras import execute_values

from brp import Client
from conftest import SOURCE, wait_for
from reports import check_exact, communes, many, report, send_until_committed

MIGRATIONS = sorted(glob.glob(os.path.join(SOURCE, "daemon", "store", "migrations", "[0-9]*.sql")))


def apply(cursor, upto):
    """What a program that knew the first `upto` migrations had made of an empty database."""
    for path in MIGRATIONS[:upto]:
        with open(path, "rb") as f:
            text = f.read()
        number, name = re.fullmatch(r"(\d{4})_(\w+)\.sql", os.path.basename(path)).groups()
        cursor.execute(text.decode())
        cursor.execute("INSERT INTO baocao.migration VALUES (%s, %s, %s, clock_timestamp())",
                       (int(number), name, hashlib.sha256(text).digest()))


def tables(cursor):
    """The tables of the schema but partitions and the list of migrations, with their columns."""
    cursor.execute("SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
                   " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
                   " WHERE n.nspname = 'baocao' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                   " AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'migration' GROUP BY c.relname")
    return dict(cursor.fetchall())


def contents(cursor, columns):
    """Every table's rows in the given columns, as text."""
    found = {}
    for table, names in sorted(columns.items()):
        cursor.execute(f"SELECT ({', '.join(f't.{name}' for name in names)})::text FROM baocao.{table} t")
        found[table] = sorted(row[0] for row in cursor.fetchall())
    return found


def copy_into(source, target):
    """Fills the older tables with what the newer ones hold in the columns both know; those columns by table."""
    new, old = tables(source), tables(target)
    common = {t: [c for c in old[t] if c in new[t]] for t in old if t in new}
    source.execute("SELECT DISTINCT period / 10000 FROM baocao.report")
    for (year,) in source.fetchall():
        target.execute("SELECT baocao.make_year(%s)", (year,))
    for table, names in common.items():
        source.execute(f"SELECT {', '.join(names)} FROM baocao.{table}")
        rows = source.fetchall()
        if rows:
            execute_values(target, f"INSERT INTO baocao.{table} ({', '.join(names)}) VALUES %s", rows, page_size=1000)
    return common


@pytest.fixture
def filled(make_daemon, postgres):
    """A stopped daemon, and a database of today with reports, corrections and resends in it."""
    daemon = make_daemon(database_url=postgres.url).start()
    send_until_committed(daemon, many(40, seed=5))
    send_until_committed(daemon, {(unit, 2): (7, report(unit, 2, 7)) for unit in communes()[:5]})
    assert daemon.stop() == 0, daemon.log()
    return daemon


def open_database(postgres, name):
    connection = psycopg2.connect(re.sub(r"dbname=\w+", f"dbname={name}", postgres.conninfo))
    return connection, connection.cursor()


def check_carried(daemon, postgres, version):
    """Copies the filled database into one of `version`, lets the program of today take it over, and uses it."""
    name = f"v{version}"
    admin = postgres.connect()
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name}")
    admin.close()
    today, source = open_database(postgres, "postgres")
    then, target = open_database(postgres, name)
    apply(target, version)
    common = copy_into(source, target)
    then.commit()
    before = contents(target, common)
    then.commit()
    assert len(before["report"]) == 45

    daemon.database_url = postgres.url.rsplit("/", 1)[0] + "/" + name
    heads = os.path.join(daemon.state, "heads.txt")  # of a copy that went on in another way
    if os.path.exists(heads):
        os.unlink(heads)
    done = daemon.operate("migrate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(target, common) == before
    target.execute("SELECT count(*) FROM baocao.migration")
    assert target.fetchone()[0] == len(MIGRATIONS)
    then.commit()
    use(daemon)

    def sql(text, *values):
        target.execute(text, values or None)
        rows = target.fetchall()
        then.commit()
        return rows

    check_exact(sql)
    assert sql("SELECT count(*) FROM baocao.report")[0][0] == 46
    assert set(sql("SELECT reloptions::text FROM pg_inherits JOIN pg_class ON oid = inhrelid"
                   " WHERE inhparent = 'baocao.report'::regclass")) == {("{toast_tuple_target=4080}",)}
    then.close()
    today.close()


def use(daemon):
    """A resend is known again, a new report is taken, the sums and the chain hold."""
    daemon.start()
    with Client(daemon.reports_port) as client:
        again = client.submit(many(40, seed=5)[communes()[0], 1][1])
        assert again.verb == "OK" and again.dup == "1", again
        fresh = client.submit(report(communes()[45], 1, 8))
        assert fresh.verb == "OK" and fresh.state == "committed", fresh
    for words in (["verify"], ["verify", "--audit"]):
        done = daemon.operate(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert daemon.stop() == 0, daemon.log()


def test_every_earlier_version_with_data_goes_forward(filled, postgres):
    for version in range(1, len(MIGRATIONS)):
        check_carried(filled, postgres, version)


def test_a_newer_database_is_refused_with_the_way_out(filled, postgres):
    postgres.sql("INSERT INTO baocao.migration VALUES (%s, 'later', '\\x00', now())", len(MIGRATIONS) + 1)
    done = filled.operate("--lang", "en", "migrate")
    assert done.returncode != 0
    assert f"version {len(MIGRATIONS) + 1}" in done.stderr and "newer program" in done.stderr, done.stderr
    assert done.stderr.endswith("upgrade\n"), done.stderr
    for words in (["rebuild"], ["verify"], ["verify", "--audit"], ["heads"], ["quarantine", "list"]):  # it knows not what they mean there
        done = filled.operate(*words)
        assert (done.returncode, done.stdout) == (1, "") and "một bản baocaod mới hơn nâng cấp" in done.stderr, done
    filled.start(wait=False)  # nor does it serve, whatever its spool could take
    assert filled.process.wait(60) == 1 and "run the newer program" in filled.log(), filled.log()
    postgres.sql("DELETE FROM baocao.migration WHERE version > %s", len(MIGRATIONS))
    filled.start()  # upgraded under a running daemon: it writes nothing more there, and waits
    batches = postgres.sql("SELECT count(*) FROM baocao.audit")
    postgres.sql("INSERT INTO baocao.migration VALUES (%s, 'later', '\\x00', now())", len(MIGRATIONS) + 1)
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'baocaod%%'")
    wait_for(lambda: "not ready: the database is at version" in filled.log())
    act = ("--form", "nd73-quarterly", "--period", "2026-Q3")
    done = filled.operate("office", "lock", *act)
    assert done.returncode == 1 and "chưa có gì thay đổi" in done.stderr, done
    assert filled.process.poll() is None and postgres.sql("SELECT count(*) FROM baocao.audit") == batches
    postgres.sql("DELETE FROM baocao.migration WHERE version > %s", len(MIGRATIONS))
    filled.wait_ready()
    assert filled.operate("office", "lock", *act).returncode == 0
    assert filled.stop() == 0, filled.log()
    postgres.sql("DELETE FROM baocao.migration WHERE version >= %s", len(MIGRATIONS))
    done = filled.operate("rebuild")
    assert done.returncode == 1 and f"ở bước {len(MIGRATIONS) - 1}, bản baocaod này cần bước {len(MIGRATIONS)}" in done.stderr, done


def test_a_coming_year_s_table_waits_for_who_holds_its_parent(filled, postgres):
    """Nothing else waits for it: reports are taken, and the table is made once the other session lets go."""
    years = [int(name[-4:]) for name, in postgres.sql("SELECT relname FROM pg_class WHERE relname ~ '^report_[0-9]{4}$' ORDER BY 1")]
    made = lambda: postgres.sql("SELECT to_regclass(%s) IS NOT NULL", f"baocao.report_{years[-1]}")[0][0]
    postgres.sql(f"DROP TABLE baocao.report_{years[-1]}")
    holder = postgres.connect()
    holder.cursor().execute("LOCK TABLE baocao.report IN SHARE UPDATE EXCLUSIVE MODE")
    filled.start()
    with Client(filled.reports_port) as client:
        fresh = client.submit(report(communes()[46], 1, 8))
        assert fresh.verb == "OK" and fresh.state == "committed", (fresh, filled.log())
    assert not made() and f"the table of {years[-1]}'s reports could not be attached" in filled.log()
    holder.close()
    wait_for(made)
    wait_for(lambda: f"the table of {years[-1]}'s reports has been made" in filled.log())
    assert filled.stop() == 0, filled.log()


def test_this_year_s_table_is_waited_for(make_daemon, postgres):
    """Without it this year's reports could not be stored."""
    daemon = make_daemon(database_url=postgres.url).start()
    assert daemon.stop() == 0, daemon.log()
    postgres.sql("DROP TABLE baocao.report_2026")
    holder = postgres.connect()
    holder.cursor().execute("LOCK TABLE baocao.report IN SHARE UPDATE EXCLUSIVE MODE")
    daemon.start(wait=False)
    wait_for(lambda: "not ready: the table of 2026's reports could not be attached" in daemon.log())
    holder.close()
    daemon.wait_ready()
    with Client(daemon.reports_port) as client:
        assert client.submit(report(communes()[0], 1, 8)).verb == "OK"
    wait_for(lambda: postgres.sql("SELECT count(*) FROM baocao.report_2026") == [(1,)])
    assert daemon.stop() == 0, daemon.log()
