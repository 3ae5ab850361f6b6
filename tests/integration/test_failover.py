"""A primary and a standby: what was acked as durable there survives the primary, and nobody waits for a missing one
in the dark."""
import os
import signal
import time

import pytest
from brp import Client
from conftest import wait_for
from reports import check_exact, communes, many, report, send_until_committed
from test_store import MANY, Sender

LONG = bool(os.environ.get("BAOCAO_LONG"))


def times(n):
    """Runs a test n times over in the long run."""
    return pytest.mark.parametrize("turn", range(n if LONG else 1))


@pytest.fixture
def pair(make_postgres):
    """A primary that waits for its standby at each commit."""
    primary = make_postgres()
    second = make_postgres(primary=primary)
    primary.set("synchronous_standby_names", "second")
    wait_for(lambda: primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")[0][0] == 1)
    return primary, second


def both(one, other):
    """A connection string of two hosts."""
    return f"host=127.0.0.1,127.0.0.1 port={one.port},{other.port} user=postgres dbname=postgres"


@times(20)
def test_the_standby_takes_over_and_nothing_acked_is_lost(make_daemon, pair, turn):
    """F4: behind two daemons, which find the new primary by themselves."""
    primary, second = pair
    first = make_daemon(database_url=both(primary, second)).start()
    daemons = [first, make_daemon(database_url=both(primary, second)).share_key(first).start()]
    reports = many(MANY, seed=21 + turn)
    senders = [Sender(d, dict(list(reports.items())[n::2])) for n, d in enumerate(daemons)]
    wait_for(lambda: all(len(s.receipts) >= 0.15 * MANY or s.error for s in senders), 120)
    primary.freeze()
    time.sleep(0.2)
    acked = [dict(s.receipts) for s in senders]
    primary.kill()
    assert all(len(a) < MANY / 2 for a in acked), "a stream was over before the primary died"
    second.promote()
    promoted = time.monotonic()
    wait_for(lambda: all(len(s.receipts) > len(a) or s.error for s, a in zip(senders, acked)), 120)
    back = time.monotonic() - promoted
    print(f"both daemons committed again {back:.1f} s after the standby took over")
    for sender, known in zip(senders, acked):
        receipts = sender.finish()
        assert all(receipts[key] == receipt for key, receipt in known.items())
    check_exact(second.sql, reports)
    assert not LONG or back < 5


def test_a_frozen_primary_does_not_keep_the_daemon_from_the_new_one(make_daemon, pair):
    primary, second = pair
    daemon = make_daemon(database_url=both(primary, second)).start()
    first = send_until_committed(daemon, many(10, seed=22))
    primary.freeze()  # it still takes connections, and says nothing
    try:
        second.promote()
        reports = {(unit, 1): (7, report(unit, 1, 7)) for unit in communes()[20:30]}
        send_until_committed(daemon, reports, seconds=90)
    finally:
        primary.kill()
    assert send_until_committed(daemon, many(10, seed=22)) == first
    check_exact(second.sql, {**many(10, seed=22), **reports})


@times(3)
def test_a_missing_standby_is_waited_for_without_a_false_ack(make_daemon, postgres, turn):
    """F6."""
    daemon = make_daemon({"spool": {"enabled": False}}, database_url=postgres.url).start()
    send_until_committed(daemon, many(5, seed=23))
    postgres.hold_commits()
    unit = communes()[70]
    with Client(daemon.reports_port, timeout=120) as client:
        answer = client.submit(report(unit, 1, 3))
    assert (answer.verb, answer.code) == ("WAIT", "BUSY"), answer
    wait_for(postgres.held)
    assert "canceling wait" not in postgres.log()
    postgres.release_commits()
    send_until_committed(daemon, {(unit, 1): (3, report(unit, 1, 3))})
    assert "canceling wait" not in postgres.log()
    check_exact(postgres.sql, {**many(5, seed=23), (unit, 1): (3, "")})


def test_a_server_that_becomes_read_only_counts_as_away(make_daemon, postgres):
    def set_read_only(word):
        admin = postgres.connect()
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER SYSTEM {word}")
            cursor.execute("SELECT pg_reload_conf()")
        admin.close()

    daemon = make_daemon({"spool": {"hold": "1s"}}, database_url=postgres.url).start()
    reports = many(3, seed=40)
    documents = [text for _, text in reports.values()]
    with Client(daemon.reports_port, timeout=60) as client:
        assert client.submit(documents[0]).state == "committed"
        set_read_only("SET default_transaction_read_only = on")
        wait_for(lambda: postgres.sql("SHOW default_transaction_read_only") == [("on",)])
        assert client.submit(documents[1]).state == "queued"
        wait_for(lambda: not daemon.is_ready())  # nor is it said to be ready
        assert "read-only" in daemon.log()
        assert client.submit(documents[2]).state == "queued"
    set_read_only("RESET default_transaction_read_only")
    daemon.wait_ready()
    wait_for(lambda: postgres.sql("SELECT count(*) FROM baocao.report") == [(3,)], 50)  # before all is offered anew
    check_exact(postgres.sql, reports)


def test_the_receipt_says_which_durability_it_stands_for(make_daemon, postgres, pair):
    alone, two = make_daemon(database_url=postgres.url).start(), make_daemon(database_url=both(*pair)).start()
    document = report(communes()[80], 1, 1)
    with Client(alone.reports_port) as client:
        assert client.submit(document).dur == "local"
    with Client(two.reports_port) as client:
        assert client.submit(document).dur == "sync"


def test_a_standby_is_verified_where_no_server_takes_writes(make_daemon, pair):
    primary, second = pair
    daemon = make_daemon(database_url=primary.url).start()
    send_until_committed(daemon, many(5, seed=26))
    daemon.stop()
    reader = make_daemon(database_url=second.url)
    for words in (["verify"], ["verify", "--audit"], ["heads"], ["forms", "check", "--against-stored", "nd73-quarterly"]):
        done = reader.operate(*words, "--lang", "en")
        assert done.returncode == 0, (words, done.stdout + done.stderr)
        assert "reading from a standby, what it has received up to 20" in done.stderr, done.stderr
    assert "máy chủ dự phòng" in reader.operate("verify", "--format", "json").stderr
    daemon.spoiled = True
    primary.sql("UPDATE baocao.rollup SET reported = reported + 1")
    there = primary.sql("SELECT pg_current_wal_lsn()::text")[0][0]
    wait_for(lambda: second.sql("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", there)[0][0])
    wrong = reader.operate("verify", "--lang", "en")
    assert wrong.returncode == 1 and "recomputed" in wrong.stdout + wrong.stderr, wrong.stdout + wrong.stderr
    # Of several the one that takes writes is read, wherever it stands in the list.
    mended = make_daemon(database_url=both(second, primary))
    assert mended.operate("rebuild").returncode == 0
    done = mended.operate("verify", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_commit_whose_wait_was_cancelled_is_only_local(make_daemon, postgres):
    daemon = make_daemon(database_url=postgres.url).start()
    send_until_committed(daemon, many(5, seed=24))
    postgres.hold_commits()
    with Client(daemon.reports_port, timeout=60) as client:
        txn = client.report(report(communes()[90], 1, 1))
        waiting = wait_for(postgres.held)
        postgres.sql("SELECT pg_cancel_backend(%s)", waiting[0])  # an operator's mistake
        answer = client.answer(txn)
    assert (answer.verb, answer.state, answer.dur) == ("OK", "committed", "local"), answer


@times(20)
def test_an_asynchronous_standby_may_lack_what_was_acked_local_and_a_resend_restores_it(make_daemon, make_postgres, turn):
    """F5: the primary is lost with what its standby had not received yet."""
    primary = make_postgres()
    second = make_postgres(primary=primary)
    daemon = make_daemon(database_url=both(primary, second)).start()
    units = communes()
    reports = {(u, 1): (i, report(u, 1, i)) for i, u in enumerate(units[:20])}
    early, late = dict(list(reports.items())[:10]), dict(list(reports.items())[10:])
    first = send_until_committed(daemon, early)
    there = primary.sql("SELECT pg_current_wal_lsn()::text")[0][0]
    wait_for(lambda: primary.sql("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= %s::pg_lsn", there)[0][0])
    os.kill(primary.sql("SELECT pid FROM pg_stat_replication")[0][0], signal.SIGSTOP)  # what sends to the standby
    with Client(daemon.reports_port, timeout=60) as client:
        answers = dict(zip(late, client.submit_all([document for _, document in late.values()])))
    assert {(a.state, a.dur) for a in answers.values()} == {("committed", "local")}
    primary.kill()
    second.promote()
    kept = {row[0] for row in second.sql("SELECT receipt::text FROM baocao.report")}
    lost = {key for key, a in answers.items() if a.receipt not in kept}
    assert lost, "the standby lacked nothing: the test proved nothing"
    assert set(first.values()) <= kept
    assert not {key for key, receipt in first.items() if receipt not in kept}
    daemon.wait_ready()
    with Client(daemon.reports_port, timeout=60) as client:
        for unit, _ in lost:
            fate = client.ask("STAT", form="nd73-quarterly", unit=unit, period="2026-Q3")
            assert (fate.verb, fate.code) == ("NO", "UNKNOWN"), fate
    assert send_until_committed(daemon, early) == first
    again = send_until_committed(daemon, late)
    assert all(again[key] == answers[key].receipt for key in late if key not in lost)
    check_exact(second.sql, reports)
