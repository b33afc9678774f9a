"""What a person does to a transfer: start it, pause it, resume it, try again, cancel it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from apps.connections.models import Connection
from apps.connections.services import bucket_region, store_for
from apps.jobs.models import Job
from apps.jobs.services import job_create, job_move
from apps.storage.errors import ObjectNotFound, StorageError, Unavailable
from apps.storage.multipart import PartPlan, plan_parts
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef
from apps.transfers import spool
from apps.transfers.models import Transfer
from apps.transfers.targets import TARGET_TAKEN

if TYPE_CHECKING:
    from apps.accounts.models import Person

# A copy within the store moves no byte through the console: below this, one request is enough.
COPY_IN_PARTS_FROM = 32 * 1024 * 1024
COPY_PART_SIZE = 16 * 1024 * 1024


class TargetExists(Exception):
    """The key is taken, and nobody said that it may be replaced."""

    def __init__(self, info: ObjectInfo) -> None:
        super().__init__(f"{info.key} exists already.")
        self.info = info


class SameObject(Exception):
    """Source and target of a copy are one and the same object."""


class StateChanged(Exception):
    """The job is not in a state in which this can be done; somebody or something was faster."""


@dataclass(frozen=True)
class UploadWanted:
    """What a browser says about a file before its first byte."""

    key: str
    size: int
    content_type: str = ""
    file_modified_ms: int | None = None


def upload_start(
    *, owner: Person, connection: Connection, bucket: str, wanted: UploadWanted, replace: bool
) -> Transfer:
    """This will begin an upload: rows, the upload id where the file needs several parts, and its spool.

    Raises TargetExists when the key is taken and `replace` is false, StorageError when the store refuses;
    in both cases nothing is left behind.
    """
    store = store_for(connection)
    region = bucket_region(connection, bucket)
    if not replace:
        _require_free(store, bucket=bucket, region=region, key=wanted.key)
    plan = plan_parts(wanted.size)
    transfer = _transfer_create(
        Job.Kind.UPLOAD,
        owner=owner,
        connection=connection,
        target=ObjectRef(bucket=bucket, region=region, key=wanted.key),
        plan=plan,
        content_type=wanted.content_type,
        file_modified_ms=wanted.file_modified_ms,
        may_replace=replace,
    )
    _initiate(transfer, ObjectHeaders(content_type=wanted.content_type or None), is_multipart=plan.count > 1)
    spool.spool_open(transfer.pk)
    return transfer


def copy_start(
    *,
    owner: Person,
    connection: Connection,
    source: ObjectRef,
    bucket: str,
    region: str,
    key: str,
    replace: bool,
) -> Transfer:
    """This will begin a copy within one connection; workers do the rest.

    The source is pinned by its ETag: if it changes while parts are copied, the job stops instead of mixing
    two versions. Raises SameObject, TargetExists, or StorageError; nothing is left behind then.
    """
    if source == ObjectRef(bucket=bucket, region=region, key=key):
        raise SameObject
    store = store_for(connection)
    info = store.head_object(bucket=source.bucket, region=source.region, key=source.key)
    if not replace:
        _require_free(store, bucket=bucket, region=region, key=key)
    is_multipart = info.size > COPY_IN_PARTS_FROM
    plan = plan_parts(info.size, part_size_min=COPY_PART_SIZE if is_multipart else COPY_IN_PARTS_FROM)
    transfer = _transfer_create(
        Job.Kind.COPY,
        owner=owner,
        connection=connection,
        target=ObjectRef(bucket=bucket, region=region, key=key),
        plan=plan,
        content_type=info.content_type,
        source_bucket=source.bucket,
        source_region=source.region,
        source_key=source.key,
        source_etag=info.etag,
        may_replace=replace,
        crc64=info.crc64 or "",
    )
    _initiate(transfer, headers_of(info), is_multipart=is_multipart)
    return transfer


def _require_free(store: ObjectStore, *, bucket: str, region: str, key: str) -> None:
    try:
        info = store.head_object(bucket=bucket, region=region, key=key)
    except ObjectNotFound:
        return
    raise TargetExists(info)


def _transfer_create(
    kind: Job.Kind,
    *,
    owner: Person,
    connection: Connection,
    target: ObjectRef,
    plan: PartPlan,
    content_type: str,
    **detail: object,
) -> Transfer:
    with transaction.atomic():
        job = job_create(
            kind=kind,
            feature="transfers",
            owner=owner,
            title=target.key,
            place=_place_of(target, detail),
            bytes_total=plan.size,
        )
        return Transfer.objects.create(
            job=job,
            connection=connection,
            bucket=target.bucket,
            region=target.region,
            key=target.key,
            size=plan.size,
            part_size=plan.part_size,
            content_type=content_type,
            **detail,
        )


def _place_of(target: ObjectRef, detail: dict[str, object]) -> str:
    if not detail.get("source_key"):
        return target.bucket
    return f"{detail['source_bucket']}/{detail['source_key']} → {target.bucket}"


def headers_of(info: ObjectInfo) -> ObjectHeaders:
    """Return what an object says of its content: a copy in parts is a new object and inherits nothing."""
    headers = {name.lower(): value for name, value in info.headers.items()}
    return ObjectHeaders(
        content_type=info.content_type or None,
        cache_control=headers.get("cache-control"),
        content_disposition=headers.get("content-disposition"),
        content_encoding=headers.get("content-encoding"),
        content_language=headers.get("content-language"),
        expires=headers.get("expires"),
        metadata=info.metadata,
    )


def _initiate(transfer: Transfer, headers: ObjectHeaders, *, is_multipart: bool) -> None:
    """Ask for the upload id, outside of any transaction: the row stands before the store owes us one."""
    if not is_multipart:
        return
    try:
        upload_id = store_for(transfer.connection).create_multipart_upload(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key, headers=headers
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


def transfer_pause(transfer: Transfer) -> None:
    """This will stop the browser and the copying workers; what was received is still sent."""
    _require(job_move(transfer.job_id, to=Job.State.PAUSED, frm=[Job.State.QUEUED, Job.State.RUNNING]))


def transfer_resume(transfer: Transfer) -> None:
    """This will let a paused or parked transfer go on from where it is.

    Who tries again although the key was taken in the meantime was told that it will be replaced.
    """
    if transfer.job.error_code == TARGET_TAKEN:
        Transfer.objects.filter(pk=transfer.pk).update(may_replace=True)
    _require(job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.PAUSED, Job.State.PARKED]))


def transfer_cancel(transfer: Transfer) -> None:
    """This will refuse everything further; a task aborts what the store holds of it."""
    _require(
        job_move(
            transfer.job_id,
            to=Job.State.CANCELING,
            frm=[Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED, Job.State.PARKED],
        )
    )
    spool.spool_close(transfer.pk)


def _require(moved: bool) -> None:
    if not moved:
        raise StateChanged


def slices_received(transfer: Transfer) -> list[int]:
    """Return the numbers of the slices that the browser need not send again."""
    waiting = {item.number for item in spool.slices_waiting(transfer.pk)}
    return sorted(waiting.union(transfer.parts.values_list("number", flat=True)))
