"""What a person does to a transfer that runs: pause it, resume it, try again, cancel it."""

from __future__ import annotations

from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.transfers import spool
from apps.transfers.models import Transfer
from apps.transfers.services.beginning import StateChanged
from apps.transfers.targets import TARGET_TAKEN


def transfer_pause(transfer: Transfer) -> None:
    """This will stop the browser and the copying workers; what was received is still sent."""
    _require(job_move(transfer.job_id, to=Job.State.PAUSED, frm=[Job.State.QUEUED, Job.State.RUNNING]))


def transfer_resume(transfer: Transfer) -> None:
    """This will let a paused or parked transfer go on from where it is.

    Who tries again although the key was taken in the meantime was told that it will be replaced.
    """
    if transfer.job.error_code == TARGET_TAKEN:
        Transfer.objects.filter(pk=transfer.pk).update(may_replace=True)
    _require(job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.PAUSED, Job.State.PARKED]))


def transfer_cancel(transfer: Transfer) -> None:
    """This will refuse everything further; a task aborts what the store holds of it."""
    _require(
        job_move(
            transfer.job_id,
            to=Job.State.CANCELING,
            frm=[Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED, Job.State.PARKED],
        )
    )
    spool.spool_close(transfer.pk)


def _require(moved: bool) -> None:
    if not moved:
        raise StateChanged
