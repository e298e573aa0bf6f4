"""Every refusal on the way of a backup and of a restore: its code, and a message that names the
thing; nothing is changed by it."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from grpc import StatusCode  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class ErrorCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)

    def make_world(self):
        trees.make_world(self.service.game(self.sgc), seed=6, regions=2, region_kib=64)

    def rows(self):
        return [(s.session_id, s.status) for s in self.api.sessions()], \
               [(b.backup_id, b.status) for b in self.api.backups()]

    def unchanged(self):
        """Context: no row may come or change."""
        test = self

        class Unchanged:
            def __enter__(self):
                self.before = test.rows()

            def __exit__(self, kind, *_):
                if kind is None:
                    test.assertEqual(test.rows(), self.before)
        return Unchanged()


class BackupErrors(ErrorCase):
    def test_unknown_session(self):
        with self.unchanged(), refused(StatusCode.NOT_FOUND, "session 4711"):
            self.api.CreateBackup(session_id=4711)

    def test_unknown_sgc(self):
        with self.unchanged(), refused(StatusCode.NOT_FOUND, "4711"):
            self.api.CreateBackup(server_game_config_id=4711)

    def test_nothing_or_nonsense_named(self):
        with self.unchanged():
            with refused(StatusCode.INVALID_ARGUMENT, "session_id"):
                self.api.CreateBackup()
            with refused(StatusCode.INVALID_ARGUMENT, "session_id"):
                self.api.CreateBackup(session_id=-1)
            with refused(StatusCode.INVALID_ARGUMENT, "description"):
                self.api.CreateBackup(server_game_config_id=self.sgc, description="x" * 100_000)

    def test_session_of_another_sgc(self):
        session = games.start(self.service, self.sgc)
        other = games.deploy(self.api, "other")
        with self.unchanged(), refused(StatusCode.INVALID_ARGUMENT, "server_game_config_id"):
            self.api.CreateBackup(session_id=session.session_id, server_game_config_id=other)

    def test_unknown_backup(self):
        for method in ("GetBackup", "DeleteBackup"):
            with self.unchanged(), refused(StatusCode.NOT_FOUND, "backup 99"):
                getattr(self.api, method)(backup_id=99)
            with refused(StatusCode.INVALID_ARGUMENT, "backup_id"):
                getattr(self.api, method)(backup_id=0)
        with refused(StatusCode.NOT_FOUND, "backup 99"):
            list(self.api.DownloadBackup(backup_id=99))

    def test_server_that_never_ran(self):
        """Nothing to back up: the row says so, and no object is made."""
        backup = self.api.CreateBackup(server_game_config_id=self.sgc).backup
        ended = self.api.wait_backup(backup.backup_id)
        self.assertEqual(ended.status, "failed")
        self.assertIn("game", ended.error_message)
        self.assertEqual(self.service.objects(), [])
        self.api.DeleteBackup(backup_id=backup.backup_id)
        self.assertEqual(len(self.api.backups()), 0, "a row without an object can be deleted")

    def test_game_that_does_not_answer_quiesce(self):
        deaf = games.deploy(self.api, "deaf", ["/bin/sh", "-c", "exec sleep 600"], resume=["save-on"],
                            quiesce=[{"input": "save-off", "confirm_regex": "never said",
                                      "timeout_seconds": 1}])
        session = games.start(self.service, deaf)
        backup = self.api.CreateBackup(session_id=session.session_id).backup
        ended = self.api.wait_backup(backup.backup_id, timeout=120)
        self.assertEqual(ended.status, "failed")
        self.assertIn("save-off", ended.error_message)
        self.assertEqual(self.service.objects(), [])
        self.assertEqual(self.api.wait_session(session.session_id, "running").exit_code, 0)


class RestoreErrors(ErrorCase):
    def setUp(self):
        super().setUp()
        self.make_world()
        self.world = trees.snapshot(self.service.game(self.sgc))
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)

    def assert_world_untouched(self):
        trees.assert_same(self.world, trees.snapshot(self.service.game(self.sgc)), "game/")

    def test_unknown_sgc(self):
        with self.unchanged():
            with refused(StatusCode.NOT_FOUND, "4711"):
                self.api.StartSession(server_game_config_id=4711)
            with refused(StatusCode.INVALID_ARGUMENT, "server_game_config_id"):
                self.api.StartSession()
            with refused(StatusCode.INVALID_ARGUMENT, "restore_from_backup_id"):
                self.api.StartSession(server_game_config_id=self.sgc, restore_from_backup_id=-5)

    def test_unknown_backup(self):
        with self.unchanged(), refused(StatusCode.NOT_FOUND, "backup 99"):
            self.api.StartSession(server_game_config_id=self.sgc, restore_from_backup_id=99)
        self.assert_world_untouched()

    def test_backup_of_another_sgc(self):
        other = games.deploy_console(self.api, "other")
        with self.unchanged(), refused(StatusCode.INVALID_ARGUMENT,
                                       f"backup {self.backup.backup_id}", str(self.sgc)):
            self.api.StartSession(server_game_config_id=other,
                                  restore_from_backup_id=self.backup.backup_id)

    def test_backup_that_failed(self):
        empty = games.deploy_console(self.api, "empty")
        failed = self.api.CreateBackup(server_game_config_id=empty).backup
        self.assertEqual(self.api.wait_backup(failed.backup_id).status, "failed")
        with self.unchanged(), refused(StatusCode.FAILED_PRECONDITION,
                                       f"backup {failed.backup_id}", "failed"):
            self.api.StartSession(server_game_config_id=empty,
                                  restore_from_backup_id=failed.backup_id)

    def test_session_alive(self):
        session = games.start(self.service, self.sgc)
        with self.unchanged(), refused(StatusCode.FAILED_PRECONDITION,
                                       f"session {session.session_id}", "running"):
            self.api.StartSession(server_game_config_id=self.sgc,
                                  restore_from_backup_id=self.backup.backup_id)
        with self.unchanged(), refused(StatusCode.FAILED_PRECONDITION,
                                       f"session {session.session_id}"):
            self.api.StartSession(server_game_config_id=self.sgc)
        forced = games.start(self.service, self.sgc, force=True,
                             restore_from_backup_id=self.backup.backup_id)
        self.assertEqual(self.api.wait_session(session.session_id, "stopped").exit_code, 0)
        self.assertEqual(forced.restored_from_backup_id, self.backup.backup_id)

    def assert_restore_crashes(self, *fragments):
        session = self.api.StartSession(server_game_config_id=self.sgc,
                                        restore_from_backup_id=self.backup.backup_id).session
        ended = self.api.wait_session(session.session_id, "crashed", timeout=120)
        for fragment in fragments:
            self.assertIn(fragment, ended.error_message)
        self.assert_world_untouched()
        wait_until(lambda: not self.service.leftovers(), 20, "the staging folder to go")
        self.assertEqual(list(self.service.gsc(self.sgc).glob("replaced-*")), [])
        self.assertFalse((self.service.gsc(self.sgc) / "starts").exists(), "no game was started")

    def test_object_gone(self):
        self.service.object_path(self.backup.s3_url).unlink()
        self.assert_restore_crashes(self.backup.s3_url.rpartition("/")[2])

    def test_object_spoilt(self):
        path = self.service.object_path(self.backup.s3_url)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x40
        path.write_bytes(data)
        self.assert_restore_crashes()

    def test_object_cut_short(self):
        path = self.service.object_path(self.backup.s3_url)
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size - 1000)
        self.assert_restore_crashes()

    def test_restored_url_is_that_of_the_row(self):
        """Old rows may have other keys: what the row says counts, never a computed key."""
        path = self.service.object_path(self.backup.s3_url)
        moved = path.parent.parent / "imported/old-name.tgz"
        moved.parent.mkdir()
        path.rename(moved)
        self.service.stop()
        self.change_row("UPDATE backups SET s3_url = 's3://manman/backups/imported/old-name.tgz'")
        self.service.start()
        games.start(self.service, self.sgc, restore_from_backup_id=self.backup.backup_id)
        self.assert_world_untouched()

    def change_row(self, sql):
        import sqlite3
        database = sqlite3.connect(self.service.state / "manman.db")
        with database:
            database.execute(sql)
        database.close()

    def test_program_that_is_not_there(self):
        bad = games.deploy(self.api, "bad", ["/no/such/program"])
        session = self.api.StartSession(server_game_config_id=bad).session
        ended = self.api.wait_session(session.session_id, "crashed")
        self.assertIn("/no/such/program", ended.error_message)

    def test_undo_without_a_restore(self):
        session = games.start(self.service, self.sgc)
        with self.unchanged():
            with refused(StatusCode.NOT_FOUND, "session 99"):
                self.api.UndoRestore(session_id=99)
            with refused(StatusCode.FAILED_PRECONDITION, f"session {session.session_id}"):
                self.api.UndoRestore(session_id=session.session_id)
        games.stop(self.service, session.session_id)
        with self.unchanged(), refused(StatusCode.FAILED_PRECONDITION,
                                       f"session {session.session_id} replaced no data"):
            self.api.UndoRestore(session_id=session.session_id)


class SessionErrors(ErrorCase):
    def test_unknown_session(self):
        for method, more in (("GetSession", {}), ("StopSession", {}), ("UndoRestore", {}),
                             ("SendInput", {"input": b"x\n"})):
            with refused(StatusCode.NOT_FOUND, "session 99"):
                getattr(self.api, method)(session_id=99, **more)
            with refused(StatusCode.INVALID_ARGUMENT, "session_id"):
                getattr(self.api, method)(session_id=-2, **more)

    def test_ended_session(self):
        session = games.start(self.service, self.sgc)
        games.stop(self.service, session.session_id)
        with self.unchanged():
            with refused(StatusCode.FAILED_PRECONDITION, f"session {session.session_id}",
                         "stopped"):
                self.api.StopSession(session_id=session.session_id)
            with refused(StatusCode.FAILED_PRECONDITION, f"session {session.session_id}",
                         "stopped"):
                self.api.SendInput(session_id=session.session_id, input=b"list\n")

    def test_input(self):
        session = games.start(self.service, self.sgc)
        with refused(StatusCode.INVALID_ARGUMENT, "input"):
            self.api.SendInput(session_id=session.session_id)
        with refused(StatusCode.INVALID_ARGUMENT, "input"):
            self.api.SendInput(session_id=session.session_id, input=b"x" * 100_000)
        self.api.SendInput(session_id=session.session_id, input=b"save-off\n")
        games.wait_output(self.service, self.sgc, session.session_id, "saving is now disabled")


class OneAtATime(ErrorCase):
    """One backup or restore at a time on an SGC, whichever is at work."""

    def test_backup_at_work(self):
        self.make_world()
        done = games.backup(self.service, server_game_config_id=self.sgc)
        self.service.restart("backup.archived=delay:6000")
        other = games.deploy_console(self.api, "other")
        held = self.api.CreateBackup(server_game_config_id=self.sgc).backup
        name = f"backup {held.backup_id}"
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.CreateBackup(server_game_config_id=self.sgc)
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.StartSession(server_game_config_id=self.sgc,
                                  restore_from_backup_id=done.backup_id)
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.StartSession(server_game_config_id=self.sgc,
                                  restore_from_backup_id=held.backup_id)
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.DeleteBackup(backup_id=held.backup_id)
        with refused(StatusCode.FAILED_PRECONDITION, name):
            list(self.api.DownloadBackup(backup_id=held.backup_id))
        games.start(self.service, other)  # another SGC is not held up
        self.assertIn(self.api.GetBackup(backup_id=held.backup_id).backup.status,
                      ("pending", "running"), "the backup was at work all the while")
        self.assertEqual(self.api.wait_backup(held.backup_id).status, "completed")
        games.backup(self.service, server_game_config_id=self.sgc)

    def test_restore_at_work(self):
        self.make_world()
        done = games.backup(self.service, server_game_config_id=self.sgc)
        self.service.restart("restore.extracted=delay:5000")
        session = self.api.StartSession(server_game_config_id=self.sgc,
                                        restore_from_backup_id=done.backup_id).session
        name = f"session {session.session_id}"
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.CreateBackup(server_game_config_id=self.sgc)
        with refused(StatusCode.FAILED_PRECONDITION, name):
            self.api.StartSession(server_game_config_id=self.sgc)
        with refused(StatusCode.FAILED_PRECONDITION, str(session.session_id)):
            self.api.DeleteBackup(backup_id=done.backup_id)
        self.assertIn(self.api.GetSession(session_id=session.session_id).session.status,
                      ("pending", "starting"), "the restore was at work all the while")
        self.api.wait_session(session.session_id, "running")
        games.backup(self.service, server_game_config_id=self.sgc)


if __name__ == "__main__":
    unittest.main()
