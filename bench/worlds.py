"""Builds the worlds that bench/run measures on: real Minecraft region files, multiplied; a map that a Minetest
server made; many small files; one large file.

The models of the regions are the region files of npm's prismarine-provider-anvil (Minecraft 1.8.9 to 1.21.1). Each
copy has its chunks inflated, the ticks that players spent in them changed, deflated again and put
in another order, so that no two files of a world are alike, while each chunk stays a chunk that
the game wrote.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]
import minetest_world  # noqa: E402
from lib.wait import wait_until  # noqa: E402

PACKAGE = "prismarine-provider-anvil@2.13.0"
SECTOR = 4096
# So many different sets of chunks are made; a larger world mixes them anew.
VARIANTS = 26


def models(cache):
    """The region files of the package, fetched once: [(name, bytes)]."""
    archives = sorted(cache.glob("prismarine-provider-anvil-*.tgz"))
    if not archives:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=cache, check=True,
                       stdout=subprocess.DEVNULL)
        archives = sorted(cache.glob("prismarine-provider-anvil-*.tgz"))
    with tarfile.open(archives[0]) as package:
        members = [m for m in package if m.name.endswith(".mca")]
        return [(Path(m.name).parent.name, package.extractfile(m).read()) for m in members]


def chunks_of(region):
    """{place in the region's table: chunk as stored: length, method, data}."""
    found = {}
    for place in range(1024):
        location = struct.unpack_from(">I", region, 4 * place)[0]
        start = (location >> 8) * SECTOR
        if location and start + 4 < len(region):
            length = struct.unpack_from(">I", region, start)[0]
            found[place] = region[start:start + 4 + length]
    return found


def vary(chunk, rng):
    """The chunk with another InhabitedTime and LastUpdate, deflated as the game does."""
    if chunk[4] != 2:
        return chunk
    data = bytearray(zlib.decompress(chunk[5:]))
    for tag in (b"\x04\x00\x0dInhabitedTime", b"\x04\x00\x0aLastUpdate"):
        at = data.find(tag)
        if at >= 0:
            struct.pack_into(">q", data, at + len(tag), rng.randrange(1 << 30))
    packed = zlib.compress(bytes(data), 6)
    return struct.pack(">IB", len(packed) + 1, 2) + packed


def region_of(chunks, rng):
    """A region file of these chunks, in an order of its own."""
    places = list(chunks)
    rng.shuffle(places)
    table, times, body = bytearray(SECTOR), bytearray(SECTOR), bytearray()
    for place in places:
        chunk = chunks[place]
        sectors = -(-len(chunk) // SECTOR)
        struct.pack_into(">I", table, 4 * place, (2 + len(body) // SECTOR) << 8 | min(sectors, 255))
        struct.pack_into(">I", times, 4 * place, 1_600_000_000 + rng.randrange(10**8))
        body += chunk + bytes(sectors * SECTOR - len(chunk))
    return bytes(table + times + body)


def make_variant(job):
    """Writes the region files of all models with the chunks of one variant, again and again in new
    orders."""
    number, cache, world, copies = job
    rng = random.Random(number)
    for model, (name, region) in enumerate(models(cache)):
        chunks = {place: vary(chunk, rng) for place, chunk in chunks_of(region).items()}
        for copy in range(copies):
            data = region_of(chunks, rng)
            target = world / name / "region" / f"r.{number}.{copy}.{model}.mca"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def make_small_files(world, rng):
    """What stands beside the regions: players, advancements, settings."""
    for folder, count, size in (("playerdata", 200, 9_000), ("advancements", 200, 4_000), ("stats", 200, 2_500)):
        (world / folder).mkdir(parents=True)
        for _ in range(count):
            text = "".join(f'"minecraft:item_{rng.randrange(900)}": {rng.randrange(10**6)}, ' for _ in range(size // 35))
            (world / folder / f"{rng.getrandbits(128):032x}.json").write_text("{" + text + "}")
    (world / "level.dat").write_bytes(zlib.compress(rng.randbytes(2_000)))


def make_regions(world, cache, copies):
    """About 400 MB for each copy."""
    make_small_files(world, random.Random(0))
    models(cache)
    jobs = [(number, cache, world, copies) for number in range(VARIANTS)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for _ in pool.imap_unordered(make_variant, jobs):
            pass


def make_many_files(world, _):
    """100,000 of a few hundred bytes to some kilobytes, 1,000 to a folder: plugin data, statistics, map tiles."""
    rng = random.Random(0)
    for folder in range(100):
        (world / f"{folder:02}").mkdir(parents=True)
        for number in range(1000):
            count = rng.randrange(5, 60)
            text = "".join(f'"stat_{rng.randrange(400)}": {rng.randrange(10**6)}, ' for _ in range(count))
            tail = rng.randbytes(rng.randrange(2000)) if number % 4 == 0 else b""
            (world / f"{folder:02}" / f"{rng.getrandbits(64):016x}.json").write_bytes(text.encode() + tail)


def make_one_file(world, cache):
    """4 GB of chunks in one."""
    world.mkdir(parents=True)
    regions = build(cache, "world-400mb")
    with open(world / "world.db", "wb") as out:
        for turn in range(10):
            for path in sorted((regions / "game").rglob("*.mca"), key=lambda path: (path.name[turn:], path)):
                data = path.read_bytes()
                cut = len(data) * turn // 10 // SECTOR * SECTOR
                out.write(data[cut:] + data[:cut])


def make_minetest(world, _):
    """What a Minetest server generates until its map has 100 MB."""
    world.mkdir(parents=True)
    minetest_world.install(world, minetest_world.free_udp_port())
    with open(world / "console", "wb") as console:
        server = subprocess.Popen(["bash", "-c", minetest_world.RUN], cwd=world, stdin=subprocess.DEVNULL,
                                  stdout=console, stderr=console)
        try:
            wait_until(lambda: server.poll() is not None or minetest_world.map_size(world) > 100_000_000, 1200,
                       "the map to grow")
        finally:
            server.terminate()
            if server.wait(60) != 0:
                raise SystemExit(f"minetestserver: exit {server.returncode}: {world}/console")


WORLDS = {
    "world-400mb": lambda world, cache: make_regions(world, cache, 1),
    "world-4gb": lambda world, cache: make_regions(world, cache, 10),
    "small-files": make_many_files,
    "one-file": make_one_file,
    "minetest": make_minetest,
}


def build(cache, name):
    """Makes {cache}/{name}/game unless it is there whole, and says where."""
    finished = cache / name
    if finished.is_dir():
        return finished
    cache.mkdir(parents=True, exist_ok=True)
    staging = cache / (name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    print(f"{name}: is made", flush=True)
    WORLDS[name](staging / "game", cache)
    return staging.rename(finished)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("name", choices=WORLDS)
    words = parser.parse_args()
    build(words.cache.resolve(), words.name)
