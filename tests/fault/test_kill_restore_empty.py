"""kill -9 of the service at every step of a restore onto a machine without the data."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import RESTORE_EMPTY, with_points  # noqa: E402
import restore_scenario  # noqa: E402


@with_points(RESTORE_EMPTY)
class KillDuringRestoreWithoutData(restore_scenario.RestoreScenario):
    keeps_data = False


if __name__ == "__main__":
    unittest.main()
