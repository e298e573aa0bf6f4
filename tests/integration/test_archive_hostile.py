"""Hostile archives: each is refused with a clear word, and nothing is written outside the target, nor
left in it."""

import os
import re
import unittest

import archive_attacks
from archive_attacks import READING
from archive_hostile import CODES, HostileTest
from archive_tools import (END, base256, entry, folder, gz, hard_link, header, manman, remove_tree, snapshot, symlink,
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
            def test(self, attack=attack):
                self.check(attack)

            test.__doc__ = attack.known_as or None  # shown beside the name
            setattr(Attacks, name, test)


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

    def test_two_archives_one_after_the_other(self):
        """CVE-2025-45582 (GNU tar): the first brings a symlink, the second a file through it."""
        self.assert_ok(self.extract(symlink(b"link", b"../../outside") + END))
        outcome = self.extract(entry(b"link/pwned", b"x") + END, "--force")
        self.assertNotEqual(outcome.code, 0, outcome.text())

    def test_symlink_and_file_of_one_name(self):
        """CVE-2018-12015 (Perl's Archive::Tar): the file would have gone where the link leads."""
        self.assert_ok(self.extract(symlink(b"same", b"../../outside/canary") + entry(b"same", b"over") + END))
        self.assertEqual(snapshot(self.path("box", "new"))[b"same"].kind, "file")

    def test_entries_twice_and_more(self):
        """The last one stands, as tar has it."""
        self.assert_ok(self.extract(entry(b"f", b"1") + entry(b"f", b"22") + folder(b"d/") + folder(b"d/", mode=0o700)
                                    + entry(b"f", b"333") + END))
        tree = snapshot(self.path("box", "new"))
        self.assertEqual((tree[b"f"].size, tree[b"d"].mode), (3, 0o700))

    def test_names_of_our_own_staging(self):
        """Names that the program uses itself for a moment are names like others."""
        names = [b".manman-extract-%d" % pid for pid in (1, os.getpid())] + [b".manman-clock-1"]
        tar = b"".join(folder(n + b"/") + entry(n + b"/f", b"x") for n in names) + END
        for there in (False, True):
            if there:
                os.mkdir(self.path("box", "new"))
            self.assert_ok(self.extract(tar))
            self.assertEqual(set(snapshot(self.path("box", "new"))), {b".", *names, *(n + b"/f" for n in names)})
            remove_tree(self.path("box", "new"))

    def test_names_alike(self):
        """CVE-2021-37712 (node-tar): names that look alike, by case or Unicode's normal forms, stay apart."""
        names = ["Ä".encode(), "A\u0308".encode(), "ä".encode(), b"game", b"GAME", "ſ".encode(), b"s", b"S"]
        self.assert_ok(self.extract(symlink(b"Game", self.outside) + b"".join(entry(n + b"/f", n) for n in names) + END))
        tree = snapshot(self.path("box", "new"))
        self.assertEqual(set(tree), {b".", b"Game", *names, *(n + b"/f" for n in names)})

    def test_dots_and_slashes(self):
        self.assert_ok(self.extract(folder(b"./") + entry(b"./a", b"1") + entry(b".//b", b"2") + folder(b".") + END))
        self.assertEqual(set(snapshot(self.path("box", "new"))), {b".", b"a", b"b"})

    def test_set_id_bits(self):
        """CVE-2005-2541 (GNU tar)."""
        self.assert_ok(self.extract(entry(b"f", b"x", mode=0o6755) + folder(b"d/", mode=0o2755) + END))
        tree = snapshot(self.path("box", "new"))
        self.assertEqual((tree[b"f"].mode, tree[b"d"].mode), (0o755, 0o755))

    def test_nothing_that_a_terminal_obeys_is_printed(self):
        """Names, targets and messages come out escaped."""
        evil = b"\x1b]0;pwned\x07\x1b[2Jx\r\n\x9b31m\xc2\x9b\x7f\b"
        self.write(gz(entry(evil, b"x") + symlink(b"link", evil) + END))
        listed = manman("archive", "list", self.archive)
        unknown = manman("archive", "cat", self.archive, evil + b"?")
        self.write(gz(entry(evil, b"x") + header(evil, kind=b"3") + END))
        refused = manman("archive", "extract", self.archive, self.path("box", "new"))
        self.assertEqual((listed.code, refused.code), (0, 1))
        self.assertNotEqual(unknown.code, 0)
        for output in (listed.out, unknown.err, refused.err):
            self.assertIn(rb"\033]0;pwned\007\033[2Jx\015\012\233", output)
            self.assertNotRegex(output, rb"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_hard_link_to_what_was_there_before(self):
        os.mkdir(self.path("box", "new"))
        write_file(self.path("box", "new", "mine"), b"mine")
        outcome = self.extract(hard_link(b"second", b"mine") + END, "--force")
        self.assertNotEqual(outcome.code, 0, outcome.text())


if __name__ == "__main__":
    unittest.main()
