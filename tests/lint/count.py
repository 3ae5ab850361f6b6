#!/usr/bin/python3
"""Adds up JUnit files and prints the closing line "N passed, N failed[, N skipped]".

A file that is not there counts as one failure: its run did not end. Exits 1 on a failure or when nothing ran.
"""
import sys
import xml.etree.ElementTree as ET


def outcomes(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            yield "failed", f"{case.get('classname')}.{case.get('name')}"
        elif "skipped" in kinds:
            yield "skipped", ""
        else:
            yield "passed", ""


def main(paths):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        try:
            for kind, name in outcomes(path):
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
