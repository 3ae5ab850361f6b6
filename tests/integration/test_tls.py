"""TLS on the report port: versions, certificates and whom they speak for, keys changed by a reload."""
import datetime
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from brp import Client, Ended, connect_tls
from conftest import SOURCE, USER, wait_for

SAMPLES = os.path.join(SOURCE, "schemas", "samples")
MINE, OTHERS = "01-24133-buon-ma-thuot.yaml", "02-24121-tan-lap.yaml"


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as f:
        return f.read()


class Pki:
    def __init__(self, root):
        self.root = root
        self("authority")

    def __call__(self, *words, until=""):
        subprocess.run([os.path.join(SOURCE, "deploy", "pki"), self.root, *words], check=True, capture_output=True,
                       env={**os.environ, "PKI_UNTIL": until, "PKI_LIST_UNTIL": until if words == ("list",) else ""})
        if USER:
            for name in os.listdir(self.root):
                shutil.chown(os.path.join(self.root, name), USER)

    def file(self, name):
        return os.path.join(self.root, name)


@pytest.fixture
def pki(make_folder):
    made = Pki(make_folder("pki"))
    made("server", "localhost", "127.0.0.1")
    made("unit", "24133")
    return made


@pytest.fixture
def hub(make_daemon, pki):
    return make_daemon(config={"tls": {
        "certificate": pki.file("server.pem"), "key": pki.file("server.key"), "authorities": pki.file("ca.pem"),
        "revoked": pki.file("revoked.pem")}}).start()


def client(hub, pki, name=None, ca=None):
    cert, key = (pki.file(f"{name}.pem"), pki.file(f"{name}.key")) if name else (None, None)
    return Client(0, sock=connect_tls("localhost", hub.reports_port, ca or pki.file("ca.pem"), cert, key))


def test_a_certificate_speaks_for_its_units(hub, pki):
    pki("unit", "24121", "24133")
    with client(hub, pki, "unit-24133") as c:
        assert c.sock.version() == "TLSv1.3" and c.sock.selected_alpn_protocol() == "brp/1"
        mine = c.submit(sample(MINE), sha256=None)  # TLS keeps the octets whole
        assert mine.state == "committed", mine
        assert c.submit(sample(OTHERS)).code == "UNIT"
        assert c.ask("STAT", receipt=mine.receipt).receipt == mine.receipt
        assert c.ask("STAT", form="nd73-quarterly", unit="24121", period="2026-Q3").code == "UNIT"
    with client(hub, pki, "unit-24121") as c:  # a gateway for two
        others = c.submit(sample(OTHERS))
        assert others.state == "committed", others
        assert c.ask("STAT", receipt=mine.receipt).receipt == mine.receipt
    with client(hub, pki, "unit-24133") as c:
        assert c.ask("STAT", receipt=others.receipt).code == "UNKNOWN"  # somebody else's


def test_certificates_that_prove_nothing_are_refused_with_a_symbol(hub, pki, tmp_path):
    strangers = Pki(str(tmp_path / "strangers"))
    strangers("unit", "24133")
    pki("unit", "24169", until=time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 2)))
    pki("unit", "22015")
    pki("revoke", "unit-22015.pem")
    hub.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reload:" in hub.log())
    time.sleep(3)  # past the end of the short certificate
    for which, name in ((pki, None), (strangers, "unit-24133"), (pki, "unit-24169"), (pki, "unit-22015"),
                        (pki, "server")):
        with pytest.raises(Ended) as end:
            client(hub, which, name, ca=pki.file("ca.pem"))
        assert end.value.args[0].code == "AUTH", name
    for word in ("unknown authority", "expired", "revoked", "not made for clients"):
        assert word in hub.log(), word
    with client(hub, pki, "unit-24133") as c:
        assert c.ask("PING").verb == "OK"


def test_only_tls_1_3_with_the_protocols_name(hub, pki):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(pki.file("ca.pem"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_alpn_protocols(["brp/1"])
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.load_verify_locations(pki.file("ca.pem"))
    other.set_alpn_protocols(["http/1.1"])
    for context in (old, other):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            sock = context.wrap_socket(socket.create_connection(("127.0.0.1", hub.reports_port), 10),
                                       server_hostname="localhost")
            sock.recv(1)
    with Client(hub.reports_port, hello=False) as c:  # plaintext on a TLS port
        c.raw(b"HELLO 1 0 v=1\n\n")
        with pytest.raises((Ended, ValueError, UnicodeDecodeError, ConnectionError)):
            c.read()
    with pytest.raises(ssl.SSLError):
        connect_tls("localhost", hub.reports_port, pki.file("unit-24133.pem"), None, None)  # no authority of the hub's
    for words in ("it offers no cipher of TLS 1.3", "it does not speak TLS", "it broke the handshake off"):
        wait_for(lambda words=words: words in hub.log(), 20)
    with client(hub, pki, "unit-24133") as c:
        assert c.ask("PING").verb == "OK"


def test_a_reload_takes_new_keys_and_keeps_old_connections(hub, pki):
    with client(hub, pki, "unit-24133") as c:
        before = c.sock.getpeercert()["serialNumber"]
        pki("server", "localhost", "127.0.0.1")
        hub.process.send_signal(signal.SIGHUP)

        def changed():
            with client(hub, pki, "unit-24133") as fresh:
                return fresh.sock.getpeercert()["serialNumber"] != before

        wait_for(changed, 20, every=0.2)
        assert c.ask("PING").verb == "OK"
        with open(pki.file("server.pem"), "w", encoding="ascii") as f:
            f.write("no certificate")
        hub.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "server.pem" in hub.log(), 20)
        with client(hub, pki, "unit-24133") as fresh:  # bad keys: those in force stay
            assert fresh.ask("PING").verb == "OK"


def test_keys_out_of_their_time_are_told_with_their_day(hub, pki):
    """At the start, after a reload and with each new day, which a reload stands for: all three go by the tick."""
    soon = datetime.datetime.utcnow() + datetime.timedelta(days=5, hours=12)
    day = (soon + datetime.timedelta(hours=7)).strftime("%Y-%m-%d")  # Việt Nam's
    server, revoked = pki.file("server.pem"), pki.file("revoked.pem")
    assert "systemctl reload" not in hub.log()
    for words, until, told in (
            (("server", "localhost", "127.0.0.1"), soon.strftime("%Y%m%d%H%M%SZ"),
             (f"{server}, {day}: chứng thư này hết hạn ngày ấy", "this certificate expires on that day")),
            (("server", "localhost", "127.0.0.1"), "20200101000000Z",
             (f"{server}, 2020-01-01: chứng thư này đã hết hạn", "this certificate has expired")),
            (("list",), "20200101000000Z",
             (f"{revoked}, 2020-01-01: danh sách thu hồi này phải được thay", "deploy/pki DIR list"))):
        pki(*words, until=until)
        hub.process.send_signal(signal.SIGHUP)
        wait_for(lambda told=told: all(word in hub.log() for word in told), 20)
        assert "then run: systemctl reload baocaod" in hub.log()
    pki("revoke", "unit-24133.pem")  # writes a list in its time
    hub.stop()
    hub.start()
    wait_for(lambda: hub.log().count("this certificate has expired") > 1, 20)
    assert hub.log().count("danh sách thu hồi này") == 1


def test_a_list_past_its_time_still_revokes(hub, pki):
    pki("unit", "24121")
    pki("revoke", "unit-24121.pem")
    pki("list", until="20200101000000Z")
    hub.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "danh sách thu hồi này" in hub.log(), 20)
    with client(hub, pki, "unit-24133") as c:
        assert c.ask("PING").verb == "OK"
    with pytest.raises(Ended) as end:
        client(hub, pki, "unit-24121")
    assert end.value.args[0].code == "AUTH"


def test_a_revocation_ends_open_connections(hub, pki):
    pki("unit", "24121")
    with client(hub, pki, "unit-24133") as kept, client(hub, pki, "unit-24121") as revoked:
        assert revoked.ask("PING").verb == "OK"
        pki("revoke", "unit-24121.pem")
        hub.process.send_signal(signal.SIGHUP)
        with pytest.raises(Ended) as end:
            while True:
                revoked.ask("PING")
                time.sleep(0.1)
        assert (end.value.args[0].verb, end.value.args[0].code) == ("BYE", "AUTH")
        assert kept.ask("PING").verb == "OK"


def test_send_over_tls(hub, pki):
    words = ["send", "--to", f"localhost:{hub.reports_port}", "--ca", pki.file("ca.pem"), "--wait", "5",
             os.path.join(SAMPLES, MINE)]
    unit = ["--cert", pki.file("unit-24133.pem"), "--key", pki.file("unit-24133.key")]
    done = hub.programs.run(*words, *unit)
    assert done.returncode == 0 and "đã nhận" in done.stdout, done.stdout + done.stderr
    os.chmod(unit[3], 0o640)
    done = hub.programs.run(*words, *unit)
    os.chmod(unit[3], 0o600)
    assert done.returncode == 2 and f"chmod 600 {unit[3]}" in done.stderr, done.stdout + done.stderr
    done = hub.programs.run(*words)
    assert done.returncode == 3 and "phải kèm mã truy cập" in done.stdout
    strange = [pki.file("unit-24133.pem") if word == pki.file("ca.pem") else "1" if word == "5" else word for word in words]
    done = hub.programs.run(*strange)
    assert done.returncode == 2 and "do nơi lạ cấp" in done.stdout + done.stderr, done.stdout + done.stderr
    wait_for(lambda: "it does not trust the hub's certificate" in hub.log(), 20)
    words[4] = os.path.join(SOURCE, "README.md")
    done = hub.programs.run(*words, *unit)  # no certificate in it: told before anything is sent
    assert done.returncode == 2 and "README.md" in done.stderr


def test_a_wrong_authority_or_name_is_told_at_once(hub, pki, tmp_path):
    """Trying again for as long as --wait says would only hide what to mend."""
    strangers = Pki(str(tmp_path / "strangers"))
    words = ["send", "--to", f"localhost:{hub.reports_port}", "--wait", "600", "--cert", pki.file("unit-24133.pem"), "--key",
             pki.file("unit-24133.key"), os.path.join(SAMPLES, MINE)]
    for lang, said in (("vi", "do nơi lạ cấp"), ("en", "of an unknown authority")):
        done = hub.programs.run(*words, "--ca", strangers.file("ca.pem"), "--lang", lang)
        assert done.returncode == 2 and said in done.stdout + done.stderr, done
    kept = hub.programs.run(*words, "--ca", strangers.file("ca.pem"), "--outbox", str(tmp_path / "outbox"))
    assert kept.returncode == 3 and os.listdir(tmp_path / "outbox"), kept
    pki("server", "hub.example")
    before = hub.log().count("reload:")
    hub.process.send_signal(signal.SIGHUP)
    wait_for(lambda: hub.log().count("reload:") > before)
    for lang, said in (("vi", "đứng tên khác"), ("en", "for another name")):
        done = hub.programs.run(*words, "--ca", pki.file("ca.pem"), "--lang", lang)
        assert done.returncode == 2 and said in done.stdout + done.stderr, done
