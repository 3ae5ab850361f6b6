"""Plausible figures for the form hn-kpi-monthly and what its indicators make of them. Decree 335's score is computed
here with fractions."""
import copy
from fractions import Fraction

import plausible
from plausible import get, plus

ID = "hn-kpi-monthly"
PROGRAMME = "hn-kpi"
PROCEDURES = ["Chuyển sinh hoạt đảng", "Kết nạp đảng viên", "Cấp thẻ đảng viên", "Tặng Huy hiệu Đảng"]


def part(rng, whole):
    return rng.randint(whole // 3, whole)


def hundredths(x):
    """A YAML number of at most two decimals."""
    return x // 100 if x % 100 == 0 else x / 100


def cents(number):
    return int(Fraction(str(number)) * 100)


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.staff = rng.randint(20, 90)
        self.members = rng.randint(20, 400)
        self.pending = None
        self.difficulties = []

    def period(self, rng, year, n):
        assigned = rng.randint(1000, 90000)
        done = rng.randint(assigned * 8 // 10, assigned)
        failed, slow = rng.randint(0, 3), rng.randint(0, 3)
        quality = rng.randint(done * 8 // 10, max(done * 8 // 10, done - 25 * failed))
        quality = min(quality, done - 25 * failed)
        on_time = min(rng.randint(done * 8 // 10, done), done - 25 * slow)
        score = rounded(Fraction(70 * (done + quality + on_time), 3 * assigned))
        common = rng.randint(2000, 3000)
        assessed = rng.randint(self.staff // 2, self.staff)
        a, b, c = (rng.randint(0, assessed // 4) for _ in range(3))
        d = {
            "san_pham": {"giao": hundredths(assigned), "hoan_thanh": hundredths(done), "dat_chat_luong": hundredths(quality),
                         "dung_han": hundredths(on_time), "lan_khong_dat": failed, "lan_cham": slow},
            "diem": {"nhiem_vu": hundredths(score), "chung": hundredths(common), "tong": hundredths(score + common)},
            "nhan_su": {"tong": self.staff, "duoc_danh_gia": assessed, "xuat_sac": a, "tot": assessed - a - b - c,
                        "hoan_thanh": b, "khong_hoan_thanh": c},
            "minh_chung": {"he_thong": rng.randint(10, 400), "nhap_tay": rng.randint(0, 9)},
        }
        if rng.random() < 0.8:
            before = self.pending if self.pending is not None else rng.randint(0, 9)
            came = rng.randint(0, 60)
            answered = rng.randint(0, before + came)
            late, asked = rng.randint(0, answered // 5), rng.randint(0, 30)
            d["phan_anh"] = {"tiep_nhan": came, "dung_han": answered - late, "qua_han": late,
                             "dang_xu_ly": before + came - answered, "khao_sat": asked, "hai_long": part(rng, asked)}
        if rng.random() < 0.7:
            d["so_hoa"] = {"hop_khong_giay": rng.randint(0, 9), "bao_cao_so": rng.randint(0, 20), "ky_so": rng.randint(0, 300)}
            raised = rng.randint(0, 9)
            right = rng.randint(0, raised)
            d["canh_bao"] = {"phat_ra": raised, "xac_nhan": right, "da_xu_ly": rng.randint(0, right),
                             "sai": rng.randint(0, raised - right)}
            d["kiem_tra"] = {"ke_hoach": rng.randint(0, 4), "da_lam": rng.randint(0, 4), "phong_ngua": rng.randint(0, 2)}
        if rng.random() < 0.7:
            clean, learners = part(rng, self.members), rng.randint(0, 40)
            d["csdl"] = {"dang_vien": self.members, "sach": clean, "dong_bo": part(rng, clean)}
            d["bien_dong"] = {k: rng.randint(0, 4) for k in ("vao", "ra", "len", "xuong")}
            d["hoc_vien"] = {"dang_hoc": learners, "chung_chi": rng.randint(0, learners)}
            d["gio_cong"] = rng.randint(1500, 2000) / 10
        if rng.random() < 0.7:
            d["thu_tuc"] = [{"ma": p, "ho_so": h, "dung_han": part(rng, h)} for p, h in
                            ((p, rng.randint(0, 20)) for p in rng.sample(PROCEDURES, rng.randint(0, 4)))]
        plausible.difficulties(d, rng, n, self.difficulties)
        return d

    def keep(self, data):
        self.pending = get(data, "phan_anh.dang_xu_ly")
        self.difficulties = plausible.still_open(data)


def rounded(x):
    """Hundredths of a score, half away from zero."""
    return int(x * 100 + Fraction(1, 2))


def explanations(data, n, kept):
    return {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    d["minh_chung"]["he_thong"] += rng.randint(1, 9)
    return d


FIGURES = {
    "wk_assigned": "san_pham.giao", "wk_done": "san_pham.hoan_thanh", "wk_quality_ok": "san_pham.dat_chat_luong",
    "wk_ontime": "san_pham.dung_han", "fail_quality": "san_pham.lan_khong_dat", "delay_count": "san_pham.lan_cham",
    "score_task": "diem.nhiem_vu", "score_common": "diem.chung", "score_total": "diem.tong", "hours_avg": "gio_cong",
    "staff_total": "nhan_su.tong", "staff_assessed": "nhan_su.duoc_danh_gia", "rank_a": "nhan_su.xuat_sac",
    "rank_b": "nhan_su.tot", "rank_c": "nhan_su.hoan_thanh", "rank_d": "nhan_su.khong_hoan_thanh",
    "evidence_system": "minh_chung.he_thong", "evidence_manual": "minh_chung.nhap_tay",
    "meetings_paperless": "so_hoa.hop_khong_giay", "reports_digital": "so_hoa.bao_cao_so", "signed_full": "so_hoa.ky_so",
    "pa_received": "phan_anh.tiep_nhan", "pa_ontime": "phan_anh.dung_han", "pa_late": "phan_anh.qua_han",
    "pa_pending": "phan_anh.dang_xu_ly", "pa_surveyed": "phan_anh.khao_sat", "pa_satisfied": "phan_anh.hai_long",
    "warn_raised": "canh_bao.phat_ra", "warn_confirmed": "canh_bao.xac_nhan", "warn_handled": "canh_bao.da_xu_ly",
    "warn_false": "canh_bao.sai", "insp_plan": "kiem_tra.ke_hoach", "insp_done": "kiem_tra.da_lam",
    "insp_prevented": "kiem_tra.phong_ngua", "rec_members": "csdl.dang_vien", "rec_clean": "csdl.sach",
    "rec_synced": "csdl.dong_bo", "move_in": "bien_dong.vao", "move_out": "bien_dong.ra", "move_up": "bien_dong.len",
    "move_down": "bien_dong.xuong", "academy_enrolled": "hoc_vien.dang_hoc", "academy_certified": "hoc_vien.chung_chi",
}
ONLY = {}


def figures(data):
    out = {code: get(data, path) for code, path in FIGURES.items()}
    out["evidence_total"] = plus(out["evidence_system"], out["evidence_manual"])
    out["pa_answered"] = plus(out["pa_ontime"], out["pa_late"])
    cases = data.get("thu_tuc")
    out["party_proc_cases"] = None if cases is None else sum(c["ho_so"] for c in cases)
    out["party_proc_ontime"] = None if cases is None else sum(c["dung_han"] for c in cases)
    return out


def wrong_total(report):
    report["data"]["diem"]["tong"] = hundredths(cents(report["data"]["diem"]["tong"]) - 1)


def wrong_score(report):
    score = report["data"]["diem"]
    score["nhiem_vu"] = hundredths(cents(score["nhiem_vu"]) - 1000)
    score["tong"] = hundredths(cents(score["tong"]) - 1000)


def failures_not_taken_off(report):
    report["data"]["san_pham"]["lan_khong_dat"] = 1
    report["data"]["san_pham"]["dat_chat_luong"] = report["data"]["san_pham"]["hoan_thanh"]


def no_signature(report):
    del report["signed"]


MISTAKES = [
    ("wrong-total", "INVALID", 1, wrong_total, None),
    ("wrong-score", "EXPLAIN", 1, wrong_score, None),
    ("failures-not-taken-off", "INVALID", 1, failures_not_taken_off, None),
    ("no-signature", "INVALID", 1, no_signature, None),
] + plausible.MISTAKES
