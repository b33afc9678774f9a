"""What the list of buckets knows about each: who gets in, and its tags. Read a page at a time, remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db.models import Max
from django.utils import timezone

from apps.access.rules.acl import AccessKind, access_summary
from apps.access.rules.rights import bucket_rights
from apps.activity.models import Entry
from apps.buckets.models import BucketFacts
from apps.connections.asking import ask_all
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.storage.errors import StorageError
from apps.storage.grants import Acl, Permission
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag

# A page of a hundred buckets is two hundred calls, sixteen at a time.
FACTS_TIMEOUT_S = 8.0

_CHANGING = ("bucket.acl", "bucket.tags", "bucket.create")
CHANGES_SEEN = timedelta(days=1)

_WRITING = frozenset({Permission.WRITE, Permission.WRITE_ACP})

Known = dict[tuple[int, str], BucketFacts]
Answer = Acl | tuple[Tag, ...] | StorageError


class Place(NamedTuple):
    """A bucket and where it is."""

    connection: Connection
    bucket: str
    region: str


def facts_read(places: Iterable[Place], *, now: datetime) -> int:
    """Read grants and tags of these buckets and remember them; return how many were read.

    A bucket whose reading was not even begun in time keeps what was known. What the store refuses is
    remembered as unknown with its code: a key that may not read grants says nothing about them.
    """
    by_connection: dict[Connection, list[Place]] = defaultdict(list)
    for place in places:
        by_connection[place.connection].append(place)
    rows = [row for connection, there in by_connection.items() for row in _read(connection, there, now)]
    _remember(rows)
    return len(rows)


def facts_keep(connection: Connection, *, bucket: str, acl: Answer, tags: Answer, now: datetime) -> None:
    """Remember what another page has just read about one bucket."""
    _remember([_row(connection, bucket, acl, tags, now)])


def facts_of(connections: Iterable[Connection], *, buckets: Sequence[str] | None = None) -> Known:
    """Return what is remembered, by connection and bucket; of `buckets` only, if given.

    What somebody has changed through this console since it was read is not remembered any more.
    """
    asked = list(connections)
    rows = BucketFacts.objects.filter(connection__in=asked)
    if buckets is not None:
        rows = rows.filter(bucket__in=buckets)
    changed = _changed(asked)
    known = {(row.connection_id, row.bucket): row for row in rows}
    return {
        place: row for place, row in known.items() if place not in changed or row.read_at > changed[place]
    }


def _changed(connections: Sequence[Connection]) -> dict[tuple[int, str], datetime]:
    """Return when access or tags of buckets were last changed here, as far back as anybody would notice."""
    pks = {connection.slug: connection.pk for connection in connections}
    since = timezone.now() - CHANGES_SEEN
    entries = Entry.objects.filter(connection__in=pks, verb__in=_CHANGING, at__gt=since)
    latest = entries.values("connection", "bucket").annotate(latest=Max("at"))
    return {(pks[entry["connection"]], entry["bucket"]): entry["latest"] for entry in latest}


def _read(connection: Connection, places: Sequence[Place], now: datetime) -> list[BucketFacts]:
    try:
        store = store_for(connection)
    except StorageError as error:
        return [_row(connection, place.bucket, error, error, now) for place in places]
    calls: dict[tuple[str, str], Callable[[], Answer]] = {}
    for place in places:
        calls[place.bucket, "acl"] = partial(_acl, store, place)
        calls[place.bucket, "tags"] = partial(_tags, store, place)
    answers = ask_all(calls, line=connection.pk, timeout_s=FACTS_TIMEOUT_S)
    return [
        _row(connection, place.bucket, answers[place.bucket, "acl"], answers[place.bucket, "tags"], now)
        for place in places
        if (place.bucket, "acl") in answers and (place.bucket, "tags") in answers
    ]


def _acl(store: ObjectStore, place: Place) -> Answer:
    return store.get_bucket_acl(bucket=place.bucket, region=place.region)


def _tags(store: ObjectStore, place: Place) -> Answer:
    return store.get_bucket_tags(bucket=place.bucket, region=place.region)


def _row(connection: Connection, bucket: str, acl: Answer, tags: Answer, now: datetime) -> BucketFacts:
    row = BucketFacts(connection=connection, bucket=bucket, access=AccessKind.UNKNOWN, read_at=now)
    if isinstance(acl, Acl):
        summary, opened = access_summary(acl), bucket_rights(acl).opened
        row.access, row.accounts, row.grants_digest = summary.kind, len(summary.who), acl.digest
        row.is_open_to_writing = any(_WRITING & held for held in opened.values())
    elif isinstance(acl, StorageError):
        row.access_code = _code_of(acl)
    if isinstance(tags, tuple):
        row.tags = [[tag.key, tag.value] for tag in tags]
    elif isinstance(tags, StorageError):
        row.tags_code = _code_of(tags)
    return row


def _code_of(error: StorageError) -> str:
    return (error.code or type(error).__name__)[:100]


def _remember(rows: Sequence[BucketFacts]) -> None:
    BucketFacts.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "bucket"],
        update_fields=[
            "access",
            "accounts",
            "is_open_to_writing",
            "access_code",
            "grants_digest",
            "tags",
            "tags_code",
            "read_at",
        ],
        batch_size=50,
    )
