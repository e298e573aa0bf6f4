"""What sessions leave on disk is bounded: a talkative game's output.log, and the folders of ended sessions."""

import unittest

from lib import games
from lib.case import ServiceCase
from lib.wait import wait_until

TALK = "head -c 6000000 /dev/zero | tr '\\0' x | fold -w 100; echo; echo said it all\n"


class SessionLeftovers(ServiceCase):
    arguments = ("--max-output-mib", "1", "--keep-sessions", "2")

    def deploy(self, before=""):
        return games.deploy(self.api, "talkative", ["/bin/sh", "-c", before + games.CONSOLE_GAME],
                            stop_command="stop", quiesce=games.QUIESCE, resume=["save-on"])

    def test_a_talkative_game_is_cut_at_the_front_and_still_quiesced(self):
        self.service.start()
        sgc = self.deploy(TALK)
        session = games.start(self.service, sgc).session_id
        log = self.service.gsc(sgc) / f"session-{session}/output.log"
        wait_until(lambda: log.stat().st_size > 6_000_000 and log.stat().st_blocks * 512 <= 1 << 20, 60,
                   "the log to be cut", interval=0.5)
        self.assertIn(b"said it all\n", log.read_bytes()[-2000:])
        backup = self.api.CreateBackup(session_id=session).backup.backup_id
        done = self.api.wait_backup(backup)
        self.assertEqual((done.status, list(done.warnings)), ("completed", []))
        self.assertEqual(games.lines_of(self.service.gsc(sgc) / "console"), ["save-off", "save-all flush", "save-on"])
        self.assertEqual(games.stop(self.service, session).exit_code, 0)

    def test_of_ended_sessions_the_latest_stay(self):
        self.service.start()
        sgc = self.deploy()
        for _ in range(4):
            games.stop(self.service, games.start(self.service, sgc).session_id)
        running = games.start(self.service, sgc).session_id
        self.service.restart()  # looked for at the start, and every minute

        def left():
            return sorted(int(path.name.removeprefix("session-")) for path in self.service.gsc(sgc).glob("session-*"))
        wait_until(lambda: left() == [running - 2, running - 1, running], 30, "the older ones to go")
        self.assertEqual(games.stop(self.service, running).exit_code, 0)


if __name__ == "__main__":
    unittest.main()
