"""A real game server, Debian's minetest-server: its world is backed up, destroyed and brought back
with every file identical, and the server plays on in it."""

import hashlib
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import minetest_world  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

WORLD_BYTES = 52 << 20
# Waits for a file beside game/ before it touches anything, so that restored data can be compared
# as it was restored.
LAUNCH = f"""
echo "waiting for the go"
while [ ! -e ../go ]; do sleep 0.1; done
{minetest_world.RUN}
"""


class Minetest(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.port = minetest_world.free_udp_port()
        self.sgc = games.deploy(
            self.api, "minetest", ["/bin/sh", "-c", LAUNCH], stop_grace_seconds=60,
            env_template={"MINETEST_USER_PATH": str(self.service.folder / "minetest-user")})
        self.game = self.service.game(self.sgc)
        self.go = self.service.gsc(self.sgc) / "go"

    def map_size(self):
        return minetest_world.map_size(self.game)

    def play_until_world_is_big(self):
        self.go.touch()
        session = games.start(self.service, self.sgc).session_id
        wait_until(lambda: self.map_size() >= WORLD_BYTES or self.over(session), 1000,
                   f"the world to grow to {WORLD_BYTES} bytes", interval=0.5)
        self.assertGreaterEqual(self.map_size(), WORLD_BYTES,
                                self.service.output(self.sgc, session)[-2000:])
        self.api.StopSession(session_id=session)
        ended = self.api.wait_session(session, "stopped", timeout=90)
        self.assertEqual(ended.exit_code, 0, "SIGTERM ends it cleanly")

    def over(self, session):
        return self.api.GetSession(session_id=session).session.status == "crashed"

    def test_world_comes_back(self):
        minetest_world.install(self.game, self.port)
        self.play_until_world_is_big()
        before = trees.snapshot(self.game)
        made = self.service.cli_json("backup", "create", "--sgc", self.sgc, "-m",
                                     "before the griefer", "--wait")
        backup = self.api.backups()[0]
        self.assertIn(str(backup.backup_id), str(made))
        self.assertEqual((backup.status, backup.description), ("completed", "before the griefer"))
        digest = hashlib.sha256(self.service.object_path(backup.s3_url).read_bytes()).hexdigest()
        self.assertEqual(backup.sha256, digest)
        trees.assert_same(before, trees.snapshot(self.game), "game/ after the backup")

        self.go.unlink()
        minetest_world.destroy(self.game)
        destroyed = trees.snapshot(self.game)
        self.service.cli("session", "start", self.sgc, "--restore-from", backup.backup_id, "--wait")
        session = self.api.sessions(live_only=True)[0]
        self.assertEqual((session.status, session.restored_from_backup_id),
                         ("running", backup.backup_id))
        games.wait_output(self.service, self.sgc, session.session_id, "waiting for the go")
        trees.assert_same(before, trees.snapshot(self.game), "the restored world")
        self.assertEqual(minetest_world.integrity(self.game), "ok")
        replaced = self.service.gsc(self.sgc) / f"replaced-{session.session_id}"
        trees.assert_same(destroyed, trees.snapshot(replaced), "the replaced data")
        self.plays_on(session.session_id)

    def plays_on(self, session):
        size = self.map_size()
        self.go.touch()
        games.wait_output(self.service, self.sgc, session, f"listening on 127.0.0.1:{self.port}",
                          timeout=120)
        self.assertEqual(self.api.wait_session(session, "running").session_id, session)
        self.assertGreaterEqual(self.map_size(), size)
        self.api.StopSession(session_id=session)
        ended = self.api.wait_session(session, "stopped", timeout=90)
        self.assertEqual(ended.exit_code, 0)
        self.assertEqual(minetest_world.integrity(self.game), "ok")
        self.assertFalse(os.path.exists(self.game / "world/rubbish"))


if __name__ == "__main__":
    unittest.main()
