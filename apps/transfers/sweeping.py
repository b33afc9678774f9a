"""What makes a transfer survive: every few seconds somebody asks which of them nobody is working on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from apps.jobs.leases import is_free
from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_announce, job_move
from apps.transfers import spool
from apps.transfers.ledger import transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.sending import SENDING_STATES
from apps.transfers.services.batches import uploads_moving, uploads_recount
from apps.transfers.spans import workers_wanted

# A slice this old was handed over long ago: the message, or the worker that had it, is gone.
SLICE_IDLE_S = 15.0
# Between two attempts to hand the same slice over; the queue may just be long.
HAND_OVER_AGAIN_S = 20
STEP_AGAIN_S = 30
# Reports of parts tell the pages by themselves; this is for those that stand still.
ANNOUNCED_AT_MOST = 200
STILLBORN = timedelta(minutes=10)


logger = logging.getLogger(__name__)


@dataclass
class Owed:
    """What has to be done next for transfers that nobody is working on.

    A copy is there once for each further worker that may share it.
    """

    slices: list[tuple[int, int]] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)
    completes: list[int] = field(default_factory=list)
    aborts: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)


def transfers_owed(*, min_age_s: float = SLICE_IDLE_S) -> Owed:
    """Return the steps that are owed. A worker that has just started passes 0 for `min_age_s`."""
    owed = Owed()
    now = timezone.now()
    _drop_stillborn(now)
    active = Transfer.objects.select_related("job").filter(job__state__in=Job.ACTIVE)
    free = set(active.filter(is_free(now)).values_list("pk", flat=True))
    for transfer in active:
        try:
            if transfer.pk in free:
                _add_step(owed, transfer)
            _add_slices(owed, transfer, min_age_s=min_age_s)
        except Exception:
            # Whatever is wrong with this one, the others still need their steps.
            logger.exception("A transfer could not be looked after.", extra={"transfer": transfer.pk})
    _clean_spool()
    return owed


def transfer_owed(*, transfer_id: int) -> Owed:
    """Return the steps that are owed for one transfer now, whatever was queued for it before."""
    owed = Owed()
    transfer = Transfer.objects.select_related("job").filter(pk=transfer_id).first()
    if transfer is not None:
        _add_step(owed, transfer, is_asked_for=True)
        _add_slices(owed, transfer, min_age_s=0.0)
    return owed


def step_rest(transfer_id: int, *, seconds: int) -> None:
    """This will keep the sweep from queueing a step that is queued already, with a pause before it."""
    once_in(_gate(transfer_id), seconds=seconds)


def _gate(transfer_id: int) -> str:
    return f"step:{transfer_id}"


def transfers_announce() -> None:
    """This will tell the live pages about running transfers, so that a rate falls when nothing moves."""
    running = Job.objects.filter(state=Job.State.RUNNING, feature="transfers")
    for job_id in running.values_list("pk", flat=True)[:ANNOUNCED_AT_MOST]:
        job_announce(job_id)


def batches_recount() -> None:
    """This will bring what is said of many files in step with them, and end what nobody goes on with."""
    for job_id in uploads_moving().values_list("job_id", flat=True):
        uploads_recount(job_id=job_id)


def _add_step(owed: Owed, transfer: Transfer, *, is_asked_for: bool = False) -> None:
    steps = _step_of(owed, transfer)
    if steps is None:
        return
    # The message may only be waiting its turn: a queue must not grow with each look at it.
    if is_asked_for or once_in(_gate(transfer.pk), seconds=STEP_AGAIN_S):
        steps.extend([transfer.pk] * _workers_of(owed, steps, transfer))


def _workers_of(owed: Owed, steps: list[int], transfer: Transfer) -> int:
    """Return how many workers shall take the step: a copy is shared, all else is done by one."""
    if steps is not owed.copies or not transfer.spans.exists():
        return 1
    return workers_wanted(transfer.pk)


def _step_of(owed: Owed, transfer: Transfer) -> list[int] | None:
    state = transfer.job.state
    if state == Job.State.CANCELING:
        return owed.aborts
    if state == Job.State.FINISHING:
        return owed.completes
    if state in SENDING_STATES and transfer_is_whole(transfer):
        return owed.whole
    if transfer.is_copy and transfer.is_begun and state in (Job.State.QUEUED, Job.State.RUNNING):
        return owed.copies
    return None


def _add_slices(owed: Owed, transfer: Transfer, *, min_age_s: float) -> None:
    if transfer.is_copy or transfer.job.state not in SENDING_STATES:
        return
    if transfer.is_begun:
        # Whoever began it may have died before this, and a file that is picked again needs it.
        spool.spool_open(transfer.pk)
    for item in spool.slices_waiting(transfer.pk):
        if not spool.slice_is_idle(item, min_age_s=min_age_s):
            continue
        if min_age_s and not once_in(f"slice:{transfer.pk}:{item.number}", seconds=HAND_OVER_AGAIN_S):
            continue
        owed.slices.append((transfer.pk, item.number))
    spool.partials_remove(transfer.pk)


def _clean_spool() -> None:
    """Remove folders of transfers that ended or were deleted with their owner."""
    ids = spool.spool_ids() | spool.closed_ids()
    alive = set(Transfer.objects.filter(pk__in=ids, job__state__in=Job.ACTIVE).values_list("pk", flat=True))
    for transfer_id in ids - alive:
        spool.spool_remove(transfer_id)


def _drop_stillborn(now: datetime) -> None:
    """Cancel what never got its upload id: the web process died while it asked, and no browser waits."""
    # Begun in the future means before the clock was set back.
    long_ago = Q(job__created_at__lt=now - STILLBORN) | Q(job__created_at__gt=now + STILLBORN)
    stillborn = Transfer.objects.filter(
        Q(path=Transfer.Path.DIRECT) | Q(size__gt=F("part_size")),
        long_ago,
        upload_id="",
        job__state=Job.State.QUEUED,
    )
    for transfer in stillborn:
        job_move(transfer.job_id, to=Job.State.CANCELING, frm=[Job.State.QUEUED])
