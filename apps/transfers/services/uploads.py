"""An upload that a browser begins, and what it need not send again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from apps.connections.models import Connection
from apps.connections.services import bucket_region, store_for
from apps.jobs.models import Job
from apps.storage.multipart import plan_parts
from apps.storage.types import ObjectRef
from apps.transfers import spool
from apps.transfers.content import NewObject
from apps.transfers.models import Transfer
from apps.transfers.services.beginning import (
    begun_already,
    free_ids,
    initiate,
    require_free,
    require_unchanged,
    transfer_create,
)

if TYPE_CHECKING:
    from apps.accounts.models import Person


@dataclass(frozen=True)
class UploadWanted:
    """What a browser says about a file before its first byte."""

    key: str
    size: int
    file_modified_ms: int | None = None
    new_object: NewObject = field(default_factory=NewObject)
    # The id that the browser chose for the job: who asks twice, because an answer was lost, begins once.
    job_id: UUID | None = None
    # The ETag of the object that a person saw and agreed to replace; '' for whatever is there.
    seen_etag: str = ""


def upload_start(
    *,
    owner: Person,
    connection: Connection,
    bucket: str,
    wanted: UploadWanted,
    replace: bool,
    parent: Job | None = None,
    path: Transfer.Path = Transfer.Path.CONSOLE,
) -> Transfer:
    """This will begin an upload: rows, the upload id where the file needs several parts, and its spool.

    A direct one is always an upload in parts, if of a single one: what the object is to get is then said here
    and not in the browser, and nothing is replaced before the parts were compared. Raises TargetExists when
    the key is taken and `replace` is false, or by another object than the one seen, and StorageError when
    the store refuses; in both cases nothing is left behind.
    """
    begun = _begun(owner, connection, bucket, wanted)
    if begun is not None:
        return begun
    region = bucket_region(connection, bucket)
    require_may_begin(connection, bucket=bucket, region=region, wanted=wanted, replace=replace)
    plan = plan_parts(wanted.size)
    if not wanted.size:
        # No store says what a part without bytes is.
        path = Transfer.Path.CONSOLE
    transfer = transfer_create(
        Job.Kind.UPLOAD,
        owner=owner,
        connection=connection,
        target=ObjectRef(bucket=bucket, region=region, key=wanted.key),
        plan=plan,
        wanted=wanted.new_object,
        parent=parent,
        job_id=next(iter(free_ids([wanted.job_id])), None),
        file_modified_ms=wanted.file_modified_ms,
        may_replace=replace,
        path=path,
    )
    initiate(transfer, is_multipart=transfer.is_in_parts)
    spool.spool_open(transfer.pk)
    return transfer


def _begun(owner: Person, connection: Connection, bucket: str, wanted: UploadWanted) -> Transfer | None:
    if wanted.job_id is None:
        return None
    asked: dict[UUID | None, tuple[str, int]] = {wanted.job_id: (wanted.key, wanted.size)}
    begun = begun_already(owner, connection, bucket, asked).get(wanted.job_id)
    if begun is not None and begun.job.state in (Job.State.QUEUED, Job.State.RUNNING):
        # The process may have died between the rows and the spool.
        spool.spool_open(begun.pk)
    return begun


def require_may_begin(
    connection: Connection, *, bucket: str, region: str, wanted: UploadWanted, replace: bool
) -> None:
    """Raise TargetExists when a person has to decide first what becomes of the object that is there."""
    store = store_for(connection)
    if not replace:
        require_free(store, bucket=bucket, region=region, key=wanted.key)
    elif wanted.seen_etag:
        require_unchanged(store, bucket=bucket, region=region, key=wanted.key, seen_etag=wanted.seen_etag)


def slices_received(transfer: Transfer) -> list[int]:
    """Return the numbers of the slices that the browser need not send again."""
    waiting = {item.number for item in spool.slices_waiting(transfer.pk)}
    return sorted(waiting.union(transfer.parts.values_list("number", flat=True)))
