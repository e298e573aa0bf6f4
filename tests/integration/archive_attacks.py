"""Hostile archives, one table: what each tries, and what must be said about it.

`{outside}` in a path stands for the absolute path of a folder beside the target that holds canaries.
"""

from dataclasses import dataclass
from typing import Callable

from archive_tools import (END, base256, entry, folder, gnu_long, gz, gz_of_zeros, hard_link, header, octal,
                           padded, pax, symlink)

GIB = 1 << 30

# Whether reading alone shows the harm (so that `verify` must refuse it too), or only unpacking does.
READING, UNPACKING = "reading", "unpacking"


@dataclass(frozen=True)
class Attack:
    name: str
    build: Callable  # of the absolute path of the outside folder, to the bytes of the archive
    says: str = ""  # a regular expression that stderr must match
    shows_when: str = READING
    known_as: str = ""  # where it, or its like, was found first


def tar(*parts, compress=True):
    """The builder of an archive of these parts, in which {outside} is replaced as it is built."""

    def build(outside):
        data = b"".join(part(outside) if callable(part) else part for part in parts) + END
        return gz(data) if compress else data

    return build


def at(make, *words, **fields):
    """A part whose names hold {outside}."""
    return lambda outside: make(*(word.replace(b"{outside}", outside) for word in words), **fields)


GOOD = entry(b"game/good", b"good content")

PATHS = [
    Attack("absolute path", tar(at(entry, b"{outside}/pwned", b"x")), "pwned", known_as="CVE-2021-32804 (node-tar), CVE-2007-4559 (Python)"),
    Attack("absolute path over a canary", tar(at(entry, b"{outside}/canary", b"x")), "canary"),
    Attack("absolute path, doubled slash", tar(at(entry, b"//{outside}/pwned", b"x")), "pwned", known_as="CVE-2021-32804 (node-tar)"),
    Attack("absolute folder", tar(at(folder, b"{outside}/pwned/")), "pwned"),
    Attack("absolute symlink", tar(at(symlink, b"{outside}/pwned", b"x")), "pwned"),
    Attack("absolute path in pax", tar(at(lambda p: pax((b"path", p)), b"{outside}/pwned"), entry(b"short", b"x")), "pwned"),
    Attack("absolute path in a GNU long name", tar(at(gnu_long, b"{outside}/pwned"), entry(b"short", b"x")), "pwned"),
    Attack("dotdot first", tar(entry(b"../pwned", b"x")), r"\.\./pwned", known_as="CVE-2001-1267 (GNU tar), CVE-2007-4559 (Python), tar-slip, zip-slip"),
    Attack("dotdot inside", tar(entry(b"a/../../pwned", b"x")), r"\.\./pwned", known_as="CVE-2002-0399 (GNU tar)"),
    Attack("dotdot that stays inside", tar(entry(b"a/b/../c", b"x")), r"a/b/\.\./c", known_as="CVE-2016-6321 (GNU tar)"),
    Attack("dotdot last", tar(folder(b"a/..")), r"a/\.\.", known_as="CVE-2002-0399 (GNU tar)"),
    Attack("dotdot last with slash", tar(folder(b"a/../")), r"a/\.\."),
    Attack("dotdot alone", tar(folder(b"..", mode=0o000)), r"\.\."),
    Attack("dotdot file", tar(entry(b"..", b"x")), r"\.\."),
    Attack("dotdot after dot", tar(entry(b"./../pwned", b"x")), r"\.\./pwned", known_as="CVE-2002-0399 (GNU tar)"),
    Attack("dotdot below game", tar(entry(b"game/../../pwned", b"x")), r"\.\./pwned"),
    Attack("dotdot in ustar's prefix", tar(header(b"pwned", prefix=b"../..")), "pwned"),
    Attack("dotdot in pax", tar(pax((b"path", b"../pwned")), entry(b"short", b"x")), r"\.\./pwned", known_as="a safe ustar name overridden by pax"),
    Attack("dotdot in a GNU long name", tar(gnu_long(b"d/" * 60 + b"../" * 61 + b"pwned"), entry(b"short", b"x")), "pwned", known_as="a safe ustar name overridden by GNU's"),
    Attack("dotdot in a global pax header", tar(pax((b"path", b"../pwned"), kind=b"g"), entry(b"short", b"x")), "pwned|global"),
    Attack("dotdot after good entries", tar(GOOD * 50, entry(b"../pwned", b"x")), r"\.\./pwned"),
    Attack("dotdot in a sparse name", tar(pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"../pwned"), (b"GNU.sparse.realsize", b"0")), entry(b"short", padded(b"0\n"))), "pwned"),
    Attack("empty name", tar(entry(b"", b"x")), "name|path"),
    Attack("the target itself as a file", tar(entry(b".", b"x")), "\\.", UNPACKING),
    Attack("the target itself as a symlink", tar(symlink(b"./", b"../outside"), entry(b"pwned", b"x")), "\\.", UNPACKING),
    Attack("slashes alone", tar(symlink(b"///", b"../outside")), "/"),
    Attack("NUL in a pax path", tar(pax((b"path", b"good\0/../../pwned")), entry(b"short", b"x")), "NUL|zero byte|null"),
    Attack("empty pax path", tar(pax((b"path", b"")), entry(b"", b"x")), "name|path"),
    Attack("path of 100,000 bytes in pax", tar(pax((b"path", b"p/" * 50_000)), entry(b"short", b"x")), "long|4,?096|limit"),
    Attack("path of 100,000 bytes in a GNU long name", tar(gnu_long(b"p/" * 50_000), entry(b"short", b"x")), "long|4,?096|limit"),
    Attack("path of 100,000 folders in pax", tar(pax((b"path", b"d/" * 100_000 + b"f")), entry(b"short", b"x")), "long|4,?096|limit"),
    Attack("control characters in a name that is refused", tar(entry(b"\x1b]0;pwned\x07\x1b[2J\n../a/..", b"x")),
           r"\\033\]0;pwned\\007\\033\[2J\\012", known_as="escape sequences for the terminal"),
    Attack("name of 256 bytes", tar(pax((b"path", b"n" * 256)), entry(b"short", b"x")), "long|255", UNPACKING),
]

def beyond_path_max():
    """Folders with long names, a short symlink beside each: a path by the symlinks is short and resolves
    to one that is longer than any system call takes, so that a check by realpath() gives up on it."""
    long, at, out = b"d" * 247, b"", b""
    for step in (bytes([letter]) for letter in b"abcdefghijklmnop"):
        out += pax((b"path", at + long + b"/")) + folder(b"x")
        out += pax((b"path", at + step), (b"linkpath", long)) + symlink(b"x", b"x")
        at += step + b"/"
    way = at + b"l" * 254
    out += pax((b"path", way), (b"linkpath", b"../" * 16)) + symlink(b"x", b"x")
    out += pax((b"path", b"escape"), (b"linkpath", way + b"/../../../outside/canary")) + symlink(b"x", b"x")
    return out + hard_link(b"pwned", b"escape") + entry(b"pwned", b"x")


LINKS = [
    Attack("write through a symlink", tar(symlink(b"link", b"../../outside"), entry(b"link/pwned", b"x")), "link", UNPACKING, known_as="tar-slip by a link"),
    Attack("write through an absolute symlink", tar(at(symlink, b"link", b"{outside}"), entry(b"link/pwned", b"x")), "link", UNPACKING, known_as="CVE-2002-1216 (GNU tar)"),
    Attack("write through a symlink that stays inside", tar(folder(b"real/"), symlink(b"link", b"real"), entry(b"link/pwned", b"x")), "link", UNPACKING, known_as="CVE-2021-37701 (node-tar)"),
    Attack("write through chained symlinks", tar(symlink(b"a", b"b"), symlink(b"b", b"../../outside"), entry(b"a/pwned", b"x")), "a", UNPACKING),
    Attack("write through a deep symlink", tar(folder(b"d/"), symlink(b"d/link", b"../../../outside"), entry(b"d/link/folder/pwned", b"x")), "link", UNPACKING),
    Attack("symlink below a symlink", tar(symlink(b"link", b"../../outside"), symlink(b"link/pwned", b"x")), "link", UNPACKING),
    Attack("folder below a symlink", tar(symlink(b"link", b"../../outside"), folder(b"link/pwned/")), "link", UNPACKING),
    Attack("folder of files replaced by a symlink", tar(folder(b"d/"), entry(b"d/f", b"x"), at(symlink, b"d", b"{outside}"), entry(b"d/pwned", b"x")), "d", UNPACKING, known_as="CVE-2021-32803 (node-tar)"),
    Attack("empty folder replaced by a symlink", tar(folder(b"d/"), at(symlink, b"d", b"{outside}"), entry(b"d/pwned", b"x")), "d", UNPACKING, known_as="CVE-2021-32803 (node-tar)"),
    Attack("folder replaced by a file", tar(folder(b"d/"), entry(b"d/f", b"x"), entry(b"d", b"x")), "d", UNPACKING),
    Attack("file used as a folder", tar(entry(b"f", b"x"), entry(b"f/g", b"x")), "f", UNPACKING),
    Attack("hard link to an absolute path", tar(at(hard_link, b"pwned", b"{outside}/canary")), "pwned|canary"),
    Attack("hard link to dotdot", tar(hard_link(b"pwned", b"../../outside/canary")), "pwned|canary", known_as="a link to the outside"),
    Attack("hard link through a symlink", tar(symlink(b"link", b"../../outside"), hard_link(b"pwned", b"link/canary")), "pwned|link", UNPACKING),
    Attack("hard link with contents, to the outside", tar(at(entry, b"pwned", b"data", kind=b"1", link=b"../../outside/canary")), "pwned|canary", known_as="CVE-2016-5418 (libarchive)"),
    Attack("hard link to a symlink, then contents", tar(at(symlink, b"link", b"{outside}/canary"), hard_link(b"second", b"link"), entry(b"second/x", b"x")), "second|link", UNPACKING),
    Attack("hard link to a folder", tar(folder(b"d/"), hard_link(b"pwned", b"d")), "pwned|d", UNPACKING),
    Attack("hard link to nothing", tar(hard_link(b"pwned", b"nothing")), "pwned|nothing", UNPACKING),
    Attack("hard link to itself", tar(hard_link(b"pwned", b"pwned")), "pwned", UNPACKING),
    Attack("hard link to a later entry", tar(hard_link(b"pwned", b"later"), entry(b"later", b"x")), "pwned|later", UNPACKING),
    Attack("hard link to an empty name", tar(hard_link(b"pwned", b"")), "pwned"),
    Attack("symlink to an empty name", tar(symlink(b"pwned", b"")), "pwned"),
    Attack("symlinks beyond PATH_MAX, then a hard link", lambda outside: gz(beyond_path_max() + END), "escape|link|l{20}", UNPACKING,
           known_as="CVE-2025-4517 (Python)"),
    Attack("NUL in a pax link target", tar(pax((b"linkpath", b"a\0b")), symlink(b"pwned", b"x")), "NUL|zero byte|null"),
    Attack("link target of 100,000 bytes", tar(pax((b"linkpath", b"l" * 100_000)), symlink(b"pwned", b"x")), "long|4,?096|limit"),
]

KINDS = [  # devices, a fifo, GNU's old record of names, and what is none at all; tar has no sockets
    Attack(f"kind {kind.decode()!r}", tar(GOOD, header(b"game/special", kind=kind)), "game/special",
           known_as="CVE-2006-6097 (GNU tar)" if kind == b"N" else "")
    for kind in (b"3", b"4", b"6", b"Z", b"\x7f", b"N")
]

NUMBERS = [
    *(Attack(f"pax record {raw[:24]!r}", tar(pax(raw), entry(b"f", b"x")), "pax")
      for raw in (b"xx path=a\n", b"99999999999999999999999 path=a\n", b"4294967306 path=a\n", b"9 path a\n",
                  b"10 path=ab", b"0 path=a\n", b"3 a\n", b"-9 path=a\n", b" 9 path=a\n", b"path=a\n", b"9", b"\n",
                  b"11 path=a\n", b"7 =abc\n")),
    *(Attack(f"pax size {value.decode()[:24]}", tar(pax((b"size", value)), entry(b"f", b"x")), "size|pax")
      for value in (b"-1", b"-9223372036854775808", b"18446744073709551615", b"18446744073709551616", b"abc", b"1e5",
                    b"9" * 400, b"0x10", b"1 ", b"1\0")),
    Attack("pax size of 2^63 - 1", tar(pax((b"size", b"9223372036854775807")), entry(b"f", b"x")), "f|size|space|cut|end"),
    Attack("pax size of 1 TiB", tar(pax((b"size", b"%d" % (1 << 40))), entry(b"f", b"x")), "f|space|cut|end"),
    *(Attack(f"pax {key.decode()} {value.decode()[:16]}", tar(pax((key, value)), entry(b"f", b"x")), f"{key.decode()}|pax|owner")
      for key, value in ((b"mtime", b"nan"), (b"mtime", b"1e400"), (b"mtime", b"9" * 400), (b"mtime", b"--1"),
                         (b"uid", b"-1"), (b"uid", b"99999999999"), (b"gid", b"x"))),
    Attack("base-256 negative size", tar(header(b"f", size_field=base256(-1, 12))), "size|number|negative"),
    Attack("base-256 size of 2^80", tar(header(b"f", size_field=base256(1 << 80, 12))), "size|number|large|range"),
    Attack("base-256 size of 2^63", tar(header(b"f", size_field=base256(1 << 63, 12))), "size|number|large|range"),
    Attack("spaces up to the end of a number", tar(header(b"f", size_field=b" " * 11 + b"z")), "size|number", known_as="CVE-2022-48303 (GNU tar)"),
    Attack("size that is no number", tar(header(b"f", size_field=b"12345678zzz\0")), "size|number|octal|checksum"),
    Attack("8 GiB promised, nothing there", tar(header(b"f", size_field=b"77777777777\0")), "f|cut|end|space"),
    Attack("pax header of 8 GiB", tar(header(b"p", kind=b"x", size_field=b"77777777777\0")), "pax|header|limit"),
    Attack("global pax header of 8 GiB", tar(header(b"p", kind=b"g", size_field=b"77777777777\0")), "pax|header|limit"),
    Attack("pax header of 2 MiB", tar(pax((b"comment", b"c" * (2 << 20))), entry(b"f", b"x")), "pax|header|limit"),
    Attack("GNU long name of 4 GiB, not there", tar(header(b"L", kind=b"L", size_field=base256(4 * GIB, 12))), "long|name|limit|extended header"),
    Attack("GNU long name of 4 GiB, there", lambda outside: gz_of_zeros(
        header(b"L", kind=b"L", size_field=base256(4 * GIB, 12)), 4 * GIB, entry(b"f", b"x") + END), "long|name|limit|extended header"),
    Attack("GNU long link of 4 GiB, there", lambda outside: gz_of_zeros(
        header(b"K", kind=b"K", size_field=base256(4 * GIB, 12)), 4 * GIB, entry(b"f", b"x") + END), "long|name|limit|extended header"),
    Attack("bad checksum, first header", tar(header(b"f", checksum=b"000001\0 ")), "checksum"),
    Attack("bad checksum, later header", tar(GOOD * 3, header(b"f", checksum=b"000001\0 ")), "checksum"),
    Attack("checksum that is no number", tar(GOOD, header(b"f", checksum=b"zzzzzz\0 ")), "checksum"),
    Attack("text where a header should be", tar(GOOD, b"not a tar header, but text. " * 40), "checksum|header"),
]


def old_sparse(pairs, real_size, data=b"", extended=b"\0", **fields):
    """GNU's old sparse header: up to four pairs of offset and length after the user and group names."""
    pieces = b"".join(number(offset) + number(length) for offset, length in pairs).ljust(96, b"\0")
    tail = bytes(12 + 12 + 12 + 4 + 1) + pieces + extended + number(real_size)
    return header(b"game/sparse", kind=b"S", magic=b"ustar  \0", size=len(data), tail=tail, **fields) + padded(data)


def number(value):
    return octal(value, 12) if 0 <= value < 8**11 else base256(value, 12)


def pax_sparse(*records, data=b""):
    return tar(pax(*records), entry(b"game/sparse", data))


def sparse_1_0(map_text, real_size=b"1000000", data=b""):
    return pax_sparse((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"game/sparse"),
                      (b"GNU.sparse.realsize", real_size), data=padded(map_text) + data)


def sparse_0_1(map_text, count, real_size=b"1000000", data=b""):
    return pax_sparse((b"GNU.sparse.size", real_size), (b"GNU.sparse.numblocks", count), (b"GNU.sparse.map", map_text), data=data)


SECTOR = b"s" * 512
SPARSE_SAYS = "sparse"
SPARSE = [
    Attack("old sparse, overlapping", tar(old_sparse([(0, 512), (256, 512)], 4_096, SECTOR * 2)), SPARSE_SAYS),
    Attack("old sparse, descending", tar(old_sparse([(2_048, 512), (0, 512)], 4_096, SECTOR * 2)), SPARSE_SAYS),
    Attack("old sparse, negative offset", tar(old_sparse([(-512, 512)], 4_096, SECTOR)), SPARSE_SAYS),
    Attack("old sparse, negative length", tar(old_sparse([(0, -512)], 4_096, SECTOR)), SPARSE_SAYS),
    Attack("old sparse, beyond the end", tar(old_sparse([(4_000, 512)], 4_096, SECTOR)), SPARSE_SAYS),
    Attack("old sparse, offset and length wrap round", tar(old_sparse([((1 << 63) - 1, 512)], 4_096, SECTOR)), SPARSE_SAYS),
    Attack("old sparse, more in the map than in the data", tar(old_sparse([(0, 512), (1_024, 512)], 4_096, SECTOR)), SPARSE_SAYS),
    Attack("old sparse, less in the map than in the data", tar(old_sparse([(0, 512)], 4_096, SECTOR * 2)), SPARSE_SAYS),
    Attack("old sparse, negative real size", tar(old_sparse([(0, 512)], -1, SECTOR)), SPARSE_SAYS + "|size|number"),
    Attack("old sparse, real size of 2^62", tar(old_sparse([(0, 512)], 1 << 62, SECTOR)), "sparse|large|space|size", UNPACKING),
    Attack("old sparse, extensions without end", lambda outside: gz(
        old_sparse([(0, 0)] * 4, 4_096, extended=b"\1") + (bytes(504) + b"\1" + bytes(7)) * 20_000), SPARSE_SAYS + "|end|cut"),
    Attack("old sparse, extension cut off", lambda outside: gz(old_sparse([(0, 0)], 4_096, extended=b"\1")), SPARSE_SAYS + "|end|cut"),
    Attack("pax sparse 1.0, absurd count", sparse_1_0(b"999999999999\n0\n1\n"), SPARSE_SAYS),
    Attack("pax sparse 1.0, count of 2^64", sparse_1_0(b"18446744073709551616\n"), SPARSE_SAYS),
    Attack("pax sparse 1.0, negative count", sparse_1_0(b"-1\n"), SPARSE_SAYS),
    Attack("pax sparse 1.0, no number", sparse_1_0(b"many\n"), SPARSE_SAYS),
    Attack("pax sparse 1.0, line without end", sparse_1_0(b"1" * 512, data=b"1" * 5_120), SPARSE_SAYS),
    Attack("pax sparse 1.0, overlapping", sparse_1_0(b"2\n0\n512\n100\n512\n", data=SECTOR * 2), SPARSE_SAYS),
    Attack("pax sparse 1.0, beyond the end", sparse_1_0(b"1\n999999\n512\n", data=SECTOR), SPARSE_SAYS),
    Attack("pax sparse 1.0, negative real size", sparse_1_0(b"0\n", b"-1"), SPARSE_SAYS + "|size|number"),
    Attack("pax sparse 1.0, real size of 2^63", sparse_1_0(b"0\n", b"9223372036854775808"), SPARSE_SAYS + "|size|number"),
    Attack("pax sparse 1.0, real size of 2^62", sparse_1_0(b"0\n", b"4611686018427387904"), "sparse|large|space|size", UNPACKING),
    Attack("pax sparse 0.1, odd count of numbers", sparse_0_1(b"0,512,1024", b"2", data=SECTOR), SPARSE_SAYS),
    Attack("pax sparse 0.1, descending", sparse_0_1(b"1024,512,0,512", b"2", data=SECTOR * 2), SPARSE_SAYS),
    Attack("pax sparse 0.0, length without offset", pax_sparse(
        (b"GNU.sparse.size", b"4096"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.numbytes", b"512"), data=SECTOR), SPARSE_SAYS),
    Attack("pax sparse 0.0, offsets without lengths", pax_sparse(
        (b"GNU.sparse.size", b"4096"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.offset", b"0"), (b"GNU.sparse.offset", b"512"),
        data=SECTOR), SPARSE_SAYS),
    Attack("pax sparse, unknown version", pax_sparse(
        (b"GNU.sparse.major", b"7"), (b"GNU.sparse.minor", b"3"), (b"GNU.sparse.realsize", b"512"), data=SECTOR), SPARSE_SAYS),
]

BOMBS = [
    Attack("1 GiB of zeros in a file", lambda outside: gz_of_zeros(
        header(b"game/bomb", size_field=base256(GIB, 12)), GIB, END), "ratio|times|unpack|large|space", UNPACKING),
    Attack("1 GiB of zeros in 1,024 gzip members", lambda outside: gz_of_members(), "ratio|times|unpack|large|space", UNPACKING),
    Attack("a million empty gzip members, and no end", lambda outside: gz(GOOD) + gz(b"") * 1_000_000, "end|cut"),
    Attack("1 GB of zeros in 1,000 files", lambda outside: gz_of_zeros_in_files(), "ratio|times|unpack|large|space", UNPACKING),
    Attack("10 GB of zeros after the end", lambda outside: gz_of_zeros(GOOD + END, 10 * GIB), "follow.*end mark"),
]


def gz_of_members():
    """One file of 1 GiB of zeros, each MiB of it in a gzip member of its own."""
    return gz(header(b"game/bomb", size_field=base256(GIB, 12))) + gz(bytes(1 << 20), 9) * 1024 + gz(END)


def gz_of_zeros_in_files():
    """1,000 files of 1 MiB of zeros, each with its own header, as one repeated run of deflate."""
    import zlib

    file = header(b"game/bomb", size=1 << 20) + bytes(1 << 20)
    piece = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = piece.compress(file) + piece.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(1_000):
        crc = zlib.crc32(file, crc)
    crc = zlib.crc32(END, crc)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + piece * 1_000 + last.compress(END) + last.flush()
            + crc.to_bytes(4, "little") + ((1_000 * len(file) + len(END)) & 0xFFFFFFFF).to_bytes(4, "little"))


def damaged(change):
    """A good small archive of another tool's making, changed."""

    def build(outside):
        data = bytearray(gz(GOOD * 20 + END))
        return bytes(change(data) or data)

    return build


def set_bytes(offset, value):
    def change(data):
        start = offset if offset >= 0 else len(data) + offset
        data[start:start + len(value)] = value

    return change


GZIP = [
    Attack("empty file", lambda outside: b"", "empty|short|archive"),
    Attack("one byte", lambda outside: b"\x1f", "archive|short|gzip|cut"),
    Attack("gzip's magic alone", lambda outside: b"\x1f\x8b", "archive|short|gzip|cut"),
    Attack("text", lambda outside: b"this is not an archive\n" * 100, "archive|checksum|gzip"),
    Attack("a zip file", lambda outside: b"PK\x03\x04" + bytes(600), "archive|checksum|gzip|header"),
    Attack("an xz file", lambda outside: b"\xfd7zXZ\0" + b"\1" * 600, "archive|checksum|gzip|header"),
    Attack("gzip of text", lambda outside: gz(b"this is not a tar\n" * 100), "checksum|header|tar"),
    Attack("gzip of a gzip", lambda outside: gz(gz(GOOD + END) + bytes(1_024)), "checksum|header|tar"),
    Attack("gzip of nothing", lambda outside: gz(b""), "empty|end|cut|tar"),
    Attack("method is not deflate", damaged(set_bytes(2, b"\x07")), "gzip|method"),
    Attack("reserved flags", damaged(set_bytes(3, b"\xe0")), "gzip|flag"),
    Attack("extra field without end", damaged(set_bytes(3, b"\x04")), "gzip|data|deflate|end|cut"),
    Attack("file name without end", lambda outside: b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"n" * 100_000, "gzip|end|cut"),
    Attack("wrong CRC", damaged(set_bytes(-8, b"\0\0\0\0")), "CRC|crc|check"),
    Attack("wrong size in the trailer", damaged(set_bytes(-4, b"\xff\xff\xff\xff")), "size|length"),
    Attack("reserved block type", damaged(set_bytes(10, b"\xff")), "gzip|data|deflate|block"),
    Attack("cut in the trailer", damaged(lambda data: data[:-3]), "cut|end|short"),
    Attack("cut in the middle", damaged(lambda data: data[:len(data) // 2]), "cut|end|short"),
    Attack("another archive after it", damaged(lambda data: data + gz(entry(b"game/second", b"x") + END)), "entries follow"),
    Attack("garbage after the last member", damaged(lambda data: data + b"garbage"), "gzip|after|garbage|trailing"),
    Attack("half a header after the last member", damaged(lambda data: data + b"\x1f\x8b\x08"), "gzip|after|cut|end"),
    Attack("damaged second member", damaged(lambda data: data + gz(b"x")[:-1] + b"\xff"), "gzip|size|length|after"),
    Attack("cut at the border of two entries", lambda outside: gz(GOOD * 3), "end|cut"),
    Attack("plain tar cut in a file", lambda outside: entry(b"game/f", b"x" * 5_000)[:3_000], "end|cut|game/f"),
]

ALL = {
    "paths": PATHS, "links": LINKS, "kinds": KINDS, "numbers": NUMBERS, "sparse": SPARSE, "bombs": BOMBS, "gzip": GZIP,
}
