#!/usr/bin/python3
"""Runs every lint of this folder and writes a JUnit file.

Usage: run.py [--junit FILE]. A lint is a program `<name>.py` named below that exits 0 when it finds nothing.
"""
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

LINTS = ["layers.py", "sql.py", "coverage.py", "usage.py"]


def main(argv):
    here = os.path.dirname(os.path.abspath(__file__))
    suite = ET.Element("testsuite", name="lint")
    bad = 0
    for name in LINTS:
        done = subprocess.run([sys.executable, os.path.join(here, name)], capture_output=True, text=True)
        case = ET.SubElement(suite, "testcase", classname="lint", name=name)
        if done.returncode != 0:
            bad += 1
            ET.SubElement(case, "failure", message=f"exit {done.returncode}").text = done.stdout + done.stderr
            sys.stdout.write(done.stdout + done.stderr)
    if len(argv) > 1 and argv[0] == "--junit":
        ET.ElementTree(suite).write(argv[1])
    print(f"lint: {len(LINTS)} programs, {bad} found something")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
