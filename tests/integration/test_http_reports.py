"""Reports over HTTP: handing in, receipts, documents, judging without handing in; the bundle and forms pull."""
import gzip
import hashlib
import json
import os
import re
import zlib

import pytest
import yaml

from conftest import SOURCE, Daemon
from reports import FORM, PERIOD, report
from web import add_token, ask, wait_for_token

UNIT, OTHER = "24133", "24121"
KEY = f"/v1/reports/{UNIT}/{FORM}/{PERIOD}"
YAML = {"content_type": "application/yaml"}


@pytest.fixture(scope="module")
def hub(programs, template, make_folder):
    daemon = Daemon(programs, make_folder("put"), template, {"http": {"local": "none"}}).start()
    daemon.office = add_token(daemon, "--role", "office")
    daemon.unit = wait_for_token(daemon, add_token(daemon, "--unit", UNIT))
    yield daemon
    daemon.clean()


def put(hub, body, path=KEY, **headers):
    return ask(hub, "PUT", path, body, hub.unit, **{**YAML, **headers})


def test_a_report_its_receipt_and_its_document(hub):
    document = report(UNIT, 1, 4).encode("utf-8")
    first = put(hub, document)
    assert first.status == 201, first
    receipt = first.json
    assert receipt["state"] == "committed" and receipt["dup"] == 0 and receipt["chain"] > 0
    assert (receipt["unit"], receipt["form"], receipt["period"], receipt["rev"]) == (UNIT, FORM, PERIOD, 1)
    assert receipt["sha256"] == hashlib.sha256(document).hexdigest()
    again = put(hub, document)
    assert again.status == 200 and again.json == {**receipt, "dup": 1}
    for path in (KEY, KEY + "/1"):
        looked = ask(hub, "GET", path, token=hub.unit)
        assert looked.status == 200 and looked.json == receipt
        assert ask(hub, "HEAD", path, token=hub.unit).status == 200
    for path in (KEY + "/document", KEY + "/1/document"):
        plain = ask(hub, "GET", path, token=hub.unit)
        assert plain.body == document and plain.headers["Content-Type"].startswith("application/yaml")
        packed = ask(hub, "GET", path, token=hub.office, accept_encoding="gzip, deflate")
        assert packed.headers["Content-Encoding"] == "deflate" and zlib.decompress(packed.body) == document
    proof = ask(hub, "GET", KEY + "?proof=1", token=hub.unit)
    path = os.path.join(hub.root, "receipt")
    with open(path, "wb") as f:
        f.write(proof.body)
    key = re.search(r"^Khóa công khai: ([0-9a-f]{64})$", hub.operate("verify", "--audit").stdout, re.M)[1]
    checked = hub.baocao("receipt", "check", path, "--key", key)
    assert receipt["receipt"] in proof.text and checked.returncode == 0, checked.stderr
    text = put(hub, document, accept="text/plain", accept_language="en").text
    assert text.startswith("state=committed receipt=") and text.split("\n")[0].endswith(f"chain={receipt['chain']}")


def test_unknown_reports_and_odd_addresses(hub):
    assert ask(hub, "GET", f"/v1/reports/{UNIT}/{FORM}/2027-Q1", token=hub.unit).json["code"] == "UNKNOWN"
    assert ask(hub, "GET", f"/v1/reports/{UNIT}/{FORM}/qu%C3%BD-3", token=hub.office).status in (404, 422)
    for path in ("/v1/reports/", "/v1/reports/24133", f"/v1/reports/{UNIT}/{FORM}", KEY + "/0", KEY + "/x", KEY + "/1/2",
                 KEY + "//1", KEY + "/1/document/more", KEY + "/99999"):
        assert ask(hub, "GET", path, token=hub.unit).status == 404, path
    for path in (f"/v1/reports/{UNIT}/{FORM}", KEY + "/0", KEY + "/document", KEY + "/1/document"):
        assert put(hub, report(UNIT, 1, 4), path).status == 404, path


@pytest.mark.parametrize("path", [
    f"/v1/reports/{UNIT}/{FORM}/2026-Q4", f"/v1/reports/{UNIT}/nd73-annual/{PERIOD}", f"{KEY}/2", f"/v1/reports/{OTHER}/{FORM}/{PERIOD}"])
def test_the_address_must_be_the_documents(hub, path):
    refused = put(hub, report(UNIT, 1, 4), path)
    assert refused.status == 422 and refused.json["code"] == "ENVELOPE"
    said = json.dumps(refused.json["findings"], ensure_ascii=False)
    assert f"{KEY}/1" in said and "Địa chỉ gửi không khớp" in said


@pytest.mark.parametrize("encoding,pack", [
    ("deflate", zlib.compress), ("gzip", gzip.compress), ("GZIP", gzip.compress), ("identity", bytes)])
def test_packed_bodies(hub, encoding, pack):
    document = report(UNIT, 1, 4).encode("utf-8")
    assert put(hub, pack(document), content_encoding=encoding).status in (200, 201)


def test_broken_and_huge_packed_bodies(hub):
    document = report(UNIT, 1, 4).encode("utf-8")
    packed = zlib.compress(document)
    for body in (packed[:-1], packed + b"x", b"", b"no zlib", gzip.compress(document)[:-4]):
        assert put(hub, body, content_encoding="deflate").json["code"] == "INFLATE", body
    bomb = zlib.compress(b"#" * (5 << 20))
    refused = put(hub, bomb, content_encoding="deflate")
    assert refused.status == 413 and refused.json["code"] == "TOOBIG"
    assert put(hub, document, Baocao_SHA256="0" * 64).json["code"] == "HASH"
    assert put(hub, document, Baocao_SHA256="zz").status == 400
    assert put(hub, document, Baocao_SHA256=hashlib.sha256(document).hexdigest()).status in (200, 201)


def test_findings_in_both_languages_or_one(hub):
    wrong = report(UNIT, 3, 4).replace("bao_chi: 4", "bao_chi: bốn")
    refused = put(hub, wrong)
    assert refused.status == 422 and refused.json["code"] == "INVALID"
    finding = refused.json["findings"][0]
    assert finding["line"] > 0 and finding["message"]["vi"] and finding["message"]["en"]
    text = put(hub, wrong, accept="text/plain").text
    assert text.startswith("INVALID\tBáo cáo có lỗi cần sửa.\n") and f"{finding['line']}:{finding['column']}\t" in text
    assert put(hub, wrong, accept="text/plain", accept_language="en").text.startswith("INVALID\tThe report has errors")


def test_judging_stores_nothing(hub):
    def check(document, token=None, **headers):
        return ask(hub, "POST", "/v1/check", document, token or hub.unit, **{**YAML, **headers})
    before = hub.sql("SELECT count(*) FROM baocao.report")
    good = check(report(UNIT, 7, 4))
    assert good.status == 200 and good.json["rev"] == 7 and good.json["form_version"] >= 1
    assert check(report(OTHER, 7, 4), hub.office).status == 200
    assert check(zlib.compress(report(UNIT, 7, 4).encode()), content_encoding="deflate").status == 200
    bad = check(report(UNIT, 7, 4).replace("bao_chi: 4", "bao_chi: -4"))
    assert bad.status == 422 and bad.json["code"] == "INVALID" and bad.json["findings"]
    assert check("a: [").json["code"] == "PARSE"
    assert check(report(UNIT, 7, 4), accept="text/plain").status == 200
    assert ask(hub, "POST", "/v1/check", "{}", **YAML).status == 401
    assert hub.sql("SELECT count(*) FROM baocao.report") == before


def test_json_and_yaml_are_one_report(hub):
    path = os.path.join(hub.root, "report.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(report(UNIT, 1, 4))
    first = put(hub, report(UNIT, 1, 4)).json
    document = hub.programs.run("load", path).stdout
    assert document.startswith("{")
    again = put(hub, document, content_type="application/json")
    assert again.status == 200 and again.json["dup"] == 1 and again.json["receipt"] == first["receipt"]


def pull(hub, home, *words, token=True):
    path = os.path.join(hub.root, "unit.token")
    with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(hub.unit + "\n")
    env = {"BAOCAO_FORMS": home, "BAOCAO_SERVER": hub.server, **({"BAOCAO_TOKEN_FILE": path} if token else {})}
    return hub.programs.run("forms", "pull", *words, env=env)


def test_forms_are_fetched_kept_and_judged_by(hub, tmp_path):
    home = str(tmp_path / "forms")
    sample = os.path.join(hub.programs.schemas, "samples", "01-24133-buon-ma-thuot.yaml")
    first = pull(hub, home)
    assert first.returncode == 0 and "Đắk Lắk" in first.stdout, first.stderr
    current = os.path.realpath(os.path.join(home, "current"))
    for name in ("common.yaml", "nd73/nd73-quarterly.v1.yaml", "provinces/66-dak-lak/units.yaml",
                 "provinces/66-dak-lak/holidays.yaml"):
        with open(os.path.join(current, name), "rb") as mine, open(os.path.join(hub.programs.schemas, name), "rb") as theirs:
            assert mine.read() == theirs.read(), name
    again = pull(hub, home)
    assert again.returncode == 0 and "mới nhất" in again.stdout
    assert os.path.realpath(os.path.join(home, "current")) == current
    env = {"BAOCAO_FORMS": home}
    checked = hub.programs.run("check", sample, env=env)
    assert checked.returncode == 0 and "Biểu mẫu: bản " in checked.stderr and "0 giờ trước" in checked.stderr
    listed = hub.programs.run("forms", "--lang", "en", env=env)
    assert FORM in listed.stdout and "last checked 0 hours ago" in listed.stderr
    note = os.path.join(current, ".pulled")
    os.utime(note, (1, 1))
    assert "forms pull" in hub.programs.run("check", sample, env=env).stderr  # it is old
    refused = pull(hub, home, token=False)
    assert refused.returncode == 2 and "mã truy cập" in refused.stderr
    away = pull(hub, home, "--server", "http://127.0.0.1:1")
    assert away.returncode == 2 and os.path.realpath(os.path.join(home, "current")) == current
    assert hub.programs.run("check", sample, env=env).returncode == 0
    assert sorted(os.listdir(home)) == sorted(["current", os.path.basename(current)])


def test_the_bundle_is_packed_and_not_sent_twice(hub):
    plain = ask(hub, "GET", "/v1/bundle", token=hub.unit)
    packed = ask(hub, "GET", "/v1/bundle", token=hub.unit, accept_encoding="deflate")
    assert zlib.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body) / 4
    assert plain.headers["ETag"] == f'"{plain.json["version"]}"'
    assert {f["form"] for f in plain.json["forms"]} >= {FORM} and plain.json["holidays_known_to"] >= "2026"
    same = ask(hub, "GET", "/v1/bundle", token=hub.unit, if_none_match=plain.headers["ETag"])
    assert same.status == 304 and same.body == b""


def test_the_description_is_true(hub):
    """Every path, method and role of openapi.yaml is in the table of api.c, and the other way round."""
    answer = ask(hub, "GET", "/v1/openapi.yaml")
    described = yaml.safe_load(answer.text)
    with open(os.path.join(SOURCE, "daemon", "http", "api.c"), encoding="utf-8") as f:
        source = f.read()
    lists = {name: set(re.findall(r'"(\w+)"', names))
             for name, names in re.findall(r"const (by_\w+)\[\] = \{([^}]*)\}", source)}
    table = re.findall(r'\{"(/[^"]*)",\s*BAOD_(\w+),\s*([^,]+),\s*(?:true|false),\s*\w+,\s*\w+,\s*(\w+)\}', source)
    every = {"unit", "office", "oversight", "operator"}

    def roles(who):
        named = {"READERS": every - {"unit"}, "ALL": every, "0": set(), "OFFICE": {"office", "operator"},
                 "OFFICE_AND_OWN": every - {"oversight"}}
        return named[who] if who in named else {r for r in every if f"ROLE({r.upper()})" in who}
    routed = {(path, method.lower()): roles(who.strip()) for path, method, who, _ in table}
    filters = {path: lists[name] for path, _, _, name in table if name != "NULL"}
    parameters = described["components"]["parameters"]
    assert len(routed) >= 15
    seen = set()
    for path, methods in described["paths"].items():
        route = re.sub(r"^(/v1/(?:reports|obligations|periods)/)\{.*", r"\1", path)
        for method, what in methods.items():
            if method == "parameters":
                continue
            seen.add((route, method))
            wanted = set(what.get("x-roles", []))
            assert wanted <= routed[route, method], (path, method)
            if not path.endswith(("/document", "/return")):
                assert wanted == routed[route, method], (path, method)
            real = path.format(unit=UNIT, form=FORM, period=PERIOD, revision=1)
            status = ask(hub, method.upper(), real, None if method == "get" else "{}", **({} if method == "get" else YAML)).status
            assert (status == 401) == bool(wanted), (path, method, status)
            if path in filters:
                assert {parameters[p["$ref"].split("/")[-1]]["name"] for p in what["parameters"]} == filters[path], path
    assert seen == set(routed)
