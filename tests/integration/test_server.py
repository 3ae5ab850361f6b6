"""The daemon as an operator meets it: configuration, start, stop, reload, sockets passed in."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import USER, is_alive, wait_for


def test_dump_config_is_a_configuration(programs, tmp_path):
    dump = programs.run("dump-config", program=programs.baocaod)
    assert dump.returncode == 0
    path = tmp_path / "dump.yaml"
    path.write_text(dump.stdout, encoding="utf-8")
    check = programs.run("--config", path, "check-config", program=programs.baocaod)
    assert check.returncode == 0, check.stderr
    again = programs.run("--config", path, "dump-config", program=programs.baocaod)
    assert again.stdout == dump.stdout


def test_a_wrong_configuration_is_told_with_its_place(programs, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("reports:\n  adress: 127.0.0.1:1\n", encoding="utf-8")
    check = programs.run("--config", path, "check-config", program=programs.baocaod)
    assert check.returncode == 2
    assert "bad.yaml:2:3" in check.stderr and "address" in check.stderr


def test_forms_and_units_check(programs, daemon):
    for what in ("forms", "units"):
        done = daemon.operate(what, "check")
        assert done.returncode == 0, done.stderr


def test_sigterm_drains_and_stops_the_private_database(daemon):
    postmaster = daemon.postmaster_pid()
    assert is_alive(postmaster)
    start = time.monotonic()
    assert daemon.stop() == 0, daemon.log()
    assert time.monotonic() - start < 30
    assert not is_alive(postmaster)
    assert "stopped" in daemon.log()


def test_plaintext_beyond_loopback_must_be_allowed(make_daemon):
    daemon = make_daemon({"reports": {"address": "0.0.0.0:0"}}).start(wait=False)
    daemon.process.wait(timeout=60)
    assert daemon.process.returncode == 1
    assert "reports.plaintext" in daemon.log()


def test_reload_takes_a_new_unit_and_refuses_a_broken_file(make_daemon, programs, tmp_path):
    daemon = make_daemon()
    folder = os.path.join(daemon.root, "schemas")
    shutil.copytree(programs.schemas, folder)
    daemon.schemas, daemon.province = folder, os.path.join(folder, "provinces", "66-dak-lak")
    daemon.start()
    path = os.path.join(daemon.province, "units.yaml")
    with open(path, encoding="utf-8") as f:
        before = f.read()
    line = '  - {code: "99999", kind: commune, name: Xã Thử Nghiệm, en: Test Commune, from: 2026-01-01, parents: {state: "66"}}\n'
    with open(path, "w", encoding="utf-8") as f:
        f.write(before.rstrip("\n") + "\n" + line)
    assert "99999" not in {u["unit"] for u in daemon.get("/v1/units")[1]}
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "99999" in {u["unit"] for u in daemon.get("/v1/units")[1]}, 30)
    with open(path, "w", encoding="utf-8") as f:
        f.write(before + "\n  bad: [\n")
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "those in force stay" in daemon.log(), 30)
    assert "99999" in {u["unit"] for u in daemon.get("/v1/units")[1]}


def test_sockets_passed_in_are_used_and_left_open(make_daemon):
    daemon = make_daemon()
    sockets = []
    for _ in range(2):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(16)
        sockets.append(s)
    ports = [s.getsockname()[1] for s in sockets]
    # What systemd does: descriptors from 3 on, their names, and the pid of whom they are for.
    launcher = (
        "import os, sys\n"
        f"fds = {[s.fileno() for s in sockets]!r}\n"
        "high = [os.dup2(fd, 100 + i) and 100 + i for i, fd in enumerate(fds)]\n"
        "[os.dup2(fd, 3 + i, inheritable=True) for i, fd in enumerate(high)]\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='reports:http')\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n")
    words = [sys.executable, "-c", launcher, daemon.programs.baocaod, "--config", daemon.write_config()]
    words += ["--user", USER] if USER else []
    with open(daemon.log_path, "ab") as log:
        daemon.process = subprocess.Popen(words, stdout=log, stderr=log, pass_fds=[s.fileno() for s in sockets])
    daemon.wait_ready()
    assert (daemon.reports_port, daemon.http_port) == tuple(ports)
    assert daemon.stop() == 0
    with socket.create_connection(("127.0.0.1", ports[0]), timeout=5):
        pass  # still listening: the next daemon will take it
    for s in sockets:
        s.close()


def test_readiness_is_told_to_the_service_manager(make_daemon, tmp_path):
    import tempfile
    folder = tempfile.mkdtemp(prefix="bcn")
    os.chmod(folder, 0o777)
    path = os.path.join(folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        os.chmod(path, 0o777)
        notify.settimeout(60)
        daemon = make_daemon().start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
        seen = ""
        while "READY=1" not in seen or "WATCHDOG=1" not in seen:
            seen += notify.recv(4096).decode() + "\n"
        daemon.stop()
        while "STOPPING=1" not in seen:
            seen += notify.recv(4096).decode() + "\n"
    shutil.rmtree(folder)


@pytest.mark.skipif(USER is None, reason="only root can be refused as root")
def test_root_is_refused_with_the_way_out(make_daemon):
    daemon = make_daemon(fresh=True)
    done = subprocess.run([daemon.programs.baocaod, "--config", daemon.write_config()], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode != 0 and "--user" in done.stderr
    asked = subprocess.run([daemon.programs.baocaod, "--config", daemon.write_config(), "token", "list"], capture_output=True,
                           text=True, timeout=60)
    assert asked.returncode == 1 and "--user" in asked.stderr and asked.stderr.endswith("\n")


def test_words_left_over_are_refused(programs):
    for words, said in ((("verify", "everything"), "everything"), (("forms",), "check"),
                        (("forms", "check", "--against-stored"), "BIỂU_MẪU"), (("nothing",), "nothing")):
        done = programs.run(*words, program=programs.baocaod)
        assert done.returncode == 2 and said in done.stderr and "--help" in done.stderr, (words, done)


def test_a_stricter_version_is_held_against_what_was_accepted(make_daemon, programs):
    daemon = make_daemon()
    folder = os.path.join(daemon.root, "schemas")
    shutil.copytree(programs.schemas, folder)
    daemon.schemas, daemon.province = folder, os.path.join(folder, "provinces", "66-dak-lak")
    daemon.start()
    sample = os.path.join(folder, "samples", "01-24133-buon-ma-thuot.yaml")
    assert daemon.baocao("send", sample).returncode == 0
    same = daemon.operate("forms", "check", "--against-stored", "nd73-quarterly")
    assert same.returncode == 0 and "1 báo cáo" in same.stdout, same.stdout + same.stderr
    path = os.path.join(folder, "nd73", "nd73-quarterly.v1.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    # Version 2, in force from next year on only, wants a staff of at least 100,000.
    text = text.replace("version: 1\n", "version: 2\n", 1)
    import re
    text = re.sub(r"(?m)^(effective:).*$", "effective: {from: 2027-01-01, to: null}", text, count=1)
    text = text.replace("checks:\n", "checks:\n  - id: qua-it-nguoi\n    rule: self.pho_bien.tong_so >= 100000\n"
                        "    at: pho_bien.tong_so\n    severity: error\n    message: {vi: Quá ít người., en: Too few.}\n", 1)
    with open(os.path.join(folder, "nd73", "nd73-quarterly.v2.yaml"), "w", encoding="utf-8") as f:
        f.write(text)
    stricter = daemon.operate("forms", "check", "--against-stored", "nd73-quarterly")
    assert stricter.returncode == 1, stricter.stdout + stricter.stderr
    assert "24133" in stricter.stdout and "Quá ít người." in stricter.stdout
    unknown = daemon.operate("forms", "check", "--against-stored", "nd99")
    assert unknown.returncode == 1 and "nd99" in unknown.stderr


def test_many_stored_reports_are_held_against_a_version_by_pages(make_daemon, postgres):
    """Each page reads what it shows; one that reads all that is stored takes hours of a year's reports."""
    daemon = make_daemon(database_url=postgres.url).start()
    daemon.spoiled = True  # copies of a report that no sum knows of
    assert daemon.baocao("send", os.path.join(daemon.schemas, "samples", "01-24133-buon-ma-thuot.yaml")).returncode == 0
    postgres.sql("INSERT INTO baocao.unit SELECT (jsonb_populate_record(u, jsonb_build_object('unit', n, 'code', 'T' || n))).*"
                 "  FROM baocao.unit u, generate_series(10001, 10300) n"
                 " WHERE u.code = '24133' AND u.to_day = 'infinity'")
    postgres.sql("INSERT INTO baocao.report SELECT (jsonb_populate_record(r, jsonb_build_object('unit', u.unit, 'period', p.period,"
                 "  'receipt', gen_random_uuid()))).* FROM baocao.report r"
                 "  JOIN baocao.period p ON p.form = r.form AND p.period / 10000 IN (2026, 2027), baocao.unit u WHERE u.unit > 10000")
    n = postgres.sql("SELECT count(*) FROM baocao.report")[0][0]
    assert n > 2000

    def read():
        return postgres.sql("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 FROM pg_stat_user_tables"
                            " WHERE relname ~ '^(report_|unit$)'")[0][0]

    before = read()
    checked = daemon.operate("forms", "check", "--against-stored", "nd73-quarterly", "--lang", "en")
    assert checked.stdout.startswith(f"{n} accepted"), checked.stdout[-500:] + checked.stderr
    wait_for(lambda: read() > before + n)  # a session's figures are counted when it ends
    assert read() - before < 8 * n, f"{read() - before} rows read to judge {n}"
