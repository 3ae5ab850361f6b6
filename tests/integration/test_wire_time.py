"""Limits of time and the end of a connection, as clients see them: a hub that sleeps, a hub that leaves, transitions in the log."""
import hashlib
import re
import signal
import socket
import time

import pytest
from brp import head
from conftest import wait_for
from reports import report
from test_protocol import HELLO, talk


def greeted(daemon):
    t = talk(daemon)
    t.sock.sendall(HELLO.encode())
    assert t.frame()[0].startswith("OK 1 ")
    return t


def test_limits_stand_still_while_the_hub_sleeps(make_daemon):
    """A machine that was stopped for a while has not waited for anybody: what came meanwhile is in time."""
    daemon = make_daemon({"times": {"idle": "2s", "hello": "2s"}}).start()
    idle, fresh, half = greeted(daemon), talk(daemon), greeted(daemon)
    half.sock.sendall(b"PING 2 ")
    half.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        half.frame()
    half.sock.settimeout(30)
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    for t, octets in ((idle, b"PING 2 0\n\n"), (fresh, HELLO.encode()), (half, b"0\n\n")):
        t.sock.sendall(octets)
    daemon.process.send_signal(signal.SIGCONT)
    assert idle.frame()[0] == "OK 2 0"
    assert fresh.frame()[0].startswith("OK 1 ")
    assert half.frame()[0] == "OK 2 0"
    assert idle.frame()[0] == "BYE 0 0 code=IDLE"  # and goes on


def test_a_stop_in_the_middle_of_a_frame(make_daemon):
    """DRAIN is told at once; what is finished in time is carried through; who does not finish is told BYE, not cut off."""
    daemon = make_daemon({"times": {"drain": "4s"}, "log": {"level": "debug"}}).start()
    document = report("24133", 1, 4).encode()
    line = head("REPORT", 3, len(document), sha256=hashlib.sha256(document).hexdigest())
    finishes, after, heads, bodies = (greeted(daemon) for _ in range(4))
    for t, octets in ((finishes, line + document[:100]), (after, line + document[:100]), (heads, line[:20]), (bodies, line + document[:100])):
        t.sock.sendall(b"PING 2 0\n\n" + octets)
        assert t.frame()[0] == "OK 2 0"
    fresh = talk(daemon)
    daemon.process.send_signal(signal.SIGTERM)
    for t in (finishes, after, heads, bodies):
        drain = re.fullmatch(r"DRAIN 0 0 within=(\d+)", t.frame()[0])
        assert drain and int(drain[1]) < 4000
    assert fresh.frame()[0] == "BYE 0 0 code=DRAINING" and fresh.is_closed()
    finishes.sock.sendall(document[100:] + b"\n")
    assert " state=committed " in finishes.frame()[0]
    assert finishes.frame()[0] == "BYE 0 0 code=DRAINING" and finishes.is_closed()
    after.sock.sendall(document[100:] + b"\n" + line.replace(b"REPORT 3 ", b"REPORT 4 ") + document + b"\nPING 5 0\n\n")
    seen = [after.frame()[0] for _ in range(4)]
    assert sorted(s.split()[0] for s in seen) == ["BYE", "OK", "OK", "WAIT"], seen
    assert any(re.fullmatch(r"WAIT 4 \d+ code=DRAINING after=\d+", s) for s in seen), seen
    for t in (heads, bodies):
        assert t.frame()[0] == "BYE 0 0 code=DRAINING" and t.is_closed()
    assert daemon.process.wait(60) == 0, daemon.log()[-2000:]
    for words in (r"HELLO -> READY \(HELLO accepted\)", r"READY -> DRAINING \(the server is stopping\)", r"HELLO -> DRAINING \(",
                  r"DRAINING -> CLOSING \(the server is stopping\)"):
        assert re.search(r"peer \d+ 127\.0\.0\.1:\d+: " + words, daemon.log()), words


def test_answers_on_their_way_outlive_the_hub(make_daemon):
    """Whoever goes on sending while the hub stops, and reads late, still gets every answer and the BYE."""
    daemon = make_daemon({"log": {"level": "debug"}}).start()
    t = greeted(daemon)
    t.sock.sendall(b"".join(b"FROB %d 0\n\n" % n for n in range(2, 1002)))
    t.frame()  # the hub has them
    daemon.process.send_signal(signal.SIGTERM)
    heads = []
    while not heads or not heads[-1].startswith("DRAIN "):
        heads.append(t.frame()[0])
    late = b"PING %d 0\n\n"
    for n in range(2000, 2100):
        try:
            t.sock.sendall(late % n)
        except ConnectionError:
            break
        time.sleep(0.01)
    while not heads[-1].startswith("BYE "):
        heads.append(t.frame()[0])
    assert heads[-1] == "BYE 0 0 code=DRAINING" and sum("code=VERB" in h for h in heads) == 999
    t.sock.close()
    assert daemon.process.wait(60) == 0


def test_one_who_is_not_read_from_is_throttled_by_name(make_daemon):
    daemon = make_daemon({"log": {"level": "debug"}, "limits": {"total_bytes": "1MiB"}}).start()
    first, second = greeted(daemon), greeted(daemon)
    first.sock.sendall(head("REPORT", 2, 1000000, sha256="0" * 64))
    first.sock.sendall(b"x" * 1000)
    second.sock.sendall(head("REPORT", 2, 100000, sha256="0" * 64) + b"x" * 100000 + b"\n")
    wait_for(lambda: "READY -> THROTTLED (waits for its turn)" in daemon.log())
    first.sock.close()
    assert second.frame()[0].endswith("code=HASH")
    for words in ("THROTTLED -> READY (goes on)", "READY -> CLOSING (closed by the other side)"):
        wait_for(lambda words=words: words in daemon.log())
