"""kill -9 of the service at every step of a restore before which a policy has the present data backed up: nothing
is replaced that is not in a completed backup."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import with_points  # noqa: E402
from restore_scenario import RestoreScenario  # noqa: E402

POINTS = ["api.start_session.committed", "api.relay.published", "host.command.journaled", "backup.uploaded",
          "backup.reported", "api.status.applied", "restore.extracted", "restore.swapped", "session.reported"]


@with_points(POINTS)
class KillDuringSafetyBackup(RestoreScenario):
    def build(self):
        super().build()
        self.policy = self.api.CreateBackupPolicy(policy={
            "server_game_config_id": self.sgc, "name": "safety", "before_restore": True}).policy.policy_id

    def safety_backups(self):
        return [b for b in self.api.backups() if b.policy_id == self.policy]

    def prepare(self):
        super().prepare()
        self.made_before = len(self.safety_backups())

    def check(self):
        super().check()
        made = self.safety_backups()
        self.assertEqual(len(made), self.made_before + 1, "one restore, one backup before it")
        self.assertEqual(made[0].status, "completed")
        self.assert_archive_holds(self.service.object_path(made[0].s3_url), self.spoilt)


if __name__ == "__main__":
    unittest.main()
