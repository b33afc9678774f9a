"""How the parts of one copy are shared by several workers: in spans, each leased to one of them.

A worker that is killed loses its leases by not renewing them, and the next one goes on with its spans. Two
that copy the same part harm nobody: the store keeps the later one, which holds the same bytes.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.jobs.leases import is_free, row_lease
from apps.transfers.models import CopySpan, Transfer

# Enough to keep a worker's threads busy for a while, and few enough rows for 10,000 parts.
SPAN_PARTS = 16
# A copy of few parts is cut shorter, so that each worker may have as many spans as the others; not too short
# to list the parts of the upload once for each that a killed worker began.
SPAN_PARTS_LEAST, SPANS_PER_WORKER = 4, 2


@dataclass
class HeldSpan:
    """A span that this worker holds, and its parts that are not there yet."""

    span: CopySpan
    missing: set[int]
    lease: ExitStack

    def release(self) -> None:
        """Give the span back; what is missing of it somebody else may copy."""
        if not self.missing:
            CopySpan.objects.filter(pk=self.span.pk).update(is_done=True)
        self.lease.close()


def spans_make(transfer: Transfer) -> None:
    """This will divide the parts of a copy into spans. Safe to repeat, and by two at the same time."""
    count = transfer.plan.count
    parts = _span_parts(count)
    CopySpan.objects.bulk_create(
        [
            CopySpan(transfer=transfer, first=first, last=min(first + parts - 1, count))
            for first in range(1, count + 1, parts)
        ],
        ignore_conflicts=True,
        batch_size=200,
    )


def _span_parts(count: int) -> int:
    """Return how many parts make a span of a copy that has `count` of them."""
    fair = ceil(count / (settings.COPY_WORKERS * SPANS_PER_WORKER))
    return min(SPAN_PARTS, max(SPAN_PARTS_LEAST, fair))


def spans_held(transfer_id: int) -> QuerySet[CopySpan]:
    """Return the spans that workers are at now."""
    return CopySpan.objects.filter(transfer=transfer_id).exclude(is_free(timezone.now()))


def spans_free(transfer_id: int) -> QuerySet[CopySpan]:
    """Return the spans that are not done and that no worker is at."""
    return CopySpan.objects.filter(is_free(timezone.now()), transfer=transfer_id, is_done=False)


def workers_wanted(transfer_id: int) -> int:
    """Return how many more workers may take spans of this copy."""
    # One that has just begun a span may hold the end of the one before as well, which only errs downwards.
    room = settings.COPY_WORKERS - spans_held(transfer_id).count()
    return max(0, min(room, spans_free(transfer_id).count()))


def span_take(transfer: Transfer) -> HeldSpan | None:
    """Take the next span that nobody holds; None when there is none. The caller releases it.

    A span that somebody began before is looked at anew: its parts may be there already.
    """
    for pk in list(spans_free(transfer.pk).values_list("pk", flat=True)[: 2 * settings.COPY_WORKERS]):
        with ExitStack() as lease:
            if not lease.enter_context(row_lease(CopySpan, pk)):
                continue
            span = CopySpan.objects.get(pk=pk)
            there = transfer.parts.filter(number__gte=span.first, number__lte=span.last)
            missing = set(range(span.first, span.last + 1)) - set(there.values_list("number", flat=True))
            CopySpan.objects.filter(pk=pk).update(is_begun=True, is_done=not missing)
            if missing:
                return HeldSpan(span=span, missing=missing, lease=lease.pop_all())
    return None
