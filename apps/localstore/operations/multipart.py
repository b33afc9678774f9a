"""Multipart uploads: begin, send parts, finish, look, give up."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote
from xml.etree.ElementTree import Element

from apps.localstore.accounts import principal_id
from apps.localstore.call import Call, check_key
from apps.localstore.conditions import check_vacant
from apps.localstore.crc64 import crc64_join
from apps.localstore.digits import whole_number
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.markup import (
    children,
    document,
    leaf,
    node,
    parse,
    result_document,
    text_of,
    well_formed,
)
from apps.localstore.operations.lists import encoded, shown
from apps.localstore.records import Blob, Content, Part, StoredObject, Upload, iso_ms
from apps.localstore.responses import Response, digest_headers, xml_response
from apps.localstore.rows import blob_insert, bucket_find, object_put
from apps.localstore.traits import refuse_encryption, traits_of
from apps.localstore.upload_rows import (
    content_joined,
    part_put,
    parts_of,
    upload_delete,
    upload_find,
    upload_put,
)

PART_MINIMUM = 1024 * 1024
PARTS_LIMIT = 10_000
RESULT_NAMESPACE = ' xmlns="http://www.qcloud.com/document/product/436/7751"'


def upload_begin(call: Call) -> Response:
    """Start an upload; its traits are those of the object it will become."""
    call.require("WRITE")
    check_key(call.key)
    initiator = call.account.principal if call.account else principal_id(call.bucket.owner)
    upload_id = f"{call.now_ms // 1000}{secrets.token_hex(32)}"
    upload = Upload(upload_id, call.bucket.name, call.key, call.now_ms, initiator, traits_of(call))

    def work(tx: Writer) -> None:
        if bucket_find(tx, upload.bucket) is None:
            raise StoreError("NoSuchBucket")
        upload_put(tx, upload)

    call.engine.index.write(work)
    parts = (leaf("Bucket", upload.bucket), leaf("Key", well_formed(upload.key)), leaf("UploadId", upload_id))
    return xml_response(document(node("InitiateMultipartUploadResult", *parts), declared=False))


def upload_of(call: Call) -> Upload:
    """Return the upload that the query names. Raises NoSuchUpload."""
    with call.engine.index.read() as db:
        upload = upload_find(db, call.bucket.name, call.key, call.query.get("uploadId"))
    if upload is None:
        raise StoreError("NoSuchUpload")
    return upload


def part_number_of(call: Call) -> int:
    """Return the part number, 1 to 10000. Raises InvalidArgument."""
    number = call.number("partNumber", 0, low=1)
    if number > PARTS_LIMIT:
        raise StoreError("InvalidArgument", "partNumber must be between 1 and 10000.")
    return number


def part_store(tx: Writer, upload: Upload, part: Part) -> None:
    """Record a part unless its upload ended while the bytes came in. Raises NoSuchUpload."""
    if upload_find(tx, upload.bucket, upload.key, upload.id) is None:
        raise StoreError("NoSuchUpload")
    part_put(tx, upload.id, part)


def part_write(call: Call) -> Response:
    """Store one part; the same number again replaces it. Source: Upload Part, 2024-12."""
    call.require("WRITE")
    refuse_encryption(call.headers)
    number, upload = part_number_of(call), upload_of(call)
    with call.received() as blob:
        content = Content(blob.size, blob.md5, blob.crc64, call.commit_ms, blob.segments)
        call.engine.index.write(lambda tx: part_insert(tx, upload, blob, Part(number, content)))
    return Response(headers=digest_headers(content))


def part_insert(tx: Writer, upload: Upload, blob: Blob, part: Part) -> None:
    """Record a part together with its own blob. Raises NoSuchUpload."""
    blob_insert(tx, blob)
    part_store(tx, upload, part)


def upload_complete(call: Call) -> Response:
    """Turn parts into an object in one transaction that moves no bytes.

    Raises NoSuchUpload, MalformedXML, InvalidPart, InvalidPartOrder,
    EntityTooSmall. Source: Complete Multipart Upload, 2024-12.
    """
    call.require("WRITE")
    wanted = _wanted_parts(call.read_xml())
    upload = upload_of(call)
    with call.engine.index.read() as db:
        parts = _chosen(db, upload, wanted)
    content = _joined(parts, call.commit_ms)
    digest = digest_headers(content)[1:]
    with call.slow(digest):
        call.engine.index.write(lambda tx: _complete(tx, call, upload, wanted, (parts, content)))
    host = call.request.headers.get("host") or call.request.host
    xml = node(
        "CompleteMultipartUploadResult",
        leaf("Location", well_formed(f"http://{host}/{quote(call.key, safe='/')}")),
        leaf("Bucket", upload.bucket),
        leaf("Key", well_formed(upload.key)),
        leaf("ETag", f'"{content.etag}"'),
        attributes=RESULT_NAMESPACE,
    )
    return xml_response(result_document(xml), digest, chunked=True)


def _wanted_parts(body: bytes) -> list[tuple[int, str]]:
    wanted = [_wanted(e) for e in children(parse(body, "CompleteMultipartUpload"), "Part")]
    if not wanted or len(wanted) > PARTS_LIMIT:
        raise StoreError("MalformedXML")
    numbers = [number for number, _ in wanted]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise StoreError("InvalidPartOrder")
    return wanted


def _wanted(element: Element) -> tuple[int, str]:
    number = whole_number(text_of(element, "PartNumber").strip())
    if number is None:
        raise StoreError("MalformedXML")
    return number, text_of(element, "ETag").strip().strip('"').lower()


def _chosen(db: sqlite3.Connection | Writer, upload: Upload, wanted: list[tuple[int, str]]) -> list[Part]:
    """Return the parts that were asked for. Raises InvalidPart or EntityTooSmall."""
    there = {part.number: part for part in parts_of(db, upload.id)}
    parts = [there[number] for number, _ in wanted if number in there]
    if len(parts) != len(wanted) or any(
        part.content.etag != etag for part, (_, etag) in zip(parts, wanted, strict=True)
    ):
        raise StoreError("InvalidPart")
    if any(part.content.size < PART_MINIMUM for part in parts[:-1]):
        raise StoreError("EntityTooSmall")
    return parts


def _joined(parts: list[Part], now_ms: int) -> Content:
    return content_joined(
        parts,
        # Random on purpose: nobody may come to rely on computing it.
        etag=f"{secrets.token_hex(16)}-{len(parts)}",
        crc64=crc64_join((part.content.crc64, part.content.size) for part in parts),
        modified_ms=now_ms,
    )


def _complete(
    tx: Writer,
    call: Call,
    upload: Upload,
    wanted: list[tuple[int, str]],
    found: tuple[list[Part], Content],
) -> None:
    """Put the object in the place of the upload, unless that has changed since it was looked at."""
    if upload_find(tx, upload.bucket, upload.key, upload.id) is None:
        raise StoreError("NoSuchUpload")
    parts, content = found
    if [part.content for part in _chosen(tx, upload, wanted)] != [part.content for part in parts]:
        raise StoreError("InvalidPart", "A part was sent again while the upload was completed.")
    check_vacant(tx, upload.bucket, upload.key, call.headers)
    upload_delete(tx, upload.id, keep={part.number for part in parts})
    content = replace(content, modified_ms=call.commit_ms)
    object_put(tx, StoredObject(upload.bucket, upload.key, content, upload.traits))


def upload_abort(call: Call) -> Response:
    """Give up an upload and its parts. A repetition gets NoSuchUpload."""
    call.require("WRITE")
    upload_id = call.query.get("uploadId")

    def work(tx: Writer) -> None:
        if upload_find(tx, call.bucket.name, call.key, upload_id) is None:
            raise StoreError("NoSuchUpload")
        upload_delete(tx, upload_id)

    call.engine.index.write(work)
    return Response(status=204)


def parts_list(call: Call) -> Response:
    """List the parts of an upload by number. Source: List Parts, 2024-12."""
    call.require("WRITE")
    if not call.query.get("uploadId"):
        raise StoreError("ListPartUploadIdIsEmpty")
    url, upload = encoded(call), upload_of(call)
    limit = call.number("max-parts", 1000, high=1000)
    after = call.number("part-number-marker", 0)
    with call.engine.index.read() as db:
        found = list(parts_of(db, upload.id, after=after, limit=limit + 1))
    page, truncated = found[:limit], len(found) > limit > 0
    owner = call.directory.appid_of(upload.traits.owner)
    parts = [leaf("Bucket", upload.bucket)]
    if url:
        parts.append(leaf("EncodingType", "url"))
    parts += [
        leaf("Key", shown(upload.key, url)),
        leaf("UploadId", upload.id),
        node("Owner", leaf("ID", owner), leaf("DisplayName", owner)),
        leaf("PartNumberMarker", after),
        initiator_xml(upload),
        *(_part_xml(part) for part in page),
        leaf("StorageClass", upload.traits.storage_class),
        leaf("MaxParts", limit),
        leaf("IsTruncated", truncated),
    ]
    if truncated:
        parts.append(leaf("NextPartNumberMarker", page[-1].number))
    return xml_response(document(node("ListPartsResult", *parts), declared=False))


def initiator_xml(upload: Upload) -> str:
    """Return who began an upload."""
    name = upload.initiator.rpartition("/")[2]
    return node("Initiator", leaf("ID", upload.initiator), leaf("DisplayName", name))


def _part_xml(part: Part) -> str:
    return node(
        "Part",
        leaf("PartNumber", part.number),
        leaf("LastModified", iso_ms(part.content.modified_ms)),
        leaf("ETag", f'"{part.content.etag}"'),
        leaf("Size", part.content.size),
    )
