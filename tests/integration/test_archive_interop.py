"""Archives written by manman, read by everything else: each tool gets exactly game/…, with the
bytes, modes, times and links that it can hold."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import unittest
import zlib

import archive_tools
import archive_trees
from archive_tools import ArchiveTest, have, run, snapshot

NPM_TAR = "/usr/lib/node_modules/npm/node_modules/tar"


class Made(ArchiveTest):
    """Each test has an archive of self.tree, made by the binary."""

    make_tree = staticmethod(archive_trees.tricky)
    ending = "tar.gz"

    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        self.make_tree(self.tree)
        self.archive = self.path("made." + self.ending)
        self.manman_ok("archive", "create", self.tree, self.archive)
        self.expected = snapshot(self.tree)
        self.out = self.path("out")
        os.mkdir(self.out)

    def assert_extracted(self, ignore=("holes",), but=()):
        """The whole tree is there; of the paths in `but` only that they are."""
        self.assertEqual(os.listdir(self.out), [b"game"])
        actual = snapshot(self.out + b"/game")
        self.assertLessEqual(set(but), actual.keys())
        for path in but:
            actual[path] = self.expected[path]
        self.assert_same_tree(self.expected, actual, ignore)


class TrickyTree(Made):
    def test_manman_itself(self):
        self.manman_ok("archive", "verify", self.archive)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_same_tree(self.expected, snapshot(self.path("new", "game")))

    def test_manman_without_sync(self):
        made = self.path("unsynced." + self.ending)
        self.manman_ok("archive", "create", "-q", "--no-sync", self.tree, made)
        self.manman_ok("archive", "extract", "--no-sync", made, self.path("new"))
        self.assert_same_tree(self.expected, snapshot(self.path("new", "game")))

    def test_the_sha256_is_told_to_scripts_quiet_or_not(self):
        for number, words in enumerate(([], ["-q"])):
            made = self.path(f"{number}." + self.ending)
            told = json.loads(self.manman_ok(*words, "-o", "json", "archive", "create", self.tree, made).out)
            with open(made, "rb") as file:
                self.assertEqual(told["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_gnu_tar(self):
        # GNU tar warns of times before 1970, which it sets all the same, and of POSIX's keyword for
        # names that are not UTF-8 (hdrcharset), which it does not know and does without.
        done = self.tool("tar", "-xzpf", self.archive, "-C", self.out, "--warning=no-timestamp",
                         "--warning=no-unknown-keyword")
        self.assertEqual(done.err, b"")
        self.assert_extracted()

    def test_gnu_tar_lists_every_name(self):
        done = self.tool("tar", "-tzf", self.archive, "--quoting-style=literal", "--null",
                         "--show-transformed-names")
        # With literal quoting a newline in a name is a newline in the list: count by the rest.
        listed = done.out.decode("latin1").rstrip("\n")
        for path in self.expected:
            stored = b"game/" + path if path != b"." else b"game/"
            self.assertIn(stored.decode("latin1"), listed)

    @have("bsdtar")
    def test_bsdtar(self):
        # bsdtar grumbles at names that are no UTF-8 (those in GNU tar's archives too), and still
        # takes them as they are.
        done = run(["bsdtar", "-xpf", self.archive, "-C", self.out])
        grumbles = (b"Pathname can't be converted", b"Linkname can't be converted", b"Error exit delayed")
        other = [line for line in done.err.splitlines() if not any(g in line for g in grumbles)]
        self.assertEqual(other, [], done.text())
        # Of a time before 1970 with parts of a second libarchive makes another one.
        self.assert_extracted(but=(b"before-1970", b"just-before-1970"))

    def test_python_tarfile(self):
        for mode in ("r:gz", "r|gz"):
            with self.subTest(mode=mode):
                self.assert_python_reads(mode)

    def assert_python_reads(self, mode):
        seen = {}
        with tarfile.open(self.archive, mode, errors="surrogateescape") as archive:
            for member in archive:
                name = os.fsencode(member.name)
                self.assertNotIn(name, seen)
                seen[name] = member
                content = archive.extractfile(member).read() if member.isfile() else None
                self.assert_python_member(name, member, content)
        stored = {b"game" if path == b"." else b"game/" + path for path in self.expected}
        self.assertEqual(stored, seen.keys())

    def assert_python_member(self, name, member, content):
        node = self.expected[name.removeprefix(b"game/") if name != b"game" else b"."]
        self.assertEqual(member.mode, node.mode, name)
        self.assertAlmostEqual(member.mtime, node.mtime_ns / 1e9, delta=1e-3, msg=name)
        if member.isfile():
            self.assertEqual(len(content), node.size, name)
            with open(self.tree + name.removeprefix(b"game"), "rb") as file:
                self.assertEqual(content, file.read(), name)
        elif member.islnk():
            first = os.fsencode(member.linkname).removeprefix(b"game/")
            self.assertEqual(node.same_as, self.expected[first].same_as, name)
        elif member.issym():
            self.assertEqual(node.target, os.fsencode(member.linkname), name)
        else:
            self.assertTrue(member.isdir(), name)

    def test_list_and_cat(self):
        listed = self.manman_ok("archive", "list", self.archive).out
        self.assertIn(b"game/world/region/513.mca", listed)
        for path, node in self.expected.items():
            if node.kind == "file" and len(path) < 200:
                content = self.manman_ok("archive", "cat", self.archive, b"game/" + path).out
                with open(self.tree + b"/" + path, "rb") as file:
                    self.assertEqual(content, file.read(), path)

    def test_two_runs_make_the_same_bytes(self):
        again = self.path("again.tar.gz")
        self.manman_ok("archive", "create", self.tree, again)
        self.tool("cmp", self.archive, again)

    def test_special_files_are_named_and_left_out(self):
        os.mkfifo(self.tree + b"/a-fifo")
        again = self.path("again.tar.gz")
        done = self.manman_ok("archive", "create", self.tree, again)
        self.assertIn(b"a-fifo", done.err)
        names = self.tool("tar", "-tzf", again).out
        self.assertNotIn(b"a-fifo", names)


class TameTree(Made):
    make_tree = staticmethod(archive_trees.tame)

    @have("busybox")
    def test_busybox(self):
        self.tool("busybox", "tar", "-xzpf", self.archive, "-C", self.out)
        # busybox knows no parts of a second, and sets the times of files only.
        actual = snapshot(self.out + b"/game")
        self.assert_same_tree(self.expected, actual, ignore=("mtime_ns", "holes"))
        files = {path for path, node in self.expected.items() if node.kind == "file"}
        self.assert_same_tree({path: self.expected[path] for path in files},
                              {path: actual[path] for path in files},
                              ignore=("mtime_below_second", "holes"))

    @have("7z")
    def test_7z(self):
        self.tool("7z", "t", self.archive)
        self.tool("7z", "x", "-o" + os.fsdecode(self.out), self.archive)
        inner = self.out + b"/" + os.listdir(self.out)[0]
        unpacked = self.path("unpacked")
        self.tool("7z", "x", "-snld", "-o" + os.fsdecode(unpacked), inner)
        self.assertEqual(os.listdir(unpacked), [b"game"])
        actual = snapshot(unpacked + b"/game")
        for path, node in self.expected.items():
            self.assertIn(path, actual)
            if node.kind == "file":
                self.assertEqual((actual[path].size, actual[path].digest), (node.size, node.digest))
                self.assertEqual(actual[path].mtime_ns // 10**9, node.mtime_ns // 10**9, path)
            else:
                self.assertEqual(actual[path].kind, node.kind, path)
        self.assertEqual(actual.keys(), self.expected.keys())

    @have("node")
    def test_node(self):
        if not os.path.isdir(NPM_TAR):
            self.skipTest(f"npm's tar module is not at {NPM_TAR}")
        script = "require(process.argv[1]).x({file: process.argv[2], cwd: process.argv[3], strict: true})"
        self.tool("node", "-e", script, NPM_TAR, self.archive, self.out)
        self.assert_extracted(ignore=("mtime_ns", "uid", "gid", "mode", "holes"))

    @have("node")
    def test_node_gunzip_gives_the_tar_alone(self):
        script = ("require('fs').createReadStream(process.argv[1]).pipe(require('zlib').createGunzip())"
                  ".pipe(process.stdout)")
        got = self.tool("node", "-e", script, self.archive).out
        self.assertEqual(got, gzip.open(self.archive).read())


class GzipLayer(Made):
    """The gzip stream itself: one member with the whole tar, then only what decompresses to nothing."""

    make_tree = staticmethod(archive_trees.tame)

    def test_gzip_is_content(self):
        for command in (["gzip", "-t"], ["pigz", "-t"], ["busybox", "gzip", "-t"]):
            done = self.tool(*command, self.archive)
            self.assertEqual((done.out, done.err), (b"", b""))

    def test_every_reader_gets_the_same_tar(self):
        with open(self.archive, "rb") as file:
            data = file.read()
        first_only = zlib.decompressobj(31)  # as Java, Perl and others: stops after one member
        tar = first_only.decompress(data)
        self.assertTrue(first_only.eof)
        self.assertEqual(gzip.decompress(data), tar)
        self.assertEqual(self.tool("zcat", self.archive).out, tar)
        self.assertEqual(self.tool("pigz", "-dc", self.archive).out, tar)
        self.assertEqual(self.tool("busybox", "zcat", self.archive).out, tar)
        # What follows the first member are members that hold nothing.
        rest = first_only.unused_data
        self.assertTrue(rest)
        while rest:
            member = zlib.decompressobj(31)
            self.assertEqual(member.decompress(rest), b"")
            self.assertTrue(member.eof)
            rest = member.unused_data

    def test_first_header_has_no_extra_fields(self):
        with open(self.archive, "rb") as file:
            self.assertEqual(file.read(4), b"\x1f\x8b\x08\x00")

    def test_tar_ends_as_tar_does(self):
        with gzip.open(self.archive) as file:
            tar = file.read()
        self.assertEqual(len(tar) % 512, 0)
        self.assertEqual(tar[-1024:], bytes(1024))
        self.assertGreater(len(tarfile.open(fileobj=io.BytesIO(tar)).getnames()), 10)


class OtherFormats:
    """What every tool does with .tar.zst and .tar: not a word, and the whole tree."""

    def assert_silent(self, *words):
        done = self.tool(*words)
        self.assertEqual((done.out, done.err), (b"", b""))

    def test_manman_itself(self):
        self.manman_ok("archive", "verify", self.archive)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_same_tree(self.expected, snapshot(self.path("new", "game")))

    def test_gnu_tar(self):
        self.assert_silent("tar", "-xpf", self.archive, "-C", self.out)
        self.assert_extracted()

    @have("bsdtar")
    def test_bsdtar(self):
        self.assert_silent("bsdtar", "-xpf", self.archive, "-C", self.out)
        self.assert_extracted()


class TarZst(OtherFormats, Made):
    make_tree = staticmethod(archive_trees.tame)
    ending = "tar.zst"

    @have("zstd")
    def test_zstd(self):
        self.assert_silent("zstd", "-qt", self.archive)
        tar = self.tool("zstd", "-dc", self.archive).out
        self.assertEqual(tar[-1024:], bytes(1024))
        self.assertGreater(len(tarfile.open(fileobj=io.BytesIO(tar)).getnames()), 10)


class PlainTar(OtherFormats, Made):
    make_tree = staticmethod(archive_trees.tame)
    ending = "tar"

    @have("busybox")
    def test_busybox(self):
        self.assert_silent("busybox", "tar", "-xpf", self.archive, "-C", self.out)
        self.assertEqual(snapshot(self.out + b"/game").keys(), self.expected.keys())

    def test_python_tarfile(self):
        for mode in ("r:", "r|"):
            with self.subTest(mode=mode), tarfile.open(self.archive, mode) as archive:
                self.assertEqual(len(archive.getnames()), len(self.expected))

    @have("7z")
    def test_7z(self):
        self.tool("7z", "t", self.archive)

    def test_pipes_are_read_to_their_end(self):
        for reader in ("tar -tf -", "bsdtar -tf -", "busybox tar -tf -"):
            script = f"set -o pipefail; cat '{os.fsdecode(self.archive)}' | {reader} | wc -l"
            self.assertEqual(int(self.tool("bash", "-c", script).out), len(self.expected), reader)


class SparseFiles(Made):
    make_tree = staticmethod(archive_trees.sparse)

    def test_bytes_in_other_tools_and_holes_in_ours(self):
        self.tool("tar", "-xzpf", self.archive, "-C", self.out)
        self.assert_extracted()
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        new = self.path("new", "game")
        self.assert_same_tree(self.expected, snapshot(new))
        for name in (b"/islands", b"/hole-first", b"/hole-last", b"/only-hole"):
            self.assertLessEqual(archive_trees.allocated(new + name),
                                 archive_trees.allocated(self.tree + name), name)
        self.assertEqual(archive_trees.allocated(new + b"/dense"),
                         archive_trees.allocated(self.tree + b"/dense"))


class Selection(Made):
    make_tree = staticmethod(archive_trees.tame)

    def test_one_folder_only(self):
        self.manman_ok("archive", "extract", self.archive, self.path("new"), "game/world")
        self.assert_same_tree(
            {path: node for path, node in snapshot(self.tree + b"/world").items() if path != b"."},
            {path: node for path, node in snapshot(self.path("new", "game", "world")).items()
             if path != b"."}, ignore=("same_as",))
        self.assertEqual(os.listdir(self.path("new", "game")), [b"world"])

    def test_no_such_path(self):
        self.assertEqual(self.refused("extract", self.archive, self.path("new"), "game/none").code, 3)
        self.assertFalse(os.path.lexists(self.path("new")))
        self.assertEqual(self.refused("cat", self.archive, "game/none").code, 3)

    def test_target_in_use_is_refused(self):
        os.mkdir(self.path("new"))
        with open(self.path("new", "mine"), "w") as file:
            file.write("mine")
        before = snapshot(self.path("new"))
        self.assertEqual(self.refused("extract", self.archive, self.path("new")).code, 4)
        self.assert_same_tree(before, snapshot(self.path("new")))

    def test_existing_archive_is_not_overwritten(self):
        with open(self.archive, "rb") as file:
            before = file.read()
        self.assertEqual(self.refused("create", self.tree, self.archive).code, 4)
        with open(self.archive, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_output_closed_early_ends_quietly(self):
        process = subprocess.Popen(
            [archive_tools.BINARY, "archive", "cat", self.archive, "game/world/region/3500001.mca"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        message = process.stderr.read()
        process.stderr.close()
        self.assertGreaterEqual(process.wait(30), 0, message)
        self.assertNotIn(b"terminate", message)

    def refused(self, *words):
        from archive_tools import manman

        outcome = manman("archive", *words)
        self.assert_sane(outcome)
        self.assertNotEqual(outcome.code, 0, outcome.text())
        self.assertIn(b"error", outcome.err)
        return outcome


if __name__ == "__main__":
    unittest.main()
