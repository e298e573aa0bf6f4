"""Every failpoint that the program has stands in the table of a flow."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from crash_points import FLOWS  # noqa: E402
from lib import paths  # noqa: E402


class FailpointsCovered(unittest.TestCase):
    def test_each_name_has_a_test(self):
        listed = subprocess.run([str(paths.manman()), "failpoints"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.split()
        self.assertGreater(len(listed), 20)
        tried = {point for flow in FLOWS for point in flow}
        self.assertEqual(sorted(set(listed) - tried), [], "these are never tried")
        self.assertEqual(sorted(tried - set(listed)), [], "these are no failpoints")


if __name__ == "__main__":
    unittest.main()
