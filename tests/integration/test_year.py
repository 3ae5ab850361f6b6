"""A year of a province's reports, as the generator makes it, goes through the daemon: every answer, every rollup and
every count must be the generator's, which computes them apart."""
import csv
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest
from brp import Client
from conftest import SOURCE


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    out = tmp_path_factory.mktemp("year")
    subprocess.run([sys.executable, os.path.join(SOURCE, "tests/data/make_reports.py"), "--province",
                    os.path.join(SOURCE, "schemas/provinces/66-dak-lak"), "--seed", "7", "--out", str(out)],
                   check=True, timeout=120)
    return out


def rows_of(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def answer_of(client, path):
    """What the manifest calls the answer: OK, DUP or the symbol of the refusal."""
    answer = client.submit(path.read_bytes())
    if answer.verb != "OK":
        return answer.code
    return "DUP" if answer.dup == "1" else "OK"


def send_all(daemon, year):
    """Sends every file in the order of the manifest; gives the files answered otherwise than it says."""
    wrong = []
    with Client(daemon.reports_port) as client:
        for row in rows_of(year / "manifest.tsv"):
            got = answer_of(client, year / "reports" / row["file"])
            if got != row["answer"]:
                wrong.append((row["file"], row["answer"], got))
    return wrong


def test_a_year_gives_the_generator_s_figures(daemon, year):
    assert send_all(daemon, year) == []
    got = {(period, scope, code): value
           for period, scope, code, value in daemon.sql("SELECT period, scope, indicator, value FROM office.rollup WHERE form = 'nd73-quarterly'")}
    wrong, compared = [], 0
    for cell in json.loads((year / "rollups.json").read_text(encoding="utf-8")):
        if "-Q" not in cell["period"]:
            continue
        if "of" in cell:
            want = Decimal(cell["of"] * 100) / Decimal(cell["to"]) if cell["n"] and cell["to"] else None
        else:
            want = cell["value"]
        have = got.get((cell["period"], cell["scope"], cell["indicator"]))
        compared += 1
        if (want is None) != (have is None) or (want is not None and abs(Decimal(want) - have) > Decimal("0.005")):
            wrong.append((cell, have))
    assert wrong == [] and compared > 1000
    counts = {(period, scope): (owed, on_time + late) for period, scope, owed, on_time, late in
              daemon.sql("SELECT period, scope, owed, on_time, late FROM office.status WHERE form = 'nd73-quarterly'")}
    wrong = []
    for s in json.loads((year / "status.json").read_text(encoding="utf-8")):
        want = (s["owed"], s["on_time"] + s["late"])
        if counts.get((s["period"], s["scope"])) != want:
            wrong.append((s["period"], s["scope"], want, counts.get((s["period"], s["scope"]))))
    assert wrong == []
    # Sent once more, every accepted report gets its first receipt and nothing moves.
    rows = [r for r in rows_of(year / "manifest.tsv") if r["answer"] in ("OK", "DUP")][::7]
    with Client(daemon.reports_port) as client:
        assert {answer_of(client, year / "reports" / r["file"]) for r in rows} == {"DUP"}
    assert got == {(period, scope, code): value for period, scope, code, value in
                   daemon.sql("SELECT period, scope, indicator, value FROM office.rollup WHERE form = 'nd73-quarterly'")}
