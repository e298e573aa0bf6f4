"""The repositories, and the API on them, on a real PostgreSQL."""

import os
import socketserver
import subprocess
import threading
import unittest

from lib import paths
from servers.postgres import Postgres

# What an operator's server may have otherwise than ours; connections must not mind.
FOREIGN = ("timezone=Asia/Kolkata", "datestyle=German", "default_transaction_isolation=read committed",
           "deadlock_timeout=200ms")


class Control(socketserver.TCPServer):
    """Does to the server what a line says, on the one thread that serves."""

    def __init__(self, server):
        actions = {"restart": lambda: (server.kill(), server.start()), "pause": server.pause, "resume": server.resume}

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                actions[self.rfile.readline().decode().strip()]()
                self.wfile.write(b"done\n")

        super().__init__(("127.0.0.1", 0), Handler)


class Postgresql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgres(*FOREIGN))
        cls.control = Control(cls.server)
        threading.Thread(target=cls.control.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.control.server_close)
        cls.addClassCleanup(cls.control.shutdown)

    def run_suite(self, program, pattern):
        environment = os.environ | {"MANMAN_TEST_PG_URL": self.server.url(),
                                    "MANMAN_TEST_PG_CONTROL": str(self.control.server_address[1])}
        done = subprocess.run([paths.test_program(program), f"--gtest_filter={pattern}", "--gtest_brief=1"],
                              env=environment, capture_output=True, text=True, timeout=300, check=False)
        said = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("[20"))  # no log
        self.assertEqual(done.returncode, 0, said[-6000:] + done.stderr[-3000:])
        self.assertNotIn("SKIPPED", done.stdout)
        self.assertIn("PASSED", done.stdout)

    def test_repositories(self):
        self.run_suite("db_test", "*/Postgresql:Postgresql*Test.*")

    def test_api(self):
        self.run_suite("api_test", "Jobs.*:Status.*:Backups.*:Policies.*:Unchanged.*:BeforeRestore.*")

    def test_server_that_is_killed_or_hangs(self):
        self.run_suite("db_test", "ServerFaultsTest.*")


if __name__ == "__main__":
    unittest.main()
