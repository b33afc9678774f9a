"""Copies, whole and in parts. Bytes are shared by reference and never moved."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from apps.localstore.blobs import file_digests
from apps.localstore.call import OBJECT_LIMIT, Call, check_key
from apps.localstore.conditions import check_copy, check_vacant
from apps.localstore.engine import Opened, Source
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.markup import leaf, node, result_document
from apps.localstore.operations.multipart import part_insert, part_number_of, part_store, upload_of
from apps.localstore.ranges import copy_range_parse
from apps.localstore.records import Blob, Bucket, Content, Fields, Part, StoredObject, Upload, iso_ms, iso_s
from apps.localstore.request import parse_query
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import blob_find, blobs_share, bucket_find, object_find, object_put
from apps.localstore.traits import ARCHIVED, fields_of, refuse_encryption, traits_of

# The documented form names the source by its host. OpenDAL, which is tested against the live service,
# sends `/{bucket}/{key}`.
SOURCE = re.compile(r"(?:(?:https?://)?([^./]+)\.[^/]+|/([^./]+))/(.+)", re.DOTALL)


class _SourceChanged(Exception):
    """The source was overwritten between reading its row and sharing its bytes."""


def source_parse(header: str) -> tuple[str, str]:
    """Return `(bucket, key)` of `{bucket}.cos.{region}.…/{encoded key}[?versionId=…]`.

    Or of `/{bucket}/…`. The key is decoded after the cut at the first literal `?`. Raises
    InvalidCopySource or NoSuchVersion.
    """
    path, _, query = header.partition("?")
    match = SOURCE.fullmatch(path)
    if not match:
        raise StoreError("InvalidCopySource")
    if parse_query(query).get("versionId") not in ("", "null"):
        raise StoreError("NoSuchVersion")
    try:
        key = unquote_to_bytes(match[3].encode("latin-1")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise StoreError("InvalidCopySource") from error
    return (match[1] or match[2]).lower(), key


def _source_place(db: sqlite3.Connection | Writer, call: Call) -> tuple[Bucket, str]:
    """Return the bucket and the key of the source. Raises NoSuchBucket and what `source_parse` raises."""
    name, key = source_parse(call.headers.get("x-cos-copy-source"))
    bucket = bucket_find(db, name)
    if bucket is None:
        raise StoreError("NoSuchBucket")
    return bucket, key


def _missing(call: Call, bucket: Bucket) -> StoreError:
    """Return NoSuchKey, or raise AccessDenied for whoever may not list the bucket."""
    call.require("READ", bucket)
    return StoreError("NoSuchKey")


def _check_readable(call: Call, bucket: Bucket, source: StoredObject) -> None:
    """Refuse a source that the caller may not read, or that is not as the conditions want it."""
    call.require_object("READ", bucket, source.traits.owner, source.traits.acl)
    check_copy(source.content, call.headers)
    if source.traits.storage_class in ARCHIVED:
        raise StoreError("InvalidObjectState")


def object_copy(call: Call) -> Response:
    """Copy an object of up to 5 GB in one step. Source: PUT Object - Copy, 2024-12.

    Headers and metadata come along unless the directive says Replaced; storage
    class and ACL never do. The copy keeps the source's ETag, which for a
    multipart object is opaque anyway.
    """
    call.require("WRITE")
    check_key(call.key)
    # What is refused now is refused with a status of its own, whatever `slow` sends.
    with call.engine.index.read() as db:
        _copy_of(db, call)
    with call.slow([]):
        content = call.engine.index.write(lambda tx: _copy(tx, call))
    parts = [leaf("ETag", f'"{content.etag}"'), leaf("CRC64", content.crc64)]
    parts.append(leaf("LastModified", iso_s(content.modified_ms)))
    return xml_response(result_document(node("CopyObjectResult", *parts)), chunked=True)


def _copy_of(db: sqlite3.Connection | Writer, call: Call) -> StoredObject:
    """Return what the copy of the source as it is will be, but for its time."""
    bucket, key = _source_place(db, call)
    source = object_find(db, bucket.name, key)
    if source is None:
        raise _missing(call, bucket)
    _check_readable(call, bucket, source)
    if source.content.size > OBJECT_LIMIT:
        raise StoreError("EntityTooLarge", "A source above 5 GB must be copied in parts.")
    traits = traits_of(call, fields=_copied_fields(call, source))
    return StoredObject(call.bucket.name, call.key, source.content, traits)


def _copy(tx: Writer, call: Call) -> Content:
    """Copy the source as it is within this transaction, so that its bytes are there."""
    if bucket_find(tx, call.bucket.name) is None:
        raise StoreError("NoSuchBucket")
    check_vacant(tx, call.bucket.name, call.key, call.headers)
    target = _copy_of(tx, call)
    blobs_share(tx, target.content.segments)
    content = replace(target.content, modified_ms=call.commit_ms)
    return replace(content, modified_ms=object_put(tx, replace(target, content=content)))


def _copied_fields(call: Call, source: StoredObject) -> Fields:
    directive = call.headers.get("x-cos-metadata-directive", "Copy").lower()
    if directive not in ("copy", "replaced"):
        raise StoreError("InvalidArgument", "x-cos-metadata-directive is Copy or Replaced.")
    if directive == "replaced":
        return fields_of(call.headers, call.key)
    if (source.bucket, source.key) == (call.bucket.name, call.key):
        raise StoreError("InvalidRequest", "A copy onto itself must replace the metadata.")
    return source.traits.fields


def part_copy(call: Call) -> Response:
    """Make a part out of a range of an object. Source: Upload Part - Copy, 2024-12."""
    call.require("WRITE")
    refuse_encryption(call.headers)
    number, upload = part_number_of(call), upload_of(call)
    with _opened(call) as opened:
        wanted = call.headers.get("x-cos-copy-source-range")
        start, size = copy_range_parse(wanted, opened.stored.content.size)
        if size > OBJECT_LIMIT:
            raise StoreError("EntityTooLarge")
        with call.slow([]):
            content = _part_made(call, upload, number, opened.source(start, size))
    parts = (leaf("ETag", f'"{content.etag}"'), leaf("LastModified", iso_ms(content.modified_ms)))
    xml = result_document(node("CopyPartResult", *parts))
    return xml_response(xml, [("x-cos-hash-crc64ecma", str(content.crc64))], chunked=True)


@contextmanager
def _opened(call: Call) -> Iterator[Opened]:
    """Lend the source, whose bytes stay readable until the block ends."""
    with call.engine.index.read() as db:
        bucket, key = _source_place(db, call)
    with call.engine.opened(bucket.name, key) as opened:
        if opened is None:
            raise _missing(call, bucket)
        _check_readable(call, bucket, opened.stored)
        yield opened


def _part_made(call: Call, upload: Upload, number: int, source: Source) -> Content:
    """Store a part that shares the source's bytes, or has its own if those were given up meanwhile."""
    md5, crc64 = _digests(call, source)
    size = sum(segment.size for segment in source.segments)
    content = Content(size, md5, crc64, call.commit_ms, source.segments)
    try:
        call.engine.index.write(lambda tx: _part_share(tx, upload, Part(number, content)))
    except _SourceChanged:
        with _rewritten(call, source) as blob:
            part = Part(number, replace(content, segments=blob.segments))
            call.engine.index.write(lambda tx: part_insert(tx, upload, blob, part))
    return content


def _part_share(tx: Writer, upload: Upload, part: Part) -> None:
    if not blobs_share(tx, part.content.segments):
        raise _SourceChanged
    part_store(tx, upload, part)


@contextmanager
def _rewritten(call: Call, source: Source) -> Iterator[Blob]:
    """Write the bytes of a source once more, and remove them again if the block fails."""
    writer = call.engine.blobs.writer()
    try:
        for piece in call.engine.pieces(source):
            writer.write(memoryview(piece))
        yield writer.finish()
    except BaseException:
        writer.discard()
        raise


def _digests(call: Call, source: Source) -> tuple[str, int]:
    """Return the digests of a range; one that is exactly a blob's was digested when it came in."""
    segments = source.segments
    if len(segments) == 1 and segments[0].offset == 0:
        with call.engine.index.read() as db:
            blob = blob_find(db, segments[0].blob)
        if blob is not None and blob.size == segments[0].size:
            return blob.md5, blob.crc64
    return file_digests(call.engine.pieces(source))
