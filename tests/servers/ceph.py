"""A Ceph of one node in memory, with its S3 gateway, on free ports of loopback.

    with Ceph() as s3:
        s3.settings()  # S3_ENDPOINT, S3_ACCESS_KEY, …
"""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports

_START_SECONDS = 90
_COMMAND_SECONDS = 60

_CONFIG = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = {folder}/run
crash dir = {folder}/run
log file = {folder}/log/$name.log
admin socket = {folder}/run/$name.asok
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
osd objectstore = memstore
memstore device bytes = {memory_bytes}
osd max object name len = 2048
osd max object namespace len = 256
osd check max object name len on startup = false
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw thread pool size = 32
"""


class Ceph:
    access_key = "manman-access"
    secret_key = "manman/secret+key"
    region = "us-east-1"

    def __init__(self, memory_gib=4):
        self._memory_bytes = memory_gib << 30
        self.folder = Path(tempfile.mkdtemp(prefix="manman-ceph-"))
        self.port, self._mon_v2, self._mon_v1 = free_ports(3)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._daemons = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for daemon in reversed(self._daemons):  # all is in memory: nothing to stop in order for
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
        self._daemons.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the gateway, which is what answers S3; the objects are kept by the others ----------------

    def start(self):
        self._daemon("radosgw", "-n", "client.rgw")
        wait_until(self._ready, _START_SECONDS, "the S3 gateway of Ceph")

    def kill(self):
        gateway = self._daemons.pop()
        gateway.kill()
        gateway.wait()

    def pause(self):
        self._daemons[-1].send_signal(signal.SIGSTOP)

    def resume(self):
        self._daemons[-1].send_signal(signal.SIGCONT)

    def settings(self):
        return {"S3_ENDPOINT": self.endpoint, "S3_ACCESS_KEY": self.access_key,
                "S3_SECRET_KEY": self.secret_key, "S3_REGION": self.region}

    def _start(self):
        for name in ("mon", "osd", "rgw", "log", "run"):
            (self.folder / name).mkdir()
        fsid = str(uuid.uuid4())
        (self.folder / "ceph.conf").write_text(_CONFIG.format(
            fsid=fsid, folder=self.folder, port=self.port, memory_bytes=self._memory_bytes, mon_v1=self._mon_v1, mon_v2=self._mon_v2))
        self._start_monitor(fsid)
        self._start_storage()
        self.start()
        self._run("radosgw-admin", "user", "create", "--uid", "manman", "--display-name", "manman",
                  "--access-key", self.access_key, "--secret-key", self.secret_key)

    def _start_monitor(self, fsid):
        caps = {"mon.": {"mon": "allow *"},
                "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
                "client.rgw": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
                "osd.0": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"}}
        for name, allowed in caps.items():
            create = [] if (self.folder / "keyring").exists() else ["--create-keyring"]
            words = [word for kind, caps_of in allowed.items() for word in ("--cap", kind, caps_of)]
            self._run("ceph-authtool", *create, self.folder / "keyring", "--gen-key", "-n", name, *words)
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{self._mon_v2},v1:127.0.0.1:{self._mon_v1}]", self.folder / "monmap")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", self.folder / "monmap",
                  "--keyring", self.folder / "keyring")
        self._daemon("ceph-mon", "-i", "a")
        self._run("ceph", "mon", "stat")  # waits for it

    def _start_storage(self):
        osd = str(uuid.uuid4())
        self._run("ceph", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._daemon("ceph-osd", "-i", "0")
        wait_until(lambda: "1 up" in self._run("ceph", "osd", "stat"), _START_SECONDS, "Ceph's storage daemon")

    def _ready(self):
        try:
            with urllib.request.urlopen(self.endpoint, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            self._check_alive()
            return False

    def _check_alive(self):
        for daemon in self._daemons:
            if daemon.poll() is not None:
                raise RuntimeError(f"{daemon.args[0]} ended at its start:\n{self.log()}")

    def log(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}\n"
                       for path in sorted((self.folder / "log").iterdir()))

    def _command(self, program, *words):
        if not shutil.which(program):
            raise SystemExit(f"{program} is not installed: scripts/install-packages test")
        return [program, "--conf", str(self.folder / "ceph.conf"), *map(str, words)]

    def _daemon(self, program, *words):
        with open(self.folder / f"log/{program}.out", "ab") as out:
            self._daemons.append(subprocess.Popen(
                self._command(program, "-f", *words), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.folder, env=_environment()))

    def _run(self, program, *words):
        done = subprocess.run(self._command(program, *words), capture_output=True, text=True, check=False,
                              timeout=_COMMAND_SECONDS, cwd=self.folder, env=_environment())
        self._check_alive()
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, done.args))}: {done.stderr[-1000:]}\n{self.log()}")
        return done.stdout


def _environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("CEPH_")}
