"""The daemon's own PostgreSQL, end to end: crash and adoption, a second daemon, another major version."""
import os
import shutil
import signal
import subprocess
import threading

from conftest import is_alive, wait_for
from reports import check_exact, many, send_until_committed


def test_a_crash_leaves_the_database_to_the_next_daemon(daemon):
    reports = many(5, seed=1)
    first = send_until_committed(daemon, reports)
    postmaster = daemon.postmaster_pid()
    daemon.kill(signal.SIGKILL)
    assert is_alive(postmaster)
    daemon.start()
    assert daemon.postmaster_pid() == postmaster
    assert send_until_committed(daemon, reports) == first
    check_exact(daemon.sql, reports)
    assert daemon.stop() == 0
    wait_for(lambda: not is_alive(postmaster), 30)


def test_a_first_start_does_not_call_the_database_away(make_daemon):
    """Making the private PostgreSQL takes longer than the patience with a database that is away."""
    daemon = make_daemon({"spool": {"after": "1s"}}, fresh=True).start()
    wait_for(lambda: "database: ready" in daemon.log())
    assert "private PostgreSQL" in daemon.log()
    assert "database: away" not in daemon.log()


def test_a_database_that_dies_is_started_again(daemon):
    reports = many(5, seed=2)
    first = send_until_committed(daemon, reports)
    postmaster = daemon.postmaster_pid()
    os.kill(postmaster, signal.SIGKILL)
    wait_for(lambda: daemon.postmaster_pid() not in (0, postmaster), 60)
    assert send_until_committed(daemon, reports) == first
    check_exact(daemon.sql, reports)


def test_both_may_be_killed_and_the_next_daemon_starts_at_once(daemon):
    """The server's own processes outlive it for a moment, and it starts beside none of them."""
    reports = many(5, seed=3)
    first = send_until_committed(daemon, reports)
    for _ in range(3):
        postmaster = daemon.postmaster_pid()
        rest = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split()
        for pid in rest:
            os.kill(int(pid), signal.SIGSTOP)
        threading.Timer(2, lambda: [os.kill(int(pid), signal.SIGCONT) for pid in rest]).start()
        daemon.kill(signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)
        daemon.start()
        assert daemon.postmaster_pid() != postmaster
    assert send_until_committed(daemon, reports) == first
    check_exact(daemon.sql, reports)


def test_what_keeps_the_private_database_from_starting_is_told(daemon):
    """Its last words, and none from before."""
    daemon.stop()
    folder = next(path for path, _, files in os.walk(os.path.join(daemon.state, "pg")) if "postgresql.conf" in files)
    with open(os.path.join(folder, "postgresql.conf"), "a", encoding="utf-8") as f:
        f.write("no_such_setting = 1\n")
    start = len(daemon.log())
    daemon.start(wait=False)
    assert daemon.process.wait(timeout=60) == 1
    said = daemon.log()[start:]
    assert "the private PostgreSQL did not start: " in said and "no_such_setting" in said, said
    assert "ready to accept connections" not in said, said


def test_a_second_daemon_on_the_same_folder_is_refused(daemon, make_daemon):
    second = make_daemon()
    shutil.rmtree(second.state)
    second.state = daemon.state
    second.start(wait=False)
    assert second.process.wait(timeout=60) == 1
    assert f"another baocaod (process {daemon.process.pid})" in second.log()
    assert daemon.is_ready()
    second.state = second.root  # the folder is the first one's to clean


def test_data_of_another_major_version_are_left_alone(make_daemon):
    daemon = make_daemon()
    folder = os.path.join(daemon.state, "pg")
    major = next(name for name in os.listdir(folder) if name.isdigit())
    os.rename(os.path.join(folder, major), os.path.join(folder, "9"))
    daemon.start(wait=False)
    assert daemon.process.wait(timeout=60) == 1
    assert f"made by PostgreSQL 9, but PostgreSQL {major} is installed" in daemon.log()
    assert sorted(name for name in os.listdir(folder) if name.isdigit()) == ["9"]
