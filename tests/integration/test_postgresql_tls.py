"""TLS to a real PostgreSQL, with the server's certificate checked."""

import subprocess
import unittest

from lib import paths
from lib.service import clean_environment
from servers.certificates import Authority
from servers.postgres import Postgres


class PostgresqlTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())
        cls.server = cls.new_server(cls.authority.certificate("IP:127.0.0.1"))

    @classmethod
    def new_server(cls, pair):
        server = Postgres("log_connections=on")
        server.use_tls(pair)
        return cls.enterClassContext(server)

    def migrate(self, server, **parameters):
        return subprocess.run([str(paths.manman()), "migrate", "--db", server.url(**parameters)], capture_output=True,
                              text=True, timeout=60, check=False, env=clean_environment())

    def assert_refused(self, done, what):
        self.assertEqual(done.returncode, 2, done.stderr)
        errors = done.stderr.strip().splitlines()
        self.assertEqual(len([line for line in errors if line.startswith("error")]), 1, done.stderr)
        self.assertIn("PG_DATABASE_URL", errors[0])
        self.assertIn(what, errors[0])

    def test_a_certificate_that_is_trusted(self):
        done = self.migrate(self.server, sslmode="verify-full", sslrootcert=self.authority.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        line = next(line for line in self.server.log().splitlines() if "application_name=manman" in line)
        self.assertIn("SSL enabled", line)

    def test_a_certificate_of_another_authority(self):
        with Authority("another") as other:
            self.assert_refused(self.migrate(self.server, sslmode="verify-full", sslrootcert=other.file),
                                "certificate verify failed")

    def test_a_certificate_of_another_name(self):
        server = self.new_server(self.authority.certificate("elsewhere.example"))
        self.assert_refused(self.migrate(server, sslmode="verify-full", sslrootcert=self.authority.file),
                            "elsewhere.example")
        self.assertEqual(self.migrate(server, sslmode="verify-ca", sslrootcert=self.authority.file).returncode, 0)

    def test_a_server_without_tls(self):
        with Postgres() as plain:
            self.assert_refused(self.migrate(plain, sslmode="verify-full", sslrootcert=self.authority.file), "SSL")

    def test_an_authority_that_is_not_there(self):
        self.assert_refused(self.migrate(self.server, sslmode="verify-full", sslrootcert="/no/such/ca.pem"),
                            "/no/such/ca.pem")


if __name__ == "__main__":
    unittest.main()
