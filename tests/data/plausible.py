"""What the makers of plausible reports share: difficulties that are carried on, and mistakes that any report can have.

A maker is a module with ID and PROGRAMME; Unit(rng, kind), what one unit carries on, with period(rng, year, n) → data and
keep(data); explanations(data, n, unit) → explain; corrected(data, rng); figures(data) → {code: value or None}, as the
form's indicators say but written apart from them; ONLY: codes whose field only some kinds have; MISTAKES: rows of (name,
answer, from which period of the year on, deed on the report, change of the text).
"""
DIFFICULTIES = ["Thiếu cán bộ công nghệ thông tin ở cấp xã.", "Đường truyền ở các buôn xa trung tâm không ổn định.",
                "Chưa có hướng dẫn cách tính kết quả thí điểm."]
CAUSES = ["Chưa có cơ chế thu hút người về làm việc.", "Kinh phí đầu tư hạ tầng giao chậm.", "Quy định chưa nêu tiêu chí."]


def get(data, path):
    for step in path.split("."):
        if not isinstance(data, dict) or data.get(step) is None:
            return None
        data = data[step]
    return data


def plus(*values):
    """Their sum; nothing when one of them is not there."""
    return None if None in values else sum(values)


def difficulties(data, rng, n, still):
    """Closes the open ones of the period before and may add a new one."""
    if still or rng.random() < 0.3:
        data["kho_khan"] = [dict(x, trang_thai="Đã tháo gỡ") for x in still]
        if rng.random() < 0.5 or not still:
            data["kho_khan"].append({"ma": f"KK-{n}{rng.randint(10, 99)}", "noi_dung": rng.choice(DIFFICULTIES),
                                     "nguyen_nhan": rng.choice(CAUSES), "trang_thai": "Đang vướng"})


def still_open(data):
    return [x for x in data.get("kho_khan", []) if x["trang_thai"] == "Đang vướng"]


def wrong_form(report):
    report["form"] += "s"


def wrong_period(report):
    report["period"] = report["period"][:4] + "-W07"


def secret(report):
    report["secrecy"] = "Mật"


def unknown_envelope_key(report):
    report["nguoi_ky"] = "Chủ tịch"


def unknown_member(report):
    report["data"]["muc_khong_co"] = 1


def two_documents(text):
    return text + "---\n" + text


MISTAKES = [
    ("wrong-form", "FORM", 1, wrong_form, None),
    ("wrong-period", "PERIOD", 1, wrong_period, None),
    ("secret", "SECRET", 1, secret, None),
    ("unknown-envelope-key", "ENVELOPE", 1, unknown_envelope_key, None),
    ("unknown-member", "INVALID", 1, unknown_member, None),
    ("two-documents", "PARSE", 1, None, two_documents),
]
