"""What makes a batch survive: every few seconds somebody asks which of them nobody is working on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.batches.models import Action, Batch
from apps.batches.spans import wants_workers
from apps.jobs.leases import is_free
from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_move

STEP_AGAIN_S = 30
SEATS_AGAIN_S = 10
# How long the question what is to happen stays open, and how long a plan waits to be confirmed or made anew.
UNANSWERED = timedelta(days=1)
UNCONFIRMED = timedelta(days=7)


@dataclass
class Owed:
    """What has to be done next for batches that nobody is working on."""

    plans: list[int] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    cancels: list[int] = field(default_factory=list)


def batches_owed() -> Owed:
    """Return the steps that are owed. A step that is queued already is not queued again for a while."""
    owed = Owed()
    _drop_forgotten(timezone.now())
    answered = Q(options_at__isnull=False) | Q(action__in=[Action.DELETE, Action.EMPTY])
    wanted = (
        Q(job__state=Job.State.PLANNING) & answered
        | Q(job__state__in=[Job.State.QUEUED, Job.State.RUNNING]) & wants_workers()
        | Q(job__state=Job.State.CANCELING)
    )
    free = Batch.objects.filter(wanted).filter(is_free(timezone.now()))
    for batch_id, state in free.values_list("pk", "job__state"):
        if once_in(f"batch:{batch_id}", seconds=_again_s(state)):
            _list_of(owed, state).append(batch_id)
    return owed


def _again_s(state: str) -> int:
    """Return how long a step counts as queued. Workers that came too early to a batch are asked soon."""
    return SEATS_AGAIN_S if state == Job.State.RUNNING else STEP_AGAIN_S


def _drop_forgotten(now: datetime) -> None:
    """Cancel what waits for a person who has long gone elsewhere, so that nobody's list is full of it."""
    unasked = Q(job__state=Job.State.PLANNING, options_at=None, job__created_at__lt=now - UNANSWERED)
    unsaid = Q(job__state=Job.State.PLANNED, frozen_at__lt=now - UNCONFIRMED)
    removing = Q(action__in=[Action.DELETE, Action.EMPTY])
    for job_id in Batch.objects.filter((unasked & ~removing) | unsaid).values_list("job_id", flat=True):
        job_move(job_id, to=Job.State.CANCELED, frm=[Job.State.PLANNING, Job.State.PLANNED])


def step_rest(batch_id: int, *, seconds: int) -> None:
    """This will keep the sweep from queueing a step that is queued already."""
    once_in(f"batch:{batch_id}", seconds=seconds)


def _list_of(owed: Owed, state: str) -> list[int]:
    if state == Job.State.PLANNING:
        return owed.plans
    return owed.cancels if state == Job.State.CANCELING else owed.runs
