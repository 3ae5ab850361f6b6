"""PostgreSQL away: what was read finds custody on this machine's disk, is answered `queued`, and is in the database with
the same receipt and the same time once that is back. F7, F10, F11, F12, F13, kills, a start without the database."""
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
import time

import histories
import psycopg2
import pytest
from brp import Client, Ended
from chaos import Chaos
from conftest import wait_for
from web import add_token
from reports import FORM, PERIOD, check_exact, communes, many, report, send_until_committed

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
ROUNDS = int(os.environ.get("BAOCAO_ROUNDS") or 20)  # of lost packets, for each length, in the long run
LENGTHS = (0, 1, 3, 8, 15)  # seconds of silence beyond the answers
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
    http = daemon.get(f"/v1/reports/{unit}/{FORM}/{PERIOD}/2")
    assert http[0] == 202 and http[1]["state"] == "queued" and http[1]["receipt"] == answers[unit, 2].receipt, http
    listener = Client(daemon.reports_port, timeout=60)
    postgres.start()
    wait_drained(daemon)
    everything = {**before, **reports}
    check_drained(postgres, everything, answers)
    wait_for(lambda: listener.ask("PING") and [f for f in listener.told if f.verb == "DONE"])
    done = next(f for f in listener.told if f.verb == "DONE")
    assert done.receipt in {a.receipt for a in answers.values()} and done.state in ("committed", "superseded"), done
    listener.sock.close()
    daemon.wait_ready()
    assert stat(daemon, unit, rev=2).state == "superseded"
    committed = stat(daemon, unit, rev=3)
    assert (committed.receipt, committed.due) == (answers[unit, 3].receipt, answers[unit, 3].due)
    assert send_until_committed(daemon, reports) == {key: a.receipt for key, a in answers.items()}
    verified = daemon.operate("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    key = postgres.sql("SELECT encode(public_key, 'hex') FROM baocao.audit ORDER BY seq DESC LIMIT 1")[0][0]
    checked = daemon.programs.run("receipt", "check", receipt, "--key", key)  # one key signs both kinds
    assert checked.returncode == 0 and answers[unit, 2].receipt in checked.stdout, checked.stdout
    assert daemon.programs.run("receipt", "check", receipt, "--key", "00" + key[2:]).returncode == 1
    assert daemon.stop() == 0, daemon.log()


def in_spool(daemon):
    """Keys of what waits; the daemon may be running, or gone."""
    return {(unit, revision) for unit, revision in spool_rows(daemon, "SELECT unit, revision FROM report")}


def spoil(daemon, unit):
    """Turns one octet of a queued report's body, in the file of a daemon that is gone."""
    connection = sqlite3.connect(f"{daemon.state}/spool.db")  # takes what a crash left in the log into the file
    body = connection.execute("SELECT body FROM report WHERE unit = ?", (unit,)).fetchone()[0]
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with open(f"{daemon.state}/spool.db", "r+b") as f:
        text = f.read()
        at = text.index(body[:200]) + 100
        f.seek(at)
        f.write(bytes([text[at] ^ 1]))


def test_kills_while_queueing_and_draining(make_daemon, postgres):
    """Nothing acked is lost or doubled; the daemon starts without its database; damage on disk is named."""
    dice = random.Random(SEED)
    print("BAOCAO_SEED =", SEED)
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    send_until_committed(daemon, {})
    postgres.stop("immediate")
    rounds, each = (40, 400) if LONG else (2, 120)
    units, acked, sent = communes(), {}, {}
    for number in range(rounds):
        batch = {(units[i % len(units)], 1 + number * 8 + i // len(units)): (i, report(
            units[i % len(units)], 1 + number * 8 + i // len(units), i)) for i in range(each)}
        sent.update(batch)
        wanted = len(acked) + dice.randrange(each // 4, each // 2)

        def pump():
            try:
                with Client(daemon.reports_port, timeout=60) as client:
                    for key, (_, document) in batch.items():
                        answer = client.submit(document)
                        if answer.verb == "OK":
                            assert answer.state == "queued", answer
                            acked[key] = answer
            except (Ended, OSError):
                pass

        pumping = threading.Thread(target=pump, daemon=True)
        pumping.start()
        wait_for(lambda: len(acked) >= wanted)
        daemon.kill()
        pumping.join(60)
        assert len(acked) < len(sent), "the kill came after the stream"
        assert in_spool(daemon) >= set(acked)
        before = len(daemon.log())
        daemon.start(wait=False)  # and PostgreSQL is still away
        wait_for(lambda: "database: away" in daemon.log()[before:])
    acked.update(queue(daemon, {k: v for k, v in sent.items() if k not in acked}))
    assert set(acked) == set(sent)
    daemon.kill()
    lost = dice.choice(list(sent))
    spoil(daemon, lost[0])
    daemon.start(wait=False)
    postgres.start()
    wait_for(lambda: 0 < spool_rows(daemon)[0][0] < len(sent) or "damaged on disk" in daemon.log())
    seen = spool_rows(daemon)[0][0]
    daemon.kill()
    daemon.start()
    wait_drained(daemon)
    print("left when killed while draining:", seen, "of", len(sent))
    named = [line for line in daemon.log().split("\n") if "is damaged on disk" in line]
    assert len({line.split("unit ")[1] for line in named}) == 1 and f"unit {lost[0]}" in named[0], named
    revision = int(named[0].split("revision ")[1].split(" ")[0])
    gone = lost[0], revision
    assert spool_rows(daemon, "SELECT unit, revision FROM damaged") == [gone]
    kept = {key: value for key, value in sent.items() if key != gone}
    check_drained(postgres, kept, {key: acked[key] for key in kept})
    verified = daemon.operate("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    send_until_committed(daemon, {gone: sent[gone]})
    check_exact(postgres.sql, sent)


@pytest.fixture(scope="module")
def disk_faults(make_folder):
    """The library that makes a daemon's disk fail."""
    library = os.path.join(make_folder("shim"), "disk_faults.so")
    source = os.path.join(os.path.dirname(__file__), "disk_faults.c")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Disk:
    """The faults of one daemon's disk."""

    def __init__(self, daemon, library):
        self.control = os.path.join(daemon.root, "disk-fault")
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.env = {"LD_PRELOAD": library, "DISK_FAULT": self.control,
                    "ASAN_OPTIONS": (asan + ":" if asan else "") + "verify_asan_link_order=0"}

    def begin(self, fault):
        with open(self.control + ".new", "w", encoding="ascii") as f:
            f.write(fault)
        os.chmod(self.control + ".new", 0o666)
        os.rename(self.control + ".new", self.control)

    def end(self):
        os.unlink(self.control)

    @property
    def hits(self):
        try:
            return os.path.getsize(self.control + ".hits")
        except FileNotFoundError:
            return 0


def test_a_failing_disk(make_daemon, postgres, disk_faults):
    """F11 and F12: a disk that is full or fails to write is told and passes; after a failing sync nothing is acked, and
    the daemon ends."""
    daemon = make_daemon(QUICK, database_url=postgres.url)
    disk = Disk(daemon, disk_faults)
    daemon.start(env=disk.env)
    postgres.stop("immediate")
    units = communes()
    reports = {(u, 1): (3, report(u, 1, 3)) for u in units[:40]}
    keys = list(reports)
    acked = queue(daemon, {k: reports[k] for k in keys[:10]})
    for fault, next_four, words in (("enospc", keys[10:14], {"No space left on device"}),
                                    ("eio", keys[14:18], {"disk I/O error", "Input/output error"})):  # older, newer SQLite
        before = disk.hits
        disk.begin(fault)
        with Client(daemon.reports_port, timeout=60) as client:
            for key in next_four:
                answer = client.submit(reports[key][1])
                assert (answer.verb, answer.code) == ("WAIT", "SPOOLFULL") and int(answer.after) > 0, answer
            assert disk.hits > before
            again = client.submit(reports[keys[0]][1])
            assert (again.state, again.receipt) == ("queued", acked[keys[0]].receipt), again
        assert in_spool(daemon) == set(acked)
        disk.end()
        acked.update(queue(daemon, {k: reports[k] for k in next_four}))  # it has recovered by itself
        log = daemon.log()
        assert any(f"spool: full: {w}" in log for w in words) and "takes reports again" in log
    # Killed with the log as failed writes have left it: what was acked is there.
    daemon.kill()
    assert in_spool(daemon) == set(acked)
    daemon.start(wait=False, env=disk.env)
    hits = disk.hits
    with Client(daemon.reports_port, timeout=60) as client:
        disk.begin("fsync")
        with pytest.raises((Ended, OSError)):
            for key in keys[18:]:
                answer = client.submit(reports[key][1])
                assert answer.state == "queued", answer
                acked[key] = answer
    assert daemon.process.wait(timeout=60) not in (0, -9)
    assert disk.hits > hits and len(acked) < len(keys)
    assert "nothing can be acknowledged any more" in daemon.log()
    if os.path.exists(disk.control):
        disk.end()
    assert in_spool(daemon) >= set(acked)
    daemon.start(wait=False)
    postgres.start()
    wait_drained(daemon)
    stored = {row[0] for row in postgres.sql("SELECT receipt::text FROM baocao.report")}
    assert {a.receipt for a in acked.values()} <= stored
    send_until_committed(daemon, reports)
    check_exact(postgres.sql, reports)


@pytest.mark.skipif(not LONG, reason="tests/unit/spool_test.c does it at once")
def test_the_cap_is_told_and_passes(make_daemon, postgres):
    daemon = make_daemon({"spool": {"after": "200ms", "max_bytes": "64KiB"}}, database_url=postgres.url).start()
    postgres.stop("immediate")
    reports = many(60, seed=33)
    with Client(daemon.reports_port, timeout=60) as client:
        answers = client.submit_all([document for _, document in reports.values()])
    queued = {key: a for key, a in zip(reports, answers) if a.verb == "OK"}
    full = [a for a in answers if a.verb != "OK"]
    assert full and all((a.verb, a.code) == ("WAIT", "SPOOLFULL") for a in full), full[:3]
    assert len(queued) > 5
    with Client(daemon.reports_port, timeout=60) as client:
        again = client.submit_all([reports[key][1] for key in queued])
    assert [a.receipt for a in again] == [a.receipt for a in queued.values()]
    assert daemon.log().count("spool: full") == 1 and "takes reports again" not in daemon.log()
    postgres.start()
    receipts = send_until_committed(daemon, reports)
    assert all(receipts[key] == a.receipt for key, a in queued.items())
    check_exact(postgres.sql, reports)
    wait_for(lambda: "takes reports again" in daemon.log())  # said once all is drained, also when nothing is queued any more


@pytest.mark.skipif(not LONG or os.geteuid() != 0, reason="mounts small disks")
@pytest.mark.parametrize("size", ["512k", "1m", "2m", "4m", "16m"])
def test_a_small_disk(make_daemon, postgres, tmp_path, size):
    """F11 on a real full disk: nothing queued is lost, and forgetting what was drained makes room again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    for parent in (disk, *disk.parents):
        if parent.owner() == "root" and len(parent.parts) > 2:
            parent.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(disk)], check=True)
    try:
        daemon = make_daemon({"spool": {"after": "200ms", "path": f"{disk}/spool.db"}}, database_url=postgres.url).start()
        postgres.stop("immediate")
        wait_for(lambda: "database: away" in daemon.log())
        reports, queued, full = many(20000, seed=35), {}, 0
        with Client(daemon.reports_port, timeout=60) as client:
            keys = list(reports)
            for at in range(0, len(keys), 200):
                chunk = keys[at:at + 200]
                for key, answer in zip(chunk, client.submit_all([reports[key][1] for key in chunk])):
                    if answer.verb == "OK":
                        assert answer.state == "queued", answer
                        queued[key] = answer
                    else:
                        assert (answer.verb, answer.code) == ("WAIT", "SPOOLFULL"), answer
                        full += 1
                if full > 400:
                    break
        assert full and queued, "the disk was not filled"
        assert "spool: full: No space left on device: " in daemon.log()
        postgres.start()
        daemon.wait_ready()
        wait_for(lambda: postgres.sql("SELECT count(*) FROM baocao.report")[0][0] == len(queued), 300, every=0.5)
        check_exact(postgres.sql, {key: reports[key] for key in queued})
        before = daemon.log().count("database: away")
        postgres.stop("immediate")
        wait_for(lambda: daemon.log().count("database: away") > before)
        fresh = many(20100, seed=35)
        fresh = {key: fresh[key] for key in list(fresh)[20000:20005]}
        wait_for(lambda: all(a.verb == "OK" for a in Client(daemon.reports_port).submit_all([d for _, d in fresh.values()])))
    finally:
        print(subprocess.run(["ls", "-l", str(disk)], capture_output=True, text=True).stdout, shutil.disk_usage(disk))
        print(daemon.log()[-3000:])
        daemon.kill()
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("turn", range(10 if LONG else 1))
def test_a_silent_server_and_a_missing_standby(make_daemon, postgres, turn):
    """F7 and F6: a batch without an answer is queued after its deadline; when its commit took place after all, the key
    tells, and the receipt is still the same."""
    daemon = make_daemon({**QUICK, "times": {"batch": "2s"}}, database_url=postgres.url).start()
    units = communes()
    first = {(units[0], 1): (1, report(units[0], 1, 1))}
    send_until_committed(daemon, first)
    began = time.monotonic()
    postgres.freeze()
    try:
        with Client(daemon.reports_port, timeout=90) as client, Client(daemon.reports_port, timeout=90) as other:
            txns = {(u, 1): client.report(report(u, 1, 2)) for u in units[1:6]}
            assert other.ask("PING").verb == "OK"
            frozen = {key: client.answer(txn) for key, txn in txns.items()}
        time.sleep(max(0.0, began + 30 - time.monotonic()) if LONG else 0)
    finally:
        postgres.thaw()
    assert {(a.verb, a.state, a.dur) for a in frozen.values()} == {("OK", "queued", "spool")}, frozen
    wait_drained(daemon)
    everything = {**first, **{key: (2, "") for key in frozen}}
    check_exact(postgres.sql, everything)
    daemon.wait_ready()
    postgres.hold_commits()
    with Client(daemon.reports_port, timeout=90) as client:
        txn = client.report(report(units[9], 1, 4))
        wait_for(postgres.held)
        waiting = client.answer(txn)
    assert (waiting.verb, waiting.state, waiting.dur) == ("OK", "queued", "spool"), waiting
    postgres.release_commits()
    wait_drained(daemon)
    assert "canceling wait" not in postgres.log()
    receipts = send_until_committed(daemon, {(units[9], 1): (4, report(units[9], 1, 4))})
    assert receipts == {(units[9], 1): waiting.receipt}
    everything[units[9], 1] = 4, ""
    check_exact(postgres.sql, everything)
    told = {row[0] for row in postgres.sql("SELECT receipt::text FROM baocao.outcome")}
    assert {a.receipt for a in frozen.values()} <= told


def metric(daemon, name):
    with daemon.open(f"{daemon.server}/metrics") as answer:
        return int(re.search(rf"^baocaod_{name} (\d+)", answer.read().decode(), re.M).group(1))


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


@pytest.mark.parametrize("turn", range(10 if LONG else 1))
def test_a_frozen_server_holds_up_its_own_batch_only(make_daemon, postgres, turn):
    """F7: a server that hangs with all sockets open answers neither yes nor no. What is in no batch is queued long before
    the batch's deadline, which never comes here; what is of the batch's own obligation waits with it."""
    daemon = make_daemon({"spool": {**QUICK["spool"], "hold": "2s"}, "times": {"batch": "600s"}}, database_url=postgres.url).start()
    units = communes()
    before = {(u, 1): (1, report(u, 1, 1)) for u in units[:3]}
    send_until_committed(daemon, before)
    held = {(units[10], 1): (2, report(units[10], 1, 2)), (units[10], 2): (3, report(units[10], 2, 3))}
    others = {(u, r): (r, report(u, r, r)) for u in units[11:21] for r in (1, 2)}
    frozen = postgres.freeze()
    try:
        with Client(daemon.reports_port, timeout=90) as client, Client(daemon.reports_port, timeout=90) as again:
            txn = client.report(held[units[10], 1][1])
            wait_for(lambda: metric(daemon, "writer_in_batch") == 1)
            copies = [again.report(document) for _, document in held.values()]
            answers = queue(daemon, others)
            twice = queue(daemon, dict(list(others.items())[:3]))  # at once, now that it is known
            assert all(twice[key].receipt == answers[key].receipt and twice[key].dup == "1" for key in twice)
            wait_for(lambda: daemon.get("/readyz") == (200, {"status": "degraded", "database": "away",
                                                             "reports": "queued"}))
            assert client.ask("PING").verb == again.ask("PING").verb == "OK"
            # Questions that only the database can answer do not wait for ever either.
            told = again.ask("STAT", form="nd73-quarterly", unit=units[0], period="2026-Q3")
            assert (told.verb, told.code) == ("WAIT", "BUSY"), told
            assert "its questions wait for a database that is away" in daemon.log()
            assert txn not in client.answers and not set(copies) & set(again.answers), "the batch in flight was answered"
            assert {state_of(pid) for pid in frozen} == {"T"}
            postgres.thaw()
            first, same, newer = client.answer(txn), *map(again.answer, copies)
    finally:
        postgres.thaw()
    assert {(a.verb, a.state) for a in (first, same, newer)} <= {("OK", "committed"), ("OK", "superseded")}
    assert (same.receipt, same.dup, newer.state) == (first.receipt, "1", "committed")
    wait_drained(daemon)
    check_drained(postgres, {**before, **held, **others}, answers)
    daemon.wait_ready()
    assert send_until_committed(daemon, others) == {key: a.receipt for key, a in answers.items()}
    assert "went away" not in daemon.log(), "the connection was given up"
    verified = daemon.operate("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def hold_up(make_daemon, postgres, name, lock, look):
    """Reports come while another session of that name holds a lock longer than a batch may wait: they are queued, and
    look(daemon, start, waiting) is called meanwhile. The daemon, and what its log has said of the database, which is never away."""
    daemon = make_daemon({"spool": {**QUICK["spool"], "hold": "1s"}}, database_url=postgres.url).start()
    units, start = communes(), len(daemon.log())
    reports = {(u, 1): (4, report(u, 1, 4)) for u in units[:6]}
    waiting = {"status": "degraded", "database": "locked", "reports": "queued"}
    holder = psycopg2.connect(postgres.conninfo + f" application_name={name}")
    with holder.cursor() as c:
        c.execute(lock)
    answers = queue(daemon, reports)
    wait_for(lambda: daemon.get("/readyz") == (200, waiting))
    look(daemon, start, waiting)
    holder.close()
    wait_drained(daemon)
    daemon.wait_ready()
    check_drained(postgres, reports, answers)
    told = wait_for(lambda: (lines := re.findall(r"database: (.*)", daemon.log()[start:]))[-1] == "ready" and lines)
    assert not any(line.startswith("away") for line in told), told
    return daemon, told


def test_other_work_that_holds_the_lock_is_named_and_the_database_is_not_called_away(make_daemon, postgres):
    """A session that locks the province: the log, /readyz and the metrics say who keeps reports waiting."""
    def look(daemon, start, waiting):
        assert (metric(daemon, "database_up"), metric(daemon, "database_locked")) == (0, 1)
        assert daemon.get("/readyz", need="database") == (503, waiting)
        assert "run again, for other work holds the province's lock: " in daemon.log()[start:]

    daemon, told = hold_up(make_daemon, postgres, "thong-ke", "SELECT pg_advisory_xact_lock(7316, 66)", look)
    assert daemon.get("/readyz") == (200, {"status": "ok", "database": "ready"})
    assert (metric(daemon, "database_up"), metric(daemon, "database_locked")) == (1, 0)
    assert re.fullmatch(r"it answers, but other work of the province holds its lock \(thong-ke, server process \d+, for \d+ s\);"
                        r" reports are queued in the spool", told[-2]), told


def test_a_table_that_another_session_locks_is_told(make_daemon, postgres):
    """The province's lock is free, but a table is not (somebody alters it): whoever holds it is named too."""
    def look(daemon, *_):
        assert metric(daemon, "database_locked") == 1

    _, told = hold_up(make_daemon, postgres, "sua-bang", "LOCK TABLE baocao.report IN ACCESS EXCLUSIVE MODE", look)
    assert re.fullmatch(r"it answers, but another session holds a lock on what reports are written to \(sua-bang, server process"
                        r" \d+, for \d+ s\); reports are queued in the spool", told[-2]), told


def test_a_missing_standby_is_told(make_daemon, postgres):
    """A commit that waits for a standby: the log says at once that reports are queued, and what for."""
    daemon = make_daemon({"spool": {**QUICK["spool"], "hold": "1s"}, "times": {"batch": "60s"}}, database_url=postgres.url).start()
    units, start = communes(), len(daemon.log())
    postgres.hold_commits()
    with Client(daemon.reports_port, timeout=90) as client:
        txn = client.report(report(units[0], 1, 4))
        wait_for(postgres.held)
        wait_for(lambda: "database: away; reports are queued in the spool (it answers, but a commit waits for a standby named in"
                         " synchronous_standby_names)" in daemon.log()[start:])
        postgres.release_commits()
        assert client.answer(txn).state == "committed"
    daemon.wait_ready()


def test_a_database_that_takes_nothing_is_not_called_ready(make_daemon, postgres):
    """It answers each batch with an error that is no row's fault (its disk is full; here a table is gone)."""
    daemon = make_daemon({"spool": {**QUICK["spool"], "hold": "1s"}}, database_url=postgres.url).start()
    units, start = communes(), len(daemon.log())
    reports = {(u, 1): (4, report(u, 1, 4)) for u in units[:6]}
    postgres.run("ALTER TABLE baocao.receipt RENAME TO elsewhere")
    answers = queue(daemon, reports)
    waiting = {"status": "degraded", "database": "away", "reports": "queued"}
    wait_for(lambda: daemon.get("/readyz") == (200, waiting))
    assert daemon.get("/readyz", need="database") == (503, waiting)
    assert metric(daemon, "database_up") == 0
    wait_for(lambda: 'database: away; reports are queued in the spool (it answers, but takes none: 42P01 relation'
                     ' "baocao.receipt" does not exist)' in daemon.log()[start:])
    postgres.run("ALTER TABLE baocao.elsewhere RENAME TO receipt")
    wait_drained(daemon)
    wait_for(daemon.is_ready, 10)
    check_drained(postgres, reports, answers)


def test_two_daemons_and_custody_that_comes_late(make_daemon, postgres):
    """A report queued on one daemon and committed on the other, and a lower revision drained behind a higher one."""
    one, other = (make_daemon(QUICK, database_url=postgres.url) for _ in range(2))
    one.start()
    other.share_key(one)
    postgres.stop("immediate")
    units = communes()
    copied = {(u, 1): (5, report(u, 1, 5)) for u in units[:3]}
    crossing = {(u, 1): (6, report(u, 1, 6)) for u in units[3:6]}
    reused = {(u, 1): (7, report(u, 1, 7)) for u in units[6:8]}
    queued = queue(one, {**copied, **crossing, **reused})
    one.kill()
    postgres.start()
    other.start()
    later = send_until_committed(other, {
        **copied, **{(u, 2): (8, report(u, 2, 8)) for u in units[3:6]}, **{(u, 1): (9, report(u, 1, 9)) for u in units[6:8]}})
    assert not set(later.values()) & {a.receipt for a in queued.values()}
    one.start()
    wait_drained(one)
    sent = {**copied, **crossing, **{(u, 2): (8, "") for u in units[3:6]}, **{(u, 1): (9, "") for u in units[6:8]}}
    states = dict(postgres.sql("SELECT receipt::text, state || coalesce(' ' || symbol, '') FROM baocao.outcome"))
    assert {key: states[a.receipt] for key, a in queued.items()} == {
        **{key: "committed" for key in copied}, **{key: "superseded" for key in crossing},
        **{key: "refused KEYREUSED" for key in reused}}
    moved = dict(postgres.sql(
        "SELECT u.code, to_char(o.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS')"
        "  FROM baocao.obligation_event e JOIN baocao.obligation o USING (unit, form, period)"
        "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u ON u.unit = e.unit WHERE e.kind = 'custody'"))
    assert moved == {u: queued[u, 1].at[:23] for u in units[:3]}, "custody did not move back to the earlier copy"
    with Client(one.reports_port) as client:
        for key in copied:
            for receipt in (queued[key].receipt, later[key]):
                answer = client.ask("STAT", receipt=receipt)
                assert (answer.verb, answer.state, answer.receipt) == ("OK", "committed", later[key]), answer
        for key in reused:
            answer = client.ask("STAT", receipt=queued[key].receipt)
            assert (answer.verb, answer.code) == ("NO", "KEYREUSED"), answer
    postgres.sql("DELETE FROM baocao.receipt WHERE id = ANY (%s::uuid[])", [queued[key].receipt for key in copied])
    check_exact(postgres.sql, sent)
    verified = other.operate("verify", "--audit")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_an_hour_without_the_database_compressed(make_daemon, postgres):
    """F10: full rate into the spool, then all of it committed; new reports go along with the drain."""
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    postgres.stop("immediate")
    wait_for(lambda: "database: away" in daemon.log())
    reports = many(30000 if LONG else 400, seed=34)
    began = time.monotonic()
    answers = queue(daemon, reports)
    queued_in = time.monotonic() - began
    postgres.start()
    daemon.wait_ready()
    began = time.monotonic()
    fresh = {("24133", 900): (1, report("24133", 900, 1))}
    send_until_committed(daemon, fresh)
    left = spool_rows(daemon)[0][0]
    wait_drained(daemon, 600)
    drained_in = time.monotonic() - began
    print(f"queued {len(reports) / queued_in:.0f}/s, drained {len(reports) / drained_in:.0f}/s, "
          f"{left} left when a new report was committed")
    check_exact(postgres.sql, {**reports, **fresh})
    told = dict(postgres.sql("SELECT receipt::text, state FROM baocao.outcome"))
    assert set(told) >= {a.receipt for a in answers.values()}


def test_tokens_hold_while_the_database_is_away(make_daemon, postgres):
    """The daemon starts without its database and knows whom it may believe; a revocation that it saw holds."""
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    secret = add_token(daemon, "--unit", communes()[0])
    wait_for(lambda: spool_rows(daemon, "SELECT length(data) FROM cache_list WHERE name = 'credentials'") not in ([], [(0,)]))
    daemon.stop()
    postgres.stop("immediate")
    daemon.start(wait=False)
    wait_for(lambda: "database: away" in daemon.log())
    with Client(daemon.reports_port, token=secret) as client:
        answer = client.submit(report(communes()[0], 1, 1))
        assert (answer.verb, answer.state) == ("OK", "queued"), answer
        foreign = client.submit(report(communes()[1], 1, 1))
        assert (foreign.verb, foreign.code) == ("NO", "UNIT"), foreign
    with pytest.raises(Ended):
        Client(daemon.reports_port, token="AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")


def metrics(daemon):
    with daemon.open(f"{daemon.server}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    named = {line.split()[2] for line in lines if line.startswith("# HELP")}
    found = {name: int(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}
    assert named == set(found)
    return {name.removeprefix("baocaod_"): value for name, value in found.items()}


def test_figures_for_who_watches(make_daemon, postgres):
    """What waits, how much, since when, the cap; what was drained and what that refused."""
    daemon = make_daemon({"spool": {"after": "200ms", "max_bytes": "1MiB"}}, database_url=postgres.url).start()
    units = communes()
    send_until_committed(daemon, {(units[9], 1): (1, report(units[9], 1, 1))})
    calm = metrics(daemon)
    assert (calm["database_up"], calm["spool_reports"], calm["spool_oldest_seconds"], calm["writer_reports_total"]) == (1, 0, 0, 1)
    postgres.stop("immediate")
    queue(daemon, {(u, 1): (1, report(u, 1, 1)) for u in units[:3]})
    wait_for(lambda: metrics(daemon)["spool_oldest_seconds"] >= 1)
    away = metrics(daemon)
    assert (away["database_up"], away["spool_reports"], away["spool_queued_total"], away["spool_max_bytes"]) == (0, 3, 3, 1 << 20)
    assert away["spool_bytes"] == spool_rows(daemon, "SELECT sum(1024 + length(body) + length(figures) + length(CAST(warnings AS BLOB))"
        " + length(CAST(explanations AS BLOB)) + length(CAST(collected AS BLOB)) + length(CAST(file AS BLOB)) + length(sender)) FROM report")[0][0]
    postgres.start()
    postgres.sql("UPDATE baocao.obligation SET lock_at = '2020-01-01' WHERE unit = (SELECT unit FROM baocao.unit WHERE code = %s LIMIT 1)", units[0])
    wait_drained(daemon)
    after = metrics(daemon)
    assert (after["spool_drained_total"], after["spool_refused_total"], after["spool_bytes"], after["spool_oldest_seconds"]) == (2, 1, 0, 0)
    assert [row[0] for row in postgres.sql("SELECT symbol FROM office.refusal")] in ([], ["LOCKED"])
    wait_for(lambda: postgres.sql("SELECT symbol FROM office.refusal") == [("LOCKED",)])


def test_who_may_speak_is_asked_again_when_a_report_is_drained(make_daemon, postgres):
    """A token that was revoked before its report came, unknown to a daemon that was cut off: refused at drain, in words
    that unit and office can find. One that was revoked afterwards: what came before is kept."""
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    units = communes()
    stolen, later = (add_token(daemon, "--unit", unit) for unit in units[:2])
    names = "SELECT 1 FROM cache_list WHERE name = 'credentials' AND instr(CAST(data AS TEXT), ?) > 0"

    def is_kept(unit):
        with sqlite3.connect(f"file:{daemon.state}/spool.db?mode=ro", uri=True, timeout=30) as c:
            return c.execute(names, (unit,)).fetchall()

    wait_for(lambda: is_kept(units[0]) and is_kept(units[1]))
    daemon.stop()
    # What the database knows of the theft, and this daemon, which is cut off from it, does not.
    postgres.sql("UPDATE baocao.credential SET revoked_at = now() WHERE units = %s", [units[0]])
    postgres.stop("immediate")
    daemon.start(wait=False)
    wait_for(lambda: "database: away" in daemon.log())
    queued = {}
    for unit, secret in zip(units, (stolen, later)):
        with Client(daemon.reports_port, token=secret) as client:
            queued[unit] = client.submit(report(unit, 1, 1))
    old = queue(daemon, {(units[2], 1): (1, report(units[2], 1, 1))})[units[2], 1]
    assert {a.state for a in queued.values()} == {"queued"}
    daemon.kill()
    postgres.start()
    postgres.sql("UPDATE baocao.credential SET revoked_at = now() WHERE units = %s", [units[1]])
    daemon.start()
    wait_drained(daemon)
    states = dict(postgres.sql("SELECT receipt::text, state || coalesce(' ' || symbol, '') FROM baocao.outcome"))
    assert states == {queued[units[0]].receipt: "refused UNIT", queued[units[1]].receipt: "committed", old.receipt: "committed"}
    with Client(daemon.reports_port) as client:
        answer = client.ask("STAT", receipt=queued[units[0]].receipt)
    assert (answer.verb, answer.code) == ("NO", "UNIT"), answer
    wait_for(lambda: postgres.sql("SELECT symbol, form, period, revision FROM office.refusal") == [("UNIT", FORM, PERIOD, 1)])
    check_exact(postgres.sql, {(u, 1): (1, "") for u in units[1:3]})


def wait_told(postgres):
    """Until the daemon has looked for new outcomes once more: what is unread now is news no longer."""
    since = postgres.sql("SELECT clock_timestamp()")[0][0]
    wait_for(lambda: postgres.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'baocaod notices' AND state = 'idle'"
                                  " AND query LIKE '%%LIMIT 256' AND query_start > %s", since))


def test_a_resend_after_the_drain_finds_its_custody(make_daemon, postgres):
    """Queued, drained, and sent again while the database is away once more: still the first receipt, and the time it names;
    what the drain refused has its row among the refusals; the document can be had wherever it is."""
    daemon = make_daemon(QUICK, database_url=postgres.url).start()
    units = communes()
    postgres.stop("immediate")
    reports = {(u, 1): (4, report(u, 1, 4)) for u in units[:3]}
    first = queue(daemon, reports)

    def document(unit):
        with daemon.open(f"{daemon.server}/v1/reports/{unit}/{FORM}/{PERIOD}/1/document") as answer:
            return answer.read().decode()

    assert all(document(u) == reports[u, 1][1] for u in units[:3]), "a queued document is not what was sent"
    postgres.start()
    wait_drained(daemon)
    daemon.wait_ready()
    assert document(units[0]) == reports[units[0], 1][1]
    wait_told(postgres)
    listener = Client(daemon.reports_port, timeout=60)  # reads what became of them
    wait_for(lambda: listener.ask("PING") and len([f for f in listener.told if f.verb == "DONE"]) == 3)
    before = daemon.log().count("database: away")  # perhaps at the start too, on a slow machine
    postgres.stop("immediate")
    wait_for(lambda: daemon.log().count("database: away") > before)
    again = queue(daemon, reports)
    assert {k: (a.receipt, a.at, a.dup) for k, a in again.items()} == {k: (a.receipt, a.at, "1") for k, a in first.items()}
    with Client(daemon.reports_port, timeout=60) as client:
        other = client.submit(report(units[0], 1, 5))
    assert (other.verb, other.code) == ("NO", "KEYREUSED"), other
    postgres.start()
    wait_drained(daemon)
    assert postgres.sql("SELECT count(*) FROM baocao.receipt") == [(3,)]
    assert {row[0] for row in postgres.sql("SELECT receipt::text FROM baocao.report")} == {a.receipt for a in first.values()}
    wait_for(lambda: listener.ask("PING") and len([f for f in listener.told if f.verb == "DONE"]) == 6)
    listener.sock.close()
    check_exact(postgres.sql, reports)
    # A file as the version before wrote it is taken over.
    assert daemon.stop() == 0
    connection = sqlite3.connect(f"{daemon.state}/spool.db")
    connection.executescript("DROP TABLE drained; ALTER TABLE report DROP COLUMN sender; PRAGMA user_version = 1")
    connection.close()
    postgres.stop("immediate")
    daemon.start(wait=False)
    queue(daemon, {(units[5], 1): (1, report(units[5], 1, 1))})
    assert spool_rows(daemon, "PRAGMA user_version") == [(2,)] and "set aside" not in daemon.log()
    assert [row[0][:5] for row in spool_rows(daemon, "SELECT sender FROM report")] == ["any -"]


@pytest.mark.parametrize("seconds", LENGTHS if LONG else LENGTHS[:1])
def test_packets_that_get_lost(make_daemon, postgres, seconds):
    """F8: what goes to the database, or comes from it, or both, is lost in silence, and found again too late."""
    units, everything = communes(), {}
    with Chaos(postgres.port) as line:
        daemon = make_daemon({**QUICK, "times": {"batch": "1s"}},
                             database_url=f"postgresql://postgres@127.0.0.1:{line.port}/postgres").start()
        fds = f"/proc/{daemon.process.pid}/fd"
        send_until_committed(daemon, {(units[0], 1): (1, report(units[0], 1, 1))})
        everything[units[0], 1] = 1, ""
        before = len(os.listdir(fds))
        for number in range(ROUNDS if LONG else 3):
            ways = [("hold_down",), ("hold_up",), ("hold_up", "hold_down")][number % 3]
            daemon.wait_ready()
            for way in ways:
                setattr(line, way, True)
            batch = {(u, 1 + number): (number, report(u, 1 + number, number)) for u in units[1:6]}
            answers = queue(daemon, batch)
            time.sleep(seconds)
            assert line.held > number, "nothing was held back"
            assert {a.receipt for a in queue(daemon, batch).values()} == {a.receipt for a in answers.values()}
            line.hold_up = line.hold_down = False  # late commits arrive now, beside the drain
            everything.update(batch)
            wait_drained(daemon)
            assert send_until_committed(daemon, batch) == {key: a.receipt for key, a in answers.items()}
        daemon.wait_ready()
        wait_for(lambda: len(os.listdir(fds)) <= before + 3)
        check_exact(postgres.sql, everything)


def test_history_only_flags_what_was_queued(make_daemon, postgres, programs):
    """A report that looks back to earlier ones is queued without them; at drain what they say is told, not held against
    it."""
    daemon = make_daemon(QUICK, database_url=postgres.url)
    daemon.schemas, daemon.province = histories.schemas_with_form(daemon.root, programs)
    daemon.start()
    january = histories.report("2026-01", 3, 3)
    with Client(daemon.reports_port) as client:
        assert client.submit(january).state == "committed"
    postgres.stop("immediate")
    wrong = histories.report("2026-02", 2, 99)  # the sum since January would be 5
    with Client(daemon.reports_port, timeout=60) as client:
        answer = client.submit(wrong)
    assert (answer.verb, answer.state) == ("OK", "queued"), answer
    postgres.start()
    wait_drained(daemon)
    warnings = postgres.sql("SELECT warnings FROM baocao.report WHERE receipt = %s", answer.receipt)
    assert len(warnings) == 1 and "phải bằng 3" in warnings[0][0], warnings
    with Client(daemon.reports_port) as client:  # the same while the database is there is refused
        daemon.wait_ready()
        assert client.submit(histories.report("2026-02", 2, 98, revision=2)).code == "INVALID"
    check_exact(postgres.sql)
