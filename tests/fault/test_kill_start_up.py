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


if __name__ == "__main__":
    unittest.main()
