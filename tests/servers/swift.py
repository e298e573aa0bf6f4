"""An OpenStack Swift of one node with its S3 API, on free ports of loopback: an S3 server that has
nothing in common with Ceph's.

    with Swift() as s3:
        s3.settings()  # S3_ENDPOINT, S3_ACCESS_KEY, …
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports

_START_SECONDS = 60

_SWIFT = """
[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test
[storage-policy:0]
name = default
default = yes
[swift-constraints]
max_header_size = 32768
"""
_STORAGE = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = root
swift_dir = {folder}
devices = {folder}/node
mount_check = false
workers = 0
log_level = WARNING
log_address = {folder}/no-syslog
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = {folder}
log_level = WARNING
log_address = {folder}/no-syslog
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
dns_compliant_bucket_names = true
min_segment_size = 5242880
location = {region}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


class Swift:
    access_key = "test:tester"
    secret_key = "manman-secret"
    region = "us-east-1"

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="manman-swift-"))
        self.port, self._memcached, *self._storage_ports = free_ports(5)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._servers = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.send_signal(signal.SIGKILL)
            server.wait()
        self._servers.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self):
        return {"S3_ENDPOINT": self.endpoint, "S3_ACCESS_KEY": self.access_key,
                "S3_SECRET_KEY": self.secret_key, "S3_REGION": self.region}

    def _start(self):
        (self.folder / "node/d1").mkdir(parents=True)
        (self.folder / "swift.conf").write_text(_SWIFT)
        self._run("memcached", _program("memcached"), "-u", "nobody", "-l", "127.0.0.1", "-p", self._memcached)
        for kind, port in zip(("account", "container", "object"), self._storage_ports):
            self._make_ring(kind, port)
            self._serve(kind, _STORAGE.format(kind=kind, port=port, folder=self.folder))
        self._serve("proxy", _PROXY.format(port=self.port, folder=self.folder, secret=self.secret_key,
                                           region=self.region, memcached=self._memcached))
        wait_until(self._ready, _START_SECONDS, "Swift's S3 API")

    def _make_ring(self, kind, port):
        builder = self.folder / f"{kind}.builder"
        device = ["--region", 1, "--zone", 1, "--ip", "127.0.0.1", "--port", port, "--device", "d1",
                  "--weight", 1]
        for words in (["create", 4, 1, 1], ["add", *device], ["rebalance"]):
            command = [_program("swift-ring-builder"), builder, *words]
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1):  # 1: with a warning
                raise RuntimeError(f"{done.args}: {done.stdout}{done.stderr}")

    def _serve(self, kind, config):
        path = self.folder / f"{kind}-server.conf"
        path.write_text(config)
        self._run(kind, _program(f"swift-{kind}-server"), path, "-v")

    def _run(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self._servers.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                                  stdout=log, stderr=log, cwd=self.folder))

    def _ready(self):
        for server in self._servers:
            if server.poll() is not None:
                raise RuntimeError(f"{server.args[0]} ended at its start:\n{self.log()}")
        try:
            with urllib.request.urlopen(self.endpoint + "/healthcheck", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def log(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}\n"
                       for path in sorted(self.folder.glob("*.log")))


def _program(name):
    path = shutil.which(name)
    if not path:
        sys.exit(f"{name} is not installed: scripts/install-packages test")
    return path
