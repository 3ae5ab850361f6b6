"""baocao eval --batch: what expressions give, over tests/data/eval_cases.jsonl. Numbers are equal by value."""
import decimal
import json
import os

from conftest import SOURCE

CASES = os.path.join(SOURCE, "tests", "data", "eval_cases.jsonl")


def plain(typed):
    """A typed value as Python data that compare by value."""
    kind, value = typed["t"], typed.get("v")
    if kind in ("int", "double"):
        return ("number", decimal.Decimal(value).normalize() + 0)
    if kind == "list":
        return ("list", [plain(x) for x in value])
    if kind == "map":
        return ("map", sorted(([plain(k), plain(x)] for k, x in value), key=repr))
    return (kind, value)


def ask(programs, requests):
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in requests)
    done = programs.run("eval", "--batch", stdin=text)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_case_gives_its_value(programs):
    with open(CASES, encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    answers = ask(programs, [{"id": i, "expr": c["expr"], "bindings": c.get("bindings", {})} for i, c in enumerate(cases)])
    assert [a["id"] for a in answers] == list(range(len(cases)))
    wrong = []
    for case, answer in zip(cases, answers):
        if case.get("error"):
            fits = isinstance(answer.get("error"), str) and answer["error"] != ""
        else:
            fits = "value" in answer and plain(answer["value"]) == plain(case["value"])
        if not fits:
            wrong.append((case["expr"], answer))
    assert not wrong


def test_bad_requests_are_answered_in_order(programs):
    answers = ask(programs, [
        {"id": "a", "expr": "1"}, {"id": "b"}, {"id": "c", "expr": "x", "bindings": {"x": {"t": "what"}}},
        {"id": "d", "expr": "x", "bindings": {"x": {"t": "int", "v": "abc"}}}, {"id": "e", "expr": "x", "bindings": [1]},
        {"id": "f", "expr": "x", "bindings": {"x": {"t": "map", "v": [[1]]}}}, {"id": "g", "expr": "2"},
    ])
    assert [a["id"] for a in answers] == ["a", "b", "c", "d", "e", "f", "g"]
    assert ["error" in a for a in answers] == [False, True, True, True, True, True, False]


def test_numbers_keep_every_digit(programs):
    answer, = ask(programs, [{"id": 1, "expr": "x + 0.1", "bindings": {"x": {"t": "int", "v": "12345678901234567890"}}}])
    assert answer["value"] == {"t": "double", "v": "12345678901234567890.1"}
