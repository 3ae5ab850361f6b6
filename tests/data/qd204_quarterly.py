"""Plausible figures for the form qd204-quarterly and what its indicators make of them."""
import copy

import plausible
from plausible import get

ID = "qd204-quarterly"
PROGRAMME = "qd204"
PROCEDURES = ["Chuyển sinh hoạt đảng", "Kết nạp đảng viên", "Cấp thẻ đảng viên", "Tặng Huy hiệu Đảng", "Khác"]


def part(rng, whole):
    return rng.randint(whole // 3, whole)


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.members = rng.randint(20, 900)
        self.records = rng.randint(50, 5000)
        self.difficulties = []

    def period(self, rng, year, n):
        papers, reports, meetings, posts = rng.randint(20, 600), rng.randint(1, 30), rng.randint(2, 40), rng.randint(1, 3)
        electronic, clean, came = part(rng, papers), part(rng, self.records), rng.randint(0, 60)
        direct, online = rng.randint(0, 60), rng.randint(0, 90)
        d = {
            "van_ban": {"tong": papers, "dien_tu": electronic, "ky_so": part(rng, electronic)},
            "dang_vien": {"tong": self.members, "so_tay": part(rng, self.members)},
            "hop": {"tong": meetings, "khong_giay": part(rng, meetings), "truc_tuyen": rng.randint(0, meetings)},
            "dao_tao": {"truc_tiep": direct, "truc_tuyen": online, "hoan_thanh": rng.randint(0, direct + online)},
        }
        if rng.random() < 0.8:
            d["bao_cao"] = {"tong": reports, "he_thong": part(rng, reports)}
            d["du_lieu"] = {"chia_se": rng.randint(0, 4), "ban_ghi": self.records, "da_sach": clean, "dong_bo": part(rng, clean)}
        if rng.random() < 0.6:
            systems = rng.randint(1, 5)
            d["an_toan"] = {"he_thong": systems, "phe_duyet": part(rng, systems), "su_co": rng.randint(0, 1)}
            d["nhan_luc"] = {"vi_tri": posts, "da_bo_tri": rng.randint(0, posts)}
            d["phan_anh"] = {"tiep_nhan": came, "dung_han": part(rng, came), "hai_long": part(rng, came)}
        if rng.random() < 0.8:
            d["thu_tuc"] = [self.procedure(rng, p) for p in rng.sample(PROCEDURES, rng.randint(0, 5))]
        plausible.difficulties(d, rng, n, self.difficulties)
        return d

    @staticmethod
    def procedure(rng, name):
        cases = rng.randint(0, 30)
        p = {"ma": name, "tiep_nhan": cases}
        if rng.random() < 0.7:
            p["truc_tuyen"] = part(rng, cases)
        if rng.random() < 0.7:
            p["dung_han"] = part(rng, cases)
        return p

    def keep(self, data):
        self.difficulties = plausible.still_open(data)


def explanations(data, n, kept):
    return {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    d["van_ban"]["tong"] += rng.randint(1, 9)
    return d


FIGURES = {
    "doc_total": "van_ban.tong", "doc_electronic": "van_ban.dien_tu", "doc_signed_full": "van_ban.ky_so",
    "report_total": "bao_cao.tong", "report_in_system": "bao_cao.he_thong", "party_members": "dang_vien.tong",
    "digital_members": "dang_vien.so_tay", "data_sets_shared": "du_lieu.chia_se", "records_total": "du_lieu.ban_ghi",
    "records_clean": "du_lieu.da_sach", "records_synced": "du_lieu.dong_bo", "sec_systems": "an_toan.he_thong",
    "sec_assessed": "an_toan.phe_duyet", "incidents": "an_toan.su_co", "meetings_total": "hop.tong",
    "meetings_paperless": "hop.khong_giay", "conf_sessions": "hop.truc_tuyen", "it_posts": "nhan_luc.vi_tri",
    "it_filled": "nhan_luc.da_bo_tri", "train.direct": "dao_tao.truc_tiep", "train.online": "dao_tao.truc_tuyen",
    "train.passed": "dao_tao.hoan_thanh", "pa_received": "phan_anh.tiep_nhan", "pa_ontime": "phan_anh.dung_han",
    "pa_satisfied": "phan_anh.hai_long",
}
ONLY = {}


def figures(data):
    out = {code: get(data, path) for code, path in FIGURES.items()}
    cases = data.get("thu_tuc")
    for code, field in (("party_proc_cases", "tiep_nhan"), ("party_proc_online", "truc_tuyen"), ("party_proc_ontime", "dung_han")):
        out[code] = None if cases is None else sum(c.get(field, 0) for c in cases)
    return out


def more_members_with_a_book(report):
    report["data"]["dang_vien"]["so_tay"] = report["data"]["dang_vien"]["tong"] + 1


def unknown_procedure(report):
    report["data"]["thu_tuc"] = [{"ma": "Chuyển sinh hoạt Đảng viên", "tiep_nhan": 1}]


MISTAKES = [
    ("more-members-with-a-book", "INVALID", 1, more_members_with_a_book, None),
    ("unknown-procedure", "INVALID", 1, unknown_procedure, None),
] + plausible.MISTAKES
