"""`manman archive` on a disk that fills: a clear word, and nothing half done."""

import os
import random
import unittest

from archive_tools import ArchiveTest, manman, snapshot, write_file
from small_disk import SmallDisk, needs_root


@needs_root
class ArchiveOnAFullDisk(ArchiveTest):
    def setUp(self):
        disk = SmallDisk(200)
        self.addCleanup(disk.close)
        self.disk = disk
        super().setUp()
        self.tree = self.path("game")
        os.makedirs(self.tree + b"/world")
        noise = random.Random(11)
        for number in range(12):
            write_file(self.tree + b"/world/r.%d.mca" % number, noise.randbytes(5 << 20))

    def assert_says_full(self, outcome, says=b"No space left|free|room"):
        self.assert_sane(outcome)
        self.assertEqual(outcome.code, 1, outcome.text())
        self.assertRegex(outcome.err, says)

    def test_create(self):
        self.disk.fill(20 << 20)
        before = sorted(os.listdir(self.disk.path))
        self.assert_says_full(manman("archive", "create", self.tree, self.disk.path / "a.tar.gz"),
                              b"No space left")
        self.assertEqual(sorted(os.listdir(self.disk.path)), before)
        self.assertGreater(self.disk.free_bytes(), 19 << 20)
        self.disk.empty()
        self.manman_ok("archive", "create", self.tree, self.disk.path / "a.tar.gz")
        self.manman_ok("archive", "verify", self.disk.path / "a.tar.gz")

    def test_extract(self):
        archive = self.path("a.tar.gz")
        self.manman_ok("archive", "create", self.tree, archive)
        foreign = self.path("foreign.tar.gz")
        self.tool("tar", "-czf", foreign, "game", cwd=self.dir)
        for source in (archive, foreign):
            # With less than the reserve that manman leaves alone, with a bit more, and with none.
            for leave in (20 << 20, 90 << 20, 0):
                with self.subTest(source=source, leave=leave):
                    self.assert_extract_finds_no_room(source, leave)
        self.manman_ok("archive", "extract", archive, self.disk.path / "new")
        self.assert_same_tree(snapshot(self.tree), snapshot(self.disk.path / "new" / "game"))

    def assert_extract_finds_no_room(self, source, leave):
        self.disk.fill(leave)
        try:
            self.assert_says_full(manman("archive", "extract", source, self.disk.path / "new"))
            self.assertEqual(os.listdir(self.disk.path), [self.disk.filler.name])
        finally:
            self.disk.empty()

    def test_extract_of_more_files_than_the_disk_has_inodes(self):
        many = self.path("many")
        os.mkdir(many)
        inodes = os.statvfs(self.disk.path).f_favail
        for number in range(inodes + 50):
            os.close(os.open(many + b"/%d" % number, os.O_CREAT | os.O_WRONLY))
        archive = self.path("many.tar.gz")
        self.manman_ok("archive", "create", many, archive)
        self.assert_says_full(manman("archive", "extract", archive, self.disk.path / "new"))
        self.assertEqual(os.listdir(self.disk.path), [])


if __name__ == "__main__":
    unittest.main()
