"""A game lives on when the service is killed, and is adopted by the next."""

import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, processes  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class GameOutlivesService(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.session = games.start(self.service, self.sgc).session_id
        self.gsc = self.service.gsc(self.sgc)
        wait_until(lambda: games.lines_of(self.gsc / "starts"), 20, "the game to start")
        self.pid = int(games.lines_of(self.gsc / "starts")[0])

    def type_to_game(self, line):
        """As an operator could with the service down: straight into the game's input."""
        with open(self.gsc / f"session-{self.session}/stdin", "w") as fifo:
            fifo.write(line + "\n")

    def assert_adopted(self):
        self.assertEqual(self.api.wait_session(self.session, "running").session_id, self.session)
        self.assertTrue(processes.alive(self.pid))
        self.assertEqual(len(games.lines_of(self.gsc / "starts")), 1, "it was not started again")
        self.api.SendInput(session_id=self.session, input=b"save-all flush\n")
        games.wait_output(self.service, self.sgc, self.session, "Saved the game")

    def test_killed_service(self):
        self.service.kill()
        self.assertTrue(processes.alive(self.pid))
        self.service.start()
        self.assert_adopted()
        ended = games.stop(self.service, self.session)
        self.assertEqual((ended.status, ended.exit_code), ("stopped", 0))
        self.assertFalse(processes.alive(self.pid))

    def test_stopped_service(self):
        self.service.stop()
        self.assertTrue(processes.alive(self.pid))
        self.service.start()
        self.assert_adopted()

    def test_exit_code_after_adoption(self):
        self.service.kill()
        self.service.start()
        self.assert_adopted()
        self.api.SendInput(session_id=self.session, input=b"exit 7\n")
        ended = self.api.wait_session(self.session, "crashed")
        self.assertEqual(ended.exit_code, 7)
        self.assertIn("7", ended.error_message)

    def test_game_that_fails_while_no_one_watches(self):
        self.service.kill()
        self.type_to_game("exit 3")
        wait_until(lambda: not processes.alive(self.pid), 20, "the game to end")
        self.service.start()
        ended = self.api.wait_session(self.session, "crashed")
        self.assertEqual(ended.exit_code, 3)
        self.assertIn("3", ended.error_message)

    def test_game_that_completes_while_no_one_watches(self):
        self.service.kill()
        self.type_to_game("exit 0")
        wait_until(lambda: not processes.alive(self.pid), 20, "the game to end")
        self.service.start()
        self.assertEqual(self.api.wait_session(self.session, "completed").exit_code, 0)

    def test_game_killed_by_a_signal(self):
        self.service.kill()
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not processes.alive(self.pid), 20, "the game to end")
        self.service.start()
        ended = self.api.wait_session(self.session, "crashed")
        self.assertEqual(ended.exit_code, 128 + signal.SIGKILL)
        self.assertIn("signal 9", ended.error_message)

    def test_game_and_wrapper_gone(self):
        """As after the machine went down: nothing is known of the game's end."""
        self.service.kill()
        processes.kill_all_of(self.service.state)
        self.service.start()
        ended = self.api.wait_session(self.session, "crashed")
        self.assertTrue(ended.error_message, "the reason is told")
        again = games.start(self.service, self.sgc)
        self.assertNotEqual(again.session_id, self.session)

    def test_wrapper_gone_game_alive(self):
        self.service.kill()
        wrappers = set(processes.of_folder(self.service.state)) - {self.pid}
        self.assertTrue(wrappers)
        for pid in wrappers:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(processes.alive, wrappers)), 20, "the wrapper to end")
        self.service.start()
        if not processes.alive(self.pid):  # it lost its input with the wrapper, and may end
            self.api.wait_session(self.session, "crashed", "completed")
            return
        self.api.wait_session(self.session, "running", "crashed", "completed")
        if processes.alive(self.pid):
            self.api.StopSession(session_id=self.session)
            self.api.wait_session(self.session, "stopped", "crashed", "completed", timeout=90)
        self.assertFalse(processes.alive(self.pid))


if __name__ == "__main__":
    unittest.main()
