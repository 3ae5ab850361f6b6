"""Plausible figures for the form nd73-quarterly, quarter after quarter, and what its indicators make of them."""
import copy
import datetime as dt

import plausible
from plausible import get

ID = "nd73-quarterly"
PROGRAMME = "nd73"
FIELDS = ["Hành chính công", "Khoa học và công nghệ", "Chuyển đổi số", "Kinh tế", "Văn hóa - xã hội", "Khác"]
MODELS = ["Tổ hỗ trợ nộp hồ sơ trực tuyến tại nhà", "Trợ lý ảo trả lời thủ tục đất đai", "Ngày thứ Sáu không giấy",
          "Trả kết quả qua bưu chính công ích", "Số hóa sổ hộ tịch của buôn"]
SLOW = {1: None, 2: None, 3: 40, 4: 65}  # percent of the budget below which an explanation is owed


class Unit:
    """What a unit carries from one quarter to the next."""

    def __init__(self, rng, kind):
        self.kind = kind
        self.staff = rng.randint(40, 160)
        self.leaders = rng.randint(6, self.staff // 3)
        self.reached = rng.randint(self.staff // 3, self.staff // 2)
        self.pending = 0
        self.allocated = rng.randint(80, 900) * 1_000_000
        self.spent = 0
        self.difficulties = []

    def period(self, rng, year, n):
        """The data of one quarter; the unit remembers it only when told so with keep()."""
        slow = n >= 3 and rng.random() < 0.1
        came = rng.randint(0, 9)
        decided = rng.randint(0, self.pending + came)
        accepted = rng.randint(0, decided)
        share = rng.randint(5, SLOW[n] - 5) if slow else rng.randint(n * 25 - 20, n * 25)
        d = {
            "ke_hoach": {"da_ban_hanh": True, "so": f"{rng.randint(10, 200)}/KH-UBND",
                         "ngay": dt.date(year, 1, rng.randint(5, 28)).isoformat()},
            "pho_bien": {"tong_so": self.staff, "da_pho_bien": min(self.staff, self.reached + rng.randint(0, 20))},
            "tuyen_truyen": {k: rng.randint(0, 12) for k in ("bao_chi", "cong_thong_tin", "ban_tin", "he_thong", "hoi_nghi")},
            "de_xuat": {"tiep_nhan": came, "chap_thuan": accepted, "khong_chap_thuan": decided - accepted,
                        "dang_xem_xet": self.pending + came - decided, "xin_y_kien_cap_uy": accepted + rng.randint(0, 2)},
            "khen_thuong": {"tap_the": rng.randint(0, 3), "ca_nhan": rng.randint(0, 6), "nang_luong": rng.randint(0, 2)},
            "dao_tao": {"truc_tiep": rng.randint(0, 80), "truc_tuyen": rng.randint(0, 150), "tong_lanh_dao": self.leaders,
                        "lanh_dao_ai": rng.randint(0, self.leaders)},
            "chuyen_gia": rng.randint(0, 8),
            "de_tai": rng.randint(0, 4),
            "kinh_phi": {"giao": self.allocated, "giai_ngan": self.allocated * max(1, share) // 100},
        }
        if rng.random() < 0.8:
            reviewed = rng.randint(1, 30)
            amend = rng.randint(0, reviewed)
            d["ra_soat"] = {"da_ra_soat": reviewed, "can_sua": amend, "da_sua": rng.randint(0, amend)}
        if rng.random() < 0.6:
            below = rng.randint(0, 2)
            cases = rng.randint(0, below)
            granted = rng.randint(0, cases)
            d["thi_diem"] = {"dang_chay": rng.randint(0, 5), "dat": rng.randint(0, 4), "khong_dat": below}
            d["bao_ve"] = {"xem_xet": cases, "duoc_bao_ve": granted, "khong_bao_ve": cases - granted}
        if rng.random() < 0.5:
            spread = rng.randint(0, 2)
            d["mo_hinh"] = {"moi": rng.randint(0, 2), "nhan_rong": spread}
            if spread:
                d["mo_hinh"]["danh_sach"] = [
                    {"ma": f"MH-{i + 1:02}", "ten": rng.choice(MODELS), "linh_vuc": rng.choice(FIELDS)} for i in range(spread)]
        if rng.random() < 0.5:
            found = rng.randint(0, 8)
            d["kiem_tra"] = {"so_cuoc": rng.randint(0, 4), "ton_tai": found, "da_khac_phuc": rng.randint(0, found)}
        plausible.difficulties(d, rng, n, self.difficulties)
        if self.kind == "department":
            d["huong_dan"] = {"van_ban": rng.randint(0, 9), "don_vi": rng.randint(0, 102)}
        return d

    def keep(self, data):
        """The report was accepted: the next quarter goes on from it."""
        self.reached = data["pho_bien"]["da_pho_bien"]
        self.pending = data["de_xuat"]["dang_xem_xet"]
        self.spent = data["kinh_phi"]["giai_ngan"]
        self.difficulties = plausible.still_open(data)


def explanations(data, n, kept):
    """The explanations that this data owes, by check."""
    limit = SLOW[n]
    money = data["kinh_phi"]
    if limit is not None and money["giai_ngan"] * 100 < money["giao"] * (n * 25 - 35):
        return {"giai-ngan-cham": "Kinh phí được giao chậm nên chưa giải ngân kịp trong kỳ."}
    return {}


def corrected(data, rng):
    """The same report with figures that a second look would mend; still right."""
    d = copy.deepcopy(data)
    d["khen_thuong"]["ca_nhan"] += rng.randint(1, 4)
    d["dao_tao"]["truc_tuyen"] += rng.randint(1, 40)
    d["pho_bien"]["da_pho_bien"] = d["pho_bien"]["tong_so"]
    return d


FIGURES = {
    "staff_total": "pho_bien.tong_so", "staff_reached": "pho_bien.da_pho_bien", "diss.press": "tuyen_truyen.bao_chi",
    "diss.portal": "tuyen_truyen.cong_thong_tin", "diss.bulletin": "tuyen_truyen.ban_tin",
    "diss.system": "tuyen_truyen.he_thong", "diss.meeting": "tuyen_truyen.hoi_nghi", "docs_reviewed": "ra_soat.da_ra_soat",
    "docs_to_amend": "ra_soat.can_sua", "docs_amended": "ra_soat.da_sua", "prop_in": "de_xuat.tiep_nhan",
    "prop_accepted": "de_xuat.chap_thuan", "prop_refused": "de_xuat.khong_chap_thuan", "prop_pending": "de_xuat.dang_xem_xet",
    "prop_party_opinion": "de_xuat.xin_y_kien_cap_uy", "pilot_running": "thi_diem.dang_chay", "pilot_done_ok": "thi_diem.dat",
    "pilot_done_below": "thi_diem.khong_dat", "protect_cases": "bao_ve.xem_xet", "protect_granted": "bao_ve.duoc_bao_ve",
    "protect_refused": "bao_ve.khong_bao_ve", "award_coll": "khen_thuong.tap_the", "award_ind": "khen_thuong.ca_nhan",
    "early_raise": "khen_thuong.nang_luong", "model_new": "mo_hinh.moi", "model_replicated": "mo_hinh.nhan_rong",
    "train.direct": "dao_tao.truc_tiep", "train.online": "dao_tao.truc_tuyen", "train.ai_leaders": "dao_tao.lanh_dao_ai",
    "leaders_total": "dao_tao.tong_lanh_dao", "experts_core": "chuyen_gia", "research_topics": "de_tai",
    "budget_alloc": "kinh_phi.giao", "budget_spent": "kinh_phi.giai_ngan", "insp_done": "kiem_tra.so_cuoc",
    "insp_findings": "kiem_tra.ton_tai", "insp_fixed": "kiem_tra.da_khac_phuc", "guidance_issued": "huong_dan.van_ban",
}

ONLY = {"guidance_issued": {"department"}}  # x-for: a nil report of another kind says nothing of these


def figures(data):
    """Code → value or None, as the form's indicators say."""
    out = {code: get(data, path) for code, path in FIGURES.items()}
    out["plan_issued"] = 1 if get(data, "ke_hoach.da_ban_hanh") else 0
    for code, a, b in (("prop_decided", "prop_accepted", "prop_refused"), ("pilot_done", "pilot_done_ok", "pilot_done_below")):
        out[code] = None if out[a] is None or out[b] is None else out[a] + out[b]
    return out


# ---- mistakes: name, what the daemon answers, from which quarter on, and the deed on the report's data or text ----

def spent_too_much(report):
    report["data"]["kinh_phi"]["giai_ngan"] = report["data"]["kinh_phi"]["giao"] * 10


def text_for_a_number(report):
    report["data"]["kinh_phi"]["giao"] = f"{report['data']['kinh_phi']['giao']:,}".replace(",", ".")


def misspelt_key(report):
    report["data"]["pho_bien"]["da_pho_bienn"] = report["data"]["pho_bien"].pop("da_pho_bien")


def missing_figure(report):
    del report["data"]["de_xuat"]["dang_xem_xet"]


def negative_figure(report):
    report["data"]["chuyen_gia"] = -1


def no_explanation(report):
    report.pop("explain", None)
    report["data"]["kinh_phi"]["giai_ngan"] = report["data"]["kinh_phi"]["giao"] // 10


def thousand_with_a_dot(text):
    return text.replace("chuyen_gia:", "chuyen_gia: 1.000 #", 1)


MISTAKES = [
    ("spent-too-much", "INVALID", 1, spent_too_much, None),
    ("text-for-a-number", "INVALID", 1, text_for_a_number, None),
    ("misspelt-key", "INVALID", 1, misspelt_key, None),
    ("missing-figure", "INVALID", 1, missing_figure, None),
    ("negative-figure", "INVALID", 1, negative_figure, None),
    ("no-explanation", "EXPLAIN", 3, no_explanation, None),
    ("thousand-with-a-dot", "PARSE", 1, None, thousand_with_a_dot),
] + plausible.MISTAKES
