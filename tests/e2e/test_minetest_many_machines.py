"""Minetest on many machines: its world is backed up while it plays and when it has stopped, destroyed,
brought back by force, and played on, through two API processes, RabbitMQ, PostgreSQL and Ceph's S3."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import minetest_world  # noqa: E402
from lib import trees  # noqa: E402
from lib.cluster import Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

WORLD_BYTES = 12 << 20
# Minetest's console takes no commands, so that there is nothing to quiesce it with: a backup of a world
# that is played in says by a warning what changed while it was read.


class MinetestOnManyMachines(unittest.TestCase):
    def setUp(self):
        self.engines = self.enterContext(Engines())
        self.cluster = self.enterContext(Cluster(self.engines))
        self.addCleanup(lambda: print(self.cluster.logs()) if self.failed() else None)
        self.one, self.other = self.cluster.api(0), self.cluster.api(1)
        self.port = minetest_world.free_udp_port()
        self.sgc = self.cluster.deploy(
            "beta", "minetest", entrypoint=["/bin/sh", "-c", minetest_world.RUN], stop_grace_seconds=60,
            env_template={"MINETEST_USER_PATH": str(self.cluster.folder / "minetest-user")})
        self.game = self.cluster.game("beta", self.sgc)
        minetest_world.install(self.game, self.port)

    def failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in result.failures + result.errors)

    def output(self, session):
        return (self.game.parent / f"session-{session}/output.log").read_text(errors="replace")

    def stop(self, session):
        self.one.StopSession(session_id=session)
        ended = self.other.wait_session(session, "stopped", timeout=120)
        self.assertEqual(ended.exit_code, 0, "SIGTERM ends it cleanly")
        self.assertEqual(minetest_world.integrity(self.game), "ok")

    def completed(self, backup_id):
        backup = self.other.wait_backup(backup_id, timeout=300)
        self.assertEqual((backup.status, backup.error_message), ("completed", ""))
        return backup

    def unpacked(self, backup):
        """The archive as the tools of others read it."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="manman-test-")))
        self.engines.aws("s3", "cp", backup.s3_url, folder / "archive.tar.gz")
        subprocess.run(["tar", "--numeric-owner", "--warning=no-unknown-keyword", "-xpzSf", folder / "archive.tar.gz",
                        "-C", folder], check=True)
        return folder / "game"

    def test_the_world_comes_back_and_is_played_on(self):
        session = self.one.StartSession(server_game_config_id=self.sgc).session.session_id
        self.other.wait_session(session, "running")
        wait_until(lambda: minetest_world.map_size(self.game) >= WORLD_BYTES, 600, "the world to grow", interval=0.5)
        live = self.completed(self.one.CreateBackup(session_id=session, description="while it plays").backup.backup_id)
        self.assertTrue((self.unpacked(live) / "world/map.sqlite").exists())
        self.assertEqual(self.other.wait_session(session, "running").session_id, session, "it plays on")

        self.stop(session)
        before, blocks = trees.snapshot(self.game), minetest_world.blocks(self.game)
        size = minetest_world.map_size(self.game)
        self.assertGreater(blocks, 1000)
        still = self.completed(self.other.CreateBackup(session_id=session, description="stopped").backup.backup_id)
        trees.assert_same(before, trees.snapshot(self.unpacked(still)), "the archive", ignore=("holes",))

        minetest_world.destroy(self.game)
        self.assertNotEqual(trees.diff(before, trees.snapshot(self.game)), [])
        session = self.other.StartSession(server_game_config_id=self.sgc, force=True,
                                          restore_from_backup_id=still.backup_id).session.session_id
        self.one.wait_session(session, "running", timeout=120)
        wait_until(lambda: f"listening on 127.0.0.1:{self.port}" in self.output(session), 120, "the server to listen")
        self.assertFalse((self.game / "world/rubbish").exists())
        wait_until(lambda: minetest_world.map_size(self.game) > size + (2 << 20), 600,
                   "the restored world to be explored further", interval=0.5)
        self.stop(session)
        self.assertGreater(minetest_world.blocks(self.game), blocks, "what was there, and more")

        listed = {b.backup_id: b.status for b in self.one.backups(server_game_config_id=self.sgc)}
        self.assertEqual(listed, {live.backup_id: "completed", still.backup_id: "completed"})
        for backup in (live, still):
            self.assertIn(backup.s3_url.split("/", 3)[3], self.engines.objects())
            self.other.DeleteBackup(backup_id=backup.backup_id)
        wait_until(lambda: not self.one.backups(server_game_config_id=self.sgc), 60, "the rows to go")
        self.assertEqual((self.engines.objects(), self.engines.uploads()), ([], []))


if __name__ == "__main__":
    unittest.main()
