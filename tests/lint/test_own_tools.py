"""The tools of the tests find what they are there to find."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths, processes, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="manman-test-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)


class Trees(Folder):
    def setUp(self):
        super().setUp()
        trees.make_world(self.folder / "a", seed=1, regions=2, region_kib=64)
        self.before = trees.snapshot(self.folder / "a")

    def assert_found(self, word):
        lines = trees.diff(self.before, trees.snapshot(self.folder / "a"))
        self.assertTrue(any(word in line for line in lines), lines)
        with self.assertRaises(AssertionError):
            trees.assert_same(self.before, trees.snapshot(self.folder / "a"), "x")

    def test_same_seed_same_world(self):
        trees.make_world(self.folder / "b", seed=1, regions=2, region_kib=64)
        trees.assert_same(self.before, trees.snapshot(self.folder / "b"), "two worlds of one seed")

    def test_copy_of_tar_is_the_same(self):
        (self.folder / "c").mkdir()
        subprocess.run("tar -C a -cSf - --format=pax . | tar -C c -xpSf -", shell=True, check=True,
                       cwd=self.folder)
        trees.assert_same(self.before, trees.snapshot(self.folder / "c"), "a copy")

    def test_one_changed_byte(self):
        level = self.folder / "a/world/level.dat"
        times = level.stat()
        data = bytearray(level.read_bytes())
        data[350] ^= 1
        level.write_bytes(data)
        os.utime(level, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assert_found("digest")

    def test_one_nanosecond(self):
        path = self.folder / "a/world/empty folder"
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        self.assert_found("mtime_ns")

    def test_mode(self):
        os.chmod(self.folder / "a/start.sh", 0o754)
        self.assert_found("mode")

    def test_link_target(self):
        (self.folder / "a/latest").unlink()
        os.symlink("world/level.dat_", self.folder / "a/latest")
        self.assert_found("target")

    def test_hard_link_that_became_a_copy(self):
        path = self.folder / "a/world/level.dat_hardlink"
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
        self.assert_found("same_as")

    def test_holes_that_became_zeros(self):
        path = self.folder / "a/world/map.sparse"
        path.write_bytes(path.read_bytes())
        self.assert_found("bytes of data became")

    def test_missing_and_added(self):
        (self.folder / "a/world/empty file").rename(self.folder / "a/world/other")
        self.assert_found("is missing")
        self.assert_found("was not there")

    def test_spoil_is_seen(self):
        trees.spoil(self.folder / "a", seed=2)
        self.assert_found("is missing")


class Runner(Folder):
    FAILING = ("import unittest\nclass C(unittest.TestCase):\n"
               "    def test_a(self): self.fail('as planned')\n    def test_b(self): pass\n")

    def run_file(self, text):
        path = self.folder / "test_x.py"
        path.write_text(text)
        return subprocess.run(
            ["/usr/bin/python3", str(paths.ROOT / "tests/lib/run_file.py"), str(path)],
            capture_output=True, text=True, env=os.environ | {"MANMAN_TEST_TIMEOUT": "3"})

    def test_failure_tells_how_to_rerun_it(self):
        done = self.run_file(self.FAILING)
        self.assertEqual(done.returncode, 1)
        line = done.stdout.strip().splitlines()[-1]
        self.assertTrue(line.endswith("test_x.py C.test_a"), line)
        again = subprocess.run(line, shell=True, capture_output=True, text=True)
        self.assertEqual(again.returncode, 1)
        self.assertIn("Ran 1 test", again.stderr)

    def test_file_without_a_test_fails(self):
        self.assertNotEqual(self.run_file("import unittest\n").returncode, 0)

    def test_hanging_file_is_ended(self):
        done = self.run_file("import unittest, time\nclass C(unittest.TestCase):\n"
                             "    def test_a(self): time.sleep(60)\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("took longer than 3 s", done.stderr)


class Waiting(Folder):
    def test_condition_that_never_holds(self):
        with self.assertRaisesRegex(AssertionError, "the moon.*False"):
            wait_until(lambda: False, 0.2, "the moon")

    def test_processes_of_a_folder_are_ended(self):
        inside = subprocess.Popen(["sleep", "1000"], cwd=self.folder, start_new_session=True)
        other = subprocess.Popen(["sleep", "1000"], cwd="/")
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.addCleanup(inside.wait)
        self.assertEqual(processes.of_folder(self.folder), [inside.pid])
        processes.kill_all_of(self.folder)
        self.assertFalse(processes.alive(inside.pid))
        self.assertTrue(processes.alive(other.pid))


if __name__ == "__main__":
    unittest.main()
