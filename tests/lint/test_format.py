"""clang-format leaves every C++ source as it is."""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths  # noqa: E402

FOLDERS = ("src", "sample-game", "bench", "fuzz", "tests")


class Format(unittest.TestCase):
    def test_sources_are_formatted(self):
        tool = shutil.which("clang-format-19")
        self.assertIsNotNone(tool, "clang-format-19 is missing: scripts/install-packages test")
        sources = [str(p) for folder in FOLDERS for p in sorted((paths.ROOT / folder).rglob("*"))
                   if p.suffix in (".cc", ".h")]
        self.assertGreater(len(sources), 20)
        done = subprocess.run([tool, "--dry-run", "--Werror", *sources], capture_output=True,
                              text=True, cwd=paths.ROOT)
        files = sorted({line.split(":")[0] for line in done.stderr.splitlines()
                        if "[-Wclang-format-violations]" in line})
        self.assertEqual(done.returncode, 0,
                         "clang-format-19 -i " + " ".join(files) + "\n" + done.stderr[:2000])


if __name__ == "__main__":
    unittest.main()
