"""Restore drills that start the game: on a copy that is apart from its players, the network and every live world."""

import contextlib
import gzip
import socket
import subprocess
import sys
import unittest
from pathlib import Path

import grpc

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import test_drill  # noqa: E402
from lib import games, paths, processes, trees, worlds  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402

# Listens on its port as game servers do, tries what a game could do to others, and ends with what came of it where
# its world says so.
NOSY_GAME = r"""
import os, socket, sys
port, other_port, live_world, others_world, linked = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
server = socket.create_server(("0.0.0.0", port))
said = []

def attempt(what, action):
    try:
        action()
        said.append(what + "=yes")
    except OSError as error:
        said.append(what + "=" + error.strerror)

def write(path):
    with open(path, "w") as file:
        file.write("was here")

if os.path.exists("tell"):
    attempt("itself", lambda: socket.create_connection(("127.0.0.1", port), 5).close())
    attempt("others", lambda: socket.create_connection(("127.0.0.1", other_port), 5).close())
    attempt("outside", lambda: socket.create_connection(("192.0.2.1", 80), 5).close())
    attempt("address", lambda: socket.create_server(("192.0.2.7", 0)).close())
    attempt("own", lambda: write("own"))
    attempt("live", lambda: write(live_world + "/live"))
    said.append("same=" + str(os.path.samefile(live_world, ".") and os.path.exists("live")))
    attempt("foreign", lambda: write(others_world + "/foreign"))
    attempt("linked", lambda: write(linked + "/linked"))
    attempt("link", lambda: write("link/linked"))
    print(" ".join(said), flush=True)
    sys.exit(3)
print("Done!", flush=True)
for line in sys.stdin:
    if line.strip() == "stop":
        break
"""


class Case(test_drill.Case):
    def deploy_sample(self, *more, **fields):
        self.sgc = games.deploy(
            self.api, "sample", [str(paths.sample_game())], profile="sample-game",
            command=["--regions", "2", "--region-kib", "64", "--tick-ms", "20", *more], **fields)
        return self.sgc

    def play(self, sgc):
        session = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, session, "Done")
        return session

    def played(self):
        """A backup of a world in which the sample game has been."""
        games.stop(self.service, self.play(self.sgc))
        return self.backup()

    def start_drill(self, backup, **fields):
        return self.drill(backup, start_game=True, **fields)

    def assert_nothing_left(self):
        self.assertEqual(self.scratch(), [])
        self.assertEqual(self.drill_processes(), [])

    def drill_processes(self):
        return processes.of_folder(self.service.state / "data/drills")

    def running_game(self):
        return wait_until(self.drill_processes, 60, "the drill's game to run")


class Outcomes(Case):
    def test_ready_beside_the_live_game_in_the_same_world(self):
        world = self.service.game(self.sgc + 1) / "world"
        sgc = self.deploy_sample("--world", str(world))
        self.assertEqual(world.parent, self.service.game(sgc))
        session = self.play(sgc)
        backup = games.backup(self.service, session_id=session)
        self.assertEqual(backup.consistency, "consistent")
        drill = self.start_drill(backup)
        self.assertEqual((drill.status, drill.error_message), ("passed", ""))
        self.assertRegex(drill.examined, r"other files; the game was ready after [0-9]+\.[0-9] s$")
        self.assertTrue(drill.start_game)
        self.assertEqual(self.row(backup).verified_how, "drill")
        self.assert_nothing_left()
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "running")
        ended = games.stop(self.service, session)
        self.assertEqual(ended.exit_code, 0)
        self.assertNotIn("Failed", self.service.output(sgc, session))
        done = subprocess.run([str(paths.sample_game()), "--check", str(world)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_world_that_the_game_refuses(self):
        sgc = self.deploy_sample()
        games.stop(self.service, self.play(sgc))
        player = next((self.service.game(sgc) / "world/players").iterdir())
        player.write_bytes(gzip.compress(b"somebody else"))
        backup = self.backup()
        self.assertEqual(self.drill(backup).status, "passed", "the files are whole")
        drill = self.start_drill(backup)
        self.assertEqual((drill.status, drill.finding_count), ("failed", 1))
        self.assertIn("the game ended (exit 2) before it was ready; its last lines: ", drill.findings[0])
        self.assertIn("refused to start", drill.findings[0])
        row = self.row(backup)
        self.assertEqual(row.verification_failed_how, "drill")
        self.assertIn("exit 2", row.verification_error)
        self.assert_nothing_left()

    def test_one_that_is_not_ready_in_time(self):
        self.deploy_sample(handling={"ready": "never said", "ready_timeout_seconds": 2})
        drill = self.start_drill(self.played())
        self.assertEqual(drill.status, "failed")
        self.assertIn("the game was not ready within 2 s; its last lines: ", drill.findings[0])
        self.assertIn("Done", drill.findings[0])
        self.assert_nothing_left()

    def test_one_that_does_not_stop_is_killed_and_was_ready_all_the_same(self):
        self.sgc = games.deploy(
            self.api, "deaf", ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"],
            stop_grace_seconds=1, handling={"ready": "^up$"})
        self.service.game(self.sgc).mkdir(parents=True)
        (self.service.game(self.sgc) / "file").write_text("x")
        self.assertEqual(self.start_drill(self.backup()).status, "passed")
        self.assert_nothing_left()

    def test_damage_is_told_without_starting_it(self):
        self.deploy_sample()
        backup = self.played()
        world = self.service.game(self.sgc) / "a-map"
        worlds.make(world)
        worlds.break_database(world)
        broken = self.backup()
        drill = self.start_drill(broken)
        self.assertEqual(drill.status, "failed")
        self.assertNotIn("the game", "\n".join(drill.findings) + drill.examined)
        self.assertEqual(self.start_drill(backup).status, "passed")

    def test_a_program_that_is_missing_says_nothing_of_the_backup(self):
        self.sgc = games.deploy(self.api, "missing", ["./server"], handling={"ready": "up"})
        game = self.service.game(self.sgc)
        game.mkdir(parents=True)
        (game / "file").write_text("x")
        backup = self.backup()
        drill = self.start_drill(backup)
        self.assertEqual((drill.status, drill.finding_count), ("given-up", 0))
        self.assertIn("run ./server", drill.error_message)
        row = self.row(backup)
        self.assertEqual((row.verified_how, row.verification_failed_at), ("", 0))
        self.assert_nothing_left()


class Apart(Case):
    def setUp(self):
        super().setUp()
        self.outside = self.temp_folder()
        (self.outside / "linked").write_text("theirs")

    def deploy_nosy(self, other_port):
        live = self.service.game(self.sgc + 1)
        others = self.service.game(self.sgc)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        sgc = games.deploy(self.api, "nosy", [sys.executable, "-c", NOSY_GAME, str(port), str(other_port), str(live),
                                              str(others), str(self.outside)],
                           stop_command="stop", handling={"ready": "^Done!$"})
        self.assertEqual(live, self.service.game(sgc))
        live.mkdir(parents=True)
        (live / "world").write_text("x")
        return sgc, live, others

    def test_nothing_reaches_another(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            sgc, live, others = self.deploy_nosy(listening.getsockname()[1])
            (live / "link").symlink_to(self.outside)
            session = games.start(self.service, sgc).session_id
            games.wait_output(self.service, sgc, session, "Done!")
            self.sgc = sgc
            self.assertEqual(self.start_drill(self.backup()).status, "passed", "its port is taken only outside")
            (live / "tell").touch()
            backup = self.backup()
            before = [trees.snapshot(folder) for folder in (live, others, self.outside)]
            drill = self.start_drill(backup)
        self.assertEqual(drill.status, "failed")
        said = drill.findings[0].partition("its last lines: ")[2]
        self.assertIn("itself=yes", said)
        self.assertIn("others=Connection refused", said)
        self.assertIn("outside=Network is unreachable", said)
        self.assertIn("address=yes", said)
        self.assertIn("own=yes live=yes same=True", said, "the live folder's path leads to the copy")
        self.assertIn("foreign=Read-only file system", said)
        self.assertIn("link=Read-only file system", said)
        after = [trees.snapshot(folder) for folder in (live, others, self.outside)]
        for one, other in zip(before, after):
            self.assertEqual(trees.diff(one, other), [])
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "running")
        self.assert_nothing_left()

    def test_a_link_to_where_all_data_is_keeps_it_from_being_started(self):
        sgc, live, _ = self.deploy_nosy(1)
        (live / "root").symlink_to("/")
        self.sgc = sgc
        drill = self.start_drill(self.backup())
        self.assertEqual(drill.status, "given-up")
        self.assertIn("its root is a symbolic link to /", drill.error_message)
        self.assert_nothing_left()


class Asking(Case):
    def test_without_ready_it_is_refused(self):
        backup = self.backup()
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "`ready`"):
            self.api.DrillBackup(backup_id=backup.backup_id, start_game=True)
        said = self.service.cli("backup", "drill", backup.backup_id, "--start-game", expect=4).stderr
        self.assertIn("--ready", said)
        self.assertEqual(self.api.all("ListDrills", "drills"), [])

    def test_command_line(self):
        self.deploy_sample()
        backup = self.played()
        said = self.service.cli("backup", "drill", backup.backup_id, "--start-game", "--wait").stdout
        self.assertRegex(said, r"drill 1 passed; it holds .*; the game was ready after ")
        self.service.cli("sgc", "update", self.sgc, "--ready", "^never$", "--ready-timeout", 1)
        shown = self.service.cli_json("sgc", "get", self.sgc)
        self.assertIn("^never$", str(shown))
        run = self.service.cli("backup", "drill", backup.backup_id, "--start-game", "--wait", expect=7)
        self.assertIn("problem: the game was not ready within 1 s", run.stdout)


class Ends(Case):
    """What becomes of the game when the host does not see it through."""

    def setUp(self):
        super().setUp()
        self.deploy_sample(handling={"ready": "never said", "ready_timeout_seconds": 600})
        self.made = self.played()

    def begin(self):
        drill = self.api.DrillBackup(backup_id=self.made.backup_id, start_game=True).drill
        self.running_game()
        return drill

    def test_stopped(self):
        self.begin()
        self.service.stop()
        self.assert_nothing_left()

    def test_killed_its_game_is_ended_at_the_next_start(self):
        drill = self.begin()
        self.service.kill()
        left = self.running_game()
        self.service.start()
        wait_until(lambda: not any(map(processes.alive, left)), 60, "what was left to end")
        wait_until(lambda: set(self.drill_processes()) - set(left), 60, "the drill to begin anew")
        self.assertEqual(self.api.GetDrill(drill_id=drill.drill_id).drill.status, "running")
        self.service.stop()
        self.assert_nothing_left()

    def test_deleting_the_backup_meanwhile(self):
        self.begin()
        with contextlib.suppress(grpc.RpcError):
            self.api.DeleteBackup(backup_id=self.made.backup_id)
        self.service.stop()
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
