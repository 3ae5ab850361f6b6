#!/usr/bin/env python3
"""Turns the migrations (NNNN_name.sql, numbered without a gap) into one C file to include.

Usage: embed.py OUTPUT FILE...
"""
import pathlib
import re
import sys


def octets(data: bytes) -> str:
    lines = []
    for i in range(0, len(data), 24):
        lines.append("    " + ", ".join(str(b) for b in data[i : i + 24]) + ",")
    return "\n".join(lines)


def main() -> int:
    output, files = sys.argv[1], sorted(map(pathlib.Path, sys.argv[2:]), key=lambda p: p.name)
    parts, rows = ["/* Made from daemon/store/migrations by embed.py. */"], []
    for number, file in enumerate(files, 1):
        found = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", file.name)
        if not found or int(found[1]) != number:
            sys.exit(f"{file}: migration {number:04d} expected here")
        data = file.read_bytes()
        data.decode("utf-8")
        if b"\0" in data:
            sys.exit(f"{file}: holds a NUL")
        parts.append(f"static const unsigned char migration_{number:04d}[] = {{\n{octets(data)}\n    0,\n}};")
        rows.append(f'    {{{number}, "{found[2]}", (const char *)migration_{number:04d}, '
                    f"sizeof(migration_{number:04d}) - 1}},")
    parts.append("static const struct baod_migration MIGRATIONS[] = {\n" + "\n".join(rows) + "\n};")
    pathlib.Path(output).write_text("\n\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
