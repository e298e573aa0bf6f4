"""Backups taken while games write to their worlds as fast as they can: each holds one moment, is restored, and the
game plays on in it."""

import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE / "live"))
import database_game  # noqa: E402
import minetest_world  # noqa: E402
from lib import games, paths  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.ports import free_ports  # noqa: E402


class LiveCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def play(self, name, entrypoint, ready, **config):
        self.sgc = games.deploy(self.api, name, entrypoint, **config)
        self.game = self.service.game(self.sgc)
        self.session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, self.session, ready, timeout=120)

    def output(self):
        return self.service.output(self.sgc, self.session)

    def backup(self):
        return games.backup(self.service, session_id=self.session)

    def unpack(self, backup):
        folder = self.temp_folder()
        with tarfile.open(self.service.object_path(backup.s3_url)) as tar:
            tar.extractall(folder)
        return folder / "game"

    def stop(self):
        games.stop(self.service, self.session)

    def restore(self, backup, ready):
        self.session = games.start(self.service, self.sgc, restore_from_backup_id=backup.backup_id).session_id
        games.wait_output(self.service, self.sgc, self.session, ready, timeout=120)


class Minetest(LiveCase):
    """A real server that generates map at full speed all the time and knows of no backups."""

    BACKUPS = 20

    def setUp(self):
        super().setUp()
        port = minetest_world.free_udp_port()
        self.ready = f"listening on 127.0.0.1:{port}"
        launch = f"[ -e ../installed ] || {{ touch ../installed; cp -a ../world-to-be/. .; }}; {minetest_world.RUN}"
        self.sgc = games.deploy(self.api, "minetest", ["/bin/sh", "-c", launch], profile="luanti",
                                env_template={"MINETEST_USER_PATH": str(self.service.folder / "minetest-user")})
        self.game = self.service.game(self.sgc)
        world = self.service.gsc(self.sgc) / "world-to-be"
        minetest_world.install(world, port)
        self.session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, self.session, self.ready, timeout=120)

    def test_a_drill_starts_the_server_on_a_backup(self):
        """Beside the live one, which has its port."""
        backup = self.backup()
        said = self.service.cli("backup", "drill", backup.backup_id, "--start-game", "--wait").stdout
        self.assertRegex(said, r"drill 1 passed; it holds .* databases.*; the game was ready after ")
        size = minetest_world.map_size(self.game)
        wait_until(lambda: minetest_world.map_size(self.game) > size, 60, "the live server to go on")
        self.assertNotIn("ERROR", self.output())
        self.stop()
        self.assertEqual(minetest_world.integrity(self.game), "ok")

    def test_every_backup_is_a_world_to_play_in(self):
        backups = []
        wait_until(lambda: minetest_world.map_size(self.game) > 4 << 20, 120, "the world to grow")
        for _ in range(self.BACKUPS):
            size = minetest_world.map_size(self.game)
            backups.append(self.backup())
            wait_until(lambda before=size: minetest_world.map_size(self.game) > before, 60, "the server to go on")
        self.assertNotIn("ERROR", self.output(), "the server minded")
        for backup in backups:
            self.assertRegex(backup.evidence, "SQLite databases taken by online backup")
            self.assertIn(backup.consistency, ("best-effort", "crash-consistent"), backup.evidence)
        self.stop()
        blocks = 0
        for backup in backups:
            with self.subTest(backup=backup.backup_id):
                held = minetest_world.integrity(self.unpack(backup))
                self.assertEqual(held, "ok")
                self.restore(backup, self.ready)
                now = minetest_world.blocks(self.unpack(backup))
                self.assertGreaterEqual(now, blocks, "each holds what the one before held")
                blocks = now
                self.stop()
                self.assertEqual(minetest_world.integrity(self.game), "ok")
        self.assertNotIn("ERROR", self.output())


class Sqlite(LiveCase):
    """A database written by another process at full speed, in both kinds of journal."""

    def backups_hold(self, mode, count):
        self.play("database", [sys.executable, str(HERE / "live/database_game.py"), mode], "ready")
        for _ in range(count):
            backup = self.backup()
            world = self.unpack(backup)
            self.assertEqual([p.name for p in world.iterdir()], ["world.sqlite"], "no journal of a moment before")
            self.assertEqual(database_game.check(world / "world.sqlite"), "")
            self.assertIn("1 SQLite database taken by online backup", backup.evidence)
        turns = self.output().count("turn")
        wait_until(lambda: self.output().count("turn") > turns, 60, "the game to go on")
        self.assertNotIn("locked", self.output())
        self.stop()
        self.restore(backup, "turn")
        self.stop()
        self.assertEqual(database_game.check(self.game / "world.sqlite"), "")

    def killed_amid(self, mode):
        """kill -9 while the host reads, its copies beside game/."""
        self.play("database", [sys.executable, str(HERE / "live/database_game.py"), mode], "ready")
        # Does not compress, so that reading it takes a while: after the database, by its name.
        (self.game / "zz").write_bytes(os.urandom(24 << 20))
        self.service.arguments += ["--backup-read-rate-kib", "8192"]
        self.service.restart()
        made = self.api.CreateBackup(session_id=self.session).backup.backup_id
        wait_until(lambda: list(self.service.gsc(self.sgc).glob(".snapshot-*")), 30, "the host to read", 0.005)
        self.service.kill()
        turns = self.output().count("turn")
        wait_until(lambda: self.output().count("turn") > turns, 60, "the game to go on with no host there")
        self.service.start()
        ended = self.api.wait_backup(made)
        self.assertEqual(ended.status, "completed", ended.error_message)
        self.assertEqual(database_game.check(self.unpack(ended) / "world.sqlite"), "")
        self.assertEqual(list(self.service.gsc(self.sgc).glob(".snapshot-*")), [])
        self.assertNotIn("locked", self.output())
        self.stop()

    def test_killed_amid_a_write_ahead_log(self):
        self.killed_amid("WAL")

    def test_killed_amid_a_rollback_journal(self):
        self.killed_amid("DELETE")

    def test_write_ahead_log(self):
        self.backups_hold("WAL", 20)

    def test_rollback_journal(self):
        self.backups_hold("DELETE", 20)


class Bedrock(LiveCase):
    """The game says which files to copy, and how much of each."""

    def test_the_listed_lengths_are_what_is_archived(self):
        self.play("bedrock", [sys.executable, str(HERE / "live/bedrock_server.py")], "Server started",
                  profile="minecraft-bedrock")
        for _ in range(3):
            backup = self.backup()
            self.assertEqual(backup.consistency, "consistent", backup.evidence)
            self.assertIn("files that it listed", backup.evidence)
            listed = {}
            for line in (self.service.gsc(self.sgc) / "listed").read_text().splitlines():
                size, name = line.split(" ", 1)
                listed[name] = int(size)
            root = self.unpack(backup)
            world = root / "worlds/Bedrock level"
            held = {str(p.relative_to(world)): p.stat().st_size for p in world.rglob("*") if p.is_file()}
            self.assertEqual(held, listed)
            self.assertEqual(backup.changed_count, 0, list(backup.changed_files))
            for name, size in listed.items():
                live = (self.game / "worlds/Bedrock level" / name).read_bytes()
                self.assertEqual((world / name).read_bytes(), live[:size], name)
            self.assertTrue((root / "server.properties").exists(), "beside the worlds all is taken")
        wait_until(lambda: self.output().count("Changes to the world are resumed") == 3, 20, "the game to be resumed")
        self.stop()


class OpenTtd(LiveCase):
    """A real server that confirms a save on its console."""

    def test_a_save_that_loads(self):
        launch = ("/usr/games/openttd -D 127.0.0.1:0 -c cfg $( [ -e save/manman.sav ] && echo -g save/manman.sav || "
                  "echo -g )")
        self.play("openttd", ["/bin/sh", "-c", f"export HOME=$PWD; printf '[gui]\\nthreaded_saves = false\\n' > cfg; exec {launch}"], "starting game", profile="openttd")
        backup = self.backup()
        self.assertEqual(backup.consistency, "consistent", backup.evidence)
        self.assertIn("Map successfully saved", self.output())
        self.stop()
        save = self.game / "save/manman.sav"
        kept = save.read_bytes()
        save.write_bytes(b"gone")
        self.restore(backup, "Network revision name")
        self.assertEqual(save.read_bytes(), kept)
        self.assertEqual(self.backup().consistency, "consistent", "it plays on in the save")
        self.assertNotIn("rror", self.output())
        self.stop()


class Rcon(LiveCase):
    """A game that takes commands by RCON, with a password that the host alone knows."""

    PASSWORD = "correct horse"

    def setUp(self):
        super().setUp()
        port = free_ports(1)[0]
        self.play("rcon", [sys.executable, str(HERE / "live/rcon_game.py"), str(port), self.PASSWORD], "RCON running",
                  quiesce=games.QUIESCE, resume=["save-on"], handling={"rcon": {"port": port, "secret": "survival"}})
        self.secret = self.service.state / "data/secrets/survival"
        self.secret.parent.mkdir()

    def keep(self, password, mode=0o600):
        self.secret.write_text(password + "\n")
        self.secret.chmod(mode)

    def console(self):
        return games.lines_of(self.service.gsc(self.sgc) / "console")

    def failed(self):
        made = self.api.CreateBackup(session_id=self.session).backup
        ended = self.api.wait_backup(made.backup_id)
        self.assertEqual(ended.status, "failed")
        self.assertNotIn(self.PASSWORD, self.service.log.read_text())
        return ended.error_message

    def test_quiesced_and_resumed(self):
        self.keep(self.PASSWORD)
        self.assertEqual(self.backup().consistency, "consistent")
        self.assertEqual(self.console(), ["save-off", "save-all flush", "save-on"])

    def test_a_killed_host_leaves_a_guard_that_knows_rcon(self):
        self.keep(self.PASSWORD)
        self.service.restart(failpoints="backup.quiesced=crash")
        self.api.CreateBackup(session_id=self.session)
        self.service.wait_crash()
        wait_until(lambda: self.console() == ["save-off", "save-all flush", "save-on"], 20, "the guard to resume it")

    def test_what_is_wrong_is_said(self):
        self.assertRegex(self.failed(), "secrets/survival")
        self.keep("wrong")
        self.assertRegex(self.failed(), "password")
        self.keep(self.PASSWORD, 0o644)
        self.assertRegex(self.failed(), "chmod 600")
        self.assertEqual(self.console(), [], "nothing was asked of it")


class KilledHost(LiveCase):
    """Whatever ends the host between quiesce and resume, the game saves on."""

    POINTS = ("backup.guarded", "backup.quiesce_step", "backup.quiesced")

    def test_the_game_is_resumed_at_once(self):
        self.play("sample", [str(paths.sample_game()), "--regions", "2", "--tick-ms", "20"], "Done",
                  quiesce=games.QUIESCE, resume=["save-on"])
        for point in self.POINTS:
            with self.subTest(point=point):
                before = self.output().count("saving is now enabled")
                self.service.restart(failpoints=f"{point}=crash")
                self.api.CreateBackup(session_id=self.session)
                self.service.wait_crash()
                wait_until(lambda b=before: self.output().count("saving is now enabled") > b, 10,
                           "the game to save on, with no host there")
                self.service.start()
                self.assertEqual(self.api.wait_backup(self.api.backups()[0].backup_id).status, "completed")

    def test_a_host_that_stands_still(self):
        self.play("sample", [str(paths.sample_game()), "--regions", "2", "--tick-ms", "20"], "Done",
                  quiesce=[{**step, "timeout_seconds": 1} for step in games.QUIESCE], resume=["save-on"])
        self.service.arguments += ["--max-pause-seconds", "1"]
        self.service.restart(failpoints="backup.quiesced=stop")
        backup = self.api.CreateBackup(session_id=self.session).backup
        process = self.service.process.pid
        stat = Path(f"/proc/{process}/stat")
        wait_until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", 30, "the host to stand still")
        wait_until(lambda: "saving is now enabled" in self.output(), 30, "its guard to resume the game")
        subprocess.run(["kill", "-CONT", str(process)], check=True)
        ended = self.api.wait_backup(backup.backup_id)
        self.assertEqual(ended.status, "completed")
        self.assertIn("longest pause", ended.evidence)


if __name__ == "__main__":
    unittest.main()
