"""What happens to one object, besides its transfers: sent to a browser, deleted, or made as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from django.utils.http import content_disposition_header, http_date

from apps.objects.content import filename_of, is_unchanged, range_wanted
from apps.storage.errors import Refused
from apps.storage.store import ObjectBody, ObjectStore
from apps.storage.types import FileSlice, ObjectHeaders, ObjectInfo, ObjectRef

# Nothing that is served from the console's own origin may run, whatever somebody stored.
SAFE_HEADERS = {
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}


class ObjectChanged(Exception):
    """The object is no longer the one that the person saw."""

    def __init__(self, info: ObjectInfo) -> None:
        super().__init__(info.key)
        self.info = info


class FolderExists(Exception):
    """Something lies under this prefix already."""


@dataclass(frozen=True)
class Download:
    """An answer that is ready to be sent; `body` is None where there is none to send."""

    status: int
    headers: Mapping[str, str]
    body: ObjectBody | None = None


def download_open(
    store: ObjectStore, *, ref: ObjectRef, headers: Mapping[str, str], is_head: bool = False
) -> Download:
    """Open an object the way the request's headers ask: whole, a range, only if changed, or its head.

    The usual download costs the store one request; only conditions are looked up first, and then the body
    is pinned to the ETag that was compared. Raises StorageError. The caller closes the body.
    """
    wanted = range_wanted(headers.get("Range", ""))
    pinned = None
    if is_head or "If-None-Match" in headers or (wanted and "If-Range" in headers):
        info = store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
        if is_unchanged(headers.get("If-None-Match"), info.etag):
            return Download(304, _headers_of(info))
        if is_head:
            return Download(200, _headers_of(info) | {"Content-Length": str(info.size)})
        if wanted and headers.get("If-Range", f'"{info.etag}"') != f'"{info.etag}"':
            wanted = None
        pinned = info.etag
    try:
        body = store.get_object(
            bucket=ref.bucket, region=ref.region, key=ref.key, byte_range=wanted, if_match=pinned
        )
    except Refused as error:
        if error.status != 416:
            raise
        info = store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
        return Download(416, {"Content-Range": f"bytes */{info.size}"})
    return Download(body.status, download_headers(body), body)


def object_delete(store: ObjectStore, *, ref: ObjectRef, seen_etag: str) -> None:
    """Delete the object that the person saw.

    Raises ObjectChanged when another one has taken its place, so that nobody deletes what nobody looked at.
    """
    if seen_etag:
        info = store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
        if info.etag != seen_etag:
            raise ObjectChanged(info)
    store.delete_object(bucket=ref.bucket, region=ref.region, key=ref.key)


def folder_create(store: ObjectStore, *, ref: ObjectRef) -> None:
    """Store the empty object that makes an empty folder show. Raises FolderExists."""
    found = store.list_objects(bucket=ref.bucket, region=ref.region, prefix=ref.key, limit=1)
    if found.objects or found.prefixes:
        raise FolderExists
    nothing = FileSlice(BytesIO(b""), 0, 0)
    store.put_object(bucket=ref.bucket, region=ref.region, key=ref.key, body=nothing, headers=ObjectHeaders())


def download_headers(body: ObjectBody, *, name: str = "") -> dict[str, str]:
    """Return the headers of a download, under the name that the key or somebody gives it."""
    headers = _headers_of(body.info, name=name)
    if body.content_length >= 0:
        headers["Content-Length"] = str(body.content_length)
    if body.content_range:
        headers["Content-Range"] = body.content_range
    return headers


def shown_headers(
    info: ObjectInfo, content_type: str, *, is_saved: bool, may_be_framed: bool
) -> dict[str, str]:
    """Return the headers of bytes that a page of the console embeds: inert, and for no other origin."""
    headers = _headers_of(info, is_saved=is_saved) | {
        "Content-Type": content_type,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if may_be_framed:
        headers["Content-Security-Policy"] += "; frame-ancestors 'self'"
        headers["X-Frame-Options"] = "SAMEORIGIN"
    return headers


def _headers_of(info: ObjectInfo, *, is_saved: bool = True, name: str = "") -> dict[str, str]:
    disposition = content_disposition_header(is_saved, filename_of(name or info.key))
    headers = SAFE_HEADERS | {
        "ETag": f'"{info.etag}"',
        "Content-Disposition": disposition or ("attachment" if is_saved else "inline"),
    }
    if info.modified_at:
        headers["Last-Modified"] = http_date(info.modified_at.timestamp())
    return headers
