"""Snapshots of a folder that a game writes to before and right after, on file systems with and without reflinks."""

import os
import random
import shutil
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from archive_tools import ArchiveTest, snapshot
from lib import paths, trees
from small_disk import EXT4, SmallDisk, needs_root

XFS = ("mkfs.xfs", "-q", "-f", "-m", "reflink=1")
BTRFS = ("mkfs.btrfs", "-q", "-f")


def btrfs(*words):
    subprocess.run(["btrfs", "-q", *words], check=True)


class Driver:
    """live_driver with a line of input to come."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [str(paths.conformance("live_driver")), *map(str, words)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self):
        return self.process.stdout.readline().strip()

    def end(self):
        out, _ = self.process.communicate("\n")
        assert self.process.returncode == 0, out
        return out.split("\n")


class LiveFolder(ArchiveTest):
    def on(self, make, size_mib=300):
        disk = SmallDisk(size_mib, make)
        self.addCleanup(disk.close)
        self.disk = disk
        self.game = disk.path / "game"
        self.scratch = disk.path / "snapshot-1"
        return disk

    def fill(self):
        trees.make_world(self.game, 7)
        pipe = self.game / "pipe"
        os.mkfifo(pipe, 0o640)
        os.setxattr(self.game / "start.sh", "user.mark", b"12")
        os.chown(self.game / "world/level.dat", 1234, 4321)
        os.sync()

    def attributes(self, folder):
        return {name: os.getxattr(folder / name, "user.mark") for name in ("start.sh",)}

    def take(self, need="held", after=None):
        """`after`: what is done between preparing and taking it; it is prepared then."""
        driver = Driver("snapshot", self.game, self.scratch, "prepared" if after else need)
        self.addCleanup(driver.process.stdout.close)
        if after:
            self.assertEqual(driver.line(), "prepared")
            after()
            driver.process.stdin.write("\n")
            driver.process.stdin.flush()
        kind, ms, *path = driver.line().split()
        self.ms = int(ms)
        print(f"\n{self.id().split('.')[-1]}: {kind} in {ms} ms", file=sys.stderr)
        if not path:
            driver.end()
            self.assertFalse(self.scratch.exists())
        return driver, kind, Path(path[0]) if path else None

    def spoil(self):
        """A game that goes on at once."""
        noise = random.Random(3)
        ended = threading.Event()

        def write():
            number = 0
            while not ended.is_set():
                number += 1
                (self.game / f"new-{number % 50}").write_bytes(noise.randbytes(1000))
                for region in sorted((self.game / "world/region").iterdir()):
                    with open(region, "r+b") as file:
                        file.seek(noise.randrange(200_000))
                        file.write(noise.randbytes(5000))
                level = self.game / "world/level.dat_new"
                level.write_bytes(noise.randbytes(700))
                level.replace(self.game / "world/level.dat")

        thread = threading.Thread(target=write)
        thread.start()

        def end():
            ended.set()
            thread.join()

        return end

    def assert_is_the_moment(self, kind, need="held"):
        before = snapshot(os.fsencode(self.game))
        driver, got, path = self.take(need)
        end = self.spoil()
        try:
            self.assertEqual(got, kind)
            self.assert_same_tree(before, snapshot(os.fsencode(path)))
            self.assertEqual(self.attributes(path), {"start.sh": b"12"})
        finally:
            end()
        self.assertNotEqual(before, snapshot(os.fsencode(self.game)))
        self.assertEqual(driver.end(), [""])
        self.assertFalse(self.scratch.exists())

    def assert_none(self, need="held"):
        before = snapshot(os.fsencode(self.game))
        self.assertEqual(self.take(need)[1], "none")
        self.assert_same_tree(before, snapshot(os.fsencode(self.game)))

    def crash(self):
        kept = subprocess.run([str(paths.conformance("live_driver")), "snapshot", self.game,
                               self.scratch, "held", "keep"], check=True, capture_output=True, text=True)
        self.assertTrue(self.scratch.exists())
        for _ in range(2):  # the second time there is nothing
            subprocess.run([str(paths.conformance("live_driver")), "remove", self.scratch], check=True)
            self.assertFalse(self.scratch.exists())
        return kept.stdout.split()[0]


@needs_root
class Snapshots(LiveFolder):
    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_xfs(self):
        self.on(XFS, 400)
        self.game.mkdir()
        self.fill()
        self.assert_is_the_moment("reflink")
        self.assertEqual(self.take("atomic")[1], "none")
        self.assertEqual(self.crash(), "reflink")

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_what_is_mounted_below_can_not_be_in_it(self):
        self.on(XFS, 400)
        (self.game / "mounted").mkdir(parents=True)
        (self.game / "file").write_text("x")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.game / "mounted"], check=True)
        self.addCleanup(subprocess.run, ["umount", self.game / "mounted"], check=True)
        self.assertEqual(self.take()[1], "none")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_folder(self):
        self.on(BTRFS)
        self.game.mkdir()
        self.fill()
        self.assert_is_the_moment("reflink")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_subvolume(self):
        self.on(BTRFS)
        btrfs("subvolume", "create", self.game)
        self.fill()
        self.assert_is_the_moment("subvolume", "atomic")
        self.assertEqual(self.crash(), "subvolume")

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs_subvolume_with_another_in_it(self):
        self.on(BTRFS)
        btrfs("subvolume", "create", self.game)
        (self.game / "file").write_text("x")
        btrfs("subvolume", "create", self.game / "inner")
        (self.game / "inner/file").write_text("y")
        self.assertEqual(self.take("atomic")[1], "none")
        self.assertEqual(self.take("held")[1], "none")

    def test_ext4(self):
        self.on(EXT4)
        self.game.mkdir()
        self.fill()
        self.assert_none()
        self.assert_none("atomic")


class Player:
    """Does to a folder what games do to theirs, and stranger things: one of each kind now and then."""

    def __init__(self, game, seed):
        self.game = game
        self.chance = random.Random(seed)
        self.count = 0

    def some(self, kind, below=None):
        found = [path for path in sorted((below or self.game).rglob("*")) if not path.is_symlink() and kind(path)]
        return self.chance.choice(found) if found else None

    def a_file(self):
        return self.some(lambda path: path.is_file())

    def a_folder(self):
        return self.some(lambda path: path.is_dir()) or self.game

    def new_name(self):
        self.count += 1
        return f"n{self.count}"

    def bytes(self):
        return self.chance.randbytes(self.chance.choice((0, 1, 5000, 70_000)))

    def step(self):
        self.chance.choice((
            self.write, self.write, self.replace, self.replace_by_equal_times, self.add, self.remove, self.rename,
            self.rename_folder, self.swap_folders, self.link, self.symlink, self.other_kind, self.chmod,
            self.attribute, self.resize, self.move_into_new))()

    def write(self):
        if file := self.a_file():
            with open(file, "r+b") as out:
                out.seek(self.chance.randrange(file.stat().st_size + 1))
                out.write(self.bytes())

    def resize(self):
        if file := self.a_file():
            os.truncate(file, self.chance.choice((0, 100, 100_000)))

    def replace(self):
        if file := self.a_file():
            other = file.with_name(self.new_name())
            other.write_bytes(self.bytes())
            other.replace(file)

    def replace_by_equal_times(self):
        """Size and time as before: only the change time tells."""
        if file := self.a_file():
            was = file.stat()
            file.write_bytes(self.chance.randbytes(was.st_size))
            os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))

    def add(self):
        place = self.a_folder() / self.new_name()
        if self.chance.random() < 0.3:
            place.mkdir()
            place = place / "inner"
        place.write_bytes(self.bytes())

    def remove(self):
        if (victim := self.some(lambda path: True)) is None:
            return
        if victim.is_dir():
            if sum(1 for _ in victim.rglob("*")) < 30:
                shutil.rmtree(victim)
        else:
            victim.unlink()

    def rename(self):
        if file := self.a_file():
            file.rename(self.a_folder() / self.new_name())

    def rename_folder(self):
        folder, into = self.a_folder(), self.a_folder()
        if folder != self.game and not into.is_relative_to(folder):
            folder.rename(into / self.new_name())

    def swap_folders(self):
        """Two folders take each other's name, and nothing in them is touched."""
        one, other = self.a_folder(), self.a_folder()
        if self.game in (one, other) or one.is_relative_to(other) or other.is_relative_to(one):
            return
        aside = self.game / self.new_name()
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    def move_into_new(self):
        """A folder is removed, another one of its name made, and old files moved into it."""
        folder, file = self.a_folder(), self.a_file()
        if folder == self.game or file is None or file.is_relative_to(folder) or sum(1 for _ in folder.rglob("*")) > 30:
            return
        shutil.rmtree(folder)
        folder.mkdir()
        file.rename(folder / file.name)

    def link(self):
        if self.chance.random() < 0.1 and (file := self.a_file()):
            os.link(file, self.a_folder() / self.new_name())

    def symlink(self):
        (self.a_folder() / self.new_name()).symlink_to(self.chance.choice((".", "nowhere", "..")))

    def other_kind(self):
        if file := self.a_file():
            file.unlink()
            file.mkdir()
            (file / "below").write_bytes(self.bytes())

    def chmod(self):
        if path := self.some(lambda path: True):
            path.chmod(self.chance.choice((0o600, 0o755, 0o700)))

    def attribute(self):
        if (path := self.some(lambda path: path.is_dir() or path.is_file())) is None:
            return
        for name in os.listxattr(path):
            os.removexattr(path, name)
            return
        os.setxattr(path, b"user.mark", self.chance.randbytes(3))


def attributes(folder):
    return {path.relative_to(folder): {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))}
            for path in folder.rglob("*") if path.is_file() or path.is_dir() and not path.is_symlink()}


@needs_root
class Prepared(LiveFolder):
    """All is cloned while the game writes, and when it holds still, what has changed since."""

    ROUNDS = 12

    def fill_with_chunks(self):
        noise = random.Random(1)
        for folder in range(6):
            for sub in range(3):
                place = self.game / f"world/d{folder}/s{sub}"
                place.mkdir(parents=True)
                for i in range(8):
                    (place / f"r.{i}").write_bytes(noise.randbytes(3000))
        for path in self.game.rglob("r.[0-4]"):  # older than any tick of a clock, by their times
            os.utime(path, ns=(10**18 + 123, 10**18 + 456))

    def assert_same_after(self, seed, steps_meanwhile, steps_after):
        player = Player(self.game, seed)
        thread = threading.Thread(target=lambda: [player.step() for _ in range(steps_meanwhile)])
        thread.start()
        was = []

        def go_on():
            thread.join()
            for _ in range(steps_after):
                player.step()
            was.extend((snapshot(os.fsencode(self.game)), attributes(self.game)))

        driver, kind, path = self.take(after=go_on)
        self.assertEqual(kind, "reflink")
        player.step()
        self.assert_same_tree(was[0], snapshot(os.fsencode(path)))
        self.assertEqual(attributes(path), was[1])
        driver.end()
        self.assertFalse(self.scratch.exists())

    def check(self, make, size):
        self.on(make, size)
        for seed in range(self.ROUNDS):
            with self.subTest(seed=seed):
                shutil.rmtree(self.game, ignore_errors=True)
                self.game.mkdir()
                self.fill_with_chunks()
                self.assert_same_after(seed, steps_meanwhile=seed % 4 * 20, steps_after=(0, 1, 3, 20)[seed // 3])

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_xfs(self):
        self.check(XFS, 400)

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
    def test_btrfs(self):
        self.check(BTRFS, 300)

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_what_can_not_be_brought_up_to_date_is_cloned_again(self):
        self.on(XFS, 400)
        self.game.mkdir()
        self.fill_with_chunks()
        os.link(self.game / "world/d0/s0/r.0", self.game / "world/d5/again")
        os.setxattr(self.game / "world/d1", b"user.mark", b"1")
        os.setxattr(self.game / "world/d2/s2/r.1", b"user.mark", b"1")
        for change in (lambda: (self.game / "world/d5/again").write_bytes(b"new in both"),
                       lambda: os.removexattr(self.game / "world/d1", b"user.mark"),
                       lambda: os.removexattr(self.game / "world/d2/s2/r.1", b"user.mark"),
                       lambda: (self.game / "world/d0").rename(self.game / "world/d0-moved")):
            driver, _, path = self.take(after=change)
            self.assert_same_tree(snapshot(os.fsencode(self.game)), snapshot(os.fsencode(path)))
            self.assertEqual(attributes(path), attributes(self.game))
            names = [next(path.rglob("d0*")) / "s0/r.0", path / "world/d5/again"]
            self.assertEqual(names[0].stat().st_ino, names[1].stat().st_ino)
            driver.end()

    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_thousands_of_files_take_a_moment(self):
        self.on(XFS, 400)
        for folder in range(20):
            place = self.game / f"d{folder}"
            place.mkdir(parents=True)
            for i in range(250):
                (place / f"r.{i}").write_bytes(b"chunk" * 100)
        driver, kind, _ = self.take()
        self.assertEqual(kind, "reflink")
        whole = self.ms
        driver.end()
        driver, kind, _ = self.take(after=lambda: (self.game / "d1/r.1").write_bytes(b"saved"))
        self.assertEqual(kind, "reflink")
        driver.end()
        print(f"5,000 files: {whole} ms in one pass, {self.ms} ms after preparing", file=sys.stderr)
        self.assertLess(self.ms, whole / 2)


@needs_root
class ChangedSince(LiveFolder):
    def test_names_what_was_written_and_nothing_else(self):
        for make, size in ((EXT4, 200), (XFS, 400)):
            if not shutil.which(make[0]):
                continue
            with self.subTest(make=make[0]):
                self.on(make, size)
                self.game.mkdir()
                self.scratch.mkdir()
                trees.make_world(self.game, 3)
                (self.game / "logs").mkdir()
                # Older than what counts as the same moment.
                os.sync()
                threading.Event().wait(0.1)
                quiet = Driver("changes", self.game, self.scratch)
                self.assertEqual(quiet.line(), "ready")
                subprocess.run(["cat", self.game / "world/level.dat", "/dev/null"], check=True,
                               stdout=subprocess.DEVNULL)
                clone = Driver("snapshot", self.game, self.disk.path / "other", "held")
                clone.line()
                clone.end()
                self.assertEqual(quiet.end()[0], "0")
                busy = Driver("changes", self.game, self.scratch, "*.log")
                self.assertEqual(busy.line(), "ready")
                with open(self.game / "world/region/r.0.0.mca", "r+b") as file:
                    file.write(b"x")
                times = (self.game / "world/level.dat").stat()
                (self.game / "world/level.dat").write_bytes(b"y" * times.st_size)
                os.utime(self.game / "world/level.dat", ns=(times.st_atime_ns, times.st_mtime_ns))
                os.rename(self.game / "server.properties", self.game / "world/server.properties")
                (self.game / "logs/a.log").write_text("left out")
                count, *names = busy.end()
                self.assertEqual(sorted(n for n in names if n),
                                 [".", "logs", "world", "world/level.dat",
                                  "world/level.dat_hardlink", "world/region/r.0.0.mca",
                                  "world/server.properties"])
                self.assertEqual(count, "7")


if __name__ == "__main__":
    unittest.main()
