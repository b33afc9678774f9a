"""A WSGI application for gunicorn that reads bodies as the receiver does, and can only read them so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import django

django.setup()

from apps.storage.digest import crc64_update  # noqa: E402 - needs the apps loaded
from apps.transfers import receiver  # noqa: E402


def _refuse(read: Callable[[int], bytes], length: int) -> Iterator[memoryview]:
    raise AssertionError("gunicorn's socket was not found")


receiver._standard_body = _refuse
receiver.STALLED_S = 0.5


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    crc = 0
    try:
        for view in receiver._body_of(environ, int(environ.get("CONTENT_LENGTH") or 0)):
            crc = crc64_update(view, crc)
    except OSError:
        crc = -1
    answer = str(crc).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
