"""The request signature of COS (`q-sign-algorithm=sha1`). Source: COS "Request signature", 2026-08."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from apps.storage.types import Credentials

Pairs = Iterable[tuple[str, str]]

WINDOW_S = 3600
# The store refuses a signature that begins more than fifteen minutes ahead of its clock; a minute of
# back-dating absorbs the ordinary difference between two machines.
BACKDATED_S = 60

_SIGNED_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-length",
        "content-md5",
        "content-type",
        "expect",
        "expires",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "origin",
        "range",
    }
)


def is_signed_header(name: str) -> bool:
    """Return whether the lower-case header `name` belongs into the signature."""
    return name in _SIGNED_HEADERS or name.startswith("x-cos-")


def sign_key_of(secret_key: str, key_time: str) -> str:
    """Return the SignKey: the only step that needs the secret, good for one key time."""
    return _hmac(secret_key, key_time)


def signature_of(sign_key: str, key_time: str, http_string: str) -> str:
    """Return the signature of an HttpString."""
    digest = hashlib.sha1(http_string.encode(), usedforsecurity=False).hexdigest()
    return _hmac(sign_key, f"sha1\n{key_time}\n{digest}\n")


def http_string_of(method: str, path: str, query: str, headers: str) -> str:
    """Return the HttpString of a request: the path is decoded, the two lists are already encoded."""
    return f"{method.lower()}\n{path}\n{query}\n{headers}\n"


def encoded_list(pairs: Pairs) -> tuple[str, str]:
    """Return (names joined by `;`, pairs joined by `&`), both sorted by encoded lower-case name."""
    encoded = sorted((quote(name, safe="").lower(), quote(value, safe="")) for name, value in pairs)
    return ";".join(name for name, _ in encoded), "&".join(f"{name}={value}" for name, value in encoded)


@dataclass(frozen=True)
class _Window:
    key_time: str
    sign_key: str = field(repr=False)
    renew_at: float


class Signer:
    """Signs requests of one key pair. Safe in several threads.

    SignKey and key time are kept for half an hour: deriving them per request is half of the work.
    """

    def __init__(self, credentials: Credentials, *, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        # Calls to one bucket share their headers and most of their parameters, and so these lists.
        self._encoded_list = lru_cache(maxsize=64)(encoded_list)
        self._window: _Window | None = None
        self._lock = threading.Lock()

    @property
    def has_key_pair(self) -> bool:
        """Whether there is something to sign with."""
        return bool(self._credentials.secret_id and self._credentials.secret_key)

    @property
    def token(self) -> str | None:
        """The session token that travels with each request of a temporary key."""
        return self._credentials.token

    def authorization(self, *, method: str, path: str, query: Pairs, headers: Pairs) -> str:
        """Return the Authorization header. `path` and `query` are decoded; not every header is signed."""
        window = self._current()
        fields = self._fields(window.key_time, window.sign_key, method, path, query, headers)
        return "&".join([f"{name}={value}" for name, value in fields])

    def presigned(
        self, *, method: str, path: str, query: Pairs, headers: Pairs, expires_s: int
    ) -> list[tuple[str, str]]:
        """Return the query fields that sign a URL for `expires_s` seconds from now."""
        start = int(self._clock()) - BACKDATED_S
        key_time = f"{start};{start + BACKDATED_S + expires_s}"
        sign_key = sign_key_of(self._credentials.secret_key, key_time)
        return self._fields(key_time, sign_key, method, path, query, headers)

    def _fields(
        self, key_time: str, sign_key: str, method: str, path: str, query: Pairs, headers: Pairs
    ) -> list[tuple[str, str]]:
        param_names, params = self._encoded_list(tuple(query))
        signed = tuple([pair for pair in headers if is_signed_header(pair[0].lower())])
        header_names, header_list = self._encoded_list(signed)
        http_string = http_string_of(method, path, params, header_list)
        return [
            ("q-sign-algorithm", "sha1"),
            ("q-ak", self._credentials.secret_id),
            ("q-sign-time", key_time),
            ("q-key-time", key_time),
            ("q-header-list", header_names),
            ("q-url-param-list", param_names),
            ("q-signature", signature_of(sign_key, key_time, http_string)),
        ]

    def _current(self) -> _Window:
        now = self._clock()
        window = self._window
        if window is not None and window.renew_at - WINDOW_S / 2 - BACKDATED_S <= now < window.renew_at:
            return window
        with self._lock:
            self._window = self._opened(now)
            return self._window

    def _opened(self, now: float) -> _Window:
        start = int(now) - BACKDATED_S
        key_time = f"{start};{start + WINDOW_S}"
        return _Window(key_time, sign_key_of(self._credentials.secret_key, key_time), now + WINDOW_S / 2)


def _hmac(key: str, message: str) -> str:
    return hmac.digest(key.encode(), message.encode(), "sha1").hex()
