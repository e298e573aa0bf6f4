"""gRPC by TLS: who is let in, and what is said when a file is wrong."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.case import ServiceCase  # noqa: E402
from servers.certificates import Authority  # noqa: E402

USAGE, UNREACHABLE = 2, 5
ADDRESS = "IP:127.0.0.1"


class Tls(ServiceCase):
    def setUp(self):
        super().setUp()
        self.ours = self.enterContext(Authority())
        self.others = self.enterContext(Authority("another"))
        self.server = self.ours.certificate(ADDRESS)

    def serve(self, *more):
        self.service.arguments = ["--grpc-cert", self.server.certificate, "--grpc-key", self.server.key, *more]
        self.service.arguments = [str(word) for word in self.service.arguments]
        self.service.start()

    def servers(self, *words, expect=0):
        return self.service.cli("--timeout", "3", *words, "server", "list", expect=expect)

    def test_a_client_that_trusts_the_authority_is_served(self):
        self.serve()
        self.assertIn("online", self.servers("--api-ca", self.ours.file).stdout)

    def test_others_are_not(self):
        self.serve()
        self.servers(expect=UNREACHABLE)  # in clear
        self.servers("--api-ca", self.others.file, expect=UNREACHABLE)

    def test_a_certificate_for_another_name_is_refused(self):
        self.server = self.ours.certificate("elsewhere.example")
        self.serve()
        self.servers("--api-ca", self.ours.file, expect=UNREACHABLE)

    def test_only_certified_clients(self):
        self.serve("--grpc-client-ca", self.ours.file)
        mine, stranger = self.ours.certificate("client"), self.others.certificate("client")
        trust = ["--api-ca", self.ours.file]
        self.assertIn("online", self.servers(*trust, "--api-cert", mine.certificate, "--api-key", mine.key).stdout)
        self.servers(*trust, expect=UNREACHABLE)
        self.servers(*trust, "--api-cert", stranger.certificate, "--api-key", stranger.key, expect=UNREACHABLE)

    def test_wrong_files_are_named(self):
        self.service.start()
        mine, other = self.ours.certificate("client"), self.ours.certificate("other")
        text = Path(self.temp_folder()) / "text"
        text.write_text("no certificate\n")
        trust = ["--api-ca", self.ours.file]
        for words, name in (
                (["--api-ca", text], "API_TLS_CA"),
                ([*trust, "--api-cert", mine.certificate], "API_TLS_KEY"),
                ([*trust, "--api-cert", mine.certificate, "--api-key", other.key], "API_TLS_KEY"),
                ([*trust, "--api-cert", text, "--api-key", mine.key], "API_TLS_CERT"),
                (["--api-cert", mine.certificate, "--api-key", mine.key], "API_TLS_CA")):
            with self.subTest(words=words):
                self.assertIn(name, self.servers(*words, expect=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
