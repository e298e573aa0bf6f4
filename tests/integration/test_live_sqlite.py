"""SQLite databases copied into archives while another process writes to them."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

import sqlite_writer
from archive_tools import BINARY, ArchiveTest, manman
from small_disk import EXT4, SmallDisk, needs_root

SUFFIXES = ("", "-wal", "-shm", "-journal")


class LiveCase(ArchiveTest):
    def setUp(self):
        super().setUp()
        self.place = Path(os.fsdecode(self.dir))
        self.number = 0

    def make_world(self, place=None):
        self.world = (place or self.place) / "world"
        self.world.mkdir()
        self.database = self.world / "map.sqlite"
        return self.world

    def writer(self, mode):
        process = subprocess.Popen(
            [sys.executable, sqlite_writer.__file__, str(self.database), mode], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def end():
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdin.close()
            process.stdout.close()

        self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def finish(self, process):
        out, _ = process.communicate("")
        self.assertEqual(process.returncode, 0)
        return json.loads(out)

    def archive(self, *words, world=None):
        """(what the command says of itself, the folder that the archive holds)"""
        self.number += 1
        file = self.place / f"{self.number}.tar"
        done = self.manman_ok("archive", "create", world or self.world, file, "--live", "-o", "json", *words)
        out = self.place / f"out-{self.number}"
        with tarfile.open(file) as tar:
            tar.extractall(out)
        file.unlink()
        return json.loads(done.out), out / "game"

    def assert_archive_is_whole(self, name="map.sqlite", counted=1):
        said, game = self.archive()
        self.assertEqual(said["live"]["databases"], [name] if counted else [])
        self.assertEqual(sorted(os.listdir(game)), sorted(os.listdir(game)[:1]))
        self.assertEqual(sqlite_writer.check(game / name), "")
        shutil.rmtree(game.parent)
        return said

    def facts(self):
        return {name: (s.st_ino, s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
                for name in sorted(os.listdir(self.world)) for s in [os.stat(self.world / name)]}


class Hammered(LiveCase):
    def hammer(self, mode, place=None):
        self.make_world(place)
        writer = self.writer(mode)
        blocked = 0
        for _ in range(20):
            said = self.assert_archive_is_whole()
            blocked = max(blocked, said["live"]["blocked_ms"])
        wrote = self.finish(writer)
        self.assertEqual(sqlite_writer.check(self.database), "")
        print(f"\n{mode}: {wrote}, blocked at most {blocked} ms", file=sys.stderr)
        self.assertGreater(wrote["commits"], 20)
        # Nobody but the copies holds it up, apart from the machine's own load.
        self.assertLess(wrote["longest_ms"], blocked + 2000)
        if mode == "WAL":
            self.assertEqual(blocked, 0)
        self.assertEqual([p.name for p in self.world.parent.iterdir() if p.name.startswith(".manman")], [])

    def test_wal(self):
        self.hammer("WAL")

    def test_delete(self):
        self.hammer("DELETE")

    def test_truncate(self):
        self.hammer("TRUNCATE")

    def test_persist(self):
        self.hammer("PERSIST")

    @needs_root
    @unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
    def test_delete_with_reflinks(self):
        disk = SmallDisk(400, ("mkfs.xfs", "-q", "-f", "-m", "reflink=1"))
        self.addCleanup(disk.close)
        self.hammer("DELETE", disk.path)


class Resting(LiveCase):
    """Nobody has the database open."""

    def leave(self, mode, crash):
        """A database that a writer closed, or was killed over."""
        self.make_world()
        writer = self.writer(mode)
        if not crash:
            self.finish(writer)
        else:
            # In the middle of a transaction: its journal or WAL holds something.
            suffix = "-wal" if mode == "WAL" else "-journal"
            companion = Path(str(self.database) + suffix)
            while not (companion.exists() and companion.stat().st_size > 5000):
                pass
            writer.kill()
            writer.wait()
        os.chmod(self.database, 0o640)
        if os.geteuid() == 0:
            os.chown(self.database, 1234, 1234)

    def test_closed_ones_get_nothing_beside_them(self):
        for mode in ("WAL", "DELETE"):
            with self.subTest(mode=mode):
                self.leave(mode, crash=False)
                before = self.facts()
                self.assertEqual(list(before), ["map.sqlite"])
                self.assert_archive_is_whole()
                self.assertEqual(self.facts(), before)
                shutil.rmtree(self.world)

    def test_after_a_crash_it_is_put_right_in_the_copy_alone(self):
        for mode in ("WAL", "DELETE", "TRUNCATE", "PERSIST"):
            for _ in range(5):
                with self.subTest(mode=mode):
                    self.leave(mode, crash=True)
                    before = self.facts()
                    self.assert_archive_is_whole()
                    self.assertEqual(self.facts(), before)
                    self.assertEqual(sqlite_writer.check(self.database), "")
                    shutil.rmtree(self.world)

    def test_a_wal_without_its_shm(self):
        self.leave("WAL", crash=True)
        Path(str(self.database) + "-shm").unlink()
        before = os.listdir(self.world)
        self.assert_archive_is_whole()
        self.assertEqual(os.listdir(self.world), before)


class Strange(LiveCase):
    def unreadable(self, contents):
        self.make_world()
        self.database.write_bytes(contents)
        said, game = self.archive()
        self.assertEqual((game / "map.sqlite").read_bytes(), contents)
        self.assertEqual(said["live"]["unreadable_databases"], ["map.sqlite"])
        shutil.rmtree(self.world)

    def test_what_only_looks_like_a_database(self):
        head = b"SQLite format 3\0"
        self.unreadable(head)
        self.unreadable(head + os.urandom(100_000))
        self.unreadable(head + bytes(100_000))

    def test_one_whose_pages_are_damaged_is_taken_in_any_case(self):
        self.make_world()
        sqlite_writer.make(self.database, "DELETE", 1).close()
        data = bytearray(self.database.read_bytes())
        data[5000:300_000] = os.urandom(295_000)
        self.database.write_bytes(data)
        _, game = self.archive()
        self.assertEqual((game / "map.sqlite").read_bytes()[100:], data[100:])

    def test_names_that_mean_something_in_a_uri(self):
        for name in ("a?mode=rwc&x#y%20z", "ünïcode db", "x" * 245):
            with self.subTest(name=name):
                self.make_world()
                self.database = self.world / name
                sqlite_writer.make(self.database, "WAL", 1).close()
                self.assert_archive_is_whole(name)
                self.assertEqual(os.listdir(self.world), [name])
                shutil.rmtree(self.world)

    def test_a_hostile_schema_is_not_run(self):
        self.make_world()
        db = sqlite_writer.make(self.database, "DELETE", 1)
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE a(((' WHERE name = 'a'")
        db.close()
        said, game = self.archive()
        self.assertEqual(said["live"]["databases"], ["map.sqlite"])
        self.assertEqual((game / "map.sqlite").read_bytes()[100:], self.database.read_bytes()[100:])

    def test_a_journal_that_names_another_file_does_not_remove_it(self):
        self.make_world()
        sqlite_writer.make(self.database, "DELETE", 1).close()
        victim = self.place / "victim"
        victim.write_text("of somebody else")
        name = os.fsencode(victim)
        # A journal of no pages with a super-journal's name at its end.
        header = bytes.fromhex("d9d505f920a163d7") + bytes(4) + os.urandom(4)
        pages = self.database.stat().st_size // 4096
        header += pages.to_bytes(4, "big") + (512).to_bytes(4, "big") + (4096).to_bytes(4, "big")
        tail = (((1 << 30) // 4096) + 1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big")
        tail += (sum(name) & 0xFFFFFFFF).to_bytes(4, "big") + header[:8]
        Path(str(self.database) + "-journal").write_bytes(header.ljust(512, b"\0") + tail)
        self.assert_archive_is_whole()
        self.assertEqual(victim.read_text(), "of somebody else")

    def lying_wal(self):
        """A database of a few pages, and a WAL whose one transaction says that it has two thousand million."""
        self.make_world()
        sqlite_writer.make(self.database, "WAL", 1).close()
        page = bytearray(self.database.read_bytes()[:4096])
        page[28:32] = (0x7FFFFFF0).to_bytes(4, "big")
        salt = os.urandom(8)

        def checksum(data, s0, s1):
            for at in range(0, len(data), 8):
                s0 = (s0 + int.from_bytes(data[at:at + 4], "little") + s1) & 0xFFFFFFFF
                s1 = (s1 + int.from_bytes(data[at + 4:at + 8], "little") + s0) & 0xFFFFFFFF
            return s0, s1

        def numbers(*values):
            return b"".join(value.to_bytes(4, "big") for value in values)

        header = numbers(0x377F0682, 3007000, 4096, 0) + salt
        sums = checksum(header, 0, 0)
        frame = numbers(1, 0x7FFFFFF0)
        header += numbers(*sums)
        sums = checksum(frame + page, *sums)
        wal = header + frame + salt + numbers(*sums) + page
        Path(str(self.database) + "-wal").write_bytes(wal)

    def test_one_that_says_it_is_larger_than_any_disk(self):
        self.lying_wal()
        said, _ = self.archive()
        self.assertEqual(said["live"]["databases"], [])
        self.assertEqual(said["live"]["unreadable_databases"], ["map.sqlite"])
        # The same while somebody has it open.
        db = sqlite3.connect(self.database)
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.Error:
            pass
        said, _ = self.archive()
        self.assertEqual(said["live"]["unreadable_databases"], ["map.sqlite"])
        db.close()

    def test_a_locked_one_is_named(self):
        self.make_world()
        db = sqlite_writer.make(self.database, "DELETE", 1)
        db.execute("BEGIN EXCLUSIVE")
        done = manman("archive", "create", self.world, self.place / "x.tar", "--live")
        self.assertEqual(done.code, 1, done.text())
        self.assertIn(b"map.sqlite was locked", done.err)
        self.assertFalse((self.place / "x.tar").exists())
        db.close()

    def test_a_symlink_and_a_second_name(self):
        self.make_world()
        sqlite_writer.make(self.database, "DELETE", 1).close()
        os.symlink("map.sqlite", self.world / "link.sqlite")
        os.link(self.database, self.world / "second.sqlite")
        said, game = self.archive()
        self.assertEqual(said["live"]["databases"], ["map.sqlite"])
        self.assertEqual(os.readlink(game / "link.sqlite"), "map.sqlite")
        self.assertEqual(sqlite_writer.check(game / "second.sqlite"), "")

    def test_many_in_one_folder(self):
        self.make_world()
        names = [f"d{n}.sqlite" for n in range(8)] + ["d1", "d1.sqlite-a"]
        dbs = []
        for name in names:
            dbs.append(sqlite_writer.make(self.world / name, "WAL", 1))
        said, game = self.archive()
        self.assertEqual(sorted(said["live"]["databases"]), sorted(names))
        self.assertEqual(sorted(os.listdir(game)), sorted(names))
        for name in names:
            self.assertEqual(sqlite_writer.check(game / name), "")
        for db in dbs:
            db.close()


@needs_root
class SmallScratch(LiveCase):
    def test_a_scratch_without_room_says_how_much_is_missing(self):
        disk = SmallDisk(60, EXT4)
        self.addCleanup(disk.close)
        self.make_world(disk.path)
        sqlite_writer.make(self.database, "DELETE", 20).close()
        disk.fill(8 << 20)
        done = manman("archive", "create", self.world, self.place / "x.tar", "--live")
        self.assertEqual(done.code, 1, done.text())
        self.assertRegex(done.err, rb"copying .*map.sqlite takes \d+ bytes .* are missing")
        self.assertEqual(sorted(os.listdir(disk.path)), ["filler", "world"])
        self.assertEqual(os.listdir(self.world), ["map.sqlite"])


class Killed(LiveCase):
    def test_a_copy_that_is_killed_leaves_the_game_as_it_was(self):
        for mode in ("WAL", "DELETE"):
            with self.subTest(mode=mode):
                self.make_world()
                writer = self.writer(mode)
                for delay in range(10):
                    copy = subprocess.Popen(
                        [BINARY, "archive", "create", self.world, self.place / f"{delay}.tar", "--live", "--force"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    try:
                        copy.wait(0.005 * (delay + 1))
                    except subprocess.TimeoutExpired:
                        copy.send_signal(signal.SIGKILL)
                        copy.wait()
                self.assertGreater(self.finish(writer)["commits"], 1)
                self.assertEqual(sqlite_writer.check(self.database), "")
                self.assertEqual(os.listdir(self.world), ["map.sqlite"])
                shutil.rmtree(self.world)


if __name__ == "__main__":
    unittest.main()
