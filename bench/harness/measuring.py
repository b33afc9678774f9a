"""One run of one variant: what the client says, and what the servers used meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import procfs

SETTLE_S = 0.3


@dataclass(frozen=True)
class Sample:
    """Seconds and bytes of one run. `cpu_s` and `peaks` are by group, "client" among them."""

    wall_s: float
    cpu_s: Mapping[str, float]
    peaks: Mapping[str, int]
    client: Mapping[str, Any]


def measure(run: Callable[[], dict[str, Any]], groups: Mapping[str, Sequence[int]]) -> Sample:
    """Run a client and return its figures together with those of the groups of server processes."""
    # What the run before left in the page cache must not be written during this one.
    os.sync()
    time.sleep(SETTLE_S)
    pids = [pid for group in groups.values() for pid in group]
    procfs.peak_reset(pids)
    before = {name: procfs.cpu_s(group) for name, group in groups.items()}
    client = run()
    time.sleep(SETTLE_S)
    used = {name: procfs.cpu_s(group) - before[name] for name, group in groups.items()}
    peaks = {
        name: max((procfs.peak_bytes(pid) for pid in group), default=0) for name, group in groups.items()
    }
    return Sample(
        wall_s=client["wall_s"],
        cpu_s={"client": client["cpu_s"], **used},
        peaks={"client": client["peak_bytes"], **peaks},
        client=client,
    )


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """Return the names in an order that begins elsewhere in each round."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]
