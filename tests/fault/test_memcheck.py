"""F29: the daemon under valgrind through a session of reports, TLS, faults, a reload and a drain: no error, nothing
definitely lost. Needs a build without sanitizers: BAOCAO_PLAIN names one, else it is made."""
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest
from brp import Client, Ended, connect_tls
from conftest import SOURCE, Daemon, Programs, wait_for
from reports import communes, many, report
from test_tls import Pki

LONG = bool(os.environ.get("BAOCAO_LONG"))
VALGRIND = shutil.which("valgrind")


@pytest.fixture
def plain_programs(tmp_path, monkeypatch):
    build = os.environ.get("BAOCAO_PLAIN")
    if not build:
        build = str(tmp_path / "plain")
        subprocess.run(["meson", "setup", build, SOURCE, "-Dbuildtype=debugoptimized"], check=True, capture_output=True)
        subprocess.run(["ninja", "-C", build, "daemon/baocaod", "daemon/baocao"], check=True, capture_output=True)
    monkeypatch.setattr("conftest.BUILD", build)
    monkeypatch.setitem(Programs.__init__.__globals__, "BUILD", build)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(folder, 0o755)
    root = tmp_path / "programs"
    root.mkdir()
    return Programs(str(root))


@pytest.mark.skipif(not LONG or not VALGRIND, reason="long, and needs valgrind")
def test_f29_memcheck_finds_nothing(plain_programs, tmp_path):
    pki = Pki(str(tmp_path / "pki"))
    pki("server", "localhost", "127.0.0.1")
    pki("unit", *communes()[:100])
    name = f"unit-{communes()[0]}"
    root = tmp_path / "daemon"
    root.mkdir()
    log = str(tmp_path / "memcheck")
    daemon = Daemon(plain_programs, str(root), config={
        "tls": {"certificate": pki.file("server.pem"), "key": pki.file("server.key"), "authorities": pki.file("ca.pem")},
        "times": {"hello": "60s", "drain": "120s"}, "work": {"threads": 2}, "log": {"level": "debug"}})
    try:
        daemon.start(wait=False, prefix=(VALGRIND, "--tool=memcheck", "--leak-check=full", "--track-origins=yes",
                                         "--errors-for-leak-kinds=definite", "--child-silent-after-fork=yes",
                                         f"--log-file={log}"))
        daemon.wait_ready(300)

        def client():
            return Client(0, sock=connect_tls("localhost", daemon.reports_port, pki.file("ca.pem"),
                                              pki.file(name + ".pem"), pki.file(name + ".key"), 120), timeout=120)

        with client() as c:
            documents = [r[1] for r in many(150, 29).values() if any(f'"{u}"' in r[1] for u in communes()[:100])]
            answers = c.submit_all(documents)
            assert sum(a.verb == "OK" for a in answers) > 50
            assert c.submit(documents[0]).dup == "1"
            assert c.submit("form: nobody").verb == "NO"
            assert c.ask("STAT", receipt=answers[0].receipt, proof=1).body
            assert c.ask("DUE", unit=communes()[0]).body
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "reload:" in daemon.log(), 120)
            assert c.submit(report(communes()[1], 5, 5)).verb == "OK"
        with socket.create_connection(("127.0.0.1", daemon.reports_port), 60) as sock:
            sock.sendall(b"no handshake\n" * 20)
            sock.recv(100)
        with client() as c, pytest.raises(Ended):
            c.raw(b"no frame\n")
            c.answer(9)
        with client() as c:
            c.report(report(communes()[2], 5, 5))
            assert daemon.stop(240) == 0
    finally:
        daemon.clean()
    with open(log, encoding="utf-8") as f:
        found = f.read()
    assert re.search(r"definitely lost: 0 bytes|All heap blocks were freed", found), found[-4000:]
    assert "ERROR SUMMARY: 0 errors" in found, found[-6000:]
