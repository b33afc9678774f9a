"""One object: read it, write it, delete it."""

from __future__ import annotations

from contextlib import ExitStack

from apps.localstore.call import Call, check_key
from apps.localstore.conditions import check_read, check_vacant, range_wanted
from apps.localstore.engine import Opened
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.ranges import range_parse
from apps.localstore.records import Blob, Content, StoredObject, Traits, http_date
from apps.localstore.responses import Header, Response, digest_headers
from apps.localstore.rows import blob_insert, bucket_find, object_delete, object_put
from apps.localstore.traits import ARCHIVED, refuse_encryption, shown_headers, traits_of

OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-language": "Content-Language",
    "response-expires": "Expires",
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
}


def _open(call: Call, held: ExitStack) -> Opened:
    """Return the object if there is one and the caller may read it.

    Whoever may not list the bucket is not told that a key is missing.
    """
    refuse_encryption(call.headers)
    if call.query.get("versionId") not in ("", "null"):
        raise StoreError("NoSuchVersion")
    opened = held.enter_context(call.engine.opened(call.bucket.name, call.key))
    if opened is None:
        call.require("READ")
        raise StoreError("NoSuchKey")
    traits = opened.stored.traits
    call.require_object("READ", call.bucket, traits.owner, traits.acl)
    return opened


def _headers(stored: StoredObject) -> list[Header]:
    modified = ("Last-Modified", http_date(stored.content.modified_ms))
    fixed = [("Accept-Ranges", "bytes"), modified]
    return [*shown_headers(stored.traits), *fixed, *digest_headers(stored.content)]


def object_head(call: Call) -> Response:
    """Describe an object. Source: HEAD Object, 2024-12."""
    with ExitStack() as held:
        opened = _open(call, held)
        check_read(opened.stored.content, call.headers)
        size = opened.stored.content.size
        return Response(headers=_headers(opened.stored), source=opened.source(0, 0), size=size)


def object_get(call: Call) -> Response:
    """Send an object or one range of it. Source: GET Object, 2024-12.

    Raises InvalidObjectState for archived objects and InvalidRange.
    """
    overrides = {OVERRIDES[name]: value for name, value in call.query if value and name in OVERRIDES}
    if overrides and call.account is None:
        raise StoreError("InvalidRequest", "Response headers cannot be overridden without a signature.")
    held = ExitStack()
    try:
        opened = _open(call, held)
        response = _content_response(call, opened)
        response.bytes_per_second = call.traffic_limit()
    except BaseException:
        held.close()
        raise
    response.headers = [(n, v) for n, v in response.headers if n not in overrides]
    response.headers += [(name, _header_safe(value)) for name, value in overrides.items()]
    response.headers = _as_download(response.headers)
    response.held = held
    return response


def _as_download(headers: list[Header]) -> list[Header]:
    """Return the headers of a GET that browsers save and never show.

    The default domain of buckets made since 2024 allows nothing else, whatever
    the object or the request says, so that nobody's upload becomes a page.
    Source: COS Bucket Domain Security Management Notice, 2024-12.
    """
    name = "Content-Disposition"
    wanted = next((value for key, value in headers if key == name), "")
    if not wanted.lower().startswith("attachment"):
        wanted = "attachment"
    rest = [(key, value) for key, value in headers if key != name]
    return [*rest, (name, wanted), ("x-cos-force-download", "true")]


def _header_safe(value: str) -> str:
    """Return a parameter as header bytes (one character per byte) that cannot start another header."""
    raw = value.encode("utf-8", "surrogateescape").decode("latin-1")
    return raw.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def _content_response(call: Call, opened: Opened) -> Response:
    content, traits = opened.stored.content, opened.stored.traits
    check_read(content, call.headers)
    if traits.storage_class in ARCHIVED:
        raise StoreError("InvalidObjectState")
    headers = _headers(opened.stored)
    wanted = range_parse(range_wanted(content, call.headers), content.size)
    if wanted is None:
        return Response(headers=headers, source=opened.source(0, content.size), size=content.size)
    start, size = wanted
    headers.append(("Content-Range", f"bytes {start}-{start + size - 1}/{content.size}"))
    return Response(206, headers, source=opened.source(start, size), size=size)


def object_write(call: Call) -> Response:
    """Store an object; it appears whole, after its bytes are on disk. Source: PUT Object, 2024-12."""
    call.require("WRITE")
    check_key(call.key)
    traits = traits_of(call)
    with call.received() as blob:
        content = call.engine.index.write(lambda tx: _store(tx, call, blob, traits))
    return Response(headers=digest_headers(content))


def _store(tx: Writer, call: Call, blob: Blob, traits: Traits) -> Content:
    if bucket_find(tx, call.bucket.name) is None:
        raise StoreError("NoSuchBucket")
    check_vacant(tx, call.bucket.name, call.key, call.headers)
    blob_insert(tx, blob)
    content = Content(blob.size, blob.md5, blob.crc64, call.commit_ms, blob.segments)
    object_put(tx, StoredObject(call.bucket.name, call.key, content, traits))
    return content


def object_remove(call: Call) -> Response:
    """Delete an object; one that does not exist is deleted just as well."""
    call.require("WRITE")
    if call.query.get("versionId") not in ("", "null"):
        raise StoreError("NoSuchVersion")
    call.engine.index.write(lambda tx: object_delete(tx, call.bucket.name, call.key))
    return Response(status=204)
