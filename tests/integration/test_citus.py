"""The store on a Citus cluster that somebody else runs: BAOCAO_TEST_CITUS_DSN names a database of its coordinator in
which databases may be made."""
import os
import subprocess

import psycopg2
import pytest
from conftest import SOURCE
from reports import check_exact, communes, many, report, send_until_committed

DSN = os.environ.get("BAOCAO_TEST_CITUS_DSN")
NAME = "baocao_test"


def execute(dsn, text):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture
def database():
    """An empty database with Citus in it and the workers it knows elsewhere."""
    nodes = execute(DSN, "SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' AND groupid > 0")
    execute(DSN, f"DROP DATABASE IF EXISTS {NAME}")
    execute(DSN, f"CREATE DATABASE {NAME}")
    dsn = f"{DSN} dbname={NAME}"
    execute(dsn, "CREATE EXTENSION citus")
    for host, port in nodes:
        execute(dsn, f"SELECT citus_add_node('{host}', {port})")
    yield dsn
    execute(DSN, f"DROP DATABASE IF EXISTS {NAME}")


@pytest.mark.skipif(not DSN, reason="BAOCAO_TEST_CITUS_DSN names no cluster")
def test_sums_are_exact_on_a_cluster(make_daemon, database):
    daemon = make_daemon(database_url=database)
    done = daemon.operate("migrate")
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(["psql", "-q", "-d", database, "-f", os.path.join(SOURCE, "deploy", "citus.sql")], check=True)
    assert execute(database, "SELECT count(*) FROM citus_tables WHERE citus_table_type = 'distributed'")[0][0] >= 10
    daemon.start()
    send_until_committed(daemon, many(60, seed=3))
    send_until_committed(daemon, {(unit, 2): (9, report(unit, 2, 9)) for unit in communes()[:5]})
    check_exact(lambda text: execute(database, text))
    assert daemon.operate("verify").returncode == 0
