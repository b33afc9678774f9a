"""Reading and writing unfinished multipart uploads in the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from apps.localstore.index import Writer
from apps.localstore.records import Content, Part, Segment, Upload
from apps.localstore.rows import (
    blobs_release,
    key_bytes,
    pack_acl,
    pack_fields,
    pack_segments,
    unpack_content,
    unpack_traits,
)

UPLOAD = "id, bucket, key, initiated_ms, initiator, owner, storage_class, fields, acl"


def _upload(row: tuple[object, ...]) -> Upload:
    id_, bucket, key, initiated_ms, initiator, *traits = row
    text = bytes(key).decode("utf-8", "surrogateescape")  # type: ignore[call-overload]
    return Upload(
        str(id_), str(bucket), text, int(str(initiated_ms)), str(initiator), unpack_traits(tuple(traits))
    )


def upload_find(db: sqlite3.Connection | Writer, bucket: str, key: str, upload_id: str) -> Upload | None:
    """Return an unfinished upload of exactly this bucket and key."""
    sql = f"SELECT {UPLOAD} FROM uploads WHERE id=? AND bucket=? AND key=?"  # noqa: S608
    values = (upload_id, bucket, key_bytes(key))
    cursor = db.run(sql, *values) if isinstance(db, Writer) else db.execute(sql, values)
    row = cursor.fetchone()
    return _upload(row) if row else None


def upload_put(tx: Writer, upload: Upload) -> None:
    """Record a new upload."""
    traits = upload.traits
    tx.run(
        f"INSERT INTO uploads({UPLOAD}) VALUES(?,?,?,?,?,?,?,?,?)",
        *(upload.id, upload.bucket, key_bytes(upload.key), upload.initiated_ms, upload.initiator),
        *(traits.owner, traits.storage_class, pack_fields(traits.fields), pack_acl(traits.acl)),
    )


def upload_delete(tx: Writer, upload_id: str, keep: set[int] | None = None) -> None:
    """Forget an upload; the bytes of parts outside `keep` are released."""
    for part in list(parts_of(tx, upload_id)):
        if part.number not in (keep or ()):
            blobs_release(tx, part.content.segments)
    tx.run("DELETE FROM parts WHERE upload=?", upload_id)
    tx.run("DELETE FROM uploads WHERE id=?", upload_id)


def uploads_after(
    db: sqlite3.Connection, bucket: str, after: tuple[bytes, str], end: bytes | None
) -> Iterator[Upload]:
    """Yield the uploads of a bucket behind a key and id and before an end, by key and then by id."""
    sql = f"SELECT {UPLOAD} FROM uploads WHERE bucket=? AND (key, id) > (?, ?)"  # noqa: S608
    values: list[object] = [bucket, *after]
    if end is not None:
        sql, values = sql + " AND key<?", [*values, end]
    for row in db.execute(sql + " ORDER BY key, id", values):
        yield _upload(row)


def part_put(tx: Writer, upload_id: str, part: Part) -> None:
    """Record a part; the bytes of one with the same number are released."""
    sql = "SELECT size, etag, crc64, modified_ms, segments FROM parts WHERE upload=? AND number=?"
    before = tx.run(sql, upload_id, part.number).fetchone()
    if before:
        blobs_release(tx, unpack_content(before).segments)
    content = part.content
    tx.run(
        "INSERT OR REPLACE INTO parts(upload, number, size, etag, crc64, modified_ms, segments)"
        " VALUES(?,?,?,?,?,?,?)",
        *(upload_id, part.number, content.size, content.etag, str(content.crc64)),
        *(content.modified_ms, pack_segments(content.segments)),
    )


def parts_of(
    db: sqlite3.Connection | Writer, upload_id: str, *, after: int = 0, limit: int = -1
) -> Iterator[Part]:
    """Yield the parts of an upload by number, from after a number on."""
    sql = (
        "SELECT number, size, etag, crc64, modified_ms, segments FROM parts"
        " WHERE upload=? AND number>? ORDER BY number LIMIT ?"
    )
    values = (upload_id, after, limit)
    cursor = db.run(sql, *values) if isinstance(db, Writer) else db.execute(sql, values)
    for number, *content in cursor:
        yield Part(number, unpack_content(tuple(content)))


def content_joined(parts: list[Part], *, etag: str, crc64: int, modified_ms: int) -> Content:
    """Return the object that parts laid end to end make, without touching their bytes."""
    segments: list[Segment] = [s for part in parts for s in part.content.segments]
    size = sum(part.content.size for part in parts)
    return Content(size, etag, crc64, modified_ms, tuple(segments))
