"""`manman serve` on a temporary state folder: start, crash, restart, stop, clean up."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from . import paths, processes
from .client import Api
from .wait import wait_until

READY_TIMEOUT = 60
# Settings of the machine that the service would take over; a test sets all that it wants.
SETTINGS = ("MANMAN_FAILPOINTS", "PG_DATABASE_URL", "RABBITMQ_URL", "S3_ENDPOINT", "S3_ACCESS_KEY",
            "S3_SECRET_KEY", "S3_BUCKET", "S3_REGION", "S3_SESSION_TOKEN", "S3_CA_FILE", "API_ADDRESS",
            "SERVER_NAME", "ENVIRONMENT", "DOCKER_SOCKET", "DATA_DIR")


def clean_environment(**more):
    return {k: v for k, v in os.environ.items() if k not in SETTINGS} | more


class Service:
    """One state folder and, at most times, one process on it. Not thread-safe."""

    def __init__(self, arguments=(), folder=None):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="manman-test-"))
        self.state = self.folder / "state"
        self.log = self.folder / "serve.log"
        # Rows and requests to the store hold still where a test does not ask for verifications.
        self.arguments = list(arguments)
        if "--verify-after-upload" not in self.arguments:
            self.arguments += ["--verify-after-upload", "none"]
        self.environment = {}  # more settings, as variables
        self.grpc = self.http_address = "127.0.0.1:0"
        self.process = None
        self.endpoints = {}
        self._api = None

    # -- the process ---------------------------------------------------------------------------

    def launch(self, failpoints=""):
        """Starts the process and returns at once; start() also waits until it is ready."""
        assert self.process is None, "it runs already"
        self._drop_api()
        # The kernel ends the service with the test, whatever ends the test.
        command = ["setpriv", "--pdeathsig", "KILL", str(paths.manman()), "serve",
                   "--state", str(self.state), "--grpc", self.grpc,
                   "--http", self.http_address, *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=clean_environment(**self.environment, MANMAN_FAILPOINTS=failpoints), start_new_session=True)

    def start(self, failpoints=""):
        self.launch(failpoints)
        if not self.wait_ready():
            raise AssertionError(f"serve ended with {self.process.returncode} before it was ready")
        return self

    def wait_ready(self):
        """True once it is ready, False when it ended before."""
        def ready_or_dead():
            return self.process.poll() is not None or self._ready()
        wait_until(ready_or_dead, READY_TIMEOUT, "serve to be ready")
        return self.process.poll() is None

    def _ready(self):
        try:
            endpoints = json.loads((self.state / "endpoints.json").read_text())
            if endpoints["pid"] != self.process.pid:
                return False  # still the one of the process before
            self.endpoints = endpoints
            return self.http("/readyz")[0] == 200
        except (FileNotFoundError, ConnectionError, urllib.error.URLError, http.client.HTTPException):
            return False  # not yet, or it died while it answered

    def wait_crash(self, timeout=60):
        """Waits for the process to be killed by its own failpoint."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("the failpoint was not passed") from None
        self.process = None
        self._drop_api()
        if code != -signal.SIGKILL:
            raise AssertionError(f"serve ended with {code}, not by its failpoint")

    def kill(self):
        """kill -9, as a machine or an operator may."""
        self.process.kill()
        self.process.wait()
        self.process = None
        self._drop_api()

    def stop(self):
        """SIGTERM; it must end by itself, soon, with 0."""
        self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("serve did not end within 30 s of SIGTERM") from None
        self.process = None
        self._drop_api()
        assert code == 0, f"serve ended with {code} after SIGTERM"

    def keep_address(self):
        """From now on it listens where it does now, also after a restart."""
        self.grpc = self.endpoints["grpc"]

    def restart(self, failpoints=""):
        if self.process is not None:
            self.stop()
        return self.start(failpoints)

    def close(self):
        """Ends the service and every game of it, and removes the folder."""
        self._drop_api()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        processes.kill_all_of(self.folder)
        shutil.rmtree(self.folder)

    def log_tail(self, lines=60):
        if not self.log.exists():
            return "(no log)"
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])

    # -- talking to it -------------------------------------------------------------------------

    @property
    def api(self):
        if self._api is None:
            self._api = Api(self.endpoints["grpc"])
        return self._api

    def _drop_api(self):
        if self._api is not None:
            self._api.close()
            self._api = None

    def http(self, path):
        """(status, body) of a GET."""
        try:
            with urllib.request.urlopen(f"http://{self.endpoints['http']}{path}", timeout=10) as r:
                return r.status, r.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def cli(self, *arguments, expect=0, timeout=300):
        """Runs the command line against this service; returns the finished process (text)."""
        done = subprocess.run(
            [str(paths.manman()), "--api", self.endpoints["grpc"], *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            cwd=self.folder, env=clean_environment())
        if done.returncode != expect:
            raise AssertionError(f"manman {' '.join(map(str, arguments))}: exit {done.returncode}, "
                                 f"not {expect}\n{done.stdout}{done.stderr}")
        return done

    def cli_json(self, *arguments, **options):
        return json.loads(self.cli("-o", "json", *arguments, **options).stdout)

    # -- what it keeps on disk -------------------------------------------------------------------

    def gsc(self, sgc_id):
        return self.state / f"data/gsc-local-{sgc_id}"

    def game(self, sgc_id):
        return self.gsc(sgc_id) / "game"

    def output(self, sgc_id, session_id):
        """What the game printed."""
        path = self.gsc(sgc_id) / f"session-{session_id}/output.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def object_path(self, s3_url):
        return self.state / "store" / s3_url.removeprefix("s3://")

    def objects(self):
        """Every object in the store."""
        root = self.state / "store"
        found = [p for p in root.rglob("*") if p.is_file()] if root.exists() else []
        return sorted(p for p in found if ".uploads" not in p.relative_to(root).parts)

    def leftovers(self):
        """Files and folders that only work under way may have."""
        data, store = self.state / "data", self.state / "store"
        left = [*data.glob("gsc-*/restore-*"), *data.glob("gsc-*/*trash*"), *data.glob("gsc-*/.snapshot-*"),
                *data.glob("journal/backup-*"), *data.glob("journal/cancel-*"), *data.glob("journal/undo-*"),
                *data.glob("journal/*.bad")]
        if store.exists():
            left += [p for p in store.rglob("*") if p.is_file()
                     and ".uploads" in p.relative_to(store).parts]
        return left
