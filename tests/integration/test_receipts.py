"""Receipt files: made by STAT proof=1, verified offline with the public key alone."""
import json
import os

from brp import Client

SAMPLE = "01-24133-buon-ma-thuot.yaml"


def test_a_receipt_file_proves_its_report(daemon, tmp_path):
    with open(os.path.join(daemon.schemas, "samples", SAMPLE), "rb") as f:
        text = f.read()
    client = Client(daemon.reports_port)
    sent = client.answer(client.report(text))
    assert sent.verb == "OK" and sent.state == "committed", sent
    proof = client.answer(client.send("STAT", receipt=sent.receipt, proof=1))
    assert proof.verb == "OK" and proof.receipt == sent.receipt and proof.chain == sent.chain
    key = daemon.sql("SELECT encode(public_key, 'hex') FROM baocao.audit ORDER BY seq DESC LIMIT 1")[0][0]
    path = tmp_path / "bien-nhan.txt"
    path.write_bytes(proof.body)
    check = lambda key: daemon.programs.run("receipt", "check", path, "--key", key)
    assert check(key).returncode == 0, check(key).stdout
    assert sent.receipt in check(key).stdout
    assert check("00" + key[2:]).returncode == 1

    path.write_bytes(proof.body.replace(b"revision 1", b"revision 2"))
    changed = check(key)
    assert changed.returncode == 1 and "đã bị sửa" in changed.stdout
    path.write_bytes(proof.body[:-10])
    assert check(key).returncode == 1
    told = daemon.programs.run("--format", "json", "receipt", "check", path, "--key", key)
    assert json.loads(told.stdout) == {"valid": False}
    assert daemon.programs.run("receipt", "check", path).returncode == 2
