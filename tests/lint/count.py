#!/usr/bin/python3
"""Adds up JUnit files and prints the closing line "N passed, N failed[, N skipped]".

Usage: count.py [--again FILE] FILE… . A file that is not there counts as one failure: its run did not end. FILE of
--again, when it is there, is a second run of what failed: what passed in it counts as passed, and is named. Exits 1 on
a failure or when nothing ran.
"""
import os
import sys
import xml.etree.ElementTree as ET


def outcomes(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        name = f"{case.get('classname')}.{case.get('name')}"
        if kinds & {"failure", "error"}:
            yield "failed", name
        else:
            yield "skipped" if "skipped" in kinds else "passed", name


def passed_again(path):
    """Names that passed in the second run and did not also fail there, as a test and its clean-up may."""
    found = list(outcomes(path)) if os.path.exists(path) else []
    return {name for kind, name in found if kind == "passed"} - {name for kind, name in found if kind == "failed"}


def main(paths):
    again = set()
    if paths and paths[0] == "--again":
        again = passed_again(paths[1])
        paths = paths[2:]
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        try:
            for kind, name in outcomes(path):
                if kind == "failed" and name in again:
                    print(f"failed once, passed when run again: {name}")
                    kind = "passed"
                count[kind] += 1
                if kind == "failed":
                    print(f"failed: {name}")
        except (OSError, ET.ParseError) as error:
            print(f"failed: no result in {path}: {error}")
            count["failed"] += 1
    line = f"{count['passed']} passed, {count['failed']} failed"
    print(line + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
