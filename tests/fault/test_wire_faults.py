"""What lines, clients and certificates can do to the report port: F9 and F15 to F20, F24, F30.

The short forms run on one hub with TLS, one after the other; BAOCAO_LONG runs them in full counts. Every test asserts
that its fault took place."""
import json
import os
import pwd
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import zlib

import psycopg2
import pytest
import trial
from brp import Client, Ended, connect_tls, head
from chaos import Chaos
from conftest import USER, Daemon, wait_for
from reports import check_exact, communes, many, report
from test_tls import Pki

LONG = bool(os.environ.get("BAOCAO_LONG"))
HELLO_SECONDS = 4
SHARE = 5  # reports a second of a unit, saved up for 30 s


class Hub:
    """A daemon with TLS, and certificates of any make signed by its authority with one client key."""

    def __init__(self, programs, template, root):
        self.root = root
        self.pki = Pki(os.path.join(root, "pki"))
        self.pki("server", "localhost", "127.0.0.1")
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "client.key")
        config = {"tls": {"certificate": self.pki.file("server.pem"), "key": self.pki.file("server.key"),
                          "authorities": self.pki.file("ca.pem"), "revoked": self.pki.file("revoked.pem")},
                  "times": {"hello": f"{HELLO_SECONDS}s"},
                  "limits": {"unit_reports": SHARE, "per_address": 8000, "connections": 8000}}
        os.mkdir(os.path.join(root, "daemon"))
        self.daemon = Daemon(programs, os.path.join(root, "daemon"), template, config)
        self.daemon.start()

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.pki.root)

    def certificate(self, name, *uris, usage="clientAuth", days=1, ca="ca"):
        path = self.pki.file(name + ".ext")
        with open(path, "w", encoding="ascii") as f:
            f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                    f"extendedKeyUsage={usage}\n")
            if uris:
                f.write("subjectAltName=" + ",".join("URI:" + u for u in uris) + "\n")
        self.openssl("req", "-new", "-key", "client.key", "-subj", f"/CN={name}", "-out", name + ".csr")
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-days", str(days),
                     "-extfile", path, "-set_serial", str(time.time_ns()), "-out", name + ".pem")
        return name

    def for_units(self, *units):
        return self.certificate("of-" + units[0], *(f"urn:baocao:unit:{u}" for u in units))

    def connect(self, name, key="client.key", port=0):
        return connect_tls("localhost", port or self.daemon.reports_port, self.pki.file("ca.pem"),
                           self.pki.file(name + ".pem") if name else None, self.pki.file(key) if name else None, 60)

    def client(self, name, **keys):
        return Client(0, sock=self.connect(name), timeout=60, **keys)


@pytest.fixture(scope="module")
def hub(programs, template):
    root = tempfile.mkdtemp(prefix="baocao-wire-")
    os.chmod(root, 0o755)
    made = Hub(programs, template, root)
    yield made
    made.daemon.clean()
    shutil.rmtree(root, ignore_errors=True)


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1]) * 1024


# ---------------------------------------------------------------- F30

def test_f30_twelve_certificates(hub):
    good, other, unknown = (f"urn:baocao:unit:{u}" for u in ("24133", "24121", "99999"))
    stranger = Pki(os.path.join(hub.root, "stranger"))
    shutil.copy(stranger.file("ca.pem"), hub.pki.file("stranger.pem"))
    shutil.copy(stranger.file("ca.key"), hub.pki.file("stranger.key"))
    hub.pki("unit", "22015")
    hub.pki("revoke", "unit-22015.pem")
    hub.daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reload:" in hub.daemon.log())
    table = [  # certificate, what HELLO is answered (None: accepted; or words of its sentence), a report of 24133
        (hub.certificate("good", good), None, "committed"),
        (hub.certificate("gateway", other, good), None, "committed"),
        (hub.certificate("another", other), None, "UNIT"),
        (hub.certificate("half-known", unknown, good), None, "committed"),
        (hub.certificate("unknown", unknown), "no code 99999", None),
        (hub.certificate("nameless"), "names no unit", None),
        (hub.certificate("other-uri", "urn:baocao:office:24133"), "names no unit", None),
        (hub.certificate("a-server", good, usage="serverAuth"), "not made for clients", None),
        (hub.certificate("expired", good, days=0), "expired", None),
        (hub.certificate("strange", good, ca="stranger"), "unknown authority", None),
        ("unit-22015", "revoked", None),
        (None, "needs a token", None),
    ]
    time.sleep(1.1)  # a certificate of no day ends in the second it was made
    for name, hello, said in table:
        key = "unit-22015.key" if name == "unit-22015" else "client.key"
        try:
            with Client(0, sock=hub.connect(name, key)) as c:
                assert hello is None, name
                answer = c.submit(report("24133", 1, 4))
                assert (answer.state if answer.verb == "OK" else answer.code) == said, (name, answer)
        except Ended as end:
            assert end.args[0].code == "AUTH" and hello in end.args[0].findings[0][4], (name, end.args[0])
    for words in ("expired", "revoked", "unknown authority", "not made for clients"):
        assert words in hub.daemon.log(), words
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(hub.pki.file("ca.pem"))
    old.load_cert_chain(hub.pki.file("good.pem"), hub.pki.file("client.key"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(socket.create_connection(("127.0.0.1", hub.daemon.reports_port), 30),
                        server_hostname="localhost").recv(1)


# ---------------------------------------------------------------- F15

def limit_files(pid, most):
    """The soft limit of a running process; only its own user may set it."""
    who = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if USER else {}
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={most}:"], check=True, **who)


def test_f15_no_descriptors_left(hub):
    pid = hub.daemon.process.pid
    soft, hard = resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE)
    name = hub.for_units("24133")
    crowd = []
    with hub.client(name) as served:
        few = len(os.listdir(f"/proc/{pid}/fd")) + 10
        limit_files(pid, few)
        try:
            for _ in range(300):
                crowd.append(socket.create_connection(("127.0.0.1", hub.daemon.reports_port), 30))
            wait_for(lambda: len(os.listdir(f"/proc/{pid}/fd")) >= few - 2, 30)  # the fault: none is left
            before = cpu_of(pid)
            time.sleep(2)
            assert cpu_of(pid) - before < 0.5  # it does not spin
            assert served.ask("PING").verb == "OK"
            assert served.submit(report("24133", 1, 4)).verb == "OK"
        finally:
            for sock in crowd:
                sock.close()
            limit_files(pid, min(soft, hard))

    def recovered():
        try:
            with hub.client(name) as fresh:
                return fresh.ask("PING").verb == "OK"
        except (OSError, Ended):
            return False

    wait_for(recovered, 60, every=0.2)


# ---------------------------------------------------------------- F16

def drip(sock, octets, until, ends):
    """An octet every now and then until the other side closes or the time is up."""
    sock.settimeout(0.3)
    at = 0
    while time.monotonic() < until:
        try:
            sock.sendall(octets[at % len(octets):at % len(octets) + 1])
            at += 1
            if sock.recv(4096) == b"":
                ends.append(time.monotonic())
                return
        except (TimeoutError, ssl.SSLWantReadError):
            pass
        except OSError:
            ends.append(time.monotonic())
            return


def test_f16_those_who_drip_are_closed_and_others_are_served(hub):
    n, idle = (300, 5000) if LONG else (15, 100)
    port, name = hub.daemon.reports_port, hub.for_units("24133")
    silent = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(idle)]
    ends, threads = [], []
    until = time.monotonic() + 120
    shake = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600)
    for i in range(2 * n):
        if i % 2 == 0:
            sock, octets = socket.create_connection(("127.0.0.1", port), 30), shake
        else:
            sock, octets = hub.connect(name), b"HELLO 1 0 v=1 agent=" + b"x" * 900
        threads.append(threading.Thread(target=drip, args=(sock, octets, until, ends), daemon=True))
        threads[-1].start()
    times = []
    with hub.client(name) as good:
        while any(t.is_alive() for t in threads):
            start = time.monotonic()
            assert good.ask("PING").verb == "OK"
            times.append(time.monotonic() - start)
            time.sleep(0.05)
        assert good.submit(report("24133", 1, 4)).verb == "OK"
    assert len(ends) == 2 * n  # every one of them was closed by the server
    for sock in silent:
        sock.settimeout(60)
        try:
            assert sock.recv(1) == b""
        except ConnectionError:
            pass
    times.sort()
    print(f"F16: {len(times)} answers meanwhile, median {times[len(times) // 2] * 1000:.1f} ms,"
          f" p99 {times[len(times) * 99 // 100] * 1000:.1f} ms")
    if LONG:
        assert times[len(times) * 99 // 100] < 0.25
        body = hub.client(name)  # a body has 30 s and 1 KiB a second
        body.raw(head("REPORT", 9, 2048))
        start = time.monotonic()
        with pytest.raises((Ended, OSError)):
            body.sock.settimeout(1)
            while True:
                body.raw(b"x")
                try:
                    body.read()
                except TimeoutError:
                    pass
        assert 31 <= time.monotonic() - start <= 40


# ---------------------------------------------------------------- F17

NATION = 3321  # communes and wards of the country


def come_back(connect, document_of, units, dup):
    """All units connect at the same moment, each with a certificate of its own group, and report; all answers."""
    together, done, faults, held = threading.Barrier(len(units) + 1), {}, [], []

    def one(unit):
        try:
            document = document_of(unit)
            together.wait(120)
            c = connect(unit)
            held.append(c)
            answer = c.submit(document)
            done[unit] = (answer.verb, answer.state, answer.unit, answer.receipt, answer.dup)
        except Exception as error:  # pylint: disable=broad-except
            faults.append((unit, repr(error)))

    threads = [threading.Thread(target=one, args=(u,)) for u in units]
    for t in threads:
        t.start()
    together.wait(120)
    start = time.monotonic()
    for t in threads:
        t.join(240)
    print(f"F17: {len(units)} units in {time.monotonic() - start:.1f} s")
    for c in held:
        c.sock.close()
    assert not faults and len(held) == len(units), (len(faults), faults[:3])
    assert {d[:2] for d in done.values()} == {("OK", "committed")} and {d[4] for d in done.values()} == {dup}
    assert all(done[u][2] == u for u in units)
    receipts = {u: d[3] for u, d in done.items()}
    assert len(set(receipts.values())) == len(units)
    return receipts


def test_f17_everybody_comes_back_at_once(hub):
    units = communes()[:48]
    names = {}
    for i in range(0, len(units), 8):
        names.update(dict.fromkeys(units[i:i + 8], hub.for_units(*units[i:i + 8])))

    def again(dup):
        return come_back(lambda u: hub.client(names[u]), lambda u: report(u, 2, 7), units, dup)

    assert again("0") == again("1")  # and once more: nothing doubles
    rows = hub.daemon.sql("SELECT unit FROM office.report WHERE revision = 2")
    assert sorted(r[0] for r in rows) == sorted(units)


@pytest.mark.skipif(not LONG, reason="needs the certificates of a whole country")
def test_f17_a_whole_country_comes_back_at_once(hub, make_daemon, postgres, make_folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    threading.stack_size(512 << 10)
    units = [str(10000 + i) for i in range(NATION)]
    province = trial.Province(make_folder("nation"), [trial.once("thu", -30, -1, 30)], [trial.unit(u, f"Xã {u}") for u in units])
    config = {**hub.daemon.config, "times": {"hello": "120s"}}
    daemon = province.serve(make_daemon, postgres, config)
    names = {}
    for i in range(0, NATION, 8):
        names.update(dict.fromkeys(units[i:i + 8], hub.for_units(*units[i:i + 8])))

    def connect(unit):
        return Client(0, sock=hub.connect(names[unit], port=daemon.reports_port), timeout=120)

    def again(dup):
        return come_back(connect, lambda u: trial.report("thu", u, trial.day(-1), int(u)), units, dup)

    try:
        assert again("0") == again("1")
        with psycopg2.connect(postgres.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT unit, count(*) FROM office.report GROUP BY 1")
            assert sorted(cursor.fetchall()) == [(u, 1) for u in units]
        print(f"F17: {rss_of(daemon.process.pid) >> 20} MiB afterwards")
    finally:
        threading.stack_size(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---------------------------------------------------------------- F18

def test_f18_one_unit_floods_and_no_other_waits(hub):
    units = communes()
    flooder, other = hub.for_units(units[50]), hub.for_units(units[51])
    seconds = 60 if LONG else 0
    waits, answered, times = [], 0, []
    with hub.client(flooder) as flood, hub.client(other) as calm:
        items, end, revision = int(flood.limits.items), time.monotonic() + seconds, 9  # others were sent before
        while answered < 40 * SHARE or time.monotonic() < end:
            numbers = [flood.report(b"form: none", sha256=None) for _ in range(items)]
            start = time.monotonic()
            revision += 1
            mine = calm.submit(report(units[51], revision, 1), sha256=None) if revision < 110 else calm.ask("PING")
            times.append(time.monotonic() - start)
            assert mine.verb == "OK", mine
            for n in numbers:
                answer = flood.answer(n)
                answered += 1
                if answer.verb == "WAIT":
                    assert answer.code == "QUOTA" and int(answer.after) > 0
                    waits.append(answer)
    assert waits  # the fault: it was over its share
    assert "0:0\tQUOTA\t" in waits[0].body.decode()
    times.sort()
    print(f"F18: {len(waits)} of {answered} had to wait; the other's p99 {times[len(times) * 99 // 100] * 1000:.0f} ms")
    if LONG:
        assert times[len(times) * 99 // 100] < 0.25


# ---------------------------------------------------------------- F19 and F20

def bombs():
    """Bodies with what they say of themselves, and the symbols that may answer."""
    zeros = zlib.compress(bytes(64 << 20), 9)
    whole = report("24133", 1, 4).encode()
    packed = zlib.compress(whole)
    for raw in (1, 1000, 1 << 20, (4 << 20) - 1, 4 << 20):
        yield zeros, raw, ("RAW",)
    yield zeros, (4 << 20) + 1, ("TOOBIG",)
    yield zeros, 64 << 20, ("TOOBIG",)
    exact = zlib.compress(bytes(4 << 20), 9)
    yield exact, 4 << 20, ("PARSE", "UTF8")  # 1,000:1 and true
    yield zlib.compress(exact), len(exact), ("PARSE", "UTF8")  # nested
    yield zlib.compress(b"[" * (1 << 20)), 1 << 20, ("PARSE",)
    yield zlib.compress(b"- " * (1 << 20)), 2 << 20, ("PARSE", "ENVELOPE")
    yield zlib.compress(b"a: &a [" + b"*a," * 100000 + b"]"), 300008, ("PARSE",)
    yield packed + b"\0", len(whole), ("INFLATE",)
    yield packed + packed, len(whole), ("INFLATE",)
    yield packed[:-1], len(whole), ("INFLATE",)
    yield packed[:-4] + b"\0\0\0\0", len(whole), ("INFLATE",)
    yield packed, len(whole) - 1, ("RAW",)
    yield packed, len(whole) + 1, ("RAW",)
    yield b"", 0, ("INFLATE",)
    yield b"\x78", 1, ("INFLATE",)


def test_f19_bombs_are_defused(hub):
    pid = hub.daemon.process.pid
    with hub.client(hub.for_units("24133")) as c:
        assert c.ask("PING").verb == "OK"
        before = rss_of(pid)
        for body, raw, codes in list(bombs()) * (10 if LONG else 1):
            number = c.send("REPORT", body, enc="deflate", raw=raw)
            answer = c.answer(number)
            while answer.code == "QUOTA":
                time.sleep(int(answer.after) / 1000)
                answer = c.answer(c.send("REPORT", body, enc="deflate", raw=raw))
            assert answer.verb == "NO" and answer.code in codes, (len(body), raw, answer)
        assert c.ask("PING").verb == "OK"
        assert rss_of(pid) - before < 400 << 20  # never a bomb's 64 MiB for each


def test_f20_a_hundred_thousand_keys(hub):
    keys = {f"k{i:06d}": i for i in range(100000)}
    twins = json.dumps(keys)[:-1] + ', "k000000": 1}'
    head_keys = b"PING 900 0 " + b" ".join(b"k%d=%d" % (i, i) for i in range(33)) + b"\n\n"
    with hub.client(hub.for_units("24154")) as c, hub.client(hub.for_units("24133")) as other:
        for document, code in ((json.dumps(keys), "ENVELOPE"), (twins, "PARSE")):
            number = c.report(document)
            assert other.ask("PING").verb == "OK"  # judged beside the loop, not on it
            assert c.answer(number).code == code
        c.raw(head_keys)  # more than 32 keys in a head
        with pytest.raises(Ended) as end:
            c.answer(900)
        assert end.value.args[0].code == "FRAME"


# ---------------------------------------------------------------- F9, F24

def test_f24_reloads_and_a_stop_under_load(hub):
    daemon, n = hub.daemon, 100 if LONG else 3
    unit = communes()[60]
    name = hub.for_units(unit)
    halt, committed, refused, sent = threading.Event(), {}, [], {}

    def load():
        revision = 0
        while not halt.is_set():
            try:
                with hub.client(name) as c:
                    while not halt.is_set():
                        revision += 1
                        sent[revision] = report(unit, revision, revision % 1000)
                        answer = c.submit(sent[revision])
                        if answer.verb == "OK":
                            committed[revision] = answer.receipt
                        time.sleep(0.05 if answer.verb == "OK" else 0.5)
            except ConnectionRefusedError as error:
                if not halt.is_set():
                    refused.append(error)
            except (Ended, OSError):
                pass

    def serial():
        with hub.connect(name) as sock:
            return sock.getpeercert()["serialNumber"]

    worker = threading.Thread(target=load)
    worker.start()
    try:
        wait_for(lambda: len(committed) >= 3, 60)
        for _ in range(n):
            before = serial()
            hub.pki("server", "localhost", "127.0.0.1")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: serial() != before, 60, every=0.1)  # the new certificate is in use
        reached = len(committed)
        wait_for(lambda: len(committed) > reached, 60)
        assert not refused
        start = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(60) == 0, daemon.log()[-2000:]
        assert time.monotonic() - start < 45
    finally:
        halt.set()
        worker.join(60)
    daemon.start()
    with hub.client(name) as c:
        for revision, document in sent.items():
            answer = c.submit(document)
            while answer.verb == "WAIT":
                time.sleep(int(answer.after) / 1000)
                answer = c.submit(document)
            assert answer.verb == "OK", answer
            if revision in committed:
                assert (answer.receipt, answer.dup) == (committed[revision], "1")
    rows = daemon.sql("SELECT revision FROM office.report WHERE unit = %s", unit)
    assert sorted(r[0] for r in rows) == sorted(sent)


DAMAGED_HEAD = ("HASH", "INFLATE", "RAW", "HEAD", "VERB", "MUST", "TOOBIG")


LINES = 8


@pytest.mark.skipif(not LONG, reason="the short form is in test_weak_lines.py")
def test_f9_ten_thousand_reports_over_the_worst_line(make_daemon):
    daemon = make_daemon().start()
    reports = many(10000, 9)
    end, faults = time.monotonic() + 1200, []

    def send_all(line, waiting):
        while waiting and time.monotonic() < end:
            try:
                with Client(line.port, timeout=20) as c:
                    keys = list(waiting)[:100]
                    for key, answer in zip(keys, c.submit_all([waiting[k][1] for k in keys])):
                        if answer.verb == "OK":
                            del waiting[key]
                        elif answer.verb != "WAIT" and answer.code not in DAMAGED_HEAD:
                            faults.append(answer)
            except (Ended, OSError, ValueError):
                pass  # the line was cut, or a damaged head broke the frame or lost its number

    lines = [Chaos(daemon.reports_port, chop=1000, delay=0.002, stall=200000, pause=3, flip=150000, cut=600000, seed=i)
             for i in range(LINES)]
    shares = [dict(list(reports.items())[i::LINES]) for i in range(LINES)]
    senders = [threading.Thread(target=send_all, args=pair) for pair in zip(lines, shares)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    for line in lines:
        line.__exit__()
    met = {what: sum(getattr(line, what) for line in lines) for what in ("cuts", "flips", "stalls", "chops")}
    print(f"F9: {len(reports)} reports in {1200 - (end - time.monotonic()):.0f} s; {met}")
    assert not faults and not any(shares), (faults[:3], [len(share) for share in shares])
    assert met["cuts"] > 5 and met["flips"] > 20 and met["stalls"] > 5 and met["chops"] > 100
    check_exact(daemon.sql, reports)


def push(sock, octets):
    """Sends what the system takes of `octets` and gives the rest, which must be tried first the next time."""
    while octets:
        try:
            octets = octets[sock.send(octets[:16384]):]
        except TimeoutError:
            break
    return octets


def test_what_heaped_up_while_the_hub_slept_is_answered(hub):
    """More answers come due in one turn of the loop than a connection's queue may hold."""
    c = hub.client(hub.for_units("24133"))
    octets = memoryview(b"".join(head("FROB", txn, 0) + b"\n" for txn in range(10, 200010)))
    c.sock.settimeout(1)
    hub.daemon.process.send_signal(signal.SIGSTOP)
    try:
        rest = push(c.sock, octets)
    finally:
        hub.daemon.process.send_signal(signal.SIGCONT)
    assert len(octets) - len(rest) > 1 << 19
    answers, end = bytearray(), time.monotonic() + 120
    while b"NO 200009 " not in answers[-100000:]:
        assert time.monotonic() < end
        c.sock.settimeout(0.05)
        rest = push(c.sock, rest)
        c.sock.settimeout(1 if rest else 60)
        try:
            more = c.sock.recv(1 << 20)
        except TimeoutError:
            continue
        assert more, "closed"
        answers += more
    assert answers.count(b"code=VERB") == 200000
    c.sock.close()


@pytest.mark.skipif(not LONG, reason="takes the whole minute that such a peer is given")
def test_one_who_takes_no_answer_is_cut_off_after_a_minute(hub):
    slow = hub.client(hub.for_units("24133"))
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sock.settimeout(2)
    start = time.monotonic()
    at, rest = 10, b""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        while time.monotonic() < start + 300:  # goes on trying, however slowly the hub reads, until it is cut
            if not rest:
                rest = b"".join(head("FROB", i, 0) + b"\n" for i in range(at, at + 4000))
                at += 4000
            rest = push(slow.sock, rest)
    assert "closed: it does not read its answers" in hub.daemon.log()
    assert time.monotonic() - start > 60
