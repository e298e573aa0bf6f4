"""A RabbitMQ broker of a test's own, on free ports of loopback.

    with RabbitMQ() as broker:
        broker.url("vhost")  # amqp://manman:...@127.0.0.1:PORT/vhost

Its files stand in a temporary folder, and it has an epmd (Erlang's name server) of its own, so that
brokers side by side know nothing of each other. A user and its virtual host are made while it
starts; more, and a look inside, through the management plugin's HTTP.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from lib.wait import wait_until
from servers.ports import free_ports

USER = "manman"
PASSWORD = "p@ss/w:ord?#%"  # what a URL must percent-encode
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
_START_SECONDS = 90


class RabbitMQ:
    """`tls` is a certificates.Authority whose certificate for localhost the broker shows."""

    def __init__(self, tls=None):
        if not (_PROGRAMS / "rabbitmq-server").exists():
            raise SystemExit("RabbitMQ is not installed: scripts/install-packages test")
        self._tls = tls
        self._process = self._epmd = None
        self.port, self.tls_port, self._http_port, self._epmd_port, self._dist_port = free_ports(5)
        self.folder = Path(tempfile.mkdtemp(prefix="manman-rabbitmq-"))

    def __enter__(self):
        try:
            self._configure()
            self._start_epmd()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def url(self, vhost="manman", user=USER, password=PASSWORD, host="127.0.0.1", port=None,
            tls=False):
        port = port or (self.tls_port if tls else self.port)
        quoted = [urllib.parse.quote(text, safe="") for text in (user, password, vhost)]
        return f"amqp{'s' if tls else ''}://{quoted[0]}:{quoted[1]}@{host}:{port}/{quoted[2]}"

    # -- the process -----------------------------------------------------------------------------

    def start(self):
        self.launch()
        wait_until(self._ready, _START_SECONDS, f"RabbitMQ on port {self.port}")

    def launch(self):
        """Starts it, and does not wait until it is ready."""
        with open(self.folder / "out", "ab") as out:
            # With RABBITMQ_ALLOW_INPUT the script becomes Erlang's own process.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(_PROGRAMS / "rabbitmq-server"), "-noinput"],
                env=self._environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out)

    def kill(self):
        """kill -9. What a queue holds that is younger than wait_written() may be lost with it."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def log(self):
        return "".join(path.read_text(errors="replace")
                       for path in [self.folder / "out", *(self.folder / "log").glob("*.log")]
                       if path.exists())

    # -- a look inside ---------------------------------------------------------------------------

    def http(self, method, path, body=None):
        """One call of the management plugin; what it answers."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._http_port}/api/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Basic " + login, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def add_vhost(self, name):
        self.http("PUT", f"vhosts/{name}")
        self.allow(USER, name)
        return name

    def allow(self, user, vhost, configure=".*", write=".*", read=".*"):
        self.http("PUT", f"permissions/{vhost}/{user}",
                  {"configure": configure, "write": write, "read": read})

    def take(self, queue, vhost="manman", count=1000):
        """Takes messages out of a queue: routing_key, payload, properties …"""
        return self.http("POST", f"queues/{vhost}/{queue}/get",
                         {"count": count, "ackmode": "ack_requeue_false", "encoding": "auto"})

    def wait_written(self, queue, vhost):
        """Until a new quorum queue's place on disk is written down: the broker does that a moment
        after it says that the queue is there, and a kill in between loses the queue."""
        def is_written():
            return any(f"{vhost}_{queue}".encode() in path.read_bytes()
                       for path in (self.folder / "mnesia").glob("*/quorum/*/names.dets"))
        wait_until(is_written, 20, f"queue {queue} to be written down")

    def put(self, routing_key, text, exchange="manman", vhost="manman"):
        self.http("POST", f"exchanges/{vhost}/{exchange}/publish",
                  {"routing_key": routing_key, "payload": text, "payload_encoding": "string",
                   "properties": {"delivery_mode": 2}})

    def ctl(self, *arguments):
        """rabbitmqctl: slow, for what HTTP can't do."""
        done = subprocess.run([str(_PROGRAMS / "rabbitmqctl"), *arguments], check=False,
                              env=self._environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    # -- how it is set up ------------------------------------------------------------------------

    def _configure(self):
        definitions = {
            "users": [{"name": USER, "password": PASSWORD, "tags": ["administrator"]}],
            "vhosts": [{"name": "manman"}],
            "permissions": [{"user": USER, "vhost": "manman", "configure": ".*", "write": ".*",
                             "read": ".*"}],
        }
        (self.folder / "definitions.json").write_text(json.dumps(definitions))
        (self.folder / "plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "env.conf").write_text("")
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}",
                 "management.tcp.ip = 127.0.0.1",
                 f"management.tcp.port = {self._http_port}",
                 f"load_definitions = {self.folder}/definitions.json",
                 "disk_free_limit.absolute = 1MB",
                 "raft.wal_max_size_bytes = 16000000"]
        if self._tls is not None:
            pair = self._tls.certificate("localhost")
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                      f"ssl_options.cacertfile = {self._tls.file}",
                      f"ssl_options.certfile = {pair.certificate}",
                      f"ssl_options.keyfile = {pair.key}",
                      "ssl_options.verify = verify_none"]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    def _environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("RABBITMQ_", "ERL_"))}
        return kept | {
            "HOME": str(self.folder),  # of Erlang's cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(self.folder / "feature_flags"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_NODENAME": f"manman-{self.port}@localhost",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            # Threads that wait busily take the processors from the tests beside this one.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
                " -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _start_epmd(self):
        self._epmd = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "epmd", "-port", str(self._epmd_port)],
            env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        def answers():
            try:
                socket.create_connection(("127.0.0.1", self._epmd_port), 1).close()
                return True
            except OSError:
                return False
        wait_until(answers, 20, "epmd")

    def _ready(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"RabbitMQ ended at its start:\n{self.log()[-3000:]}")
        try:
            return self.http("GET", f"health/checks/port-listener/{self.port}")["status"] == "ok"
        except (OSError, urllib.error.URLError):
            return False
