"""A game that writes to its SQLite database as fast as it can, in a process of its own. In every committed state the
two tables hold TOTAL together, and rows of `log` are as many as `state` says.

sqlite_writer.py DATABASE JOURNAL_MODE: prints "ready", writes until standard input ends, and prints as JSON how many
commits it made and how long the longest took. A busy database is waited for, as games do.
"""

import json
import os
import random
import sqlite3
import sys
import threading
import time

TOTAL = 1_000_000
ROWS = 2000


def make(path, mode, payload_mib=4):
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.execute("PRAGMA journal_mode=" + mode)
    db.executescript(
        "BEGIN; CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER, fill BLOB);"
        "CREATE TABLE b(id INTEGER PRIMARY KEY, n INTEGER, fill BLOB);"
        "CREATE TABLE log(id INTEGER PRIMARY KEY, fill BLOB); CREATE TABLE state(logged INTEGER);"
        "INSERT INTO state VALUES(0); COMMIT;")
    size = (payload_mib << 20) // (2 * ROWS)
    db.execute("BEGIN")
    for table in "ab":
        db.executemany(f"INSERT INTO {table} VALUES(?, ?, ?)",
                       ((i, TOTAL // (2 * ROWS), os.urandom(size)) for i in range(ROWS)))
    db.execute("COMMIT")
    return db


def transact(db, noise):
    db.execute("BEGIN IMMEDIATE")
    for _ in range(20):
        amount = noise.randrange(1, 50)
        source, target = noise.choice(("ab", "ba"))
        db.execute(f"UPDATE {source} SET n = n - ? WHERE id = ?", (amount, noise.randrange(ROWS)))
        db.execute(f"UPDATE {target} SET n = n + ? WHERE id = ?", (amount, noise.randrange(ROWS)))
    db.execute("INSERT INTO log(fill) VALUES(?)", (noise.randbytes(500),))
    db.execute("UPDATE state SET logged = logged + 1")
    if noise.random() < 0.02:
        rows = db.execute("DELETE FROM log WHERE id <= (SELECT max(id) - 200 FROM log)").rowcount
        db.execute("UPDATE state SET logged = logged - ?", (rows,))
    db.execute("COMMIT")


def check(path):
    """What is wrong with a database that such a writer writes to, "" for nothing."""
    db = sqlite3.connect(path)
    try:
        whole = db.execute("PRAGMA integrity_check").fetchall()
        if whole != [("ok",)]:
            return f"integrity_check: {whole[:3]}"
        total = sum(db.execute(f"SELECT sum(n) FROM {t}").fetchone()[0] for t in "ab")
        logged, rows = db.execute("SELECT logged, (SELECT count(*) FROM log) FROM state").fetchone()
        if total != TOTAL or logged != rows:
            return f"holds {total} of {TOTAL}, {rows} rows of {logged}"
        return ""
    except sqlite3.Error as error:
        return str(error)
    finally:
        db.close()


def main(path, mode):
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    db = sqlite3.connect(path, isolation_level=None, timeout=60) if os.path.exists(path) else make(path, mode)
    db.execute("PRAGMA synchronous=OFF")
    noise = random.Random(1)
    print("ready", flush=True)
    commits, longest = 0, 0.0
    while not ended.is_set():
        begun = time.monotonic()
        transact(db, noise)
        longest = max(longest, time.monotonic() - begun)
        commits += 1
    db.close()
    print(json.dumps({"commits": commits, "longest_ms": round(longest * 1000)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
