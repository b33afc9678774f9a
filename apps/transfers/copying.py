"""A copy within the store: parts in parallel, in batches of some twenty seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from apps.connections.services import store_for
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.jobs.services import job_move, job_report
from apps.storage.errors import StorageError
from apps.storage.types import ObjectRef, StoredObject, StoredPart
from apps.transfers.ledger import part_record, transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.targets import stored_if_free

logger = logging.getLogger(__name__)

BATCH_S = 20.0
PARTS_AT_ONCE = 8


def copy_batch(*, transfer_id: int) -> bool | None:
    """This will copy missing parts for some twenty seconds.

    Return True when all parts are there, False when some are left for the next batch, None when there is
    nothing to do here: the job was stopped, is gone, or another worker is at it. Safe to repeat. Raises
    StorageError when the store refuses a part; the parts that are done stay done.
    """
    with row_lease(Transfer, transfer_id) as is_ours:
        transfer = Transfer.objects.select_related("job", "connection").filter(pk=transfer_id).first()
        if not is_ours or transfer is None:
            return None
        job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
        if not _may_go_on(transfer):
            return None
        _adopt_stored_parts(transfer)
        _copy_missing(transfer, until=time.monotonic() + BATCH_S)
        if transfer_is_whole(transfer):
            return True
        return False if _may_go_on(transfer) else None


def _may_go_on(transfer: Transfer) -> bool:
    return Job.objects.filter(pk=transfer.job_id, state=Job.State.RUNNING).exists()


def _adopt_stored_parts(transfer: Transfer) -> None:
    """Take over parts that the store confirmed to a worker which was killed before it wrote the row."""
    known = set(transfer.parts.values_list("number", flat=True))
    if not transfer.upload_id or len(known) == transfer.plan.count:
        return
    stored = store_for(transfer.connection).list_parts(
        bucket=transfer.bucket, region=transfer.region, key=transfer.key, upload_id=transfer.upload_id
    )
    for part in stored:
        _offset, length = transfer.plan.range_of(part.number)
        if part.number not in known and part.size == length:
            _confirm(transfer, part, moved=0)


def _copy_missing(transfer: Transfer, *, until: float) -> None:
    known = set(transfer.parts.values_list("number", flat=True))
    missing = (number for number in range(1, transfer.plan.count + 1) if number not in known)
    with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix=f"copy-{transfer.pk}") as pool:
        under_way = {pool.submit(_copy_part, transfer, number) for number in islice(missing, PARTS_AT_ONCE)}
        try:
            while under_way:
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for part in _results(ended):
                    _confirm(transfer, part, moved=part.size)
                if time.monotonic() < until and _may_go_on(transfer):
                    under_way |= {
                        pool.submit(_copy_part, transfer, number) for number in islice(missing, len(ended))
                    }
        except StorageError:
            _keep_finished(transfer, under_way)
            raise


def _results(ended: set[Future[StoredPart]]) -> Iterator[StoredPart]:
    # Successes first: a failure beside them must not throw their work away.
    for future in sorted(ended, key=lambda item: item.exception() is not None):
        yield future.result()


def _keep_finished(transfer: Transfer, under_way: set[Future[StoredPart]]) -> None:
    """Record what still succeeds after one part failed, so that a retry does not copy it again."""
    for future in wait(under_way).done:
        if future.exception() is None:
            part = future.result()
            _confirm(transfer, part, moved=part.size)


def _copy_part(transfer: Transfer, number: int) -> StoredPart:
    store = store_for(transfer.connection)
    source = ObjectRef(bucket=transfer.source_bucket, region=transfer.source_region, key=transfer.source_key)
    offset, length = transfer.plan.range_of(number)
    if transfer.upload_id:
        return store.upload_part_copy(
            source=source,
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            upload_id=transfer.upload_id,
            number=number,
            first_byte=offset,
            last_byte=offset + length - 1,
            source_etag=transfer.source_etag,
        )

    def copy(is_new_only: bool) -> StoredObject:
        return store.copy_object(
            source=source,
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            source_etag=transfer.source_etag,
            is_new_only=is_new_only,
        )

    stored = stored_if_free(transfer, copy, crc64=transfer.crc64)
    return StoredPart(number=number, size=length, etag=stored.etag, crc64=stored.crc64)


def _confirm(transfer: Transfer, part: StoredPart, *, moved: int) -> None:
    confirmed = part_record(transfer, part)
    job_report(transfer.job_id, base=confirmed.size, delta=moved)
