"""Cancelling backups on many machines, their store a Ceph: while they upload, and while their host is away."""

import random
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games  # noqa: E402
from lib.cluster import Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

MIB = 1 << 20
LEASE_SECONDS = 5
# A second is promised; a busy machine gets another one.
SOON = 2


class CancelOnCeph(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engines = cls.enterClassContext(Engines(gates=False))
        cls.cluster = cls.enterClassContext(Cluster(cls.engines, apis=1, hosts=(), lease_seconds=LEASE_SECONDS))
        cls.host = cls.cluster.new_host("near")
        cls.host.words += ["--backup-read-rate-kib", "10240"]
        cls.addClassCleanup(cls.host.kill)
        cls.host.start()
        cls.api = cls.cluster.api()

    def setUp(self):
        self.sgc = self.cluster.deploy("near", self.id(), stop_command="stop", quiesce=games.QUIESCE,
                                       resume=["save-on"], entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
        self.session = self.api.StartSession(server_game_config_id=self.sgc).session.session_id
        self.api.wait_session(self.session, "running")
        self.game = self.cluster.game("near", self.sgc)
        (self.game / "data").write_bytes(random.Random(4).randbytes(120 * MIB))

    def console(self):
        return games.lines_of(self.game.parent / "console")

    def begin(self):
        """A backup with some parts in the store."""
        backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.api.GetBackup(backup_id=backup).backup.progress_bytes > 30 * MIB, 60,
                   "the backup to be at work")
        self.assertEqual(len(self.engines.uploads()), 1)
        self.assertEqual(self.console()[-1], "save-all flush")
        return backup

    def at_work(self):
        journal = self.cluster.data_dir("near") / "journal"
        return [*journal.glob("backup-*"), *journal.glob("cancel-*")]

    def assert_nothing_is_left(self, backup):
        self.assertEqual(self.engines.uploads(), [])
        self.assertEqual(self.engines.objects(), [])
        self.assertEqual(self.api.GetBackup(backup_id=backup).backup.status, "cancelled")

    def test_within_a_second(self):
        backup = self.begin()
        begun = time.monotonic()
        self.assertEqual(self.api.CancelBackup(backup_id=backup).backup.status, "cancelled")
        wait_until(lambda: self.console()[-1] == "save-on", 30, "the game to be told to save again", 0.01)
        resumed = time.monotonic() - begun
        wait_until(lambda: not self.at_work(), 30, "the host to be through", 0.01)
        taken = time.monotonic() - begun
        print(f"resumed after {resumed:.2f} s, all gone after {taken:.2f} s")
        self.assertLess(taken, SOON)
        self.assert_nothing_is_left(backup)

    def test_host_that_is_away_for_longer_than_its_leases(self):
        backup = self.begin()
        self.host.kill()
        self.assertEqual(self.api.CancelBackup(backup_id=backup).backup.status, "cancelled")
        other = self.api.CreateBackup(session_id=self.session).backup.backup_id
        self.api.CancelBackup(backup_id=other)  # before the host has heard of it
        # Of a third one the lease ends.
        third = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.api.GetBackup(backup_id=third).backup.status == "failed", 120, "the lease to end")
        self.assertEqual(len(self.engines.uploads()), 1)
        self.assertEqual(self.console()[-1], "save-on", "its guard has told the game to save again")
        self.host.start()
        wait_until(lambda: self.api.GetBackup(backup_id=third).backup.status == "completed", 120, "the late backup")
        wait_until(lambda: not self.at_work(), 60, "the host to be through")
        self.api.DeleteBackup(backup_id=third)
        wait_until(lambda: not self.engines.objects(), 60, "its object to be gone")
        self.assert_nothing_is_left(backup)
        self.assert_nothing_is_left(other)


if __name__ == "__main__":
    unittest.main()
