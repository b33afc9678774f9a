"""Saving and rolling back CORS rules: nobody's change is overwritten unseen, and every document is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from apps.access.models import CorsVersion
from apps.access.rules.cors_documents import cors_record
from apps.access.services.claims import saving_claimed
from apps.accounts.models import Person
from apps.activity.services import activity_record
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.storage.cors import Cors, CorsRule

VERSIONS_KEPT = 100


class CorsChanged(Exception):
    """The rules are not what the person saw; `current` is what they are."""

    def __init__(self, current: Cors) -> None:
        super().__init__()
        self.current = current


class CorsUnknown(Exception):
    """The document holds what the console does not understand, and a write would lose it."""

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__()
        self.unknown = unknown


def cors_save(
    *,
    connection: Connection,
    bucket: str,
    region: str,
    person: Person,
    rules: Sequence[CorsRule],
    seen: str,
    now: datetime,
    reason: str = "",
) -> CorsVersion | None:
    """Replace the rules of a bucket, and remember what was there; without rules the document is deleted.

    None means that they were like that already, as after a second click: nothing was written. `seen` is the
    digest of what the person started from. Elements beside the rules are kept. Raises CorsChanged when
    somebody else was faster, CorsUnknown when a write would lose something, StorageError.
    """
    with saving_claimed(what="cors", bucket=bucket):
        current = store_for(connection).get_bucket_cors(bucket=bucket, region=region)
        after = replace(current, rules=tuple(rules)) if rules else Cors()
        if after.digest == current.digest:
            return None
        _check(current, seen=seen)
        return _write(
            CorsVersion(connection=connection, bucket=bucket, person=person, saved_at=now),
            region=region,
            before=current,
            after=after,
            reason=reason,
        )


def cors_roll_back(*, version: CorsVersion, region: str, person: Person, now: datetime) -> CorsVersion:
    """Restore the document from before a saving, as long as nobody saved another one since.

    Raises CorsChanged when somebody did, CorsUnknown, StorageError.
    """
    connection, bucket = version.connection, version.bucket
    with saving_claimed(what="cors", bucket=bucket):
        current = store_for(connection).get_bucket_cors(bucket=bucket, region=region)
        _check(current, seen=version.after_digest)
        made = CorsVersion(
            connection=connection,
            bucket=bucket,
            person=person,
            saved_at=now,
            kind=CorsVersion.Kind.ROLL_BACK,
        )
        return _write(made, region=region, before=current, after=version.cors_before)


def _check(current: Cors, *, seen: str) -> None:
    if current.digest != seen:
        raise CorsChanged(current)
    if current.unknown:
        raise CorsUnknown(current.unknown)


def _write(version: CorsVersion, *, region: str, before: Cors, after: Cors, reason: str = "") -> CorsVersion:
    store = store_for(version.connection)
    if after.rules:
        store.put_bucket_cors(bucket=version.bucket, region=region, cors=after)
    else:
        store.delete_bucket_cors(bucket=version.bucket, region=region)
    version.before, version.after = cors_record(before), cors_record(after)
    version.before_digest, version.after_digest = before.digest, after.digest
    version.save()
    _forget_old(version)
    activity_record(
        person=version.person,
        verb="bucket.cors",
        connection=version.connection.slug,
        bucket=version.bucket,
        before=version.before,
        after=version.after | ({"reason": reason} if reason else {}),
    )
    return version


def _forget_old(version: CorsVersion) -> None:
    of_bucket = CorsVersion.objects.filter(connection=version.connection, bucket=version.bucket)
    kept = list(of_bucket.values_list("pk", flat=True)[:VERSIONS_KEPT])
    of_bucket.exclude(pk__in=kept).delete()
