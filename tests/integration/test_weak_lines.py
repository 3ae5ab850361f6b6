"""baocao on bad lines: delays, cuts, damage, a hub that is away; the outbox keeps what could not go."""
import json
import os
import re
import socket
import subprocess
import time

import pytest

from brp import Client
from chaos import Chaos
from conftest import SOURCE, wait_for

SAMPLES = os.path.join(SOURCE, "schemas", "samples")
DAMAGE = ("HASH", "INFLATE", "RAW", "HEAD", "VERB", "MUST", "TOOBIG")  # answers to what a flipped bit made of body or head
UNITS = ["24133", "24121", "24154", "24163", "24169", "24175", "22015", "22051", "22240", "24305", "24580", "24235",
         "24259", "24343", "24490", "24373", "24448", "24412", "24211", "24544"]


@pytest.fixture
def reports(tmp_path):
    """Makes files: reports(revisions) gives paths of every unit's revisions, and expects each to be valid."""
    with open(os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml"), encoding="utf-8") as f:
        text = f.read()
    assert 'unit: "24133"' in text and "\nrevision:" not in text

    def make(revisions):
        paths = []
        for unit in UNITS:
            for revision in range(1, revisions + 1):
                path = tmp_path / f"{unit}-{revision}.yaml"
                path.write_text(text.replace('unit: "24133"', f'unit: "{unit}"\nrevision: {revision}'),
                                encoding="utf-8")
                paths.append(path)
        return paths

    return make


def stored(daemon):
    return {(unit, revision) for unit, revision in daemon.sql(
        "SELECT unit, revision FROM office.report ORDER BY 1, 2")}


def test_a_long_line_is_filled(daemon, reports):
    """A round trip carries a whole window: while no answer comes, as many reports go up as the hub allows."""
    files = reports(10)
    with Chaos(daemon.reports_port, delay=0.02, keep=True) as line:
        sending = subprocess.Popen([daemon.programs.baocao, "send", "--to", f"127.0.0.1:{line.port}", *files, "--format", "json"],
                                   stdout=subprocess.PIPE)

        def open_now():
            sent = len(re.findall(rb"(?m)^REPORT \d+ \d+ ", bytes(line.up)))
            return sent, sent - len(re.findall(rb"(?m)^OK \d+ \d+ state=", bytes(line.down)))

        wait_for(lambda: open_now()[0] > 0)
        line.hold_down = True
        wait_for(lambda: open_now()[1] >= 64)
        time.sleep(0.2)  # time for one too many
        assert open_now()[1] == 64
        line.hold_down = False
        told = sending.communicate(timeout=120)[0]
    assert sending.returncode == 0, told[-2000:]
    assert len(stored(daemon)) == len(files)


@pytest.mark.parametrize("bad", [
    {"chop": 1},
    {"chop": 700, "stall": 20000},
    {"cut": 15000, "delay": 0.005},
    {"flip": 8000},
    {"flip": 8000, "cut": 30000, "chop": 1000, "delay": 0.002},
], ids=["chopped", "stalling", "cut", "flipping", "everything"])
def test_nothing_is_lost_doubled_or_wrong(daemon, reports, bad):
    files = reports(3)
    with Chaos(daemon.reports_port, **bad) as line:
        # A report damaged three times over is given back to its sender, who sends it again.
        for _ in range(10):
            done = daemon.programs.run("send", "--to", f"127.0.0.1:{line.port}", "--wait", "60", *files, "--format",
                                       "json")
            if done.returncode == 0 or not any(r.get("code") in DAMAGE for r in json.loads(done.stdout)):
                break
        assert not bad.get("cut") or line.cuts > 0
        assert not bad.get("flip") or line.flips > 0
        assert not bad.get("chop") or line.chops > 0
        assert not bad.get("stall") or line.stalls > 0
    rows = json.loads(done.stdout)
    assert done.returncode == 0, [r for r in rows if r["answer"] != "OK"][:3]
    assert len({r["receipt"] for r in rows}) == len(files)
    assert len(stored(daemon)) == len(files)
    again = json.loads(daemon.baocao("send", *files, "--format", "json").stdout)
    assert [(r["receipt"], r["dup"]) for r in again] == [(r["receipt"], 1) for r in rows]


def in_outbox(outbox, folder):
    return sorted(n for n in os.listdir(outbox / folder) if not n.endswith(".json"))


def test_the_outbox_keeps_what_could_not_go(daemon, reports, tmp_path):
    files, outbox = reports(3), tmp_path / "outbox"
    bad = os.path.join(SAMPLES, "31-24490-krong-pac-sai-so.yaml")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{nobody.getsockname()[1]}"
        done = daemon.programs.run("send", "--to", away, "--outbox", outbox, "--wait", "1", *files, bad)
        assert done.returncode == 3
        assert len(in_outbox(outbox, "waiting")) == len(files) + 1
        done = daemon.programs.run("send", "--to", away, "--outbox", outbox, "--wait", "1", files[0])
        assert len(in_outbox(outbox, "waiting")) == len(files) + 1  # kept once
        done = daemon.programs.run("outbox", "run", "--to", away, "--outbox", outbox, "--wait", "1")
        assert done.returncode == 3
    for path in files:
        path.unlink()  # the outbox has its own copies
    to = ("--to", f"127.0.0.1:{daemon.reports_port}", "--outbox", outbox)
    with Chaos(daemon.reports_port) as line:
        done = daemon.programs.run("outbox", "run", "--to", f"127.0.0.1:{line.port}", "--outbox", outbox)
        assert done.returncode == 3 and line.connections == 0  # the pause after a failure: nobody was called
    done = daemon.programs.run("outbox", "run", *to, "--now", "--format", "json")
    assert done.returncode == 1, done.stdout
    rows = json.loads(done.stdout)
    assert sorted(r["answer"] for r in rows) == ["NO"] + ["OK"] * len(files)
    assert all(r["state"] == "committed" for r in rows if r["answer"] == "OK")  # revisions in their order
    assert in_outbox(outbox, "waiting") == []
    assert len(in_outbox(outbox, "sent")) == len(files) and len(in_outbox(outbox, "refused")) == 1
    name = in_outbox(outbox, "sent")[0]
    receipt = json.loads((outbox / "sent" / f"{name}.receipt.json").read_text(encoding="utf-8"))
    assert receipt[0]["receipt"] in {r.get("receipt") for r in rows}
    assert len(stored(daemon)) == len(files)
    done = daemon.programs.run("outbox", "run", *to)
    assert (done.returncode, done.stdout) == (0, "")


def test_one_process_at_a_time_works_on_an_outbox(daemon, reports, tmp_path):
    outbox = tmp_path / "outbox"
    files = reports(1)
    with Chaos(daemon.reports_port) as line:
        line.hold_up = True
        slow = subprocess.Popen([daemon.programs.baocao, "send", "--to", f"127.0.0.1:{line.port}", "--outbox", outbox,
                                 *files], stdout=subprocess.DEVNULL)
        wait_for(lambda: line.connections)
        done = daemon.programs.run("outbox", "run", "--outbox", outbox, "--to", f"127.0.0.1:{daemon.reports_port}")
        assert done.returncode == 3 and str(outbox) in done.stderr
        line.hold_up = False
        assert slow.wait(timeout=60) == 0


@pytest.mark.parametrize("words", [("due", "--unit", "24133"), ("stat", "nd73-quarterly", "24133", "2026-Q3")], ids=["due", "stat"])
def test_a_silent_hub_is_told_after_a_while(programs, words):
    """One that takes the connection and says nothing: a sentence that names the way out, and no waiting for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = f"127.0.0.1:{silent.getsockname()[1]}"
        done = programs.run(*words, "--to", to, "--wait", "1", timeout=60)
        assert (done.returncode, done.stdout) == (2, "") and "--wait GIÂY" in done.stderr, done
        done = programs.run(*words, "--to", to, "--wait", "1", "--lang", "en")
        assert done.returncode == 2 and "did not answer in time" in done.stderr
        done = programs.run(*words, "--to", to, "--wait", "soon")
        assert done.returncode == 2 and "--wait là số giây" in done.stderr


@pytest.mark.parametrize("to", ["hub:", "hub:7316x", "hub:0", "hub:99999", "hub:+1", ":7316", "[::1", "h" * 300])
def test_an_address_that_is_none_is_told_at_once(programs, to):
    for words in (("send", os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml")), ("due", "--unit", "24133"),
                  ("stat", "nd73-quarterly", "24133", "2026-Q3")):
        done = programs.run(*words, "--to", to)
        assert (done.returncode, done.stdout) == (2, "") and "MÁY-CHỦ[:CỔNG]" in done.stderr, (words, done)


def test_what_cannot_be_meant_is_told_with_its_reason(daemon, tmp_path):
    done = daemon.baocao("send", tmp_path)
    assert (done.returncode, done.stdout) == (2, "") and "thư mục" in done.stderr, done
    done = daemon.baocao("due", "--unit", "99999")
    assert done.returncode == 1 and "không có đơn vị nào mang mã 99999" in done.stderr, done
    done = daemon.programs.run("due", "--unit", "24133", "--to", f"127.0.0.1:{daemon.http_port}", "--lang", "en")
    assert done.returncode == 2 and "does not speak the report protocol" in done.stderr, done
    with Client(daemon.reports_port, lang="en") as c:
        assert c.ask("DUE", unit="99999").findings[0][4] == "No unit has this code."
