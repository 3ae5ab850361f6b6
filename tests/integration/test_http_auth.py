"""HTTP: who may ask what. Basic and Bearer, roles, delays, the rules for writing, TLS."""
import os
import re
import shutil
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import USER, Daemon, wait_for
from reports import FORM, PERIOD, report
from test_tls import Pki
from web import add_token, ask, make_token, wait_for_token

UNIT, OTHER = "24133", "24121"
REPORT = f"/v1/reports/{UNIT}/{FORM}/{PERIOD}"


@pytest.fixture(scope="module")
def hub(programs, template, make_folder):
    """A daemon that believes nobody without a secret, and a secret of each role."""
    daemon = Daemon(programs, make_folder("auth"), template, {"http": {"local": "none"}}).start()
    daemon.tokens = {role: add_token(daemon, "--role", role) for role in ("office", "oversight", "operator")}
    daemon.tokens["short"] = add_token(daemon, "--role", "oversight")
    daemon.newest = max(re.findall(r'"id": ?"([0-9a-f-]{36})"', daemon.operate("token", "list", "--format", "json").stdout))
    daemon.tokens["unit"] = add_token(daemon, "--unit", UNIT)
    daemon.tokens["gateway"] = wait_for_token(daemon, add_token(daemon, "--unit", f"{UNIT},{OTHER}"))
    yield daemon
    daemon.clean()


def put(hub, token, path=REPORT, body=None, **headers):
    headers = {"content_type": "application/yaml", **headers}
    return ask(hub, "PUT", path, report(UNIT, 1, 4) if body is None else body, token, **headers)


ROLES = ("unit", "office", "oversight", "operator")
READERS = ("office", "oversight", "operator")


@pytest.mark.parametrize("path,roles", [
    ("/v1/rollups?form=none&limit=1", READERS), ("/v1/status?limit=1", ROLES), ("/v1/missing?limit=1", ROLES),
    ("/v1/reports?limit=1", ROLES), ("/v1/forms", ROLES), ("/v1/units?limit=1", ROLES), ("/v1/indicators?limit=1", ROLES)])
def test_each_role_reads_what_is_its_own(hub, path, roles):
    for role in ROLES:
        assert ask(hub, "GET", path, token=hub.tokens[role]).status == (200 if role in roles else 403), role
    refused = ask(hub, "GET", path)
    assert refused.status == 401 and refused.json["code"] == "AUTH"
    schemes = refused.headers.get_all("WWW-Authenticate")
    assert [s.split()[0] for s in schemes] == ["Basic", "Bearer"]


def test_health_needs_no_secret(hub):
    for path in ("/healthz", "/readyz"):
        assert ask(hub, "GET", path).status == 200


def test_one_secret_serves_basic_and_bearer(hub):
    secret = hub.tokens["office"]
    for user in ("", "van-phong", "Nguyễn Văn A"):
        assert ask(hub, "GET", "/v1/forms", token=secret, user=user).status == 200
    assert ask(hub, "GET", "/v1/forms", token=secret.replace("-", "").lower()).status == 200


def test_wrong_secrets_wait_and_right_ones_do_not(hub):
    wrong = hub.tokens["office"][:-1] + ("b" if hub.tokens["office"][-1] in "aA" else "a")
    for least in (0.2, 0.4):  # 250 and 500 ms of a coarse clock; more when others from here were wrong before
        begin = time.monotonic()
        assert ask(hub, "GET", "/v1/forms", token=wrong, user="office").status == 401
        assert time.monotonic() - begin >= least
    # While a wrong one waits, others are served.
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", hub.http_port), timeout=30) as slow:
        slow.sendall(f"GET /v1/forms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {wrong}\r\n\r\n".encode())
        assert ask(hub, "GET", "/v1/forms", token=hub.tokens["office"]).status == 200
        assert ask(hub, "GET", "/healthz").status == 200
        assert slow.recv(100).startswith(b"HTTP/1.1 401")
    assert time.monotonic() - begin >= 0.8  # 250 ms, doubled twice
    log = hub.log()
    assert "http: 127.0.0.1: its secret is wrong" in log
    assert not any(secret in log or secret.replace("-", "") in log for secret in [wrong, *hub.tokens.values()])


def test_broken_heads_are_refused(hub):
    heads = ["Basic", "Basic !!!", "Basic " + "A" * 4000, "Basic Zm9v", "Bearer", "Bearer ", "Bearer " + "x" * 2000,
             "Digest a=b", "Basic Og==", "Bearer \u00e9".encode().decode("latin-1")]
    with ThreadPoolExecutor(len(heads)) as pool:  # their answers are put off; all at once costs the time of one
        answers = list(pool.map(lambda head: ask(hub, "GET", "/v1/forms", authorization=head).status, heads))
    assert answers == [401] * len(heads)


def test_a_unit_sees_its_own_alone(hub):
    assert put(hub, hub.tokens["gateway"], f"/v1/reports/{OTHER}/{FORM}/{PERIOD}", report(OTHER, 1, 7)).status in (200, 201)
    assert put(hub, hub.tokens["unit"]).status in (200, 201)
    rows = ask(hub, "GET", "/v1/reports", token=hub.tokens["unit"]).json
    assert rows and {r["unit"] for r in rows} == {UNIT}
    assert ask(hub, "GET", f"/v1/reports?unit={OTHER}", token=hub.tokens["unit"]).status == 403
    assert ask(hub, "GET", "/v1/reports", token=hub.tokens["gateway"]).status == 400
    assert {r["unit"] for r in ask(hub, "GET", f"/v1/reports?unit={OTHER}", token=hub.tokens["gateway"]).json} == {OTHER}
    assert {r["unit"] for r in ask(hub, "GET", "/v1/reports", token=hub.tokens["office"]).json} == {UNIT, OTHER}
    other = f"/v1/reports/{OTHER}/{FORM}/{PERIOD}"
    for path in (other, other + "/1", other + "/document", other + "?proof=1"):
        assert ask(hub, "GET", path, token=hub.tokens["unit"]).status == 403
        assert ask(hub, "GET", path, token=hub.tokens["gateway"]).status == 200
    # What a unit wrote may name persons: overseers see figures, not documents.
    assert ask(hub, "GET", other, token=hub.tokens["oversight"]).status == 200
    assert ask(hub, "GET", other + "/document", token=hub.tokens["oversight"]).status == 403


def test_a_unit_speaks_for_itself_alone(hub):
    refused = put(hub, hub.tokens["unit"], f"/v1/reports/{OTHER}/{FORM}/{PERIOD}", report(OTHER, 1, 4))
    assert refused.status == 403 and refused.json["code"] == "UNIT"
    for role in READERS:
        assert put(hub, hub.tokens[role]).status == 403, role


@pytest.mark.parametrize("headers,status,code", [
    ({"content_type": "text/plain"}, 415, "TYPE"),
    ({"content_type": "application/x-www-form-urlencoded"}, 415, "TYPE"),
    ({"content_type": "multipart/form-data; boundary=a"}, 415, "TYPE"),
    ({"origin": "https://evil.example"}, 403, "ORIGIN"),
    ({"origin": "null"}, 403, "ORIGIN"),
    ({"sec_fetch_site": "cross-site"}, 403, "ORIGIN"),
    ({"sec_fetch_site": "same-site"}, 403, "ORIGIN"),
    ({"content_encoding": "br"}, 415, "ENCODING"),
    ({"sec_fetch_site": "same-origin"}, 200, None),
    ({"content_type": "Application/YAML; charset=utf-8"}, 200, None),
])
def test_no_foreign_page_can_write(hub, headers, status, code):
    put(hub, hub.tokens["unit"])
    answer = put(hub, hub.tokens["unit"], **headers)
    assert answer.status == status and (code is None or answer.json["code"] == code), answer
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_its_own_page_may_write(hub):
    own = f"http://127.0.0.1:{hub.http_port}"
    assert put(hub, hub.tokens["unit"], origin=own).status in (200, 201)
    assert put(hub, hub.tokens["unit"], origin=own.replace("http:", "https:")).status in (200, 201)  # by a proxy
    for foreign in (own + "0", own.replace("127.0.0.1", "127.0.0.2"), own.replace("http:", "ftp:"), own + "/"):
        assert put(hub, hub.tokens["unit"], origin=foreign).status == 403, foreign


@pytest.mark.parametrize("method,path,allow", [
    ("POST", "/v1/rollups", "GET, HEAD"), ("DELETE", REPORT, "GET, HEAD, PUT, POST"), ("PUT", "/v1/reports", "GET, HEAD"),
    ("GET", "/v1/check", "POST"), ("OPTIONS", REPORT, "GET, HEAD, PUT, POST"), ("PATCH", "/healthz", "GET, HEAD")])
def test_other_methods_name_those_allowed(hub, method, path, allow):
    answer = ask(hub, method, path, token=hub.tokens["office"])
    assert answer.status == 405 and answer.headers["Allow"] == allow, answer


def test_refusals_speak_the_askers_language(hub):
    def say(accept, **more):
        return ask(hub, "GET", "/v1/rollups?form=none", token=hub.tokens["unit"], accept="text/plain", accept_language=accept, **more).text
    assert say("vi") == say("fr, de") == say("en;q=0.2, vi;q=0.9") == say("") != say("en")
    assert say("en-US,en;q=0.9,vi;q=0.8") == say("en") == "This token is not for this use.\n"
    both = ask(hub, "GET", "/v1/rollups?form=none", token=hub.tokens["unit"]).json["message"]
    assert set(both) == {"vi", "en"} and both["en"] in say("en") and both["vi"] in say("vi")


def test_nobody_is_local_by_a_proxy_or_a_foreign_name(make_daemon):
    daemon = make_daemon({"http": {"local": "office"}}).start()
    assert ask(daemon, "GET", "/v1/rollups?form=none").status == 200
    assert ask(daemon, "GET", "/v1/rollups?form=none", host="localhost:80").status == 200
    for heads in ({"x_forwarded_for": "203.0.113.9"}, {"forwarded": "for=203.0.113.9"}, {"via": "1.1 proxy"},
                  {"host": "hub.evil.example"}, {"host": "127.0.0.1.evil.example"}, {"x_real_ip": "203.0.113.9"}):
        assert ask(daemon, "GET", "/v1/rollups?form=none", **heads).status == 401, heads
    assert ask(daemon, "PUT", REPORT, "{}", content_type="application/json").status == 403


def test_a_revoked_secret_ends(hub):
    assert ask(hub, "GET", "/v1/forms", token=hub.tokens["short"]).status == 200
    assert hub.operate("token", "revoke", hub.newest).returncode == 0
    wait_for(lambda: ask(hub, "GET", "/v1/forms", token=hub.tokens["short"]).status == 401)
    assert ask(hub, "GET", "/v1/forms", token=hub.tokens["office"]).status == 200


def test_a_body_of_nobody_is_dropped(hub):
    answer = ask(hub, "PUT", REPORT, b"x" * (1 << 20), content_type="application/yaml")
    assert answer.status == 401
    assert ask(hub, "PUT", REPORT, b"x" * ((1 << 20) + 1), hub.tokens["unit"], content_type="application/yaml").status == 413


def test_many_headers_and_colliding_names_cost_little(hub):
    """F20 for HTTP: MHD keeps heads in a list under a cap of octets, so names cannot be chosen against a hash."""
    lines = "".join(f"X-{i:04x}: {i}\r\n" for i in range(400))
    with socket.create_connection(("127.0.0.1", hub.http_port), timeout=30) as s:
        s.sendall(f"GET /healthz HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    query = "&".join(f"q{i}=1" for i in range(100))
    assert ask(hub, "GET", f"/healthz?{query}").status == 200
    assert ask(hub, "GET", f"/v1/forms?{query}", token=hub.tokens["office"]).status == 400
    with socket.create_connection(("127.0.0.1", hub.http_port), timeout=30) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 40000 + b"\r\n\r\n")
        assert s.recv(100).split(b" ")[1] in (b"431", b"400", b"413")
    assert ask(hub, "GET", "/healthz").status == 200


@pytest.fixture
def pki(make_folder):
    root = make_folder("pki")
    if USER:
        shutil.chown(root, USER)
    made = Pki(root)
    made("server", "localhost", "127.0.0.1")
    return made


def serial_of(daemon, ca):
    context = ssl.create_default_context(cafile=ca)
    with socket.create_connection(("127.0.0.1", daemon.http_port), timeout=30) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
            assert tls.version() == "TLSv1.3"
            return tls.getpeercert()["serialNumber"]


def test_tls_with_the_same_keys_and_new_ones_on_reload(make_daemon, pki):
    ca = pki.file("ca.pem")
    daemon = make_daemon({"tls": {"certificate": pki.file("server.pem"), "key": pki.file("server.key")}})
    daemon.start(wait=False)
    wait_for(lambda: daemon.process.poll() is not None or
             (daemon._port("http.port") and ask(daemon, "GET", "/readyz", ca=ca).status == 200), 90)
    token = add_token(daemon, "--unit", UNIT)
    office = make_token(daemon, "--role", "office", ca=ca)
    assert ask(daemon, "PUT", REPORT, report(UNIT, 1, 4), token, ca=ca, content_type="application/yaml").status == 201
    with pytest.raises((OSError, Exception)):  # no plaintext on this port
        ask(daemon, "GET", "/healthz")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", daemon.http_port), timeout=30) as raw:
        with pytest.raises(ssl.SSLError):
            old.wrap_socket(raw)
    # The client: a token file of mode 0600 over https with the authority's certificate.
    secret = os.path.join(daemon.root, "token")
    with open(secret, "w", encoding="ascii") as f:
        f.write(office + "\n")
    words = ("status", FORM, "--period", PERIOD, "--server", f"https://127.0.0.1:{daemon.http_port}", "--token-file", secret)
    os.chmod(secret, 0o644)
    loose = daemon.programs.run(*words, "--ca", ca)
    assert loose.returncode == 2 and "chmod 600" in loose.stderr
    os.chmod(secret, 0o600)
    good = daemon.programs.run(*words, "--ca", ca)
    assert good.returncode == 0, good.stderr
    assert daemon.programs.run(*words).returncode == 2  # an authority that nobody named
    clear = daemon.programs.run("status", "--server", "http://hub.example:7380", "--token-file", secret)
    assert clear.returncode == 2 and "https://" in clear.stderr
    # New keys on reload; a connection that is open goes on with the old ones.
    before = serial_of(daemon, ca)
    context = ssl.create_default_context(cafile=ca)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", daemon.http_port), timeout=30),
                             server_hostname="127.0.0.1") as kept:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")  # a request has begun
        time.sleep(0.3)
        pki("server", "localhost", "127.0.0.1")
        daemon.process.send_signal(1)
        wait_for(lambda: serial_of(daemon, ca) != before)
        kept.sendall(b"\r\n")
        assert kept.recv(100).startswith(b"HTTP/1.1 200")
    # Bad keys are told and change nothing.
    good_serial = serial_of(daemon, ca)
    with open(pki.file("server.key"), "w", encoding="ascii") as f:
        f.write("no key\n")
    daemon.process.send_signal(1)
    wait_for(lambda: "tls: " in daemon.log())
    assert serial_of(daemon, ca) == good_serial
    for _ in range(3):
        assert ask(daemon, "GET", "/healthz", ca=ca).status == 200
    assert daemon.stop() == 0, daemon.log()[-3000:]


def test_silent_handshakes_are_closed(make_daemon, pki):
    daemon = make_daemon({"tls": {"certificate": pki.file("server.pem"), "key": pki.file("server.key")},
                          "times": {"hello": "1s", "idle": "2s"}})
    daemon.start(wait=False)
    ca = pki.file("ca.pem")
    wait_for(lambda: daemon.process.poll() is not None or daemon._port("http.port"), 90)
    assert daemon.process.poll() is None, daemon.log()
    assert ask(daemon, "GET", "/healthz", ca=ca).status == 200
    slow = [socket.create_connection(("127.0.0.1", daemon.http_port), timeout=30) for _ in range(10)]
    for s in slow[:5]:
        s.sendall(b"\x16\x03\x01")
    assert ask(daemon, "GET", "/healthz", ca=ca).status == 200
    for s in slow:  # ends, instead of waiting for ever
        try:
            while s.recv(1000):
                pass
        except ConnectionResetError:
            pass
        s.close()


def test_more_than_its_share_waits(make_daemon):
    """By octets and not by number, so that a slow machine uses the share up as well."""
    octets = len(report(UNIT, 1, 4).encode())
    daemon = make_daemon({"limits": {"unit_bytes": octets // 8}}).start()  # saved up: not quite four of them
    token = make_token(daemon, "--unit", UNIT)
    answers = [put(daemon, token)]
    while answers[-1].status != 429:
        assert len(answers) < 40, "the share was never used up"
        answers.append(put(daemon, token))
    assert {a.status for a in answers[1:-1]} == {200}
    late = answers[-1]
    assert late.json["code"] == "QUOTA"
    # Nothing was taken for what was refused: it has room after the time that was told, rounded up to a second.
    seconds = int(late.headers["Retry-After"])
    assert 1 <= seconds <= 9 and late.headers["Retry-After"] == str(seconds)
    time.sleep(seconds)
    assert put(daemon, token).status == 200
