"""What the tests of hostile and damaged archives share: canaries around the target."""

import os
import re

from archive_tools import ArchiveTest, manman, snapshot, tree_differences, write_file

CODES = (1, 2)  # failed, or the value (the archive) is wrong


class HostileTest(ArchiveTest):
    """A folder `box` for targets, and `outside` with canaries beside it."""

    def setUp(self):
        super().setUp()
        self.outside = self.path("outside")
        os.makedirs(self.outside + b"/folder")
        write_file(self.outside + b"/canary", b"alive")
        write_file(self.outside + b"/folder/canary", b"alive")
        os.mkdir(self.path("box"))
        write_file(self.path("box", "canary"), b"alive")
        self.archive = self.path("hostile.tar.gz")

    def write(self, data):
        with open(self.archive, "wb") as file:
            file.write(data)

    def surroundings(self):
        """Everything beside the target; the times of `box` change as staging comes and goes."""
        tree = snapshot(self.dir)
        del tree[b"box"], tree[b"."]
        return tree

    def assert_refused(self, outcome, says):
        self.assert_sane(outcome)
        self.assertIn(outcome.code, CODES, outcome.text())
        message = outcome.err.decode(errors="replace")
        self.assertRegex(message, "error", outcome.text())
        self.assertRegex(message, re.compile(says), outcome.text())

    def assert_extract_refused(self, says, *words):
        before = self.surroundings()
        outcome = manman("archive", "extract", self.archive, *words)
        self.assert_refused(outcome, says)
        left = tree_differences(before, self.surroundings())
        self.assertEqual(left, [], outcome.text())
