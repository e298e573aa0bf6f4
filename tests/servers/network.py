"""A network namespace of a test's own, joined to this machine by one cable that can be pulled.

    with Namespace() as network:
        subprocess.Popen([*network.command, "program"])  # reaches this machine at network.outside
        network.pull()
        network.plug()
"""

import itertools
import os
import subprocess

_numbers = itertools.count()


class Namespace:
    """Needs root. Its addresses are of 10.213.0.0/16, a /30 for each process id and number."""

    def __init__(self):
        number = (os.getpid() * 7 + next(_numbers)) % (1 << 14)
        first = 4 * number
        self.name = f"mm{number}"
        self._cable = f"mm{number}o"
        self.outside = f"10.213.{first >> 8}.{(first & 255) + 1}"
        self._inside = f"10.213.{first >> 8}.{(first & 255) + 2}"
        self.command = ["ip", "netns", "exec", self.name]

    def __enter__(self):
        _ip("netns", "add", self.name)
        try:
            _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            _ip("address", "add", f"{self.outside}/30", "dev", self._cable)
            _ip("link", "set", self._cable, "up")
            for words in (("address", "add", f"{self._inside}/30", "dev", "eth0"),
                          ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
                _ip("-n", self.name, *words)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        _ip("netns", "delete", self.name)

    def pull(self):
        _ip("link", "set", self._cable, "down")

    def plug(self):
        _ip("link", "set", self._cable, "up")


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
