"""A backup whose object was replaced by a hostile or damaged archive: the restore is refused, the
session says why, and game/ is what it was."""

import os
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import archive_attacks  # noqa: E402
import archive_index  # noqa: E402
import archive_lies  # noqa: E402
from archive_index import EntryRecord, archive_of  # noqa: E402
from archive_tools import END, base256, entry, folder, gz, gz_of_zeros, hard_link, header, pax, symlink  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

# Three folders up from the staged game/: the service's data folder, where canaries stand.
UP = b"../../.."
FOLDER = folder(b"game/")

HOSTILE = [
    ("dotdot", FOLDER + entry(b"game/" + UP + b"/canary", b"x"), "canary"),
    ("absolute", FOLDER + entry(b"/tmp/pwned-by-an-archive", b"x"), "pwned-by-an-archive"),
    ("beside game/", FOLDER + entry(b"beside", b"x"), "beside"),
    ("name that begins as game does", FOLDER + entry(b"game-not/x", b"x"), "game-not"),
    ("through a symlink", FOLDER + symlink(b"game/link", UP) + entry(b"game/link/canary", b"x"), "link"),
    ("game/ itself a symlink", symlink(b"game", UP) + entry(b"game/canary", b"x"), "game"),
    ("game/ itself a file", entry(b"game", b"x"), "game"),
    ("game/ replaced by a symlink", FOLDER + symlink(b"game", UP) + entry(b"game/canary", b"x"), "game"),
    ("hard link to the outside", FOLDER + hard_link(b"game/pwned", b"game/" + UP + b"/canary"), "pwned|canary"),
    ("hard link to the old data", FOLDER + hard_link(b"game/pwned", b"game/../../game/server.properties"), "pwned|server.properties"),
    ("device", FOLDER + header(b"game/special", kind=b"3"), "game/special"),
    ("fifo", FOLDER + header(b"game/special", kind=b"6"), "game/special"),
    ("renamed by pax", FOLDER + pax((b"path", b"../canary")) + entry(b"game/x", b"x"), "canary"),
    ("bad checksum", FOLDER + entry(b"game/x", b"x", checksum=b"000001\0 "), "checksum"),
    ("a file of 4 EiB", FOLDER + header(b"game/x", size_field=base256(1 << 62, 12)), "game/x|size|cut"),
]


class HostileRestore(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        trees.make_world(self.game, 5, regions=2, region_kib=64)
        session = games.start(self.service, self.sgc)
        self.backup = games.backup(self.service, session_id=session.session_id)
        games.stop(self.service, session.session_id)
        self.object = self.service.object_path(self.backup.s3_url)
        self.good = self.object.read_bytes()
        trees.spoil(self.game, 6)
        (self.service.state / "data/canary").write_text("alive")
        self.before = trees.snapshot(self.game)

    def replace_object(self, data, row_too):
        self.object.write_bytes(data)
        with sqlite3.connect(self.service.state / "manman.db", timeout=20) as db:
            db.execute("UPDATE backups SET size_bytes = ? WHERE backup_id = ?",
                       (len(data) if row_too else len(self.good), self.backup.backup_id))
        db.close()

    def assert_restore_refused(self, label, data, says, row_too=True):
        with self.subTest(archive=label):
            self.replace_object(data, row_too)
            done = self.service.cli("session", "start", self.sgc, "--restore-from",
                                    self.backup.backup_id, "--wait", expect=1)
            session = self.api.sessions(server_game_config_id=self.sgc)[0]
            self.assertEqual(session.status, "crashed")
            self.assertRegex(session.error_message, says)
            self.assertRegex(done.stderr, says)
            self.assert_untouched()

    def assert_untouched(self):
        trees.assert_same(self.before, trees.snapshot(self.game), "game/")
        wait_until(lambda: not self.service.leftovers(), 20, "the staging folder to be gone")
        names = sorted(p.name for p in (self.service.state / "data").iterdir())
        self.assertEqual([n for n in names if not n.startswith(("gsc-", "journal", "lock", "server.json"))], ["canary"])
        self.assertEqual((self.service.state / "data/canary").read_text(), "alive")
        self.assertFalse(os.path.lexists("/tmp/pwned-by-an-archive"))

    def assert_still_works(self):
        """The service took no harm: the real archive restores."""
        self.replace_object(self.good, row_too=False)
        games.start(self.service, self.sgc, restore_from_backup_id=self.backup.backup_id)
        self.assertTrue((self.game / "plugins").is_dir())

    def test_hostile_archives(self):
        for label, tar, says in HOSTILE:
            self.assert_restore_refused(label, gz(tar + END), says)
        self.assert_still_works()

    def test_hostile_archives_with_an_index(self):
        for lie in archive_lies.ENTRY[:9] + archive_lies.FRAMES[:4] + archive_lies.NUMBERS[:8]:
            self.assert_restore_refused(lie.name, lie.build(b""), lie.says)
        linked = archive_of(FOLDER + symlink(b"game/link", UP) + entry(b"game/link/canary", b"x") + END, [
            EntryRecord(b"game", archive_index.FOLDER, mode=0o755),
            EntryRecord(b"game/link", archive_index.SYMLINK, mode=0o777, link=UP),
            EntryRecord(b"game/link/canary", size=1)])
        self.assert_restore_refused("through a symlink", linked.bytes(), "link")
        self.assert_still_works()

    def test_damaged_objects(self):
        turned = bytearray(self.good)
        turned[len(turned) // 2] ^= 0x10
        self.assert_restore_refused("a bit turned", turned, "hash|frame|CRC|damage", row_too=False)
        self.assert_restore_refused("zeros", bytes(len(self.good)), ".", row_too=False)
        self.assert_restore_refused("cut", self.good[:-1000], "bytes|size", row_too=False)
        self.assert_restore_refused("cut, and the row says so", self.good[:-1000], "cut|end|index")
        self.assert_restore_refused("empty", b"", "bytes|size|empty", row_too=False)
        self.assert_restore_refused("appended to", self.good + b"more", "bytes|size", row_too=False)
        self.assert_restore_refused("of other size than the row says", gz(HOSTILE[0][1] + END),
                                    "bytes|size", row_too=False)
        self.assert_still_works()

    def test_no_object(self):
        self.object.unlink()
        done = self.service.cli("session", "start", self.sgc, "--restore-from", self.backup.backup_id,
                                "--wait", expect=1)
        self.assertIn(f"{self.backup.backup_id}.tar.gz", done.stderr)
        self.assert_untouched()
        self.assert_still_works()

    def test_bomb(self):
        bomb = gz_of_zeros(FOLDER + header(b"game/bomb", size_field=base256(10 << 30, 12)), 10 << 30, END)
        self.assert_restore_refused("10 GB of zeros", bomb, archive_attacks.BOMBS[0].says)
        self.assert_still_works()

    def test_bad_restore_with_no_game_folder(self):
        """As it was means: no game/ folder, when there was none."""
        trees.shutil.rmtree(self.game)
        self.replace_object(gz(HOSTILE[0][1] + END), row_too=True)
        self.service.cli("session", "start", self.sgc, "--restore-from", self.backup.backup_id, "--wait",
                         expect=1)
        wait_until(lambda: not self.service.leftovers(), 20, "the staging folder to be gone")
        self.assertFalse(self.game.exists() and any(self.game.iterdir()))
        self.assert_still_works()


if __name__ == "__main__":
    unittest.main()
