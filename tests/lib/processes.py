"""Processes that belong to one temporary folder: found through /proc, ended by pid."""

import os
import signal
from pathlib import Path

from .wait import wait_until


def _belongs(pid, folder):
    """True when the process works in the folder, or has it in its command line."""
    try:
        cwd = os.readlink(f"/proc/{pid}/cwd")
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    inside = cwd == folder or cwd.startswith(folder + "/")
    return inside or folder.encode() in arguments


def _is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def of_folder(folder):
    """Pids of live processes other than this one and its ancestors that belong to the folder."""
    folder = os.path.realpath(folder)
    mine = set()
    pid = os.getpid()
    while pid > 1:
        mine.add(pid)
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in mine:
            continue
        if _belongs(int(name), folder) and not _is_zombie(int(name)):
            found.append(int(name))
    return found


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not _is_zombie(pid)


def kill_all_of(folder):
    """Ends every process of the folder; what they were is returned for the curious."""
    def none_left():
        left = of_folder(folder)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    wait_until(none_left, 20, f"the processes of {folder} to end")
