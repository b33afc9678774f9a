"""What an answer may cost: so many bytes, in so many seconds, however the store doles it out.

libcurl bounds silence and single header lines; a store that never stops talking, or says one byte a second,
it would listen to for ever.
"""

from __future__ import annotations

import io
import socket
import time

from apps.storage import errors
from apps.storage.cos.curl import TransportFailure
from apps.storage.cos.wire import on_wire

HEAD_BYTES_MAX = 256 << 10


class Received:
    """Collects an answer from libcurl's callbacks.

    The clock starts anew with each status line, because an interim answer may come long before the final
    one. A callback that refuses returns 0, and keeps the reason as `problem`.
    """

    def __init__(self, *, bytes_max: int, patience_s: float) -> None:
        self.problem: errors.StorageError | None = None
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._left = bytes_max
        self._head_left = HEAD_BYTES_MAX
        self._patience_s = patience_s
        self._until = 0.0

    @property
    def head(self) -> bytes:
        """The header lines so far, of interim answers and trailers, too."""
        return b"".join(self._head)

    @property
    def body(self) -> bytes:
        """The bytes of the body so far."""
        return b"".join(self._body)

    def header(self, line: bytes) -> int:
        """Take one header line; libcurl goes on when all of it is taken."""
        self._head_left -= len(line)
        if line.startswith(b"HTTP/"):
            self._until = time.monotonic() + self._patience_s
        if self._is_too_much(self._head_left):
            return 0
        self._head.append(line)
        return len(line)

    def write(self, data: bytes) -> int:
        """Take a piece of the body; libcurl goes on when all of it is taken."""
        self._left -= len(data)
        if self._is_too_much(self._left):
            return 0
        self._body.append(data)
        return len(data)

    def _is_too_much(self, left: int) -> bool:
        if left < 0:
            self.problem = too_large()
        elif time.monotonic() > self._until:
            self.problem = too_slow(self._patience_s)
        return self.problem is not None


class BoundedReader(io.RawIOBase):
    """The receiving side of a socket, for `http.client`, which itself reads whatever it is sent.

    Raises TransportFailure beyond `bytes_max` or after `patience_s`, WireBroken when the connection breaks.
    """

    def __init__(self, sock: socket.socket, *, bytes_max: int, patience_s: float) -> None:
        self._sock = sock
        self._left = bytes_max
        self._patience_s = patience_s
        self._until = time.monotonic() + patience_s

    def readable(self) -> bool:
        """Return that this is for reading."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Receive into `buffer` and return how many bytes came."""
        if self._left <= 0:
            raise TransportFailure(too_large(), was_sent=True)
        if time.monotonic() > self._until:
            raise TransportFailure(too_slow(self._patience_s), was_sent=True)
        count = on_wire(self._sock.recv_into, memoryview(buffer)[: self._left])
        self._left -= count
        return count


def too_large() -> errors.Unavailable:
    """Return what an answer without an end is."""
    return errors.Unavailable("The store's answer is larger than any answer should be.")


def too_slow(patience_s: float) -> errors.Unavailable:
    """Return what an answer is that trickles in."""
    return errors.Unavailable(f"The store did not finish its answer within {patience_s:g} s.")
