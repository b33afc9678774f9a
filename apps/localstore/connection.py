"""One connection: read a request, answer it, and again until one side has had enough."""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable

from apps.localstore.bodies import HEAD_LIMIT, Body, Channel
from apps.localstore.early import EarlyAnswer, Pulse, chunk
from apps.localstore.engine import Engine, Source
from apps.localstore.errors import ConnectionDropped, StoreError
from apps.localstore.farewells import Farewells
from apps.localstore.pacing import Pacer
from apps.localstore.request import Request, body_length, parse_head
from apps.localstore.responses import Response, head_bytes, refusal_bytes

logger = logging.getLogger(__name__)
DRAIN_LIMIT = 1024 * 1024
DRIP_SIZE = 4096
Answer = Callable[[Request, Body, EarlyAnswer], Response]


class Connection:
    """A socket with its thread's state. `idle_since` is monotonic, and None while a request runs."""

    def __init__(
        self,
        sock: socket.socket,
        answer: Answer,
        engine: Engine,
        pulse: Pulse,
        farewells: Farewells,
        *,
        timeout_s: float,
        stopping: threading.Event,
    ) -> None:
        self.idle_since: float | None = time.monotonic()
        self.upload_pacers: tuple[Pacer, ...] = ()
        self._sock = sock
        self._answer = answer
        self._engine = engine
        self._pulse = pulse
        self._farewells = farewells
        self._is_left = False
        self._timeout_s = timeout_s
        self._stopping = stopping
        self._channel = Channel(sock)

    def run(self) -> None:
        """Serve requests until the connection ends, then close it."""
        _tune(self._sock, self._timeout_s)
        try:
            while not self._stopping.is_set() and self._serve():
                self.idle_since = time.monotonic()
        except (ConnectionDropped, OSError):
            pass
        finally:
            self._channel.release()
            if self._is_left:
                self._farewells.say(self._sock)
            else:
                self._sock.close()

    def end(self) -> None:
        """Wake the thread from whatever it waits for; callable from any thread."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _serve(self) -> bool:
        """Handle one request; tell whether another may follow."""
        deadline = time.monotonic() + self._timeout_s
        raw: bytes | None = None
        try:
            raw = self._channel.read_until(b"\r\n\r\n", HEAD_LIMIT, deadline=deadline)
            if raw is None:
                return False
            self.idle_since = None
            raw = raw.lstrip(b"\r\n")
            request = parse_head(raw)
            length = body_length(request)
        except StoreError as error:
            return self._refuse(error, bodiless=raw is not None and raw.startswith(b"HEAD "))
        waits = request.takes_chunks and request.headers.get("expect").lower() == "100-continue"
        body = Body(self._channel, length=length, pacers=self.upload_pacers, waits=waits)
        early = EarlyAnswer(
            self._sock,
            self._pulse if request.takes_chunks else None,
            may_stay=lambda: request.keep_alive and body.finished,
        )
        response = self._answer(request, body, early)
        with response.held:
            if early.is_sent:
                self._send_bytes(b"", early.rest_of(response), response.bytes_per_second)
                return (early.keeps and not response.closes) or self._leave(body)
            keep = request.keep_alive and not response.closes and self._drain(body, response)
            self._send(request, response, keep)
        return keep or self._leave(body)

    def _refuse(self, error: StoreError, *, bodiless: bool) -> bool:
        """Answer something that is no request; an idle connection just ends."""
        if error.code == "RequestTimeout" and self._channel.is_empty():
            return False
        self._sock.sendall(refusal_bytes(error, bodiless=bodiless))
        return self._leave(None)

    def _drain(self, body: Body, response: Response) -> bool:
        """Read what the operation left unread; False when that is too much or not coming."""
        if body.finished:
            return True
        if body.waits or body.length is None or body.length > DRAIN_LIMIT:
            return False
        try:
            for _ in body.pieces(DRAIN_LIMIT):
                pass
        except StoreError:
            return False
        return True

    def _leave(self, body: Body | None) -> bool:
        """End so that the peer reads the answer first, when it may still be sending."""
        self._is_left = body is None or not body.finished
        return False

    def _send(self, request: Request, response: Response, keep: bool) -> None:
        bodiless = request.method == "HEAD" or response.status in (204, 304)
        headers = list(response.headers)
        chunked = response.chunked and request.takes_chunks
        if chunked and not bodiless:
            headers.append(("Transfer-Encoding", "chunked"))
        elif response.status != 204:
            headers.append(("Content-Length", "0" if response.status == 304 else str(response.length)))
        head = head_bytes(response.status, headers, keep=keep)
        if bodiless:
            self._sock.sendall(head)
        elif response.source is not None:
            self._sock.sendall(head, socket.MSG_MORE if response.size else 0)
            self._send_source(response.source, response.bytes_per_second)
        else:
            body = chunk(response.body) + b"0\r\n\r\n" if chunked else response.body
            self._send_bytes(head, body, response.bytes_per_second)

    def _send_bytes(self, head: bytes, body: bytes, bytes_per_second: float) -> None:
        if not bytes_per_second:
            self._sock.sendall(head + body)
            return
        self._sock.sendall(head)
        pacer = Pacer(bytes_per_second, self._stopping)
        # About fifty pieces a second, so that a fast pace does not cost a system call per few bytes.
        step = max(DRIP_SIZE, int(bytes_per_second / 50))
        for start in range(0, len(body), step):
            pacer.spend(min(step, len(body) - start))
            self._sock.sendall(body[start : start + step])

    def _send_source(self, source: Source, bytes_per_second: float) -> None:
        if bytes_per_second:
            for piece in self._engine.pieces(source):
                self._send_bytes(b"", piece, bytes_per_second)
            return
        for segment in source.segments:
            data = source.inline.get(segment.blob)
            if data is not None:
                self._sock.sendall(data[segment.offset : segment.offset + segment.size])
                continue
            descriptor = self._blob_open(segment.blob)
            try:
                self._sendfile(descriptor, segment.offset, segment.size)
            finally:
                os.close(descriptor)

    def _blob_open(self, blob_id: str) -> int:
        path = self._engine.blobs.path(blob_id)
        try:
            return os.open(path, os.O_RDONLY)
        except FileNotFoundError as error:
            logger.exception("The bytes of an object are gone", extra={"blob": str(path)})
            raise ConnectionDropped from error

    def _sendfile(self, descriptor: int, offset: int, size: int) -> None:
        while size:
            sent = os.sendfile(self._sock.fileno(), descriptor, offset, size)
            if not sent:
                raise ConnectionDropped
            offset, size = offset + sent, size - sent


def _tune(sock: socket.socket, timeout_s: float) -> None:
    """Set timeouts in the kernel: a blocking socket needs one system call per read, not two."""
    sock.settimeout(None)
    seconds = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
