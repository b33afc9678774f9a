"""Many files that are sent together: one job above the jobs of the files, which follows them.

What the job says is always counted anew from the rows of its files, so that it does not matter how often
that happens, or whether a worker was killed before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.jobs.rules import NEVER_BEGUN
from apps.jobs.services import job_count, job_create, job_move
from apps.transfers.models import UploadBatch
from apps.transfers.services.beginning import BatchEnded

if TYPE_CHECKING:
    from apps.accounts.models import Person

State = Job.State
MOVING = (State.QUEUED, State.RUNNING, State.FINISHING, State.CANCELING)
# Each file that begins would write this otherwise, all of them the same row.
HEARD_AGAIN = timedelta(seconds=20)
# A browser that tries to begin a file comes back at least every half minute, whatever the store answers.
SILENT = timedelta(minutes=3)


class BatchPaused(Exception):
    """The batch is paused: its next file begins when a person has it go on."""


@dataclass(frozen=True)
class Tally:
    """How the files of a batch stand, from the rows of their jobs; sizes in bytes."""

    begun: int
    moving: int
    paused: int
    parked: int
    done: int
    canceled: int
    bytes_done: int
    canceled_size: int
    last_at: datetime | None


def uploads_open(
    *, owner: Person, connection: Connection, bucket: str, prefix: str, files: int, size: int
) -> UploadBatch:
    """This will write down that a browser is about to send `files` files with `size` bytes altogether.

    The job runs from now on, and ends when all of them have ended or the browser has fallen silent.
    """
    with transaction.atomic():
        job = job_create(
            kind=Job.Kind.UPLOAD_MANY,
            feature="transfers",
            owner=owner,
            title=prefix or bucket,
            place=bucket,
            unit=Job.Unit.OBJECTS,
            objects_total=files,
            bytes_total=size,
        )
        batch = UploadBatch.objects.create(
            job=job, connection=connection, bucket=bucket, prefix=prefix, files=files, size=size
        )
        job_move(job.pk, to=State.RUNNING, frm=[State.QUEUED])
    return batch


def uploads_heard(batch: UploadBatch, *, now: datetime) -> None:
    """This will note that the browser is about to begin another file. Raises BatchPaused or BatchEnded."""
    if batch.job.state in (State.CANCELING, State.CANCELED):
        raise BatchEnded
    if batch.job.state == State.PAUSED:
        raise BatchPaused
    if batch.closed_at is not None or batch.heard_at < now - HEARD_AGAIN:
        UploadBatch.objects.filter(pk=batch.pk).update(heard_at=now, closed_at=None)
    if batch.job.state in (State.DONE, State.PARKED):
        job_move(batch.job_id, to=State.RUNNING, frm=[State.DONE, State.PARKED], finished_at=None)


def uploads_report(
    batch: UploadBatch, *, skipped: int, skipped_size: int, is_closed: bool, now: datetime
) -> None:
    """This will note what the browser will not send, in all, and whether nothing more is to come."""
    UploadBatch.objects.filter(pk=batch.pk).update(
        skipped=min(skipped, batch.files),
        skipped_size=min(skipped_size, batch.size),
        heard_at=now,
        closed_at=now if is_closed else None,
    )
    uploads_recount(job_id=batch.job_id, now=now)


def uploads_recount(*, job_id: UUID, now: datetime | None = None) -> None:
    """This will bring a batch's counters and state in step with the rows of its files. Safe to repeat.

    One at a time: two workers that count at once must not overwrite the later count with the earlier.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, state__in=[*Job.ACTIVE, State.DONE]).first()
        batch = UploadBatch.objects.filter(job_id=job_id).first()
        if job is None or batch is None:
            return
        tally = tally_of(job)
        if _has_fallen_silent(batch, tally, now=now or timezone.now()):
            batch.closed_at = now or timezone.now()
            batch.save(update_fields=["closed_at"])
        _count(job, batch, tally)
        _follow(job, batch, tally)


def uploads_moving() -> QuerySet[UploadBatch]:
    """Return the batches that may have to follow their files."""
    return UploadBatch.objects.filter(job__state__in=Job.ACTIVE)


def tally_of(job: Job) -> Tally:
    """Count the files of a batch in one statement."""

    def number(*states: str) -> Count:
        return Count("pk", filter=Q(state__in=states))

    counted: dict[str, Any] = job.children.aggregate(
        begun=Count("pk"),
        moving=number(*MOVING),
        paused=number(State.PAUSED),
        parked=number(State.PARKED),
        done=number(State.DONE),
        canceled=number(State.CANCELED),
        bytes_done=Sum("bytes_done", default=0, filter=~Q(state=State.CANCELED)),
        canceled_size=Sum("bytes_total", default=0, filter=Q(state=State.CANCELED)),
        last_at=Max("finished_at"),
    )
    return Tally(**counted)


def _expected(batch: UploadBatch, tally: Tally) -> int:
    """Return how many files the batch has: those announced without those that somebody took out of it."""
    return max(batch.files - batch.skipped - tally.canceled, tally.begun - tally.canceled, 0)


def _never_begun(batch: UploadBatch, tally: Tally) -> int:
    return _expected(batch, tally) - (tally.begun - tally.canceled)


def _has_fallen_silent(batch: UploadBatch, tally: Tally, *, now: datetime) -> bool:
    """Return whether the page was closed or lost without a word, with files that it never came to."""
    if batch.closed_at is not None or tally.moving or tally.paused or not _never_begun(batch, tally):
        return False
    return max(batch.heard_at, tally.last_at or batch.heard_at) < now - SILENT


def _count(job: Job, batch: UploadBatch, tally: Tally) -> None:
    size = max(batch.size - batch.skipped_size - tally.canceled_size, tally.bytes_done)
    numbers = (_expected(batch, tally), tally.done + tally.parked, tally.parked, size, tally.bytes_done)
    if numbers == (
        job.objects_total,
        job.objects_done,
        job.objects_failed,
        job.bytes_total,
        job.bytes_done,
    ):
        return
    total, done, failed, bytes_total, bytes_done = numbers
    job_count(job.pk, done=done, failed=failed, total=total, bytes_total=bytes_total, bytes_done=bytes_done)


def _follow(job: Job, batch: UploadBatch, tally: Tally) -> None:
    wanted, fields = _state_of(job, batch, tally)
    if wanted != job.state:
        job_move(job.pk, to=wanted, frm=[State(job.state)], **fields)


def _state_of(job: Job, batch: UploadBatch, tally: Tally) -> tuple[State, dict[str, str]]:
    has_ended = not (tally.moving or tally.paused or tally.parked)
    is_waiting = batch.closed_at is None and _never_begun(batch, tally) > 0
    if job.state == State.CANCELING:
        return (State.CANCELED if has_ended else State.CANCELING), {}
    if job.state == State.PAUSED and not (has_ended and not is_waiting):
        return State.PAUSED, {}
    if tally.moving or is_waiting:
        return State.RUNNING, {}
    if tally.parked:
        return State.PARKED, _error_of(job)
    if tally.paused:
        return State.PAUSED, {}
    return State.DONE, _end_of(_never_begun(batch, tally))


def _end_of(never_begun: int) -> dict[str, str]:
    is_whole = never_begun == 0
    return {"error_code": "" if is_whole else NEVER_BEGUN, "error_message": "" if is_whole else NEVER_BEGUN}


def _error_of(job: Job) -> dict[str, str]:
    """Return what the first file that stopped says: mostly it is the same for all."""
    names = ("error_code", "error_message", "error_request_id")
    return job.children.filter(state=State.PARKED).order_by("pk").values(*names).first() or {}
