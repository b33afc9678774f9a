"""Store and forward, the design that slices compete with: the whole file to disk first, then to the store."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.as_sdk import sdk_upload

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

READ_SIZE = 1024 * 1024
STORE = json.loads(os.environ["BENCH_STORE"])
FOLDER = Path(os.environ["BENCH_FOLDER"])


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Take `PUT /<key>` whole, then upload it with the official SDK."""
    if environ["REQUEST_METHOD"] == "PUT":
        path = FOLDER / secrets.token_hex(8)
        try:
            _receive(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]), path)
            sdk_upload(STORE, key=environ["PATH_INFO"][1:], file=str(path))
        finally:
            path.unlink(missing_ok=True)
    start_response("200 OK", [("Content-Length", "0")])
    return []


def _receive(body: InputStream, length: int, path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while length:
            data = body.read(min(READ_SIZE, length))
            if not data:
                raise ConnectionError("the body ended too early")
            file.write(data)
            length -= len(data)
