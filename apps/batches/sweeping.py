"""What makes a batch survive: every few seconds somebody asks which of them nobody is working on."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from apps.batches.models import Action, Batch
from apps.jobs.leases import is_free
from apps.jobs.models import Job
from apps.jobs.progress import once_in

STEP_AGAIN_S = 30


@dataclass
class Owed:
    """What has to be done next for batches that nobody is working on."""

    plans: list[int] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    cancels: list[int] = field(default_factory=list)


def batches_owed() -> Owed:
    """Return the steps that are owed. A step that is queued already is not queued again for a while."""
    owed = Owed()
    answered = Q(options_at__isnull=False) | Q(action__in=[Action.DELETE, Action.EMPTY])
    wanted = (
        Q(job__state=Job.State.PLANNING) & answered
        | Q(job__state__in=[Job.State.QUEUED, Job.State.RUNNING])
        | Q(job__state=Job.State.CANCELING)
    )
    free = Batch.objects.filter(wanted).filter(is_free(timezone.now()))
    for batch_id, state in free.values_list("pk", "job__state"):
        if once_in(f"batch:{batch_id}", seconds=STEP_AGAIN_S):
            _list_of(owed, state).append(batch_id)
    return owed


def step_rest(batch_id: int, *, seconds: int) -> None:
    """This will keep the sweep from queueing a step that is queued already."""
    once_in(f"batch:{batch_id}", seconds=seconds)


def _list_of(owed: Owed, state: str) -> list[int]:
    if state == Job.State.PLANNING:
        return owed.plans
    return owed.cancels if state == Job.State.CANCELING else owed.runs
