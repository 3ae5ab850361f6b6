"""What `baocao check` shows of each kind of mistake is what the golden texts say, in both languages and as JSON."""
import json
import os

import pytest
from conftest import SOURCE

FOLDER = os.path.join(SOURCE, "tests", "data", "messages")
MISTAKES = sorted(name for name in os.listdir(FOLDER) if name.endswith((".yaml", ".json")))
KINDS = 60


def golden(name):
    """The symbol and the sections vi, en, json of a golden text."""
    with open(os.path.join(FOLDER, "expected", name + ".txt"), encoding="utf-8") as f:
        symbol, *sections = f.read().split("\n== ")
    return symbol.strip(), {s.split("\n", 1)[0]: s.split("\n", 1)[1].strip() for s in sections}


@pytest.fixture(scope="module")
def check(programs):
    """Judges every file in one run, with the forms that the golden texts were made by."""
    def run(*words):
        done = programs.run("check", "--forms", os.path.join(FOLDER, "forms"), "--province", programs.province, *words,
                            *[os.path.join(FOLDER, name) for name in MISTAKES])
        assert done.returncode == 1, done.stderr
        return done.stdout
    return run


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_text_is_the_golden_one(check, lang):
    said = check("--lang", lang).replace(FOLDER + "/", "")
    for name in MISTAKES:
        assert golden(name)[1][lang] in said, name


def test_the_json_is_the_golden_one(check):
    answers = {os.path.basename(a["file"]): a for a in json.loads(check("--format", "json"))}
    codes = set()
    for name in MISTAKES:
        symbol, sections = golden(name)
        assert answers[name]["symbol"] == symbol, name
        assert answers[name]["findings"] == [json.loads(line) for line in sections["json"].splitlines()], name
        codes |= {finding["code"] for finding in answers[name]["findings"]}
    assert len(codes) >= KINDS
