"""A PostgreSQL server of a test's own, on a free port of loopback.

    with Postgres("timezone=Asia/Kolkata") as server:
        server.url("dbname")  # postgres://manman:…@127.0.0.1:PORT/dbname

Its files and its Unix socket stand in a temporary folder; it runs as user postgres where the tests
run as root, as it refuses to be root itself.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports

PASSWORD = "p@ss/w:ord?#%"  # what a URL must percent-encode
_START_SECONDS = 30


def _programs():
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not places:
        raise SystemExit("PostgreSQL is not installed: scripts/install-packages test")
    return places[-1].parent


class Postgres:
    """kill() and start() are a crash and what follows it. The thread that starts the server must outlive it."""

    def __init__(self, *settings, encoding="UTF8"):
        self._settings = settings
        self._encoding = encoding
        self._process = None
        self._programs = _programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        self.port, = free_ports(1)
        self.folder = Path(tempfile.mkdtemp(prefix="manman-pg-"))

    def __enter__(self):
        try:
            self._make_cluster()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self.resume()
            self._end(signal.SIGINT)  # a fast shutdown, connections or not
        shutil.rmtree(self.folder, ignore_errors=True)

    def use_tls(self, pair):
        """Before the start: with this certificate and key (servers/certificates.py)."""
        settings = ["ssl=on"]
        for name, path in (("ssl_cert_file", pair.certificate), ("ssl_key_file", pair.key)):
            own = self.folder / path.name
            shutil.copy(path, own)
            own.chmod(0o600)
            if self._user:
                shutil.chown(own, self._user)
            settings.append(f"{name}={own}")
        self._settings += tuple(settings)
    @property
    def pid(self):
        return self._process.pid

    def url(self, database="manman", user="manman", password=PASSWORD, **parameters):
        quoted = f"{user}:{urllib.parse.quote(password, safe='')}"
        query = "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote) if parameters else ""
        return f"postgres://{quoted}@127.0.0.1:{self.port}/{database}{query}"

    def sql(self, statement, database="manman"):
        """As the superuser; the rows as psql prints them, columns apart by |."""
        done = self._run("psql", "-XAtq", "-h", self.folder, "-p", self.port, "-U", "postgres", "-d", database,
                         "-v", "ON_ERROR_STOP=1", "-c", statement)
        return done.stdout.strip()

    def start(self):
        # The kernel ends the server with the thread that has started it, whatever ends that.
        command = ["setpriv", "--pdeathsig", "QUIT", self._programs / "postgres", "-D", self.folder / "data",
                   "-p", self.port, "-k", self.folder]
        for setting in ("listen_addresses=127.0.0.1", *self._settings):
            command += ["-c", setting]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([str(word) for word in command], user=self._user, stdout=log, stderr=log,
                                             cwd=self.folder, **self._groups())
        wait_until(self._ready, _START_SECONDS, f"PostgreSQL on port {self.port}")

    def kill(self):
        """kill -9 of the server and, as with a power cut, of all that it has started."""
        for pid in [self._process.pid, *self._children()]:
            _signal(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        wait_until(lambda: not self._shared_memory_held(), 10, "the killed server's processes to end")

    def pause(self):
        for pid in [self._process.pid, *self._children()]:
            _signal(pid, signal.SIGSTOP)

    def resume(self):
        for pid in [*self._children(), self._process.pid]:
            _signal(pid, signal.SIGCONT)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def _make_cluster(self):
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", self.folder / "data", "-U", "postgres", "--auth-local=trust",
                  "--auth-host=scram-sha-256", "--encoding", self._encoding, "--locale=C", "--no-sync")
        self.start()
        self.sql(f"CREATE ROLE manman LOGIN CREATEDB PASSWORD '{PASSWORD}'", "postgres")
        self.sql("CREATE DATABASE manman OWNER manman", "postgres")
        self._end(signal.SIGINT)

    def _run(self, program, *words):
        done = subprocess.run([str(self._programs / program), *map(str, words)], user=self._user, cwd=self.folder,
                              capture_output=True, text=True, check=False, **self._groups())
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        return done

    def _groups(self):
        if not self._user:
            return {}
        return {"group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _ready(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at its start:\n{self.log()[-3000:]}")
        try:
            return self.sql("SELECT 1", "postgres") == "1"
        except RuntimeError:
            return False

    def _end(self, how):
        self._process.send_signal(how)
        try:
            self._process.wait(20)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def _children(self):
        try:
            return [int(pid) for pid in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
                    .read_text().split()]
        except FileNotFoundError:
            return []

    def _shared_memory_held(self):
        """A server does not start while processes of the former one are still there."""
        return any(_works_in(pid, self.folder / "data") for pid in os.listdir("/proc") if pid.isdigit())


def _works_in(pid, folder):
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
