"""Tags of buckets: saved without overwriting anybody unseen, and remembered to be suggested elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from apps.access.models import TagsSeen
from apps.access.services.claims import saving_claimed
from apps.access.services.together import ask_together
from apps.accounts.models import Person
from apps.activity.services import activity_record
from apps.connections.models import Connection, KnownBucket
from apps.connections.services import store_for
from apps.storage.errors import StorageError
from apps.storage.tags import Tag, tags_digest

# How many buckets one look around asks, and for how long a page waits for them.
LOOKS_MAX = 8
LOOK_TIMEOUT_S = 4.0
FRESH = timedelta(hours=24)


class TagsChanged(Exception):
    """The tags are not what the person saw; `current` is what they are."""

    def __init__(self, current: tuple[Tag, ...]) -> None:
        super().__init__()
        self.current = current


@dataclass(frozen=True)
class Suggestions:
    """Keys and values of other buckets, the most used first. `buckets` is from how many they come."""

    keys: Sequence[str]
    pairs: Sequence[tuple[str, str]]
    buckets: int


def tags_save(
    *,
    connection: Connection,
    bucket: str,
    region: str,
    person: Person,
    tags: Sequence[Tag],
    seen: str,
    now: datetime,
) -> None:
    """Replace the tags of a bucket; none at all removes them.

    Tags that are like that already, as after a second click, are not written again. `seen` is the digest of
    what the person started from. Raises TagsChanged when somebody else was faster, and StorageError.
    """
    store = store_for(connection)
    with saving_claimed(what="tags", bucket=bucket):
        current = store.get_bucket_tags(bucket=bucket, region=region)
        if tags_digest(current) == tags_digest(tags):
            return
        if tags_digest(current) != seen:
            raise TagsChanged(current)
        if tags:
            store.put_bucket_tags(bucket=bucket, region=region, tags=tags)
        else:
            store.delete_bucket_tags(bucket=bucket, region=region)
    tags_remember(connection, bucket=bucket, tags=tags, now=now)
    activity_record(
        person=person,
        verb="bucket.tags",
        connection=connection.slug,
        bucket=bucket,
        before={tag.key: tag.value for tag in current},
        after={tag.key: tag.value for tag in tags},
    )


def tags_remember(connection: Connection, *, bucket: str, tags: Sequence[Tag], now: datetime) -> None:
    """Keep the tags of a bucket that were just read, to suggest them for other buckets."""
    TagsSeen.objects.update_or_create(
        {"tags": [[tag.key, tag.value] for tag in tags], "seen_at": now},
        connection=connection,
        bucket=bucket,
    )


def tags_look_around(connection: Connection, *, besides: str, now: datetime) -> None:
    """Read the tags of some other buckets that were not read for a day. What fails is left for next time."""
    fresh = TagsSeen.objects.filter(connection=connection, seen_at__gt=now - FRESH).values("bucket")
    known = KnownBucket.objects.filter(connection=connection).exclude(name=besides).exclude(name__in=fresh)
    asked = list(known[:LOOKS_MAX])
    store = store_for(connection)
    calls = [partial(store.get_bucket_tags, bucket=one.name, region=one.region) for one in asked]
    for one, answer in zip(asked, ask_together(calls, timeout_s=LOOK_TIMEOUT_S), strict=True):
        if not isinstance(answer, StorageError):
            tags_remember(connection, bucket=one.name, tags=answer, now=now)


def tags_suggest(connection: Connection, *, besides: str) -> Suggestions:
    """Return what the tags of other buckets of a connection suggest, as far as they were ever read."""
    rows = TagsSeen.objects.filter(connection=connection).exclude(bucket=besides)
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        for key, value in row.tags:
            counted[key, value] = counted.get((key, value), 0) + 1
    pairs = sorted(counted, key=lambda pair: (-counted[pair], pair))
    return Suggestions(list(dict.fromkeys(key for key, _value in pairs)), pairs, len(rows))
