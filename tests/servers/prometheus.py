"""A Prometheus of a test's own, on a free port of loopback, that scrapes what the test names every second."""

import json
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports

_START_SECONDS = 60


class Prometheus:
    """`targets`: addresses; `rules`: files."""

    def __init__(self, targets, rules=()):
        self.port, = free_ports(1)
        self.folder = Path(tempfile.mkdtemp(prefix="manman-prometheus-"))
        # JSON is YAML.
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rule) for rule in rules],
            "scrape_configs": [{"job_name": "manman", "static_configs": [{"targets": list(targets)}]}]}))
        self.log = self.folder / "log"
        self._process = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_until(self._ready, _START_SECONDS, f"Prometheus on port {self.port}")
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self):
        assert self._process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, query):
        """Of the first series; None when there is none."""
        result = self.get("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None
