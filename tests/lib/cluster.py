"""A service on many machines, each a process here: API processes and host managers on PostgreSQL,
RabbitMQ and S3, every connection through a gate (servers/proxy.py) that a test may shut or cut."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from servers.ceph import Ceph
from servers.postgres import Postgres
from servers.proxy import Proxy
from servers.rabbitmq import RabbitMQ

from . import paths, processes
from .client import Api
from .service import clean_environment
from .wait import wait_until

READY_SECONDS = 90
BUCKET = "worlds"


class Program:
    """One `manman api` or `manman host`. Not thread-safe."""

    def __init__(self, name, folder, words, environment, prefix=()):
        self.name = name
        self.folder = folder
        self.words = words
        self.environment = environment
        self.prefix = prefix  # a command that starts the program
        self.log = folder / f"{name}.log"
        self._out = folder / f"{name}.out"
        self.process = None
        self.ready_line = ""

    def launch(self, failpoints=""):
        assert self.process is None, f"{self.name} runs already"
        with open(self._out, "wb") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, "setpriv", "--pdeathsig", "KILL", str(paths.manman()), *self.words],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=self.folder, start_new_session=True,
                env=clean_environment(**self.environment, MANMAN_FAILPOINTS=failpoints))
        return self

    def wait_ready(self):
        def ready_or_dead():
            text = self._out.read_text()
            self.ready_line = text if text.endswith("\n") else ""
            return self.ready_line or self.process.poll() is not None
        wait_until(ready_or_dead, READY_SECONDS, f"{self.name} to be ready")
        if not self.ready_line:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
        return self

    def start(self, failpoints=""):
        return self.launch(failpoints).wait_ready()

    def word_after(self, word):
        words = self.ready_line.split()
        return words[words.index(word) + 1]

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wait_crash(self, timeout=60):
        """Waits for the process to be killed by its own failpoint."""
        code = self.process.wait(timeout)
        self.process = None
        assert code == -signal.SIGKILL, f"{self.name} ended with {code}, not by its failpoint\n{self.log_tail()}"

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; it must end by itself, soon, with 0."""
        self.process.terminate()
        code = self.process.wait(30)
        self.process = None
        assert code == 0, f"{self.name} ended with {code} after SIGTERM\n{self.log_tail()}"

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Engines:
    """PostgreSQL, RabbitMQ and Ceph, and a gate before each, unless speed matters."""

    def __init__(self, gates=True, ceph_gib=4):
        self.postgres, self.rabbitmq, self.ceph = Postgres(), RabbitMQ(), Ceph(ceph_gib)
        self._gates = gates
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for server in (self.postgres, self.rabbitmq, self.ceph):
                stack.enter_context(server)
            self.database_gate = stack.enter_context(Proxy(self.postgres.port))
            self.bus_gate = stack.enter_context(Proxy(self.rabbitmq.port))
            self.store_gate = stack.enter_context(Proxy(self.ceph.port))
            self.aws("s3", "mb", f"s3://{BUCKET}")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def aws(self, *words):
        """The command line of AWS, past the gate; what it prints."""
        environment = clean_environment(
            AWS_ACCESS_KEY_ID=self.ceph.access_key, AWS_SECRET_ACCESS_KEY=self.ceph.secret_key,
            AWS_DEFAULT_REGION=self.ceph.region, AWS_EC2_METADATA_DISABLED="true")
        done = subprocess.run(["aws", "--endpoint-url", self.ceph.endpoint, *map(str, words)],
                              env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"aws {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def objects(self):
        """Keys of all objects."""
        listed = self.aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--query", "Contents[].Key",
                          "--output", "text").split()
        return sorted(key for key in listed if key != "None")

    def uploads(self):
        """Keys of all unfinished uploads."""
        listed = self.aws("s3api", "list-multipart-uploads", "--bucket", BUCKET, "--query",
                          "Uploads[].Key", "--output", "text").split()
        return sorted(key for key in listed if key != "None")

    def settings(self):
        """As environment variables, through the gates."""
        if not self._gates:
            return {"PG_DATABASE_URL": self.postgres.url(), "RABBITMQ_URL": self.rabbitmq.url(),
                    **self.ceph.settings()}
        database = self.postgres.url().replace(f":{self.postgres.port}/", f":{self.database_gate.port}/")
        return {"PG_DATABASE_URL": database,
                "RABBITMQ_URL": self.rabbitmq.url(port=self.bus_gate.port),
                **self.ceph.settings(), "S3_ENDPOINT": f"http://127.0.0.1:{self.store_gate.port}"}


class Cluster:
    """`apis` API processes and one host manager for each name in `hosts`, on running engines."""

    def __init__(self, engines, apis=2, hosts=("alpha", "beta"), lease_seconds=60, docker_socket=""):
        self.engines = engines
        self.folder = Path(tempfile.mkdtemp(prefix="manman-cluster-"))
        self.lease = ["--lease-seconds", str(lease_seconds)]
        self.docker = ["--docker-socket", docker_socket, "--docker-network", "none"]
        self.apis = [self._api(number) for number in range(apis)]
        self.host_names = hosts
        self.hosts = {}
        self._clients = {}

    def _api(self, number):
        return Program(f"api{number}", self.folder,
                       ["api", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--store",
                        f"s3://{BUCKET}", "--verify-after-upload", "none", *self.lease], self.engines.settings())

    def __enter__(self):
        try:
            for api in self.apis:  # at once: they take turns at the migrations
                api.launch()
            for api in self.apis:
                api.wait_ready()
                address = api.word_after("grpc")
                api.words[api.words.index("--grpc") + 1] = address  # also after a restart
            for name in self.host_names:
                self.hosts[name] = self.new_host(name).start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def new_host(self, name):
        return Program(f"host-{name}", self.folder,
                       ["host", "--api", self.apis[0].word_after("grpc"), "--server-name", name,
                        "--data-dir", str(self.data_dir(name)), "--http", "127.0.0.1:0", "--store", f"s3://{BUCKET}",
                        *self.docker, *self.lease], self.engines.settings())

    def __exit__(self, *_):
        for client in self._clients.values():
            client.close()
        for program in [*self.hosts.values(), *self.apis]:
            program.kill()
        processes.kill_all_of(self.folder)
        shutil.rmtree(self.folder)

    def data_dir(self, host):
        return self.folder / f"data-{host}"

    def game(self, host, sgc_id):
        return self.data_dir(host) / f"gsc-local-{sgc_id}/game"

    def api(self, number=0):
        """A client of one API process."""
        if number not in self._clients:
            self._clients[number] = Api(self.apis[number].word_after("grpc"))
        return self._clients[number]

    def kill_api(self, number):
        if number in self._clients:
            self._clients.pop(number).close()
        self.apis[number].kill()

    def server_id(self, name):
        return next(s.server_id for s in self.api().all("ListServers", "servers") if s.name == name)

    def deploy(self, host, name, **config):
        """A game of its own on this host; the SGC's id."""
        api = self.api()
        game = api.CreateGame(name=name).game
        made = api.CreateGameConfig(game_id=game.game_id, name=name, **config).config
        deployed = api.DeployGameConfig(server_id=self.server_id(host), game_config_id=made.config_id)
        return deployed.config.server_game_config_id

    def cli(self, *words, expect=0):
        done = subprocess.run(
            [str(paths.manman()), "--api", self.apis[0].word_after("grpc"), *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=self.folder,
            env=clean_environment())
        if done.returncode != expect:
            raise AssertionError(f"manman {' '.join(map(str, words))}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def logs(self):
        return "".join(f"--- {program.name}\n{program.log_tail()}\n"
                       for program in [*self.apis, *self.hosts.values()] if program.log.exists())
