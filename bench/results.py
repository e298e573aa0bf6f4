"""bench/RESULTS.md: one section for each kind of measurement, replaced as a whole."""

import datetime
import os
import re
from pathlib import Path

FILE = Path(__file__).resolve().parent / "RESULTS.md"
HEAD = """# Measured

Ratios count, more than seconds: each table comes from one run in which the contestants took turns on a
warm page cache. Made by `bench/run`; run it to have yours.
"""


def write_section(title, command, lines):
    """Puts the section in place of the one with this title, or at the end."""
    text = FILE.read_text() if FILE.exists() else HEAD
    today = datetime.date.today().isoformat()
    section = "\n".join([f"## {title}", "", f"`{command}`, {today}, {machine()}.", "", *lines, ""])
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.S | re.M)
    text = old.sub(lambda _: section + "\n", text) if old.search(text) else text + "\n" + section
    FILE.write_text(text.rstrip("\n") + "\n")
    print("\n" + section)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = re.sub(r"\(R\)|\(TM\)", "", model)
    return f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB of memory"


def table(contestants, base, data_bytes):
    """Rows of a contest; `base` is the one that the others are compared with."""
    def shown(name):
        return name.replace("|", r"\|")

    lines = ["| | median s | MB/s | times as fast as " + shown(base.name) + " | CPU s | peak MiB | archive MB |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for one in contestants:
        cpu = sorted(one.cpu_seconds)[len(one.cpu_seconds) // 2]
        size = f"{one.out_bytes / 1e6:.1f}" if one.out_bytes else ""
        lines.append(f"| {shown(one.name)} | {one.median:.2f} | {data_bytes / 1e6 / one.median:.0f} | "
                     f"{base.median / one.median:.1f} | {cpu:.2f} | {one.peak_mib:.0f} | {size} |")
    return lines


class Checks:
    """What the project asks of the numbers."""

    def __init__(self):
        self.lines = []
        self.failed = []

    def add(self, text, value, limit, at_least, unit=""):
        good = value >= limit if at_least else value <= limit
        asked = f"{'at least' if at_least else 'at most'} {limit}{unit}"
        self.lines.append(f"- {text}: {value:.2f}{unit} ({asked}){'' if good else ': **missed**'}")
        if not good:
            self.failed.append(text)
