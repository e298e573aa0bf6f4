"""The S3 store and `manman archive` on OpenStack Swift."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from s3_server_case import S3ServerCase  # noqa: E402
from servers.swift import Swift  # noqa: E402


class OnSwift(S3ServerCase):
    server_class = Swift
    left_out = "*ListsMoreThanOnePage"  # takes it a minute

    def test_conformance(self):
        self.conformance()

    def test_archives(self):
        self.archives()


del S3ServerCase  # has no tests of its own

if __name__ == "__main__":
    unittest.main()
