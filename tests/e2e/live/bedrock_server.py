"""Speaks as Minecraft's Bedrock server does about its saves, and goes on appending to its files all the time, as
LevelDB does. What it prints is what a real server prints (version 1.20)."""

import os
import sys
import threading
import time
from pathlib import Path

WORLD = Path("worlds/Bedrock level")
FILES = {"db/000003.log": 300_000, "db/000005.ldb": 2_000_000, "db/CURRENT": 16, "db/MANIFEST-000002": 2_000,
         "level.dat": 2_209, "level.dat_old": 2_209, "levelname.txt": 13}
GROWING = ("db/000003.log", "db/MANIFEST-000002")


def say(text):
    print(f"[2026-01-01 12:00:00:000 INFO] {text}", flush=True)


def make_world():
    (WORLD / "db").mkdir(parents=True, exist_ok=True)
    for name, size in FILES.items():
        if not (WORLD / name).exists():
            (WORLD / name).write_bytes(os.urandom(size))
    Path("server.properties").write_text("level-name=Bedrock level\n")


def append(lock):
    """More and more, also while saving is held; and files that no list names."""
    count = 0
    while True:
        count += 1
        with lock:
            for name in GROWING:
                with open(WORLD / name, "ab") as file:
                    file.write(b"\xaa" * 700)
            if count % 20 == 0:
                (WORLD / f"db/1{count:05}.ldb").write_bytes(b"\xbb" * 1_000)
        time.sleep(0.002)


def main():
    make_world()
    lock = threading.Lock()
    threading.Thread(target=append, args=(lock,), daemon=True).start()
    say("Server started.")
    held = queries = 0
    for line in sys.stdin:
        command = line.strip()
        if command == "save hold":
            held, queries = 1, 0
            say("Saving...")
        elif command == "save query" and held:
            queries += 1
            if queries < 3:
                say("A previous save has not been completed.")
                continue
            with lock:
                sizes = {name: (WORLD / name).stat().st_size for name in FILES}
                Path("../listed").write_text("".join(f"{s} {n}\n" for n, s in sizes.items()))
            say("Data saved. Files are now ready to be copied.")
            print(", ".join(f"{WORLD.name}/{name}:{size}" for name, size in sizes.items()), flush=True)
        elif command == "save resume":
            held = 0
            say("Changes to the world are resumed.")
        elif command == "stop":
            say("Server stop requested.")
            return


main()
