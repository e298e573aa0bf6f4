"""docs/disaster-recovery.md, word for word, on PostgreSQL, RabbitMQ and Ceph: back up, drop the database,
begin anew, adopt, restore a world, go on."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import audit, games, paths, trees  # noqa: E402
from lib.cluster import BUCKET, Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

GUIDE = Path(__file__).resolve().parents[2] / "docs/disaster-recovery.md"
CONFIG = {"stop_command": "stop", "quiesce": games.QUIESCE, "resume": ["save-on"],
          "env_template": {"SECRET": "s3cr3t-value"}}


class DisasterRecovery(unittest.TestCase):
    def setUp(self):
        self.engines = self.enterContext(Engines())
        self.cluster = self.enterContext(Cluster(self.engines, apis=1, hosts=("alpha",)))
        self.addCleanup(lambda: print(self.cluster.logs()))

    @property
    def api(self):
        return self.cluster.api()

    def guide(self, words, expect=0):
        """Runs a command of the guide, which must have it in these words."""
        self.assertIn(f"\nmanman {words}\n", GUIDE.read_text())
        return self.cluster.cli("-o", "json", *words.split(), expect=expect)

    def items(self, done):
        return json.loads(done.stdout)["items"]

    def backed_up(self, sgc):
        made = self.api.CreateBackup(server_game_config_id=sgc, description="before it happened").backup
        ended = self.api.wait_backup(made.backup_id)
        self.assertEqual(ended.status, "completed", ended.error_message)
        return ended

    def lose_the_database(self):
        self.cluster.hosts["alpha"].stop()
        self.cluster.kill_api(0)
        self.engines.postgres.sql("DROP DATABASE manman WITH (FORCE)", database="postgres")
        self.engines.postgres.sql("CREATE DATABASE manman OWNER manman ENCODING 'UTF8' TEMPLATE template0",
                                  database="postgres")
        self.cluster.apis[0].start()

    def test_the_guide(self):
        # A world that was played in, backed up while it plays and after.
        sgc = self.cluster.deploy("alpha", "sample", entrypoint=[str(paths.sample_game())],
                                  command=["--regions", "2", "--region-kib", "256", "--tick-ms", "50"], **CONFIG)
        other = self.cluster.deploy("alpha", "other", entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
        self.assertEqual((sgc, other), (1, 2))
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        self.api.wait_session(session, "running")
        game = self.cluster.game("alpha", sgc)
        wait_until(lambda: (game / "world/level.dat").exists(), 60, "the game to make its world")
        self.backed_up(sgc)
        self.api.StopSession(session_id=session)
        self.api.wait_session(session, "stopped")
        world = trees.snapshot(game)
        second = self.backed_up(sgc)
        self.assertEqual(second.backup_id, 2)
        trees.make_world(self.cluster.game("alpha", other), seed=3)
        third = self.backed_up(other)
        audit.wait_nothing_found(self.cluster)
        keys = self.engines.objects()
        self.assertEqual(len(keys), 3)
        self.assertNotIn(b"s3cr3t-value", self.stored(second))

        self.lose_the_database()
        found = self.items(self.guide("audit", expect=7))
        self.assertEqual([(f["kind"], f["key"]) for f in found], [("object-without-row", key) for key in keys])
        refused = self.cluster.cli("audit", "--clean", "--yes", expect=4)
        self.assertIn("a database that was lost", refused.stderr)
        self.assertEqual(self.engines.objects(), keys)

        adopted = self.items(self.guide("audit --adopt"))
        self.assertEqual([f["outcome"] for f in adopted], ["adopted"] * 3, adopted)
        self.assertIn("SECRET", adopted[0]["detail"])
        self.assertEqual(self.items(self.guide("audit --adopt")), [])  # again
        self.assertEqual(self.items(self.guide("audit")), [])

        rows = {b.backup_id: b for b in self.api.backups()}
        self.assertEqual(set(rows), {1, 2, 3})
        for made, row in ((second, rows[2]), (third, rows[3])):
            self.assertEqual((row.s3_url, row.size_bytes, row.created_at, row.description, row.status,
                              row.server_game_config_id),
                             (made.s3_url, made.size_bytes, made.created_at, made.description, "completed",
                              made.server_game_config_id))
        self.assertEqual([g.name for g in self.api.all("ListGames", "games")], ["other", "sample"])
        config = next(c for c in self.api.all("ListGameConfigs", "configs") if c.name == "sample")
        self.assertEqual(list(config.entrypoint), [str(paths.sample_game())])
        self.assertEqual(config.handling.stop_command, "stop")
        self.assertEqual(dict(config.env_template), {})

        # The disk died, too.
        self.cluster.hosts["alpha"].start()
        self.assertEqual(len(self.api.all("ListServers", "servers")), 1)
        wait_until(lambda: self.items(self.guide("server list"))[0]["status"] == "online", 30, "the host")
        shutil.rmtree(game)
        self.guide("session start 1 --restore-from 2 --wait")
        restored = self.api.sessions()[0]
        self.assertGreater(restored.session_id, 1_000_000_000)
        self.api.StopSession(session_id=restored.session_id)
        self.api.wait_session(restored.session_id, "stopped")
        # The game has played on in it since; the other world holds still.
        self.assertTrue((game / "world/level.dat").exists())
        before = trees.snapshot(self.cluster.game("alpha", other))
        trees.spoil(self.cluster.game("alpha", other), seed=7)
        again = self.api.StartSession(server_game_config_id=other, restore_from_backup_id=3).session
        self.api.wait_session(again.session_id, "running")
        trees.assert_same(before, trees.snapshot(self.cluster.game("alpha", other)), "the restored world")
        self.assertEqual({path for path, _ in world.items()} - set(trees.snapshot(game)), set())

        # New backups do not collide.
        self.guide("backup create --sgc 1 --wait")
        self.assertEqual(self.api.backups()[0].backup_id, 4)
        audit.wait_nothing_found(self.cluster)
        self.assertEqual(set(self.engines.objects()) - set(keys), {"backups/1/4.tar.gz"})

    def test_without_adopting_nothing_is_replaced(self):
        """A new database gives the same keys again."""
        def deploy():
            sgc = self.cluster.deploy("alpha", "console", entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
            self.assertEqual(sgc, 1)
            return sgc
        sgc = deploy()
        game = self.cluster.game("alpha", sgc)
        trees.make_world(game, seed=1)
        old = self.backed_up(sgc)
        etag = self.etag(old)
        self.lose_the_database()
        self.cluster.hosts["alpha"].start()
        deploy()
        trees.spoil(game, seed=2)
        made = self.api.CreateBackup(server_game_config_id=sgc).backup
        self.assertEqual(made.s3_url, old.s3_url)
        refused = self.api.wait_backup(made.backup_id)
        self.assertEqual(refused.status, "failed")
        self.assertIn("is another backup already", refused.error_message)
        self.assertEqual(self.etag(old), etag)
        self.api.DeleteBackup(backup_id=made.backup_id)
        self.assertEqual(self.etag(old), etag)
        following = self.backed_up(sgc)
        self.assertEqual(following.backup_id, 2)
        cancelled = self.api.CreateBackup(server_game_config_id=sgc).backup.backup_id
        self.cluster.cli("backup", "cancel", cancelled, expect=0)
        found = wait_until(lambda: len(f := audit.findings(self.cluster)) == 1 and f, 60, "the old one to be all")
        self.assertEqual((found[0]["kind"], found[0]["key"]), ("object-without-row", old.s3_url.split("/", 3)[3]))
        # By its names the SGC of this database is the one of old.
        done = self.items(self.cluster.cli("-o", "json", "audit", "--adopt"))
        self.assertEqual([f["outcome"] for f in done], ["adopted"], done)
        audit.wait_nothing_found(self.cluster)

    def stored(self, backup):
        with tempfile.TemporaryDirectory(prefix="manman-test-") as folder:
            self.engines.aws("s3", "cp", backup.s3_url, f"{folder}/archive")
            return Path(folder, "archive").read_bytes()

    def etag(self, backup):
        return self.engines.aws("s3api", "head-object", "--bucket", BUCKET, "--key",
                                backup.s3_url.split("/", 3)[3], "--query", "ETag")


if __name__ == "__main__":
    unittest.main()
