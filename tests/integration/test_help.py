"""Help asked for is an answer: on standard output, exit 0, in the asked language; help unasked for is a complaint."""
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


def test_help_of_the_daemon(programs):
    for words in (("--help",), ("token", "--help"), ("office", "extend", "--help"), ("--config", "/none", "verify", "--help")):
        vi = programs.run(*words, program=programs.baocaod)
        assert (vi.returncode, vi.stderr) == (0, ""), vi
        assert "Cách dùng: baocaod" in vi.stdout and "token add --name" in vi.stdout
    en = programs.run("--lang", "en", "verify", "--help", program=programs.baocaod)
    assert en.returncode == 0 and "Usage: baocaod" in en.stdout
    wrong = programs.run("no-such-command", program=programs.baocaod)
    assert (wrong.returncode, wrong.stdout) == (2, "")
