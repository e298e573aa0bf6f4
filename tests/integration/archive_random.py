"""Trees of save data by chance, the same for the same seed."""

import os
import random

from archive_tools import write_file
from archive_trees import islands, path_of_length, patterned

FRAME = 1 << 20
# A file that stands first in an archive begins two headers (of the folder and its own) into a frame.
SIZES = (0, 1, 511, 512, 513, 4_095, 4_096, 4_097, FRAME - 1_536, FRAME - 1_024, FRAME - 1_023, FRAME - 512, FRAME,
         FRAME + 1)
MODES = (0o644, 0o600, 0o000, 0o777, 0o111, 0o444, 0o1666)
FOLDER_MODES = (0o755, 0o700, 0o000, 0o1777, 0o555)


class RandomTree:
    """Makes a tree in the folder `root`, which is not there yet. Plain ones hold only what ustar can: short names
    of letters, whole seconds since 1970."""

    def __init__(self, root, seed, plain=False):
        self.rng = random.Random(f"{seed} {plain}")
        self.plain = plain
        self.root = root
        self.folders, self.files = [root], []
        os.mkdir(root)
        for number in range(self.rng.randrange(12, 40)):
            self._add(number)
        if not plain and self.rng.random() < 0.5:
            self._add_long_path()
        self._finish()

    def _name(self, number):
        rng = self.rng
        if self.plain:
            return b"%d-%s" % (number, bytes(rng.choices(b"abcxyz.-_", k=rng.randrange(8))))
        name = b"%d" % number + bytes(rng.randrange(1, 256) for _ in range(rng.randrange(30)))
        if rng.random() < 0.1:
            name = (name + rng.choice((b"n", "é".encode(), b"\xff")) * 255)[:255]
        return name.replace(b"/", b"_")

    def _add(self, number):
        rng = self.rng
        parent = rng.choice(self.folders)
        if self.plain and parent.count(b"/") - self.root.count(b"/") > 5:
            parent = self.root
        path = parent + b"/" + self._name(number)
        kind = rng.choices(("file", "folder", "symlink", "hard link", "sparse"), (10, 5, 2, 3, 1))[0]
        if kind == "folder":
            os.mkdir(path)
            self.folders.append(path)
        elif kind == "symlink":
            os.symlink(self._target(), path)
        elif kind == "hard link" and self.files:
            os.link(rng.choice(self.files), path)
        elif kind == "sparse":
            size = rng.randrange(1, 3 << 20)
            islands(path, size, [(rng.randrange(size), patterned(rng.randrange(1, 9_000)))
                                 for _ in range(rng.randrange(4))])
            self.files.append(path)
        else:
            size = rng.choice(SIZES) if rng.random() < 0.4 else rng.randrange(20_000)
            write_file(path, (patterned if rng.random() < 0.5 else rng.randbytes)(size))
            self.files.append(path)

    def _target(self):
        rng = self.rng
        some = rng.choice(self.files)[len(self.root):] if self.files else b"/nothing"
        choices = [b"dangling", b"../../up", some[1:], b"/etc/hostname", b"."]
        if not self.plain:
            choices += [b"t/" * rng.randrange(60, 2_000), b"\xff\n=", b"x" * 100, b"x" * 101]
        return rng.choice(choices)

    def _add_long_path(self):
        """Up to what a system call takes, with room for the folder that the archive is unpacked into."""
        path = path_of_length(self.root + b"/deep", b"game/deep", self.rng.randrange(200, 3_900))
        write_file(path, b"deep")

    def _time(self):
        rng = self.rng
        if self.plain:
            return rng.randrange(2_000_000_000) * 10**9
        return rng.choice((rng.randrange(2_000_000_000) * 10**9 + rng.randrange(10**9), 0, 1,
                           rng.randrange(2_000_000_000, 10_000_000_000) * 10**9))

    def _finish(self):
        rng = self.rng
        for path in self.files:
            os.chmod(path, rng.choice(MODES))
        for folder, folders, files in os.walk(self.root, topdown=False):
            for name in sorted(files + folders):
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isdir(path):
                    time = self._time()
                    os.utime(path, ns=(time, time), follow_symlinks=False)
            if folder in self.folders and folder != self.root:
                os.chmod(folder, rng.choice(FOLDER_MODES))
            time = self._time()
            os.utime(folder, ns=(time, time))


def set_times_before_1970(root, seed):
    """Of some files, with parts of a second: what libarchive can't keep."""
    rng = random.Random(seed)
    for folder, _, files in os.walk(root):
        kept = os.stat(folder)
        for name in files:
            if rng.random() < 0.3:
                time = -rng.randrange(10**18)
                os.utime(os.path.join(folder, name), ns=(time, time), follow_symlinks=False)
        os.utime(folder, ns=(kept.st_atime_ns, kept.st_mtime_ns))
