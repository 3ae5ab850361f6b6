"""The outbox through what happens on a clerk's machine: kills, full disks, odd names, other programs, clocks, weeks."""
import json
import os
import pty
import signal
import socket
import subprocess
import time

import pytest
from chaos import Chaos
from conftest import wait_for
from reports import FORM, PERIOD, communes, report


@pytest.fixture
def desk(daemon, tmp_path):
    return Desk(daemon, tmp_path)


class Desk:
    """A clerk's folder and outbox."""

    def __init__(self, daemon, folder):
        self.daemon, self.folder, self.outbox = daemon, folder, folder / "outbox"
        self.here = f"127.0.0.1:{daemon.reports_port}"

    def write(self, unit, revision=1, press=4, name=None):
        path = self.folder / (name or f"{unit}-{revision}.yaml")
        path.write_text(report(unit, revision, press), encoding="utf-8")
        return path

    def words(self, *words, to=None):
        return [*map(str, words), "--to", to or self.here, "--outbox", str(self.outbox)]

    def run(self, *words, to=None, **options):
        return self.daemon.programs.run(*self.words(*words, to=to), **options)

    def away(self, *files):
        """Sends while nobody answers."""
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            done = self.run("send", *files, "--wait", "0", to=f"127.0.0.1:{nobody.getsockname()[1]}")
        assert done.returncode == 3, done.stdout + done.stderr

    def names(self, folder):
        return sorted(n for n in os.listdir(self.outbox / folder) if not n.endswith(".json"))

    def stored(self):
        return sorted(self.daemon.sql("SELECT unit, revision, state FROM office.report"))


UNITS = communes()


def test_a_revision_never_overtakes_one_that_waits(desk):
    desk.away(desk.write(UNITS[0], 1), desk.write(UNITS[1], 2), desk.write(UNITS[2], 9))
    done = desk.run("send", desk.write(UNITS[0], 3), desk.write(UNITS[1], 1), desk.write(UNITS[0], 2), "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [(r["unit"], r["rev"], r["state"]) for r in json.loads(done.stdout)]
    # What was given in its order, then what had to go before it; revision 2 of the second unit is above the one
    # given and still waits, so nothing is history but what was asked for in that order.
    assert told == [(UNITS[0], 3, "committed"), (UNITS[1], 1, "committed"), (UNITS[0], 2, "committed"), (UNITS[0], 1, "committed")]
    assert len(desk.names("waiting")) == 2
    assert desk.run("outbox", "run", "--now").returncode == 0
    assert desk.names("waiting") == [] and len(desk.names("sent")) == 6


def test_what_is_sent_while_another_process_works_is_kept(desk):
    first, second = desk.write(UNITS[0]), desk.write(UNITS[1])
    with Chaos(desk.daemon.reports_port) as line:
        line.hold_up = True
        slow = subprocess.Popen([desk.daemon.programs.baocao, *desk.words("send", first, to=f"127.0.0.1:{line.port}")],
                                stdout=subprocess.DEVNULL)
        wait_for(lambda: line.connections)
        done = desk.run("send", second)
        assert done.returncode == 3 and "đã cất 1 tệp" in done.stderr, done.stderr
        assert len(desk.names("waiting")) == 2
        line.hold_up = False
        assert slow.wait(timeout=60) == 0
    assert desk.run("outbox", "run", "--now").returncode == 0
    assert [row[0] for row in desk.stored()] == sorted([UNITS[0], UNITS[1]])


def test_names_of_any_length_and_alphabet(desk):
    longest = "Báo cáo quý III về bảo vệ cán bộ dám nghĩ dám làm " * 9
    names = []
    for at, name in enumerate([longest, "-chữ đầu là gạch", "hai\nhàng", "…" * 90]):
        octets = name.encode()[:250 - at % 2]
        names.append(octets.decode("utf-8", "ignore") + ".yaml")
    files = [desk.write(unit, name=name) for unit, name in zip(UNITS, names)]
    desk.away(*files)
    for path in files:
        path.unlink()
    done = desk.run("outbox", "run", "--now", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.names("waiting") == [] and len(desk.names("sent")) == len(files)
    for name in desk.names("sent"):  # each with its receipt beside it
        assert (desk.outbox / "sent" / f"{name}.receipt.json").is_file() and name.endswith(".yaml")
    assert len(desk.stored()) == len(files)


def test_what_cannot_be_read_holds_nothing_up(desk):
    desk.away(desk.write(UNITS[0]))
    (desk.outbox / "waiting" / "a-folder").mkdir()
    (desk.outbox / "waiting" / "gone.yaml").symlink_to(desk.folder / "nowhere")
    half = report(UNITS[1], 1, 4).encode()[:300]  # another program was not ready with it
    (desk.outbox / "waiting" / "nửa chừng.yaml").write_bytes(half)
    done = desk.run("outbox", "run", "--now")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a-folder" in done.stderr and "gone.yaml" in done.stderr and "không đọc được" in done.stderr
    assert [row[0] for row in desk.stored()] == [UNITS[0]]
    assert desk.names("waiting") == ["a-folder", "gone.yaml"] and desk.names("refused") == ["nửa chừng.yaml"]
    assert (desk.outbox / "refused" / "nửa chừng.yaml.answer.json").is_file()
    assert desk.run("outbox", "run", "--now").returncode == 3  # something is still kept


def test_a_file_too_large_is_refused_and_waits_for_nobody(desk):
    large = desk.write(UNITS[0], 1)
    with open(large, "a", encoding="utf-8") as f:
        f.write(("# " + "x" * 98 + "\n") * 50000)
    small = desk.write(UNITS[1], 1)
    done = desk.run("send", large, small, "--lang", "en")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "TOOBIG" in done.stdout and "larger than the server takes" in done.stdout
    assert desk.names("waiting") == [] and len(desk.names("refused")) == 1
    assert [r[0] for r in desk.stored()] == [UNITS[1]]
    done = desk.run("send", large, "--format", "json")
    (told,) = json.loads(done.stdout)
    assert (told["answer"], told["code"], told["kept"]) == ("NO", "TOOBIG", False) and "tệp lớn hơn" in told["why"]


def test_kills_lose_and_double_nothing(desk):
    files = [desk.write(unit, revision) for unit in UNITS[:20] for revision in (1, 2)]
    desk.away(*files)
    killed = 0
    with Chaos(desk.daemon.reports_port, delay=0.01, chop=600) as line:
        for turn in range(8):
            sending = subprocess.Popen([desk.daemon.programs.baocao,
                                        *desk.words("outbox", "run", "--now", to=f"127.0.0.1:{line.port}")], stdout=subprocess.DEVNULL)
            before = len(desk.names("sent"))
            wait_for(lambda: sending.poll() is not None or len(desk.names("sent")) > before + turn, every=0.002)
            sending.send_signal(signal.SIGKILL)
            killed += sending.wait(timeout=60) == -signal.SIGKILL
            assert len(desk.names("sent")) + len(desk.names("waiting")) == len(files)
    assert killed > 0  # in the middle of its work
    assert desk.run("outbox", "run", "--now").returncode == 0
    assert len(desk.names("sent")) == len(files) and desk.names("waiting") == desk.names("refused") == []
    assert desk.stored() == sorted((unit, revision, "counted" if revision == 2 else "superseded")
                                   for unit in UNITS[:20] for revision in (1, 2))


def test_a_full_disk_is_told_and_spoils_nothing(desk):
    desk.outbox.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(desk.outbox)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        files = [desk.write(unit) for unit in UNITS[:40]]
        done = desk.run("send", *files)
        assert done.returncode == 2 and "đĩa đã đầy" in done.stderr, done.stderr  # the fault
        for name in desk.names("waiting"):  # what is there is whole
            content = (desk.outbox / "waiting" / name).read_bytes()
            assert any(path.read_bytes() == content for path in files)
        assert os.listdir(desk.outbox / "tmp") == []
        # No room for the receipts either: nothing is lost, and all goes once there is room.
        done = desk.run("outbox", "run", "--now")
        assert done.returncode in (0, 3), done.stderr
        subprocess.run(["mount", "-o", "remount,size=4m", str(desk.outbox)], check=True)
        assert desk.run("send", *files).returncode == 0
        assert desk.run("outbox", "run", "--now").returncode == 0
        assert len(desk.names("sent")) == len(files) and desk.names("waiting") == []
        assert len(desk.stored()) == len(files)
    finally:
        subprocess.run(["umount", str(desk.outbox)], check=True)


@pytest.mark.parametrize("shift,goes", [(-30 * 86400, True), (0, False), (86400, True)], ids=["weeks-later", "at-once", "clock-set-back"])
def test_the_pause_after_a_failure_and_the_clock(desk, shift, goes):
    desk.away(desk.write(UNITS[0]))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert desk.run("outbox", "run", "--wait", "0", to=f"127.0.0.1:{nobody.getsockname()[1]}").returncode == 3
    now = time.time()
    os.utime(desk.outbox / "failures", (now + shift, now + shift))
    with Chaos(desk.daemon.reports_port) as line:
        done = desk.run("outbox", "run", to=f"127.0.0.1:{line.port}")
        assert (done.returncode, line.connections > 0) == ((0, True) if goes else (3, False))


def test_the_same_file_twice_goes_once(desk):
    path = desk.write(UNITS[0])
    done = desk.run("send", path, path, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(r["dup"] for r in json.loads(done.stdout)) == [0, 1]
    assert desk.names("waiting") == [] and len(desk.names("sent")) == 1


def test_progress_on_a_terminal_and_quiet_elsewhere(desk):
    files = [desk.write(unit) for unit in UNITS[:25]]
    master, slave = pty.openpty()
    shown = subprocess.run([desk.daemon.programs.baocao, "send", *files, "--to", desk.here], stdout=subprocess.PIPE, stderr=slave,
                           timeout=120)
    os.close(slave)
    told = os.read(master, 65536).decode()
    os.close(master)
    assert shown.returncode == 0 and f"\r{len(files)}/{len(files)}" in told and told.endswith("\r\n"), told
    quiet = desk.daemon.programs.run("send", *files, "--to", desk.here)
    assert quiet.returncode == 0 and quiet.stderr == ""
    assert quiet.stdout.count(f"{FORM} ") == len(files) and PERIOD in quiet.stdout
