#!/usr/bin/python3
"""The rules that keep a distributed PostgreSQL possible (design.md section 6), over migrations and the store's SQL.

Usage: sql.py [SOURCE_FOLDER]. Prints one line a fault, and exits 1 when there is one.

Every key of a fact begins with its unit, every key of a sum with its scope; small dictionaries and what is found by
an id of its own are named below. No triggers, sequences, MERGE, GROUPING SETS or recursive queries over facts; nothing volatile
in DO UPDATE; no key is ever updated; no row locks, for the province's advisory lock orders all writers.
"""
import glob
import os
import re
import sys

# Copied to every node: small, and joined by everything.
DICTIONARIES = {"migration", "epoch", "unit", "unit_succession", "scope", "scope_unit", "form", "indicator", "period",
                "target", "credential", "indicator_was", "scope_was", "target_was", "period_was"}
# Functions that read dictionaries alone.
OF_DICTIONARIES = {"heirs", "unit_at"}
# Found by an id or number of their own, on one node each.
BY_THEMSELVES = {"receipt", "audit", "quarantine"}
KEY_COLUMNS = {"unit", "scope", "form", "period", "revision"}
VOLATILE = r"\b(now|clock_timestamp|statement_timestamp|random|gen_random_uuid|nextval|timeofday)\s*\(|\bcurrent_timestamp\b"
BANNED = [
    (r"\bCREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?TRIGGER\b", "no triggers: distributed tables have none"),
    (r"\bMERGE\s+INTO\b", "no MERGE: INSERT … ON CONFLICT does it everywhere"),
    (r"\bGROUPING\s+SETS\b|\bGROUP\s+BY\s+(ROLLUP|CUBE)\b", "no GROUPING SETS"),
    (r"\b(SMALL|BIG)?SERIAL\b|\bnextval\b|\bCREATE\s+SEQUENCE\b|\bGENERATED\s+(ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY\b",
     "no sequences: the daemon makes ids"),
    (r"\bFOR\s+(NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(KEY\s+)?SHARE\b|\bSKIP\s+LOCKED\b",
     "no row locks: the province's advisory lock comes first"),
    (r"\bLISTEN\s+\w|\bNOTIFY\s+\w|\bpg_notify\s*\(", "no LISTEN and NOTIFY: sessions hold no state"),
]
faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def statements_of_c(text):
    """(line, SQL) of each run of string literals, comments between them left out."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.S)
    for m in re.finditer(r'"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*', code):
        sql = " ".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', m.group(0)))
        if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|MERGE|COPY)\b", sql):
            yield code.count("\n", 0, m.start()) + 1, sql


def statements_of_sql(text):
    """(line, SQL) of the file's statements, comments left out; texts in quotes and $$ stay whole."""
    code = re.sub(r"--[^\n]*", blank, text)
    start = 0
    quoted = None
    for m in re.finditer(r"'|\$\$|;", code):
        if quoted:
            quoted = None if m.group(0) == quoted else quoted
        elif m.group(0) != ";":
            quoted = m.group(0)
        else:
            sql = code[start:m.start()]
            lead = len(sql) - len(sql.lstrip())
            yield code.count("\n", 0, start + lead) + 1, sql
            start = m.end()


def check_statement(path, line, sql):
    for pattern, why in BANNED:
        if re.search(pattern, sql, re.I):
            fault(path, line, why)
    check_recursion(path, line, sql)
    for m in re.finditer(r"\bDO\s+UPDATE\s+SET\b(.*?)(?=\bRETURNING\b|$)", sql, re.I | re.S):
        if re.search(VOLATILE, m.group(1), re.I):
            fault(path, line, "nothing volatile in DO UPDATE: pass the time as a parameter")
        check_assignments(path, line, m.group(1))
    for m in re.finditer(r"\bUPDATE\s+(?:baocao\.)?(\w+)(?:\s+(?:AS\s+)?\w+)?\s+SET\b(.*?)(?=\bFROM\b|\bWHERE\b|$)", sql, re.I | re.S):
        if m.group(1).lower() not in DICTIONARIES:
            check_assignments(path, line, m.group(2))


def check_recursion(path, line, sql):
    """What recurs may read dictionaries only: they are on every node."""
    if re.search(r"\bWITH\s+RECURSIVE\b", sql, re.I):
        body = re.sub(r"\bCREATE\s+(OR\s+REPLACE\s+)?FUNCTION\s+[\w.]+", "", sql, flags=re.I)
        for table in sorted({t.lower() for t in re.findall(r"\bbaocao\.(\w+)", body)} - DICTIONARIES - OF_DICTIONARIES):
            fault(path, line, f"a recursive query reads {table}, which is no dictionary")


def check_assignments(path, line, text):
    for name in re.findall(r"(?:^|,)\s*(\w+)\s*=", text):
        if name.lower() in KEY_COLUMNS - {"revision"}:
            fault(path, line, f"a key is never updated: {name}")


def check_table(path, line, sql):
    m = re.match(r"\s*CREATE\s+TABLE\s+baocao\.(\w+)\s*\((.*)\)", sql, re.I | re.S)
    if not m:
        return
    table, body = m.group(1), m.group(2)
    if table in DICTIONARIES or table in BY_THEMSELVES:
        return
    keys = re.findall(r"(?:PRIMARY\s+KEY|UNIQUE)\s*\(\s*(\w+)", body, re.I)
    keys += re.findall(r"^\s*(\w+)\s[^,\n]*\b(?:PRIMARY\s+KEY|UNIQUE)\b(?!\s*\()", body, re.I | re.M)
    if not keys:
        fault(path, line, f"{table} has no key")
    for first in keys:
        if first not in ("unit", "scope"):
            fault(path, line, f"a key of {table} begins with {first}; a fact's begins with unit, a sum's with scope")


def check_index(path, line, sql):
    m = re.match(r"\s*CREATE\s+UNIQUE\s+INDEX\s+\w+\s+ON\s+baocao\.(\w+)\s*\(\s*(\w+)", sql, re.I)
    if m and m.group(1) not in DICTIONARIES | BY_THEMSELVES and m.group(2) not in ("unit", "scope"):
        fault(path, line, f"a unique index of {m.group(1)} begins with {m.group(2)}")


def check_places(tables):
    """deploy/citus.sql gives each table its place on a cluster or names it among those that stay, and the manual says so."""
    with open("deploy/citus.sql", encoding="utf-8") as f:
        text = f.read()
    placed = set(re.findall(r"^SELECT create_\w+_table\('baocao\.(\w+)'", text, re.M))
    placed |= set(re.findall(r"\w+", text.rsplit("COMMIT;", 1)[1]))
    with open("deploy/citus.md", encoding="utf-8") as f:
        told = {word for row in f if row.startswith("| ") for word in re.findall(r"\w+", row.split("|")[1])}
    for path, names in (("deploy/citus.sql", placed), ("deploy/citus.md", told)):
        for table in sorted(tables - names):
            fault(path, 0, f"{table} has no place on a cluster")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..")
    os.chdir(root)
    seen, tables = 0, set()
    for path in sorted(glob.glob("daemon/store/migrations/*.sql")) + sorted(glob.glob("daemon/store/*.c")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        of_sql = path.endswith(".sql")
        for line, sql in statements_of_sql(text) if of_sql else statements_of_c(text):
            seen += 1
            check_statement(path, line, sql)
            if of_sql:
                made = re.match(r"\s*CREATE\s+TABLE\s+baocao\.(\w+)\s*\((?!.*\bPARTITION\s+OF\b)", sql, re.I)
                tables |= {made.group(1)} if made else set()
                check_table(path, line, sql)
                check_index(path, line, sql)
    check_places(tables)
    if len(tables) < 20:
        fault("daemon/store/migrations", 0, f"only {len(tables)} tables were found: this lint no longer sees them")
    if seen < 100:
        fault("daemon/store", 0, f"only {seen} statements were found: this lint no longer sees the SQL")
    for line in faults:
        print(line)
    print(f"sql lint: {seen} statements, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
