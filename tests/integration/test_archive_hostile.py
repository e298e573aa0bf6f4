"""Hostile archives: each is refused with a clear word, and nothing is written outside the target, nor
left in it."""

import os
import re
import unittest

import archive_attacks
from archive_attacks import READING
from archive_hostile import CODES, HostileTest
from archive_tools import (END, base256, entry, folder, gz, hard_link, header, manman, snapshot, symlink,
                           tree_differences, write_file)


class Attacks(HostileTest):
    def check(self, attack):
        self.write(attack.build(self.outside))
        self.assert_extract_refused(attack.says, self.path("box", "new"))
        os.mkdir(self.path("box", "there"))
        self.assert_extract_refused(attack.says, self.path("box", "there"))
        os.rmdir(self.path("box", "there"))

        # A bomb that is only read takes its time, and no more than that.
        verify = manman("archive", "verify", self.archive, timeout=300)
        if attack.shows_when == READING:
            self.assert_refused(verify, attack.says)
        self.assert_sane(verify)
        self.assert_sane(manman("archive", "list", self.archive, timeout=300))
        self.assert_sane(manman("archive", "cat", self.archive, "game/good"))


def _add_attacks():
    """One test method for each attack, so that each fails by its own name."""
    for group, attacks in archive_attacks.ALL.items():
        for number, attack in enumerate(attacks, 1):
            name = f"test_{group}_{number:02}_" + re.sub(r"\W+", "_", attack.name).strip("_")
            setattr(Attacks, name, lambda self, attack=attack: self.check(attack))


_add_attacks()


class HarmlessOnlyWhenDoneRight(HostileTest):
    """What may be unpacked, if it is done safely."""

    def extract(self, tar, *words):
        self.write(gz(tar))
        before = self.surroundings()
        outcome = manman("archive", "extract", self.archive, self.path("box", "new"), *words)
        self.assert_sane(outcome)
        after = {path: node for path, node in self.surroundings().items()
                 if not path.startswith(b"box/new")}
        before = {path: node for path, node in before.items() if not path.startswith(b"box/new")}
        self.assertEqual(tree_differences(before, after), [])
        return outcome

    def test_file_over_a_symlink_replaces_the_link(self):
        self.assert_ok(self.extract(
            symlink(b"link", self.outside + b"/canary") + entry(b"link", b"over") + END))
        self.assertEqual(snapshot(self.path("box", "new"))[b"link"].kind, "file")

    def test_file_over_a_hard_link_to_a_symlink(self):
        outcome = self.extract(symlink(b"link", self.outside + b"/canary") + hard_link(b"second", b"link")
                               + entry(b"second", b"over") + END)
        self.assertIn(outcome.code, (0, *CODES), outcome.text())

    def test_links_that_lead_outside_are_only_links(self):
        self.assert_ok(self.extract(symlink(b"a", b"../../outside") + symlink(b"b", self.outside) + END))
        tree = snapshot(self.path("box", "new"))
        self.assertEqual((tree[b"a"].target, tree[b"b"].target), (b"../../outside", self.outside))

    def test_folder_over_a_symlink_replaces_the_link(self):
        self.assert_ok(self.extract(symlink(b"link", self.outside + b"/folder") + folder(b"link/", mode=0o700)
                                    + entry(b"link/file", b"x") + END))
        tree = snapshot(self.path("box", "new"))
        self.assertEqual((tree[b"link"].kind, tree[b"link/file"].size), ("dir", 1))

    def test_sizes_of_what_has_no_contents_mean_nothing(self):
        huge = base256(1 << 62, 12)
        self.assert_ok(self.extract(header(b"d/", kind=b"5", size_field=huge, mode=0o755)
                                    + header(b"l", kind=b"2", link=b"x", size_field=huge) + entry(b"f", b"x") + END))
        self.assertEqual(set(snapshot(self.path("box", "new"))), {b".", b"d", b"l", b"f"})

    def test_planted_symlink_in_a_target_in_use(self):
        os.mkdir(self.path("box", "new"))
        os.symlink(self.outside, self.path("box", "new", "link"))
        for tar in (entry(b"link/pwned", b"x"), folder(b"link/pwned/"),
                    symlink(b"link/pwned", b"x"), entry(b"f", b"x") + hard_link(b"link/pwned", b"f"),
                    hard_link(b"mine", b"link/canary")):
            outcome = self.extract(tar + END, "--force")
            self.assertNotEqual(outcome.code, 0, outcome.text())

    def test_hard_link_to_what_was_there_before(self):
        os.mkdir(self.path("box", "new"))
        write_file(self.path("box", "new", "mine"), b"mine")
        outcome = self.extract(hard_link(b"second", b"mine") + END, "--force")
        self.assertNotEqual(outcome.code, 0, outcome.text())


if __name__ == "__main__":
    unittest.main()
