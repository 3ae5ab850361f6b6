"""A year of a province's reports in all programmes, as the generator makes it, goes through the daemon: every answer,
every rollup, every span of periods, every count and every contradiction must be the generator's, which computes them
apart. The short run sends what a sample of the units reports; with BAOCAO_LONG whole provinces do, and, given the table
of units that deploy/make-units reads in BAOCAO_UNITS_TABLE, a sample of the whole country for the year and the country's
3,321 communes, every one, for its first quarter."""
import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal

import pytest
from brp import Client
from conftest import SOURCE, Daemon

LONG = bool(os.environ.get("BAOCAO_LONG"))
WORLDS = {"66-dak-lak": "nd73-quarterly,nd73-annual,nq57-tasks,nq57-indicators,qd204-quarterly",
          "01-ha-noi": "hn-kpi-monthly,hn-okr-quarterly"}
if LONG and os.environ.get("BAOCAO_UNITS_TABLE"):
    WORLDS["national"] = "nd73-quarterly,nq57-indicators"
    WORLDS["national-whole"] = "nd73-quarterly,nq57-indicators"
NATIONAL = {"national": ["--units", "300"], "national-whole": ["--periods", "1"]}
YEAR = 2026


def rows_of(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def list_of(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


class World:
    """A generated year and a daemon with its forms."""

    def __init__(self, programs, province, forms):
        self.name = province
        self.root = tempfile.mkdtemp(prefix="baocao-year-")
        self.out = os.path.join(self.root, "year")
        folder = self.country(programs) if province in NATIONAL else os.path.join(programs.schemas, "provinces", province)
        now = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).replace(tzinfo=None, microsecond=0)
        sample = NATIONAL.get(province, []) if LONG else ["--units", "7"]
        subprocess.run([sys.executable, os.path.join(SOURCE, "tests/data/make_reports.py"), "--province", folder,
                        "--forms", forms, "--year", str(YEAR), "--now", now.isoformat(), "--seed", "7", "--out", self.out,
                        *sample], check=True, timeout=1200)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", self.out], check=True)
        self.daemon = Daemon(programs, self.root)
        self.daemon.schemas = os.path.join(self.out, "forms")
        self.daemon.province = folder
        self.manifest = rows_of(os.path.join(self.out, "manifest.tsv"))

    def country(self, programs):
        """A province folder of all 3,321 communes."""
        folder = os.path.join(self.root, "country")
        os.makedirs(folder)
        with open(os.path.join(folder, "units.yaml"), "w", encoding="utf-8") as f:
            subprocess.run([sys.executable, os.path.join(SOURCE, "deploy/make-units"), "--table",
                            os.environ["BAOCAO_UNITS_TABLE"], "--national"], check=True, stdout=f)
        shutil.copy(os.path.join(programs.schemas, "provinces", "66-dak-lak", "holidays.yaml"), folder)
        return folder

    def answer(self, client, row):
        """What the manifest calls the answer: OK, DUP or the symbol of the refusal."""
        with open(os.path.join(self.out, "reports", row["file"]), "rb") as f:
            answer = client.submit(f.read())
        if answer.verb != "OK":
            return answer.code
        return "DUP" if answer.dup == "1" else "OK"

    def send_all(self):
        """Sends every file in the order of the manifest; gives those answered otherwise than it says."""
        with Client(self.daemon.reports_port) as client:
            got = [(row, self.answer(client, row)) for row in self.manifest]
        return [(row["file"], row["answer"], answer) for row, answer in got if answer != row["answer"]]

    def grant(self):
        """The office's acts; gives what went wrong."""
        wrong = []
        for act in rows_of(os.path.join(self.out, "acts.tsv")):
            words = ["office", act["act"], "--form", act["form"], "--unit", act["unit"], "--period", act["period"]]
            words += ["--until", act["until"], "--reason", "Mưa lũ"] if act["act"] == "extend" else ["--decision", "Số 12/QĐ-UBND"]
            done = self.daemon.operate(*words)
            if done.returncode != 0:
                wrong.append((words, done.stdout + done.stderr))
        return wrong

    def clean(self):
        self.daemon.clean()
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture(scope="module", params=WORLDS)
def world(request, programs):
    world = World(programs, request.param, WORLDS[request.param])
    try:
        world.daemon.start()
        world.wrong = world.send_all()
        world.refused = world.grant()
        world.daemon.sql("ANALYZE")
        yield world
    finally:
        world.clean()


def exact(x):
    return None if x is None else Decimal(str(x))


def test_every_answer_is_the_expected_one(world):
    assert world.wrong == [] and world.refused == []
    answers = {row["answer"] for row in world.manifest}
    assert answers >= {"OK", "DUP", "KEYREUSED", "NOTOWED"} and len(answers) > 5


def test_what_is_stored_was_made_in_known_numbers(world):
    why = [row["why"] for row in world.manifest if row["answer"] == "OK"]
    corrected = why.count("correction")
    assert corrected and world.daemon.sql(
        "SELECT count(*), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE nil)"
        "  FROM baocao.report") == [(len(why), len(why) - corrected, corrected, why.count("nil"))]
    assert world.daemon.sql("SELECT count(*) FROM baocao.receipt") == [(len(why),)]


def test_every_span_gives_the_generator_s_figures(world):
    wanted = {}
    for cell in list_of(os.path.join(world.out, "rollups.json")):
        wanted.setdefault((cell["form"], cell["period"]), {})[cell["scope"], cell["indicator"]] = cell
    compared = with_figures = 0
    for (form, span), cells in wanted.items():
        status, rows = world.daemon.get("/v1/rollups", form=form, span=span)
        assert status == 200 and {(r["scope"], r["indicator"]) for r in rows} == set(cells), (form, span)
        for r in rows:
            cell = cells[r["scope"], r["indicator"]]
            where = (form, span, r["scope"], r["indicator"])
            assert exact(r["value"]) == exact(cell["value"]), where
            assert (r["reported"], r["owed"], r["of_period"]) == (cell["n"], cell["owed"], cell["of_period"]), where
            assert (exact(r["numerator"]), exact(r["denominator"])) == (exact(cell.get("of")), exact(cell.get("to"))), where
            compared += 1
            with_figures += cell["value"] is not None
    assert compared > 5000 and with_figures > 2000


def test_single_periods_are_the_same_in_the_view(world):
    got = {row[:4]: row[4:] for row in world.daemon.sql(
        "SELECT form, period, scope, indicator, value, reported, owed FROM office.rollup")}
    compared = 0
    for cell in list_of(os.path.join(world.out, "rollups.json")):
        key = (cell["form"], cell["period"], cell["scope"], cell["indicator"])
        if key in got:
            value, reported, owed = got[key]
            compared += 1
            assert (value, owed) == (exact(cell["value"]), cell["owed"]), key
            assert cell["value"] is None or reported == cell["n"], key
    assert compared > 3000


def test_every_obligation_is_in_the_state_it_must_be(world):
    columns = ("owed", "on_time", "late", "overdue", "pending", "exempt")
    got = {(form, period, scope): counts for form, period, scope, *counts in world.daemon.sql(
        f"SELECT form, period, scope, {', '.join(columns)} FROM office.status WHERE period LIKE '{YEAR}%%'")}
    want = {(s["form"], s["period"], s["scope"]): [s[c] for c in columns]
            for s in list_of(os.path.join(world.out, "status.json"))}
    assert got == want
    seen = {c for counts in want.values() for c, n in zip(columns, counts) if n}
    assert seen >= {"owed", "on_time", "late", "overdue", "exempt"}


def test_contradictions_are_those_that_were_made(world):
    want = list_of(os.path.join(world.out, "contradictions.json"))
    got = [{**{k: a[k] for k in ("kind", "form", "period", "unit", "indicator")}, "value": str(a["value"]),
            "expected": str(a["expected"])}
           for a in world.daemon.get("/v1/alerts")[1] if a["kind"] in ("contradiction", "running")]
    key = lambda a: (a["form"], a["indicator"], a["unit"], a["period"])  # noqa: E731
    many = len(world.manifest) > 300 and world.name not in NATIONAL  # a country's forms have no figure in common
    assert {a["kind"] for a in want} == ({"contradiction", "running"} if many else set())
    assert sorted(got, key=key) == sorted(want, key=key)


def test_sent_once_more_nothing_moves(world):
    before = world.daemon.sql("SELECT * FROM baocao.rollup ORDER BY 1, 2, 3")
    rows = [r for r in world.manifest if r["answer"] in ("OK", "DUP")][::7]
    with Client(world.daemon.reports_port) as client:
        assert {world.answer(client, r) for r in rows} == {"DUP"}
    assert world.daemon.sql("SELECT * FROM baocao.rollup ORDER BY 1, 2, 3") == before
    done = world.daemon.operate("verify")
    assert done.returncode == 0, done.stdout + done.stderr
