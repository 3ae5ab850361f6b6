#!/usr/bin/env python3
"""Make a year of plausible reports for a province, with mistakes, lateness, corrections and resends in known numbers,
and the rollups and statuses they must give, computed here without the daemon's code.

  tests/data/make_reports.py --province schemas/provinces/66-dak-lak --seed 7 --out DIR

writes to DIR
  reports/NNNN-….yaml|json   the files, numbered in the order in which they are sent
  manifest.tsv               file, unit, period, revision, sent (local time), answer, why
  rollups.json               [{form, period, scope, indicator, value | of + to, n}] for periods, halves and the year
  status.json                [{form, period, scope, owed, on_time, late, overdue, pending, exempt}] after the last lock

The answer is the first word a daemon gives: OK, DUP (the first receipt again), or the symbol of the refusal.
"""
import argparse
import copy
import datetime as dt
import json
import random
import sys
from collections import defaultdict
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import nd73_quarterly  # noqa: E402
import regime  # noqa: E402

FORMS = {nd73_quarterly.ID: nd73_quarterly}
# Shares of the units that owe a period; the rest report once, rightly.
SHARES = [("silent", 0.04), ("nil", 0.03), ("mended", 0.10), ("wrong", 0.02), ("corrected", 0.06), ("resent", 0.05),
          ("reused", 0.02)]
LATE = 0.10


class Maker:
    def __init__(self, province, form_file, rng):
        self.province, self.rng = province, rng
        self.form = regime.load(form_file)
        self.maker = FORMS[self.form["id"]]
        self.kept = {}      # unit code → what it carries on
        self.sent = []      # (time, tie, file name stem, text, suffix, row)
        self.current = {}   # (unit code, period) → (data or None for nil, unit)
        self.standing = []  # (unit, period, cutoff, state)

    # -- one file

    def report(self, unit, period, data, revision=1, explain=None):
        r = {"form": self.form["id"], "unit": unit["code"], "period": period}
        if revision != 1:
            r["revision"] = revision
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
            text, suffix = yaml.safe_dump(report, allow_unicode=True, sort_keys=False, width=110), "yaml"
        if change_text:
            text = change_text(text)
        row = [unit["code"], report["period"], str(report.get("revision", 1)), when.isoformat(sep=" ", timespec="seconds"),
               answer, why]
        self.sent.append((when, len(self.sent), f"{unit['code']}-{why}", text, suffix, row))

    # -- one unit's quarter

    def moment(self, start, end):
        """A time of day within start..end, seconds whole, start excluded."""
        return start + dt.timedelta(seconds=self.rng.randint(1, int((end - start).total_seconds())))

    def play(self, unit, year, n, fate, is_late):
        rng, kept = self.rng, self.kept[unit["code"]]
        _, cutoff = regime.window("quarter", year, n)
        period = regime.label("quarter", year, n)
        due = regime.deadline(self.form, self.province, unit["kind"], cutoff)
        lock = regime.lock(self.form, self.province, due) or due + dt.timedelta(days=10)  # never locked: ten days late
        opened = dt.datetime.combine(cutoff + dt.timedelta(1), dt.time(7))
        start, end = (due, lock - dt.timedelta(hours=12)) if is_late else (opened, due)
        when = self.moment(start, start + (end - start) * 0.6)
        later = self.moment(when, start + (end - start) * 0.9)
        data = kept.quarter(rng, year, n, slow=n >= 3 and rng.random() < 0.1)
        explain = self.maker.explanations(data, n)
        right = self.report(unit, period, data, explain=explain)
        counted, answered = data, when
        if fate == "silent":
            counted = None
        elif fate == "nil":
            self.send(when, unit, self.report(unit, period, None), "OK", "nil")
            self.current[unit["code"], period] = (None, unit)
            self.standing.append((unit, period, cutoff, "on_time" if when <= due else "late"))
            return
        elif fate in ("mended", "wrong"):
            self.send_mistake(when, unit, right, n)
            answered = later
            if fate == "mended":
                self.send(later, unit, right, "OK", "mended", as_json=rng.random() < 0.3)
            else:
                counted = None
        else:
            self.send(when, unit, right, "OK", fate, as_json=fate != "resent" and rng.random() < 0.3)
        if fate == "corrected":
            counted = self.maker.corrected(data, rng)
            self.send(later, unit, self.report(unit, period, counted, 2, explain), "OK", "correction")
        elif fate == "resent":
            self.send(later, unit, right, "DUP", "resend", as_json=True)
        elif fate == "reused":
            self.send(later, unit, self.report(unit, period, self.maker.corrected(data, rng), 1, explain), "KEYREUSED", "reused")
        if counted is None:
            self.standing.append((unit, period, cutoff, "overdue"))
            return
        kept.keep(counted)
        self.current[unit["code"], period] = (counted, unit)
        self.standing.append((unit, period, cutoff, "on_time" if answered <= due else "late"))

    def send_mistake(self, when, unit, right, n):
        name, answer, _, deed, change_text = self.rng.choice([m for m in self.maker.MISTAKES if m[2] <= n])
        wrong = copy.deepcopy(right)
        if deed:
            deed(wrong)
        self.send(when, unit, wrong, answer, name, change_text=change_text)

    # -- a period of the whole province

    def quarter(self, year, n):
        _, cutoff = regime.window("quarter", year, n)
        owing = [u for u in self.province.at(cutoff) if regime.owes(self.form, u)]
        for u in owing:
            self.kept.setdefault(u["code"], self.maker.Unit(self.rng, u["kind"]))
        order = owing[:]
        self.rng.shuffle(order)
        fates, at = {}, 0
        for fate, share in SHARES:
            count = max(1, round(share * len(order)))
            fates.update({u["code"]: fate for u in order[at:at + count]})
            at += count
        late = {u["code"] for u in self.rng.sample(order, round(LATE * len(order)))}
        for u in owing:
            self.play(u, year, n, fates.get(u["code"], "plain"), u["code"] in late)
        others = [u for u in self.province.at(cutoff) if not regime.owes(self.form, u)]
        stranger = {"code": "99999", "kind": "commune"}
        for u in self.rng.sample(others, min(2, len(others))) + [stranger]:
            when = dt.datetime.combine(cutoff + dt.timedelta(1), dt.time(8, self.rng.randint(0, 59)))
            data = self.maker.Unit(self.rng, "commune").quarter(self.rng, year, n)
            report = self.report(u, regime.label("quarter", year, n), data, explain=self.maker.explanations(data, n))
            self.send(when, u, report, "NOTOWED", "not-owed")

    # -- what must come of it

    def unit_figures(self, data, kind):
        """A nil report gives 0 to flows that the unit's kind has, and nothing to the others."""
        if data is not None:
            return self.maker.figures(data)
        return {i["code"]: 0 if i["over_time"] == "sum" and kind in self.maker.ONLY.get(i["code"], {kind}) else None
                for i in self.form["indicators"] if "ratio" not in i}

    def rollups(self, year):
        cells = defaultdict(lambda: [0, 0])   # (period, scope, code) → [sum, reports]
        pairs = defaultdict(lambda: [0, 0, 0])  # → [of, to, reports]
        periods = [regime.label("quarter", year, n) for n in range(1, 5)]
        for (_, period), (data, unit) in self.current.items():
            _, cutoff = regime.window("quarter", year, periods.index(period) + 1)
            figures = self.unit_figures(data, unit["kind"])
            for scope in self.province.scopes(unit, cutoff):
                for i in self.form["indicators"]:
                    if "ratio" in i:
                        of, to = figures[i["ratio"]["of"]], figures[i["ratio"]["to"]]
                        if of is not None and to is not None:
                            add(pairs[period, scope, i["code"]], of, to, 1)
                    elif figures[i["code"]] is not None and i["over_units"] == "sum":
                        add(cells[period, scope, i["code"]], figures[i["code"]], 1)
        spans = {p: [p] for p in periods}
        spans.update({f"{year}-H1": periods[:2], f"{year}-H2": periods[2:], f"{year}": periods})
        scopes = sorted({scope for _, scope, _ in cells} | {scope for _, scope, _ in pairs})
        out = []
        for span, parts in spans.items():
            for scope in scopes:
                for i in self.form["indicators"]:
                    out += self.cell(cells, pairs, span, parts, scope, i)
        return out

    def cell(self, cells, pairs, span, parts, scope, indicator):
        key = {"form": self.form["id"], "period": span, "scope": scope, "indicator": indicator["code"]}
        if "ratio" in indicator:
            if len(parts) != 1:
                return []  # the store's matter: a ratio over time is made of its own two sums
            of, to, n = pairs.get((span, scope, indicator["code"]), (0, 0, 0))
            return [dict(key, of=of, to=to, n=n)]
        found = [(p, cells[p, scope, indicator["code"]]) for p in parts if (p, scope, indicator["code"]) in cells]
        if not found:
            return [dict(key, value=None, n=0)]
        if indicator["over_time"] == "sum":
            return [dict(key, value=sum(c[0] for _, c in found), n=sum(c[1] for _, c in found))]
        period, (value, n) = found[-1]
        return [dict(key, value=value, n=n, **({"of_period": period} if len(parts) > 1 else {}))]

    def status(self):
        counts = defaultdict(lambda: dict.fromkeys(("owed", "on_time", "late", "overdue", "pending", "exempt"), 0))
        for unit, period, cutoff, state in self.standing:
            for scope in self.province.scopes(unit, cutoff):
                counts[period, scope]["owed"] += 1
                counts[period, scope][state] += 1
        return [dict(form=self.form["id"], period=p, scope=s, **c) for (p, s), c in sorted(counts.items())]


def add(cell, *values):
    for i, v in enumerate(values):
        cell[i] += v


def write(out, maker, year):
    reports = out / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    rows = [["file", "unit", "period", "revision", "sent", "answer", "why"]]
    for i, (_, _, stem, text, suffix, row) in enumerate(sorted(maker.sent, key=lambda s: s[:2]), 1):
        name = f"{i:04}-{stem}.{suffix}"
        (reports / name).write_text(text, encoding="utf-8")
        rows.append([name] + row)
    (out / "manifest.tsv").write_text("".join("\t".join(r) + "\n" for r in rows), encoding="utf-8")
    for name, what in (("rollups", maker.rollups(year)), ("status", maker.status())):
        lines = ",\n".join(json.dumps(x, ensure_ascii=False) for x in what)
        (out / f"{name}.json").write_text(f"[{lines}]\n", encoding="utf-8")
    print(f"{len(rows) - 1} files, {len(maker.current)} counted reports, {len(maker.standing)} obligations")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--province", required=True, help="a province folder")
    parser.add_argument("--form", help="the form's file (default: nd73-quarterly of this tree)")
    parser.add_argument("--year", type=int, default=2026)
    parser.add_argument("--quarters", default="1,2,3,4", help="which ones, in order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, type=Path)
    a = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    form = a.form or root / "schemas/nd73/nd73-quarterly.v1.yaml"
    maker = Maker(regime.Province(a.province), form, random.Random(a.seed))
    for n in map(int, a.quarters.split(",")):
        maker.quarter(a.year, n)
    write(a.out, maker, a.year)


if __name__ == "__main__":
    main()
