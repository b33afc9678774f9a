"""What makes a walk survive: every few seconds somebody asks which of them nobody is working on."""

from __future__ import annotations

import time

from django.utils import timezone

from apps.inventory.entries import entries_prune
from apps.inventory.models import Walk
from apps.jobs.leases import is_free
from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_move

# Between two attempts to queue the same walk; the queue may just be long.
AGAIN_S = 15
PRUNE_S = 10.0


def walks_owed() -> list[int]:
    """Return the walks that should go on and that nobody is working on."""
    free = Walk.objects.filter(is_free(timezone.now()), is_open=True)
    going = free.filter(job__state__in=(Job.State.QUEUED, Job.State.RUNNING))
    return [pk for pk in going.values_list("pk", flat=True) if once_in(_gate(pk), seconds=AGAIN_S)]


def walk_rest(walk_id: int, *, seconds: int) -> None:
    """This will keep the sweep from queueing a walk that is queued already, with a pause before it."""
    once_in(_gate(walk_id), seconds=seconds)


def walks_prune() -> int:
    """This will delete walks that others replaced, jobs' ends included, and rows without a walk.

    Some ten seconds at most; return how many rows went. Safe to repeat.
    """
    _end_orphans()
    _drop_replaced()
    until = time.monotonic() + PRUNE_S
    return entries_prune(may_go_on=lambda: time.monotonic() < until)


def _end_orphans() -> None:
    """Cancel jobs whose walk went with its connection."""
    orphans = Job.objects.active().filter(feature="inventory", walk=None)
    for job_id in orphans.values_list("pk", flat=True):
        job_move(job_id, to=Job.State.CANCELED, frm=Job.ACTIVE)


def _drop_replaced() -> None:
    """Keep the last walk of a scope even if it was canceled: it says where it stopped."""
    ended = Walk.objects.filter(is_open=False, is_current=False).defer("figures")
    for walk in ended:
        scope = Walk.objects.of_scope(
            connection_id=walk.connection_id, bucket=walk.bucket, prefix=walk.prefix
        )
        if scope.filter(pk__gt=walk.pk).exists():
            walk.delete()


def _gate(walk_id: int) -> str:
    return f"walk:{walk_id}"
