"""A host in a network of its own is cut off in the middle of an upload, for longer than all leases: its
backup fails as "host lost"; when the cable is back it reports what it has, and the row ends true."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.cluster import BUCKET, Cluster, Engines, Program  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.network import Namespace  # noqa: E402
from servers.proxy import Proxy  # noqa: E402

LEASE_SECONDS = 4
REST_MS = 3000  # the upload rests so long once it has begun


class HostCutOff(unittest.TestCase):
    def setUp(self):
        self.engines = self.enterContext(Engines())
        self.network = self.enterContext(Namespace())
        self.cluster = self.enterContext(Cluster(self.engines, apis=1, hosts=(), lease_seconds=LEASE_SECONDS))
        self.host = self.far_host()
        self.addCleanup(self.host.kill)
        self.host.start(failpoints=f"backup.upload_started@1=delay:{REST_MS}")
        self.sgc = self.cluster.deploy("far", "console", stop_command="stop",
                                       entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
        self.game = self.cluster.game("far", self.sgc)
        trees.make_world(self.game, seed=5, regions=6, region_kib=4096)

    def far_host(self):
        """A host in the namespace; all that it reaches is at the cable's other end."""
        ports = {}
        api = self.cluster.apis[0].word_after("grpc")
        for name, port in (("api", int(api.rpartition(":")[2])), ("bus", self.engines.rabbitmq.port),
                           ("store", self.engines.ceph.port)):
            ports[name] = self.enterContext(Proxy(port, listen=self.network.outside)).port
        here = self.network.outside
        near = self.cluster.new_host("far")
        near.words[near.words.index("--api") + 1] = f"{here}:{ports['api']}"
        settings = {**near.environment, "S3_ENDPOINT": f"http://{here}:{ports['store']}",
                    "RABBITMQ_URL": self.engines.rabbitmq.url(host=here, port=ports["bus"])}
        return Program("host-far", self.cluster.folder, near.words, settings, self.network.command)

    def test_cut_off_for_longer_than_its_leases(self):
        api = self.cluster.api()
        backup = api.CreateBackup(server_game_config_id=self.sgc).backup.backup_id
        wait_until(lambda: "failpoint backup.upload_started" in self.host.log.read_text(), 30, "the upload to begin")
        self.network.pull()
        lost = api.wait_backup(backup, timeout=90)
        self.assertEqual(lost.status, "failed")
        self.assertIn("host lost", lost.error_message)
        wait_until(lambda: api.ListServers().servers[0].status == "offline", 60, "the host to be offline")

        self.network.plug()
        wait_until(lambda: api.ListServers().servers[0].status == "online", 120, "the host to be back")
        # Commands of one SGC are carried out in order: with this one the host is through with all others.
        again = api.CreateBackup(server_game_config_id=self.sgc).backup.backup_id
        self.assertEqual(api.wait_backup(again, timeout=180).status, "completed")
        wait_until(lambda: self.is_true(api.GetBackup(backup_id=backup).backup), 60,
                   f"the row of backup {backup} to be true")
        wait_until(lambda: self.engines.uploads() == [], 60, "no upload to be left")

    def is_true(self, backup):
        """A completed backup has its object, a failed one has none."""
        key = backup.s3_url.removeprefix(f"s3://{BUCKET}/")
        return (backup.status == "completed") == (key in self.engines.objects())


if __name__ == "__main__":
    unittest.main()
