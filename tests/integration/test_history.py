"""Checks that look back, through the wire and offline: refused, explained, warned; in one batch; against another version
of the form."""
import json
import os
import signal
import time

import pytest
from brp import Client
from conftest import wait_for
from histories import FORM, UNITS, add_form, report, schemas_with_form
from reports import check_exact, many, send_until_committed

TASKS = {"NV-1": 40, "NV-2": 10}
BACK = {"NV-1": 30, "NV-2": 10}
WHY = {"tien-do-lui": {"NV-1": "Rà soát lại thì phần đã làm phải làm lại từ đầu."}}


@pytest.fixture
def hub(make_daemon, programs):
    daemon = make_daemon()
    daemon.schemas, daemon.province = schemas_with_form(daemon.root, programs)
    return daemon.start()


@pytest.fixture
def client(hub):
    with Client(hub.reports_port, lang="vi") as client:
        yield client


def fate(answer):
    return answer.state or answer.code


def sentences(answer):
    return [(code, sentence) for _, _, code, _, sentence in answer.findings]


def offline(hub, text, *past):
    """What `baocao check` says of the same files: (symbol or OK, lines as on the wire)."""
    paths = []
    for i, document in enumerate((text, *past)):
        paths.append(os.path.join(hub.root, f"offline-{i}.yaml"))
        with open(paths[-1], "w", encoding="utf-8") as f:
            f.write(document)
    history = ["--history", *paths[1:]] if past else []
    done = hub.programs.run("check", paths[0], *history, "--forms", hub.schemas, "--province", hub.province, "--format",
                            "json")
    verdict = json.loads(done.stdout)[0]
    return verdict["symbol"] or "OK", [(f["line"], f["column"], f["code"], f["path"], f["message"]["vi"])
                                       for f in verdict["findings"]]


def same_offline(hub, answer, text, *past):
    symbol, findings = offline(hub, text, *past)
    assert symbol == (answer.code or "OK")
    wire = answer.findings
    assert [f[:4] for f in wire] == [f[:4] for f in findings]
    for (*_, sentence), (*_, message) in zip(wire, findings):
        assert sentence.startswith(message)
    assert len(wire) == len(findings)


def test_progress_that_falls_back_wants_a_word(hub, client):
    january = report("2026-01", 3, 3, viec=TASKS)
    assert fate(client.submit(january)) == "committed"
    february = report("2026-02", 2, 5, viec=BACK)
    answer = client.submit(february)
    assert (answer.verb, answer.code) == ("NO", "EXPLAIN")
    assert [s for _, s in sentences(answer)][0].startswith("Tiến độ NV-1 lùi từ 40 xuống 30.")
    same_offline(hub, answer, february, january)
    mended = report("2026-02", 2, 5, viec=BACK, explain=WHY)
    answer = client.submit(mended)
    assert fate(answer) == "committed" and "NV-1" in answer.findings[0][4]
    same_offline(hub, answer, mended, january)
    warnings, = hub.sql("SELECT warnings FROM office.report WHERE form = 'thu-ky-truoc' AND period = '2026-02'")[0]
    assert [w["check"] for w in json.loads(warnings)] == ["tien-do-lui"]
    again = client.submit(mended)
    assert again.dup == "1" and again.receipt == answer.receipt


def test_a_task_that_is_dropped_is_refused(hub, client):
    january = report("2026-01", 3, 3, viec={**TASKS, "NV-9": 100})
    client.submit(january)
    february = report("2026-02", 2, 5, viec={"NV-1": 50})
    answer = client.submit(february)
    assert answer.code == "INVALID" and len(answer.findings) == 1 and "NV-2" in answer.findings[0][4]
    same_offline(hub, answer, february, january)
    assert fate(client.submit(report("2026-02", 2, 5, viec={"NV-1": 50, "NV-2": 10}))) == "committed"


def test_mistakes_of_its_own_and_against_the_past_are_told_together(hub, client):
    january = report("2026-01", 3, 3, viec=TASKS)
    client.submit(january)
    february = report("2026-02", 2, 7, viec={"NV-1": 50, "NV-2": 101})
    answer = client.submit(february)
    assert answer.code == "INVALID"
    assert any("phải bằng 3 của các tháng trước cộng 2" in s for _, s in sentences(answer)) and len(answer.findings) == 2
    same_offline(hub, answer, february, january)


def test_sums_since_january(hub, client):
    texts = [report("2026-01", 3, 3), report("2026-02", 4, 7), report("2026-03", 5, 12)]
    assert client.submit(report("2026-01", 3, 4)).code == "INVALID"  # the first period: nothing before it, so 0
    for text in texts:
        assert fate(client.submit(text)) == "committed"
    wrong = report("2026-04", 1, 12)
    answer = client.submit(wrong)
    assert answer.code == "INVALID" and "phải bằng 12 của các tháng trước cộng 1" in answer.findings[0][4]
    same_offline(hub, answer, wrong, *texts)
    # A month is missing: the sum is not known, so nobody is refused for it.
    assert fate(client.submit(report("2026-06", 1, 999))) == "committed"
    # A nil report counts as zero; an exempt month is not owed.
    nil = "form: thu-ky-truoc\nunit: \"24133\"\nperiod: 2026-04\nnil: true\n"
    assert fate(client.submit(nil)) == "committed"
    assert client.submit(report("2026-05", 1, 99)).code == "INVALID"
    assert fate(client.submit(report("2026-05", 1, 13))) == "committed"


def open_alerts(hub):
    return len([a for a in hub.get("/v1/alerts", form="thu-ky-truoc")[1] if a["state"] == "open"])


def test_an_act_of_the_office_is_seen_by_later_reports_at_once(hub, client):
    """January is missing, so nobody can say what February should add up to, unless January was not owed. Each act flags it or
    takes the flag back without waiting for the sweep: five times it would be most of a minute."""
    assert fate(client.submit(report("2026-02", 2, 99))) == "committed"
    end = time.monotonic() + 25
    for turn in range(5):
        words = ("owe", "--reason", "Thử nghiệm") if turn % 2 else ("exempt", "--decision", "Số 12/QĐ-UBND")
        done = hub.operate("office", words[0], "--form", "thu-ky-truoc", "--period", "2026-01", "--unit", "24133", *words[1:])
        assert done.returncode == 0, done.stderr
        wait_for(lambda: open_alerts(hub) == 1 - turn % 2, end - time.monotonic())


def test_the_same_month_last_year(hub, client):
    assert fate(client.submit(report("2025-09", 1, 1, so_nguoi=20))) == "committed"
    september = report("2026-09", 1, 1, so_nguoi=19)
    answer = client.submit(september)
    assert fate(answer) == "committed" and "từ 20 xuống 19" in answer.findings[0][4]
    same_offline(hub, answer, september, report("2025-09", 1, 1, so_nguoi=20))


def test_months_sent_together_count_for_each_other(hub):
    """Whatever their order in the batch, and whether they share one: none is refused that would be accepted in order,
    and in order the wrong one is found."""
    for unit, order in zip(UNITS, [(0, 1, 2), (2, 1, 0), (1, 2, 0)]):
        texts = [report(f"2026-0{n}", 1, n, unit=unit, viec=TASKS) for n in (1, 2, 3)]
        with Client(hub.reports_port) as client:
            answers = client.submit_all([texts[i] for i in order])
            assert [fate(a) for a in answers] == ["committed"] * 3
        good, bad = report("2025-07", 3, 3, unit=unit), report("2025-08", 4, 9, unit=unit)
        with Client(hub.reports_port) as client:
            first, second = client.submit_all([good, bad])
        assert fate(first) == "committed" and second.code == "INVALID"
        assert "3 of the months before plus 4" in second.findings[0][4]
    check_exact(hub.sql)


def test_what_another_version_lacks_is_absent(hub, client):
    assert fate(client.submit(report("2026-01", 3, 3, viec=TASKS))) == "committed"
    second = FORM.replace("version: 1", "version: 2").replace("from: 2025-07-01", "from: 2026-02-01").replace(
        "    so_nguoi: {title", "    diem: {title: Điểm, x-en: Score, type: integer}\n    so_nguoi: {title").replace(
        "indicators:\n", "  - id: diem-khong-giam\n    rule: self.diem >= prev.diem\n    at: diem\n    severity: error\n"
        "    message: {vi: \"Điểm giảm từ {prev.diem} xuống {self.diem}.\", en: Score fell.}\nindicators:\n", 1)
    add_form(hub.schemas, second, "thu-ky-truoc.v2.yaml")
    reloads = hub.log().count("reload:")
    hub.process.send_signal(signal.SIGHUP)
    wait_for(lambda: hub.log().count("reload:") > reloads)
    february = report("2026-02", 2, 5, viec=TASKS, more={"diem": 5})
    answer = wait_for(lambda: (lambda a: a if a.verb != "WAIT" else None)(client.submit(february)))
    assert fate(answer) == "committed" and answer.form_version == "2"
    march = client.submit(report("2026-03", 2, 7, viec=TASKS, more={"diem": 4}))
    assert march.code == "INVALID" and "Điểm giảm từ 5 xuống 4." in march.findings[0][4]
    assert client.submit(report("2026-03", 2, 7, viec=BACK, more={"diem": 5})).code == "EXPLAIN"
    # A correction of the old version's month is judged by the old version.
    assert fate(client.submit(report("2026-01", 3, 3, revision=2, viec=TASKS))) == "committed"


def flags(hub, unit="24133"):
    """What stands flagged: {period: checks of its warnings}, {period: text of its open alert}; nothing may be waiting."""
    wait_for(lambda: not hub.sql("SELECT 1 FROM baocao.recheck"))
    warned = {period: [w["check"] for w in json.loads(text)] for period, text in
              hub.sql("SELECT period, warnings FROM office.report WHERE form = 'thu-ky-truoc' AND unit = %s"
                      "   AND state = 'counted' AND warnings IS NOT NULL", unit)}
    alerts = hub.sql("SELECT period, text_vi FROM office.alert WHERE form = 'thu-ky-truoc' AND unit = %s"
                     "   AND kind = 'history' AND state = 'open'", unit)
    assert len(alerts) == len(dict(alerts)), "two alerts for one report"
    return warned, dict(alerts)


def test_a_correction_flags_later_reports_and_another_clears_them(hub, client):
    for text in (report("2026-01", 3, 3, viec=TASKS), report("2026-02", 4, 7, viec=TASKS),
                 report("2026-03", 5, 12, viec=TASKS), report("2026-04", 0, 12, viec=TASKS)):
        assert fate(client.submit(text)) == "committed"
    assert flags(hub) == ({}, {})
    more = {"NV-1": 60, "NV-2": 10, "NV-5": 1}
    assert fate(client.submit(report("2026-01", 4, 4, revision=2, viec=more))) == "committed"
    warned, alerts = flags(hub)
    # The sum of every later month, and the tasks of the next one alone.
    assert set(warned["2026-02"]) == {"luy-ke-khop", "tien-do-lui", "khong-bo-sot"}
    assert warned["2026-03"] == warned["2026-04"] == ["luy-ke-khop"]
    assert set(alerts) == {"2026-02", "2026-03", "2026-04"}
    assert "không còn khớp" in alerts["2026-02"] and "ở 3 chỗ" in alerts["2026-02"]
    assert "phải bằng 13 của các tháng trước cộng 0" in alerts["2026-04"]
    # They count as before: nothing accepted is refused, no figure moves.
    assert hub.sql("SELECT count(*) FROM office.report WHERE form = 'thu-ky-truoc' AND state = 'counted'")[0][0] == 4
    again = client.submit(report("2026-04", 0, 12, viec=TASKS))
    assert again.dup == "1" and fate(again) == "committed"
    # Mending February clears February, and March where it looked at February.
    assert fate(client.submit(report("2026-02", 4, 8, revision=2, viec={**more, "NV-2": 100}))) == "committed"
    warned, alerts = flags(hub)
    assert "2026-02" not in warned and set(warned["2026-03"]) == {"luy-ke-khop", "tien-do-lui", "khong-bo-sot"}
    assert set(alerts) == {"2026-03", "2026-04"}
    # January as it was: all is well again, and the alerts are kept as history.
    assert fate(client.submit(report("2026-01", 3, 3, revision=3, viec=TASKS))) == "committed"
    assert fate(client.submit(report("2026-02", 4, 7, revision=3, viec=TASKS))) == "committed"
    assert flags(hub) == ({}, {})
    assert hub.sql("SELECT DISTINCT state, state_by FROM baocao.alert") == [("closed", "baocaod")]
    assert hub.operate("verify").returncode == 0


def test_a_month_that_comes_late_flags_what_was_taken_without_it(hub, client):
    assert fate(client.submit(report("2026-03", 5, 12, viec=TASKS))) == "committed"  # the sum is not known yet
    assert flags(hub) == ({}, {})
    assert fate(client.submit(report("2026-02", 4, 7, viec={"NV-1": 70}))) == "committed"
    warned, alerts = flags(hub)
    assert warned == {"2026-03": ["tien-do-lui"]} and set(alerts) == {"2026-03"}
    assert fate(client.submit(report("2026-01", 2, 2))) == "committed"
    warned, alerts = flags(hub)
    assert set(warned["2026-03"]) == {"luy-ke-khop", "tien-do-lui"} and warned["2026-02"] == ["luy-ke-khop"]
    assert set(alerts) == {"2026-02", "2026-03"}


def test_a_return_takes_back_what_later_reports_were_held_against(hub, client):
    assert fate(client.submit(report("2026-01", 3, 3, viec=TASKS))) == "committed"
    assert fate(client.submit(report("2026-02", 2, 5, viec=TASKS))) == "committed"
    assert fate(client.submit(report("2026-01", 4, 4, revision=2, viec=TASKS))) == "committed"
    assert set(flags(hub)[1]) == {"2026-02"}
    done = hub.operate("office", "return", "--form", "thu-ky-truoc", "--unit", "24133", "--period", "2026-01", "--reason",
                       "Số liệu chưa đúng")
    assert done.returncode == 0, done.stderr
    assert flags(hub) == ({}, {})
    assert fate(client.submit(report("2026-01", 3, 3, revision=3, viec=TASKS))) == "committed"
    assert flags(hub) == ({}, {})


def test_what_was_taken_into_custody_is_flagged_never_refused(make_daemon, make_postgres, programs):
    postgres = make_postgres()
    hub = make_daemon(database_url=postgres.url)
    hub.schemas, hub.province = schemas_with_form(hub.root, programs)
    hub.start()
    hub.sql = postgres.sql
    with Client(hub.reports_port, timeout=120) as client:
        assert fate(client.submit(report("2026-01", 3, 3, viec=TASKS))) == "committed"
        postgres.stop()
        wrong, right = report("2026-02", 4, 9, viec={"NV-1": 10}), report("2026-02", 4, 9, unit="24211")
        wait_for(lambda: fate(client.submit(wrong)) == "queued", 120)
        assert fate(client.submit(right)) == "queued"
    postgres.start()
    wait_for(lambda: postgres.sql("SELECT count(*) FROM office.report WHERE period = '2026-02' AND state = 'counted'")[0][0] == 2, 120)
    warned, alerts = flags(hub)
    assert set(warned["2026-02"]) == {"luy-ke-khop", "tien-do-lui", "khong-bo-sot"} and set(alerts) == {"2026-02"}
    assert flags(hub, "24211") == ({}, {})  # nobody knows its January
    with Client(hub.reports_port, timeout=120) as client:
        assert fate(client.submit(report("2026-02", 4, 7, revision=2, viec=TASKS))) == "committed"
    assert flags(hub) == ({}, {})


def test_no_flag_is_lost_when_the_daemon_dies(hub):
    for unit in ("24133", "24211", "24259"):
        with Client(hub.reports_port) as client:
            client.submit_all([report("2026-01", 3, 3, unit=unit), report("2026-02", 4, 7, unit=unit)])
    waiting = 0
    for revision in range(2, 7):
        with Client(hub.reports_port) as client:
            for unit in ("24133", "24211", "24259"):
                client.report(report("2026-01", 4 - revision % 2, 4 - revision % 2, unit=unit, revision=revision))
            client.answer(client.txn)
        hub.kill()
        hub.start()
        waiting += 1
    with Client(hub.reports_port) as client:  # every correction that was not answered goes again
        for unit in ("24133", "24211", "24259"):
            answers = client.submit_all([report("2026-01", 4 - n % 2, 4 - n % 2, unit=unit, revision=n) for n in range(2, 7)])
            assert all(a.verb == "OK" for a in answers)
    for unit in ("24133", "24211", "24259"):  # the last revision says 4
        assert flags(hub, unit)[0] == {"2026-02": ["luy-ke-khop"]} and set(flags(hub, unit)[1]) == {"2026-02"}
    assert waiting == 5
    check_exact(hub.sql)


def test_other_forms_beside_it_stay_exact(hub):
    send_until_committed(hub, many(50, seed=3))
    check_exact(hub.sql)
