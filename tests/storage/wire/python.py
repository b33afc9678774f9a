"""The official Python SDK, told to connect to another address while it keeps every name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from qcloud_cos import CosConfig, CosS3Client
from requests.adapters import HTTPAdapter

from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.wire.case import REGION, Case


class _Elsewhere(HTTPAdapter):
    """Replaces only the address: host name, target and signature stay what the SDK made them."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        request.headers.setdefault("Host", parts.netloc)
        request.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{self._port}"))
        return super().send(request, **options)


def python_sdk(port: int, **settings: Any) -> CosS3Client:
    """Return an SDK that tries once, connects to `port` and ignores the environment."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", _Elsewhere(port))
    keys = {} if settings.get("Anonymous") else {"SecretId": SECRET_ID, "SecretKey": SECRET_KEY}
    config = CosConfig(Region=REGION, Scheme="http", Timeout=20, **keys, **settings)
    return CosS3Client(config, retry=0, session=session)


def python_call(sdk: CosS3Client, case: Case) -> Any:
    """Call the SDK, and read a download to its end."""
    result = getattr(sdk, case.python.method)(**case.for_python())
    if isinstance(result, dict) and "Body" in result:
        result["Body"] = result["Body"].get_raw_stream().read()
    return result
