"""One slice of an upload on its way from the spool to the store."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from enum import Enum
from typing import BinaryIO, NoReturn

from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_move, job_report
from apps.storage.digest import crc64_file, file_pieces
from apps.storage.errors import Conflict, Corrupted, Denied, Refused
from apps.storage.types import FileSlice, StoredObject, StoredPart
from apps.transfers import ledger, spool
from apps.transfers.models import Transfer
from apps.transfers.rights import rights_require
from apps.transfers.targets import stored_if_free
from apps.transfers.verifying import is_md5

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 0.5
LOOK_FOR_CANCEL_S = 1.0
# A paused upload still sends what it has received: pausing stops the browser, not the workers.
SENDING_STATES = (Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED)


class Sent(Enum):
    """What became of a slice."""

    NOTHING = "nothing"
    PART = "part"
    LAST_PART = "last part"


def part_send(*, transfer_id: int, number: int) -> Sent:
    """This will send one waiting slice to the store as a part, and say whether it was the last one missing.

    Safe to repeat: a slice that is gone, is being sent by somebody else, or is confirmed already changes
    nothing. Raises StorageError when the store refuses; the slice then stays in the spool.
    """
    waiting = spool.slice_find(transfer_id, number)
    if waiting is None:
        return Sent.NOTHING
    with spool.slice_hold(waiting) as file:
        # Asked under the lock: whoever held it before has written its row by now.
        found = ledger.part_find(transfer_id, number) if file is not None else None
        transfer = ledger.transfer_remembered(transfer_id) if found is not None else None
        if file is None or found is None or transfer is None or found.state not in SENDING_STATES:
            return Sent.NOTHING
        if found.state == Job.State.QUEUED:
            job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
        if found.crc64 == str(waiting.crc64):
            confirmed = ledger.transfer_confirmed(transfer)
        else:
            confirmed = _send(transfer, waiting, file)
        spool.slice_done(waiting)
    return Sent.LAST_PART if confirmed.parts == transfer.plan.count else Sent.PART


def _send(transfer: Transfer, waiting: spool.Slice, file: BinaryIO) -> ledger.Confirmed:
    _offset, length = transfer.plan.range_of(waiting.number)
    reporter = ProgressReporter(transfer, waiting.number)
    body = FileSlice(file=file, offset=0, length=length)
    try:
        rights_require(transfer)
        _require_undamaged(waiting, file, length)
        stored = _store_part(transfer, waiting, body, reporter)
        _verify(stored, waiting, file)
    except BaseException as error:
        reporter.take_back()
        if isinstance(error, Denied | Conflict):
            # Keys that are repaired, a role that is given back, and a yes to replacing, must count at once.
            ledger.transfer_forget(transfer.pk)
        raise
    confirmed = ledger.part_record(transfer, stored)
    reporter.confirm(base=confirmed.size, length=length)
    return confirmed


def _store_part(
    transfer: Transfer, waiting: spool.Slice, body: FileSlice, on_progress: Callable[[int], bool]
) -> StoredPart:
    store, number = store_for(transfer.connection), waiting.number
    if transfer.upload_id:
        return store.upload_part(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            upload_id=transfer.upload_id,
            number=number,
            body=body,
            on_progress=on_progress,
        )
    wanted = transfer.new_object

    def put(is_new_only: bool) -> StoredObject:
        return store.put_object(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            body=body,
            headers=wanted.headers,
            on_progress=on_progress,
            acl=wanted.acl or None,
            grants=wanted.grants,
            tags=wanted.tags,
            is_new_only=is_new_only,
        )

    stored = stored_if_free(transfer, put, crc64=str(waiting.crc64))
    return StoredPart(number=number, size=body.length, etag=stored.etag, crc64=stored.crc64)


def _require_undamaged(waiting: spool.Slice, file: BinaryIO, length: int) -> None:
    """Refuse a slice whose file is not what was received, and have it sent again by the browser."""
    if os.fstat(file.fileno()).st_size != length:
        _discard(waiting)


def _discard(waiting: spool.Slice) -> NoReturn:
    spool.slice_done(waiting)
    raise Refused(
        f"Slice {waiting.number} was damaged on the console's disk. Choose the file again to send it anew.",
        code="SliceDamaged",
    )


def _verify(stored: StoredPart, waiting: spool.Slice, file: BinaryIO) -> None:
    if stored.crc64 is None and is_md5(stored.etag):
        _verify_md5(stored, waiting, file)
    if stored.crc64 is not None and int(stored.crc64) != waiting.crc64:
        # A power cut may lose what was written last: then the file differs from its own name.
        if crc64_file(file.fileno(), 0, stored.size) != waiting.crc64:
            _discard(waiting)
        raise Corrupted(
            f"Part {waiting.number} arrived changed: its CRC-64 is {stored.crc64} in the store, "
            f"and {waiting.crc64} was sent."
        )


def _verify_md5(stored: StoredPart, waiting: spool.Slice, file: BinaryIO) -> None:
    """Compare with the ETag, where a store sends no CRC-64; the slice is read once more for it."""
    md5 = hashlib.md5(usedforsecurity=False)
    for piece in file_pieces(file.fileno(), 0, stored.size):
        md5.update(piece)
    if md5.hexdigest() != stored.etag:
        raise Corrupted(
            f"Part {waiting.number} arrived changed: its MD5 is {stored.etag} in the store, "
            f"and {md5.hexdigest()} was sent."
        )


class ProgressReporter:
    """Called by the store's client while a body moves; answers whether to go on.

    Reports at most twice a second, and looks once a second whether a person has canceled.
    """

    def __init__(self, transfer: Transfer, number: int) -> None:
        self.transfer = transfer
        self.number = number
        self.reported = 0
        self.reported_at = time.monotonic()
        self.looked_at = self.reported_at

    def __call__(self, sent: int) -> bool:
        now = time.monotonic()
        if now - self.reported_at >= REPORT_EVERY_S:
            self.reported_at = now
            self._report(sent)
        if now - self.looked_at < LOOK_FOR_CANCEL_S:
            return True
        self.looked_at = now
        return Job.objects.filter(pk=self.transfer.job_id, state__in=SENDING_STATES).exists()

    def _report(self, sent: int) -> None:
        job_report(self.transfer.job_id, part=self.number, sent=sent, delta=sent - self.reported)
        self.reported = sent

    def take_back(self) -> None:
        """The part has to start again: what was counted of it no longer counts."""
        self._report(0)

    def confirm(self, *, base: int, length: int) -> None:
        job_report(self.transfer.job_id, part=self.number, sent=0, base=base, delta=length - self.reported)
