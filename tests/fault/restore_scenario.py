"""What the crash tests of a restore share, with and without data in the way."""

import shutil

from crash_points import CrashScenario
from lib import games, processes, trees


class RestoreScenario(CrashScenario):
    keeps_data = True
    paths = ()  # of the archive: only these are restored

    def restored(self):
        """game/ as it is to be after the restore."""
        return self.old

    def build(self):
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=3)
        self.old = self.snapshot()
        self.backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.round = 0

    def prepare(self):
        for session in self.api.sessions(live_only=True):
            games.stop(self.service, session.session_id)
        self.before = {s.session_id for s in self.api.sessions()}
        self.starts = len(games.lines_of(self.service.gsc(self.sgc) / "starts"))
        self.round += 1
        spoilt = getattr(self, "spoilt", self.old)
        self.assert_wholly_one_of(old=self.old, spoilt=spoilt,
                                  restored=self.restored() if self.round > 1 else self.old)
        shutil.rmtree(self.service.game(self.sgc))
        if self.keeps_data:
            trees.make_world(self.service.game(self.sgc), seed=3)
            trees.spoil(self.service.game(self.sgc), seed=100 + self.round)
        self.spoilt = self.snapshot()

    def act(self):
        self.api.StartSession(server_game_config_id=self.sgc, restore_paths=self.paths,
                              restore_from_backup_id=self.backup.backup_id)

    def new(self):
        return [s for s in self.api.sessions() if s.session_id not in self.before]

    def began(self):
        return bool(self.new())

    def finished(self):
        return bool(self.new()) and self.new()[0].status == "running"

    def check_crashed(self):
        self.assert_wholly_one_of(spoilt=self.spoilt, restored=self.restored())

    def check(self):
        self.assertEqual(len(self.new()), 1, "one call, one session")
        session = self.api.wait_session(self.new()[0].session_id, "running")
        self.assertEqual(session.restored_from_backup_id, self.backup.backup_id)
        self.assertEqual(list(session.restored_paths), list(self.paths))
        self.assert_wholly_one_of(restored=self.restored())
        self.check_replaced(session)
        self.check_one_game()

    def check_replaced(self, session):
        replaced = self.service.gsc(self.sgc) / f"replaced-{session.session_id}"
        if not self.keeps_data:
            self.assertEqual(session.replaced_data, "")
            self.assertFalse(replaced.exists(), "nothing was replaced")
            return
        self.assertEqual(session.replaced_data, "kept")
        trees.assert_same(self.spoilt, trees.snapshot(replaced), "the replaced data")

    def check_one_game(self):
        starts = games.lines_of(self.service.gsc(self.sgc) / "starts")[self.starts:]
        self.assertEqual(len(starts), 1, "the game was started once")
        self.assertEqual(self.game_pids(), [int(starts[0])])
        self.assertTrue(processes.alive(int(starts[0])))
