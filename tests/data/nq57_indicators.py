"""Plausible figures for the form nq57-indicators, quarter after quarter, and what its indicators make of them."""
import copy

import plausible
from plausible import get, plus

ID = "nq57-indicators"
PROGRAMME = "nq57"


def part(rng, whole):
    return rng.randint(whole // 3, whole)


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.procedures = rng.randint(60, 400)
        self.pending = None
        self.records = rng.randint(500, 90000)
        self.members = rng.randint(20, 900)
        self.money = rng.randint(50, 500) * 1_000_000
        self.difficulties = []

    def period(self, rng, year, n):
        before = self.pending if self.pending is not None else rng.randint(0, 40)
        came = rng.randint(20, 3000)
        settled = rng.randint((before + came) // 2, before + came)
        late = rng.randint(0, settled // 20)
        fee, asked, papers = rng.randint(0, came), rng.randint(0, 300), rng.randint(30, 900)
        electronic, reports, posts = part(rng, papers), rng.randint(1, 40), rng.randint(1, 3)
        full = rng.randint(self.procedures // 4, self.procedures // 2)
        d = {
            "tthc": {"tong": self.procedures, "toan_trinh": full, "mot_phan": rng.randint(0, self.procedures - full)},
            "ho_so": {"tiep_nhan": came, "truc_tuyen": part(rng, came), "dung_han": settled - late, "qua_han": late,
                      "dang_xu_ly": before + came - settled, "co_phi": fee, "thanh_toan": part(rng, fee)},
            "van_ban": {"tong": papers, "dien_tu": electronic, "ky_so": part(rng, electronic)},
            "hai_long": {"khao_sat": asked, "hai_long": part(rng, asked)},
            "bao_cao": {"tong": reports, "he_thong": part(rng, reports)},
            "nhan_luc": {"vi_tri": posts, "da_bo_tri": rng.randint(0, posts)},
            "du_lieu": {"chia_se": rng.randint(0, 6), "ban_ghi": self.records, "da_sach": part(rng, self.records)},
            "khcn": {"giao": self.money, "da_chi": self.money * rng.randint(n * 10, n * 25) // 100, "de_tai": rng.randint(0, 5)},
        }
        if rng.random() < 0.8:
            d["so_hoa"] = {"ho_so": part(rng, came), "ket_qua": part(rng, settled)}
            d["duong_truyen"] = {"so_duong": 1, "mbps": rng.choice([100, 200, 500]), "gian_doan": rng.randint(0, 600)}
            d["hoi_nghi"] = {"diem_cau": rng.randint(0, 1), "phien": rng.randint(0, 12)}
        if rng.random() < 0.6:
            learners, systems = rng.randint(0, 500), rng.randint(1, 9)
            d["hoc_vu"] = {"dang_ky": learners, "hoan_thanh": part(rng, learners), "to_cong_nghe": rng.randint(1, 12)}
            d["an_toan"] = {"he_thong": systems, "phe_duyet": part(rng, systems), "su_co": rng.randint(0, 2)}
            d["doi_moi"] = {"khoi_nghiep": rng.randint(0, 3), "sang_che": rng.randint(0, 1), "sang_kien": rng.randint(0, 8)}
        if rng.random() < 0.7:
            d["dang_vien"] = {"tong": self.members, "so_tay": part(rng, self.members), "thu_tuc": rng.randint(0, 9)}
            d["ung_dung"] = {"nguoi_dung": rng.randint(0, 5000), "dich_vu": rng.randint(0, 30)}
        if self.kind != "department" and rng.random() < 0.9:
            centres = rng.randint(1, 2)
            d["trung_tam"] = {"so_luong": centres, "du_thiet_bi": rng.randint(0, centres), "wifi": rng.randint(0, 9)}
        plausible.difficulties(d, rng, n, self.difficulties)
        return d

    def keep(self, data):
        self.pending = data["ho_so"]["dang_xu_ly"]
        self.difficulties = plausible.still_open(data)


def explanations(data, n, kept):
    return {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    d["hai_long"]["khao_sat"] += rng.randint(1, 30)
    d["khcn"]["de_tai"] += 1
    return d


FIGURES = {
    "tthc_total": "tthc.tong", "tthc_full_online": "tthc.toan_trinh", "tthc_partial": "tthc.mot_phan",
    "hs_received": "ho_so.tiep_nhan", "hs_online": "ho_so.truc_tuyen", "hs_ontime": "ho_so.dung_han", "hs_late": "ho_so.qua_han",
    "hs_pending": "ho_so.dang_xu_ly", "hs_fee": "ho_so.co_phi", "pay_online": "ho_so.thanh_toan", "hs_digitised": "so_hoa.ho_so",
    "result_digitised": "so_hoa.ket_qua", "surveyed": "hai_long.khao_sat", "satisfied": "hai_long.hai_long",
    "doc_total": "van_ban.tong", "doc_electronic": "van_ban.dien_tu", "doc_signed_full": "van_ban.ky_so",
    "report_total": "bao_cao.tong", "report_in_system": "bao_cao.he_thong", "it_posts": "nhan_luc.vi_tri",
    "it_filled": "nhan_luc.da_bo_tri", "line_dedicated": "duong_truyen.so_duong", "line_mbps": "duong_truyen.mbps",
    "line_outage_min": "duong_truyen.gian_doan", "conf_connected": "hoi_nghi.diem_cau", "conf_sessions": "hoi_nghi.phien",
    "learn_registered": "hoc_vu.dang_ky", "learn_completed": "hoc_vu.hoan_thanh", "comm_teams": "hoc_vu.to_cong_nghe",
    "data_sets_shared": "du_lieu.chia_se", "records_total": "du_lieu.ban_ghi", "records_clean": "du_lieu.da_sach",
    "sec_systems": "an_toan.he_thong", "sec_assessed": "an_toan.phe_duyet", "incidents": "an_toan.su_co",
    "startups": "doi_moi.khoi_nghiep", "patents": "doi_moi.sang_che", "initiatives_57": "doi_moi.sang_kien",
    "party_members": "dang_vien.tong", "digital_members": "dang_vien.so_tay", "party_proc_online": "dang_vien.thu_tuc",
    "app_users": "ung_dung.nguoi_dung", "app_services": "ung_dung.dich_vu", "centre_total": "trung_tam.so_luong",
    "centre_equipped": "trung_tam.du_thiet_bi", "wifi_points": "trung_tam.wifi", "rd_budget": "khcn.giao",
    "rd_spent": "khcn.da_chi", "topics": "khcn.de_tai",
}
ONLY = {}


def figures(data):
    out = {code: get(data, path) for code, path in FIGURES.items()}
    out["hs_settled"] = plus(out["hs_ontime"], out["hs_late"])
    return out


def more_online_than_received(report):
    report["data"]["ho_so"]["truc_tuyen"] = report["data"]["ho_so"]["tiep_nhan"] + 1


def missing_part(report):
    del report["data"]["van_ban"]


def too_many_posts_filled(report):
    report["data"]["nhan_luc"]["da_bo_tri"] = report["data"]["nhan_luc"]["vi_tri"] + 1


def fraction_for_a_count(report):
    report["data"]["bao_cao"]["tong"] += 0.5


MISTAKES = [
    ("more-online-than-received", "INVALID", 1, more_online_than_received, None),
    ("missing-part", "INVALID", 1, missing_part, None),
    ("too-many-posts-filled", "EXPLAIN", 1, too_many_posts_filled, None),
    ("fraction-for-a-count", "INVALID", 1, fraction_for_a_count, None),
] + plausible.MISTAKES
