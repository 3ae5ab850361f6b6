"""Random histories: whatever units send, correct and resend, and whatever the office does between, over two daemons on one
database, the store holds what a model in a few lines says, its totals are the recomputation from office.value to the last
digit, and the flags of later reports are those that judging them afresh gives. A history is what befalls three units; one
world has one long history, or many short ones beside each other. BAOCAO_LONG runs thousands."""
import collections
import json
import os
import random
import signal
import socket
from decimal import ROUND_HALF_UP, Decimal

import pytest
import yaml
from brp import Client
from conftest import wait_for
from histories import FORM, UNITS, add_form, report, schemas_with_form
from reports import communes

LONG = bool(os.environ.get("BAOCAO_LONG"))
ALONE = [UNITS]
BESIDE = list(zip(*[iter(u for u in communes() if u not in UNITS)] * 3))
WORLDS = [pytest.param(seed, ALONE, 400, id=f"long-{seed}") for seed in range(100, 160)] + \
    [pytest.param(seed, BESIDE, 40 * len(BESIDE), id=f"short-{seed}") for seed in range(1000, 1060)] if LONG else \
    [pytest.param(2, ALONE, 100, id="long-2"), pytest.param(3, BESIDE[:6], 120, id="short-3")]
PLAIN, LOOKS = "thu-lich-su", "thu-ky-truoc"
MONTHS = [f"2026-{n:02}" for n in range(1, 7)]
WHY = "Đã rà soát lại toàn bộ hồ sơ, số liệu này là đúng."

FIGURES = """baocao: 1
id: thu-lich-su
version: %(version)d
title: {vi: Báo cáo tháng để thử sổ, en: Monthly report for trying the store}
basis: [Biểu dùng để thử nghiệm]
programme: nd73
reporters: {only: %(units)s}
period: {type: month, calendar: civil}
deadline: {working_days: 5}
lock: {working_days: 5, then: accept}
nil: allowed
effective: {from: %(since)s, to: null}
schema:
  $schema: https://json-schema.org/draft/2020-12/schema
  type: object
  properties:
    vu: {title: Vụ việc, type: integer}
    nguoi: {title: Số người, type: integer}
    dat: {title: Đạt, type: integer, minimum: 0}
    tong: {title: Tổng, type: integer, minimum: 0}
    diem: {title: Điểm, type: number}
    moi: {title: Số liệu mới, type: number}
indicators:
  - {code: cases, label: {vi: Vụ việc, en: Cases}, measure: {vi: vụ, en: cases}, value: self.vu, decimals: 0, over_units: sum, over_time: sum}
  - {code: staff, label: {vi: Số người, en: Staff}, measure: {vi: người, en: people}, value: self.nguoi, decimals: 0, over_units: sum, over_time: last}
  - {code: reached, label: {vi: Đạt, en: Reached}, measure: {vi: việc, en: tasks}, value: self.dat, decimals: 0, over_units: sum, over_time: sum}
  - {code: asked, label: {vi: Tổng, en: Asked}, measure: {vi: việc, en: tasks}, value: self.tong, decimals: 0, over_units: sum, over_time: sum}
  - {code: rate, label: {vi: Tỷ lệ, en: Rate}, ratio: {of: reached, to: asked, percent: true}}
  - {code: score, label: {vi: Điểm, en: Score}, measure: {vi: điểm, en: points}, value: self.diem, decimals: 2, over_units: none, over_time: none}
%(more)s"""
ADDED = ("  - {code: added, label: {vi: Số liệu mới, en: New figure}, measure: {vi: việc, en: tasks}, value: self.moi * 3 / 7, "
         "decimals: 3, over_units: sum, over_time: sum}\n")
CODES = {"vu": "cases", "nguoi": "staff", "dat": "reached", "tong": "asked", "diem": "score"}
FLOWS = ("cases", "reached", "asked", "added")  # over_time: sum


def rounded(value, decimals):
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


class Key:
    """What the model knows of one obligation."""

    def __init__(self):
        self.sent = {}         # revision: (document, receipt, figures, data), of every accepted one
        self.returned = set()  # revisions given or taken back
        self.counted = 0
        self.exempt = self.locked = False

    @property
    def last(self):
        return max(self.sent, default=0)


class World:
    """Two daemons on one database, the model, and the dice."""

    def __init__(self, daemons, postgres, seed, trios):
        self.daemons, self.connection = daemons, postgres.connect()
        self.dice = random.Random(seed)
        self.trios = trios
        self.units = [unit for trio in trios for unit in trio]
        # A short history keeps to few months, so that much befalls each.
        self.months = {unit: MONTHS if trios is ALONE else months for trio in trios
                       for months in [self.dice.choice((MONTHS[:2], MONTHS[:3], MONTHS[:4], MONTHS[2:5]))] for unit in trio}
        self.keys = collections.defaultdict(Key)
        self.clients = [Client(d.reports_port, timeout=120) for d in daemons]
        self.done = collections.Counter()
        self.version = 1
        self.moments = []  # (when, what was told then)
        self.shares = {unit: [(unit, 1)] for unit in self.units}  # who holds a unit's figures today, and how much

    def close(self):
        self.connection.close()
        for client in self.clients:
            client.sock.close()

    def sql(self, text, *values):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall()

    # ---------------------------------------------------------------- what is sent

    def key(self, form):
        unit = self.dice.choice(self.units)
        return form, unit, self.dice.choice(self.months[unit])

    def figures_report(self, unit, period, revision):
        """A report of the plain form and what it must be worth: (document, figures, data)."""
        dice = self.dice
        whole = {"form": PLAIN, "unit": unit, "period": period, "revision": revision}
        if dice.random() < 0.08:
            worth = {code: Decimal(0) for code in FLOWS if code != "added" or self.is_second(period)}
            return yaml.safe_dump({**whole, "nil": True}), worth, None
        data = {"vu": dice.randrange(-10**9, 10**9), "nguoi": dice.randrange(5000), "dat": dice.randrange(100),
                "tong": dice.randrange(100), "diem": dice.randrange(1000) / 4, "moi": dice.randrange(10**6) / 2}
        for name in list(data):
            if dice.random() < 0.2:
                del data[name]
        if not self.is_second(period):
            data.pop("moi", None)
        worth = {code: Decimal(str(data[name])) for name, code in CODES.items() if name in data}
        if "moi" in data:
            worth["added"] = rounded(Decimal(str(data["moi"])) * 3 / 7, 3)
        return yaml.safe_dump({**whole, "data": data}), worth, data

    def is_second(self, period):
        return self.version == 2 and period >= "2026-04"

    def looking_report(self, unit, period, revision):
        dice = self.dice
        cases = dice.randrange(50)
        before = self.year_before(unit, period)
        right = cases + (before if before is not None else dice.randrange(100))
        data = {"vu": cases, "luy_ke": right if dice.random() < 0.75 else right + 1 + dice.randrange(9)}
        viec = {f"NV-{n}": dice.choice((0, 30, 60, 100)) for n in range(3) if dice.random() < 0.6}
        explain = {"tien-do-lui": {code: WHY for code in viec}} if dice.random() < 0.5 and viec else None
        document = report(period, data["vu"], data["luy_ke"], unit=unit, revision=revision, viec=viec, explain=explain)
        return document, {"cases": Decimal(cases)}, {**data, "viec": viec, "explain": explain}

    # ---------------------------------------------------------------- what the checks of the looking form say

    def counted(self, unit, period):
        key = self.keys[LOOKS, unit, period]
        return key.sent[key.counted][3] if key.counted else None

    def year_before(self, unit, period):
        """The cases since January, or None when a month that is owed is not reported."""
        total = 0
        for month in MONTHS[:MONTHS.index(period)]:
            data = self.counted(unit, month)
            if data is not None:
                total += data["vu"]
            elif not self.keys[LOOKS, unit, month].exempt:
                return None
        return total

    def failing(self, unit, period, data):
        """(checks that refuse, checks that want a word, checks that warn because one was given)."""
        before = self.year_before(unit, period)
        place = MONTHS.index(period)
        prev = self.counted(unit, MONTHS[place - 1]) if place else None
        errors, unsaid, said = [], [], []
        if before is not None and data["luy_ke"] != before + data["vu"]:
            errors.append("luy-ke-khop")
        for code, done in data["viec"].items():
            if prev and done < prev["viec"].get(code, 0):
                (said if data["explain"] else unsaid).append("tien-do-lui")
        for code, done in (prev["viec"] if prev else {}).items():
            if done < 100 and code not in data["viec"]:
                errors.append("khong-bo-sot")
        return errors, unsaid, said

    # ---------------------------------------------------------------- steps

    def expect(self, name, revision, document, worth, data):
        """What sending it must be answered, by the order of decisions; takes it into the model when accepted."""
        key = self.keys[name]
        if revision in key.sent:
            stored = key.sent[revision]
            if stored[0] != document:
                return "KEYREUSED"
            return "returned" if revision in key.returned else "committed" if revision == key.counted else "superseded"
        if key.locked:
            return "LOCKED"
        if name[0] == LOOKS:
            errors, unsaid, _ = self.failing(name[1], name[2], data)
            if errors:
                return "INVALID"
            if unsaid:
                return "EXPLAIN"
        is_behind = key.last > revision  # of one given back too: the unit has gone on since
        key.sent[revision] = [document, None, worth, data]
        if is_behind:
            return "superseded"
        key.counted = revision
        return "committed"

    def take_receipt(self, name, revision, answer):
        stored = self.keys[name].sent[revision]
        stored[1] = stored[1] or answer.receipt
        assert answer.receipt == stored[1], (name, revision, answer)

    def make(self, name, revision):
        return (self.figures_report if name[0] == PLAIN else self.looking_report)(name[1], name[2], revision)

    def submit(self):
        name = self.key(self.dice.choice((PLAIN, LOOKS)))
        key = self.keys[name]
        revision = self.dice.choice((key.last + 1, key.last + 1, key.last + 1, key.last + 3, max(1, key.last - 1)))
        if revision in key.sent and self.dice.random() < 0.6:
            document, _, worth, data = key.sent[revision]
        else:
            document, worth, data = self.make(name, revision)
        known = revision in key.sent
        want = self.expect(name, revision, document, worth, data)
        answer = self.dice.choice(self.clients).submit(document)
        assert (answer.state or answer.code) == want, (name, revision, document, want, answer)
        if answer.verb == "OK":
            assert answer.dup == ("1" if known else "0")
            self.take_receipt(name, revision, answer)
        self.done[want] += 1

    def crossing(self):
        """Several revisions of one key at once, over both daemons: in the end the highest counts."""
        name = self.key(PLAIN)
        key = self.keys[name]
        if key.locked:
            return
        made = {n: self.make(name, n) for n in range(key.last + 1, key.last + 1 + self.dice.randrange(2, 5))}
        order = list(made)
        self.dice.shuffle(order)
        sent = [(n, client, client.report(made[n][0])) for n in order for client in self.dice.sample(self.clients, 2)]
        for n, client, txn in sent:
            answer = client.answer(txn)
            assert answer.verb == "OK", (name, n, answer)
            key.sent.setdefault(n, [made[n][0], None, *made[n][1:]])
            self.take_receipt(name, n, answer)
        key.counted = max(made)
        self.done["crossing"] += 1

    def together(self):
        """Months of one unit at once on one connection: each counts for the next, whatever the batches."""
        unit, client = self.dice.choice(self.units), self.dice.choice(self.clients)
        months = [m for m in self.months[unit] if not self.keys[LOOKS, unit, m].locked][:3]
        made = []
        for month in months:
            revision = self.keys[LOOKS, unit, month].last + 1
            before = self.year_before(unit, month)
            if before is None:
                break
            data = {"vu": 5, "luy_ke": before + 5, "viec": {}, "explain": None}
            document = report(month, 5, before + 5, unit=unit, revision=revision, viec={})
            want = self.expect((LOOKS, unit, month), revision, document, {"cases": Decimal(5)}, data)
            made.append((month, revision, want, client.report(document), document))
            if want != "committed":
                break
        for month, revision, want, txn, document in made:
            answer = client.answer(txn)
            assert (answer.state or answer.code) == want, (unit, month, want, answer, document)
            if answer.verb == "OK":
                self.take_receipt((LOOKS, unit, month), revision, answer)
        self.done["together"] += len(made) > 1

    def act(self, act, name, **more):
        daemon = self.dice.choice(self.daemons)
        form, unit, period = name
        line = json.dumps({"do": "office", "act": act, "form": form, "unit": unit, "period": period,
                           "reason": "Thử nghiệm", **more}) + "\n"
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(120)
            s.connect(os.path.join(daemon.runtime, "admin.sock"))
            s.sendall(line.encode())
            text = b""
            while not text.endswith(b"\n"):
                octets = s.recv(65536)
                assert octets, text
                text += octets
        self.done[act] += 1
        return json.loads(text)

    def give_back(self):
        name = self.key(self.dice.choice((PLAIN, LOOKS)))
        key = self.keys[name]
        act = self.dice.choice(("return", "withdraw"))
        if not key.counted or (act == "withdraw" and key.locked):
            return
        assert self.act(act, name)["code"] == "OK"
        key.returned.add(key.counted)
        key.counted = 0

    def office(self):
        name = self.key(self.dice.choice((PLAIN, LOOKS)))
        key = self.keys[name]
        act = self.dice.choice(("exempt", "lock", "extend"))
        if act == "exempt":
            assert self.act("owe" if key.exempt else "exempt", name, **({} if key.exempt else {"decision": "Số 12/QĐ-UBND"}))["code"] == "OK"
            key.exempt = not key.exempt
        elif act == "lock":
            assert self.act("unlock" if key.locked else "lock", name)["code"] == "OK"
            key.locked = not key.locked
        elif not key.locked:
            assert self.act("extend", name, until="2027-03-01")["code"] == "OK"

    def new_version(self):
        """A version that adds an indicator comes into force while reports stand and go on."""
        if self.version == 2:
            return
        for daemon in self.daemons:
            add_form(daemon.schemas, FIGURES % {"version": 2, "since": "2026-04-01", "more": ADDED, "units": json.dumps(self.units)},
                     f"{PLAIN}.v2.yaml")
        for daemon in self.daemons:
            before = daemon.log().count("reload:")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: daemon.log().count("reload:") > before)
            assert "those in force stay" not in daemon.log(), daemon.log()[-3000:]
        self.version = 2
        for client in self.clients:  # a report of another month shows when the new files judge
            def is_taken():
                answer = client.submit(yaml.safe_dump({"form": PLAIN, "unit": self.units[0], "period": "2026-09", "revision": 1,
                                                       "data": {"moi": 1}}))
                return answer.verb != "WAIT" and answer.form_version == "2"
            wait_for(is_taken)
        self.keys[PLAIN, self.units[0], "2026-09"].sent[1] = ["", None, {"added": rounded(Decimal(3) / 7, 3)}, None]
        self.keys[PLAIN, self.units[0], "2026-09"].counted = 1
        self.done["version"] += 1

    def merge_units(self):
        """The second unit of a history goes into a new ward, and four tenths of the third too, while their reports stand and go
        on: what they reported stays theirs, and by the units of today it is the ward's."""
        merged = {one: (f"{90900 + n}", other) for n, (_, one, other) in enumerate(self.trios) if not n or self.dice.random() < 0.7}
        for daemon in self.daemons:
            path = os.path.join(daemon.province, "units.yaml")
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
            for one, (heir, other) in merged.items():
                at = next(n for n, line in enumerate(lines) if f'- {{code: "{one}"' in line and " to: " not in line)
                lines[at:at + 1] = [
                    lines[at].replace("from: 2025-07-01,", "from: 2025-07-01, to: 2026-06-30,"),
                    f'  - {{code: "{heir}", kind: ward, name: Phường Thử {heir}, from: 2026-07-01, parents: {{state: "66", party: "66"}},'
                    f' was: [{{code: "{one}"}}, {{code: "{other}", share: 0.4}}]}}']
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(lines) + "\n")
        for daemon in self.daemons:
            daemon.process.send_signal(signal.SIGHUP)
        for daemon in self.daemons:
            wait_for(lambda: daemon.get("/v1/units", q="90900")[1])
            wait_for(lambda: daemon.log().count("reload:") > 1)
        for one, (heir, other) in merged.items():
            self.shares[one] = [(heir, 1)]
            self.shares[other] = [(other, Decimal("0.6")), (heir, Decimal("0.4"))]
        self.done["merged"] += len(merged)

    def run(self, steps):
        moves = [self.submit] * 14 + [self.crossing, self.together, self.give_back, self.office]
        for n in range(steps):
            self.dice.choice(moves)()
            if n == steps // 2:
                self.new_version()
            if n % max(25, steps // 16) == 5:
                self.remember()
            if n == steps * 2 // 3:
                self.merge_units()
            if n % max(40, steps // 10) == 39:
                self.check()
        self.check()
        self.check_moments()

    # ---------------------------------------------------------------- earlier moments

    def told(self, **more):
        """What the office is told by either daemon, byte for byte; hours_late goes on with the clock."""
        answers = []
        for form in (PLAIN, LOOKS):
            for path in ("rollups", "status", "missing", "reports"):
                status, rows = self.dice.choice(self.daemons).get(f"/v1/{path}", form=form, **more)
                assert status == 200, rows
                answers.append(json.dumps([{k: v for k, v in row.items() if k != "hours_late"} for row in rows], ensure_ascii=False))
        return answers

    def remember(self):
        wait_for(lambda: not self.sql("SELECT 1 FROM baocao.recheck"))
        at = self.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]
        self.moments.append((at, self.told()))

    def check_moments(self):
        """Asked later, every moment is answered as it was."""
        for number, (at, then) in enumerate(self.moments):
            for was, now in zip(then, self.told(as_of=at)):
                assert was == now, (number, at)
        assert len({"".join(then) for _, then in self.moments}) == len(self.moments), "nothing changed between two moments"

    # ---------------------------------------------------------------- what must hold

    def check(self):
        wait_for(lambda: not self.sql("SELECT 1 FROM baocao.recheck"))
        values = self.check_values()
        self.check_rollups(values)
        self.check_today(values)
        self.check_flags()
        owed = self.sql("SELECT form, period, scope, owed, pending + overdue + on_time + late + exempt FROM office.status")
        assert all(row[3] == row[4] for row in owed)

    def check_values(self):
        """office.value is what was sent last, and nothing else."""
        have = collections.defaultdict(dict)
        rows = self.sql("SELECT form, unit, period, revision, indicator, value FROM office.value WHERE form IN (%s, %s)", PLAIN, LOOKS)
        for form, unit, period, revision, indicator, value in rows:
            if indicator != "rate" and value is not None:
                have[form, unit, period, revision][indicator] = value
            else:
                have[form, unit, period, revision]  # a report without figures is a report
        want = {(*name, key.counted): key.sent[key.counted][2] for name, key in self.keys.items() if key.counted}
        assert dict(have) == want
        return rows

    def check_rollups(self, values):
        """Totals are the recomputation, with their coverage."""
        members = collections.defaultdict(set)
        for scope, unit in self.sql("SELECT DISTINCT s.id, u.code FROM baocao.scope_unit m JOIN baocao.scope s USING (scope)"
                                    "  JOIN baocao.unit u ON u.unit = m.unit WHERE u.code = ANY (%s)"
                                    "   AND '2026-02-15' BETWEEN m.from_day AND m.to_day", self.units):
            members[scope].add(unit)
        given = collections.defaultdict(dict)
        for form, unit, period, _, indicator, value in values:
            if value is not None:
                given[form, period, indicator][unit] = value
        rows = self.sql("SELECT form, period, scope, indicator, value, reported FROM office.rollup"
                        " WHERE form IN (%s, %s)", PLAIN, LOOKS)
        compared = 0
        for form, period, scope, indicator, value, reported in rows:
            mine = {u: v for u, v in given[form, period, indicator].items() if u in members[scope]}
            if indicator == "rate":
                of, to = ({u: v for u, v in given[form, period, c].items() if u in members[scope]} for c in ("reached", "asked"))
                both = set(of) & set(to)
                above, below = sum(of[u] for u in both), sum(to[u] for u in both)
                want = rounded(above * 100 / below, 6) if both and below else None
                assert reported == len(both), (form, period, scope)
            else:
                want = sum(mine.values()) if mine and indicator != "score" else None
                assert reported == len(mine), (form, period, scope, indicator)
            assert value == want, (form, period, scope, indicator, value, want)
            compared += value is not None
        assert compared or not given

    def check_today(self, values):
        """By the units of today merged figures are added and split ones apportioned, each report counted once a scope."""
        scopes = collections.defaultdict(set)
        for scope, unit in self.sql("SELECT s.id, u.code FROM baocao.scope_unit m JOIN baocao.scope s USING (scope)"
                                    "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u USING (unit)"
                                    " WHERE m.seq_to = 9223372036854775807 AND m.to_day = 'infinity' AND u.code = ANY (%s)",
                                    [*self.units, *{heir for shares in self.shares.values() for heir, _ in shares}]):
            scopes[unit].add(scope)
        given = collections.defaultdict(list)
        for form, unit, period, _, indicator, value in values:
            if form == PLAIN and value is not None and indicator not in ("rate", "score"):
                for scope in set().union(*(scopes[h] for h, _ in self.shares[unit])):
                    part = sum(share for h, share in self.shares[unit] if scope in scopes[h])
                    given[period, scope, indicator].append((value * part, len(self.shares[unit]) > 1))
        compared = 0
        for period in MONTHS:
            for r in self.daemons[0].get("/v1/rollups", form=PLAIN, period=period, units="today")[1]:
                if r["indicator"] in ("rate", "score"):
                    continue
                parts = given.pop((period, r["scope"], r["indicator"]), [])
                want = sum(v for v, _ in parts) if parts else None
                have = None if r["value"] is None else Decimal(str(r["value"]))
                about = abs(want) * Decimal("1e-12") if want is not None else 0  # JSON numbers of Python are binary
                assert have == want or abs(have - want) <= about, (period, r, want)
                assert (r["reported"], r["estimated"]) == (len(parts), any(e for _, e in parts)), (period, r)
                compared += have is not None
        assert not {k: v for k, v in given.items() if k[0] in MONTHS}
        self.done["today"] += compared

    def check_flags(self):
        """Warnings and open alerts of the looking form are what judging every counted report now gives."""
        want, broken = {}, set()
        for (form, unit, period), key in list(self.keys.items()):
            if form != LOOKS or not key.counted:
                continue
            errors, unsaid, said = self.failing(unit, period, key.sent[key.counted][3])
            if errors or unsaid or said:
                want[unit, period] = sorted([*errors, *unsaid, *said])
            if errors or unsaid:
                broken.add((unit, period))
        have = {(unit, period): sorted(w["check"] for w in json.loads(text)) for unit, period, text in self.sql(
            "SELECT unit, period, warnings FROM office.report WHERE form = %s AND state = 'counted' AND warnings IS NOT NULL",
            LOOKS)}
        assert have == want
        alerts = self.sql("SELECT unit, period FROM office.alert WHERE form = %s AND kind = 'history' AND state = 'open'", LOOKS)
        assert sorted(alerts) == sorted(broken)
        self.done["flagged"] += len(broken)


def prepare(daemon, programs, trios=ALONE):
    units = json.dumps([unit for trio in trios for unit in trio])
    daemon.schemas, daemon.province = schemas_with_form(daemon.root, programs)
    add_form(daemon.schemas, FORM.replace(json.dumps(UNITS), units))
    add_form(daemon.schemas, FIGURES % {"version": 1, "since": "2025-07-01", "more": "", "units": units}, f"{PLAIN}.v1.yaml")
    return daemon


@pytest.mark.parametrize("seed, trios, steps", WORLDS)
def test_a_random_history_equals_its_recomputation(make_daemon, make_postgres, programs, seed, trios, steps):
    postgres = make_postgres()
    daemons = [prepare(make_daemon(database_url=postgres.url), programs, trios) for _ in range(2)]
    daemons[0].start()
    daemons[1].share_key(daemons[0]).start()
    world = World(daemons, postgres, seed, trios)
    try:
        world.run(steps)
    finally:
        world.close()
    for words in (("verify",), ("verify", "--audit")):
        done = daemons[0].operate(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    # The history was one: each kind of step took place.
    for name in ("committed", "INVALID", "crossing", "together", "flagged", "version", "merged", "today"):
        assert world.done[name], (name, world.done)


def test_reports_are_judged_again_when_new_files_change_what_was_owed_before(make_daemon, postgres, programs):
    """January and February were owed and silent, so nobody could say what March should add up to; then the register says
    that the unit began in March."""
    daemon = prepare(make_daemon(database_url=postgres.url), programs)
    daemon.start()
    with Client(daemon.reports_port) as client:
        assert client.submit(report("2026-03", 5, 9, unit="24211", viec={})).state == "committed"
        assert client.submit(report("2026-03", 5, 5, unit="24259", viec={})).state == "committed"
    assert daemon.get("/v1/alerts", form=LOOKS)[1] == []
    path = os.path.join(daemon.province, "units.yaml")
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    for n, line in enumerate(lines):
        if any(f'code: "{code}"' in line and "name" in line for code in ("24211", "24259")) and " to: " not in line:
            lines[n] = line.replace("from: 2025-07-01", "from: 2026-03-01")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    daemon.process.send_signal(signal.SIGHUP)
    alerts = wait_for(lambda: daemon.get("/v1/alerts", form=LOOKS)[1], 60)
    assert [(a["unit"], a["period"], a["kind"], a["state"]) for a in alerts] == [("24211", "2026-03", "history", "open")]
    warned = postgres.sql("SELECT unit FROM office.report WHERE form = %s AND warnings IS NOT NULL", LOOKS)
    assert warned == [("24211",)]
