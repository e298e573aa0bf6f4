"""What a host and an API do that find PostgreSQL, RabbitMQ, S3 or the API away when they start: games are
looked after at once, what is away is waited for, and a signal ends the waiting."""

import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import grpc  # noqa: E402
from lib import games  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.cluster import Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

LEASE_SECONDS = 5
CONSOLE = {"entrypoint": ["/bin/sh", "-c", games.CONSOLE_GAME], "stop_command": "stop", "quiesce": games.QUIESCE,
           "resume": ["save-on"]}

engines = None


def setUpModule():
    global engines
    engines = unittest.enterModuleContext(Engines())


class EnginesAway(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster(engines, apis=1, hosts=("alpha",), lease_seconds=LEASE_SECONDS))
        self.addCleanup(lambda: print(self.cluster.logs()) if self.failed() else None)
        self.addCleanup(self.all_back)
        self.api, self.host = self.cluster.api(), self.cluster.hosts["alpha"]
        self.gates = (engines.database_gate, engines.bus_gate, engines.store_gate)
        self.shut = []

    def failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in result.failures + result.errors)

    def take_away(self, *gates):
        for gate in gates:
            gate.shut()
            self.shut.append(gate)

    def all_back(self):
        for gate in self.shut:
            gate.open()
        self.shut.clear()

    def deploy(self):
        sgc = self.cluster.deploy("alpha", self.id(), **CONSOLE)
        return sgc, self.cluster.data_dir("alpha") / f"gsc-local-{sgc}"

    def run_game(self, sgc, **fields):
        session = self.api.StartSession(server_game_config_id=sgc, **fields).session.session_id
        self.api.wait_session(session, "running")
        return session

    def test_a_quiesced_game_is_resumed_before_anything_else(self):
        sgc, gsc = self.deploy()
        session = self.run_game(sgc)
        self.host.stop()
        self.host.start(failpoints="backup.quiesced=crash")
        backup = self.api.CreateBackup(session_id=session).backup.backup_id
        self.host.wait_crash()
        wait_until(lambda: games.lines_of(gsc / "console") == ["save-off", "save-all flush", "save-on"], 30,
                   "its guard to resume it")
        self.take_away(*self.gates)

        begun = time.monotonic()
        self.host.launch()
        wait_until(lambda: games.lines_of(gsc / "console")[3:] == ["save-on"], 30, "the game to save again")
        print(f"resumed {time.monotonic() - begun:.2f} s after the start of the host")
        wait_until(lambda: "waits for the bus" in self.host.log.read_text(), 30, "the host to say what it waits for")
        self.assertIn("RABBITMQ_URL", self.host.log.read_text())
        self.assertIsNone(self.host.process.poll(), "it waits")

        self.all_back()
        self.host.wait_ready()
        self.assertIn("the bus is there", self.host.log.read_text())
        self.assertEqual(self.host.log.read_text().count("waits for the bus"), 1)
        wait_until(lambda: self.api.GetBackup(backup_id=backup).backup.status == "completed", 120, "the backup")
        self.api.StopSession(session_id=session)
        self.assertEqual(self.api.wait_session(session, "stopped").exit_code, 0)
        self.assertEqual(len(games.lines_of(gsc / "starts")), 1)

    def test_a_journaled_swap_is_finished_and_its_game_started(self):
        sgc, gsc = self.deploy()
        game = self.cluster.game("alpha", sgc)
        session = self.run_game(sgc)
        (game / "world").write_text("old")
        self.api.StopSession(session_id=session)
        self.api.wait_session(session, "stopped")
        backup = self.api.CreateBackup(session_id=session).backup.backup_id
        self.assertEqual(self.api.wait_backup(backup).status, "completed")
        (game / "world").write_text("new")
        self.host.stop()
        self.host.start(failpoints="restore.swap_journaled=crash")
        session = self.api.StartSession(server_game_config_id=sgc, restore_from_backup_id=backup).session.session_id
        self.host.wait_crash()
        self.assertEqual((game / "world").read_text(), "new")
        self.take_away(*self.gates)
        self.host.launch()
        wait_until(lambda: len(games.lines_of(gsc / "starts")) == 2, 30, "the game to be started")
        self.assertEqual((game / "world").read_text(), "old")
        self.all_back()
        self.host.wait_ready()
        self.api.wait_session(session, "running")
        self.api.StopSession(session_id=session)
        self.api.wait_session(session, "stopped")

    def test_a_host_that_waits_ends_when_told_to(self):
        for gate in (engines.bus_gate, engines.store_gate):
            with self.subTest(gate=gate.port):
                self.host.stop()
                self.take_away(gate)
                waited = self.host.log.read_text().count("waits for the")
                self.host.launch()
                wait_until(lambda: self.host.log.read_text().count("waits for the") > waited, 30, "the host to wait")
                begun = time.monotonic()
                self.host.stop()
                self.assertLess(time.monotonic() - begun, 10)
                self.all_back()
                self.host.start()

    def test_a_first_start_waits_for_the_api(self):
        self.cluster.kill_api(0)
        new = self.cluster.new_host("newcomer")
        self.addCleanup(new.kill)
        new.launch()
        wait_until(lambda: "waits for the API" in new.log.read_text(), 60, "the host to wait for its API")
        self.cluster.apis[0].start()
        new.wait_ready()
        self.assertEqual(new.word_after("server"), str(self.cluster.server_id("newcomer")))

    def test_an_api_without_its_database_answers_that_it_waits(self):
        api = self.cluster.apis[0]
        address = api.word_after("grpc")
        with urllib.request.urlopen(f"http://{api.word_after('http')}/readyz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        self.cluster.kill_api(0)
        self.take_away(engines.database_gate)
        http = api.words.index("--http") + 1
        api.words[http] = api.word_after("http")
        api.launch()
        wait_until(lambda: "waits for the database" in api.log.read_text(), 30, "the API to wait")
        self.assertIn("PG_DATABASE_URL", api.log.read_text())
        with refused(grpc.StatusCode.UNAVAILABLE, "database", "PG_DATABASE_URL"):
            self.cluster.api().ListServers()
        with self.assertRaises(urllib.error.HTTPError) as not_ready:
            urllib.request.urlopen(f"http://{api.words[http]}/readyz", timeout=10)
        self.assertEqual(not_ready.exception.code, 503)
        self.assertIn("PG_DATABASE_URL", not_ready.exception.read().decode())
        begun = time.monotonic()
        api.stop()
        self.assertLess(time.monotonic() - begun, 10)
        api.launch()
        self.all_back()
        api.wait_ready()
        self.assertEqual(api.word_after("grpc"), address)
        self.assertEqual([s.name for s in self.cluster.api().ListServers().servers][-1:], ["alpha"])

    # -- commands of a host that is away for longer than their leases ----------------------------

    def wait_lost(self, session, about):
        lost = self.api.wait_session(session, "crashed", timeout=60)
        self.assertIn("host lost", lost.error_message)
        self.assertIn(about, lost.error_message)

    def test_a_start_that_was_given_up_in_the_queue_is_not_carried_out(self):
        sgc, gsc = self.deploy()
        self.host.kill()
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        self.wait_lost(session, "start")
        self.host.start()
        later = self.run_game(sgc)
        self.assertEqual(len(games.lines_of(gsc / "starts")), 1, "only the later one was started")
        given_up = self.api.GetSession(session_id=session).session
        self.assertIn(given_up.status, ("crashed", "stopped"))  # the next start has a stop of it before it
        self.assertEqual(given_up.started_at, 0)
        self.api.StopSession(session_id=later)
        self.api.wait_session(later, "stopped")

    def test_a_start_that_was_given_up_in_the_journal_is_not_carried_out(self):
        sgc, gsc = self.deploy()
        self.host.stop()
        self.host.start(failpoints="session.starting=crash")
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        self.host.wait_crash()
        self.wait_lost(session, "start")
        self.host.start()

        def told():
            return "not carried out" in self.api.GetSession(session_id=session).session.error_message
        wait_until(told, 60, "the host to say that it did not carry it out")
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "crashed")
        self.assertEqual(games.lines_of(gsc / "starts"), [])

    def test_a_stop_whose_host_is_lost_says_so_and_ends_true(self):
        sgc, _ = self.deploy()
        session = self.run_game(sgc)
        self.host.kill()
        self.api.StopSession(session_id=session)
        self.wait_lost(session, "stop")
        self.host.start()
        wait_until(lambda: self.api.GetSession(session_id=session).session.status == "stopped", 60,
                   "the row to tell how it ended")
        ended = self.api.GetSession(session_id=session).session
        self.assertEqual((ended.exit_code, ended.error_message), (0, ""))


if __name__ == "__main__":
    unittest.main()
