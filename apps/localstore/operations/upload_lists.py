"""GET Bucket ?uploads: a page of unfinished uploads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.localstore.call import Call
from apps.localstore.listing import common_prefix
from apps.localstore.markup import document, leaf, node
from apps.localstore.operations.lists import delimiter_of, encoded, shown
from apps.localstore.operations.multipart import initiator_xml
from apps.localstore.records import Upload, iso_ms
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import key_bytes
from apps.localstore.upload_rows import uploads_from


@dataclass
class UploadPage:
    """One page; the markers are those of its last line."""

    uploads: list[Upload] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    key_marker: bytes = b""
    id_marker: str = ""


def uploads_list(call: Call) -> Response:
    """List unfinished uploads by key and id. Source: List Multipart Uploads, 2024-12.

    With both markers the page starts behind that pair; `upload-id-marker`
    alone is ignored.
    """
    call.require("READ")
    url, delimiter = encoded(call), delimiter_of(call)
    prefix, key_marker = call.query.get("prefix"), call.query.get("key-marker")
    id_marker = call.query.get("upload-id-marker") if key_marker else ""
    limit = call.number("max-uploads", 1000, high=1000)
    with call.engine.index.read() as db:
        start = max(key_bytes(prefix), key_bytes(key_marker))
        rows = uploads_from(db, call.bucket.name, start)
        passed = _behind(rows, key_bytes(key_marker), id_marker)
        page = _page(passed, key_bytes(prefix), key_bytes(delimiter), key_bytes(key_marker), limit)
    parts = [leaf("Bucket", call.bucket.name)]
    if url:
        parts.append(leaf("Encoding-Type", "url"))
    parts += [leaf("KeyMarker", shown(key_marker, url)), leaf("UploadIdMarker", shown(id_marker, False))]
    if page.truncated:
        parts += [
            leaf("NextKeyMarker", shown(page.key_marker, url)),
            leaf("NextUploadIdMarker", page.id_marker),
        ]
    parts += [
        leaf("MaxUploads", limit),
        leaf("Prefix", shown(prefix, url)),
        leaf("Delimiter", shown(delimiter, url)),
        leaf("IsTruncated", page.truncated),
        *(_upload_xml(call, upload, url) for upload in page.uploads),
        *(node("CommonPrefixes", leaf("Prefix", shown(folded, url))) for folded in page.prefixes),
    ]
    return xml_response(document(node("ListMultipartUploadsResult", *parts), declared=False))


def _behind(rows: Iterator[Upload], key_marker: bytes, id_marker: str) -> Iterator[Upload]:
    for upload in rows:
        key = key_bytes(upload.key)
        if not key_marker or key > key_marker or (id_marker and key == key_marker and upload.id > id_marker):
            yield upload


def _page(
    rows: Iterator[Upload], prefix: bytes, delimiter: bytes, key_marker: bytes, limit: int
) -> UploadPage:
    page = UploadPage()
    for upload in rows if limit else ():
        key = key_bytes(upload.key)
        if not key.startswith(prefix):
            break
        folded = common_prefix(key, prefix, delimiter)
        if folded is not None and (folded == key_marker or folded in page.prefixes[-1:]):
            continue
        if len(page.uploads) + len(page.prefixes) == limit:
            page.truncated = True
            break
        if folded is None:
            page.uploads.append(upload)
            page.key_marker, page.id_marker = key, upload.id
        else:
            page.prefixes.append(folded)
            page.key_marker, page.id_marker = folded, ""
    return page


def _upload_xml(call: Call, upload: Upload, url: bool) -> str:
    owner = call.directory.appid_of(upload.traits.owner)
    return node(
        "Upload",
        leaf("Key", shown(upload.key, url)),
        leaf("UploadId", upload.id),
        initiator_xml(upload),
        node("Owner", leaf("ID", owner), leaf("DisplayName", owner)),
        leaf("StorageClass", upload.traits.storage_class),
        leaf("Initiated", iso_ms(upload.initiated_ms)),
    )
