"""Backups give way to the games of their machine: what they read and send, how their threads run."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

WORLD_KIB = 6 * 1024  # does not compress: what is read is what is sent
RATE_KIB = 2 * 1024
BURST_S = 1.0  # the limits let as much through at once
NICE, SCHED_BATCH = 10, 3


class BackupCase(ServiceCase):
    def start(self, *arguments):
        self.service.arguments = list(arguments)
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.session = games.start(self.service, self.sgc).session_id
        noise = self.service.game(self.sgc) / "noise"
        noise.write_bytes(os.urandom(WORLD_KIB * 1024))
        self.world = trees.snapshot(self.service.game(self.sgc))

    def ended(self, backup_id):
        backup = self.api.wait_backup(backup_id)
        self.assertEqual(backup.status, "completed", backup.error_message)
        self.assert_archive_holds(self.service.object_path(backup.s3_url), self.world)

    def threads(self):
        """Niceness and scheduling policy of each thread of the service."""
        found = {}
        for task in Path(f"/proc/{self.service.process.pid}/task").iterdir():
            try:
                fields = (task / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[int(task.name)] = (int(fields[16]), int(fields[38]))
        return found

    def own(self):
        return self.threads()[self.service.process.pid]


class Limits(BackupCase):
    def check_takes_its_time(self, option):
        self.start(option, str(RATE_KIB))
        began = time.monotonic()
        backup = self.api.CreateBackup(session_id=self.session).backup
        self.ended(backup.backup_id)
        self.assertGreater(time.monotonic() - began, WORLD_KIB / RATE_KIB - BURST_S)

    def test_bandwidth(self):
        self.check_takes_its_time("--backup-bandwidth-kib")

    def test_read_rate(self):
        self.check_takes_its_time("--backup-read-rate-kib")

    def test_two_backups_share_one_limit(self):
        self.start("--backup-bandwidth-kib", str(RATE_KIB))
        other = games.deploy_console(self.api, name="other")
        second = games.start(self.service, other).session_id
        (self.service.game(other) / "noise").write_bytes(os.urandom(WORLD_KIB * 1024))
        began = time.monotonic()
        made = [self.api.CreateBackup(session_id=s).backup for s in (self.session, second)]
        for backup in made:
            self.assertEqual(self.api.wait_backup(backup.backup_id).status, "completed")
        self.assertGreater(time.monotonic() - began, 2 * WORLD_KIB / RATE_KIB - BURST_S)


class Priority(BackupCase):
    def during_a_backup(self, *arguments):
        """The kinds of threads that were there at some time during a backup."""
        self.start("--backup-bandwidth-kib", str(RATE_KIB), *arguments)
        backup = self.api.CreateBackup(session_id=self.session).backup
        seen = set()

        def running():
            seen.update(self.threads().values())
            return self.api.GetBackup(backup_id=backup.backup_id).backup.status == "completed"
        wait_until(running, 60, "the backup to end")
        self.ended(backup.backup_id)
        return seen

    def test_low_unless_said_otherwise(self):
        self.assertIn((NICE, SCHED_BATCH), self.during_a_backup())
        # What is not a backup keeps the priority of the process.
        self.assertIn(self.own(), set(self.threads().values()))

    def test_normal_changes_nothing(self):
        self.assertEqual(self.during_a_backup("--backup-priority", "normal"), {self.own()})


if __name__ == "__main__":
    unittest.main()
