"""Lead a Python client to the store while it believes to speak to the service.

Loaded from outside (`pytest -p tests.clients.redirect`), with the store's port in the environment as
COS_STORE_PORT. The client keeps the service's host names, so that bucket, region and signature are read from
them as in the cloud; only where the bytes go, and that they go without TLS, is changed here.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

PORT = int(os.environ["COS_STORE_PORT"])
SUFFIXES = (".myqcloud.com", ".tencentcos.cn")
LONGEST_PAUSE_S = 0.01

_resolve = socket.getaddrinfo
_send = HTTPAdapter.send
_sleep = time.sleep


def _resolved(host: Any, *rest: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name and name.endswith(SUFFIXES):
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", PORT))]
    return _resolve(host, *rest, **options)


def _sent(adapter: HTTPAdapter, request: PreparedRequest, *rest: Any, **options: Any) -> Response:
    if request.url is not None and request.url.startswith("https://"):
        request.url = "http://" + request.url.removeprefix("https://")
    return _send(adapter, request, *rest, **options)


def _slept(seconds: float) -> None:
    # Clients give the cloud whole seconds to become consistent, and pause between tries. Here is no cloud.
    _sleep(min(seconds, LONGEST_PAUSE_S))


socket.getaddrinfo = _resolved
HTTPAdapter.send = _sent  # type: ignore[method-assign]
time.sleep = _slept
