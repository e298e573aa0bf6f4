"""Snapshots of a folder that a game writes to before and right after, on file systems with and without reflinks."""

import os
import random
import shutil
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from archive_tools import ArchiveTest, snapshot
from lib import paths, trees
from small_disk import EXT4, SmallDisk, needs_root

XFS = ("mkfs.xfs", "-q", "-f", "-m", "reflink=1")
BTRFS = ("mkfs.btrfs", "-q", "-f")


def btrfs(*words):
    subprocess.run(["btrfs", "-q", *words], check=True)


class Driver:
    """live_driver with a line of input to come."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [str(paths.conformance("live_driver")), *map(str, words)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self):
        return self.process.stdout.readline().strip()

    def end(self):
        out, _ = self.process.communicate("\n")
        assert self.process.returncode == 0, out
        return out.split("\n")


class LiveFolder(ArchiveTest):
    def on(self, make, size_mib=300):
        disk = SmallDisk(size_mib, make)
        self.addCleanup(disk.close)
        self.disk = disk
        self.game = disk.path / "game"
        self.scratch = disk.path / "snapshot-1"
        return disk

    def fill(self):
        trees.make_world(self.game, 7)
        pipe = self.game / "pipe"
        os.mkfifo(pipe, 0o640)
        os.setxattr(self.game / "start.sh", "user.mark", b"12")
        os.chown(self.game / "world/level.dat", 1234, 4321)
        os.sync()

    def attributes(self, folder):
        return {name: os.getxattr(folder / name, "user.mark") for name in ("start.sh",)}

    def take(self, need="held"):
        driver = Driver("snapshot", self.game, self.scratch, need)
        self.addCleanup(driver.process.stdout.close)
        kind, ms, *path = driver.line().split()
        print(f"\n{self.id().split('.')[-1]}: {kind} in {ms} ms", file=sys.stderr)
        if not path:
            driver.end()
            self.assertFalse(self.scratch.exists())
        return driver, kind, Path(path[0]) if path else None

    def spoil(self):
        """A game that goes on at once."""
        noise = random.Random(3)
        ended = threading.Event()

        def write():
            number = 0
            while not ended.is_set():
                number += 1
                (self.game / f"new-{number % 50}").write_bytes(noise.randbytes(1000))
                for region in sorted((self.game / "world/region").iterdir()):
                    with open(region, "r+b") as file:
                        file.seek(noise.randrange(200_000))
                        file.write(noise.randbytes(5000))
                level = self.game / "world/level.dat_new"
                level.write_bytes(noise.randbytes(700))
                level.replace(self.game / "world/level.dat")

        thread = threading.Thread(target=write)
        thread.start()

        def end():
            ended.set()
            thread.join()

        return end

    def assert_is_the_moment(self, kind, need="held"):
        before = snapshot(os.fsencode(self.game))
        driver, got, path = self.take(need)
        end = self.spoil()
        try:
            self.assertEqual(got, kind)
            self.assert_same_tree(before, snapshot(os.fsencode(path)))
            self.assertEqual(self.attributes(path), {"start.sh": b"12"})
        finally:
            end()
        self.assertNotEqual(before, snapshot(os.fsencode(self.game)))
        self.assertEqual(driver.end(), [""])
        self.assertFalse(self.scratch.exists())

    def assert_none(self, need="held"):
        before = snapshot(os.fsencode(self.game))
        self.assertEqual(self.take(need)[1], "none")
        self.assert_same_tree(before, snapshot(os.fsencode(self.game)))

    def crash(self):
        kept = subprocess.run([str(paths.conformance("live_driver")), "snapshot", self.game,
                               self.scratch, "held", "keep"], check=True, capture_output=True, text=True)
        self.assertTrue(self.scratch.exists())
        for _ in range(2):  # the second time there is nothing
            subprocess.run([str(paths.conformance("live_driver")), "remove", self.scratch], check=True)
            self.assertFalse(self.scratch.exists())
        return kept.stdout.split()[0]


@needs_root
class Snapshots(LiveFolder):
    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_xfs(self):
        self.on(XFS, 400)
        self.game.mkdir()
        self.fill()
        self.assert_is_the_moment("reflink")
        self.assertEqual(self.take("atomic")[1], "none")
        self.assertEqual(self.crash(), "reflink")

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_what_is_mounted_below_can_not_be_in_it(self):
        self.on(XFS, 400)
        (self.game / "mounted").mkdir(parents=True)
        (self.game / "file").write_text("x")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.game / "mounted"], check=True)
        self.addCleanup(subprocess.run, ["umount", self.game / "mounted"], check=True)
        self.assertEqual(self.take()[1], "none")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_folder(self):
        self.on(BTRFS)
        self.game.mkdir()
        self.fill()
        self.assert_is_the_moment("reflink")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_subvolume(self):
        self.on(BTRFS)
        btrfs("subvolume", "create", self.game)
        self.fill()
        self.assert_is_the_moment("subvolume", "atomic")
        self.assertEqual(self.crash(), "subvolume")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_subvolume_with_another_in_it(self):
        self.on(BTRFS)
        btrfs("subvolume", "create", self.game)
        (self.game / "file").write_text("x")
        btrfs("subvolume", "create", self.game / "inner")
        (self.game / "inner/file").write_text("y")
        self.assertEqual(self.take("atomic")[1], "none")
        self.assertEqual(self.take("held")[1], "none")

    def test_ext4(self):
        self.on(EXT4)
        self.game.mkdir()
        self.fill()
        self.assert_none()
        self.assert_none("atomic")


@needs_root
class ChangedSince(LiveFolder):
    def test_names_what_was_written_and_nothing_else(self):
        for make, size in ((EXT4, 200), (XFS, 400)):
            if not shutil.which(make[0]):
                continue
            with self.subTest(make=make[0]):
                self.on(make, size)
                self.game.mkdir()
                self.scratch.mkdir()
                trees.make_world(self.game, 3)
                (self.game / "logs").mkdir()
                # Older than what counts as the same moment.
                os.sync()
                threading.Event().wait(0.1)
                quiet = Driver("changes", self.game, self.scratch)
                self.assertEqual(quiet.line(), "ready")
                subprocess.run(["cat", self.game / "world/level.dat", "/dev/null"], check=True,
                               stdout=subprocess.DEVNULL)
                clone = Driver("snapshot", self.game, self.disk.path / "other", "held")
                clone.line()
                clone.end()
                self.assertEqual(quiet.end()[0], "0")
                busy = Driver("changes", self.game, self.scratch, "*.log")
                self.assertEqual(busy.line(), "ready")
                with open(self.game / "world/region/r.0.0.mca", "r+b") as file:
                    file.write(b"x")
                times = (self.game / "world/level.dat").stat()
                (self.game / "world/level.dat").write_bytes(b"y" * times.st_size)
                os.utime(self.game / "world/level.dat", ns=(times.st_atime_ns, times.st_mtime_ns))
                os.rename(self.game / "server.properties", self.game / "world/server.properties")
                (self.game / "logs/a.log").write_text("left out")
                count, *names = busy.end()
                self.assertEqual(sorted(n for n in names if n),
                                 [".", "logs", "world", "world/level.dat",
                                  "world/level.dat_hardlink", "world/region/r.0.0.mca",
                                  "world/server.properties"])
                self.assertEqual(count, "7")


if __name__ == "__main__":
    unittest.main()
