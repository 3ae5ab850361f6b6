"""PostgreSQL away: what was read finds custody on this machine's disk, is answered `queued`, and is in the database with
the same receipt and the same time once that is back. F7, F10, F11, F12, F13, kills, a start without the database."""
import os
import random
import sqlite3
import threading
import time

import pytest
from brp import Client, Ended
from conftest import wait_for
from reports import FORM, PERIOD, check_exact, communes, many, report, send_until_committed

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
QUICK = {"spool": {"after": "200ms"}}


def queue(daemon, reports):
    """Sends all over one connection; every one must be queued. Gives {key: answer}."""
    with Client(daemon.reports_port, timeout=60) as client:
        answers = client.submit_all([document for _, document in reports.values()])
    for answer in answers:
        assert (answer.verb, answer.state, answer.dur, answer.chain) == ("OK", "queued", "spool", None), answer
    return dict(zip(reports, answers))


def stat(daemon, unit, **keys):
    with Client(daemon.reports_port, timeout=60) as client:
        return client.ask("STAT", form=FORM, unit=unit, period=PERIOD, **keys)


def spool_rows(daemon, sql="SELECT count(*) FROM report"):
    connection = sqlite3.connect(f"file:{daemon.state}/spool.db?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def is_drained(daemon):
    return spool_rows(daemon)[0][0] == 0


def wait_drained(daemon, seconds=120):
    wait_for(lambda: is_drained(daemon), seconds, every=0.2)


def check_drained(postgres, reports, answers):
    """Everything queued is in the store under its own receipt and with its own time, and told as such."""
    check_exact(postgres.sql, reports)
    stored = {(code, revision): (receipt, at) for code, revision, receipt, at in postgres.sql(
        "SELECT (SELECT code FROM baocao.unit u WHERE u.unit = r.unit LIMIT 1), r.revision, r.receipt::text,"
        "       to_char(r.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') FROM baocao.report r")}
    assert {key: (a.receipt, a.at[:23]) for key, a in answers.items()} == {key: stored[key] for key in answers}
    told = dict(postgres.sql("SELECT receipt::text, state FROM baocao.outcome"))
    assert set(told) == {a.receipt for a in answers.values()}
    assert set(told.values()) <= {"committed", "superseded"}


def test_queued_then_committed_with_the_same_receipt(make_daemon, postgres):
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    before = many(5, seed=30)
    send_until_committed(daemon, before)
    wait_for(lambda: spool_rows(daemon, "SELECT count(*) FROM cache_obligation")[0][0] > 0)
    postgres.stop("immediate")
    wait_for(lambda: "database: away" in daemon.log())
    assert daemon.get("/readyz") == (200, {"status": "degraded", "database": "away", "reports": "queued"})
    assert daemon.get("/readyz", need="database")[0] == 503
    assert daemon.get("/healthz")[0] == 200
    unit = communes()[40]
    reports = {(u, r): (r, report(u, r, r)) for u in communes()[40:60] for r in (1, 2, 3)}
    answers = queue(daemon, reports)
    assert {a.due for a in answers.values()} <= {"on-time", "late"}, "the deadlines were not kept"
    again = queue(daemon, dict(list(reports.items())[:5]))
    assert all(a.dup == "1" and a.receipt == answers[key].receipt and a.at == answers[key].at for key, a in again.items())
    with Client(daemon.reports_port, lang="vi") as client:
        other = client.submit(report(unit, 1, 99))
        assert (other.verb, other.code) == ("NO", "KEYREUSED"), other
        assert "revision: 2" in other.body.decode()
        wrong = client.submit(report(unit, 9, 1).replace("bao_chi: 1", "bao_chi: -1"))
        assert (wrong.verb, wrong.code) == ("NO", "INVALID") and wrong.findings, wrong
        by_receipt = client.ask("STAT", receipt=answers[unit, 2].receipt, proof=1)
    assert (by_receipt.state, by_receipt.rev, by_receipt.dur) == ("queued", "2", "spool")
    receipt = os.path.join(daemon.root, "queued.receipt")
    with open(receipt, "wb") as f:
        f.write(by_receipt.body)
    assert b"\nverdict queued\n" in by_receipt.body and b"\nbatch 0\n" in by_receipt.body
    found = stat(daemon, unit)
    assert (found.state, found.rev) == ("queued", "3")
    postgres.start()
    wait_drained(daemon)
    everything = {**before, **reports}
    check_drained(postgres, everything, answers)
    daemon.wait_ready()
    assert stat(daemon, unit, rev=2).state == "superseded"
    committed = stat(daemon, unit, rev=3)
    assert (committed.receipt, committed.due) == (answers[unit, 3].receipt, answers[unit, 3].due)
    assert send_until_committed(daemon, reports) == {key: a.receipt for key, a in answers.items()}
    verified = daemon.operate("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert daemon.stop() == 0, daemon.log()
