"""Folder trees: made for tests, photographed, compared."""

import hashlib
import os
import random
import shutil
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    kind: str  # file, dir, link, other
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    digest: str = ""
    target: bytes = b""
    same_as: bytes = b""  # the first path of the same inode, for hard links
    data_bytes: int = 0  # what is not in holes


def _data_bytes(fd, size):
    """How much of the file is data, as the file system tells it."""
    total = at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break  # a hole up to the end
        at = os.lseek(fd, start, os.SEEK_HOLE)
        total += at - start
    return total


def _file_facts(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = _data_bytes(file.fileno(), size)
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest(), data


def snapshot(folder):
    """{relative path in bytes: Entry}, the folder itself as b"." included."""
    base = os.fsencode(folder)
    entries = {}
    first_path = {}

    def add(path, relative):
        info = os.lstat(path)
        common = dict(mode=stat.S_IMODE(info.st_mode), uid=info.st_uid, gid=info.st_gid,
                      mtime_ns=info.st_mtime_ns)
        if stat.S_ISDIR(info.st_mode):
            entries[relative] = Entry("dir", **common)
            for name in sorted(os.listdir(path)):
                add(os.path.join(path, name),
                    name if relative == b"." else os.path.join(relative, name))
        elif stat.S_ISLNK(info.st_mode):
            entries[relative] = Entry("link", target=os.readlink(path), **common)
        elif stat.S_ISREG(info.st_mode):
            digest, data = _file_facts(path)
            same_as = b""
            if info.st_nlink > 1:
                same_as = first_path.setdefault((info.st_dev, info.st_ino), relative)
            entries[relative] = Entry("file", size=info.st_size, digest=digest, same_as=same_as,
                                      data_bytes=data, **common)
        else:
            entries[relative] = Entry("other", **common)

    add(base, b".")
    return entries


def _differences(path, before, after, ignore):
    for field in ("kind", "mode", "uid", "gid", "mtime_ns", "size", "digest", "target", "same_as"):
        if field not in ignore and getattr(before, field) != getattr(after, field):
            yield f"{path!r}: {field} was {getattr(before, field)!r}, is {getattr(after, field)!r}"
    # A copy may have more holes than its model, never fewer; a block's worth is let pass.
    if "holes" not in ignore and after.data_bytes > before.data_bytes + 65536:
        yield f"{path!r}: {before.data_bytes} bytes of data became {after.data_bytes}"


def diff(before, after, ignore=()):
    """What tells two snapshots apart, one line for each difference; [] when they are equal."""
    lines = [f"{path!r}: is missing" for path in sorted(before.keys() - after.keys())]
    lines += [f"{path!r}: was not there" for path in sorted(after.keys() - before.keys())]
    for path in sorted(before.keys() & after.keys()):
        lines += _differences(path, before[path], after[path], ignore)
    return lines


def assert_same(before, after, what, ignore=()):
    lines = diff(before, after, ignore)
    if lines:
        shown = "\n  ".join(lines[:20])
        raise AssertionError(f"{what}: {len(lines)} differences\n  {shown}")


def total_bytes(entries):
    return sum(entry.size for entry in entries.values())


def region_bytes(rng, kib):
    """Bytes as a game's region file has them: deflated chunks in 4 KiB sectors, gaps between."""
    out = bytearray(8192)
    while len(out) < kib * 1024:
        raw = b"".join(rng.choice((b"stone", b"grass", rng.randbytes(24))) for _ in range(1500))
        chunk = zlib.compress(raw, 6)
        out += len(chunk).to_bytes(4, "big") + b"\x02" + chunk
        out += bytes(-len(out) % 4096)
    return bytes(out[: kib * 1024])


def make_world(folder, seed, regions=4, region_kib=256):
    """A small world with every kind of entry that a backup must bring back."""
    rng = random.Random(seed)
    folder = Path(folder)
    region = folder / "world/region"
    region.mkdir(parents=True)
    for number in range(regions):
        (region / f"r.{number}.{-number}.mca").write_bytes(region_bytes(rng, region_kib))
    (folder / "world/level.dat").write_bytes(rng.randbytes(700))
    (folder / "world/empty folder").mkdir()
    (folder / "world/empty file").touch()
    with open(os.path.join(os.fsencode(folder), b"name of bytes \xff\xe4\n"), "wb") as file:
        file.write(b"any byte may stand in a name")
    deep = folder / ("plugins/" + "/".join(f"level-{n:02}" * 3 for n in range(12)))
    deep.mkdir(parents=True)
    (deep / "config.yml").write_text("seed: %d\n" % seed)
    (folder / "server.properties").write_text(f"motd=seed {seed}\n")
    os.chmod(folder / "server.properties", 0o640)
    (folder / "start.sh").write_text("#!/bin/sh\n")
    os.chmod(folder / "start.sh", 0o755)
    os.symlink("world/level.dat", folder / "latest")
    os.symlink("/nowhere/at/all", folder / "dangling")
    os.link(folder / "world/level.dat", folder / "world/level.dat_hardlink")
    with open(folder / "world/map.sparse", "wb") as file:
        file.truncate(32 << 20)
        file.seek(16 << 20)
        file.write(rng.randbytes(100_000))
    _set_times(folder, rng)


def _set_times(folder, rng):
    """Times in the past with nanoseconds, folders after what is in them."""
    for path, folders, files in os.walk(os.fsencode(folder), topdown=False):
        for name in files + [f for f in folders if os.path.islink(os.path.join(path, f))]:
            moment = rng.randrange(1_500_000_000, 1_700_000_000) * 10**9 + rng.randrange(10**9)
            os.utime(os.path.join(path, name), ns=(moment, moment), follow_symlinks=False)
        moment = rng.randrange(1_500_000_000, 1_700_000_000) * 10**9 + rng.randrange(10**9)
        os.utime(path, ns=(moment, moment))


def spoil(folder, seed):
    """What a griefer leaves: files gone, changed, added."""
    rng = random.Random(seed)
    folder = Path(folder)
    regions = sorted((folder / "world/region").iterdir())
    regions[0].unlink()
    with open(regions[1], "r+b") as file:
        file.seek(8192)
        file.write(rng.randbytes(50_000))
    (folder / "world/griefed").write_bytes(rng.randbytes(20_000))
    shutil.rmtree(folder / "plugins")
    os.chmod(folder / "start.sh", 0o600)
