"""A server that understands nothing: it writes down what it is sent and answers what it is told to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

Step = bytes | Callable[[socket.socket], None]


@dataclass(frozen=True)
class Seen:
    """One request, byte for byte as far as it matters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target up to its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """Decoded query parameters; a bare name has the value "", a plus sign is a blank."""
        fields = (pair.partition("=") for pair in self.target.partition("?")[2].split("&") if pair)
        return {unquote_plus(name): unquote_plus(value) for name, _, value in fields}

    @property
    def authorization(self) -> dict[str, str]:
        """The fields of the signature."""
        return dict(pair.partition("=")[::2] for pair in self.headers.get("authorization", "").split("&"))


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole answer. Header names have underscores for hyphens."""
    fields = {"x_cos_request_id": "RECORDED", "Content_Length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def unnumbered(answer: bytes) -> bytes:
    """Return an answer without the store's id of the request, as a proxy gives it."""
    return answer.replace(b"x-cos-request-id: RECORDED\r\n", b"")


def drop(connection: socket.socket) -> None:
    """Close without an answer."""
    # Closing alone would wait for the reader that shares the descriptor.
    connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Recorder:
    """Answers from `steps` first, then by `answer` if there is one, else `default`.

    `before_body` steps come before a body is read. A client that asks first gets its `100 Continue`, unless
    such a step says something else.
    """

    default: bytes = field(default_factory=reply)
    steps: deque[Step] = field(default_factory=deque)
    before_body: deque[Step] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None
    answer: Callable[[Seen], bytes] | None = None

    def __enter__(self) -> Recorder:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            _shut(connection)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection, connection.makefile("rb") as reader:
                while self._exchange(connection, reader):
                    pass
        except (OSError, ValueError):
            return

    def _exchange(self, connection: socket.socket, reader: object) -> bool:
        line = reader.readline().decode()
        if not line:
            return False
        method, _, rest = line.partition(" ")
        headers = _headers(reader)
        if self.before_body:
            _take(self.before_body.popleft(), connection)
        elif headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _body(reader, headers)
        self.seen.append(Seen(method, rest.rpartition(" ")[0], headers, body))
        _take(self._next_step(), connection)
        return True

    def _next_step(self) -> Step:
        if self.steps:
            return self.steps.popleft()
        return self.answer(self.seen[-1]) if self.answer is not None else self.default


def _take(step: Step, connection: socket.socket) -> None:
    if isinstance(step, bytes):
        connection.sendall(step)
    else:
        step(connection)


def _headers(reader: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode().partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _body(reader: object, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
        return body
    return reader.read(int(headers.get("content-length", 0)))


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
