"""lib/wire/protocol.md sentence by sentence, with raw octets: what other tests do not already pin.

Each row is a talk on a connection of its own: what the client sends, and the answers' heads as patterns, in order. After
the answers the connection must still serve ("serves"), or be closed by the server ("closed")."""
import hashlib
import os
import re
import socket
import ssl
import zlib

import pytest
from brp import Client, connect_tls
from conftest import SOURCE, Daemon
from reports import FORM, PERIOD, report
from test_tls import Pki

UNIT, OTHER = "24133", "24121"
HELLO = "HELLO 1 0 v=1 lang=en\n\n"
GREETED = r"OK 1 0 v=1 server=\S+ items=64 bytes=4194304 maxbody=1048576 maxraw=4194304 idle=180"
FRAME = r"NO 0 \d+ code=FRAME"
NO_REPORT = "sha256=" + hashlib.sha256(b"a: 1").hexdigest()


class Talk:
    """A socket, and frames read from it without knowing what they mean."""

    def __init__(self, sock):
        self.sock, self.input = sock, b""
        sock.settimeout(30)

    def _until(self, enough):
        while not enough():
            octets = self.sock.recv(65536)
            if not octets:
                raise EOFError(self.input)
            self.input += octets

    def frame(self):
        """(head, body)"""
        self._until(lambda: b"\n" in self.input)
        line, self.input = self.input.split(b"\n", 1)
        length = int(line.split(b" ")[2])
        self._until(lambda: len(self.input) > length)
        body, end, self.input = self.input[:length], self.input[length:length + 1], self.input[length + 1:]
        assert end == b"\n", (line, body, end)
        return line.decode("ascii"), body

    def is_closed(self):
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True


def talk(daemon):
    return Talk(socket.create_connection(("127.0.0.1", daemon.reports_port), 30))


@pytest.fixture(scope="module")
def hub(programs, template, make_folder):
    daemon = Daemon(programs, make_folder("protocol"), template)
    yield daemon.start()
    daemon.clean()


def keys_of(n):
    return " ".join(f"k{i}=1" for i in range(n))


LONGEST = "PING 2 0 k=" + "x" * (1024 - len("PING 2 0 k="))
assert len(LONGEST) == 1024
OK2, AUTH = r"OK 2 0", r"NO \d+ \d+ code=AUTH"

TALKS = [
    # --- frames (section 2): what is sound
    ("the longest head", HELLO + LONGEST + "\n\n", [OK2], "serves"),
    ("the longest head and its CR", HELLO + LONGEST + "\r\n\n", [OK2], "serves"),
    ("CR before every head's LF", HELLO.replace("\n", "\r\n", 1) + "PING 2 0\r\n\n", [GREETED, OK2], "serves"),
    ("32 keys", HELLO + f"PING 2 0 {keys_of(32)}\n\n", [OK2], "serves"),
    ("the highest number", HELLO + "PING 2147483647 0\n\n", ["OK 2147483647 0"], None),
    ("numbers may start anywhere and leave gaps", HELLO.replace("HELLO 1", "HELLO 41") + "PING 50 0\n\n",
     [GREETED.replace("1", "41", 1), "OK 50 0"], "serves"),
    ("a verb of 16 letters", HELLO + "ABCDEFGHIJKLMNOP 2 0\n\n", [r"NO 2 \d+ code=VERB"], "serves"),
    ("every octet that a value may hold", HELLO + "PING 2 0 k=" + "".join(chr(c) for c in range(0x21, 0x7f) if c != 0x25) + "\n\n",
     [OK2], "serves"),
    ("percent for one octet, in either case", HELLO + "PING 2 0 k=%C3%a1%25%20\n\n", [OK2], "serves"),
    ("unknown keys are ignored", HELLO + "PING 2 0 quick=1 later_key9=2\n\n", [OK2], "serves"),
    ("a known key may be marked", "HELLO 1 0 !v=1 !lang=en\n\n" + "PING 2 0\n\n", [GREETED, OK2], "serves"),
    # --- frames: what breaks them
    ("a head of 1,025 octets", HELLO + LONGEST + "x\n\n", [FRAME], "closed"),
    ("33 keys", HELLO + f"PING 2 0 {keys_of(33)}\n\n", [FRAME], "closed"),
    ("a number too high", HELLO + "PING 2147483648 0\n\n", [FRAME], "closed"),
    ("a number of the server's", HELLO + "PING 0 0\n\n", [FRAME], "closed"),
    ("the same number again", HELLO + "PING 2 0\n\nPING 2 0\n\n", [OK2, FRAME], "closed"),
    ("a lower number", HELLO + "PING 9 0\n\nPING 8 0\n\n", ["OK 9 0", FRAME], "closed"),
    ("a leading zero", HELLO + "PING 2 00\n\n", [FRAME], "closed"),
    ("a verb of 17 letters", HELLO + "ABCDEFGHIJKLMNOPQ 2 0\n\n", [FRAME], "closed"),
    ("a verb in small letters", HELLO + "ping 2 0\n\n", [FRAME], "closed"),
    ("two spaces", HELLO + "PING 2 0  a=1\n\n", [FRAME], "closed"),
    ("a space at the end", HELLO + "PING 2 0 \n\n", [FRAME], "closed"),
    ("an empty value", HELLO + "PING 2 0 a=\n\n", [FRAME], "closed"),
    ("a name that begins with a digit", HELLO + "PING 2 0 1a=1\n\n", [FRAME], "closed"),
    ("a name in capitals", HELLO + "PING 2 0 A=1\n\n", [FRAME], "closed"),
    ("a key twice", HELLO + "PING 2 0 a=1 a=1\n\n", [FRAME], "closed"),
    ("percent without its digits", HELLO + "PING 2 0 a=%4\n\n", [FRAME], "closed"),
    ("an encoded control character", HELLO + "PING 2 0 a=%0A\n\n", [FRAME], "closed"),
    ("encoded octets that are no UTF-8", HELLO + "PING 2 0 a=%ff\n\n", [FRAME], "closed"),
    ("an octet that is not encoded", HELLO + "PING 2 0 a=á\n\n", [FRAME], "closed"),
    ("no line feed after the body", HELLO + "REPORT 2 4 " + NO_REPORT + "\na: 1X", [FRAME], "closed"),
    ("two line feeds after the body", HELLO + "PING 2 0\n\n\nPING 3 0\n\n", [OK2, FRAME], "closed"),
    # --- wrong things inside sound frames cost nothing but their frame
    ("an unknown verb's body is dropped", HELLO + "FROB 2 5\nPING \nPING 3 0\n\n", [r"NO 2 \d+ code=VERB", "OK 3 0"], "serves"),
    ("a key that must be understood, its body dropped", HELLO + f"REPORT 2 4 !wrap=1 {NO_REPORT}\na: 1\n",
     [r"NO 2 \d+ code=MUST key=wrap"], "serves"),
    ("a body where none belongs", HELLO + "STAT 2 1 receipt=0\nx\n", [r"NO 2 \d+ code=HEAD"], "serves"),
    ("a second HELLO", HELLO + "HELLO 2 0 v=1\n\n", [r"NO 2 \d+ code=HEAD"], "serves"),
    ("sha256 of the wrong length", HELLO + "REPORT 2 4 sha256=00\na: 1\n", [r"NO 2 \d+ code=HEAD key=sha256"], "serves"),
    ("no sha256 without TLS", HELLO + "REPORT 2 4\na: 1\n", [r"NO 2 \d+ code=HEAD key=sha256"], "serves"),
    ("sha256 in capitals", HELLO + f"REPORT 2 4 {NO_REPORT.upper().replace('SHA', 'sha')}\na: 1\n",
     [r"NO 2 \d+ code=ENVELOPE"], "serves"),
    ("enc unknown", HELLO + f"REPORT 2 4 enc=br raw=4 {NO_REPORT}\na: 1\n", [r"NO 2 \d+ code=HEAD key=enc"], "serves"),
    ("enc without raw", HELLO + f"REPORT 2 4 enc=deflate {NO_REPORT}\na: 1\n", [r"NO 2 \d+ code=HEAD key=raw"], "serves"),
    ("raw over maxraw", HELLO + f"REPORT 2 4 enc=deflate raw=4194305 {NO_REPORT}\na: 1\n", [r"NO 2 \d+ code=TOOBIG"], "serves"),
    ("STAT without a key", HELLO + f"STAT 2 0 form={FORM}\n\n", [r"NO 2 \d+ code=HEAD key=unit"], "serves"),
    ("STAT of revision 0", HELLO + f"STAT 2 0 form={FORM} unit={UNIT} period={PERIOD} rev=0\n\n", [r"NO 2 \d+ code=HEAD key=rev"], "serves"),
    ("STAT of revision 10000", HELLO + f"STAT 2 0 form={FORM} unit={UNIT} period={PERIOD} rev=10000\n\n",
     [r"NO 2 \d+ code=HEAD key=rev"], "serves"),
    ("STAT of no UUID", HELLO + "STAT 2 0 receipt=0199c0de\n\n", [r"NO 2 \d+ code=HEAD key=receipt"], "serves"),
    ("STAT of an unknown receipt", HELLO + "STAT 2 0 receipt=0199c0de-7c1b-7aaa-8f00-3d5a3b0c9e11\n\n",
     [r"NO 2 \d+ code=UNKNOWN"], "serves"),
    ("STAT of what was never sent", HELLO + f"STAT 2 0 form={FORM} unit={OTHER} period={PERIOD}\n\n",
     [r"NO 2 \d+ code=UNKNOWN"], "serves"),
    ("STAT of no such form", HELLO + f"STAT 2 0 form=none unit={UNIT} period={PERIOD}\n\n", [r"NO 2 \d+ code=UNKNOWN"], "serves"),
    ("STAT of no such period", HELLO + f"STAT 2 0 form={FORM} unit={UNIT} period=2026-Q9\n\n", [r"NO 2 \d+ code=PERIOD"], "serves"),
    ("STAT with a proof that is neither 0 nor 1", HELLO + f"STAT 2 0 form={FORM} unit={UNIT} period={PERIOD} proof=2\n\n",
     [r"NO 2 \d+ code=HEAD key=proof"], "serves"),
    ("DUE without a unit", HELLO + "DUE 2 0\n\n", [r"NO 2 \d+ code=HEAD key=unit"], "serves"),
    ("DUE until no day", HELLO + f"DUE 2 0 unit={UNIT} until=2026-02-30\n\n", [r"NO 2 \d+ code=HEAD key=until"], "serves"),
    ("DUE of no such unit", HELLO + "DUE 2 0 unit=99999\n\n", [r"NO 2 \d+ code=UNKNOWN"], "serves"),
    # --- HELLO (section 3)
    ("version 0", "HELLO 1 0 v=0\n\nHELLO 2 0 v=1 lang=en\n\n", [r"NO 1 \d+ code=VERSION", r"OK 2 0 v=1 .*"], "serves"),
    ("no version", "HELLO 1 0 agent=x\n\n", [r"NO 1 \d+ code=VERSION"], "open"),
    ("a later version", "HELLO 1 0 v=7 lang=en\n\n", [GREETED], "serves"),
    ("a version that is no number", "HELLO 1 0 v=one\n\n", [r"NO 1 \d+ code=VERSION"], "open"),
    ("languages and shapes unknown here", "HELLO 1 0 v=1 lang=fr format=xml agent=a%2Fb%201\n\n", [GREETED], "serves"),
    ("a wrong token, then none", "HELLO 1 0 v=1 token=aaaa-bbbb\n\nHELLO 2 0 v=1\n\n", [r"NO 1 \d+ code=AUTH", r"OK 2 0 v=1 .*"],
     "serves"),
    ("before HELLO nothing else is said", "PING 1 0\n\n", [r"NO 1 \d+ code=AUTH"], "open"),
    ("the third refusal closes", "PING 1 0\n\nFROB 2 2\nab\nDUE 3 0 unit=24133\n\nPING 4 0\n\n", [AUTH, AUTH, AUTH], "closed"),
    ("requests may follow at once", HELLO + "PING 2 0\n\nPING 3 0\n\n", [OK2, "OK 3 0"], "serves"),
    # --- leaving
    ("QUIT after everything, and nothing after it", HELLO + "PING 2 0\n\nQUIT 3 0\n\nPING 4 0\n\n", [OK2, "OK 3 0"], "closed"),
]


@pytest.mark.parametrize("sent,answers,after", [t[1:] for t in TALKS], ids=[t[0].replace(" ", "-") for t in TALKS])
def test_a_talk(hub, sent, answers, after):
    t = talk(hub)
    t.sock.sendall(sent.encode("utf-8"))
    for pattern in ([GREETED] if sent.startswith(HELLO) else []) + answers:
        head, body = t.frame()
        assert re.fullmatch(pattern, head), (head, pattern)
        if head.startswith("NO"):  # a sentence about the whole request stands at 0:0 with the symbol as code
            code = head.rsplit("code=", 1)[1].split(" ")[0]
            line = body.decode("utf-8").split("\n")[0].split("\t")
            assert len(line) == 4 and line[3], body
            assert line[:3] == ["0:0", code, ""] or code == "ENVELOPE", body
    if after == "closed":
        assert t.is_closed()
    elif after == "serves":
        t.sock.sendall(b"PING 2147483640 0\n\n")
        assert t.frame() == ("OK 2147483640 0", b"")
    t.sock.close()


def test_the_octets_of_the_document_itself(hub):
    """The talk by hand that the document begins with is what the hub says."""
    with open(os.path.join(SOURCE, "lib", "wire", "protocol.md"), encoding="utf-8") as f:
        shown = f.read().split("```\n$ nc 127.0.0.1 7316\n", 1)[1].split("```", 1)[0]
    t = talk(hub)
    said = ""
    for words in ("HELLO 1 0 v=1 agent=by-hand lang=en\n\n", "PING 2 0\n\n"):
        t.sock.sendall(words.encode())
        head, body = t.frame()
        said += words + head + "\n" + body.decode() + "\n"
    assert said.split() == shown.split()
    # Of the talk over TLS: the findings of what is no report.
    t.sock.sendall(f"REPORT 3 12 sha256={hashlib.sha256(b'form: nobody').hexdigest()}\nform: nobody\n".encode())
    head, body = t.frame()
    assert head == "NO 3 414 code=ENVELOPE"
    with open(os.path.join(SOURCE, "lib", "wire", "protocol.md"), encoding="utf-8") as f:
        assert f"\n{head}\n{body.decode()}" in f.read()


def test_a_client_is_a_page_of_code():
    """brp.py is written from the document alone; every test of the wire speaks through it."""
    with open(os.path.join(os.path.dirname(__file__), "brp.py"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert len(lines) <= 150
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"hashlib", "socket", "ssl", "urllib", "zlib"}  # of Python alone


ANSWER = (r"OK (\d+) (\d+) state=(committed|superseded|returned) receipt=[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
          r" form=nd73-quarterly unit=\d{5} period=2026-Q3 rev=\d+ at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00 due=(on-time|late)"
          r" form_version=1 content=[0-9a-f]{64} sha256=[0-9a-f]{64} dup=[01] dur=local chain=\d+")


def test_the_keys_of_an_answer(hub):
    """Every key of section 6, in its order, from REPORT and STAT, for each state."""
    t = talk(hub)
    t.sock.sendall(HELLO.encode())
    t.frame()
    number = 1

    def request(verb, body=b"", **keys):
        nonlocal number
        number += 1
        words = "".join(f" {k}={v}" for k, v in keys.items())
        t.sock.sendall(f"{verb} {number} {len(body)}{words}\n".encode() + body + b"\n")
        return t.frame()

    def hand_in(revision, press, packed=False):
        document = report("24154", revision, press).encode()
        keys = {"sha256": hashlib.sha256(document).hexdigest()}
        if packed:
            keys.update(enc="deflate", raw=len(document))
        return request("REPORT", zlib.compress(document) if packed else document, **keys)

    key = {"form": FORM, "unit": "24154", "period": PERIOD}
    seen = {}
    for revision, press, packed, state, dup in ((2, 5, True, "committed", 0), (1, 4, False, "superseded", 0), (2, 5, False, "committed", 1),
                                                (1, 4, True, "superseded", 1)):
        head, body = hand_in(revision, press, packed)
        assert re.fullmatch(ANSWER, head) and body == b"", head
        assert f" state={state} " in head and f" dup={dup} " in head and f" rev={revision} " in head, head
        seen.setdefault(revision, head.split("dup=")[0].split(" ", 3)[3].split("state=")[1].split(" ", 1)[1])
        assert seen[revision] in head  # the first receipt again
    asked, _ = request("STAT", **key)
    assert re.fullmatch(ANSWER, asked) and " rev=2 " in asked and seen[2] in asked  # without rev: the current one
    asked, _ = request("STAT", **key, rev=1)
    assert seen[1] in asked and " state=superseded " in asked
    done = hub.operate("office", "return", "--form", FORM, "--period", PERIOD, "--unit", "24154", "--reason", "xem lại")
    assert done.returncode == 0, done.stderr
    head, body = t.frame()
    assert re.fullmatch(rf"RETURNED 0 \d+ form={FORM} unit=24154 period={PERIOD} rev=2", head), head
    assert body.decode() == "xem lại"
    for head, _ in (hand_in(2, 5), request("STAT", **key, rev=2)):
        assert re.fullmatch(ANSWER, head) and " state=returned " in head and seen[2] in head, head
    # Same key, other content: the sentence says what differs, and to raise the revision.
    head, body = hand_in(2, 6)
    assert head.endswith(" code=KEYREUSED")
    assert "revision" in body.decode(), body
    head, proof = request("STAT", **key, rev=1, proof=1)
    assert seen[1] in head and b"\nform nd73-quarterly\n" in proof, proof[:100]


def rows_of_table(title):
    """Cells of the table under a heading of the document."""
    with open(os.path.join(SOURCE, "lib", "wire", "protocol.md"), encoding="utf-8") as f:
        part = f.read().split(f"\n### {title}\n", 1)[1].split("\n#", 1)[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")]
    return {r[0].strip("`"): r[1:] for r in rows}


def test_symbols_are_those_of_the_document(hub):
    """One table in the code; the document and the openapi description name the same symbols, words and statuses."""
    with open(os.path.join(SOURCE, "lib", "text", "symbols.h"), encoding="utf-8") as f:
        code = {m[1]: (m[2], int(m[3])) for m in re.finditer(r"X\((\w+), BAO_(\w+), (\d+),[ \\\n]+\"", f.read())}
    document = rows_of_table("Symbols")
    assert list(code) == list(document)
    contract = ("FRAME HEAD TOOBIG MUST VERB VERSION AUTH UNIT UTF8 HASH INFLATE RAW PARSE ENVELOPE FORM PERIOD NOTOWED LOCKED KEYREUSED"
                " INVALID EXPLAIN SECRET UNKNOWN BUSY QUOTA SPOOLFULL DRAINING INTERNAL").split()
    assert sorted(code) == sorted(contract)
    for symbol, (word, status) in code.items():
        assert document[symbol][0].split()[0] == word, symbol
        if word == "WAIT":
            assert status == (429 if symbol == "QUOTA" else 503), symbol
        else:
            assert status in (400, 401, 403, 404, 409, 413, 415, 422), symbol
    t = talk(hub)  # AUTH: the sentence says which
    t.sock.sendall(b"PING 1 0\n\nHELLO 2 0 v=1 lang=en token=aaaa\n\n")
    assert "HELLO trước" in t.frame()[1].decode() and "look at the token file" in t.frame()[1].decode()
    assert [s for s, (word, _) in code.items() if word == "WAIT"] == ["BUSY", "QUOTA", "SPOOLFULL", "DRAINING", "INTERNAL"]


def test_the_smallest_and_the_largest(make_daemon):
    """Limits told in HELLO are those in force, to the octet."""
    daemon = make_daemon({"limits": {"max_body": "64KiB", "max_document": "128KiB", "peer_bytes": "100KiB", "peer_items": 4},
                          "times": {"idle": "2s"}}).start()
    t = talk(daemon)
    t.sock.sendall(HELLO.encode())
    assert re.fullmatch(r"OK 1 0 v=1 server=\S+ items=4 bytes=102400 maxbody=65536 maxraw=131072 idle=2", t.frame()[0])
    padded = report(UNIT, 1, 4) + "# "
    document = (padded + "x" * (65536 - len(padded.encode()))).encode()
    assert len(document) == 65536

    def hand_in(number, octets, **keys):
        words = "".join(f" {k}={v}" for k, v in {"sha256": hashlib.sha256(octets).hexdigest(), **keys}.items())
        body = zlib.compress(octets) if keys else octets
        t.sock.sendall(f"REPORT {number} {len(body)}{words}\n".encode() + body + b"\n")
        return t.frame()[0]

    assert " state=committed " in hand_in(2, document)
    assert hand_in(3, document + b"x").endswith("code=TOOBIG")
    big = document + b"x" * 65536
    assert " dup=1 " in hand_in(4, big, enc="deflate", raw=len(big))  # a comment changes nothing
    assert hand_in(5, big + b"x", enc="deflate", raw=len(big) + 1).endswith("code=TOOBIG")
    # 64 KiB + 128 KiB are over `bytes`; alone it was taken all the same. Silence ends with BYE IDLE.
    head, body = t.frame()
    assert (head, body) == ("BYE 0 0 code=IDLE", b"") and t.is_closed()
    t = talk(daemon)  # a head that stops, and a HELLO that never comes, have their own limits: times.hello
    t.sock.sendall(HELLO.encode() + b"".join(b"STAT %d 0 receipt=0199c0de-7c1b-7aaa-8f00-3d5a3b0c9e11\n\n" % n for n in range(2, 400)))
    heads = []
    try:
        while True:
            heads.append(t.frame()[0])
    except (EOFError, ConnectionError):
        pass
    assert all(h.startswith(("OK 1 ", "NO ")) for h in heads)
    daemon.stop()
    assert "more unanswered requests than the window" in daemon.log() or len(heads) == 399


@pytest.fixture
def over_tls(make_daemon, make_folder):
    pki = Pki(make_folder("pki"))
    pki("server", "localhost", "127.0.0.1")
    pki("unit", UNIT)
    daemon = make_daemon({"tls": {"certificate": pki.file("server.pem"), "key": pki.file("server.key"), "authorities": pki.file("ca.pem")},
                          "limits": {"unit_reports": 1}, "log": {"level": "debug"}}).start()

    def connect():
        return connect_tls("localhost", daemon.reports_port, pki.file("ca.pem"), pki.file(f"unit-{UNIT}.pem"), pki.file(f"unit-{UNIT}.key"))

    return daemon, connect


def end_of(sock):
    """How the server ends a connection: "bye" with close_notify, "cut" without."""
    try:
        while sock.recv(65536):
            pass
        return "bye"
    except ssl.SSLEOFError:
        return "cut"


def test_every_end_over_tls_is_said(over_tls):
    """QUIT, broken frames, a stop: the last answer comes whole and the end is a close_notify."""
    daemon, connect = over_tls
    for sent, last in ((b"QUIT 2 0\n\n", "OK 2 0"), (b"no frame\n", "NO 0"), (b"PING 1 0\n\n", "NO 0")):
        sock = connect()
        sock.suppress_ragged_eofs = False
        t = Talk(sock)
        t.sock.sendall(HELLO.encode() + sent)
        heads = [t.frame()[0]]
        while not heads[-1].startswith(last):
            heads.append(t.frame()[0])
        assert end_of(sock) == "bye", sent
    sock = connect()
    sock.suppress_ragged_eofs = False
    t = Talk(sock)
    t.sock.sendall(HELLO.encode())
    t.frame()
    daemon.process.terminate()
    heads = []
    while not heads or not heads[-1].startswith("BYE"):
        heads.append(t.frame()[0])
    drain = [h for h in heads if h.startswith("DRAIN")]
    assert len(drain) == 1 and re.fullmatch(r"DRAIN 0 0 within=\d+", drain[0]), heads
    assert heads[-1] == "BYE 0 0 code=DRAINING"
    assert end_of(sock) == "bye"
    assert daemon.process.wait(60) == 0
    for words in ("TLS -> HELLO (handshake done)", "HELLO -> READY (HELLO accepted)", "-> CLOSING (QUIT)",
                  "-> CLOSING (a head line that is none)", "READY -> DRAINING (the server is stopping)"):
        assert words in daemon.log(), words


def test_wait_says_when(over_tls):
    """sha256 may be left out under TLS; over its share a unit hears WAIT with the time, and at that time there is room."""
    daemon, connect = over_tls
    with Client(0, sock=connect()) as c:
        answers = [c.answer(c.report(b"a: 1", sha256=None)) for _ in range(40)]
        late = [a for a in answers if a.verb == "WAIT"]
        assert {a.code for a in answers} == {"ENVELOPE", "QUOTA"} and late, "the share was never used up"
        assert all(int(a.after) > 0 for a in late)

