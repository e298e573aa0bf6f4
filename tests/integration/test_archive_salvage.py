"""extract --salvage: out of a damaged archive comes what the damage did not touch, and a list of the rest."""

import json
import os
import random
import unittest

import archive_trees
from archive_hostile import HostileTest
from archive_tools import gz, manman, snapshot, write_file

PARTIAL = 6
MIB = 1 << 20


class Salvage(HostileTest):
    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        os.mkdir(self.tree)
        noise = random.Random(3)
        for name in (b"a", b"b\xff", b"c", b"d", b"e"):
            write_file(self.tree + b"/" + name, noise.randbytes(800_000))
        os.link(self.tree + b"/c", self.tree + b"/f")
        archive_trees.set_times(self.tree)
        self.manman_ok("archive", "create", self.tree, self.archive)
        self.expected = snapshot(self.tree)
        with open(self.archive, "rb") as file:
            self.good = file.read()

    def damage(self, at):
        """Turns a bit; of noise, frame N stands at about N MiB."""
        data = bytearray(self.good)
        data[at] ^= 1
        self.write(data)

    def salvage(self, *words):
        outcome = manman(*words, "archive", "extract", self.archive, self.path("box", "new"), "--salvage")
        self.assert_sane(outcome)
        return outcome

    def assert_left(self, but):
        actual = snapshot(self.path("box", "new", "game"))
        self.assert_same_tree({p: e for p, e in self.expected.items() if p not in but}, actual, ("same_as",))

    def test_a_damaged_frame(self):
        self.damage(2 * MIB + 5_000)
        for words in (("verify", self.archive), ("extract", self.archive, self.path("box", "new"))):
            refused = manman("archive", *words)
            self.assert_refused(refused, r"frame 2 \(at byte 209\d{4}\) is damaged: its hash does not match; it holds all or "
                                         r"a part of game/c, game/d\n")
            self.assertIn(b"--salvage", refused.err)
        self.assertFalse(os.path.lexists(self.path("box", "new")))
        done = self.salvage()
        self.assertEqual(done.code, PARTIAL, done.text())
        self.assertEqual(done.out.splitlines()[:3], [b"lost: game/c", b"lost: game/d", b"lost: game/f"])
        self.assertIn(b"1 of 4 frames", done.err)
        self.assert_left(but=(b"c", b"d", b"f"))

    def test_json(self):
        self.damage(MIB + 5_000)
        done = self.salvage("-o", "json")
        self.assertEqual(done.code, PARTIAL, done.text())
        told = json.loads(done.out)
        self.assertEqual([item["path"] for item in told["lost"]], ["game/b\ufffd", "game/c", "game/f"])
        self.assertEqual(told["lost"][0]["path_base64"], "Z2FtZS9i/w==")
        self.assertEqual((told["lost_entries"], told["entries"], told["indexed"], told["to_the_end"]), (3, 4, True, True))
        self.assertIn("frame 1", told["damage"])

    def test_whole(self):
        done = self.salvage()
        self.assertEqual((done.code, done.err), (0, b""), done.text())
        self.assert_left(but=())

    def test_a_damaged_index_loses_nothing(self):
        for back in (10, 100, 200, 300):
            self.damage(len(self.good) - back)
            done = self.salvage()
            self.assertEqual(done.code, 0, done.text())
            self.assertIn(b"index", done.err)
            self.assert_left(but=())
            self.tool("rm", "-rf", self.path("box", "new"))

    def test_cut(self):
        self.write(self.good[:2 * MIB + 1000])
        done = self.salvage()
        self.assertEqual(done.code, PARTIAL, done.text())
        self.assertIn(b"lost: game/c\n", done.out)
        self.assertIn(b"no checksum vouches", done.err)
        self.assertRegex(done.err, rb"cut short at byte 2098152 of the archive")
        self.assert_left(but=(b"c", b"d", b"e", b"f"))

    def test_cut_archive_of_another_tool(self):
        self.tool("tar", "-cf", self.path("foreign.tar"), "--format=pax", "game", cwd=self.dir)
        with open(self.path("foreign.tar"), "rb") as file:
            data = gz(file.read(), 1)[:-800_000]
        self.write(data)
        self.assert_refused(manman("archive", "verify", self.archive),
                            f"cut short at byte {len(data)} of the archive; it shows in game/")
        done = self.salvage()
        self.assertEqual(done.code, PARTIAL, done.text())
        found = {p: e for p, e in snapshot(self.path("box", "new", "game")).items() if e.kind == "file"}
        self.assertGreaterEqual(len(found), 3)
        for path, node in found.items():
            self.assertEqual(node.digest, self.expected[path].digest)

    def test_what_is_refused_stays_refused(self):
        self.assertEqual(manman("archive", "extract", self.archive, self.path("box", "new"), "game/a", "--salvage").code, 2)
        self.write(b"this is no archive\n" * 100)
        self.assert_refused(self.salvage(), "nothing can be salvaged: .*checksum")
        self.assertFalse(os.path.lexists(self.path("box", "new")))


if __name__ == "__main__":
    unittest.main()
