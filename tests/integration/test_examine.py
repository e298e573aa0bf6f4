"""`manman examine`: what it says of worlds that are whole, and of ones that are not."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths, trees, worlds  # noqa: E402


class Examine(unittest.TestCase):
    def setUp(self):
        self.world = Path(tempfile.mkdtemp(prefix="manman-test-"))
        self.addCleanup(shutil.rmtree, self.world)
        worlds.make(self.world)

    def examine(self, *words, code=0):
        before = trees.snapshot(self.world)
        done = subprocess.run([paths.manman(), "examine", self.world, "-o", "json", *words],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        trees.assert_same(before, trees.snapshot(self.world), "what was examined")
        return json.loads(done.stdout or done.stderr)

    def test_a_whole_world(self):
        report = self.examine("--profile", "minecraft-java")
        self.assertTrue(report["whole"])
        self.assertEqual((report["databases"], report["regions"], report["chunks"], report["nbt_files"],
                          report["other_files"]), (1, 1, 2, 1, 1))
        text = subprocess.run([paths.manman(), "examine", self.world], capture_output=True, text=True, check=True)
        self.assertIn("no problem found in 1 databases, 1 region files (2 chunks), 0 NBT files", text.stdout)

    def test_every_kind_of_damage_is_named(self):
        worlds.break_database(self.world)
        worlds.break_region(self.world)
        (self.world / "level.dat").write_bytes(gzip.compress(b"\x0a\0\0\x07\0\0\xff\xff\xff\xff"))
        report = self.examine("--profile", "minecraft-java", code=7)
        self.assertFalse(report["whole"])
        problems = "\n".join(report["problems"])
        self.assertEqual(report["problem_count"], len(report["problems"]))
        self.assertIn("level.dat: byte 10 of its NBT: the length of an array is negative", problems)
        self.assertIn("map.sqlite: SQLite says: ", problems)
        self.assertIn("r.0.0.mca: chunk 1 0: its sectors are also those of chunk 0 0", problems)

    def test_rules(self):
        (self.world / "broken.dat").write_bytes(b"none")
        self.assertTrue(self.examine()["whole"])
        self.assertEqual(self.examine("--examine", "*.dat=>nbt", code=7)["problem_count"], 1)
        worlds.break_region(self.world)
        self.assertEqual(self.examine("--examine", "*.mca=>nothing")["regions"], 0)
        own = self.world / "own.json"
        own.write_text(json.dumps({"name": "own", "title": "Own", "examine": [{"pattern": "*.mca", "as": "nothing"}]}))
        self.assertEqual(self.examine("--profile", own)["regions"], 0)
        for words, code in ((("--examine", "*.dat"), 2), (("--examine", "*.dat=>xml"), 2), (("--profile", "none"), 2)):
            self.assertIn("message", self.examine(*words, code=code)["error"])

    def test_a_folder_that_is_not_there(self):
        done = subprocess.run([paths.manman(), "examine", self.world / "none"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_database_after_a_crash(self):
        game = sqlite3.connect(self.world / "map.sqlite")
        self.addCleanup(game.close)
        game.execute("PRAGMA journal_mode=WAL")
        game.execute("INSERT INTO blocks(data) VALUES (randomblob(100))")
        game.commit()
        for name in ("map.sqlite", "map.sqlite-wal"):
            shutil.copy(self.world / name, self.world / name.replace("map", "crashed"))
        game.close()
        self.assertEqual(self.examine()["databases"], 2)
        os.truncate(self.world / "crashed.sqlite", 4096)  # its pages stand in the WAL only in part
        self.assertFalse(self.examine(code=7)["whole"])


if __name__ == "__main__":
    unittest.main()
