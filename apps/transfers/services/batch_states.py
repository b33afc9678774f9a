"""What a person does to many files that are sent together: all that are under way follow in one statement."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.transfers.models import Transfer, UploadBatch
from apps.transfers.services.batches import uploads_recount
from apps.transfers.services.beginning import StateChanged
from apps.transfers.targets import TARGET_TAKEN

State = Job.State
NO_ERROR = {"error_code": "", "error_message": "", "error_request_id": ""}
CANCELED_FROM = (State.QUEUED, State.RUNNING, State.PAUSED, State.PARKED)


def uploads_pause(batch: UploadBatch) -> None:
    """This will stop the browser; what was received is still sent."""
    with transaction.atomic():
        _require(job_move(batch.job_id, to=State.PAUSED, frm=[State.QUEUED, State.RUNNING]))
        _files(batch).filter(state__in=[State.QUEUED, State.RUNNING]).update(state=State.PAUSED)


def uploads_resume(batch: UploadBatch) -> None:
    """This will let the files that were paused go on."""
    with transaction.atomic():
        _require(job_move(batch.job_id, to=State.RUNNING, frm=[State.PAUSED]))
        _go_on(_files(batch).filter(state=State.PAUSED))
    uploads_recount(job_id=batch.job_id)


def uploads_retry(batch: UploadBatch) -> int:
    """This will try all files again that stopped with an error, and return how many these are.

    Not those whose key was taken in the meantime: to replace an object is decided for each of them.
    """
    with transaction.atomic():
        _require(job_move(batch.job_id, to=State.RUNNING, frm=[State.PARKED, State.PAUSED, State.RUNNING]))
        stopped = _files(batch).filter(state__in=[State.PARKED, State.PAUSED])
        tried = _go_on(stopped.exclude(error_code=TARGET_TAKEN))
    uploads_recount(job_id=batch.job_id)
    return tried


def uploads_cancel(batch: UploadBatch) -> None:
    """This will refuse everything further; tasks abort what the store holds of each file."""
    with transaction.atomic():
        _require(job_move(batch.job_id, to=State.CANCELING, frm=CANCELED_FROM))
        _files(batch).filter(state__in=CANCELED_FROM).update(state=State.CANCELING)
    uploads_recount(job_id=batch.job_id)


def files_in(job_id: UUID, *, states: Iterable[str], after: int, at_most: int) -> list[int]:
    """Return the next transfers of a batch whose jobs are in one of `states`, in the order of their ids."""
    found = Transfer.objects.filter(job__parent_id=job_id, job__state__in=list(states), pk__gt=after)
    return list(found.order_by("pk").values_list("pk", flat=True)[:at_most])


def _files(batch: UploadBatch) -> QuerySet[Job]:
    return Job.objects.filter(parent_id=batch.job_id)


def _go_on(files: QuerySet[Job]) -> int:
    return files.update(state=State.RUNNING, **NO_ERROR)


def _require(moved: bool) -> None:
    if not moved:
        raise StateChanged
