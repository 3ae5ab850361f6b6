"""What is owed and until when: deadlines and locks against the clock, states, successors, what units are told."""
import datetime
import json
import os
import random
import shutil
import signal
import subprocess

import pytest

from brp import Client, connect_tls
from conftest import SOURCE, USER, wait_for
from web import ask, make_token
from trial import Province, day, form, once, report, unit

OLD, NEW, PART = "90001", "90002", "90003"


@pytest.fixture
def folder(make_folder):
    return make_folder("province")


def lines(answer):
    """The obligations of a DUE answer by form."""
    assert answer.verb == "OK", answer
    found = [json.loads(line) for line in answer.body.decode("utf-8").splitlines()]
    for row in found:
        assert {"form", "unit", "period", "title", "from", "to", "due", "lock", "state", "revision", "why"} <= set(row)
    return {row["form"]: row for row in found}


def due(client, code, **keys):
    return lines(client.ask("DUE", unit=code, **keys))


def counts(daemon, **query):
    rows = daemon.get("/v1/status", scope="99", **query)[1]
    for row in rows:
        states = row["pending"] + row["overdue"] + row["on_time"] + row["late"] + row["exempt"]
        assert states == row["owed"], row
    return {row["form"]: row for row in rows}


def reload(daemon):
    size = len(daemon.log())
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reload:" in daemon.log()[size:], 60)
    return daemon.log()[size:]


# ------------------------------------------------------------------ the three clocks

LOCKED = {"days": 2}


def clock_forms():
    return [
        once("dung-han", -30, -3, 5),                                              # cut-off past, deadline ahead
        once("muon", -30, -10, -5),                                                # late, never locked
        once("khoa", -30, -10, -5, lock={**LOCKED, "then": "refuse"}),             # locked three days ago
        once("khong-lam", -30, -10, -5, lock={**LOCKED, "then": "not-done"}),      # the same, and final
        once("van-nhan", -30, -10, -5, lock={**LOCKED, "then": "accept"}),         # the lock only counts, it takes
        once("sap-khoa", -30, -10, -5, lock={"days": 20, "then": "refuse"}),       # late, and not yet locked
        once("chua-mo", 3, 10, 20),                                                # has not begun
        once("dang-mo", -3, 10, 20),                                               # before its cut-off
        once("chi-phuong", -30, -3, 5, reporters={"kinds": ["ward"]}),
        once("het-hieu-luc", -60, -40, -30, effective={"from": "2020-01-01", "to": day(-50)}),
    ]


def test_deadline_lock_and_period_each_have_their_answer(make_daemon, postgres, folder):
    province = Province(folder, clock_forms(), [
        unit("90001", "Xã Một"), unit("90002", "Xã Hai"),
        unit("90003", "Xã Ba", **{"to": day(-20)}),           # closed within the periods
        unit("90004", "Xã Bốn", **{"from": day(-20)}),        # opened within them
        unit("90005", "Xã Năm", **{"from": day(-2)}),         # opened after their last day
    ])
    daemon = province.serve(make_daemon, postgres)
    with Client(daemon.reports_port) as c:
        def send(name, code="90001", last=-10):
            return c.submit(report(name, code, day(last), 1))

        assert (send("dung-han", last=-3).state, send("muon").due, send("van-nhan").due) == ("committed", "late", "late")
        assert send("dung-han", "90004", -3).due == "on-time"
        assert send("sap-khoa").due == "late"
        for name in ("khoa", "khong-lam"):
            assert send(name).code == "LOCKED", name
        assert send("chua-mo", last=10).code == "PERIOD"
        early = send("dang-mo", last=10)
        assert early.state == "committed" and any(code.startswith("BC") for _, _, code, _, _ in early.findings), early
        assert send("het-hieu-luc", last=-40).code == "PERIOD"  # its version has ended before the period's last day
        assert send("chi-phuong", last=-3).code == "NOTOWED"
        assert send("muon", "90003").code == "NOTOWED"           # it no longer existed on the last day
        assert send("muon", "90005").code == "NOTOWED"           # it did not exist yet
        assert send("muon", "90009").code == "NOTOWED"
        assert send("muon", "90004").due == "late"               # it existed on the last day, if not on the first

        mine = due(c, "90001")
        want = {"dung-han": "on-time", "muon": "late", "van-nhan": "late", "sap-khoa": "late", "khoa": "overdue",
                "khong-lam": "overdue", "dang-mo": "on-time", "chua-mo": "pending"}
        assert {name: row["state"] for name, row in mine.items()} == want
        assert mine["muon"]["lock"] is None and mine["van-nhan"]["lock"] is None and mine["khoa"]["lock"]
        assert "counts as not done" in mine["khong-lam"]["why"] and "Locked at 24:00" in mine["khoa"]["why"]
        assert "Art. 8.5c" in mine["muon"]["why"]
        assert (mine["muon"]["revision"], mine["khoa"]["revision"]) == (1, 0)
        assert due(c, "90003") == {}  # it owes nothing: all periods end after it
        assert set(due(c, "90001", until=day(3))) == set(want) - {"chua-mo", "dang-mo", "dung-han"}
        assert c.ask("DUE", unit="90001", until="soon").code == "HEAD"
        assert c.ask("DUE", unit="90009").code == "UNKNOWN"
        status, rows = daemon.get("/v1/due", unit="90001")  # the same over HTTP, in its own language
        assert status == 200 and {r["form"]: r["state"] for r in rows} == want
        assert "Khóa kỳ" in {r["form"]: r["why"] for r in rows}["khoa"]
        assert daemon.get("/v1/due", unit="90003") == (200, [])
        assert [daemon.get("/v1/due", **q)[0] for q in ({"unit": "90009"}, {}, {"unit": "90001", "until": "5/2026"})] == [
            404, 400, 400]

    status = counts(daemon)
    assert (status["khoa"]["overdue"], status["khoa"]["final"], status["khoa"]["owed"]) == (3, 3, 3)
    assert (status["muon"]["late"], status["muon"]["overdue"], status["muon"]["final"]) == (2, 1, 0)
    assert (status["dung-han"]["on_time"], status["dung-han"]["pending"]) == (2, 1)
    assert status["chi-phuong"]["owed"] == 0 if "chi-phuong" in status else True
    assert "het-hieu-luc" not in status

    # An extension and an exemption change the state and say by whose decision.
    postgres.sql("UPDATE baocao.obligation SET extended_to = now() + interval '2 days'"
                 " WHERE unit = (SELECT unit FROM baocao.unit WHERE code = '90002')"
                 "   AND form = (SELECT form FROM baocao.form WHERE id = 'muon')")
    postgres.sql("UPDATE baocao.obligation SET exempt = true"
                 " WHERE unit = (SELECT unit FROM baocao.unit WHERE code = '90002')"
                 "   AND form = (SELECT form FROM baocao.form WHERE id = 'dung-han')")
    for kind, name in (("extended", "muon"), ("exempted", "dung-han")):
        postgres.sql("INSERT INTO baocao.obligation_event (unit, form, period, seq, leaf, kind, at, actor, reason,"
                     " decision, due_at, exempt) SELECT unit, form, period, 999, 0, %s, now(), 'VP', 'bão số 5',"
                     " 'Quyết định 12/QĐ-UBND', due_at, exempt"
                     " FROM baocao.obligation WHERE unit = (SELECT unit FROM baocao.unit WHERE code = '90002')"
                     " AND form = (SELECT form FROM baocao.form WHERE id = %s)", kind, name)
    with Client(daemon.reports_port, lang="vi") as c:
        mine = due(c, "90002")
        assert mine["muon"]["state"] == "pending" and "Đã được gia hạn đến" in mine["muon"]["why"]
        assert mine["dung-han"]["state"] == "exempt" and "(Quyết định 12/QĐ-UBND; bão số 5)" in mine["dung-han"]["why"]
    checked = daemon.operate("units", "check")
    assert checked.returncode == 0 and "4  Xã" in checked.stdout, checked.stdout + checked.stderr
    status = counts(daemon)
    assert (status["muon"]["pending"], status["dung-han"]["exempt"], status["dung-han"]["pending"]) == (1, 1, 0)

    # Who speaks for every unit, as here, hears what none of them has read, but is not reminded of all they owe.
    outcome(postgres, "90002", "muon", 1, 7)
    with Client(daemon.reports_port) as c:
        assert told(c, "RETURNED")[0].unit == "90002"
        assert not [f for f in c.told if f.verb == "REMIND"]

    # The command shows the same, and the files alone answer without the hub, and for it while the database is away.
    asked = daemon.baocao("due", "--unit", "90001", "--lang", "en", "--format", "json")
    assert asked.returncode == 0, asked.stderr
    assert {row["form"]: row["state"] for row in json.loads(asked.stdout)} == want
    text = daemon.baocao("due", "--unit", "90002", "--until", day(30))
    assert "quá hạn chưa gửi" in text.stdout and "Đã được gia hạn đến" in text.stdout, text.stdout
    local = ("--forms", daemon.schemas, "--province", daemon.province)
    files = daemon.programs.run("due", "--unit", "Xã Một", "--format", "json", *local)
    assert {row["state"] for row in json.loads(files.stdout)} == {"unknown"}, files.stdout + files.stderr
    assert {row["form"] for row in json.loads(files.stdout)} == {"dung-han", "dang-mo", "chua-mo"}
    assert daemon.programs.run("due", "--unit", "Xã Mười", *local).returncode == 2
    postgres.kill()
    with Client(daemon.reports_port) as c:
        away = due(c, "90001")
        assert {row["state"] for row in away.values()} == {"unknown"} and away["khoa"]["revision"] is None


# ------------------------------------------------------------------ units through time

def pki(root, *units):
    """A certificate for the server and one for each unit."""
    for words in (("authority",), ("server", "localhost", "127.0.0.1"), *(("unit", u) for u in units)):
        subprocess.run([os.path.join(SOURCE, "deploy", "pki"), root, *words], check=True, capture_output=True)
    if USER:
        for name in os.listdir(root):
            shutil.chown(os.path.join(root, name), USER)
    return {"tls": {"certificate": f"{root}/server.pem", "key": f"{root}/server.key", "authorities": f"{root}/ca.pem"}}


def connect(daemon, root, code, **keys):
    sock = connect_tls("localhost", daemon.reports_port, f"{root}/ca.pem", f"{root}/unit-{code}.pem",
                       f"{root}/unit-{code}.key")
    return Client(0, sock=sock, **keys)


@pytest.fixture
def certificates(make_folder):
    return make_folder("pki")


def merged():
    """90001 and a third of 90004 became 90002, the rest of 90004 became 90003; 90002 was itself merged into 90005."""
    return [
        unit("90001", "Xã Hoà Bình", **{"to": day(-10)}),
        unit("90004", "Xã Bến", **{"to": day(-10)}),
        unit("90002", "Xã Hòa Bến", **{"from": day(-9), "to": day(-5), "was": [{"code": "90001"},
                                                                              {"code": "90004", "share": 0.3}]}),
        unit("90003", "Xã Bến Mới", **{"from": day(-9), "was": [{"code": "90004", "share": 0.7}]}),
        unit("90005", "Phường Hòa Bình", "ward", **{"from": day(-4), "was": [{"code": "90002"}]}),
        unit("90006", "Xã Khác"),
    ]


def test_a_successor_owes_sends_and_corrects_what_merged_units_owed(make_daemon, postgres, folder, certificates):
    config = pki(certificates, "90003", "90005", "90006")
    province = Province(folder, [once("truoc", -40, -12, -2), once("giua", -40, -7, 4), once("sau", -40, -3, 6)], merged())
    daemon = province.serve(make_daemon, postgres, config)
    with connect(daemon, certificates, "90005") as c:
        mine = [json.loads(line) for line in c.ask("DUE", unit="90005").body.decode("utf-8").splitlines()]
        assert {(r["form"], r["unit"], r["state"]) for r in mine} == {
            ("truoc", "90001", "overdue"), ("giua", "90002", "pending"), ("sau", "90005", "pending")}
        passed = {r["form"]: r["why"] for r in mine}
        assert 'unit: "90001"' in passed["truoc"] and "successor" in passed["giua"] and "successor" not in passed["sau"]
        first = c.submit(report("truoc", "90001", day(-12), 5))
        assert (first.state, first.due, first.unit) == ("committed", "late", "90001")
        mended = c.submit(report("truoc", "90001", day(-12), 7, 2))
        assert (mended.state, mended.rev) == ("committed", "2")
        assert c.submit(report("giua", "90002", day(-7), 1)).due == "on-time"
        assert c.ask("STAT", form="truoc", unit="90001", period=day(-12)).receipt == mended.receipt
        assert c.ask("STAT", receipt=first.receipt).unit == "90001"
        # Its own code did not exist then; what went elsewhere or is somebody else's is not its to send.
        early, late = (c.submit(report(name, code, day(last), 5)) for name, code, last in (
            ("truoc", "90005", -12), ("sau", "90001", -3)))
        assert (early.code, late.code) == ("NOTOWED", "NOTOWED")
        assert 'owed by 90001 (Xã Hoà Bình).' in early.findings[0][4], early
        assert 'owed by 90005 (Phường Hòa Bình).' in late.findings[0][4], late
        for other in ("90004", "90006"):
            assert c.submit(report("truoc", other, day(-12), 5)).code == "UNIT"
            assert c.ask("DUE", unit=other).code == "UNIT"
        gone = c.ask("DUE", unit="90001")
        assert [json.loads(line)["state"] for line in gone.body.splitlines()] == ["late"]
        assert gone.heir == "90005" and c.ask("DUE", unit="90005").heir is None
    with connect(daemon, certificates, "90003") as c:  # the larger part of 90004
        assert c.submit(report("truoc", "90004", day(-12), 3)).state == "committed"
        assert c.submit(report("truoc", "90001", day(-12), 3, 3)).code == "UNIT"
    with connect(daemon, certificates, "90006") as c:
        assert c.ask("STAT", receipt=first.receipt).code == "UNKNOWN"
    assert postgres.sql("SELECT value FROM office.value WHERE form = 'truoc' AND unit = '90001'")[0][0] == 7
    assert counts(daemon)["truoc"]["owed"] == 3  # 90001, 90004, 90006: who existed on the last day

    # What was given back to a unit that is no more is told to its successor, at HELLO and when it appears.
    outcome(postgres, "90001", "truoc", 2, 500)
    with connect(daemon, certificates, "90005") as c, connect(daemon, certificates, "90006") as other:
        assert told(c, "RETURNED")[0].unit == "90001"
        outcome(postgres, "90002", "giua", 1, 501)
        wait_for(lambda: {f.unit for f in told(c, "RETURNED")} == {"90001", "90002"})  # one of them perhaps twice
        assert not [f for f in other.told if f.verb == "RETURNED"]
        c.ask("DUE", unit="90005")  # reads what became of all that it answers for
        wait_for(lambda: unread(postgres) == 0)

    # The client says it as it does from the files, and goes on with the one that answers now.
    told_by = [daemon.programs.run("due", "--unit", "90001", "--format", "json", "--lang", lang, "--to", f"127.0.0.1:{daemon.reports_port}",
                                   "--ca", f"{certificates}/ca.pem", "--cert", f"{certificates}/unit-90005.pem",
                                   "--key", f"{certificates}/unit-90005.key") for lang in ("vi", "en")]
    assert all({row["unit"] for row in json.loads(t.stdout)} == {"90001", "90002", "90005"} for t in told_by), told_by
    assert "90001 là đơn vị cũ; nay thuộc 90005" in told_by[0].stderr and "today it is 90005" in told_by[1].stderr

    # Over HTTP a successor's secret opens the same.
    secret = make_token(daemon, "--unit", "90005", ca=f"{certificates}/ca.pem")

    def http(method, path, body=None, **more):
        return ask(daemon, method, path, body, token=secret, ca=f"{certificates}/ca.pem", **more)

    assert {r["unit"] for r in http("GET", "/v1/due").json} == {"90001", "90002", "90005"}
    assert {r["unit"] for r in http("GET", "/v1/due?unit=90001").json} == {"90001"}
    assert http("GET", "/v1/due?unit=90004").status == 403
    put = http("PUT", f"/v1/reports/90001/truoc/{day(-12)}/3", report("truoc", "90001", day(-12), 8, 3),
               content_type="application/yaml")
    assert put.status == 201, put
    assert http("GET", f"/v1/reports/90001/truoc/{day(-12)}").json["rev"] == 3
    assert http("GET", f"/v1/reports/90004/truoc/{day(-12)}").status == 403

    # Old and new places of tone marks find the same unit, by the files and over the wire.
    words = ("--forms", daemon.schemas, "--province", daemon.province, "--until", day(30), "--format", "json")
    for name in ("Phường Hoà Bình", "phường hòa bình", "hoa binh"):
        found = daemon.programs.run("due", "--unit", name, *words)
        assert found.returncode == 0, found.stderr
        assert {row["unit"] for row in json.loads(found.stdout)} == {"90002", "90005"}


# ------------------------------------------------------------------ new files

def test_new_files_are_taken_or_refused_with_the_reason(make_daemon, postgres, folder):
    ahead = [{"working_days": 1}]
    province = Province(folder, [
        form("ngay", {"type": "day", "calendar": "civil"}, deadline=ahead, lock={"days": 2, "then": "refuse"},
             effective={"from": day(-3), "to": None}),
        once("xong", -30, -10, -5)], [unit("90001", "Xã Một"), unit("90002", "Xã Hai")])
    daemon = province.serve(make_daemon, postgres)

    def deadlines():
        return dict(postgres.sql("SELECT p.label, o.due_at::text FROM baocao.obligation o"
                                 " JOIN baocao.period p USING (form, period) JOIN baocao.form_name f USING (form)"
                                 " WHERE f.id = 'ngay' AND o.unit = 1"))

    with Client(daemon.reports_port) as c:
        assert c.submit(report("xong", "90001", day(-10), 4)).state == "committed"
        before, old = deadlines(), due(c, "90001")
        assert (min(before), max(before)) == (day(-3), day(400))  # from the form's first day to 400 days ahead

        def locks():
            return dict(postgres.sql("SELECT u.code, o.lock_at FROM baocao.obligation o JOIN baocao.unit u USING (unit)"
                                     " JOIN baocao.period p USING (form, period) WHERE p.label = %s", day(12)))

        # What the office set stands, whatever the files move.
        done = daemon.operate("office", "extend", "--form", "ngay", "--unit", "90002", "--period", day(12),
                              "--until", day(40) + "T17:00", "--reason", "mất điện")
        assert done.returncode == 0, done.stderr
        locked = locks()
        assert locked["90002"] > locked["90001"]

        # A holiday: what is ahead moves and is listed, what is past stays.
        province.holidays["holidays"].append({"from": day(10), "to": day(16), "name": "Nghỉ thử", "basis": "Thông báo 1"})
        province.write()
        shown = daemon.operate("units", "apply", "--dry-run")
        assert shown.returncode == 0 and deadlines() == before, shown
        log = reload(daemon)
        after = deadlines()
        moved = {p for p in before if before[p] != after[p]}
        assert moved and min(moved) >= day(7), sorted(moved)
        assert all(f"Hạn gửi ngay kỳ {p} của 2 đơn vị chuyển từ " in shown.stdout for p in moved), shown.stdout
        assert all(f"deadline moved: ngay {p}: due" in daemon.log() for p in moved), log
        assert due(c, "90001")["xong"]["due"] == old["xong"]["due"]
        assert locks()["90001"] > locked["90001"] and locks()["90002"] == locked["90002"]

        # Dates beyond the known holidays say that they are provisional, until they are known.
        province.holidays["known_to"] = day(20)
        province.write()
        reload(daemon)
        provisional = postgres.sql("SELECT count(*) FILTER (WHERE provisional AND due_at < now() + interval '19 days'),"
                                   " count(*) FILTER (WHERE NOT provisional AND due_at > now() + interval '23 days')"
                                   " FROM baocao.obligation")[0]
        assert provisional == (0, 0)
        far = [json.loads(line) for line in c.ask("DUE", unit="90001", until=day(60)).body.decode().splitlines()]
        assert all(("provisional" in r["why"]) == r["provisional"] for r in far) and any(r["provisional"] for r in far)
        province.holidays["known_to"] = day(1000)

        # Without 90001 its report would be nobody's: refused, and everything goes on as before.
        whole = province.units
        province.units = whole[1:]
        province.write()
        size = len(daemon.log())
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "those in force stay" in daemon.log()[size:], 60)
        assert "90001" in daemon.log()[size:] and "keep the unit in units.yaml" in daemon.log()[size:]
        assert c.submit(report("xong", "90001", day(-10), 5, 2)).state == "committed"
        assert due(c, "90001")["xong"]["revision"] == 2
        # Closed instead of erased it is taken.
        province.units = [{**whole[0], "to": day(-1)}, whole[1]]
        province.write()
        assert "those in force stay" not in reload(daemon)
        assert postgres.sql("SELECT count(*) FROM baocao.obligation o JOIN baocao.unit u USING (unit)"
                            " WHERE u.code = '90001' AND o.cutoff > current_date + 1")[0][0] == 0

        # A form of a programme that the province does not carry out is named, not dropped in silence.
        province.forms.append(once("la", -3, 5, 9, programme="khac-han"))
        province.write()
        assert "form la v1 is not used" in wait_for(lambda: reload(daemon) and daemon.log())
        assert c.submit(report("la", "90002", day(5), 1)).code == "FORM"
    checked = daemon.operate("forms", "check")
    assert "la v1: không dùng" in checked.stdout and "khac-han" in checked.stdout, checked.stdout


# ------------------------------------------------------------------ what units are told

def outcome(postgres, code, name, revision, seq, **more):
    row = {"kind": "returned", "state": "returned", "symbol": None, "detail": "Thiếu phụ lục", "until": day(4) + " 17:00+07",
           **more}
    postgres.sql("INSERT INTO baocao.outcome (unit, seq, leaf, kind, receipt, form, period, revision, state, symbol, detail,"
                 " until) SELECT o.unit, %s, 0, %s, NULL, o.form, o.period, %s, %s, %s, %s, %s FROM baocao.obligation o"
                 " JOIN baocao.unit u USING (unit) JOIN baocao.form_name f USING (form) WHERE u.code = %s AND f.id = %s",
                 seq, row["kind"], revision, row["state"], row["symbol"], row["detail"], row["until"], code, name)


def unread(postgres):
    return postgres.sql("SELECT count(*) FROM baocao.outcome")[0][0]


def told(client, *verbs, n=1):
    """Waits until n frames of these verbs have been told."""
    def look():
        client.ask("PING")
        found = [frame for frame in client.told if frame.verb in verbs]
        return found if len(found) >= n else None
    return wait_for(look, 60, every=0.2)


def test_outcomes_are_told_until_they_are_read(make_daemon, postgres, folder, certificates):
    config = pki(certificates, "90001", "90002")
    province = Province(folder, [once("muon", -30, -10, -5), once("sap", -30, -1, 2), once("con-lau", -30, 3, 60)],
                        [unit("90001", "Xã Một"), unit("90002", "Xã Hai"),
                         unit("90000", "Xã Không", **{"to": day(-8)}),
                         unit("90003", "Xã Ba", **{"from": day(-7), "was": [{"code": "90000"}]})])
    daemon = province.serve(make_daemon, postgres, config)
    with connect(daemon, certificates, "90001") as c:
        assert c.submit(report("muon", "90001", day(-10), 4)).state == "committed"
    with connect(daemon, certificates, "90001") as c, connect(daemon, certificates, "90002", lang="vi") as other:
        # While it is connected: whoever writes the row, the unit hears of it, and nobody else.
        outcome(postgres, "90001", "muon", 1, 1000)
        back = told(c, "RETURNED")[0]
        assert (back.form, back.unit, back.period, back.rev) == ("muon", "90001", day(-10), "1")
        assert back.until.startswith(day(4) + "T17:00") and back.body.decode("utf-8") == "Thiếu phụ lục"
        assert not [f for f in other.told if f.verb == "RETURNED"]

        # What is near or past its deadline is told once on a connection: not what has come, not what is far.
        reminded = told(other, "REMIND", n=2)
        assert {f.form for f in reminded} == {"muon", "sap"} and all(f.unit == "90002" for f in reminded)
        bodies = {f.form: f.body.decode("utf-8") for f in reminded}
        assert "quá hạn" in bodies["muon"] and "Sắp đến hạn" in bodies["sap"]
        assert {f.due[:10] for f in reminded if f.form == "sap"} == {day(3)}  # 24:00 of the day after tomorrow
        assert [f.form for f in told(c, "REMIND")] == ["sap"]
    assert unread(postgres) == 1
    second = province.serve(make_daemon, postgres, config, beside=daemon)
    for daemon_now in (daemon, second):  # after each HELLO, on any daemon
        with connect(daemon_now, certificates, "90001") as c:
            assert told(c, "RETURNED")[0].rev == "1"
    with connect(second, certificates, "90001") as c:
        told(c, "RETURNED")
        row = due(c, "90001")["muon"]
        assert "Thiếu phụ lục" in row["why"] and row["state"] == "late", row
        wait_for(lambda: unread(postgres) == 0)
    with connect(daemon, certificates, "90001") as c:
        assert [f.form for f in told(c, "REMIND")] == ["sap"]
        assert not [f for f in c.told if f.verb == "RETURNED"]
        # A queued report's outcome; STAT of another revision leaves it unread, STAT of this one does not.
        outcome(postgres, "90001", "muon", 2, 1001, kind="done", state="refused", symbol="LOCKED", detail=None, until=None)
        refused = told(c, "DONE")[0]
        assert (refused.state, refused.code, refused.rev) == ("refused", "LOCKED", "2")
        assert c.ask("STAT", form="muon", unit="90001", period=day(-10), rev=1).verb == "OK"
        assert c.submit(report("muon", "90001", day(-10), 5, 2)).state == "committed"
        assert unread(postgres) == 1
        assert c.ask("STAT", form="muon", unit="90001", period=day(-10), rev=2).verb == "OK"
        wait_for(lambda: unread(postgres) == 0)
        # With the database away nothing is told and nothing breaks.
        postgres.kill()
        assert c.ask("PING").verb == "OK"


# ------------------------------------------------------------------ the delivered calendars

@pytest.mark.parametrize("name", ["01-ha-noi", "66-dak-lak", "68-lam-dong"])
def test_every_year_has_its_eleven_statutory_days(programs, name):
    """Labour Code Art. 112: 1 January, five days of Lunar New Year, Hung Kings' Day, 30 April, 1 May, two of National Day;
    one that falls on a weekend is given on a working day, and a day swapped away is worked on a Saturday."""
    path = os.path.join(programs.schemas, "provinces", name, "holidays.yaml")
    loaded = programs.run("load", path)
    calendar = json.loads(loaded.stdout)
    for year in range(2025, int(calendar["known_to"][:4]) + 1):
        statutory, swapped = [], []
        for row in calendar["holidays"]:
            first, last = (datetime.date.fromisoformat(row.get(k, row["from"])) for k in ("from", "to"))
            days = [first + datetime.timedelta(days=i) for i in range((last - first).days + 1)]
            into = swapped if "hoán đổi" in row["name"]["vi"] else statutory
            into += [d for d in days if d.year == year and d.weekday() < 5]
        worked = [d for d in calendar["working"] if d.startswith(str(year))]
        assert len(statutory) == len(set(statutory)) == 11, (year, statutory)
        assert len(swapped) == len(worked), (year, swapped, worked)
        assert all(datetime.date.fromisoformat(d).weekday() >= 5 for d in worked)
        fixed = {(1, 1), (4, 30), (5, 1), (9, 2)}
        off = {(d.month, d.day) for d in statutory}
        assert all((m, d) in off or datetime.date(year, m, d).weekday() >= 5 for m, d in fixed)
        assert len([d for d in statutory if d.month in (1, 2) and d != datetime.date(year, 1, 1)]) == 5


# ------------------------------------------------------------------ states and rates

def test_states_add_up_and_rates_say_what_they_divide(make_daemon, postgres, folder):
    """Whatever stands in the store: each obligation has one state, the same in the view, over HTTP and by DUE, and every
    rate is its numerator by its denominator."""
    dice = random.Random(2019)
    ratio = {"code": "share", "label": {"vi": "Tỷ lệ", "en": "Share"}, "measure": {"vi": "%", "en": "%"},
             "ratio": {"of": "n", "to": "m", "percent": True}}
    rated = once("ty-le", -30, -10, -5)
    rated["schema"]["properties"]["tong"] = {"title": "Tổng", "type": "integer", "minimum": 0}
    rated["indicators"] += [{**rated["indicators"][0], "code": "m", "value": "self.tong"}, ratio]
    units = [unit(f"9{i:04}", f"Xã {i}", "ward" if i % 3 == 0 else "commune") for i in range(24)]
    province = Province(folder, [once("a", -30, -10, -5), once("b", -30, -3, 5), rated], units)
    daemon = province.serve(make_daemon, postgres)
    codes = [u["code"] for u in units]
    connection = postgres.connect()
    connection.autocommit = True
    cursor = connection.cursor()
    for _ in range(3):
        truth = {}
        for form_id in ("a", "b"):
            for code in codes:
                counted, exempt, extended = dice.random() < 0.5, dice.random() < 0.25, dice.random() < 0.25
                hours, moved = dice.randrange(-400, 400), dice.randrange(-200, 200)
                cursor.execute(
                    "UPDATE baocao.obligation SET revision = %s, exempt = %s, received_at = now() + %s * interval '1 hour',"
                    " extended_to = CASE WHEN %s THEN now() + %s * interval '1 hour' END"
                    " WHERE unit = (SELECT unit FROM baocao.unit WHERE code = %s) AND form = (SELECT form FROM"
                    " baocao.form WHERE id = %s) RETURNING received_at > coalesce(extended_to, due_at),"
                    " now() > coalesce(extended_to, due_at)",
                    (1 if counted else None, exempt, hours, extended, moved, code, form_id))
                deadline = cursor.fetchone()
                truth[form_id, code] = (("late" if deadline[0] else "on-time") if counted else "exempt" if exempt
                                        else "overdue" if deadline[1] else "pending")
        for scope, members in (("99", codes), ("kind:ward", codes[0::3])):
            rows = {r["form"]: r for r in daemon.get("/v1/status", scope=scope)[1]}
            rates = {(r["form"], r["rate"]): r for r in daemon.get("/v1/rates", scope=scope)[1]}
            for form_id in ("a", "b"):
                states = [truth[form_id, code] for code in members]
                want = {s: states.count(s) for s in ("pending", "overdue", "on-time", "late", "exempt")}
                row = rows[form_id]
                assert {s: row[s.replace("-", "_")] for s in want} == want and row["owed"] == sum(want.values())
                cursor.execute("SELECT pending, overdue, on_time, late, exempt, owed FROM office.status WHERE form = %s"
                               " AND scope = %s", (form_id, scope))
                assert cursor.fetchone() == (*want.values(), row["owed"])
                sent, owing = want["on-time"] + want["late"], row["owed"] - want["exempt"]
                for name, of, to in (("reporting_rate", sent, owing), ("on_time_rate", want["on-time"], owing),
                                     ("punctuality", want["on-time"], sent)):
                    rate = rates[form_id, name]
                    assert (rate["numerator"], rate["denominator"]) == (of, to), rate
                    assert (rate["reported"], rate["owed"], rate["percent"]) == (sent, row["owed"], True)
                    assert rate["value"] == (pytest.approx(100 * of / to, abs=1e-6) if to else None)
        with Client(daemon.reports_port) as c:
            for code in dice.sample(codes, 5):
                got = {name: row["state"] for name, row in due(c, code).items() if name in ("a", "b")}
                assert got == {name: truth[name, code] for name in got}
                assert all(name in got for name in ("a", "b") if truth[name, code] in ("pending", "overdue"))
    connection.close()
    text = daemon.baocao("status", "--scope", "99", "--form", "a", "--lang", "en").stdout
    states = [truth["a", code] for code in codes]
    sent, owing = states.count("on-time") + states.count("late"), len(codes) - states.count("exempt")
    assert f"{sent}/{owing} = {round(100 * sent / owing + 1e-9, 1)}%" in text, text

    # A ratio over the units that gave both parts.
    with Client(daemon.reports_port) as c:
        for code, of, to in ((codes[0], 3, 4), (codes[1], 1, 4), (codes[2], 5, None)):
            body = report("ty-le", code, day(-10), of) + ("" if to is None else f"  tong: {to}\n")
            assert c.submit(body).state == "committed"
    rate = {r["rate"]: r for r in daemon.get("/v1/rates", scope="99", form="ty-le")[1]}["share"]
    assert (rate["numerator"], rate["denominator"], rate["value"], rate["reported"], rate["owed"]) == (4, 8, 50, 2, 24)
    assert "50 = 4/8" in daemon.baocao("rollup", "ty-le", "--period", day(-10), "--scope", "99").stdout
    view = postgres.sql("SELECT numerator, denominator, value, reported, owed FROM office.rate WHERE form = 'ty-le'"
                        " AND scope = '99' AND rate = 'share'")[0]
    assert tuple(map(int, view)) == (4, 8, 50, 2, 24)


def test_units_are_found_by_what_people_type(make_daemon, programs):
    daemon = make_daemon().start()

    def found(text):
        return {row["name_vi"] for row in daemon.get("/v1/units", q=text)[1]}

    for text in ("Phường Hoà Hiệp", "phường hòa hiệp", "hoa hiep"):
        rows = daemon.get("/v1/units", q=text)[1]  # today's first, then those of before July 2025
        assert [r["name_vi"] for r in rows if r["valid_to"] is None] == [rows[0]["name_vi"]] == ["Phường Hoà Hiệp"], text
        assert len(rows) > 1 and all("Hiệp" in r["name_vi"] and r["heir"] for r in rows[1:]), text
    assert found("Tuy Hoà") == found("Tuy Hòa") and "Phường Tuy Hoà" in found("tuy hoa")
    assert found("H15.0") == {row["name_vi"] for row in daemon.get("/v1/units")[1] if row["unit"].startswith("H15.0")}
    assert found("không có xã này") == set() and daemon.get("/v1/units", q="-")[1] == []
    made = daemon.programs.run("new", "nd73-quarterly", "--unit", "phường hòa hiệp", "--period", "2026-Q3")
    assert made.returncode == 0 and 'unit: "22261"' in made.stdout, made.stderr
    by_name = daemon.baocao("status", "--missing", "--unit", "Phường Hoà Hiệp", "--format", "json")
    by_code = daemon.baocao("status", "--missing", "--unit", daemon.get("/v1/units", q="Hoà Hiệp")[1][0]["unit"],
                            "--format", "json")
    assert by_name.returncode == 0 and json.loads(by_name.stdout) == json.loads(by_code.stdout) != []


def test_a_return_and_a_drained_spool_reach_the_unit(make_daemon, postgres, folder):
    province = Province(folder, [once("muon", -30, -10, -5), once("sap", -30, -1, 2)], [unit("90001", "Xã Một")])
    daemon = province.serve(make_daemon, postgres)
    with Client(daemon.reports_port) as c:
        assert c.submit(report("muon", "90001", day(-10), 4)).state == "committed"
        done = daemon.operate("office", "return", "--form", "muon", "--unit", "90001", "--period", day(-10), "--reason",
                              "Số liệu chưa khớp")
        assert done.returncode == 0, done.stdout + done.stderr
        back = told(c, "RETURNED")[0]
        assert (back.form, back.rev, back.body.decode("utf-8")) == ("muon", "1", "Số liệu chưa khớp")
        row = due(c, "90001")["muon"]
        assert (row["state"], row["revision"]) == ("overdue", 0) and "Số liệu chưa khớp" in row["why"]
        wait_for(lambda: unread(postgres) == 0)

        postgres.kill()
        queued = c.submit(report("sap", "90001", day(-1), 9))
        assert queued.state == "queued", queued  # so the database was away
        postgres.start()
        stored = told(c, "DONE")[0]
        assert (stored.receipt, stored.state, stored.form, stored.rev) == (queued.receipt, "committed", "sap", "1")
        wait_for(lambda: c.ask("STAT", receipt=queued.receipt).verb == "OK")  # reading has a connection of its own
        final = c.ask("STAT", receipt=queued.receipt)
        assert (final.state, final.due) == ("committed", "on-time")
        wait_for(lambda: unread(postgres) == 0)


def test_a_new_day_looks_at_what_is_recent_and_a_start_at_everything(make_daemon, postgres, folder):
    """What a following sync of the same files finds gone it makes again if it is recent; older rows cost it nothing, and
    those that were reported stay. Only a start looks at all of them."""
    province = Province(folder, [form("thang", {"type": "month", "calendar": "civil"}, deadline=[{"working_days": 2}])],
                        [unit("90001", "Xã Một"), unit("90002", "Xã Hai")])
    daemon = province.serve(make_daemon, postgres)

    def owed():
        return {(unit, cutoff) for unit, cutoff in postgres.sql("SELECT unit, cutoff FROM baocao.obligation")}

    first = owed()
    old, new = (edge(cutoff for _, cutoff in first) for edge in (min, max))
    assert old < datetime.date.today() - datetime.timedelta(days=1700) and new > datetime.date.today()
    with Client(daemon.reports_port) as c:
        assert c.submit(report("thang", "90001", f"{old:%Y-%m}", 4)).state == "committed"
    gone = postgres.sql("DELETE FROM baocao.obligation WHERE cutoff = %s OR cutoff = %s AND last_revision = 0 RETURNING cutoff",
                        new, old)
    assert sorted(cutoff for cutoff, in gone) == [old, new, new]
    size = len(daemon.log())
    assert postgres.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE application_name LIKE 'baocaod%'")[0][0] > 0  # whoever comes back syncs anew
    wait_for(lambda: "obligations: 2 made, 0 moved, 0 dropped" in daemon.log()[size:])
    assert {cutoff for _, cutoff in first - owed()} == {old} and len(first - owed()) == 1
    assert daemon.stop() == 0
    daemon.start()
    wait_for(lambda: owed() == first)
    with Client(daemon.reports_port) as c:
        assert c.submit(report("thang", "90001", f"{old:%Y-%m}", 4)).dup == "1"


def test_a_store_that_owes_much_is_taken_up_again(make_daemon, postgres, make_folder):
    """Every start compares what is owed with what is stored. Joined each with each, as a planner does that knows nothing
    of the rows just staged, 52,000 obligations take minutes, under the lock that every report waits for."""
    monthly = form("thang", {"type": "month", "calendar": "civil"}, deadline=[{"working_days": 2}])
    province = Province(make_folder("much"), [monthly], [unit(str(10000 + i), f"Xã {i}") for i in range(700)])
    daemon = province.serve(make_daemon, postgres)
    assert daemon.stop() == 0
    assert postgres.sql("SELECT count(*) > 50000 FROM baocao.obligation") == [(True,)]
    for grown in (False, True):
        if grown:  # as autovacuum leaves it
            postgres.sql("ANALYZE")
        daemon.start()
        assert daemon.stop() == 0
    assert "deadline moved" not in daemon.log()
