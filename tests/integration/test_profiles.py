"""Game profiles through the real service: a profile is enough to stop a game and to back it up while it
plays; game config and SGC say what is different; old requests mean what they meant."""

import json
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

from grpc import StatusCode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402
from lib.service import clean_environment  # noqa: E402

SH = ["/bin/sh", "-c", "exit"]


class WithService(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.game = self.api.CreateGame(name="game").game.game_id

    def config(self, **fields):
        count = len(self.api.ListGameConfigs().configs)
        return self.api.CreateGameConfig(game_id=self.game, name=f"config {count}",
                                         **({"entrypoint": SH} | fields)).config

    def deployed(self, **fields):
        server = self.api.ListServers().servers[0].server_id
        return self.api.DeployGameConfig(server_id=server, **fields).config


class SampleGame(WithService):
    def test_a_profile_is_enough(self):
        self.service.cli("config", "create", "--game", self.game, "--name", "sample", "--profile",
                         "sample-game", "--entrypoint", paths.sample_game(), "--", "--regions", "4",
                         "--region-kib", "256", "--tick-ms", "20")
        made = self.service.cli_json("deploy", "--config", 1)
        self.assertEqual(made["effective_handling"]["resume"], ["save-on"])
        sgc = made["server_game_config_id"]
        session = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, session, "Done")
        backup = games.backup(self.service, session_id=session)
        # The game has heard what the profile says, and the archive is of one moment.
        output = self.service.output(sgc, session)
        for line in ("Automatic saving is now disabled", "Saved the game",
                     "Automatic saving is now enabled"):
            self.assertIn(line, output)
        folder = self.temp_folder()
        with tarfile.open(self.service.object_path(backup.s3_url)) as archive:
            archive.extractall(folder)
        done = subprocess.run([str(paths.sample_game()), "--check", str(folder / "game/world")],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # And stops by its command: SIGTERM would not have said so on the console.
        self.assertEqual(games.stop(self.service, session).status, "stopped")


class Layers(WithService):
    def test_profile_below_config_below_sgc(self):
        config = self.config(profile="minecraft-java",
                             handling={"stop_grace_seconds": 200, "leave_out": ["/dynmap/"]})
        self.assertEqual(config.profile, "minecraft-java")
        self.assertFalse(config.handling.HasField("stop_command"))
        self.assertEqual(list(config.handling.leave_out), ["/dynmap/"])
        effective = config.effective_handling
        self.assertEqual((effective.stop_command, effective.stop_grace_seconds), ("stop", 200))
        self.assertEqual(list(effective.leave_out), ["/logs/", "/crash-reports/", "/dynmap/"])
        self.assertEqual(config.quiesce[1].input, "save-all flush", "for clients of before")

        sgc = self.deployed(game_config_id=config.config_id,
                            handling={"leave_out": ["!/logs/"], "max_pause_seconds": 20,
                                      "rcon": {"port": 25575, "secret": "survival"}})
        effective = sgc.effective_handling
        self.assertEqual(list(effective.leave_out),
                         ["/logs/", "/crash-reports/", "/dynmap/", "!/logs/"])
        self.assertEqual((effective.rcon.port, effective.rcon.secret), (25575, "survival"))
        self.assertEqual((effective.stop_grace_seconds, effective.max_pause_seconds), (200, 20))
        got = self.api.GetServerGameConfig(server_game_config_id=sgc.server_game_config_id).config
        self.assertEqual(got, sgc)

        def update(**fields):
            return self.api.UpdateServerGameConfig(
                server_game_config_id=sgc.server_game_config_id, **fields).config
        changed = update(handling={"rcon": {"port": 25576}, "unconfirmed": "go-on",
                                   "quiesce": [{"input": "hold"}], "resume": ["go"]})
        effective = changed.effective_handling
        self.assertEqual((effective.rcon.port, effective.rcon.secret), (25576, "survival"))
        self.assertEqual([step.input for step in effective.quiesce], ["hold"])
        self.assertEqual(effective.unconfirmed, "go-on")
        self.assertEqual(effective.max_pause_seconds, 20)
        changed = update(handling={"no_quiesce": True})
        self.assertEqual((len(changed.effective_handling.quiesce), changed.handling.no_quiesce),
                         (0, True))
        changed = update(profile="minecraft-bedrock", clear=["quiesce", "leave_out"])
        effective = changed.effective_handling
        self.assertEqual([step.input for step in effective.quiesce], ["save hold", "save query"])
        self.assertTrue(effective.quiesce[1].lists_files)
        self.assertEqual((effective.quiesce[1].repeat_ms, effective.files_root), (1000, "worlds"))
        self.assertEqual(list(effective.leave_out), ["/dynmap/"])
        changed = update(clear=["all"])
        self.assertEqual((changed.profile, changed.handling.ByteSize()), ("", 0))
        self.assertEqual(changed.effective_handling, config.effective_handling)

    def test_what_is_wrong_is_named_and_changes_nothing(self):
        def bad(field, **fields):
            with self.subTest(field=field), refused(StatusCode.INVALID_ARGUMENT, field):
                self.config(**fields)
        bad("minecraft-bedrock, minecraft-java", profile="minecraft")
        bad("rcon.secret", handling={"rcon": {"port": 25575}})
        bad("rcon.secret", handling={"rcon": {"port": 25575, "secret": "../../etc/shadow"}})
        bad("leave_out[1]", handling={"leave_out": ["ok", "[x"]})
        bad("unconfirmed", handling={"unconfirmed": "perhaps"})
        bad("quiesce[0].confirm_regex", handling={"quiesce": [{"input": "a", "confirm_regex": "("}]})
        bad("no_quiesce", handling={"no_quiesce": True, "resume": ["x"]})
        bad("files_root", handling={"files_root": "/worlds"})
        bad("handling", handling={"leave_out": ["x" * 900 + str(i) for i in range(60)]})
        sgc = self.deployed(game_config_id=self.config().config_id).server_game_config_id
        for field, fields in (("profile", {"profile": "none"}), ("clear", {"clear": ["nothing"]}),
                              ("max_pause_seconds", {"handling": {"max_pause_seconds": -1}})):
            with self.subTest(field=field), refused(StatusCode.INVALID_ARGUMENT, field):
                self.api.UpdateServerGameConfig(server_game_config_id=sgc, **fields)
        with refused(StatusCode.NOT_FOUND, "99"):
            self.api.UpdateServerGameConfig(server_game_config_id=99, profile="luanti")
        got = self.api.GetServerGameConfig(server_game_config_id=sgc).config
        self.assertEqual((got.profile, got.handling.ByteSize()), ("", 0))

    def test_a_request_of_before_means_what_it_meant(self):
        made = self.config(stop_command="stop", quiesce=games.QUIESCE, resume=["save-on"])
        self.assertEqual((made.stop_command, made.stop_grace_seconds), ("stop", 30))
        self.assertEqual(made.quiesce[0].timeout_seconds, 20)
        self.assertEqual(list(made.effective_handling.resume), ["save-on"])
        self.assertEqual(list(made.effective_handling.leave_out), [])
        self.assertEqual(made.handling.stop_command, "stop")


class Cli(WithService):
    def test_a_config_goes_through_a_file(self):
        self.service.cli("config", "create", "--game", self.game, "--name", "a", "--profile",
                         "minecraft-java", "--leave-out", "/dynmap/", "--rcon-port", 25575,
                         "--rcon-secret", "survival", "--max-pause", 20, "--unconfirmed", "go-on",
                         "--", "java")
        first = self.service.cli_json("config", "get", 1)
        self.assertIsNone(first["handling"]["stop_command"])
        self.assertEqual(first["effective_handling"]["unconfirmed"], "go-on")
        file = self.temp_folder() / "config.json"
        file.write_text(json.dumps(first))
        self.service.cli("config", "create", "--game", self.game, "--name", "b", "--file", file)
        second = self.service.cli_json("config", "get", 2)
        for field in ("profile", "handling", "effective_handling", "quiesce"):
            self.assertEqual(second[field], first[field], field)
        self.assertIn("\n  stop_command: stop\n", self.service.cli("config", "get", 1).stdout)

    def test_sgc_update(self):
        self.service.cli("config", "create", "--game", self.game, "--name", "a", "--", "java")
        self.service.cli("deploy", "--config", 1, "--profile", "luanti")
        handling = self.temp_folder() / "handling.json"
        handling.write_text('{"stop_command": "", "quiesce": [{"input": "q", "confirm_regex": "x",'
                            ' "repeat_ms": 500}]}')
        self.service.cli("sgc", "update", 1, "--profile", "minecraft-java", "--handling", handling,
                         "--resume", "r")
        effective = self.service.cli_json("sgc", "get", 1)["effective_handling"]
        self.assertEqual((effective["stop_command"], effective["resume"]), ("", ["r"]))
        self.assertEqual(effective["quiesce"][0]["repeat_ms"], 500)
        self.service.cli("sgc", "update", 1, "--clear", "all")
        self.assertEqual(self.service.cli_json("sgc", "get", 1)["profile"], "")
        self.service.cli("sgc", "update", 1, "--profile", "none", expect=2)

    def test_profile_list_and_show(self):
        self.assertIn("minecraft-java", self.service.cli("profile", "list").stdout)
        names = [item["name"] for item in self.service.cli_json("profile", "list")["items"]]
        self.assertEqual(names, sorted(names))
        text = self.service.cli("profile", "show", "minecraft-java").stdout
        self.assertTrue(text.startswith("// built in\n"), text[:100])
        self.assertIn("// Source: ", text)
        shown = self.service.cli_json("profile", "show", "luanti")
        self.assertEqual((shown["source"], shown["kinds"][0]), ("built in", "sqlite"))
        self.service.cli("profile", "show", "none", expect=3)


class OwnProfiles(ServiceCase):
    def test_a_folder_of_ones_own(self):
        folder = self.temp_folder()
        (folder / "mine.json").write_text(
            '// of this house\n{"name": "mine", "title": "Mine", "stop_command": "halt"}')
        self.service.arguments = ("--profiles", str(folder))
        self.service.start()
        sgc = games.deploy(self.api, profile="mine")
        self.assertEqual(self.api.GetProfile(name="mine").profile.source, str(folder / "mine.json"))
        session = games.start(self.service, sgc).session_id
        self.service.stop()
        # Without the folder its profile is not known: it says so, and nothing is guessed.
        self.service.arguments = ()
        self.service.start()
        with refused(StatusCode.FAILED_PRECONDITION, '"mine" is not known'):
            self.api.StartSession(server_game_config_id=sgc, force=True)
        with refused(StatusCode.FAILED_PRECONDITION, '"mine" is not known'):
            self.api.CreateBackup(session_id=session)
        with refused(StatusCode.FAILED_PRECONDITION, '"mine" is not known'):
            self.api.StopSession(session_id=session)
        self.assertEqual(self.api.wait_session(session, "running").status, "running")
        self.api.StopSession(session_id=session, kill=True)
        self.api.wait_session(session, "stopped")
        got = self.api.GetServerGameConfig(server_game_config_id=sgc).config
        self.assertFalse(got.HasField("effective_handling"))

    def test_a_bad_one_ends_the_process(self):
        folder = self.temp_folder()
        (folder / "mine.json").write_text('{"name": "mine", "title": "Mine", "stop": "halt"}')
        for arguments, said in (([folder], ["mine.json", "stop: is no field"]),
                                ([folder / "none"], ["--profiles", "none"])):
            done = subprocess.run(
                [str(paths.manman()), "serve", "--state", str(folder / "state"), "--profiles",
                 str(arguments[0])], capture_output=True, text=True, timeout=30,
                env=clean_environment())
            self.assertNotEqual(done.returncode, 0)
            for word in said:
                self.assertIn(word, done.stderr)


class Build(unittest.TestCase):
    """The build's own check, with the program that it runs."""

    def test_a_bad_profile_is_named_and_nothing_is_written(self):
        tool = Path(paths.manman()).parent / "embed_profiles"
        with self.subTest("good"):
            self.assertEqual(self.run_tool(tool, "ok.json", '{"name": "ok", "title": "Ok"}')[0], 0)
        for name, text, said in (
                ("a.json", '{"name": "a", "title": "A", "stop": "x"}', "stop: is no field"),
                ("a.json", '{"name": "b", "title": "A"}', "name: is b"),
                ("a.json", '{"name": "a", "title": "A", "leave_out": ["["]}', "leave_out[0]: "),
                ("a.json", '{"name": "a", "title": "A", "quiesce": [{"input": "x"}]}',
                 "resume: is needed"),
                ("a.json", '{"name": "a", "title": "A", "quiesce": [{"input": "x", "confirm_regex":'
                           ' "("}], "resume": []}', "quiesce[0].confirm_regex: ")):
            code, errors, written = self.run_tool(tool, name, text)
            self.assertEqual((code, written), (1, False), errors)
            self.assertIn(f"/{name}: {said}", errors)

    def run_tool(self, tool, name, text):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_text(text)
            out = Path(folder) / "out.cc"
            done = subprocess.run([str(tool), str(out), str(Path(folder) / name)],
                                  capture_output=True, text=True)
            return done.returncode, done.stderr, out.exists()


if __name__ == "__main__":
    unittest.main()
