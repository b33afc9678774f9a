"""What every transfer begins with: a free key, its rows, and an upload id that is owed an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_create, job_move
from apps.storage.errors import ObjectNotFound, StorageError, Unavailable
from apps.storage.multipart import PartPlan
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectInfo, ObjectRef
from apps.transfers.content import NewObject
from apps.transfers.models import Transfer

if TYPE_CHECKING:
    from apps.accounts.models import Person


class TargetExists(Exception):
    """The key is taken, and nobody said that it may be replaced."""

    def __init__(self, info: ObjectInfo) -> None:
        super().__init__(f"{info.key} exists already.")
        self.info = info


class StateChanged(Exception):
    """The job is not in a state in which this can be done; somebody or something was faster."""


class BatchEnded(Exception):
    """The batch that a file was to belong to was canceled."""


def require_free(store: ObjectStore, *, bucket: str, region: str, key: str) -> None:
    """Raise TargetExists when an object has the key already."""
    try:
        info = store.head_object(bucket=bucket, region=region, key=key)
    except ObjectNotFound:
        return
    raise TargetExists(info)


def require_unchanged(store: ObjectStore, *, bucket: str, region: str, key: str, seen_etag: str) -> None:
    """Raise TargetExists when the key has another object than the one that somebody agreed to lose."""
    try:
        info = store.head_object(bucket=bucket, region=region, key=key)
    except ObjectNotFound:
        return
    if info.etag != seen_etag:
        raise TargetExists(info)


def begun_already(
    owner: Person, connection: Connection, bucket: str, wanted: Mapping[UUID | None, tuple[str, int]]
) -> dict[UUID | None, Transfer]:
    """Return the uploads that a browser began under these ids without hearing of it.

    `wanted` tells the key and the size of the file by the id that the browser chose for its job. What was
    canceled in the meantime, or never got as far as its upload id, counts as not begun.
    """
    found = Transfer.objects.select_related("job", "connection").filter(
        job_id__in=[job_id for job_id in wanted if job_id is not None],
        job__owner=owner,
        job__kind=Job.Kind.UPLOAD,
        connection=connection,
        bucket=bucket,
    )
    over = (Job.State.CANCELING, Job.State.CANCELED)
    return {
        one.job_id: one
        for one in found
        if (one.key, one.size) == wanted[one.job_id] and one.is_begun and one.job.state not in over
    }


def free_ids(chosen: Iterable[UUID | None]) -> set[UUID]:
    """Return those of the ids that a browser chose which no job has."""
    wanted = {job_id for job_id in chosen if job_id is not None}
    return wanted - set(Job.objects.filter(pk__in=wanted).values_list("pk", flat=True))


def transfer_create(
    kind: Job.Kind,
    *,
    owner: Person,
    connection: Connection,
    target: ObjectRef,
    plan: PartPlan,
    wanted: NewObject,
    parent: Job | None = None,
    job_id: UUID | None = None,
    **detail: object,
) -> Transfer:
    """This will write the rows of a transfer down, before the store is asked for anything."""
    with transaction.atomic():
        require_open(parent)
        job = job_create(
            kind=kind,
            feature="transfers",
            owner=owner,
            title=target.key,
            place=_place_of(target, detail),
            bytes_total=plan.size,
            parent=parent,
            job_id=job_id,
        )
        return Transfer.objects.create(
            job=job,
            connection=connection,
            bucket=target.bucket,
            region=target.region,
            key=target.key,
            size=plan.size,
            part_size=plan.part_size,
            wanted=wanted.to_json(),
            **detail,
        )


def require_open(parent: Job | None) -> None:
    """Have no file begin below a batch that was canceled a moment ago: nobody would cancel it."""
    if parent is None:
        return
    state = Job.objects.select_for_update().values_list("state", flat=True).get(pk=parent.pk)
    if state in (Job.State.CANCELING, Job.State.CANCELED):
        raise BatchEnded


def _place_of(target: ObjectRef, detail: dict[str, object]) -> str:
    if not detail.get("source_key"):
        return target.bucket
    return f"{detail['source_bucket']}/{detail['source_key']} → {target.bucket}"


def initiate(transfer: Transfer, *, is_multipart: bool) -> None:
    """Ask for the upload id, outside of any transaction: the row stands before the store owes us one."""
    if not is_multipart:
        return
    wanted = transfer.new_object
    try:
        upload_id = store_for(transfer.connection).create_multipart_upload(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            headers=wanted.headers,
            acl=wanted.acl or None,
            grants=wanted.grants,
            tags=wanted.tags,
        )
    except Unavailable:
        # It may have begun all the same: the abort of this job asks the store.
        job_move(transfer.job_id, to=Job.State.CANCELING, frm=[Job.State.QUEUED])
        raise
    except StorageError:
        transfer.job.delete()
        raise
    is_kept = False
    try:
        is_kept = _keep_upload_id(transfer, upload_id)
    finally:
        if not is_kept:
            store_for(transfer.connection).abort_multipart_upload(
                bucket=transfer.bucket, region=transfer.region, key=transfer.key, upload_id=upload_id
            )
    if not is_kept:
        raise StateChanged


def _keep_upload_id(transfer: Transfer, upload_id: str) -> bool:
    """Write the upload id down unless somebody canceled the job while the store was asked."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=transfer.job_id)
        if job.state != Job.State.QUEUED:
            return False
        transfer.upload_id = upload_id
        transfer.save(update_fields=["upload_id"])
    return True
