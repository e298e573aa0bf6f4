"""Restore drills: what they find in backups, what they leave, and what they say when they can't be done."""

import gzip
import json
import sys
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees, worlds  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402

NBT_RULE = {"examine": [{"pattern": "level.dat", "as": "nbt"}]}


class Case(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy(self.api, handling=NBT_RULE)
        self.world = self.service.game(self.sgc) / "world"
        worlds.make(self.world)

    def backup(self):
        return games.backup(self.service, server_game_config_id=self.sgc)

    def row(self, backup):
        return self.api.GetBackup(backup_id=backup.backup_id).backup

    def ended(self, drill_id):
        def look():
            drill = self.api.GetDrill(drill_id=drill_id).drill
            return drill.status not in ("pending", "running") and drill
        return wait_until(look, 60, f"drill {drill_id} to end")

    def drill(self, backup, **fields):
        return self.ended(self.api.DrillBackup(backup_id=backup.backup_id, **fields).drill.drill_id)

    def restorable(self):
        return self.api.GetServerGameConfig(server_game_config_id=self.sgc).config.restorable_backup_id

    def scratch(self):
        folder = self.service.state / "data" / "drills"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class Outcomes(Case):
    def test_a_good_world_passes_and_nothing_is_touched(self):
        backup = self.backup()
        before = trees.snapshot(self.service.game(self.sgc))
        drill = self.drill(backup)
        self.assertEqual((drill.status, drill.error_message, drill.finding_count), ("passed", "", 0))
        self.assertIn("1 databases, 1 region files (2 chunks), 1 NBT files", drill.examined)
        self.assertEqual(drill.server_id, self.api.ListServers().servers[0].server_id)
        row = self.row(backup)
        self.assertEqual(row.verified_how, "drill")
        self.assertGreaterEqual(row.verified_at, row.finished_at)
        self.assertEqual(self.restorable(), backup.backup_id)
        self.assertEqual(trees.diff(before, trees.snapshot(self.service.game(self.sgc))), [])
        self.assertEqual(self.scratch(), [])
        list(self.api.VerifyBackup(backup_id=backup.backup_id))
        self.assertEqual(self.row(backup).verified_how, "drill", "less does not take its place")

    def check_found(self, what, *places):
        backup = self.backup()
        self.service.cli("backup", "verify", backup.backup_id)
        drill = self.drill(backup)
        self.assertEqual(drill.status, "failed")
        text = "\n".join(drill.findings)
        for place in (what, *places):
            self.assertIn(place, text)
        row = self.row(backup)
        self.assertEqual((row.status, row.verification_failed_how), ("completed", "drill"))
        self.assertIn(f"drill {drill.drill_id}: ", row.verification_error)
        self.assertIn(what, row.verification_error)
        self.assertTrue(self.service.object_path(row.s3_url).exists(), "nothing is deleted")
        self.assertEqual(self.restorable(), 0)
        self.service.cli("backup", "verify", backup.backup_id)  # the archive is perfect
        self.assertTrue(self.row(backup).verification_failed_at, "which says nothing of what is in it")
        self.assertEqual(self.scratch(), [])

    def test_a_broken_database_in_a_perfect_archive(self):
        worlds.break_database(self.world)
        self.check_found("world/map.sqlite")

    def test_a_region_file_with_a_bad_sector_table(self):
        worlds.break_region(self.world)
        self.check_found("world/region/r.0.0.mca", "chunk")

    def test_a_broken_level_dat(self):
        whole = gzip.compress(worlds.NBT)
        (self.world / "level.dat").write_bytes(whole[:-12])
        self.check_found("world/level.dat")

    def test_a_flipped_bit_in_the_object(self):
        backup = self.backup()
        path = self.service.object_path(backup.s3_url)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
        drill = self.drill(backup)
        self.assertEqual((drill.status, drill.finding_count), ("failed", 1))
        self.assertIn("is damaged", drill.findings[0])
        self.assertTrue(self.row(backup).verification_failed_at)
        self.assertEqual(self.scratch(), [])

    def test_a_store_that_has_it_no_more_says_nothing_of_the_backup(self):
        backup = self.backup()
        self.service.object_path(backup.s3_url).unlink()
        drill = self.drill(backup)
        self.assertEqual(drill.status, "given-up")
        self.assertEqual(self.row(backup).verification_failed_at, 0)


class Asking(Case):
    def test_what_is_refused(self):
        backup = self.backup()
        with refused(grpc.StatusCode.NOT_FOUND, "no backup 99"):
            self.api.DrillBackup(backup_id=99)
        with refused(grpc.StatusCode.NOT_FOUND, "no server 99"):
            self.api.DrillBackup(backup_id=backup.backup_id, server_id=99)
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "backup_id"):
            self.api.DrillBackup()
        with refused(grpc.StatusCode.NOT_FOUND, "no drill 9"):
            self.api.GetDrill(drill_id=9)

    def test_command_line(self):
        backup = self.backup()
        said = self.service.cli("backup", "drill", backup.backup_id, "--wait").stdout
        self.assertIn("drill 1 passed; it holds 1 databases", said)
        worlds.break_database(self.world)
        broken = self.backup()
        run = self.service.cli("backup", "drill", broken.backup_id, "--wait", expect=7)
        self.assertIn("problem: world/map.sqlite", run.stdout)
        listed = json.loads(self.service.cli("backup", "drills", "--sgc", self.sgc, "-o", "json").stdout)
        self.assertEqual([drill["status"] for drill in listed["items"]], ["failed", "passed"])
        self.assertIn("damaged", self.service.cli("backup", "list").stdout)
        self.service.object_path(self.row(broken).s3_url).unlink()
        run = self.service.cli("backup", "drill", broken.backup_id, "--wait", expect=1)
        self.assertIn("could not be done", run.stderr)

    def test_deleting_takes_the_drills_with_it(self):
        backup = self.backup()
        drill = self.drill(backup)
        self.api.DeleteBackup(backup_id=backup.backup_id)
        with refused(grpc.StatusCode.NOT_FOUND, f"no drill {drill.drill_id}"):
            self.api.GetDrill(drill_id=drill.drill_id)


class Lost(Case):
    def setUp(self):
        self.arguments = ["--lease-seconds", "3"]
        super().setUp()

    def test_a_host_that_says_nothing(self):
        backup = self.backup()
        server = self.api.RegisterServer(name="silent", environment="local").server_id
        drill = self.drill(backup, server_id=server)
        self.assertEqual((drill.status, drill.finding_count), ("given-up", 0))
        self.assertIn(f"host lost: server {server} said nothing", drill.error_message)
        row = self.row(backup)
        self.assertEqual((row.verified_how, row.verification_failed_at), ("", 0))
        self.assertEqual(self.drill(backup).status, "passed", "another one may be asked for")


class Slow(Case):
    """The host is held while it drills."""

    def setUp(self):
        super().setUp()
        self.service.restart("drill.unpacked=delay:6000")

    def test_one_at_a_time_and_a_backup_beside_it(self):
        backup = self.backup()
        drill = self.api.DrillBackup(backup_id=backup.backup_id).drill
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "is at work already"):
            self.api.DrillBackup(backup_id=backup.backup_id)
        wait_until(self.scratch, 30, "the drill to unpack")
        other = self.backup()
        self.assertEqual(self.api.GetDrill(drill_id=drill.drill_id).drill.status, "running")
        waiting = self.api.DrillBackup(backup_id=other.backup_id).drill
        self.api.DeleteBackup(backup_id=other.backup_id)
        with refused(grpc.StatusCode.NOT_FOUND):
            self.api.GetDrill(drill_id=waiting.drill_id)
        self.assertEqual(self.ended(drill.drill_id).status, "passed")
        wait_until(lambda: not self.scratch(), 60, "the other's folder to go")


if __name__ == "__main__":
    unittest.main()
