"""Verification of `q-sign-algorithm=sha1` signatures, in a header or in the query.

The signer chooses which headers and parameters it covers; this side rebuilds
the string from exactly the names listed and the values that arrived.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from apps.localstore.accounts import Account, Directory
from apps.localstore.digits import whole_number
from apps.localstore.errors import StoreError
from apps.localstore.request import Request
from apps.localstore.targets import host_name

SKEW_S = 900
FIELDS = ("q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature")


@dataclass(frozen=True)
class Claim:
    """The seven fields of one signature, as they were sent."""

    secret_id: str
    sign_time: str
    key_time: str
    header_names: tuple[str, ...]
    param_names: tuple[str, ...]
    signature: str


def encode(value: str, charset: str = "utf-8") -> str:
    """Percent-encode everything but `A-Z a-z 0-9 - _ . ~`, in upper-case hex."""
    return quote(value.encode(charset, "surrogateescape"), safe="")


def claim_of(request: Request) -> Claim | None:
    """Return the signature of a request, or None when it is anonymous.

    An empty Authorization header is anonymous too: one SDK sends that. The
    whole header may travel as the parameter `sign` (the Node SDK's own tests
    open such links). Raises AccessDenied when a signature is there but cannot
    be read.
    """
    whole = request.headers.get("authorization").strip() or request.query.get("sign")
    if whole:
        pairs = (item.partition("=") for item in whole.split("&"))
        fields = {name: value for name, _, value in pairs}
    elif "q-signature" in request.query or "q-sign-algorithm" in request.query:
        fields = {name: value for name, value in request.query if name.startswith("q-")}
    else:
        return None
    if fields.get("q-sign-algorithm") != "sha1" or any(name not in fields for name in FIELDS):
        raise StoreError("AccessDenied", "The authorization is malformed or its algorithm unknown.")
    return Claim(
        fields["q-ak"],
        fields["q-sign-time"],
        fields["q-key-time"],
        _names(fields["q-header-list"]),
        _names(fields["q-url-param-list"]),
        fields["q-signature"],
    )


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.lower() for name in listed.split(";") if name)


def sign_key(secret_key: str, key_time: str) -> str:
    """Return SignKey as the 40 hex digits that key the second HMAC."""
    return hmac.new(secret_key.encode(), key_time.encode(), hashlib.sha1).hexdigest()


def string_to_sign(sign_time: str, http_string: bytes) -> str:
    """Return the text that is signed."""
    return f"sha1\n{sign_time}\n{hashlib.sha1(http_string).hexdigest()}\n"


def signature_of(key: str, text: str) -> str:
    """Return the signature of a StringToSign under a SignKey."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()


def listed(names: Iterable[str], pairs: Iterable[tuple[str, str]], charset: str = "utf-8") -> str:
    """Return `k=v&…` for the names in a list; a name without a value becomes `k=`.

    A name that repeats contributes each of its values, sorted.
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(encode(name).lower(), []).append(encode(value, charset))
    lines = []
    for name in sorted(set(names)):
        lines += [(name, value) for value in sorted(found.get(name, [""]))]
    return "&".join(f"{name}={value}" for name, value in lines)


def http_strings(request: Request, claim: Claim) -> Iterator[bytes]:
    """Yield the HttpStrings that an honest signer may have meant, the likeliest first.

    SDKs differ in whether the signed host carries the port, and in whether a
    header outside ASCII was signed as the bytes sent or as their UTF-8 form.
    """
    params = listed(claim.param_names, request.query)
    hosts = [request.headers.get("host") or request.host]
    for spelling in (request.host, host_name(hosts[0]), host_name(request.host)):
        if spelling not in hosts:
            hosts.append(spelling)
    plain = all(value.isascii() for _, value in request.headers)
    for charset in ("latin-1",) if plain else ("latin-1", "utf-8"):
        for host in hosts:
            pairs = [(n, v) for n, v in request.headers if n.lower() != "host"]
            headers = listed(claim.header_names, [*pairs, ("host", host)], charset)
            text = f"{request.method.lower()}\n{request.path}\n{params}\n{headers}\n"
            yield text.encode("utf-8", "surrogateescape")


def check_times(claim: Claim, now: float) -> None:
    """Refuse a signature that starts over 15 minutes ahead or has ended; `now` in unix seconds."""
    server_time = ("ServerTime", datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    for interval in (claim.sign_time, claim.key_time):
        words = interval.partition(";")
        start, end = whole_number(words[0]), whole_number(words[2])
        if start is None or end is None:
            raise StoreError("AccessDenied", "The signature's time is malformed.")
        if start - SKEW_S > now:
            raise StoreError("RequestTimeTooSkewed", extra=(server_time,))
        if now > end:
            raise StoreError("AccessDenied", "Request has expired", extra=(server_time,))


def check_token(request: Request, account: Account, now: float) -> None:
    """Require the session token of temporary keys. Raises InvalidAccessKeyId or ExpiredToken."""
    if account.token is None:
        return
    name = "x-cos-security-token"
    sent = request.headers.get(name) or request.query.get(name)
    if not sent:
        raise StoreError("InvalidAccessKeyId", "Temporary keys need their security token.")
    if not hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), account.token.encode()):
        raise StoreError("ExpiredToken")
    if account.expires_at is not None and now > account.expires_at:
        raise StoreError("ExpiredToken")


def authenticate(request: Request, directory: Directory, now: float) -> Account | None:
    """Return the account that signed the request, or None for an anonymous one.

    Raises InvalidAccessKeyId, RequestTimeTooSkewed, AccessDenied ("Request has
    expired"), ExpiredToken or SignatureDoesNotMatch. Source: Request Signature, 2024-12.
    """
    claim = claim_of(request)
    if claim is None:
        return None
    account = directory.by_secret_id(claim.secret_id)
    if account is None:
        raise StoreError("InvalidAccessKeyId")
    check_times(claim, now)
    check_token(request, account, now)
    key = sign_key(account.secret_key, claim.key_time)
    candidates = list(http_strings(request, claim))
    given = claim.signature.encode("utf-8", "surrogateescape")
    texts = [string_to_sign(claim.sign_time, candidate) for candidate in candidates]
    if any(hmac.compare_digest(signature_of(key, text).encode(), given) for text in texts):
        return account
    raise StoreError(
        "SignatureDoesNotMatch",
        extra=(
            ("StringToSign", texts[0]),
            ("FormatString", candidates[0].decode("utf-8", "replace")),
        ),
    )
