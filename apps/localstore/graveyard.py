"""Unlinking blob files only when no reader can still be about to open them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Graveyard:
    """Files wait here until every reader that began before their burial has ended.

    A reader takes the list of blobs from the index first and opens the files
    one after another, perhaps minutes later; an overwrite in between must not
    break its download. Files that are still here when the process dies are
    orphans, which the next start sweeps.
    """

    def __init__(self, unlink: Callable[[str], None]) -> None:
        self._unlink = unlink
        self._lock = threading.Lock()
        self._tick = 0
        self._readers: dict[int, int] = {}
        self._graves: deque[tuple[int, list[str]]] = deque()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Protect every blob that is alive now until the block ends."""
        with self._lock:
            self._tick += 1
            reader = self._tick
            self._readers[reader] = reader
        try:
            yield
        finally:
            with self._lock:
                del self._readers[reader]
            self._settle()

    def bury(self, blobs: list[str]) -> None:
        """Take over blobs whose death is committed."""
        with self._lock:
            self._tick += 1
            self._graves.append((self._tick, blobs))
        self._settle()

    def _settle(self) -> None:
        ready: list[str] = []
        with self._lock:
            oldest = next(iter(self._readers), self._tick + 1)
            while self._graves and self._graves[0][0] < oldest:
                ready += self._graves.popleft()[1]
        for blob in ready:
            self._unlink(blob)
