"""What an open page has not been told yet."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Outbox:
    """The newest event per job and nothing older, so that a page that reads slowly costs no memory.

    `wake` is called, in whatever thread, when there is something to send or the stream is to end.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nobody_waits
        self.is_ended = False
        self._lock = threading.Lock()
        self._events: dict[str, bytes] = {}

    def put(self, job_id: str, event: bytes) -> None:
        with self._lock:
            self._events[job_id] = event
        self.wake()

    def put_older(self, job_id: str, event: bytes) -> None:
        """Put what was known before this outbox was filled by others: it replaces nothing."""
        with self._lock:
            self._events.setdefault(job_id, event)

    def take(self) -> bytes:
        """Return everything that waits, in the order in which the jobs were first heard of."""
        with self._lock:
            events = b"".join(self._events.values())
            self._events.clear()
        return events

    def end(self) -> None:
        self.is_ended = True
        self.wake()


def _nobody_waits() -> None:
    """Before the page's stream has begun."""
