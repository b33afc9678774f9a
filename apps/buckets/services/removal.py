"""Buckets that shall go: what keeps them, and their deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.activity.services import activity_record
from apps.buckets.models import BucketFacts
from apps.connections.models import Connection
from apps.connections.services import bucket_forget, store_for
from apps.inventory.services import inventory_forget
from apps.storage.errors import BucketNotFound, Unavailable
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectSummary, UnfinishedUpload

if TYPE_CHECKING:
    from apps.accounts.models import Person

SAMPLES = 5


class BucketNotEmpty(Exception):
    """Something is left in the bucket."""

    def __init__(self, blockers: Blockers) -> None:
        super().__init__()
        self.blockers = blockers


@dataclass(frozen=True)
class Blockers:
    """What keeps a bucket from being deleted: the first few of each kind, and whether more follow."""

    objects: tuple[ObjectSummary, ...]
    has_more_objects: bool
    uploads: tuple[UnfinishedUpload, ...]
    has_more_uploads: bool

    def __bool__(self) -> bool:
        return bool(self.objects or self.uploads)


def bucket_blockers(store: ObjectStore, *, bucket: str, region: str) -> Blockers:
    """Return the first objects and unfinished uploads of a bucket. Raises StorageError."""
    objects = store.list_objects(bucket=bucket, region=region, limit=SAMPLES + 1)
    uploads = store.list_multipart_uploads(bucket=bucket, region=region, limit=SAMPLES + 1)
    return Blockers(
        objects=objects.objects[:SAMPLES],
        has_more_objects=len(objects.objects) > SAMPLES or objects.next_marker is not None,
        uploads=uploads.uploads[:SAMPLES],
        has_more_uploads=len(uploads.uploads) > SAMPLES or uploads.next_key_marker is not None,
    )


def bucket_delete(connection: Connection, *, person: Person, bucket: str, region: str) -> None:
    """Delete an empty bucket. Raises BucketNotEmpty, or the StorageError that the store answered."""
    store = store_for(connection)
    blockers = bucket_blockers(store, bucket=bucket, region=region)
    if blockers:
        raise BucketNotEmpty(blockers)
    _delete(store, bucket=bucket, region=region)
    bucket_forget(connection, bucket)
    inventory_forget(connection, bucket)
    BucketFacts.objects.filter(connection=connection, bucket=bucket).delete()
    activity_record(
        person=person,
        verb="bucket.delete",
        connection=connection.slug,
        bucket=bucket,
        before={"region": region},
    )


def _delete(store: ObjectStore, *, bucket: str, region: str) -> None:
    """Delete a bucket; where the answer was lost, look whether it is gone."""
    try:
        store.delete_bucket(bucket=bucket, region=region)
    except Unavailable:
        try:
            store.head_bucket(bucket=bucket, region=region)
        except BucketNotFound:
            return
        raise
