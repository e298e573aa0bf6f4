"""A game that keeps its world in SQLite and writes to it without a pause: database_game.py JOURNAL_MODE, in game/.

In every committed state the two halves of each pair add up to nothing, and so do the pairs of both tables together;
a copy that mixes moments does not."""

import os
import random
import sqlite3
import sys

PAIRS = 2_000


def make(mode):
    database = sqlite3.connect("world.sqlite", isolation_level=None, timeout=60)
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("BEGIN")
    database.execute("CREATE TABLE IF NOT EXISTS debit (id INTEGER PRIMARY KEY, amount INTEGER, pad BLOB)")
    database.execute("CREATE TABLE IF NOT EXISTS credit (id INTEGER PRIMARY KEY, amount INTEGER, pad BLOB)")
    for table in ("debit", "credit"):
        database.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, 0, ?)",
                             ((i, os.urandom(3_000)) for i in range(PAIRS)))
    database.execute("COMMIT")
    return database


def play(database):
    print("ready", flush=True)
    for turn in range(10**9):
        database.execute("BEGIN IMMEDIATE")
        for _ in range(20):
            i, amount = random.randrange(PAIRS), random.randrange(1_000)
            pad = os.urandom(3_000)
            database.execute("UPDATE debit SET amount = amount - ?, pad = ? WHERE id = ?", (amount, pad, i))
            database.execute("UPDATE credit SET amount = amount + ?, pad = ? WHERE id = ?", (amount, pad, i))
        database.execute("COMMIT")
        if turn % 50 == 0:
            print("turn", turn, flush=True)


def check(path):
    """What is wrong with the world in that file; "" when nothing is."""
    database = sqlite3.connect(path)
    try:
        verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            return verdict
        pairs = database.execute("SELECT COUNT(*), SUM(debit.amount + credit.amount <> 0) FROM debit JOIN credit "
                                 "USING (id)").fetchone()
        return "" if pairs == (PAIRS, 0) else f"{pairs} of {PAIRS} pairs"
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        database.close()


if __name__ == "__main__":
    play(make(sys.argv[1]))
