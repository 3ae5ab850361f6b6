"""What the benchmarks share: a PostgreSQL of their own, a daemon on it, reports in any number, senders that keep their
window full, and the table of figures that design.md section 9 describes. As root everything runs as nobody."""
import atexit
import glob
import hashlib
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import psycopg2

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
FORM = "bench-monthly"
PERIODS = 34  # of each unit, that reports are made for


def as_user():
    if USER:
        os.setgid(USER.pw_gid)
        os.setuid(USER.pw_uid)


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, preexec_fn=as_user, cwd="/", **more).stdout


def leave_disk_alone():
    """What making a database and dropping one leave to the disk, discards among it, would hold up the commits that are
    measured next by some 50 ms, once or twice in eight seconds."""
    os.sync()


class Cluster:
    """A PostgreSQL of its own, as durable as its defaults are; one that stands in `data` already is used again."""

    def __init__(self, root, data=None):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))[-1]
        self.data, self.socket = data or os.path.join(root, "pg"), root
        if not os.path.exists(os.path.join(self.data, "PG_VERSION")):
            os.makedirs(self.data, exist_ok=True)
            if USER:
                os.chown(self.data, USER.pw_uid, USER.pw_gid)
            run(f"{self.bin}/initdb", "-D", self.data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--no-locale")
        self.start()

    def start(self, *settings):
        words = ["listen_addresses=", "shared_buffers=256MB", "max_wal_size=4GB", "max_connections=40", *settings]
        run(f"{self.bin}/pg_ctl", "-D", self.data, "-l", os.path.join(self.socket, "pg.log"), "-w", "-t", "600", "start",
            "-o", f"-k {self.socket} " + " ".join(f"-c {word}" for word in words))
        self.admin = self.connect("postgres")

    def connect(self, name):
        connection = psycopg2.connect(self.url(name))
        connection.autocommit = True
        return connection

    def url(self, name):
        return f"host={self.socket} user=bench dbname={name}"

    def copy(self, name, template):
        with self.admin.cursor() as c:
            c.execute(f"DROP DATABASE IF EXISTS {name}")
            c.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
            c.execute("CHECKPOINT")
        leave_disk_alone()

    def value(self, sql, name="postgres"):
        connection = self.admin if name == "postgres" else self.connect(name)
        with connection.cursor() as c:
            c.execute(sql)
            got = c.fetchone()[0]
        if connection is not self.admin:
            connection.close()
        return got

    def stop(self, mode="immediate"):
        self.admin.close()
        run(f"{self.bin}/pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "600", "stop")


def cpu_of(pid):
    """Processor time of a process, seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


LOOKS_BACK = re.compile(r"\b(prev|prev_year|prev_item|now_item|ytd)\b")


def split_checks(form):
    """The text before the checks, each check's, and what follows them."""
    head, checks = form.split("\nchecks:\n", 1)
    checks, rest = checks.split("\nindicators:\n", 1)
    return head, re.split(r"(?m)^(?=  - id: )", checks), rest


def soft_checks(form):
    """The form's text whose history checks warn: the bed's reports are made apart and do not agree with each other."""
    head, checks, rest = split_checks(form)
    soft = [re.sub(r"severity: \w+", "severity: warning", c) if LOOKS_BACK.search(c) else c for c in checks]
    return f"{head}\nchecks:\n{''.join(soft)}\nindicators:\n{rest}"


def plain_checks(form):
    """The form's text without its history checks: those read what was reported before, which neither the loader nor a
    peer does."""
    head, checks, rest = split_checks(form)
    kept = [c for c in checks if not LOOKS_BACK.search(c)]
    return f"{head}\nchecks:\n{''.join(kept)}\nindicators:\n{rest}"


def make_schemas(root, units, history=False):
    """The first real form, by month, for a nation's worth of communes; with its history checks when asked."""
    schemas = os.path.join(root, "schemas")
    shutil.copytree(os.path.join(SOURCE, "schemas"), schemas)
    for folder in ("nd73", "nq57", "qd204", "hn-kpi", "samples"):
        shutil.rmtree(os.path.join(schemas, folder), ignore_errors=True)
    with open(os.path.join(SOURCE, "schemas/nd73/nd73-quarterly.v1.yaml"), encoding="utf-8") as f:
        form = f.read()
    form = form.replace("id: nd73-quarterly", f"id: {FORM}", 1)
    form = form.replace("{type: quarter, calendar: nd09}", "{type: month, calendar: civil}", 1)
    form = re.sub(r"deadline:\n(  - .*\n)+", "deadline:\n  - {working_days: 2}\n", form, count=1)
    form = form.replace("period.n * 25 - 35", "period.n * 5")  # a rule by quarters, held to months
    form = form.replace("effective: {from: 2026-01-01, to: null}", "effective: {from: 2024-01-01, to: null}", 1)
    form = soft_checks(form) if history else plain_checks(form)
    os.makedirs(os.path.join(schemas, "bench"))
    with open(os.path.join(schemas, "bench", f"{FORM}.v1.yaml"), "w", encoding="utf-8") as f:
        f.write(form)
    province = os.path.join(schemas, "provinces", "bench")
    os.makedirs(province)
    shutil.copy(os.path.join(schemas, "provinces/66-dak-lak/holidays.yaml"), province)
    with open(os.path.join(province, "units.yaml"), "w", encoding="utf-8") as f:
        f.write('province: {code: "66", name: Đo, en: Bench, timezone: Asia/Ho_Chi_Minh}\ntrees: [state]\n'
                "groups: [{id: a, name: A}, {id: b, name: B}, {id: one, name: Một tỉnh}]\nunits:\n")
        for i in range(units):
            f.write(f'  - {{code: "{10000 + i}", kind: {("commune", "ward")[i % 2]}, name: Xã {i}, from: 2023-01-01,'
                    f' groups: [{"ab"[i // 2 % 2]}{", one" if i % 22 == 0 else ""}], parents: {{state: "66"}}}}\n')
    os.chmod(schemas, 0o755)
    for path, folders, files in os.walk(schemas):
        for name in folders + files:
            os.chmod(os.path.join(path, name), 0o755)
    return schemas, province


def stream_reports(baocao, n, units, first=0):
    """Documents of n different obligations from the first on, as (JSON, YAML), made one at a time."""
    with open(os.path.join(SOURCE, "schemas/samples/01-24133-buon-ma-thuot.yaml"), encoding="utf-8") as f:
        yaml = f.read()
    yaml = re.sub(r"  #.*", "", yaml).replace("form: nd73-quarterly", f"form: {FORM}").replace("2026-03-27", "2023-03-27")
    yaml = re.sub(r"signed:.*\n", "", yaml)
    path = os.path.join(os.path.dirname(baocao), "report.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(yaml)
    tree = json.loads(run(baocao, "load", path))
    periods = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)][:PERIODS]
    if first + n > units * len(periods):
        sys.exit(f"at most {units * len(periods)} reports")
    # What differs stands in each text once; millions are made by putting it in.
    tree["unit"], tree["period"], tree["data"]["de_xuat"]["xin_y_kien_cap_uy"] = "UNIT", "PERIOD", 424242
    forms = [part.encode() for part in
             (json.dumps(tree, ensure_ascii=False),
              yaml.replace('unit: "24133"', 'unit: "UNIT"').replace("period: 2026-Q3", "period: PERIOD")
              .replace("xin_y_kien_cap_uy: 10", "xin_y_kien_cap_uy: 424242"))]
    for i in range(first, first + n):
        unit, period, figure = str(10000 + i % units).encode(), periods[i // units].encode(), str(10 + i % 1000).encode()
        yield tuple(text.replace(b"UNIT", unit).replace(b"PERIOD", period).replace(b"424242", figure) for text in forms)


def make_reports(baocao, n, units):
    """n documents of different obligations, as (JSON, YAML)."""
    return list(stream_reports(baocao, n, units))


class Frames:
    """Documents as frames in a file that tests/bench/sender reads, compressed as a system would send them; of any
    number, for they are taken one at a time."""

    def __init__(self, root, documents, packed=True):
        self.n = 0
        handle, self.path = tempfile.mkstemp(dir=root, suffix=".frames")
        with os.fdopen(handle, "wb") as f:
            for text in documents:
                body = zlib.compress(text) if packed else text
                how = b" enc=deflate raw=%d" % len(text) if packed else b""
                f.write(b"REPORT 0 %d%s sha256=%s\n%s\n" % (
                    len(body), how, hashlib.sha256(text).hexdigest().encode(), body))
                self.n += 1


def sender(options, port, *words):
    """The command line of tests/bench/sender."""
    return [options.sender, "--port", str(port), *map(str, words)]


def send(options, port, frames, *words, connections=None):
    """Sends all frames, and gives what the sender measured; more words go to its command line."""
    n = connections or options.connections
    done = subprocess.run(sender(options, port, "--frames", frames.path, "--connections", n, *words),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


# What an office asks: name, path, goal of the 99th percentile in ms.
QUESTIONS = (
    ("rollup", "/v1/rollups?form={form}&period=2024-01&scope=group:one", 10),
    ("status", "/v1/status?form={form}&period=2024-01&scope=group:one", 10),
    ("missing", "/v1/missing?form={form}&period=2026-01&scope=group:one", None),
    ("rollup of all scopes", "/v1/rollups?form={form}&period=2024-01", None),
    ("status of all scopes", "/v1/status?form={form}&period=2024-01", None),
    ("trend", "/v1/trend?form={form}&scope=group:one", None),
)
# What it asks now and then, and takes longer.
RARE_QUESTIONS = (
    ("rollup of a scope, all periods", "/v1/rollups?form={form}&scope=group:one", None),
    ("rollup as of a moment", "/v1/rollups?form={form}&period=2024-01&scope=group:one&as_of=2100-01-01", None),
    ("status as of a moment", "/v1/status?form={form}&period=2024-01&as_of=2100-01-01", None),
)


def ask(port, path, times, least=100):
    """Milliseconds of each answer on one connection, sorted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took = []
    for _ in range(times):
        start = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        took.append((time.monotonic() - start) * 1e3)
        if answer.status != 200 or len(body) < least:
            sys.exit(f"{path}: {answer.status} {body[:300]!r}")
    connection.close()
    return sorted(took)


def ask_all(options, daemon, runs, stored):
    rarely = max(3, options.questions // 30)
    for times, (what, path, goal) in [(options.questions, q) for q in QUESTIONS] + [(rarely, q) for q in RARE_QUESTIONS]:
        took = ask(daemon.http_port, path.format(form=FORM), times)
        name = f"{what}, {stored / 1e6:.3g} million stored"
        runs.setdefault((f"{name}, median", "ms", None, None), []).append(statistics.median(took))
        runs.setdefault((f"{name}, p99", "ms", goal, "<="), []).append(took[int(len(took) * 0.99)])


class Daemon:
    def __init__(self, options, root, url, schemas, province, more=None):
        self.root = tempfile.mkdtemp(dir=root)
        if USER:
            os.chown(self.root, USER.pw_uid, USER.pw_gid)
        path = os.path.join(self.root, "baocaod.yaml")
        ports = {name: os.path.join(self.root, name + ".port") for name in ("reports", "http")}
        self.http_file = ports["http"]
        config = {"paths": {"state": self.root, "runtime": self.root, "forms": schemas, "province": province},
                  "database": {"url": url}, "log": {"level": "warning"}, "work": {"threads": options.threads},
                  "audit": {"new_key": True}}  # each has a state folder of its own
        for name, file in ports.items():
            config[name] = {"address": "127.0.0.1:0", "port_file": file}
        config["http"]["local"] = "operator"
        config.update(more or {})
        self.tls = "tls" in config
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f"{name}: {json.dumps(value)}\n" for name, value in config.items())
        with open(os.path.join(self.root, "log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([options.baocaod, "--config", path], stdout=log, stderr=log,
                                            preexec_fn=as_user, cwd="/")
        atexit.register(self.process.kill)  # when a figure could not be taken; nothing to do after stop()
        end = time.monotonic() + 600  # a store that owes millions takes minutes
        while time.monotonic() < end and self.process.poll() is None:
            if all(os.path.exists(p) for p in ports.values()) and self.is_ready():
                self.port, self.http_port = (self.port_of(ports[name]) for name in ("reports", "http"))
                leave_disk_alone()
                return
            time.sleep(0.1)
        with open(os.path.join(self.root, "log"), encoding="utf-8") as log:
            sys.exit("the daemon did not start:\n" + log.read()[-3000:])

    @staticmethod
    def port_of(file):
        with open(file, encoding="ascii") as f:
            return int(f.read() or 0)

    def is_ready(self):
        """Does it take reports into the database?"""
        port = self.port_of(self.http_file)
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as raw:
                # The trial's certificate is taken as it is.
                s = ssl._create_unverified_context().wrap_socket(raw) if self.tls else raw
                s.sendall(b"GET /readyz?need=database HTTP/1.0\r\nHost: x\r\n\r\n")
                return b" 200 " in s.recv(200)
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def stolen():
    """Seconds of all processors that the machine's host has given to others, and all seconds."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(x) / os.sysconf("SC_CLK_TCK") for x in f.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def cpu_of_ours(cluster):
    """Processor time of this program, the server and all that they have made, seconds."""
    with open(os.path.join(cluster.data, "postmaster.pid"), encoding="ascii") as f:
        ours, parents, used = {os.getpid(), int(f.readline())}, {}, {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue  # gone meanwhile
        parents[pid], used[pid] = int(fields[1]), sum(map(int, fields[11:15]))  # those it has waited for as well
    new = ours
    while new:
        new = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours = ours | new
    return sum(used.get(pid, 0) for pid in ours) / os.sysconf("SC_CLK_TCK")


class Machine:
    """What the machine did while the block ran, to anybody: .taken and .others, the % of it that its host gave to others
    and that other programs here (or the kernel's own threads) used, and .late, the 99th percentile of how late
    tests/bench/clock woke, ms."""

    def __init__(self, options, cluster):
        self.program, self.cluster = options.clock, cluster

    def now(self):
        with open("/proc/stat", encoding="ascii") as f:
            busy = sum(map(int, f.readline().split()[1:4])) / os.sysconf("SC_CLK_TCK")
        return *stolen(), busy - cpu_of_ours(self.cluster)

    def __enter__(self):
        self.clock = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.before = self.now()
        return self

    def __exit__(self, *_):
        taken, seconds, others = (after - first for after, first in zip(self.now(), self.before))
        self.taken, self.others = 100 * taken / seconds, max(0, 100 * others / seconds)
        self.late = json.loads(self.clock.communicate()[0])["p99"]


def print_table(figures):
    for f in figures:
        ok = "" if f["goal"] is None else \
            ("held" if (f["value"] >= f["goal"]) == (f["op"] == ">=") or f["value"] == f["goal"] else "MISSED")
        goal = "" if f["goal"] is None else f'{f["op"]} {f["goal"]:g}'
        print(f'{f["name"]:<55} {f["value"]:>12,.2f} {f["unit"]:<8} {goal:<8} {ok}')


def run_on_bed(parser, programs, measure):
    """A benchmark's main: parses the command line, copies the release build's programs to where the server's user
    may run them, calls measure(options, root, cluster), and prints and keeps its figures. 0."""
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"), help="folder of a release build")
    parser.add_argument("--threads", type=int, default=0, help="the daemon's judging threads; 0: its default")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="bi")
    os.chmod(root, 0o755)
    if USER:
        os.chown(root, USER.pw_uid, USER.pw_gid)
    for name in ["tests/bench/sender", *programs]:
        setattr(options, os.path.basename(name), shutil.copy2(os.path.join(options.build, name), root))
    keep = getattr(options, "keep", None)
    cluster = Cluster(root, keep)
    before = stolen()
    try:
        figures = measure(options, root, cluster)
    finally:
        cluster.stop("fast" if keep else "immediate")
        shutil.rmtree(root, ignore_errors=True)
    others, seconds = (after - first for after, first in zip(stolen(), before))
    figures.append({"name": "taken from this machine by its host", "value": 100 * others / seconds, "goal": None,
                    "op": "<=", "unit": "%", "runs": [100 * others / seconds]})
    print_table(figures)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(figures, f, indent=1)
    return 0
