"""Slowness on purpose: a shared allowance of bytes per second."""

from __future__ import annotations

import threading
import time


class Pacer:
    """A token bucket over all connections that share it; its capacity is 50 ms of the rate.

    `stopping` ends the waiting early when the server stops.
    """

    def __init__(self, bytes_per_second: float, stopping: threading.Event) -> None:
        self._rate = bytes_per_second
        self._stopping = stopping
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def spend(self, size: int) -> None:
        """Take `size` bytes from the allowance and wait until it covers them."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - 0.05) + size / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._stopping.wait(wait)
