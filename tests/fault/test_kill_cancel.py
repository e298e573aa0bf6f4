"""kill -9 of the service at every step of cancelling a backup that is at work, its game quiesced."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import CANCEL, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402

# The backup stands in its quiesce until it is cancelled.
QUIESCE = [*games.QUIESCE, {"input": "wait", "confirm_regex": "never said", "timeout_seconds": 600}]


@with_points(CANCEL)
class KillDuringCancel(CrashScenario):
    def build(self):
        self.sgc = games.deploy(self.api, "console", stop_command="stop", quiesce=QUIESCE, resume=["save-on"])
        self.session = games.start(self.service, self.sgc).session_id
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=64)

    def console(self):
        return games.lines_of(self.service.gsc(self.sgc) / "console")

    def status(self):
        return self.api.GetBackup(backup_id=self.backup).backup.status

    def prepare(self):
        for backup in self.api.backups():
            if backup.status in ("pending", "running"):
                self.api.CancelBackup(backup_id=backup.backup_id)
        wait_until(lambda: not self.service.leftovers(), 30, "the backup before to be gone")
        self.backup = None
        self.said = len(self.console())

    def act(self):
        self.backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.status() == "running" and "wait" in self.console()[self.said:], 30,
                   "the backup to wait for its game")
        self.api.CancelBackup(backup_id=self.backup)

    def began(self):
        return self.backup is not None and self.status() == "cancelled"

    def finished(self):
        return self.began()

    def check(self):
        wait_until(lambda: not self.service.leftovers(), 30, "nothing to be left of the backup")
        self.assertEqual(self.status(), "cancelled")
        self.assertEqual(self.service.objects(), [])
        wait_until(lambda: [line for line in self.console() if line.startswith("save-o")][-1] == "save-on", 30,
                   "the game to be told to save again")
        self.api.CancelBackup(backup_id=self.backup)  # again: nothing more to do
        self.assertEqual(self.status(), "cancelled")
        self.assertEqual(len(games.lines_of(self.service.gsc(self.sgc) / "starts")), 1, "the game was started once")


if __name__ == "__main__":
    unittest.main()
