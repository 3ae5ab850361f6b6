"""Tokens: made, listed and revoked by the operator; believed by the report port until then."""
import hashlib
import json
import os
import pty
import re
import subprocess
import time
import uuid

import pytest
from brp import Client, Ended
from conftest import SOURCE, wait_for
from web import ask

SAMPLES = os.path.join(SOURCE, "schemas", "samples")
MINE, OTHERS = "01-24133-buon-ma-thuot.yaml", "02-24121-tan-lap.yaml"


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as f:
        return f.read()


def add(daemon, *words):
    """A new secret and its id."""
    done = daemon.operate("token", "add", *words)
    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip()
    assert re.fullmatch(r"([a-z2-7]{4}-){6}[a-z2-7]{4}", secret), done.stdout
    return secret, re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", done.stderr).group(0)


def on_a_terminal(daemon, *words):
    """What an operator's command prints when its output is a terminal."""
    master, slave = pty.openpty()
    command = daemon.operate_words(*words)
    assert subprocess.run(command, stdout=slave, stderr=subprocess.DEVNULL, timeout=120, check=False, cwd=daemon.root).returncode == 0
    os.close(slave)
    seen = os.read(master, 65536).decode("utf-8")
    os.close(master)
    return seen


def test_the_operators_commands(daemon):
    secret, first = add(daemon, "--unit", "24133,24121", "--name", "Phần mềm «X»", "--expires", "2099-12-31")
    office, second = add(daemon, "--role", "office", "--name", "Văn phòng")
    assert secret != office
    rows = daemon.sql("SELECT id::text, sha256, role, units FROM baocao.credential ORDER BY id")
    assert [(r[0], r[2], r[3]) for r in rows] == [(first, "unit", ["24133", "24121"]), (second, "office", [])]
    assert bytes(rows[0][1]) == hashlib.sha256(secret.replace("-", "").encode()).digest()
    assert secret not in daemon.log()
    listed = json.loads(daemon.operate("token", "list", "--format", "json").stdout)
    assert [(r["id"], r["units"], r["name"]) for r in listed] == [
        (first, ["24133", "24121"], "Phần mềm «X»"), (second, [], "Văn phòng")]
    assert listed[0]["expires"].startswith("2100-01-01T00:00:00.000+07:00") and listed[1]["expires"] is None
    assert daemon.operate("token", "revoke", first).returncode == 0
    assert daemon.operate("token", "revoke", first).returncode == 1  # it is not in force
    assert "đã thu hồi" in daemon.operate("token", "list").stdout.splitlines()[0]
    seen = on_a_terminal(daemon, "token", "list").splitlines()  # where its columns have names
    assert seen[0].split("\t")[0] == "số hiệu" and seen[0].count("\t") == seen[1].count("\t") == 7, seen


def test_wrong_commands_are_told_how(daemon):
    for words in ((), ("add",), ("add", "--unit", "24133"), ("add", "--name", "x"), ("add", "--unit", "a b", "--name", "x"),
                  ("add", "--role", "king", "--name", "x"), ("add", "--role", "office", "--unit", "24133", "--name", "x"),
                  ("add", "--unit", "24133", "--name", "x", "--expires", "tomorrow"), ("revoke", "1"), ("list", "x")):
        done = daemon.operate("token", *words)
        assert done.returncode == 2 and done.stdout == "", words
    for words in (("--unit", "99999", "--name", "x"), ("--unit", "24133", "--name", "x", "--expires", "2001-01-01")):
        done = daemon.operate("token", "add", *words)
        assert done.returncode == 1 and done.stdout == "" and done.stderr, words
    assert daemon.sql("SELECT count(*) FROM baocao.credential")[0][0] == 0


def test_a_token_can_be_made_before_the_first_start(make_daemon):
    daemon = make_daemon(fresh=True)
    secret, which = add(daemon, "--unit", "24133", "--name", "trước")
    daemon.start()
    assert daemon.sql("SELECT id::text FROM baocao.credential") == [(which,)]


def put(daemon, units, expires=None, role="unit"):
    """A row as another daemon's operator may have written it."""
    secret = "-".join(re.findall("....", hashlib.sha256(os.urandom(8)).hexdigest()[:28]))
    daemon.sql("INSERT INTO baocao.credential VALUES (%s, %s, %s, %s, 'x', now(), %s)", str(uuid.uuid4()),
               hashlib.sha256(secret.replace("-", "").encode()).digest(), role, units, expires)
    return secret


def is_taken(daemon, secret, **keys):
    """A HELLO's client, or None when it is refused."""
    try:
        return Client(daemon.reports_port, token=secret, **keys)
    except Ended:
        return None


def test_a_token_speaks_for_its_units_until_it_is_revoked(daemon):
    secret, which = add(daemon, "--unit", "24133", "--name", "một")
    both, _ = add(daemon, "--unit", "24133,24121", "--name", "hai")
    one = wait_for(lambda: is_taken(daemon, secret.upper().replace("-", "")), 20)
    assert one.submit(sample(MINE)).state == "committed"
    refused = one.submit(sample(OTHERS))
    assert (refused.verb, refused.code) == ("NO", "UNIT"), refused
    assert one.ask("STAT", form="nd73-quarterly", unit="24121", period="2026-Q3").code == "UNIT"
    two = wait_for(lambda: is_taken(daemon, both), 20)
    assert two.submit(sample(OTHERS)).state == "committed" and two.submit(sample(MINE)).dup == "1"
    assert daemon.operate("token", "revoke", which).returncode == 0
    start = time.monotonic()
    with pytest.raises(Ended) as end:  # also what is open ends
        while True:
            one.ask("PING")
            time.sleep(0.1)
    assert end.value.args[0].verb == "BYE" and end.value.args[0].code == "AUTH"
    assert time.monotonic() - start < 60
    assert is_taken(daemon, secret) is None
    assert two.ask("PING").verb == "OK"
    assert "is revoked" in daemon.log() and secret not in daemon.log()


def test_the_list_says_when_each_was_used_last(daemon):
    used, which = add(daemon, "--unit", "24133", "--name", "dùng")
    _, unused = add(daemon, "--unit", "24121", "--name", "không dùng")

    def last():
        rows = json.loads(daemon.operate("token", "list", "--format", "json").stdout)
        return {r["id"]: r["used"] for r in rows}

    assert last() == {which: None, unused: None}
    wait_for(lambda: is_taken(daemon, used), 20)
    assert is_taken(daemon, used[:-1] + ("b" if used[-1] == "a" else "a")) is None
    told = wait_for(lambda: last()[which], 30, every=0.5)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00", told)
    assert told.split(":")[0] in daemon.operate("token", "list").stdout.splitlines()[0].split("\t")[6]
    # To the hour: what comes within it is not written again; later it is, also by HTTP.
    assert is_taken(daemon, used)
    assert last() == {which: told, unused: None}
    assert daemon.stop() == 0
    daemon.start()
    daemon.sql("UPDATE baocao.credential SET used_at = used_at - interval '2 hours' WHERE id = %s", which)
    wait_for(lambda: ask(daemon, "GET", "/v1/forms", token=used).status == 200, 20)
    assert wait_for(lambda: last()[which] >= told, 30, every=0.5)
    assert last()[unused] is None


def test_a_wrong_token_waits_the_longer_and_delays_nobody_else(daemon):
    secret, _ = add(daemon, "--unit", "24133", "--name", "một")
    wait_for(lambda: is_taken(daemon, secret), 20)
    taken = []
    with Client(daemon.reports_port, hello=False) as c:
        for _ in range(3):
            start = time.monotonic()
            assert c.ask("HELLO", v=1, token="aaaa-bbbb").code == "AUTH"
            taken.append(time.monotonic() - start)
        with pytest.raises(Ended):
            c.read()
    assert taken[0] > 0.2 and taken[1] > 0.4 and taken[2] > 0.9, taken
    assert "HELLO refused: AUTH (3 lately" in daemon.log()
    with Client(daemon.reports_port, hello=False) as c:
        wrong = c.send("HELLO", v=1, token="aaaa-bbbb")
        assert is_taken(daemon, secret).ask("PING").verb == "OK"  # a right one is answered at once
        assert c.answer(wrong).code == "AUTH"


def test_what_is_wrong_with_an_identity_is_said(daemon):
    unknown = put(daemon, ["99999"])
    partly = put(daemon, ["99999", "24133"])
    expired = put(daemon, ["24133"], "2020-03-01T00:00:00+07:00")
    office = put(daemon, [], role="office")
    good = put(daemon, ["24133"])
    wait_for(lambda: is_taken(daemon, good), 20)
    for secret, words in ((unknown, "no code 99999"), (expired, "ended with 2020-02-29"), (office, "unit's own")):
        with pytest.raises(Ended) as end:
            Client(daemon.reports_port, token=secret)
        assert end.value.args[0].code == "AUTH" and words in end.value.args[0].findings[0][4]
    with pytest.raises(Ended) as end:
        Client(daemon.reports_port, token=unknown, lang="vi", format="json")
    assert "99999" in json.loads(end.value.args[0].body)[0]["message"]["vi"]
    with Client(daemon.reports_port, token=partly) as c:
        assert c.limits.findings[0][2] == "UNIT" and "99999" in c.limits.findings[0][4]
        assert c.submit(sample(MINE)).state == "committed"
    with Client(daemon.reports_port, token=good) as c:
        assert c.limits.body == b""


def test_send_reads_its_token_from_a_file_of_its_own(daemon, tmp_path):
    secret, _ = add(daemon, "--unit", "24133", "--name", "một")
    wait_for(lambda: is_taken(daemon, secret), 20)
    path = tmp_path / "token"
    path.write_text(secret + "\n", encoding="ascii")
    path.chmod(0o640)
    done = daemon.baocao("send", "--token-file", path, os.path.join(SAMPLES, MINE))
    assert done.returncode == 2 and "chmod 600" in done.stderr, done.stderr
    path.chmod(0o600)
    done = daemon.baocao("send", "--token-file", path, os.path.join(SAMPLES, MINE))
    assert done.returncode == 0, done.stdout + done.stderr
    done = daemon.baocao("send", "--token-file", path, os.path.join(SAMPLES, OTHERS))
    assert done.returncode == 1 and "UNIT" in done.stdout
    expired, partly = put(daemon, ["24133"], "2020-03-01T00:00:00+07:00"), put(daemon, ["24133", "99999"])
    wait_for(lambda: is_taken(daemon, partly), 20)
    path.write_text(expired, encoding="ascii")
    done = daemon.baocao("send", "--token-file", path, os.path.join(SAMPLES, MINE))
    assert done.returncode == 3 and "đã hết hạn từ hết ngày 2020-02-29" in done.stdout + done.stderr
    path.write_text(partly, encoding="ascii")
    done = daemon.baocao("send", "--token-file", path, os.path.join(SAMPLES, MINE))
    assert done.returncode == 0 and "Lưu ý: " in done.stderr and "99999" in done.stderr
