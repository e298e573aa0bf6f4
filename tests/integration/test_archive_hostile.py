"""Hostile and damaged archives: each is refused with a clear word, and nothing is written outside
the target, nor left in it."""

import concurrent.futures
import os
import random
import re
import threading
import unittest

import archive_attacks
import archive_trees
from archive_attacks import READING
from archive_tools import (END, ArchiveTest, base256, entry, folder, gz, hard_link, header, manman, snapshot,
                           symlink, tree_differences, write_file)

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


class ManyEntries(HostileTest):
    """Bombs of entries rather than bytes: allowed, but in bounded memory."""

    def stream(self, pieces):
        import gzip

        with gzip.open(self.archive, "wb", 1) as file:
            for piece in pieces:
                file.write(piece)
            file.write(END)

    def assert_ends_sane(self, *words, timeout=300):
        outcome = manman("archive", *words, timeout=timeout)
        self.assert_sane(outcome)
        return outcome

    def test_a_million_empty_files(self):
        self.stream(entry(b"game/%07d" % n) for n in range(1_000_000))
        self.assert_ends_sane("verify", self.archive)
        outcome = self.assert_ends_sane("list", self.archive)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.out.count(b"\n"), 1_000_000)

    def test_100_000_hard_links(self):
        self.stream([entry(b"game/f", b"x"), *(hard_link(b"game/%06d" % n, b"game/f") for n in range(60_000))])
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        # More links than the file system allows to one file are an error; fewer are all there.
        if outcome.code == 0:
            self.assertEqual(len(os.listdir(self.path("box", "new", "game"))), 60_001)
        else:
            self.assertRegex(outcome.err, rb"(?i)links")
            self.assertFalse(os.path.lexists(self.path("box", "new")))

    def test_200_000_files_extracted(self):
        self.stream(entry(b"game/%02d/%06d" % (n % 50, n), b"%d" % n) for n in range(200_000))
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        self.assertEqual(outcome.code, 0, outcome.text())
        self.assertEqual(len(os.listdir(self.path("box", "new", "game", "07"))), 4_000)

    def test_200_000_folders_extracted(self):
        self.stream(folder(b"game/%06d/" % n) for n in range(200_000))
        outcome = self.assert_ends_sane("extract", self.archive, self.path("box", "new"))
        self.assertEqual(outcome.code, 0, outcome.text())

    def test_a_million_empty_members(self):
        self.write(gz(entry(b"game/f", b"x") + END) + gz(b"") * 1_000_000)
        self.assert_ends_sane("extract", self.archive, self.path("box", "new"))

    def test_a_large_sparse_file_is_no_bomb(self):
        os.mkdir(self.path("game"))
        archive_trees.islands(self.path("game", "map"), 20 << 30, [(7 << 30, b"x" * 10_000)])
        self.manman_for(self.path("game"))
        self.assert_ok(manman("archive", "extract", self.archive, self.path("box", "new"), timeout=300))
        self.assertLess(archive_trees.allocated(self.path("box", "new", "game", "map")), 1 << 20)

    def manman_for(self, tree):
        self.assert_ok(manman("archive", "create", tree, self.archive, timeout=300))


class Damage(HostileTest):
    """Our own archives, cut and with bits turned."""

    def make(self, size):
        os.makedirs(self.path("game", "world"))
        noise = random.Random(5).randbytes(size)
        write_file(self.path("game", "world", "r.0.0.mca"), noise)
        write_file(self.path("game", "level.dat"), archive_trees.patterned(3_000))
        os.symlink(b"level.dat", self.path("game", "link"))
        os.link(self.path("game", "level.dat"), self.path("game", "level.dat_old"))
        archive_trees.set_times(self.path("game"))
        self.manman_ok("archive", "create", self.path("game"), self.archive)
        with open(self.archive, "rb") as file:
            return file.read()

    def each(self, damaged, check):
        """Runs check(label, path) for each damaged copy, two at once; what was wrong."""
        lock, problems, rest = threading.Lock(), [], enumerate(damaged)

        def work():
            while True:
                with lock:
                    number, item = next(rest, (None, None))
                if item is None:
                    return
                problem = self.check_copy(number, *item, check)
                if problem:
                    problems.append(problem)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(work) for _ in range(2)]:
                done.result()
        return problems

    def check_copy(self, number, label, data, check):
        path = self.path("damaged-%d.tar.gz" % number)
        with open(path, "wb") as file:
            file.write(data)
        try:
            return check(label, path)
        finally:
            os.unlink(path)

    def verify_finds(self, label, path):
        outcome = manman("archive", "verify", path)
        self.assert_sane(outcome)
        if outcome.code == 0 or b"error" not in outcome.err:
            return f"{label}: {outcome.text()}"

    def extract_finds(self, label, path):
        target = path + b".out"
        outcome = manman("archive", "extract", path, target)
        self.assert_sane(outcome)
        if outcome.code == 0 or b"error" not in outcome.err or os.path.lexists(target):
            return f"{label}: {outcome.text()}"

    def test_cut_at_every_1000th_byte(self):
        data = self.make(200_000)

        def cuts():
            return ((f"cut at {n}", data[:n]) for n in range(0, len(data), 1_000))

        self.assertEqual(self.each(cuts(), self.verify_finds), [])
        self.assertEqual(self.each(cuts(), self.extract_finds), [])
        self.assertEqual(sorted(os.listdir(self.dir)), [b"box", b"game", b"hostile.tar.gz", b"outside"])

    def test_cut_at_every_byte_of_the_tail(self):
        data = self.make(100)
        cuts = [(f"cut at {n}", data[:n]) for n in range(max(0, len(data) - 700), len(data))]
        self.assertEqual(self.each(cuts, self.verify_finds), [])

    def test_a_bit_turned_at_every_byte(self):
        data = self.make(100)

        def flipped():
            for n in range(len(data)):
                turned = bytearray(data)
                turned[n] ^= 1 << (n % 8)
                yield f"bit {n % 8} of byte {n} of {len(data)}", bytes(turned)

        self.assertEqual(self.each(flipped(), self.verify_finds), [])

    def test_bytes_put_in_or_taken_out(self):
        data = self.make(3_000_000)  # several frames

        def changed(places):
            for n in places:
                yield f"byte {n} taken out", data[:n] + data[n + 1:]
                yield f"byte put in at {n}", data[:n] + b"\0" + data[n:]
            yield "appended", data + b"\0"
            yield "doubled", data + data
            yield "one more empty member", data + gz(b"")

        places = random.Random(7).sample(range(len(data)), 60)
        self.assertEqual(self.each(changed(places), self.verify_finds), [])
        self.assertEqual(self.each(changed(places[:10]), self.extract_finds), [])

    def test_damage_in_the_middle_leaves_a_new_target_missing(self):
        data = bytearray(self.make(30_000_000))
        data[len(data) // 2] ^= 1
        self.write(data)
        self.assert_extract_refused("game|frame|damage|hash|CRC", self.path("box", "new"))


if __name__ == "__main__":
    unittest.main()
