"""Tokens: made, listed and revoked by the operator; believed by the report port until then."""
import hashlib
import json
import re
import time


def add(daemon, *words):
    """A new secret and its id."""
    done = daemon.operate("token", "add", *words)
    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip()
    assert re.fullmatch(r"([a-z2-7]{4}-){6}[a-z2-7]{4}", secret), done.stdout
    return secret, re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", done.stderr).group(0)


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
