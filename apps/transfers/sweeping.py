"""What makes a transfer survive: every few seconds somebody asks which of them nobody is working on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_announce, job_move
from apps.transfers import spool
from apps.transfers.ledger import transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.sending import SENDING_STATES

# A slice this old was handed over long ago: the message, or the worker that had it, is gone.
SLICE_IDLE_S = 15.0
# Between two attempts to hand the same slice over; the queue may just be long.
HAND_OVER_AGAIN_S = 20
PARTIAL_DEAD_S = 600.0
# Reports of parts tell the pages by themselves; this is for those that stand still.
ANNOUNCED_AT_MOST = 200
STILLBORN = timedelta(minutes=10)


@dataclass
class Owed:
    """What has to be done next for transfers that nobody is working on."""

    slices: list[tuple[int, int]] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)
    completes: list[int] = field(default_factory=list)
    aborts: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)


def transfers_owed(*, min_age_s: float = SLICE_IDLE_S) -> Owed:
    """Return the steps that are owed. A worker that has just started passes 0 for `min_age_s`."""
    owed = Owed()
    _drop_stillborn(timezone.now())
    active = Transfer.objects.select_related("job").filter(job__state__in=Job.ACTIVE)
    for transfer in active.filter(lease_until__lte=timezone.now()):
        _add_step(owed, transfer)
    for transfer in active.filter(source_key="", job__state__in=SENDING_STATES):
        _add_slices(owed, transfer, min_age_s=min_age_s)
    _clean_spool()
    return owed


def transfers_announce() -> None:
    """This will tell the live pages about running transfers, so that a rate falls when nothing moves."""
    running = Job.objects.filter(state=Job.State.RUNNING, feature="transfers")
    for job_id in running.values_list("pk", flat=True)[:ANNOUNCED_AT_MOST]:
        job_announce(job_id)


def _add_step(owed: Owed, transfer: Transfer) -> None:
    state = transfer.job.state
    if state == Job.State.CANCELING:
        owed.aborts.append(transfer.pk)
    elif state == Job.State.FINISHING:
        owed.completes.append(transfer.pk)
    elif state in SENDING_STATES and transfer_is_whole(transfer):
        owed.whole.append(transfer.pk)
    elif transfer.is_copy and state in (Job.State.QUEUED, Job.State.RUNNING):
        owed.copies.append(transfer.pk)


def _add_slices(owed: Owed, transfer: Transfer, *, min_age_s: float) -> None:
    for item in spool.slices_waiting(transfer.pk):
        if not spool.slice_is_idle(item, min_age_s=min_age_s):
            continue
        if min_age_s and not once_in(f"slice:{transfer.pk}:{item.number}", seconds=HAND_OVER_AGAIN_S):
            continue
        owed.slices.append((transfer.pk, item.number))
    spool.partials_remove(transfer.pk, older_than_s=PARTIAL_DEAD_S)


def _clean_spool() -> None:
    """Remove folders of transfers that ended or were deleted with their owner."""
    ids = spool.spool_ids()
    alive = set(Transfer.objects.filter(pk__in=ids, job__state__in=Job.ACTIVE).values_list("pk", flat=True))
    for transfer_id in ids - alive:
        spool.spool_remove(transfer_id)
    spool.spool_clean()


def _drop_stillborn(now: datetime) -> None:
    """Cancel what never got its upload id: the web process died while it asked, and no browser waits."""
    stillborn = Transfer.objects.filter(
        upload_id="",
        size__gt=F("part_size"),
        job__state=Job.State.QUEUED,
        job__created_at__lt=now - STILLBORN,
    )
    for transfer in stillborn:
        job_move(transfer.job_id, to=Job.State.CANCELING, frm=[Job.State.QUEUED])
