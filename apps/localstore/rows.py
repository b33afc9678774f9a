"""Reading and writing records in the index: buckets, objects and the blobs they share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from apps.localstore.blobs import INLINE_LIMIT
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.records import Acl, Blob, Bucket, Content, Fields, Grant, Segment, StoredObject, Traits

BUCKET = "name, owner, region, created_ms, acl, az, cors, tags"
OBJECT = "size, etag, crc64, modified_ms, segments, owner, storage_class, fields, acl"


def key_bytes(key: str) -> bytes:
    """Return the key as stored: its UTF-8 bytes, whose order is the order of lists."""
    return key.encode("utf-8", "surrogateescape")


def pack_acl(acl: Acl | None) -> str | None:
    """Return an ACL as a column value."""
    return None if acl is None else json.dumps(acl)


def unpack_acl(text: str | None) -> Acl | None:
    """Return the ACL of a column value."""
    return None if text is None else tuple(Grant(*row) for row in json.loads(text))


def pack_fields(fields: Fields) -> str:
    """Return names and values as a column value."""
    return json.dumps(fields)


def unpack_fields(text: str) -> Fields:
    """Return names and values of a column value."""
    return tuple((name, value) for name, value in json.loads(text))


def pack_segments(segments: tuple[Segment, ...]) -> str:
    """Return segments as a column value."""
    return json.dumps(segments, separators=(",", ":"))


def unpack_content(row: tuple[Any, ...]) -> Content:
    """Return the content in `size, etag, crc64, modified_ms, segments`."""
    size, etag, crc64, modified_ms, segments = row
    return Content(size, etag, int(crc64), modified_ms, tuple(Segment(*s) for s in json.loads(segments)))


def unpack_traits(row: tuple[Any, ...]) -> Traits:
    """Return the traits in `owner, storage_class, fields, acl`."""
    owner, storage_class, fields, acl = row
    return Traits(owner, storage_class, unpack_fields(fields), unpack_acl(acl))


def bucket_find(db: sqlite3.Connection | Writer, name: str) -> Bucket | None:
    """Return the bucket of this full name."""
    row = _one(db, f"SELECT {BUCKET} FROM buckets WHERE name=?", name)  # noqa: S608
    return _bucket(row) if row else None


def _one(db: sqlite3.Connection | Writer, sql: str, *values: Any) -> tuple[Any, ...] | None:
    cursor = db.run(sql, *values) if isinstance(db, Writer) else db.execute(sql, values)
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _bucket(row: tuple[Any, ...]) -> Bucket:
    name, owner, region, created_ms, acl, az, cors, tags = row
    return Bucket(name, owner, region, created_ms, unpack_acl(acl) or (), az, cors, unpack_fields(tags))


def buckets_of(db: sqlite3.Connection | Writer, owner: str) -> list[Bucket]:
    """Return all buckets of one root, by name."""
    sql = f"SELECT {BUCKET} FROM buckets WHERE owner=? ORDER BY name"  # noqa: S608
    rows = db.run(sql, owner) if isinstance(db, Writer) else db.execute(sql, (owner,))
    return [_bucket(row) for row in rows]


def bucket_put(tx: Writer, bucket: Bucket) -> None:
    """Insert or replace a bucket's row."""
    values = (bucket.name, bucket.owner, bucket.region, bucket.created_ms, pack_acl(bucket.acl))
    rest = (bucket.az, bucket.cors, pack_fields(bucket.tags))
    tx.run("INSERT OR REPLACE INTO buckets VALUES(?,?,?,?,?,?,?,?)", *values, *rest)


def bucket_change(tx: Writer, name: str, **changes: object) -> None:
    """Replace columns of the bucket as it is at commit time. Raises NoSuchBucket."""
    current = bucket_find(tx, name)
    if current is None:
        raise StoreError("NoSuchBucket")
    bucket_put(tx, replace(current, **changes))  # type: ignore[arg-type]


def bucket_is_empty(tx: Writer, name: str) -> bool:
    """Tell whether neither an object nor an unfinished upload is left."""
    for table in ("objects", "uploads"):
        if _one(tx, f"SELECT 1 FROM {table} WHERE bucket=? LIMIT 1", name):  # noqa: S608
            return False
    return True


def bucket_delete(tx: Writer, name: str) -> None:
    """Remove a bucket's row."""
    tx.run("DELETE FROM buckets WHERE name=?", name)


def object_find(db: sqlite3.Connection | Writer, bucket: str, key: str) -> StoredObject | None:
    """Return the object under a key."""
    sql = f"SELECT {OBJECT} FROM objects WHERE bucket=? AND key=?"  # noqa: S608
    row = _one(db, sql, bucket, key_bytes(key))
    if row is None:
        return None
    return StoredObject(bucket, key, unpack_content(row[:5]), unpack_traits(row[5:]))


def object_put(tx: Writer, stored: StoredObject) -> int:
    """Put an object under its key, let go of what was there, and return when that was, in unix milliseconds.

    Clocks go back, and writes overtake one another; the time of a key does not,
    or a reader that asks by time would take new content for what it has.
    """
    before_ms = object_delete(tx, stored.bucket, stored.key)
    content, traits = stored.content, stored.traits
    modified_ms = max(content.modified_ms, before_ms)
    tx.run(
        "INSERT INTO objects(bucket, key, size, etag, crc64, modified_ms, segments,"
        " owner, storage_class, fields, acl) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        *(stored.bucket, key_bytes(stored.key), content.size, content.etag, str(content.crc64)),
        *(modified_ms, pack_segments(content.segments), traits.owner, traits.storage_class),
        *(pack_fields(traits.fields), pack_acl(traits.acl)),
    )
    return modified_ms


def object_delete(tx: Writer, bucket: str, key: str) -> int:
    """Remove the object under a key; return when it was modified, in unix milliseconds, 0 without one."""
    sql = "DELETE FROM objects WHERE bucket=? AND key=? RETURNING modified_ms, segments"
    row = tx.run(sql, bucket, key_bytes(key)).fetchone()
    if row is None:
        return 0
    blobs_release(tx, [Segment(*segment) for segment in json.loads(row[1])])
    modified_ms: int = row[0]
    return modified_ms


def object_set_acl(tx: Writer, bucket: str, key: str, acl: Acl | None) -> bool:
    """Replace the ACL of an object; False when it is gone."""
    sql = "UPDATE objects SET acl=? WHERE bucket=? AND key=?"
    return tx.run(sql, pack_acl(acl), bucket, key_bytes(key)).rowcount == 1


def blob_insert(tx: Writer, blob: Blob) -> None:
    """Record a blob that one segment refers to; empty content is not recorded."""
    if blob.size:
        values = (blob.id, blob.size, blob.md5, str(blob.crc64), blob.data)
        tx.run("INSERT INTO blobs(id, refs, size, md5, crc64, data) VALUES(?,1,?,?,?,?)", *values)


def blob_find(db: sqlite3.Connection, blob_id: str) -> Blob | None:
    """Return a blob's size and digests, and its bytes when the index holds them."""
    row = _one(db, "SELECT id, size, md5, crc64, data FROM blobs WHERE id=?", blob_id)
    return Blob(row[0], row[1], row[2], int(row[3]), row[4]) if row else None


def blobs_inline(db: sqlite3.Connection, segments: Iterable[Segment]) -> dict[str, bytes]:
    """Return the bytes of those blobs that the index holds itself."""
    found = {}
    for segment in segments:
        if segment.size <= INLINE_LIMIT and segment.blob not in found:
            blob = blob_find(db, segment.blob)
            if blob is not None and blob.data is not None:
                found[blob.id] = blob.data
    return found


def blobs_share(tx: Writer, segments: Iterable[Segment]) -> bool:
    """Add one reference for each segment; False when a blob died meanwhile."""
    for segment in segments:
        if tx.run("UPDATE blobs SET refs=refs+1 WHERE id=?", segment.blob).rowcount == 0:
            return False
    return True


def blobs_release(tx: Writer, segments: Iterable[Segment]) -> None:
    """Drop one reference for each segment and collect the blobs that nobody needs."""
    # SQLite 3.40 answers `data IS NULL` wrongly here (RETURNING on a table without rowid); typeof is right.
    sql = "UPDATE blobs SET refs=refs-1 WHERE id=? RETURNING refs, typeof(data)"
    for segment in segments:
        refs, kind = tx.run(sql, segment.blob).fetchone() or (1, "")
        if refs <= 0:
            tx.run("DELETE FROM blobs WHERE id=?", segment.blob)
            if kind == "null":
                tx.dead.append(segment.blob)
