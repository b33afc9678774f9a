"""Stops calls from another thread: on the wire, in a retry's pause, or between two of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue

from apps.storage.errors import Canceled

_mine = threading.local()


class CancelToken:
    """Ends every call that it is applied to, within milliseconds, wherever that call waits.

        token = CancelToken()
        with token.applied():
            client.put_object(…)    # raises Canceled once somebody calls token.cancel()

    It applies to the calls of one thread and may be applied in many. It cannot be taken back. `cancel` may
    be called from any thread and from a signal handler.
    """

    def __init__(self) -> None:
        self._is_canceled = False
        # A signal handler may cancel while its own thread holds this.
        self._lock = threading.RLock()
        self._wakers: dict[object, Callable[[], object]] = {}

    @property
    def is_canceled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_canceled

    def cancel(self) -> None:
        """Stop all that runs under this token. One that was broken into is finished by another."""
        with self._lock:
            self._is_canceled = True
            for wake in list(self._wakers.values()):
                wake()

    def require(self) -> None:
        """Raise Canceled if `cancel` was called."""
        if self._is_canceled:
            raise Canceled("The call was canceled.")

    def wait(self, seconds: float) -> None:
        """Sleep; raises Canceled at once when `cancel` is called."""
        woken: SimpleQueue[None] = SimpleQueue()
        with self.waking(lambda: woken.put(None)), suppress(Empty):
            woken.get(timeout=seconds)
        self.require()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have `wake` called on `cancel` within the block and never after it; raises Canceled if late."""
        mark = object()
        with self._lock:
            self.require()
            self._wakers[mark] = wake
        try:
            yield
        finally:
            with self._lock:
                del self._wakers[mark]

    @contextmanager
    def applied(self, *, cuts: bool = True) -> Iterator[None]:
        """Let this token end the calls that this thread makes in the block.

        Without `cuts` a request that is on the wire is awaited, because what it did would never be known;
        only pauses and further attempts are dropped.
        """
        before = getattr(_mine, "applied", (None, True))
        _mine.applied = (self, cuts)
        try:
            yield
        finally:
            _mine.applied = before


def cancel_applied() -> CancelToken | None:
    """Return the token of this thread, None where nothing can be canceled."""
    token: CancelToken | None = getattr(_mine, "applied", (None, True))[0]
    return token


def cancel_cutting() -> CancelToken | None:
    """Return the token that may cut a request on the wire, None where none may."""
    token, cuts = getattr(_mine, "applied", (None, True))
    return token if cuts else None


def cancel_shutting(sock: socket.socket) -> AbstractContextManager[None]:
    """Return a block in which canceling shuts `sock`, which wakes whoever connects, sends or receives on it.

    The block must end before the socket is closed: the number of a closed one may be somebody else's.
    """
    token = cancel_cutting()
    return nullcontext() if token is None else token.waking(lambda: _shut(sock))


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
