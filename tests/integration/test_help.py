"""Help asked for is an answer: on standard output, exit 0, in the asked language; help unasked for is a complaint."""
import json
import re

import pytest

COMMANDS = ("check new forms schema send outbox due stat receipt status rollup validate eval load").split()


def test_every_command_is_known(programs):
    listed = re.findall(r"^  (\w+) ", programs.run("--help").stdout, re.M)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(programs, command):
    for words in ((command, "--help"), ("help", command), (command, "x", "--help")):
        vi = programs.run(*words)
        assert (vi.returncode, vi.stderr) == (0, ""), vi
        assert f"Cách dùng:\n  baocao {command}" in vi.stdout
    en = programs.run(command, "--help", "--lang", "en")
    assert (en.returncode, en.stderr) == (0, "") and f"Usage:\n  baocao {command}" in en.stdout
    assert en.stdout.isascii() or set(c for c in en.stdout if not c.isascii()) <= set("…–’")
    wrong = programs.run(command, "--no-such-option")
    assert (wrong.returncode, wrong.stdout) == (2, "") and f"baocao {command}" in wrong.stderr


def test_a_question_refuses_what_it_would_ignore(programs):
    refused = programs.run("rollup", "nd73-quarterly", "--unit", "24133", "--lang", "en", "--server", "http://127.0.0.1:1")
    assert refused.returncode == 2 and "does not take --unit" in refused.stderr
    refused = programs.run("status", "--missing", "--span", "2026", "--server", "http://127.0.0.1:1")
    assert refused.returncode == 2 and "không dùng --span" in refused.stderr


WRONG = {  # words -> what the one sentence names
    ("check",): "thiếu tên tệp báo cáo",
    ("check", "--histroy", "x"): "có phải là --history không?",
    ("check", "x", "--history"): "sau --history còn thiếu giá trị",
    ("check", "--batch", "x"): "--batch đọc từ đầu vào chuẩn",
    ("new", "nd73-quarterly", "--period", "2026-Q3"): "thiếu --unit",
    ("new", "nd73-quarterly", "--unit", "--period", "2026-Q3"): "sau --unit còn thiếu giá trị",
    ("new", "nd73-quarterly", "thừa", "--unit", "24133"): "thừa “thừa”",
    ("schema",): "sau schema phải là export",
    ("schema", "export", "nd73-quarterly", "--draft", "3"): "--draft là 7 hoặc 2020-12, không phải “3”",
    ("schema", "export", "nd73-quarterly", "--version", "x"): "không phải “x”",
    ("send",): "thiếu tên tệp báo cáo",
    ("send", "x", "--wait", "lâu"): "--wait là số giây",
    ("send", "x", "--plaintext=yes"): "--plaintext không nhận giá trị",
    ("outbox", "run"): "thiếu --outbox",
    ("due",): "thiếu --unit",
    ("stat", "nd73-quarterly"): "ghi đủ biểu mẫu, đơn vị và kỳ",
    ("receipt", "check", "--key", "12"): "thiếu tên tệp biên nhận",
    ("receipt", "check", "x"): "thiếu --key",
    ("receipt", "check", "x", "--key", "12"): "64 chữ số thập lục phân (0-9, a-f), không phải “12”",
    ("status", "nd73-quarterly", "--form", "nd73-annual"): "biểu mẫu được ghi hai lần",
    ("rollup", "nd73-quarterly", "2026-Q3"): "thừa “2026-Q3”",
    ("validate", "x"): "thiếu --schema",
    ("validate", "--schema", "x", "--output", "full", "y"): "--output chỉ nhận basic",
    ("eval",): "thiếu --batch",
    ("load",): "ghi một tên tệp, hoặc --batch",
    ("forms", "--form", "x"): "có phải là --forms không?",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_get_one_sentence(programs, words):
    done = programs.run(*words)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 3), done
    assert lines[0].startswith(f"baocao {words[0]}: ") and WRONG[words] in lines[0]
    assert lines[1].startswith(f"Ví dụ: baocao {words[0]}") and lines[2] == f"Xem thêm: baocao {words[0]} --help"
    english = programs.run(*words, "--lang", "en").stderr.splitlines()
    assert len(english) == 3 and english[1].startswith("Example: "), english


def test_common_options_stand_anywhere(programs):
    for words in (("--lang", "en", "forms", "--format=json"), ("forms", "--format", "json", "--lang=en")):
        assert programs.run(*words).stdout.startswith("[")
    for words, right in ((("--lang", "fr", "forms"), "--lang vi"), (("forms", "--format"), "--format text")):
        wrong = programs.run(*words)
        assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and right in wrong.stderr
    unknown = programs.run("chek", "x")
    assert unknown.returncode == 2 and "có phải là check không?" in unknown.stderr and unknown.stderr.count("\n") == 2


OPERATORS = {  # words of baocaod -> what its one sentence names
    ("no-such",): "không có lệnh “no-such”; các lệnh: check-config, dump-config, migrate, verify, heads",
    ("--conifg", "x"): "không có tùy chọn --conifg",
    ("verify", "--lang", "fr"): "sau --lang phải là vi hoặc en",
    ("verify", "--format=xml"): "sau --format phải là text hoặc json",
    ("verify", "--config"): "sau --config còn thiếu giá trị",
    ("verify", "--heads"): "sau “--heads” còn thiếu TỆP",
    ("migrate", "x"): "thừa “x” sau “migrate”",
    ("forms",): "sau “forms” phải là một trong: check",
    ("office", "lok"): "return, withdraw, extend, exempt, owe, lock, unlock, approve",
    ("token",): "sau token phải là add, list hoặc revoke",
    ("token", "add", "--unit", "24133"): "--name là tên người",
    ("token", "add", "--name", "a", "--unit", "24133,,1"): "cách nhau bằng dấu phẩy",
    ("token", "add", "--name", "a", "--role", "unit"): "--role là office, oversight hoặc operator",
    ("token", "add", "--name", "a", "--role", "office", "--unit", "24133"): "không ghi cả hai",
    ("token", "add", "--name", "a", "--role", "office", "--expires", "31/12/2027"): "viết như 2027-12-31",
    ("token", "add", "--name", "a", "--rôle", "office"): "chỉ nhận --name, --unit, --role và --expires",
    ("token", "list", "x"): "token list không kèm gì khác",
    ("token", "revoke", "x"): "baocaod token list",
    ("quarantine", "show", "x"): "baocaod quarantine list",
    ("quarantine",): "sau quarantine phải là list, show hoặc drop",
}


@pytest.mark.parametrize("words", OPERATORS, ids=" ".join)
def test_an_operators_wrong_words_get_one_sentence(programs, words):
    done = programs.run(*words, program=programs.baocaod)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 2), done
    assert OPERATORS[words] in done.stderr and done.stderr.endswith(" --help\n")
    if "--lang" not in words:
        english = programs.run("--lang", "en", *words, program=programs.baocaod)
        assert english.returncode == 2 and "\nMore: baocaod " in english.stderr, english.stderr


def test_common_options_of_the_daemon_stand_anywhere(programs, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"paths:\n  forms: {programs.schemas}\n  province: {programs.province}\n")
    for words in (("--config", config, "--lang", "en", "--format", "json", "forms", "check"),
                  ("forms", "check", "--format=json", f"--config={config}", "--lang", "en")):
        told = json.loads(programs.run(*words, program=programs.baocaod).stdout)
        assert told["forms"] >= 5 and told["units"] >= 100 and told["lines"]
    units = programs.run("units", "check", "--config", config, "--lang", "en", program=programs.baocaod)
    assert units.returncode == 0 and " units, " in units.stdout


def test_help_of_the_daemon(programs):
    for words in (("--help",), ("token", "--help"), ("office", "extend", "--help"), ("--config", "/none", "verify", "--help")):
        vi = programs.run(*words, program=programs.baocaod)
        assert (vi.returncode, vi.stderr) == (0, ""), vi
        assert "Cách dùng: baocaod" in vi.stdout
        shown = {line.split()[1] for line in vi.stdout.splitlines() if line.startswith("  baocaod ")}
        named = set(words) & {"token", "office", "verify"}
        assert shown == named if named else {"token", "office", "verify", "rebuild"} <= shown
        assert ("token add --name" in vi.stdout) == (named <= {"token"})
    en = programs.run("--lang", "en", "verify", "--help", program=programs.baocaod)
    assert en.returncode == 0 and "Usage: baocaod" in en.stdout
    wrong = programs.run("no-such-command", program=programs.baocaod)
    assert (wrong.returncode, wrong.stdout) == (2, "")
