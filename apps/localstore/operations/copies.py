"""Copies, whole and in parts. Bytes are shared by reference and never moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from apps.localstore.blobs import file_digests
from apps.localstore.call import OBJECT_LIMIT, Call, check_key
from apps.localstore.conditions import check_copy, check_vacant
from apps.localstore.engine import Opened, segments_cut
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.markup import leaf, node, result_document
from apps.localstore.operations.multipart import part_number_of, part_store, upload_of
from apps.localstore.ranges import copy_range_parse
from apps.localstore.records import Content, Fields, Part, StoredObject, Upload, iso_ms, iso_s
from apps.localstore.request import parse_query
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import blob_find, blobs_share, bucket_find, object_put
from apps.localstore.traits import ARCHIVED, fields_of, refuse_encryption, traits_of

# The documented form names the source by its host. OpenDAL, which is tested against the live service,
# sends `/{bucket}/{key}`.
SOURCE = re.compile(r"(?:(?:https?://)?([^./]+)\.[^/]+|/([^./]+))/(.+)", re.DOTALL)
ATTEMPTS = 5


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


@contextmanager
def _source(call: Call) -> Iterator[Opened]:
    """Lend the source after the caller's right to read it and its conditions are checked."""
    bucket_name, key = source_parse(call.headers.get("x-cos-copy-source"))
    bucket = call.bucket_elsewhere(bucket_name)
    with call.engine.opened(bucket.name, key) as opened:
        if opened is None:
            call.require("READ", bucket)
            raise StoreError("NoSuchKey")
        traits = opened.stored.traits
        call.require_object("READ", bucket, traits.owner, traits.acl)
        check_copy(opened.stored.content, call.headers)
        if traits.storage_class in ARCHIVED:
            raise StoreError("InvalidObjectState")
        yield opened


def object_copy(call: Call) -> Response:
    """Copy an object of up to 5 GB in one step. Source: PUT Object - Copy, 2024-12.

    Headers and metadata come along unless the directive says Replaced; storage
    class and ACL never do. The copy keeps the source's ETag, which for a
    multipart object is opaque anyway.
    """
    call.require("WRITE")
    check_key(call.key)
    for _ in range(ATTEMPTS):
        try:
            content = _copy_once(call)
        except _SourceChanged:
            continue
        parts = [leaf("ETag", f'"{content.etag}"'), leaf("CRC64", content.crc64)]
        parts.append(leaf("LastModified", iso_s(content.modified_ms)))
        return xml_response(result_document(node("CopyObjectResult", *parts)), chunked=True)
    raise StoreError("InternalError", "The source kept changing.")


def _copy_once(call: Call) -> Content:
    with _source(call) as opened:
        source = opened.stored
        if source.content.size > OBJECT_LIMIT:
            raise StoreError("EntityTooLarge", "A source above 5 GB must be copied in parts.")
        traits = traits_of(call, fields=_copied_fields(call, source))
        old = source.content

        def work(tx: Writer) -> Content:
            if bucket_find(tx, call.bucket.name) is None:
                raise StoreError("NoSuchBucket")
            check_vacant(tx, call.bucket.name, call.key, call.headers)
            if not blobs_share(tx, old.segments):
                raise _SourceChanged
            content = replace(old, modified_ms=call.commit_ms)
            target = StoredObject(call.bucket.name, call.key, content, traits)
            return replace(content, modified_ms=object_put(tx, target))

        with call.slow([]):
            return call.engine.index.write(work)


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
    for _ in range(ATTEMPTS):
        try:
            content = _part_once(call, upload, number)
        except _SourceChanged:
            continue
        parts = (leaf("ETag", f'"{content.etag}"'), leaf("LastModified", iso_ms(content.modified_ms)))
        xml = result_document(node("CopyPartResult", *parts))
        return xml_response(xml, [("x-cos-hash-crc64ecma", str(content.crc64))], chunked=True)
    raise StoreError("InternalError", "The source kept changing.")


def _part_once(call: Call, upload: Upload, number: int) -> Content:
    with _source(call) as opened:
        whole = opened.stored.content
        start, size = copy_range_parse(call.headers.get("x-cos-copy-source-range"), whole.size)
        if size > OBJECT_LIMIT:
            raise StoreError("EntityTooLarge")
        segments = segments_cut(whole.segments, start, size)
        with call.slow([]):
            md5, crc64 = _range_digests(call, opened, start, size)
            content = Content(size, md5, crc64, call.commit_ms, segments)
            call.engine.index.write(lambda tx: _share(tx, upload, Part(number, content)))
        return content


def _share(tx: Writer, upload: Upload, part: Part) -> None:
    if not blobs_share(tx, part.content.segments):
        raise _SourceChanged
    part_store(tx, upload, part)


def _range_digests(call: Call, opened: Opened, start: int, size: int) -> tuple[str, int]:
    """Return the digests of a range; one that is exactly a blob's was digested when it came in."""
    segments = segments_cut(opened.stored.content.segments, start, size)
    if len(segments) == 1 and segments[0].offset == 0:
        with call.engine.index.read() as db:
            blob = blob_find(db, segments[0].blob)
        if blob is not None and blob.size == segments[0].size:
            return blob.md5, blob.crc64
    return file_digests(call.engine.pieces(opened.source(start, size)))
