"""What the tests of `manman archive` share: running the binary with limits, trees, raw tar blocks.

Runs on Debian's Python with nothing but its standard library.
"""

import dataclasses
import gzip
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from lib import trees  # noqa: E402  (found by the line above)
from lib.trees import snapshot  # noqa: E402, F401  (the tests take it from here)

BINARY = os.environ.get("MANMAN_BIN", str(REPOSITORY / "build" / "release" / "manman"))

# What `manman archive` may use, whatever it is given.
MEMORY_LIMIT_KIB = 128 * 1024
# Words that a program prints when it was stopped by itself or by the system, not by its own rules.
CRASH_WORDS = (
    b"AddressSanitizer",
    b"UndefinedBehaviorSanitizer",
    b"ThreadSanitizer",
    b"runtime error:",
    b"terminate called",
    b"Segmentation fault",
    b"Aborted",
    b"Assertion",
    b"std::bad_alloc",
    b"core dumped",
)


@dataclasses.dataclass
class Outcome:
    """How one run of a program ended."""

    command: list
    code: int  # negative: the signal that ended it
    out: bytes
    err: bytes
    peak_kib: int
    seconds: float
    timed_out: bool = False

    def text(self):
        return (
            f"$ {' '.join(map(str, self.command))}\nexit {self.code}, {self.peak_kib} KiB, "
            f"{self.seconds:.2f} s{', TIMED OUT' if self.timed_out else ''}\n"
            f"{self.out[-2000:].decode(errors='replace')}\n{self.err[-2000:].decode(errors='replace')}"
        )


def run(command, timeout=60, env=None, stdin=None, cwd=None):
    """Runs a program to its end or the time limit; its output goes through files, so that neither
    side can block the other."""
    command = [os.fspath(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        forget_own_peak()
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}, start_new_session=True,
        )
        timed_out = not _wait_until_ended(process, timeout)
        if timed_out:
            os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return Outcome(command, process.returncode, out.read(), err.read(), usage.ru_maxrss,
                       seconds, timed_out)


def forget_own_peak():
    """The kernel counts the memory of the process that starts a program, at its peak, into the
    program's own; this makes the peak what is in use now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _wait_until_ended(process, timeout):
    """True once the process has ended (not yet reaped, so that wait4 can tell its memory)."""
    pidfd = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    finally:
        os.close(pidfd)


def manman(*words, timeout=60, **options):
    return run([BINARY, *words], timeout=timeout, **options)


class ArchiveTest(unittest.TestCase):
    """A test with a folder of its own, as bytes in self.dir, that is removed after it."""

    maxDiff = 4000

    def setUp(self):
        if not os.access(BINARY, os.X_OK):
            self.fail(f"no manman binary at {BINARY}; set MANMAN_BIN")
        self.dir = os.fsencode(tempfile.mkdtemp(prefix="manman-archive-"))
        self.addCleanup(remove_tree, self.dir)

    def path(self, *parts):
        return os.path.join(self.dir, *(os.fsencode(part) for part in parts))

    def assert_sane(self, outcome):
        """Not crashed, not hung, within its memory."""
        self.assertFalse(outcome.timed_out, outcome.text())
        self.assertGreaterEqual(outcome.code, 0, "ended by a signal\n" + outcome.text())
        for word in CRASH_WORDS:
            self.assertNotIn(word, outcome.err, outcome.text())
            self.assertNotIn(word, outcome.out[:100_000], outcome.text())
        self.assertLess(outcome.peak_kib, MEMORY_LIMIT_KIB, outcome.text())

    def assert_ok(self, outcome):
        self.assert_sane(outcome)
        self.assertEqual(outcome.code, 0, outcome.text())
        return outcome

    def manman_ok(self, *words, **options):
        return self.assert_ok(manman(*words, **options))

    def tool(self, *words, **options):
        """Runs another program, which must succeed."""
        outcome = run(words, **options)
        self.assertEqual(outcome.code, 0, outcome.text())
        return outcome

    def assert_same_tree(self, expected, actual, ignore=()):
        differences = tree_differences(expected, actual, ignore)
        if differences:
            self.fail("trees differ:\n  " + "\n  ".join(differences[:20]))


# ---------------------------------------------------------------------------------------- trees


def tree_differences(expected, actual, ignore=()):
    """trees.diff, which may also ignore "mtime_below_second"."""
    if "mtime_below_second" in ignore:
        expected, actual = _whole_seconds(expected), _whole_seconds(actual)
    return trees.diff(expected, actual, ignore)


def _whole_seconds(tree):
    return {path: dataclasses.replace(entry, mtime_ns=entry.mtime_ns // 10**9 * 10**9)
            for path, entry in tree.items()}


def remove_tree(root):
    """Also what shutil can't: folders that nobody may write."""
    subprocess.run(["rm", "-rf", "--", root], check=True)


def write_file(path, data=b"", mode=0o644, mtime_ns=None):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    if mtime_ns is not None:
        os.utime(path, ns=(mtime_ns, mtime_ns))


# --------------------------------------------------------------------------------- tar by hand


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def base256(value, width):
    """A number as GNU tar writes what has no room in octal; negative ones too."""
    return (value + (1 << (8 * width)) if value < 0 else value | (1 << (8 * width - 1))).to_bytes(
        width, "big")


def header(name, kind=b"0", size=0, mode=0o644, link=b"", mtime=1_700_000_000, uid=0, gid=0,
           prefix=b"", magic=b"ustar\x0000", size_field=None, checksum=None, tail=None):
    """One 512-byte header block. size_field and checksum replace the right ones; tail, a bytes
    of the 167 after magic's user and group names, replaces prefix (GNU's sparse map lies there)."""
    block = bytearray(512)

    def put(offset, data):
        block[offset:offset + len(data)] = data

    put(0, name[:100])
    put(100, octal(mode, 8))
    put(108, octal(uid, 8))
    put(116, octal(gid, 8))
    put(124, size_field if size_field is not None else octal(size, 12))
    put(136, octal(mtime, 12))
    put(156, kind)
    put(157, link[:100])
    put(257, magic)
    put(329, octal(0, 8))
    put(337, octal(0, 8))
    put(345, tail if tail is not None else prefix[:155])
    put(148, b" " * 8)
    put(148, checksum if checksum is not None else b"%06o\0 " % sum(block))
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def entry(name, data=b"", **fields):
    fields.setdefault("size", len(data))
    return header(name, **fields) + padded(data)


def folder(name, **fields):
    return header(name, kind=b"5", mode=fields.pop("mode", 0o755), **fields)


def symlink(name, target):
    return header(name, kind=b"2", link=target, mode=0o777)


def hard_link(name, target):
    return header(name, kind=b"1", link=target)


def pax_record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


def pax(*records, kind=b"x"):
    """A pax header: pairs of key and value, or raw bytes put as they are."""
    data = b"".join(r if isinstance(r, bytes) else pax_record(*r) for r in records)
    return entry(b"PaxHeaders/0", data, kind=kind)


def gnu_long(data, kind=b"L", **fields):
    return entry(b"././@LongLink", data + b"\0", kind=kind, magic=b"ustar  \0", **fields)


END = bytes(1024)


def gz(data, level=6):
    return gzip.compress(data, level, mtime=0)


def gz_of_zeros(before, zeros, after=b""):
    """A gzip file of `before`, then `zeros` zero bytes, then `after`, made in no time: the zeros'
    compressed form repeats."""
    unit = 4 << 20
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    zero_block = bytes(unit)
    independent = compressor.compress(zero_block) + compressor.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(before)

    def deflated(data):
        piece = zlib.compressobj(6, zlib.DEFLATED, -15)
        return piece.compress(data) + piece.flush(zlib.Z_FULL_FLUSH)

    parts = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", deflated(before)]
    for _ in range(zeros // unit):
        parts.append(independent)
        crc = zlib.crc32(zero_block, crc)
    rest = bytes(zeros % unit) + after
    crc = zlib.crc32(rest, crc)
    parts += [deflated(rest), b"\x03\0", crc.to_bytes(4, "little"),
              ((len(before) + zeros + len(after)) & 0xFFFFFFFF).to_bytes(4, "little")]
    return b"".join(parts)


def have(*tools):
    """unittest's skip for a peer program that is not on this machine."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"not installed: {' '.join(missing)}")
