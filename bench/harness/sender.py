"""A lean HTTP sender: the kernel moves the bytes, so that the sender is not what is measured."""

from __future__ import annotations

import http.client
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from itertools import count
from pathlib import Path
from typing import Any

from harness import procfs

UNIT = 256 * 1024
BURST_S = 0.05


@dataclass(frozen=True)
class Piece:
    """Bytes of the file, and where they go."""

    target: str
    offset: int
    length: int


class Pacer:
    """A link with a speed limit, shared by all connections; 0 is unlimited."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def spend(self, size: int) -> None:
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - BURST_S) + size / self._rate
            wait = self._free_at - now
        if wait > 0:
            time.sleep(wait)


class Sender:
    """Sends pieces of one file over keep-alive connections. `held_back` counts answers of 503.

    `aim` gives a piece its target at the last moment, and `on_stored` gets the answer's headers.
    """

    def __init__(
        self,
        *,
        port: int,
        file: Path,
        headers: Mapping[str, str] | None = None,
        bytes_per_second: float = 0.0,
        per_second: float = 0.0,
        aim: Callable[[Piece], Piece] | None = None,
        on_stored: Callable[[Piece, Message], None] | None = None,
    ) -> None:
        self._aim = aim
        self._on_stored = on_stored
        self._port = port
        self._file = file
        self._headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        self._pacer = Pacer(bytes_per_second)
        self._unit = UNIT if bytes_per_second else 1 << 30
        self._turns = Pacer(per_second)
        self._next = count()
        self._failure: BaseException | None = None
        self.held_back = 0

    def send(self, pieces: Sequence[Piece], *, connections: int) -> None:
        """Send all pieces, first come first served. Raises the first failure."""
        threads = [threading.Thread(target=self._work, args=(pieces,)) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self, pieces: Sequence[Piece]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        try:
            with self._file.open("rb") as file:
                while self._failure is None and (number := next(self._next)) < len(pieces):
                    self._turns.spend(1)
                    self._deliver(connection, file.fileno(), pieces[number])
        except BaseException as failure:
            self._failure = failure
        finally:
            connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, fd: int, piece: Piece) -> None:
        piece = self._aim(piece) if self._aim else piece
        while True:
            response = self._put(connection, fd, piece)
            answer = response.read()
            if response.status < 300:
                if self._on_stored:
                    self._on_stored(piece, response.headers)
                return
            if response.status != 503:
                raise RuntimeError(f"{response.status} for {piece.target[:80]}: {answer[:300]!r}")
            self.held_back += 1
            time.sleep(float(response.headers.get("Retry-After", "1")))

    def _put(self, connection: http.client.HTTPConnection, fd: int, piece: Piece) -> http.client.HTTPResponse:
        connection.putrequest("PUT", piece.target, skip_host="Host" in self._headers)
        for name, value in self._headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(piece.length))
        connection.endheaders()
        offset, end = piece.offset, piece.offset + piece.length
        while offset < end:
            unit = min(self._unit, end - offset)
            self._pacer.spend(unit)
            offset += os.sendfile(connection.sock.fileno(), fd, offset, unit)
        return connection.getresponse()


class Clock:
    """Wall and CPU seconds of this process since the clock was made."""

    def __init__(self) -> None:
        self._wall = time.monotonic()
        self._cpu = _cpu_s()

    def result(self, **more: Any) -> dict[str, Any]:
        return {
            "begun_at": self._wall,
            "wall_s": time.monotonic() - self._wall,
            "cpu_s": _cpu_s() - self._cpu,
            "peak_bytes": procfs.peak_bytes(os.getpid()),
            **more,
        }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Send the pieces of a spec: file, port, pieces, connections, and optionally headers and speeds."""
    spec = json.load(sys.stdin)
    sender = Sender(
        port=spec["port"],
        file=Path(spec["file"]),
        headers=spec.get("headers"),
        bytes_per_second=spec.get("bytes_per_second", 0.0),
        per_second=spec.get("per_second", 0.0),
    )
    pieces = [Piece(*piece) for piece in spec["pieces"]]
    clock = Clock()
    sender.send(pieces, connections=spec["connections"])
    print(json.dumps(clock.result(held_back=sender.held_back)))


if __name__ == "__main__":
    main()
