"""Parts as the store tells of them: their ETags, their list, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.storage.cos.multipart import MultipartOperations
from apps.storage.cos.records import crc64_text, record_number, record_text
from apps.storage.digest import crc64_combine_parts
from apps.storage.errors import Unavailable
from apps.storage.types import StoredPart


def etag_bare(etag: str) -> str:
    """Return an ETag without quotes."""
    return etag.strip('"')


def part_records(
    client: MultipartOperations, at: Mapping[str, Any], upload_id: str
) -> Iterator[dict[str, str]]:
    """Yield the record of each stored part of an upload, ascending, a page of 1000 at a time.

    `at` holds `Bucket`, `Region` and `Key`. Raises UploadNotFound, and Unavailable for a store that would
    have the same page read again.
    """
    marker = 0
    while True:
        page = client.multipart_list_part(**at, UploadId=upload_id, PartNumberMarker=marker or "")
        yield from page["Part"]
        if page["IsTruncated"] != "true" or not page["Part"]:
            return
        last = record_number(page["Part"][-1], "PartNumber")
        if last <= marker:
            raise Unavailable("The store's list of parts does not advance.", operation="List Parts")
        marker = last


def parts_stored(client: MultipartOperations, at: Mapping[str, Any], upload_id: str) -> dict[int, StoredPart]:
    """Return all stored parts of an upload by number; List Parts knows no CRC-64 today."""
    parts = (
        StoredPart(
            record_number(record, "PartNumber"),
            record_number(record, "Size"),
            etag_bare(record_text(record, "ETag")),
            crc64_text(record.get("CRC64")),
        )
        for record in part_records(client, at, upload_id)
    )
    return {part.number: part for part in parts}


def combined_crc64(parts: Sequence[StoredPart]) -> str | None:
    """Return the CRC-64 of the whole, None as soon as one part's is unknown."""
    known = [(int(part.crc64), part.size) for part in parts if part.crc64 is not None]
    return str(crc64_combine_parts(known)) if len(known) == len(parts) else None
