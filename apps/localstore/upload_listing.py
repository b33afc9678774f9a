"""Pages of unfinished uploads, with the same seeking and skipping as pages of keys."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from apps.localstore.listing import common_prefix, successor
from apps.localstore.records import Upload
from apps.localstore.rows import key_bytes
from apps.localstore.upload_rows import uploads_after

# Below and above every upload id, which are hexadecimal digits.
FIRST, LAST = "", "~"
Position = tuple[bytes, str]


@dataclass
class UploadPage:
    """One page; the markers are those of its last line."""

    uploads: list[Upload] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    key_marker: bytes = b""
    id_marker: str = ""

    @property
    def size(self) -> int:
        """Return how many lines the page has; uploads and common prefixes count alike."""
        return len(self.uploads) + len(self.prefixes)


def upload_page_read(
    db: sqlite3.Connection,
    bucket: str,
    *,
    prefix: bytes,
    delimiter: bytes,
    markers: tuple[bytes, str],
    limit: int,
) -> UploadPage:
    """Return up to `limit` uploads and common prefixes behind the markers: a key and, perhaps, an id.

    A key marker that is itself a common prefix skips the whole prefix. Source:
    List Multipart Uploads, 2024-12.
    """
    page = UploadPage()
    after = _start(prefix, delimiter, markers)
    while limit and after is not None:
        after = _walk(db, bucket, page, after, (prefix, delimiter, limit))
    return page


def _start(prefix: bytes, delimiter: bytes, markers: tuple[bytes, str]) -> Position | None:
    key, upload_id = markers
    if key < prefix or not key:
        return prefix, FIRST
    if common_prefix(key, prefix, delimiter) == key:
        return _behind(key)
    return key, upload_id or LAST


def _behind(prefix: bytes) -> Position | None:
    beyond = successor(prefix)
    return None if beyond is None else (beyond, FIRST)


def _walk(
    db: sqlite3.Connection, bucket: str, page: UploadPage, after: Position, wanted: tuple[bytes, bytes, int]
) -> Position | None:
    """Step along until the page is full or a common prefix repeats; return where to seek next."""
    prefix, delimiter, limit = wanted
    for upload in uploads_after(db, bucket, after, successor(prefix)):
        key = key_bytes(upload.key)
        folded = common_prefix(key, prefix, delimiter)
        if folded is not None and page.prefixes and page.prefixes[-1] == folded:
            return _behind(folded)
        if page.size == limit:
            page.truncated = True
            return None
        if folded is None:
            page.uploads.append(upload)
            page.key_marker, page.id_marker = key, upload.id
        else:
            page.prefixes.append(folded)
            page.key_marker, page.id_marker = folded, ""
    return None
