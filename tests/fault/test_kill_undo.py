"""kill -9 of the service at every step of undoing a restore."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import UNDO, with_points  # noqa: E402
from lib import games  # noqa: E402
from lib.wait import wait_until  # noqa: E402
import restore_scenario  # noqa: E402


@with_points(UNDO)
class KillDuringUndo(restore_scenario.RestoreScenario):
    def prepare(self):
        super().prepare()
        self.session = games.start(self.service, self.sgc,
                                   restore_from_backup_id=self.backup.backup_id).session_id
        games.stop(self.service, self.session)
        self.assert_wholly_one_of(restored=self.old)

    def replaced_data(self):
        return self.api.GetSession(session_id=self.session).session.replaced_data

    def act(self):
        self.api.UndoRestore(session_id=self.session)

    def began(self):
        return self.replaced_data() != "kept"

    def finished(self):
        return self.replaced_data() == "undone"

    def check(self):
        wait_until(lambda: self.replaced_data() == "undone", 60, "the restore to be undone")
        self.assert_wholly_one_of(spoilt=self.spoilt)
        gsc = self.service.gsc(self.sgc)
        wait_until(lambda: not (gsc / f"replaced-{self.session}").exists(), 30,
                   "the restored data to be removed")
        self.assertEqual(self.game_pids(), [])


if __name__ == "__main__":
    unittest.main()
