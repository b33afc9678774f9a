"""Sends file bodies over plain http without copying them through Python.

The kernel moves the bytes from the file to the socket: 0.27 CPU seconds per GiB in parts of 8 MiB, against
0.47 through libcurl's read callback, at the same wall time. Encryption needs the bytes in user space, so
https never comes here; the embedded store and stores on a trusted network do.
"""

from __future__ import annotations

import http.client
import io
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Any

from apps.storage import errors
from apps.storage.cos.bodies import Body
from apps.storage.cos.cancel import cancel_cutting, cancel_shutting
from apps.storage.cos.curl import Timeouts, TransportFailure, address_of
from apps.storage.cos.messages import Answer, OnProgress, Repeat, Request, header_decode
from apps.storage.cos.received import BoundedReader
from apps.storage.cos.wire import WireBroken, on_wire
from apps.storage.types import Endpoint

_CHUNK = 1 << 20
_TICK_MS = 250
_KEPT_MAX = 4
# Nothing but headers or an error document answers a body.
_ANSWER_BYTES_MAX = 1 << 20
# Below this the copy is cheaper than a second connection next to libcurl's.
_BODY_MIN = 64 << 10

_Address = tuple[str, int]
_mine = threading.local()


class SendfileTransport:
    """The same promises as the libcurl transport: timeouts per phase, cancel within a moment, same errors."""

    def __init__(self, endpoint: Endpoint, timeouts: Timeouts) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts

    def takes(self, request: Request) -> bool:
        """Return whether this is one for sendfile: plain http, a real file, no `Expect` to wait for."""
        body = request.call.body
        return (
            self._endpoint.scheme == "http"
            and request.call.repeat is Repeat.FREELY
            and body is not None
            and body.fd is not None
            and body.length >= _BODY_MIN
            and not any(name == "Expect" for name, _ in request.headers)
        )

    def send(self, request: Request) -> Answer:
        """Send `request` once and return the answer, whatever its status. Raises TransportFailure, and
        Canceled when the token of this thread is canceled.

        A kept connection that turns out to be dead is replaced at once: bodies come here only with calls
        that may be repeated freely.
        """
        address = address_of(self._endpoint, request.call.host)
        kept = _kept().take(address)
        if kept is not None:
            with suppress(_Dropped):
                return self._exchange(kept, address, request)
        try:
            return self._exchange(self._connect(address), address, request)
        except _Dropped:
            raise TransportFailure(
                errors.Unavailable("The store closed the connection without an answer."), was_sent=True
            ) from None

    def _connect(self, address: _Address) -> socket.socket:
        for sock, where in _sockets(address, self._timeouts.connect_s):
            sock.settimeout(self._timeouts.connect_s)
            try:
                with cancel_shutting(sock):
                    on_wire(sock.connect, where)
                on_wire(sock.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except WireBroken:
                sock.close()
                _require_wanted()
                continue
            except BaseException:
                sock.close()
                raise
            return sock
        _require_wanted()
        raise TransportFailure(errors.Unavailable("The store cannot be reached."), was_sent=False)

    def _exchange(self, sock: socket.socket, address: _Address, request: Request) -> Answer:
        # A kept one has the patience of whoever used it before.
        sock.settimeout(self._timeouts.stalled_s)
        try:
            with cancel_shutting(sock):
                answer, is_reusable = self._talk(sock, request)
        except (WireBroken, http.client.HTTPException, _Dropped) as broken:
            sock.close()
            _require_wanted()
            if isinstance(broken, WireBroken) and isinstance(broken.problem, TimeoutError):
                raise self._stalled() from None
            raise _Dropped from None
        except BaseException:
            sock.close()
            raise
        if is_reusable:
            _kept().put(address, sock)
        else:
            sock.close()
        return answer

    def _talk(self, sock: socket.socket, request: Request) -> tuple[Answer, bool]:
        call = request.call
        assert call.body is not None  # noqa: S101
        sent = 0
        try:
            on_wire(sock.sendall, _head_of(request))
            sent = self._push(sock, call.body, call.on_progress)
        except WireBroken as broken:
            # A store that refuses early closes while we still send; its answer is worth more than our error.
            if not isinstance(broken.problem, ConnectionError):
                raise
        self._await_answer(sock, call.on_progress, sent)
        reader = BoundedReader(sock, bytes_max=_ANSWER_BYTES_MAX, patience_s=self._timeouts.stalled_s)
        response = http.client.HTTPResponse(sock, method=call.method)
        with response:
            lines = _begin(response, reader)
            # A number is given because, without one, the announced length is allocated before it has come.
            body = response.read(_ANSWER_BYTES_MAX)
            if response.length or not lines.are_whole:
                raise _Dropped
            headers = {
                name.lower(): header_decode(value.encode("latin-1")) for name, value in response.getheaders()
            }
            is_reusable = sent == call.body.length and not response.will_close
            return Answer(response.status, headers, body), is_reusable

    def _push(self, sock: socket.socket, body: Body, on_progress: OnProgress | None) -> int:
        """Send the body; return the bytes sent, fewer than all when the answer came first."""
        assert body.fd is not None  # noqa: S101
        sent, moved_at = 0, time.monotonic()
        while sent < body.length:
            at, size = body.offset + sent, min(_CHUNK, body.length - sent)
            try:
                count = on_wire(os.sendfile, sock.fileno(), body.fd, at, size)
            except WireBroken as broken:
                if not isinstance(broken.problem, BlockingIOError):
                    _require_readable(body.fd, at)
                    raise
                if _ready(sock, select.POLLIN | select.POLLOUT) & select.POLLIN:
                    return sent
                self._watch(moved_at, on_progress, sent)
                continue
            if count == 0:
                problem = errors.Refused("The file is shorter than it was when the upload was planned.")
                raise TransportFailure(problem, was_sent=True, is_final=True)
            sent, moved_at = sent + count, time.monotonic()
            self._watch(moved_at, on_progress, sent)
        return sent

    def _await_answer(self, sock: socket.socket, on_progress: OnProgress | None, sent: int) -> None:
        started = time.monotonic()
        while not _ready(sock, select.POLLIN):
            self._watch(started, on_progress, sent)

    def _watch(self, moved_at: float, on_progress: OnProgress | None, sent: int) -> None:
        """Report progress; stop when the caller says so, or when nothing has moved for too long."""
        if on_progress is not None and on_progress(sent) is False:
            canceled = errors.Canceled("The call was canceled.")
            raise TransportFailure(canceled, was_sent=True, is_final=True)
        if time.monotonic() - moved_at > self._timeouts.stalled_s:
            raise self._stalled()

    def _stalled(self) -> TransportFailure:
        seconds = self._timeouts.stalled_s
        return TransportFailure(errors.Unavailable(f"The store did not move for {seconds} s."), was_sent=True)


class _Dropped(Exception):
    """The connection ended before a whole answer."""


class _Lines(io.BufferedReader):
    """Remembers whether the lines read so far end with an empty one, as a head and trailers do."""

    are_whole = False

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line as any reader does."""
        line = super().readline(size)
        self.are_whole = line in (b"\r\n", b"\n")
        return line


def _begin(response: http.client.HTTPResponse, reader: BoundedReader) -> _Lines:
    """Read the head; half of one, which `http.client` takes for a whole, is a broken connection."""
    response.fp.close()
    response.fp = lines = _Lines(reader)
    while True:
        response.begin()
        if not lines.are_whole:
            raise _Dropped
        if response.status >= 200:
            return lines
        # `http.client` skips no other interim answer than 100; without headers it reads the next head.
        response.headers = None  # type: ignore[assignment]


def _require_readable(fd: int, position: int) -> None:
    """Raise a final failure where not the connection broke, but the file cannot be read."""
    try:
        os.pread(fd, 1, position)
    except OSError as error:
        problem = errors.Refused(f"The file could not be read while it was sent: {error}.")
        raise TransportFailure(problem, was_sent=True, is_final=True) from None


def _require_wanted() -> None:
    """Raise Canceled where a connection did not break by itself but was shut by the token."""
    token = cancel_cutting()
    if token is not None:
        token.require()


def _sockets(address: _Address, patience_s: float) -> Iterator[tuple[socket.socket, Any]]:
    """Yield a fresh socket for each place that `address` stands for, and that place.

    None for a place that this system cannot connect to, or has no descriptor left for.
    """
    for family, kind, protocol, _, where in _places(address, patience_s):
        with suppress(OSError):
            yield socket.socket(family, kind, protocol), where


def _places(address: _Address, patience_s: float) -> list[Any]:
    """Return what `address` stands for, nothing where that stays unknown; raises Canceled."""
    with suppress(OSError, UnicodeError):
        return socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    # The system looks a name up for as long as it likes, and cannot be interrupted: only in a thread.
    found: SimpleQueue[list[Any]] = SimpleQueue()
    token = cancel_cutting()
    with (
        nullcontext() if token is None else token.waking(lambda: found.put([])),
        suppress(Empty, RuntimeError),
    ):
        threading.Thread(target=_look_up, args=(address, found), name="lookup", daemon=True).start()
        return found.get(timeout=patience_s)
    return []


def _look_up(address: _Address, found: SimpleQueue[list[Any]]) -> None:
    try:
        found.put(socket.getaddrinfo(*address, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        found.put([])


def _ready(sock: socket.socket, events: int, *, timeout_ms: int = _TICK_MS) -> int:
    """Return which of `events` the socket is ready for, 0 after `timeout_ms`."""
    poller = select.poll()
    poller.register(sock, events)
    found = poller.poll(timeout_ms)
    return found[0][1] if found else 0


def _head_of(request: Request) -> bytes:
    call = request.call
    assert call.body is not None  # noqa: S101
    lines = [f"{call.method} {call.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    lines += ["Accept: */*", f"Content-Length: {call.body.length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class _Kept:
    """The open connections of one thread, closed when the thread ends."""

    def __init__(self) -> None:
        self._by_address: dict[_Address, socket.socket] = {}

    def take(self, address: _Address) -> socket.socket | None:
        """Return the connection to `address`, if the store has not closed it meanwhile."""
        sock = self._by_address.pop(address, None)
        if sock is not None and _ready(sock, select.POLLIN, timeout_ms=0):
            sock.close()
            return None
        return sock

    def put(self, address: _Address, sock: socket.socket) -> None:
        """Keep a connection for the next request; the oldest of too many is closed."""
        self._by_address[address] = sock
        while len(self._by_address) > _KEPT_MAX:
            self._by_address.pop(next(iter(self._by_address))).close()

    def __del__(self) -> None:
        for sock in self._by_address.values():
            sock.close()


def _kept() -> _Kept:
    """Return the connections of this thread.

    A forked child drops its copies and begins its own: a plain socket says nothing when it is closed, so
    the parent's connection stays intact.
    """
    if getattr(_mine, "pid", None) != os.getpid():
        _mine.pid, _mine.kept = os.getpid(), _Kept()
    kept: _Kept = _mine.kept
    return kept
