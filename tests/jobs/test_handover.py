"""Open pages on the real web server: more of them than it has threads, and it serves on."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings import free_port

ROOT = Path(__file__).resolve().parents[2]
THREADS = 2
PAGES = 12
PATIENCE_S = 20.0
APPLICATION = """
from apps.jobs import handover
from apps.jobs.outbox import Outbox
from apps.jobs.writer import Writer

writer, outboxes = Writer(), {}


def application(environ, start_response):
    name = environ["PATH_INFO"]
    if name == "/say":
        for key, outbox in list(outboxes.items()):
            outbox.put("1", b"news for " + key.encode() + b";")
    if name.startswith("/page/"):
        assert handover.is_possible(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        sock, far_end = handover.socket_take(environ)
        outboxes[name] = Outbox()
        head = b"HTTP/1.1 200 OK\\r\\n\\r\\n"
        writer.add(sock, outboxes[name], head=head, on_close=lambda: outboxes.pop(name))
        return handover.Nowhere(Body(), far_end)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(outboxes)).encode()]


class Body:
    def close(self):
        pass
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    (tmp_path / "pages.py").write_text(APPLICATION)
    port = free_port()
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "console/gunicorn.py"), "pages:application"],
        cwd=tmp_path,
        env={
            **os.environ,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WEB_THREADS": str(THREADS),
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "LOG_LEVEL": "debug",
            # A page that is open counts as none, or so many would be the end.
            "GUNICORN_CMD_ARGS": "--worker-connections=8",
        },
        stdout=log,
        stderr=log,
    )
    try:
        until_it_answers(port, process)
        yield port, process
    finally:
        process.kill()
        process.wait()
        log.close()


def until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    pytest.fail("The web server did not start.")


def page_open(port: int, name: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", name, headers={"Connection": "close"})
    return connection.getresponse()


def ask(port: int, path: str) -> bytes:
    with page_open(port, path) as response:
        return response.read()


def until_open(port: int, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while ask(port, "/") != b"%d" % count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_more_pages_than_threads_are_open_and_the_server_serves(
    server: tuple[int, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    port, process = server
    names = [f"/page/{number}" for number in range(PAGES)]
    pages = {name: page_open(port, name) for name in names}

    assert ask(port, "/say") == b"%d" % PAGES
    for name, response in pages.items():
        expected = f"news for {name};".encode()
        assert response.read(len(expected)) == expected

    for response in list(pages.values())[1:]:
        response.close()
    until_open(port, 1)

    # The page that is still open does not keep the server from going.
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert pages[names[0]].read() == b""
    pages[names[0]].close()
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log, log
