"""Every scenario on both ports, each against a fresh daemon: the same answers, receipts, findings and rows."""
import hashlib
import json
import os
import re
import zlib

import pytest

from brp import Client
from conftest import SOURCE, wait_for
from reports import FORM, PERIOD, communes, report
from web import add_token, ask, wait_for_token

SAMPLES = os.path.join(SOURCE, "schemas", "samples")
FIELDS = ("state", "form", "unit", "period", "rev", "due", "form_version", "content", "sha256", "dup", "dur")
A, B, C, D, E, F = "24133", "24121", "24154", "24163", "24169", "24175"
FOREIGN = "22015"  # of the province, but not the token's


class Brp:
    """The report port."""
    def __init__(self, daemon, token):
        self.client = Client(daemon.reports_port, token=token, format="json")

    def send(self, document, pack, damage):
        keys = {"pack": pack}
        body = zlib.compress(document) if pack else document
        if "sha256" in damage:
            keys["sha256"] = damage["sha256"]
        if "cut" in damage:
            keys["body"] = body[:-1]
        if "raw" in damage:
            keys["raw"] = len(document) + damage["raw"]
        return self.read(self.client.answer(self.client.report(document, **keys)))

    def read(self, answer):
        found = {"symbol": answer.code or "", "findings": json.loads(answer.body or b"[]")}
        if answer.verb == "OK":
            found.update({name: str(getattr(answer, name)) for name in FIELDS}, at=answer.at, receipt=answer.receipt)
        return found

    def look(self, key):
        return self.read(self.client.ask("STAT", **key))

    def proof(self, key):
        return self.client.ask("STAT", **key, proof=1).body.decode()


class Http:
    """The HTTP port."""
    def __init__(self, daemon, token):
        self.daemon, self.token = daemon, token

    def address(self, document):
        text = document.decode("utf-8", "replace")

        def value(name, otherwise):
            found = re.search(rf'^\W*{name}\W*[:=]\W*([\w.-]+)', text, re.M)
            return found[1] if found else otherwise
        revision = value("revision", "")
        return (f"/v1/reports/{value('unit', A)}/{value('form', FORM)}/{value('period', PERIOD)}" +
                (f"/{revision}" if revision.isdigit() else ""))

    def send(self, document, pack, damage):
        heads = {"content_type": "application/json" if document[:1] == b"{" else "application/yaml",
                 "Baocao_SHA256": damage.get("sha256", hashlib.sha256(document).hexdigest())}
        body = document
        if pack:
            body = zlib.compress(document)
            heads["content_encoding"] = "deflate"
            if "raw" in damage:
                heads["Baocao_Raw"] = str(len(document) + damage["raw"])
        if "cut" in damage:
            body = body[:-1]
        return self.read(ask(self.daemon, "PUT", self.address(document), body, self.token, **heads))

    def read(self, answer):
        said = answer.json
        if answer.status >= 400:
            table = {"TOOBIG": 413, "UNIT": 403, "FORM": 404, "UNKNOWN": 404, "NOTOWED": 409, "LOCKED": 409, "KEYREUSED": 409,
                     "UTF8": 400, "HASH": 400, "INFLATE": 400, "RAW": 400}
            assert answer.status == table.get(said["code"], 422), answer
            findings = said.get("findings")
            if findings is None:  # a refusal without a document: its sentence alone
                findings = [{"code": said["code"], "severity": "error", "line": 0, "column": 0, "message": said["message"]}]
            return {"symbol": said["code"], "findings": findings}
        assert answer.status == (200 if said["dup"] else 201) or "look" in said, answer
        return {"symbol": "", "findings": said["warnings"], "at": said["at"], "receipt": said["receipt"],
                **{name: str(said[name]) for name in FIELDS}}

    def look(self, key):
        path = f"/v1/reports/{key['unit']}/{key['form']}/{key['period']}" + (f"/{key['rev']}" if "rev" in key else "")
        answer = ask(self.daemon, "GET", path, token=self.token)
        if answer.status == 200:
            said = answer.json
            return {"symbol": "", "findings": said["warnings"], "at": said["at"], "receipt": said["receipt"],
                    **{name: str(said[name]) for name in FIELDS}}
        return self.read(answer)

    def proof(self, key):
        return ask(self.daemon, "GET", f"/v1/reports/{key['unit']}/{key['form']}/{key['period']}?proof=1", token=self.token).text


def sample(name):
    with open(os.path.join(SAMPLES, name), "rb") as f:
        return f.read()


def scenarios():
    """(name, document, wanted symbol, or "OK" or "DUP", pack, damage, office act before it)."""
    yield "accepted", report(A, 1, 4), "OK"
    yield "duplicate", report(A, 1, 4), "DUP"
    yield "duplicate in other octets", "\ufeff" + report(A, 1, 4).replace("\n", "\r\n"), "DUP"
    yield "duplicate packed", report(A, 1, 4), "DUP", True
    yield "key reused", report(A, 1, 5), "KEYREUSED"
    yield "correction", report(A, 2, 6), "OK"
    yield "a later correction first", report(B, 3, 6), "OK"
    yield "superseded", report(B, 2, 5), "OK"
    yield "accepted packed", report(C, 1, 9), "OK", True
    yield "hash", report(D, 1, 4), "HASH", False, {"sha256": "0" * 64}
    yield "inflate", report(D, 1, 4), "INFLATE", True, {"cut": 1}
    yield "raw too small", report(D, 1, 4), "RAW", True, {"raw": -1}
    yield "raw too large", report(D, 1, 4), "RAW", True, {"raw": 1}
    yield "after damage", report(D, 1, 4), "OK"
    yield "too big", "# " + "x" * (1 << 20), "TOOBIG"
    yield "too big once inflated", "# " + "x" * (4 << 20), "TOOBIG", True
    yield "another unit", report(FOREIGN, 1, 4), "UNIT"
    yield "empty", "", "PARSE"
    yield "not a report", "xin: chào", "ENVELOPE"
    yield "returned by the office", report(C, 1, 9), "DUP", False, {}, ("return", C, "--reason", "thiếu phụ lục")
    yield "sent again after that", report(C, 2, 9), "OK"
    yield "locked", report(E, 1, 4), "LOCKED", False, {}, ("lock", E)
    yield "late", report(F, 1, 4), "OK"
    with open(os.path.join(SAMPLES, "expected.tsv"), encoding="utf-8") as f:
        for line in f:
            name, _, wanted = line.rstrip("\n").split("\t")
            if re.match(r"(1[03678]|3|4)", name):
                # The token speaks for units of the registry alone, so an unknown one is refused before it is judged.
                yield name, sample(name), "UNIT" if "99999" in name else wanted


def run(port, daemon):
    answers = {}
    for name, document, wanted, *more in scenarios():
        pack, damage, act = (*more, *(False, {}, None)[len(more):])
        if act:
            done = daemon.operate("office", act[0], "--form", FORM, "--period", PERIOD, "--unit", act[1], *act[2:])
            assert done.returncode == 0, (name, done.stderr)
        document = document.encode("utf-8") if isinstance(document, str) else document
        answer = answers[name] = port.send(document, pack, damage)
        told = answer["symbol"] or ("DUP" if answer["dup"] == "1" else "OK")
        assert told == wanted, (name, answer)
    for unit in (A, B, C, E):
        key = {"form": FORM, "unit": unit, "period": PERIOD}
        answers["look", unit] = port.look(key)
        answers["look", unit, 1] = port.look({**key, "rev": 1})
        answers["proof", unit] = [line for line in port.proof(key).split("\n")
                                  if line.split(" ")[0] in ("form", "unit", "period", "revision", "version", "verdict", "content",
                                                            "province")]
    return answers


ROWS = {
    "report": "SELECT u.code, f.id, r.period, r.revision, r.form_version, r.state, r.nil, r.raw_size, encode(r.content, 'hex'),"
              " encode(r.sha256, 'hex'), r.figures, r.warnings, r.explanations, r.collected, r.leaf"
              " FROM baocao.report r JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u USING (unit)"
              " JOIN (SELECT DISTINCT form, id FROM baocao.form) f USING (form) ORDER BY 1, 2, 3, 4",
    "obligation": "SELECT unit, form, period, cutoff, due_at, extended_to, exempt, provisional, revision, lock_at IS NULL,"
                  " received_at IS NULL, last_revision FROM baocao.obligation WHERE last_revision <> 0 OR unit IN"
                  " (SELECT unit FROM baocao.unit WHERE code IN ('24169', '24154')) ORDER BY 1, 2, 3",
    "rollup": "SELECT scope, form, period, reported, counts, sums FROM baocao.rollup ORDER BY 1, 2, 3",
    "receipt": "SELECT unit, form, period, revision FROM baocao.receipt ORDER BY 1, 2, 3, 4",
    # What is larger than a port may take never reaches the judge on the report port, so no trace of it is compared.
    "refusal": "SELECT unit, form, period, revision, symbol, findings FROM baocao.refusal WHERE symbol <> 'TOOBIG'"
               " ORDER BY at, id",
    "quarantine": "SELECT count(*) FROM baocao.quarantine",
}


@pytest.fixture
def both(make_daemon):
    """Two equal daemons, and a token for the same units on each."""
    known = [*(u for u in communes() if u != FOREIGN), "H15.02", "H15.08", "TU66.04"]
    made = []
    for port in (Brp, Http):
        daemon = make_daemon({"http": {"local": "operator"}}).start()
        made.append((daemon, port, add_token(daemon, "--unit", ",".join(known))))
    return [(daemon, port(daemon, wait_for_token(daemon, token))) for daemon, port, token in made]


def without_moment(told):
    """The two periods are locked one after the other, perhaps not in the same minute."""
    return re.sub(r"(khóa từ|locked since) \d\d:\d\d \d\d/\d\d/\d{4}", r"\1 …", repr(told))


def test_both_ports_give_the_same(both):
    told = []
    for daemon, port in both:
        answers = run(port, daemon)
        assert len({a["receipt"] for a in answers.values() if isinstance(a, dict) and "receipt" in a}) >= 8
        no = sum(isinstance(a, dict) and a["symbol"] not in ("", "TOOBIG", "UNKNOWN") for a in answers.values())
        wait_for(lambda d=daemon, n=no: len(d.sql(ROWS["refusal"])) == n)  # written about once a second
        told.append((answers, {name: daemon.sql(text) for name, text in ROWS.items()}))
    (by_brp, rows_brp), (by_http, rows_http) = told
    assert list(by_brp) == list(by_http)
    for name, answer in by_brp.items():
        other = by_http[name]
        if isinstance(answer, dict):
            assert ("receipt" in answer) == ("receipt" in other), name
            volatile = ("at", "receipt")
            answer, other = ({k: v for k, v in a.items() if k not in volatile} for a in (answer, other))
        else:
            assert len(answer) >= 4 or name[1] == E, (name, answer)  # E has none: it was locked out
        assert without_moment(answer) == without_moment(other), name
    for name in ROWS:
        assert without_moment(rows_brp[name]) == without_moment(rows_http[name]), name
    assert len(rows_brp["report"]) >= 10 and rows_brp["rollup"]
    assert rows_brp["quarantine"] == [(0,)]
    for daemon, _ in both:
        verified = daemon.operate("verify", "--audit")
        assert verified.returncode == 0, verified.stdout
