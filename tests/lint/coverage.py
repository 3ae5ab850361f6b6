#!/usr/bin/env python3
"""schemas/COVERAGE.md says which indicator, field or rule of which form serves what the founding texts name: each one it
names must be there.

Usage: coverage.py [SOURCE_FOLDER]. Prints one line a fault, and exits 1 when there is one.

A row names forms by their letters, which the head of the page explains, and after them what serves the row: codes of
indicators, paths of fields, ids of rules. A name of several words joined by _ - or . is held to be one.
"""
import glob
import os
import re
import sys

import yaml

WORD = re.compile(r"(?<![\w.-])[a-z][a-z0-9]*(?:[_.-][a-z0-9]+)+(?![\w.-])")


def fields_of(schema, path, found):
    for name, sub in (schema.get("properties") or {}).items():
        found.add(".".join(path + [name]))
        found.add(name)
        fields_of(sub, path + [name], found)
    if "items" in schema:
        fields_of(schema["items"], path, found)


def names_of(path):
    """Everything in a form that a row may name."""
    with open(path, encoding="utf-8") as f:
        form = yaml.load(f, yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader)
    found = {i["code"] for i in form["indicators"]} | {c["id"] for c in form["checks"]}
    found.update(form.get("reporters", {}).get("kinds", []))
    fields_of(form["schema"], [], found)
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..")
    os.chdir(os.path.join(root, "schemas"))
    forms = {}
    for path in sorted(glob.glob("*/*.v*.yaml")):
        forms.setdefault(os.path.basename(path).split(".v")[0], set()).update(names_of(path))
    with open("COVERAGE.md", encoding="utf-8") as f:
        page = f.read()
    letters = {letter: name for letter, name in re.findall(r"`([A-Z])` ([a-z0-9-]+)", page.split("\n## ")[0])}
    faults = [f"schemas/COVERAGE.md: {letter} stands for {name}, which is no form"
              for letter, name in letters.items() if name not in forms]
    named = rows = 0
    for number, line in enumerate(page.split("\n"), 1):
        cells = line.split("|")
        if len(cells) < 4 or set(cells[1].strip()) <= {"-"} or "Phục vụ" in line:
            continue
        rows += 1
        known = set()
        for part in re.split(r"((?:`[A-Z]`\s*)+)", cells[2]):
            if re.fullmatch(r"(?:`[A-Z]`\s*)+", part or " "):
                known = set().union(*(forms.get(letters.get(x), set()) for x in re.findall(r"[A-Z]", part)))
                continue
            for word in WORD.findall(part):
                if word.endswith(".yaml") or not known:
                    continue
                named += 1
                if word not in known:
                    faults.append(f"schemas/COVERAGE.md:{number}: the form named before it has no {word}")
    if rows < 50 or named < 120:
        faults.append(f"schemas/COVERAGE.md: only {rows} rows and {named} names were found: this lint no longer sees them")
    for fault in faults:
        print(fault)
    print(f"coverage lint: {rows} rows, {named} names, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
