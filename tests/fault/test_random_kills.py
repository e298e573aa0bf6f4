"""kill -9 at random moments of backups and restores of a bigger world.

MANMAN_TEST_SEED repeats a run; the seed is printed.
"""

import os
import random
import shutil
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import CrashScenario  # noqa: E402
from lib import games, trees  # noqa: E402

KILLS = 20


class RandomKills(CrashScenario):
    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("MANMAN_TEST_SEED") or random.SystemRandom().randrange(10**9))
        print(f"MANMAN_TEST_SEED={seed}", flush=True)
        self.random = random.Random(seed)

    def build(self):
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        trees.make_world(self.game, seed=5, regions=12, region_kib=2048)
        for copy in range(1, 4):
            shutil.copytree(self.game / "world", self.game / f"world-{copy}", symlinks=True)
        self.old = self.snapshot()

    def timed(self, work):
        start = time.monotonic()
        result = work()
        return result, time.monotonic() - start

    def kill_after(self, duration):
        """Kills the service at a random moment of a flow that takes this long, and starts it."""
        time.sleep(self.random.uniform(0, duration * 1.2))  # the moment is the point
        self.service.kill()

    def test_backups(self):
        self.service.start()
        self.build()
        first, took = self.timed(lambda: games.backup(self.service,
                                                      server_game_config_id=self.sgc))
        for number in range(KILLS // 2):
            backup = self.api.CreateBackup(server_game_config_id=self.sgc).backup
            self.kill_after(took)
            self.service.start()
            ended = self.api.wait_backup(backup.backup_id)
            self.assertEqual(ended.status, "completed", ended.error_message)
            self.assertEqual(len(self.api.backups()), number + 2)
            self.assert_archive_holds(self.service.object_path(ended.s3_url), self.old)
            self.check_nothing_is_stuck()
        self.assert_wholly_one_of(old=self.old)
        self.assertEqual(self.api.GetBackup(backup_id=first.backup_id).backup, first)

    def test_restores(self):
        self.service.start()
        self.build()
        backup = games.backup(self.service, server_game_config_id=self.sgc)
        session, took = self.timed(lambda: games.start(self.service, self.sgc,
                                                       restore_from_backup_id=backup.backup_id))
        for number in range(KILLS // 2):
            games.stop(self.service, session.session_id)
            trees.spoil(self.game, seed=number)
            spoilt = self.snapshot()
            session = self.api.StartSession(server_game_config_id=self.sgc,
                                            restore_from_backup_id=backup.backup_id).session
            self.kill_after(took)
            self.assert_wholly_one_of(spoilt=spoilt, restored=self.old)
            self.service.start()
            session = self.api.wait_session(session.session_id, "running")
            self.assert_wholly_one_of(restored=self.old)
            replaced = self.service.gsc(self.sgc) / f"replaced-{session.session_id}"
            trees.assert_same(spoilt, trees.snapshot(replaced), "the replaced data")
            self.assertEqual(len(self.game_pids()), 1)
            self.check_nothing_is_stuck()


if __name__ == "__main__":
    unittest.main()
