"""kill -9 of the service at every step of deleting a backup."""

import sys
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import DELETE, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402


@with_points(DELETE)
class KillDuringDelete(CrashScenario):
    def build(self):
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=2)
        self.world = self.snapshot()
        self.kept = games.backup(self.service, server_game_config_id=self.sgc)

    def prepare(self):
        self.doomed = games.backup(self.service, server_game_config_id=self.sgc)

    def status(self):
        """The doomed backup's status; None when its row is gone."""
        try:
            return self.api.GetBackup(backup_id=self.doomed.backup_id).backup.status
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def act(self):
        self.api.DeleteBackup(backup_id=self.doomed.backup_id)

    def began(self):
        return self.status() in ("deleting", None)

    def finished(self):
        return self.status() is None

    def check(self):
        wait_until(lambda: self.status() is None, 30, "the row to go")
        self.assertFalse(self.service.object_path(self.doomed.s3_url).exists())
        kept = self.api.GetBackup(backup_id=self.kept.backup_id).backup
        self.assertEqual(kept.status, "completed")
        self.assert_archive_holds(self.service.object_path(kept.s3_url), self.world)


if __name__ == "__main__":
    unittest.main()
