"""What a process costs, read from /proc: CPU seconds and peak memory of it and everything below it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KIB = 1024


def tree(pid: int) -> list[int]:
    """Return `pid` and all of its living descendants."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return [pid]


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds that these processes and their finished children have used."""
    return sum(_ticks(pid) for pid in pids) / TICKS_PER_S


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The name in brackets may hold spaces; after it, fields 14 to 17 are utime, stime, cutime, cstime.
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def peak_reset(pids: Iterable[int]) -> None:
    """Begin a new measurement of peak memory."""
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """Return the peak resident memory since `peak_reset`."""
    return _status(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """Return the resident memory now."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * KIB
    return 0
