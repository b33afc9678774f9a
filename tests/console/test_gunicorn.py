"""The web server's own limits, asked of the real server with a bare application behind it."""

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

APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(environ["QUERY_STRING"])).encode()]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "bare.py").write_text(APPLICATION)
    port = free_port()
    configuration = Path("console/gunicorn.py").resolve()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", str(configuration), "bare:application"],
        cwd=tmp_path,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert process.poll() is None
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait()


def test_long_keys_fit_into_an_address(server: int, tmp_path: Path) -> None:
    # Two keys of 850 bytes, and a third in an address that is a parameter itself.
    query = f"key={'%E4' * 850}&to={'%E4' * 850}&next={'%25E4' * 850}"

    connection = http.client.HTTPConnection("127.0.0.1", server)
    connection.request("GET", f"/?{query}")
    answer = connection.getresponse()

    assert answer.status == 200
    assert answer.read() == str(len(query)).encode()
    connection.close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["bare.py"]


def test_endless_addresses_are_refused(server: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server)
    connection.request("GET", f"/?{'x' * 33 * 1024}")
    answer = connection.getresponse()

    # 414 would say it better; gunicorn has one answer for all that is too large.
    assert 400 <= answer.status < 500
    connection.close()
