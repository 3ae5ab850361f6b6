#!/usr/bin/env python3
"""Make a year of plausible reports for a province or the whole country, in all programmes, with mistakes, lateness,
corrections and resends in known numbers, and the rollups, statuses and contradictions they must give, computed here
without the daemon's code.

  tests/data/make_reports.py --province schemas/provinces/66-dak-lak --seed 7 --out DIR

writes to DIR
  reports/NNNNN-….yaml|json  the files, numbered in the order in which they are sent
  manifest.tsv               file, form, unit, period, revision, sent (local time), answer, why
  rollups.json               [{form, period, scope, indicator, value | of + to, n, owed, of_period}] for periods and every
                             span of them; figures are decimals in quotes
  status.json                [{form, period, scope, owed, on_time, late, overdue, pending, exempt}]
  contradictions.json        [{kind, form, period, unit, indicator, value, expected}]; kind: contradiction, running

The answer is the first word a daemon gives: OK, DUP (the first receipt again), or the symbol of the refusal.

Without --now the statuses are those of a world that plays in the manifest's times, after the last lock. With --now all
is sent at that moment: what has not begun is left out, and the statuses are those of the moment. A daemon on a real
clock can be held to them with the forms written to DIR/forms, which never lock, give some kinds of unit a year to
report, and so have reports both on time and late; and with DIR/acts.tsv, what the office grants: act, form, unit,
period, until.
"""
import argparse
import copy
import datetime as dt
import json
import random
import re
import shutil
import sys
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import hn_kpi_monthly  # noqa: E402
import hn_okr_quarterly  # noqa: E402
import nd73_annual  # noqa: E402
import nd73_quarterly  # noqa: E402
import nq57_indicators  # noqa: E402
import nq57_tasks  # noqa: E402
import qd204_quarterly  # noqa: E402
import regime  # noqa: E402

MAKERS = {m.ID: m for m in (nd73_quarterly, nd73_annual, nq57_tasks, nq57_indicators, qd204_quarterly, hn_kpi_monthly,
                            hn_okr_quarterly)}
# Shares of the units that send for a period; the rest report once, rightly.
SHARES = [("silent", 0.04), ("nil", 0.03), ("mended", 0.10), ("wrong", 0.02), ("corrected", 0.06), ("resent", 0.05),
          ("reused", 0.02)]
LATE = 0.10
# Of the forms for a real clock: these kinds have a year to report, the others a few days.
PATIENT = ["department", "ward", "front", "organisation"]
ACTS = 1  # extensions, and exemptions of silent units, a form


def patient_form(text, now):
    """The form with no lock and deadlines by kind, none of them within hours of now: sending takes a while."""
    clock = "17:00" if now.hour < 13 or now.hour > 17 else "09:00"
    text, n = re.subn(r"(?m)^lock:.*$", "lock: {then: accept}", text)
    text, m = re.subn(r"(?m)^deadline:\n(?:  - .*\n)+", f"deadline:\n  - {{kinds: [{', '.join(PATIENT)}], working_days: 250, at: \"{clock}\"}}\n"
                      f'  - {{working_days: 2, at: "{clock}"}}\n', text)
    assert n == m == 1
    return text


class Standing:
    """One obligation and when it was first met."""

    def __init__(self, unit, period, cutoff, due):
        self.unit, self.period, self.cutoff, self.due = unit, period, cutoff, due
        self.met = None
        self.exempt = False

    def state(self, now):
        if self.met is not None:
            return "on_time" if (now or self.met) <= self.due else "late"
        if self.exempt:
            return "exempt"
        return "overdue" if now is None or now > self.due else "pending"


class Maker:
    """A year of one form."""

    def __init__(self, province, form, rng, now=None):
        self.province, self.form, self.rng, self.now = province, form, rng, now
        self.id, self.kind = form["id"], form["period"]["type"]
        self.maker = MAKERS[self.id]
        self.kept = {}      # unit code → what it carries on
        self.sent = []      # (time, tie, file name stem, text, suffix, row)
        self.current = {}   # (unit code, number of the period) → (data or None for nil, unit)
        self.standing = []

    # -- one file

    def report(self, unit, period, data, revision=1, explain=None):
        r = {"form": self.id, "unit": unit["code"], "period": period}
        if revision != 1:
            r["revision"] = revision
        if self.form.get("signed") == "required":
            r["signed"] = {"position": "Chủ tịch", "number": "12/BC-UBND"}
        if explain:
            r["explain"] = explain
        if data is None:
            r["nil"] = True
        else:
            r["data"] = copy.deepcopy(data)
        return r

    def send(self, when, unit, report, answer, why, as_json=False, change_text=None):
        if as_json:
            text, suffix = json.dumps(report, ensure_ascii=False, indent=1) + "\n", "json"
        else:
            text, suffix = yaml.dump(report, Dumper=DUMPER, allow_unicode=True, sort_keys=False, width=110), "yaml"
        if change_text:
            text = change_text(text)
        row = [self.id, unit["code"], report["period"], str(report.get("revision", 1)),
               when.isoformat(sep=" ", timespec="seconds"), answer, why]
        self.sent.append((when, len(self.sent), f"{unit['code']}-{why}", text, suffix, row))

    # -- one unit's period

    def moment(self, start, end):
        """A time of day within start..end, seconds whole, start excluded."""
        return start + dt.timedelta(seconds=self.rng.randint(1, max(1, int((end - start).total_seconds()))))

    def play(self, standing, year, n, fate, is_late):
        rng, unit, period, due = self.rng, standing.unit, standing.period, standing.due
        kept = self.kept[unit["code"]]
        lock = regime.lock(self.form, self.province, due) or due + dt.timedelta(days=10)  # never locked: ten days late
        opened = dt.datetime.combine(standing.cutoff + dt.timedelta(1), dt.time(7))
        start, end = (due, lock - dt.timedelta(hours=12)) if is_late else (opened, min(due, opened + dt.timedelta(9)))
        when = self.moment(start, start + (end - start) * 0.6)
        later = self.moment(when, start + (end - start) * 0.9)
        data = kept.period(rng, year, n)
        explain = self.maker.explanations(data, n, kept)
        right = self.report(unit, period, data, explain=explain)
        counted = data
        if fate == "nil" and self.form["nil"] != "allowed":
            fate = "plain"
        if fate == "silent":
            return
        if fate == "nil":
            self.send(when, unit, self.report(unit, period, None), "OK", "nil")
            self.current[unit["code"], n] = (None, unit)
            standing.met = when
            return
        standing.met = later if fate == "mended" else when
        if fate in ("mended", "wrong"):
            self.send_mistake(when, unit, right, n)
            if fate == "wrong":
                standing.met = None
                return
            self.send(later, unit, right, "OK", "mended", as_json=rng.random() < 0.3)
        else:
            self.send(when, unit, right, "OK", fate, as_json=fate != "resent" and rng.random() < 0.3)
        if fate == "corrected":
            counted = self.maker.corrected(data, rng)
            self.send(later, unit, self.report(unit, period, counted, 2, explain), "OK", "correction")
        elif fate == "resent":
            self.send(later, unit, right, "DUP", "resend", as_json=True)
        elif fate == "reused":
            self.send(later, unit, self.report(unit, period, self.maker.corrected(data, rng), 1, explain), "KEYREUSED", "reused")
        kept.keep(counted)
        self.current[unit["code"], n] = (counted, unit)

    def send_mistake(self, when, unit, right, n):
        name, answer, _, deed, change_text = self.rng.choice([m for m in self.maker.MISTAKES if m[2] <= n])
        wrong = copy.deepcopy(right)
        if deed:
            deed(wrong)
        self.send(when, unit, wrong, answer, name, change_text=change_text)

    # -- a period of all units

    def period(self, year, n, senders=None):
        """Plays one period; only `senders` (codes) send, all when None."""
        first, cutoff = regime.window(self.kind, year, n)
        has_begun = self.now is None or first <= self.now.date()
        owing = [u for u in self.province.at(cutoff) if regime.owes(self.form, u)]
        standings = [Standing(u, regime.label(self.kind, year, n), cutoff,
                              regime.deadline(self.form, self.province, u["kind"], cutoff)) for u in owing]
        self.standing += standings
        order = [u for u in owing if has_begun and (senders is None or u["code"] in senders)]
        for u in order:
            self.kept.setdefault(u["code"], self.maker.Unit(self.rng, u["kind"]))
        self.rng.shuffle(order)
        fates, at = {}, 0
        for fate, share in SHARES:
            count = max(1, round(share * len(order)))
            fates.update({u["code"]: fate for u in order[at:at + count]})
            at += count
        late = {u["code"] for u in self.rng.sample(order, round(LATE * len(order)))}
        sending = {u["code"] for u in order}
        for s in standings:
            if s.unit["code"] in sending:
                self.play(s, year, n, fates.get(s.unit["code"], "plain"), s.unit["code"] in late)
        if order:
            self.strangers(year, n, cutoff)

    def strangers(self, year, n, cutoff):
        """Reports of units that do not owe, and of nobody."""
        others = [u for u in self.province.at(cutoff) if not regime.owes(self.form, u)]
        stranger = {"code": "99999", "kind": "commune"}
        for u in self.rng.sample(others, min(2, len(others))) + [stranger]:
            when = dt.datetime.combine(cutoff + dt.timedelta(1), dt.time(8, self.rng.randint(0, 59)))
            kept = self.maker.Unit(self.rng, "commune")
            data = kept.period(self.rng, year, n)
            report = self.report(u, regime.label(self.kind, year, n), data, explain=self.maker.explanations(data, n, kept))
            self.send(when, u, report, "NOTOWED", "not-owed")

    def acts(self):
        """What the office grants, chosen among those whom it changes: rows of act, form, unit, period, until."""
        rows = []
        late = [s for s in self.standing if s.state(self.now) == "late"]
        silent = [s for s in self.standing if s.met is None]
        met = [s for s in self.standing if s.state(self.now) == "on_time"]
        until = (self.now + dt.timedelta(days=30)).date()
        for s in self.rng.sample(late, min(ACTS, len(late))):
            s.due = regime.at(until, "24:00")
            rows.append(["extend", self.id, s.unit["code"], s.period, until.isoformat()])
        for s in self.rng.sample(silent, min(ACTS, len(silent))) + met[:1]:  # a report that counts goes before exemption
            s.exempt = True
            rows.append(["exempt", self.id, s.unit["code"], s.period, ""])
        return rows

    # -- what must come of it

    def unit_figures(self, data, kind):
        """A nil report gives 0 to flows that the unit's kind has, and nothing to the others."""
        if data is not None:
            return {c: None if x is None else Fraction(str(x)) for c, x in self.maker.figures(data).items()}
        return {i["code"]: Fraction(0) if i.get("over_time", "sum") == "sum" and kind in self.maker.ONLY.get(i["code"], {kind})
                else None for i in self.form["indicators"] if "ratio" not in i}

    def over_time(self, indicator):
        if "ratio" not in indicator:
            return indicator.get("over_time", "sum")
        by_code = {i["code"]: i for i in self.form["indicators"]}
        of, to = (by_code[indicator["ratio"][k]].get("over_time", "sum") for k in ("of", "to"))
        return of if of == to else "none"

    def rollups(self, year):
        cells = defaultdict(lambda: [0, 0, 0])  # (number, scope, code) → [of, to, reports]
        owed = Counter()                        # (number, scope)
        numbers = {}
        for s in self.standing:
            numbers[s.period] = numbers.get(s.period, len(numbers) + 1)
            for scope in self.province.scopes(s.unit, s.cutoff):
                owed[numbers[s.period], scope] += 1
        for (_, n), (data, unit) in self.current.items():
            figures = self.unit_figures(data, unit["kind"])
            scopes = self.province.scopes(unit, regime.window(self.kind, year, n)[1])
            for i in self.form["indicators"]:
                of, to = (figures[i["ratio"]["of"]], figures[i["ratio"]["to"]]) if "ratio" in i else (figures[i["code"]], 0)
                if of is not None and to is not None:
                    for scope in scopes:
                        cell = cells[n, scope, i["code"]]
                        cell[:] = cell[0] + of, cell[1] + to, cell[2] + 1
        out = []
        for span, parts in regime.spans(self.kind, year).items():
            for scope in sorted({scope for n, scope in owed if n in parts}):
                out += [self.cell(cells, owed, (span, parts), scope, i) for i in self.form["indicators"]]
        return out

    def cell(self, cells, owed, span, scope, indicator):
        over, code = self.over_time(indicator), indicator["code"]
        label, parts = span[0], [n for n in span[1] if (n, scope) in owed]
        found = [n for n in parts if (n, scope, code) in cells]
        used = found if over == "sum" else found[-1:] if over == "last" or len(parts) == 1 else []
        of, to, count = (sum(cells[n, scope, code][k] for n in used) for k in range(3))
        row = {"form": self.id, "period": label, "scope": scope, "indicator": code, "n": count,
               "owed": sum(owed[n, scope] for n in (used if used and over != "sum" else parts)),
               "of_period": regime.label(self.kind, int(label[:4]), used[0]) if used and over != "sum" else None}
        if "ratio" in indicator:
            value = of * (100 if indicator["ratio"].get("percent") else 1) / to if used and to else None
            return dict(row, value=decimal(value, 6), of=decimal(of) if used else None, to=decimal(to) if used else None)
        return dict(row, value=decimal(of) if used and indicator.get("over_units", "sum") == "sum" else None)

    def status(self):
        counts = defaultdict(lambda: dict.fromkeys(("owed", "on_time", "late", "overdue", "pending", "exempt"), 0))
        for s in self.standing:
            for scope in self.province.scopes(s.unit, s.cutoff):
                counts[s.period, scope]["owed"] += 1
                counts[s.period, scope][s.state(self.now)] += 1
        return [dict(form=self.id, period=p, scope=s, **c) for (p, s), c in sorted(counts.items())]


DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def decimal(x, places=None):
    """Plain digits, rounded half away from zero to `places` where a quotient needs it."""
    if x is None:
        return None
    x = Fraction(x)
    if places is not None:
        scaled = abs(x) * 10 ** places
        whole = scaled.numerator // scaled.denominator + (2 * (scaled.numerator % scaled.denominator) >= scaled.denominator)
        x = Fraction(whole if x >= 0 else -whole, 10 ** places)
    places = 0
    while (x * 10 ** places).denominator != 1:
        places += 1
    digits = str(abs(int(x * 10 ** places))).rjust(places + 1, "0")
    return ("-" if x < 0 else "") + (digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}")


def contradictions(makers, year):
    """Figures that two forms ask for (same_as) and that one unit reported differently for one window, or for a year and
    for all of its quarters."""
    by_id = {m.id: m for m in makers}
    out = []
    for m in makers:
        for i in m.form["indicators"]:
            form, _, code = i.get("same_as", "/").partition("/")
            other = by_id.get(form)
            if other is not None and regime.MONTHS[other.kind] < regime.MONTHS[m.kind]:
                out += broken_running(m, i, other, code, year)
            if other is None or other.kind != m.kind:
                continue
            for (unit, n), (data, at) in sorted(m.current.items()):
                if (unit, n) not in other.current:
                    continue
                there = other.current[unit, n]
                a = m.unit_figures(data, at["kind"])[i["code"]]
                b = other.unit_figures(there[0], at["kind"])[code]
                if a is not None and b is not None and a != b:
                    out.append({"kind": "contradiction", "form": m.id, "period": regime.label(m.kind, year, n), "unit": unit, "indicator": i["code"],
                                "value": decimal(a), "expected": decimal(b)})
    return out


def broken_running(m, indicator, other, code, year):
    """Flows of a long period that are not what all its shorter reports add up to."""
    out = []
    parts = {n: regime.spans(other.kind, year)[regime.label(m.kind, year, n)] for n in
             range(1, 12 // regime.MONTHS[m.kind] + 1)}
    for (unit, n), (data, at) in sorted(m.current.items()):
        value = m.unit_figures(data, at["kind"])[indicator["code"]]
        shorter = [other.current.get((unit, k)) for k in parts[n]]
        figures = [other.unit_figures(s[0], at["kind"])[code] if s else None for s in shorter]
        if value is not None and None not in figures and sum(figures) != value:
            out.append({"kind": "running", "form": m.id, "period": regime.label(m.kind, year, n), "unit": unit,
                        "indicator": indicator["code"], "value": decimal(value), "expected": decimal(sum(figures))})
    return out


def write_list(path, rows):
    lines = ",\n".join(json.dumps(x, ensure_ascii=False) for x in rows)
    path.write_text(f"[{lines}]\n", encoding="utf-8")


def write(out, makers, year, acts):
    reports = out / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    rows = [["file", "form", "unit", "period", "revision", "sent", "answer", "why"]]
    sent = [(when, m, tie, *rest) for m, maker in enumerate(makers) for when, tie, *rest in maker.sent]
    for i, (_, _, _, stem, text, suffix, row) in enumerate(sorted(sent, key=lambda s: s[:3]), 1):
        name = f"{i:05}-{stem}.{suffix}"
        (reports / name).write_text(text, encoding="utf-8")
        rows.append([name] + row)
    (out / "manifest.tsv").write_text("".join("\t".join(r) + "\n" for r in rows), encoding="utf-8")
    (out / "acts.tsv").write_text("".join("\t".join(r) + "\n" for r in [["act", "form", "unit", "period", "until"]] + acts),
                                  encoding="utf-8")
    write_list(out / "rollups.json", (row for m in makers for row in m.rollups(year)))
    write_list(out / "status.json", (row for m in makers for row in m.status()))
    write_list(out / "contradictions.json", contradictions(makers, year))
    why = Counter(r[-1] for r in rows[1:])
    print(f"{len(rows) - 1} files, {sum(len(m.current) for m in makers)} counted reports, "
          f"{sum(len(m.standing) for m in makers)} obligations")
    print("; ".join(f"{name} {n}" for name, n in sorted(why.items())))


def forms_of(folder, names, out, now):
    """The forms to play, by id; with a clock their patient copies, written beside the reports for the daemon."""
    files = {p.name.split(".v")[0]: p for p in sorted(Path(folder).glob("*/*.v1.yaml"))}
    forms = []
    for name in names:
        text = files[name].read_text(encoding="utf-8")
        if now is not None:
            text = patient_form(text, now)
            (out / "forms").mkdir(parents=True, exist_ok=True)
            (out / "forms" / files[name].name).write_text(text, encoding="utf-8")
        forms.append(yaml.load(text, regime.Loader))
    if now is not None:
        shutil.copy(Path(folder) / "common.yaml", out / "forms")
    return forms


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--province", required=True, help="a province folder; of the whole country: see deploy/make-units")
    parser.add_argument("--forms", default="nd73-quarterly", help="ids with commas between, or all")
    parser.add_argument("--year", type=int, default=2026)
    parser.add_argument("--units", type=int, help="only so many units send; the others keep silent")
    parser.add_argument("--periods", type=int, help="only the first so many periods of each form are sent; the others keep silent")
    parser.add_argument("--now", type=dt.datetime.fromisoformat, help="local time; all is sent at this moment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, type=Path)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    province = regime.Province(a.province)
    names = list(MAKERS) if a.forms == "all" else a.forms.split(",")
    makers, acts = [], []
    order = province.at(dt.date(a.year, 12, 14))  # of sending units: the same ones for all forms, so that their reports can be compared
    random.Random(a.seed).shuffle(order)
    for form in forms_of(Path(__file__).resolve().parents[2] / "schemas", names, a.out, a.now):
        rng = random.Random(f"{a.seed} {form['id']}")  # a form's reports do not hang on which others are made
        maker = Maker(province, form, rng, a.now)
        owing = [u["code"] for u in order if regime.owes(form, u)]
        senders = None if a.units is None else set(owing[:a.units])
        for n in range(1, 12 // regime.MONTHS[maker.kind] + 1):
            maker.period(a.year, n, senders if a.periods is None or n <= a.periods else set())
        if a.now is not None:
            acts += maker.acts()
        makers.append(maker)
    write(a.out, makers, a.year, acts)


if __name__ == "__main__":
    main()
