"""One thread that writes to all open pages of this process, over sockets that the web server gave away.

A thread per page would hold one of the web server's for as long as somebody looks at the page, and 200 of
them are woken for one message. Here a message costs one `send` per page, and a page that is open costs a
socket.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from apps.jobs.outbox import Outbox

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b": keep-alive\n\n"
# A browser whose machine went away without a word is noticed when it acknowledged nothing for this long.
UNACKNOWLEDGED_MS = 30_000
READ_SIZE = 4096


@dataclass(eq=False)
class Line:
    """The socket of one page. `left` is what the kernel has not taken yet; nothing is added before it has."""

    sock: socket.socket
    outbox: Outbox
    left: bytes
    on_close: Callable[[], None]
    written_at: float = field(default_factory=time.monotonic)
    waits_to_write: bool = False


class Writer:
    """All lines of this process and the thread that serves them; the thread starts with the first line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: set[Line] = set()
        self._due: deque[Line] = deque()
        self._is_awake = False
        self._ear = self._bell = -1
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, sock: socket.socket, outbox: Outbox, *, head: bytes, on_close: Callable[[], None]) -> None:
        """This will write `head` and then whatever comes into the outbox until either side ends it.

        `on_close` is called once, in the writer's thread, after the socket was closed.
        """
        sock.setblocking(False)
        _impatient(sock)
        line = Line(sock, outbox, head, on_close)
        with self._lock:
            self._lines.add(line)
            if self._thread is None:
                self._start()
        outbox.wake = partial(self._wake, line)
        self._wake(line)

    def _start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = os.pipe()
        for end in (self._ear, self._bell):
            os.set_blocking(end, False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)
        self._thread.start()

    def _wake(self, line: Line) -> None:
        self._due.append(line)
        with self._lock:
            if self._is_awake:
                return
            self._is_awake = True
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def _run(self) -> None:
        look_at = time.monotonic() + KEEP_ALIVE_S / 3
        while True:
            # Whatever happens to one line, the thread must live: it is all other pages' as well.
            try:
                self._turn(max(0.0, look_at - time.monotonic()))
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + KEEP_ALIVE_S / 3
                    self._keep_alive()
            except Exception:
                logger.exception("The writer of the live pages stumbled and goes on.")

    def _turn(self, timeout_s: float) -> None:
        for key, mask in self._selector.select(timeout_s):
            if key.data is None:
                self._hear()
            elif mask & selectors.EVENT_READ and _has_gone(key.data.sock):
                self._close(key.data)
            elif mask & selectors.EVENT_WRITE:
                self._flush(key.data)
        while self._due:
            line = self._due.popleft()
            # A page whose socket is full is asked again when there is room in it.
            if not line.waits_to_write:
                self._flush(line)

    def _hear(self) -> None:
        # In this order: whoever appends after the flag is down rings again.
        with suppress(BlockingIOError):
            os.read(self._ear, READ_SIZE)
        with self._lock:
            self._is_awake = False

    def _flush(self, line: Line) -> None:
        if line not in self._lines:
            return
        try:
            is_through = _send(line)
        except OSError:
            self._close(line)
            return
        if is_through and line.outbox.is_ended:
            self._close(line)
            return
        self._watch(line, also_write=not is_through)

    def _watch(self, line: Line, *, also_write: bool) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if also_write else 0)
        if line.sock not in self._selector.get_map():
            self._selector.register(line.sock, wanted, line)
        elif line.waits_to_write != also_write:
            self._selector.modify(line.sock, wanted, line)
        line.waits_to_write = also_write

    def _keep_alive(self) -> None:
        """Say something where nothing was said, and give up pages that took nothing since the last time.

        Such a page connects again by itself once it reads again, and is told the newest state then.
        """
        now = time.monotonic()
        # Pages are added by other threads meanwhile.
        for line in list(self._lines):
            if now - line.written_at < KEEP_ALIVE_S:
                continue
            if line.left:
                self._close(line)
                continue
            line.left = KEEP_ALIVE
            self._flush(line)

    def _close(self, line: Line) -> None:
        self._lines.discard(line)
        with suppress(KeyError, ValueError):
            self._selector.unregister(line.sock)
        line.sock.close()
        line.on_close()


def _send(line: Line) -> bool:
    """Send what the kernel takes and return whether that was all."""
    while True:
        line.left = line.left or line.outbox.take()
        if not line.left:
            return True
        try:
            sent = line.sock.send(line.left)
        except BlockingIOError:
            return False
        line.left = line.left[sent:]
        line.written_at = time.monotonic()


def _has_gone(sock: socket.socket) -> bool:
    try:
        return not sock.recv(READ_SIZE)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _impatient(sock: socket.socket) -> None:
    # Neither is there for a socket of the file system, nor the second one on every system.
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if option := getattr(socket, "TCP_USER_TIMEOUT", None):
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, UNACKNOWLEDGED_MS)
