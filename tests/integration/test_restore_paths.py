"""Restoring some paths of a backup: they come back, all else stays, and an undo gives back what was there."""

import os
import random
import sys
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from small_disk import SmallDisk, needs_root  # noqa: E402

USAGE, NOT_FOUND = 2, 3
MIB = 1 << 20


def merged(old, new, *paths):
    """What stands at and below the paths from old, all else from new."""
    def chosen(name):
        return any(name == path or name.startswith(path + b"/") for path in paths)
    return {n: e for n, e in new.items() if not chosen(n)} | {n: e for n, e in old.items() if chosen(n)}


class RestorePaths(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.prepare()

    def prepare(self):
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        trees.make_world(self.game, seed=5, regions=3, region_kib=64)
        self.old = trees.snapshot(self.game)
        self.backup = games.backup(self.service, server_game_config_id=self.sgc).backup_id
        trees.spoil(self.game, seed=9)
        self.spoilt = trees.snapshot(self.game)

    def start(self, *paths, **fields):
        return games.start(self.service, self.sgc, restore_from_backup_id=self.backup, restore_paths=paths, **fields)

    def assert_game(self, expected):
        trees.assert_same(expected, trees.snapshot(self.game), "game/")

    def undo(self, session_id):
        games.stop(self.service, session_id)
        self.api.UndoRestore(session_id=session_id)
        wait_until(lambda: self.api.GetSession(session_id=session_id).session.replaced_data == "undone", 30, "the undo")

    def test_by_the_command_line(self):
        words = ("session", "start", self.sgc, "--restore-from", self.backup, "--only", "game/world/region/",
                 "--only", "game/start.sh", "--wait")
        session = self.service.cli_json(*words)
        self.assertEqual(session["restored_paths"], ["game/world/region", "game/start.sh"])
        self.assertEqual(session["restored_from_backup_id"], self.backup)
        self.assert_game(merged(self.old, self.spoilt, b"world/region", b"start.sh"))
        self.assertIn("restored_paths", self.service.cli("session", "get", session["session_id"]).stdout)

    def test_undo_gives_back_what_was_there_though_the_game_wrote_into_it(self):
        session = self.start("game/world/region").session_id
        for name in ("world/level.dat", "world/region/r.1.-1.mca"):
            with open(self.game / name, "r+b") as file:
                file.write(b"written in place")
        with open(self.game / "world/map.sparse", "ab") as file:
            file.write(b"more")
        self.undo(session)
        self.assert_game(self.spoilt)

    def test_folder_that_is_gone_comes_back_with_its_own_mode(self):
        for path in sorted((self.game / "world").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        (self.game / "world").rmdir()
        now = trees.snapshot(self.game)
        self.start("game/world/level.dat")
        expected = now | {path: self.old[path] for path in (b"world", b"world/level.dat")}
        found = trees.snapshot(self.game)
        trees.assert_same(expected, found, "game/", ignore=("same_as",))

    def test_data_that_is_not_there_at_all(self):
        session = self.start("game/plugins").session_id
        games.stop(self.service, session)
        other = games.deploy_console(self.api, "other")  # its data was never there
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "is of SGC"):
            self.api.StartSession(server_game_config_id=other, restore_from_backup_id=self.backup,
                                  restore_paths=["game/plugins"])

    def test_whole_by_its_name(self):
        self.start("game")
        self.assert_game(self.old)

    def test_what_the_archive_lacks_is_said_before_anything_is_done(self):
        running = games.start(self.service, self.sgc).session_id
        words = ("session", "start", self.sgc, "--restore-from", self.backup, "--force")
        said = self.service.cli(*words, "--only", "game/start.sh", "--only", "game/world/reg", expect=NOT_FOUND).stderr
        self.assertIn("no entry game/world/reg in its archive", said)
        self.assertIn("backup ls", said)
        for bad in ("/etc", "game/../x", "world", ""):
            said = self.service.cli(*words, "--only", bad, expect=USAGE).stderr
            self.assertIn("must be game, or a path below it", said)
        self.service.cli("session", "start", self.sgc, "--only", "game/world", expect=USAGE)
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "restore_paths"):
            self.api.StartSession(server_game_config_id=self.sgc, restore_paths=["game"])
        self.assertEqual(self.api.GetSession(session_id=running).session.status, "running")
        self.assertEqual(len(self.api.sessions()), 1)
        self.assert_game(self.spoilt)

    def test_file_in_the_way_of_a_folder(self):
        (self.game / "plugins").write_text("a file now")
        before = trees.snapshot(self.game)
        session = self.api.StartSession(server_game_config_id=self.sgc, restore_from_backup_id=self.backup,
                                        restore_paths=["game/plugins/" + "level-00" * 3]).session.session_id
        ended = self.api.wait_session(session, "crashed")
        self.assertIn("plugins is in the way", ended.error_message)
        self.assertEqual(ended.replaced_data, "")
        self.assert_game(before)
        self.assertEqual(self.service.leftovers(), [])


@needs_root
class OnXfs(RestorePaths):
    """Where files can share blocks, what stays takes no room."""

    def setUp(self):
        self.disk = SmallDisk(400, make=("mkfs.xfs", "-q", "-m", "reflink=1", "-f"))
        self.addCleanup(self.disk.close)
        ServiceCase.setUp(self)
        self.service.close()
        self.service = Service(folder=self.disk.path / "service")
        self.service.folder.mkdir()
        self.service.start()
        self.prepare()

    def test_shares_blocks(self):
        (self.game / "large").write_bytes(random.Random(3).randbytes(64 * MIB))
        os.sync()
        before = self.disk.free_bytes()
        session = self.start("game/start.sh").session_id
        os.sync()
        taken = before - self.disk.free_bytes()
        print(f"took {taken >> 10} KiB beside 64 MiB that stay")
        self.assertLess(taken, 16 * MIB)
        with open(self.game / "large", "r+b") as file:
            file.write(b"written in place")
        now = trees.snapshot(self.service.gsc(self.sgc) / f"replaced-{session}")
        self.undo(session)
        self.assert_game(now)


if __name__ == "__main__":
    unittest.main()
