"""One call to the store, and one answer: plain values between the operations and the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote

from apps.storage.cos.bodies import Body
from apps.storage.cos.keys import key_quote

OnProgress = Callable[[int], bool | None]

_STATUS_LINE = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3})(?!\S)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class Repeat(Enum):
    """How often a call may be sent again when nobody knows whether it happened."""

    FREELY = "the result is the same however often it arrives"
    ONCE = "a repeat is harmless but may look different"
    NEVER = "a repeat could leave a second upload behind, or fail although the first one worked"


class Subject(Enum):
    """What a bare 404 is about: a HEAD has no body that could say so."""

    BUCKET = "bucket"
    OBJECT = "object"
    UPLOAD = "upload"


class Pace(Enum):
    """Which clock a call is held to."""

    SHORT = "a small answer, soon"
    BODY = "as long as bytes move"
    LONG = "the store works for minutes before it answers"


@dataclass(frozen=True)
class Call:
    """A request before it is signed. `path` and `query` are decoded; a query value of "" is a bare name.

    `accepts` lists the statuses that are success; each other one becomes an error.
    """

    operation: str
    method: str
    host: str
    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    accepts: tuple[int, ...] = (200,)
    repeat: Repeat = Repeat.FREELY
    subject: Subject = Subject.BUCKET
    pace: Pace = Pace.SHORT
    is_signed: bool = True
    on_progress: OnProgress | None = None

    @property
    def target(self) -> str:
        """The request target, byte for byte as it goes out."""
        path = key_quote(self.path)
        return f"{path}?{query_quote(self.query)}" if self.query else path


@dataclass(frozen=True)
class Request:
    """What a transport sends: a call with its final headers."""

    call: Call
    headers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower-case; of a repeated header the last one counts."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """The store's id of this request, empty when it sent none."""
        return self.headers.get("x-cos-request-id", "")


def query_quote(query: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    """Return a query string in which every reserved character is percent-encoded."""
    return "&".join(
        [
            f"{quote(name, safe='')}={quote(value, safe='')}" if value else quote(name, safe="")
            for name, value in query
        ]
    )


def head_is_whole(lines: bytes) -> bool:
    """Return whether header lines end as a head does, with an empty one."""
    return lines.endswith((b"\n\r\n", b"\n\n"))


def headers_parse(lines: bytes) -> tuple[int, dict[str, str]]:
    """Return (status, headers) of the final header block in `lines`, (0, {}) when there is none yet.

    Interim 1xx blocks come before it, and the trailers of a chunked body may come after it. A bare line feed
    ends a line, too: libcurl takes both.
    """
    status = 0
    for block in _BLANK_LINE.split(lines.strip()):
        found = _STATUS_LINE.match(block)
        status = int(found[1]) if found else 0
        if status >= 200:
            return status, _fields(block)
    return status, {}


def _fields(block: bytes) -> dict[str, str]:
    if block.isascii():
        lines = block.decode().split("\n")
    else:
        # Each header is decoded alone: one that is not UTF-8 says nothing about the others.
        lines = [header_decode(line) for line in block.split(b"\n")]
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        # Only what HTTP calls a blank: metadata may end with any other.
        headers[name.strip().lower()] = value.strip(" \t\r")
    return headers


def header_decode(raw: bytes) -> str:
    """Return header text: UTF-8 as COS sends metadata, else byte for byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
