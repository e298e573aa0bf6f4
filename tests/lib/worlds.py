"""A little world of files that can be examined, and ways to break it."""

import gzip
import sqlite3
import struct
import zlib

SECTOR = 4096
NBT = b"\x0a\0\0\x03\0\x04xPos\0\0\0\x05\0"


def make(folder):
    """map.sqlite, region/r.0.0.mca with two chunks, level.dat and a text."""
    (folder / "region").mkdir(parents=True)
    database = sqlite3.connect(folder / "map.sqlite")
    database.execute("CREATE TABLE blocks(pos INTEGER PRIMARY KEY, data BLOB)")
    database.execute("CREATE UNIQUE INDEX by_data ON blocks(data)")
    database.executemany("INSERT INTO blocks(data) VALUES (randomblob(900))", [()] * 200)
    database.commit()
    database.close()
    chunk = zlib.compress(NBT)
    sector = (struct.pack(">IB", len(chunk) + 1, 2) + chunk).ljust(SECTOR, b"\0")
    table = struct.pack(">II", 2 << 8 | 1, 3 << 8 | 1).ljust(2 * SECTOR, b"\0")
    (folder / "region/r.0.0.mca").write_bytes(table + sector + sector)
    (folder / "level.dat").write_bytes(gzip.compress(NBT))
    (folder / "server.properties").write_text("motd=hello\n")


def break_database(folder):
    """A page in its middle is noise."""
    with open(folder / "map.sqlite", "r+b") as file:
        file.seek(20 * SECTOR)
        file.write(b"noise" * 800)


def break_region(folder):
    """Both chunks stand in the same sector."""
    with open(folder / "region/r.0.0.mca", "r+b") as file:
        file.write(struct.pack(">II", 2 << 8 | 1, 2 << 8 | 1))
