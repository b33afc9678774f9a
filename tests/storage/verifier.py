"""Checks a signature the way a server does, from the published rules alone."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, unquote

from tests.storage.recorder import Seen


def signature_is_valid(seen: Seen, secret_key: str) -> bool:
    """Return whether the header or the query of a request signs it.

    Clients disagree about a port in the host: some sign it, some do not, so both are right.
    """
    host = seen.headers["host"]
    return any(_is_valid(seen, secret_key, name) for name in (host, host.partition(":")[0]))


def _is_valid(seen: Seen, secret_key: str, host: str) -> bool:
    fields = seen.authorization if "authorization" in seen.headers else seen.query
    headers = {_encode(name).lower(): value for name, value in {**seen.headers, "host": host}.items()}
    query = {_encode(name).lower(): value for name, value in seen.query.items()}
    http_string = "\n".join(
        [
            seen.method.lower(),
            unquote(seen.path),
            _joined(fields["q-url-param-list"], query),
            _joined(fields["q-header-list"], headers),
            "",
        ]
    )
    digest = hashlib.sha1(http_string.encode()).hexdigest()
    sign_key = _hmac(secret_key, fields["q-key-time"])
    expected = _hmac(sign_key, f"sha1\n{fields['q-sign-time']}\n{digest}\n")
    return expected == fields["q-signature"]


def _joined(names: str, values: dict[str, str]) -> str:
    return "&".join(f"{name}={_encode(values.get(name, ''))}" for name in names.split(";") if name)


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: str, message: str) -> str:
    return hmac.new(key.encode(), message.encode(), hashlib.sha1).hexdigest()
