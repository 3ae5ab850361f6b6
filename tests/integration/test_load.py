"""baocao load: exit codes, both languages, and the batch protocol."""
import base64
import json
import os
import subprocess

import pytest

from conftest import BUILD

BAOCAO = os.path.join(BUILD, "daemon", "baocao")


def load(*args, stdin=b""):
    return subprocess.run([BAOCAO, "load", *args], input=stdin, capture_output=True, timeout=30)


def batch(*documents):
    lines = [json.dumps({"id": i, "b64": base64.b64encode(text).decode()}) for i, text in enumerate(documents)]
    answer = load("--batch", stdin="\n".join(lines).encode())
    assert answer.returncode == 0
    answers = [json.loads(line) for line in answer.stdout.decode().splitlines()]
    assert [a["id"] for a in answers] == list(range(len(documents)))
    return answers


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("a.yaml", "a: [1.50, yes, ~]\r\nđ: 0x1F\r\n", '{"a":[1.5,"yes",null],"đ":31}\n'),
        ("a.json", '\ufeff{"a": [1E2, "\\ud83d\\ude00"]}', '{"a":[100,"😀"]}\n'),
    ],
)
def test_prints_json(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_bytes(text.encode())
    answer = load(str(path))
    assert (answer.returncode, answer.stdout.decode(), answer.stderr) == (0, expected, b"")


def test_reads_standard_input():
    assert load("-", stdin=b"a: 1").stdout == b'{"a":1}\n'


def test_a_name_declares_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1,}')
    assert load(str(path)).returncode == 1


@pytest.mark.parametrize("lang, words", [("vi", "được ghi hai lần: ở dòng 1 và dòng 3"), ("en", "is given twice: on line 1 and on line 3")])
def test_refuses_in_both_languages(tmp_path, lang, words):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: 2\na: 3\n")
    answer = load("--lang", lang, str(path))
    assert answer.returncode == 1 and answer.stdout == b""
    assert f"{path}:3:1:" in answer.stderr.decode() and words in answer.stderr.decode()


def test_unreadable_is_not_refused(tmp_path):
    assert load(str(tmp_path / "none.yaml")).returncode == 2
    assert load().returncode == 2
    assert load("--wrong").returncode == 2


def test_batch_answers_each_line():
    answers = batch(b"a: 1", b"a: 1\na: 2", b"\xff\xfea\x00", b"a: \xb8", b"")
    assert answers[0]["json"] == {"a": 1}
    assert "BC1020" in answers[1]["error"] and "2:1" in answers[1]["error"]
    assert answers[2]["json"] == "a"
    assert "BC1005" in answers[3]["error"]
    assert "BC1003" in answers[4]["error"]


def test_batch_survives_bad_lines():
    """One answer a line, also to an empty one, in the asked language."""
    told = {"vi": ("JSON: chỗ này phải có", "phải là một đối tượng", "phải có b64", "không phải base64", "dòng trống"),
            "en": ("JSON: a value is needed", "is a JSON object", "needs b64", "not base64", "an empty line")}
    lines = b'zz\n[1]\n{"id": "x"}\n{"id": "y", "b64": "!!"}\n\n{"id": "z", "b64": "YTogMQ"}'
    for lang, says in told.items():
        answer = load("--batch", "--lang", lang, stdin=lines)
        answers = [json.loads(line) for line in answer.stdout.decode().splitlines()]
        assert [a.get("id") for a in answers] == [None, None, "x", "y", None, "z"]
        assert all(word in a["error"] for word, a in zip(says, answers[:5])), answers
        assert answers[5]["json"] == {"a": 1}


def test_a_hostile_file_ends_soon(tmp_path):
    path = tmp_path / "deep.yaml"
    path.write_bytes(b"[" * 250000)
    answer = load(str(path))
    assert answer.returncode == 1 and b":1:65:" in answer.stderr
