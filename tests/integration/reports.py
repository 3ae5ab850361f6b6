"""Reports in any number, and the truth about them: what a store must hold after they were sent."""
import os
import random
import time

from brp import Client, Ended
from conftest import PROVINCE, SOURCE

FORM, PERIOD = "nd73-quarterly", "2026-Q3"
SAMPLES = os.path.join(SOURCE, "schemas", "samples")


def communes():
    """Codes of the province's communes and wards of today."""
    units = []
    with open(os.path.join(SOURCE, "schemas", "provinces", PROVINCE, "units.yaml"), encoding="utf-8") as f:
        for line in f:
            if ("kind: ward" in line or "kind: commune" in line) and " to: " not in line:
                units.append(line.split('code: "', 1)[1].split('"', 1)[0])
    return units


with open(os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml"), encoding="utf-8") as sample:
    MODEL = sample.read()


def report(unit, revision, press):
    """A valid report; press is its figure diss.press."""
    text = MODEL.replace('unit: "24133"', f'unit: "{unit}"\nrevision: {revision}')
    return text.replace("bao_chi: 4", f"bao_chi: {press}")


def many(n, seed):
    """n reports {(unit, revision): (press, document)}, as even as can be over the communes."""
    dice = random.Random(seed)
    units = communes()
    made = {}
    for i in range(n):
        press = dice.randrange(1000)
        unit, revision = units[i % len(units)], 1 + i // len(units)
        made[unit, revision] = press, report(unit, revision, press)
    return made


def send_until_committed(daemon, reports, seconds=240, keep=None, unanswered=None):
    """Sends all, again and again, until each has been answered committed or superseded. keep: collects the first
    committed receipt of each key, and every later answer must name the same. unanswered: collects the keys that had
    been committed although nobody was told, seen by dup=1 in the first answer."""
    keep, queued = {} if keep is None else keep, {}
    waiting = dict(reports)
    end = time.monotonic() + seconds
    while waiting:
        assert time.monotonic() < end, f"{len(waiting)} of {len(reports)} not committed; one of them {next(iter(waiting))}"
        try:
            with Client(daemon.reports_port) as client:
                keys = list(waiting)[:500]
                for key, answer in zip(keys, client.submit_all([waiting[k][1] for k in keys])):
                    if answer.verb == "OK" and answer.state == "queued":
                        queued.setdefault(key, set()).add(answer.receipt)
                    elif answer.verb == "OK":
                        # Another id than the queued one only where a commit had taken place that nobody was told of.
                        assert key not in queued or answer.receipt in queued[key] or answer.dup == "1", (key, answer)
                        if unanswered is not None and key not in keep and answer.dup == "1":
                            unanswered.append(key)
                        assert keep.setdefault(key, answer.receipt) == answer.receipt, (key, answer)
                        del waiting[key]
                    else:
                        assert answer.verb == "WAIT", (key, answer)
        except (Ended, OSError):
            pass
        if waiting:
            time.sleep(0.1)
    return keep


def check_exact(sql, reports=None):
    """Every rollup is the sum of its counted reports; nothing is doubled; every obligation counts its highest revision.
    With `reports`: the store holds exactly these keys and the figures that were sent."""
    stored = sql("SELECT u.code, r.revision, r.state, r.figures, r.unit, r.form, r.period, o.cutoff, o.revision"
                 "  FROM baocao.report r JOIN baocao.obligation o USING (unit, form, period)"
                 "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u ON u.unit = r.unit")
    keys = [(row[0], row[5], row[6], row[1]) for row in stored]
    assert len(keys) == len(set(keys)), "a revision stands twice"
    highest = {}
    for code, revision, _, _, _, form, period, *_ in stored:
        highest[code, form, period] = max(revision, highest.get((code, form, period), 0))
    counted = [row for row in stored if row[2] == 1]
    assert sorted((r[0], r[5], r[6], r[1]) for r in counted) == sorted((*k, v) for k, v in highest.items())
    assert all(row[8] == highest[row[0], row[5], row[6]] for row in stored), "an obligation counts another revision"
    members = {}
    for scope, unit, first, last in sql("SELECT scope, unit, from_day::text, to_day::text FROM baocao.scope_unit"
                                        " WHERE seq_to = 9223372036854775807"):
        members.setdefault(unit, []).append((scope, first, last))
    never = {(form, slot) for form, slot in sql("SELECT form, slot FROM baocao.indicator WHERE over_units = 'none'")}
    want = {}
    for _, _, _, figures, unit, form, period, cutoff, _ in counted:
        for scope in {s for s, first, last in members.get(unit, []) if first <= str(cutoff) <= last}:
            row = want.setdefault((scope, form, period), [0, {}, {}])
            row[0] += 1
            for slot, value in enumerate(figures, 1):
                if value is not None:
                    row[1][slot] = row[1].get(slot, 0) + 1
                    row[2][slot] = row[2].get(slot, 0) + (0 if (form, slot) in never else value)
    have = {}
    for scope, form, period, n, counts, sums in sql("SELECT scope, form, period, reported, counts, sums FROM baocao.rollup"):
        have[scope, form, period] = [n, {i: v for i, v in enumerate(counts, 1) if v},
                                     {i: v for i, v in enumerate(sums, 1) if counts[i - 1]}]
    assert {k: v for k, v in have.items() if v[0]} == want
    unproved = sql("SELECT count(*) FROM baocao.report r LEFT JOIN baocao.receipt c ON c.id = r.receipt WHERE c.id IS NULL")
    assert unproved[0][0] == 0, "a stored report's receipt leads nowhere"
    # One report may have another receipt beside its own only where a copy of it was answered `queued` and drained after it
    # (both resolve): the unit is told what became of that very receipt.
    strange = sql("SELECT c.id FROM baocao.receipt c LEFT JOIN baocao.report r ON r.receipt = c.id"
                  "  LEFT JOIN baocao.outcome o ON o.receipt = c.id AND o.kind = 'done' AND o.state IN ('committed', 'superseded')"
                  "   AND (o.unit, o.form, o.period, o.revision) = (c.unit, c.form, c.period, c.revision)"
                  " WHERE r.receipt IS NULL AND o.receipt IS NULL")
    assert strange == [], "second receipts that nobody had been given"
    receipts = sql("SELECT u.code, c.form, c.period, c.revision FROM baocao.receipt c"
                   "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u ON u.unit = c.unit")
    assert {(row[0], row[1], row[2], row[3]) for row in receipts} == set(keys), "a receipt of no stored report"
    if reports is not None:
        assert {(row[0], row[1]) for row in stored} == set(reports)
        slot = sql("SELECT slot FROM baocao.indicator WHERE code = 'diss.press'")[0][0]
        assert {(row[0], row[1]): row[3][slot - 1] for row in stored} == {k: v[0] for k, v in reports.items()}
