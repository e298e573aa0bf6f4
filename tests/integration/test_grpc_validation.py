"""A wrong field is refused by name before anything is changed."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from grpc import StatusCode  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import refused  # noqa: E402

SH = {"entrypoint": ["/bin/sh"]}


class Validation(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.server = self.api.ListServers().servers[0].server_id
        self.game = self.api.CreateGame(name="game").game.game_id

    def assert_invalid(self, method, field, **fields):
        with self.subTest(method=method, field=field, fields=str(fields)[:80]):
            with refused(StatusCode.INVALID_ARGUMENT, field):
                getattr(self.api, method)(**fields)

    def test_games(self):
        self.assert_invalid("CreateGame", "name")
        self.assert_invalid("CreateGame", "name", name="x" * 101)
        self.assert_invalid("CreateGame", "name", name="line\nbreak")
        self.assertEqual([g.name for g in self.api.ListGames().games], ["game"])
        self.api.CreateGame(name="Wörld of 100 % ☃")
        for method in ("GetGame", "DeleteGame"):
            self.assert_invalid(method, "game_id", game_id=-1)
            with refused(StatusCode.NOT_FOUND, "game 99"):
                getattr(self.api, method)(game_id=99)

    def test_configs(self):
        def bad(field, **fields):
            self.assert_invalid("CreateGameConfig", field,
                                **({"game_id": self.game, "name": "c"} | SH | fields))
        bad("game_id", game_id=0)
        bad("name", name="")
        bad("entrypoint", entrypoint=[])
        bad("args_template", args_template="an 'unclosed quote")
        bad("env_template", env_template={"NOT A NAME": "x"})
        bad("env_template", env_template={"A=B": "x"})
        bad("stop_grace_seconds", stop_grace_seconds=-1)
        bad("stop_grace_seconds", stop_grace_seconds=1_000_000)
        bad("stop_command", stop_command="two\nlines")
        bad("quiesce", quiesce=[{"input": "save-off", "confirm_regex": "("}])
        bad("quiesce", quiesce=[{"input": "", "confirm_regex": "x"}])
        bad("quiesce", quiesce=[{"input": "a", "confirm_regex": "x", "timeout_seconds": -3}])
        self.assertEqual(len(self.api.ListGameConfigs(game_id=self.game).configs), 0)
        with refused(StatusCode.NOT_FOUND, "game 99"):
            self.api.CreateGameConfig(game_id=99, name="c", **SH)
        with refused(StatusCode.NOT_FOUND, "config 99"):
            self.api.GetGameConfig(config_id=99)
        made = self.api.CreateGameConfig(game_id=self.game, name="c", **SH).config
        self.assertEqual(made.stop_grace_seconds, 30, "the default")

    def test_deployments(self):
        config = self.api.CreateGameConfig(game_id=self.game, name="c", **SH).config.config_id

        def bad(field, **fields):
            self.assert_invalid("DeployGameConfig", field,
                                **({"server_id": self.server, "game_config_id": config} | fields))
        bad("server_id", server_id=-1)
        bad("game_config_id", game_config_id=0)
        fine = {"container_port": 1, "host_port": 2, "protocol": "TCP"}
        for change in ({"container_port": 0}, {"host_port": 70000}, {"protocol": "SCTP"}):
            bad(f"port_bindings[1].{next(iter(change))}", port_bindings=[fine, fine | change])
        self.assertEqual(len(self.api.ListServerGameConfigs(server_id=self.server).configs), 0)
        with refused(StatusCode.NOT_FOUND, "server 99"):
            self.api.DeployGameConfig(server_id=99, game_config_id=config)
        with refused(StatusCode.NOT_FOUND, "config 99"):
            self.api.DeployGameConfig(server_id=self.server, game_config_id=99)
        with refused(StatusCode.NOT_FOUND, "99"):
            self.api.GetServerGameConfig(server_game_config_id=99)

    def test_servers(self):
        self.assert_invalid("RegisterServer", "name")
        self.assert_invalid("RegisterServer", "environment", name="a", environment="../up")
        for method in ("GetServer", "Heartbeat"):
            self.assert_invalid(method, "server_id", server_id=-1)
            with refused(StatusCode.NOT_FOUND, "server 99"):
                getattr(self.api, method)(server_id=99)

    def test_pages(self):
        for method in ("ListBackups", "ListSessions", "ListServers", "ListGames",
                       "ListGameConfigs", "ListServerGameConfigs"):
            self.assert_invalid(method, "page_size", page_size=-1)
            for token in ("nonsense", "AAAA", "x" * 5000):
                self.assert_invalid(method, "page_token", page_token=token)
        self.assert_invalid("ListSessions", "status_filter", status_filter=["asleep"])

    def test_things_in_use_are_kept(self):
        config = self.api.CreateGameConfig(game_id=self.game, name="c", **SH).config.config_id
        sgc = self.api.DeployGameConfig(server_id=self.server,
                                        game_config_id=config).config.server_game_config_id
        with refused(StatusCode.FAILED_PRECONDITION, f"game {self.game}"):
            self.api.DeleteGame(game_id=self.game)
        with refused(StatusCode.FAILED_PRECONDITION, f"config {config}"):
            self.api.DeleteGameConfig(config_id=config)
        with refused(StatusCode.FAILED_PRECONDITION, f"server {self.server}"):
            self.api.DeleteServer(server_id=self.server)
        self.api.DeleteServerGameConfig(server_game_config_id=sgc)
        self.api.DeleteGameConfig(config_id=config)
        self.api.DeleteGame(game_id=self.game)


if __name__ == "__main__":
    unittest.main()
