"""A store that knows its answers by heart: cheap enough that the client is what is measured.

It checks no signature and keeps no byte. It speaks COS, and S3 to boto3. Bodies are read into one buffer, and
their CRC-64 is what a part and an upload are answered with, as COS does.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from urllib.parse import parse_qsl

from fastcrc import crc64

from apps.storage.digest import crc64_combine_parts
from harness import canned_texts as texts

UNIT = 256 * 1024
DATE = "Fri, 07 Aug 2026 12:00:00 GMT"


@dataclass
class Asked:
    """One request, its body read and digested."""

    method: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    digest: tuple[int, int] = (0, 0)

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
    """The answers. `source` is (size, CRC-64) of every object that is looked at or copied from."""

    def __init__(self, *, keys: int, source: tuple[int, int]) -> None:
        self._pages = texts.Pages(keys)
        self._acl = Answered(texts.ACL).wire()
        self._source = source
        self._upload_ids = count(1)
        self._parts: dict[str, dict[int, tuple[int, int]]] = {}

    def answer(self, asked: Asked) -> bytes:
        query = asked.query
        if asked.method == "GET":
            return self._acl if "acl" in query else self._listed(query).wire()
        if asked.method == "HEAD":
            size, crc = self._source
            return Answered(headers=_digests(crc), length=size).wire()
        if asked.method == "DELETE":
            self._parts.pop(query.get("uploadId", ""), None)
            return Answered(status="204 No Content").wire()
        return (self._part(asked) if "partNumber" in query else self._upload(query)).wire()

    def _listed(self, query: dict[str, str]) -> Answered:
        if "uploads" in query:
            return Answered(texts.UPLOADS.encode())
        return Answered(self._pages.page(query.get("marker") or query.get("continuation-token") or ""))

    def _part(self, asked: Asked) -> Answered:
        number = int(asked.query["partNumber"])
        if asked.is_copy:
            return Answered(texts.COPIED.format(etag=f"{number:032x}").encode())
        self._parts[asked.query["uploadId"]][number] = asked.digest
        return Answered(headers=_digests(asked.digest[0]))

    def _upload(self, query: dict[str, str]) -> Answered:
        if "uploads" in query:
            upload_id = f"canned-{next(self._upload_ids)}"
            self._parts[upload_id] = {}
            return Answered(texts.INITIATED.format(upload_id=upload_id).encode())
        parts = self._parts.pop(query["uploadId"])
        # Nothing was sent for a copy, whose bytes are the source's.
        crc = crc64_combine_parts(parts[number] for number in sorted(parts)) if parts else self._source[1]
        return Answered(texts.COMPLETED.format(etag=f"{crc:032x}").encode(), headers=_digests(crc))


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
        size = self.sock.recv_into(buffer)
        if not size:
            raise ConnectionError
        if self._asked is not None:
            return self._digest(buffer[:size])
        head, end, body = (self._rest + buffer[:size]).partition(b"\r\n\r\n")
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
        self._asked, self._left = asked, int(asked.headers.get("content-length", "0"))
        return self._digest(body)

    def _digest(self, data: bytes | memoryview) -> Asked | None:
        asked = self._asked
        assert asked is not None
        crc, length = asked.digest
        asked.digest = (crc64.xz(data, crc), length + len(data))
        self._left -= len(data)
        if self._left:
            return None
        self._asked = None
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
        self._buffer = memoryview(bytearray(UNIT))
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
    store = CannedStore(keys=spec["keys"], source=(spec["source_size"], spec["source_crc64"]))
    Server(spec["port"], store, delay_s=spec["delay_s"]).serve()


if __name__ == "__main__":
    main()
