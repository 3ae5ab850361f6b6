#!/usr/bin/env python3
"""Cases for lib/form/across and lib/form/pace with what must come of them, computed here with Python's fractions
and dates, apart from the C code.

  tests/data/across_cases.py > tests/data/across_cases.tsv

One case a line, fields between tabs, "-" for nothing:
  span     over kind cells    value of_part reported owed n_reported     cells: reported/owed/of/to …
  running  figures            totals                                     figures: [*]figure …, * begins a year
  change   now before         by percent
  elapsed  starts year day    days of
  pace     over kind direction value target days of    expected pace
"""
import datetime as dt
import random
from fractions import Fraction

SEED = 57


def rounded(x, places):
    """Half away from zero."""
    scaled = abs(x) * 10 ** places
    whole = scaled.numerator // scaled.denominator
    if 2 * (scaled - whole) >= 1:
        whole += 1
    return Fraction(whole if x >= 0 else -whole, 10 ** places)


def text(x):
    """Plain decimal digits, no trailing zeros."""
    if x is None:
        return "-"
    x = Fraction(x)
    places = 0
    while (x * 10 ** places).denominator != 1:
        places += 1
    digits = str(abs(int(x * 10 ** places))).rjust(places + 1, "0")
    body = digits if places == 0 else digits[:-places] + "." + digits[-places:]
    return ("-" if x < 0 else "") + body


def value_of(kind, of, to):
    if kind == "plain":
        return of
    return rounded(of * (100 if kind == "percent" else 1) / to, 6) if to else None


def span(over, kind, cells):
    """(value, of_part, reported, owed, n_reported)"""
    have = [i for i, c in enumerate(cells) if c[0]]
    owed = sum(c[1] for c in cells)
    if over == "sum":
        used = have
    elif have and (over == "last" or len(cells) == 1):
        used = [have[-1]]
        owed = cells[have[-1]][1]
    else:
        used = []
    if not used:
        return None, 0, 0, owed, len(have)
    value = value_of(kind, sum(cells[i][2] for i in used), sum(cells[i][3] for i in used))
    return value, used[0] if over != "sum" else 0, sum(cells[i][0] for i in used), owed, len(have)


def running(figures):
    total, out = None, []
    for begins, figure in figures:
        if begins:
            total = figure
        else:
            total = None if total is None or figure is None else total + figure
        out.append(total)
    return out


def change(now, before):
    if now is None or before is None:
        return None, None
    return now - before, rounded((now - before) * 100 / abs(before), 2) if before else None


def elapsed(starts, year, day):
    first = dt.date(year, 1, 1) if starts == 1 else dt.date(year - 1, 12, starts)
    last = dt.date(year, 12, 31) if starts == 1 else dt.date(year, 12, starts - 1)
    of = (last - first).days + 1
    return min(max((day - first).days + 1, 0), of), of


def pace(over, kind, direction, value, target, days, of):
    if target is None:
        return None, None
    is_rate = kind != "plain" and over == "sum"
    expected = target if is_rate else rounded(target * Fraction(days, of), 6)
    if value is None or direction == 0:
        return expected, None
    if direction > 0 and not is_rate and days < of and value >= target:
        return expected, "ahead"
    lead = value - expected if direction > 0 else expected - value
    size = abs(expected)
    if lead > 0 and lead >= size * Fraction(5, 100):
        return expected, "ahead"
    if lead >= -size * Fraction(5, 100):
        return expected, "on-track"
    return expected, "at-risk" if lead >= -size * Fraction(20, 100) else "behind"


def some_number(rng):
    shape = rng.random()
    if shape < 0.1:
        return Fraction(0)
    if shape < 0.2:
        return Fraction(rng.choice([-1, 1]) * rng.randint(2 ** 61, 2 ** 63 - 1))
    return Fraction(rng.randint(-50, 100000), 10 ** rng.choice([0, 0, 1, 2, 6]))


def main():
    rng = random.Random(SEED)
    print("# made by tests/data/across_cases.py")
    for _ in range(400):
        over, kind = rng.choice(["sum", "last", "none"]), rng.choice(["plain", "ratio", "percent"])
        cells = []
        for _ in range(rng.choice([1, 2, 3, 4, 12])):
            owed = rng.randint(0, 126)
            reported = rng.choice([0, rng.randint(0, owed)])
            cells.append((reported, owed, some_number(rng), some_number(rng)))
        value, part, *rest = span(over, kind, cells)
        print("span", over, kind, " ".join("/".join([str(c[0]), str(c[1]), text(c[2]), text(c[3])]) for c in cells),
              text(value), part, *rest, sep="\t")
    for _ in range(60):
        figures = [(i % 4 == 0, None if rng.random() < 0.1 else some_number(rng)) for i in range(rng.randint(1, 9))]
        print("running", " ".join("*" * b + text(f) for b, f in figures), " ".join(text(t) for t in running(figures)), sep="\t")
    for _ in range(150):
        now, before = (None if rng.random() < 0.1 else some_number(rng) for _ in range(2))
        print("change", text(now), text(before), *map(text, change(now, before)), sep="\t")
    for _ in range(100):
        starts, year = rng.choice([1, 15, 15, 21]), rng.randint(2019, 2040)
        day = dt.date(year, 1, 1) + dt.timedelta(rng.randint(-40, 380))
        print("elapsed", starts, year, day.isoformat(), *elapsed(starts, year, day), sep="\t")
    for _ in range(400):
        over, kind = rng.choice(["sum", "last"]), rng.choice(["plain", "percent"])
        direction, of = rng.choice([-1, 1, 1, 1, 0]), rng.choice([365, 366])
        days = rng.choice([0, 90, 182, 273, of, rng.randint(0, of)])
        target = None if rng.random() < 0.05 else Fraction(rng.randint(0, 2000), rng.choice([1, 10]))
        if target is None or rng.random() < 0.05:
            value = None if rng.random() < 0.5 else Fraction(rng.randint(0, 999))
        else:  # about what is expected, and often exactly on a threshold
            near = target if kind == "percent" and over == "sum" else rounded(target * Fraction(days, of), 6)
            value = rounded(near * Fraction(rng.choice([0, 790, 800, 801, 949, 950, 1000, 1049, 1050, 1200, 1201, 1500]), 1000), 9)
        print("pace", over, kind, direction, text(value), text(target), days, of,
              *(x if isinstance(x, str) else text(x) for x in pace(over, kind, direction, value, target, days, of)), sep="\t")


if __name__ == "__main__":
    main()
