"""Throws bytes at the store and judges what comes back: a proper answer, or the end of the connection."""

from __future__ import annotations

import socket
import threading
import time
from xml.etree import ElementTree

from tests.localstore.wire import Reply

CHILDREN = ("Code", "Message", "Resource", "RequestId", "TraceId")
# A server that is still silent after this has hung.
PATIENCE_S = 20


def thrown(port: int, raw: bytes) -> bytes:
    """Send `raw`, then the end, and return everything that comes back until the store ends too."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as sock:
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            # The store has had enough before all of it was sent; what it said is still there to read.
            pass
        received = b""
        try:
            while piece := sock.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


def replies_of(received: bytes, *, bodiless: bool = False) -> list[Reply]:
    """Return the answers in `received`; fails on a byte that belongs to none."""
    replies = []
    while received:
        head, mark, received = received.partition(b"\r\n\r\n")
        assert mark, head
        line, *rest = head.decode("latin-1").split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = [(name, value.strip(" \t")) for name, _, value in (row.partition(":") for row in rest)]
        if status == "100":
            continue
        length = 0 if bodiless or status in ("204", "304") else _length(fields, received)
        assert len(received) >= length
        replies.append(Reply(int(status), fields, received[:length]))
        received = received[length:]
    return replies


def _length(fields: list[tuple[str, str]], rest: bytes) -> int:
    """Return how many bytes the body takes; a chunked one, which only successes have, takes all."""
    lengths = [value for name, value in fields if name == "Content-Length"]
    if not lengths:
        assert ("Transfer-Encoding", "chunked") in fields
        return len(rest)
    assert len(lengths) == 1
    return int(lengths[0])


def judge(reply: Reply, *, bodiless: bool = False) -> None:
    """Fail unless the answer is a success, or a refusal with an error document that says everything."""
    assert reply.status < 500 or reply.status == 501, reply
    for name, value in reply.headers:
        assert name, reply.headers
        assert not any(char in name + value for char in "\r\n\0"), reply.headers
    if bodiless or reply.status < 400:
        return
    root = ElementTree.fromstring(reply.body)
    assert root.tag == "Error"
    assert all(root.findtext(name) for name in CHILDREN), reply.body


def wait_for_threads(before: int) -> None:
    """Fail unless the store's threads are back to `before` once nobody is connected."""
    until = time.monotonic() + PATIENCE_S
    while store_threads() > before:
        assert time.monotonic() < until, "A connection's thread did not end."
        time.sleep(0.02)


def store_threads() -> int:
    """Return how many connections the stores of this process serve."""
    return sum(thread.name == "localstore" for thread in threading.enumerate())
