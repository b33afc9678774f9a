"""What an operation answers, before it is put on the wire."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from apps.localstore.engine import Source
from apps.localstore.errors import StoreError
from apps.localstore.markup import document, leaf, node, well_formed
from apps.localstore.records import Content, http_date

Header = tuple[str, str]
SERVER = "tencent-cos"


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


def head_bytes(status: int, headers: list[Header], *, keep: bool) -> bytes:
    """Return the status line and the headers as they go out."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def xml_response(body: bytes, headers: list[Header] | None = None, *, chunked: bool = False) -> Response:
    """Return a 200 with an XML document."""
    return Response(
        headers=[("Content-Type", "application/xml"), *(headers or [])], body=body, chunked=chunked
    )


def request_id_new() -> str:
    """Return an id for one answer, base64 text as the live service's are."""
    return b64encode(secrets.token_bytes(24)).decode()


def trace_id_of(request_id: str) -> str:
    """Return the id that errors carry beside the request's own."""
    return b64encode(request_id.encode()).decode()


def refusal_bytes(error: StoreError, *, bodiless: bool = False) -> bytes:
    """Return a whole answer to something that is no request, after which the connection ends."""
    request_id = request_id_new()
    body = error_body(error, resource="/", request_id=request_id)
    headers = [
        ("Server", SERVER),
        ("Date", http_date(int(time.time() * 1000))),
        ("x-cos-request-id", request_id),
        ("x-cos-trace-id", trace_id_of(request_id)),
        ("Content-Type", "application/xml"),
        ("Content-Length", str(len(body))),
    ]
    head = head_bytes(error.status, headers, keep=False)
    return head if bodiless else head + body


def error_body(error: StoreError, *, resource: str, request_id: str) -> bytes:
    """Return the error document; clients in the field need every child to be there and filled.

    Messages and extras may quote the request, and so hold what XML cannot.
    """
    fields = [("Code", error.code), ("Message", error.message), *error.extra, ("Resource", resource)]
    fields += [("RequestId", request_id), ("TraceId", trace_id_of(request_id))]
    return document(node("Error", *(leaf(name, well_formed(value)) for name, value in fields)))


def digest_headers(content: Content) -> list[Header]:
    """Return the two headers that identify content."""
    return [("ETag", f'"{content.etag}"'), ("x-cos-hash-crc64ecma", str(content.crc64))]
