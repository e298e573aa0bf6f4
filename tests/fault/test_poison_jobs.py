"""A job that ends the service each time it is tried is given up in the end: the service lives, the
row says failed with the reason, and the data is as before."""

import sys
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import CrashScenario  # noqa: E402
from lib import games, trees  # noqa: E402

MOST_STARTS = 30


class PoisonJobs(CrashScenario):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=10, regions=2, region_kib=64)
        self.old = self.snapshot()

    def start_until_it_lives(self, failpoint, done):
        """Starts the service, which dies of the job each time, until done() says it was given up."""
        for _ in range(MOST_STARTS):
            self.service.launch(f"{failpoint}=crash")
            if self.service.wait_ready():
                if not self._wait_end_or(done):
                    return
            self.service.wait_crash()
        self.fail(f"the service still dies of its job at start {MOST_STARTS}")

    def _wait_end_or(self, done):
        """True when the service died, False when done() came true."""
        self.finished = done
        return self._wait_end()

    def test_backup(self):
        session = games.start(self.service, self.sgc).session_id
        self.service.restart("backup.archived=crash")
        try:
            self.api.CreateBackup(session_id=session)
        except grpc.RpcError:
            pass  # it may die before it answers; the row is there
        self.service.wait_crash()
        self.start_until_it_lives("backup.archived",
                                  lambda: self.api.backups()[0].status == "failed")
        backup = self.api.backups()[0]
        self.assertIn("given up", backup.error_message)
        self.api.wait_session(session, "running")
        said = [s for s in games.lines_of(self.service.gsc(self.sgc) / "console") if "save-o" in s]
        self.assertEqual(said[-1], "save-on", "the game saves again")
        self.service.restart()
        self.check_nothing_is_stuck()
        games.backup(self.service, session_id=session)

    def test_restore(self):
        backup = games.backup(self.service, server_game_config_id=self.sgc).backup_id
        trees.spoil(self.service.game(self.sgc), seed=1)
        spoilt = self.snapshot()
        self.service.restart("restore.extracted=crash")
        try:
            self.api.StartSession(server_game_config_id=self.sgc, restore_from_backup_id=backup)
        except grpc.RpcError:
            pass
        self.service.wait_crash()
        self.start_until_it_lives("restore.extracted",
                                  lambda: self.api.sessions()[0].status == "crashed")
        self.assertIn("given up", self.api.sessions()[0].error_message)
        self.assert_wholly_one_of(spoilt=spoilt)
        self.service.restart()
        self.check_nothing_is_stuck()
        games.start(self.service, self.sgc, restore_from_backup_id=backup)
        self.assert_wholly_one_of(restored=self.old)


if __name__ == "__main__":
    unittest.main()
