"""What a caller hears of bytes on their way: one mapping with documented names, for every operation."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypedDict

from apps.storage.accounting import WINDOW_S, Tick, rate_of
from apps.storage.cos.messages import OnProgress

_TICK_S = 0.2


class Progress(TypedDict):
    """`loaded` and `total` are bytes, `speed` is bytes per second, `percent` goes from 0 to 1.

    Source: `onProgress` of the operations that send bytes.
    """

    loaded: int
    total: int
    speed: float
    percent: float


class SliceProgress(Progress):
    """`SliceSize` and `FileSize` are bytes, `PartNumber` is how many parts are done.

    Source: `onProgress` of Slice Upload File and Slice Copy File.
    """

    SliceSize: int
    PartNumber: int
    FileSize: int


# Returning False stops the operation with Canceled; an exception stops it and is raised to the caller.
ProgressCallback = Callable[[Progress], object]
SliceProgressCallback = Callable[[SliceProgress], object]


class Speedometer:
    """Tells the speed over the last ten seconds; cheap enough to be asked at every chunk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticks: deque[Tick] = deque([(clock(), 0)])
        self._loaded = 0
        self._speed = 0.0

    def speed_at(self, loaded: int) -> float:
        """Return bytes per second, now that `loaded` bytes have moved in all."""
        now = self._clock()
        if now - self._ticks[-1][0] < _TICK_S:
            return self._speed
        self._ticks.append((now, loaded - self._loaded))
        self._loaded = loaded
        while self._ticks[0][0] < now - WINDOW_S:
            self._ticks.popleft()
        self._speed = rate_of(self._ticks, now=now)
        return self._speed


def progress_of(loaded: int, total: int, speed: float) -> Progress:
    """Return the mapping for `loaded` of `total` bytes; nothing of nothing is all of it."""
    return {
        "loaded": loaded,
        "total": total,
        "speed": speed,
        "percent": loaded / total if total else 1.0,
    }


def bytes_reporter(callback: ProgressCallback | None, *, total: int) -> OnProgress | None:
    """Return what a transport calls with its byte counts so that `callback` hears of them.

    An attempt that is repeated begins at 0 again. None, when nobody listens, costs a transport nothing.
    """
    if callback is None:
        return None
    speedometer = Speedometer()

    def report(loaded: int) -> bool:
        return callback(progress_of(loaded, total, speedometer.speed_at(loaded))) is not False

    return report


class Gauge:
    """Adds up the bytes of parts that several threads move. What it shows never falls and ends at `total`.

    A part that is sent again counts from its start, and is not seen to until it has caught up.
    """

    def __init__(self, *, total: int, slice_size: int) -> None:
        self._total = total
        self._slice_size = slice_size
        self._lock = threading.Lock()
        self._moving: dict[int, int] = {}
        self._done = self._shown = self._parts = 0
        self._speedometer = Speedometer()

    def part_at(self, number: int, loaded: int) -> None:
        """Note that `loaded` bytes of a part have moved so far."""
        with self._lock:
            self._moving[number] = loaded

    def part_done(self, number: int, length: int) -> None:
        """Note that a part of `length` bytes is where it should be."""
        with self._lock:
            self._moving.pop(number, None)
            self._done += length
            self._parts += 1

    def read(self) -> SliceProgress:
        """Return how far all parts are. For one thread."""
        with self._lock:
            moved, parts = self._done + sum(self._moving.values()), self._parts
        self._shown = max(self._shown, min(moved, self._total))
        progress = progress_of(self._shown, self._total, self._speedometer.speed_at(self._shown))
        return {
            **progress,
            "SliceSize": self._slice_size,
            "PartNumber": parts,
            "FileSize": self._total,
        }
