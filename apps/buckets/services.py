"""Buckets: of all connections in one list, made, and deleted when nothing is left in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from threading import Thread

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.connections.models import Connection, KnownBucket
from apps.connections.services import bucket_forget, buckets_remember, store_for
from apps.storage.errors import StorageError, Unavailable
from apps.storage.store import ObjectStore
from apps.storage.types import Bucket

# A page should not wait longer for one slow account than a person would for the page.
LIST_TIMEOUT_S = 6.0


class BucketNotEmpty(Exception):
    """Something is left in the bucket."""

    def __init__(self, blockers: Blockers) -> None:
        super().__init__()
        self.blockers = blockers


@dataclass(frozen=True)
class Reading:
    """What one connection answered: its buckets, or why they could not be read."""

    connection: Connection
    buckets: Sequence[Bucket] = ()
    error: StorageError | None = None


@dataclass(frozen=True)
class Blockers:
    """What keeps a bucket from being deleted."""

    has_objects: bool
    has_uploads: bool

    def __bool__(self) -> bool:
        return self.has_objects or self.has_uploads


def buckets_read(connections: Iterable[Connection], *, now: datetime) -> list[Reading]:
    """Ask all connections for their buckets at the same time, and remember what they answered.

    One that fails or does not answer in time has its error in its reading. A call that is still under way
    then ends by itself in the background.
    """
    asked = list(connections)
    calls = [_in_background(connection) for connection in asked]
    wait(calls, timeout=LIST_TIMEOUT_S)
    readings = [_reading_of(connection, call) for connection, call in zip(asked, calls, strict=True)]
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


def _in_background(connection: Connection) -> Future[Sequence[Bucket]]:
    """Begin to list the buckets. A pool's threads would hold up the end of the process; these do not."""
    answer: Future[Sequence[Bucket]] = Future()
    Thread(target=_list_buckets, args=(connection, answer), name="list-buckets", daemon=True).start()
    return answer


def _list_buckets(connection: Connection, answer: Future[Sequence[Bucket]]) -> None:
    """Run in a thread of its own, so it must not touch the database."""
    try:
        answer.set_result(store_for(connection).list_buckets())
    except Exception as error:
        answer.set_exception(error)


def _reading_of(connection: Connection, call: Future[Sequence[Bucket]]) -> Reading:
    if not call.done():
        return Reading(connection, error=Unavailable(_("The store did not answer in time.")))
    try:
        return Reading(connection, call.result())
    except StorageError as error:
        return Reading(connection, error=error)
