"""The hub with curl alone, as README shows it: every block of it with curl is run as it stands."""
import os
import re
import subprocess

import pytest

from conftest import SOURCE
from reports import FORM, PERIOD, report
from web import add_token, wait_for_token

HUB = "http://127.0.0.1:7380"
KEY = f"{HUB}/v1/reports/24133/{FORM}/{PERIOD}"
# Heads with a secret stand in files of mode 0600, so that no list of processes shows them.
STEPS = [  # (command, what its output holds)
    (f"curl -H @don-vi.auth -H 'Content-Type: application/yaml' --data-binary @bao-cao.yaml {HUB}/v1/check", '"findings":'),
    (f"curl -H @don-vi.auth -H 'Content-Type: application/yaml' -T bao-cao.yaml {KEY}", '"state":"committed"'),
    (f"gzip -c bao-cao.yaml | curl -H @don-vi.auth -H 'Content-Type: application/yaml' -H 'Content-Encoding: gzip' -T - {KEY}",
     '"dup":1'),
    (f"curl -H @don-vi.auth {KEY}", '"receipt":'),
    (f"curl -H @don-vi.auth '{KEY}?proof=1'", "baocao-receipt 1"),
    (f"curl -H @don-vi.auth {KEY}/document", "form: nd73-quarterly"),
    (f"curl -H @van-phong.auth '{HUB}/v1/rollups.csv?form={FORM}&period={PERIOD}&scope=66'", "form,period,"),
    (f"curl -H @van-phong.auth '{HUB}/v1/status?form={FORM}&period={PERIOD}'", '"owed":'),
    (f"curl -H @van-phong.auth -H 'Accept-Language: en' -H 'Accept: text/plain' {HUB}/v1/nothing", "There is no such path"),
]


@pytest.fixture
def office(make_daemon, tmp_path):
    """Runs a command line as it stands, with the hub's real port."""
    daemon = make_daemon({"http": {"local": "office"}}).start()
    unit, head = add_token(daemon, "--unit", "24133,24121"), add_token(daemon, "--role", "office")
    wait_for_token(daemon, head)
    for name, text in (("don-vi.auth", f"Authorization: Bearer {unit}\n"), ("van-phong.auth", f"Authorization: Bearer {head}\n"),
                       ("don-vi.token", unit), ("office.token", head), ("bao-cao.yaml", report("24133", 1, 4))):
        path = tmp_path / name
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")

    def run(command):
        line = command.replace(HUB, daemon.server).replace("curl ", "curl -sS ")
        return subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    return run


def test_curl_does_it_all(office):
    for command, holds in STEPS:
        done = office(command)
        assert done.returncode == 0 and holds in done.stdout, (command, done.stdout, done.stderr)


def test_every_curl_block_of_the_readme_runs(office, tmp_path):
    """As it stands, with the files it names: tokens, a report; 24133 has reported before."""
    assert office(STEPS[1][0]).returncode == 0
    (tmp_path / "bao-cao.yaml").write_text(report("24121", 1, 4), encoding="utf-8")
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        blocks = [b for b in re.findall(r"^```\w*\n(.*?)^```", f.read(), re.M | re.S) if "curl " in b]
    assert blocks
    for block in blocks:
        lines = block.split("\n")
        if block.startswith("$ "):  # commands among what they print
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        done = office("\n".join(lines))
        assert done.returncode == 0 and '{"code":' not in done.stdout, (block, done.stdout, done.stderr)
