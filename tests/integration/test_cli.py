"""The command line against a running service, as a script uses it: output, exit codes, errors."""

import json
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.service import clean_environment  # noqa: E402
from lib.wait import wait_until  # noqa: E402

FAILED, USAGE, NOT_FOUND, REFUSED, UNREACHABLE = 1, 2, 3, 4, 5


class CommandLine(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def error_of(self, *arguments, expect):
        """The JSON error on standard error; nothing may be on standard output."""
        done = self.service.cli("-o", "json", *arguments, expect=expect)
        self.assertEqual(done.stdout, "")
        return json.loads(done.stderr.strip().splitlines()[-1])["error"]

    def test_whole_way_by_the_words_of_the_readme(self):
        run = self.service.cli_json
        game = run("game", "create", "--name", "minecraft")["game_id"]
        config = run("config", "create", "--game", game, "--name", "survival",
                     "--stop-command", "stop",
                     "--quiesce", "save-off=>Automatic saving is now disabled",
                     "--quiesce", "save-all flush=>Saved the game", "--resume", "save-on",
                     "--env", "MODE=peaceful", "--entrypoint", "/bin/sh", "--entrypoint", "-c",
                     "--", games.CONSOLE_GAME)["config_id"]
        got = run("config", "get", config)
        self.assertEqual([q["input"] for q in got["quiesce"]], ["save-off", "save-all flush"])
        self.assertEqual(got["env_template"], {"MODE": "peaceful"})
        sgc = run("deploy", "--config", config, "--port", "25565:25565/tcp")["server_game_config_id"]
        session = run("session", "start", sgc, "--wait")
        self.assertEqual(session["status"], "running")
        trees.make_world(self.service.game(sgc), seed=7, regions=2, region_kib=64)
        world = trees.snapshot(self.service.game(sgc))
        backup = run("backup", "create", "--sgc", sgc, "-m", "before the update", "--wait")
        self.assertEqual((backup["status"], backup["description"]),
                         ("completed", "before the update"))
        trees.spoil(self.service.game(sgc), seed=1)
        restored = run("session", "start", sgc, "--restore-from", backup["backup_id"], "--force",
                       "--wait")
        trees.assert_same(world, trees.snapshot(self.service.game(sgc)), "the restored world")
        self.service.cli("session", "input", restored["session_id"], "save-all", "flush")
        games.wait_output(self.service, sgc, restored["session_id"], "Saved the game")
        self.service.cli("session", "stop", restored["session_id"], "--wait")
        listed = run("session", "list", "--sgc", sgc)
        self.assertEqual([s["session_id"] for s in listed["items"]],
                         [restored["session_id"], session["session_id"]])
        self.assertEqual(listed["next_page_token"], "")
        self.service.cli("backup", "delete", backup["backup_id"])
        self.assertEqual(run("backup", "list")["items"], [])

    def test_formats_of_archives(self):
        """The config's format and level hold unless a backup has its own; a restore reads each."""
        run = self.service.cli_json
        game = run("game", "create", "--name", "minecraft")["game_id"]
        config = run("config", "create", "--game", game, "--name", "survival", "--format", "zst",
                     "--level", "5", "--entrypoint", "/bin/sh", "--entrypoint", "-c", "--",
                     games.CONSOLE_GAME)
        self.assertEqual((config["format"], config["level"]), ("zst", "5"))
        sgc = run("deploy", "--config", config["config_id"])["server_game_config_id"]
        session = run("session", "start", sgc, "--wait")["session_id"]
        trees.make_world(self.service.game(sgc), seed=7, regions=2, region_kib=64)
        world = trees.snapshot(self.service.game(sgc))
        for words, ending, shown, listing in (
                ((), ".tar.zst", ("zst", "5"), ["tar", "--zstd", "-tf"]),
                (("--format", "none"), ".tar", ("none", ""), ["tar", "-tf"]),
                (("--format", "gz", "--level", "best"), ".tar.gz", ("gz", "best"), ["tar", "-tzf"])):
            with self.subTest(ending=ending):
                made = run("backup", "create", "--sgc", sgc, *words, "--wait")
                backup = run("backup", "get", made["backup_id"])
                self.assertEqual((backup["status"], backup["format"], backup["level"]),
                                 ("completed", *shown))
                self.assertTrue(backup["s3_url"].endswith(f"/{backup['backup_id']}{ending}"))
                stored = self.service.object_path(backup["s3_url"])
                done = subprocess.run([*listing, stored], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("game/", done.stdout.splitlines())
                trees.spoil(self.service.game(sgc), seed=1)
                session = run("session", "start", sgc, "--restore-from", backup["backup_id"],
                              "--force", "--wait")["session_id"]
                trees.assert_same(world, trees.snapshot(self.service.game(sgc)), "the restored world")
        self.service.cli("session", "stop", session, "--wait")
        self.error_of("backup", "create", "--sgc", sgc, "--format", "zip", expect=USAGE)
        wrong = self.error_of("backup", "create", "--sgc", sgc, "--level", "best", expect=USAGE)
        self.assertIn("level: must be a number from 1 to 19", wrong["message"])

    def test_text_output_is_for_people(self):
        self.service.cli("game", "create", "--name", "minecraft")
        text = self.service.cli("game", "list").stdout
        self.assertIn("minecraft", text)
        self.assertEqual(self.service.cli("-q", "game", "list").stdout, "1\n")
        for verb in ("serve", "server", "game", "config", "deploy", "sgc", "session", "backup",
                     "archive"):
            self.assertIn(verb, self.service.cli("--help").stdout)

    def test_every_command_has_an_example(self):
        for words in ("serve", "game create", "game list", "config create", "deploy", "sgc list",
                      "session start", "session stop", "session get", "session list",
                      "session input", "session undo-restore", "backup create", "backup list",
                      "backup get", "backup delete", "backup download", "archive create",
                      "archive list", "archive extract", "archive verify", "archive cat"):
            text = self.service.cli(*words.split(), "--help").stdout
            self.assertIn(f"manman {words}", text.partition("xample")[2], words)

    def test_exit_codes(self):
        self.service.cli("no-such-verb", expect=USAGE)
        self.service.cli("backup", "create", expect=USAGE)
        self.service.cli("game", "create", "--name", "x" * 200, expect=USAGE)
        error = self.error_of("backup", "get", 99, expect=NOT_FOUND)
        self.assertEqual(error["code"], "NOT_FOUND")
        self.assertIn("backup 99", error["message"])
        sgc = games.deploy_console(self.api)
        games.start(self.service, sgc)
        error = self.error_of("session", "start", sgc, expect=REFUSED)
        self.assertEqual(error["code"], "FAILED_PRECONDITION")
        self.assertIn("--force", error["hint"])
        empty = games.deploy_console(self.api, "empty")
        error = self.error_of("backup", "create", "--sgc", empty, "--wait", expect=FAILED)
        self.assertIn("game", error["message"])
        bad = games.deploy(self.api, "bad", ["/no/such/program"])
        error = self.error_of("session", "start", bad, "--wait", expect=FAILED)
        self.assertIn("/no/such/program", error["message"])

    def test_no_service(self):
        self.service.stop()
        error = self.error_of("backup", "list", expect=UNREACHABLE)
        self.assertIn(self.service.endpoints["grpc"], error["message"])
        self.assertIn("manman serve", error["hint"])

    def test_download_is_the_object(self):
        sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(sgc), seed=8, regions=3)
        backup = games.backup(self.service, server_game_config_id=sgc)
        target = self.temp_folder() / "copy.tar.gz"
        self.service.cli("backup", "download", backup.backup_id, target)
        self.assertEqual(target.read_bytes(),
                         self.service.object_path(backup.s3_url).read_bytes())
        self.assertEqual([p.name for p in target.parent.iterdir()], [target.name])

    def test_wait_goes_on_over_a_restart_of_the_service(self):
        sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(sgc), seed=9)
        self.service.keep_address()
        self.service.restart("backup.archived=crash")
        waiting = subprocess.Popen(
            [str(paths.manman()), "--api", self.service.grpc, "backup", "create", "--sgc", str(sgc),
             "--wait"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=clean_environment())
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.kill)
        self.service.wait_crash()
        self.service.start()
        text = waiting.communicate(timeout=60)[0]
        self.assertEqual(waiting.returncode, 0, text)
        self.assertEqual([b.status for b in self.api.backups()], ["completed"])


class Serving(ServiceCase):
    """`manman serve` itself: its lock, its ports, its end."""

    def serve(self, *arguments):
        return subprocess.run([str(paths.manman()), "serve", *map(str, arguments)], timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=clean_environment(), cwd=self.service.folder)

    def test_second_service_on_one_state(self):
        self.service.start()
        done = self.serve("--state", self.service.state, "--grpc", "127.0.0.1:0", "--http",
                          "127.0.0.1:0")
        self.assertEqual(done.returncode, REFUSED, done.stderr)
        self.assertIn(str(self.service.process.pid), done.stderr)
        self.assertEqual(self.service.http("/readyz")[0], 200, "the first is not disturbed")

    def test_port_in_use(self):
        self.service.start()
        for flag in ("grpc", "http"):
            ports = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"}
            ports[flag] = self.service.endpoints[flag]
            done = self.serve("--state", self.temp_folder() / "s", "--grpc", ports["grpc"],
                              "--http", ports["http"])
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(ports[flag], done.stderr)
            self.assertIn("in use", done.stderr)

    def test_bad_settings_name_themselves(self):
        for flag, value in (("--grpc", "nonsense"), ("--http", "127.0.0.1:99999"),
                            ("--db", "mysql://x"), ("--bus", "kafka://x"),
                            ("--store", "ftp://x")):
            state = self.temp_folder() / "state"
            done = self.serve("--state", state, flag, value)
            self.assertEqual(done.returncode, USAGE, (flag, done.stderr))
            self.assertIn(flag.strip("-"), done.stderr)
        done = self.serve("--state", "/proc/nowhere", "--grpc", "127.0.0.1:0", "--http",
                          "127.0.0.1:0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/proc/nowhere", done.stderr)

    def test_ends_by_sigint_too(self):
        self.service.start()
        os.kill(self.service.process.pid, signal.SIGINT)
        self.assertEqual(self.service.process.wait(30), 0)
        self.service.process = None
        self.service.start()

    def test_failpoint_that_is_none(self):
        self.service.launch("no.such.point=crash")
        wait_until(lambda: self.service.process.poll() is not None, 30, "serve to refuse to start")
        self.assertNotEqual(self.service.process.returncode, 0)
        self.service.process = None
        self.assertIn("no.such.point", self.service.log_tail())


if __name__ == "__main__":
    unittest.main()
