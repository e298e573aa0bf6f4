"""A Minetest world for tests: what an operator puts into game/, and what SQLite thinks of its map."""

import random
import shutil
import socket
import sqlite3
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = "/usr/lib/minetest/minetestserver"
RUN = f"exec {SERVER} --world world --config minetest.conf --gameid minetest_game"


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def install(game, port):
    """Before the first start: a mod that explores the map as players would, and the server's settings."""
    mod = game / "world/worldmods/explorer"
    mod.mkdir(parents=True)
    shutil.copy(HERE / "minetest/explorer.lua", mod / "init.lua")
    (game / "world/world.mt").write_text(
        "gameid = minetest_game\nbackend = sqlite3\nplayer_backend = sqlite3\n"
        "auth_backend = sqlite3\nmod_storage_backend = sqlite3\n")
    (game / "minetest.conf").write_text(
        f"bind_address = 127.0.0.1\nport = {port}\nserver_announce = false\nnum_emerge_threads = 2\n")


def map_file(game):
    return game / "world/map.sqlite"


def map_size(game):
    return map_file(game).stat().st_size if map_file(game).exists() else 0


def destroy(game):
    """A griefer with a shell: the map overwritten, files gone, rubbish left."""
    with open(map_file(game), "r+b") as file:
        for _ in range(200):
            file.seek(random.randrange(map_size(game) - 4096))
            file.write(b"\0" * 4096)
    (game / "world/map_meta.txt").unlink()
    shutil.rmtree(game / "world/worldmods")
    (game / "world/rubbish").write_bytes(b"x" * 100_000)


def query(game, statement):
    """The first value of what SQLite answers, on the map's file as it lies there."""
    database = sqlite3.connect(f"file:{map_file(game)}?immutable=1", uri=True)
    try:
        return database.execute(statement).fetchone()[0]
    finally:
        database.close()


def integrity(game):
    return query(game, "PRAGMA integrity_check")


def blocks(game):
    return query(game, "SELECT COUNT(*) FROM blocks")
