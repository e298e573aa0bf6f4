"""Minecraft's region files (Anvil, https://minecraft.wiki/w/Region_file_format): real ones, from the
npm package prismarine-provider-anvil, and a reader of their chunks."""

import fcntl
import gzip
import shutil
import subprocess
import tarfile
import zlib

from lib import paths

PACKAGE = "prismarine-provider-anvil"
VERSION = "2.13.0"


def fetch(target):
    """Copies the package's real regions, one folder for each version of the game, to target/."""
    cache = paths.cache()
    archive = cache / f"{PACKAGE}-{VERSION}.tgz"
    with open(cache / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            part = cache / "npm-pack"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=part,
                           check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            next(part.glob("*.tgz")).rename(archive)
            part.rmdir()
    count = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".mca"):
                version, name = member.name.split("/")[-2:]
                place = target / version / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(tar.extractfile(member).read())
                count += 1
    return count


def chunks(path):
    """The uncompressed chunks of a region file; ValueError when one is damaged."""
    data = path.read_bytes()
    found = []
    for slot in range(1024):
        location = int.from_bytes(data[4 * slot:4 * slot + 4], "big")
        offset, sectors = (location >> 8) * 4096, (location & 255) * 4096
        if location == 0:
            continue
        if offset < 8192 or offset + 5 > len(data):
            raise ValueError(f"{path.name}: chunk {slot} lies outside the file")
        size, kind = int.from_bytes(data[offset:offset + 4], "big"), data[offset + 4]
        if size + 4 > sectors or kind not in (1, 2):
            raise ValueError(f"{path.name}: chunk {slot} has size {size} and type {kind}")
        raw = data[offset + 5:offset + 4 + size]
        found.append(zlib.decompress(raw) if kind == 2 else gzip.decompress(raw))
    return found
