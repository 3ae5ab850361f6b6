#!/usr/bin/python3
"""What `baocao COMMAND --help` names is what the command reads, in both languages.

Usage: usage.py [SOURCE_FOLDER]. The options that a command reads are the literals "--name" of its file, those of the
readers it calls (brp_options.h, ask.c) included; those of its usage stand in the table of main.c. Prints one line a fault.
"""
import os
import re
import sys

OPTION = re.compile(r"--[a-z][a-z-]*")
# called in a command's file -> the file whose literals it reads besides its own
READERS = {"CLI_BRP_WORDS(": "brp_options.h", "cli_question_read(": "ask.c"}
QUESTION_OWN = {"--span", "--unit", "--units", "--indicator"}  # read by ask.c where the command names them


def source(name):
    with open(os.path.join("daemon", "cli", name), encoding="utf-8") as f:
        return f.read()


def read_by(name):
    text = source(name)
    options = set(re.findall(r'"(--[a-z][a-z-]*)"', text))
    for call, reader in READERS.items():
        if call in text:
            options |= set(re.findall(r'"(--[a-z][a-z-]*)"', source(reader))) - (QUESTION_OWN - options)
    return options


def strings(text):
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', text))


def expand(text, macros):
    return re.sub(r"\b([A-Z]+_(?:VI|EN))\b", lambda m: '"' + macros.get(m.group(1), "") + '"', text)


def rows(text):
    """Of the table of commands: its name and the two usages."""
    macros = {m.group(1): strings(m.group(2)) for m in re.finditer(r"#define (\w+) (\".*)", text)}
    table = text.split("} commands[] = {", 1)[1].split("\n};", 1)[0]
    for row in re.split(r"\n    \{\"", table)[1:]:
        name = row.split('"', 1)[0]
        function = re.search(r"\bcli_(\w+)", row).group(1)
        vi, en = halves(expand(re.split(r"\n\s+\{", row)[-1], macros))
        yield name, function, vi, en


def halves(text):
    """The two strings of an initialiser, each of which may be written in pieces."""
    pieces = re.findall(r'"(?:\\.|[^"\\])*"|,', text)
    cut = pieces.index(",")
    return "".join(pieces[:cut]), "".join(pieces[cut:])


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", ".."))
    faults = []
    count = 0
    for name, function, vi, en in rows(source("main.c")):
        count += 1
        read = read_by("cmd_" + function.removesuffix("_command") + ".c")
        for lang, usage in (("vi", vi), ("en", en)):
            said = set(OPTION.findall(usage))
            faults += [f"baocao {name} --help ({lang}) does not name {o}" for o in sorted(read - said)]
            faults += [f"baocao {name} --help ({lang}) names {o}, which is not read" for o in sorted(said - read)]
    if count < 10:
        faults.append("daemon/cli/main.c: the table of commands was not found")
    for line in faults:
        print(line)
    print(f"usage: {count} commands, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
