"""Two API processes on PostgreSQL and RabbitMQ make the backups of policies that are due each minute, and are
killed by turns around the full minute: no due time is met twice, and none is lost."""

import random
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.cluster import Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

MINUTES = 2
SGCS = 4
POINTS = ("", "", "api.scheduler.committed@1=crash", "api.scheduler.committed@2=crash",
          "api.relay.published@1=crash")


class KillSchedulers(unittest.TestCase):
    def setUp(self):
        self.engines = self.enterContext(Engines(gates=False))
        self.cluster = self.enterContext(Cluster(self.engines, hosts=("alpha",)))
        self.seed = int(time.time())
        self.random = random.Random(self.seed)
        print(f"seed {self.seed}")

    def policies(self):
        """A policy that is due each minute, for each of some SGCs that have data."""
        api, made = self.cluster.api(1), []
        for number in range(SGCS):
            sgc = self.cluster.deploy("alpha", f"game {number}", stop_command="stop",
                                      entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
            session = api.StartSession(server_game_config_id=sgc).session.session_id
            api.wait_session(session, "running")
            trees.make_world(self.cluster.game("alpha", sgc), seed=number, regions=1, region_kib=16)
            made.append(api.CreateBackupPolicy(policy={"server_game_config_id": sgc, "name": "minutely",
                                                       "cron": "* * * * *",
                                                       "verify": {"after_upload": "full"}}).policy)
        return made

    def kill_one(self):
        number = self.random.randrange(2)
        program = self.cluster.apis[number]
        self.cluster.kill_api(number)
        program.launch(self.random.choice(POINTS))

    def revive(self):
        """Those that a point has killed come back without one."""
        for number, program in enumerate(self.cluster.apis):
            if program.process is not None and program.process.poll() is not None:
                self.cluster.kill_api(number)
            if program.process is None:
                program.launch()

    def around_minutes(self):
        end = time.time() + 60 * MINUTES
        while time.time() < end:
            boundary = (int(time.time()) // 60 + 1) * 60
            for offset in sorted(self.random.uniform(-4, 12) for _ in range(4)):
                wait_until(lambda at=boundary + offset: time.time() >= at, 90, "the full minute", 0.02)
                self.kill_one()
            wait_until(lambda: time.time() >= boundary + 20, 60, "the minute to pass", 0.1)
            self.revive()

    def test_each_minute_is_met_once(self):
        policies = self.policies()
        self.around_minutes()
        for number, program in enumerate(self.cluster.apis):
            self.cluster.kill_api(number)
        for program in self.cluster.apis:
            program.start()
        api = self.cluster.api()
        for policy in policies:
            wait_until(lambda p=policy: "waiting" not in {r.outcome for r in self.runs(api, p)}, 120,
                       "nothing to wait")
            api.UpdateBackupPolicy(policy={"policy_id": policy.policy_id, "paused": True})
        backups = api.backups()
        for policy in policies:
            runs = self.runs(api, policy)
            met = [run.due_at + 60 * i for run in runs for i in range(max(1, run.missed_count))]
            self.assertEqual(sorted(met), list(range(policy.next_due_at, max(met) + 1, 60)), runs)
            self.assertGreaterEqual(len(met), MINUTES)
            started = [run.backup_id for run in runs if run.outcome == "started"]
            self.assertEqual(sorted(started), sorted(b.backup_id for b in backups if b.policy_id == policy.policy_id))
            self.assertNotIn("failed", [run.outcome for run in runs])
            for backup in started:
                self.assertEqual(api.wait_backup(backup, timeout=120).status, "completed")
        self.assert_all_read(api, backups)

    def assert_all_read(self, api, backups):
        """What a killed API had claimed the other has read by the time that the claim has ended."""
        for backup in backups:
            wait_until(lambda b=backup: not api.GetBackup(backup_id=b.backup_id).backup.verification_due, 200,
                       f"backup {backup.backup_id} to be read")
            row = api.GetBackup(backup_id=backup.backup_id).backup
            self.assertEqual((row.verified_how, row.verification_error), ("full", ""))

    def runs(self, api, policy):
        return api.all("ListPolicyRuns", "runs", policy_id=policy.policy_id)


if __name__ == "__main__":
    unittest.main()
