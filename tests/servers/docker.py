"""A Docker Engine of the test's own: no registry, no bridge, its socket in a temporary folder."""

import hashlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import urllib.parse
from pathlib import Path

from lib import processes
from lib.wait import wait_until

READY_TIMEOUT = 90
VERSION = "/v1.41"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Docker:
    """`with Docker() as docker:` starts an engine and ends it, its containers and its files."""

    def __init__(self):
        # Short: the path of a socket is at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="manman-dockerd-", dir="/tmp"))
        self.socket = str(self.folder / "docker.sock")
        self.log = self.folder / "log"
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # -- the engine ----------------------------------------------------------------------------

    def start(self):
        command = ["dockerd", "--storage-driver=vfs", "--bridge=none", "--iptables=false",
                   "--ip6tables=false", "--data-root", str(self.folder / "data"),
                   "--exec-root", str(self.folder / "exec"), "-H", f"unix://{self.socket}",
                   "--pidfile", str(self.folder / "pid"), "--config-file",
                   str(self.folder / "no-config.json")]
        (self.folder / "no-config.json").write_text("{}")
        (self.folder / "pid").unlink(missing_ok=True)
        self._forget_containerd()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        wait_until(self._ready, READY_TIMEOUT, f"dockerd to be ready; see {self.log}", 0.1)
        return self

    def _forget_containerd(self):
        """The one of a killed dockerd dies with it, but a zombie would count as alive."""
        pid_file = self.folder / "exec/containerd/containerd.pid"
        if pid_file.exists():
            pid = int(pid_file.read_text())
            wait_until(lambda: not processes.alive(pid), 30, "containerd to end")
            pid_file.unlink(missing_ok=True)

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"dockerd ended: {self.log.read_text()[-3000:]}")
        try:
            return self.request("GET", "/_ping", version="")[0] == 200
        except OSError:
            return False

    def kill(self):
        """kill -9, as the machine's memory killer may; the containers live on for a while."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def close(self):
        try:
            if self.process is not None and self.process.poll() is None:
                self.remove_all()
                self.stop()
        finally:
            processes.kill_all_of(self.folder)
            self._unmount()
            shutil.rmtree(self.folder)

    def _unmount(self):
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([m for m in mounts if m.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "--lazy", place], check=False)

    # -- its API -------------------------------------------------------------------------------

    def request(self, method, path, body=None, content_type="application/json", version=VERSION):
        """(status, body) of one call."""
        connection = _Connection(self.socket)
        try:
            connection.request(method, version + path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def call(self, method, path, value=None):
        """What a call answers; an error of the engine fails the test."""
        body = None if value is None else json.dumps(value)
        status, answer = self.request(method, path, body)
        if status >= 400:
            raise AssertionError(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        return json.loads(answer) if answer.strip() else None

    def containers(self, *labels):
        filters = urllib.parse.quote(json.dumps({"label": list(labels)}))
        return self.call("GET", f"/containers/json?all=1&filters={filters}")

    def inspect(self, container_id):
        return self.call("GET", f"/containers/{container_id}/json")

    def run(self, spec):
        """Creates and starts a container; its id."""
        container_id = self.call("POST", "/containers/create", spec)["Id"]
        self.call("POST", f"/containers/{container_id}/start")
        return container_id

    def type_into(self, container_id, text):
        """To a container's standard input, as another client of the engine would."""
        head = (f"POST {VERSION}/containers/{container_id}/attach?stream=1&stdin=1 HTTP/1.1\r\n"
                "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.socket)
            connection.sendall(head.encode())
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 101"), answer
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    def remove_all(self):
        for container in self.containers():
            self.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")

    # -- images --------------------------------------------------------------------------------

    def load_image(self, tag, programs, **config):
        """An image of busybox and these programs (in /bin, with the libraries that they need)."""
        layer = _layer([shutil.which("busybox"), *programs])
        image = {"architecture": "amd64", "os": "linux", "config": config,
                 "rootfs": {"type": "layers",
                            "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
        manifest = [{"Config": "image.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
        archive = _tar({"layer.tar": layer, "image.json": json.dumps(image).encode(),
                        "manifest.json": json.dumps(manifest).encode()})
        status, answer = self.request("POST", "/images/load?quiet=1", archive, "application/x-tar")
        if status != 200 or b"errorDetail" in answer:
            raise AssertionError(f"load of {tag}: {status} {answer.decode(errors='replace')}")


def _tar(files):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, contents in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(contents)
            tar.addfile(entry, io.BytesIO(contents))
    return archive.getvalue()


def _layer(programs):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for program in programs:
            tar.add(program, f"bin/{Path(program).name}")
        for library in sorted({lib for program in programs for lib in _libraries(program)}):
            tar.add(library, library.lstrip("/"))
        names = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
        for name in sorted(set(names.stdout.split()) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return archive.getvalue()


def _libraries(program):
    """The shared libraries that a program needs, the loader among them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    words = (word for line in listed.splitlines() for word in line.split())
    return [word for word in words if word.startswith("/") and os.path.exists(word)]
