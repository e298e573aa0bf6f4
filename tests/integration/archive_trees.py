"""Trees of save data for the tests of archives: tame, tricky and sparse ones."""

import os

from archive_tools import write_file

DAY_NS = 86_400 * 10**9
BASE_NS = 1_700_000_000 * 10**9


def set_times(root):
    """Gives every entry a time of its own, in ns, deepest first, links too."""
    count = 0
    for folder, folders, files in os.walk(root, topdown=False):
        for name in sorted(files + folders) + [b"."]:
            count += 1
            time_ns = BASE_NS + count * DAY_NS // 7 + 123_456_789
            os.utime(os.path.join(folder, name), ns=(time_ns, time_ns), follow_symlinks=False)


def tame(root):
    """What every tar format holds: short ASCII names, files, folders, links."""
    os.makedirs(root + b"/world/region")
    os.makedirs(root + b"/empty folder")
    write_file(root + b"/server.properties", b"motd=hello\n")
    write_file(root + b"/empty")
    write_file(root + b"/run.sh", b"#!/bin/sh\n", mode=0o750)
    write_file(root + b"/secret", b"s", mode=0o600)
    write_file(root + b"/read-only", b"r", mode=0o444)
    for size in (1, 511, 512, 513, 1 << 20, (1 << 20) + 1, 3_500_001):
        write_file(root + b"/world/region/%d.mca" % size, patterned(size))
    os.link(root + b"/server.properties", root + b"/world/hard link")
    os.link(root + b"/world/region/513.mca", root + b"/another name")
    os.symlink(b"world/region", root + b"/to-folder")
    os.symlink(b"server.properties", root + b"/to-file")
    os.symlink(b"nowhere/at/all", root + b"/dangling")
    os.chmod(root + b"/empty folder", 0o700)
    os.chmod(root + b"/world/region", 0o555)
    os.chmod(root, 0o755)
    set_times(root)


def tricky(root):
    """What only pax or GNU headers hold: any byte in a name, long paths, times out of the ordinary."""
    tame(root)
    names = [b"caf\xe9 latin1", "größe ☃ 🎮".encode(), b"new\nline", b"tab\tand\rreturn", b"back\\slash",
             b"quote\"'`$(x)", b" lead", b"trail ", b"-rf", b"--help", b"*?[a]", b"\x01\x7f\x80\xff",
             b"..hidden", b"...", b"a..b", b"=12 path=x", b"e" * 255, b"x" * 99, b"y" * 100, b"z" * 101]
    for number, name in enumerate(names):
        write_file(root + b"/" + name, b"file %d" % number)
        os.makedirs(root + b"/folders/" + name)
        write_file(root + b"/folders/" + name + b"/" + name, b"inner %d" % number)
    # Paths round the borders of ustar's fields: name 100, prefix 155.
    for length in list(range(95, 104)) + list(range(150, 160)) + list(range(251, 262)):
        write_file(path_of_length(root + b"/borders", b"game/borders", length), b"%d" % length)
    write_file(path_of_length(root + b"/deep", b"game/deep", 3000), b"deep")
    os.symlink(b"t" * 99 + b"/" + b"u" * 99, root + b"/long-target")
    os.symlink(b"p" * 100, root + b"/target-of-100")
    os.symlink(b"/etc/passwd", root + b"/absolute-link")
    os.symlink(b"../../..", root + b"/upward-link")
    os.symlink(b"caf\xe9\n", root + b"/link with bytes \xff")
    os.link(root + b"/" + b"e" * 255, root + b"/link to long name")
    set_times(root)
    for name, time_ns in ((b"before-1970", -86_400 * 10**9 + 5), (b"just-before-1970", -1),
                          (b"epoch", 0), (b"year-2300", 10_413_792_000 * 10**9 + 999_999_999),
                          (b"whole-second", BASE_NS), (b"one-ns", BASE_NS + 1)):
        write_file(root + b"/" + name, name, mtime_ns=time_ns)
    os.utime(root, ns=(BASE_NS, BASE_NS + 987_654_321))


def path_of_length(folder, stored_as, length):
    """Makes the folders for, and returns, a path whose stored form has exactly this length."""
    rest = length - len(stored_as)
    parts = []
    while rest > 0:
        size = rest - 1 if rest - 1 <= 60 else min(50, rest - 3)
        parts.append((b"%d-" % length + b"d" * 60)[:size])
        rest -= size + 1
    path = b"/".join([folder, *parts])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def sparse(root):
    """Small sparse files: many islands, holes at either end, nothing but a hole."""
    os.makedirs(root)
    islands(root + b"/islands", 40 << 20, [(n << 20, patterned(5_000 + n)) for n in range(0, 40)])
    islands(root + b"/hole-first", 3 << 20, [((3 << 20) - 10, b"0123456789")])
    islands(root + b"/hole-last", 3 << 20, [(0, b"0123456789")])
    islands(root + b"/only-hole", 5_000_001, [])
    write_file(root + b"/dense", patterned(100_000))
    set_times(root)


def islands(path, size, pieces):
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, data in pieces:
            file.seek(offset)
            file.write(data)


def patterned(size):
    """Bytes that neither repeat at a block's length nor stay the same from one file to another."""
    piece = b"".join((n * 2_654_435_761 % 2**32).to_bytes(4, "little") for n in range(4_099))
    return (b"%d:" % size + piece * (size // len(piece) + 1))[:size]


def allocated(path):
    """Bytes that a file takes on disk."""
    return os.stat(path, follow_symlinks=False).st_blocks * 512
