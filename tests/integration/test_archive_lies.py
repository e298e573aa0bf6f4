"""Archives whose index lies: refused, whatever the lie, with nothing left and little memory used."""

import re
import unittest
from dataclasses import replace

import archive_index
import archive_lies
import test_archive_hostile
from archive_index import EntryRecord
from archive_tools import END, entry, manman, snapshot


class Lies(test_archive_hostile.HostileTest):
    def check(self, attack):
        self.write(attack.build(self.outside))
        self.assert_extract_refused(attack.says, self.path("box", "new"))
        verify = manman("archive", "verify", self.archive)
        if attack.shows_when == archive_lies.READING:
            self.assert_refused(verify, attack.says)
        self.assert_sane(verify)
        self.assert_sane(manman("archive", "list", self.archive))
        for path in ("game/a", "game/b"):
            self.assert_cat_gives_the_truth_or_nothing(path)

    def assert_cat_gives_the_truth_or_nothing(self, path):
        """cat reads only the frames of its file, so it may miss a lie elsewhere; but what it gives
        with exit 0 is what a file of that name holds."""
        outcome = manman("archive", "cat", self.archive, path)
        self.assert_sane(outcome)
        if outcome.code == 0:
            self.assertIn(outcome.out, (archive_lies.CONTENT, b"b", b"x"), outcome.text()[:2000])


def _add_lies():
    for group, lies in archive_lies.ALL.items():
        for number, lie in enumerate(lies, 1):
            name = f"test_{group}_{number:02}_" + re.sub(r"\W+", "_", lie.name).strip("_")
            setattr(Lies, name, lambda self, lie=lie: self.check(lie))


_add_lies()


class Truths(test_archive_hostile.HostileTest):
    """What another writer of the format may do: the reader must take it."""

    def extract(self, archive):
        self.write(archive.bytes())
        self.manman_ok("archive", "verify", self.archive)
        self.manman_ok("archive", "extract", self.archive, self.path("box", "new"))
        return snapshot(self.path("box", "new"))

    def test_an_independent_writer(self):
        tree = self.extract(archive_lies.right())
        self.assertEqual(tree[b"game/a"].size, len(archive_lies.CONTENT))
        self.assertEqual(tree[b"game/l"].target, b"a")
        content = self.manman_ok("archive", "cat", self.archive, "game/a").out
        self.assertEqual(content, archive_lies.CONTENT)

    def test_several_frames_and_blocks(self):
        stream = b"".join(entry(b"game/%05d" % n, b"%d" % n) for n in range(6_000)) + END
        records = [EntryRecord(b"game/%05d" % n, size=len(b"%d" % n)) for n in range(6_000)]
        archive = archive_index.archive_of(stream, records)
        self.assertGreater(len(archive.frames), 5)
        self.assertEqual(len(self.extract(archive)), 6_000 + 2)
        self.assertEqual(self.manman_ok("archive", "cat", self.archive, "game/04321").out, b"4321")

    def test_members_of_a_later_kind_are_passed_over(self):
        archive = archive_lies.right()
        archive.between = archive_index.member(b"Zsomething new")
        self.assertIn(b"game/a", self.extract(archive))

    def test_longer_records_are_read(self):
        archive = archive_lies.right()
        archive.entries = [replace(e, more=b"new field") for e in archive.entries]
        archive.frames = [replace(f, more=b"more") for f in archive.frames]
        self.assertIn(b"game/a", self.extract(archive))

    def test_blocks_stored_without_compression(self):
        archive = archive_lies.right()
        archive.entry_blocks = archive_index.block(b"E", [e.encode() for e in archive.entries], 0, deflated=False)
        self.assertIn(b"game/a", self.extract(archive))


if __name__ == "__main__":
    unittest.main()
