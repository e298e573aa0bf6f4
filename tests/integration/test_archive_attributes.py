"""Extended attributes, ACLs and special bits: with GNU tar and bsdtar both ways, and without root's rights."""

import os
import shutil
import stat
import subprocess
import unittest

import archive_trees
from archive_tools import BINARY, ArchiveTest, have, run, snapshot, write_file

NOBODY = 65534
ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"


def acl(text):
    """The kernel's form of "tag:permissions:id …", numbers in hex."""
    data = (2).to_bytes(4, "little")
    for one in text.split():
        tag, permissions, who = (int(part, 16) for part in one.split(":"))
        data += tag.to_bytes(2, "little") + permissions.to_bytes(2, "little") + who.to_bytes(4, "little")
    return data


class AttributesCase(ArchiveTest):
    def setUp(self):
        super().setUp()
        self.tree = self.path("game")
        os.makedirs(self.tree + b"/shared/inner")
        write_file(self.tree + b"/world", archive_trees.patterned(70_000))
        write_file(self.tree + b"/plain", b"p")
        self.expected = {
            (b"world", "user.text"): b"with = and\nnewline",
            (b"world", "user.bytes"): b"\0\xff\n\0",
            (b"world", "user.50%=half"): b"v",
            (b"shared", "user.of.a.folder"): b"f",
            (b"world", ACCESS): acl("1:6:ffffffff 2:4:1 2:6:d431 4:4:ffffffff 8:1:2 10:7:ffffffff 20:4:ffffffff"),
            (b"shared", DEFAULT): acl("1:7:ffffffff 2:7:d431 4:5:ffffffff 10:7:ffffffff 20:0:ffffffff"),
        }
        for (name, attribute), value in self.expected.items():
            os.setxattr(self.tree + b"/" + name, attribute, value)
        archive_trees.set_times(self.tree)
        self.archive = self.path("made.tar.gz")

    def attributes_of(self, root):
        found = {}
        for folder, folders, files in os.walk(root):
            for name in folders + files:
                path = os.path.join(folder, name)
                for attribute in os.listxattr(path, follow_symlinks=False):
                    found[os.path.relpath(path, root), attribute] = os.getxattr(path, attribute, follow_symlinks=False)
        return found

    def assert_all_there(self, root):
        self.assertEqual(self.attributes_of(root), self.expected)
        self.assert_same_tree(snapshot(self.tree), snapshot(root))


class Attributes(AttributesCase):
    def test_gnu_tar_restores_ours(self):
        self.manman_ok("archive", "create", self.tree, self.archive)
        os.mkdir(self.path("new"))
        self.tool("tar", "--xattrs", "--acls", "-xpzf", self.archive, "-C", self.path("new"))
        self.assert_all_there(self.path("new", "game"))

    @have("bsdtar")
    def test_bsdtar_restores_ours(self):
        self.manman_ok("archive", "create", self.tree, self.archive)
        os.mkdir(self.path("new"))
        self.tool("bsdtar", "--xattrs", "--acls", "-xpzf", self.archive, "-C", self.path("new"))
        # It takes the names of SCHILY.xattr as they are written, and so do we write those that hold % or =.
        found = self.attributes_of(self.path("new", "game"))
        self.assertEqual({key: value for key, value in found.items() if "50" not in key[1]},
                         {key: value for key, value in self.expected.items() if "50" not in key[1]})

    def test_we_restore_what_gnu_tar_writes(self):
        self.tool("tar", "--format=pax", "--xattrs", "--acls", "-czf", self.archive, "-C", self.dir, "game")
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_all_there(self.path("new", "game"))

    @have("bsdtar")
    def test_we_restore_what_bsdtar_writes(self):
        self.tool("bsdtar", "--format=pax", "--xattrs", "--acls", "-czf", self.archive, "-C", self.dir, "game")
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_all_there(self.path("new", "game"))

    def test_ours_and_only_where_wanted(self):
        self.manman_ok("archive", "create", self.tree, self.archive)
        self.manman_ok("archive", "extract", self.archive, self.path("new"))
        self.assert_all_there(self.path("new", "game"))
        self.manman_ok("archive", "extract", self.archive, self.path("bare"), "--no-xattrs")
        self.assertEqual(self.attributes_of(self.path("bare", "game")), {})

    def test_special_bits(self):
        os.chmod(self.tree + b"/plain", 0o6755)
        os.chmod(self.tree + b"/shared", 0o3775)
        self.manman_ok("archive", "create", self.tree, self.archive)
        for words, bits, warnings in (((), (0o755, 0o1775), 2), (("--keep-setuid",), (0o6755, 0o3775), 0)):
            done = self.manman_ok("archive", "extract", self.archive, self.path("new%d" % warnings), *words)
            new = self.path("new%d" % warnings, "game")
            self.assertEqual(tuple(stat.S_IMODE(os.stat(new + name).st_mode) for name in (b"/plain", b"/shared")), bits)
            self.assertEqual(done.err.count(b"warning: "), warnings, done.text())


@unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
class Unprivileged(AttributesCase):
    """The same by a user without any rights: what is his comes back, and owners are left alone."""

    def as_nobody(self, *words):
        os.chmod(self.dir, 0o755)
        # The program may lie where only root may go.
        binary = self.path("manman")
        if not os.path.exists(binary):
            shutil.copy(BINARY, binary)
            os.chmod(binary, 0o755)
        return run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs",
                    binary, *words])

    def test_extract_what_root_archived(self):
        os.chown(self.tree + b"/plain", 1234, 4321)
        os.chmod(self.tree + b"/plain", 0o4711)
        self.manman_ok("archive", "create", self.tree, self.archive)
        os.mkdir(self.path("box"))
        os.chown(self.path("box"), NOBODY, NOBODY)
        done = self.as_nobody("archive", "extract", self.archive, self.path("box", "new"))
        self.assertEqual((done.code, done.err),
                         (0, b"warning: game/plain had its setuid bit set, which was dropped\n"), done.text())
        new = self.path("box", "new", "game")
        self.assertEqual(self.attributes_of(new), self.expected)
        restored = snapshot(new)
        self.assertEqual({(entry.uid, entry.gid) for entry in restored.values()}, {(NOBODY, NOBODY)})
        self.assertEqual(restored[b"plain"].mode, 0o711)
        self.assert_same_tree(snapshot(self.tree), restored, ("uid", "gid", "mode"))

    def test_create_and_extract(self):
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", self.dir], check=True)
        done = self.as_nobody("archive", "create", self.tree, self.archive)
        self.assertEqual((done.code, done.err), (0, b""), done.text())
        done = self.as_nobody("archive", "extract", self.archive, self.path("new"))
        self.assertEqual((done.code, done.err), (0, b""), done.text())
        self.assert_all_there(self.path("new", "game"))

    def test_a_file_that_may_not_be_read_is_named(self):
        os.chmod(self.tree + b"/plain", 0o600)
        subprocess.run(["chown", f"{NOBODY}:{NOBODY}", self.dir], check=True)
        done = self.as_nobody("archive", "create", self.tree, self.archive)
        self.assertEqual(done.code, 1, done.text())
        self.assertRegex(done.err, rb"game/plain: Permission denied")
        self.assertFalse(os.path.lexists(self.archive))


if __name__ == "__main__":
    unittest.main()
