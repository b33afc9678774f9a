"""A walk over a bucket: page by page, each counted in one transaction, some twenty seconds at a time."""

from __future__ import annotations

import logging
import time
from itertools import pairwise

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.connections.services import store_for
from apps.inventory.columns import key_bytes
from apps.inventory.entries import entries_add
from apps.inventory.models import Walk
from apps.inventory.tally import Tally
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.jobs.services import job_count, job_move
from apps.storage.errors import Corrupted, Throttled
from apps.storage.store import ObjectStore
from apps.storage.types import Listing

logger = logging.getLogger(__name__)

BATCH_S = 20.0
PAGE_KEYS = 1000
# How long a walk holds still after the store asked to slow down: doubled each time, up to this.
PAUSE_S = 0.5
PAUSE_LONGEST_S = 8.0
_MOVING = (Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED)


class PageCounted(Exception):
    """Somebody else counted this page, or ended the walk, in the meantime: nothing of it may stay."""


def walk_batch(*, walk_id: int) -> bool | None:
    """This will count pages for some twenty seconds.

    Return True when the walk has ended, False when pages are left for the next batch, None when there is
    nothing to do here: it was stopped, is gone, or another worker is at it. Safe to repeat and to be killed
    anywhere. Raises StorageError when the store refuses a page; the pages before it stay counted.
    """
    with row_lease(Walk, walk_id) as is_ours:
        walk = Walk.objects.select_related("job", "connection").filter(pk=walk_id).first()
        if not is_ours or walk is None:
            return None
        job_move(walk.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
        try:
            return _count_pages(walk, until=time.monotonic() + BATCH_S)
        except PageCounted:
            return None


def _count_pages(walk: Walk, *, until: float) -> bool | None:
    store, tally, pause_s = store_for(walk.connection), walk.tally(), 0.0
    while time.monotonic() + pause_s < until:
        time.sleep(pause_s)
        if not Job.objects.filter(pk=walk.job_id, state=Job.State.RUNNING).exists():
            return None
        try:
            listing = _list_page(store, walk)
        except Throttled:
            pause_s = min(max(PAUSE_S, 2 * pause_s), PAUSE_LONGEST_S)
            if pause_s == PAUSE_LONGEST_S:
                raise
            Walk.objects.filter(pk=walk.pk).update(throttled_at=timezone.now())
            continue
        # Half as long as before: the store that has just answered is not yet at rest.
        pause_s = pause_s / 2 if pause_s > PAUSE_S / 4 else 0.0
        _add_page(walk, tally, listing)
        if listing.next_marker is None:
            return True
    return False


def _list_page(store: ObjectStore, walk: Walk) -> Listing:
    """Return the next page. Raises Corrupted for one that would have keys counted twice, or for ever."""
    listing = store.list_objects(
        bucket=walk.bucket, region=walk.region, prefix=walk.prefix, marker=walk.marker, limit=PAGE_KEYS
    )
    keys = [key_bytes(walk.marker), *(key_bytes(summary.key) for summary in listing.objects)]
    is_onwards = listing.next_marker is None or key_bytes(listing.next_marker) > keys[0]
    if not is_onwards or any(after <= before for before, after in pairwise(keys)):
        raise Corrupted("The store did not list the keys in their order, so that they cannot be counted.")
    return listing


def _add_page(walk: Walk, tally: Tally, listing: Listing) -> None:
    """This will count a page: figures, rows, marker and the end of the walk are one transaction."""
    is_last = listing.next_marker is None
    tally.add_page(listing.objects)
    if is_last:
        tally.close()
    room = max(0, settings.INDEX_KEYS_MAX - walk.kept) if walk.keeps_keys else 0
    kept = listing.objects[:room]
    with transaction.atomic():
        moved = Walk.objects.filter(pk=walk.pk, pages=walk.pages, is_open=True).update(
            marker=listing.next_marker or walk.marker,
            pages=walk.pages + 1,
            objects_count=tally.total.objects,
            size=tally.total.size,
            kept=walk.kept + len(kept),
            figures=tally.to_json(),
        )
        if not moved:
            raise PageCounted
        if kept:
            entries_add(walk, kept, first=walk.kept)
        if is_last:
            _end(walk, tally)
    walk.marker, walk.pages, walk.kept = (
        listing.next_marker or walk.marker,
        walk.pages + 1,
        walk.kept + len(kept),
    )
    job_count(walk.job_id, done=tally.total.objects, bytes_done=tally.total.size)


def _end(walk: Walk, tally: Tally) -> None:
    """This will put a finished walk in the place of the one before it."""
    scope = Walk.objects.of_scope(connection_id=walk.connection_id, bucket=walk.bucket, prefix=walk.prefix)
    scope.filter(is_current=True).update(is_current=False)
    now = timezone.now()
    scope.filter(pk=walk.pk).update(is_current=True, is_open=False, finished_at=now)
    totals = {"objects_done": tally.total.objects, "objects_total": tally.total.objects}
    if not job_move(walk.job_id, to=Job.State.DONE, frm=_MOVING, bytes_total=tally.total.size, **totals):
        raise PageCounted
