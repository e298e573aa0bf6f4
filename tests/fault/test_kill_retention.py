"""kill -9 of the service at every step of letting a backup go that no rule of its policy keeps."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import RETENTION, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402


@with_points(RETENTION)
class KillDuringRetention(CrashScenario):
    def build(self):
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=2)
        self.world = self.snapshot()
        self.policy = self.api.CreateBackupPolicy(policy={
            "server_game_config_id": self.sgc, "name": "one", "every_minutes": 100_000, "keep": {"last": 1}}).policy
        self.manual = games.backup(self.service, server_game_config_id=self.sgc)
        self.newest = self.run_policy()

    def run_policy(self):
        ordered = self.api.RunBackupPolicy(policy_id=self.policy.policy_id).backup
        return self.api.wait_backup(ordered.backup_id)

    def prepare(self):
        self.doomed = self.newest

    def left(self):
        return [backup.backup_id for backup in self.api.backups(server_game_config_id=self.sgc)]

    def act(self):
        """Its completion lets the one before go, at any time from then on."""
        self.newest = self.api.RunBackupPolicy(policy_id=self.policy.policy_id).backup

    def began(self):
        return True

    def finished(self):
        return self.doomed.backup_id not in self.left()

    def check(self):
        newest = self.api.wait_backup(self.newest.backup_id)
        self.assertEqual(newest.status, "completed")
        wanted = [newest.backup_id, self.manual.backup_id]
        wait_until(lambda: self.left() == wanted, 30, "the other one to go")
        self.assertFalse(self.service.object_path(self.doomed.s3_url).exists())
        self.assert_archive_holds(self.service.object_path(newest.s3_url), self.world)
        self.newest = newest


if __name__ == "__main__":
    unittest.main()
