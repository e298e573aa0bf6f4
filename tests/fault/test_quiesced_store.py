"""A store that goes away, or a disk that fills, while the game holds still for a backup: the game saves on within its
longest pause, and the backup ends with its reason or once the store is back."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from lib import games  # noqa: E402
from lib.cluster import Cluster, Engines  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from small_disk import SmallDisk, needs_root  # noqa: E402

CONSOLE = {"entrypoint": ["/bin/sh", "-c", games.CONSOLE_GAME], "stop_command": "stop", "quiesce": games.QUIESCE,
           "resume": ["save-on"]}
WORLD_BYTES = 100 << 20  # of which the parts of an upload hold a fraction
ASKED = ["save-off", "save-all flush"]
RESUMED = [*ASKED, "save-on"]


class StoreAway(unittest.TestCase):
    """On Ceph's S3 gateway, through a gate that shuts."""

    def test_the_game_goes_on_at_the_longest_pause(self):
        engines = self.enterContext(Engines())
        cluster = self.enterContext(Cluster(engines, apis=1, hosts=("alpha",)))
        shut = []
        self.addCleanup(lambda: [gate.open() for gate in shut])
        host, api = cluster.hosts["alpha"], cluster.api()
        sgc = cluster.deploy("alpha", "console", **CONSOLE, handling={"max_pause_seconds": 2})
        session = api.StartSession(server_game_config_id=sgc).session.session_id
        api.wait_session(session, "running")
        gsc = cluster.data_dir("alpha") / f"gsc-local-{sgc}"
        (gsc / "game/world").write_bytes(os.urandom(WORLD_BYTES))
        host.stop()
        host.start(failpoints="backup.quiesced=delay:1000")
        backup = api.CreateBackup(session_id=session).backup.backup_id
        wait_until(lambda: games.lines_of(gsc / "console") == ASKED, 30, "the game to hold still")
        engines.store_gate.shut()
        shut.append(engines.store_gate)
        wait_until(lambda: games.lines_of(gsc / "console") == RESUMED, 15, "the game to go on, with the store away")
        self.assertIn(api.GetBackup(backup_id=backup).backup.status, ("pending", "running"))
        shut.pop().open()
        ended = api.wait_backup(backup, timeout=180)
        self.assertEqual(ended.status, "completed", ended.error_message)
        # The world was not written to: it went on in time.
        self.assertEqual(ended.consistency, "consistent", ended.evidence)


@needs_root
class DiskFull(unittest.TestCase):
    """A folder store on a disk too small for the archive."""

    def test_the_game_goes_on_and_the_backup_says_why(self):
        disk = SmallDisk(40)
        self.addCleanup(disk.close)
        service = Service(["--store", str(disk.path / "store")])
        self.addCleanup(service.close)
        service.start()
        sgc = games.deploy(service.api, "console", **CONSOLE)
        session = games.start(service, sgc).session_id
        (service.game(sgc) / "world").write_bytes(os.urandom(WORLD_BYTES))
        backup = service.api.CreateBackup(session_id=session).backup.backup_id
        ended = service.api.wait_backup(backup, timeout=120)
        self.assertEqual(ended.status, "failed")
        self.assertIn("No space left on device", ended.error_message)
        console = games.lines_of(service.gsc(sgc) / "console")
        self.assertEqual(console[:3], RESUMED)
        self.assertEqual(console.count("save-off"), console.count("save-on"), "as often as it was held")


if __name__ == "__main__":
    unittest.main()
