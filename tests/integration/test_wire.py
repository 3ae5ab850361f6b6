"""The report port against a running daemon: broken frames, damaged bodies, limits, repetition, leaving."""
import hashlib
import json
import os
import signal
import socket
import time
import zlib

import pytest

from brp import Client, Ended, head
from conftest import wait_for
from web import ask

SAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "schemas", "samples")


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as f:
        return f.read()


GOOD = "01-24133-buon-ma-thuot.yaml"
KEY = {"form": "nd73-quarterly", "unit": "24133", "period": "2026-Q3"}


@pytest.fixture
def client(daemon):
    with Client(daemon.reports_port) as c:
        yield c


def stays_in_step(client):
    """The connection still serves."""
    assert client.ask("PING").verb == "OK"


def is_unknown(client):
    """Nothing of the good sample has come to be stored."""
    assert client.ask("STAT", **KEY).code == "UNKNOWN"


def test_a_report_is_committed_once_for_ever(daemon, client):
    document = sample(GOOD)
    first = client.submit(document)
    assert (first.verb, first.state, first.dup, first.rev) == ("OK", "committed", "0", "1"), first
    assert first.sha256 == hashlib.sha256(document).hexdigest()
    again = client.submit(document, pack=False)
    assert (again.verb, again.receipt, again.dup, again.at) == ("OK", first.receipt, "1", first.at), again
    other_octets = client.submit(b"\xef\xbb\xbf" + document.replace(b"\n", b"\r\n"))
    assert (other_octets.receipt, other_octets.dup) == (first.receipt, "1"), other_octets
    for question in ({**KEY}, {**KEY, "rev": 1}, {"receipt": first.receipt}):
        found = client.ask("STAT", **question)
        assert (found.verb, found.receipt, found.content) == ("OK", first.receipt, first.content), found
    assert daemon.sql("SELECT count(*) FROM baocao.report")[0][0] == 1


def test_answers_match_requests_in_any_order(client):
    numbers = [client.report(sample(GOOD)), client.send("PING"), client.report(b"no: report"), client.send("PING")]
    answers = {n: client.answer(n) for n in reversed(numbers)}
    assert [answers[n].verb for n in numbers] == ["OK", "OK", "NO", "OK"]


BROKEN = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PING 0 0\n\n",
    b"PING 1 0\n\nPING 1 0\n\n",
    b"ping 7 0\n\n",
    b"PING  7 0\n\n",
    b"PING 07 0\n\n",
    b"PING 7 -1\n\n",
    b"PING 7 0 a=1 a=2\n\n",
    b"PING 7 0\nPING 8 0\n\n",
    b"PING 7 3\nabcd\n",
    b"A" * 2000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(2000),
]


def test_a_broken_frame_ends_the_connection(daemon):
    for octets in BROKEN:
        with Client(daemon.reports_port) as c:
            c.raw(octets)
            with pytest.raises(Ended) as end:
                c.answer(10 ** 9)
            assert end.value.args[0].code == "FRAME", octets
            with pytest.raises(Ended):
                c.read()
    with Client(daemon.reports_port) as c:
        stays_in_step(c)


def test_a_truncated_frame_stores_nothing(daemon):
    document = sample(GOOD)
    line = head("REPORT", 2, len(document), sha256=hashlib.sha256(document).hexdigest())
    whole = line + document + b"\n"
    for cut in (3, len(line) - 1, len(line), len(line) + 100, len(whole) - 2, len(whole) - 1):
        with Client(daemon.reports_port) as c:
            c.raw(whole[:cut])
            c.sock.shutdown(socket.SHUT_WR)
            with pytest.raises(Ended):
                c.read()
    with Client(daemon.reports_port) as c:
        is_unknown(c)


def test_a_wrong_length_stores_nothing(daemon):
    document = sample(GOOD).rstrip()
    for wrong in (-1, -100):
        with Client(daemon.reports_port) as c:
            c.raw(head("REPORT", 2, len(document) + wrong, sha256=hashlib.sha256(document).hexdigest()) + document +
                  b"\n")
            with pytest.raises(Ended) as end:
                c.answer(2)
            assert end.value.args[0].code == "FRAME"
    with Client(daemon.reports_port) as c:
        is_unknown(c)


BOMB = zlib.compress(bytes(64 << 20), 9)


DAMAGED = [
    ({"sha256": "0" * 64}, "HASH"),
    ({"raw": 1}, "RAW"),
    ({"raw": 100000}, "RAW"),
    ({"body": b"not zlib at all"}, "INFLATE"),
    ({"body": zlib.compress(sample(GOOD)) + b"\0"}, "INFLATE"),
    ({"body": zlib.compress(sample(GOOD))[:-1]}, "INFLATE"),
    ({"body": BOMB[:60000]}, "RAW"),
    ({"body": BOMB, "raw": 4 << 20}, "RAW"),
    ({"body": BOMB, "raw": 64 << 20}, "TOOBIG"),
    ({"enc": "gzip"}, "HEAD"),
    ({"raw": None}, "HEAD"),
    ({"raw": "0x10"}, "HEAD"),
    ({"sha256": None}, "HEAD"),
    ({"sha256": "12"}, "HEAD"),
    ({"must_future": 1}, "MUST"),
]


def test_a_damaged_report_is_refused_in_step(client):
    for keys, code in DAMAGED:
        answer = client.answer(client.report(sample(GOOD), **keys))
        assert (answer.verb, answer.code) == ("NO", code), answer
        assert answer.findings and answer.findings[0][2] == code
        stays_in_step(client)
    is_unknown(client)


def test_unknown_verbs_and_keys_stay_in_step(client):
    assert client.answer(client.send("FROBNICATE", b"some body")).code == "VERB"
    assert client.ask("PING", must_quick=1).code == "MUST"
    assert client.ask("PING", quick=1).verb == "OK"
    assert client.answer(client.send("PING", b"x")).code == "HEAD"
    assert client.ask("STAT", form="nd73-quarterly").code == "HEAD"
    stays_in_step(client)


def test_a_body_over_the_limit(daemon, client):
    most = int(client.limits.maxbody)
    assert client.answer(client.report(bytes(most + 1), pack=False)).code == "TOOBIG"
    assert client.answer(client.report(bytes(4 * most), pack=False)).code == "TOOBIG"
    stays_in_step(client)
    client.raw(head("REPORT", 1000, 4 * most + 1, sha256="0" * 64))
    assert client.answer(1000).code == "TOOBIG"
    with pytest.raises(Ended):
        client.read()
    with Client(daemon.reports_port) as c:
        stays_in_step(c)


NO_REPORTS = [
    (sample("45-24502-ea-phe-khong-utf8.yaml"), "UTF8"),
    (sample("38-24211-ea-sup-hai-bao-cao.yaml"), "PARSE"),
    (sample("39-24544-ea-ktur-trung-muc.yaml"), "PARSE"),
    (sample("34-24412-mdrak-mot-nghin.yaml"), "PARSE"),
    (sample("43-24595-dak-lieng-mat.yaml"), "SECRET"),
    (b"", "PARSE"),
    (b"\0" * 100, "PARSE"),
    (b"[" * 100000, "PARSE"),
    (b"hello", "ENVELOPE"),
]


def test_what_is_no_report_is_refused(client):
    for document, code in NO_REPORTS:
        answer = client.submit(document)
        assert (answer.verb, answer.code) == ("NO", code), (document[:60], answer)
        assert answer.findings
        stays_in_step(client)


def test_findings_come_in_the_language_and_shape_of_hello(daemon):
    bad = sample("31-24490-krong-pac-sai-so.yaml")
    with Client(daemon.reports_port, lang="vi") as c:
        vietnamese = c.submit(bad)
    with Client(daemon.reports_port, lang="en", format="json") as c:
        both = c.submit(bad)
    assert vietnamese.code == both.code == "INVALID"
    rows = json.loads(both.body)
    assert [f[2] for f in vietnamese.findings] == [r["code"] for r in rows]
    assert rows[0]["line"] == vietnamese.findings[0][0] > 0
    assert vietnamese.findings[0][4].startswith(rows[0]["message"]["vi"])


def long_names():
    """Reports whose findings repeat megabytes of names: many unknown fields, and one that lies very deep."""
    wide = {"form": KEY["form"], "unit": "24121", "period": KEY["period"], "data": {f"k{i:04d}" + '"' * 1000: 1 for i in range(1000)}}
    deep = 1
    for _ in range(40):
        deep = {'"' * 4000: deep}
    yield wide
    yield {**wide, "data": {"pho_bien": deep}}
    yield {**wide, "data": {"pho_bien": {f"k{i:04d}" + "x" * 3900: 1 for i in range(900)}}}


@pytest.mark.parametrize("shape", ["text", "json"])
def test_findings_without_end_are_told_as_far_as_they_fit(daemon, shape):
    with Client(daemon.reports_port, format=shape) as c:
        for document in long_names():
            number = c.report(json.dumps(document))
            answer = c.answer(number)
            assert (answer.verb, answer.code) == ("NO", "INVALID")
            assert len(answer.body) <= 1 << 20
            assert json.loads(answer.body) if shape == "json" else answer.findings
            stays_in_step(c)
        for document in long_names():  # the same over HTTP
            told = ask(daemon, "POST", "/v1/check", zlib.compress(json.dumps(document).encode()), content_type="application/json",
                       content_encoding="deflate", accept="text/plain" if shape == "text" else "application/json")
            assert told.status in (200, 422) and 1000 < len(told.body) <= 1 << 20, told
            assert shape == "text" or told.json["findings"]


def test_hello_comes_first(daemon):
    with Client(daemon.reports_port, hello=False) as c:
        assert c.answer(c.report(sample(GOOD))).code == "AUTH"
        assert c.ask("HELLO", v=0).code == "VERSION"
        assert c.ask("STAT", **KEY).code == "AUTH"
        with pytest.raises(Ended):
            c.read()
    with Client(daemon.reports_port, hello=False) as c:
        c.send("HELLO", v=9, agent="x")
        number = c.report(sample(GOOD))  # without waiting
        assert c.answer(1).v == "1"
        assert c.answer(number).verb == "OK"


def test_the_window_of_items_is_kept_by_the_server(client):
    most = int(client.limits.items)
    numbers = [client.report(b"no: %d" % i) for i in range(most)]
    assert {client.answer(n).verb for n in numbers} == {"NO"}
    line = b"".join(head("STAT", 5000 + i, 0, **KEY) + b"\n" for i in range(50 * most))
    with pytest.raises((Ended, ConnectionError)) as end:
        client.raw(line)
        client.answer(10 ** 9)
    assert end.type is not Ended or end.value.args[0].code == "FRAME"


def test_one_octet_at_a_time_is_the_same(daemon):
    document = sample(GOOD)
    packed = zlib.compress(document)
    octets = (head("HELLO", 1, 0, v=1) + b"\n" +
              head("REPORT", 2, len(packed), enc="deflate", raw=len(document),
                   sha256=hashlib.sha256(document).hexdigest()) + packed + b"\n" + head("QUIT", 3, 0) + b"\n")
    with Client(daemon.reports_port, hello=False) as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(octets)):
            c.raw(octets[i:i + 1])
        assert [c.answer(n).verb for n in (1, 2, 3)] == ["OK", "OK", "OK"]
        with pytest.raises(Ended):
            c.read()


def test_answers_reach_a_client_that_has_stopped_writing(daemon):
    with Client(daemon.reports_port) as c:
        number = c.report(sample(GOOD))
        c.sock.shutdown(socket.SHUT_WR)
        assert c.answer(number).state == "committed"
        with pytest.raises(Ended):
            c.read()


def test_a_report_read_to_its_end_is_carried_through(daemon):
    c = Client(daemon.reports_port)
    c.report(sample(GOOD))
    c.sock.close()
    with Client(daemon.reports_port) as c:
        wait_for(lambda: c.ask("STAT", **KEY).verb == "OK")


def test_one_who_does_not_read_is_held_back_and_others_are_served(daemon):
    slow = Client(daemon.reports_port)
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sock.settimeout(1)
    frames = b"".join(head("FROB", i, 0) + b"\n" for i in range(10, 400000))
    sent = 0
    with pytest.raises((TimeoutError, ConnectionError)):
        while sent < len(frames):
            sent += slow.sock.send(frames[sent:sent + 65536])
    assert sent < len(frames)
    with Client(daemon.reports_port) as c:
        for _ in range(20):
            stays_in_step(c)
    slow.sock.close()


def test_a_drip_is_closed_at_its_deadline(daemon):
    drip = Client(daemon.reports_port)
    start = time.monotonic()
    with pytest.raises((Ended, ConnectionError)) as end:
        while True:
            assert time.monotonic() - start < 60  # it lives on by its drips
            drip.raw(b"A")
            drip.sock.settimeout(0.5)
            try:
                drip.answer(99)
            except TimeoutError:
                pass
    assert time.monotonic() - start >= 9
    assert end.type is not Ended or end.value.args[0].code == "TIME"


def test_the_last_answer_is_not_lost_to_a_reset(daemon):
    with Client(daemon.reports_port) as c:
        c.raw(b"no frame at all\n" + bytes(150000))  # the server answers after the first line and reads on
        with pytest.raises(Ended) as end:
            c.answer(1)
        assert end.value.args[0].code == "FRAME"
        assert c.sock.recv(1) == b""
        with pytest.raises(ConnectionError):  # but not for ever: at most 2 s or 256 KiB
            while True:
                c.raw(bytes(65536))
                time.sleep(0.02)


def test_caps_of_connections(make_daemon):
    daemon = make_daemon({"limits": {"per_address": 3, "connections": 4}}).start()
    crowd = [Client(daemon.reports_port) for _ in range(3)]
    with pytest.raises(Ended) as end:
        Client(daemon.reports_port)
    assert (end.value.args[0].verb, end.value.args[0].code) == ("BYE", "BUSY")
    elsewhere = Client(daemon.reports_port, sock=socket.create_connection(("127.0.0.1", daemon.reports_port), 30,
                                                                          ("127.0.0.2", 0)))
    with pytest.raises(Ended) as end:
        Client(daemon.reports_port, sock=socket.create_connection(("127.0.0.1", daemon.reports_port), 30,
                                                                  ("127.0.0.3", 0)))
    assert end.value.args[0].code == "BUSY"
    for c in (*crowd, elsewhere):
        stays_in_step(c)
    crowd.pop().sock.close()

    def let_in():
        try:
            return Client(daemon.reports_port)
        except Ended:
            return None

    stays_in_step(wait_for(let_in, 30))


def test_the_budget_of_all_is_waited_for_in_turn(make_daemon):
    daemon = make_daemon({"limits": {"total_bytes": "1MiB"}}).start()
    first, second, third = (Client(daemon.reports_port) for _ in range(3))
    first.raw(head("PING", 9, 0) + b"\n" + head("REPORT", 10, 1000000, sha256="0" * 64) + bytes(10))  # no more of it
    assert first.answer(9).verb == "OK"  # both heads were read
    waiting = [second.report(bytes(100000), pack=False), third.report(bytes(60000), pack=False)]
    for c in (second, third):  # nobody reads their bodies, and that is no error
        c.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            c.read()
        c.sock.settimeout(30)
    first.sock.close()
    assert second.answer(waiting[0]).code == third.answer(waiting[1]).code == "PARSE"
    for c in (second, third):
        stays_in_step(c)


def test_stat_tells_the_stored_warnings(daemon):
    document = sample("10-24305-buon-ho-giai-trinh.yaml")
    with Client(daemon.reports_port, lang="en") as c:
        first = c.submit(document)
        found = c.ask("STAT", receipt=first.receipt)
        assert first.state == "committed" and found.body == first.body
    with Client(daemon.reports_port, lang="en", format="json") as c:
        rows = json.loads(c.ask("STAT", receipt=first.receipt).body or "[]")
        assert [r["code"] for r in rows] == [f[2] for f in first.findings]
    assert first.findings, "the sample has no warning to tell"


def test_leaving_answers_what_was_read(daemon):
    documents = [sample(n) for n in sorted(os.listdir(SAMPLES)) if n[:1].isdigit()]
    with Client(daemon.reports_port) as c:
        numbers = [c.report(d) for d in documents]
        stays_in_step(c)
        daemon.process.send_signal(signal.SIGTERM)
        answers = [c.answer(n) for n in numbers]
        assert all(a.verb in ("OK", "NO") or a.code == "DRAINING" for a in answers)
        with pytest.raises((Ended, ConnectionError)):
            while True:
                c.ask("PING")
        assert any(f.verb == "DRAIN" for f in c.told)
    assert daemon.process.wait(timeout=30) == 0, daemon.log()[-2000:]
    committed = sum(a.verb == "OK" and a.state == "committed" for a in answers)
    daemon.start()
    with Client(daemon.reports_port) as c:
        again = c.submit_all(documents)
        assert sum(a.verb == "OK" and a.dup == "1" for a in again) >= committed


def test_send_prints_receipts_and_findings(daemon):
    good, bad = os.path.join(SAMPLES, GOOD), os.path.join(SAMPLES, "31-24490-krong-pac-sai-so.yaml")
    done = daemon.baocao("send", good)
    assert done.returncode == 0, done.stderr
    assert "đã nhận" in done.stdout and "nd73-quarterly 24133 2026-Q3/1" in done.stdout
    done = daemon.baocao("send", good, bad, "--no-compress")
    assert done.returncode == 1
    assert "đã nhận từ trước" in done.stdout and "bị từ chối" in done.stdout and "INVALID" in done.stdout
    assert f"{bad}:" in done.stdout
    done = daemon.baocao("send", good, bad, "--format", "json", "--lang", "en")
    rows = json.loads(done.stdout)
    assert [r["answer"] for r in rows] == ["OK", "NO"]
    assert rows[0]["dup"] == 1 and rows[1]["code"] == "INVALID" and rows[1]["findings"][0]["line"] > 0
    done = daemon.baocao("stat", "nd73-quarterly", "24133", "2026-Q3", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["receipt"] == rows[0]["receipt"]
    done = daemon.baocao("stat", "--receipt", rows[0]["receipt"])
    assert done.returncode == 0 and rows[0]["receipt"] in done.stdout
    done = daemon.baocao("stat", "nd73-quarterly", "24121", "2026-Q3")
    assert done.returncode == 1 and "UNKNOWN" in done.stdout


def test_send_tells_when_nobody_answers(programs, tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        report = tmp_path / "r.yaml"
        report.write_bytes(sample(GOOD))
        done = programs.run("send", "--to", f"127.0.0.1:{nobody.getsockname()[1]}", "--wait", "1", report)
    assert done.returncode == 3 and "chưa gửi được" in done.stdout
    assert programs.run("send", tmp_path / "none.yaml").returncode == 2
    assert programs.run("send").returncode == 2
