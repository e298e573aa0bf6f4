"""A disk of its own size, for tests of what happens when it is full, or of a file system: ext4, unless told
otherwise, in a file, mounted."""

import errno
import os
import subprocess
import tempfile
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import processes  # noqa: E402
from lib.wait import wait_until  # noqa: E402

needs_root = unittest.skipUnless(os.geteuid() == 0, "mounting a file system needs root")


class SmallDisk:
    """Mounted from the constructor to close(). Its filler takes the space that a test wants gone."""

    def __init__(self, size_mib, make=("mkfs.ext4", "-q", "-m", "0", "-F")):
        self.home = Path(tempfile.mkdtemp(prefix="manman-disk-"))
        self.path = self.home / "mounted"
        self.path.mkdir()
        self.filler = self.path / "filler"
        image = self.home / "image"
        with open(image, "wb") as file:
            file.truncate(size_mib << 20)
        # -m 0: no blocks are kept back for root, so that full is full.
        subprocess.run([*make, image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.path], check=True)
        if (self.path / "lost+found").exists():
            (self.path / "lost+found").rmdir()

    def free_bytes(self):
        facts = os.statvfs(self.path)
        return facts.f_bavail * facts.f_frsize

    def fill(self, leave_bytes=0):
        """Takes all space but about leave_bytes."""
        with open(self.filler, "ab", buffering=0) as file:
            size = file.tell()
            want = self.free_bytes() - leave_bytes
            if leave_bytes:
                os.posix_fallocate(file.fileno(), size, want)
                return
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def _unmount(self):
        return subprocess.run(["umount", self.path]).returncode == 0

    def close(self):
        """Unmounts, which also lets the loop device go, and removes the image."""
        if os.path.ismount(self.path):
            # Games outlive their service, and would keep the disk busy.
            processes.kill_all_of(self.path)
            wait_until(self._unmount, 20, f"{self.path} to be no longer busy")
        subprocess.run(["rm", "-rf", "--one-file-system", self.home], check=True)
