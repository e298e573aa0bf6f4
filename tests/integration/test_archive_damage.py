"""Our own archives, cut and with bits turned: every change is found, and nothing is left behind."""

import concurrent.futures
import os
import random
import threading
import unittest

import archive_trees
from archive_hostile import HostileTest
from archive_tools import gz, manman, write_file


class Damage(HostileTest):
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
