"""kill -9 of the service at every step of starting and of stopping a session."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import START, STOP, CrashScenario, with_points  # noqa: E402
from lib import games, trees  # noqa: E402


class SessionScenario(CrashScenario):
    def build(self):
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=4)
        self.world = self.snapshot()

    def starts(self):
        return games.lines_of(self.service.gsc(self.sgc) / "starts")

    def check_crashed(self):
        self.assert_wholly_one_of(world=self.world)


@with_points(START)
class KillDuringStart(SessionScenario):
    def prepare(self):
        for session in self.api.sessions(live_only=True):
            games.stop(self.service, session.session_id)
        self.before = {s.session_id for s in self.api.sessions()}
        self.started_before = len(self.starts())

    def act(self):
        self.api.StartSession(server_game_config_id=self.sgc)

    def new(self):
        return [s for s in self.api.sessions() if s.session_id not in self.before]

    def began(self):
        return bool(self.new())

    def finished(self):
        return bool(self.new()) and self.new()[0].status == "running"

    def check(self):
        self.assertEqual(len(self.new()), 1, "one call, one session")
        session = self.api.wait_session(self.new()[0].session_id, "running")
        self.assertGreater(session.started_at, 0)
        started = self.starts()[self.started_before:]
        self.assertEqual(len(started), 1, "the game was started once")
        self.assertEqual(self.game_pids(), [int(started[0])])
        self.check_crashed()


@with_points(STOP)
class KillDuringStop(SessionScenario):
    def prepare(self):
        live = self.api.sessions(live_only=True)
        running = live[0] if live else games.start(self.service, self.sgc)
        self.session = running.session_id

    def status(self):
        return self.api.GetSession(session_id=self.session).session.status

    def act(self):
        self.api.StopSession(session_id=self.session)

    def began(self):
        return self.status() != "running"

    def finished(self):
        return self.status() == "stopped"

    def check(self):
        session = self.api.wait_session(self.session, "stopped")
        self.assertEqual(session.exit_code, 0, "its stop command ends it with 0")
        self.assertGreaterEqual(session.ended_at, session.started_at)
        self.assertEqual(self.game_pids(), [])
        self.check_crashed()


if __name__ == "__main__":
    unittest.main()
