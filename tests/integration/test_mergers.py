"""The mergers of 1 July 2025 in a real province file: an old code or name leads to the unit of today, old units report
their own periods and no other, and the same figures answer by the units of then and of today."""
import json
import os
import random
import shutil
import tempfile

import pytest
import yaml
from brp import Client
from conftest import Daemon

FORM = """baocao: 1
id: thu-quy
version: 1
title: {vi: Thử theo quý, en: A quarterly trial}
programme: nd73
reporters: {kinds: [commune, ward, township]}
period: {type: quarter, calendar: nd09}
deadline: {working_days: 2}
lock: {then: accept}
nil: refused
effective: {from: 2025-01-01, to: null}
schema: {type: object, properties: {viec: {title: Việc, type: integer}}, required: [viec], additionalProperties: false}
checks:
  - {id: khong-co-ky-truoc, when: period.label == '2025-Q3', rule: prev == null && prev_year == null}
  - {id: khong-co-luy-ke, when: period.label == '2025-Q3', rule: has(ytd.work) && ytd.work == 0}
indicators:
  - {code: work, label: {vi: Việc, en: Work}, value: self.viec}
"""
THEN, NOW = "2025-Q2", "2026-Q3"
ENDED = "2025-06-30"


class Register:
    """What the province's file says, read apart from the daemon."""

    def __init__(self, folder):
        with open(os.path.join(folder, "units.yaml"), encoding="utf-8") as f:
            units = yaml.load(f, yaml.BaseLoader)["units"]
        self.old = {u["code"]: u for u in units if u.get("to") == ENDED}
        self.now = {u["code"]: u for u in units if "to" not in u}
        assert len(self.old) + len(self.now) == len(units)
        self.heir, self.about = {}, set()
        for code, u in self.now.items():
            if code in self.old:
                self.heir[code] = code
        for code, u in self.now.items():
            for was in u.get("was", []):
                if was.get("share") == "unknown":
                    self.about |= {code, was["code"]}
                else:
                    assert self.heir.setdefault(was["code"], code) == code
        self.about = {self.heir.get(c, c) if c in self.old else c for c in self.about}

    def scopes(self, unit):
        return {"66", "state:66", "party:66", f"kind:{unit['kind']}", *(f"group:{g}" for g in unit["groups"])}

    def sums(self, figures, today):
        """{scope: [sum, reported, estimated]} of figures by old code, by the units of then or of today."""
        rows = {}
        for code, figure in figures.items():
            unit = self.now[self.heir[code]] if today else self.old[code]
            for scope in self.scopes(unit):
                row = rows.setdefault(scope, [0, 0, False])
                row[0] += figure
                row[1] += 1
                row[2] |= today and unit["code"] in self.about
        return rows

    def owed(self, today):
        rows = {}
        for code in self.old:
            for scope in self.scopes(self.now[self.heir[code]] if today else self.old[code]):
                rows[scope] = rows.get(scope, 0) + 1
        return rows


def report(code, period, work):
    return json.dumps({"form": "thu-quy", "unit": code, "period": period, "data": {"viec": work}})


@pytest.fixture(scope="module")
def register(programs):
    return Register(programs.province)


@pytest.fixture(scope="module")
def figures(register):
    """Most old units have reported; those that say nothing owe it still."""
    dice = random.Random(66)
    return {code: dice.randint(0, 999) for code in sorted(register.old) if code != "24166" and dice.random() < 0.8}


@pytest.fixture(scope="module")
def hub(programs, figures):
    root = tempfile.mkdtemp(prefix="baocao-mergers-")
    forms = os.path.join(root, "forms")
    os.makedirs(forms)
    with open(f"{forms}/thu-quy.v1.yaml", "w", encoding="utf-8") as f:
        f.write(FORM)
    daemon = Daemon(programs, root)
    daemon.schemas = forms
    daemon.start()
    with Client(daemon.reports_port) as client:
        answers = client.submit_all([report(code, THEN, work) for code, work in figures.items()])
    assert {a.verb for a in answers} == {"OK"}, [a for a in answers if a.verb != "OK"][:3]
    yield daemon
    daemon.clean()
    shutil.rmtree(root, ignore_errors=True)


def test_the_province_lists_its_units_of_today(hub, register):
    rows = hub.get("/v1/units", limit=1000)[1]
    assert len(rows) == len(register.now) == 130
    assert sum(r["kind"] in ("commune", "ward") for r in rows) == 102
    assert all(r["valid_to"] is None and r["heir"] is None for r in rows)
    assert hub.sql("SELECT count(*) FROM office.unit WHERE valid_to = %s", ENDED)[0][0] == len(register.old) == 286
    assert f'{len(register.now)} units' in hub.log()


@pytest.mark.parametrize("typed", ["24160", "Xã Cư ÊBur", "xa cu ebur", "Cư ÊBur"])
def test_an_old_code_or_name_says_which_unit_it_is_now(hub, typed):
    rows = hub.get("/v1/units", q=typed)[1]
    assert [(r["unit"], r["valid_to"], r["heir"], r["heir_vi"]) for r in rows] \
        == [("24160", ENDED, "24133", "Phường Buôn Ma Thuột")]
    told = hub.programs.run("due", "--unit", typed, "--until", "2027-01-31", "--forms", hub.schemas, "--province", hub.province)
    assert told.returncode == 0, told.stderr
    assert "Xã Cư ÊBur (24160)" in told.stderr and "nay thuộc Phường Buôn Ma Thuột (24133)" in told.stderr
    assert "24133" in told.stdout and "2026-Q4" in told.stdout, told.stdout


@pytest.mark.parametrize("typed", ["Xã Hòa Hiệp", "Xã Hoà Hiệp", "xã hoà hiệp", "XA HOA HIEP"])
def test_both_places_of_the_tone_mark_find_an_old_unit(hub, register, typed):
    codes = {c for c, u in register.old.items() if u["name"] in ("Xã Hòa Hiệp", "Xã Hoà Hiệp")}
    assert codes
    rows = [r for r in hub.get("/v1/units", q=typed)[1] if r["valid_to"] and r["name_vi"] in ("Xã Hòa Hiệp", "Xã Hoà Hiệp")]
    assert {r["unit"] for r in rows} == codes
    assert {r["heir"] for r in rows} == {register.heir[c] for c in codes}


def test_a_code_that_went_on_means_another_unit_before(hub, register):
    """24133 was one of the six wards that today's 24133 is made of."""
    rows = hub.get("/v1/units", unit="24133")[1]
    assert [(r["name_vi"], r["valid_to"], r["heir"]) for r in rows] \
        == [("Phường Buôn Ma Thuột", None, None), ("Phường Thành Công", ENDED, "24133")]
    assert sorted(c for c, h in register.heir.items() if h == "24133") == ["24133", "24136", "24142", "24145", "24148", "24160"]


def test_what_another_unit_reported_under_a_code_is_not_its_past(hub, register, figures, tmp_path):
    """One that took others over in July 2025, and one that at most got another name, so that its past is its own."""
    merged, same = (next(c for c in register.now if figures.get(c) and ("was" in register.now[c]) == m) for m in (True, False))
    with Client(hub.reports_port) as client:
        for code, verb in (merged, "OK"), (same, "NO"):
            answer = client.submit(report(code, "2025-Q3", 1))
            assert answer.verb == verb and len(answer.findings) == 2 * (verb == "NO"), (code, answer)
            before, after = tmp_path / f"{code}-q2.json", tmp_path / f"{code}-q3.json"
            before.write_text(report(code, "2025-Q2", figures[code]), "utf-8")
            after.write_text(report(code, "2025-Q3", 1), "utf-8")
            offline = hub.programs.run("check", str(after), "--history", str(before), "--forms", hub.schemas,
                                       "--province", hub.province)
            assert offline.returncode == (verb == "NO"), offline.stdout
            # Nor is the other's report wanted, when it is not at hand.
            alone = hub.programs.run("check", str(after), "--forms", hub.schemas, "--province", hub.province)
            assert ("chưa kiểm tra được" in alone.stdout + alone.stderr) == (code == same), alone.stdout + alone.stderr


def test_an_old_code_in_a_new_period_is_refused_and_its_heir_named(hub, register, figures):
    heir = register.now[register.heir["24136"]]
    with Client(hub.reports_port) as client:
        answer = client.submit(report("24136", NOW, 1))
        twice = client.submit(report(next(iter(figures)), THEN, 10 ** 6))
        strange = client.submit(report("99999", NOW, 1))
        near = client.submit(report("24137", NOW, 1))
    assert (answer.verb, answer.code) == ("NO", "NOTOWED"), answer
    assert f'{heir["code"]} ({heir["name"]})' in json.dumps(answer.findings, ensure_ascii=False), answer.findings
    assert twice.code == "KEYREUSED", twice
    assert strange.code == "NOTOWED"
    # A slip of the pen is answered with a code of that time, never with one that is no more.
    said = json.dumps(near.findings, ensure_ascii=False)
    assert near.code == "NOTOWED" and not any(f"{c} (" in said for c in register.old if c not in register.now), said


@pytest.mark.parametrize("units", ["as-reported", "today"])
def test_the_same_question_by_the_units_of_then_and_of_today(hub, register, figures, units):
    want, owed = register.sums(figures, units == "today"), register.owed(units == "today")
    rows = {r["scope"]: r for r in hub.get("/v1/rollups", form="thu-quy", span=THEN, units=units)[1]}
    assert set(rows) == set(owed)
    for scope, r in rows.items():
        total, reported, about = want.get(scope, [None, 0, False])
        assert (r["value"], r["reported"], r["owed"], r["estimated"]) == (total, reported, owed[scope], about), scope
    assert ("kind:township" in rows) == (units == "as-reported") and rows["66"]["value"] == sum(figures.values())
    states = {r["scope"]: r for r in hub.get("/v1/status", form="thu-quy", period=THEN, units=units)[1]}
    assert {s: (r["owed"], r["late"], r["overdue"]) for s, r in states.items()} \
        == {s: (n, want.get(s, [0, 0])[1], n - want.get(s, [0, 0])[1]) for s, n in owed.items()}
    assert sum(r["owed"] for s, r in states.items() if s.startswith("kind:")) == states["66"]["owed"] == 286


def test_a_silent_old_unit_shows_who_has_to_send_it(hub, register):
    rows = {r["unit"]: r for r in hub.get("/v1/missing", form="thu-quy", period=THEN)[1]}
    assert rows["24166"]["heir"] == register.heir["24166"] == "24121" and rows["24166"]["heir_vi"] == "Phường Tân Lập"
    assert all(r["heir"] == register.heir[c] and r["heir_vi"] == register.now[r["heir"]]["name"] for c, r in rows.items())
    now = hub.get("/v1/missing", form="thu-quy", period=NOW)[1]
    assert len(now) == 102 and all(r["heir"] is None for r in now)
    shown = hub.baocao("status", "thu-quy", "--period", THEN, "--missing")
    assert shown.returncode == 0 and "24121" in shown.stdout and "Phường Tân Lập" in shown.stdout, shown.stdout + shown.stderr
    due = [json.loads(line) for line in hub.baocao("due", "--unit", "24121", "--format", "json").stdout.strip("[]\n").split(",\n")]
    owed = {(d["unit"], d["period"]): d for d in due}
    assert owed["24166", THEN]["state"] == "overdue" and "24166" in owed["24166", THEN]["why"]
