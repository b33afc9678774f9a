"""A store that knows its answers by heart: cheap enough that the client is what is measured.

It checks no signature, and bodies are read and thrown away: their CRC-64 it was told beforehand. It speaks
COS, and S3 to boto3.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl

from harness import canned_texts as texts

HEAD_BYTES_MAX = 64 << 10
BUFFER_SIZE = 256 << 10
DATE = "Fri, 07 Aug 2026 12:00:00 GMT"


@dataclass
class Asked:
    """One request, its body thrown away."""

    method: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_copy(self) -> bool:
        return any(name.endswith("-copy-source") for name in self.headers)


@dataclass
class Answered:
    """One answer. `length` is announced instead of the body's, for a HEAD."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    status: str = "200 OK"
    length: int | None = None

    def wire(self) -> bytes:
        length = len(self.body) if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status}", f"Content-Length: {length}", f"Date: {DATE}"]
        lines += ["Server: canned", "x-cos-request-id: NjZhMDAwMDBfY2FubmVk", "Content-Type: application/xml"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class CannedStore:
    """The answers: a listing of `keys` keys, and one object of `size` bytes, whatever its name.

    `crc` is the object's CRC-64, `part_crcs` those of its parts, all 0 for a copy. An upload is complete with
    as many parts as these, and not with others.
    """

    def __init__(self, *, keys: int, size: int = 0, crc: int = 0, part_crcs: Sequence[int] = ()) -> None:
        self._pages = texts.Pages(keys)
        self._acl = Answered(texts.ACL).wire()
        self._size = size
        self._crc = crc
        self._part_crcs = part_crcs
        self._seen: set[int] = set()

    def answer(self, asked: Asked) -> bytes:
        query = asked.query
        if asked.method == "GET":
            return self._acl if "acl" in query else self._listed(query).wire()
        if asked.method == "HEAD":
            return Answered(headers=_digests(self._crc), length=self._size).wire()
        if asked.method == "DELETE":
            return Answered(status="204 No Content").wire()
        return (self._part(asked) if "partNumber" in query else self._upload(asked)).wire()

    def _listed(self, query: dict[str, str]) -> Answered:
        if "uploads" in query:
            return Answered(texts.UPLOADS.encode())
        return Answered(self._pages.page(query.get("marker") or query.get("continuation-token") or ""))

    def _part(self, asked: Asked) -> Answered:
        number = int(asked.query["partNumber"])
        self._seen.add(number)
        if asked.is_copy:
            return Answered(texts.COPIED.format(etag=f"{number:032x}").encode())
        return Answered(headers=_digests(self._part_crcs[number - 1]))

    def _upload(self, asked: Asked) -> Answered:
        if asked.method == "PUT":
            return Answered(headers=_digests(self._crc))
        if "uploads" in asked.query:
            self._seen.clear()
            return Answered(texts.INITIATED.encode())
        if len(self._seen) != len(self._part_crcs):
            return Answered(status="400 Bad Request")
        return Answered(
            texts.COMPLETED.format(etag=f"{self._crc:032x}").encode(), headers=_digests(self._crc)
        )


def _digests(crc: int) -> dict[str, str]:
    return {"ETag": f'"{crc:032x}"', "x-cos-hash-crc64ecma": str(crc)}


class Connection:
    """One kept connection: gathers a request from what arrives."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._rest = b""
        self._asked: Asked | None = None
        self._left = 0

    def read(self, buffer: memoryview) -> Asked | None:
        """Read once; return a request that is complete with it. Raises ConnectionError at the end."""
        if self._asked is not None:
            return self._skip(self.sock.recv_into(buffer, min(self._left, len(buffer))))
        data = self.sock.recv(HEAD_BYTES_MAX)
        if not data:
            raise ConnectionError
        head, end, body = (self._rest + data).partition(b"\r\n\r\n")
        self._rest = b"" if end else head
        return self._begin(head, body) if end else None

    def _begin(self, head: bytes, body: bytes) -> Asked | None:
        first, _, lines = head.partition(b"\r\n")
        method, target, _ = first.decode().split(" ")
        asked = Asked(method, _query(target.partition("?")[2]))
        if method in ("GET", "HEAD", "DELETE"):
            return asked
        asked.headers = _headers(lines)
        if asked.headers.get("expect"):
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(asked.headers.get("content-length", "0"))
        if len(body) == length:
            return asked
        self._asked, self._left = asked, length
        return self._skip(len(body)) if body else None

    def _skip(self, size: int) -> Asked | None:
        if not size:
            raise ConnectionError
        self._left -= size
        if self._left:
            return None
        asked, self._asked = self._asked, None
        return asked


@lru_cache(maxsize=64)
def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _headers(lines: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines.decode("latin-1").split("\r\n"))
    return {name.lower(): value.strip() for name, _, value in pairs}


class Server:
    """One thread for all connections: waking a thread per answer would cost more than the answer."""

    def __init__(self, port: int, store: CannedStore, *, delay_s: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._store = store
        self._delay_s = delay_s
        self._buffer = memoryview(bytearray(BUFFER_SIZE))
        self._connections: dict[int, Connection] = {}
        self._delayed: deque[tuple[float, Connection, bytes]] = deque()
        self._poll = select.epoll()
        self._poll.register(self._listener.fileno(), select.EPOLLIN)

    def serve(self) -> None:
        while True:
            # epoll alone would round the wait up to whole milliseconds.
            select.select([self._poll], [], [], self._wait_s())
            for fd, _ in self._poll.poll(0):
                if fd == self._listener.fileno():
                    self._accept()
                else:
                    self._serve(fd, self._connections[fd])
            self._answer_delayed()

    def _wait_s(self) -> float | None:
        return max(0.0, self._delayed[0][0] - time.monotonic()) if self._delayed else None

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        self._connections[sock.fileno()] = Connection(sock)
        self._poll.register(sock.fileno(), select.EPOLLIN)

    def _serve(self, fd: int, connection: Connection) -> None:
        try:
            asked = connection.read(self._buffer)
            if asked is None:
                return
            wire = self._store.answer(asked)
            if not self._delay_s:
                return connection.sock.sendall(wire)
            self._delayed.append((time.monotonic() + self._delay_s, connection, wire))
        except ConnectionError:
            self._connections.pop(fd).sock.close()

    def _answer_delayed(self) -> None:
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, connection, wire = self._delayed.popleft()
            with suppress(OSError):
                connection.sock.sendall(wire)


def main() -> None:
    spec = json.loads(sys.argv[1])
    port, delay_s = spec.pop("port"), spec.pop("delay_s")
    Server(port, CannedStore(**spec), delay_s=delay_s).serve()


if __name__ == "__main__":
    main()
