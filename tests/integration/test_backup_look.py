"""Looking into stored backups through the service: ls, cat, diff, verify and download."""

import hashlib
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.client import Api, refused  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.s3_script import Fault, ScriptedS3  # noqa: E402

FAILED, USAGE, NOT_FOUND, REFUSED = 1, 2, 3, 4
MIB = 1 << 20


class Look(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        trees.make_world(self.game, seed=5, regions=3, region_kib=1536)
        self.world = trees.snapshot(self.game)
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)

    def error(self, *words, expect):
        done = self.service.cli("backup", *words, expect=expect)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def cat(self, backup_id, path):
        done = subprocess.run([str(paths.manman()), "--api", self.service.endpoints["grpc"], "backup", "cat",
                               str(backup_id), path], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def spoil(self):
        trees.spoil(self.game, seed=9)
        return games.backup(self.service, server_game_config_id=self.sgc)

    def damage(self, backup, place):
        """Turns one byte of the object; all its bytes as they are then."""
        stored = self.service.object_path(backup.s3_url)
        data = bytearray(stored.read_bytes())
        data[place] ^= 1
        stored.write_bytes(data)
        return bytes(data)

    def test_ls(self):
        number = self.backup.backup_id
        listed = self.service.cli_json("backup", "ls", number)["items"]
        direct = self.service.cli_json("archive", "list", self.service.object_path(self.backup.s3_url))["items"]
        self.assertEqual(listed, direct)
        self.assertEqual(len(listed), len(self.world))
        below = self.service.cli("-q", "backup", "ls", number, "game/world/region/").stdout.splitlines()
        self.assertEqual(below, ["game/world/region", *(f"game/world/region/r.{n}.{-n}.mca" for n in range(3))])
        line = self.service.cli("backup", "ls", number, "game/start.sh").stdout
        self.assertRegex(line, r"^-rwxr-xr-x +10 20\d\d-.*Z game/start.sh\n$")
        self.assertIn("no entry game/world/reg in", self.error("ls", number, "game/world/reg", expect=NOT_FOUND))
        self.error("ls", 99, expect=NOT_FOUND)
        self.error("ls", "x", expect=USAGE)

    def test_cat(self):
        number = self.backup.backup_id
        for path, entry in self.world.items():
            if entry.kind == "file":
                found = self.cat(number, b"game/" + path)
                self.assertEqual((len(found), hashlib.sha256(found).hexdigest()), (entry.size, entry.digest), path)
        self.assertIn("not a file", self.error("cat", number, "game/world", expect=USAGE))
        self.error("cat", number, "game/none", expect=NOT_FOUND)

    def test_damage_shows_in_what_it_touches_alone(self):
        number = self.backup.backup_id
        before = self.damage(self.backup, self.backup.size_bytes // 2)
        touched = []
        for path, entry in self.world.items():
            if entry.kind != "file":
                continue
            done = subprocess.run([str(paths.manman()), "--api", self.service.endpoints["grpc"], "backup", "cat",
                                   str(number), b"game/" + path], stdin=subprocess.DEVNULL, capture_output=True)
            whole = hashlib.sha256(done.stdout).hexdigest() == entry.digest
            self.assertEqual(done.returncode == 0, whole, "what is not whole is an error")
            touched += [] if whole else [os.fsdecode(path)]
        self.assertTrue(0 < len(touched) < 5, touched)
        said = self.error("verify", number, expect=FAILED)
        self.assertRegex(said, r"backup \d+: frame \d+ \(at byte \d+\) is damaged")
        self.assertTrue(any(f"game/{path}" in said for path in touched), said)
        self.assertIn("salvage", said)
        direct = self.service.cli("archive", "verify", self.service.object_path(self.backup.s3_url), expect=FAILED)
        self.assertIn(re.search(r"frame \d+ \(at byte \d+\) is damaged", said)[0], direct.stderr)
        with refused(grpc.StatusCode.DATA_LOSS, "is damaged"):
            list(self.api.VerifyBackup(backup_id=number))
        # Nothing happens to what is damaged, but that its row says so.
        row = self.api.GetBackup(backup_id=number).backup
        self.assertRegex(row.verification_error, r"frame \d+ \(at byte \d+\) is damaged")
        self.assertGreaterEqual(row.verification_failed_at, row.finished_at)
        self.assertEqual(row.verification_failed_how, "full")
        for field in ("verification_error", "verification_failed_at", "verification_failed_how"):
            row.ClearField(field)
        self.assertEqual(row, self.backup)
        self.assertEqual(self.service.object_path(row.s3_url).read_bytes(), before)

    def test_verify(self):
        said = self.service.cli("backup", "verify", self.backup.backup_id).stdout
        self.assertIn("is whole", said)
        self.assertIn(self.backup.sha256, said)
        result = self.service.cli_json("backup", "verify", self.backup.backup_id)
        self.assertEqual((result["sha256"], result["entries"], result["indexed"]),
                         (self.backup.sha256, self.backup.entries, True))
        # Whole by itself, but another one.
        other = self.spoil()
        mine, theirs = map(self.service.object_path, (self.backup.s3_url, other.s3_url))
        theirs.write_bytes(mine.read_bytes())
        self.assertIn("bytes instead of", self.error("verify", other.backup_id, expect=FAILED))
        mine.unlink()
        self.assertIn("not in the store", self.error("verify", self.backup.backup_id, expect=FAILED))

    def test_diff(self):
        other = self.spoil()
        number = self.backup.backup_id
        changes = {item["path"].removeprefix("game/"): item["change"] for item in
                   self.service.cli_json("backup", "diff", number, other.backup_id)["items"]}
        now = trees.snapshot(self.game)
        expected = {}
        for path in self.world.keys() | now.keys():
            old, new = self.world.get(path), now.get(path)
            if old is None or new is None:
                expected[os.fsdecode(path)] = "added" if old is None else "removed"
            elif old.digest != new.digest or old.target != new.target:
                expected[os.fsdecode(path)] = "modified"
        self.assertEqual(changes, expected)
        text = self.service.cli("backup", "diff", number, other.backup_id)
        self.assertIn("+ game/world/griefed\n", text.stdout)
        self.assertIn("M game/world/region/r.1.-1.mca\n", text.stdout)
        self.assertRegex(text.stderr, r"1 added, 1 modified, \d+ removed")
        more = self.service.cli("backup", "diff", number, other.backup_id, "--metadata").stdout
        self.assertIn("U game/start.sh\n", more)
        backwards = self.service.cli("backup", "diff", other.backup_id, number).stdout
        self.assertIn("- game/world/griefed\n", backwards)
        self.assertEqual(self.service.cli("backup", "diff", number, number).stdout, "")
        self.error("diff", number, 99, expect=NOT_FOUND)

    def test_archive_of_another_program(self):
        folder = self.temp_folder()
        (folder / "game").mkdir()
        (folder / "game/f").write_text("x")
        stored = self.service.object_path(self.backup.s3_url)
        subprocess.run(["tar", "-C", folder, "-czf", stored, "game"], check=True)
        self.service.stop()
        with sqlite3.connect(self.service.state / "manman.db") as db:
            db.execute("UPDATE backups SET sha256 = '', size_bytes = ?", (stored.stat().st_size,))
        self.service.start()
        number = self.backup.backup_id
        for words in (("ls", number), ("cat", number, "game/f"), ("diff", number, number)):
            said = self.error(*words, expect=REFUSED)
            self.assertIn("no index", said)
            self.assertIn("backup download", said)
        self.assertIn("no index", self.service.cli("backup", "verify", number).stdout)

    def test_backup_that_has_no_archive(self):
        self.service.stop()
        with sqlite3.connect(self.service.state / "manman.db") as db:
            db.execute("UPDATE backups SET status = 'failed'")
        self.service.start()
        number = self.backup.backup_id
        for words in (("ls", number), ("cat", number, "game/f"), ("diff", number, number), ("verify", number)):
            self.assertIn("is failed", self.error(*words, expect=REFUSED))

    def test_download(self):
        number = self.backup.backup_id
        self.service.cli("backup", "download", number)
        fetched = self.service.folder / f"backup-{number}.tar.gz"
        self.assertEqual(hashlib.sha256(fetched.read_bytes()).hexdigest(), self.backup.sha256)
        self.error("download", number, expect=REFUSED)  # it is there
        other = self.service.folder / "other.tar.gz"
        self.damage(self.backup, 1000)
        self.assertIn("SHA-256", self.error("download", number, other, expect=FAILED))
        self.assertFalse(other.exists())
        self.assertEqual(list(self.service.folder.glob("other*")), [])

    def test_reader_that_goes_away(self):
        done = subprocess.run(f"{paths.manman()} --api {self.service.endpoints['grpc']} backup ls "
                              f"{self.backup.backup_id} | head -1", shell=True, capture_output=True, text=True)
        self.assertEqual(done.stdout.count("\n"), 1)
        self.assertEqual(done.stderr, "")


class OnS3(ServiceCase):
    """With a store that counts what it is asked for, and hangs when it is told to."""

    arguments = ("--store", f"s3://{ScriptedS3.bucket}", "--max-verifications", "1")

    def setUp(self):
        self.s3 = self.enterContext(ScriptedS3())
        super().setUp()
        self.service.environment = self.s3.settings()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        self.game = self.service.game(self.sgc)
        self.game.mkdir(parents=True)

    def requests(self):
        with self.s3.lock:
            return sum(op in ("head", "get") for op in self.s3.log)

    def test_what_a_look_costs(self):
        """Of 10 GB, most of them holes: as many frames, and as large an index, as of other data."""
        noise = random.Random(4)
        files = {"small": 700, "three": 3 * MIB, "last": 5000}
        (self.game / "small").write_bytes(noise.randbytes(files["small"]))
        with open(self.game / "map", "wb") as file:
            file.truncate(10 << 30)
        (self.game / "three").write_bytes(noise.randbytes(files["three"]))
        (self.game / "last").write_bytes(noise.randbytes(files["last"]))
        backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.assertGreater(backup.total_bytes, 10 << 30)
        for name, size in files.items():
            before = self.requests()
            fetched = subprocess.run([str(paths.manman()), "--api", self.service.endpoints["grpc"], "backup", "cat",
                                      str(backup.backup_id), f"game/{name}"], capture_output=True, check=True).stdout
            cost = self.requests() - before
            self.assertEqual(fetched, (self.game / name).read_bytes())
            # It may begin in the middle of a frame, and has up to three blocks of headers.
            frames = (size + 3 * 512 + MIB - 1) // MIB + 1
            print(f"{name}, {size} bytes: {cost} requests")
            self.assertLessEqual(cost, frames + 3)
        before = self.requests()
        self.service.cli("backup", "ls", backup.backup_id)
        self.assertLessEqual(self.requests() - before, 3)
        before = self.requests()
        self.service.cli("backup", "diff", backup.backup_id, backup.backup_id)
        self.assertLessEqual(self.requests() - before, 6)

    def make_backup(self):
        (self.game / "data").write_bytes(random.Random(4).randbytes(12 * MIB))
        return games.backup(self.service, server_game_config_id=self.sgc).backup_id

    def test_verifications_are_bounded_and_end_with_their_client(self):
        """A place is free again as soon as the store has answered what was asked of it last."""
        number = self.make_backup()
        self.s3.faults = [Fault("get", "held", times=10**6)]
        call = self.api.stub.VerifyBackup(self.api.pb.VerifyBackupRequest(backup_id=number), timeout=60)
        messages = []
        reader = threading.Thread(target=lambda: self.drain(call, messages))
        reader.start()
        wait_until(lambda: self.s3.count("get") > 0, 30, "the verification to read")
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "1 verifications", "--max-verifications"):
            list(self.api.VerifyBackup(backup_id=number))
        wait_until(lambda: messages, 30, "a sign of progress from a store that does not answer")
        call.cancel()
        reader.join(10)
        self.assertFalse(reader.is_alive())
        self.s3.faults = []
        self.s3.released.set()
        begun = time.monotonic()

        def free():
            try:
                return list(self.api.VerifyBackup(backup_id=number))
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED, error.details())
                return None
        self.assertEqual(wait_until(free, 30, "its place to be free again")[-1].result.backup_id, number)
        print(f"free {time.monotonic() - begun:.1f} s after the client went")

    def drain(self, call, messages):
        try:
            for message in call:
                messages.append(message)
        except grpc.RpcError:
            pass

    def test_service_that_stops_in_a_verification(self):
        number = self.make_backup()
        self.s3.faults = [Fault("get", "drip", times=10**6)]
        other = Api(self.service.endpoints["grpc"])
        self.addCleanup(other.close)
        call = other.stub.VerifyBackup(other.pb.VerifyBackupRequest(backup_id=number), timeout=60)
        wait_until(lambda: self.s3.count("get") > 0, 30, "the verification to read")
        self.service.stop()
        with self.assertRaises(grpc.RpcError):
            list(call)


if __name__ == "__main__":
    unittest.main()
