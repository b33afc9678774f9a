"""Buckets that are not there yet: what they may be called, and how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from django.utils import timezone

from apps.activity.services import activity_record
from apps.buckets.models import BucketFacts
from apps.connections.asking import ask_all
from apps.connections.models import Connection, KnownBucket
from apps.connections.services import store_for
from apps.inventory.services import inventory_forget
from apps.storage.errors import BucketNotFound, Denied, StorageError
from apps.storage.grants import Grant
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag

if TYPE_CHECKING:
    from apps.accounts.models import Person

# Somebody is typing: an answer that comes later is of no use.
NAME_TIMEOUT_S = 3.0


class Availability(Enum):
    """Whose a bucket's name is."""

    FREE = "free"
    YOURS = "yours"
    TAKEN = "taken"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class NameFinding:
    """What HEAD says about a name; `region` is where a bucket of one's own is, if that is known."""

    availability: Availability
    region: str = ""
    error: StorageError | None = None


def appid_of(connection: Connection) -> str:
    """Return the APPID of a connection: what was entered, else the end of a bucket's name, else ''."""
    if connection.appid:
        return connection.appid
    known = connection.known_buckets.first()
    return known.name.rpartition("-")[2] if known else ""


def name_find(connection: Connection, *, bucket: str, region: str) -> NameFinding:
    """Ask the store whose a full bucket name is in a region. Raises nothing.

    A bucket that the connection listed before is its own, wherever it is. One of somebody else is refused,
    and so is one of the account's own that the key may not read.
    """
    known = connection.known_buckets.filter(name=bucket).first()
    if known:
        return NameFinding(Availability.YOURS, region=known.region)
    try:
        store = store_for(connection)
    except StorageError as error:
        return NameFinding(Availability.UNCERTAIN, error=error)
    call = {bucket: partial(_look, store, bucket, region)}
    answers = ask_all(call, line=connection.pk, timeout_s=NAME_TIMEOUT_S)
    if bucket not in answers:
        return NameFinding(Availability.UNCERTAIN)
    match answers[bucket]:
        case None:
            return NameFinding(Availability.YOURS, region=region)
        case BucketNotFound():
            return NameFinding(Availability.FREE)
        case Denied(code="AccessDenied"):
            return NameFinding(Availability.TAKEN)
        case _other:
            return NameFinding(Availability.UNCERTAIN, error=answers[bucket])


def _look(store: ObjectStore, bucket: str, region: str) -> None:
    """Ask with HEAD, whose 403 has no body: why it was refused is told by a GET of the same bucket."""
    try:
        store.head_bucket(bucket=bucket, region=region)
    except Denied as error:
        if error.code:
            raise
        store.list_objects(bucket=bucket, region=region, limit=1)


def bucket_create(
    connection: Connection,
    *,
    person: Person,
    bucket: str,
    region: str,
    acl: str,
    grants: Sequence[Grant] = (),
    tags: Sequence[Tag] = (),
) -> None:
    """Create a bucket under its full name, and remember where it is.

    Raises StorageError: Conflict when the name is taken, Refused for grants or tags that the store does not
    take, Unavailable when nobody knows whether it happened.
    """
    store_for(connection).create_bucket(bucket=bucket, region=region, acl=acl, grants=grants, tags=tags)
    # What is remembered under this name is about a bucket that was deleted elsewhere.
    inventory_forget(connection, bucket)
    BucketFacts.objects.filter(connection=connection, bucket=bucket).delete()
    now = timezone.now()
    KnownBucket.objects.update_or_create(
        connection=connection,
        name=bucket,
        defaults={"region": region, "created_at": now, "seen_at": now},
    )
    activity_record(
        person=person,
        verb="bucket.create",
        connection=connection.slug,
        bucket=bucket,
        after={"region": region, "acl": acl, "grants": list(grants), "tags": list(tags)},
    )
