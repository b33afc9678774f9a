"""GET Bucket ?uploads: a page of unfinished uploads."""

from __future__ import annotations

from apps.localstore.call import Call
from apps.localstore.markup import document, leaf, node
from apps.localstore.operations.lists import delimiter_of, encoded, shown
from apps.localstore.operations.multipart import initiator_xml
from apps.localstore.records import Upload, iso_ms
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import key_bytes
from apps.localstore.upload_listing import upload_page_read


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
        page = upload_page_read(
            db,
            call.bucket.name,
            prefix=key_bytes(prefix),
            delimiter=key_bytes(delimiter),
            markers=(key_bytes(key_marker), id_marker),
            limit=limit,
        )
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
