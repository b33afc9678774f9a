"""Who works on what: a ledger is cut into spans, each of which one worker holds at a time.

Spans are cut once, when the batch begins to run, from the lines that are open then. Workers take turns at
seats: a seat's next turn is queued by whoever had the one before, and a turn that is delivered twice is
taken once, however many of its messages are on their way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import sample

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.batches.models import Batch, BatchObject, BatchSeat, BatchSpan
from apps.jobs.leases import is_free, row_lease
from apps.jobs.models import Job

# Workers that take part in one batch at the same time, at most.
SEATS = 16
# Spans are short enough that all of them have some, and long enough for a request that deletes a thousand.
SPANS_PER_SEAT = 2
LINES_MIN, LINES_MAX = 100, 1000
LINES_DELETED = 5000
# Copies of as many bytes are a span of their own, so that large objects are spread over the workers.
BYTES_MAX = 1 << 30
ROWS_AT_ONCE = 500
OFFERED_LATE = 4


def spans_cut(batch: Batch) -> None:
    """This will cut what is open of a ledger into spans, once: of two workers who try, one is heeded."""
    if batch.cut_at is not None:
        return
    now = timezone.now()
    spans = list(_spans_of(batch))
    seats = [BatchSeat(batch=batch, number=number) for number in range(max(1, min(SEATS, len(spans))))]
    with transaction.atomic():
        if not Batch.objects.filter(pk=batch.pk, cut_at=None).update(cut_at=now):
            return
        BatchSpan.objects.filter(batch=batch).delete()
        BatchSpan.objects.bulk_create(spans, batch_size=ROWS_AT_ONCE)
        BatchSeat.objects.bulk_create(seats, ignore_conflicts=True)
    batch.cut_at = now


def spans_forget(batch: Batch) -> None:
    """This will have the ledger cut again, because lines that had ended are open again."""
    Batch.objects.filter(pk=batch.pk).update(cut_at=None)
    batch.cut_at = None


def _spans_of(batch: Batch) -> Iterator[BatchSpan]:
    opened = BatchObject.objects.filter(batch=batch, state__in=BatchObject.OPEN)
    lines_max = _lines_max(batch, opened.count())
    first, last, lines, size = None, 0, 0, 0
    for pk, length in opened.order_by("id").values_list("pk", "size").iterator(chunk_size=5000):
        first, last, lines, size = first or pk, pk, lines + 1, size + length
        if lines >= lines_max or (batch.does_copy and size >= BYTES_MAX):
            yield BatchSpan(batch=batch, first=first, last=last)
            first, lines, size = None, 0, 0
    if first is not None:
        yield BatchSpan(batch=batch, first=first, last=last)


def _lines_max(batch: Batch, lines: int) -> int:
    if batch.does_delete:
        return LINES_DELETED
    return min(LINES_MAX, max(LINES_MIN, lines // (SEATS * SPANS_PER_SEAT)))


@contextmanager
def span_held(batch: Batch) -> Iterator[BatchSpan | None]:
    """Give a span that nobody holds, for as long as the block runs; None when there is none."""
    opened = BatchSpan.objects.filter(batch=batch, ended_at=None)
    for span in opened.filter(is_free(timezone.now())).order_by("first")[: 2 * SEATS]:
        with row_lease(BatchSpan, span.pk) as is_ours:
            if is_ours and opened.filter(pk=span.pk).exists():
                yield span
                return
    yield None


def span_end(span: BatchSpan) -> None:
    """This will note that no line of a span is open."""
    BatchSpan.objects.filter(pk=span.pk).update(ended_at=timezone.now())


def spans_left(batch: Batch) -> bool:
    """Return whether there are spans that have not ended."""
    return BatchSpan.objects.filter(batch=batch, ended_at=None).exists()


def is_anything_free(batch: Batch) -> bool:
    """Return whether there are spans that have not ended and that nobody holds."""
    return BatchSpan.objects.filter(batch=batch, ended_at=None).filter(is_free(timezone.now())).exists()


def is_anybody_at_work(batch: Batch) -> bool:
    """Return whether a worker holds a span."""
    return BatchSpan.objects.filter(batch=batch, ended_at=None).exclude(is_free(timezone.now())).exists()


def wants_workers() -> Q:
    """Return the condition for a batch with work that nobody does: a free span, or an end that is owed."""
    unended = BatchSpan.objects.filter(batch=OuterRef("pk"), ended_at=None)
    return Q(cut_at=None) | Exists(unended.filter(is_free(timezone.now()))) | ~Exists(unended)


def seats_open(*, batch_id: int) -> list[tuple[int, int]]:
    """This will cut a batch that is to run, and return seats with the turn that is next in each.

    All of them while nobody is at work, and then a few from time to time: there may be no more workers.
    """
    states = [Job.State.QUEUED, Job.State.RUNNING]
    batch = Batch.objects.filter(pk=batch_id, job__state__in=states).first()
    if batch is None:
        return []
    spans_cut(batch)
    seats = list(BatchSeat.objects.filter(batch=batch).order_by("number").values_list("number", "turn"))
    return sample(seats, min(OFFERED_LATE, len(seats))) if is_anybody_at_work(batch) else seats


def seat_take(*, batch_id: int, seat: int, turn: int) -> bool:
    """This will begin a turn, and return False when somebody else has."""
    here = BatchSeat.objects.filter(batch=batch_id, number=seat, turn=turn)
    return bool(here.update(turn=turn + 1))
