"""A private PostgreSQL server for tests: loopback only, durable as in service, without root."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import glob

import psycopg2

USER = "nobody" if os.geteuid() == 0 else None


def programs_folder():
    """The newest PostgreSQL's programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    found.sort(key=lambda path: int(path.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    return os.path.dirname(os.path.realpath(shutil.which("postgres")))


def as_user(words):
    """The command line, run without root."""
    if not USER:
        return list(words)
    user = pwd.getpwnam(USER)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *words]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


class Postgres:
    """One cluster on a Unix socket and a loopback port. template: a stopped cluster's folder to copy; primary: a
    running server to follow as its standby `second`."""

    def __init__(self, template=None, settings="", primary=None):
        self.root = tempfile.mkdtemp(prefix="bcpg")
        self.data = os.path.join(self.root, "data")
        self.log_path = os.path.join(self.root, "log")
        self.settings = settings
        self.process = None
        self.started = False
        self.port = self.free_port()
        if USER:
            shutil.chown(self.root, USER)
        if primary:
            subprocess.run(as_user([os.path.join(programs_folder(), "pg_basebackup"), "-D", self.data, "-R", "-X", "stream",
                                    "-c", "fast", "-d", primary.conninfo + " application_name=second"]),
                           check=True, cwd=self.root)
        elif template:
            subprocess.run(["cp", "-a", template, self.data], check=True)
        else:
            subprocess.run(as_user([os.path.join(programs_folder(), "initdb"), "-D", self.data, "-A", "trust", "-U",
                                    "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]),
                           check=True, stdout=subprocess.DEVNULL, cwd=self.root)

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    @property
    def conninfo(self):
        return f"host={self.root} port={self.port} user=postgres dbname=postgres"

    @property
    def url(self):
        """For a daemon's database.url, over TCP."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self, wait=True, tries=5):
        """Somebody else may have taken the port since it was found free: then the next one, on the first start."""
        while True:
            try:
                return self._start(wait)
            except AssertionError:
                tries -= 1
                if not tries or self.started or "Address already in use" not in self.log():
                    raise
                self.port = self.free_port()

    def _start(self, wait):
        words = [os.path.join(programs_folder(), "postgres"), "-D", self.data, "-k", self.root, "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"]
        for line in self.settings.split("\n"):
            if line.strip():
                words += ["-c", line.strip()]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(as_user(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.root, start_new_session=True)
        if wait:
            self.wait_ready()
            self.started = True
        return self

    def wait_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                psycopg2.connect(self.conninfo).close()
                return
            except psycopg2.OperationalError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise AssertionError(f"PostgreSQL does not answer:\n{self.log()[-2000:]}")
                time.sleep(0.02)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def connect(self):
        return psycopg2.connect(self.conninfo)

    def sql(self, text, *values):
        """Rows of one statement, committed."""
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def run(self, text):
        """One statement outside a transaction, for ALTER SYSTEM and its like."""
        connection = self.connect()
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
        finally:
            connection.close()

    def set(self, name, value):
        """Changes a setting of the running server."""
        self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.run("SELECT pg_reload_conf()")

    def hold_commits(self):
        """Until release_commits() each commit waits for a standby that there is not. The checkpointer puts the setting in
        force, in its own time: commits of ours are made until one is seen to wait."""
        self.set("synchronous_standby_names", "nobody")

        def commit():
            try:
                self.run("SELECT pg_logical_emit_message(true, 'held', '')")
            except psycopg2.Error:
                pass  # the server has ended

        while True:
            probe = threading.Thread(target=commit, daemon=True)
            probe.start()
            while probe.is_alive():
                if self.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
                    return
                time.sleep(0.02)

    def release_commits(self):
        self.set("synchronous_standby_names", "")

    def held(self):
        """Processes of daemons whose commit waits."""
        return [pid for pid, in self.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                                         " AND application_name LIKE 'baocaod%'")]

    def promote(self):
        """Makes a standby the primary; by signal, so that no query of ours can meet a recovery conflict."""
        subprocess.run(as_user([os.path.join(programs_folder(), "pg_ctl"), "-D", self.data, "-w", "promote"]), check=True,
                       stdout=subprocess.DEVNULL, cwd=self.root)

    def pids(self):
        """The postmaster and its children."""
        pid = self.process.pid
        children = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, encoding="ascii", errors="replace") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                children.append(int(path.split("/")[2]))
        return [pid, *children]

    def signal(self, signum):
        for pid in self.pids():
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                pass

    def freeze(self):
        """SIGSTOP to every process, the one that makes others first: silent, with all sockets open. Their ids."""
        self.process.send_signal(signal.SIGSTOP)
        self.signal(signal.SIGSTOP)
        return [pid for pid in self.pids() if is_alive(pid)]  # one that was ending stays as a zombie

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """As a power cut, less the disk: every process at once."""
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(timeout=30)
        end = time.monotonic() + 30
        while any(is_alive(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.01)

    def stop(self, mode="fast"):
        """fast, immediate or smart."""
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "smart": signal.SIGTERM}[mode])
            self.process.wait(timeout=60)

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def clean(self):
        if self.process and self.process.poll() is None:
            self.thaw()
            self.kill()
        shutil.rmtree(self.root, ignore_errors=True)
