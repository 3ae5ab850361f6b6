#!/usr/bin/env python3
"""Turns one text file into a C array to include.

Usage: embed.py OUTPUT NAME FILE
"""
import pathlib
import sys


def main() -> int:
    output, name, file = sys.argv[1:4]
    data = pathlib.Path(file).read_bytes()
    data.decode("utf-8")
    lines = ["    " + ", ".join(map(str, data[i:i + 24])) + "," for i in range(0, len(data), 24)]
    pathlib.Path(output).write_text(
        f"static const unsigned char {name}[] = {{\n" + "\n".join(lines) + "\n};\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
