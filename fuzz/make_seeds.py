"""Small inputs for the fuzzers to begin with: archives of a little tree, packed by manman, GNU tar,
bsdtar and Python: make_seeds.py FOLDER makes FOLDER/tar, FOLDER/gzip and FOLDER/archive."""

import gzip
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = os.environ.get("MANMAN_BIN", str(ROOT / "build/release/manman"))
TIME = 1_700_000_000


def make_tree(root):
    """Every kind of entry; one name each that ustar and that UTF-8 can't hold; a file with holes."""
    (root / "folder/empty").mkdir(parents=True)
    (root / "a").write_bytes(b"contents of a\n" * 40)
    (root / "folder/none").touch()
    (root / ("n" * 120)).write_bytes(b"long")
    with open(os.fsencode(root) + b"/\xff\n", "wb") as file:
        file.write(b"bytes")
    os.symlink("../outside", root / "link")
    os.link(root / "a", root / "folder/hard")
    with open(root / "holes", "wb") as file:
        for at in (8_192, 40_960, 70_000):
            file.seek(at)
            file.write(b"island")
    os.chmod(root / "a", 0o640)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, ns=(TIME * 10**9 + 5,) * 2, follow_symlinks=False)
    os.utime(root / "holes", ns=(-5, -5))


def run(*words, cwd):
    return subprocess.run([os.fspath(w) for w in words], cwd=cwd, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def tars(folder):
    """Names and bytes of plain tar archives."""
    gnu = ["tar", "--owner=0", "--group=0", "-b1", "-cf", "-"]
    for name, words in {"v7": [], "ustar": [], "oldgnu": ["-S"], "gnu": ["-S"], "pax": ["-S"]}.items():
        what = ["game/a", "game/folder", "game/link"] if name in ("v7", "ustar") else ["game"]
        yield name, run(*gnu, f"--format={name}", *words, *what, cwd=folder)
    for version in ("0.0", "0.1"):
        yield f"sparse-{version}", run(*gnu, "--format=pax", "-S", f"--sparse-version={version}", "game/holes",
                                       cwd=folder)
    for name in ("pax", "gnutar", "ustar"):
        yield f"bsdtar-{name}", run("bsdtar", f"--format={name}", "-b1", "-cf", "-", "game/a", "game/folder",
                                    "game/link", cwd=folder)
    for name, number in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
        path = folder / "python.tar"
        with tarfile.open(path, "w", format=number, pax_headers={"comment": "global"}) as tar:
            tar.add(folder / "game/folder", "game/folder")
            tar.add(folder / "game" / ("n" * 120), "game/" + "n" * 120)
        yield f"python-{name}", path.read_bytes()


def ours(folder, name, ending="tar.gz"):
    """An archive by manman; its ending says in which format."""
    run(BINARY, "archive", "create", "game", f"{name}.{ending}", cwd=folder)
    return (folder / f"{name}.{ending}").read_bytes()


def regions():
    """Names and bytes of region files with a chunk or two, and of NBT alone."""
    def text(value):
        return struct.pack(">H", len(value)) + value
    nbt = (b"\x0a" + text(b"") + b"\x03" + text(b"xPos") + struct.pack(">i", 3) + b"\x09" + text(b"list") + b"\x0a"
           + struct.pack(">i", 2) + b"\x01" + text(b"b") + b"\x01\0\0" + b"\x0c" + text(b"longs")
           + struct.pack(">iqq", 2, 1, 2) + b"\x08" + text(b"name") + text(b"stone") + b"\0")
    yield "nbt", nbt
    yield "nbt.gz", gzip.compress(nbt, mtime=0)
    header = bytearray(8192)
    chunks = b""
    for slot, (kind, data) in enumerate([(3, nbt), (2, zlib.compress(nbt)), (1, gzip.compress(nbt, mtime=0)),
                                         (0x82, b""), (4, b"LZ4Block")]):
        header[4 * slot:4 * slot + 4] = struct.pack(">I", (2 + slot) << 8 | 1)
        chunks += (struct.pack(">IB", len(data) + 1, kind) + data).ljust(4096, b"\0")
        yield f"region-{slot}", bytes(header) + chunks


# Without checksums, which would let few changes pass.
def zstd(data):
    return subprocess.run(["zstd", "--no-check", "-q"], input=data, stdout=subprocess.PIPE, check=True).stdout


def main():
    out = Path(sys.argv[1])
    for name in ("tar", "gzip", "archive", "region"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for name, data in regions():
        (out / "region" / name).write_bytes(data)
    with tempfile.TemporaryDirectory(prefix="manman-seeds-") as temporary:
        folder = Path(temporary)
        make_tree(folder / "game")
        for name, data in tars(folder):
            (out / "tar" / name).write_bytes(data)
            (out / "archive" / f"{name}.tar").write_bytes(data)
            packed = gzip.compress(data, 6, mtime=0)
            (out / "gzip" / name).write_bytes(packed)
            (out / "gzip" / f"{name}.zst").write_bytes(zstd(data))
            (out / "archive" / f"{name}.tar.gz").write_bytes(packed)
        half = len(packed) // 2
        (out / "gzip/members").write_bytes(gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)
                                           + bytes(512))
        skippable = bytes.fromhex("502a4d18 04000000 00000000")
        (out / "gzip/frames.zst").write_bytes(skippable + zstd(data[:half]) + skippable + zstd(data[half:]))
        one = ours(folder, "one")
        (out / "archive/ours").write_bytes(one)
        (out / "gzip/ours").write_bytes(one)
        for ending in ("tar.zst", "tar"):
            (out / f"archive/ours.{ending}").write_bytes(ours(folder, "one", ending))
        (folder / "game/large").write_bytes(bytes(1_500_000))
        (out / "archive/two-frames").write_bytes(ours(folder, "two"))


if __name__ == "__main__":
    main()
