"""Counting what is in a bucket: begun, stopped, continued, and asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.connections.models import Connection
from apps.inventory.entries import entries_sum
from apps.inventory.models import Walk, WalkQuerySet
from apps.inventory.tally import Sum
from apps.jobs.models import Job
from apps.jobs.services import job_create, job_move
from apps.storage.keys import visible
from apps.storage.store import ObjectStore

if TYPE_CHECKING:
    from apps.accounts.models import Person

# For how long an index answers for a folder without a look at the store.
FRESH = timedelta(minutes=10)
# How long a person waits for the size of a folder before a job takes over.
LIVE_S = 2.0
_GOING = (Job.State.QUEUED, Job.State.RUNNING)
_STOPPED = (Job.State.PAUSED, Job.State.PARKED)


class StateChanged(Exception):
    """The walk is not in a state any more in which this can be done."""


@dataclass(frozen=True)
class Figures:
    """How many objects and bytes a bucket held when it was last counted to the end."""

    objects: int
    size: int
    counted_at: datetime


@dataclass(frozen=True)
class FolderSize:
    """What lies below a prefix. `counted_at` is None for now; without `is_whole` there is more."""

    objects: int
    size: int
    counted_at: datetime | None
    is_whole: bool


def figures_for(connection_id: int, buckets: Iterable[str]) -> Mapping[str, Figures]:
    """Return the figures of each bucket that was counted to the end; the others are left out."""
    walks = Walk.objects.filter(
        connection_id=connection_id, bucket__in=list(buckets), prefix="", is_current=True
    ).defer("figures")
    return {
        walk.bucket: Figures(walk.objects_count, walk.size, walk.finished_at)
        for walk in walks
        if walk.finished_at is not None
    }


def walk_current(connection: Connection, *, bucket: str, prefix: str = "") -> Walk | None:
    """Return the last walk of a scope that came to its end."""
    return _scope(connection, bucket, prefix).filter(is_current=True).select_related("job").first()


def walk_latest(connection: Connection, *, bucket: str, prefix: str = "") -> Walk | None:
    """Return the walk that is open, else the one that was begun last, however it ended."""
    walks = _scope(connection, bucket, prefix).select_related("job", "job__owner", "connection")
    return walks.order_by("-is_open", "-pk").first()


def walk_start(
    *, owner: Person, connection: Connection, bucket: str, region: str, prefix: str = ""
) -> tuple[Walk, bool]:
    """This will begin to count a scope, and return the walk with whether it is a new one.

    Whoever comes second is led to the walk that is open already. Only walks over whole buckets keep keys: a
    folder's are in the bucket's index. The caller queues the task.
    """
    current = walk_current(connection, bucket=bucket, prefix=prefix)
    expected = current.objects_count if current else 0
    for _attempt in range(2):
        open_walk = _scope(connection, bucket, prefix).filter(is_open=True).select_related("job").first()
        if open_walk is not None:
            return open_walk, False
        try:
            with transaction.atomic():
                return _walk_create(owner, connection, bucket, region, prefix, expected), True
        except IntegrityError:
            # Somebody began at the same moment; theirs is there now.
            continue
    raise StateChanged


def walk_pause(walk: Walk) -> None:
    """This will let a walk rest after the page it is at."""
    _require(job_move(walk.job_id, to=Job.State.PAUSED, frm=_GOING))


def walk_resume(walk: Walk) -> None:
    """This will let a paused or parked walk go on after the last page that is counted."""
    _require(job_move(walk.job_id, to=Job.State.RUNNING, frm=_STOPPED))


def walk_cancel(walk: Walk) -> None:
    """This will end a walk early. What it counted stays to be read until the next one begins."""
    with transaction.atomic():
        _require(job_move(walk.job_id, to=Job.State.CANCELED, frm=Job.ACTIVE))
        Walk.objects.filter(pk=walk.pk).update(is_open=False, finished_at=timezone.now())


def inventory_forget(connection: Connection, bucket: str) -> None:
    """This will forget what was found in a bucket that is deleted; a sweep removes the rows in batches."""
    walks = connection.walks.filter(bucket=bucket)
    for job_id in walks.filter(is_open=True).values_list("job_id", flat=True):
        job_move(job_id, to=Job.State.CANCELED, frm=Job.ACTIVE)
    walks.delete()


def folder_size_known(
    connection: Connection, *, bucket: str, prefix: str, now: datetime
) -> FolderSize | None:
    """Return the size of a folder from a count or an index that is fresh, None where there is none."""
    fresh = Q(is_current=True, finished_at__gt=now - FRESH)
    walk = _scope(connection, bucket, prefix).filter(fresh).defer("figures").first()
    if walk is not None:
        return FolderSize(walk.objects_count, walk.size, walk.finished_at, is_whole=True)
    whole = _scope(connection, bucket, "").filter(fresh).defer("figures").first()
    if whole is None or whole.kept < whole.objects_count:
        return None
    found = entries_sum(whole, prefix)
    return FolderSize(found.objects, found.size, whole.finished_at, is_whole=True)


def folder_size_live(store: ObjectStore, *, bucket: str, region: str, prefix: str) -> FolderSize:
    """Count what lies below a prefix for some two seconds. Raises StorageError."""
    found, marker = Sum(), ""
    until = time.monotonic() + LIVE_S
    while True:
        page = store.list_objects(bucket=bucket, region=region, prefix=prefix, marker=marker)
        found.add(len(page.objects), sum(summary.size for summary in page.objects))
        if page.next_marker is None or time.monotonic() > until:
            return FolderSize(found.objects, found.size, None, is_whole=page.next_marker is None)
        marker = page.next_marker


def _scope(connection: Connection, bucket: str, prefix: str) -> WalkQuerySet:
    return Walk.objects.of_scope(connection_id=connection.pk, bucket=bucket, prefix=prefix)


def _walk_create(
    owner: Person, connection: Connection, bucket: str, region: str, prefix: str, expected: int
) -> Walk:
    job = job_create(
        kind=Job.Kind.WALK,
        feature="inventory",
        owner=owner,
        title=visible(prefix) or bucket,
        place=visible(f"{connection.name}/{bucket}/{prefix}"),
        unit=Job.Unit.OBJECTS,
        objects_total=expected,
    )
    return Walk.objects.create(
        job=job,
        connection=connection,
        bucket=bucket,
        region=region,
        prefix=prefix,
        marker="",
        keeps_keys=not prefix,
        expected=expected,
    )


def _require(moved: bool) -> None:
    if not moved:
        raise StateChanged
