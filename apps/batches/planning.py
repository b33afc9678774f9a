"""The plan: a frozen list of what the selection means now, with what stands in the way of each object."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from django.utils import timezone

from apps.batches.exposure import opening_of
from apps.batches.figures import figures_make
from apps.batches.ledger import Found, meetings_rank, page_record, sources_spare
from apps.batches.models import Action, Batch, BatchObject
from apps.batches.rules import IN_STORE, RELAYED, key_problem, prefix_of, target_of
from apps.batches.selection import Selection, Source
from apps.batches.services import role_require
from apps.connections.services import store_for
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.jobs.services import job_count, job_move
from apps.storage.errors import ObjectNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectInfo, ObjectRef, ObjectSummary
from apps.transfers.relaying import PinnedSource, can_copy_in_store

BATCH_S = 20.0
TELL_S = 1.0
HEADS_AT_ONCE = 16
PAGE = 1000
# Pages of the target's list that are read for a page of sources, before each target is looked at.
LISTS_MAX = 3

T = TypeVar("T")
R = TypeVar("R")


def plan_batch(*, batch_id: int, seconds: float = BATCH_S) -> bool | None:
    """This will list the selection for some twenty seconds.

    Return True when the plan is complete and waits for its person, False when more is to be listed, None
    when there is nothing to do here: it was canceled, waits for options, or another worker is at it. Safe
    to repeat. Raises StorageError; what is listed stays listed.
    """
    with row_lease(Batch, batch_id) as is_ours:
        batch = (
            Batch.objects.select_related("job__owner", "connection", "target_connection")
            .filter(pk=batch_id)
            .first()
        )
        if not is_ours or batch is None or not _is_planning(batch) or batch.needs_options:
            return None
        role_require(batch)
        sources = _sources_of(batch)
        until = time.monotonic() + seconds
        told_at = 0.0
        while batch.plan_source < len(sources):
            now = time.monotonic()
            if now >= until:
                return False
            if not _is_planning(batch) or not _page(batch, sources[batch.plan_source]):
                return None
            # Counting reads every line: once for each page would grow with the square of their number.
            if now - told_at >= TELL_S:
                told_at = now
                job_count(batch.job_id, done=BatchObject.objects.filter(batch=batch).count())
        return _freeze(batch)


def _is_planning(batch: Batch) -> bool:
    return Job.objects.filter(pk=batch.job_id, state=Job.State.PLANNING).exists()


def _sources_of(batch: Batch) -> list[Source]:
    if batch.undo_of_id or batch.action == Action.EMPTY:
        return [Source()]
    selection: Selection = batch.selection
    return selection.sources(keys_at_once=PAGE)


def _page(batch: Batch, source: Source) -> bool:
    """List one page and write it down; False when another worker was faster."""
    if batch.undo_of_id:
        found, marker = _undo_page(batch)
    elif source.keys:
        found, marker = _heads(batch, source), None
    else:
        found, marker = _listed(batch, source)
    if batch.does_copy:
        found = _with_targets(batch, source, found)
    going_on = marker is not None
    place = batch.plan_source if going_on else batch.plan_source + 1
    return page_record(batch, found, source=place, marker=marker or "")


def _listed(batch: Batch, source: Source) -> tuple[list[Found], str | None]:
    match = source.match
    listing = store_for(batch.connection).list_objects(
        bucket=batch.bucket,
        region=batch.region,
        prefix=source.prefix,
        delimiter="/" if match is not None and match.is_flat else "",
        marker=batch.plan_marker,
        limit=PAGE,
    )
    found = [_found_of(one) for one in listing.objects if match is None or match.takes(one)]
    return found, listing.next_marker


def _found_of(summary: ObjectSummary | ObjectInfo) -> Found:
    return Found(
        key=summary.key,
        size=summary.size,
        etag=summary.etag,
        storage_class=summary.storage_class,
        modified_at=summary.modified_at,
    )


def _heads(batch: Batch, source: Source) -> list[Found]:
    """Look at single keys; one that is gone is listed all the same, and skipped."""
    store = store_for(batch.connection)
    found = _each(source.keys, lambda key: _head(store, batch.bucket, batch.region, key))
    return [
        Found(key=key, skip_code="NoSuchKey") if info is None else _found_of(info)
        for key, info in zip(source.keys, found, strict=True)
    ]


def _head(store: ObjectStore, bucket: str, region: str, key: str) -> ObjectInfo | None:
    try:
        return store.head_object(bucket=bucket, region=region, key=key)
    except ObjectNotFound:
        return None


def _each(items: Iterable[T], call: Callable[[T], R]) -> list[R]:
    with ThreadPoolExecutor(HEADS_AT_ONCE, thread_name_prefix="plan") as pool:
        return list(pool.map(call, items))


def _undo_page(batch: Batch) -> tuple[list[Found], str | None]:
    """List what the earlier batch changed, with what was there before as what is wanted now."""
    assert batch.undo_of is not None  # noqa: S101 - only an undo comes here.
    after = int(batch.plan_marker or 0)
    lines = BatchObject.objects.filter(
        batch=batch.undo_of, state=BatchObject.State.DONE, pk__gt=after
    ).exclude(before="")
    page = list(lines.order_by("id")[:PAGE])
    found = [
        Found(
            key=line.key,
            size=line.size,
            etag=line.etag,
            storage_class=line.storage_class,
            modified_at=line.modified_at,
            wanted=line.before,
            expected=line.after,
        )
        for line in page
    ]
    return found, str(page[-1].pk) if len(page) == PAGE else None


def _with_targets(batch: Batch, source: Source, found: list[Found]) -> list[Found]:
    """Say of each object where its copy goes, and what is there already."""
    bucket = batch.option("bucket", batch.bucket)
    region = batch.option("region", batch.region)
    planned = [_targeted(batch, bucket, source, one) for one in found]
    targets = [one.target for one in planned if not one.skip_code]
    taken = dict(_taken(store_for(batch.goes_to), bucket, region, targets)) if targets else {}
    return [_with_taken(one, taken) for one in planned]


def _targeted(batch: Batch, bucket: str, source: Source, found: Found) -> Found:
    if found.skip_code:
        return found
    target = target_of(found.key, source, batch.options)
    problem = key_problem(target)
    if batch.option("is_flat") and found.key.endswith("/"):
        problem = "FolderMarker"
    # Names of buckets are unique in the whole service: by whichever connection, it is the same one.
    if bucket == batch.bucket and target == found.key:
        problem = "SameObject"
    return replace(found, target=target, skip_code=problem)


def _with_taken(found: Found, taken: Mapping[str, ObjectSummary | ObjectInfo]) -> Found:
    there = taken.get(found.target) if not found.skip_code else None
    return found if there is None else replace(found, target_etag=there.etag)


def _taken(
    store: ObjectStore, bucket: str, region: str, targets: list[str]
) -> Iterator[tuple[str, ObjectSummary | ObjectInfo]]:
    """Yield the targets that exist: from a list of what lies between them, beyond it by looking at each.

    The keys of a page of sources are neighbors, and so mostly are those of their copies: a page of the list
    or two tells of a thousand of them. Keys that have many others between them are looked at instead.
    """
    wanted, prefix = sorted(set(targets)), prefix_of(targets)
    marker, listed = "" if len(prefix) == len(wanted[0]) else wanted[0][:-1], ""
    for _page_number in range(LISTS_MAX):
        listing = store.list_objects(bucket=bucket, region=region, prefix=prefix, marker=marker, limit=PAGE)
        yield from ((summary.key, summary) for summary in listing.objects)
        if listing.next_marker is None:
            return
        marker, listed = listing.next_marker, listing.objects[-1].key if listing.objects else listed
        if listed >= wanted[-1]:
            return
    rest = [key for key in wanted if key > listed]
    for key, info in zip(rest, _each(rest, lambda key: _head(store, bucket, region, key)), strict=True):
        if info is not None:
            yield key, info


def _way(batch: Batch) -> str:
    """Return how the bytes get to another connection, found out with an object of the plan."""
    first = BatchObject.objects.filter(batch=batch, state=BatchObject.State.PLANNED).order_by("id").first()
    if first is None or batch.target_connection is None:
        return IN_STORE
    ref = ObjectRef(bucket=batch.bucket, region=batch.region, key=first.key)
    source = PinnedSource(ref=ref, size=first.size, etag=first.etag)
    is_in_store = can_copy_in_store(batch.connection, batch.target_connection, source=source)
    return IN_STORE if is_in_store else RELAYED


def _freeze(batch: Batch) -> bool | None:
    """Close the list and let the person decide on it."""
    if batch.does_copy:
        if batch.option("bucket", batch.bucket) == batch.bucket:
            sources_spare(batch)
        meetings_rank(batch)
    figures = figures_make(batch) | {"opening": opening_of(batch), "way": _way(batch)}
    now = timezone.now()
    if not Batch.objects.filter(pk=batch.pk, frozen_at=None).update(frozen_at=now, figures=figures):
        return None
    job_count(batch.job_id, done=0, total=figures["objects"])
    if not job_move(batch.job_id, to=Job.State.PLANNED, frm=[Job.State.PLANNING]):
        return None
    return True
