"""Spans, the same period last year, targets and contradictions; and the same questions by the units of then and of
today, in a province with a merger and a split in mid-year. What must come of it is computed here, with fractions."""
import json
import os
import random
import shutil
import tempfile
from fractions import Fraction

import pytest
from brp import Client
from conftest import Daemon

FORM = """baocao: 1
id: thu-quy
version: 1
title: {vi: Thử theo quý, en: A quarterly trial}
programme: thu
period: {type: quarter, calendar: nd09}
deadline: {working_days: 2}
lock: {then: accept}
nil: refused
effective: {from: 2025-01-01, to: null}
schema:
  type: object
  properties:
    tien: {title: Tiền, type: number, multipleOf: 0.01}
    viec: {title: Việc, type: integer}
    ton: {title: Tồn, type: integer}
    tong: {title: Tổng, type: integer}
    diem: {title: Điểm, type: integer}
  additionalProperties: false
indicators:
  - {code: money, label: {vi: Tiền, en: Money}, value: self.tien, decimals: 2, target: {2026: 4000}, direction: up}
  - {code: work, label: {vi: Việc, en: Work}, value: self.viec, target: {2026: 300}, direction: down}
  - {code: stock, label: {vi: Tồn, en: Stock}, value: self.ton, over_time: last, target: {2026: 500}, direction: up}
  - {code: whole, label: {vi: Tổng, en: Whole}, value: self.tong, over_time: last}
  - {code: score, label: {vi: Điểm, en: Score}, value: self.diem, over_units: none, over_time: none}
  - {code: each, label: {vi: Tiền một việc, en: Money a work}, ratio: {of: money, to: work}, target: {2026: 12}, direction: up}
  - {code: share, label: {vi: Tỷ lệ, en: Share}, ratio: {of: stock, to: whole, percent: true}}
  - {code: mixed, label: {vi: Lẫn, en: Mixed}, ratio: {of: work, to: whole}}
"""
OTHER = """baocao: 1
id: thu-khac
version: 1
title: {vi: Biểu khác, en: Another form}
programme: thu
period: {type: quarter, calendar: nd09}
deadline: {working_days: 2}
lock: {then: accept}
nil: refused
effective: {from: 2025-01-01, to: null}
schema: {type: object, properties: {ton: {title: Tồn, type: integer}}, additionalProperties: false}
indicators:
  - {code: same_stock, label: {vi: Tồn kho, en: Stock}, value: self.ton, over_time: last, same_as: thu-quy/stock}
"""
UNITS = """province: {code: "99", name: Tỉnh Thử, en: Trial, timezone: Asia/Ho_Chi_Minh}
trees: [state]
groups: [{id: bac, name: Miền bắc, en: North}, {id: nam, name: Miền nam, en: South}]
units:
  - {code: "901", kind: commune, name: Xã Một, from: 2024-01-01, to: 2026-04-30, groups: [bac], parents: {state: "99"}}
  - {code: "902", kind: commune, name: Xã Hai, from: 2024-01-01, to: 2026-04-30, groups: [nam], parents: {state: "99"}}
  - {code: "903", kind: ward, name: Phường Ba, from: 2026-05-01, groups: [nam], parents: {state: "99"}, was: [{code: "901"}, {code: "902"}]}
  - {code: "904", kind: commune, name: Xã Bốn, from: 2024-01-01, groups: [bac], parents: {state: "99"}}
  - {code: "905", kind: ward, name: Phường Năm, from: 2026-07-01, groups: [nam], parents: {state: "99"}, was: [{code: "904", share: 0.4}]}
  - {code: "906", kind: commune, name: Xã Sáu, from: 2024-01-01, groups: [nam], parents: {state: "99"}}
"""
# Code: kind, group, first and last quarter (year, n) at whose end it exists.
THEN = {"901": ("commune", "bac", (2025, 1), (2026, 1)), "902": ("commune", "nam", (2025, 1), (2026, 1)),
        "903": ("ward", "nam", (2026, 2), None), "904": ("commune", "bac", (2025, 1), None),
        "905": ("ward", "nam", (2026, 3), None), "906": ("commune", "nam", (2025, 1), None)}
QUARTERS = [(y, n) for y in (2025, 2026) for n in (1, 2, 3)] + [(2025, 4)]
SPANS = {"2025": [(2025, n) for n in (1, 2, 3, 4)], "2026": [(2026, n) for n in (1, 2, 3, 4)],
         "2026-H1": [(2026, 1), (2026, 2)], "2026-H2": [(2026, 3), (2026, 4)], "2026-9M": [(2026, n) for n in (1, 2, 3)],
         "2026-Q2": [(2026, 2)], "2025-Q4": [(2025, 4)]}
FIELDS = {"money": "tien", "work": "viec", "stock": "ton", "whole": "tong", "score": "diem"}
RATIOS = {"each": ("money", "work", 1), "share": ("stock", "whole", 100), "mixed": ("work", "whole", 1)}
OVER_TIME = {"money": "sum", "work": "sum", "stock": "last", "whole": "last", "score": "none", "each": "sum",
             "share": "last", "mixed": "none"}


def exists(code, quarter):
    _, _, first, last = THEN[code]
    return first <= quarter and (last is None or quarter <= last)


def shares(code, quarter, today):
    """Who holds the figures that a unit reported for a quarter: [(code, share)]."""
    if today and code in ("901", "902"):
        return [("903", Fraction(1))]
    if today and code == "904" and quarter <= (2026, 2):
        return [("904", Fraction(6, 10)), ("905", Fraction(4, 10))]
    return [(code, Fraction(1))]


def scopes(code):
    kind, group, _, _ = THEN[code]
    return {"99", "state:99", f"kind:{kind}", f"group:{group}"}


def made():
    """Reports by (unit, quarter): figures, some missing, some units silent."""
    dice = random.Random(20)
    reports = {}
    for quarter in sorted(QUARTERS):
        for code in sorted(THEN):
            if not exists(code, quarter) or dice.random() < 0.12 or (code, quarter) == ("906", (2026, 3)):
                continue
            whole = dice.randint(1, 400)
            data = {"tien": dice.randint(0, 99999) / 100, "viec": dice.randint(0, 40), "ton": dice.randint(0, whole),
                    "tong": whole, "diem": dice.randint(0, 100)}
            for name in list(data):
                if dice.random() < 0.1:
                    del data[name]
            reports[code, quarter] = data
    return reports


def rounded(x, places):
    scaled = abs(x) * 10 ** places
    whole = scaled.numerator // scaled.denominator + (2 * (scaled.numerator % scaled.denominator) >= scaled.denominator)
    return Fraction(whole if x >= 0 else -whole, 10 ** places)


class Truth:
    """What must be answered, by the units of then or of today."""

    def __init__(self, reports, today):
        self.cells = {}  # (scope, indicator, quarter) → [reported, of, to, estimated]
        self.owed = {}   # (scope, quarter) → obligations
        self.of_units = {}  # (scope, indicator, quarter) → [(who holds it, (of, to))]
        for quarter in [(y, n) for y in (2025, 2026) for n in (1, 2, 3, 4)]:
            for code in THEN:
                if exists(code, quarter):
                    for scope in set().union(*(scopes(c) for c, _ in shares(code, quarter, today))):
                        self.owed[scope, quarter] = self.owed.get((scope, quarter), 0) + 1
        for (code, quarter), data in reports.items():
            figures = {i: Fraction(str(data[f])) for i, f in FIELDS.items() if f in data}
            for ratio, (of, to, _) in RATIOS.items():
                if of in figures and to in figures:
                    figures[ratio] = (figures[of], figures[to])
            for scope in set().union(*(scopes(c) for c, _ in shares(code, quarter, today))):
                held = sum(s for c, s in shares(code, quarter, today) if scope in scopes(c))
                estimated = len(shares(code, quarter, today)) > 1
                for holder, part in shares(code, quarter, today):
                    for indicator, x in figures.items() if scope in scopes(holder) else ():
                        of, to = x if isinstance(x, tuple) else (x, 0)
                        self.of_units.setdefault((scope, indicator, quarter), []).append((holder, (of * part, to * part)))
                for indicator, x in figures.items():
                    cell = self.cells.setdefault((scope, indicator, quarter), [0, 0, 0, False])
                    of, to = x if isinstance(x, tuple) else (x, 0)
                    cell[:] = cell[0] + 1, cell[1] + of * held, cell[2] + to * held, cell[3] or estimated

    def spread(self, scope, indicator, quarters):
        """(least, most, median) of what each unit comes to in the span; by whoever holds its figures."""
        owed = [q for q in quarters if (scope, q) in self.owed]
        have = [q for q in owed if (scope, indicator, q) in self.cells]
        used = have if OVER_TIME[indicator] == "sum" else have[-1:] if OVER_TIME[indicator] == "last" or len(owed) == 1 else []
        units = {}
        for quarter in used:
            for code, x in self.of_units.get((scope, indicator, quarter), []):
                sums = units.setdefault(code, [0, 0])
                sums[0] += x[0]
                sums[1] += x[1]
        if indicator in RATIOS:
            values = sorted(rounded(of * RATIOS[indicator][2] / to, 6) for of, to in units.values() if to)
        else:
            values = sorted(of for of, _ in units.values())
        if not values:
            return None, None, None
        return values[0], values[-1], (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2

    def span(self, scope, indicator, quarters):
        """(value, reported, owed, of which part, estimated)"""
        owed = [q for q in quarters if (scope, q) in self.owed]
        have = [q for q in owed if (scope, indicator, q) in self.cells]
        over = OVER_TIME[indicator]
        used, of_part = have, None
        if over != "sum":
            used = have[-1:] if over == "last" or len(owed) == 1 else []
            of_part = used[0] if used else None
        parts = [self.cells[scope, indicator, q] for q in used]
        counted = sum(self.owed[scope, q] for q in (used if of_part else owed))
        if not parts:
            return None, 0, counted, None, False
        of, to = sum(p[1] for p in parts), sum(p[2] for p in parts)
        if indicator == "score":
            value = None
        elif indicator in RATIOS:
            value = rounded(of * RATIOS[indicator][2] / to, 6) if to else None
        else:
            value = of
        return value, sum(p[0] for p in parts), counted, of_part, any(p[3] for p in parts)


@pytest.fixture(scope="module")
def reports():
    return made()


@pytest.fixture(scope="module")
def hub(programs, reports):
    root = tempfile.mkdtemp(prefix="baocao-across-")
    forms, province = os.path.join(root, "forms"), os.path.join(root, "province")
    os.makedirs(forms)
    os.makedirs(province)
    for path, text in ((f"{forms}/thu-quy.v1.yaml", FORM), (f"{forms}/thu-khac.v1.yaml", OTHER),
                       (f"{province}/units.yaml", UNITS),
                       (f"{province}/holidays.yaml", "known_to: 2027-12-31\nholidays: [{from: 2026-01-01, name: Tết}]\n")):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    daemon = Daemon(programs, root)
    daemon.schemas, daemon.province = forms, province
    daemon.start()
    documents = [json.dumps({"form": "thu-quy", "unit": code, "period": f"{y}-Q{n}", "data": data})
                 for (code, (y, n)), data in sorted(reports.items(), key=lambda r: r[0][1])]
    # 906 says the same in the other form, 903 something else, 904 leaves it out.
    for code, data in (("906", {"ton": reports["906", (2026, 1)].get("ton", 0)}), ("904", {})):
        documents.append(json.dumps({"form": "thu-khac", "unit": code, "period": "2026-Q1", "data": data}))
    documents.append(json.dumps({"form": "thu-khac", "unit": "903", "period": "2026-Q2",
                                 "data": {"ton": reports["903", (2026, 2)]["ton"] + 5}}))
    # 906 gave its stock of 2026-Q3 in the other form only.
    documents.append(json.dumps({"form": "thu-khac", "unit": "906", "period": "2026-Q3", "data": {"ton": 7}}))
    with Client(daemon.reports_port) as client:
        answers = client.submit_all(documents)
    assert {a.verb for a in answers} == {"OK"}, [a for a in answers if a.verb != "OK"]
    yield daemon
    daemon.clean()
    shutil.rmtree(root, ignore_errors=True)


def fraction(x):
    return None if x is None else Fraction(str(x))


@pytest.mark.parametrize("units", ["as-reported", "today"])
@pytest.mark.parametrize("span", SPANS)
def test_a_span_gives_what_its_quarters_make(hub, reports, span, units):
    truth = Truth(reports, units == "today")
    status, rows = hub.get("/v1/rollups", form="thu-quy", span=span, units=units)
    assert status == 200
    before = [(y - 1, n) for y, n in SPANS[span]]
    assert {r["scope"] for r in rows} == {s for (s, q) in truth.owed if q in SPANS[span]}
    for r in rows:
        value, reported, owed, part, estimated = truth.span(r["scope"], r["indicator"], SPANS[span])
        where = (span, units, r["scope"], r["indicator"])
        assert fraction(r["value"]) == value, where
        assert (r["reported"], r["owed"], r["estimated"]) == (reported, owed, estimated), where
        spread = truth.spread(r["scope"], r["indicator"], SPANS[span])
        assert tuple(fraction(r[c]) for c in ("min", "max", "median")) == spread, where
        assert r["of_period"] == (part and f"{part[0]}-Q{part[1]}"), where
        old = truth.span(r["scope"], r["indicator"], before)
        if any((r["scope"], q) in truth.owed for q in before):
            assert (fraction(r["last_year"]), r["last_year_reported"], r["last_year_owed"]) == old[:3], where
        change = None if value is None or old[0] is None else value - old[0]
        assert fraction(r["last_year_change"]) == change, where
        assert fraction(r["last_year_percent"]) == (rounded(change * 100 / abs(old[0]), 2) if change is not None and old[0] else None)


def test_merged_and_split_units_answer_differently_today(hub):
    """The truth that the other tests compare with must differ, or it would prove nothing."""
    then = {(r["scope"], r["indicator"]): r for r in hub.get("/v1/rollups", span="2026-Q1", form="thu-quy")[1]}
    now = {(r["scope"], r["indicator"]): r for r in hub.get("/v1/rollups", span="2026-Q1", form="thu-quy", units="today")[1]}
    assert "kind:ward" not in {s for s, _ in then} and "kind:ward" in {s for s, _ in now}
    assert not any(r["estimated"] for r in then.values()) and now["99", "money"]["estimated"]
    assert then["99", "money"]["value"] == now["99", "money"]["value"]
    assert then["group:bac", "money"]["value"] > now["group:bac", "money"]["value"]


@pytest.mark.parametrize("units", ["as-reported", "today"])
def test_states_add_up_by_the_units_of_then_and_of_today(hub, reports, units):
    want = {}
    for quarter in QUARTERS:
        for code in THEN:
            if exists(code, quarter):
                holder = max(shares(code, quarter, units == "today"), key=lambda s: s[1])[0]
                for scope in scopes(holder):
                    row = want.setdefault((f"{quarter[0]}-Q{quarter[1]}", scope), [0, 0])
                    row[0] += 1
                    row[1] += (code, quarter) in reports
    got = {(r["period"], r["scope"]): [r["owed"], r["late"]]
           for r in hub.get("/v1/status", form="thu-quy", units=units)[1] if r["period"] <= "2026-Q3"}
    assert got == want


def test_reports_stand_under_the_units_of_today(hub, reports):
    rows = hub.get("/v1/reports", form="thu-quy", units="today")[1]
    assert len(rows) == len(reports)
    for r in rows:
        quarter = (int(r["period"][:4]), int(r["period"][-1]))
        held = shares(r["reported_as"], quarter, True)
        assert (r["reported_as"], quarter) in reports
        assert r["unit"] == max(held, key=lambda s: s[1])[0] and r["estimated"] == (len(held) > 1)
    assert {r["name_vi"] for r in rows if r["reported_as"] == "901"} == {"Phường Ba"}
    of_ward = hub.get("/v1/reports", form="thu-quy", units="today", unit="903")[1]
    assert {r["reported_as"] for r in of_ward} == {"901", "902", "903"}
    assert {r["unit"] for r in hub.get("/v1/reports", form="thu-quy")[1]} == {code for code, _ in reports}


def elapsed(quarter):
    """Days of the reporting year that have gone at a quarter's cut-off, of 365."""
    return {1: 90, 2: 182, 3: 274, 4: 365}[quarter[1]]


def pace(indicator, value, target, quarter, direction):
    rate = indicator == "each"
    expected = Fraction(target) if rate else rounded(Fraction(target * elapsed(quarter), 365), 6)
    if value is None:
        return expected, None
    if direction > 0 and not rate and value >= target and quarter[1] < 4:
        return expected, "ahead"
    lead = (value - expected) * direction
    for limit, name in ((Fraction(5, 100), "ahead"), (Fraction(-5, 100), "on-track"), (Fraction(-20, 100), "at-risk")):
        if lead >= limit * expected:
            return expected, name
    return expected, "behind"


def test_the_trend_runs_up_the_year_and_measures_its_pace(hub, reports):
    truth = Truth(reports, False)
    targets = {"money": (4000, 1), "work": (300, -1), "stock": (500, 1), "each": (12, 1)}
    rows = [r for r in hub.get("/v1/trend", form="thu-quy")[1] if r["period"] <= "2026-Q3"]
    names, paces = {}, set()
    for r in rows:
        quarter = (int(r["period"][:4]), int(r["period"][-1]))
        where = (r["scope"], r["indicator"], r["period"])
        value, reported, owed, _, _ = truth.span(r["scope"], r["indicator"], [quarter])
        names[where] = r
        assert (fraction(r["value"]), r["reported"], r["owed"]) == (value, reported, owed), where
        if OVER_TIME[r["indicator"]] == "sum" and r["indicator"] not in RATIOS:
            parts = [truth.span(r["scope"], r["indicator"], [(quarter[0], n)])
                     for n in range(1, quarter[1] + 1) if (r["scope"], (quarter[0], n)) in truth.owed]
            running = None if any(p[0] is None for p in parts) else sum(p[0] for p in parts)
            assert fraction(r["year_to_date"]) == running, where
        else:
            running = value
            assert r["year_to_date"] is None
        if quarter[0] == 2026 and r["indicator"] in targets:
            expected, name = pace(r["indicator"], running, targets[r["indicator"]][0], quarter, targets[r["indicator"]][1])
            assert (fraction(r["expected"]), r["pace"]) == (expected, name), where
            paces.add(name)
        else:
            assert r["pace"] is None
    assert len(paces) >= 4
    for (scope, indicator, period), r in names.items():
        old = names.get((scope, indicator, f"{int(period[:4]) - 1}{period[4:]}"))
        if old:
            assert (r["last_year"], r["last_year_reported"], r["last_year_owed"]) == (old["value"], old["reported"], old["owed"])
    view = hub.sql("SELECT scope, indicator, period, value, previous, change, reported, owed FROM office.trend"
                   " WHERE form = 'thu-quy' AND period <= '2026-Q3'")
    assert len(view) == len(rows)
    for scope, indicator, period, *figures in view:
        r = names[scope, indicator, period]
        assert [fraction(x) for x in figures] == [fraction(r[c]) for c in ("value", "previous", "change", "reported", "owed")]


def test_a_figure_that_two_forms_ask_for_counts_once(hub, reports):
    other = {("906", (2026, 1)): reports["906", (2026, 1)].get("ton", 0), ("906", (2026, 3)): 7,
             ("903", (2026, 2)): reports["903", (2026, 2)]["ton"] + 5}
    rows = hub.get("/v1/shared", form="thu-quy")[1]
    seen = 0
    for r in rows:
        quarter = (int(r["period"][:4]), int(r["period"][-1]))
        units = [c for c in THEN if r["scope"] in scopes(c) and exists(c, quarter)]
        of_unit = {c: reports[c, quarter]["ton"] for c in units if "ton" in reports.get((c, quarter), {})}
        differ = [c for c in of_unit if (c, quarter) in other and other[c, quarter] != of_unit[c]]
        for c in units:
            if (c, quarter) in other:
                of_unit.setdefault(c, other[c, quarter])
        where = (r["scope"], r["period"])
        assert (r["indicator"], r["forms"], r["owed"]) == ("stock", ["thu-quy", "thu-khac"], len(units)), where
        assert (r["reported"], r["contradictions"]) == (len(of_unit), len(differ)), where
        assert r["value"] == (sum(of_unit.values()) if of_unit else None), where
        seen += len(differ)
    assert seen == 4 and {r["period"] for r in rows} >= {"2026-Q1", "2026-Q3"}  # 903 in each of its four scopes


def test_a_contradiction_is_raised_and_ends_with_its_correction(hub, reports):
    right = reports["903", (2026, 2)]["ton"]
    alerts = hub.get("/v1/alerts")[1]
    assert [(a["form"], a["unit"], a["period"], a["indicator"], a["kind"], a["value"], a["expected"], a["state"]) for a in alerts] \
        == [("thu-khac", "903", "2026-Q2", "same_stock", "contradiction", right + 5, right, "open")]
    assert "thu-quy" in alerts[0]["text_vi"] and "đính chính" in alerts[0]["text_vi"]
    assert hub.get("/v1/alerts", scope="group:bac")[1] == []
    with Client(hub.reports_port) as client:
        answer = client.submit(json.dumps({"form": "thu-khac", "unit": "903", "period": "2026-Q2", "revision": 2,
                                           "data": {"ton": right}}))
    assert answer.verb == "OK"
    assert hub.get("/v1/alerts")[1] == []


def test_questions_that_make_no_sense_are_refused(hub):
    assert hub.get("/v1/rollups", span="2026-Q9")[0] == 422
    assert hub.get("/v1/rollups", units="today")[0] == 422
    assert hub.get("/v1/rollups", units="yesterday", period="2026-Q1")[0] == 400
    assert hub.get("/v1/rollups", form="thu-quy", span="2026-01")[1] == []  # no quarter tiles a month
    assert len(hub.get("/v1/trend", form="thu-quy", limit=7)[1]) == 7


def test_the_command_shows_span_last_year_and_pace(hub):
    vi = hub.baocao("rollup", "thu-quy", "--span", "2026-H1", "--scope", "99")
    assert vi.returncode == 0, vi.stderr
    for text in ("2026-H1", "Tiến độ", "Cùng kỳ năm trước", "(2026-Q2)", "thấp nhất/trung vị/cao nhất"):
        assert text in vi.stdout, vi.stdout
    en = hub.baocao("rollup", "thu-quy", "--span", "2026-H1", "--units", "today", "--lang", "en")
    assert "Pace" in en.stdout and "≈" in en.stdout, en.stdout


def holders(unit, on_day, today, links):
    """{holder: share} of what a unit had on a day: each day's successions at once, the rest staying where it was; a part
    without a stated share (0) carries nothing. And whether any of it is an estimate."""
    held = {unit: (Fraction(1), False)}
    for day in sorted({d for _, _, d, _ in links if on_day < d <= today}):
        now = {}
        for holder, (part, estimated) in held.items():
            heirs = [(heir, share) for heir, was, d, share in links if was == holder and d == day]
            split = estimated or any(s == 0 for _, s in heirs)
            for heir, share in heirs + [(holder, 1 - sum(s for _, s in heirs))]:
                if share:
                    had = now.get(heir, (0, False))
                    now[heir] = had[0] + part * share, had[1] or split or share != 1
        held = now
    about = {heir for heir, _, d, share in links if share == 0 and on_day < d <= today}
    return {h: (share, estimated or h in about) for h, (share, estimated) in held.items()}


def answers_for(unit, today, links, ended):
    """Who owes what the unit owed: itself while it exists, else the one with the largest stated share of it, and on."""
    for _ in range(16):
        if ended.get(unit, today + 1) > today:
            return unit
        heirs = [(-share, str(heir), heir) for heir, was, day, share in links if was == unit and day <= today and share]
        if not heirs:
            return None
        unit = min(heirs)[2]
    return None


def random_successions(dice):
    """Links (heir, predecessor, day, share) among 14 units, some shares unknown (0); and the day each has ended by."""
    links, ended = [], {}
    for unit in range(1, 15):
        for was in dice.sample(range(1, unit), dice.randint(0, 2) if unit > 4 else 0):
            day = dice.choice([1, 2, 3, 4, 5])
            left = 1 - sum(s for _, w, d, s in links if (w, d) == (was, day))
            share = left if left == 1 and dice.random() < 0.4 else min(left, Fraction(dice.randint(0, 6), 10))
            if share or dice.random() < 0.5:
                links.append((unit, was, day, share))
            if share == left:
                ended[was] = min(day, ended.get(was, day))
    return links, ended


def test_the_crosswalk_follows_any_chain_of_mergers_and_splits(hub):
    dice = random.Random(4)
    connection = hub.connect()
    compared = estimated = passed_on = unknown = 0
    try:
        with connection.cursor() as cursor:
            for _ in range(12):
                cursor.execute("DELETE FROM baocao.unit_succession")
                cursor.execute("DELETE FROM baocao.unit")
                links, ended = random_successions(dice)
                for unit in range(1, 15):
                    cursor.execute("INSERT INTO baocao.unit (unit, code, kind, name_vi, name_en, from_day, to_day, seq_from)"
                                   " VALUES (%s, %s, 'commune', 'Xã', 'Commune', date '2020-01-01',"
                                   "         coalesce(date '2025-01-01' + %s::int4 - 1, 'infinity'), 1)",
                                   (unit, str(unit), ended.get(unit)))
                for heir, was, day, share in links:
                    cursor.execute("INSERT INTO baocao.unit_succession (unit, predecessor, from_day, share, seq_from)"
                                   " VALUES (%s, %s, date '2025-01-01' + %s, %s, 1)",
                                   (heir, was, day, None if share == 1 else float(share)))
                unknown += sum(share == 0 for *_, share in links)
                for on_day in (0, 2, 5):
                    cursor.execute("SELECT unit, holder, share, estimated, main"
                                   "  FROM baocao.crosswalk(date '2025-01-01' + %s, date '2025-01-01' + 4)", (on_day,))
                    got, main = {}, {}
                    for unit, holder, share, about, is_main in cursor.fetchall():
                        got.setdefault(unit, {})[holder] = Fraction(share), about
                        assert not is_main or main.setdefault(unit, holder) == holder
                        estimated += about
                    alive = [u for u in range(1, 15) if ended.get(u, 9) > on_day]
                    want = {u: holders(u, on_day, 4, links) for u in alive}
                    assert got == want, links
                    for unit in alive:
                        heir = answers_for(unit, 4, links, ended)
                        if heir in want[unit]:
                            assert main[unit] == heir, (unit, links)
                            passed_on += heir != unit
                        else:  # nobody answers for it: the largest part stands for it
                            assert want[unit][main[unit]][0] == max(share for share, _ in want[unit].values())
                    compared += len(got)
    finally:
        connection.rollback()
        connection.close()
    assert compared > 300 and estimated > 50 and passed_on > 20 and unknown > 5
