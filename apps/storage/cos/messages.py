"""One call to the store, and one answer: plain values between the operations and the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote

from apps.storage.cos.bodies import Body
from apps.storage.cos.keys import key_quote

OnProgress = Callable[[int], bool | None]


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


def headers_parse(lines: bytes) -> tuple[int, dict[str, str]]:
    """Return (status, headers) of the last header block in `lines`; interim 1xx blocks are skipped."""
    block = lines.strip().rpartition(b"\r\n\r\n")[2]
    if block.isascii():
        first, *rest = block.decode().split("\r\n")
    else:
        # Each header is decoded alone: one that is not UTF-8 says nothing about the others.
        first, *rest = map(header_decode, block.split(b"\r\n"))
    status = first.split(" ", 2)
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(status[1]) if len(status) > 1 and status[1].isdigit() else 0, headers


def header_decode(raw: bytes) -> str:
    """Return header text: UTF-8 as COS sends metadata, else byte for byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
