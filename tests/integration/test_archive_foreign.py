"""Archives that other tools wrote: manman extracts what went in."""

import gzip
import os

import struct
import tarfile
import unittest

import archive_trees
from archive_tools import END, ArchiveTest, entry, folder, gz, have, manman, snapshot

SECONDS = ("mtime_below_second",)


class Foreign(ArchiveTest):
    make_tree = staticmethod(archive_trees.tame)

    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        self.make_tree(self.tree)
        self.expected = snapshot(self.tree)
        self.archive = self.path("foreign.tar.gz")

    def assert_restores(self, ignore=(), expected=None):
        new = self.path("new")
        self.manman_ok("archive", "verify", self.archive)
        self.manman_ok("archive", "extract", self.archive, new)
        self.assertEqual(os.listdir(new), [b"game"])
        self.assert_same_tree(expected or self.expected, snapshot(new + b"/game"), ignore)
        # The listing says the same names.
        listed = self.manman_ok("archive", "list", self.archive).out
        self.assertIn(b"game", listed)

    def make(self, *words, **options):
        self.tool(*words, cwd=self.dir, **options)


class GnuTarTame(Foreign):
    def test_v7(self):
        self.make("tar", "--format=v7", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    def test_oldgnu(self):
        self.make("tar", "--format=oldgnu", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    def test_ustar(self):
        self.make("tar", "--format=ustar", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    def test_volume_label_is_no_entry(self):
        self.make("tar", "--format=gnu", "-V", "a label", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    def test_pax_global_header(self):
        self.make("tar", "--format=pax", "--pax-option=globexthdr.name=g,comment=made by hand",
                  "-czf", self.archive, "game")
        self.assert_restores()

    def test_pax_with_access_and_change_times(self):
        self.make("tar", "--format=posix", "--pax-option=exthdr.name=%d/PaxHeaders/%f",
                  "--atime-preserve=replace", "-czf", self.archive, "game")
        self.assert_restores()

    def test_dot_slash_names(self):
        self.make("tar", "-czf", self.archive, "./game")
        self.assert_restores(SECONDS)

    def test_incremental_dump(self):
        self.make("tar", "--listed-incremental=snapshot.snar", "-czf", self.archive, "game")
        outcome = manman("archive", "extract", self.archive, self.path("new"))
        self.assert_sane(outcome)
        if outcome.code == 0:
            self.assert_same_tree(self.expected, snapshot(self.path("new", "game")), SECONDS)
        else:
            self.assertRegex(outcome.err, rb"game/?.*incremental|game/?.*'D'|game/?.*kind")
            self.assertFalse(os.path.lexists(self.path("new")))

    def test_multi_volume_part_is_refused(self):
        part = self.path("part.tar")
        with open(part, "wb") as file:
            file.write(entry(b"game/continued", b"rest of a file", kind=b"M") + END)
        outcome = manman("archive", "extract", part, self.path("new"))
        self.assert_sane(outcome)
        self.assertNotEqual(outcome.code, 0)
        self.assertIn(b"game/continued", outcome.err)
        self.assertFalse(os.path.lexists(self.path("new")))

    def test_no_game_folder(self):
        self.tool("tar", "-czf", self.archive, ".", cwd=self.tree)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_same_tree(self.expected, snapshot(self.path("new")), (*SECONDS,))

    def test_single_file(self):
        self.tool("tar", "-czf", self.archive, "server.properties", cwd=self.tree)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assertEqual(os.listdir(self.path("new")), [b"server.properties"])

    def test_numbers_beyond_octal(self):
        os.chown(self.tree + b"/secret", 3_000_000, 4_000_000_000)
        self.expected = snapshot(self.tree)
        for form, ignore in (("gnu", SECONDS), ("pax", ())):
            with self.subTest(form=form):
                self.make("tar", "--format=" + form, "-czf", self.archive, "game")
                self.assert_restores(ignore)
                self.tool("rm", "-rf", self.path("new"))


class GnuTarTricky(Foreign):
    make_tree = staticmethod(archive_trees.tricky)

    def test_gnu(self):
        self.make("tar", "--format=gnu", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    def test_pax(self):
        self.make("tar", "--format=pax", "-czf", self.archive, "game")
        self.assert_restores()


class GnuTarSparse(Foreign):
    make_tree = staticmethod(archive_trees.sparse)

    def assert_restores_sparse(self, ignore=()):
        self.assert_restores(ignore)
        for name in (b"islands", b"hole-first", b"hole-last", b"only-hole"):
            self.assertLessEqual(archive_trees.allocated(self.path("new", "game", name)),
                                 archive_trees.allocated(self.tree + b"/" + name), name)
        content = self.manman_ok("archive", "cat", self.archive, "game/islands").out
        with open(self.tree + b"/islands", "rb") as file:
            self.assertEqual(content, file.read())

    def test_gnu(self):
        self.make("tar", "--format=gnu", "--sparse", "-czf", self.archive, "game")
        self.assert_restores_sparse(SECONDS)

    def test_oldgnu(self):
        self.make("tar", "--format=oldgnu", "--sparse", "-czf", self.archive, "game")
        self.assert_restores_sparse(SECONDS)

    def test_pax(self):
        for version in ("0.0", "0.1", "1.0"):
            with self.subTest(version=version):
                self.make("tar", "--format=pax", "--sparse", "--sparse-version=" + version, "-czf",
                          self.archive, "game")
                self.assert_restores_sparse()
                self.tool("rm", "-rf", self.path("new"))

    @have("bsdtar")
    def test_bsdtar_pax(self):
        self.make("bsdtar", "--format=pax", "-czf", self.archive, "game")
        self.assert_restores_sparse()


@have("bsdtar")
class Bsdtar(Foreign):
    def test_formats(self):
        # bsdtar's "pax restricted", its default, leaves parts of a second out where it can.
        for form, ignore in (("pax", ()), ("ustar", SECONDS), ("gnutar", SECONDS), ("v7tar", SECONDS)):
            with self.subTest(form=form):
                self.make("bsdtar", "--format=" + form, "-czf", self.archive, "game")
                self.assert_restores(ignore)
                self.tool("rm", "-rf", self.path("new"))

    def test_records_of_attributes_change_nothing_else(self):
        self.add_attributes()
        self.make("bsdtar", "--format=pax", "--acls", "--xattrs", "--fflags", "-czf", self.archive, "game")
        tar = gzip.open(self.archive).read()
        self.assertIn(b"LIBARCHIVE.xattr.user.test", tar)
        self.assertIn(b"SCHILY.acl.access", tar)
        self.assert_restores(expected=snapshot(self.tree))

    def test_gnu_tar_xattrs(self):
        self.add_attributes()
        self.make("tar", "--format=pax", "--acls", "--xattrs", "-czf", self.archive, "game")
        self.assertIn(b"SCHILY.xattr.user.test", gzip.open(self.archive).read())
        self.assert_restores(expected=snapshot(self.tree))

    def add_attributes(self):
        os.setxattr(self.tree + b"/server.properties", "user.test", b"with = and\nnewline\0")
        acl = struct.pack("<I", 2) + b"".join(
            struct.pack("<HHI", tag, permission, who)
            for tag, permission, who in ((1, 6, 0xFFFFFFFF), (2, 4, 1000), (4, 4, 0xFFFFFFFF),
                                         (16, 4, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)))
        os.setxattr(self.tree + b"/run.sh", "system.posix_acl_access", acl)


@have("bsdtar")
class BsdtarTricky(Foreign):
    @staticmethod
    def make_tree(root):
        archive_trees.tricky(root)
        # libarchive writes times before 1970 that have parts of a second wrong: a minus before
        # the whole seconds, then the parts that are to be added.
        for name in (b"/before-1970", b"/just-before-1970"):
            os.unlink(root + name)
        os.utime(root, ns=(archive_trees.BASE_NS, archive_trees.BASE_NS + 5))

    def test_pax(self):
        self.make("bsdtar", "--format=pax", "-czf", self.archive, "game")
        self.assert_restores()


class OtherWriters(Foreign):
    @have("busybox")
    def test_busybox(self):
        self.make("busybox", "tar", "-czf", self.archive, "game")
        self.assert_restores(SECONDS)

    @have("7z")
    def test_7z(self):
        # 7z keeps neither links nor all modes; the bytes count.
        inner = self.path("inner.tar")
        self.make("7z", "a", "-ttar", inner, "game")
        self.make("7z", "a", "-tgzip", self.archive, inner)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        actual = snapshot(self.path("new", "game"))
        for path, node in self.expected.items():
            if node.kind == "file":
                self.assertEqual(actual[path].digest, node.digest, path)

    def test_python(self):
        for name, form, ignore in (("ustar", tarfile.USTAR_FORMAT, SECONDS),
                                   ("gnu", tarfile.GNU_FORMAT, SECONDS),
                                   ("pax", tarfile.PAX_FORMAT, ("mtime_ns",))):
            with self.subTest(format=name):
                with tarfile.open(self.archive, "w:gz", format=form) as archive:
                    archive.add(self.tree.decode(), "game")
                self.assert_restores(ignore)
                self.assert_same_tree(self.expected, snapshot(self.path("new", "game")),
                                      (*ignore, *SECONDS))
                self.tool("rm", "-rf", self.path("new"))

    def test_python_pax_with_odd_names(self):
        with tarfile.open(self.archive, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            for name in ("game/" + "l" * 200 + "/" + "m" * 200, "game/größe-☃", "game/caf\udce9"):
                archive.addfile(tarfile.TarInfo(name))
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        found = snapshot(self.path("new", "game"))
        for name in (b"l" * 200 + b"/" + b"m" * 200, "größe-☃".encode(), b"caf\xe9"):
            self.assertIn(name, found)


class GzipForms(Foreign):
    """One tar stream in every gzip dress that RFC 1952 allows."""

    def setUp(self):
        super().setUp()
        self.make("tar", "--format=pax", "-cf", "plain.tar", "game")
        with open(self.path("plain.tar"), "rb") as file:
            self.tar = file.read()

    def write(self, data):
        with open(self.archive, "wb") as file:
            file.write(data)

    def test_plain_tar(self):
        self.archive = self.path("plain.tar")
        self.assert_restores()

    def test_members_cut_anywhere(self):
        cuts = [0, 1, 511, 512, 70_001, 70_001, len(self.tar) - 700, len(self.tar)]
        self.write(b"".join(gz(self.tar[a:b]) for a, b in zip(cuts, cuts[1:])) + gz(b""))
        self.assert_restores()

    def test_many_small_members(self):
        self.write(b"".join(gz(self.tar[n:n + 4_096], 1) for n in range(0, len(self.tar), 4_096)))
        self.assert_restores()

    def test_zero_padding_after_the_last_member(self):
        self.write(gz(self.tar) + bytes(10_240))
        self.assert_restores()

    def test_every_optional_header_field(self):
        data = gz(self.tar)
        extra = b"AB\x04\0data"
        start = b"\x1f\x8b\x08\x1e" + bytes(5) + b"\x03"
        head = start + struct.pack("<H", len(extra)) + extra + b"name.tar\0a comment\0"
        import zlib

        self.write(head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + data[10:])
        self.assert_restores()

    def test_compressors(self):
        for command in (["gzip", "-1"], ["gzip", "-9"], ["gzip", "--rsyncable"], ["pigz", "-p", "3"],
                        ["pigz", "-i", "-p", "2"], ["busybox", "gzip"]):
            with self.subTest(command=command):
                self.write(self.tool(*command, "-c", self.path("plain.tar")).out)
                self.assert_restores()
                self.tool("rm", "-rf", self.path("new"))

    def test_stored_blocks(self):
        self.write(gz(self.tar, 0))
        self.assert_restores()


class OddButRight(ArchiveTest):
    """Shapes of tar that some writer makes and that harm nobody."""

    def extract(self, tar):
        archive = self.path("odd.tar.gz")
        with open(archive, "wb") as file:
            file.write(gz(tar))
        self.manman_ok("archive", "extract", archive, self.path("new"))
        return snapshot(self.path("new"))

    def test_parents_missing(self):
        tree = self.extract(entry(b"a/b/c/file", b"x") + END)
        self.assertEqual([tree[p].kind for p in (b"a", b"a/b", b"a/b/c", b"a/b/c/file")],
                         ["dir", "dir", "dir", "file"])

    def test_later_file_replaces_earlier(self):
        tree = self.extract(entry(b"a", b"old content") + entry(b"a", b"new") + END)
        self.assertEqual(tree[b"a"].size, 3)

    def test_replaced_file_does_not_change_its_hard_link(self):
        from archive_tools import hard_link

        tree = self.extract(entry(b"a", b"old") + hard_link(b"b", b"a") + entry(b"a", b"newer") + END)
        self.assertEqual((tree[b"a"].size, tree[b"b"].size), (5, 3))

    def test_folder_named_twice_keeps_its_contents(self):
        tree = self.extract(folder(b"d/") + entry(b"d/f", b"x") + folder(b"d/", mode=0o700) + END)
        self.assertEqual((tree[b"d"].mode, tree[b"d/f"].size), (0o700, 1))

    def test_v7_folder_by_trailing_slash(self):
        tree = self.extract(entry(b"d/", kind=b"\0", magic=bytes(8), mode=0o755) + END)
        self.assertEqual(tree[b"d"].kind, "dir")

    def test_contiguous_file_is_a_file(self):
        self.assertEqual(self.extract(entry(b"f", b"data", kind=b"7") + END)[b"f"].size, 4)

    def test_read_only_folder_with_contents(self):
        tree = self.extract(folder(b"d/", mode=0o555) + entry(b"d/f", b"x") + END)
        self.assertEqual((tree[b"d"].mode, tree[b"d/f"].size), (0o555, 1))

    def test_set_id_bits_are_dropped(self):
        tree = self.extract(entry(b"f", b"x", mode=0o6755) + folder(b"d/", mode=0o2755) + END)
        self.assertEqual((tree[b"f"].mode, tree[b"d"].mode), (0o755, 0o755))

    def test_blocks_of_zeros_after_the_end(self):
        self.assertIn(b"f", self.extract(entry(b"f", b"x") + END + bytes(512 * 37)))

    def test_empty_archive(self):
        self.assertEqual(list(self.extract(END)), [b"."])


if __name__ == "__main__":
    unittest.main()
