"""kill -9 of the service at every step in which a policy's backup is ordered: by its time, and at the end
of a session that it was due at."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import POLICY, SESSION_END, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class PolicyScenario(CrashScenario):
    def build(self):
        self.sgc = games.deploy_console(self.api)
        games.stop(self.service, games.start(self.service, self.sgc).session_id)
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=64)
        self.policy = None

    def runs(self):
        return self.api.all("ListPolicyRuns", "runs", policy_id=self.policy)

    def check(self):
        wait_until(self.finished, 60, "the runs to be made")
        runs = self.runs()
        for run in runs:
            self.assertIn(run.outcome, ("started", "missed"), run)
        backups = [b for b in self.api.backups() if b.policy_id == self.policy]
        self.assertEqual(sorted(r.backup_id for r in runs if r.outcome == "started"),
                         sorted(b.backup_id for b in backups), "one backup for each run, and none beside")
        for backup in backups:
            self.assertEqual(self.api.wait_backup(backup.backup_id).status, "completed")
        return runs


@with_points(POLICY)
class KillWhenDue(PolicyScenario):
    """A policy is due at the next full minute, which comes while the service is down or runs into its point."""

    def act(self):
        made = self.api.CreateBackupPolicy(policy={"server_game_config_id": self.sgc, "name": "minutely",
                                                   "cron": "* * * * *"}).policy
        self.policy, self.first_due = made.policy_id, made.next_due_at

    def prepare(self):
        for policy in self.api.ListBackupPolicies().policies:
            self.api.DeleteBackupPolicy(policy_id=policy.policy_id)
        self.policy = None

    def began(self):
        return self.policy is not None

    def finished(self):
        return any(run.outcome == "started" for run in self.runs())

    def _wait_end(self):
        wait_until(lambda: self.service.process.poll() is not None, 80, "the point to be passed")
        return True

    def check(self):
        runs = super().check()
        # Every minute from the first on is in one row and no more.
        met = [run.due_at + 60 * i for run in runs for i in range(max(1, run.missed_count))]
        self.assertEqual(sorted(met), list(range(self.first_due, max(met) + 1, 60)))
        self.api.UpdateBackupPolicy(policy={"policy_id": self.policy, "paused": True})


@with_points(SESSION_END)
class KillAtSessionEnd(PolicyScenario):
    def build(self):
        super().build()
        self.policy = self.api.CreateBackupPolicy(policy={
            "server_game_config_id": self.sgc, "name": "end", "at_session_end": True}).policy.policy_id

    def status(self):
        return self.api.GetSession(session_id=self.session).session.status

    def prepare(self):
        for session in self.api.sessions(live_only=True):
            games.stop(self.service, session.session_id)
        wait_until(lambda: all(r.outcome == "started" for r in self.runs()), 30, "the runs before to be made")
        wait_until(lambda: not any(b.status in ("pending", "running") for b in self.api.backups()), 30,
                   "the backups before to end")
        self.session = games.start(self.service, self.sgc).session_id

    def act(self):
        self.api.StopSession(session_id=self.session)

    def began(self):
        if self.status() == "running":
            return False
        wait_until(lambda: self.status() == "stopped", 30, "the session to be stopped")
        return True

    def finished(self):
        return any(run.session_id == self.session and run.outcome == "started" for run in self.runs())

    def check(self):
        runs = super().check()
        self.assertEqual(len([run for run in runs if run.session_id == self.session]), 1)


if __name__ == "__main__":
    unittest.main()
