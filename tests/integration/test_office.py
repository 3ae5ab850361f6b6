"""Acts of the office through the running daemon: what each does to obligations, sums, custody and the chain."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from brp import Client
from conftest import Daemon, wait_for
from reports import FORM, PERIOD, report
from web import add_token, ask, make_token

UNIT, OTHER = "24133", "22015"
STATES = ("pending", "overdue", "on_time", "late", "exempt")


# Sums that differ from the counted reports, by the memberships of today.
DIFFERENT = """
WITH member AS (SELECT m.scope, r.form, r.period, r.unit, r.figures FROM baocao.report r
                  JOIN baocao.obligation o USING (unit, form, period)
                  JOIN baocao.scope_unit m ON m.unit = r.unit AND m.seq_to = 9223372036854775807
                   AND o.cutoff BETWEEN m.from_day AND m.to_day WHERE r.state = 1),
     want AS (SELECT scope, form, period, v.slot, count(v.value) AS n, coalesce(sum(v.value), 0) AS total
                FROM member m CROSS JOIN LATERAL unnest(m.figures) WITH ORDINALITY v(value, slot) GROUP BY 1, 2, 3, 4),
     have AS (SELECT scope, form, period, v.slot, v.n, v.total FROM baocao.rollup r
               CROSS JOIN LATERAL unnest(r.counts, r.sums) WITH ORDINALITY v(n, total, slot))
SELECT scope, form, period, slot FROM want w FULL JOIN have h USING (scope, form, period, slot)
  JOIN baocao.indicator i USING (form, slot)
 WHERE coalesce(w.n, 0) <> coalesce(h.n, 0) OR (i.over_units = 'sum' AND coalesce(w.total, 0) <> coalesce(h.total, 0))
"""


@pytest.fixture(scope="module")
def running(programs, template):
    root = tempfile.mkdtemp(prefix="baocao-office-")
    daemon = Daemon(programs, root, template)
    daemon.start()
    daemon.first = daemon.sql("SELECT max(seq) FROM baocao.audit")[0][0]
    yield daemon
    daemon.clean()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def hub(running):
    """The running daemon with nothing reported yet, and at the end of the test with sums and chain whole."""
    if running.process.poll() is not None:
        running.start()
    for table in ("report", "receipt", "rollup", "outcome", "refusal"):
        running.sql(f"DELETE FROM baocao.{table}")
    running.sql("DELETE FROM baocao.obligation_event WHERE kind NOT IN ('made', 'moved', 'dropped') OR leaf >= 0 OR seq > %s",
                running.first)
    running.sql("DELETE FROM baocao.audit WHERE seq > %s", running.first)  # the chain must not remember either,
    heads = os.path.join(running.state, "heads.txt")                       # nor the list of its heads
    if os.path.exists(heads):
        os.unlink(heads)
    running.sql("UPDATE baocao.obligation SET revision = NULL, received_at = NULL, kept_at = NULL, kept_until = NULL,"
                "       last_revision = 0, exempt = false, extended_to = NULL"
                " WHERE last_revision > 0 OR exempt OR extended_to IS NOT NULL")
    hub = Hub(running)
    yield hub
    if running.process.poll() is None:
        hub.verify()


class Hub:
    """A running daemon whose obligations of the quarter are due in a day: what comes now is on time."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.sql = daemon.sql
        self.move_due("1 day", "8 days")

    def move_due(self, due, lock):
        """Sets deadline and lock of the quarter relative to now, as new files would."""
        self.sql("WITH moved AS (UPDATE baocao.obligation o SET due_at = now() + %s::interval, lock_at = now() + %s::interval"
                 "                 FROM baocao.form f, baocao.period p WHERE f.form = o.form AND f.id = %s AND p.form = o.form"
                 "                  AND p.period = o.period AND p.label = %s RETURNING o.*)"
                 " INSERT INTO baocao.obligation_event (unit, form, period, seq, leaf, kind, at, due_at, lock_at, extended_to, exempt)"
                 " SELECT unit, form, period, (SELECT max(seq) FROM baocao.audit),"
                 "        1000000 + (SELECT count(*) FROM baocao.obligation_event WHERE kind = 'moved'), 'moved', now(),"
                 "        due_at, lock_at, extended_to, exempt FROM moved", due, lock, FORM, PERIOD)

    def moment(self, interval):
        return self.sql("SELECT to_char((now() + %s::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", interval)[0][0]

    def send(self, revision, press, unit=UNIT):
        with Client(self.daemon.reports_port) as client:
            return client.submit(report(unit, revision, press))

    def act(self, act, *words, expect=0):
        """`baocaod office ACT` on the quarter: its JSON answer."""
        done = self.daemon.operate("office", act, "--form", FORM, "--period", PERIOD, *words, "--format", "json")
        assert done.returncode == expect, (act, words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def state(self, unit=UNIT):
        return self.sql("SELECT s.state FROM baocao.obligation_state s JOIN office.unit u ON u.unit = %s"
                        "  JOIN baocao.unit n ON n.code = u.unit AND n.unit = s.unit JOIN baocao.form_name f ON f.form = s.form"
                        "  JOIN baocao.period p ON p.form = s.form AND p.period = s.period"
                        " WHERE f.id = %s AND p.label = %s LIMIT 1", unit, FORM, PERIOD)[0][0]

    def status(self):
        row = self.sql("SELECT owed, pending, overdue, on_time, late, exempt FROM office.status"
                       " WHERE form = %s AND period = %s AND scope = '66'", FORM, PERIOD)[0]
        return dict(zip(("owed", *STATES), row))

    def press(self):
        """The province's sum of diss.press and how many reports gave it."""
        return self.sql("SELECT value, reported FROM office.rollup WHERE form = %s AND period = %s AND scope = '66'"
                        " AND indicator = 'diss.press'", FORM, PERIOD)[0]

    def check(self):
        """Whatever was done: the sums are those of the counted reports, and every obligation is in one state."""
        assert not self.sql(DIFFERENT)
        status = self.status()
        assert sum(status[name] for name in STATES) == status["owed"]

    def verify(self):
        for words in (["verify"], ["verify", "--audit"]):
            done = self.daemon.operate(*words)
            assert done.returncode == 0, done.stdout + done.stderr


def test_a_return_takes_the_report_out_and_a_later_revision_in_again(hub):
    assert hub.send(1, 5).due == "on-time" and hub.send(1, 7, OTHER).verb == "OK"
    assert hub.press() == (12, 2) and hub.state() == "on-time"
    told = hub.act("return", "--unit", UNIT, "--revision", "1", "--reason", "Số liệu chưa khớp với Sở Tài chính", "--by", "Nguyễn An")
    assert told["code"] == "OK" and told["revision"] == 1 and "trả lại" in told["message"]["vi"]
    assert hub.press() == (7, 1) and hub.state() == "pending"
    hub.check()
    again = hub.send(1, 5)  # the returned one: its first receipt, given back
    assert again.verb == "OK" and again.dup == "1" and again.state == "returned", again
    assert hub.send(2, 6).state == "committed"
    assert hub.press() == (13, 2) and hub.state() == "on-time"
    hub.check()
    event = hub.sql("SELECT kind, actor, reason, revision, seq FROM baocao.obligation_event WHERE kind = 'returned'")
    assert len(event) == 1 and event[0][0] == "returned" and event[0][3] == 1 and event[0][4] == told["batch"]
    assert event[0][1].startswith("Nguyễn An (") and event[0][2] == "Số liệu chưa khớp với Sở Tài chính"
    assert hub.sql("SELECT kind, state, revision, detail FROM baocao.outcome") == [
        ("returned", "returned", 1, "Số liệu chưa khớp với Sở Tài chính")]
    # The audit row of the act stands in the chain with one leaf.
    assert hub.sql("SELECT n FROM baocao.audit WHERE seq = %s", told["batch"]) == [(1,)]
    seen = hub.daemon.baocao("stat", FORM, UNIT, PERIOD, "--rev", "1", "--lang", "en").stdout
    assert "Revision 1 was given back: Số liệu chưa khớp với Sở Tài chính. Mend it and send it with a higher revision" in seen, seen
    assert hub.daemon.baocao("stat", FORM, UNIT, PERIOD, "--rev", "1", "--lang", "en").stdout == seen, "the reason was told once only"
    path = os.path.join(hub.daemon.root, "again.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(report(UNIT, 1, 5))
    sent = hub.daemon.baocao("send", path, "--lang", "en").stdout  # that it was received once says nothing of why it counts no more
    assert "does not count" in sent and "write revision 2 or higher and send again" in sent, sent


def test_a_lower_revision_after_a_return_is_history_only(hub):
    assert hub.send(3, 5).state == "committed"
    hub.act("return", "--unit", UNIT, "--reason", "thiếu phụ lục")
    assert hub.send(2, 9).state == "superseded"
    assert hub.press() == (None, 0) and hub.state() == "pending"
    assert hub.send(4, 9).state == "committed"
    assert hub.press() == (9, 1)
    hub.check()


def test_until_keeps_the_first_time_for_what_comes_by_then(hub):
    hub.send(1, 5)
    hub.act("return", "--unit", UNIT, "--reason", "xem lại", "--until", hub.moment("3 days"))
    hub.move_due("-1 hour", "8 days")  # the deadline passes while the unit mends
    for table in ("obligation", "obligation_event"):
        hub.sql(f"UPDATE baocao.{table} SET kept_at = kept_at - interval '2 hours' WHERE kept_at IS NOT NULL")
    assert hub.state() == "overdue"
    answer = hub.send(2, 6)
    assert answer.due == "on-time" and hub.state() == "on-time", answer
    hub.check()
    # Without it the new revision has its own time.
    hub.move_due("1 day", "8 days")
    hub.send(1, 5, OTHER)
    hub.act("return", "--unit", OTHER, "--reason", "xem lại")
    hub.move_due("-1 hour", "8 days")
    assert hub.send(2, 6, OTHER).due == "late" and hub.state(OTHER) == "late"
    hub.check()


def test_a_return_after_the_lock_moves_the_lock_to_its_term(hub):
    hub.send(1, 5)
    hub.move_due("-2 days", "-1 day")
    assert hub.send(2, 6).code == "LOCKED"
    hub.act("return", "--unit", UNIT, "--reason", "xem lại", "--until", hub.moment("2 days"))
    assert hub.send(2, 6).state == "committed"
    hub.check()


def test_withdrawing_ends_with_the_lock(hub):
    hub.send(1, 5)
    assert hub.act("withdraw", "--unit", UNIT, "--reason", "gửi nhầm")["code"] == "OK"
    assert hub.press() == (None, 0) and hub.state() == "pending"
    hub.check()
    hub.send(2, 6)
    hub.move_due("-2 days", "-1 hour")
    assert hub.act("withdraw", "--unit", UNIT, "--reason", "gửi nhầm", expect=1)["code"] == "LOCKED"
    assert hub.press() == (6, 1)
    hub.check()


def test_an_extension_moves_deadline_and_lock(hub):
    hub.move_due("-2 days", "-1 day")
    assert hub.send(1, 5).code == "LOCKED" and hub.state() == "overdue"
    assert hub.act("extend", "--unit", UNIT, "--until", "2020-01-31", "--reason", "bão số 10", expect=1)["code"] == "EARLY"
    told = hub.act("extend", "--unit", UNIT, "--until", hub.moment("1 day"), "--reason", "bão số 10", "--decision", "Số 31/CV-SNV")
    assert told["extended_to"] and hub.state() == "pending" and hub.state(OTHER) == "overdue"
    assert hub.sql("SELECT lock_at - extended_to = interval '1 day', decision FROM baocao.obligation_event"
                   " WHERE kind = 'extended'") == [(True, "Số 31/CV-SNV")]
    assert hub.send(1, 5).due == "on-time"
    assert hub.send(1, 5, OTHER).code == "LOCKED"
    words = ("--until", hub.moment("12 hours"), "--reason", "bão số 10")
    assert "1 đơn vị trước đây được gia hạn muộn hơn, nay ngắn lại" in hub.act("extend", *words)["message"]["vi"]
    assert "Chú ý" not in hub.act("extend", "--until", hub.moment("2 days"), "--reason", "bão số 10")["message"]["vi"]
    hub.check()


def test_exempt_needs_its_decision_and_can_be_lifted(hub):
    hub.move_due("-1 hour", "8 days")
    before = hub.status()
    assert hub.act("exempt", "--unit", UNIT, "--reason", "sáp nhập", expect=2)["code"] == "USAGE"
    hub.act("exempt", "--unit", UNIT, "--decision", "Số 12/QĐ-UBND")
    assert hub.state() == "exempt" and hub.status() == {**before, "overdue": before["overdue"] - 1, "exempt": 1}
    hub.check()
    hub.act("owe", "--unit", UNIT, "--reason", "bỏ miễn")
    assert hub.state() == "overdue" and hub.status() == before
    hub.check()


def test_an_act_said_twice_is_done_once(hub):
    hub.send(1, 5)
    until, batches = hub.moment("9 days"), []
    reason = ["--reason", "bão số 10"]
    for act, *words in (["return", "--unit", UNIT, "--revision", "1", *reason], ["extend", "--until", until, *reason],
                        ["extend", "--unit", OTHER, "--until", hub.moment("10 days"), *reason],
                        ["exempt", "--unit", UNIT, "--decision", "Số 12/QĐ-UBND"], ["owe", "--unit", UNIT, *reason],
                        ["unlock", "--until", until, *reason], ["unlock", *reason], ["lock", "--until", until], ["lock"]):
        first = hub.act(act, *words)
        assert first["touched"] > 0 and first["batch"] not in batches, first
        batches.append(first["batch"])
        again = hub.act(act, *words)
        assert again["code"] == "OK" and again["touched"] == 0 and again["batch"] is None and again["at"] is None, again
        assert "không ghi gì thêm" in again["message"]["vi"] and "nothing more is recorded" in again["message"]["en"]
    assert hub.sql("SELECT max(seq) FROM baocao.audit")[0][0] == batches[-1]
    # The same by HTTP; another document for it is worth a record; what differs for some is done for those.
    token = make_token(hub.daemon, "--role", "office")
    answer = ask(hub.daemon, "POST", f"/v1/periods/{FORM}/{PERIOD}/lock", "{}", token, content_type="application/json")
    assert answer.status == 200 and answer.json["touched"] == 0, answer
    hub.act("exempt", "--unit", UNIT, "--decision", "Số 12/QĐ-UBND")
    assert hub.act("exempt", "--unit", UNIT, "--decision", "Số 13/QĐ-UBND")["touched"] == 1
    assert hub.act("unlock", "--unit", OTHER, *reason)["touched"] == 1
    assert hub.act("unlock", *reason)["touched"] == hub.status()["owed"] - 1
    # Nothing was ever returned of this one: that is not the same as having been returned.
    assert hub.act("return", "--unit", OTHER, *reason, expect=1)["code"] == "EMPTY"
    hub.check()


def test_lock_and_unlock_of_a_whole_period(hub):
    hub.send(1, 5)
    owed = hub.status()["owed"]
    told = hub.act("lock")
    assert told["touched"] == owed and str(owed) in told["message"]["vi"]
    assert hub.send(1, 7, OTHER).code == "LOCKED" and hub.send(2, 7).code == "LOCKED"
    assert hub.send(1, 5).dup == "1"
    hub.move_due("-2 days", "-1 day")
    hub.check()
    hub.act("unlock", "--unit", OTHER, "--reason", "mất điện diện rộng", "--until", hub.moment("1 hour"))
    assert hub.send(1, 7, OTHER).due == "late" and hub.state(OTHER) == "late"
    assert hub.send(2, 7).code == "LOCKED"
    hub.act("unlock", "--reason", "mở lại cả kỳ")
    assert hub.send(2, 7).state == "committed"
    hub.check()


def test_a_period_that_ends_as_not_done_opens_on_a_decision_only(make_daemon, programs):
    daemon = make_daemon()
    daemon.schemas = os.path.join(daemon.root, "schemas")
    shutil.copytree(programs.schemas, daemon.schemas)
    path = os.path.join(daemon.schemas, "nd73", "nd73-quarterly.v1.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert text.count("lock: {then: accept}") == 1
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("lock: {then: accept}", "lock: {working_days: 5, then: not-done}"))
    hub = Hub(daemon.start())
    assert hub.act("unlock", "--reason", "mở lại", expect=1)["code"] == "FINAL"
    assert hub.act("unlock", "--reason", "mở lại", "--decision", "Số 5/QĐ-UBND")["code"] == "OK"


def test_an_approved_period_is_final_until_it_is_unlocked_on_a_decision(hub):
    hub.send(1, 5)
    assert hub.act("approve", expect=1)["code"] == "PENDING"  # the others may still report on time
    assert hub.act("approve", "--unit", UNIT, expect=2)["code"] == "USAGE"
    assert hub.act("approve", "--until", hub.moment("1 day"), expect=2)["code"] == "USAGE"
    hub.move_due("-2 days", "8 days")
    assert hub.send(1, 7, OTHER).due == "late"
    owed = hub.status()["owed"]
    told = hub.act("approve", "--decision", "Số 7/QĐ-UBND", "--by", "Nguyễn An")
    assert told["touched"] == owed and "phê duyệt" in told["message"]["vi"] and "approved" in told["message"]["en"]
    # One leaf an obligation, with who and by which document.
    assert hub.sql("SELECT n FROM baocao.audit WHERE seq = %s", told["batch"]) == [(owed,)]
    assert hub.sql("SELECT count(*), min(decision), bool_and(actor LIKE 'Nguyễn An (%%') FROM baocao.obligation_event"
                   " WHERE kind = 'approved' AND seq = %s", told["batch"]) == [(owed, "Số 7/QĐ-UBND", True)]
    # Who is overdue now stays so, and nothing new is taken; a resend has its first receipt.
    status = hub.status()
    assert hub.sql("SELECT final FROM office.status WHERE form = %s AND period = %s AND scope = '66'", FORM, PERIOD) == [(status["overdue"],)]
    assert hub.send(2, 8).code == "LOCKED" and hub.send(1, 5).dup == "1"
    with Client(hub.daemon.reports_port, lang="vi") as client:
        owes = [json.loads(line) for line in client.ask("DUE", unit=UNIT).body.splitlines()]
        why = [item["why"] for item in owes if item["form"] == FORM and item["period"] == PERIOD]
        assert len(why) == 1 and "phê duyệt" in why[0] and "Số 7/QĐ-UBND" in why[0], why
    for words in (["return", "--unit", UNIT, "--reason", "x"], ["exempt", "--unit", UNIT, "--decision", "Số 1"], ["lock"],
                  ["lock", "--until", hub.moment("1 day")], ["extend", "--until", hub.moment("9 days"), "--reason", "x"],
                  ["owe", "--unit", UNIT, "--reason", "x"], ["unlock", "--reason", "x"]):
        assert hub.act(*words, expect=1)["code"] == "APPROVED", words
    assert hub.act("withdraw", "--unit", UNIT, "--reason", "x", expect=1)["code"] == "LOCKED"
    assert hub.press() == (12, 2)
    # Opened again for one unit: the rest stays approved, and so does it once approved again.
    hub.act("unlock", "--unit", UNIT, "--reason", "sai số liệu", "--decision", "Số 9/QĐ-UBND")
    assert hub.send(2, 8).state == "committed" and hub.send(2, 8, OTHER).code == "LOCKED"
    with Client(hub.daemon.reports_port, lang="vi") as client:
        assert "phê duyệt".encode() not in client.ask("DUE", unit=UNIT).body
    hub.act("approve")
    assert hub.send(3, 9).code == "LOCKED" and hub.press() == (15, 2)
    hub.check()
    hub.verify()
    hub.act("unlock", "--reason", "mở lại", "--decision", "Số 10/QĐ-UBND")


def test_what_makes_no_sense_is_refused_and_changes_nothing(hub):
    hub.send(1, 5)
    events = hub.sql("SELECT count(*) FROM baocao.obligation_event")[0][0]
    # The refusals of an earlier test may be written now.
    acts = lambda: hub.sql("SELECT count(*) FROM baocao.audit a WHERE NOT EXISTS (SELECT FROM baocao.refusal r WHERE r.seq = a.seq)")
    batches = acts()
    refused = [
        (["return", "--unit", OTHER, "--reason", "x"], 1, "EMPTY"),
        (["return", "--unit", "99999", "--reason", "x"], 1, "NOTOWED"),
        (["return", "--unit", UNIT, "--reason", "x", "--revision", "2"], 1, "REVISION"),
        (["return", "--unit", UNIT, "--reason", "x", "--revision", "hai"], 2, "USAGE"),
        (["return", "--unit", UNIT], 2, "USAGE"),
        (["return", "--reason", "x"], 2, "USAGE"),
        (["return", "--unit", UNIT, "--reason", "x\ny"], 2, "USAGE"),
        (["return", "--unit", UNIT, "--reason", "x", "--until", "mai"], 2, "USAGE"),
        (["return", "--unit", UNIT, "--reason", "x", "--nguoi", "y"], 2, "USAGE"),
        (["extend", "--unit", UNIT, "--reason", "x"], 2, "USAGE"),
        (["lock", "--period", "2026-Q9"], 2, "USAGE"),
        (["approve"], 1, "PENDING"),
    ]
    for words, code, symbol in refused:
        told = hub.act(*words, expect=code)
        assert told["code"] == symbol and told["message"]["vi"] and told["message"]["en"], (words, told)
    form, period = ("--form", FORM), ("--period", PERIOD)
    for words, names in [((), "Thiếu biểu mẫu: ghi --form"), (form, "Thiếu kỳ báo cáo: ghi --period"),
                         ((*form, "--period", "Q3/2026"), "viết chưa đúng; viết như 2026, 2026-H1, 2026-Q3"),
                         ((*form, *period, "x"), "ví dụ --unit 24133"),
                         ((*form, "--perid", PERIOD), "không có tùy chọn --perid; có phải --period không?"),
                         ((*form, *period, "--nguoi", "y"), "không có tùy chọn --nguoi; các tùy chọn: --form, --unit, --period"),
                         ((*form, *period, "--until", "--unit", UNIT), "sau --until còn thiếu giá trị"),
                         ((*form, *period, *period), "tùy chọn --period được ghi hai lần"),
                         ((*form, *period, "--until", "20/10/2026"), "viết theo năm-tháng-ngày, như 2026-10-20")]:
        done = hub.daemon.operate("office", "lock", *words)
        assert (done.returncode, done.stdout) == (2, "") and names in done.stderr, (words, done)
        assert done.stderr.endswith("\nXem thêm: baocaod office --help\n"), done.stderr
    for words, names in [((*form, *period, "--unit", "99999"), "Không có đơn vị mang mã “99999”"),
                         (("--form", "nd73-quartely", *period, "--unit", UNIT), "Không có biểu mẫu “nd73-quartely”"),
                         ((*form, "--period", "2026-09", "--unit", UNIT), "không báo cáo theo loại kỳ như “2026-09”"),
                         ((*form, "--period", "2010-Q3", "--unit", UNIT), f"kỳ 2010-Q3 không phải là nghĩa vụ của {UNIT}"),
                         ((*form, *period, "--unit", OTHER), f"baocao stat {FORM} {OTHER} {PERIOD}")]:
        done = hub.daemon.operate("office", "return", *words, "--reason", "x")
        assert (done.returncode, done.stdout) == (1, "") and names in done.stderr, (words, done)
    done = hub.daemon.operate("office", "exempt", *form, *period, "--lang", "en")
    assert done.returncode == 2 and "The unit is missing: give --unit" in done.stderr, done
    assert hub.sql("SELECT count(*) FROM baocao.obligation_event")[0][0] == events
    assert acts() == batches
    hub.check()


def test_the_daemon_must_run_and_the_peer_must_be_known(hub):
    daemon = hub.daemon
    path = os.path.join(daemon.runtime, "admin.sock")
    assert os.stat(path).st_mode & 0o777 == 0o660
    done = daemon.operate("office", "lock", "--form", FORM, "--period", PERIOD)
    assert done.returncode == 0 and "khóa" in done.stdout
    done = daemon.operate("office", "unlock", "--form", FORM, "--period", PERIOD, "--reason", "x", "--lang", "en")
    assert done.returncode == 0 and "obligations) is unlocked" in done.stdout
    done = daemon.operate("--lang", "en", "office", "lock", "--form", FORM, "--period", PERIOD, "--unit", UNIT)
    assert done.returncode == 0 and f"of {UNIT} (1 obligation) is locked" in done.stdout
    assert re.search(rf"office: locked {FORM} {PERIOD} all units by .*: \d+ obligations, batch", daemon.log())
    assert re.search(rf"office: locked {FORM} {PERIOD} {UNIT} by .*: 1 obligation, batch", daemon.log())
    if os.geteuid() == 0:  # another user is not let in, even where the file's mode would let it
        os.chmod(path, 0o666)
        ask = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
               "s.sendall(b'{\"do\":\"office\",\"act\":\"lock\"}\\n'); print(s.recv(9999).decode())")
        told = subprocess.run(["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/python3", "-c", ask, path],
                              capture_output=True, text=True, timeout=60, cwd="/")
        assert "DENIED" in told.stdout or "Error" in told.stderr, told
    assert daemon.stop() == 0
    assert not os.path.exists(path)
    done = daemon.operate("office", "lock", "--form", FORM, "--period", PERIOD)
    assert done.returncode == 2 and "không chạy" in done.stderr


def test_the_chain_shows_acts_and_refusals_that_were_changed(hub):
    hub.act("exempt", "--unit", UNIT, "--decision", "Số 12/QĐ-UBND", "--reason", "thiên tai")
    hub.act("extend", "--until", hub.moment("9 days"), "--reason", "bão số 10")
    with Client(hub.daemon.reports_port) as client:
        assert client.submit("a: [").code == "PARSE"
    wait_for(lambda: hub.sql("SELECT count(*) FROM baocao.refusal")[0][0] == 1)
    hub.verify()
    changes = [
        ("UPDATE baocao.obligation_event SET decision = 'Số 13/QĐ-UBND' WHERE kind = 'exempted'", "act of the office does not fit"),
        ("UPDATE baocao.refusal SET symbol = 'INVALID'", "refusal does not fit"),
    ]
    for statement, finding in changes:
        hub.sql(statement)
        done = hub.daemon.operate("--lang", "en", "verify", "--audit")
        assert done.returncode == 1 and finding in done.stdout + done.stderr, (done.stdout, done.stderr)
    hub.sql("UPDATE baocao.obligation_event SET decision = 'Số 12/QĐ-UBND' WHERE kind = 'exempted'")
    hub.sql("UPDATE baocao.refusal SET symbol = 'PARSE'")


# ---------------------------------------------------------------- units apply

@pytest.fixture
def province(make_daemon, programs):
    """A hub that serves from a province folder of its own, which a test may change."""
    daemon = make_daemon()
    daemon.province = os.path.join(daemon.root, "province")
    daemon.schemas = os.path.join(daemon.root, "schemas")
    shutil.copytree(programs.province, daemon.province)
    shutil.copytree(programs.schemas, daemon.schemas)
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", daemon.province, daemon.schemas], check=True)
    return Province(daemon.start(), os.path.join(daemon.province, "units.yaml"))


class Province(Hub):
    def __init__(self, daemon, units):
        super().__init__(daemon)
        self.units = units

    def edit(self, old, new, count=1, path=None):
        with open(path or self.units, encoding="utf-8") as f:
            text = f.read()
        assert old in text
        with open(path or self.units, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, count))

    def apply(self, *words, expect=0):
        done = self.daemon.operate("units", "apply", *words, "--format", "json")
        assert done.returncode == expect, (words, done.stdout, done.stderr, self.daemon.log()[-2000:])
        return json.loads(done.stdout)


def test_units_apply_shows_then_does_and_sums_follow(province):
    hub = province
    hub.send(1, 5)
    hub.send(1, 7, OTHER)
    group = lambda: hub.sql("SELECT value FROM office.rollup WHERE form = %s AND period = %s AND indicator = 'diss.press'"
                            "  AND scope = 'group:phu-yen-cu'", FORM, PERIOD)
    assert group() == [(7,)]
    hub.edit('  - {code: "22015", kind: ward, name: Phường Tuy Hoà,', '  - {code: "22015", kind: ward, name: Phường Tuy Hòa Mới,')
    hub.edit("groups: [phu-yen-cu], ", "groups: [dak-lak-cu], ")
    hub.edit("units:\n", 'units:\n  - {code: "66.X1", kind: department, name: Sở Thử nghiệm, en: Test, from: 2025-07-01,'
                         ' parents: {state: "66", party: "TU66.02"}}\n')
    before = hub.sql("SELECT max(seq) FROM baocao.audit")[0][0]
    assert "--dry-run" in hub.apply("--dry", expect=2)["message"]["vi"]  # a slip of the pen must not apply them
    assert hub.apply("66", expect=2)["message"]["vi"] == "thừa “66”"
    shown = hub.apply("--dry-run")
    assert (shown["opened"], shown["renamed"], shown["moved"], shown["closed"]) == (1, 1, 1, 0), shown
    assert shown["made"] > 0 and shown["rollups"] > 0 and "Nếu áp dụng" in shown["message"]["vi"]
    assert any("Phường Tuy Hòa Mới" in line["vi"] for line in shown["lines"]), shown["lines"]
    assert hub.sql("SELECT max(seq) FROM baocao.audit")[0][0] == before and group() == [(7,)]
    assert not hub.sql("SELECT 1 FROM baocao.unit WHERE code = '66.X1'")
    untouched = lambda: hub.sql("SELECT u.ctid, u.xmin::text FROM baocao.rollup u JOIN baocao.scope s USING (scope)"
                                " WHERE s.id = '66' ORDER BY 1")
    kept = untouched()
    done = hub.apply()
    assert kept and untouched() == kept  # years of sums that nobody entered or left are not made anew
    assert {**done, "preview": True, "message": None} == {**shown, "message": None}
    assert group() in ([], [(None,)]) and hub.press() == (12, 2)
    assert hub.send(1, 9, "66.X1").verb == "OK"  # it judges by them at once
    again = hub.apply()
    assert (again["opened"], again["renamed"], again["moved"], again["rollups"]) == (0, 0, 0, 0)
    hub.check()
    hub.verify()


def waits_for_the_lock(cursor):
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute("SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
                   "   AND l.classid = 7316 AND NOT l.granted AND a.application_name = 'baocaod sync'")
    return bool(cursor.fetchall())


def test_a_look_needs_no_lock_and_what_a_sync_prepared_before_it_is_looked_at_again(province):
    """While somebody holds the province's lock a look is answered, and a change has all it needs but the lock; a report
    that was taken in the last moment counts."""
    hub = province
    hub.send(1, 7, OTHER)
    hub.edit('  - {code: "22045",', '  - {code: "22999",')
    hub.edit("groups: [phu-yen-cu], ", "groups: [dak-lak-cu], ")
    with ThreadPoolExecutor() as pool, hub.daemon.connect() as holder, holder.cursor() as c:
        c.execute("SELECT pg_advisory_xact_lock(7316, 66)")
        shown = hub.apply("--dry-run")
        assert shown["code"] == "OK" and shown["opened"] == 1 and shown["dropped"] > 0 and shown["rollups"] == 2, shown
        applied = pool.submit(hub.apply, expect=1)
        wait_for(lambda: waits_for_the_lock(c), 60)
        c.execute("UPDATE baocao.obligation SET last_revision = 1 WHERE (form, period, unit) IN"
                  " (SELECT form, period, unit FROM baocao.obligation JOIN baocao.unit USING (unit)"
                  "   WHERE code = '22045' ORDER BY cutoff LIMIT 1)")
        holder.commit()
        assert applied.result(60)["code"] == "CONFLICT"
    hub.sql("UPDATE baocao.obligation SET last_revision = 0 WHERE last_revision = 1 AND revision IS NULL")
    done = hub.apply()
    # But for the deadlines of move_due(), which the files in force have taken back since.
    assert all(done[name] == shown[name] for name in ("opened", "removed", "moved", "made", "dropped", "rollups")), done
    hub.check()
    hub.verify()


def test_reports_that_come_while_units_change_their_groups(province):
    """Each correction is added up by the groups of before or of after, whichever way the two meet."""
    hub = province
    figures, groups = [2, 3], ["phu-yen-cu", "dak-lak-cu"]
    with ThreadPoolExecutor() as pool:
        ended = threading.Event()

        def correct():
            revision = 0
            while not ended.is_set() or revision < 3:
                revision += 1
                assert all(hub.send(revision, n * revision, unit).verb == "OK" for n, unit in zip(figures, (UNIT, OTHER)))
            return revision

        sent = pool.submit(correct)
        moved = []
        for was, now in (groups, groups[::-1]):
            hub.edit(f"groups: [{was}], ", f"groups: [{now}], ", count=-1)
            moved.append(hub.apply())
        ended.set()
        revision = sent.result(60)
    assert all(m["moved"] > 50 for m in moved) and any(m["rollups"] for m in moved), moved
    assert hub.press() == (5 * revision, 2)
    hub.check()
    hub.verify()


def test_a_cut_off_day_that_moves_takes_the_report_to_other_scopes(province):
    hub = province
    hub.send(1, 7, OTHER)
    group = lambda name: [v for v, in hub.sql("SELECT value FROM office.rollup WHERE form = %s AND period = %s"
                                              "   AND indicator = 'diss.press' AND scope = %s AND reported > 0",
                                              FORM, PERIOD, name)]
    with open(hub.units, encoding="utf-8") as f:
        now = next(line for line in f if '"22015"' in line and "from: 2025-07-01," in line)
    later = now.replace("from: 2025-07-01,", "from: 2026-09-21,").replace("phu-yen-cu", "dak-lak-cu").partition(", was:")[0]
    hub.edit(now, now.replace("from: 2025-07-01,", "from: 2025-07-01, to: 2026-09-20,") + later + "}\n")
    hub.apply()
    assert group("group:phu-yen-cu") == [7] and group("group:dak-lak-cu") == []  # by 14 September
    form = sorted(glob.glob(os.path.join(hub.daemon.schemas, "nd73", "nd73-quarterly.v*.yaml")))[-1]
    hub.edit("calendar: nd09", "calendar: civil", path=form)
    hub.edit("{day: 19, month: last, roll: next}", "{working_days: 2}", path=form)
    hub.move_due("1 day", "8 days")  # what is past never moves
    hub.apply()
    assert group("group:phu-yen-cu") == [] and group("group:dak-lak-cu") == [7]  # by the 30th
    hub.check()
    hub.verify()


def test_units_apply_refuses_what_would_orphan_reports(province):
    hub = province
    hub.send(1, 5, "22045")
    hub.edit('  - {code: "22045",', '  - {code: "22999",')
    for words in (["--dry-run"], []):
        told = hub.apply(*words, expect=1)
        assert told["code"] == "CONFLICT" and "22045" in told["message"]["vi"] and "22045" in told["message"]["en"], told
    assert hub.send(2, 6, "22045").state == "committed"  # the files in force stay
    assert hub.send(1, 6, "22999").verb == "NO"
    hub.edit('  - {code: "22999",', '  - {code: "22045",')
    hub.edit("kind: ward", "kind: wardd")
    told = hub.apply(expect=1)
    assert told["code"] == "FILES" and "units.yaml" in told["lines"][0]["vi"], told
    assert hub.send(3, 8, "22045").state == "committed"
    # A reload by signal that contradicts what is stored changes nothing either.
    hub.edit("kind: wardd", "kind: ward")
    hub.edit('  - {code: "22045",', '  - {code: "22999",')
    hub.daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "would belong to nobody" in hub.daemon.log())
    assert hub.send(4, 9, "22045").state == "committed"
    hub.check()


# ---------------------------------------------------------------- as of an earlier moment

QUESTIONS = [("/v1/rollups", {}), ("/v1/status", {}), ("/v1/missing", {"scope": "group:phu-yen-cu"}), ("/v1/reports", {})]


def answers(hub, **more):
    """What the office is told now, byte for byte; hours_late moves with the clock and is left out."""
    told = []
    for path, query in QUESTIONS:
        status, rows = hub.daemon.get(path, **{"form": FORM, "period": PERIOD, **query, **more})
        assert status == 200, rows
        told.append(json.dumps([{k: v for k, v in row.items() if k != "hours_late"} for row in rows], ensure_ascii=False))
    return told


def test_every_earlier_moment_is_answered_as_it_was(province):
    hub = province
    seen = []

    def moment():
        at = hub.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]
        seen.append((at, answers(hub)))

    targets = os.path.join(hub.daemon.province, "targets.yaml")
    form = sorted(glob.glob(os.path.join(hub.daemon.schemas, "nd73", "nd73-quarterly.v*.yaml")))[-1]
    with open(hub.units, encoding="utf-8") as f:
        group = next(line for line in f if "id: phu-yen-cu" in line)
    # The period's own deadline and lock are past; all changes go by acts, as events tell.
    hub.sql("DELETE FROM baocao.obligation_event WHERE kind = 'moved' AND leaf >= 0")
    hub.sql("UPDATE baocao.obligation o SET due_at = e.due_at, lock_at = e.lock_at FROM baocao.obligation_event e"
            " WHERE (e.unit, e.form, e.period) = (o.unit, o.form, o.period)")
    moment()
    steps = [
        lambda: hub.act("unlock", "--reason", "mở kỳ"),
        lambda: hub.send(1, 5),                     # late
        lambda: hub.act("extend", "--unit", OTHER, "--until", hub.moment("2 days"), "--reason", "bão"),
        lambda: hub.send(1, 7, OTHER),              # on time by the extension
        lambda: hub.send(3, 8),                     # a correction
        lambda: hub.send(2, 9),                     # history
        lambda: hub.act("return", "--unit", OTHER, "--reason", "xem lại", "--until", hub.moment("1 day")),
        lambda: hub.act("exempt", "--unit", "22045", "--decision", "Số 12/QĐ-UBND"),
        lambda: hub.send(2, 6, OTHER),              # keeps its first time
        lambda: hub.act("return", "--unit", UNIT, "--reason", "sai số liệu"),
        lambda: hub.act("withdraw", "--unit", OTHER, "--reason", "gửi nhầm"),
        lambda: (hub.edit('  - {code: "22015", kind: ward, name: Phường Tuy Hoà,', '  - {code: "22015", kind: ward, name: Phường Tuy Hòa Mới,'),
                 hub.edit("groups: [phu-yen-cu], ", "groups: [dak-lak-cu], "), hub.apply()),
        lambda: hub.send(4, 4),
        lambda: (hub.edit("value: 100", "value: 95", path=targets), hub.apply()),
        lambda: (hub.edit("Tỷ lệ người được phổ biến", "Tỷ lệ cán bộ được phổ biến", path=form), hub.apply()),
        lambda: hub.send(3, 3, OTHER),
        lambda: (hub.edit(group, group.replace("cũ", "trước đây")), hub.apply()),
        lambda: hub.act("lock"),
        lambda: (hub.edit("value: 95", "value: 90", path=targets), hub.apply()),
        lambda: hub.act("owe", "--unit", "22045", "--reason", "bỏ miễn"),
    ]
    for step in steps:
        step()
        moment()
    assert len({told for _, told in ((at, "\n".join(t)) for at, t in seen)}) >= len(steps) - 1, "the steps changed too little"
    for number, (at, told) in enumerate(seen):
        assert answers(hub, as_of=at) == told, (number, at)
    assert hub.daemon.get("/v1/rollups", form=FORM, period=PERIOD, as_of="2020-01-01") == (200, [])
    assert hub.daemon.get("/v1/status", as_of="hôm qua")[0] == 422
    at = seen[4][0]
    done = hub.daemon.baocao("rollup", FORM, "--period", PERIOD, "--scope", "66", "--as-of", at, "--format", "json")
    now = hub.daemon.get("/v1/rollups", form=FORM, period=PERIOD, scope="66", as_of=at)[1]
    assert done.returncode == 0 and json.loads(done.stdout) == now
    hub.check()
    hub.verify()


# ---------------------------------------------------------------- refusals

def test_refused_reports_leave_a_trace_without_their_body(hub):
    bad = report(UNIT, 1, 5).replace("bao_chi: 5", "bao_chi: năm")
    assert bad != report(UNIT, 1, 5)
    with Client(hub.daemon.reports_port) as client:
        assert client.submit(bad).code == "INVALID"
        assert client.submit(report("99999", 1, 5)).code in ("NOTOWED", "UNIT", "ENVELOPE")
        assert client.submit("a: [").code == "PARSE"
        secret = client.submit(report(UNIT, 1, 4242).replace(f'unit: "{UNIT}"', f'unit: "{UNIT}"\nsecrecy: Mật'))
        assert secret.code == "SECRET", secret
        assert client.submit(report(UNIT, 1, 5)).verb == "OK"
        assert client.submit(report(UNIT, 1, 6)).code == "KEYREUSED"
    wait_for(lambda: hub.sql("SELECT count(*) FROM baocao.refusal")[0][0] == 5)
    rows = hub.daemon.get("/v1/refusals", unit=UNIT)[1]
    symbols = [row["symbol"] for row in rows]
    assert symbols.count("INVALID") == 1 and symbols.count("KEYREUSED") == 1, rows
    invalid = rows[symbols.index("INVALID")]
    assert invalid["form"] == FORM and invalid["period"] == PERIOD and invalid["revision"] == 1
    assert any("bao_chi" in json.dumps(finding) for finding in invalid["findings"]), invalid
    assert len(hub.sql("SELECT 1 FROM office.refusal WHERE unit = '' AND symbol = 'PARSE'")) == 1
    kept = hub.sql("SELECT form, period, revision, findings FROM baocao.refusal WHERE symbol = 'SECRET'")
    assert kept == [("", "", None, kept[0][3])] and "4242" not in str(kept), kept
    # Each is a leaf of its batch, and the batches are in the chain.
    assert hub.sql("SELECT count(*) FROM baocao.refusal r JOIN baocao.audit a ON a.seq = r.seq AND r.leaf BETWEEN 0 AND a.n - 1") == [(5,)]
    hub.check()
    # The ring of a unit: only the last 1,000 stay.
    hub.sql("INSERT INTO baocao.refusal (unit, id, at, form, period, symbol) SELECT (SELECT unit FROM baocao.unit WHERE code = %s LIMIT 1),"
            " ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, now(), '', '', 'PARSE' FROM generate_series(1, 1000) i", UNIT)
    with Client(hub.daemon.reports_port) as client:
        assert client.submit(bad.replace("revision: 1", "revision: 9")).code == "INVALID"
    wait_for(lambda: hub.sql("SELECT max(revision) FROM baocao.refusal")[0][0] == 9)
    ring = ("SELECT count(*), count(*) FILTER (WHERE revision IS NOT NULL) FROM baocao.refusal"
            " WHERE unit = (SELECT unit FROM baocao.unit WHERE code = %s LIMIT 1)")
    wait_for(lambda: hub.sql(ring, UNIT)[0][0] == 1000)  # what is over goes once the batch is committed
    assert hub.sql(ring, UNIT)[0][1] >= 3


def test_what_is_refused_while_stopping_is_written_too(hub):
    with Client(hub.daemon.reports_port) as client:
        assert client.submit("a: [").code == "PARSE"
    assert hub.daemon.stop() == 0
    hub.daemon.start()
    assert hub.sql("SELECT symbol FROM baocao.refusal") == [("PARSE",)]


# ---------------------------------------------------------------- the same acts by HTTP

def test_acts_by_http_need_a_secret_and_the_right_role(hub):
    daemon = hub.daemon
    office, own, other = (add_token(daemon, *words) for words in (["--role", "office"], ["--unit", UNIT], ["--unit", OTHER]))
    oversight = make_token(daemon, "--role", "oversight")
    key = f"{UNIT}/{FORM}/{PERIOD}"

    def post(path, token=None, body="{}", status=200, **headers):
        answer = ask(daemon, "POST", f"/v1/{path}", body, token, **{"content_type": "application/json", **headers})
        assert answer.status == status, (path, answer)
        return answer.json

    hub.send(1, 5)
    reason = json.dumps({"reason": "số liệu chưa khớp", "by": "Nguyễn An"})
    before = hub.sql("SELECT max(seq) FROM baocao.audit")
    assert post(f"reports/{key}/return", None, reason, 401)["code"] == "AUTH"  # also from this machine
    assert post(f"reports/{key}/return", oversight, reason, 403)["code"] == "ROLE"
    assert post(f"reports/{key}/return", own, reason, 403)["code"] == "UNIT"
    assert post(f"reports/{key}/withdraw", other, reason, 403)["code"] == "UNIT"
    assert post(f"periods/{FORM}/{PERIOD}/lock", own, "", 403)["code"] == "ROLE"
    assert post(f"reports/{key}/return", office, "{}", 422)["code"] == "USAGE"
    assert post(f"reports/{key}/return", office, '{"reason": "x", "unit": "22015"}', 422)["code"] == "USAGE"
    assert post(f"reports/{key}/return", office, "[", 422)["code"] == "USAGE"
    assert post(f"reports/{key}/burn", office, reason, 404)["code"] == "PATH"
    assert post(f"reports/{key}/return", office, reason, 415, content_type="text/plain")["code"] == "TYPE"
    assert post(f"reports/{key}/return", office, reason, 403, origin="http://elsewhere.example")["code"] == "ORIGIN"
    assert post(f"reports/{OTHER}/{FORM}/{PERIOD}/return", office, reason, 409)["code"] == "EMPTY"
    assert hub.sql("SELECT max(seq) FROM baocao.audit") == before and hub.press() == (5, 1)

    told = post(f"reports/{key}/return", office, reason)
    assert told["code"] == "OK" and told["revision"] == 1 and hub.press() == (None, 0)
    assert hub.sql("SELECT actor FROM baocao.obligation_event WHERE kind = 'returned'") == [("Nguyễn An (thử)",)]
    hub.send(2, 6)
    assert post(f"reports/{key}/withdraw", own, "reason: gửi nhầm\n", content_type="application/yaml")["revision"] == 2
    assert post(f"obligations/{key}/extend", office, json.dumps({"until": hub.moment("3 days"), "reason": "bão"}))["extended_to"]
    assert post(f"obligations/{key}/exempt", office, '{"decision": "Số 12/QĐ-UBND"}')["code"] == "OK" and hub.state() == "exempt"
    assert post(f"obligations/{key}/owe", office, reason)["code"] == "OK" and hub.state() == "pending"
    owed = hub.status()["owed"]
    assert post(f"periods/{FORM}/{PERIOD}/lock", office, "")["touched"] == owed
    assert hub.send(3, 7).code == "LOCKED"
    assert post(f"periods/{FORM}/{PERIOD}/unlock", office, reason)["touched"] == owed
    assert hub.send(3, 7).state == "committed"
    assert post(f"periods/{FORM}/{PERIOD}/approve", office, "", 409)["code"] == "PENDING"
    hub.move_due("-2 days", "8 days")
    assert post(f"periods/{FORM}/{PERIOD}/approve", None, "", 401)["code"] == "AUTH"
    assert post(f"periods/{FORM}/{PERIOD}/approve", own, "", 403)["code"] == "ROLE"
    assert post(f"periods/{FORM}/{PERIOD}/approve", oversight, "", 403)["code"] == "ROLE"
    assert post(f"periods/{UNIT}/{FORM}/{PERIOD}/approve", office, "", 404)["code"] == "PATH"
    assert post(f"periods/{FORM}/{PERIOD}/approve", office, '{"until": "2030-01-01"}', 422)["code"] == "USAGE"
    assert post(f"periods/{FORM}/{PERIOD}/approve", office, '{"decision": "Số 7/QĐ-UBND"}')["touched"] == owed
    assert hub.send(4, 7).code == "LOCKED"
    assert post(f"reports/{key}/return", office, reason, 409)["code"] == "APPROVED"
    assert post(f"periods/{FORM}/{PERIOD}/unlock", office, reason, 409)["code"] == "APPROVED"
    assert post(f"periods/{FORM}/{PERIOD}/unlock", office, '{"reason": "x", "decision": "Số 9/QĐ-UBND"}')["touched"] == owed
    hub.check()
