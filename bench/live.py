"""Backups of worlds in use: how long the game holds still, and what it notices."""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "e2e"), str(TESTS / "integration")]
import minetest_world  # noqa: E402
from lib import games, paths  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from results import Checks  # noqa: E402
from small_disk import EXT4, SmallDisk  # noqa: E402

COPIES = 5
DISK_MIB = 8_000
PAUSE_LIMIT_MS = 200
XFS = ("mkfs.xfs", "-q", "-f", "-m", "reflink=1")
BTRFS = ("mkfs.btrfs", "-q", "-f")
SECONDS_ALONE = 20
TICKS = re.compile(r"(\d+) ticks: p50 ([\d.]+) ms, p99 ([\d.]+) ms, longest ([\d.]+) ms")
STEPS = re.compile(r"steps p50 ([\d.]+) p99 ([\d.]+) longest ([\d.]+)")


class Live:
    """A service on one file system with one game. The store is a folder elsewhere."""

    def __init__(self, stack, folder, store, subvolume=False):
        self.service = Service(["--store", str(store)], folder=folder)
        stack.callback(self.service.close)
        self.service.start()
        self.api = self.service.api
        self.subvolume = subvolume

    def sample_game(self, source):
        """Plays beside `source`, which it does not touch."""
        self.sgc = games.deploy(self.api, "sample", [str(paths.sample_game())], stop_command="stop",
                                command=["--regions", "8", "--region-kib", "1024", "--tick-ms", "50"],
                                quiesce=games.QUIESCE, resume=["save-on"])
        game = self.service.game(self.sgc)
        game.parent.mkdir(parents=True, exist_ok=True)
        if self.subvolume:
            subprocess.run(["btrfs", "-q", "subvolume", "create", game], check=True)
        game.mkdir(exist_ok=True)
        for i in range(COPIES):
            subprocess.run(["cp", "-a", "--reflink=never", source / "game", game / f"explored-{i}"], check=True)
        subprocess.run(["sync", "-f", game], check=True)

    def start(self, ready):
        self.session = games.start(self.service, self.sgc).session_id
        games.wait_output(self.service, self.sgc, self.session, ready, timeout=120)

    def output(self):
        return self.service.output(self.sgc, self.session)

    def backups(self, rounds, **of):
        """(pauses in ms, whole times in s) and the last one."""
        pauses, times = [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            backup = games.backup(self.service, **of)
            times.append(time.perf_counter() - begun)
            pauses.append(backup.pause_ms)
            self.api.DeleteBackup(backup_id=backup.backup_id)
        return pauses, times, backup

    def ticks(self):
        """Of the sample game, since last asked: (p50, p99, longest) in ms."""
        before = len(TICKS.findall(self.output()))
        self.api.SendInput(session_id=self.session, input=b"ticks\n")
        found = wait_until(lambda: TICKS.findall(self.output())[before:], 20, "the game to tell its ticks")
        return tuple(float(number) for number in found[0][1:])


def row(name, pauses, times, backup):
    return (f"| {name} | {statistics.median(pauses):.0f} | {max(pauses)} | {statistics.median(times):.1f} | "
            f"{backup.consistency} |")


def pauses(words, source, scratch, checks):
    lines = ["| | pause, median ms | longest ms | whole backup, median s | it is |", "|---|--:|--:|--:|---|"]
    noticed = []
    for name, make, subvolume, limit in (("ext4", EXT4, False, None), ("XFS, reflinks", XFS, False, PAUSE_LIMIT_MS),
                                         ("Btrfs, reflinks", BTRFS, False, PAUSE_LIMIT_MS),
                                         ("Btrfs, subvolume", BTRFS, True, PAUSE_LIMIT_MS)):
        with ExitStack() as stack:
            disk = SmallDisk(DISK_MIB, make)
            stack.callback(disk.close)
            folder = disk.path / "service"
            folder.mkdir()
            live = Live(stack, folder, scratch / f"store-{len(lines)}", subvolume)
            live.sample_game(source)
            if limit is None:
                live.start("Done")
                games.stop(live.service, live.session)
                lines.append(row(f"{name}, stopped", *live.backups(words.rounds, session_id=live.session)))
            live.start("Done")
            time.sleep(SECONDS_ALONE)  # of play, to be compared with
            alone = live.ticks()
            measured = live.backups(words.rounds, session_id=live.session)
            beside = live.ticks()
            lines.append(row(f"{name}, playing", *measured))
            noticed.append(f"| sample game, {name} | {alone[0]:.1f} | {beside[0]:.1f} | {alone[1]:.1f} | {beside[1]:.1f} | "
                           f"{alone[2]:.1f} | {beside[2]:.1f} |")
            if limit is not None:
                checks.add(f"pause of 2 GB on {name}", statistics.median(measured[0]), limit, False, " ms")
            games.stop(live.service, live.session)
    return lines, noticed


def minetest(words, scratch):
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="minetest-", dir=scratch))
        live = Live(stack, folder, scratch / "store-minetest")
        port = minetest_world.free_udp_port()
        launch = f"[ -e ../installed ] || {{ touch ../installed; cp -a ../world-to-be/. .; }}; {minetest_world.RUN}"
        live.sgc = games.deploy(live.api, "minetest", ["/bin/sh", "-c", launch], stop_grace_seconds=60,
                                env_template={"MINETEST_USER_PATH": str(folder / "minetest-user")})
        world = live.service.gsc(live.sgc) / "world-to-be"
        minetest_world.install(world, port)
        mod = world / "world/worldmods/steps"
        mod.mkdir()
        shutil.copy(Path(__file__).resolve().parent / "steps.lua", mod / "init.lua")
        live.start(f"listening on 127.0.0.1:{port}")
        game = live.service.game(live.sgc)
        wait_until(lambda: minetest_world.map_size(game) > 60 << 20, 600, "the map to grow", 0.5)
        alone = STEPS.findall(live.output())[-2:]
        seen = len(STEPS.findall(live.output()))
        rounds, times = 0, []
        while len(STEPS.findall(live.output())) < seen + 3:  # the first of them began before
            _, took, backup = live.backups(1, session_id=live.session)
            times += took
            rounds += 1
        beside = STEPS.findall(live.output())[seen + 1:]
        line = (f"| Minetest, its map by SQLite's online backup, one backup after the other | {middle(alone, 0)} | "
                f"{middle(beside, 0)} | {middle(alone, 1)} | {middle(beside, 1)} | {middle(alone, 2)} | {middle(beside, 2)} |")
        size = minetest_world.map_size(game) / 1e6
        row_ = (f"| ext4, Minetest generating map at full speed ({size:.0f} MB), SQLite online | 0 | 0 | "
                f"{statistics.median(times):.1f} | {backup.consistency} |")
        games.stop(live.service, live.session)
        return row_, line


def middle(steps, which):
    return f"{statistics.median(float(step[which]) for step in steps):.1f}"


def measure(words, scratch, source):
    """Lines and checks for the results."""
    checks = Checks()
    lines, noticed = pauses(words, source, scratch, checks)
    sqlite, steps = minetest(words, scratch)
    files = COPIES * sum(path.is_file() for path in (source / "game").rglob("*"))
    return [f"A game that writes to 8 of its region files every 50 ms, beside 2 GB in {files:,} files (regions, players, "
            f"statistics) that it does not touch; {words.rounds} backups each, of which the times include the 50 ms at which the end is looked for. On loop "
            "devices. The pause is from the game's last confirmation to the line that resumes it.", "", *lines, sqlite, "",
            "How long the game's own steps took, without backups and with one after the other (idle class of I/O, "
            "`SCHED_BATCH`):", "",
            "| | p50 ms | with backups | p99 ms | with backups | longest ms | with backups |", "|---|--:|--:|--:|--:|--:|--:|",
            *noticed, steps, ""], checks
