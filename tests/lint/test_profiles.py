"""Every game profile says where its facts come from."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths  # noqa: E402


def unsourced(folder):
    return [path.name for path in sorted(folder.glob("*.json"))
            if not any(line.strip().startswith("// Source: ") and len(line.strip()) > 15
                       for line in path.read_text().splitlines())]


class Profiles(unittest.TestCase):
    def test_every_one_names_a_source(self):
        folder = paths.ROOT / "profiles"
        self.assertGreater(len(list(folder.glob("*.json"))), 15)
        self.assertEqual(unsourced(folder), [])


if __name__ == "__main__":
    unittest.main()
