"""kill -9 of the service at every step of a restore drill."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import DRILL, CrashScenario, with_points  # noqa: E402
from lib import games, worlds  # noqa: E402
from lib.wait import wait_until  # noqa: E402


@with_points(DRILL)
class KillDuringDrill(CrashScenario):
    def build(self):
        self.sgc = games.deploy(self.api)
        world = self.service.game(self.sgc) / "world"
        worlds.make(world)
        worlds.break_database(world)
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.world = self.snapshot()

    def drills(self):
        return self.api.all("ListDrills", "drills", backup_id=self.backup.backup_id)

    def prepare(self):
        self.before = {drill.drill_id for drill in self.drills()}

    def act(self):
        self.api.DrillBackup(backup_id=self.backup.backup_id)

    def new(self):
        return [drill for drill in self.drills() if drill.drill_id not in self.before]

    def began(self):
        return bool(self.new())

    def finished(self):
        return bool(self.new()) and self.new()[0].status in ("passed", "failed", "given-up")

    def check(self):
        self.assertEqual(len(self.new()), 1, "one call, one row")
        wait_until(self.finished, 60, "the drill to end")
        drill = self.new()[0]
        self.assertEqual(drill.status, "failed", drill.error_message)
        self.assertIn("world/map.sqlite", drill.findings[0])
        row = self.api.GetBackup(backup_id=self.backup.backup_id).backup
        self.assertEqual(row.verification_failed_how, "drill")
        drills = self.service.state / "data" / "drills"
        wait_until(lambda: not drills.exists() or not list(drills.iterdir()), 30, "the scratch folder to go")
        self.assert_wholly_one_of(world=self.world)


if __name__ == "__main__":
    unittest.main()
