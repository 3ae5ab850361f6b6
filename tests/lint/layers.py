#!/usr/bin/python3
"""Layers, foreign libraries, globals, header documentation, banned calls, constant SQL, layout.

Usage: layers.py [SOURCE_FOLDER]. Prints one line a fault, and exits 1 when there is one.
"""
import os
import re
import subprocess
import sys

LIB = ["base", "doc", "text", "schema", "expr", "form", "wire"]
# What each part of the daemon may include besides lib and itself (design.md: one direction only).
DAEMON = {
    "ops": [],
    "config": ["ops"],
    "net": ["ops", "config"],
    "store": ["ops", "config"],
    "intake": ["ops", "config", "store"],
    "answer": ["ops", "config", "store"],
    "brp": ["ops", "config", "net", "store", "intake", "answer"],
    "http": ["ops", "config", "net", "store", "intake", "answer"],
    "server": ["ops", "config", "net", "store", "intake", "brp", "http", "answer"],
    "main": ["ops", "config", "net", "store", "intake", "brp", "http", "server"],
    "cli": ["ops", "config", "net"],
}
# header pattern -> the one file that may include it
FOREIGN = [
    (r"yaml\.h$", "lib/doc/yaml.c"),
    (r"utf8proc\.h$", "lib/base/utf8.c"),
    (r"nettle/", "lib/base/crypto.c"),
    (r"pcre2", "lib/schema/regex.c"),
    (r"zlib\.h$", "lib/wire/deflate.c"),
    (r"systemd/", "daemon/ops/sd.c"),
    (r"gnutls/", "daemon/net/tls.c"),
    (r"(libpq-fe|libpq/|postgresql/)", "daemon/store/pg.c"),
    (r"sqlite3\.h$", "daemon/store/spool/db.c"),
    (r"microhttpd", "daemon/http/http.c"),
    (r"xlsxwriter", "daemon/http/xlsx.c"),
    (r"curl/", "daemon/cli/client.c"),
]
BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atof|system|popen|alloca|tmpnam|mktemp|asctime|ctime|localtime|gmtime|strerror_l|assert)\s*\("
TOP = {"lib", "daemon", "schemas", "deploy", "tests", ".ci", "meson.build", "meson_options.txt", "README.md", "LICENSE"}
faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def part_of(path):
    words = path.split("/")
    if words[0] == "lib":
        return ("lib", words[1])
    if words[0] == "daemon":
        name = words[1] if len(words) > 2 else words[1].rsplit(".", 1)[0]
        return ("daemon", name)
    return (words[0], "")


def may_include(who, what):
    if who[0] not in ("lib", "daemon"):
        return True
    if what[0] == "tests":
        return False
    if who[0] == "lib":
        return what[0] == "lib" and LIB.index(what[1]) <= LIB.index(who[1])
    if what[0] == "lib":
        return True
    if who[1] == what[1]:
        return True
    return what[1] in DAEMON.get(who[1], [])


def strip_comments(text):
    """Comments blanked, line numbers kept; strings kept."""
    out = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    return out


def check_includes(path, text):
    who = part_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        name = m.group(2)
        if m.group(1) == '"':
            if not os.path.exists(name) and not name.startswith("build/"):
                if not name.endswith(".inc") or "/" in name:
                    fault(path, number, f"include from the root of the tree: {name}")
                continue
            if not may_include(who, part_of(name)):
                fault(path, number, f"{who[0]}/{who[1]} may not include {name}")
            continue
        for pattern, home in FOREIGN:
            if re.search(pattern, name) and path != home and who[0] in ("lib", "daemon"):
                fault(path, number, f"<{name}> belongs in {home} alone")
        if name == "uv.h" and who[0] == "lib":
            fault(path, number, "lib/ knows no event loop")


def check_banned(path, code):
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', code)
    for number, line in enumerate(bare.split("\n"), 1):
        m = re.search(BANNED, line)
        if m:
            fault(path, number, f"banned call: {m.group(1)}")
        if path.startswith("lib/") and re.search(r"\b(printf|fprintf|exit|abort|time|gettimeofday|clock_gettime|getenv)\s*\(", line):
            if path != "lib/base/attributes.h":
                fault(path, number, "lib/ neither prints, exits, nor looks at clock and environment")


def check_sql(path, code):
    """A statement handed to libpq is a literal or a constant of this file, never made at run time."""
    if not path.startswith("daemon/store/"):
        return
    for number, line in enumerate(code.split("\n"), 1):
        if re.search(r'(printf|append)[^;]*"\s*(SELECT|INSERT|UPDATE|DELETE|COPY|ALTER|CREATE|DROP)\b', line):
            fault(path, number, "SQL text is constant: no statement is put together at run time")


def check_header(path, text):
    if "#pragma once" not in text:
        fault(path, 1, "a header begins with #pragma once")
    if not text.lstrip().startswith("/*"):
        fault(path, 1, "a public header opens by saying its purpose")
    lines = text.split("\n")
    total = documented = 0
    missing = []
    previous_ok = False
    depth = 0
    statement = ""
    in_comment = False
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if in_comment or bare.startswith("/*"):
            in_comment = "*/" not in bare
            previous_ok = True
            continue
        if not bare or bare.startswith("#"):
            if not bare:
                previous_ok = False
            continue
        if depth == 0 and not statement:
            is_prototype = re.match(r"^(?!typedef|struct \w+ \{|enum|static|extern|_Static|#|\})[A-Za-z].*\(", line)
            if is_prototype:
                total += 1
                # a run of prototypes under one comment is one documented group
                if previous_ok or "/*" in line:
                    documented += 1
                else:
                    missing.append(number)
                    previous_ok = False
        depth += line.count("{") - line.count("}")
        statement = "" if bare.endswith((";", "}")) else bare
    if total and documented * 100 < total * 85:
        fault(path, missing[0], f"{total - documented} of {total} prototypes say nothing of their contract")


def check_globals(build):
    """lib/ has no variables that change: nothing of it may stand in a writable section."""
    library = os.path.join(build, "lib", "libbaocao.a")
    if not os.path.exists(library):
        return
    out = subprocess.run(["objdump", "-t", library], capture_output=True, text=True).stdout
    member = library
    for line in out.split("\n"):
        m = re.match(r"^(\S+\.o):\s+file format", line)
        if m:
            member = m.group(1)
        m = re.match(r"^[0-9a-f]+ .{7} (\.data|\.bss|\.data\.rel|\.data\.rel\.local|\*COM\*)\s+[0-9a-f]+\s+(?:\.hidden\s+)?(\S+)", line)
        if m and m.group(2) != m.group(1) and not re.search(r"asan|ubsan|gcov|__prof|^\.L", m.group(2)):
            fault(member, 0, f"lib/ has no variables that change: {m.group(2)}")


# In halves, so that whoever looks for such words in the tree does not find this list.
UNFINISHED = re.compile(r"\b(%s)\b" % "|".join(a + b for a, b in (
    ("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK"), ("not imple", "mented"), ("unimple", "mented"))))


def check_unfinished(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            fault(path, number, "words of unfinished work")


def check_built(files):
    """A source that no meson.build names is not built, and a test in it never fails. (Fault tests build their own.)"""
    words = set()
    for f in files:
        if f.endswith("meson.build"):
            words |= set(re.findall(r"'([^']+)'", open(f, encoding="utf-8").read()))
    words |= {w.rsplit("/", 1)[-1] for w in words}
    for f in files:
        name = os.path.basename(f)
        stem = name[:-2]
        if f.endswith(".c") and not f.startswith("tests/fault/") and not {name, stem, re.sub(r"_(test|fuzz)$", "", stem)} & words:
            fault(f, 1, "no meson.build names this file")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..")
    os.chdir(root)
    build = os.environ.get("BAOCAO_BUILD", "build")
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True).stdout.split("\n")
    files = [f for f in files if f and os.path.exists(f)]
    for f in files:
        top = f.split("/")[0]
        if top not in TOP and not top.startswith("."):
            fault(f, 0, "not in the layout (design.md section 3)")
        if f.endswith((".c", ".h", ".inc", ".py", ".sql", ".sh", ".build", ".md")):
            check_unfinished(f, open(f, encoding="utf-8").read())
        if not f.endswith((".c", ".h")):
            continue
        text = open(f, encoding="utf-8").read()
        code = strip_comments(text)
        check_includes(f, text)
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > 120:
                fault(f, number, f"{len(line)} columns; 120 are the most")
        if f.startswith(("lib/", "daemon/")):
            check_banned(f, code)
            check_sql(f, code)
            if f.endswith(".h"):
                check_header(f, text)
    check_built(files)
    check_globals(build)
    for line in faults:
        print(line)
    print(f"lint: {len(files)} files, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
