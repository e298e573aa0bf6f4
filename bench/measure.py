"""Runs contestants in turns and keeps time, peak memory and sizes."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Contestant:
    """One way of doing a job. `command` is given to bash with $IN and $OUT set; `before` is called, untimed, each
    time before."""

    name: str
    command: str
    source: Path
    before: Callable = lambda: None
    seconds: list = field(default_factory=list)
    peak_mib: float = 0
    cpu_seconds: list = field(default_factory=list)
    out_bytes: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)


def run_once(contestant, out, environment):
    """One timed run; `out` must not be there and is left for the caller."""
    contestant.before()
    os.sync()  # so that no one pays for what another wrote,
    wait_for_rest()  # or still has done in the background
    environment = {**os.environ, **environment, "IN": str(contestant.source), "OUT": str(out)}
    start = time.perf_counter()
    process = subprocess.Popen(["bash", "-o", "pipefail", "-c", contestant.command], env=environment,
                               stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{contestant.name}: exit {process.returncode}: {contestant.command}")
    contestant.seconds.append(seconds)
    contestant.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
    contestant.peak_mib = max(contestant.peak_mib, usage.ru_maxrss / 1024)


def wait_for_rest(share=0.95, window=0.5, limit=20):
    """Until the cores were idle for this share of a window (seconds), but no longer than the limit."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        idle, total = _cpu_times()
        time.sleep(window)
        later_idle, later_total = _cpu_times()
        if later_idle - idle >= share * (later_total - total):
            return


def _cpu_times():
    """(idle, all) of all cores, in ticks since the start of the machine."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def contest(contestants, scratch, rounds, environment, keep=()):
    """Each contestant once per round, in turns. The last output of those named in `keep` stays in
    scratch under its name. Folders stay, too: for some minutes ext4 searches long for an inode where many were
    removed, and whoever comes next would pay for it."""
    scratch.mkdir(parents=True, exist_ok=True)
    for number in range(rounds):
        for contestant in contestants:
            out = scratch / contestant.name.replace(" ", "-").replace("|", "")
            put_aside(out)
            run_once(contestant, out, environment)
            if out.is_file():
                contestant.out_bytes = out.stat().st_size
                if not (contestant.name in keep and number == rounds - 1):
                    out.unlink()
            print(f"  {contestant.name}: {contestant.seconds[-1]:.2f} s", flush=True)


def put_aside(path):
    if path.exists():
        path.rename(tempfile.mkdtemp(prefix="past-", dir=path.parent) + f"/{path.name}")


def warm(folder):
    """Reads everything once, so that all find it in memory; the bytes of all files."""
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    total += len(block)
    return total


def tree_size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
