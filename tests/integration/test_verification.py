"""Verifications of stored backups: what their rows say of them, by request and by themselves."""

import contextlib
import sqlite3
import sys
import time
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, worlds  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402

DAY = 24 * 60 * 60


class Case(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy(self.api)
        worlds.make(self.service.game(self.sgc) / "world")

    def backup(self):
        return games.backup(self.service, server_game_config_id=self.sgc)

    def row(self, backup):
        return self.api.GetBackup(backup_id=backup.backup_id).backup

    def object(self, backup):
        return self.service.object_path(backup.s3_url)

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.service.state / "manman.db", timeout=30)) as database:
            database.execute(statement, values)
            database.commit()

    def age(self, backup, seconds):
        """As if the last look at it were so much longer ago."""
        self.sql("UPDATE backups SET looked_at = looked_at - ? WHERE backup_id = ?", seconds, backup.backup_id)

    def verified(self, backup, how):
        return wait_until(lambda: (row := self.row(backup)).verified_how == how and row, 30, f"it to be verified: {how}")

    def damaged(self, backup):
        return wait_until(lambda: (row := self.row(backup)).verification_failed_at and row, 30, "damage to be found")

    def flip(self, backup):
        path = self.object(backup)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)


class ByRequest(Case):
    def verify(self, backup, how=""):
        return list(self.api.VerifyBackup(backup_id=backup.backup_id, how=how))[-1].result

    def sgc_row(self):
        return self.api.GetServerGameConfig(server_game_config_id=self.sgc).config

    def test_good_ones(self):
        first, second = self.backup(), self.backup()
        self.assertEqual((first.verified_how, first.verified_at), ("", 0))
        self.assertEqual(self.verify(first, "head").how, "head")
        row = self.row(first)
        self.assertEqual(row.verified_how, "head")
        self.assertGreaterEqual(row.verified_at, row.finished_at)
        self.assertEqual(self.sgc_row().restorable_backup_id, 0, "a head does not say that it can be restored")
        self.assertEqual(self.verify(first).how, "full")
        self.verify(first, "head")
        self.assertEqual(self.row(first).verified_how, "full", "a head says less")
        self.assertEqual(self.sgc_row().restorable_backup_id, first.backup_id)
        self.assertEqual(self.sgc_row().restorable_as_of, first.created_at)
        self.service.cli("backup", "verify", second.backup_id)
        self.assertEqual(self.sgc_row().restorable_backup_id, second.backup_id)
        listed = self.service.cli("backup", "list").stdout
        self.assertIn("VERIFIED", listed)
        self.assertIn("full", listed)
        shown = self.service.cli("sgc", "get", self.sgc).stdout
        self.assertRegex(shown, r"restorable_as_of: +20\d\d-")

    def test_damage_is_written_down_until_it_is_mended(self):
        good, backup = self.backup(), self.backup()
        self.verify(good)
        self.verify(backup)
        whole = self.object(backup).read_bytes()
        for what, how, damage in (
                ("is not in the store", "head", self.object(backup).unlink),
                ("bytes instead of", "head", lambda: self.object(backup).write_bytes(whole[:-9])),
                ("is damaged", "full", lambda: self.flip(backup)),
                ("", "full", lambda: self.object(backup).write_bytes(bytes(len(whole))))):
            with self.subTest(what):
                damage()
                with self.assertRaises(grpc.RpcError) as caught:
                    self.verify(backup, how)
                self.assertIn(what, caught.exception.details())
                row = self.row(backup)
                self.assertIn(what, row.verification_error)
                self.assertGreaterEqual(row.verification_failed_at, row.verified_at)
                self.assertEqual((row.status, row.verified_how), ("completed", "full"))
                self.assertEqual(self.sgc_row().restorable_backup_id, good.backup_id)
                self.assertIn("damaged", self.service.cli("backup", "list").stdout)
                self.object(backup).write_bytes(whole)
                time.sleep(1.1)  # a reading that began in the second of the damage does not count
                self.verify(backup, "head")
                self.assertTrue(self.row(backup).verification_failed_at, "a head proves nothing")
                self.verify(backup)
                row = self.row(backup)
                self.assertEqual((row.verification_failed_at, row.verification_error), (0, ""))
                self.assertEqual(self.sgc_row().restorable_backup_id, backup.backup_id)

    def test_what_can_not_be_asked_for(self):
        backup = self.backup()
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "how: must be full or head"):
            self.verify(backup, "drill")
        with refused(grpc.StatusCode.NOT_FOUND, "backup 99"):
            list(self.api.VerifyBackup(backup_id=99))


class AfterUpload(Case):
    def setUp(self):
        self.arguments = ["--verify-after-upload", "head"]
        super().setUp()

    def test_heads(self):
        row = self.verified(self.backup(), "head")
        self.assertGreaterEqual(row.verified_at, row.finished_at)

    def test_one_that_is_claimed_is_left_alone_until_the_claim_ends(self):
        backup = self.backup()
        self.verified(backup, "head")
        self.sql("UPDATE backups SET verify_due = 'head', verified_at = 0, verified_how = '', verify_lease_ms = ?",
                 int((time.time() + 6) * 1000))
        other = self.backup()
        self.verified(other, "head")
        self.assertEqual(self.row(backup).verified_how, "")
        self.verified(backup, "head")
        self.assertGreaterEqual(time.time() + 1, self.row(backup).verified_at)

    def test_an_object_that_is_gone(self):
        backup = self.backup()
        self.verified(backup, "head")
        self.object(backup).unlink()
        self.sql("UPDATE backups SET verify_due = 'head'")
        self.assertIn("is not in the store", self.damaged(backup).verification_error)


class AllOfIt(Case):
    def setUp(self):
        self.arguments = ["--verify-after-upload", "full", "--verify-every-days", "2", "--verify-bandwidth-kib", "900"]
        super().setUp()

    def test_after_the_upload_and_again_some_days_later(self):
        backup = self.backup()
        before = self.verified(backup, "full")
        self.age(backup, DAY)
        self.flip(backup)
        other = self.backup()
        self.verified(other, "full")
        self.assertEqual(self.row(backup), before, "it is not due")
        self.age(backup, DAY + 10)
        row = self.damaged(backup)
        self.assertIn("is damaged", row.verification_error)
        self.assertEqual(row.status, "completed")
        self.assertTrue(self.object(backup).exists())


class OfPolicies(Case):
    """What a policy has done with its backups, whatever the service does by itself."""

    def setUp(self):
        self.arguments = ["--verify-after-upload", "none"]
        super().setUp()

    def policy(self, *arguments):
        return self.service.cli_json("policy", "create", "--sgc", self.sgc, "--name", f"p{arguments}",
                                     *arguments)["policy_id"]

    def run_now(self, policy):
        run = self.service.cli_json("policy", "run-now", policy)
        backup = self.api.wait_backup(run["backup_id"])
        self.assertEqual(backup.status, "completed", backup.error_message)
        return backup

    def ids(self):
        return sorted(row.backup_id for row in self.api.ListBackups(server_game_config_id=self.sgc).backups)

    def test_nothing_goes_on_account_of_one_that_is_not_verified_yet(self):
        policy = self.policy("--cron", "@yearly", "--verify", "full", "--keep-last", "1")
        first = self.run_now(policy)
        self.verified(first, "full")
        # Nobody looks at the next one for a while.
        self.sql("CREATE TRIGGER claimed AFTER UPDATE OF status ON backups WHEN new.status = 'completed' BEGIN "
                 f"UPDATE backups SET verify_lease_ms = {int((time.time() + 3600) * 1000)} "
                 "WHERE backup_id = new.backup_id; END")
        second = self.run_now(policy)
        self.assertEqual(self.row(second).verification_due, "full")
        preview = self.service.cli("policy", "preview", policy).stdout
        self.assertIn("not verified yet (full)", preview)
        self.sql("UPDATE retention_queue SET due_at = 0")
        wait_until(lambda: not self.waiting_for_retention(), 30, "retention to look")
        self.assertEqual(self.ids(), [first.backup_id, second.backup_id])
        self.sql("UPDATE backups SET verify_lease_ms = 0")
        self.verified(second, "full")
        wait_until(lambda: self.ids() == [second.backup_id], 30, "the first to go")
        self.assertEqual(self.row(second).verification_due, "")

    def waiting_for_retention(self):
        with contextlib.closing(sqlite3.connect(self.service.state / "manman.db", timeout=30)) as database:
            return database.execute("SELECT COUNT(*) FROM retention_queue").fetchone()[0]

    def test_nothing_goes_on_account_of_a_damaged_one(self):
        policy = self.policy("--cron", "@yearly", "--verify", "head", "--keep-last", "1")
        first = self.run_now(policy)
        self.verified(first, "head")
        self.sql("CREATE TRIGGER claimed AFTER UPDATE OF status ON backups WHEN new.status = 'completed' BEGIN "
                 f"UPDATE backups SET verify_lease_ms = {int((time.time() + 3600) * 1000)} "
                 "WHERE backup_id = new.backup_id; END")
        second = self.run_now(policy)
        self.object(second).write_bytes(b"short")
        self.sql("UPDATE backups SET verify_lease_ms = 0")
        self.assertIn("5 bytes instead of", self.damaged(second).verification_error)
        self.sql("DROP TRIGGER claimed")
        third = self.run_now(policy)
        self.verified(third, "head")
        wait_until(lambda: self.ids() == [second.backup_id, third.backup_id], 30, "the first to go")

    def test_old_ones_are_read_again_as_each_policy_has_it(self):
        weekly = self.run_now(self.policy("--cron", "@yearly", "--verify-every-days", "7"))
        never = self.run_now(self.policy("--cron", "@yearly", "--verify-every-days", "0"))
        for backup in (weekly, never):
            self.age(backup, 6 * DAY)
        self.assertEqual(self.row(weekly).verified_how, "")
        for backup in (weekly, never):
            self.age(backup, 2 * DAY)
        self.verified(weekly, "full")
        self.assertEqual(self.row(never).verified_how, "")

    def test_drills(self):
        policy = self.policy("--cron", "@yearly", "--drill-every-days", "3")
        backup = self.run_now(policy)
        self.verified(backup, "drill")
        self.assertEqual(len(self.drills()), 1)
        self.sql("UPDATE drills SET created_at = created_at - ?", 3 * DAY + 10)
        wait_until(lambda: len(self.drills()) == 2, 30, "another drill")
        wait_until(lambda: self.drills()[0].status == "passed", 30, "it to pass")
        self.assertEqual([drill.policy_id for drill in self.drills()], [policy, policy])

    def drills(self):
        return self.api.ListDrills(server_game_config_id=self.sgc).drills

    def test_bad_rules(self):
        for arguments, what in ((["--verify", "drill"], "--verify"), (["--verify-every-days", "-2"], "range"),
                                (["--drill-starts-game"], "verify.drill_starts_game")):
            said = self.service.cli("policy", "create", "--sgc", self.sgc, "--name", "bad", "--cron", "@daily",
                                    *arguments, expect=2)
            self.assertIn(what, said.stderr)
        policy = self.policy("--cron", "@yearly", "--verify", "full", "--drill-every-days", "3")
        self.assertEqual(self.service.cli_json("policy", "get", policy)["verify"],
                         {"after_upload": "full", "every_days": None, "drill_every_days": 3, "drill_starts_game": None})
        self.service.cli("policy", "update", policy, "--clear", "verify")
        self.assertFalse(self.service.cli_json("policy", "get", policy)["verify"])


if __name__ == "__main__":
    unittest.main()
