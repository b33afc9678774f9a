"""Buckets: of all connections in one list, made, and deleted when nothing is left in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps.connections.models import Connection, KnownBucket
from apps.connections.services import Reading, bucket_forget, buckets_ask, buckets_remember, store_for
from apps.storage.store import ObjectStore

# A page should not wait longer for one slow account than a person would for the page.
LIST_TIMEOUT_S = 6.0


class BucketNotEmpty(Exception):
    """Something is left in the bucket."""

    def __init__(self, blockers: Blockers) -> None:
        super().__init__()
        self.blockers = blockers


@dataclass(frozen=True)
class Blockers:
    """What keeps a bucket from being deleted."""

    has_objects: bool
    has_uploads: bool

    def __bool__(self) -> bool:
        return self.has_objects or self.has_uploads


def buckets_read(connections: Iterable[Connection], *, now: datetime) -> list[Reading]:
    """Ask all connections for their buckets at the same time, and remember what they answered.

    One that fails or does not answer in time has its error in its reading.
    """
    readings = buckets_ask(connections, timeout_s=LIST_TIMEOUT_S)
    for reading in readings:
        if reading.error is None:
            buckets_remember(reading.connection, reading.buckets, seen_at=now)
    return readings


def appid_of(connection: Connection) -> str:
    """Return the APPID of a connection: what was entered, else the end of a bucket's name, else ''."""
    if connection.appid:
        return connection.appid
    known = connection.known_buckets.first()
    return known.name.rpartition("-")[2] if known else ""


def bucket_create(connection: Connection, *, bucket: str, region: str, acl: str) -> None:
    """Create a bucket under its full name. Raises StorageError, Conflict when the name is taken."""
    store_for(connection).create_bucket(bucket=bucket, region=region, acl=acl)
    now = timezone.now()
    KnownBucket.objects.update_or_create(
        connection=connection,
        name=bucket,
        defaults={"region": region, "created_at": now, "seen_at": now},
    )


def bucket_blockers(store: ObjectStore, *, bucket: str, region: str) -> Blockers:
    """Return what lies in a bucket: one object or unfinished upload is enough to know."""
    objects = store.list_objects(bucket=bucket, region=region, limit=1)
    uploads = store.list_multipart_uploads(bucket=bucket, region=region, limit=1)
    return Blockers(has_objects=bool(objects.objects), has_uploads=bool(uploads.uploads))


def bucket_delete(connection: Connection, *, bucket: str, region: str) -> None:
    """Delete an empty bucket. Raises BucketNotEmpty, or the StorageError that the store answered."""
    store = store_for(connection)
    blockers = bucket_blockers(store, bucket=bucket, region=region)
    if blockers:
        raise BucketNotEmpty(blockers)
    store.delete_bucket(bucket=bucket, region=region)
    bucket_forget(connection, bucket)
