"""Delayed visibility: for a while, reads see what was there before a write.

A veil is an open read of the index as it was before the write, and of its
blobs. It changes nothing on disk and ends with the process, so it can spoil
nothing; writes, and copies' sources, always see what is really there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from apps.localstore.engine import Engine
from apps.localstore.index import Snapshot

LISTS = frozenset({"GetService", "ListObjects", "ListMultipartUploads", "ListParts"})
BUCKET_LISTS = frozenset({"ListObjects", "ListMultipartUploads"})


@dataclass
class Veil:
    """What one write hides. An empty `key` means the bucket with all that is in it.

    It ends at `until` (monotonic seconds), or after `answers` more of them.
    """

    bucket: str
    key: str
    hides: str
    until: float | None
    answers: int | None
    snapshot: Snapshot
    held: ExitStack
    readers: int = field(default=0)

    def covers(self, operation: str, bucket: str, key: str) -> bool:
        """Tell whether an operation that reads is to see the past."""
        if self.hides != "all" and self.hides != ("lists" if operation in LISTS else "reads"):
            return False
        if operation == "GetService":
            return not self.key
        if bucket != self.bucket:
            return False
        return not self.key or key == self.key or operation in BUCKET_LISTS

    def is_over(self, now: float) -> bool:
        """Tell whether the present shows again."""
        return self.answers == 0 or (self.until is not None and now >= self.until)


class Veils:
    """The veils of one server, usable from any thread. The oldest that covers a read decides."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._veils: list[Veil] = []

    def add(self, veil: Veil) -> None:
        """Let a veil take effect."""
        with self._lock:
            self._veils.append(veil)

    def clear(self) -> None:
        """Show the present to everybody; answers that are under way end as they began."""
        with self._lock:
            veils, self._veils = self._veils, []
            for veil in veils:
                veil.answers = 0
            _release(veils)

    @contextmanager
    def over(self, operation: str, bucket: str, key: str) -> Iterator[Snapshot | None]:
        """Lend the past that an operation is to read, or None for the present."""
        veil = self._take(operation, bucket, key)
        try:
            yield veil.snapshot if veil else None
        finally:
            if veil is not None:
                with self._lock:
                    veil.readers -= 1
                    _release([veil])

    def _take(self, operation: str, bucket: str, key: str) -> Veil | None:
        now = time.monotonic()
        with self._lock:
            over = [veil for veil in self._veils if veil.is_over(now)]
            self._veils = [veil for veil in self._veils if not veil.is_over(now)]
            _release(over)
            veil = next((v for v in self._veils if v.covers(operation, bucket, key)), None)
            if veil is not None:
                veil.readers += 1
                if veil.answers is not None:
                    veil.answers -= 1
            return veil


def _release(veils: list[Veil]) -> None:
    """Close those that are over and that nobody reads."""
    now = time.monotonic()
    for veil in veils:
        if veil.is_over(now) and not veil.readers:
            veil.held.close()


def veil_drawn(
    engine: Engine, bucket: str, key: str, *, hides: str, seconds: float, answers: int | None
) -> Veil:
    """Return a veil over the present moment, which the caller adds once the write has succeeded."""
    held = ExitStack()
    held.enter_context(engine.graveyard.reading())
    snapshot = engine.index.snapshot()
    held.callback(snapshot.close)
    until = time.monotonic() + seconds if seconds else None
    return Veil(bucket, key, hides, until, answers, snapshot, held)
