"""The tarball of baocao with its libraries: complete, and enough on a machine that has nothing."""
import os
import subprocess

import pytest

from conftest import BUILD, SOURCE


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    root = tmp_path_factory.mktemp("portable")
    tarball = root / "baocao.tar.gz"
    made = subprocess.run([os.path.join(SOURCE, "deploy", "portable"), str(tarball), os.path.join(BUILD, "daemon", "baocao")],
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    subprocess.run(["tar", "-C", str(root), "-xzf", str(tarball)], check=True)
    return root


def test_it_runs_without_an_environment(unpacked, tmp_path):
    def run(*words):
        return subprocess.run(["env", "-i", "PATH=/usr/bin:/bin", str(unpacked / "baocao" / "baocao"), *words], cwd=tmp_path,
                              capture_output=True, text=True)
    helped = run("--help")
    assert helped.returncode == 0 and "Cách dùng: baocao" in helped.stdout, helped.stderr
    sample = os.path.join(SOURCE, "schemas", "samples", "01-24133-buon-ma-thuot.yaml")
    checked = run("check", sample)
    assert checked.returncode == 0 and "1970" not in checked.stdout, checked.stdout + checked.stderr
    wrong = run("check", os.path.join(SOURCE, "schemas", "samples", "31-24490-krong-pac-sai-so.yaml"))
    assert wrong.returncode == 1 and "sai-so.yaml:" in wrong.stdout + wrong.stderr
    away = run("rollup", "--server", "http://127.0.0.1:1")  # libcurl and its kin are there too
    assert away.returncode == 2 and "127.0.0.1:1" in away.stderr


def test_every_library_is_its_own(unpacked):
    lib = unpacked / "baocao" / "lib"
    loader = next(lib.glob("ld-*"))
    listed = subprocess.run([str(loader), "--library-path", str(lib), "--list", str(lib / "baocao")], capture_output=True,
                            text=True, check=True).stdout
    paths = [line.split("=>")[1].split()[0] for line in listed.splitlines() if "=>" in line]
    assert len(paths) >= 8 and "not found" not in listed
    assert [p for p in paths if not p.startswith(str(lib)) and not os.path.basename(p).startswith("ld-")] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root folder")
def test_it_runs_where_there_is_nothing_else(unpacked):
    """A root folder that holds the tarball alone: no shell, no C library, no /etc, no /proc."""
    loader = "/lib/" + next((unpacked / "baocao" / "lib").glob("ld-*")).name
    sample = unpacked / "baocao" / "report.yaml"
    with open(os.path.join(SOURCE, "schemas", "samples", "01-24133-buon-ma-thuot.yaml"), "rb") as f:
        sample.write_bytes(f.read())
    run = subprocess.run(["chroot", str(unpacked / "baocao"), loader, "--library-path", "/lib", "/lib/baocao", "check",
                          "--forms", "/share/schemas", "/report.yaml"], capture_output=True, text=True,
                         env={"PATH": "/usr/sbin:/usr/bin"})
    assert "/report.yaml: hợp lệ" in run.stdout, (run.returncode, run.stdout, run.stderr)
    # A sanitized build looks for leaks at its end and cannot without /proc; that is not the program's word.
    assert run.returncode == 0 or "LeakSanitizer" in run.stderr, run.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root folder")
def test_it_finds_the_hub_and_sends_from_there(unpacked, daemon):
    """Names are looked up and reports sent with the tarball's own libraries: of the machine only /etc/hosts is there."""
    root = unpacked / "baocao"
    (root / "etc").mkdir(exist_ok=True)
    (root / "proc").mkdir(exist_ok=True)  # a sanitized build needs it at its end
    (root / "etc" / "hosts").write_text("127.0.0.1 hub.example\n", encoding="ascii")
    with open(os.path.join(SOURCE, "schemas", "samples", "01-24133-buon-ma-thuot.yaml"), "rb") as f:
        (root / "sent.yaml").write_bytes(f.read())
    loader = "/lib/" + next((root / "lib").glob("ld-*")).name
    run = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"', str(root),
                          loader, "--library-path", "/lib", "/lib/baocao", "send", "--plaintext", "--to",
                          f"hub.example:{daemon.reports_port}", "/sent.yaml"], capture_output=True, text=True, timeout=120,
                         env={"PATH": "/usr/sbin:/usr/bin"})
    assert run.returncode == 0 and "đã nhận" in run.stdout, (run.returncode, run.stdout, run.stderr)
    assert daemon.sql("SELECT count(*) FROM office.report") == [(1,)]
