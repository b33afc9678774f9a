"""Unfinished uploads of a bucket: whose they are, and how they are thrown away, one or many."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from apps.activity.services import activity_record
from apps.connections.asking import ask_all
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.storage.errors import StorageError, UploadNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import UnfinishedUpload
from apps.transfers.models import Transfer

if TYPE_CHECKING:
    from apps.accounts.models import Person

# As many as one request ends in a time that a person waits for.
ABORTED_AT_ONCE = 1000
PAGES_READ = 5
ABORT_TIMEOUT_S = 25.0


@dataclass(frozen=True)
class Matching:
    """Unfinished uploads that fit what was asked for; `has_more` when not all were looked at."""

    uploads: Sequence[UnfinishedUpload]
    has_more: bool

    @property
    def digest(self) -> str:
        """What tells these uploads from any others, as hexadecimal digits."""
        ids = "\n".join(sorted(upload.upload_id for upload in self.uploads))
        return hashlib.sha256(ids.encode()).hexdigest()

    @property
    def oldest(self) -> UnfinishedUpload | None:
        dated = [upload for upload in self.uploads if upload.initiated_at is not None]
        return min(dated, key=lambda upload: str(upload.initiated_at), default=None)


@dataclass(frozen=True)
class Aborted:
    """What became of many uploads: `left` were not reached in time, `failures` have the store's answers."""

    done: int
    left: int
    failures: Sequence[StorageError]


def jobs_of_uploads(connection: Connection, upload_ids: Iterable[str]) -> dict[str, Job]:
    """Return the jobs of this console that still work on these uploads, by upload id."""
    found = Transfer.objects.filter(
        connection=connection, upload_id__in=list(upload_ids), job__finished_at__isnull=True
    ).select_related("job")
    return {transfer.upload_id: transfer.job for transfer in found}


def uploads_running(connection: Connection, *, bucket: str) -> int:
    """Return how many jobs of this console still write into a bucket, other people's among them."""
    running = Transfer.objects.filter(connection=connection, bucket=bucket, job__finished_at__isnull=True)
    return running.count()


def uploads_matching(
    connection: Connection, *, bucket: str, region: str, prefix: str, before: datetime | None
) -> Matching:
    """Return unfinished uploads below a prefix that were begun before a time, at most ABORTED_AT_ONCE.

    Those that a job of this console still sends are left out. Raises StorageError.
    """
    store = store_for(connection)
    found: list[UnfinishedUpload] = []
    key_marker = id_marker = ""
    for _number in range(PAGES_READ):
        page = store.list_multipart_uploads(
            bucket=bucket,
            region=region,
            prefix=prefix,
            key_marker=key_marker,
            upload_id_marker=id_marker,
        )
        ours = jobs_of_uploads(connection, [upload.upload_id for upload in page.uploads])
        found += [one for one in page.uploads if one.upload_id not in ours and _is_before(one, before)]
        if page.next_key_marker is None or len(found) > ABORTED_AT_ONCE:
            break
        key_marker, id_marker = page.next_key_marker, page.next_upload_id_marker or ""
    has_more = page.next_key_marker is not None or len(found) > ABORTED_AT_ONCE
    return Matching(found[:ABORTED_AT_ONCE], has_more=has_more)


def upload_abort(
    connection: Connection, *, person: Person, bucket: str, region: str, key: str, upload_id: str
) -> None:
    """Throw an unfinished upload away. Raises UploadNotFound when it ended in the meantime."""
    store_for(connection).abort_multipart_upload(bucket=bucket, region=region, key=key, upload_id=upload_id)
    activity_record(
        person=person,
        verb="upload.abort",
        connection=connection.slug,
        bucket=bucket,
        key=key,
        before={"upload_id": upload_id},
    )


def uploads_abort(
    connection: Connection,
    *,
    person: Person,
    bucket: str,
    region: str,
    uploads: Sequence[UnfinishedUpload],
) -> Aborted:
    """Throw many unfinished uploads away at the same time; one that ended by itself counts as done."""
    store = store_for(connection)
    calls = {upload: partial(_abort, store, bucket, region, upload) for upload in uploads}
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


def _abort(store: ObjectStore, bucket: str, region: str, upload: UnfinishedUpload) -> None:
    try:
        store.abort_multipart_upload(bucket=bucket, region=region, key=upload.key, upload_id=upload.upload_id)
    except UploadNotFound:
        return


def _is_before(upload: UnfinishedUpload, before: datetime | None) -> bool:
    """An upload of which nobody knows when it was begun is not what somebody asked for by its age."""
    if before is None:
        return True
    return upload.initiated_at is not None and upload.initiated_at < before
