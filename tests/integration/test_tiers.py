"""The chain of tiers, commune to department to Home Affairs to the committee's office to the Government by the 25th, as the
programs tell it: each kind of unit owes the same period by its own day, and each day follows the one below."""
import datetime as dt
import json

import pytest
from brp import Client
from trial import TZ, Province, day, form, today, unit

# Kind: its code, and how many working days after the cut-off; the Government's is the 25th, or the working day before.
TIERS = {"commune": ("90001", 2), "department": ("90002", 4), "home-affairs": ("90003", 5), "committee-office": ("90004", 6),
         "government": ("90005", None)}
AHEAD = 390


@pytest.fixture
def folder(make_folder):
    return make_folder("tiers")


def chain():
    rows = [{"kinds": [kind], **({"working_days": days, "at": "17:00"} if days else {"day": 25, "month": "last", "roll": "previous"})}
            for kind, (_, days) in TIERS.items()]
    return form("chuoi", {"type": "month", "calendar": "nd09"}, deadline=rows, lock={"then": "accept"},
                reporters={"kinds": list(TIERS)}, effective={"from": f"{today().year - 1}-07-01", "to": None})


def due_of(kind, year, month):
    """When that kind owes the month's report: the instant."""
    _, days = TIERS[kind]
    d = dt.date(year, month, 14 if days else 25)
    for _ in range(days or 0):
        d += dt.timedelta(days=1)
        while d.weekday() >= 5:
            d += dt.timedelta(days=1)
    while not days and d.weekday() >= 5:
        d -= dt.timedelta(days=1)
    return dt.datetime.combine(d, dt.time(), TZ) + dt.timedelta(hours=17 if days else 24)


def rows_of(text):
    return {row["period"]: row for row in map(json.loads, filter(None, text.splitlines()))}


def test_each_tier_owes_the_same_period_by_its_own_day(make_daemon, postgres, folder):
    province = Province(folder, [chain()], [unit(code, f"Đơn vị {kind}", kind) for kind, (code, *_) in TIERS.items()])
    province.kinds = [{"id": kind, "name": f"Cấp {kind}"} for kind in ("home-affairs", "committee-office", "government")]
    province.write()
    daemon = province.serve(make_daemon, postgres)
    checked = daemon.operate("forms", "check")
    assert checked.returncode == 0 and "chuoi" in checked.stdout, checked.stdout + checked.stderr
    until, now = day(AHEAD), dt.datetime.now(TZ)
    told, files, periods = {}, {}, set()
    with Client(daemon.reports_port) as client:
        for kind, (code, days) in TIERS.items():
            told[kind] = rows_of(client.ask("DUE", unit=code, until=until).body.decode("utf-8"))
            words = ("--forms", daemon.schemas, "--province", daemon.province, "--until", until, "--format", "json")
            shown = daemon.programs.run("due", "--unit", code, *words)
            assert shown.returncode == 0, shown.stderr
            files[kind] = {row["period"]: row for row in json.loads(shown.stdout)}
            periods |= set(files[kind])
            assert len(files[kind]) >= 12
            for period, row in told[kind].items():
                due = dt.datetime.fromisoformat(row["due"])
                assert due == due_of(kind, *map(int, period.split("-"))), (kind, row)
                assert row["state"] == ("overdue" if due < now else "pending"), row
                assert period not in files[kind] or files[kind][period]["due"] == row["due"]
            for row in files[kind].values():
                said = ([f"{days} ngày làm việc sau ngày chốt số liệu (điểm b khoản 5 Điều 8", "tức 17:00 ngày"] if days else
                        ["ngày 25 của tháng cuối kỳ báo cáo", "khoản 2 Điều 13 Nghị định 09/2019/NĐ-CP", "tức 24:00 ngày"])
                assert all(words in row["why"] for words in [*said, "khoản 1 Điều 12 Nghị định 09/2019/NĐ-CP"]), row["why"]
            assert set(files[kind]) <= set(told[kind])
    for period in periods:  # each tier has time between the one below and its own day, and the last is the 25th at the latest
        dues = [dt.datetime.fromisoformat(told[kind][period]["due"]) for kind in TIERS if period in told[kind]]
        assert len(dues) == len(TIERS) or period == max(periods), period
        assert dues == sorted(set(dues)), (period, dues)
        year, month = map(int, period.split("-"))
        assert dues[-1] <= dt.datetime(year, month, 25, tzinfo=TZ) + dt.timedelta(days=1)

    # The office sees the same dates, and by kind who is late and who has time left.
    missing = daemon.get("/v1/missing", form="chuoi")[1]
    stored = {(r["unit"], r["period"]): dt.datetime.fromisoformat(r["due_at"]) for r in missing}
    for kind, (code, *_) in TIERS.items():
        mine = {p: due for (c, p), due in stored.items() if c == code}
        assert len(mine) > 12 and all(due == due_of(kind, *map(int, p.split("-"))) for p, due in mine.items())
        states = [r for r in daemon.get("/v1/status", form="chuoi", scope=f"kind:{kind}")[1]]
        assert {r["period"]: (r["owed"], r["overdue"]) for r in states} == {p: (1, int(due < now)) for p, due in mine.items()}


def test_the_real_forms_give_communes_less_time_than_departments(programs):
    """Decree 73 by quarters: the communes' day is before the departments', for the same period, at 17:00."""
    words = ("--until", (today() + dt.timedelta(days=AHEAD)).isoformat(), "--format", "json")
    by_unit = {}
    for code in ("24133", "H15.02"):
        shown = programs.run("due", "--unit", code, "--forms", programs.schemas, "--province", programs.province, *words)
        assert shown.returncode == 0, shown.stderr
        by_unit[code] = {r["period"]: r for r in json.loads(shown.stdout) if r["form"] == "nd73-quarterly"}
    common = set(by_unit["24133"]) & set(by_unit["H15.02"])
    assert len(common) >= 4
    for period in common:
        commune, department = (by_unit[code][period] for code in ("24133", "H15.02"))
        assert commune["due"] < department["due"] and commune["due"][11:16] == "17:00", period
        assert (commune["from"], commune["to"]) == (department["from"], department["to"])
        assert int(department["due"][8:10]) <= 25
