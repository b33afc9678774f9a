"""The receiver takes bodies from gunicorn's own socket; these hold what it relies on there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.storage.digest import crc64_update
from tests.settings import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    options = ["-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}", "--no-control-socket"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "tests.transfers.body_app:application"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until, "gunicorn did not start"
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(15)


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        yield line


def head(length: int) -> bytes:
    return f"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def answer(line: socket.socket) -> int:
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(1)
    length = int(said.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += line.recv(length - len(body))
    return int(body)


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 3 * 1024 * 1024 + 5])
def test_body_sent_with_its_head_arrives_whole(line: socket.socket, size: int) -> None:
    body = os.urandom(size)

    line.sendall(head(size) + body)

    assert answer(line) == crc64_update(body)


def test_requests_that_follow_each_other_stay_apart(line: socket.socket) -> None:
    first, second = os.urandom(100_000), b"second"

    line.sendall(head(len(first)) + first + head(len(second)) + second)

    assert answer(line) == crc64_update(first)
    assert answer(line) == crc64_update(second)


def test_body_in_drops_arrives_whole(line: socket.socket) -> None:
    body = os.urandom(1000)
    line.sendall(head(len(body)))
    for start in range(0, len(body), 100):
        line.sendall(body[start : start + 100])
        time.sleep(0.01)

    assert answer(line) == crc64_update(body)


def test_connection_that_stalls_is_not_used_again(line: socket.socket) -> None:
    line.sendall(head(1000) + b"x" * 10)
    time.sleep(0.2)
    line.sendall(b"y" * 10)

    assert answer(line) == -1
    assert line.recv(1) == b""
