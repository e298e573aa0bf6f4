"""./run in a fresh copy of the repository: the service comes up with the sample game, and the
commands that it prints do what they say when pasted into a shell."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths, processes  # noqa: E402
from lib.service import clean_environment  # noqa: E402
from lib.wait import wait_until  # noqa: E402


def copy_sources(target):
    """What git knows of, and new files that it does not ignore."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=paths.ROOT,
                            check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (paths.ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.ROOT / name, target / name, follow_symlinks=False)


def printed_commands(text):
    """The shell lines below "Try it:", which are indented."""
    below = text.partition("Try it:\n")[2]
    return "\n".join(line[2:] for line in below.splitlines() if line.startswith("  "))


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="manman-test-run-"))
        self.addCleanup(self.clean_up)
        copy_sources(self.folder)

    def clean_up(self):
        processes.kill_all_of(self.folder)
        shutil.rmtree(self.folder)

    def shell(self, script, expect=0):
        # Free ports, as a developer who runs another service already would ask for.
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=clean_environment())
        self.assertEqual(done.returncode, expect, f"{script}\n{done.stdout}")
        return done.stdout

    def test_first_run_and_its_commands(self):
        said = self.shell("./run --grpc 127.0.0.1:0 --http 127.0.0.1:0")
        self.assertIn("sample game runs", said)
        commands = printed_commands(said)
        for word in ("backup create", "rm -r", "--restore-from", "--check"):
            self.assertIn(word, commands)
        world = next((self.folder / ".manman").rglob("world"))
        regions = {p.name for p in (world / "region").iterdir()}
        self.assertTrue(regions)
        self.shell(commands)
        # The game goes on and may have made more of its world.
        self.assertLessEqual(regions, {p.name for p in (world / "region").iterdir()})

        again = self.shell("./run --grpc 127.0.0.1:0 --http 127.0.0.1:0")
        self.assertIn("runs on .manman already", again)
        self.assertEqual(len(self.games()), 1, "one sample game, however often ./run is called")
        self.assertIn("service stopped", self.shell("./run --stop"))
        # The service lets go of its lock a moment before it ends.
        wait_until(lambda: not processes.of_folder(self.folder), 20, "every process ended")
        self.assertIn("no service runs", self.shell("./run --stop"))

    def games(self):
        """Pids of the sample game itself, told by the program that they run."""
        program = str((self.folder / "build/release/sample-game/sample-game").resolve())
        found = []
        for pid in processes.of_folder(self.folder):
            try:
                if os.readlink(f"/proc/{pid}/exe") == program:
                    found.append(pid)
            except OSError:
                continue
        return found

    def test_wrong_words(self):
        self.assertIn("--help", self.shell("./run --nonsense", expect=2))
        self.assertIn("usage", self.shell("./run --help"))


if __name__ == "__main__":
    unittest.main()
