"""kill -9 of the service at every step of a restore of some paths: the others stay as they are."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import RESTORE_PATHS, with_points  # noqa: E402
import restore_scenario  # noqa: E402


@with_points(RESTORE_PATHS)
class KillDuringRestoreOfPaths(restore_scenario.RestoreScenario):
    paths = ("game/world/region", "game/plugins", "game/start.sh")

    def restored(self):
        def is_restored(path):
            return any(path == p or path.startswith(p + b"/")
                       for p in (b"world/region", b"plugins", b"start.sh"))
        kept = {path: entry for path, entry in self.spoilt.items() if not is_restored(path)}
        return kept | {path: entry for path, entry in self.old.items() if is_restored(path)}


if __name__ == "__main__":
    unittest.main()
