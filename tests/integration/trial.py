"""A small province whose forms fall due around today, for what depends on the clock."""
import datetime
import json
import os
import shutil

TZ = datetime.timezone(datetime.timedelta(hours=7))
CODE = "99"


def today():
    return datetime.datetime.now(TZ).date()


def day(offset):
    """A day from today, as it is written."""
    return (today() + datetime.timedelta(days=offset)).isoformat()


def form(name, period, version=1, programme="thu", deadline=None, **more):
    """A form with one figure."""
    made = {
        "baocao": 1, "id": name, "version": version,
        "title": {"vi": f"Báo cáo thử {name}", "en": f"Trial report {name}"},
        "basis": ["Kế hoạch thử nghiệm"], "programme": programme, "period": period,
        "effective": {"from": "2020-01-01", "to": None},
        "schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["so"],
                   "properties": {"so": {"title": "Số lượng", "x-en": "Number", "type": "integer", "minimum": 0}}},
        "indicators": [{"code": "n", "label": {"vi": "Số lượng", "en": "Number"},
                        "measure": {"vi": "việc", "en": "items"}, "value": "self.so", "decimals": 0,
                        "over_units": "sum", "over_time": "sum"}],
    }
    if deadline is not None:
        made["deadline"] = deadline
    return {**made, **more}


def once(name, first, last, due, **more):
    """A thematic report of the days first..last (from today) that is due at the end of the day `due`."""
    return form(name, {"type": "once", "from": day(first), "to": day(last), "due": day(due), "at": "24:00"}, **more)


def unit(code, name, kind="commune", **more):
    return {"code": code, "kind": kind, "name": name, "en": name, "from": "2020-01-01", "parents": {"state": CODE},
            **more}


def report(form_id, unit_code, period, figure, revision=1):
    return f"form: {form_id}\nunit: \"{unit_code}\"\nperiod: {period}\nrevision: {revision}\ndata:\n  so: {figure}\n"


class Province:
    """Its folder, which the daemon reads: change the lists, write() them, reload."""

    def __init__(self, root, forms, units, groups=()):
        self.root = root
        self.forms, self.units, self.groups = forms, units, list(groups)
        self.holidays = {"known_to": day(1000), "holidays": [{"from": "2020-01-01", "name": "Tết Dương lịch"}]}
        self.programmes = ["thu"]
        self.kinds = []  # the registry's own
        self.folder = os.path.join(root, "provinces", "99-thu")
        self.write()

    def put(self, path, value):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(value, f, ensure_ascii=False, indent=1)
        os.chmod(path, 0o644)

    def write(self):
        shutil.rmtree(os.path.join(self.root, "forms"), ignore_errors=True)
        for one in self.forms:
            self.put(f"forms/{one['id']}.v{one['version']}.yaml", one)
        head = {"province": {"code": CODE, "name": "Thử", "en": "Trial", "timezone": "Asia/Ho_Chi_Minh"},
                "trees": ["state"]}
        if self.groups:
            head["groups"] = self.groups
        if self.kinds:
            head["kinds"] = self.kinds
        self.put("provinces/99-thu/units.yaml", {**head, "units": self.units})
        self.put("provinces/99-thu/holidays.yaml", self.holidays)
        self.put("provinces/99-thu/programmes.yaml", {"programmes": [
            {"id": p, "title": {"vi": "Chương trình thử", "en": "Trial"}} for p in self.programmes]})
        os.chmod(self.root, 0o755)

    def serve(self, make_daemon, postgres, config=None, beside=None):
        """A running daemon of this province on a database of its own, or that of the one beside it."""
        daemon = make_daemon(config, database_url=postgres.url)
        if beside:
            daemon.share_key(beside)
        daemon.schemas, daemon.province = self.root, self.folder
        checked = daemon.operate("forms", "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        return daemon.start()
