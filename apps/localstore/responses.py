"""What an operation answers, before it is put on the wire."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from apps.localstore.engine import Source
from apps.localstore.errors import StoreError
from apps.localstore.markup import document, leaf, node, well_formed
from apps.localstore.records import Content

Header = tuple[str, str]


@dataclass
class Response:
    """One answer. `source` sends stored bytes and `size` says how many.

    `held` keeps those bytes alive and ends when the answer is out.
    `bytes_per_second` above zero slows it down; `chunked` marks the operations
    whose result the live service streams after its status.
    """

    status: int = 200
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""
    source: Source | None = None
    size: int = 0
    chunked: bool = False
    closes: bool = False
    bytes_per_second: float = 0.0
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def length(self) -> int:
        """Return the size of the body in bytes."""
        return self.size if self.source is not None else len(self.body)


def xml_response(body: bytes, headers: list[Header] | None = None, *, chunked: bool = False) -> Response:
    """Return a 200 with an XML document."""
    return Response(
        headers=[("Content-Type", "application/xml"), *(headers or [])], body=body, chunked=chunked
    )


def error_body(error: StoreError, *, resource: str, request_id: str, trace_id: str) -> bytes:
    """Return the error document; clients in the field need every child to be there and filled.

    Messages and extras may quote the request, and so hold what XML cannot.
    """
    fields = [("Code", error.code), ("Message", error.message), *error.extra]
    fields += [("Resource", resource), ("RequestId", request_id), ("TraceId", trace_id)]
    return document(node("Error", *(leaf(name, well_formed(value)) for name, value in fields)))


def digest_headers(content: Content) -> list[Header]:
    """Return the two headers that identify content."""
    return [("ETag", f'"{content.etag}"'), ("x-cos-hash-crc64ecma", str(content.crc64))]
