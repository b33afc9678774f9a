"""How a transfer ends: completed exactly once and verified, or aborted so that nothing is left behind."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from apps.activity.services import activity_record
from apps.connections.services import store_for
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.jobs.services import error_fields, job_move
from apps.storage.digest import crc64_combine_parts
from apps.storage.errors import (
    TAKEN,
    Conflict,
    Corrupted,
    Denied,
    NotFound,
    ObjectNotFound,
    Refused,
    StorageError,
    Throttled,
    Unavailable,
    UploadNotFound,
)
from apps.storage.types import StoredObject, StoredPart
from apps.transfers import spool
from apps.transfers.ledger import transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.rights import rights_require
from apps.transfers.settling import COPY_KEPT, copy_settle
from apps.transfers.spans import spans_held
from apps.transfers.targets import CLOCKS_DIFFER, lost_uploads, target_require_free, target_taken
from apps.transfers.verifying import parts_verified, verification_of

logger = logging.getLogger(__name__)

# How long after its row an Initiate may still be under way.
LOST_WINDOW = timedelta(minutes=1)
NO_ERROR = {"error_code": "", "error_message": "", "error_request_id": ""}


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
    with row_lease(Transfer, transfer_id) as is_ours:
        transfer = _transfer_of(transfer_id)
        if not is_ours or transfer is None or transfer.job.state != Job.State.FINISHING:
            return
        if _writes(transfer):
            rights_require(transfer)
        if not transfer.etag:
            _make_whole(transfer)
        if transfer.is_copy:
            copy_settle(transfer)
        _end(transfer)


def _writes(transfer: Transfer) -> bool:
    """Return whether completing writes to a store: what went out in one request is there already."""
    is_owed = bool(transfer.upload_id) and not transfer.etag
    return is_owed or transfer.is_move or transfer.detail.grants_later is not None


def _transfer_of(transfer_id: int) -> Transfer | None:
    rows = Transfer.objects.select_related("job__owner", "connection", "source_connection")
    return rows.filter(pk=transfer_id).first()


def _make_whole(transfer: Transfer) -> None:
    """Complete and verify the object, and write down that it is there: it is never made again."""
    parts = _parts_of(transfer)
    if transfer.path == Transfer.Path.DIRECT:
        parts = parts_verified(transfer, parts)
    expected = _crc64_expected(transfer, parts)
    stored = _complete(transfer, parts, expected) if transfer.upload_id else _single(parts)
    _verify(transfer, stored, expected)
    transfer.verified = verification_of(transfer, parts, stored, expected=expected)
    _keep(transfer, stored, expected)


def _keep(transfer: Transfer, stored: StoredObject, expected: str) -> None:
    transfer.etag, transfer.crc64 = stored.etag, stored.crc64 or expected
    transfer.save(update_fields=["etag", "crc64", "verified"])


def _parts_of(transfer: Transfer) -> list[StoredPart]:
    return [
        StoredPart(number=part.number, size=part.size, etag=part.etag, crc64=part.crc64 or None)
        for part in transfer.parts.all()
    ]


def _crc64_expected(transfer: Transfer, parts: list[StoredPart]) -> str:
    """Return the CRC-64 that the whole must have, '' where nothing is known to compare with.

    Raises Corrupted, before anything is completed, when the parts of a copy do not make its source.
    """
    if any(part.crc64 is None for part in parts):
        return transfer.crc64 if transfer.is_copy else ""
    joined = str(crc64_combine_parts((int(part.crc64 or 0), part.size) for part in parts))
    if transfer.is_copy and transfer.crc64 not in ("", joined):
        raise Corrupted(f"The parts make the CRC-64 {joined}, and the source has {transfer.crc64}.")
    return joined


def _single(parts: list[StoredPart]) -> StoredObject:
    return StoredObject(etag=parts[0].etag, crc64=parts[0].crc64)


def _complete(transfer: Transfer, parts: list[StoredPart], expected: str) -> StoredObject:
    target_require_free(transfer, crc64=expected)
    try:
        return store_for(transfer.connection).complete_multipart_upload(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            upload_id=transfer.upload_id,
            parts=parts,
            is_new_only=not transfer.may_replace,
        )
    except Conflict as error:
        if error.code != TAKEN:
            raise
        _require_completed(transfer, error)
        return _found(transfer, expected, target_taken())
    except UploadNotFound as error:
        # Either an earlier Complete of ours went through and its answer was lost, or somebody else ended
        # this upload. Size and CRC-64 of the object tell the two apart.
        logger.info("An upload was gone when it was completed.", extra={"transfer": transfer.pk})
        return _found(transfer, expected, error)


def _require_completed(transfer: Transfer, error: Conflict) -> None:
    """Raise TargetTaken while the upload is there: then the object that has the key is not made of it."""
    try:
        next(
            store_for(transfer.connection).list_parts(
                bucket=transfer.bucket,
                region=transfer.region,
                key=transfer.key,
                upload_id=transfer.upload_id,
            ),
            None,
        )
    except UploadNotFound:
        return
    raise target_taken() from error


def _found(transfer: Transfer, expected: str, gone: StorageError) -> StoredObject:
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


def _end(transfer: Transfer) -> None:
    is_done = job_move(
        transfer.job_id,
        to=Job.State.DONE,
        # A parked job whose object is whole in the store after all is done, and nothing else.
        frm=[Job.State.FINISHING, Job.State.PARKED, Job.State.CANCELING],
        bytes_done=transfer.size,
        **NO_ERROR,
    )
    if is_done:
        spool.spool_remove(transfer.pk)
        _record(transfer)


def _record(transfer: Transfer) -> None:
    after: dict[str, str | int] = {"size": transfer.size, "etag": transfer.etag}
    if transfer.is_copy:
        after |= {"source_bucket": transfer.source_bucket, "source_key": transfer.source_key}
    wanted = transfer.new_object
    # Whoever wonders later who let strangers in finds the answer here.
    if wanted.acl:
        after["acl"] = wanted.acl
    if wanted.grants:
        after["grants"] = ", ".join(f"{grant.grantee.text}: {grant.permission}" for grant in wanted.grants)
    activity_record(
        person=transfer.job.owner,
        verb="object.copy" if transfer.is_copy else "object.upload",
        connection=transfer.connection.slug,
        bucket=transfer.bucket,
        key=transfer.key,
        after=after,
        job=transfer.job_id,
    )


def transfer_abort(*, transfer_id: int) -> None:
    """This will abort a canceled transfer in the store, free the spool, and end the job. Safe to repeat.

    A worker may still be sending when a person cancels: raises Throttled until it has noticed. An object
    that went out in a single request before that is in the store, and the job says so by being done.
    """
    with row_lease(Transfer, transfer_id) as is_ours:
        transfer = _transfer_of(transfer_id)
        if not is_ours or transfer is None or transfer.job.state != Job.State.CANCELING:
            return
        spool.spool_close(transfer.pk)
        if spool.spool_is_busy(transfer.pk) or spans_held(transfer.pk).exists():
            raise Throttled("A worker is still sending.", code="StillSending")
        is_single = not transfer.upload_id and not transfer.is_in_parts
        if not transfer.etag and is_single and (stored := _stored_single(transfer)):
            _keep(transfer, stored, transfer.crc64)
        if transfer.etag:
            _end_early(transfer)
            return
        _abort(transfer)
        spool.spool_remove(transfer.pk)
        job_move(transfer.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING], **NO_ERROR)


def _stored_single(transfer: Transfer) -> StoredObject | None:
    """Return the object that a single request stored, None when it stored nothing.

    Its worker may have been killed, or its answer lost, before the row was written: then the store is asked.
    """
    if transfer_is_whole(transfer):
        return _single(_parts_of(transfer))
    crc64 = transfer.crc64 if transfer.is_copy else spool.closed_crc64(transfer.pk)
    if not crc64 or transfer.job.started_at is None:
        return None
    try:
        info = store_for(transfer.connection).head_object(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key
        )
    except (Denied, NotFound, Refused):
        return None
    since = transfer.job.created_at - CLOCKS_DIFFER
    is_new = info.modified_at is None or info.modified_at >= since
    if (info.size, info.crc64, is_new) != (transfer.size, crc64, True):
        return None
    return StoredObject(etag=info.etag, crc64=info.crc64)


def _end_early(transfer: Transfer) -> None:
    """End a canceled transfer whose object is there: done, unless something was still to follow it."""
    if not transfer.is_move and transfer.detail.grants_later is None:
        _end(transfer)
        return
    fields = {"error_code": COPY_KEPT, "error_message": "The copy is there, and its source was kept."}
    if job_move(transfer.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING], **fields):
        _record(transfer)


def transfer_abandon(*, transfer_id: int, error: StorageError) -> None:
    """This will keep on a canceled transfer's job why its abort failed, and end it when the store refused.

    What the store holds of it stays there then, and a person can see why. A store that is only away is
    asked again: the abort is owed.
    """
    transfer = Transfer.objects.filter(pk=transfer_id).first()
    if transfer is None:
        return
    if isinstance(error, Throttled | Unavailable):
        canceling = Job.State.CANCELING
        job_move(transfer.job_id, to=canceling, frm=[canceling], **error_fields(error))
        return
    spool.spool_remove(transfer.pk)
    job_move(transfer.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING], **error_fields(error))


def _abort(transfer: Transfer) -> None:
    if transfer.upload_id:
        _abort_upload(transfer, transfer.upload_id)
    elif transfer.is_in_parts:
        for upload_id in _lost_uploads(transfer):
            _abort_upload(transfer, upload_id)


def _lost_uploads(transfer: Transfer) -> list[str]:
    """Ask the store for upload ids that may be ours: the process that asked for them died before it knew.

    Those of the same key, begun in the minute after this job and known to no other transfer. Raises
    Throttled while a request of that minute may still be under way.
    """
    begun = transfer.job.created_at
    # Begun in the future means before the clock was set back: nobody knows how long ago.
    if begun <= timezone.now() < begun + LOST_WINDOW:
        raise Throttled("The upload may still be beginning.", code="StillBeginning")
    store = store_for(transfer.connection)
    return lost_uploads(store, transfer.target, since=begun, until=begun + LOST_WINDOW)


def _abort_upload(transfer: Transfer, upload_id: str) -> None:
    try:
        store_for(transfer.connection).abort_multipart_upload(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key, upload_id=upload_id
        )
    except (NotFound, Refused):
        logger.info("There was nothing left to abort.", extra={"transfer": transfer.pk})
