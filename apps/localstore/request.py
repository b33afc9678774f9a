"""A request as it was sent: nothing collapsed, nothing normalized, decoded once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from apps.localstore.errors import StoreError

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Metadata is sent out again as it came in: a bare line feed in it would begin a header of its own.
BREAKS = re.compile("[\r\n\0]")
ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


class Pairs:
    """Names and values in the order sent; a name may repeat.

    Header names compare without case, parameter names with it.
    """

    def __init__(self, pairs: list[tuple[str, str]], *, fold: bool) -> None:
        self._pairs = pairs
        self._fold = fold
        self._first: dict[str, str] = {}
        for name, value in pairs:
            self._first.setdefault(name.lower() if fold else name, value)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __contains__(self, name: str) -> bool:
        return (name.lower() if self._fold else name) in self._first

    def get(self, name: str, default: str = "") -> str:
        """Return the first value; absent and empty are the same to this protocol."""
        return self._first.get(name.lower() if self._fold else name, "") or default


@dataclass(frozen=True)
class Request:
    """The head of one request.

    `path` is percent-decoded once and keeps `//`, dot segments and trailing
    spaces. Header values hold one character per byte sent (latin-1), so that
    they can be signed and echoed unchanged. `takes_chunks` is false for HTTP/1.0,
    which knows no chunked bodies.
    """

    method: str
    target: str
    host: str
    path: str
    query: Pairs
    headers: Pairs
    keep_alive: bool
    takes_chunks: bool = True

    @property
    def key(self) -> str:
        """Return the object key: everything after the first slash."""
        return self.path[1:]


def decode_value(raw: str) -> str:
    """Return a query name or value decoded; `+` is a space, as urlencode writes it."""
    return _unquoted(raw.replace("+", " ")).decode("utf-8", "surrogateescape")


def _unquoted(raw: str) -> bytes:
    """Return percent-decoded bytes; what was sent unencoded stands there as one character per byte."""
    return unquote_to_bytes(raw.encode("latin-1"))


def parse_query(raw: str) -> Pairs:
    """Split on `&` only: signed times hold a bare `;`."""
    pairs = []
    for item in raw.split("&"):
        if item:
            name, _, value = item.partition("=")
            pairs.append((decode_value(name), decode_value(value)))
    return Pairs(pairs, fold=False)


def parse_path(raw: str) -> str:
    """Return the path decoded once. Raises InvalidURI unless it is UTF-8 and starts with a slash."""
    try:
        path = _unquoted(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise StoreError("InvalidURI") from error
    if not path.startswith("/"):
        raise StoreError("InvalidURI")
    return path


def _check_utf8(query: Pairs) -> None:
    """Refuse parameters that are not UTF-8, as keys are. Raises InvalidURI."""
    try:
        "".join(name + value for name, value in query).encode()
    except UnicodeEncodeError as error:
        raise StoreError("InvalidURI") from error


def split_target(target: str, host: str) -> tuple[str, str, str]:
    """Return `(host, raw path, raw query)` of an origin-form or absolute-form target."""
    absolute = ABSOLUTE.fullmatch(target)
    if absolute:
        host, target = absolute[1], absolute[2]
        target = target if target.startswith("/") else "/" + target
    path, _, query = target.partition("?")
    return host, path, query


def parse_headers(lines: list[str]) -> Pairs:
    """Return the header fields. Raises InvalidRequest on anything that is not `Name: value` on one line."""
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name) or BREAKS.search(value):
            raise StoreError("InvalidRequest", "A header line is malformed.", closes=True)
        pairs.append((name, value.strip(" \t")))
    return Pairs(pairs, fold=True)


def _host_of(headers: Pairs, version: str) -> str:
    """Return the Host header. Raises InvalidRequest without one, and when there are two to choose from."""
    hosts = {value for name, value in headers if name.lower() == "host"}
    if len(hosts) > 1 or (not hosts and version != "HTTP/1.0"):
        raise StoreError("InvalidRequest", "A request needs one Host header.", closes=True)
    return hosts.pop() if hosts else ""


def parse_head(raw: bytes) -> Request:
    """Return the request whose head is `raw`, without the final blank line.

    Raises InvalidRequest or InvalidURI; both end the connection, because where
    the next request starts is unknown.
    """
    line, *rest = raw.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not TOKEN.fullmatch(words[0]) or not words[2].startswith("HTTP/1."):
        raise StoreError("InvalidRequest", "The request line is malformed.", closes=True)
    method, target, version = words
    headers = parse_headers(rest)
    host, path, query = split_target(target, _host_of(headers, version))
    try:
        decoded, pairs = parse_path(path), parse_query(query)
        _check_utf8(pairs)
    except StoreError as error:
        error.closes = True
        raise
    wishes = headers.get("connection").lower()
    keep_alive = "close" not in wishes if version == "HTTP/1.1" else "keep-alive" in wishes
    chunks = version != "HTTP/1.0"
    return Request(method, target, host, decoded, pairs, headers, keep_alive, chunks)


def body_length(request: Request) -> int | None:
    """Return the announced body size in bytes, or None for a chunked body.

    Raises InvalidRequest when the framing is ambiguous: two readings of one
    message are how requests get smuggled.
    """
    lengths = {value for name, value in request.headers if name.lower() == "content-length"}
    codings = {value.lower() for name, value in request.headers if name.lower() == "transfer-encoding"}
    coding = next(iter(codings), "")
    if coding not in ("", "chunked", "identity"):
        raise StoreError("NotImplemented", "Only the chunked transfer coding is known.", closes=True)
    if len(codings) > 1 or len(lengths) > 1 or (lengths and coding == "chunked"):
        raise StoreError("InvalidRequest", "The length of the body is ambiguous.", closes=True)
    if coding == "chunked":
        return None
    length = lengths.pop() if lengths else "0"
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise StoreError("InvalidRequest", "Content-Length is not a number.", closes=True)
    return int(length)
