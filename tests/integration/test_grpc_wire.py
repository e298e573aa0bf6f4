"""Clients that know the fixed field numbers, and nothing of this project, work; so do standard
tools, through reflection and the health service."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import grpc  # noqa: E402
from google.protobuf import descriptor_pb2  # noqa: E402
from lib import games  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import compile_proto  # noqa: E402
from lib.wait import wait_until  # noqa: E402

PROTOS = Path(__file__).resolve().parent / "protos"


class WireCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.channel = grpc.insecure_channel(self.service.endpoints["grpc"])
        self.addCleanup(self.channel.close)


class ManManV2Client(WireCase):
    """The hand-written contract; its module never sees the project's own proto."""

    def setUp(self):
        super().setUp()
        self.pb, services = compile_proto(PROTOS, "manmanv2.proto")
        self.stub = services.ManManAPIStub(self.channel)

    def call(self, method, **fields):
        return getattr(self.stub, method)(getattr(self.pb, method + "Request")(**fields),
                                          timeout=60)

    def wait(self, what, condition):
        return wait_until(condition, 60, what)

    def test_every_field_of_the_whole_way(self):
        servers = self.call("ListServers").servers
        self.assertEqual(len(servers), 1)
        server = self.call("GetServer", server_id=servers[0].server_id).server
        self.assertEqual((server.status, server.environment), ("online", "local"))
        self.assertGreater(server.last_seen, 1_700_000_000)
        self.assertTrue(server.name)
        self.assertTrue(server.is_default)

        game = self.call("CreateGame", name="Luanti", steam_app_id="4000").game
        self.assertEqual((game.name, game.steam_app_id), ("Luanti", "4000"))
        self.assertEqual(self.call("GetGame", game_id=game.game_id).game, game)
        self.assertEqual(list(self.call("ListGames").games), [game])

        config = self.call("CreateGameConfig", game_id=game.game_id, name="survival",
                           args_template="'{a b}' --x", env_template={"WORLD": "one"},
                           entrypoint=["/bin/sh", "-c"],
                           command=['echo "$0 $1 $WORLD"; exec sleep 600']).config
        self.assertEqual((config.game_id, config.name), (game.game_id, "survival"))
        self.assertEqual(list(config.entrypoint), ["/bin/sh", "-c"])
        self.assertEqual(list(config.command), ['echo "$0 $1 $WORLD"; exec sleep 600'])
        self.assertEqual(config.args_template, "'{a b}' --x")
        self.assertEqual(dict(config.env_template), {"WORLD": "one"})
        self.assertEqual(self.call("GetGameConfig", config_id=config.config_id).config, config)
        self.assertEqual(list(self.call("ListGameConfigs", game_id=game.game_id).configs), [config])

        port = self.pb.PortBinding(container_port=30000, host_port=30001, protocol="UDP")
        sgc = self.call("DeployGameConfig", server_id=server.server_id,
                        game_config_id=config.config_id, port_bindings=[port]).config
        self.assertEqual((sgc.server_id, sgc.game_config_id, sgc.status),
                         (server.server_id, config.config_id, "active"))
        self.assertEqual(list(sgc.port_bindings), [port])
        sgc_id = sgc.server_game_config_id
        got = self.call("GetServerGameConfig", server_game_config_id=sgc_id).config
        self.assertEqual(got, sgc)
        listed = self.call("ListServerGameConfigs", server_id=server.server_id).configs
        self.assertEqual(list(listed), [sgc])

        session = self.run_session(sgc_id)
        backup = self.take_backup(session, sgc_id)
        self.restore(sgc_id, session, backup)
        self.delete_all(backup, sgc_id, config, game)

    def session_of(self, session_id):
        return self.call("GetSession", session_id=session_id).session

    def run_session(self, sgc_id):
        made = self.call("StartSession", server_game_config_id=sgc_id).session
        self.assertEqual(made.server_game_config_id, sgc_id)
        self.wait("the session to run", lambda: self.session_of(made.session_id).status == "running")
        session = self.session_of(made.session_id)
        self.assertGreater(session.started_at, 1_700_000_000)
        self.assertEqual((session.ended_at, session.restored_from_backup_id), (0, 0))
        # argv is entrypoint, command, then the words of args_template.
        games.wait_output(self.service, sgc_id, session.session_id, "{a b} --x one\n")
        (self.service.game(sgc_id) / "world").write_text("day one")
        return session

    def take_backup(self, session, sgc_id):
        made = self.call("CreateBackup", session_id=session.session_id, description="by V2").backup
        self.assertIn(made.status, ("pending", "running", "completed"))
        url = f"s3://manman/backups/{sgc_id}/{made.backup_id}.tar.gz"
        self.assertEqual(made.s3_url, url, "the answer holds the final url already")

        def completed():
            got = self.call("GetBackup", backup_id=made.backup_id).backup
            return got if got.status == "completed" else None
        backup = self.wait("the backup to be completed", completed)
        self.assertEqual((backup.session_id, backup.server_game_config_id, backup.description),
                         (session.session_id, sgc_id, "by V2"))
        self.assertEqual((backup.s3_url, backup.error_message), (url, ""))
        self.assertGreater(backup.size_bytes, 0)
        self.assertGreater(backup.created_at, 1_700_000_000)
        by_sgc = self.call("ListBackups", server_game_config_id=sgc_id).backups
        by_session = self.call("ListBackups", session_id=session.session_id).backups
        self.assertEqual((list(by_sgc), list(by_session)), ([backup], [backup]))
        self.assertFalse(self.call("ListBackups", session_id=session.session_id + 50).backups)
        return backup

    def restore(self, sgc_id, old, backup):
        world = self.service.game(sgc_id) / "world"
        world.write_text("griefed")
        new = self.call("StartSession", server_game_config_id=sgc_id, force=True,
                        restore_from_backup_id=backup.backup_id).session
        self.wait("the new session to run",
                  lambda: self.session_of(new.session_id).status == "running")
        self.assertEqual(world.read_text(), "day one")
        self.assertEqual(self.session_of(new.session_id).restored_from_backup_id, backup.backup_id)
        ended = self.session_of(old.session_id)
        self.assertEqual(ended.status, "stopped")
        self.assertGreaterEqual(ended.ended_at, ended.started_at)
        live = self.call("ListSessions", server_game_config_id=sgc_id, live_only=True).sessions
        self.assertEqual([s.session_id for s in live], [new.session_id])
        stopped = self.call("ListSessions", status_filter=["stopped"]).sessions
        self.assertEqual([s.session_id for s in stopped], [old.session_id])
        self.call("StopSession", session_id=new.session_id)
        self.wait("the session to stop",
                  lambda: self.session_of(new.session_id).status == "stopped")

    def delete_all(self, backup, sgc_id, config, game):
        self.call("DeleteBackup", backup_id=backup.backup_id)
        self.assertFalse(self.call("ListBackups").backups)
        self.assertFalse(self.service.object_path(backup.s3_url).exists())
        with self.assertRaises(grpc.RpcError) as refusal:
            self.call("DeleteGame", game_id=game.game_id)
        self.assertEqual(refusal.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)

    def test_servers_register_and_report(self):
        made = self.call("RegisterServer", name="rented-7", environment="prod",
                         capabilities=self.pb.ServerCapabilities(
                             total_memory_mb=64000, available_memory_mb=32000, cpu_cores=16,
                             available_cpu_millicores=12000, docker_version="28.2.2"))
        self.assertEqual(made.server_id, made.server.server_id)
        self.assertEqual((made.server.name, made.server.environment), ("rented-7", "prod"))
        again = self.call("RegisterServer", name="rented-7", environment="prod")
        self.assertEqual(again.server_id, made.server_id, "the same machine comes back")
        beat = self.call("Heartbeat", server_id=made.server_id)
        self.assertTrue(beat.acknowledged)
        self.assertGreater(beat.next_heartbeat_seconds, 0)
        self.assertEqual(self.call("GetServer", server_id=made.server_id).server.status, "online")


class StandardTools(WireCase):
    def test_health(self):
        pb, services = compile_proto(PROTOS, "health.proto")
        stub = services.HealthStub(self.channel)
        for name in ("", "manman.v1.ManManAPI"):
            answer = stub.Check(pb.HealthCheckRequest(service=name), timeout=30)
            self.assertEqual(answer.status, pb.HealthCheckResponse.SERVING, name)
        with self.assertRaises(grpc.RpcError) as refusal:
            stub.Check(pb.HealthCheckRequest(service="no.such.Service"), timeout=30)
        self.assertEqual(refusal.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_reflection(self):
        pb, services = compile_proto(PROTOS, "reflection.proto")
        stub = services.ServerReflectionStub(self.channel)
        questions = [pb.ServerReflectionRequest(list_services="*"),
                     pb.ServerReflectionRequest(file_containing_symbol="manman.v1.ManManAPI")]
        listed, file = stub.ServerReflectionInfo(iter(questions), timeout=30)
        names = {service.name for service in listed.list_services_response.service}
        self.assertLessEqual({"manman.v1.ManManAPI", "grpc.health.v1.Health"}, names)
        described = descriptor_pb2.FileDescriptorProto.FromString(
            file.file_descriptor_response.file_descriptor_proto[0])
        methods = {method.name for method in described.service[0].method}
        self.assertLessEqual({"CreateBackup", "StartSession", "Heartbeat"}, methods)

    def test_http_listener(self):
        self.assertEqual(self.service.http("/healthz")[0], 200)
        self.assertEqual(self.service.http("/readyz")[0], 200)
        self.assertEqual(self.service.http("/no/such/page")[0], 404)


if __name__ == "__main__":
    unittest.main()
