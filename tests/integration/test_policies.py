"""Backup policies through the real service: made, shown, paused and run by the command line; due by time, at
the end of a session and before a restore; nothing is made of what has not changed."""

import os
import shutil
import sys
import unittest
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

USAGE, NOT_FOUND, REFUSED = 2, 3, 4


class Policies(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)

    def with_data(self):
        """The SGC has been run and has a world."""
        session = games.start(self.service, self.sgc).session_id
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=64)
        games.stop(self.service, session)

    def policy(self, *words):
        return self.service.cli_json("policy", "create", "--sgc", self.sgc, *words)

    def runs(self, policy):
        return self.service.cli_json("policy", "runs", policy)["items"]

    def wait_runs(self, policy, *outcomes):
        """The runs, newest first, once they have come to these outcomes."""
        return wait_until(lambda: (runs := self.runs(policy)) and [r["outcome"] for r in runs] == list(outcomes)
                          and runs, 100, f"policy {policy} to have {outcomes}: {self.runs(policy)}")

    def ended(self, run):
        return self.api.wait_backup(run["backup_id"])


class CommandLine(Policies):
    def test_make_show_change_delete(self):
        made = self.policy("--name", "nightly", "--cron", "30 4 * * *", "--zone", "Europe/Berlin",
                           "--jitter", "10m", "--keep-daily", "7", "--keep-weekly", "4",
                           "--leave-out", "*.log", "--include", "keep.log")
        self.assertEqual(made["keep"]["daily"], 7)
        self.assertEqual(made["handling"]["leave_out"], ["*.log", "!keep.log"])
        self.assertEqual(made["jitter_seconds"], 600)
        policy = made["policy_id"]
        # When it is due next, by Python's own reckoning: 4:30 there, and up to ten minutes later.
        due = datetime.fromtimestamp(made["next_due_at"], ZoneInfo("Europe/Berlin"))
        self.assertTrue((4, 30) <= (due.hour, due.minute) <= (4, 40), due)
        self.assertGreater(due, datetime.now(timezone.utc))
        shown = self.service.cli("policy", "get", policy).stdout
        self.assertIn(due.strftime("%Y-%m-%d %H:%M:%S"), shown)
        self.assertIn(due.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), shown)
        self.assertRegex(self.service.cli("policy", "list", "--sgc", self.sgc).stdout, r"nightly +no +30 4")

        changed = self.service.cli_json("policy", "update", policy, "--every", "2h", "--clear", "leave_out",
                                        "--keep-last", "3")
        self.assertEqual((changed["every_minutes"], changed["cron"], changed["keep"]["last"], changed["keep"]["daily"]),
                         (120, None, 3, 7))
        self.assertEqual(changed["handling"]["leave_out"], [])
        self.assertEqual(self.service.cli_json("policy", "pause", policy)["next_due_at"], 0)
        self.assertGreater(self.service.cli_json("policy", "resume", policy)["next_due_at"], made["created_at"])
        self.service.cli("policy", "delete", policy)
        self.service.cli("policy", "get", policy, expect=NOT_FOUND)

    def test_wrong_words(self):
        create = ["policy", "create", "--sgc", self.sgc, "--name", "x"]
        for words, part in ((["--cron", "61 * * * *"], 'cron: minute "61": must be 0 to 59'),
                            (["--cron", "0 0 31 2 *"], "cron: day of month 31"),
                            (["--every", "90s"], "--every '90s': wants whole minutes"),
                            (["--every", "soon"], "--every 'soon': wants a time"),
                            (["--every", "1h", "--jitter", "1h"], "jitter_seconds: "),
                            (["--cron", "@daily", "--zone", "Mars"], "zone: "),
                            ([], "cron: must be said")):
            self.assertIn(part, self.service.cli(*create, *words, expect=USAGE).stderr)
        self.service.cli(*create, "--every", "1h")
        self.assertIn("already", self.service.cli(*create, "--every", "1h", expect=REFUSED).stderr)
        self.service.cli("policy", "create", "--sgc", 99, "--name", "x", "--every", "1h", expect=NOT_FOUND)

    def test_an_sgc_takes_its_policies_with_it(self):
        policy = self.policy("--name", "x", "--every", "1h")["policy_id"]
        self.service.cli("sgc", "delete", self.sgc)
        self.service.cli("policy", "get", policy, expect=NOT_FOUND)


class Due(Policies):
    def test_each_minute_and_only_what_has_changed(self):
        self.with_data()
        policy = self.policy("--name", "often", "--cron", "* * * * *", "--skip-unchanged", "--format", "zst")["policy_id"]
        first, = self.wait_runs(policy, "started")
        backup = self.ended(first)
        self.assertEqual((backup.status, backup.format, backup.policy_id), ("completed", "zst", policy))
        self.assertEqual(first["due_at"] % 60, 0)
        self.wait_runs(policy, "skipped", "started")
        runs = self.runs(policy)
        self.assertEqual(runs[0]["reason"], f"nothing changed since backup {backup.backup_id}")
        self.assertEqual(len(self.api.backups()), 1)
        self.service.cli("policy", "pause", policy)
        # A file of the same size and time is another one all the same.
        path = next(p for p in sorted(self.service.game(self.sgc).rglob("*")) if p.is_file())
        before = path.stat()
        path.write_bytes(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.service.cli("policy", "resume", policy)
        newest = self.wait_runs(policy, "started", "skipped", "started")[0]
        self.assertEqual(self.ended(newest).status, "completed")
        self.service.cli("policy", "pause", policy)

    def test_run_now(self):
        self.with_data()
        policy = self.policy("--name", "now", "--every", "24h", "--skip-unchanged")["policy_id"]
        for count in (1, 2):  # asked for by a person, it is made though nothing has changed
            backup = self.service.cli_json("policy", "run-now", policy, "--wait")
            self.assertEqual(backup["status"], "completed")
            self.assertEqual(len(self.api.backups()), count)

    def test_at_the_end_of_a_session(self):
        self.with_data()
        policy = self.policy("--name", "end", "--at-session-end")["policy_id"]
        session = games.start(self.service, self.sgc).session_id
        games.stop(self.service, session)
        run, = self.wait_runs(policy, "started")
        self.assertEqual((run["trigger"], run["session_id"]), ("session-end", session))
        self.assertEqual(self.ended(run).status, "completed")

    def test_limits_and_handling_reach_the_host(self):
        self.with_data()
        game = self.service.game(self.sgc)
        (game / "big.bin").write_bytes(os.urandom(2 << 20))
        (game / "noise.log").write_text("noise")
        policy = self.policy("--name", "slow", "--every", "24h", "--bandwidth-kib", "1024", "--leave-out", "*.log")["policy_id"]
        made = self.service.cli_json("policy", "run-now", policy)
        backup = self.api.wait_backup(made["backup_id"])
        self.assertEqual(backup.status, "completed")
        names = self.service.cli("backup", "ls", backup.backup_id).stdout
        self.assertIn("big.bin", names)
        self.assertNotIn("noise.log", names)
        self.assertGreaterEqual(backup.finished_at - backup.started_at, 1)


class BeforeRestore(Policies):
    def test_what_a_restore_replaces_is_backed_up_first(self):
        self.with_data()
        old = games.backup(self.service, server_game_config_id=self.sgc)
        mark = self.service.game(self.sgc) / "mark"
        mark.write_text("newer")
        policy = self.policy("--name", "safety", "--before-restore")["policy_id"]
        session = self.service.cli_json("session", "start", self.sgc, "--restore-from", old.backup_id, "--wait")
        self.assertEqual(session["status"], "running")
        self.assertFalse(mark.exists())
        run, = self.wait_runs(policy, "started")
        self.assertEqual((run["trigger"], run["session_id"]), ("before-restore", session["session_id"]))
        names = self.service.cli("backup", "ls", run["backup_id"]).stdout
        self.assertIn("game/mark", names)

    def test_nothing_is_restored_when_that_fails(self):
        self.with_data()
        old = games.backup(self.service, server_game_config_id=self.sgc)
        mark = self.service.game(self.sgc) / "mark"
        mark.write_bytes(os.urandom(1 << 20))
        newer = mark.read_bytes()
        self.policy("--name", "safety", "--before-restore", "--bandwidth-kib", "32")
        session = self.api.StartSession(server_game_config_id=self.sgc,
                                        restore_from_backup_id=old.backup_id).session
        self.api.CancelBackup(backup_id=session.waits_for_backup_id)
        ended = self.api.GetSession(session_id=session.session_id).session
        self.assertEqual(ended.status, "crashed")
        self.assertIn("nothing was restored", ended.error_message)
        self.assertEqual(mark.read_bytes(), newer)

    def test_an_empty_sgc_is_restored_at_once(self):
        self.with_data()
        old = games.backup(self.service, server_game_config_id=self.sgc)
        self.policy("--name", "safety", "--before-restore")
        shutil.rmtree(self.service.game(self.sgc))
        session = self.service.cli_json("session", "start", self.sgc, "--restore-from", old.backup_id, "--wait")
        self.assertEqual(session["status"], "running")


if __name__ == "__main__":
    unittest.main()
