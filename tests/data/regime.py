"""The reporting regime in Python, written apart from the C code so that each can judge the other: units, holidays,
periods of Decree 09, deadlines and locks. Used by the generator of reports."""
import datetime as dt
import re
from pathlib import Path

import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2 as the project reads it: dates are text."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.load(f, Loader)


def day(text):
    return dt.date.fromisoformat(text)


class Province:
    """A province folder. Scopes are those of forms.md section 8."""

    def __init__(self, folder):
        folder = Path(folder)
        units = load(folder / "units.yaml")
        holidays = load(folder / "holidays.yaml")
        self.code = units["province"]["code"]
        self.units = units["units"]
        self.trees = units.get("trees", [])
        self.off = {d for h in holidays["holidays"] for d in days(day(h["from"]), day(h.get("to") or h["from"]))}
        self.working = {day(d) for d in holidays.get("working", [])}
        self.heads = {(tree, code) for u in self.units for tree, code in u.get("parents", {}).items()}
        self.known = {}  # day → {code: unit}
        self.found = {}  # (code, day) → scopes

    def entries(self, when):
        if when not in self.known:
            self.known[when] = {u["code"]: u for u in self.units
                                if day(u["from"]) <= when and (not u.get("to") or when <= day(u["to"]))}
        return self.known[when]

    def at(self, when):
        """The units that exist on a day."""
        return list(self.entries(when).values())

    def scopes(self, unit, when):
        """Ids of the scopes that hold a unit on a day."""
        if (unit["code"], when) not in self.found:
            self.found[unit["code"], when] = self.look_up(unit, self.entries(when))
        return self.found[unit["code"], when]

    def look_up(self, unit, entries):
        found = {self.code, "kind:" + unit["kind"]} | {"group:" + g for g in unit.get("groups", [])}
        for tree in self.trees:
            code = unit["code"]
            while code is not None:
                if (tree, code) in self.heads:
                    found.add(f"{tree}:{code}")
                code = entries[code].get("parents", {}).get(tree) if code in entries else None
        return found

    def is_working(self, d):
        return d in self.working or (d.weekday() < 5 and d not in self.off)

    def working_days_after(self, d, n):
        while n > 0:
            d += dt.timedelta(1)
            n -= self.is_working(d)
        return d


def days(first, last):
    return [first + dt.timedelta(i) for i in range((last - first).days + 1)]


MONTHS = {"year": 12, "nine": 9, "half": 6, "quarter": 3, "month": 1}


def label(kind, year, n):
    return {"year": f"{year}", "nine": f"{year}-9M", "half": f"{year}-H{n}", "quarter": f"{year}-Q{n}",
            "month": f"{year}-{n:02}"}[kind]


def spans(kind, year):
    """{label: numbers of the periods of that kind which tile it} of every span that a year of them has."""
    size = MONTHS[kind]
    return {label(span, year, n + 1): list(range(n * months // size + 1, (n + 1) * months // size + 1))
            for span, months in MONTHS.items() if months % size == 0
            for n in range(1 if span == "nine" else 12 // months)}


def window(kind, year, n, starts=15):
    """First and last day of a period of months that begins on day `starts` of the month before."""
    last_month = n * MONTHS[kind]
    first_month = last_month - MONTHS[kind]  # the month before the period's first
    first = dt.date(year - 1, 12, starts) if first_month == 0 else dt.date(year, first_month, starts)
    return first, dt.date(year, last_month, starts - 1)


def deadline(form, province, kind, cutoff):
    """Due time of a unit's kind, as a naive local time; 24:00 is the next day's midnight."""
    rows = form["deadline"] if isinstance(form["deadline"], list) else [form["deadline"]]
    row = next(r for r in rows if "kinds" not in r or kind in r["kinds"])
    if "working_days" in row:
        d = province.working_days_after(cutoff, row["working_days"])
    else:
        month = cutoff.replace(day=1)
        if row["month"] == "next":
            month = (month + dt.timedelta(32)).replace(day=1)
        d = month + dt.timedelta(row["day"] - 1)
        step = {"next": 1, "previous": -1}.get(row.get("roll", "next"), 0)
        while step and not province.is_working(d):
            d += dt.timedelta(step)
    return at(d, row.get("at", "24:00"))


def at(d, clock):
    hours, minutes = map(int, re.fullmatch(r"(\d\d):(\d\d)", clock).groups())
    return dt.datetime.combine(d, dt.time()) + dt.timedelta(hours=hours, minutes=minutes)


def lock(form, province, due):
    """When the period locks; None: never."""
    rule = form.get("lock")
    if not rule or rule["then"] == "accept":
        return None
    d = (due - dt.timedelta(microseconds=1)).date()
    d = province.working_days_after(d, rule["working_days"]) if "working_days" in rule else d + dt.timedelta(rule["days"])
    return at(d, "24:00")


def owes(form, unit):
    reporters = form.get("reporters", {})
    return (unit["kind"] in reporters.get("kinds", [unit["kind"]])
            and (not reporters.get("groups") or set(reporters["groups"]) & set(unit.get("groups", [])))
            and unit["code"] in reporters.get("only", [unit["code"]])
            and unit["code"] not in reporters.get("except", []))
