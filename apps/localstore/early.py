"""A 200 that goes out before its result, and the spaces that keep its reader waiting.

Copies and completes of the live service may take minutes, so it sends their
status at once and white space until the result is there, which may then be an
`<Error>`. This store sends the status early only when the work is slow: quick
refusals stay the 4xx that they are.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from apps.localstore.errors import ConnectionDropped
from apps.localstore.markup import RESULT_DECLARATION, undeclared
from apps.localstore.responses import Header, Response, head_bytes

TICK_S = 0.05
# A parser refuses white space before the declaration, so that comes first.
OPENING = RESULT_DECLARATION.encode()


def chunk(data: bytes) -> bytes:
    """Return data as one chunk of a chunked body; nothing gives nothing, for that would be the end."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class Pulse:
    """One thread that looks after all answers of a server that are being waited for.

    It is started by the first of them. `patience_s` is how long a reader gets
    nothing: first the status, then one space each time.
    """

    def __init__(self, patience_s: float, stopping: threading.Event) -> None:
        self.patience_s = patience_s
        self._stopping = stopping
        self._lock = threading.Lock()
        self._waiting: set[EarlyAnswer] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, answer: EarlyAnswer) -> Iterator[None]:
        """Send spaces for one answer until the block ends."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="localstore-pulse", daemon=True)
                thread.start()
                self._thread = thread
            self._waiting.add(answer)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(answer)

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            with self._lock:
                waiting = list(self._waiting)
            for answer in waiting:
                answer.beat(time.monotonic())


class EarlyAnswer:
    """What one slow operation has sent so far. Without a pulse it never sends anything."""

    def __init__(self, sock: socket.socket, pulse: Pulse | None, *, may_stay: Callable[[], bool]) -> None:
        self.headers: list[Header] = []
        self.is_sent = False
        self.keeps = False
        self._sock = sock
        self._pulse = pulse
        self._may_stay = may_stay
        self._lock = threading.Lock()
        self._is_open = False
        self._is_broken = False
        self._due = 0.0

    @contextmanager
    def during(self) -> Iterator[None]:
        """Let the status go out while the block runs, if that takes long."""
        if self._pulse is None:
            yield
            return
        self._due = time.monotonic() + self._pulse.patience_s
        self._is_open = True
        try:
            with self._pulse.watching(self):
                yield
        finally:
            with self._lock:
                self._is_open = False

    def beat(self, now: float) -> None:
        """Send the status or another space if it is time for that."""
        with self._lock:
            if self._pulse is None or not self._is_open or self._is_broken or now < self._due:
                return
            self._due = now + self._pulse.patience_s
            self._push(chunk(b" ") if self.is_sent else self._opening())
            self.is_sent = True

    def _opening(self) -> bytes:
        self.keeps = self._may_stay()
        headers = [*self.headers, ("Transfer-Encoding", "chunked")]
        return head_bytes(200, headers, keep=self.keeps) + chunk(OPENING)

    def _push(self, data: bytes) -> None:
        """Send without waiting: one reader that takes nothing must not hold up all the others."""
        try:
            self._is_broken = self._sock.send(data, socket.MSG_DONTWAIT) != len(data)
        except OSError:
            self._is_broken = True

    def rest_of(self, response: Response) -> bytes:
        """Return what remains to be sent of a result. Raises ConnectionDropped for a broken one."""
        if self._is_broken:
            raise ConnectionDropped
        return chunk(undeclared(response.body)) + b"0\r\n\r\n"
