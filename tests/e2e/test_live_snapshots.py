"""Where the file system can share blocks, a game holds still for a moment only, however large its world: XFS and
Btrfs on loop devices."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "integration"))
from lib import games, paths, processes  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from small_disk import SmallDisk, needs_root  # noqa: E402

DISK_MIB = 6_000
FILES = 500
FILE_BYTES = 4 << 20
PAUSE_LIMIT_MS = 200
XFS = ("mkfs.xfs", "-q", "-f", "-m", "reflink=1")
BTRFS = ("mkfs.btrfs", "-q", "-f")


class SnapshotCase(unittest.TestCase):
    maxDiff = None
    make = ()
    kind = ""
    cloned_beforehand = True

    def setUp(self):
        self.disk = SmallDisk(DISK_MIB, self.make)
        self.addCleanup(self.disk.close)
        folder = self.disk.path / "service"
        folder.mkdir()
        self.service = Service(["--backup-priority", "normal"], folder=folder)
        self.addCleanup(self.service.close)
        self.service.start()
        self.api = self.service.api

    def deploy(self, **config):
        self.sgc = games.deploy(
            self.api, "sample", [str(paths.sample_game())], stop_command="stop",
            command=["--regions", "8", "--region-kib", "512", "--tick-ms", "20"],
            **({"quiesce": games.QUIESCE, "resume": ["save-on"]} | config))
        self.game = self.service.game(self.sgc)

    def play(self):
        self.session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, self.session, "Done")

    def explored(self):
        """2 GB of world that the game does not touch any more."""
        block = os.urandom(1 << 12)  # compresses: the store is on the same disk
        folder = self.game / "explored"
        folder.mkdir(parents=True)
        for i in range(FILES):
            (folder / f"r.{i}.0.mca").write_bytes(i.to_bytes(4, "big") + block[4:] + block * (FILE_BYTES // len(block) - 1))

    def output(self):
        return self.service.output(self.sgc, self.session)

    def backup(self):
        return games.backup(self.service, session_id=self.session)

    def assert_whole(self, backup):
        folder = self.service.folder / "unpacked"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([str(paths.manman()), "-q", "archive", "extract", self.service.object_path(backup.s3_url), folder],
                       check=True)
        checked = subprocess.run([str(paths.sample_game()), "--check", folder / "game/world"], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        explored = self.game / "explored"
        if explored.exists():
            subprocess.run(["diff", "-rq", explored, folder / "game/explored"], check=True)

    def assert_no_clone_is_left(self):
        left = list(self.service.gsc(self.sgc).glob(".snapshot-*"))
        self.assertEqual(left, [])


class Moments:
    """What holds on each of them."""

    def test_the_game_holds_still_for_a_moment(self):
        self.deploy()
        self.explored()
        self.play()
        pauses = []
        for _ in range(3):
            backup = self.backup()
            self.assertEqual(backup.consistency, "consistent", backup.evidence)
            self.assertIn(self.kind, backup.evidence)
            pauses.append(backup.pause_ms)
            self.assert_no_clone_is_left()
        self.assert_whole(backup)
        print(f"{self.kind}: pauses of {pauses} ms", flush=True)
        # Other work on the machine may lengthen one.
        self.assertLess(min(pauses), PAUSE_LIMIT_MS)

    def test_a_host_killed_beside_its_clone_leaves_none(self):
        self.deploy()
        self.play()
        for point in ("backup.prepared", "backup.snapshot_taken", "backup.resumed"):
            with self.subTest(point=point):
                self.service.restart(failpoints=f"{point}=crash")
                self.api = self.service.api
                before = self.output().count("saving is now enabled")
                self.api.CreateBackup(session_id=self.session)
                self.service.wait_crash()
                if point != "backup.prepared":  # it holds still by then
                    wait_until(lambda b=before: self.output().count("saving is now enabled") > b, 10, "the game to save on")
                if point != "backup.prepared" or self.cloned_beforehand:
                    self.assertTrue(list(self.service.gsc(self.sgc).glob(".snapshot-*")), "a crash leaves it")
                self.service.start()
                self.api = self.service.api
                backup = self.api.wait_backup(self.api.backups()[0].backup_id)
                self.assertEqual(backup.status, "completed", backup.error_message)
                self.assert_no_clone_is_left()
                self.assert_whole(backup)


@needs_root
@unittest.skipUnless(shutil.which("mkfs.xfs"), "needs xfsprogs")
class Xfs(Moments, SnapshotCase):
    make = XFS
    kind = "snapshot by reflinks"


@needs_root
@unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
class Btrfs(Moments, SnapshotCase):
    make = BTRFS
    kind = "snapshot by reflinks"


@needs_root
@unittest.skipUnless(shutil.which("mkfs.btrfs"), "needs btrfs-progs")
class Subvolume(Moments, SnapshotCase):
    """game/ is a subvolume of its own: one moment without asking the game, as of a power cut."""

    make = BTRFS
    kind = "snapshot of its Btrfs subvolume"
    cloned_beforehand = False

    def deploy(self, **config):
        super().deploy(**config)
        self.game.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["btrfs", "-q", "subvolume", "create", self.game], check=True)

    def test_a_game_that_is_not_asked(self):
        self.deploy(quiesce=[], resume=[])
        self.play()
        backup = self.backup()
        self.assertEqual(backup.consistency, "crash-consistent", backup.evidence)
        self.assertEqual((backup.pause_ms, backup.changed_count), (0, 0))
        self.assert_no_clone_is_left()


if __name__ == "__main__":
    unittest.main()
