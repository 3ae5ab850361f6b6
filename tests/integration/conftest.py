"""Fixtures: the built programs where any user may run them, and a daemon on its own private PostgreSQL.

The database cluster is made once, by the daemon itself, and copied for each test. PostgreSQL refuses to run as root,
so as root everything runs as `nobody`. Ports are 0 with port files; processes are cleaned up by pid; loopback only.
"""
import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import psycopg2
import pytest

from postgres import Postgres, is_alive

SOURCE = os.path.abspath(os.environ.get("BAOCAO_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("BAOCAO_BUILD", os.path.join(SOURCE, "build", "tests")))
USER = "nobody" if os.geteuid() == 0 else None
PROVINCE = "66-dak-lak"


def wait_for(what, seconds=60, every=0.02):
    """Calls `what` until it gives something true; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"waited {seconds} s in vain for {getattr(what, '__name__', what)}")


class Programs:
    """Copies of the built programs and the data they need."""

    def __init__(self, root):
        self.root = root
        os.chmod(root, 0o755)
        for name in ("baocaod", "baocao"):
            shutil.copy2(os.path.join(BUILD, "daemon", name), root)
        shutil.copytree(os.path.join(SOURCE, "schemas"), os.path.join(root, "schemas"))
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", root], check=True)
        self.baocaod = os.path.join(root, "baocaod")
        self.baocao = os.path.join(root, "baocao")
        self.schemas = os.path.join(root, "schemas")
        self.province = os.path.join(self.schemas, "provinces", PROVINCE)

    def run(self, *words, program=None, stdin=None, timeout=120, env=None):
        """Runs baocao (or baocaod) and gives the finished process with text output."""
        return subprocess.run([program or self.baocao, *map(str, words)], input=stdin, capture_output=True,
                              text=True, timeout=timeout, cwd=self.root, env={**os.environ, **(env or {})})


class Daemon:
    """One baocaod on a state folder of its own. Not started until start()."""

    def __init__(self, programs, root, template=None, config=None, database_url=""):
        self.programs = programs
        self.root = root
        self.state = os.path.join(root, "state")
        self.runtime = tempfile.mkdtemp(prefix="bc")  # short: a Unix socket's path has 107 octets
        self.log_path = os.path.join(root, "log")
        self.config = config or {}  # sections over the usual ones
        self.database_url = database_url
        self.schemas = programs.schemas
        self.province = programs.province
        self.process = None
        self.spoiled = False  # the test changes sums behind the daemon's back
        if template:
            subprocess.run(["cp", "-a", template, self.state], check=True)
        else:
            os.makedirs(self.state, exist_ok=True)
        for path in (root, self.state, self.runtime):
            os.chmod(path, 0o700 if path == self.state else 0o755)
            if USER:
                shutil.chown(path, USER)

    def write_config(self):
        path = os.path.join(self.root, "baocaod.yaml")
        sections = {
            "reports": {"address": "127.0.0.1:0", "port_file": f"{self.runtime}/reports.port"},
            "http": {"address": "127.0.0.1:0", "port_file": f"{self.runtime}/http.port", "local": "operator"},
            "paths": {"state": self.state, "runtime": self.runtime, "forms": self.schemas, "province": self.province},
            "database": {"url": self.database_url},
            # A busy machine may keep a sound server from answering for longer than the usual two seconds.
            "spool": {"hold": "30s"},
        }
        for name, values in self.config.items():
            sections[name] = {**sections.get(name, {}), **values} if isinstance(values, dict) else values
        with open(path, "w", encoding="utf-8") as f:
            for name, values in sections.items():
                f.write(f"{name}: {json.dumps(values)}\n")
        return path

    def share_key(self, other):
        """Signs by the key of another daemon of the same database."""
        key = os.path.join(self.state, "audit.key")
        shutil.copy2(os.path.join(other.state, "audit.key"), key)
        if USER:
            shutil.chown(key, USER)
        return self

    def start(self, wait=True, env=None, prefix=()):
        for name in ("reports.port", "http.port"):
            path = os.path.join(self.runtime, name)
            if os.path.exists(path):
                os.unlink(path)
        words = [*prefix, self.programs.baocaod, "--config", self.write_config()]
        if USER:
            words += ["--user", USER]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.root, env={**os.environ, **(env or {})})
        if wait:
            self.wait_ready()
        return self

    def _port(self, name):
        try:
            with open(os.path.join(self.runtime, name), encoding="ascii") as f:
                return int(f.read())
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def reports_port(self):
        return wait_for(lambda: self._port("reports.port"))

    @property
    def http_port(self):
        return wait_for(lambda: self._port("http.port"))

    @property
    def server(self):
        return f"{'https' if self.config.get('tls') else 'http'}://127.0.0.1:{self.http_port}"

    def open(self, url):
        """Like urlopen; the trial's certificate is taken as it is."""
        return urllib.request.urlopen(url, timeout=60, context=ssl._create_unverified_context())

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"baocaod ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        try:
            with self.open(f"{self.server}/readyz?need=database") as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait_ready(self, seconds=90):
        wait_for(self.is_ready, seconds)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def get(self, path, **query):
        """GET as JSON: (status, value)."""
        url = self.server + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        try:
            with self.open(url) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def baocao(self, command, *words, **options):
        """A client command against this daemon."""
        env = {"BAOCAO_SERVER": self.server}
        if command in ("send", "stat", "due"):
            words = ("--to", f"127.0.0.1:{self.reports_port}", *words)
        return self.programs.run(command, *words, env=env, **options)

    def operate_words(self, *words):
        """The command line of an operator's command of baocaod with this daemon's configuration."""
        user = ["--user", USER] if USER else []
        return [self.programs.baocaod, "--config", self.write_config(), *user, *words]

    def operate(self, *words):
        """Runs it."""
        program, *more = self.operate_words(*words)
        return self.programs.run(*more, program=program)

    def postmaster_pid(self):
        for folder, _, files in os.walk(os.path.join(self.state, "pg")):
            if "postmaster.pid" in files:
                with open(os.path.join(folder, "postmaster.pid"), encoding="ascii") as f:
                    return int(f.readline())
        return 0

    def connect(self):
        """A connection to the private database, as its owner."""
        port, host = 5432, None
        for folder, _, files in os.walk(os.path.join(self.state, "pg")):
            if "postmaster.pid" in files:
                with open(os.path.join(folder, "postmaster.pid"), encoding="ascii") as f:
                    lines = f.read().split("\n")
                port, host = int(lines[3]), lines[4]
        return connect_as(host, port)

    def sql(self, text, *values):
        """Rows of one statement."""
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def kill(self, signum=signal.SIGKILL):
        self.process.send_signal(signum)
        self.process.wait(timeout=60)

    def stop(self, timeout=60):
        """SIGTERM and the exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode if self.process else None

    def clean(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        pid = self.postmaster_pid()
        if pid and is_alive(pid):
            os.kill(pid, signal.SIGQUIT)
            wait_for(lambda: not is_alive(pid), 30)
        shutil.rmtree(self.runtime, ignore_errors=True)


def connect_as(host, port, user=None):
    """psycopg2 over the Unix socket with peer authentication: the effective user must be the database's."""
    name = user or USER or pwd.getpwuid(os.geteuid()).pw_name
    if not USER:
        return psycopg2.connect(host=host, port=port, user=name, dbname="postgres")
    uid = pwd.getpwnam(USER).pw_uid
    os.seteuid(uid)
    try:
        return psycopg2.connect(host=host, port=port, user=name, dbname="postgres")
    finally:
        os.seteuid(0)


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory):
    """Makes folders that the daemon's user may enter too: make_folder("pki")."""
    def make(name):
        root = tmp_path_factory.mktemp(name)
        for folder in (root, root.parent, root.parent.parent):
            os.chmod(folder, 0o755)
        return str(root)

    return make


@pytest.fixture(scope="session")
def programs():
    root = tempfile.mkdtemp(prefix="baocao-test-")
    yield Programs(root)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def template(programs):
    """A state folder with the database made, migrated and filled with forms and units."""
    root = tempfile.mkdtemp(prefix="baocao-template-")
    daemon = Daemon(programs, root)
    try:
        daemon.start()
        assert daemon.stop() == 0, daemon.log()
        yield daemon.state
    finally:
        daemon.clean()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def make_daemon(programs, request):
    """Makes daemons: make_daemon({"times": {"idle": "2s"}}, fresh=False); all are cleaned up. The template is made for the
    first that has a database of its own."""
    made = []

    def make(config=None, fresh=False, database_url=""):
        root = tempfile.mkdtemp(prefix="baocao-daemon-")
        template = None if fresh or database_url else request.getfixturevalue("template")
        daemon = Daemon(programs, root, template, config, database_url)
        made.append(daemon)
        return daemon

    yield make
    wrong = []
    for daemon in made:
        wrong += wrong_sums(daemon)
        daemon.clean()
        shutil.rmtree(daemon.root, ignore_errors=True)
    assert not wrong, f"sums are not those of the counted reports (scope, form, period, slot, n, sum): {wrong[:10]}"


# Every sum that stands and every sum of the counted reports, where the two differ; slot 0 counts the reports.
SUMS = """
WITH member AS (
    SELECT m.scope, r.form, r.period, r.figures
      FROM baocao.report r JOIN baocao.obligation o USING (unit, form, period)
     CROSS JOIN LATERAL (SELECT DISTINCT u.scope FROM baocao.scope_unit u
                          WHERE u.unit = r.unit AND o.cutoff BETWEEN u.from_day AND u.to_day
                            AND u.seq_to = 9223372036854775807) m
     WHERE r.state = 1 AND r.revision = o.revision),
want AS (
    SELECT scope, form, period, 0::int8 AS slot, count(*) AS n, 0::numeric AS total FROM member GROUP BY 1, 2, 3
    UNION ALL
    SELECT m.scope, m.form, m.period, v.slot, count(*),
           CASE WHEN EXISTS (SELECT FROM baocao.indicator i WHERE i.form = m.form AND i.over_units = 'none'
                                                              AND v.slot IN (i.slot, i.slot_to)) THEN 0
                ELSE sum(v.value) END
      FROM member m CROSS JOIN LATERAL unnest(m.figures) WITH ORDINALITY v(value, slot)
     WHERE v.value IS NOT NULL GROUP BY 1, 2, 3, 4),
have AS (
    SELECT scope, form, period, 0::int8 AS slot, reported::int8 AS n, 0::numeric AS total FROM baocao.rollup WHERE reported <> 0
    UNION ALL
    SELECT r.scope, r.form, r.period, a.slot, a.n, a.total
      FROM baocao.rollup r CROSS JOIN LATERAL unnest(r.counts, r.sums) WITH ORDINALITY a(n, total, slot)
     WHERE a.n <> 0 OR a.total <> 0)
(TABLE want EXCEPT TABLE have) UNION ALL (TABLE have EXCEPT TABLE want)"""


def wrong_sums(daemon):
    """Whatever a test did: the sums must be exact. Nothing where the database does not answer any more, or where the test
    spoiled the sums itself (daemon.spoiled)."""
    if daemon.spoiled or not daemon.process or not (daemon.database_url or daemon.postmaster_pid()):
        return []
    try:
        connection = psycopg2.connect(daemon.database_url) if daemon.database_url else daemon.connect()
    except psycopg2.Error:
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '30s'")
            cursor.execute("SELECT to_regclass('baocao.rollup') IS NOT NULL")
            if cursor.fetchone()[0]:
                cursor.execute(SUMS)
                return cursor.fetchall()
        return []
    except psycopg2.OperationalError:
        return []
    finally:
        connection.close()


@pytest.fixture
def daemon(make_daemon):
    """A running daemon with an empty store."""
    return make_daemon().start()


@pytest.fixture(scope="session")
def cluster():
    """The data folder of a stopped, empty PostgreSQL cluster, to be copied."""
    server = Postgres()
    yield server.data
    server.clean()


@pytest.fixture
def make_postgres(cluster):
    """Makes running servers: make_postgres(settings="one setting a line"); all are cleaned up."""
    made = []

    def make(settings="", primary=None):
        server = Postgres(None if primary else cluster, settings, primary)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.clean()


@pytest.fixture
def postgres(make_postgres):
    """A running PostgreSQL server that is not the daemon's."""
    return make_postgres()
