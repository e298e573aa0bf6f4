"""The log of events: what happened and who did it, listed and followed; and the limits on backups."""

import json
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

FAILED, USAGE = 1, 2


class EventCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def cli(self, *words):
        return self.service.cli_json(*words)

    def events(self, *words):
        """Oldest first."""
        return list(reversed(self.cli("events", "--limit", "0", *words)["items"]))

    def deploy(self, name="console"):
        sgc = games.deploy_console(self.api, name)
        trees.make_world(self.service.game(sgc), seed=1, regions=1, region_kib=16)
        return sgc


class Events(EventCase):
    def follow(self):
        """A follower's process, and the events that it has printed so far."""
        process = subprocess.Popen([str(paths.manman()), "--api", self.service.endpoints["grpc"], "events", "--follow", "-o", "json"],
                                   stdout=subprocess.PIPE, text=True)
        seen = []

        def read():
            for line in process.stdout:
                seen.append(json.loads(line))
        thread = threading.Thread(target=read, daemon=True)
        thread.start()

        def end():
            process.terminate()
            process.wait(30)
            thread.join(30)
            process.stdout.close()
        self.addCleanup(end)
        # It tells of nothing that was before it: of these it is told once it follows.
        def follows():
            self.cli("game", "create", f"probe {len(seen)} {id(seen)} {len(self.events())}")
            return seen
        wait_until(follows, 30, "the follower to follow")
        return process, seen

    def test_who_did_what(self):
        sgc = self.deploy()
        backup = games.backup(self.service, server_game_config_id=sgc).backup_id
        self.service.cli("backup", "pin", backup)
        self.service.cli("backup", "unpin", backup)
        self.service.cli("backup", "delete", backup)
        told = [(event["kind"], event["backup_id"]) for event in self.events("--sgc", sgc) if event["backup_id"]]
        self.assertEqual(told, [("backup.ordered", backup), ("backup.completed", backup), ("backup.pinned", backup),
                                ("backup.unpinned", backup), ("backup.deleted", backup)])
        by = {event["kind"]: event["actor"] for event in self.events()}
        self.assertRegex(by["backup.pinned"], r"^\S+@\S+ from 127\.0\.0\.1$")  # what the command line says
        self.assertEqual(by["backup.ordered"], "somebody from 127.0.0.1")      # a client that says nothing
        self.assertEqual(by["backup.completed"], "host")
        for kind in ("server.registered", "game.created", "config.created", "sgc.created"):
            self.assertIn(kind, by)
        text = self.service.cli("events", "--kind", "backup.deleted")
        self.assertIn(f"backup {backup}", text.stdout)
        self.assertIn("no kind", self.service.cli("events", "--kind", "nothing", expect=USAGE).stderr)

    def test_followers_see_each_event_once(self):
        _, seen = self.follow()
        _, other = self.follow()
        before = self.events()[-1]["event_id"]
        callers = [threading.Thread(target=lambda n=n: [self.cli("game", "create", f"game {n} {i}") for i in range(5)])
                   for n in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        wanted = {event["event_id"] for event in self.events() if event["event_id"] > before}
        self.assertEqual(len(wanted), 20)
        for printed in (seen, other):
            def ids():
                return [event["event_id"] for event in printed if event["event_id"] > before]
            wait_until(lambda: set(ids()) == wanted, 30, "all events to be seen")
            self.assertEqual(sorted(ids()), sorted(wanted))

    def test_a_host_that_goes_and_comes_back(self):
        api = self.api
        other = api.RegisterServer(name="silent", environment="local").server_id
        wait_until(lambda: any(e["kind"] == "host.lost" and e["server_id"] == other for e in self.events()), 60,
                   "the one that nobody hears of to be lost")
        self.assertFalse([e for e in self.events() if e["kind"] == "host.lost" and e["server_id"] != other])
        api.Heartbeat(server_id=other)
        wait_until(lambda: any(e["kind"] == "host.back" and e["server_id"] == other for e in self.events()), 30,
                   "it to be back")


class Limits(EventCase):
    def refused(self, sgc, limit):
        done = self.service.cli("backup", "create", "--sgc", sgc, expect=FAILED)
        self.assertIn(limit, done.stderr)
        self.assertIn("limits", done.stderr)

    def test_of_an_sgc_and_of_a_server(self):
        first, second = self.deploy("one"), self.deploy("two")
        server = self.cli("sgc", "get", first)["server_id"]
        size = self.cli("backup", "get", games.backup(self.service, server_game_config_id=first).backup_id)["size_bytes"]
        self.assertGreater(size, 0)
        # Bytes: of the one that has some.
        self.api.UpdateServerGameConfig(server_game_config_id=first, limits={"max_total_bytes": size})
        self.refused(first, f"SGC {first} has reached its limit max_total_bytes = {size}: {size} bytes")
        games.backup(self.service, server_game_config_id=second)
        self.cli("sgc", "update", first, "--clear", "limits")
        games.backup(self.service, server_game_config_id=first)
        # Of all on the server together.
        self.cli("server", "update", server, "--max-total-mib", "1")
        games.backup(self.service, server_game_config_id=second)
        self.api.UpdateServer(server_id=server, limits={"max_total_bytes": size})
        self.refused(second, f"server {server}")
        self.cli("server", "update", server, "--clear", "limits")
        # How often people ask.
        self.cli("server", "update", server, "--max-manual-per-hour", "5")
        games.backup(self.service, server_game_config_id=second)
        self.refused(second, "max_manual_per_hour = 5")
        self.refused(first, "max_manual_per_hour = 5")
        # A policy's own backups are no person's.
        policy = self.cli("policy", "create", "--sgc", first, "--name", "p", "--at-session-end")["policy_id"]
        self.service.cli("policy", "run-now", policy, expect=FAILED)
        session = games.start(self.service, first)
        self.service.cli("session", "stop", session.session_id)
        wait_until(lambda: [run for run in self.cli("policy", "runs", policy)["items"] if run["outcome"] == "started"],
                   30, "the policy's own backup")

    def test_of_backups_at_a_time(self):
        first, second = self.deploy("one"), self.deploy("two")
        server = self.cli("sgc", "get", first)["server_id"]
        self.cli("server", "update", server, "--max-concurrent-backups", "1")
        self.service.stop()
        # The first one waits before it is carried out.
        self.service.start("backup.running_reported=delay:6000")
        backup = self.cli("backup", "create", "--sgc", first)["backup_id"]
        self.refused(second, "max_concurrent_backups = 1: 1 backups are pending or running")
        policy = self.cli("policy", "create", "--sgc", second, "--name", "p", "--cron", "* * * * *")["policy_id"]
        self.assertEqual(self.api.wait_backup(backup).status, "completed")
        games.backup(self.service, server_game_config_id=second)
        self.cli("policy", "delete", policy)

    def test_wrong_words(self):
        sgc = self.deploy()
        import grpc
        with self.assertRaises(grpc.RpcError) as raised:
            self.api.UpdateServerGameConfig(server_game_config_id=sgc, limits={"max_total_bytes": -1})
        self.assertIn("limits.max_total_bytes", raised.exception.details())
        self.assertIn("clear", self.service.cli("server", "update", 1, "--clear", "name", expect=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
