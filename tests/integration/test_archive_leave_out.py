"""`archive create --leave-out` and `git check-ignore` agree on what patterns mean."""

import os
import random
import shutil
import subprocess
import tarfile
import unittest

from archive_tools import ArchiveTest, manman

NAMES = ("a", "b", "ab", "a.log", "b.log", "x y", "!a", "#b", "foo", "[a]", "a*b", "-", "A1", "a\\b", "ä")
PARTS = ("a", "b", "ab", "*", "**", "?", "*.log", "[ab]", "[!a]", "[^b]*", "foo", "a?", "[a-c]*", "x y", "\\!a",
         "\\#b", "[[:upper:]]?", "[[:alpha:][:digit:]]*", "[]a]", "[a-]", "[!-]", "\\[a\\]", "a\\*b", "f**o", "***",
         "**.log", "[\\]a]", "ä", "*b", "a*", "[[:punct:]]*")


@unittest.skipUnless(shutil.which("git"), "needs git")
class LeaveOut(ArchiveTest):
    def make_tree(self, noise):
        tree = self.path("tree")
        os.mkdir(tree)
        folders = [tree]
        for _ in range(60):
            parent = noise.choice(folders)
            path = os.path.join(parent, noise.choice(NAMES).encode())
            if os.path.lexists(path):
                continue
            kind = noise.random()
            if kind < 0.5:
                os.mkdir(path)
                folders.append(path)
            elif kind < 0.9:
                open(path, "wb").close()
            else:
                os.symlink(".", path)
        subprocess.run(["git", "init", "-q", tree], check=True)
        paths = []
        for folder, folders, files in os.walk(tree):
            folders[:] = [name for name in folders if name != b".git"]
            paths += [os.path.relpath(os.path.join(folder, name), tree) for name in folders + files]
        return tree, paths

    def pattern(self, noise):
        text = "/".join(noise.choice(PARTS) for _ in range(noise.choice((1, 1, 1, 2, 2, 3))))
        text = noise.choice(("", "", "/")) + text + noise.choice(("", "", "", "/", "  "))
        return noise.choice(("", "", "", "!")) + text

    def by_git(self, tree, paths, patterns):
        with open(os.path.join(tree, b".git/info/exclude"), "w", encoding="utf-8") as file:
            file.write("\n".join(patterns) + "\n")
        # What is found to be ignored by no pattern, or taken back in, is not printed.
        done = subprocess.run(["git", "-C", tree, "check-ignore", "--no-index", "--stdin", "-z"],
                              input=b"\0".join(paths), capture_output=True)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return set(done.stdout.split(b"\0")) - {b""}

    def by_manman(self, tree, patterns):
        words = [word for pattern in patterns for word in ("--leave-out=" + pattern,)]
        file = self.path("a.tar")
        self.manman_ok("archive", "create", tree, file, "--force", "--leave-out=/.git", *words)
        with tarfile.open(file) as tar:
            return {os.fsencode(m.name)[5:] for m in tar if m.name != "game"}

    def test_random_patterns(self):
        for seed in range(8):
            noise = random.Random(seed)
            tree, paths = self.make_tree(noise)
            for _ in range(15):
                patterns = [self.pattern(noise) for _ in range(noise.randrange(1, 5))]
                with self.subTest(seed=seed, patterns=patterns):
                    left_out = set(paths) - self.by_manman(tree, patterns)
                    self.assertEqual(left_out, self.by_git(tree, paths, patterns))
            shutil.rmtree(tree)

    def test_a_bad_pattern_is_named(self):
        done = manman("archive", "create", self.dir, self.path("..", "x.tar"), "--leave-out", "a[b")
        self.assertEqual(done.code, 2, done.text())
        self.assertIn(b'"a[b"', done.err)


if __name__ == "__main__":
    unittest.main()
