"""What a form marks x-personal stays in the report: in no total, collected part, warning, alert, export, table that
people read, or log."""
import datetime as dt
import json
import urllib.request
import zlib

from brp import Client

TODAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
MONTH = (TODAY + dt.timedelta(17)).strftime("%Y-%m") if TODAY.day >= 15 else TODAY.strftime("%Y-%m")  # 15th to 14th
NAME, PHONE = "Hàng Mã Thử", "0262 000 1234"
PATHS = ["rollups?form={form}&scope=66", "rollups.csv?form={form}&scope=66&span=2026&units=today", "trend?form={form}&scope=66",
         "status?form={form}", "missing?form={form}", "reports?form={form}", "reports.csv?form={form}&units=today", "alerts",
         "indicators.csv?form={form}"]


def task(number, **more):
    return {"ma": f"NV-{number:02}", "ten": "Số hóa sổ hộ tịch", "ho_ten": NAME, "chuc_vu": "Trưởng phòng",
            "thoi_han": (TODAY + dt.timedelta(300)).isoformat(), "trang_thai": "Đang thực hiện", "tien_do": 85, "vuong_mac": "Chưa được giao kinh phí.",
            **more}


def tasks(**more):
    return {"form": "nq57-tasks", "unit": "H15.02", "period": MONTH, "data": {"tong_so": 1, "nhiem_vu": [task(1, **more)]}}


def quarter(**more):
    data = {"ke_hoach": {"da_ban_hanh": False}, "pho_bien": {"tong_so": 50, "da_pho_bien": 40},
            "de_xuat": {"tiep_nhan": 0, "chap_thuan": 0, "khong_chap_thuan": 0, "dang_xem_xet": 0, "xin_y_kien_cap_uy": 0},
            "dau_moi": {"ho_ten": NAME, "dien_thoai": PHONE},
            "kho_khan": [{"ma": "KK-1", "noi_dung": "Thiếu cán bộ công nghệ thông tin.", "nguyen_nhan": "Khó tuyển người."}]}
    return {"form": "nd73-quarterly", "unit": "24133", "period": "2026-Q3", "data": {**data, **more}}


def fetch(daemon, path):
    with urllib.request.urlopen(f"{daemon.server}/v1/{path}", timeout=60) as answer:
        return answer.read().decode("utf-8")


def test_no_personal_data_leave_a_report(daemon):
    with Client(daemon.reports_port) as client:
        answers = [client.submit(json.dumps(r)) for r in (
            tasks(), quarter(), dict(quarter(), revision=2, unit="24121", period="2026-Q2"),
            dict(tasks(tien_do=100), revision=3), dict(quarter(pho_bien={"tong_so": 1, "da_pho_bien": 2}), revision=3))]
    assert [a.verb for a in answers] == ["OK", "OK", "OK", "NO", "NO"], answers
    assert answers[0].findings, "the near-done task without evidence must be warned of, or the test proves little"
    for answer in answers:
        assert NAME not in answer.body.decode("utf-8")

    # The names were really sent, and stand in the bodies; what people wrote for the synthesis was really collected.
    bodies = [zlib.decompress(bytes(b)).decode("utf-8") for b, in daemon.sql("SELECT body FROM baocao.report")]
    assert len(bodies) == 3 and all(NAME in json.loads(b)["data"].get("dau_moi", {}).get("ho_ten", "") or
                                    json.loads(b)["data"]["nhiem_vu"][0]["ho_ten"] == NAME for b in bodies)
    collected = [c for c, in daemon.sql("SELECT collected FROM baocao.report")]
    assert all(collected) and any("Chưa được giao kinh phí." in c for c in collected)

    tables = daemon.sql("SELECT table_schema, table_name FROM information_schema.tables"
                        " WHERE table_schema IN ('baocao', 'office') AND table_name NOT LIKE 'report\\_2%%'")
    assert {("office", "report"), ("office", "alert"), ("baocao", "refusal")} <= set(tables)
    for schema, name in set(tables) - {("office", "rollup"), ("office", "trend")}:  # figures; asked for below
        column = "to_jsonb(t) - 'body' - 'source'"
        found = daemon.sql(f"SELECT count(*) FROM {schema}.{name} t WHERE ({column})::text LIKE %s OR ({column})::text LIKE %s",
                           f"%{NAME}%", f"%{PHONE}%")
        assert found == [(0,)], (schema, name)
    for form in ("nq57-tasks", "nd73-quarterly"):
        for path in PATHS:
            text = fetch(daemon, path.format(form=form))
            assert NAME not in text and PHONE not in text, path
    assert NAME not in daemon.log() and PHONE not in daemon.log()
