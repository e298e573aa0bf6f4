"""The S3 store and `manman archive` on Ceph's S3 gateway."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from s3_server_case import S3ServerCase  # noqa: E402
from servers.ceph import Ceph  # noqa: E402


class OnCeph(S3ServerCase):
    server_class = Ceph

    def test_conformance(self):
        self.conformance()

    def test_archives(self):
        self.archives()

    def test_settings_that_are_wrong_are_named(self):
        self.wrong_settings()


del S3ServerCase  # has no tests of its own

if __name__ == "__main__":
    unittest.main()
