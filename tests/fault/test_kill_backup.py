"""kill -9 of the service at every step of a backup, while the game runs."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import BACKUP, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402


@with_points(BACKUP)
class KillDuringBackup(CrashScenario):
    def build(self):
        self.sgc = games.deploy_console(self.api)
        self.session = games.start(self.service, self.sgc).session_id
        trees.make_world(self.service.game(self.sgc), seed=1)
        self.world = self.snapshot()

    def prepare(self):
        self.before = {b.backup_id for b in self.api.backups()}

    def act(self):
        self.api.CreateBackup(session_id=self.session, description="before the update")

    def new(self):
        return [b for b in self.api.backups() if b.backup_id not in self.before]

    def began(self):
        return bool(self.new())

    def finished(self):
        return bool(self.new()) and self.new()[0].status in ("completed", "failed")

    def check(self):
        self.assertEqual(len(self.new()), 1, "one call, one row")
        backup = self.api.wait_backup(self.new()[0].backup_id)
        self.assertEqual(backup.status, "completed", backup.error_message)
        self.assertEqual(backup.description, "before the update")
        archive = self.service.object_path(backup.s3_url)
        self.assertEqual(archive.stat().st_size, backup.size_bytes)
        self.assert_archive_holds(archive, self.world)
        self.check_game_plays_on()

    def check_game_plays_on(self):
        gsc = self.service.gsc(self.sgc)
        self.api.wait_session(self.session, "running")
        self.assertEqual(len(games.lines_of(gsc / "starts")), 1, "the game was started once")

        def resumed():
            said = [line for line in games.lines_of(gsc / "console") if line.startswith("save-o")]
            return not said or said[-1] == "save-on"
        wait_until(resumed, 30, "the game to be told to save again")
        self.assert_wholly_one_of(world=self.world)


if __name__ == "__main__":
    unittest.main()
