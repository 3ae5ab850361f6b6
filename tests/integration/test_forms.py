"""The delivered forms on reports: a good one passes with the right figures, each mistake fires its own rule."""
import base64
import copy
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

SOURCE = os.path.abspath(os.environ.get("BAOCAO_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("BAOCAO_BUILD", os.path.join(SOURCE, "build", "tests")))
BAOCAO = os.path.join(BUILD, "daemon", "baocao")
BAOCAOD = os.path.join(BUILD, "daemon", "baocaod")
SCHEMAS = os.path.join(SOURCE, "schemas")

HARD = [{"ma": "KK-01", "noi_dung": "Thiếu người vận hành.", "nguyen_nhan": "Chưa tuyển được."}]
EVIDENCE = {"loai": "Văn bản", "van_ban": {"so": "15/QĐ-UBND", "ngay": "2026-08-01"}}


def task(code, **more):
    return {"ma": code, "ten": "Số hóa hồ sơ đất đai", "trang_thai": "Đang thực hiện", "tien_do": 40,
            "thoi_han": "2026-12-31", **more}


GOOD = {
    "nd73-annual": ("66", "24133", "2026", {
        "pho_bien": {"tong_so": 40, "da_pho_bien": 38},
        "ra_soat": {"da_ra_soat": 9, "can_sua": 4, "da_sua": 3},
        "de_xuat": {"tiep_nhan": 9, "chap_thuan": 5, "khong_chap_thuan": 3, "dang_xem_xet": 1, "xin_y_kien_cap_uy": 5},
        "thi_diem": {"dang_chay": 1, "dat": 3, "khong_dat": 1},
        "bao_ve": {"xem_xet": 1, "duoc_bao_ve": 1, "khong_bao_ve": 0},
        "mo_hinh": {"moi": 2, "nhan_rong": 1},
        "danh_sach_mo_hinh": [{"ma": "MH-1", "ten": "Tổ số cộng đồng", "linh_vuc": "Chuyển đổi số",
                               "hieu_qua": "Giảm nửa thời gian."}],
        "dao_tao": {"truc_tiep": 10, "truc_tuyen": 20, "lanh_dao_ai": 4, "dat_yeu_cau": 25},
        "xep_loai": {"xuat_sac": 6, "tot": 20, "hoan_thanh": 10, "khong_hoan_thanh": 1, "duoc_danh_gia": 37},
        "kiem_tra": {"so_cuoc": 2, "ton_tai": 3, "da_khac_phuc": 3},
        "kinh_phi": {"giao": 200000000, "giai_ngan": 190000000},
        "de_tai": [{"ma": "DT-1", "ten": "Cải cách một cửa", "giai_doan": "Đã nghiệm thu"}],
        "kho_khan": HARD,
    }, {"coverage": 95, "acceptance_rate": 62.5, "pilot_success": 75, "spend_rate": 95, "excellent_share": 16.22,
        "research_accepted": 1}),
    "nq57-indicators": ("66", "24133", "2026-Q3", {
        "tthc": {"tong": 300, "toan_trinh": 120, "mot_phan": 90},
        "ho_so": {"tiep_nhan": 1000, "truc_tuyen": 640, "dung_han": 930, "qua_han": 20, "dang_xu_ly": 50,
                  "co_phi": 400, "thanh_toan": 300},
        "hai_long": {"khao_sat": 80, "hai_long": 76},
        "van_ban": {"tong": 500, "dien_tu": 490, "ky_so": 450},
        "bao_cao": {"tong": 20, "he_thong": 18},
        "nhan_luc": {"vi_tri": 2, "da_bo_tri": 1},
        "trung_tam": {"so_luong": 2, "du_thiet_bi": 1, "wifi": 9},
        "hoc_vu": {"dang_ky": 90, "hoan_thanh": 60, "to_cong_nghe": 12},
        "du_lieu": {"chia_se": 3, "ban_ghi": 5000, "da_sach": 4000},
        "an_toan": {"he_thong": 4, "phe_duyet": 4, "su_co": 0},
        "khcn": {"giao": 500000000, "da_chi": 300000000, "de_tai": 1},
        "dang_vien": {"tong": 310, "so_tay": 250, "thu_tuc": 4},
        "kho_khan": HARD,
    }, {"hs_online_rate": 64, "hs_ontime_rate": 97.89, "satisfaction_rate": 95, "doc_signed_rate": 90,
        "records_clean_rate": 80, "centre_rate": 50, "hs_settled": 950}),
    "qd204-quarterly": ("66", "TU66.04", "2026-Q3", {
        "van_ban": {"tong": 200, "dien_tu": 190, "ky_so": 180},
        "bao_cao": {"tong": 10, "he_thong": 9},
        "dang_vien": {"tong": 60, "so_tay": 57},
        "du_lieu": {"chia_se": 2, "ban_ghi": 900, "da_sach": 800, "dong_bo": 700},
        "an_toan": {"he_thong": 2, "phe_duyet": 2},
        "hop": {"tong": 12, "khong_giay": 9},
        "nhan_luc": {"vi_tri": 2, "da_bo_tri": 2},
        "dao_tao": {"truc_tiep": 20, "truc_tuyen": 10, "hoan_thanh": 28},
        "phan_anh": {"tiep_nhan": 5, "dung_han": 5, "hai_long": 4},
        "thu_tuc": [{"ma": "Kết nạp đảng viên", "tiep_nhan": 8, "truc_tuyen": 6, "dung_han": 8},
                    {"ma": "Cấp thẻ đảng viên", "tiep_nhan": 2}],
        "kho_khan": HARD,
    }, {"doc_signed_rate": 90, "digital_member_rate": 95, "paperless_rate": 75, "party_proc_cases": 10,
        "party_proc_online": 6, "party_proc_online_rate": 60}),
    "nq57-tasks": ("66", "24133", "2026-09", {
        "tong_so": 4,
        "nhiem_vu": [
            task("NV-01", trong_tam=True, chuc_vu="Chủ tịch", chu_tri="Ủy ban nhân dân phường", san_pham="Kho dữ liệu",
                 tham_quyen="Ủy ban nhân dân phường"),
            task("NV-02", trang_thai="Hoàn thành", tien_do=100, minh_chung=EVIDENCE, ngay_hoan_thanh="2026-08-20"),
            task("NV-03", trang_thai="Quá hạn", thoi_han="2026-08-31", vuong_mac="Chưa có kinh phí."),
            task("NV-04", trang_thai="Hủy"),
        ],
    }, {"t_total": 4, "t_doing": 1, "t_done_ontime": 1, "t_overdue": 1, "t_cancelled": 1, "t_focus": 1,
        "t_six_clear": 1, "t_obstacle": 1, "t_done_rate": 25, "t_evidence_rate": 100}),
    "hn-kpi-monthly": ("01", "TU01.04", "2026-09", {
        "san_pham": {"giao": 40, "hoan_thanh": 38.5, "dat_chat_luong": 37.5, "dung_han": 36, "lan_khong_dat": 2,
                     "lan_cham": 4},
        "diem": {"nhiem_vu": 65.33, "chung": 27.5, "tong": 92.83},
        "nhan_su": {"tong": 30, "duoc_danh_gia": 29, "xuat_sac": 5, "tot": 20, "hoan_thanh": 4, "khong_hoan_thanh": 0},
        "minh_chung": {"he_thong": 300, "nhap_tay": 100},
        "phan_anh": {"tiep_nhan": 10, "dung_han": 8, "qua_han": 1, "dang_xu_ly": 1, "khao_sat": 5, "hai_long": 5},
        "canh_bao": {"phat_ra": 5, "xac_nhan": 3, "sai": 1},
        "csdl": {"dang_vien": 900, "sach": 890, "dong_bo": 880},
        "hoc_vien": {"dang_hoc": 20, "chung_chi": 12},
        "gio_cong": 176.5,
        "thu_tuc": [{"ma": "Kết nạp đảng viên", "ho_so": 4, "dung_han": 4}],
    }, {"wk_done": 38.5, "score_total": 92.83, "manual_share": 25, "pa_satisfied_rate": 100, "hours_avg": 176.5,
        "party_proc_ontime_rate": 100}),
    "hn-okr-quarterly": ("01", "TU01.04", "2026-Q3", {
        "muc_tieu": [
            {"ma": "O1", "ten": "Số hóa hồ sơ đảng viên", "trong_so": 60, "kr": [
                {"ma": "KR1", "ten": "Tỷ lệ số hóa", "goc": 40, "chi_tieu": 100, "thuc_te": 70, "trong_so": 50,
                 "chieu": "Tăng"},
                {"ma": "KR2", "ten": "Số ngày xử lý", "goc": 10, "chi_tieu": 5, "thuc_te": 5, "trong_so": 50,
                 "chieu": "Giảm"}]},
            {"ma": "O2", "ten": "Đào tạo kỹ năng số", "trong_so": 40, "kr": [
                {"ma": "KR1", "ten": "Người đạt chứng chỉ", "goc": 0, "chi_tieu": 20, "thuc_te": 30, "trong_so": 100}]},
        ],
        "diem": 85,
    }, {"okr_objectives": 2, "okr_results": 3, "okr_reached": 2, "okr_score": 85, "okr_reached_rate": 66.67}),
}

# form, path of the member, its value, the rule that must fire, its severity
WRONG = [
    ("nd73-annual", "pho_bien.da_pho_bien", 41, "pho-bien-khong-qua-tong"),
    ("nd73-annual", "de_xuat.xin_y_kien_cap_uy", 4, "xin-y-kien-truoc-khi-chap-thuan"),
    ("nd73-annual", "bao_ve.duoc_bao_ve", 2, "bao-ve-khong-qua-xem-xet"),
    ("nd73-annual", "thi_diem.khong_dat", 0, "bao-ve-khi-khong-dat"),
    ("nd73-annual", "xep_loai.tot", 21, "xep-loai-du"),
    ("nd73-annual", "danh_sach_mo_hinh", [], "nhan-rong-co-danh-sach"),
    ("nd73-annual", "kinh_phi.giai_ngan", 100000000, "giai-ngan-cham"),
    ("nq57-indicators", "tthc.mot_phan", 200, "tthc-khong-qua-tong"),
    ("nq57-indicators", "ho_so.truc_tuyen", 1001, "truc-tuyen-khong-qua-tiep-nhan"),
    ("nq57-indicators", "van_ban.ky_so", 495, "van-ban-ky-so"),
    ("nq57-indicators", "du_lieu.da_sach", 5001, "lam-sach-khong-qua-ban-ghi"),
    ("nq57-indicators", "hoc_vu.hoan_thanh", 91, "hoan-thanh-khong-qua-dang-ky"),
    ("qd204-quarterly", "du_lieu.dong_bo", 801, "du-lieu-sach"),
    ("qd204-quarterly", "thu_tuc.0.truc_tuyen", 9, "thu-tuc-truc-tuyen"),
    ("qd204-quarterly", "hop.khong_giay", 13, "khong-giay-khong-qua-tong"),
    ("qd204-quarterly", "bao_cao.he_thong", 4, "bao-cao-giay"),
    ("nq57-tasks", "tong_so", 5, "tong-so-khop"),
    ("nq57-tasks", "nhiem_vu.1.tien_do", 90, "hoan-thanh-du-dieu-kien"),
    ("nq57-tasks", "nhiem_vu.1.minh_chung", None, "hoan-thanh-du-dieu-kien"),
    ("nq57-tasks", "nhiem_vu.1.ngay_hoan_thanh", "2027-01-02", "hoan-thanh-cham"),
    ("nq57-tasks", "nhiem_vu.0.tien_do", 100, "du-100-phai-hoan-thanh"),
    ("nq57-tasks", "nhiem_vu.0.tham_quyen", None, "sau-ro"),
    ("nq57-tasks", "nhiem_vu.2.trang_thai", "Đang thực hiện", "qua-han-phai-ghi"),
    ("nq57-tasks", "nhiem_vu.0.lan_gia_han", 3, "gia-han-nhieu"),
    ("nq57-tasks", "nhiem_vu.0.tien_do", 85, "gan-xong-chua-co-san-pham"),
    ("hn-kpi-monthly", "san_pham.dat_chat_luong", 38.25, "chat-luong-da-tru"),
    ("hn-kpi-monthly", "san_pham.dung_han", 38, "tien-do-da-tru"),
    ("hn-kpi-monthly", "diem.nhiem_vu", 69, "diem-nhiem-vu"),
    ("hn-kpi-monthly", "diem.tong", 93, "tong-diem"),
    ("hn-kpi-monthly", "nhan_su.tot", 21, "xep-loai-du"),
    ("hn-kpi-monthly", "minh_chung.nhap_tay", 301, "nhap-tay-nhieu"),
    ("hn-kpi-monthly", "canh_bao.sai", 3, "canh-bao-khop"),
    ("hn-okr-quarterly", "muc_tieu.0.trong_so", 70, "trong-so-muc-tieu"),
    ("hn-okr-quarterly", "muc_tieu.0.kr.0.trong_so", 40, "trong-so-ket-qua"),
    ("hn-okr-quarterly", "muc_tieu.0.kr.0.chi_tieu", 40, "chi-tieu-khac-goc"),
    ("hn-okr-quarterly", "muc_tieu.0.kr.1.chieu", "Tăng", "chieu-khop"),
    ("hn-okr-quarterly", "diem", 60, "diem-khop"),
]

# form, the change from the report before to this one, the rule that must fire
HISTORY = [
    ("nq57-tasks", "nhiem_vu.0.tien_do", 30, "tien-do-lui"),
    ("nq57-tasks", "nhiem_vu.0.thoi_han", "2027-06-30", "doi-han-co-quyet-dinh"),
    ("nq57-tasks", "nhiem_vu.0.ma", "NV-09", "khong-bo-sot"),
    ("nq57-tasks", "nhiem_vu.0.trong_tam", True, "dam-chan"),
    ("nq57-indicators", "ho_so.dang_xu_ly", 51, "can-doi-ho-so"),
    ("nq57-indicators", "kho_khan", [], "kho-khan-bo-sot"),
    ("hn-okr-quarterly", "muc_tieu.0.kr.0.thuc_te", 60, "ket-qua-lui"),
    ("hn-okr-quarterly", "muc_tieu.1.ma", "O9", "khong-bo-sot"),
    ("hn-kpi-monthly", "phan_anh.dang_xu_ly", 7, "can-doi-phan-anh"),
    ("nd73-annual", "de_xuat.dang_xem_xet", 5, "can-doi-de-xuat"),
]
BEFORE = {"2026": "2025", "2026-Q3": "2026-Q2", "2026-09": "2026-08"}


def set_path(data, path, value):
    data = copy.deepcopy(data)
    at = data
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return data


def report(form, period, data):
    _, unit, _, _, _ = GOOD[form]
    return base64.b64encode(json.dumps({
        "form": form, "unit": unit, "period": period, "data": data,
        "signed": {"position": "Chủ tịch", "number": "12/BC", "date": "2026-09-16"}}).encode()).decode()


def judge(form, data, history=()):
    province, _, period, _, _ = GOOD[form]
    folder = next(n for n in os.listdir(os.path.join(SCHEMAS, "provinces")) if n.startswith(province))
    request = {"id": "1", "b64": report(form, period, data),
               "history": [report(form, BEFORE[period], old) for old in history]}
    answer = subprocess.run([BAOCAO, "check", "--batch", "--forms", SCHEMAS, "--province",
                             os.path.join(SCHEMAS, "provinces", folder)], input=json.dumps(request) + "\n",
                            capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("form", GOOD)
def test_a_good_report_passes_with_its_figures(form):
    verdict = judge(form, GOOD[form][3])
    assert verdict["verdict"] == "valid", [f["message"]["vi"] for f in verdict["findings"]]
    got = {code: verdict["indicators"][code] for code in GOOD[form][4]}
    assert got == GOOD[form][4]


@pytest.mark.parametrize("form,path,value,rule", WRONG)
def test_each_rule_fires(form, path, value, rule):
    verdict = judge(form, set_path(GOOD[form][3], path, value))
    fired = [f for f in verdict["findings"] if f["check"] == rule]
    assert fired, verdict["findings"]
    assert fired[0]["message"]["vi"] and "{" not in fired[0]["message"]["vi"] + fired[0]["message"]["en"]


@pytest.mark.parametrize("form,path,value,rule", HISTORY)
def test_rules_that_look_back_fire(form, path, value, rule):
    before = GOOD[form][3]
    verdict = judge(form, set_path(before, path, value), [before])
    if BEFORE[GOOD[form][2]] == "2025":  # no version was in force then: the rule cannot run
        assert verdict["unjudged"] == 0
        return
    assert verdict["unjudged"] == 0
    assert rule in {f["check"] for f in verdict["findings"]}, verdict["findings"]


def read(name):
    with open(os.path.join(SCHEMAS, name), encoding="utf-8") as f:
        return f.read()


def test_the_example_of_the_readme_works(tmp_path):
    form, example = re.findall(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL)[:2]
    (tmp_path / "ho-so-thang.v1.yaml").write_text(form, encoding="utf-8")
    path = tmp_path / "samples" / "a.yaml"
    path.parent.mkdir()
    path.write_text(example, encoding="utf-8")
    answer = subprocess.run([BAOCAO, "check", str(path), "--forms", str(tmp_path)], capture_output=True, text=True,
                            timeout=60, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_readme_s_pieces_make_one_form(tmp_path):
    """Typed one after the other, as an author would."""
    pieces = [yaml.safe_load(p) for p in re.findall(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL)]
    form = pieces[0] | pieces[2] | {"period": {"type": "month", "calendar": "nd09"}}
    form["schema"]["properties"] |= pieces[3]
    form["checks"] = pieces[4]["checks"] + pieces[5]
    form |= pieces[6] | pieces[7]
    path = tmp_path / "ho-so-thang.v1.yaml"
    path.write_text(yaml.safe_dump(form, allow_unicode=True, sort_keys=False), encoding="utf-8")
    shutil.copy(os.path.join(SCHEMAS, "common.yaml"), tmp_path)
    config = tmp_path / "c.yaml"
    config.write_text(f"paths:\n  forms: {tmp_path}\n  province: {SCHEMAS}/provinces/66-dak-lak\n", encoding="utf-8")
    for command in ([BAOCAOD, "--config", str(config), "forms", "check"],
                    [BAOCAO, "validate", "--schema", os.path.join(SCHEMAS, "form.schema.yaml"), str(path)]):
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_manual_shows_what_the_program_says(tmp_path):
    """The slip that the manual of checks begins with, to the letter."""
    shown = re.search(r"```\n(nd73-quarterly.*?)```", read("CHECKS.md"), re.DOTALL).group(1)
    right, wrong = "rule: self.kinh_phi.giai_ngan <= ", "rule: self.kinh_phi.giai_ngam <= "
    text = read("nd73/nd73-quarterly.v1.yaml").replace("\nversion: 1\n", "\nversion: 2\n").replace(right, wrong)
    (tmp_path / "nd73-quarterly.v2.yaml").write_text(text, encoding="utf-8")
    shutil.copy(os.path.join(SCHEMAS, "common.yaml"), tmp_path)
    config = tmp_path / "c.yaml"
    config.write_text(f"paths:\n  forms: {tmp_path}\n  province: {SCHEMAS}/provinces/66-dak-lak\n", encoding="utf-8")
    answer = subprocess.run([BAOCAOD, "--config", str(config), "forms", "check"], capture_output=True, text=True, timeout=60,
                            check=False)
    assert answer.returncode == 1 and shown in (answer.stdout + answer.stderr).replace(f"{tmp_path}/", "")


def test_coverage_names_what_exists():
    codes, rules = set(), set()
    for folder, _, names in os.walk(SCHEMAS):
        for name in names:
            if re.search(r"\.v\d+\.yaml$", name):
                text = read(os.path.join(folder, name))
                codes |= set(re.findall(r"- code: (\S+)", text))
                rules |= set(re.findall(r"- id: (\S+)", text))
                codes |= set(re.findall(r"^ +([a-z_]+):$", text, re.MULTILINE))
    named = set(re.findall(r"(?<![\w.])[a-z]+(?:[_.][a-z0-9]+)+", read("COVERAGE.md"))) - {"units.yaml"}
    assert len(named) > 100
    assert {n for n in named if n not in codes and n.split(".")[0] not in codes} == set()
    forms = {"hn-kpi-monthly", "hn-okr-quarterly"}
    assert set(re.findall(r"\b[a-z]+(?:-[a-z0-9]+){2,}\b", read("COVERAGE.md"))) - forms <= rules
