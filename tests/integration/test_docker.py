"""Games in containers of a real Docker Engine: through `manman serve`, as players and operators
meet them."""

import json
import signal
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.docker import Docker  # noqa: E402

SAMPLE = "manman-sample:1"
OWN_ENTRYPOINT = "manman-own-entrypoint:1"
GAME = ["--regions", "2", "--region-kib", "128", "--tick-ms", "50", "--world", "/data/game/world"]

# The program of an image that says how it is to be run.
ENTRY = """#!/bin/sh
trap 'echo told; exit 4' USR1
echo entry $@
while :; do sleep 0.1; done
"""

docker = None


def setUpModule():
    global docker
    docker = Docker()
    unittest.addModuleCleanup(docker.close)
    docker.start()
    docker.load_image(SAMPLE, [paths.sample_game()], Labels={"from": "image"})
    entry = docker.folder / "entry"
    entry.write_text(ENTRY)
    entry.chmod(0o755)
    docker.load_image(OWN_ENTRYPOINT, [entry], Entrypoint=["/bin/entry"], Cmd=["of", "image"],
                      StopSignal="SIGUSR1")


class DockerCase(ServiceCase):
    grace = "600"

    def setUp(self):
        super().setUp()
        self.service.arguments = ["--docker-socket", docker.socket, "--docker-network", "none",
                                  "--orphan-grace-seconds", self.grace,
                                  "--data-dir", f"{self.service.state}/data/"]
        self.addCleanup(docker.remove_all)

    def deploy_sample(self, name="sample", **fields):
        config = {"image": SAMPLE, "entrypoint": ["/bin/sample-game"], "command": GAME,
                  "stop_command": "stop", "quiesce": games.QUIESCE, "resume": ["save-on"]}
        return games.deploy(self.service.api, name, **(config | fields))

    def start_sample(self, **fields):
        sgc = self.deploy_sample(**fields)
        session = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, session, "Done")
        return sgc, session

    def deploy_shell(self, script, **fields):
        return games.deploy(self.service.api, "shell", ("/bin/sh", "-c", script), image=SAMPLE,
                            **fields)

    def containers(self, session):
        return docker.containers(f"manman.session_id={session}",
                                 f"manman.data_dir={self.service.state}/data")

    def container(self, session):
        found = self.containers(session)
        return docker.inspect(found[0]["Id"]) if found else None

    def type(self, session, line):
        self.api.SendInput(session_id=session, input=line.encode() + b"\n")


class Sessions(DockerCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def test_runs_takes_input_and_stops(self):
        sgc, session = self.start_sample()
        self.type(session, "list")
        games.wait_output(self.service, sgc, session, "players")
        self.assertTrue((self.service.game(sgc) / "world/level.dat").exists())
        ended = games.stop(self.service, session)
        self.assertEqual((ended.status, ended.exit_code), ("stopped", 0))

    def test_container_is_what_was_asked_for(self):
        sgc, session = self.start_sample(env_template={"MOTD": "hello world"})
        found = self.container(session)
        labels = found["Config"]["Labels"]
        server = self.api.ListServers().servers[0].server_id
        wanted = {"manman.type": "game", "manman.session_id": str(session), "from": "image",
                  "manman.sgc_id": str(sgc), "manman.server_id": str(server)}
        self.assertEqual(wanted, {name: labels.get(name) for name in wanted})
        config, host = found["Config"], found["HostConfig"]
        self.assertEqual((config["OpenStdin"], config["StdinOnce"], config["Tty"]),
                         (True, False, False))
        self.assertIn("MOTD=hello world", config["Env"])
        self.assertEqual(host["RestartPolicy"]["Name"], "no")
        self.assertEqual([(m["Type"], m["Source"], m["Destination"]) for m in found["Mounts"]],
                         [("bind", str(self.service.game(sgc)), "/data/game")])

    def test_sigterm_and_kill(self):
        _, session = self.start_sample(stop_command="")
        ended = games.stop(self.service, session)
        self.assertEqual((ended.status, ended.exit_code), ("stopped", 0))
        sgc = self.deploy_shell("trap '' TERM; echo up; while :; do sleep 1; done")
        session = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, session, "up")
        self.api.StopSession(session_id=session, kill=True)
        ended = self.api.wait_session(session, "stopped")
        self.assertEqual(ended.exit_code, 128 + signal.SIGKILL)

    def test_image_keeps_what_the_config_leaves_open(self):
        for name, command, said in (("all", [], "entry of image"),
                                    ("entrypoint", ["of", "config"], "entry of config")):
            sgc = games.deploy(self.api, name, (), image=OWN_ENTRYPOINT, command=command)
            session = games.start(self.service, sgc).session_id
            games.wait_output(self.service, sgc, session, said)
            ended = games.stop(self.service, session)
            self.assertEqual(ended.exit_code, 4, "the image's stop signal was sent")
            self.assertIn("told", self.service.output(sgc, session))

    def test_data_path(self):
        game = self.api.CreateGame(name="paths").game.game_id
        made = self.service.cli_json(
            "config", "create", "--game", game, "--name", "elsewhere", "--image", SAMPLE,
            "--data-path", "/srv/save", "--entrypoint", "/bin/sh", "--", "-c",
            "echo kept > /srv/save/file")
        self.assertEqual(made["data_path"], "/srv/save")
        server = self.api.ListServers().servers[0].server_id
        sgc = self.api.DeployGameConfig(
            server_id=server, game_config_id=int(made["config_id"])).config.server_game_config_id
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        self.api.wait_session(session, "completed")
        self.assertEqual((self.service.game(sgc) / "file").read_text(), "kept\n")

    def test_ends_by_itself(self):
        # The first process of a container that aborts dies of SIGSEGV: SIGABRT does not reach it.
        for line, status, code in (("exit 7", "crashed", 7), ("crash", "crashed", 139),
                                   ("stop", "completed", 0)):
            sgc, session = self.start_sample(name=line)
            self.type(session, line)
            ended = self.api.wait_session(session, status)
            self.assertEqual(ended.exit_code, code)
            if code:
                self.assertIn(str(code), ended.error_message)

    def test_backup_under_way_and_restore(self):
        sgc, session = self.start_sample()
        backup = games.backup(self.service, session_id=session)
        self.assertEqual(list(backup.warnings), [])
        output = self.service.output(sgc, session)
        self.assertLess(output.index("saving is now disabled"), output.index("Saved the game"))
        games.wait_output(self.service, sgc, session, "saving is now enabled")
        folder = self.temp_folder()
        with tarfile.open(self.service.object_path(backup.s3_url)) as tar:
            tar.extractall(folder)
        saved = trees.snapshot(folder / "game/world/region")
        self.assertTrue(saved)
        (self.service.game(sgc) / "world/griefed").write_text("x")
        restored = games.start(self.service, sgc, restore_from_backup_id=backup.backup_id,
                               force=True).session_id
        self.assertEqual(self.api.wait_session(session, "stopped").exit_code, 0)
        games.wait_output(self.service, sgc, restored, "Done")
        self.assertFalse((self.service.game(sgc) / "world/griefed").exists())
        self.assertEqual(self.container(restored)["State"]["Status"], "running")
        games.stop(self.service, restored)
        self.service.cli("session", "undo-restore", restored, "--wait")
        self.assertTrue((self.service.game(sgc) / "world/griefed").exists())

    def test_failures_say_what_to_do(self):
        missing = self.deploy_sample(name="missing", image="manman-nowhere:9")
        session = self.api.StartSession(server_game_config_id=missing).session.session_id
        ended = self.api.wait_session(session, "crashed")
        self.assertIn("docker pull manman-nowhere:9", ended.error_message)
        no_program = self.deploy_sample(name="none", entrypoint=["/bin/not-there"])
        session = self.api.StartSession(server_game_config_id=no_program).session.session_id
        self.assertIn("/bin/not-there", self.api.wait_session(session, "crashed").error_message)
        self.assertEqual(docker.containers("manman.type=game"), [], "nothing is left of them")


class Drills(DockerCase):
    def order(self, ready):
        _, session = self.start_sample(handling={"ready": ready, "ready_timeout_seconds": 600,
                                                 "examine": [{"pattern": "*.mca", "as": "nothing"}]})
        backup = games.backup(self.service, session_id=session)
        return session, self.api.DrillBackup(backup_id=backup.backup_id, start_game=True).drill.drill_id

    def ended(self, drill):
        def look():
            now = self.api.GetDrill(drill_id=drill).drill
            return now.status not in ("pending", "running") and now
        return wait_until(look, 60, "the drill to end")

    def assert_nothing_left(self, drill):
        self.assertEqual(self.containers(-drill), [])
        self.assertEqual(list((self.service.state / "data/drills").iterdir()), [])

    def test_ready_beside_the_live_container(self):
        self.service.start()
        session, drill = self.order("Done")
        ended = self.ended(drill)
        self.assertEqual((ended.status, ended.error_message), ("passed", ""))
        self.assertIn("the game was ready after", ended.examined)
        self.assert_nothing_left(drill)
        self.assertEqual(self.container(session)["State"]["Status"], "running")

    def test_it_has_no_network_and_ends_with_its_host(self):
        self.service.start()
        session, drill = self.order("never said")
        found = wait_until(lambda: self.container(-drill), 60, "the drill's container")
        self.assertEqual(found["HostConfig"]["NetworkMode"], "none")
        self.assertFalse(found["HostConfig"]["PortBindings"])
        self.assertEqual([mount["Source"] for mount in found["Mounts"]],
                         [str(self.service.state / f"data/drills/drill-{drill}/game")])
        wait_until(lambda: self.container(-drill)["State"]["Running"], 60, "it to run")
        self.service.kill()
        self.assertTrue(self.container(-drill)["State"]["Running"], "it outlives the host")
        self.service.start()

        def anew():
            now = self.container(-drill)
            return now and now["Id"] != found["Id"] and now["State"]["Running"]
        wait_until(anew, 60, "the drill to begin anew, in another container")
        self.service.stop()
        self.assert_nothing_left(drill)
        self.assertEqual(self.container(session)["State"]["Status"], "running")

    def test_an_image_that_is_gone_says_nothing_of_the_backup(self):
        self.service.start()
        sgc = games.deploy(self.api, "gone", ("/bin/game",), image="manman-nowhere:9", handling={"ready": "up"})
        self.service.game(sgc).mkdir(parents=True)
        (self.service.game(sgc) / "file").write_text("x")
        backup = games.backup(self.service, server_game_config_id=sgc)
        ended = self.ended(self.api.DrillBackup(backup_id=backup.backup_id, start_game=True).drill.drill_id)
        self.assertEqual(ended.status, "given-up")
        self.assertIn("docker pull manman-nowhere:9", ended.error_message)


class Restarts(DockerCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def test_adopted_after_kill(self):
        sgc, session = self.start_sample()
        container = self.container(session)["Id"]
        self.service.kill()
        docker.type_into(container, "list\n")
        self.service.start()
        self.api.wait_session(session, "running")
        self.type(session, "save-all flush")
        games.wait_output(self.service, sgc, session, "Saved the game")
        output = self.service.output(sgc, session)
        self.assertEqual(output.count("Done"), 1, output)
        self.assertEqual(output.count("players"), 1, output)
        self.assertEqual(self.container(session)["Id"], container)
        self.type(session, "exit 3")
        self.assertEqual(self.api.wait_session(session, "crashed").exit_code, 3)

    def test_adopted_by_its_labels(self):
        sgc, session = self.start_sample()
        self.service.kill()
        (self.service.gsc(sgc) / f"session-{session}/container.json").unlink()
        for record in (self.service.state / "data/journal").iterdir():
            if record.is_file():
                record.unlink()
        self.service.start()
        self.type(session, "exit 6")
        self.assertEqual(self.api.wait_session(session, "crashed").exit_code, 6)

    def test_ended_while_no_one_watched(self):
        sgc, session = self.start_sample()
        container = self.container(session)["Id"]
        self.service.kill()
        docker.type_into(container, "exit 5\n")
        wait_until(lambda: not docker.inspect(container)["State"]["Running"], 30, "its end")
        self.service.start()
        self.assertEqual(self.api.wait_session(session, "crashed").exit_code, 5)
        self.assertIn("Done", self.service.output(sgc, session))

    def test_output_is_exact_across_kills(self):
        """Many lines, some very long, some without newline, to both streams."""
        script = """
            i=0; while [ $i -lt 1500 ]; do
              echo "line $i $(head -c 2000 /dev/zero | tr '\\0' x)"; i=$((i+1))
              [ $((i % 500)) = 0 ] || continue
              head -c 100000 /dev/zero | tr '\\0' y; echo error >&2; sleep 1; echo
            done; printf 'no newline'"""
        sgc = self.deploy_shell(script)
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        path = self.service.gsc(sgc) / f"session-{session}/output.log"
        for size in (300_000, 1_500_000, 2_500_000):
            wait_until(lambda: path.exists() and path.stat().st_size > size, 60, "output", 0.005)
            self.service.kill()
            self.service.start()
        self.api.wait_session(session, "completed")
        text = path.read_text()
        self.assertNotIn("[manman]", text)
        wanted = [f"line {i} {'x' * 2000}" for i in range(1500)]
        found = [line for line in text.splitlines() if line.startswith("line")]
        for line, (of_file, of_game) in enumerate(zip(found, wanted)):
            self.assertEqual(of_file[:20], of_game[:20], f"line {line}")
        self.assertTrue(found == wanted, f"{len(found)} lines, each whole")
        self.assertEqual((text.count("y"), text.count("error")), (300_000, 3))
        self.assertTrue(text.endswith("no newline"))


class EngineFailures(DockerCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.revive)

    @staticmethod
    def revive():
        if docker.process is None:
            docker.start()

    def test_no_engine_at_the_start(self):
        docker.stop()
        self.service.start()
        process = games.deploy_console(self.api)
        running = games.start(self.service, process).session_id
        sgc = self.deploy_sample()
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        ended = self.api.wait_session(session, "crashed")
        self.assertIn(docker.socket, ended.error_message)
        self.assertIn("DOCKER_SOCKET", ended.error_message)
        games.backup(self.service, session_id=running)
        docker.start()
        games.start(self.service, sgc)
        self.api.wait_session(running, "running")

    def test_engine_killed_under_a_session(self):
        self.service.start()
        process = games.start(self.service, games.deploy_console(self.api)).session_id
        script = "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"
        sgc = self.deploy_shell(script)
        session = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, session, "up")
        docker.kill()
        # The host goes on; of a container nothing is known now, so nothing is claimed.
        games.backup(self.service, session_id=process)
        self.assertEqual(self.api.wait_session(session, "running").status, "running")
        docker.start()  # an engine that comes back ends what it finds
        ended = self.api.wait_session(session, "crashed")
        self.assertIn(str(ended.exit_code), ended.error_message)
        self.assertIn(ended.exit_code, (3, 137, 255))
        self.api.wait_session(process, "running")
        again = games.start(self.service, sgc).session_id
        games.wait_output(self.service, sgc, again, "up")

    def test_removed_by_another(self):
        self.service.start()
        _, session = self.start_sample()
        docker.call("DELETE", f"/containers/{self.container(session)['Id']}?force=1")
        self.assertTrue(self.api.wait_session(session, "crashed").error_message)

    def test_without_docker(self):
        self.service.arguments = ["--docker-socket", ""]
        self.service.start()
        sgc = self.deploy_sample()
        session = self.api.StartSession(server_game_config_id=sgc).session.session_id
        self.assertIn("DOCKER_SOCKET", self.api.wait_session(session, "crashed").error_message)


class Orphans(DockerCase):
    grace = "2"

    def stray(self, session_id, data_dir):
        """A container that looks like one of a host manager in that folder."""
        server = self.api.ListServers().servers[0].server_id
        labels = {"manman.type": "game", "manman.server_id": str(server), "manman.sgc_id": "9",
                  "manman.session_id": str(session_id), "manman.data_dir": data_dir,
                  "manman.gsc_dir": f"{data_dir}/gsc-local-9"}
        return docker.run({"Image": SAMPLE, "Labels": labels, "HostConfig": {"NetworkMode": "none"},
                           "Cmd": ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]})

    def ids(self):
        return {container["Id"] for container in docker.containers()}

    def test_what_no_session_needs_is_removed(self):
        self.service.start()
        data = f"{self.service.state}/data"
        ours, others = self.stray(1000, data), self.stray(1000, "/srv/other/data")
        sgc, live = self.start_sample()
        ended = games.start(self.service, self.deploy_sample(name="ended")).session_id
        container = self.container(ended)["Id"]
        self.type(ended, "exit 9")
        self.api.wait_session(ended, "crashed")
        wait_until(lambda: not self.ids() & {ours, container}, 60, "orphans to be removed")
        self.assertIn(others, self.ids())
        self.assertEqual(self.container(live)["State"]["Status"], "running")
        self.assertEqual(self.api.GetSession(session_id=ended).session.exit_code, 9)
        self.type(live, "list")
        games.wait_output(self.service, sgc, live, "players")

    def test_end_and_output_outlive_the_container(self):
        self.service.start()
        sgc, session = self.start_sample()
        self.type(session, "exit 9")
        self.api.wait_session(session, "crashed")
        wait_until(lambda: not self.containers(session), 60, "the container to be removed")
        kept = self.service.gsc(sgc) / f"session-{session}"
        self.assertEqual(json.loads((kept / "exit.json").read_text())["exit_code"], 9)
        self.assertIn("Done", (kept / "output.log").read_text())
        self.service.restart()
        self.assertEqual(self.api.GetSession(session_id=session).session.status, "crashed")


if __name__ == "__main__":
    unittest.main()
