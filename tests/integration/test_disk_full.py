"""The service on disks that fill: the store, the game's data, the database, all of its state."""

import random
import sys
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from small_disk import SmallDisk, needs_root  # noqa: E402

MIB = 1 << 20
# What the message of a full disk may be made of, wherever it was noticed.
FULL = r"(?i)no space left|free|room|disk.*full|full.*disk"


class DiskCase(ServiceCase):
    """A small disk at self.disk, unmounted after the service has gone."""

    size_mib = 300

    def setUp(self):
        self.disk = SmallDisk(self.size_mib)
        self.addCleanup(self.disk.close)
        super().setUp()

    def make_noise(self, game, files, seed=3):
        """Data that no compression makes smaller, `files` files of 5 MiB."""
        noise = random.Random(seed)
        (game / "world").mkdir(parents=True, exist_ok=True)
        for number in range(files):
            (game / f"world/r.{number}.mca").write_bytes(noise.randbytes(5 * MIB))

    def deploy_running(self, files):
        sgc = games.deploy_console(self.api)
        self.make_noise(self.service.game(sgc), files)
        session = games.start(self.service, sgc)
        return sgc, session.session_id

    def console(self, sgc):
        return games.lines_of(self.service.gsc(sgc) / "console")

    def assert_nothing_under_way(self):
        """No half object, nothing in the journal, no staging; in a moment, as cleaning goes on
        behind the row's last state."""
        wait_until(lambda: not self.service.leftovers(), 20, "what work under way has, to be gone")


@needs_root
class StoreIsFull(DiskCase):
    def setUp(self):
        super().setUp()
        self.service.arguments = ["--store", str(self.disk.path / "store")]
        self.service.start()

    def stored(self):
        return [p for p in self.disk.path.rglob("*") if p.is_file() and p != self.disk.filler]

    def test_backup_fails_and_leaves_nothing(self):
        sgc, session = self.deploy_running(files=12)
        before = trees.snapshot(self.service.game(sgc))
        self.disk.fill(30 * MIB)

        backup = self.api.CreateBackup(session_id=session).backup
        ended = self.api.wait_backup(backup.backup_id)

        self.assertEqual(ended.status, "failed")
        self.assertRegex(ended.error_message, FULL)
        self.assertEqual(self.stored(), [])
        self.assert_nothing_under_way()
        self.assertGreater(self.disk.free_bytes(), 29 * MIB)
        # The game was told to write again, and goes on.
        self.assertEqual(self.console(sgc)[-1], "save-on")
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "running")
        trees.assert_same(before, trees.snapshot(self.service.game(sgc)), "the game's data")

        # With room again the next one succeeds, and the failed one can be deleted.
        self.disk.empty()
        good = games.backup(self.service, session_id=session)
        self.assertEqual(len(self.stored()), 1)
        self.api.DeleteBackup(backup_id=backup.backup_id)
        wait_until(lambda: [b.backup_id for b in self.api.backups()] == [good.backup_id], 20,
                   "the failed backup to be gone")

    def test_command_line_says_why(self):
        sgc, session = self.deploy_running(files=8)
        self.disk.fill(5 * MIB)
        done = self.service.cli("backup", "create", "--session", session, "--wait", expect=1)
        self.assertRegex(done.stderr, FULL)


@needs_root
class GameDiskIsFull(DiskCase):
    def setUp(self):
        super().setUp()
        self.service.arguments = ["--data-dir", str(self.disk.path / "data")]
        self.service.gsc = lambda sgc: self.disk.path / f"data/gsc-local-{sgc}"
        self.service.start()

    def test_a_drill_is_given_up_and_leaves_nothing(self):
        sgc, session = self.deploy_running(files=12)
        backup = games.backup(self.service, session_id=session)
        before = trees.snapshot(self.service.game(sgc))
        self.disk.fill(30 * MIB)
        drill_id = self.api.DrillBackup(backup_id=backup.backup_id).drill.drill_id

        def ended():
            drill = self.api.GetDrill(drill_id=drill_id).drill
            return drill.status not in ("pending", "running") and drill
        drill = wait_until(ended, 60, "the drill to end")
        self.assertEqual((drill.status, drill.finding_count), ("given-up", 0))
        self.assertRegex(drill.error_message, FULL)
        row = self.api.GetBackup(backup_id=backup.backup_id).backup
        self.assertEqual((row.verified_how, row.verification_failed_at), ("", 0), "it says nothing of the backup")
        self.assertEqual(list((self.disk.path / "data/drills").iterdir()), [])
        self.assertGreater(self.disk.free_bytes(), 29 * MIB)
        trees.assert_same(before, trees.snapshot(self.service.game(sgc)), "the game's data")

    def restore_into(self, leave_bytes):
        sgc, session = self.deploy_running(files=12)
        backup = games.backup(self.service, session_id=session)
        games.stop(self.service, session)
        game = self.service.game(sgc)
        trees.spoil(game, 1) if (game / "plugins").exists() else (game / "world/r.0.mca").unlink()
        old = trees.snapshot(game)
        self.disk.fill(leave_bytes)

        done = self.service.cli("session", "start", sgc, "--restore-from", backup.backup_id, "--wait",
                                expect=1)
        self.assertRegex(done.stderr, FULL)
        crashed = self.api.sessions(server_game_config_id=sgc)[0]
        self.assertEqual(crashed.status, "crashed")
        self.assertEqual(crashed.restored_from_backup_id, backup.backup_id)
        self.assertRegex(crashed.error_message, FULL)
        trees.assert_same(old, trees.snapshot(game), "the old data")
        self.assert_only_the_game(sgc)

        self.disk.empty()
        games.start(self.service, sgc, restore_from_backup_id=backup.backup_id)
        self.assertTrue((game / "world/r.0.mca").exists())

    def assert_only_the_game(self, sgc):
        def staging():
            return [p for p in self.service.gsc(sgc).iterdir()
                    if p.name.startswith("restore-") or "trash" in p.name or "replaced" in p.name]
        wait_until(lambda: not staging(), 20, "the staging folder to be gone")
        self.assertGreater(self.disk.free_bytes(), self.left_bytes - 2 * MIB)

    def test_less_free_than_the_backup_needs(self):
        self.left_bytes = 30 * MIB
        self.restore_into(self.left_bytes)

    def test_a_bit_less_than_needed_and_kept_free(self):
        self.left_bytes = 100 * MIB
        self.restore_into(self.left_bytes)

    def test_nothing_free(self):
        self.left_bytes = 0
        self.restore_into(0)


@needs_root
class DatabaseDiskIsFull(DiskCase):
    size_mib = 40

    def setUp(self):
        super().setUp()
        (self.disk.path / "db").mkdir()
        self.service.arguments = ["--db", f"sqlite:{self.disk.path / 'db/manman.db'}"]
        self.service.start()

    def test_calls_fail_clearly_and_nothing_is_lost(self):
        sgc, session = self.deploy_running(files=1)
        kept = games.backup(self.service, session_id=session)
        # SQLite's log may hold free pages that it writes to without asking the disk.
        self.disk.fill()
        made, error = [], None
        for number in range(3_000):
            try:
                made.append(self.api.CreateGame(name=f"game {number} " + "n" * 60).game.game_id)
            except grpc.RpcError as refused:
                error = refused
                break
        self.assertIsNotNone(error, "the disk was full and every row was taken")
        self.assertIn(error.code(), (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL))
        self.assertRegex(error.details(), FULL)

        self.disk.empty()
        again = wait_until(self.create_game, 30, "the database to take rows again")
        rows = {game.game_id for game in self.api.all("ListGames", "games")}
        self.assertLessEqual({*made, again}, rows)
        self.assertEqual(self.api.GetBackup(backup_id=kept.backup_id).backup.status, "completed")
        games.backup(self.service, session_id=session)
        games.stop(self.service, session)
        # And after a start from what is on the disk.
        self.service.restart()
        self.assertEqual(rows, {game.game_id for game in self.api.all("ListGames", "games")})

    def create_game(self):
        try:
            return self.api.CreateGame(name="after").game.game_id
        except grpc.RpcError:
            return None


@needs_root
class WholeStateIsOnAFullDisk(DiskCase):
    """Database, journal, store and the game's data, all without room."""

    def setUp(self):
        super().setUp()
        self.service.state = self.disk.path / "state"
        self.service.start()

    def test_nothing_stays_stuck(self):
        sgc, session = self.deploy_running(files=4)
        first = games.backup(self.service, session_id=session)
        before = trees.snapshot(self.service.game(sgc))
        self.disk.fill()

        accepted = []
        for _ in range(5):
            try:
                accepted.append(self.api.CreateBackup(session_id=session).backup.backup_id)
            except grpc.RpcError as refused:
                self.assertIn(refused.code(), (
                    grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL,
                    grpc.StatusCode.FAILED_PRECONDITION))  # the last: one is at work
        self.disk.empty()

        for backup_id in accepted:
            ended = self.api.wait_backup(backup_id, timeout=150)
            if ended.status == "failed":
                self.assertNotEqual(ended.error_message, "")
        second = wait_until(lambda: self.try_backup(session), 60, "a backup to be taken again")
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "running")
        self.assertEqual(self.console(sgc)[-1], "save-on")
        for backup in (first, second):
            self.assert_archive_holds(self.service.object_path(backup.s3_url), before)
        self.assert_nothing_under_way()

    def try_backup(self, session):
        try:
            backup = self.api.CreateBackup(session_id=session).backup
        except grpc.RpcError:
            return None
        return self.api.wait_backup(backup.backup_id) if backup else None


if __name__ == "__main__":
    unittest.main()
