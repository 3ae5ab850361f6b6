"""baocao check, new, forms and schema on the sample reports and the forms that are delivered."""
import base64
import json
import os
import shutil
import subprocess

import pytest

SOURCE = os.path.abspath(os.environ.get("BAOCAO_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("BAOCAO_BUILD", os.path.join(SOURCE, "build", "tests")))
BAOCAO = os.path.join(BUILD, "daemon", "baocao")
SCHEMAS = os.path.join(SOURCE, "schemas")
SAMPLES = os.path.join(SCHEMAS, "samples")
BY = ["--forms", SCHEMAS, "--province", os.path.join(SCHEMAS, "provinces", "66-dak-lak")]


def baocao(*args, stdin=None):
    return subprocess.run([BAOCAO, *args], input=stdin, capture_output=True, text=True, timeout=120, check=False)


def expected():
    with open(os.path.join(SAMPLES, "expected.tsv"), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as f:
        return f.read()


def judge(*paths, more=()):
    answer = baocao("check", *paths, *BY, *more, "--format", "json")
    assert answer.returncode in (0, 1), answer.stderr
    return json.loads(answer.stdout)


def edited(tmp_path, name, old, new, to="b.yaml"):
    text = sample(name).decode()
    assert old in text
    path = tmp_path / to
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path)


def test_every_sample_is_expected():
    assert {row[0] for row in expected()} == {n for n in os.listdir(SAMPLES) if n not in ("README.md", "expected.tsv")}
    assert len(expected()) >= 20


@pytest.mark.parametrize("name,symbol", [(row[0], row[1]) for row in expected()])
def test_sample_gives_what_the_table_says(name, symbol):
    answer = baocao("check", os.path.join(SAMPLES, name), *BY, "--format", "json")
    verdict = json.loads(answer.stdout)[0]
    assert (verdict["symbol"] or "OK") == symbol
    assert answer.returncode == (0 if symbol == "OK" else 1)
    if symbol != "OK":
        finding = verdict["findings"][0]
        assert finding["line"] >= 1 and finding["message"]["vi"] and finding["message"]["en"]
        assert finding["message"]["vi"] != finding["message"]["en"]


def test_text_names_line_column_and_mending():
    answer = baocao("check", os.path.join(SAMPLES, "31-24490-krong-pac-sai-so.yaml"), *BY)
    assert answer.returncode == 1
    assert ":50:16: lỗi BC3001" in answer.stdout
    assert "^^^^" in answer.stdout and "Cách sửa:" in answer.stdout
    english = baocao("check", os.path.join(SAMPLES, "31-24490-krong-pac-sai-so.yaml"), *BY, "--lang", "en")
    assert "exceeds the allocated" in english.stdout and "How to mend" in english.stdout


def test_same_content_in_other_bytes_has_the_same_hash():
    one, two = judge(os.path.join(SAMPLES, "02-24121-tan-lap.yaml"),
                     os.path.join(SAMPLES, "15-24121-tan-lap-gui-lai.json"))
    assert one["content"] == two["content"]
    first, corrected = judge(os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml"),
                             os.path.join(SAMPLES, "14-24133-buon-ma-thuot-dinh-chinh.yaml"))
    assert first["content"] != corrected["content"]


def test_province_is_found_by_the_unit():
    answer = baocao("check", os.path.join(SAMPLES, "02-24121-tan-lap.yaml"), "--forms", SCHEMAS)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_usage_and_unreadable_give_2(tmp_path):
    assert baocao("check").returncode == 2
    assert baocao("check", str(tmp_path / "nothing.yaml"), *BY).returncode == 2
    bad = tmp_path / "bad.v1.yaml"
    bad.write_text("baocao: 1\nid: bad\n", encoding="utf-8")
    answer = baocao("check", os.path.join(SAMPLES, "02-24121-tan-lap.yaml"), "--forms", str(tmp_path))
    assert answer.returncode == 2
    assert "bad.v1.yaml" in answer.stderr


def test_history_from_files_named_together(tmp_path):
    name = "02-24121-tan-lap.yaml"
    before = edited(tmp_path, name, "period: 2026-Q3", "period: 2026-Q2", "a.yaml")
    wrong = os.path.join(SAMPLES, name)
    alone = judge(wrong)[0]
    assert alone["symbol"] is None and alone["unjudged"] > 0
    together = judge(before, wrong)[1]
    # Pending must continue the period before; the same flows twice over do not.
    assert together["symbol"] == "INVALID" and together["unjudged"] == 1  # the first quarter is not at hand for its sum
    assert {f["check"] for f in together["findings"]} == {"can-doi-de-xuat"}
    with_history = judge(wrong, more=["--history", before])[0]
    assert with_history["symbol"] == "INVALID"
    folder = judge(wrong, more=["--history", str(tmp_path)])[0]
    assert folder["symbol"] == "INVALID"


def test_batch_answers_in_order():
    before = sample("02-24121-tan-lap.yaml").replace(b"2026-Q3", b"2026-Q2")
    requests = [{"id": name, "b64": base64.b64encode(sample(name)).decode()} for name, *_ in expected()]
    requests.append({"id": "history", "b64": base64.b64encode(sample("02-24121-tan-lap.yaml")).decode(),
                     "history": [base64.b64encode(before).decode()]})
    requests.append({"id": "odd", "b64": requests[0]["b64"], "history": "kỳ trước"})
    requests.append({"id": "none"})
    answer = baocao("check", "--batch", *BY, stdin="".join(json.dumps(r) + "\n" for r in requests))
    assert answer.returncode == 0, answer.stderr
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["id"] for line in lines] == [r["id"] for r in requests]
    for line, row in zip(lines, expected()):
        assert line["verdict"] == ("valid" if row[1] == "OK" else "invalid")
    assert lines[1]["indicators"]["coverage"] == 100
    assert lines[1]["indicators"]["model_new"] is None
    assert lines[-3]["verdict"] == "invalid"
    assert "error" in lines[-2] and "error" in lines[-1]


def test_new_makes_a_report_that_passes_once_filled(tmp_path):
    answer = baocao("new", "nd73-quarterly", "--unit", "24133", "--period", "2026-Q3", *BY)
    assert answer.returncode == 0, answer.stderr
    assert "huong_dan" not in answer.stdout  # a ward has no part of departments
    text = answer.stdout
    for key, value in [("da_ban_hanh", "false"), ("tong_so", "40"), ("da_pho_bien", "38"), ("tiep_nhan", "0"),
                       ("chap_thuan", "0"), ("khong_chap_thuan", "0"), ("dang_xem_xet", "0")]:
        assert f"    {key}:\n" in text
        text = text.replace(f"    {key}:\n", f"    {key}: {value}\n")
    path = tmp_path / "new.yaml"
    path.write_text(text, encoding="utf-8")
    assert judge(str(path))[0]["symbol"] is None


PARTS = """baocao: 1
id: thu
version: 1
title: Thử
period: {type: month}
deadline: {working_days: 2}
signed: required
schema:
  type: object
  properties:
    tong: {title: Tổng số, type: integer}
    rieng: {title: Phần của phường, type: integer, x-for: {kinds: [ward], required: true}}
  required: [tong]
  additionalProperties: false
"""


def test_nothing_of_a_template_passes_for_the_unit_s_own_words(tmp_path):
    """A part of this kind of unit and the signature stand in the template, blank, and are asked for at their lines."""
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "thu.v1.yaml").write_text(PARTS, encoding="utf-8")
    by = ("--forms", str(tmp_path / "forms"), *BY[2:])
    text = baocao("new", "thu", "--unit", "24133", "--period", "2026-09", *by).stdout
    path = tmp_path / "new.yaml"
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    blanks = {name: next(i for i, line in enumerate(lines, 1) if line.strip().startswith(name)) for name in ("tong:", "rieng:", "signed:")}
    findings = json.loads(baocao("check", str(path), "--format", "json", *by).stdout)[0]["findings"]
    assert [(f["code"], f["line"]) for f in findings] == [("BC4132", blanks["signed:"]), ("BC4137", blanks["tong:"]),
                                                         ("BC4138", blanks["rieng:"])]
    for name, value in ("tong:", "5"), ("rieng:", "3"), ("position:", "Chủ tịch"):
        text = text.replace(f"{name}\n", f"{name} {value}\n").replace(f"{name} ,", f"{name} {value},")
    path.write_text(text, encoding="utf-8")
    assert baocao("check", str(path), *by).returncode == 0


def test_new_carries_open_items_over():
    answer = baocao("new", "nd73-quarterly", "--unit", "24133", "--period", "2026-Q4", *BY, "--from",
                    os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml"))
    assert answer.returncode == 0, answer.stderr
    assert '- ma: "KK-01"' in answer.stdout
    assert '- ma: "MH-01"' not in answer.stdout  # no rule asks for models to go on
    assert "kỳ trước: 92" in answer.stdout


def test_new_refuses_what_is_not_owed():
    assert baocao("new", "nd73-quarterly", "--unit", "TU66.04", "--period", "2026-Q3", *BY).returncode == 2
    assert baocao("new", "nd73-quarterly", "--unit", "24133", "--period", "2026-09", *BY).returncode == 2
    assert baocao("new", "khong-co", "--unit", "24133", "--period", "2026-Q3", *BY).returncode == 2


def forms():
    found = []
    for folder, _, names in os.walk(SCHEMAS):
        if "provinces" not in folder and "samples" not in folder:
            found += [os.path.join(folder, n) for n in names if ".v" in n and n.endswith(".yaml")]
    return sorted(found)


def test_forms_are_listed():
    listed = json.loads(baocao("forms", "--forms", SCHEMAS, "--format", "json").stdout)
    assert "nd73-quarterly" in {f["form"] for f in listed}
    assert all(f["title_vi"] and f["title_en"] for f in listed)


@pytest.mark.parametrize("path", forms(), ids=os.path.basename)
def test_form_schema_describes_every_form(path):
    answer = baocao("validate", "--schema", os.path.join(SCHEMAS, "form.schema.yaml"), path)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("path", forms(), ids=os.path.basename)
def test_exported_schema_stands_alone(path, tmp_path):
    form = os.path.basename(path).split(".v")[0]
    for draft in ("2020-12", "7"):
        answer = baocao("schema", "export", form, "--draft", draft, "--forms", SCHEMAS)
        assert answer.returncode == 0, answer.stderr
        schema = json.loads(answer.stdout)
        assert "common#" not in json.dumps(schema)
        assert "$defs" not in json.dumps(schema) or draft != "7"
        if form != "nd73-quarterly" or draft != "2020-12":
            continue
        (tmp_path / "s.json").write_text(answer.stdout, encoding="utf-8")
        good = json.loads(sample("03-24154-thanh-nhat.json"))["data"]
        bad = dict(good, pho_bien={"tong_so": "51", "da_pho_bien": 51})
        for data, code in ((good, 0), (bad, 1)):
            (tmp_path / "d.json").write_text(json.dumps(data), encoding="utf-8")
            assert baocao("validate", "--schema", str(tmp_path / "s.json"), str(tmp_path / "d.json")).returncode == code


TUPLES = """baocao: 1
id: t
version: 1
title: T
period: {type: month}
deadline: {working_days: 2}
schema:
  type: object
  properties:
    a: {type: array, maxItems: 3, prefixItems: [{type: integer}, {type: string}], items: {type: boolean}}
    b: {type: array, maxItems: 3, contains: {type: integer}, minContains: 0, maxContains: 2}
    c: {$ref: "common#/$defs/percent", maximum: 50, allOf: [{minimum: 10}]}
    x: {type: integer}
    y: {type: integer}
  dependentRequired: {x: [y]}
  dependentSchemas: {x: {properties: {y: {minimum: 5}}}, y: {required: [c]}}
  additionalProperties: false
"""


def test_draft_7_says_what_it_can(tmp_path):
    """Tuples and dependencies are written as that draft knows them; what it cannot say is left out and told."""
    shutil.copy(os.path.join(SCHEMAS, "common.yaml"), tmp_path)
    (tmp_path / "t.v1.yaml").write_text(TUPLES, encoding="utf-8")
    answer = baocao("schema", "export", "t", "--draft", "7", "--forms", str(tmp_path))
    assert answer.returncode == 0 and answer.stderr.rstrip().endswith("draft 7 không có: minContains, maxContains")

    def once(pairs):
        assert len({k for k, _ in pairs}) == len(pairs), pairs
        return dict(pairs)
    schema = json.loads(answer.stdout, object_pairs_hook=once)
    fields = schema["properties"]
    assert fields["a"] == {"type": "array", "maxItems": 3, "items": [{"type": "integer"}, {"type": "string"}],
                           "additionalItems": {"type": "boolean"}}
    assert fields["b"] == {"type": "array", "maxItems": 3}
    assert fields["c"] == {"maximum": 50, "allOf": [{"$ref": "#/definitions/common/definitions/percent"}, {"minimum": 10}]}
    assert schema["dependencies"] == {"x": {"allOf": [{"required": ["y"]}, {"properties": {"y": {"minimum": 5}}}]},
                                      "y": {"required": ["c"]}}


def test_forms_check_lists_deadlines(tmp_path):
    config = tmp_path / "baocaod.yaml"
    config.write_text(f"paths:\n  forms: {SCHEMAS}\n  province: {SCHEMAS}/provinces/66-dak-lak\n", encoding="utf-8")
    answer = subprocess.run([os.path.join(BUILD, "daemon", "baocaod"), "--config", str(config), "forms", "check"],
                            capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    form = answer.stdout.split("nd73-quarterly v1")[1].split("\n\n")[0]
    dates = [line for line in form.splitlines() if line.startswith("  20")]
    assert len(dates) == 24
    assert all("17:00" in line for line in dates if "commune" in line)


def test_the_outbox_s_sent_folder_is_history_too(tmp_path):
    """What could not be judged is listed with its reason, and is judged once the earlier report went out of the outbox."""
    name = "02-24121-tan-lap.yaml"
    sent = tmp_path / "outbox" / "sent"
    sent.mkdir(parents=True)
    alone = baocao("check", os.path.join(SAMPLES, name), *BY)
    assert alone.returncode == 0
    assert "chưa kiểm tra được ở đây: 6 quy tắc so với kỳ trước (" in alone.stdout and "can-doi-de-xuat" in alone.stdout
    edited(sent, name, "period: 2026-Q3", "period: 2026-Q2", "0123456789abcdef-q2.yaml")
    (sent / "0123456789abcdef-q2.yaml.receipt.json").write_text('{"receipt": "x"}', encoding="utf-8")
    verdict = judge(os.path.join(SAMPLES, name), more=("--outbox", str(tmp_path / "outbox")))[0]
    assert verdict["symbol"] == "INVALID" and verdict["unjudged_checks"] == ["bao-ve-khi-khong-dat"]
    usual = subprocess.run([BAOCAO, "check", os.path.join(SAMPLES, name), *BY], capture_output=True, text=True, timeout=120,
                           check=False, env={**os.environ, "BAOCAO_OUTBOX": str(tmp_path / "outbox")})
    assert usual.returncode == 1
    nowhere = baocao("check", os.path.join(SAMPLES, name), *BY, "--outbox", str(tmp_path / "none"))
    assert nowhere.returncode == 2 and nowhere.stderr


def test_the_forms_judged_by_are_named_with_their_age(tmp_path):
    import shutil
    import time
    forms = tmp_path / "schemas"
    shutil.copytree(SCHEMAS, forms)
    path = forms / "nd73" / "nd73-quarterly.v1.yaml"
    then = time.time() - 40 * 86400
    os.utime(path, (then, then))
    words = [os.path.join(SAMPLES, "01-24133-buon-ma-thuot.yaml"), "--forms", str(forms), "--province",
             str(forms / "provinces" / "66-dak-lak")]
    verdict = json.loads(baocao("check", *words, "--format", "json").stdout)[0]
    assert verdict["form_version"] == 1 and verdict["forms_age_days"] == 40 and len(verdict["forms_date"]) == 10
    assert "biểu mẫu phiên bản 1" in baocao("check", *words).stdout
    assert "cách đây 40 ngày" in baocao("check", *words).stdout
    assert "40 days ago" in baocao("check", *words, "--lang", "en").stdout
