"""Receipt files: made by STAT proof=1, verified offline with the public key alone."""
import json
import os

from brp import Client
from conftest import wait_for

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

    # A clerk gets the same file with the command that asks for a report's fate.
    path.unlink()
    to = ("--to", f"127.0.0.1:{daemon.reports_port}")
    stat = lambda *words: daemon.programs.run("stat", *words, *to)
    saved = stat("nd73-quarterly", "24133", "2026-Q3", "--save", path)
    assert saved.returncode == 0 and f"baocao receipt check {path}" in saved.stderr and path.read_bytes() == proof.body, saved
    assert "đơn vị 24133, lần 1, nhận lúc" in check(key).stdout
    path.unlink()
    unknown = stat("nd73-quarterly", "24121", "2026-Q3", "--save", path)
    assert unknown.returncode == 1 and "gửi lại không bao giờ làm trùng" in unknown.stdout and not path.exists(), unknown
    for words, says in ((("--receipt", "xyz"), "mã biên nhận gồm 36 ký tự"),
                        (("nd73-quarterly", "24133", "2026-Q3", "--rev", "hai"), "từ 1 đến 9999, không phải: hai"),
                        (("--receipt", sent.receipt, "--save", tmp_path / "none" / "x"), "không ghi được biên nhận")):
        refused = stat(*words)
        assert refused.returncode == 2 and says in refused.stderr, refused


def test_published_heads_hold_the_chain(daemon, tmp_path):
    """The list that was published shows what a rewritten chain alone would hide, for receipts and for the whole."""
    with open(os.path.join(daemon.schemas, "samples", SAMPLE), "rb") as f:
        text = f.read()
    with Client(daemon.reports_port) as client:
        sent = client.submit(text)
        proof = client.answer(client.send("STAT", receipt=sent.receipt, proof=1))
    key = daemon.sql("SELECT encode(public_key, 'hex') FROM baocao.audit ORDER BY seq DESC LIMIT 1")[0][0]
    receipt, heads = tmp_path / "bien-nhan.txt", tmp_path / "heads.txt"
    receipt.write_bytes(proof.body)
    # The daemon keeps the list in its state folder; the command prints the same and more.
    kept = os.path.join(daemon.state, "heads.txt")
    wait_for(lambda: os.path.exists(kept) and "\nhead " in open(kept, encoding="ascii").read())
    printed = daemon.operate("heads")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith(open(kept, encoding="ascii").read()) and f"\nhead {sent.chain} " in printed.stdout
    heads.write_text(printed.stdout)
    check = lambda *more: daemon.programs.run("--lang", "en", "receipt", "check", receipt, "--key", key, "--heads", heads, *more)
    verify = lambda: daemon.operate("--lang", "en", "verify", "--heads", str(heads))
    os.chmod(tmp_path, 0o755)
    for parent in list(tmp_path.parents)[:-2]:
        os.chmod(parent, 0o755)

    def holds(done, code, words):
        assert done.returncode == code and words in done.stdout + done.stderr, done

    holds(check(), 0, "still stands")
    holds(verify(), 0, "0 wrong")
    before, _, _ = printed.stdout.partition(f"head {sent.chain} ")
    heads.write_text(before)
    holds(check(), 1, "newer list")
    heads.write_text(printed.stdout.rstrip("\n"))
    holds(check(), 1, "cannot be read")
    holds(verify(), 1, "not a list of heads")
    heads.write_text(printed.stdout.replace("province 66", "province 67"))
    holds(check(), 1, "another province")
    last = printed.stdout.rstrip("\n")[-1]
    heads.write_text(printed.stdout.rstrip("\n")[:-1] + ("0" if last != "0" else "1") + "\n")
    holds(check(), 1, "NOT what was published")
    holds(verify(), 1, "rewritten")
    # Batches taken off the end leave a chain that is whole in itself: only the list tells.
    heads.write_text(printed.stdout)
    daemon.sql("DELETE FROM baocao.audit WHERE seq = (SELECT max(seq) FROM baocao.audit)")
    holds(verify(), 1, "no longer in the chain")


def test_the_kept_list_of_heads_goes_on_after_a_crash(daemon):
    kept = os.path.join(daemon.state, "heads.txt")
    wait_for(lambda: os.path.exists(kept) and "\nhead " in open(kept, encoding="ascii").read())
    assert daemon.stop() == 0
    whole = open(kept, encoding="ascii").read()
    with open(kept, "w", encoding="ascii") as f:
        f.write(whole[:-20])  # the last line was not finished
    daemon.start()
    wait_for(lambda: open(kept, encoding="ascii").read().startswith(whole))
