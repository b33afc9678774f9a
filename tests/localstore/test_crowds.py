"""More connections than the store has room or threads for: refused with an answer, and served again after."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.localstore import LocalStore, Tuning
from apps.localstore.farewells import Farewells
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.wire import Wire, authorization

# More than a process can address, so that no thread can be started.
ENDLESS_STACK = 1 << 47


@contextmanager
def without_threads() -> Iterator[None]:
    before = threading.stack_size(ENDLESS_STACK)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_shortage_of_threads_passes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        with without_threads():
            for _ in range(3):
                with Wire(store.port, OWNER) as refused:
                    assert refused.reply("GET").status == 503

        with Wire(store.port, OWNER) as wire:
            assert wire.call("PUT", "/").status == 200
    finally:
        store.stop()
    assert "A connection could not be served" in caplog.text


def write_begun(wire: Wire, key: str) -> None:
    """Occupy a connection with a write whose body does not come; until it has begun it counts as idle."""
    headers = {"Host": wire.host, "Content-Length": "100000", "Expect": "100-continue"}
    headers["Authorization"] = authorization(OWNER, "PUT", key, headers)
    wire.sock.sendall(wire.head_bytes("PUT", key, headers))
    assert wire.reply("PUT").status == 100
    wire.sock.sendall(b"x")


def test_writers_above_the_limit_read_their_refusal(folder: Path) -> None:
    store = LocalStore(data=folder, accounts=[OWNER], tuning=Tuning(max_connections=1))
    store.start()
    busy = Wire(store.port, OWNER)
    try:
        busy.call("PUT", "/")
        write_begun(busy, "/busy")
        answers = []
        for _ in range(60):
            client = http.client.HTTPConnection("127.0.0.1", store.port, timeout=20)
            client.request("PUT", "/k", bytes(300_000), {"Host": busy.host})
            answers.append(client.getresponse().status)
            client.close()
    finally:
        busy.close()
        store.stop()
    assert set(answers) == {503}


def test_refusal_waits_for_a_slow_sender(connect: Connect) -> None:
    wire = connect(None)
    wire.sock.sendall(wire.head_bytes("PUT", "/k", {"Host": wire.host, "Content-Length": "3000000"}))

    for _ in range(26):
        wire.sock.sendall(bytes(20_000))
        time.sleep(0.1)

    assert wire.reply("PUT").code == "AccessDenied"


@contextmanager
def farewells(**options: Any) -> Iterator[Farewells]:
    running = Farewells(**options)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def seconds_until_gone(peer: socket.socket, *, pause_s: float) -> float:
    """Return how long a peer could send a byte every `pause_s` seconds."""
    begun = time.monotonic()
    while time.monotonic() < begun + 20:
        time.sleep(pause_s)
        try:
            peer.send(b"x")
        except OSError:
            return time.monotonic() - begun
    pytest.fail("The connection was never closed.")


def test_silent_peer_is_left() -> None:
    ours, theirs = socket.socketpair()
    with farewells(silence_s=0.1) as running, theirs:
        running.say(ours, b"bye")

        assert theirs.recv(10) == b"bye"
        assert seconds_until_gone(theirs, pause_s=0.8) < 20


def test_peer_who_never_stops_is_left() -> None:
    ours, theirs = socket.socketpair()
    with farewells(whole_s=0.4) as running, theirs:
        running.say(ours)

        assert seconds_until_gone(theirs, pause_s=0.05) >= 0.4


def test_peers_beyond_the_limit_are_left_at_once() -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    with farewells(most=2) as running:
        for ours, _ in pairs:
            running.say(ours)

        assert [ours.fileno() == -1 for ours, _ in pairs] == [False, False, True]
        pairs[0][1].close()
        until = time.monotonic() + 20
        while pairs[0][0].fileno() != -1:
            assert time.monotonic() < until
            time.sleep(0.02)
        ours, theirs = socket.socketpair()
        running.say(ours)
        assert ours.fileno() != -1
    assert ours.fileno() == -1
    for peer in (theirs, pairs[1][1], pairs[2][1]):
        peer.close()
