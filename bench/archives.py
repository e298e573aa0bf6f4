"""Archives on local disks: manman against tar with its compressors, bsdtar, restic and borg, and a plain copy."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from measure import Contestant, contest, put_aside, warm
from results import Checks, table

MEMORY_LIMIT_MIB = 128
HERE = Path(__file__).resolve().parent
CREATE = {
    "manman": '"$MANMAN" -q archive create "$IN/game" "$OUT" --no-sync',
    "manman zst 1": '"$MANMAN" -q archive create "$IN/game" "$OUT" --no-sync --format zst --level 1',
    "manman, synced": '"$MANMAN" archive create "$IN/game" "$OUT" > /dev/null',
    "tar czf": 'tar czf "$OUT" -C "$IN" game',
    "tar | pigz -6": 'tar cf - -C "$IN" game | pigz -6 > "$OUT"',
    "tar | zstd -1 -T0": 'tar cf - -C "$IN" game | zstd -q -1 -T0 > "$OUT"',
    "bsdtar czf": 'bsdtar czf "$OUT" -C "$IN" game',
    "restic, first backup": 'cd "$IN" && restic -q -r "$REPOSITORIES/restic" backup game',
    "borg, first backup": 'cd "$IN" && borg create "$REPOSITORIES/borg"::first game',
    "cp -a": 'cp -a "$IN/game" "$OUT"',
}
EXTRACT = {
    "manman": '"$MANMAN" -q archive extract "$IN/manman" "$OUT" --no-sync',
    "manman zst 1": '"$MANMAN" -q archive extract "$IN/manman-zst-1" "$OUT" --no-sync',
    "manman of tar's": '"$MANMAN" -q archive extract "$IN/tar-czf" "$OUT" --no-sync',
    "manman, synced": '"$MANMAN" archive extract "$IN/manman" "$OUT" > /dev/null',
    "tar xzf": 'mkdir "$OUT" && tar xzf "$IN/tar-czf" -C "$OUT"',
    "tar xzf of manman's": 'mkdir "$OUT" && tar xzf "$IN/manman" -C "$OUT"',
    "zstd -d | tar": 'mkdir "$OUT" && zstd -qdc "$IN/tar--zstd--1--T0" | tar x -C "$OUT"',
    "bsdtar xzf": 'mkdir "$OUT" && bsdtar xzf "$IN/bsdtar-czf" -C "$OUT"',
    "restic restore": 'restic -q -r "$REPOSITORIES/restic" restore latest --target "$OUT"',
    "borg extract": 'mkdir "$OUT" && cd "$OUT" && borg extract "$REPOSITORIES/borg"::first',
    "cp -a": 'cp -a "$WORLD/game" "$OUT"',
}
KEPT = ("manman", "manman zst 1", "tar czf", "tar | zstd -1 -T0", "bsdtar czf")
# On 4 GB the others would only take time.
LARGE = ("manman", "tar czf", "tar | pigz -6", "tar xzf", "cp -a")


@dataclass
class Contest:
    """Contestants by name, after their runs on `data` bytes, and lines on where manman's time goes."""

    makers: dict
    readers: dict
    data: int
    limits: list

    def create(self, one, other):
        return self.makers[other].median / self.makers[one].median

    def extract(self, one, other):
        return self.readers[other].median / self.readers[one].median

    def lines(self):
        return ["Create:", "", *table(list(self.makers.values()), self.makers["tar czf"], self.data), "",
                "Extract:", "", *table(list(self.readers.values()), self.readers["tar xzf"], self.data), "",
                *self.limits]


def world(cache, name):
    """In a process of its own, as the reading in run(): the kernel counts our own peak of memory into a child's."""
    subprocess.run([sys.executable, HERE / "worlds.py", cache, name], check=True)
    return cache / name


def region_files(contest, checks):
    for other, limit in (("tar czf", 10), ("tar | pigz -6", 5), ("restic, first backup", 3), ("borg, first backup", 2)):
        checks.add(f"create, times as fast as {other}", contest.create("manman", other), limit, True)
    checks.add("create as zst 1, times as fast as tar | zstd -1 -T0",
               contest.create("manman zst 1", "tar | zstd -1 -T0"), 1.3, True)
    for other, limit in (("tar xzf", 3), ("restic restore", 2), ("cp -a", 0.8)):
        checks.add(f"extract, times as fast as {other}", contest.extract("manman", other), limit, True)


def small_files(contest, checks):
    ours = ("manman", "manman zst 1", "manman, synced", "manman of tar's", "tar xzf of manman's", "cp -a")
    for what, contestants in (("create", contest.makers), ("extract", contest.readers)):
        best = min((one for name, one in contestants.items() if name not in ours), key=lambda one: one.median)
        checks.add(f"{what}, times as fast as the best of the peers ({best.name})",
                   best.median / contestants["manman"].median, 2, True)


# Titles of sections, the worlds, and what is asked of them beside memory.
WORLDS = {
    "region-files": ("Archives: region files", "world-400mb", region_files),
    "small-files": ("Archives: 100,000 small files", "small-files", small_files),
    "minetest": ("Archives: a Minetest map, compressed already", "minetest", lambda contest, checks: None),
    "one-file": ("Archives: one file of 4 GB", "one-file", lambda contest, checks: None),
}


# Libraries by what they do in manman, by the beginnings of their names; the rest is manman's own.
PARTS = {"compressing": ("libisal", "libdeflate", "libzstd", "libz."), "hashing": ("libcrypto",),
         "the kernel": ("[kernel", "[guest"), "starting": ("ld-linux",)}


def shares(command, folder, out, environment):
    """Where the CPU time of a command goes, by perf, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        data = f"{scratch}/perf"
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", data, "sh", "-c", command], check=True,
                       env={**os.environ, **environment, "IN": str(folder), "OUT": str(out)}, stdout=subprocess.DEVNULL)
        report = subprocess.run(["perf", "report", "-i", data, "--stdio", "--sort", "comm,dso"], check=True,
                                capture_output=True, text=True).stdout
    found = dict.fromkeys([*PARTS, "the rest"], 0.0)
    for percent, library in re.findall(r"^\s+([\d.]+)%\s+manman\s+(\S+)", report, re.M):
        part = next((part for part, names in PARTS.items() if library.startswith(names)), "the rest")
        found[part] += float(percent)
    total = sum(found.values())
    return ", ".join(f"{part} {100 * share / total:.0f} %" for part, share in found.items())


def limits(makers, readers, source, scratch, environment):
    """How far manman is from what the machine could do: all cores busy all the time."""
    cores = len(os.sched_getaffinity(0))
    lines = ["Where the time goes, and how much less it would be with all cores always busy:", ""]
    for what, contestants, commands, folder in (("create", makers, CREATE, source), ("extract", readers, EXTRACT, scratch)):
        for name in ("manman", "manman zst 1"):
            if name not in contestants:
                continue
            one = contestants[name]
            cpu = sorted(one.cpu_seconds)[len(one.cpu_seconds) // 2]
            line = f"- {what}, {name}: {one.median:.2f} s; {cpu:.2f} s of CPU on {cores} cores take {cpu / cores:.2f} s at least"
            if shutil.which("perf"):
                line += "; " + shares(commands[name], folder, scratch / f"profiled-{what}-{name.replace(' ', '-')}", environment)
            lines.append(line)
    return [*lines, ""]


def measure(name, words, environment, scratch):
    """Title, lines and checks for the results."""
    for peer in ("pigz", "zstd", "bsdtar", "restic", "borg"):
        if not shutil.which(peer):
            sys.exit(f"{peer} is not there: scripts/install-packages test bench")
    title, source, ask = WORLDS[name]
    large = name == "one-file"
    rounds = words.large_rounds if large else words.rounds
    contest = run(world(words.cache, source), scratch / name, rounds, environment, LARGE if large else ())
    checks = Checks()
    ask(contest, checks)
    for what, contestants in (("create", contest.makers), ("extract", contest.readers)):
        checks.add(f"peak memory of {what}", contestants["manman"].peak_mib, MEMORY_LIMIT_MIB, False, " MiB")
    return title, [f"{contest.data / 1e6:.0f} MB, medians of {rounds} rounds. No one waits for the disk, and no SHA-256 of the "
                   "whole is made, but for the rows 'synced': manman as it comes, which does both.", "", *contest.lines()], checks


def run(source, scratch, rounds, environment, only):
    """Both contests on one world."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as reader:
        data = reader.submit(warm, source).result()
    scratch.mkdir()
    repositories = scratch / "repositories"
    environment = {**environment, "WORLD": str(source.resolve()), "REPOSITORIES": str(repositories.resolve()),
                   "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(scratch / "restic-cache"),
                   "BORG_BASE_DIR": str(scratch / "borg-base"), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

    def new_repository(kind, init):
        put_aside(repositories / kind)
        repositories.mkdir(exist_ok=True)
        subprocess.run(init, shell=True, check=True, env={"PATH": "/usr/bin:/bin", **environment})

    before = {
        "restic, first backup": lambda: new_repository("restic", 'restic -q -r "$REPOSITORIES/restic" init'),
        "borg, first backup": lambda: new_repository("borg", 'borg init -e none "$REPOSITORIES/borg"'),
    }

    def contestants(commands, folder):
        return {name: Contestant(name, command, folder, before=before.get(name, lambda: None))
                for name, command in commands.items() if not only or name in only}

    makers = contestants(CREATE, source)
    print(f"{source.name}: create", flush=True)
    contest(list(makers.values()), scratch, rounds, environment, keep=KEPT)
    readers = contestants(EXTRACT, scratch)
    print(f"{source.name}: extract", flush=True)
    outputs = scratch / "unpacked"
    contest(list(readers.values()), outputs, rounds, environment, keep=("manman",))
    subprocess.run(["diff", "-r", source / "game", outputs / "manman" / "game"], check=True)
    return Contest(makers, readers, data, limits(makers, readers, source, scratch, environment))
