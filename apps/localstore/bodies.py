"""Bytes of one connection: heads, then bodies as views of one reused buffer."""

from __future__ import annotations

import mmap
import re
import socket
import time
from collections.abc import Iterator

from apps.localstore.errors import ConnectionDropped, StoreError
from apps.localstore.pacing import Pacer

# Writes of 1 MiB cost the file system a tenth less CPU per byte than writes of 256 KiB.
BUFFER_SIZE = 1024 * 1024
PACED_SIZE = 64 * 1024
HEAD_LIMIT = 64 * 1024
CHUNK_LINE_LIMIT = 4096
# Bytes per second that a body must have made after its first half minute.
SLOWEST = 64
GRACE_S = 30.0
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?", re.DOTALL)


class Channel:
    """The receiving side of a socket. Unread bytes are `buffer[start:end]`.

    The buffer is anonymous memory, so that a connection with small requests
    occupies a page of it and not all. `waited_s` is how long the
    peer has kept it waiting so far.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = mmap.mmap(-1, BUFFER_SIZE)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self.waited_s = 0.0

    def release(self) -> None:
        """Let go of the buffer."""
        self._view.release()

    def is_empty(self) -> bool:
        """Tell whether nothing that has arrived is left to read."""
        return self._start == self._end

    def _fill(self) -> int:
        """Receive more behind what is there; 0 means that the peer has ended.

        Raises RequestTimeout when nothing came within the socket's timeout.
        """
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == BUFFER_SIZE:
            waiting = self._end - self._start
            self._buffer[:waiting] = self._buffer[self._start : self._end]
            self._start, self._end = 0, waiting
        count = self._receive(self._view[self._end :], 0)
        self._end += count
        return count

    def read_until(self, mark: bytes, limit: int, *, deadline: float) -> bytes | None:
        """Return the bytes before `mark` and step over it; None at a clean end of the connection.

        `deadline` is on the monotonic clock: a head that trickles in for ever
        must not hold a thread. Raises ConnectionDropped on an end in between,
        InvalidRequest beyond `limit` bytes.
        """
        searched = self._start
        while True:
            found = self._buffer.find(mark, searched, min(self._end, self._start + limit))
            if found >= 0:
                piece = bytes(self._view[self._start : found])
                self._start = found + len(mark)
                return piece
            waiting = self._end - self._start
            if waiting >= limit:
                raise StoreError("InvalidRequest", "The request head is too long.", closes=True)
            if time.monotonic() > deadline:
                raise StoreError("RequestTimeout", closes=True)
            if not self._fill():
                if waiting:
                    raise ConnectionDropped
                return None
            searched = max(self._start, self._start + waiting - len(mark) + 1)

    def read_some(self, limit: int, *, whole: bool = False) -> memoryview:
        """Return up to `limit` bytes as a view that the next read overwrites; empty at the end.

        `whole` waits for as many as the buffer takes: one system call and one
        digest update for 1 MiB instead of sixteen.
        """
        if self._start == self._end:
            self._start = self._end = 0
            room = self._view[: min(limit, BUFFER_SIZE)]
            self._end = self._receive(room, socket.MSG_WAITALL if whole else 0)
        size = min(limit, self._end - self._start)
        view = self._view[self._start : self._start + size]
        self._start += size
        return view

    def _receive(self, view: memoryview, flags: int) -> int:
        before = time.monotonic()
        try:
            return self.sock.recv_into(view, len(view), flags)
        except (BlockingIOError, TimeoutError) as error:
            raise StoreError("RequestTimeout", closes=True) from error
        except OSError as error:
            raise ConnectionDropped from error
        finally:
            self.waited_s += time.monotonic() - before


class Body:
    """The body of one request, read once and in order.

    `length` is None for a chunked body. When the client waits for `100
    Continue`, it gets it at the first read: a request that is refused before
    that never sends its body.
    """

    def __init__(
        self, channel: Channel, *, length: int | None, pacers: tuple[Pacer, ...] = (), waits: bool = False
    ) -> None:
        self.length = length
        self.waits = waits and length != 0
        self.finished = length == 0
        self.pacers = pacers
        self._channel = channel
        self._left = length or 0

    def pieces(self, limit: int) -> Iterator[memoryview]:
        """Yield views of the reused buffer until the body ends.

        Raises EntityTooLarge beyond `limit` bytes, IncompleteBody when the
        peer ends too early, RequestTimeout when it stalls, UserNetworkTooSlow
        when it only ever sends a few bytes: that must not hold a thread for ever.
        """
        if self.length is not None and self.length > limit:
            raise StoreError("EntityTooLarge")
        if self.waits:
            self.waits = False
            self._channel.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        total, before = 0, self._channel.waited_s
        for view in self._chunks() if self.length is None else self._counted():
            total += len(view)
            if total > limit:
                raise StoreError("EntityTooLarge", closes=True)
            waited_s = self._channel.waited_s - before
            if waited_s > GRACE_S and total < waited_s * SLOWEST:
                raise StoreError("UserNetworkTooSlow", closes=True)
            for pacer in self.pacers:
                pacer.spend(len(view))
            yield view
        self.finished = True

    def read(self, limit: int) -> bytes:
        """Return the whole body, for the small documents of the protocol. Raises XMLSizeLimit."""
        try:
            return b"".join([bytes(view) for view in self.pieces(limit)])
        except StoreError as error:
            if error.code == "EntityTooLarge":
                raise StoreError("XMLSizeLimit", closes=error.closes) from error
            raise

    def _counted(self) -> Iterator[memoryview]:
        # A paced sender should see its bytes taken steadily, not a megabyte at a time.
        most = PACED_SIZE if self.pacers else BUFFER_SIZE
        while self._left:
            view = self._channel.read_some(min(self._left, most), whole=True)
            if not view:
                raise StoreError("IncompleteBody", closes=True)
            self._left -= len(view)
            yield view

    def _chunks(self) -> Iterator[memoryview]:
        while True:
            match = CHUNK_SIZE.fullmatch(self._line())
            if not match:
                raise StoreError("InvalidRequest", "A chunk size is malformed.", closes=True)
            left = int(match[1], 16)
            if not left:
                break
            while left:
                view = self._channel.read_some(left)
                if not view:
                    raise StoreError("IncompleteBody", closes=True)
                left -= len(view)
                yield view
            if self._line():
                raise StoreError("InvalidRequest", "A chunk is longer than its size.", closes=True)
        left = HEAD_LIMIT
        while line := self._line():
            left -= len(line)
            if left < 0:
                raise StoreError("InvalidRequest", "The trailers are too long.", closes=True)

    def _line(self) -> bytes:
        try:
            line = self._channel.read_until(b"\r\n", CHUNK_LINE_LIMIT, deadline=time.monotonic() + 60)
        except ConnectionDropped:
            # Only one direction may have ended: whoever sent half a line can still read what is wrong.
            line = None
        if line is None:
            raise StoreError("IncompleteBody", closes=True)
        return line
