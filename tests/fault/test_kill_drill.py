"""kill -9 of the service at every step of a restore drill."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import DRILL, DRILL_GAME, CrashScenario, with_points  # noqa: E402
from lib import games, paths, processes, worlds  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class Drill(CrashScenario):
    START_GAME = False

    def drills(self):
        return self.api.all("ListDrills", "drills", backup_id=self.backup.backup_id)

    def prepare(self):
        self.before = {drill.drill_id for drill in self.drills()}

    def act(self):
        self.api.DrillBackup(backup_id=self.backup.backup_id, start_game=self.START_GAME)

    def new(self):
        return [drill for drill in self.drills() if drill.drill_id not in self.before]

    def began(self):
        return bool(self.new())

    def finished(self):
        return bool(self.new()) and self.new()[0].status in ("passed", "failed", "given-up")

    def check(self):
        self.assertEqual(len(self.new()), 1, "one call, one row")
        wait_until(self.finished, 60, "the drill to end")
        self.check_outcome(self.new()[0])
        drills = self.service.state / "data" / "drills"
        wait_until(lambda: not drills.exists() or not list(drills.iterdir()), 30, "the scratch folder to go")
        self.assert_wholly_one_of(world=self.world)

        self.assertEqual(processes.of_folder(drills), [])


@with_points(DRILL)
class KillDuringDrill(Drill):
    def build(self):
        self.sgc = games.deploy(self.api)
        world = self.service.game(self.sgc) / "world"
        worlds.make(world)
        worlds.break_database(world)
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.world = self.snapshot()

    def check_outcome(self, drill):
        self.assertEqual(drill.status, "failed", drill.error_message)
        self.assertIn("world/map.sqlite", drill.findings[0])
        row = self.api.GetBackup(backup_id=self.backup.backup_id).backup
        self.assertEqual(row.verification_failed_how, "drill")


@with_points(DRILL_GAME)
class KillDuringDrillOfAGame(Drill):
    START_GAME = True

    def build(self):
        self.sgc = games.deploy(self.api, "sample", [str(paths.sample_game())], profile="sample-game",
                                command=["--regions", "2", "--region-kib", "64", "--tick-ms", "20"])
        session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, session, "Done")
        games.stop(self.service, session)
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.world = self.snapshot()

    def check_outcome(self, drill):
        self.assertEqual((drill.status, drill.error_message), ("passed", ""))
        self.assertIn("the game was ready after", drill.examined)
        self.assertEqual(self.api.GetBackup(backup_id=self.backup.backup_id).backup.verified_how, "drill")


if __name__ == "__main__":
    unittest.main()
