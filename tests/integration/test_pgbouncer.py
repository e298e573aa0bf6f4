"""PostgreSQL through PgBouncer: in session mode, with what README.md says to set, all of it works."""

import subprocess
import unittest

from lib import games, paths
from lib.case import ServiceCase
from lib.service import clean_environment
from servers.pgbouncer import PgBouncer
from servers.postgres import Postgres

# As README.md has them; the server's own are otherwise.
ROLE = {"timezone": "UTC", "datestyle": "ISO", "statement_timeout": "15s", "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s", "enable_seqscan": "off"}

postgres = None


def setUpModule():
    global postgres
    postgres = unittest.enterModuleContext(Postgres("timezone=Asia/Kolkata", "datestyle=German"))
    for name, value in ROLE.items():
        postgres.sql(f"ALTER ROLE manman SET {name} = '{value}'")


class SessionMode(ServiceCase):
    def setUp(self):
        bouncer = self.enterContext(PgBouncer(postgres, "session", "ignore_startup_parameters=options"))
        self.arguments = ("--db", bouncer.url())
        super().setUp()

    def test_the_way_of_a_backup(self):
        self.service.start()
        sgc = games.deploy_console(self.api)
        session = games.start(self.service, sgc).session_id
        (self.service.game(sgc) / "world").write_text("whole")
        backup = self.api.CreateBackup(session_id=session).backup.backup_id
        self.assertEqual(self.api.wait_backup(backup).status, "completed")
        self.service.restart()
        (self.service.game(sgc) / "world").write_text("spoilt")
        restored = games.start(self.service, sgc, force=True, restore_from_backup_id=backup)
        self.assertEqual((self.service.game(sgc) / "world").read_text(), "whole")
        self.assertEqual(games.stop(self.service, restored.session_id).exit_code, 0)


class OtherSettings(unittest.TestCase):
    def test_a_pgbouncer_that_takes_no_options_is_one_clear_error(self):
        with PgBouncer(postgres, "session") as bouncer:
            done = subprocess.run([str(paths.manman()), "migrate", "--db", bouncer.url()], capture_output=True,
                                  text=True, timeout=60, check=False, env=clean_environment())
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("unsupported startup parameter", done.stderr)
        self.assertIn("pool_mode = session", done.stderr)


if __name__ == "__main__":
    unittest.main()
