"""Trees by chance: through manman, from manman to other tools and from them to manman, each as it was.

MANMAN_TREES says how many (12), MANMAN_SEED the first one's seed (1); a failure names its own."""

import functools
import os
import tarfile
import unittest

from archive_random import RandomTree, set_times_before_1970
from archive_tools import ArchiveTest, have, remove_tree, run, snapshot

COUNT = int(os.environ.get("MANMAN_TREES", "12"))
FIRST = int(os.environ.get("MANMAN_SEED", "1"))


def each_tree(**options):
    """The test is run once for each seed, on a tree of its own."""

    def decorate(test):
        @functools.wraps(test)
        def run_all(self):
            for seed in range(FIRST, FIRST + COUNT):
                with self.subTest(seed=seed):
                    self.make_tree(seed, **options)
                    test(self, seed)
                for name in os.listdir(self.dir):
                    remove_tree(self.path(name))

        return run_all

    return decorate


class RandomTrees(ArchiveTest):
    def make_tree(self, seed, plain=False, before_1970=False):
        self.tree = self.path("game")
        RandomTree(self.tree, seed, plain)
        if before_1970:
            set_times_before_1970(self.tree, seed)
        self.expected = snapshot(self.tree)

    def made_by_manman(self):
        archive = self.path("made.tar.gz")
        self.manman_ok("archive", "create", self.tree, archive)
        os.mkdir(self.path("out"))
        return archive

    def assert_out(self, ignore=()):
        self.assertEqual(os.listdir(self.path("out")), [b"game"])
        self.assert_same_tree(self.expected, snapshot(self.path("out", "game")), ignore)

    def assert_manman_reads(self, archive, ignore=()):
        self.manman_ok("archive", "verify", archive)
        self.manman_ok("archive", "extract", archive, self.path("out"))
        self.assert_out(ignore)
        remove_tree(self.path("out"))

    @each_tree(before_1970=True)
    def test_through_manman(self, _seed):
        archive = self.made_by_manman()
        os.rmdir(self.path("out"))
        self.assert_manman_reads(archive)

    @each_tree(before_1970=True)
    def test_from_manman_to_gnu_tar(self, _seed):
        self.tool("tar", "-xzpf", self.made_by_manman(), "-C", self.path("out"), "--warning=no-timestamp",
                  "--warning=no-unknown-keyword")
        self.assert_out(("holes",))

    @have("bsdtar")
    @each_tree()
    def test_from_manman_to_bsdtar(self, _seed):
        # Its exit code tells of names that are not UTF-8, which it restores all the same.
        done = run(["bsdtar", "-xpf", self.made_by_manman(), "-C", self.path("out")])
        self.assertGreaterEqual(done.code, 0, done.text())
        self.assert_out(("holes",))

    @each_tree(before_1970=True)
    def test_from_gnu_tar_to_manman(self, _seed):
        archive = self.path("foreign.tar.gz")
        for words, ignore in ((["--format=gnu"], ("mtime_below_second",)),
                              (["--format=pax", "--sparse"], ())):
            self.tool("tar", *words, "-czf", archive, "game", cwd=self.dir)
            self.assert_manman_reads(archive, ("holes", *ignore))

    @each_tree(plain=True)
    def test_from_all_to_manman_what_ustar_holds(self, seed):
        archive = self.path("foreign.tar.gz")
        makers = [["tar", "--format=ustar"], ["tar", "--format=v7"], ["tar", "--format=oldgnu", "--sparse"]]
        if not run(["bsdtar", "--version"]).code:
            makers.append(["bsdtar", "--format=ustar"])
        self.tool(*makers[seed % len(makers)], "-czf", archive, "game", cwd=self.dir)
        self.assert_manman_reads(archive, ("holes",))

    @have("bsdtar")
    @each_tree()
    def test_from_bsdtar_to_manman(self, _seed):
        archive = self.path("foreign.tar.gz")
        self.tool("bsdtar", "--format=pax", "-czf", archive, "game", cwd=self.dir)
        # It cuts long names that are not UTF-8 off: what counts is what it reads itself.
        theirs = self.path("theirs")
        os.mkdir(theirs)
        self.tool("bsdtar", "-xpf", archive, "-C", theirs)
        self.expected = snapshot(os.path.join(theirs, b"game"))
        remove_tree(theirs)
        self.assert_manman_reads(archive, ("holes",))

    @each_tree()
    def test_from_python_to_manman(self, seed):
        archive = self.path("foreign.tar.gz")
        form = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)[seed % 2]
        with tarfile.open(archive, "w:gz", format=form, compresslevel=1, errors="surrogateescape") as tar:
            tar.add(os.fsdecode(self.tree), "game")
        # Its times are floating-point numbers.
        self.assert_manman_reads(archive, ("holes", "mtime_ns"))


if __name__ == "__main__":
    unittest.main()
