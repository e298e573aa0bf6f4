"""kill -9 of the service at the durable steps of its start."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402


class KillDuringStartUp(ServiceCase):
    def crash(self, point):
        self.service.launch(f"{point}=crash")
        self.service.wait_crash()

    def test_host_registered(self):
        remembered = self.service.state / "data/server.json"
        self.crash("host.registered")
        self.assertFalse(remembered.exists())
        self.service.start()
        self.assertTrue(remembered.exists())
        self.assertEqual(len(self.api.ListServers().servers), 1, "the same name is the same server")
        sgc = games.deploy_console(self.api)
        session = games.start(self.service, sgc).session_id
        self.service.kill()
        remembered.write_text("{ damaged")  # as good as none
        self.service.start()
        self.assertEqual(games.stop(self.service, session).exit_code, 0)

    def test_api_uploads_swept(self):
        self.service.start()
        self.service.stop()
        uploads = self.service.state / "store/.uploads"
        old, young = (uploads / f"manman%2fbackups%2f7%2f{n}.tar.gz~{n * 32}" for n in "12")
        for path in (old, young):
            path.write_bytes(b"half of an archive")
        four_days_ago = time.time() - 4 * 86400
        os.utime(old, (four_days_ago, four_days_ago))
        self.crash("api.uploads_swept")
        self.assertFalse(old.exists())
        os.utime(young, (four_days_ago, four_days_ago))
        self.service.start()
        wait_until(lambda: not young.exists(), 30, "the sweeper to go on after the crash")

    def test_host_session_forgotten(self):
        self.service.start()
        sgc = games.deploy_console(self.api)
        for _ in range(4):
            games.stop(self.service, games.start(self.service, sgc).session_id)
        running = games.start(self.service, sgc).session_id
        self.service.stop()
        self.service.arguments = [*self.service.arguments, "--keep-sessions", "1"]

        def left():
            return sorted(int(path.name.removeprefix("session-")) for path in self.service.gsc(sgc).glob("session-*"))
        before = left()
        self.service.launch("host.session_forgotten=crash")
        self.service.wait_crash()
        self.assertEqual(len(left()), len(before) - 1)
        # A death in the middle of a folder leaves some of its files, whichever.
        half = self.service.gsc(sgc) / f"session-{min(left())}"
        for path in sorted(half.iterdir())[::2]:
            path.unlink()
        self.service.start()
        wait_until(lambda: left() == [running - 1, running], 30, "the other folders to go")
        self.assertEqual([s.status for s in self.api.sessions() if s.session_id != running], ["stopped"] * 4)
        self.assertEqual(games.stop(self.service, running).exit_code, 0)


if __name__ == "__main__":
    unittest.main()
