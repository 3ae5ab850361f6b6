"""Plausible figures for the form nd73-annual and what its indicators make of them."""
import copy

import plausible
from plausible import get, plus

ID = "nd73-annual"
PROGRAMME = "nd73"
FIELDS = ["Hành chính công", "Khoa học và công nghệ", "Chuyển đổi số", "Kinh tế", "Văn hóa - xã hội", "Khác"]
PHASES = ["Đề xuất", "Đang thực hiện", "Đã nghiệm thu", "Dừng"]


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.staff = rng.randint(40, 160)
        self.pending = 0
        self.difficulties = []

    def period(self, rng, year, n):
        came = rng.randint(0, 30)
        decided = rng.randint(0, self.pending + came)
        accepted = rng.randint(0, decided)
        assessed = rng.randint(self.staff // 2, self.staff)
        good, fair = rng.randint(0, assessed // 3), rng.randint(0, assessed // 3)
        poor = rng.randint(0, 2)
        d = {
            "pho_bien": {"tong_so": self.staff, "da_pho_bien": rng.randint(self.staff // 2, self.staff)},
            "de_xuat": {"tiep_nhan": came, "chap_thuan": accepted, "khong_chap_thuan": decided - accepted,
                        "dang_xem_xet": self.pending + came - decided, "xin_y_kien_cap_uy": accepted + rng.randint(0, 2)},
            "xep_loai": {"xuat_sac": good, "tot": assessed - good - fair - poor, "hoan_thanh": fair, "khong_hoan_thanh": poor,
                         "duoc_danh_gia": assessed},
            "khen_thuong": {"tap_the": rng.randint(0, 9), "ca_nhan": rng.randint(0, 20), "nang_luong": rng.randint(0, 4)},
        }
        money = rng.randint(80, 900) * 1_000_000
        d["kinh_phi"] = {"giao": money, "giai_ngan": money * rng.choice([70, 91, 95, 100]) // 100}
        if rng.random() < 0.7:
            reviewed = rng.randint(1, 60)
            amend = rng.randint(0, reviewed)
            d["ra_soat"] = {"da_ra_soat": reviewed, "can_sua": amend, "da_sua": rng.randint(0, amend)}
        if rng.random() < 0.6:
            below = rng.randint(0, 3)
            cases = rng.randint(0, below)
            granted = rng.randint(0, cases)
            d["thi_diem"] = {"dang_chay": rng.randint(0, 6), "dat": rng.randint(0, 9), "khong_dat": below}
            d["bao_ve"] = {"xem_xet": cases, "duoc_bao_ve": granted, "khong_bao_ve": cases - granted}
        if rng.random() < 0.5:
            spread = rng.randint(0, 2)
            d["mo_hinh"] = {"moi": rng.randint(0, 5), "nhan_rong": spread}
            if spread:
                d["danh_sach_mo_hinh"] = [{"ma": f"MH-{i + 1:02}", "ten": "Tổ hỗ trợ nộp hồ sơ tại nhà",
                                           "linh_vuc": rng.choice(FIELDS), "hieu_qua": "Giảm một phần ba thời gian đi lại."}
                                          for i in range(spread)]
        if rng.random() < 0.6:
            direct, online = rng.randint(0, 200), rng.randint(0, 300)
            d["dao_tao"] = {"truc_tiep": direct, "truc_tuyen": online, "lanh_dao_ai": rng.randint(0, 20),
                            "dat_yeu_cau": rng.randint(0, direct + online)}
        if "thi_diem" in d:
            d["danh_sach_thi_diem"] = [{"ma": f"TD-{i + 1:02}", "ten": "Làm thủ tục tại nhà văn hóa buôn",
                                        "linh_vuc": rng.choice(FIELDS), "bat_dau": f"{year}-02-01", "kinh_phi": 20_000_000,
                                        "tinh_trang": "Đang thí điểm"} for i in range(d["thi_diem"]["dang_chay"])]
        if rng.random() < 0.5:
            found = rng.randint(0, 12)
            d["kiem_tra"] = {"so_cuoc": rng.randint(0, 9), "ton_tai": found, "da_khac_phuc": rng.randint(0, found)}
        if rng.random() < 0.6:
            d["de_tai"] = [{"ma": f"DT-{i + 1:02}", "ten": "Số hóa sổ hộ tịch của buôn", "giai_doan": rng.choice(PHASES)}
                           for i in range(rng.randint(0, 4))]
        plausible.difficulties(d, rng, n, self.difficulties)
        return d

    def keep(self, data):
        self.pending = data["de_xuat"]["dang_xem_xet"]
        self.difficulties = plausible.still_open(data)


def explanations(data, n, kept):
    money = data["kinh_phi"]
    return {"giai-ngan-cham": "Kinh phí được giao vào cuối năm."} if money["giai_ngan"] * 100 < money["giao"] * 90 else {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    d["khen_thuong"]["ca_nhan"] += rng.randint(1, 4)
    return d


FIGURES = {
    "staff_total": "pho_bien.tong_so", "staff_reached": "pho_bien.da_pho_bien", "docs_reviewed": "ra_soat.da_ra_soat",
    "docs_to_amend": "ra_soat.can_sua", "docs_amended": "ra_soat.da_sua", "prop_in": "de_xuat.tiep_nhan",
    "prop_accepted": "de_xuat.chap_thuan", "prop_refused": "de_xuat.khong_chap_thuan", "prop_pending": "de_xuat.dang_xem_xet",
    "prop_party_opinion": "de_xuat.xin_y_kien_cap_uy", "pilot_running": "thi_diem.dang_chay", "pilot_done_ok": "thi_diem.dat",
    "pilot_done_below": "thi_diem.khong_dat", "protect_cases": "bao_ve.xem_xet", "protect_granted": "bao_ve.duoc_bao_ve",
    "protect_refused": "bao_ve.khong_bao_ve", "award_coll": "khen_thuong.tap_the", "award_ind": "khen_thuong.ca_nhan",
    "early_raise": "khen_thuong.nang_luong", "model_new": "mo_hinh.moi", "model_replicated": "mo_hinh.nhan_rong",
    "train.direct": "dao_tao.truc_tiep", "train.online": "dao_tao.truc_tuyen", "train.ai_leaders": "dao_tao.lanh_dao_ai",
    "train.passed": "dao_tao.dat_yeu_cau", "rank_a": "xep_loai.xuat_sac", "rank_b": "xep_loai.tot",
    "rank_c": "xep_loai.hoan_thanh", "rank_d": "xep_loai.khong_hoan_thanh", "staff_assessed": "xep_loai.duoc_danh_gia",
    "insp_done": "kiem_tra.so_cuoc", "insp_findings": "kiem_tra.ton_tai", "insp_fixed": "kiem_tra.da_khac_phuc",
    "budget_alloc": "kinh_phi.giao", "budget_spent": "kinh_phi.giai_ngan",
}
ONLY = {}


def figures(data):
    out = {code: get(data, path) for code, path in FIGURES.items()}
    out["prop_decided"] = plus(out["prop_accepted"], out["prop_refused"])
    out["train_attended"] = plus(out["train.direct"], out["train.online"])
    out["pilot_done"] = plus(out["pilot_done_ok"], out["pilot_done_below"])
    topics = data.get("de_tai")
    out["research_topics"] = None if topics is None else len(topics)
    out["research_accepted"] = None if topics is None else sum(t["giai_doan"] == "Đã nghiệm thu" for t in topics)
    return out


def too_many_assessed(report):
    report["data"]["xep_loai"]["duoc_danh_gia"] += 1


def no_signature(report):
    del report["signed"]


MISTAKES = [
    ("too-many-assessed", "INVALID", 1, too_many_assessed, None),
    ("no-signature", "INVALID", 1, no_signature, None),
] + plausible.MISTAKES
