"""Unfinished uploads of a bucket or of a whole connection: looked for, and thrown away one by one or many."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from apps.activity.services import activity_record
from apps.connections.asking import ask_all
from apps.connections.models import Connection
from apps.connections.services import bucket_region, buckets_refresh, store_for
from apps.storage.errors import StorageError, Unavailable, UploadNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef, UnfinishedPage, UnfinishedUpload
from apps.transfers.models import Transfer
from apps.transfers.services.adopting import UploadRef, transfers_alive

if TYPE_CHECKING:
    from apps.accounts.models import Person

# As many as one request ends in a time that a person waits for.
ABORTED_AT_ONCE = 1000
PAGE_SIZE = 100
BUCKETS_AT_ONCE = 25
PAGES_READ = 5
READ_TIMEOUT_S = 20.0
ABORT_TIMEOUT_S = 25.0


@dataclass(frozen=True)
class Place:
    """A bucket and where it is."""

    bucket: str
    region: str


@dataclass(frozen=True)
class Which:
    """Which uploads are meant. `initiator` is a piece of the id or name of who began them."""

    prefix: str = ""
    initiator: str = ""
    before: datetime | None = None

    def fits(self, upload: UnfinishedUpload) -> bool:
        """One of which nobody knows when it was begun is not what somebody asked for by its age."""
        is_old = upload.initiated_at is not None and self.before and upload.initiated_at < self.before
        if self.before is not None and not is_old:
            return False
        asked = self.initiator.lower()
        return asked in upload.initiator_id.lower() or asked in upload.initiator_name.lower()

    @property
    def is_all(self) -> bool:
        return self.before is None and not self.initiator


@dataclass(frozen=True)
class Found:
    """One unfinished upload and the bucket that it lies in."""

    place: Place
    upload: UnfinishedUpload

    @property
    def ref(self) -> UploadRef:
        target = ObjectRef(self.place.bucket, self.place.region, self.upload.key)
        return UploadRef(target, self.upload.upload_id)


@dataclass(frozen=True)
class Matching:
    """Uploads that fit what was asked for; `has_more` when not all were looked at."""

    uploads: Sequence[Found]
    has_more: bool
    problems: Mapping[str, StorageError] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What tells these uploads from any others, as hexadecimal digits."""
        ids = "\n".join(sorted(found.upload.upload_id for found in self.uploads))
        return hashlib.sha256(ids.encode()).hexdigest()

    @property
    def newest_at(self) -> datetime | None:
        """When the latest of them was begun, by the store's clock."""
        dated = [found.upload.initiated_at for found in self.uploads]
        return max((at for at in dated if at is not None), default=None)

    @property
    def oldest(self) -> UnfinishedUpload | None:
        dated = [found.upload for found in self.uploads if found.upload.initiated_at is not None]
        return min(dated, key=lambda upload: str(upload.initiated_at), default=None)


@dataclass(frozen=True)
class Aborted:
    """What became of many uploads: `left` were not reached in time, `failures` have the store's answers."""

    done: int
    left: int
    failures: Sequence[StorageError]


def places_of(connection: Connection, bucket: str) -> list[Place]:
    """Return the one bucket, or for '' all that the connection's key lists. Raises StorageError."""
    if bucket:
        return [Place(bucket, bucket_region(connection, bucket))]
    buckets = sorted(buckets_refresh(connection), key=lambda found: found.name)
    return [Place(found.name, found.region) for found in buckets]


def uploads_running(connection: Connection, *, bucket: str) -> int:
    """Return how many jobs of this console still write into a bucket, other people's among them."""
    running = Transfer.objects.filter(connection=connection, bucket=bucket, job__finished_at__isnull=True)
    return running.count()


def alive_among(uploads: Iterable[Found]) -> dict[str, Transfer]:
    """Return the transfers that are at these uploads, by upload id."""
    by_bucket: dict[str, list[str]] = {}
    for found in uploads:
        by_bucket.setdefault(found.place.bucket, []).append(found.upload.upload_id)
    alive: dict[str, Transfer] = {}
    for bucket, ids in by_bucket.items():
        alive |= transfers_alive(ids, bucket=bucket)
    return alive


def uploads_found(connection: Connection, *, places: Sequence[Place], which: Which) -> Matching:
    """Return the uploads that fit, from the first pages of each bucket.

    Of one bucket its StorageError is raised; of several, those that cannot be listed are told as problems.
    """
    store = store_for(connection)
    calls = {place: partial(_matching_in, store, place, which) for place in places}
    answers = ask_all(calls, line=("uploads", connection.pk), timeout_s=READ_TIMEOUT_S)
    problems = {place.bucket: error for place, error in answers.items() if isinstance(error, StorageError)}
    if len(places) == 1 and problems:
        raise next(iter(problems.values()))
    found = [answers[place] for place in places if place in answers]
    pages = [answer for answer in found if not isinstance(answer, StorageError)]
    has_more = any(has_more for _uploads, has_more in pages) or len(answers) < len(places)
    return Matching([one for uploads, _has_more in pages for one in uploads], has_more, problems)


def uploads_matching(connection: Connection, *, places: Sequence[Place], which: Which) -> Matching:
    """Return the uploads that fit and that no job of this console still sends."""
    found = uploads_found(connection, places=places, which=which)
    alive = alive_among(found.uploads)
    free = [one for one in found.uploads if one.upload.upload_id not in alive]
    return replace(found, uploads=free)


@dataclass(frozen=True)
class Cursor:
    """Where a list goes on: in which bucket, behind which upload."""

    bucket: str = ""
    key: str = ""
    upload_id: str = ""


@dataclass(frozen=True)
class Page:
    """One page of the list in the store's own order; `next` is None on the last."""

    uploads: Sequence[Found]
    next: Cursor | None
    problems: Mapping[str, StorageError] = field(default_factory=dict)


def uploads_page(connection: Connection, *, places: Sequence[Place], prefix: str, at: Cursor) -> Page:
    """Return the next hundred or so uploads: by bucket, key and id, as the store lists them.

    Of one bucket its StorageError is raised; of several, those that cannot be listed are told as problems.
    """
    left = [place for place in places if place.bucket >= at.bucket] if at.bucket else list(places)
    now, later = left[:BUCKETS_AT_ONCE], left[BUCKETS_AT_ONCE:]
    store = store_for(connection)
    calls = {place: partial(_page_of, store, place, prefix, at) for place in now}
    answers = ask_all(calls, line=("uploads", connection.pk), timeout_s=READ_TIMEOUT_S)
    uploads: list[Found] = []
    problems: dict[str, StorageError] = {}
    for number, place in enumerate(now):
        answer = answers.get(place) or Unavailable("The store did not answer in time.")
        if isinstance(answer, StorageError):
            if len(places) == 1:
                raise answer
            problems[place.bucket] = answer
            continue
        uploads += [Found(place, upload) for upload in answer.uploads]
        if answer.next_key_marker is not None:
            following = Cursor(place.bucket, answer.next_key_marker, answer.next_upload_id_marker or "")
            return Page(uploads, following, problems)
        if len(uploads) >= PAGE_SIZE and number + 1 < len(now):
            return Page(uploads, Cursor(now[number + 1].bucket), problems)
    return Page(uploads, Cursor(later[0].bucket) if later else None, problems)


def _page_of(store: ObjectStore, place: Place, prefix: str, at: Cursor) -> UnfinishedPage:
    is_begun = place.bucket == at.bucket
    return store.list_multipart_uploads(
        bucket=place.bucket,
        region=place.region,
        prefix=prefix,
        key_marker=at.key if is_begun else "",
        upload_id_marker=at.upload_id if is_begun else "",
        limit=PAGE_SIZE,
    )


def _matching_in(store: ObjectStore, place: Place, which: Which) -> tuple[list[Found], bool]:
    found: list[Found] = []
    key_marker = id_marker = ""
    for _number in range(PAGES_READ):
        page = store.list_multipart_uploads(
            bucket=place.bucket,
            region=place.region,
            prefix=which.prefix,
            key_marker=key_marker,
            upload_id_marker=id_marker,
        )
        found += [Found(place, upload) for upload in page.uploads if which.fits(upload)]
        if page.next_key_marker is None:
            return found, False
        key_marker, id_marker = page.next_key_marker, page.next_upload_id_marker or ""
    return found, True


def upload_abort(connection: Connection, *, person: Person, upload: UploadRef) -> None:
    """Throw an unfinished upload away. Raises UploadNotFound when it ended in the meantime."""
    target = upload.target
    store_for(connection).abort_multipart_upload(
        bucket=target.bucket, region=target.region, key=target.key, upload_id=upload.upload_id
    )
    activity_record(
        person=person,
        verb="upload.abort",
        connection=connection.slug,
        bucket=target.bucket,
        key=target.key,
        before={"upload_id": upload.upload_id},
    )


def uploads_abort(
    connection: Connection, *, person: Person, bucket: str, uploads: Sequence[UploadRef]
) -> Aborted:
    """Throw many unfinished uploads away at the same time; one that ended by itself counts as done."""
    store = store_for(connection)
    calls = {upload: partial(upload_end, store, upload) for upload in uploads}
    answers = ask_all(calls, line=("abort", connection.pk), timeout_s=ABORT_TIMEOUT_S)
    failures = [answer for answer in answers.values() if isinstance(answer, StorageError)]
    outcome = Aborted(len(answers) - len(failures), len(calls) - len(answers), failures)
    activity_record(
        person=person,
        verb="upload.abort",
        connection=connection.slug,
        bucket=bucket,
        after={"aborted": outcome.done, "failed": len(failures), "left": outcome.left},
    )
    return outcome


def upload_end(store: ObjectStore, upload: UploadRef) -> None:
    """Abort one upload; one that is gone already needs nothing more."""
    target = upload.target
    try:
        store.abort_multipart_upload(
            bucket=target.bucket, region=target.region, key=target.key, upload_id=upload.upload_id
        )
    except UploadNotFound:
        return
