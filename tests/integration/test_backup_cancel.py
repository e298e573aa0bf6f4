"""Cancelling backups through the service: while they upload, twice, too late."""

import random
import sys
import time
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.s3_script import Fault, ScriptedS3  # noqa: E402

NOT_FOUND, REFUSED = 3, 4
MIB = 1 << 20
# A second is promised; a busy machine gets another one.
SOON = 2


class Cancel(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        self.game.mkdir(parents=True)
        (self.game / "data").write_bytes(random.Random(4).randbytes(MIB))

    def test_exit_codes(self):
        done = games.backup(self.service, server_game_config_id=self.sgc).backup_id
        self.assertIn("has ended already: it is completed", self.service.cli("backup", "cancel", done, expect=REFUSED).stderr)
        self.service.cli("backup", "cancel", 99, expect=NOT_FOUND)
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "backup_id"):
            self.api.CancelBackup(backup_id=0)
        self.assertEqual(self.api.GetBackup(backup_id=done).backup.status, "completed")
        self.assertEqual(len(self.service.objects()), 1)


class CancelOnAFolder(ServiceCase):
    arguments = ("--backup-read-rate-kib", "10240")

    def test_within_a_second(self):
        self.service.start()
        sgc = games.deploy_console(self.api)
        session = games.start(self.service, sgc).session_id
        (self.service.game(sgc) / "data").write_bytes(random.Random(4).randbytes(60 * MIB))
        backup = self.api.CreateBackup(session_id=session).backup.backup_id
        wait_until(lambda: self.api.GetBackup(backup_id=backup).backup.progress_bytes > 8 * MIB, 30, "some progress")
        begun = time.monotonic()
        self.api.CancelBackup(backup_id=backup)
        console = self.service.gsc(sgc) / "console"
        wait_until(lambda: games.lines_of(console)[-1] == "save-on", 30, "the game to be told to save again", 0.01)
        resumed = time.monotonic() - begun
        wait_until(lambda: not self.service.leftovers(), 30, "nothing to be left", 0.01)
        taken = time.monotonic() - begun
        print(f"resumed after {resumed:.2f} s, all gone after {taken:.2f} s")
        self.assertLess(taken, SOON)
        self.assertEqual(self.service.objects(), [])


class CancelUpload(ServiceCase):
    arguments = ("--store", f"s3://{ScriptedS3.bucket}")

    def setUp(self):
        self.s3 = self.enterContext(ScriptedS3())
        super().setUp()
        self.service.environment = self.s3.settings()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.session = games.start(self.service, self.sgc).session_id
        self.game = self.service.game(self.sgc)
        (self.game / "data").write_bytes(random.Random(4).randbytes(60 * MIB))

    def console(self):
        return games.lines_of(self.service.gsc(self.sgc) / "console")

    def test_upload_that_hangs(self):
        """All parts hang, so that the game is quiesced until the upload is given up."""
        self.s3.faults = [Fault("part", "hang", times=10**6)]
        backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.s3.count("part") >= 3, 30, "the upload to hang")
        self.assertEqual(self.console(), ["save-off", "save-all flush"])
        begun = time.monotonic()
        shown = self.service.cli_json("backup", "cancel", backup)
        self.assertEqual(shown["status"], "cancelled")
        self.assertGreater(shown["finished_at"], 0)
        wait_until(lambda: self.console()[-1] == "save-on", 30, "the game to be told to save again")
        resumed = time.monotonic() - begun
        wait_until(lambda: not self.s3.uploads and not self.service.leftovers(), 30, "nothing to be left")
        taken = time.monotonic() - begun
        print(f"resumed after {resumed:.2f} s, all gone after {taken:.2f} s")
        self.assertLess(taken, SOON)
        self.assertEqual(self.s3.objects, {})
        self.assertEqual(self.service.cli_json("backup", "cancel", backup), shown)
        # The lane is free, and the next one is as good as any.
        self.s3.faults = []
        self.assertEqual(games.backup(self.service, session_id=self.session).backup_id, backup + 1)
        self.assertEqual(len(self.s3.objects), 1)
        self.service.cli("backup", "delete", backup)
        with refused(grpc.StatusCode.NOT_FOUND):
            self.api.GetBackup(backup_id=backup)
        self.assertEqual(len(self.s3.objects), 1)

    def test_upload_that_is_being_completed(self):
        """What makes the object can't be taken back: it is waited for, and the object removed."""
        for op, size in (("complete", 60 * MIB), ("put", MIB)):
            with self.subTest(op):
                (self.game / "data").write_bytes(random.Random(4).randbytes(size))
                self.s3.released.clear()
                self.s3.faults = [Fault(op, "held")]
                backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
                wait_until(lambda: not self.s3.faults[0].times, 30, f"the {op}")
                self.assertEqual(self.service.cli_json("backup", "cancel", backup)["status"], "cancelled")
                self.assertEqual(self.console()[-1], "save-on")
                self.assertNotEqual(self.service.leftovers(), [])
                self.s3.released.set()
                wait_until(lambda: not self.service.leftovers(), 30, "nothing to be left")
                self.assertEqual((self.s3.objects, self.s3.uploads), ({}, {}))
                self.assertEqual(self.api.GetBackup(backup_id=backup).backup.status, "cancelled")

    def test_store_that_refuses_to_complete_is_not_asked_again(self):
        self.s3.faults = [Fault("complete", "internal", times=10**6)]
        backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.s3.count("complete") >= 2, 30, "two tries")
        begun = time.monotonic()
        self.api.CancelBackup(backup_id=backup)
        wait_until(lambda: not self.service.leftovers(), 30, "nothing to be left", 0.01)
        taken = time.monotonic() - begun
        print(f"all gone after {taken:.2f} s")
        self.assertLess(taken, SOON)
        self.assertEqual((self.s3.objects, self.s3.uploads), ({}, {}))

    def test_one_that_waits_for_its_turn(self):
        """Two archives are made at a time; the third waits, and ends without its turn."""
        self.s3.faults = [Fault("part", "hang", times=10**6)]
        made = [self.api.CreateBackup(session_id=self.session).backup.backup_id]
        for number in range(2):
            sgc = games.deploy_console(self.api, f"other {number}")
            game = self.service.game(sgc)
            game.mkdir(parents=True)
            (game / "data").write_bytes(random.Random(4).randbytes(40 * MIB))
            made.append(self.api.CreateBackup(server_game_config_id=sgc).backup.backup_id)
        wait_until(lambda: len(self.s3.uploads) == 2, 30, "two to upload")
        begun = time.monotonic()
        for backup in reversed(made):
            self.api.CancelBackup(backup_id=backup)
        wait_until(lambda: not self.s3.uploads and not self.service.leftovers(), 30, "nothing to be left")
        print(f"all gone after {time.monotonic() - begun:.2f} s")
        self.assertLess(time.monotonic() - begun, SOON)
        self.assertEqual([b.status for b in self.api.backups()], ["cancelled"] * 3)
        self.assertEqual(self.s3.objects, {})

    def test_store_that_is_away_is_cleaned_when_it_comes_back(self):
        self.s3.faults = [Fault("part", "hang", times=10**6), Fault("abort", "internal", times=10**6),
                          Fault("list_uploads", "internal", times=10**6)]
        backup = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: self.s3.count("part") >= 3, 30, "the upload to hang")
        self.api.CancelBackup(backup_id=backup)
        wait_until(lambda: self.console()[-1] == "save-on", 30, "the game to be told to save again")
        self.service.kill()
        self.assertEqual(len(self.s3.uploads), 1)
        self.s3.faults = []
        self.service.start()
        wait_until(lambda: not self.s3.uploads and not self.service.leftovers(), 60, "the upload to be ended")
        self.assertEqual(self.api.GetBackup(backup_id=backup).backup.status, "cancelled")
        self.assertEqual(self.s3.objects, {})


if __name__ == "__main__":
    unittest.main()
