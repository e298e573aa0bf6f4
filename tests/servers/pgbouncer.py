"""A PgBouncer of a test's own before a PostgreSQL (servers/postgres.py), on a free port of loopback."""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports
from servers.postgres import PASSWORD

_START_SECONDS = 20


class PgBouncer:
    """`mode` is its pool_mode; `settings` are more lines of its configuration."""

    def __init__(self, postgres, mode, *settings):
        self.port, = free_ports(1)
        self.folder = Path(tempfile.mkdtemp(prefix="manman-pgbouncer-"))
        self._process = None
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to be root
        (self.folder / "users").write_text('"manman" "' + PASSWORD.replace('"', '""') + '"\n')
        (self.folder / "ini").write_text("\n".join([
            "[databases]", f"* = host=127.0.0.1 port={postgres.port}", "[pgbouncer]", "listen_addr=127.0.0.1",
            f"listen_port={self.port}", "unix_socket_dir=", "auth_type=scram-sha-256",
            f"auth_file={self.folder}/users", f"pool_mode={mode}", *settings]) + "\n")

    def __enter__(self):
        if self._user:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, self._user)
        with open(self.folder.with_suffix(".log"), "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"),
                 self.folder / "ini"], user=self._user, stdout=log, stderr=log, cwd=self.folder)
        wait_until(self._listens, _START_SECONDS, f"PgBouncer on port {self.port}")
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix(".log").unlink()

    def _listens(self):
        assert self._process.poll() is None, self.folder.with_suffix(".log").read_text()
        return f"listening on 127.0.0.1:{self.port}" in self.folder.with_suffix(".log").read_text()

    def url(self, database="manman", **parameters):
        query = "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote) if parameters else ""
        return f"postgres://manman:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}{query}"
