"""The daemon's own PostgreSQL, end to end: crash and adoption, a second daemon, another major version."""
import os
import shutil
import signal

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
