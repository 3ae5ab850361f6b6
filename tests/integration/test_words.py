"""What people type wrongly is answered with what to type; what they read is written as people write."""
import re

import yaml


def test_a_template_that_was_not_filled_in(programs, tmp_path):
    made = programs.run("new", "nd73-quarterly", "--unit", "24133", "--period", "2026-Q3")
    assert made.returncode == 0, made.stderr
    assert "# Quý III năm 2026 (15/6/2026 – 14/9/2026)\n# Hạn gửi: 17:00 ngày 16/9/2026\n" in made.stdout
    report = tmp_path / "bao-cao.yaml"
    report.write_text(made.stdout)
    checked = programs.run("check", report)
    assert checked.returncode == 1
    line = made.stdout[:made.stdout.index("    tong_so:")].count("\n") + 1
    assert f"bao-cao.yaml:{line}:5: lỗi BC4137" in checked.stdout
    assert "còn để trống" in checked.stdout and "thêm dòng" not in checked.stdout


def test_new_says_what_to_write(programs):
    def new(form, period, *words):
        done = programs.run("new", form, "--unit", "24133", "--period", period, *words)
        assert done.returncode == 2 and done.stdout == ""
        return done.stderr
    assert "2026-Q3" in new("nd73-quarterly", "Q3/2026")
    assert "theo quý, ví dụ --period 2026-Q3" in new("nd73-quarterly", "2026-09")
    assert "due by the quarter, such as --period 2026-Q3" in new("nd73-quarterly", "2026-09", "--lang", "en")
    assert "Có phải là nd73-quarterly không?" in new("nd73-quartely", "2026-Q3")


def test_days_units_and_periods_are_refused_by_their_shape(programs):
    due = programs.run("due", "--unit", "24133", "--until", "31/12/2026")
    assert due.returncode == 2 and "2026-12-31, không phải: 31/12/2026" in due.stderr
    stat = programs.run("stat", "nd73-quarterly", "Phường Tân Lập", "2026-Q3", "--to", "127.0.0.1:1")
    assert stat.returncode == 2 and "bằng mã" in stat.stderr
    stat = programs.run("stat", "nd73-quarterly", "24133", "Q3/2026", "--to", "127.0.0.1:1", "--lang", "en")
    assert stat.returncode == 2 and "such" not in stat.stderr and "2026-Q3" in stat.stderr


def test_troubles_of_the_line_are_told_in_vietnamese(programs, tmp_path):
    report = tmp_path / "x.yaml"
    report.write_text("form: x\n")
    sent = programs.run("send", report, "--to", "127.0.0.1:1", "--wait", "2")
    assert sent.returncode == 3 and "máy chủ không nhận kết nối" in sent.stdout
    asked = programs.run("status", "--server", "http://127.0.0.1:1")
    assert asked.returncode == 2 and "máy chủ không nhận kết nối" in asked.stderr
    asked = programs.run("status", "--server", "ftp://x", "--lang", "en")
    assert asked.returncode == 2 and "begins with http:// or https://" in asked.stderr


def test_what_the_office_reads(daemon, tmp_path):
    sample = f"{daemon.schemas}/samples/01-24133-buon-ma-thuot.yaml"
    assert daemon.baocao("send", sample).returncode == 0
    at = yaml.safe_load(daemon.baocao("stat", "nd73-quarterly", "24133", "2026-Q3", "--format", "json").stdout)
    moment = re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", str(at)).group(0)
    as_of = daemon.baocao("rollup", "nd73-quarterly", "--period", "2026-Q3", "--scope", "66", "--as-of", moment[:4] + "-12-31")
    assert "span" not in as_of.stderr, as_of.stderr
    missing = daemon.baocao("status", "nd73-quarterly", "--period", "2026-Q3", "--missing")
    assert missing.returncode == 0, missing.stderr
    assert "17:00 16/9/2026" in missing.stdout and "Phường " in missing.stdout and "T17:00" not in missing.stdout
    unknown = daemon.programs.run("no-such", "thing", program=daemon.programs.baocaod)
    assert unknown.returncode == 2 and "“no-such”" in unknown.stderr
