"""The base class of tests that need a service."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from . import paths, trees
from .service import Service


class ServiceCase(unittest.TestCase):
    """Each test has a service of its own (self.service), not yet started."""

    arguments = ()
    maxDiff = None

    def setUp(self):
        self.service = Service(self.arguments)
        self.addCleanup(self._end)

    def _end(self):
        errors = getattr(self._outcome, "errors", None) or []
        result = getattr(self._outcome, "result", None)
        failed = any(e[1] for e in errors)
        if result is not None:
            failed = failed or any(t is self for t, _ in result.failures + result.errors)
        if failed:
            print(f"--- the end of the service's log ({self.id()})\n{self.service.log_tail()}\n---",
                  flush=True)
        self.service.close()

    @property
    def api(self):
        return self.service.api

    def temp_folder(self):
        folder = Path(tempfile.mkdtemp(prefix="manman-test-"))
        self.addCleanup(shutil.rmtree, folder, True)
        return folder

    def unpacked(self, archive):
        """A snapshot of game/ as an archive holds it, by GNU tar."""
        folder = self.temp_folder()
        subprocess.run(["tar", "--numeric-owner", "--warning=no-unknown-keyword", "-xpzSf", archive,
                        "-C", folder], check=True)
        self.assertEqual([p.name for p in folder.iterdir()], ["game"])
        return trees.snapshot(folder / "game")

    def assert_archive_holds(self, archive, expected):
        subprocess.run([str(paths.manman()), "archive", "verify", archive], check=True,
                       stdout=subprocess.DEVNULL)
        # GNU tar takes zeros as data, and sets the times of folders late; bytes are the point.
        trees.assert_same(expected, self.unpacked(archive), "what the archive holds",
                          ignore=("holes",))
