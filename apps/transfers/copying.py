"""A copy: parts in parallel, by several workers at a time, in batches of some twenty seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_move, job_report
from apps.storage.errors import Denied, UploadNotFound
from apps.storage.types import StoredObject, StoredPart
from apps.transfers.ledger import part_record, transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.relaying import OnProgress, PinnedSource, relay_object, relay_part
from apps.transfers.rights import rights_require
from apps.transfers.sending import SENDING_STATES
from apps.transfers.spans import HeldSpan, span_take, spans_free, spans_make, workers_wanted
from apps.transfers.targets import stored_if_free

logger = logging.getLogger(__name__)

BATCH_S = 20.0
PARTS_AT_ONCE = 8
# How often the rows are asked whether to go on, and the gauge is told what passes through here.
LOOK_EVERY_S = 0.5


def copy_batch(*, transfer_id: int, until: float | None = None) -> bool | None:
    """This will copy parts that nobody else is at, for some twenty seconds or until a monotonic time.

    Return True when all parts are there, False when some are left for a next batch, None when there is
    nothing to do here: the job was stopped, is gone, or enough other workers are at it. Safe to repeat, and
    by several workers at once. Raises StorageError when the store refuses a part; those that are done stay
    done.
    """
    transfer = (
        Transfer.objects.select_related("job__owner", "connection", "source_connection")
        .filter(pk=transfer_id)
        .first()
    )
    if transfer is None or not transfer.is_begun:
        return None
    job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    if not _may_go_on(transfer):
        return None
    rights_require(transfer)
    if not transfer.spans.exists():
        spans_make(transfer)
    if workers_wanted(transfer.pk):
        _Batch(transfer, until=until or time.monotonic() + BATCH_S).run()
    if transfer_is_whole(transfer):
        return True
    return False if _may_go_on(transfer) and spans_free(transfer.pk).exists() else None


def _may_go_on(transfer: Transfer) -> bool:
    return Job.objects.filter(pk=transfer.job_id, state=Job.State.RUNNING).exists()


class _Batch:
    """What one worker does of a copy: spans one after the other, their parts in parallel threads.

    The threads speak to stores only; rows and the gauge belong to the thread that runs the batch.
    """

    def __init__(self, transfer: Transfer, *, until: float) -> None:
        self.transfer = transfer
        self.until = until
        self.held: list[HeldSpan] = []
        self.stored: dict[int, StoredPart] | None = None
        self.passing = Passing()
        self.looked_at = time.monotonic()
        self.may_go_on = True
        self.is_relay_kept = transfer.is_relayed

    def run(self) -> None:
        name = f"copy-{self.transfer.pk}"
        try:
            with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix=name) as pool:
                self._run(pool, self._numbers())
        except UploadNotFound:
            # Whoever copied the last part first has completed the upload in the meantime.
            if _may_go_on(self.transfer):
                raise
        finally:
            for span in self.held:
                span.release()

    def _run(self, pool: ThreadPoolExecutor, numbers: Iterator[int]) -> None:
        under_way: set[Future[StoredPart]] = set()
        try:
            while True:
                while len(under_way) < PARTS_AT_ONCE and (number := self._next(numbers)):
                    under_way.add(pool.submit(part_copy, self.transfer, number, self.passing))
                if not under_way:
                    return
                ended, under_way = wait(under_way, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                for part in _results(ended):
                    self._confirm(part)
                self._look()
        except BaseException:
            self._keep_finished(under_way)
            raise

    def _next(self, numbers: Iterator[int]) -> int | None:
        """Return the next part to copy; None when the time is up, a person stopped it, or none is left."""
        if time.monotonic() >= self.until or not self.may_go_on:
            return None
        return next(numbers, None)

    def _look(self) -> None:
        """Tell the gauge how far the parts are that pass through here, and ask whether to go on."""
        if time.monotonic() - self.looked_at < LOOK_EVERY_S:
            return
        self.looked_at = time.monotonic()
        for number, sent, moved in self.passing.news():
            job_report(self.transfer.job_id, part=number, sent=sent, delta=moved)
        state = Job.objects.filter(pk=self.transfer.job_id).values_list("state", flat=True).first()
        self.may_go_on = state == Job.State.RUNNING
        if state not in SENDING_STATES:
            self.passing.stop.set()

    def _numbers(self) -> Iterator[int]:
        """Yield parts that are missing, taking span after span without a pause between them."""
        while held := span_take(self.transfer):
            self._release_done()
            self.held.append(held)
            for number in sorted(held.missing):
                if not (held.span.is_begun and self._adopt(number)):
                    yield number

    def _adopt(self, number: int) -> bool:
        """Take over a part that the store confirmed to a worker which was killed before it wrote the row.

        List Parts tells no CRC-64: without the source's to compare the whole with, the part is copied anew.
        """
        if not self.transfer.upload_id or not self.transfer.crc64:
            return False
        if self.stored is None:
            self.stored = {part.number: part for part in self._list_parts()}
        part = self.stored.get(number)
        if part is None or part.size != self.transfer.plan.range_of(number)[1]:
            return False
        self._confirm(part, is_moved=False)
        return True

    def _list_parts(self) -> Iterator[StoredPart]:
        transfer = self.transfer
        return store_for(transfer.connection).list_parts(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key, upload_id=transfer.upload_id
        )

    def _release_done(self) -> None:
        for span in [one for one in self.held if not one.missing]:
            self.held.remove(span)
            span.release()

    def _keep_finished(self, under_way: set[Future[StoredPart]]) -> None:
        """Record what still succeeds after one part failed, so that a retry does not copy it again."""
        for future in wait(under_way).done:
            if future.exception() is None:
                self._confirm(future.result())
        for number, moved in self.passing.taken_back():
            job_report(self.transfer.job_id, part=number, sent=0, delta=-moved)

    def _confirm(self, part: StoredPart, *, is_moved: bool = True) -> None:
        confirmed = part_record(self.transfer, part)
        for span in self.held:
            span.missing.discard(part.number)
        moved = part.size - self.passing.end(part.number) if is_moved else 0
        job_report(self.transfer.job_id, part=part.number, sent=0, base=confirmed.size, delta=moved)
        if self.transfer.is_relayed and not self.is_relay_kept:
            self.is_relay_kept = True
            Transfer.objects.filter(pk=self.transfer.pk).update(is_relayed=True)


class Passing:
    """How far each part is that passes through this worker, written by its threads."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._sent: dict[int, int] = {}
        self._told: dict[int, int] = {}

    def of(self, number: int) -> OnProgress:
        """Return what the threads call with the bytes of a part; it says whether to go on."""

        def on_progress(sent: int) -> bool:
            self._sent[number] = sent
            return not self.stop.is_set()

        return on_progress

    def news(self) -> list[tuple[int, int, int]]:
        """Return each part's number, its bytes so far, and how many of them were not told before."""
        sent_now = self._sent.copy().items()
        found = [(number, sent, sent - self._told.get(number, 0)) for number, sent in sent_now]
        self._told |= {number: sent for number, sent, _moved in found}
        return found

    def end(self, number: int) -> int:
        """Forget a part, and return how many of its bytes were told."""
        self._sent.pop(number, None)
        return self._told.pop(number, 0)

    def taken_back(self) -> list[tuple[int, int]]:
        """Forget all parts, and return which bytes of them no longer count."""
        return [(number, self.end(number)) for number in list(self._told)]


def _results(ended: set[Future[StoredPart]]) -> Iterator[StoredPart]:
    # Successes first: a failure beside them must not throw their work away.
    for future in sorted(ended, key=lambda item: item.exception() is not None):
        yield future.result()


def part_copy(transfer: Transfer, number: int, passing: Passing) -> StoredPart:
    """Copy one part, or the whole object where it is one request, in the store or through this worker.

    A key that may not read the source after all makes this copy, and those that follow, pass through here.
    """
    if not transfer.is_relayed:
        try:
            return _part_in_store(transfer, number) if transfer.upload_id else _object_in_store(transfer)
        except Denied:
            if transfer.reads_from == transfer.connection:
                raise
            logger.info("A copy has to be relayed.", extra={"transfer": transfer.pk}, exc_info=True)
            transfer.is_relayed = True
    return _part_relayed(transfer, number, passing.of(number))


def _part_in_store(transfer: Transfer, number: int) -> StoredPart:
    offset, length = transfer.plan.range_of(number)
    return store_for(transfer.connection).upload_part_copy(
        source=transfer.source,
        bucket=transfer.bucket,
        region=transfer.region,
        key=transfer.key,
        upload_id=transfer.upload_id,
        number=number,
        first_byte=offset,
        last_byte=offset + length - 1,
        source_etag=transfer.source_etag,
        source_version_id=transfer.source_version_id or None,
    )


def _object_in_store(transfer: Transfer) -> StoredPart:
    wanted, detail = transfer.new_object, transfer.detail

    def copy(is_new_only: bool) -> StoredObject:
        return store_for(transfer.connection).copy_object(
            source=transfer.source,
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            source_etag=transfer.source_etag,
            source_version_id=transfer.source_version_id or None,
            # Not said again, they come along with whatever else the store knows of the source.
            headers=wanted.headers if detail.is_replaced else None,
            storage_class=wanted.headers.storage_class,
            acl=wanted.acl or None,
            grants=wanted.grants,
            tags=wanted.tags if detail.has_tags else None,
            is_new_only=is_new_only,
        )

    return _whole(transfer, stored_if_free(transfer, copy, crc64=transfer.crc64))


def _part_relayed(transfer: Transfer, number: int, on_progress: OnProgress) -> StoredPart:
    source_store, target_store = store_for(transfer.reads_from), store_for(transfer.connection)
    source = PinnedSource(
        ref=transfer.source,
        size=transfer.size,
        etag=transfer.source_etag,
        version_id=transfer.source_version_id,
        crc64=transfer.crc64,
    )
    if not transfer.upload_id:

        def relay(is_new_only: bool) -> StoredObject:
            return relay_object(
                source_store,
                source,
                target_store,
                transfer.target,
                new_object=transfer.new_object,
                on_progress=on_progress,
                is_new_only=is_new_only,
            )

        return _whole(transfer, stored_if_free(transfer, relay, crc64=transfer.crc64))
    offset, length = transfer.plan.range_of(number)
    return relay_part(
        source_store,
        source,
        target_store,
        transfer.target,
        upload_id=transfer.upload_id,
        number=number,
        offset=offset,
        length=length,
        on_progress=on_progress,
    )


def _whole(transfer: Transfer, stored: StoredObject) -> StoredPart:
    return StoredPart(number=1, size=transfer.size, etag=stored.etag, crc64=stored.crc64)
