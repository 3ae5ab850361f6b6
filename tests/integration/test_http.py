"""HTTP: paths, formats, filters, refusals, limits; and the office's commands on top of it."""
import csv
import io
import json
import os
import socket
import time
import urllib.request

import pytest
from conftest import Daemon

FORM, PERIOD = "nd73-quarterly", "2026-Q3"


@pytest.fixture(scope="module")
def hub(programs, template, make_folder):
    """One daemon with the good samples in it, for questions that change nothing."""
    daemon = Daemon(programs, make_folder("hub"), template).start()
    samples = sorted(os.path.join(programs.schemas, "samples", f) for f in os.listdir(os.path.join(programs.schemas, "samples"))
                     if f.endswith((".yaml", ".json")))
    sent = daemon.baocao("send", *samples)
    assert sent.returncode in (0, 1), sent.stderr
    yield daemon
    daemon.clean()


def test_rows_are_the_same_as_json_and_csv(hub):
    status, rows = hub.get("/v1/rollups", form=FORM, period=PERIOD, scope="66")
    assert status == 200 and rows
    with urllib.request.urlopen(f"{hub.server}/v1/rollups.csv?form={FORM}&period={PERIOD}&scope=66") as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        table = list(csv.DictReader(io.StringIO(answer.read().decode("utf-8"), newline="")))
    assert len(table) == len(rows)
    assert list(table[0]) == list(rows[0]) == [
        "form", "period", "period_from", "period_to", "scope", "scope_vi", "indicator", "label_vi", "label_en", "measure",
        "value", "min", "max", "reported", "owed", "target"]
    for a, b in zip(rows, table):
        assert b["indicator"] == a["indicator"]
        assert (b["value"] == "") == (a["value"] is None)
        if a["value"] is not None:
            assert float(b["value"]) == float(a["value"])


def test_accept_header_asks_for_csv(hub):
    request = urllib.request.Request(f"{hub.server}/v1/forms", headers={"Accept": "text/csv"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read().startswith(b"form,version,")


def test_status_adds_up_to_what_is_owed(hub):
    status, rows = hub.get("/v1/status", form=FORM, period=PERIOD)
    assert status == 200 and {r["scope"] for r in rows} >= {"66", "kind:ward", "kind:commune", "kind:department"}
    for r in rows:
        assert r["owed"] == r["on_time"] + r["late"] + r["overdue"] + r["pending"] + r["exempt"], r


def test_units_and_forms_are_listed(hub):
    units = hub.get("/v1/units")[1]
    assert sum(u["kind"] in ("commune", "ward") for u in units) == 102
    forms = hub.get("/v1/forms")[1]
    assert FORM in {f["form"] for f in forms}


@pytest.mark.parametrize("path,status", [
    ("/v1/nothing", 404), ("/", 404), ("/v1/rollups?period=2026-Q9", 422), ("/v1/rollups?limit=0", 400),
    ("/v1/rollups?limit=abc", 400), ("/healthz", 200), ("/readyz", 200)])
def test_answers_have_the_right_status_and_both_languages(hub, path, status):
    got, body = hub.get(path)
    assert got == status
    if status >= 400:
        assert body["message"]["vi"] and body["message"]["en"]


@pytest.mark.parametrize("path, known", [
    ("/v1/rollups?perod=2026-Q3", "form, period, span"), ("/v1/status.csv?form=x&Form=y", "units"), ("/v1/due?until=2026-12-31&unti=1", "until"),
])
def test_a_mistyped_parameter_is_named_with_those_there_are(hub, path, known):
    """Left out without a word, it would answer everything in place of what was asked."""
    status, refusal = hub.get(path)
    assert status == 400 and refusal["code"] == "QUERY"
    stray = path.replace("?", "&").split("&")[-1].split("=")[0]
    assert all(f"“{stray}”" in refusal["message"][lang] and known in refusal["message"][lang] for lang in ("vi", "en"))
    status, refusal = hub.get("/v1/forms?%E2%80%AE%FF%01=1")
    assert status == 400 and "“…”" in refusal["message"]["vi"]


def test_other_methods_are_refused(hub):
    request = urllib.request.Request(f"{hub.server}/v1/rollups", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 405 and refused.value.headers["Allow"] == "GET, HEAD"


def exchange(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(text)
        s.settimeout(10)
        return s.recv(65536)


@pytest.mark.parametrize("head", [
    b"Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Host: a\r\nHost: b\r\n",
    b"",
])
def test_smuggling_heads_are_refused(hub, head):
    answer = exchange(hub.http_port, b"GET /healthz HTTP/1.1\r\n" + head + b"\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer


def test_text_that_looks_like_sql_is_only_text(hub):
    status, rows = hub.get("/v1/rollups", form="x'; DROP TABLE baocao.report; --")
    assert (status, rows) == (200, [])
    assert hub.get("/v1/rollups", form=FORM)[1]


def test_drip_fed_heads_are_closed_while_others_are_served(make_daemon):
    daemon = make_daemon({"times": {"hello": "1s", "idle": "2s"}}).start()
    drips = [socket.create_connection(("127.0.0.1", daemon.http_port)) for _ in range(20)]
    end = time.monotonic() + 60  # a drip restarts the limit of silence each time, so they would live on
    alive = set(drips)
    while alive and time.monotonic() < end:
        for s in list(alive):
            try:
                s.sendall(b"X")
                s.setblocking(False)
                if s.recv(10) == b"":
                    alive.discard(s)
            except BlockingIOError:
                pass
            except OSError:
                alive.discard(s)
            finally:
                s.setblocking(True)
        assert daemon.get("/healthz")[0] == 200
        time.sleep(0.2)
    for s in drips:
        s.close()
    assert not alive, f"{len(alive)} drip-fed connections still open"


def test_rollup_command_shows_a_table_in_both_languages(hub):
    vi = hub.baocao("rollup", FORM, "--period", PERIOD, "--scope", "66")
    assert vi.returncode == 0, vi.stderr
    assert "Chỉ tiêu" in vi.stdout and "Đã gửi/phải gửi" in vi.stdout and "staff_total" in vi.stdout
    en = hub.baocao("rollup", FORM, "--period", PERIOD, "--scope", "66", "--lang", "en")
    assert "Indicator" in en.stdout and "Reported/owed" in en.stdout
    rows = json.loads(hub.baocao("rollup", FORM, "--period", PERIOD, "--scope", "66", "--format", "json").stdout)
    assert rows == hub.get("/v1/rollups", form=FORM, period=PERIOD, scope="66")[1]


def test_status_command_lists_who_is_missing(hub):
    counts = hub.baocao("status", FORM, "--period", PERIOD, "--scope", "66")
    assert counts.returncode == 0 and "Phải gửi" in counts.stdout
    missing = hub.baocao("status", FORM, "--period", PERIOD, "--missing")
    assert missing.returncode == 0 and "Hạn gửi" in missing.stdout
    owed = hub.get("/v1/status", form=FORM, period=PERIOD, scope="66")[1][0]
    assert len(missing.stdout.strip().split("\n")) - 2 == owed["overdue"] + owed["pending"]


def test_commands_tell_what_is_wrong(programs, hub):
    away = programs.run("rollup", "--server", "http://127.0.0.1:1")
    assert away.returncode == 2 and "127.0.0.1:1" in away.stderr
    bad = hub.baocao("rollup", "--perod", PERIOD)
    assert bad.returncode == 2 and "--perod" in bad.stderr
    period = hub.baocao("rollup", FORM, "--period", "quý 3")
    assert period.returncode == 1 and "2026-Q3" in period.stderr
    none = hub.baocao("rollup", FORM, "--period", "2027-Q1", "--indicator", "nothing")
    assert none.returncode == 0 and "Chưa có" in none.stdout
