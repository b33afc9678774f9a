"""GET Bucket: a page of objects."""

from __future__ import annotations

from urllib.parse import quote

from apps.localstore.call import Call
from apps.localstore.errors import StoreError
from apps.localstore.listing import Page, Row, page_read
from apps.localstore.markup import document, leaf, node, well_formed
from apps.localstore.records import iso_ms
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import key_bytes


def encoded(call: Call) -> bool:
    """Tell whether names go out percent-encoded. Raises InvalidArgument on another encoding."""
    kind = call.query.get("encoding-type")
    if kind not in ("", "url"):
        raise StoreError("InvalidArgument", "encoding-type must be url.")
    return kind == "url"


def delimiter_of(call: Call) -> str:
    """Return the delimiter, which is one character or none. Raises InvalidDelimiter."""
    delimiter = call.query.get("delimiter")
    if len(delimiter) > 1:
        raise StoreError("InvalidDelimiter")
    return delimiter


def shown(name: bytes | str, url: bool) -> str:
    """Return a name as lists show it: percent-encoded but for slashes, or as far as XML can hold it."""
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    return quote(text, safe="/", errors="surrogateescape") if url else well_formed(text)


def objects_list(call: Call) -> Response:
    """List keys in UTF-8 byte order, folded at the delimiter. Source: GET Bucket, 2024-12."""
    call.require("READ")
    url, delimiter = encoded(call), delimiter_of(call)
    prefix, marker = call.query.get("prefix"), call.query.get("marker")
    limit = call.number("max-keys", 1000, high=1000)
    with call.engine.index.read() as db:
        page = page_read(
            db,
            call.bucket.name,
            prefix=key_bytes(prefix),
            delimiter=key_bytes(delimiter),
            marker=key_bytes(marker),
            limit=limit,
        )
    parts = [leaf("Name", call.bucket.name)]
    if url:
        parts.append(leaf("EncodingType", "url"))
    parts += [leaf("Prefix", shown(prefix, url)), leaf("Marker", shown(marker, url)), leaf("MaxKeys", limit)]
    if delimiter:
        parts.append(leaf("Delimiter", shown(delimiter, url)))
    xml = node("ListBucketResult", *parts, *_page_xml(call, page, url))
    return xml_response(document(xml), [("x-cos-bucket-region", call.bucket.region)])


def _page_xml(call: Call, page: Page, url: bool) -> list[str]:
    parts = [leaf("IsTruncated", page.truncated)]
    if page.truncated:
        parts.append(leaf("NextMarker", shown(page.marker, url)))
    parts += [node("CommonPrefixes", leaf("Prefix", shown(prefix, url))) for prefix in page.prefixes]
    owners: dict[str, str] = {}
    for row in page.rows:
        owner = row[5]
        if owner not in owners:
            appid = call.directory.appid_of(owner)
            owners[owner] = node("Owner", leaf("ID", appid), leaf("DisplayName", appid))
        parts.append(_object_xml(row, owners[owner], url))
    return parts


def _object_xml(row: Row, owner: str, url: bool) -> str:
    key, size, etag, modified_ms, storage_class, _ = row
    return (
        f"<Contents>{leaf('Key', shown(key, url))}<LastModified>{iso_ms(modified_ms)}</LastModified>"
        f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>{owner}"
        f"<StorageClass>{storage_class}</StorageClass></Contents>"
    )
