"""kill -9 at random moments of `archive create` and `archive extract`, with many small files and a few large ones.

MANMAN_TEST_SEED repeats a run; the seed is printed.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from archive_tools import BINARY, ArchiveTest, snapshot  # noqa: E402

FOLDERS = 40
FILES = 250
KILLS = 8


class KillArchive(ArchiveTest):
    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("MANMAN_TEST_SEED") or random.SystemRandom().randrange(10**9))
        print(f"MANMAN_TEST_SEED={seed}", flush=True)
        self.random = random.Random(seed)
        self.place = Path(os.fsdecode(self.path("place")))
        self.world = Path(os.fsdecode(self.path("game")))
        self.place.mkdir()
        noise = self.random.randbytes(1 << 20)
        for folder in range(FOLDERS):
            inside = self.world / f"folder-{folder}"
            inside.mkdir(parents=True)
            for number in range(FILES):
                at = self.random.randrange(len(noise) // 2)
                (inside / f"{number}.dat").write_bytes(noise[at:at + self.random.choice((100, 3000, 20_000))])
        for number in range(4):
            (self.world / f"large-{number}").write_bytes(noise * 5)
        self.whole = snapshot(self.world)

    def killed(self, words, took):
        """Ran the words and killed them at a moment of the time that they take."""
        process = subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, took * 1.1))  # the moment is the point
        process.kill()
        return process.wait() != 0

    def timed(self, *words):
        begun = time.monotonic()
        self.manman_ok(*words)
        return time.monotonic() - begun

    def leftovers(self, but):
        return [path.name for path in self.place.iterdir() if path != but]

    def test_create_leaves_the_old_archive_or_the_new_one(self):
        archive = self.place / "world.tar.gz"
        took = self.timed("archive", "create", "-q", "--no-sync", self.world, archive)
        was_killed = 0
        for number in range(KILLS):
            (self.world / "newest").write_text(str(number))
            was_killed += self.killed(["archive", "create", "-q", "--no-sync", "--force", self.world, archive], took)
            self.manman_ok("archive", "verify", archive)
        self.assertGreater(was_killed, 0)
        for name in self.leftovers(archive):
            self.assertRegex(name, r"^world\.tar\.gz\.tmp-\d+$")
        self.manman_ok("archive", "create", "-q", "--no-sync", "--force", self.world, archive)
        self.manman_ok("archive", "extract", "-q", "--no-sync", archive, self.place / "again")
        self.assert_same_tree(snapshot(self.world), snapshot(self.place / "again/game"))

    def test_extract_into_a_new_folder_is_all_or_nothing(self):
        self.extract_killed(make=False)

    def test_extract_into_an_empty_folder_moves_only_what_is_whole(self):
        self.extract_killed(make=True)

    def extract_killed(self, make):
        archive = self.place / "world.tar.gz"
        target = self.place / "target"
        words = ["archive", "extract", "-q", "--no-sync", archive, target]
        self.manman_ok("archive", "create", "-q", "--no-sync", self.world, archive)
        took = self.timed(*words)
        was_killed = 0
        for _ in range(KILLS):
            self.remove(target)
            if make:
                target.mkdir()
            was_killed += self.killed(words, took)
            # What is not whole says so by its name.
            there = [name for name in os.listdir(target) if not name.startswith(".manman-extract-")] \
                if target.exists() else []
            if there:
                self.assertEqual(there, ["game"])
                self.assert_same_tree(self.whole, snapshot(target / "game"))
            elif not make:
                self.assertFalse(target.exists())
        self.assertGreater(was_killed, 0)
        for name in self.leftovers(target):
            self.assertRegex(name, r"^(world\.tar\.gz|\.manman-extract-\d+)$")
        self.remove(target)
        self.manman_ok(*words)
        self.assert_same_tree(self.whole, snapshot(target / "game"))

    def remove(self, folder):
        subprocess.run(["rm", "-rf", folder], check=True)


if __name__ == "__main__":
    import unittest
    unittest.main()
