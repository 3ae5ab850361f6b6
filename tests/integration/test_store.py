"""Nothing acked is lost or doubled, and every sum is exact, whatever fails."""
import collections
import os
import re
import signal
import threading
import time
import zlib

import pytest
from brp import Client
from conftest import wait_for
from cutter import Cutter
from reports import FORM, PERIOD, SAMPLES, check_exact, many, report, communes, send_until_committed

MANY = int(os.environ.get("BAOCAO_TEST_REPORTS", "2000"))


def waiting(daemon):
    """Reports that wait for the next batch."""
    with daemon.open(f"{daemon.server}/metrics") as answer:
        return int(re.search(r"^baocaod_writer_waiting (\d+)", answer.read().decode(), re.M).group(1))


def stored(sql):
    return sql("SELECT count(*) FROM baocao.report")[0][0]


class Sender(threading.Thread):
    """Sends everything again and again until all is committed; what it says is checked when it is joined."""

    def __init__(self, daemon, reports):
        super().__init__(daemon=True)
        self.of, self.reports, self.receipts, self.error = daemon, reports, {}, None
        self.start()

    def run(self):
        try:
            send_until_committed(self.of, self.reports, keep=self.receipts)
        except BaseException as error:  # told by finish()
            self.error = error

    def finish(self, seconds=300):
        self.join(seconds)
        assert not self.is_alive()
        if self.error:
            raise self.error
        return self.receipts


def test_samples_are_answered_as_they_say_and_summed(daemon):
    with open(os.path.join(SAMPLES, "expected.tsv"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    with Client(daemon.reports_port) as client:
        for name, _, expected in rows:
            with open(os.path.join(SAMPLES, name), "rb") as f:
                answer = client.submit(f.read())
            said = {"OK": "DUP" if answer.dup == "1" else "OK"}.get(answer.verb, answer.code)
            assert said == expected, (name, answer)
    check_exact(daemon.sql)
    done = daemon.operate("verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_verify_finds_one_digit_and_rebuild_mends_it(daemon):
    send_until_committed(daemon, many(20, seed=3))
    daemon.sql("UPDATE baocao.rollup SET sums[1] = sums[1] + 1 WHERE scope = (SELECT min(scope) FROM baocao.rollup)")
    done = daemon.operate("verify")
    assert done.returncode == 1 and "nd73-quarterly 2026-Q3" in done.stdout + done.stderr
    assert "verify --audit" in done.stderr, "nobody said to look at the reports before sums are written anew"
    done = daemon.operate("rebuild")
    assert done.returncode == 0, done.stdout + done.stderr
    done = daemon.operate("verify")
    assert done.returncode == 0 and "verify --audit" not in done.stderr
    check_exact(daemon.sql)


def test_every_question_of_this_moment_is_answered_as_it_is_now(daemon):
    """However it is narrowed: the statements of moments and those of now are not the same ones."""
    send_until_committed(daemon, many(len(communes()), seed=4))
    now = daemon.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]
    compared = collections.Counter()
    filters = [{}, {"period": PERIOD}, {"scope": "66"}, {"period": PERIOD, "scope": "kind:ward"}]
    for path, more in (("rollups", {"indicator": "staff_total"}), ("status", {}), ("missing", {"unit": communes()[0]}),
                       ("reports", {"unit": communes()[0]})):
        for narrowed in [*filters, {**more, "period": PERIOD}, more]:
            told = [[{k: v for k, v in row.items() if k != "hours_late"} for row in daemon.get(f"/v1/{path}", form=FORM, **narrowed, **at)[1]]
                    for at in ({}, {"as_of": now})]
            assert told[0] == told[1], (path, narrowed)
            compared[path] += len(told[0])
    assert min(compared.values()) > 10 and len(compared) == 4, compared


def test_a_question_that_takes_too_long_is_told_what_to_do(daemon):
    """PostgreSQL ends what takes a minute; here it is told to sooner."""
    asked = []
    holder = daemon.connect()
    with holder.cursor() as c:
        c.execute("LOCK TABLE baocao.period IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: asked.append(daemon.get("/v1/rollups", form=FORM, lang="en")))
        thread.start()
        wait_for(lambda: daemon.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                    " AND query LIKE '%%form_period%%'"))
    thread.join(30)
    holder.close()
    status, told = asked[0]
    assert (status, told["code"]) == (503, "TIMEOUT") and "name a period" in told["message"]["en"], asked


def test_the_chain_shows_what_was_changed_behind_it(daemon):
    send_until_committed(daemon, many(230, seed=11))
    done = daemon.operate("--lang", "en", "verify", "--audit")
    assert done.returncode == 0 and "230 reports checked: 0 wrong" in done.stdout, done.stdout + done.stderr
    changes = [
        ("UPDATE baocao.report SET sha256 = sha256('x') WHERE ctid = (SELECT min(ctid) FROM baocao.report)",
         "the stored document is not the one"),
        ("WITH w AS (SELECT * FROM baocao.report WHERE sha256('x') NOT IN (content, sha256)),"  # another's, with its hash
         " a AS (SELECT body, sha256, raw_size FROM w ORDER BY receipt LIMIT 1)"
         " UPDATE baocao.report r SET (body, sha256, raw_size) = (SELECT body, sha256, raw_size FROM a)"
         "  WHERE receipt = (SELECT receipt FROM w ORDER BY receipt DESC LIMIT 1)", "2 wrong"),
        ("UPDATE baocao.report SET content = sha256('x') WHERE ctid = (SELECT min(ctid) FROM baocao.report)",
         "does not fit its leaf"),
        ("DELETE FROM baocao.receipt WHERE id = (SELECT receipt FROM baocao.report LIMIT 1)", "cannot be found by its receipt"),
        ("DELETE FROM baocao.report WHERE receipt = (SELECT c.id FROM baocao.report r JOIN baocao.receipt c"
         " ON c.id = r.receipt WHERE r.state <> 1 ORDER BY c.id LIMIT 1)",
         "a receipt was given, but the report is no longer stored"),
        ("UPDATE baocao.audit SET leaves = overlay(leaves PLACING '\\x00' FROM 1) WHERE seq = 2", "batch 2: its Merkle root"),
        ("UPDATE baocao.audit SET node = 'another' WHERE seq = 3", "batch 3: its signature is wrong"),
        ("DELETE FROM baocao.audit WHERE seq = 4", "batch 5: the batch before it is missing"),
    ]
    for statement, finding in changes:
        daemon.sql(statement)
        done = daemon.operate("--lang", "en", "verify", "--audit")
        assert done.returncode == 1 and finding in done.stdout + done.stderr, (finding, done.stdout, done.stderr)


def office(daemon, act, *words):
    done = daemon.operate("--lang", "en", "office", act, "--form", FORM, "--period", PERIOD, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# What is done behind the chain's back, to rows made by test_the_chain_names_what_was_removed_or_forged: who looks
# closely could not tell these from rows that were always so. {unit} is a number, {code} its code.
FORGED = [
    ("UPDATE baocao.report SET seq_to = seq_to + 1 WHERE unit = {0} AND revision = 1", "{code0} nd73-quarterly 2026-Q3/1: from when to when"),
    ("UPDATE baocao.report SET state = 2 WHERE unit = {1} AND revision = 1", "{code1} nd73-quarterly 2026-Q3/1: from when to when"),
    ("UPDATE baocao.report SET figures[1] = coalesce(figures[1], 0) + 1000 WHERE unit = {2}",
     "{code2} nd73-quarterly 2026-Q3/1: the stored figures are not those"),
    ("WITH r AS (DELETE FROM baocao.report WHERE unit = {3} RETURNING receipt),"
     " o AS (UPDATE baocao.obligation SET revision = NULL, received_at = NULL, last_revision = 0 WHERE unit = {3} AND revision = 1)"
     " DELETE FROM baocao.receipt USING r WHERE id = r.receipt", " leaves): leaves have no row any more"),
    ("WITH x AS (UPDATE baocao.obligation SET extended_to = extended_to + interval '9 days' WHERE unit = {4} AND extended_to IS NOT NULL)"
     " UPDATE baocao.obligation_event SET extended_to = extended_to + interval '9 days' WHERE unit = {4} AND kind = 'extended'",
     "nd73-quarterly 2026-Q3, unit {code4}: batch"),
    ("UPDATE baocao.obligation SET received_at = due_at - interval '1 day' WHERE unit = {5} AND revision = 1",
     "nd73-quarterly 2026-Q3, unit {code5}: the stored obligation does not follow from what happened to it: state on-time ≠ late"),
    ("UPDATE baocao.obligation SET exempt = true WHERE unit = {6} AND revision = 1", "unit {code6}: the stored obligation"),
    ("UPDATE baocao.obligation_event SET at = at - interval '1 day' WHERE unit = {4} AND kind = 'extended'",
     "the stored act of the office does not fit its leaf"),
    ("DELETE FROM baocao.refusal", "1 of 2 leaves): refusals are no longer stored"),
]


def test_the_chain_names_what_was_removed_or_forged(daemon):
    reports = many(20, seed=12)
    send_until_committed(daemon, {key: value for key, value in reports.items() if key[1] == 1})
    codes = sorted({unit for unit, _ in reports})[:7]
    send_until_committed(daemon, {(codes[0], 2): (7, report(codes[0], 2, 7))})
    office(daemon, "return", "--unit", codes[1], "--reason", "Số liệu chưa khớp")
    office(daemon, "extend", "--unit", codes[4], "--until", "2027-03-01", "--reason", "Bão số 9")
    with Client(daemon.reports_port) as client:
        assert client.submit(report(codes[2], 1, 99)).code == "KEYREUSED"
    wait_for(lambda: daemon.sql("SELECT count(*) FROM baocao.refusal")[0][0] == 1, 60)
    done = daemon.operate("--lang", "en", "verify", "--audit")
    assert done.returncode == 0 and ": 0 wrong" in done.stdout, done.stdout + done.stderr
    form = os.path.join(daemon.schemas, "nd73", "nd73-quarterly.v1.yaml")
    os.rename(form, form + ".away")
    blind = daemon.operate("--lang", "en", "verify", "--audit")
    os.rename(form + ".away", form)
    assert blind.returncode == 0 and "figures of 21 reports were not compared" in blind.stdout, blind.stdout + blind.stderr
    assert "not compared" not in done.stdout
    units = [daemon.sql("SELECT unit FROM baocao.unit WHERE code = %s LIMIT 1", code)[0][0] for code in codes]
    words = {f"code{i}": code for i, code in enumerate(codes)}
    daemon.spoiled = True
    for statement, finding in FORGED:
        finding = finding.format(**words)
        assert finding not in done.stdout + done.stderr
        daemon.sql(statement.format(*units))
        done = daemon.operate("--lang", "en", "verify", "--audit")
        assert done.returncode == 1 and finding in done.stdout + done.stderr, (statement, finding, done.stdout, done.stderr)


def test_a_chain_cut_off_at_its_end_is_found_by_the_list_of_heads(daemon):
    send_until_committed(daemon, many(5, seed=13))
    done = daemon.operate("heads")
    assert done.returncode == 0, done.stderr
    with open(os.path.join(daemon.state, "heads.txt"), "w", encoding="utf-8") as f:
        f.write(done.stdout)
    done = daemon.operate("--lang", "en", "verify", "--audit")
    assert done.returncode == 0 and "published batches compared with the chain: 0 wrong" in done.stdout, done.stdout + done.stderr
    last = daemon.sql("SELECT max(seq) FROM baocao.audit")[0][0]
    daemon.spoiled = True
    for statement in ("DELETE FROM baocao.receipt WHERE id IN (SELECT receipt FROM baocao.report WHERE seq_from = %s)",
                      "UPDATE baocao.obligation o SET revision = NULL, received_at = NULL, last_revision = 0 FROM baocao.report r"
                      " WHERE r.seq_from = %s AND (r.unit, r.form, r.period) = (o.unit, o.form, o.period)",
                      "DELETE FROM baocao.report WHERE seq_from = %s", "DELETE FROM baocao.audit WHERE seq = %s"):
        daemon.sql(statement, last)
    done = daemon.operate("--lang", "en", "verify", "--audit")
    assert done.returncode == 1 and "reports checked: 0 wrong" in done.stdout, done.stdout + done.stderr
    assert "published batches compared with the chain: 1 wrong" in done.stdout, done.stdout + done.stderr


def test_revisions_in_any_order_end_with_the_highest(daemon):
    reports = many(400, seed=4)
    backwards = dict(reversed(list(reports.items())))
    send_until_committed(daemon, backwards)
    check_exact(daemon.sql, reports)


def test_batches_of_every_size_store_the_same_rows(daemon):
    """One by one, some by one statement, many by COPY: while the province is locked a batch of each size gathers."""
    units, made = communes(), {}
    for size in (1, 2, 3, 11, 60):
        documents = [report(units.pop(), 1, 17) for _ in range(size + 1)]
        with Client(daemon.reports_port) as client, daemon.connect() as holder, holder.cursor() as c:
            c.execute("SELECT pg_advisory_xact_lock(7316, 66)")
            first = client.report(documents[0])
            wait_for(lambda: daemon.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")[0][0], 60)
            rest = [client.report(d) for d in documents[1:]]
            wait_for(lambda: waiting(daemon) == size, 60)
            holder.rollback()
            for txn in [first, *rest]:
                assert client.answer(txn).state == "committed"
        made[size] = documents
    sizes = {n for n, in daemon.sql("SELECT n FROM baocao.audit")}
    assert all({size, size + 1} & sizes for size in made), sizes  # together with the first, should its turn have timed out
    rows = daemon.sql("SELECT DISTINCT form, period, revision, form_version, state, nil, seq_to, raw_size, figures,"
                      "       warnings, explanations, collected FROM baocao.report")
    assert len(rows) == 1, rows
    sent = {zlib.decompress(body) for body, in daemon.sql("SELECT body FROM baocao.report")}
    assert sent == {d.encode("utf-8") for documents in made.values() for d in documents}
    check_exact(daemon.sql)
    done = daemon.operate("--lang", "en", "verify", "--audit")
    assert done.returncode == 0 and "82 reports checked: 0 wrong" in done.stdout, done.stdout + done.stderr


def test_kill_9_during_a_stream_loses_and_doubles_nothing(daemon):
    reports = many(MANY, seed=5)
    sender = Sender(daemon, reports)
    seen = []
    for part in (0.05, 0.3, 0.6):
        wait_for(lambda: len(sender.receipts) >= part * MANY or sender.error, 120)
        daemon.kill(signal.SIGKILL)
        seen.append(len(sender.receipts))
        daemon.start()
    receipts = sender.finish()
    assert any(0 < n < MANY for n in seen), "the kills came before or after the stream"
    assert len(set(receipts.values())) == MANY
    check_exact(daemon.sql, reports)
    assert send_until_committed(daemon, reports) == receipts


def test_postgresql_away_is_answered_wait_and_the_resend_succeeds(make_daemon, postgres):
    daemon = make_daemon({"spool": {"enabled": False}}, database_url=postgres.url).start()
    first = send_until_committed(daemon, many(10, seed=6))
    postgres.stop()
    unit = communes()[50]
    with Client(daemon.reports_port, timeout=60) as client:
        answer = client.submit(report(unit, 1, 5))
    assert (answer.verb, answer.code) == ("WAIT", "BUSY"), answer
    assert int(answer.after) > 0
    postgres.start()
    send_until_committed(daemon, {(unit, 1): (5, report(unit, 1, 5))})
    check_exact(postgres.sql, {**many(10, seed=6), (unit, 1): (5, "")})
    assert send_until_committed(daemon, many(10, seed=6)) == first
    assert daemon.stop() == 0


def test_the_log_says_why_the_database_cannot_be_reached(make_daemon, postgres):
    """Both what the server said when it let us go, and what keeps us out since then; each of them once."""
    def end_sessions():
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'baocaod%'")

    postgres.run("CREATE ROLE hub LOGIN SUPERUSER")
    daemon = make_daemon(database_url=postgres.url.replace("postgres@", "hub@")).start()
    send_until_committed(daemon, many(1, seed=6))
    start = len(daemon.log())
    postgres.run("ALTER ROLE hub NOLOGIN")
    end_sessions()
    wait_for(lambda: 'writer: the database cannot be reached: ' in daemon.log()[start:])
    postgres.run("ALTER ROLE hub LOGIN")
    daemon.wait_ready()
    said = [line.split(" ", 2)[2] for line in daemon.log()[start:].splitlines() if " writer: " in line]
    assert said[0].endswith("writer: the database went away: FATAL:  terminating connection due to administrator command"), said
    assert said[1].endswith('FATAL:  role "hub" is not permitted to log in'), said
    assert len(said) == 3 and said[2].endswith("writer: the database answers"), said


def test_stat_does_not_say_that_a_stored_report_was_not_taken(make_daemon, postgres):
    """While the database is away nobody knows: that is said of the question, not of the report."""
    daemon = make_daemon(database_url=postgres.url).start()
    send_until_committed(daemon, {(communes()[0], 1): (1, report(communes()[0], 1, 1))})
    postgres.stop("immediate")
    question = ("stat", "nd73-quarterly", communes()[0], "2026-Q3")
    told = daemon.baocao(*question)
    assert told.returncode == 3, told.stdout + told.stderr
    assert "chưa tra được, hỏi lại sau" in told.stdout and "báo cáo đã có biên nhận vẫn còn" in told.stdout, told.stdout
    assert "chưa nhận" not in told.stdout and "gửi lại" not in told.stdout, told.stdout
    told = daemon.baocao(*question, "--lang", "en")
    assert "not known now, ask later" in told.stdout and "send" not in told.stdout, told.stdout


def test_an_empty_database_in_its_place_is_told_and_filled_at_the_next_start(make_daemon, postgres):
    """Dropped and made anew behind a running daemon, which must not take it for another daemon's doing only."""
    postgres.run("CREATE DATABASE province")
    daemon = make_daemon(database_url=postgres.url.rsplit("/", 1)[0] + "/province").start()
    reports = many(4, seed=12)
    keys = list(reports)
    send_until_committed(daemon, {key: reports[key] for key in keys[:2]})
    postgres.run("DROP DATABASE province WITH (FORCE)")
    wait_for(lambda: 'database "province" does not exist' in daemon.log())
    with Client(daemon.reports_port, timeout=60) as client:
        answers = client.submit_all([reports[key][1] for key in keys[2:]])
    assert {a.state for a in answers} == {"queued"}, answers
    postgres.run("CREATE DATABASE province")
    wait_for(lambda: "where it is not the database of before (made anew, restored) start this daemon again" in daemon.log())
    assert daemon.stop() == 0
    daemon.start()
    receipts = send_until_committed(daemon, reports)
    assert [receipts[key] for key in keys[2:]] == [a.receipt for a in answers]
    assert daemon.operate("verify").returncode == 0


@pytest.mark.parametrize("how", ["backend", "immediate", "kill"])
def test_postgresql_failing_in_mid_stream(make_daemon, postgres, how):
    daemon = make_daemon(database_url=postgres.url).start()
    reports = many(MANY, seed=7)
    sender = Sender(daemon, reports)
    failures = 0
    for part in (0.1, 0.4, 0.7):
        wait_for(lambda: len(sender.receipts) >= part * MANY or sender.error, 120)
        if how == "backend":
            failures += postgres.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                     " WHERE application_name LIKE 'baocaod%'")[0][0]
        elif how == "immediate":
            postgres.restart("immediate")
            failures += 1
        else:
            postgres.kill()
            postgres.start()
            failures += 1
    receipts = sender.finish()
    assert failures >= 3
    assert len(set(receipts.values())) == MANY
    check_exact(postgres.sql, reports)


def test_a_line_cut_while_statements_are_rehearsed(make_daemon, postgres):
    """Each new connection has its usual statements planned before its first batch; one lost meanwhile is made again."""
    with Cutter(postgres.port) as line:
        line.cut_preparing["w_reports"] = 2
        daemon = make_daemon(database_url=f"postgresql://postgres@127.0.0.1:{line.port}/postgres").start()
        reports = many(1, seed=11)
        send_until_committed(daemon, reports)
        check_exact(postgres.sql, reports)
        assert line.prepared.count("w_reports") == 3, "a statement that only three reports and more need"
        assert line.prepared.count("w_report") == 1 and line.prepared[-1] != "w_reports"
        assert daemon.stop() == 0


def test_postgresql_silent_is_given_up_and_found_again(make_daemon, postgres):
    daemon = make_daemon({"spool": {"enabled": False}}, database_url=postgres.url).start()
    send_until_committed(daemon, many(10, seed=8))
    postgres.freeze()
    try:
        with Client(daemon.reports_port, timeout=90) as client:
            start = time.monotonic()
            answer = client.submit(report(communes()[60], 1, 1))
            assert (answer.verb, answer.code) == ("WAIT", "BUSY"), answer
            assert time.monotonic() - start < 60
            assert client.ask("PING").verb == "OK"
    finally:
        postgres.thaw()
    reports = many(30, seed=9)
    with pytest.raises(AssertionError):  # other content under the same keys is refused, not taken
        send_until_committed(daemon, {k: reports[k] for k in list(reports)[:1]})
    send_until_committed(daemon, {(communes()[60], 1): (1, report(communes()[60], 1, 1))})
    check_exact(postgres.sql)


def test_two_daemons_race_with_the_same_keys(make_daemon, postgres):
    reports = many(600, seed=10)
    daemons = [make_daemon(database_url=postgres.url) for _ in range(2)]
    daemons[0].start()
    # Its chain has one key: a daemon with another says so, and ends, before it has touched anything.
    stranger = make_daemon(database_url=postgres.url).start(wait=False)
    assert stranger.process.wait(60) == 1
    assert "all daemons of a province share one audit.key" in stranger.log()
    assert postgres.sql("SELECT count(DISTINCT public_key) FROM baocao.audit") == [(1,)]
    daemons[1].share_key(daemons[0]).start()
    senders = [Sender(d, reports) for d in daemons]
    receipts = [s.finish() for s in senders]
    assert receipts[0] == receipts[1]
    check_exact(postgres.sql, reports)
    stranger.config = {"audit": {"new_key": True}}  # the key was lost
    send_until_committed(stranger.start(), {(communes()[70], 99): (1, report(communes()[70], 99, 1))})
    assert postgres.sql("SELECT count(DISTINCT public_key) FROM baocao.audit") == [(2,)]
