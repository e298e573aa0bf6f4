"""Starts a control plane on real servers, loads it with bench_control_plane, and says what came out."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from lib.cluster import Program
from servers.postgres import Postgres
from servers.rabbitmq import RabbitMQ

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_LIMIT_MS = 10
LIMIT_SECONDS = 360


class Usage:
    """CPU seconds and peak memory of a process with all its children."""

    def __init__(self, pid):
        self._pid = pid

    def _pids(self):
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children")
        return [str(self._pid), *children.read_text().split()]

    def cpu_seconds(self):
        total = 0
        for pid in self._pids():
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            # Of a child that has ended the parent keeps count.
            total += sum(map(int, fields[11:15] if pid == str(self._pid) else fields[11:13]))
        return total / TICKS

    def peak_mib(self):
        lines = _read(f"/proc/{self._pid}/status").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

    def shared_out_mib(self):
        """Memory now, what several share counted once."""
        texts = (_read(f"/proc/{pid}/smaps_rollup") for pid in self._pids())
        return sum(int(line.split()[1]) for text in texts for line in text.splitlines()
                   if line.startswith("Pss:")) / 1024


def _read(path):
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class ControlPlane:
    """`manman api`, PostgreSQL and RabbitMQ, and the phases that bench_control_plane has measured."""

    def __init__(self, program, rows, hosts):
        self.program = program
        self.rows = rows
        self.hosts = hosts
        self.phases = {}

    def measure(self, rounds, seconds, rate, clients):
        deadline = time.monotonic() + LIMIT_SECONDS
        with tempfile.TemporaryDirectory(prefix="manman-bench-") as folder, Postgres() as postgres, \
                RabbitMQ() as rabbitmq:
            environment = {"PG_DATABASE_URL": postgres.url(), "RABBITMQ_URL": rabbitmq.url()}
            filling = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
            self._run(["past", self.rows, self.hosts], {"PG_DATABASE_URL": postgres.url(options=filling)}, deadline)
            postgres.sql("CHECKPOINT")
            self._postgres = postgres
            api = Program("api", Path(folder), ["api", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0",
                                                "--store", f"{folder}/store"], environment)
            try:
                address = api.start().word_after("grpc")
                self.usages = {"manman api": Usage(api.process.pid), "PostgreSQL": Usage(postgres.pid),
                               "RabbitMQ": Usage(rabbitmq.pid)}
                self._run(["pages", address, self.rows, rounds], environment, deadline)
                self._run(["load", address, seconds, rate, clients], environment, deadline)
            finally:
                print(api.log_tail(5), flush=True)
                api.kill()

    def _run(self, words, environment, deadline):
        command = [str(self.program), *map(str, words)]
        print(" ".join(command[1:]), flush=True)
        with subprocess.Popen(["timeout", "--signal=KILL", str(int(deadline - time.monotonic())), *command],
                              env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as running:
            for line in running.stdout:
                self._take(json.loads(line))
        if running.returncode != 0:
            raise SystemExit(f"bench_control_plane {words[0]}: exit {running.returncode}")

    def _take(self, event):
        if "begin" in event:
            self._begun = time.monotonic(), self._transactions(), {name: usage.cpu_seconds() for name, usage in self.usages.items()}
            return
        at, transactions, before = self._begun
        seconds = time.monotonic() - at
        event["seconds"] = seconds
        event["cpu"] = {name: (usage.cpu_seconds() - before[name]) / seconds * 100
                        for name, usage in self.usages.items()}
        event["committed"], event["rolled_back"] = (
            after - earlier for after, earlier in zip(self._transactions(), transactions))
        event["memory"] = {"manman api": self.usages["manman api"].peak_mib(),
                           "PostgreSQL": self.usages["PostgreSQL"].shared_out_mib(),
                           "RabbitMQ": self.usages["RabbitMQ"].peak_mib()}
        self.phases[event["end"]] = event
        print(json.dumps(event), flush=True)

    def _transactions(self):
        """How many PostgreSQL has committed and rolled back; it counts them some moments later."""
        counted = self._postgres.sql("SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = 'manman'")
        return [int(count) for count in counted.split("|")]


def report(plane, checks):
    """Lines of a section; what is asked goes to the checks."""
    phases = plane.phases
    lines = [f"One `manman api`, PostgreSQL and RabbitMQ on one machine, each commit synced to disk; {plane.hosts} "
             f"simulated hosts, {plane.rows} backups to begin with. All hosts are one process on a few connections, "
             "which keeps no journal; else they behave as real ones do.", "",
             "ListBackups over gRPC, by one client, after a walk through all pages that found each backup once, "
             "newest first:", "", "| page | rows | p50 ms | p99 ms |", "|---|--:|--:|--:|"]
    for name, page in phases["pages"]["pages"].items():
        lines.append(f"| {name} | {page['rows']} | {page['p50_ms']:.2f} | {page['p99_ms']:.2f} |")
        checks.add(f"p99 of ListBackups, {name}", page["p99_ms"], PAGE_LIMIT_MS, False, " ms")
    lines += ["", "CreateBackup, and its command's way to the queue of its host:", "",
              "| | calls/s | refused | answer p50 ms | p99 ms | call to queue p50 ms | p99 ms "
              "| return to queue p50 ms | p99 ms | last one completed after s |",
              "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, title in (("rate", "at a given rate"), ("most", "as fast as answered")):
        phase = phases[name]
        times = " | ".join(f"{phase[what][key]:.1f}" for what in ("call", "call_to_arrival", "return_to_arrival")
                           for key in ("p50_ms", "p99_ms"))
        lines.append(f"| {title}, {phase['clients']} clients | {phase['calls_per_s']:.0f} | {phase['refused']} "
                     f"| {times} | {phase['drained_s']:.1f} |")
    lines += ["", "What it takes (CPU as a share of one core; peak memory, of PostgreSQL what it has at the end):", "",
              "| | s | " + " | ".join(f"{name} CPU % | MiB" for name in plane.usages) + " |",
              "|---|--:|" + "--:|--:|" * len(plane.usages)]
    for name, title in (("connect", "hosts connect"), ("idle", "heartbeats alone"),
                        ("rate", "CreateBackup at a given rate"), ("most", "CreateBackup as fast as answered")):
        phase = phases[name]
        cells = " | ".join(f"{phase['cpu'][part]:.0f} | {phase['memory'][part]:.0f}" for part in plane.usages)
        lines.append(f"| {title} | {phase['seconds']:.0f} | {cells} |")
    idle, after = phases["idle"], phases["after"]
    lines += ["", f"Online: {idle['online']} of {idle['servers']} servers after heartbeats alone, {after['online']} after "
              f"the load; the oldest sign of life was {idle['oldest_sign_of_life_s']} and "
              f"{after['oldest_sign_of_life_s']} s old (a host gives one every 5 s). Commands: {after['commands']}, of "
              f"which {after['repeated']} came again; reports: {after['reports']}; messages that the bus refused: "
              f"{after['refused']}."]
    checks.add("servers online after the load", after["online"], plane.hosts, True)
    return lines
