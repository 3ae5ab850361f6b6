"""HTTP on bad and hostile lines, the same in plaintext and over TLS: the guard of heads, deadlines that drips do not move,
and answers that come although connections are put to sleep and woken in any order (the watchdog)."""
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time

import pytest
from conftest import USER, Daemon, wait_for
from reports import FORM, PERIOD, report
from test_tls import Pki
from web import add_token, ask

UNIT = "24133"


@pytest.fixture(scope="module", params=["plain", "tls"])
def hub(request, programs, template):
    root = tempfile.mkdtemp(prefix="baocao-http-")
    os.chmod(root, 0o755)
    config = {"times": {"hello": "1s", "idle": "2s"}, "limits": {"max_body": "16KiB"}, "http": {"local": "none"}}
    pki = None
    if request.param == "tls":
        pki = Pki(os.path.join(root, "pki"))
        pki("server", "localhost", "127.0.0.1")
        if USER:
            shutil.chown(pki.root, USER)
        config["tls"] = {"certificate": pki.file("server.pem"), "key": pki.file("server.key")}
    os.mkdir(os.path.join(root, "daemon"))
    daemon = Daemon(programs, os.path.join(root, "daemon"), template, config)
    daemon.start()
    daemon.ca = pki.file("ca.pem") if pki else None
    daemon.token = add_token(daemon, "--unit", UNIT)
    wait_for(lambda: ask(daemon, "GET", "/v1/forms", token=daemon.token, ca=daemon.ca).status == 200, every=0.5)
    yield daemon
    daemon.clean()
    shutil.rmtree(root, ignore_errors=True)


def connect(hub):
    sock = socket.create_connection(("127.0.0.1", hub.http_port), 60)
    if hub.ca:
        sock = ssl.create_default_context(cafile=hub.ca).wrap_socket(sock, server_hostname="127.0.0.1")
    return sock


def answer(sock):
    """Status and body of the next answer."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        more = sock.recv(65536)
        assert more, octets
        octets += more
    head, body = octets.split(b"\r\n\r\n", 1)
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < lengths[0]:
        body += sock.recv(65536)
    return int(head.split(b" ")[1]), body


@pytest.mark.parametrize("head", [
    b"Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
    b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
    b"Host: a\r\nTransfer-Encoding: identity\r\n",
    b"Host: a\r\nTransfer-Encoding:\r\n  chunked\r\n",
    b"Host: a\r\nContent-Length: 5\r\n 5\r\n",
    b"Host: a\r\nHost: a\r\n",
    b"",
    b"Host: a\r\nContent-Length: -1\r\n",
    b"Host: a\r\nContent-Length: 0x5\r\n",
    b"Host: a\r\nContent-Length : 0\r\n",
], ids=["two-lengths", "length-and-chunked", "two-codings", "more-codings", "other-coding", "folded-coding", "folded-length", "two-hosts", "no-host", "negative", "hexadecimal", "space-before-colon"])
def test_heads_that_smuggle_are_refused(hub, head):
    with connect(hub) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\n" + head + b"\r\n0\r\n\r\n")
        assert answer(sock)[0] == 400
    assert ask(hub, "GET", "/healthz", ca=hub.ca).status == 200


PUT = (f"PUT /v1/reports/{UNIT}/{FORM}/{PERIOD} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
       "Content-Type: application/yaml\r\nContent-Length: 16000\r\n\r\n")


def test_drips_end_at_their_deadline(hub):
    """MHD's own limit starts again with each octet: a head or a body that drips would live for ever."""
    drips = {}
    for number in range(10):
        drips[connect(hub)] = b"GET /healthz HTTP/1.1\r\nX: " if number % 2 else (PUT % hub.token).encode()
    for sock, begun in drips.items():
        sock.sendall(begun)
        sock.settimeout(0.01)
    start, ends, octets = time.monotonic(), [], 0
    while drips:
        assert time.monotonic() - start < 120, f"{len(drips)} still drip"
        for sock in list(drips):
            try:
                sock.sendall(b"x")
                octets += 1
                if sock.recv(100) == b"":
                    raise ConnectionError
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                ends.append(time.monotonic() - start)
                del drips[sock]
                sock.close()
        assert ask(hub, "GET", "/healthz", ca=hub.ca).status == 200
    assert octets > 20  # the fault: each said something now and then
    assert min(ends) > 0.7  # no sooner than the limit of a head


def test_none_of_many_sleeping_requests_is_forgotten(hub):
    """Each request is put to sleep until the database has answered; keep-alive, with others coming and going meanwhile."""
    document = report(UNIT, 1, 4).encode()
    head = (PUT % hub.token).replace("16000", str(len(document))).encode()
    asking = f"GET /v1/status?form={FORM}&period={PERIOD} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {hub.token}\r\n\r\n".encode()
    seen, faults = [], []

    def talk(number):
        try:
            with connect(hub) as sock:
                for turn in range(10):
                    sock.sendall(head + document if (number + turn) % 3 == 0 else asking)
                    seen.append(answer(sock)[0])
        except (OSError, AssertionError) as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert not faults and len(seen) == 300
    assert set(seen) <= {200, 201} and seen.count(201) == 1
