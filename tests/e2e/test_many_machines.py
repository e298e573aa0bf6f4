"""Two API processes and two host managers on PostgreSQL, RabbitMQ, Ceph's S3 and a Docker Engine: a
world is backed up, deleted, brought back, listed; a host goes away and comes back."""

import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import grpc  # noqa: E402
from lib import games, paths, trees  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.cluster import BUCKET, Cluster, Engines, Program  # noqa: E402
from lib.service import clean_environment  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.docker import Docker  # noqa: E402

IMAGE = "manman-sample:1"
GAME = ["--regions", "4", "--region-kib", "256", "--tick-ms", "50"]
CONFIG = {"stop_command": "stop", "quiesce": games.QUIESCE, "resume": ["save-on"]}

engines = docker = None


def setUpModule():
    global engines, docker
    docker = Docker()
    unittest.addModuleCleanup(docker.close)
    docker.start()
    docker.load_image(IMAGE, [paths.sample_game()])
    engines = unittest.enterModuleContext(Engines())


class ManyMachines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(engines, docker_socket=docker.socket))
        cls.addClassCleanup(docker.remove_all)

    def setUp(self):
        self.addCleanup(lambda: print(self.cluster.logs()) if self.failed() else None)

    def failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in result.failures + result.errors)

    def stored(self, backup):
        """The folder that the backup's archive unpacks to, by tools of others."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="manman-test-")))
        engines.aws("s3", "cp", backup.s3_url, folder / "archive.tar.gz")
        subprocess.run(["tar", "--numeric-owner", "--warning=no-unknown-keyword", "-xpzSf", folder / "archive.tar.gz",
                        "-C", folder], check=True)
        return folder / "game"

    def assert_whole(self, world):
        done = subprocess.run([str(paths.sample_game()), "--check", str(world)], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def the_whole_way(self, host, **config):
        """Backup while it plays, stop, spoil, restore, delete; each call to the other API process."""
        one, other = self.cluster.api(0), self.cluster.api(1)
        name = f"{self.id()}-{host}"
        sgc = self.cluster.deploy(host, name, **CONFIG, **config)
        session = one.StartSession(server_game_config_id=sgc).session.session_id
        other.wait_session(session, "running")
        game = self.cluster.game(host, sgc)
        wait_until(lambda: (game / "world/level.dat").exists(), 60, "the game to make its world")

        made = other.CreateBackup(session_id=session, description="live").backup
        live = one.wait_backup(made.backup_id)
        self.assertEqual((live.status, live.error_message), ("completed", ""))
        self.assert_whole(self.stored(live) / "world")
        with refused(grpc.StatusCode.FAILED_PRECONDITION, f"session {session}"):
            other.StartSession(server_game_config_id=sgc, restore_from_backup_id=live.backup_id)

        one.StopSession(session_id=session)
        other.wait_session(session, "stopped")
        made = one.CreateBackup(session_id=session, description="stopped").backup
        still = other.wait_backup(made.backup_id)
        self.assertEqual((still.status, still.error_message), ("completed", ""))
        before = trees.snapshot(game)
        trees.assert_same(before, trees.snapshot(self.stored(still)), "the archive", ignore=("holes",))

        for region in (game / "world/region").iterdir():
            region.write_bytes(b"griefer")
        (game / "rubbish").write_bytes(b"x" * 1000)
        session = other.StartSession(server_game_config_id=sgc, force=True,
                                     restore_from_backup_id=still.backup_id).session.session_id
        one.wait_session(session, "running")
        self.assertFalse((game / "rubbish").exists())
        one.StopSession(session_id=session)
        other.wait_session(session, "stopped")
        self.assert_whole(game / "world")

        listed = [b.backup_id for b in one.backups(server_game_config_id=sgc)]
        self.assertEqual(listed, [still.backup_id, live.backup_id])
        for backup in (live, still):
            other.DeleteBackup(backup_id=backup.backup_id)
        wait_until(lambda: not one.backups(server_game_config_id=sgc), 60, "the rows to go")
        self.assertEqual([k for k in engines.objects() if k.startswith(f"backups/{sgc}/")], [])
        self.assertEqual(engines.uploads(), [])

    def host_metrics(self, host):
        """What the host manager tells Prometheus: values by series."""
        address = self.cluster.hosts[host].word_after("http")
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=30) as answer:
            self.assertEqual(answer.read(), b"ok\n")
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def test_a_process_on_one_host(self):
        before = self.host_metrics("alpha")
        self.the_whole_way("alpha", entrypoint=[str(paths.sample_game())], command=GAME)
        after = self.host_metrics("alpha")
        grown = {name: after[name] - before[name] for name in after if name in before}
        self.assertEqual(grown['manman_host_backups_ended_total{result="completed"}'], 2)
        self.assertEqual(grown['manman_host_restores_total{result="good"}'], 1)
        self.assertEqual(grown["manman_host_pause_seconds_count"], 2)
        self.assertGreater(grown["manman_host_archive_bytes_total"], 0)
        self.assertEqual(after['manman_host_jobs{kind="backup"}'], 0)

    def test_a_container_on_the_other(self):
        self.the_whole_way("beta", image=IMAGE, entrypoint=["/bin/sample-game"],
                           command=[*GAME, "--world", "/data/game/world"])

    def test_serve_is_one_more_api_and_one_more_host(self):
        serve = Program("serve", self.cluster.folder,
                        ["serve", "--state", str(self.cluster.folder / "serve"), "--grpc", "127.0.0.1:0",
                         "--http", "127.0.0.1:0", "--store", f"s3://{BUCKET}", "--server-name", "gamma",
                         "--data-dir", str(self.cluster.data_dir("gamma")), "--docker-socket", ""],
                        engines.settings())
        self.addCleanup(serve.kill)
        serve.start()
        self.the_whole_way("gamma", entrypoint=[str(paths.sample_game())], command=GAME)
        serve.stop()

    def test_the_same_name_is_the_same_server(self):
        before = self.cluster.server_id("alpha")
        host = self.cluster.hosts["alpha"]
        host.stop()
        wait_until(lambda: self.status("alpha") == "offline", 60, "the stopped host to be offline")
        host.start()
        self.assertEqual(host.word_after("server"), str(before))
        wait_until(lambda: self.status("alpha") == "online", 60, "the host to be online again")

    def status(self, name):
        servers = self.cluster.api().all("ListServers", "servers")
        return next(s.status for s in servers if s.name == name)

    def test_a_host_comes_back_while_every_api_is_away(self):
        sgc = self.cluster.deploy("beta", self.id(), entrypoint=[str(paths.sample_game())], command=GAME, **CONFIG)
        session = self.cluster.api().StartSession(server_game_config_id=sgc).session.session_id
        self.cluster.api().wait_session(session, "running")
        for number in range(len(self.cluster.apis)):
            self.cluster.kill_api(number)
        host = self.cluster.hosts["beta"]
        host.kill()
        host.start()  # as the server that it was
        for api in self.cluster.apis:
            api.start()
        self.cluster.api().StopSession(session_id=session)
        ended = self.cluster.api(1).wait_session(session, "stopped")
        self.assertEqual(ended.exit_code, 0)

    def test_a_command_waits_for_a_host_that_is_away(self):
        sgc = self.cluster.deploy("alpha", self.id(), entrypoint=[str(paths.sample_game())], command=GAME, **CONFIG)
        host = self.cluster.hosts["alpha"]
        host.kill()
        session = self.cluster.api().StartSession(server_game_config_id=sgc).session.session_id
        host.start()
        self.cluster.api().wait_session(session, "running")
        self.cluster.api().StopSession(session_id=session)
        self.cluster.api().wait_session(session, "stopped")

    def test_what_a_dead_api_had_claimed_is_sent_by_another(self):
        sgc = self.cluster.deploy("alpha", self.id(), entrypoint=[str(paths.sample_game())], command=GAME, **CONFIG)
        claiming, other = self.cluster.apis
        self.cluster.kill_api(0)
        claiming.start(failpoints="api.relay.claimed=crash")
        other.pause()
        try:
            session = self.cluster.api(0).StartSession(server_game_config_id=sgc).session.session_id
            claiming.wait_crash()
        finally:
            other.resume()
        self.cluster.kill_api(0)
        claiming.start()
        self.cluster.api(1).wait_session(session, "running", timeout=90)  # the claim ends after 30 s
        self.cluster.api(1).StopSession(session_id=session)
        self.cluster.api(1).wait_session(session, "stopped")

    def test_readiness_says_which_engine_is_away(self):
        health = self.health(0)
        self.assertEqual(health, "SERVING")
        engines.bus_gate.hang()
        engines.bus_gate.cut()
        try:
            wait_until(lambda: self.health(0) == "NOT_SERVING", 60, "the API to say that it is not ready")
        finally:
            engines.bus_gate.resume()
        wait_until(lambda: self.health(0) == "SERVING", 60, "the API to be ready again")

    def health(self, number):
        """What grpc.health.v1 answers; its messages hold one field each, written out by hand."""
        with grpc.insecure_channel(self.cluster.apis[number].word_after("grpc")) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes,
                                        response_deserializer=bytes)
            return {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}[check(b"", timeout=30)]


class BadSettings(unittest.TestCase):
    """One clear line that names the setting, and an end; nothing is tried for ever."""

    def refusal(self, *words, **settings):
        environment = {**engines.settings(), **settings}
        done = subprocess.run([str(paths.manman()), *words], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, env=clean_environment(**environment))
        self.assertNotEqual(done.returncode, 0)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertNotIn(engines.ceph.secret_key, done.stderr)
        return errors[0]

    def api(self, **settings):
        return self.refusal("api", "--store", f"s3://{BUCKET}", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0",
                            **settings)

    def test_each_is_named(self):
        wrong = {
            "PG_DATABASE_URL": engines.postgres.url(password="wrong"),
            "RABBITMQ_URL": engines.rabbitmq.url("no-such-vhost"),
            "S3_SECRET_KEY": "wrong",
        }
        for name, value in wrong.items():
            with self.subTest(name):
                self.assertIn(name, self.api(**{name: value}))

    def test_a_bucket_that_is_not_there(self):
        said = self.refusal("api", "--store", "s3://no-such-bucket", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
        self.assertIn("no-such-bucket", said)

    def test_a_wrong_setting_ends_what_waits_for_another_engine(self):
        with tempfile.TemporaryDirectory(prefix="manman-test-") as folder:
            said = self.refusal("host", "--api", "127.0.0.1:9", "--store", f"s3://{BUCKET}", "--data-dir", folder,
                                RABBITMQ_URL=engines.rabbitmq.url("no-such-vhost"))
        self.assertIn("RABBITMQ_URL", said)


if __name__ == "__main__":
    unittest.main()
