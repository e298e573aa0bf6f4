"""A file beyond 8 GiB and a folder of 100,000 files, through manman and through other tools."""

import os
import tarfile
import unittest

import archive_trees
from archive_tools import ArchiveTest, run


class HugeSparseFile(ArchiveTest):
    """More than 8 GiB, where ustar's size field ends, at the cost of a few pages on disk."""

    SIZE = (9 << 30) + 12_345

    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        os.mkdir(self.tree)
        pieces = [(0, b"first"), (5 << 30, archive_trees.patterned(9_000)), (self.SIZE - 4, b"last")]
        archive_trees.islands(self.tree + b"/huge", self.SIZE, pieces)
        archive_trees.set_times(self.tree)
        self.archive = self.path("made.tar.gz")
        self.assertLess(self.manman_ok("archive", "create", self.tree, self.archive).seconds, 60)

    def test_other_tools_see_its_size_and_bytes(self):
        self.assertIn(b"%d" % self.SIZE,
                      self.tool("bsdtar", "-tvqf", self.archive, "game/huge").out)
        with tarfile.open(self.archive, "r:gz") as archive:  # reads the headers alone
            while (member := archive.next()).name != "game/huge":
                pass
            self.assertEqual(member.size, self.SIZE)
        # GNU tar lists on stderr what it writes to stdout.
        command = ["bash", "-c", 'set -o pipefail; tar -xOvvzf "$1" game/huge | cmp - "$2"', "bash"]
        done = self.tool(*command, self.archive, self.tree + b"/huge", timeout=300)
        self.assertIn(b"%d" % self.SIZE, done.err)

    def test_extracted_with_its_holes(self):
        self.assertIn(b"%d" % self.SIZE,
                      self.manman_ok("archive", "list", "-o", "json", self.archive).out)
        self.manman_ok("archive", "extract", self.archive, self.path("new"), timeout=300)
        restored = self.path("new", "game", "huge")
        self.assertEqual(os.stat(restored).st_size, self.SIZE)
        self.assertLess(archive_trees.allocated(restored), 1 << 20)
        self.tool("cmp", self.tree + b"/huge", restored, timeout=300)


class ManyFiles(ArchiveTest):
    COUNT = 100_000

    def test_folder_of_100_000_files(self):
        tree = self.path("game")
        os.makedirs(tree + b"/many")
        for number in range(self.COUNT):
            fd = os.open(tree + b"/many/%d" % number, os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(fd, b"%d" % number)
            os.close(fd)
        archive = self.path("made.tar.gz")
        self.manman_ok("archive", "create", tree, archive, timeout=300)

        listed = self.tool("tar", "-tzf", archive, timeout=300).out.split()
        self.assertEqual(len(listed), self.COUNT + 2)
        self.assertEqual(len(set(listed)), self.COUNT + 2)
        self.assertEqual(len(self.manman_ok("archive", "list", archive).out.splitlines()),
                         self.COUNT + 2)

        self.manman_ok("archive", "extract", archive, self.path("new"), timeout=300)
        compare = run(["diff", "-rq", tree, self.path("new", "game")], timeout=300)
        self.assertEqual((compare.code, compare.out), (0, b""))
        last = self.manman_ok("archive", "cat", archive, "game/many/99999")
        self.assertEqual(last.out, b"99999")


if __name__ == "__main__":
    unittest.main()
