"""A plausible task register for the form nq57-tasks, month after month, and what its indicators make of it."""
import copy
import datetime as dt

import plausible
import regime

ID = "nq57-tasks"
PROGRAMME = "nq57"
FIELDS = ["Thể chế", "Hạ tầng số", "Nhân lực", "Dữ liệu", "Chính quyền số", "Kinh tế số", "Xã hội số", "An toàn thông tin"]
DONE = ("Hoàn thành", "Hoàn thành chậm")


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.tasks = []  # as last accepted
        self.made = 0

    def new_task(self, rng, year, cutoff):
        self.made += 1
        focus = rng.random() < 0.4
        t = {"ma": f"NV-{self.made:02}", "ten": "Số hóa kết quả giải quyết thủ tục hành chính", "linh_vuc": rng.choice(FIELDS),
             "trong_tam": focus, "bat_dau": dt.date(year, 1, 5).isoformat(),
             "thoi_han": (cutoff + dt.timedelta(rng.randint(10, 150))).isoformat(), "trang_thai": "Chưa bắt đầu", "tien_do": 0}
        if focus or rng.random() < 0.5:
            t.update(chuc_vu="Trưởng phòng", chu_tri="Phòng Văn hóa - Xã hội", san_pham="Kho dữ liệu đã số hóa",
                     tham_quyen="Chủ tịch Ủy ban nhân dân")
        return t

    def move(self, rng, t, cutoff):
        """One month of work; a task that is over stays as it is."""
        t = copy.deepcopy(t)
        if t["trang_thai"] in DONE + ("Hủy",):
            return t
        if rng.random() < 0.04:
            return dict(t, trang_thai="Hủy")
        if rng.random() < 0.05:
            return dict(t, trang_thai="Tạm dừng")
        percent = min(100, t["tien_do"] + rng.choice([0, 10, 20, 40]))
        late = dt.date.fromisoformat(t["thoi_han"]) < cutoff
        if late and percent < 100 and rng.random() < 0.4:
            t["thoi_han"] = (cutoff + dt.timedelta(60)).isoformat()
            t["lan_gia_han"] = t.get("lan_gia_han", 0) + 1
            t["quyet_dinh_gia_han"] = {"so": "31/QĐ-UBND", "ngay": cutoff.isoformat()}
            late = False
        t["tien_do"] = percent
        if percent == 100:
            end = cutoff - dt.timedelta(rng.randint(0, 20))
            t.update(ngay_hoan_thanh=end.isoformat(),
                     trang_thai=DONE[1] if end.isoformat() > t["thoi_han"] else DONE[0],
                     minh_chung={"loai": "Trang thông tin", "lien_ket": "https://example.vn/ket-qua"})
            t.pop("vuong_mac", None)
        else:
            t["trang_thai"] = "Quá hạn" if late else "Đang thực hiện" if percent else "Chưa bắt đầu"
            if rng.random() < 0.2:
                t["vuong_mac"] = "Chưa được giao kinh phí."
        return t

    def period(self, rng, year, n):
        _, cutoff = regime.window("month", year, n)
        tasks = [self.move(rng, t, cutoff) for t in self.tasks]
        if n == 1 or rng.random() < 0.4 or not tasks:
            tasks += [self.new_task(rng, year, cutoff) for _ in range(rng.randint(1, 4))]
        return {"tong_so": len(tasks), "nhiem_vu": tasks}

    def keep(self, data):
        self.tasks = copy.deepcopy(data["nhiem_vu"])


def explanations(data, n, kept):
    return {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    d["nhiem_vu"].append(dict(d["nhiem_vu"][0], ma=f"NV-BS{len(d['nhiem_vu'])}"))
    d["tong_so"] += 1
    return d


STATES = {"t_not_started": ["Chưa bắt đầu"], "t_doing": ["Đang thực hiện"], "t_done_ontime": ["Hoàn thành"],
          "t_done_late": ["Hoàn thành chậm"], "t_overdue": ["Quá hạn"], "t_paused": ["Tạm dừng"], "t_cancelled": ["Hủy"],
          "t_done": list(DONE)}
ONLY = {}


def figures(data):
    tasks = data["nhiem_vu"]
    out = {code: sum(t["trang_thai"] in states for t in tasks) for code, states in STATES.items()}
    out["t_total"] = len(tasks)
    out["t_evidence"] = sum(t["trang_thai"] in DONE and "minh_chung" in t for t in tasks)
    out["t_focus"] = sum(t.get("trong_tam", False) for t in tasks)
    out["t_six_clear"] = sum(all(k in t for k in ("chuc_vu", "chu_tri", "san_pham", "tham_quyen")) for t in tasks)
    out["t_moved"] = sum(t.get("lan_gia_han", 0) > 0 for t in tasks)
    out["t_obstacle"] = sum("vuong_mac" in t and t["trang_thai"] not in DONE + ("Hủy",) for t in tasks)
    return out


def wrong_count(report):
    report["data"]["tong_so"] += 1


def done_without_evidence(report):
    report["data"]["nhiem_vu"][0].update(trang_thai="Hoàn thành", tien_do=100)
    report["data"]["nhiem_vu"][0].pop("minh_chung", None)


def same_code_twice(report):
    report["data"]["nhiem_vu"].append(dict(report["data"]["nhiem_vu"][0]))
    report["data"]["tong_so"] += 1


def unclear_focus(report):
    report["data"]["nhiem_vu"][0]["trong_tam"] = True
    report["data"]["nhiem_vu"][0].pop("tham_quyen", None)


MISTAKES = [
    ("wrong-count", "INVALID", 1, wrong_count, None),
    ("done-without-evidence", "INVALID", 1, done_without_evidence, None),
    ("same-code-twice", "INVALID", 1, same_code_twice, None),
    ("unclear-focus", "INVALID", 1, unclear_focus, None),
] + plausible.MISTAKES
