"""The sample game is backed up while it plays: the archive holds one moment of the world, and a
forced restore brings it back under the running session."""

import contextlib
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class SampleGame(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy(
            self.api, "sample", [str(paths.sample_game())], stop_command="stop",
            command=["--regions", "8", "--region-kib", "512", "--tick-ms", "20"],
            quiesce=games.QUIESCE, resume=["save-on"])
        self.world = self.service.game(self.sgc) / "world"
        self.session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, self.session, "Done")

    def verdict(self, world):
        """(whole, what the sample game says of a world)."""
        done = subprocess.run([str(paths.sample_game()), "--check", str(world)],
                              capture_output=True, text=True, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def assert_whole(self, world):
        whole, text = self.verdict(world)
        self.assertTrue(whole, text)

    def live_snapshot(self):
        """Of the world while the game plays: taken again when it replaces a file meanwhile."""
        def take():
            with contextlib.suppress(FileNotFoundError):
                return trees.snapshot(self.world)
            return None
        return wait_until(take, 30, "a picture of the live world", 0.01)

    def wait_for_change(self):
        before = self.live_snapshot()
        wait_until(lambda: trees.diff(before, self.live_snapshot()), 30,
                   "the game to write to its world")

    def spoil(self):
        """Overwrites every chunk, so that the game, which changes some, can't mend it by chance."""
        for region in (self.world / "region").iterdir():
            with open(region, "r+b") as file:
                file.seek(8192)
                file.write(b"griefer." * ((region.stat().st_size - 8192) // 8))

    def backup_now(self):
        self.service.cli("backup", "create", "--session", self.session, "--wait")
        backup = self.api.backups()[0]
        self.assertEqual((backup.status, list(backup.warnings)), ("completed", []))
        return backup

    def unpack(self, backup):
        folder = self.temp_folder()
        with tarfile.open(self.service.object_path(backup.s3_url)) as tar:
            tar.extractall(folder)
        return folder / "game"

    def test_live_backups_hold_one_moment(self):
        for _ in range(5):
            self.wait_for_change()
            self.assert_whole(self.unpack(self.backup_now()) / "world")
        self.wait_for_change()  # the game was told to save again after each

    def test_forced_restore_and_undo(self):
        self.wait_for_change()
        backup = self.backup_now()
        saved = trees.snapshot(self.unpack(backup) / "world")
        self.spoil()
        self.service.cli("session", "start", self.sgc, "--restore-from", backup.backup_id,
                         expect=4)
        self.assertEqual(self.api.wait_session(self.session, "running").session_id, self.session)
        self.service.cli("session", "start", self.sgc, "--restore-from", backup.backup_id,
                         "--force", "--wait")
        self.assertEqual(self.api.wait_session(self.session, "stopped").status, "stopped")
        self.session = self.api.sessions(live_only=True)[0].session_id
        games.wait_output(self.service, self.sgc, self.session, "Done")
        self.wait_for_change()
        self.service.cli("session", "stop", self.session, "--wait")
        self.assert_whole(self.world)
        self.check_undo(saved)

    def check_undo(self, saved):
        replaced = self.service.gsc(self.sgc) / f"replaced-{self.session}"
        whole, _ = self.verdict(replaced / "world")
        self.assertFalse(whole, "the replaced data is the spoilt world")
        kept = trees.snapshot(replaced)
        self.assertNotEqual(trees.diff(saved, self.live_snapshot()), [], "it played on")
        self.service.cli("session", "undo-restore", self.session, "--wait")
        trees.assert_same(kept, trees.snapshot(self.world.parent), "the data put back")
        session = self.api.GetSession(session_id=self.session).session
        self.assertEqual(session.replaced_data, "undone")
        wait_until(lambda: not replaced.exists(), 30, "the restored data to be removed")
        self.service.cli("session", "undo-restore", self.session, expect=4)

    def test_restore_is_what_was_saved(self):
        """Compared before a game writes to it: the restored config runs nothing."""
        self.wait_for_change()
        backup = self.backup_now()
        saved = trees.snapshot(self.unpack(backup))
        self.spoil()
        self.service.cli("session", "stop", self.session, "--wait")
        self.service.restart("session.starting=error:held back by the test")
        session = self.api.StartSession(server_game_config_id=self.sgc,
                                        restore_from_backup_id=backup.backup_id).session
        ended = self.api.wait_session(session.session_id, "crashed")
        self.assertIn("held back by the test", ended.error_message)
        # Python's tarfile gives neither owners' names nor holes; all else must agree.
        trees.assert_same(saved, trees.snapshot(self.service.game(self.sgc)), "the restored world",
                          ignore=("holes", "mtime_ns"))
        self.assert_whole(self.world)


if __name__ == "__main__":
    unittest.main()
