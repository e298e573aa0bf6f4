"""Archives with very many entries: allowed, in bounded memory."""

import gzip
import os
import unittest

import archive_trees
from archive_hostile import HostileTest
from archive_tools import END, entry, folder, gz, hard_link, manman


class ManyEntries(HostileTest):
    """Bombs of entries rather than bytes."""

    def stream(self, pieces):
        with gzip.open(self.archive, "wb", 1) as file:
            for piece in pieces:
                file.write(piece)
            file.write(END)

    def assert_ends_sane(self, *words, timeout=300):
        outcome = manman("archive", *words, timeout=timeout)
        self.assert_sane(outcome)
        return outcome

    def test_a_million_empty_files(self):
        self.stream(entry(b"game/%07d" % n) for n in range(1_000_000))
        self.assert_ends_sane("verify", self.archive)
        outcome = self.assert_ends_sane("list", self.archive)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.out.count(b"\n"), 1_000_000)

    def test_60_000_hard_links(self):
        self.stream([entry(b"game/f", b"x"), *(hard_link(b"game/%06d" % n, b"game/f") for n in range(60_000))])
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        # More links than the file system allows to one file are an error; fewer are all there.
        if outcome.code == 0:
            self.assertEqual(len(os.listdir(self.path("box", "new", "game"))), 60_001)
        else:
            self.assertRegex(outcome.err, rb"(?i)links")
            self.assertFalse(os.path.lexists(self.path("box", "new")))

    def test_50_000_files_extracted(self):
        self.stream(entry(b"game/%02d/%06d" % (n % 50, n), b"%d" % n) for n in range(50_000))
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        self.assertEqual(outcome.code, 0, outcome.text())
        self.assertEqual(len(os.listdir(self.path("box", "new", "game", "07"))), 1_000)

    def test_50_000_folders_extracted(self):
        self.stream(folder(b"game/%06d/" % n) for n in range(50_000))
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        self.assertEqual(outcome.code, 0, outcome.text())

    def test_memory_does_not_grow_with_the_number_of_files(self):
        peaks = []
        for count in (20_000, 200_000):
            tree = self.path("game%d" % count)
            os.mkdir(tree)
            folder_fd = os.open(tree, os.O_RDONLY)
            for number in range(count):
                os.close(os.open(b"%07d" % number, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder_fd))
            os.close(folder_fd)
            archive, new = self.path("%d.tar.gz" % count), self.path("new%d" % count)
            made = self.assert_ends_sane("create", tree, archive)
            self.assertEqual(made.code, 0, made.text())
            done = self.assert_ends_sane("extract", archive, new)
            self.assertEqual(done.code, 0, done.text())
            self.assertEqual(len(os.listdir(os.path.join(new, b"game"))), count)
            peaks.append((made.peak_kib, done.peak_kib))
        for few, many in zip(*peaks):
            self.assertLess(many, few + 16 * 1024, peaks)

    def test_a_million_empty_members(self):
        self.write(gz(entry(b"game/f", b"x") + END) + gz(b"") * 1_000_000)
        self.assert_ends_sane("extract", self.archive, self.path("box", "new"))

    def test_a_large_sparse_file_is_no_bomb(self):
        os.mkdir(self.path("game"))
        archive_trees.islands(self.path("game", "map"), 20 << 30, [(7 << 30, b"x" * 10_000)])
        self.manman_for(self.path("game"))
        self.assert_ok(manman("archive", "extract", self.archive, self.path("box", "new"), timeout=300))
        self.assertLess(archive_trees.allocated(self.path("box", "new", "game", "map")), 1 << 20)

    def manman_for(self, tree):
        self.assert_ok(manman("archive", "create", tree, self.archive, timeout=300))


if __name__ == "__main__":
    unittest.main()
