"""How a transfer ends: completed exactly once and verified, or aborted so that nothing is left behind."""

from __future__ import annotations

import logging

from django.db import transaction

from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.storage.digest import crc64_combine_parts
from apps.storage.errors import Corrupted, NotFound, ObjectNotFound, Refused, UploadNotFound
from apps.storage.types import StoredObject, StoredPart
from apps.transfers import spool
from apps.transfers.leases import transfer_lease
from apps.transfers.models import Transfer

logger = logging.getLogger(__name__)


def transfer_finish_claim(transfer: Transfer) -> bool:
    """This will move a whole transfer on to its Complete; of several workers one is told True."""
    return job_move(
        transfer.job_id,
        to=Job.State.FINISHING,
        frm=(Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED),
    )


def transfer_complete(*, transfer_id: int) -> None:
    """This will complete a transfer whose parts are all confirmed, verify the whole, and end the job.

    Safe to repeat and to be killed at any point: what the store has done already is recognized by size
    and CRC-64. Raises StorageError when the store refuses or holds something else.
    """
    with transfer_lease(transfer_id) as is_ours:
        transfer = Transfer.objects.select_related("job", "connection").filter(pk=transfer_id).first()
        if not is_ours or transfer is None or transfer.job.state != Job.State.FINISHING:
            return
        parts = [
            StoredPart(number=part.number, size=part.size, etag=part.etag, crc64=part.crc64 or None)
            for part in transfer.parts.all()
        ]
        expected = _crc64_expected(transfer, parts)
        stored = _complete(transfer, parts, expected) if transfer.upload_id else _single(parts)
        _verify(transfer, stored, expected)
        _end(transfer, stored, expected)


def _crc64_expected(transfer: Transfer, parts: list[StoredPart]) -> str:
    """Return the CRC-64 that the whole must have, '' where nothing is known to compare with."""
    if transfer.is_copy:
        return transfer.crc64
    if any(part.crc64 is None for part in parts):
        return ""
    return str(crc64_combine_parts((int(part.crc64 or 0), part.size) for part in parts))


def _single(parts: list[StoredPart]) -> StoredObject:
    return StoredObject(etag=parts[0].etag, crc64=parts[0].crc64)


def _complete(transfer: Transfer, parts: list[StoredPart], expected: str) -> StoredObject:
    try:
        return store_for(transfer.connection).complete_multipart_upload(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            upload_id=transfer.upload_id,
            parts=parts,
        )
    except UploadNotFound as error:
        # Either an earlier Complete of ours went through and its answer was lost, or somebody else ended
        # this upload. Size and CRC-64 of the object tell the two apart.
        logger.info("An upload was gone when it was completed.", extra={"transfer": transfer.pk})
        return _found(transfer, expected, error)


def _found(transfer: Transfer, expected: str, gone: UploadNotFound) -> StoredObject:
    try:
        info = store_for(transfer.connection).head_object(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key
        )
    except ObjectNotFound:
        raise gone from None
    if info.size != transfer.size or not expected or info.crc64 != expected:
        raise gone
    return StoredObject(etag=info.etag, crc64=info.crc64)


def _verify(transfer: Transfer, stored: StoredObject, expected: str) -> None:
    if not expected or stored.crc64 is None:
        return
    if stored.crc64 != expected:
        raise Corrupted(
            f"The object in the store differs from what was sent: its CRC-64 is {stored.crc64}, "
            f"{expected} was expected. Delete it and send it again."
        )


def _end(transfer: Transfer, stored: StoredObject, expected: str) -> None:
    with transaction.atomic():
        Transfer.objects.filter(pk=transfer.pk).update(etag=stored.etag, crc64=stored.crc64 or expected)
        job_move(transfer.job_id, to=Job.State.DONE, frm=[Job.State.FINISHING], bytes_done=transfer.size)
    spool.spool_remove(transfer.pk)


def transfer_abort(*, transfer_id: int) -> None:
    """This will abort a canceled transfer in the store, free the spool, and end the job. Safe to repeat."""
    with transfer_lease(transfer_id) as is_ours:
        transfer = Transfer.objects.select_related("job", "connection").filter(pk=transfer_id).first()
        if not is_ours or transfer is None or transfer.job.state != Job.State.CANCELING:
            return
        spool.spool_remove(transfer.pk)
        if transfer.upload_id:
            _abort(transfer)
        job_move(transfer.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING])


def _abort(transfer: Transfer) -> None:
    try:
        store_for(transfer.connection).abort_multipart_upload(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key, upload_id=transfer.upload_id
        )
    except (NotFound, Refused):
        logger.info("There was nothing left to abort.", extra={"transfer": transfer.pk})
