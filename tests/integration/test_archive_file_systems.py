"""Archives unpacked on file systems of all kinds, with files that go past the page cache where that can be done; and
on a disk that fills while files are written."""

import concurrent.futures
import os
import random
import shutil
import subprocess
import unittest

from archive_tools import ArchiveTest, manman, snapshot, write_file
from small_disk import EXT4, SmallDisk, needs_root

# Around the sizes from which a file goes past the page cache, and of pages and sectors.
SIZES = (0, 1, 511, 4095, 4096, 262_143, 262_144, 262_145, 300_000, 524_289, 3_000_001)


@needs_root
class FileSystems(ArchiveTest):
    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        os.mkdir(self.tree)
        noise = random.Random(3)
        for size in SIZES:
            write_file(os.path.join(self.tree, b"%d" % size), noise.randbytes(size))
        with open(os.path.join(self.tree, b"holes"), "wb") as file:
            file.write(noise.randbytes(5_000))
            file.seek(2_000_000)
            file.write(noise.randbytes(400_001))
        self.archives = {"own": self.path("own.tar.gz"), "foreign": self.path("foreign.tar.gz")}
        self.manman_ok("archive", "create", self.tree, self.archives["own"])
        self.tool("tar", "-czSf", self.archives["foreign"], "--format=pax", "game", cwd=self.dir)

    def assert_unpacks_into(self, folder):
        for kind, archive in self.archives.items():
            with self.subTest(archive=kind):
                target = os.path.join(folder, os.fsencode(kind))
                self.manman_ok("archive", "extract", archive, target)
                self.assert_same_tree(snapshot(self.tree), snapshot(target + b"/game"))

    def mounted(self, kind, *options):
        place = self.path("mounted-" + kind)
        os.mkdir(place)
        subprocess.run(["mount", "-t", kind, *options, kind, place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        return place

    def on_disk(self, *make, size_mib=200, sector_bytes=512):
        disk = SmallDisk(size_mib, make, sector_bytes)
        self.addCleanup(disk.close)
        self.assert_unpacks_into(os.fsencode(disk.path))

    def test_tmpfs(self):
        self.assert_unpacks_into(self.mounted("tmpfs", "-o", "size=200m"))

    def test_overlay(self):
        below = self.mounted("tmpfs", "-o", "size=200m")
        for name in (b"lower", b"upper", b"work"):
            os.mkdir(os.path.join(below, name))
        layers = "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work".format(os.fsdecode(below))
        self.assert_unpacks_into(self.mounted("overlay", "-o", layers))

    def test_ext4_on_sectors_of_4096_bytes(self):
        self.on_disk(*EXT4, sector_bytes=4096)

    def test_ext4_in_blocks_of_1024_bytes(self):
        self.on_disk(*EXT4, "-b", "1024")

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_xfs(self):
        self.on_disk("mkfs.xfs", "-q", "-f", "-m", "reflink=1", size_mib=400)


@needs_root
class DiskThatFills(ArchiveTest):
    """Each of several at once has room as it begins, but not all of them together."""

    def test_what_has_no_room_any_more_says_so_and_leaves_nothing(self):
        disk = SmallDisk(200)
        self.addCleanup(disk.close)
        tree = self.path("game")
        os.mkdir(tree)
        noise = random.Random(12)
        for number in range(10):
            write_file(os.path.join(tree, b"%d" % number), noise.randbytes(6_000_001))
        archive = self.path("a.tar.gz")
        self.manman_ok("archive", "create", tree, archive)
        targets = [disk.path / str(number) for number in range(4)]
        with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
            outcomes = list(pool.map(lambda target: manman("archive", "extract", archive, target), targets))
        for target, outcome in zip(targets, outcomes):
            self.assert_sane(outcome)
            if outcome.code == 0:
                self.assert_same_tree(snapshot(tree), snapshot(os.fsencode(target) + b"/game"))
            else:
                self.assertRegex(outcome.err, b"No space left|free space", outcome.text())
                self.assertFalse(os.path.lexists(target))
        self.assertTrue(any(outcome.code for outcome in outcomes), "all had room")
        whole = {target.name for target, outcome in zip(targets, outcomes) if outcome.code == 0}
        self.assertEqual(set(os.listdir(disk.path)), whole)


if __name__ == "__main__":
    unittest.main()
