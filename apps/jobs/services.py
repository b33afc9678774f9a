"""What happens to a job's row: it is created, moves between states, and is told to the live pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.jobs import progress
from apps.jobs.models import Job
from apps.storage import accounting
from apps.storage.errors import StorageError

if TYPE_CHECKING:
    from apps.accounts.models import Person


@dataclass(frozen=True)
class Figures:
    """How far a job is. `rate` is bytes per second, `eta_s` seconds; both None while unknown."""

    bytes_done: int
    bytes_total: int
    rate: float | None
    eta_s: int | None


def job_create(*, kind: str, feature: str, owner: Person, title: str, place: str, bytes_total: int) -> Job:
    """This will record that a person started something. The job is queued and not yet running."""
    return Job.objects.create(
        kind=kind, feature=feature, owner=owner, title=title, place=place, bytes_total=bytes_total
    )


def job_move(job_id: UUID, *, to: Job.State, frm: Iterable[Job.State], **fields: Any) -> bool:
    """This will move a job to another state if it is in one of `frm`, and return whether it did.

    The comparison and the change are one statement: of two workers that try, exactly one is told True.
    """
    now = timezone.now()
    if to == Job.State.RUNNING:
        fields.setdefault("error_code", "")
        fields.setdefault("error_message", "")
        fields.setdefault("error_request_id", "")
    if to in Job.ENDED:
        fields.setdefault("finished_at", now)
    moved = Job.objects.filter(pk=job_id, state__in=list(frm)).update(state=to, **fields)
    if moved and to == Job.State.RUNNING:
        Job.objects.filter(pk=job_id, started_at=None).update(started_at=now)
    if moved:
        transaction.on_commit(partial(job_announce, job_id))
    return bool(moved)


def job_park(job_id: UUID, error: StorageError, *, frm: Iterable[Job.State]) -> bool:
    """This will stop a job with an error that a person can read; nothing that was done is undone."""
    return job_move(job_id, to=Job.State.PARKED, frm=frm, **error_fields(error))


def error_fields(error: StorageError) -> dict[str, str]:
    """Return what a job's row keeps of a failure: the store's own words."""
    return {
        "error_code": error.code or type(error).__name__,
        "error_message": error.message,
        "error_request_id": error.request_id,
    }


def job_confirm_bytes(job_id: UUID, *, bytes_done: int) -> None:
    """This will set the bytes that the store has confirmed, an absolute number taken from the rows."""
    Job.objects.filter(pk=job_id).update(bytes_done=bytes_done)


def job_report(
    job_id: UUID, *, part: int | None = None, sent: int = 0, base: int | None = None, delta: int = 0
) -> None:
    """This will move the gauge and, a few times a second at most, tell the live pages."""
    if progress.report(job_id, part=part, sent=sent, base=base, delta=delta):
        job_announce(job_id)


def job_announce(job_id: UUID) -> None:
    """This will tell the live pages what a job looks like now. A job that is gone is not announced."""
    read_at = time.time()
    job = Job.objects.filter(pk=job_id).first()
    if job is not None:
        progress.announce(message_of(job, figures_for([job])[job.pk], read_at=read_at))


def figures_for(jobs: Sequence[Job]) -> dict[UUID, Figures]:
    """Return the figures of each job: from the gauge while it moves, from the rows where it is silent."""
    gauges = progress.read_many(job.pk for job in jobs if job.is_active)
    return {job.pk: _figures_of(job, gauges.get(job.pk)) for job in jobs}


def _figures_of(job: Job, gauge: progress.Gauge | None) -> Figures:
    done = job.bytes_done
    if gauge is not None and gauge.bytes_done is not None:
        done = max(done, min(gauge.bytes_done, job.bytes_total))
    rate = gauge.rate if gauge is not None and job.state == Job.State.RUNNING else None
    left = accounting.eta_s(remaining=job.bytes_total - done, rate=rate) if rate else None
    return Figures(
        bytes_done=done,
        bytes_total=job.bytes_total,
        rate=rate,
        eta_s=None if left is None else ceil(left),
    )


def message_of(job: Job, figures: Figures, *, read_at: float) -> dict[str, Any]:
    """Return what a live page is told about a job, as plain JSON values.

    `read_at` is a unix time just before the row was read. It becomes the message's `version`, because
    messages may overtake each other on their way.
    """
    return {
        "id": str(job.pk),
        "version": int(read_at * 1000),
        "owner": job.owner_id,
        "kind": job.kind,
        "state": job.state,
        "title": job.title,
        "bytes_done": figures.bytes_done,
        "bytes_total": figures.bytes_total,
        "rate": figures.rate,
        "eta_s": figures.eta_s,
        "error_message": job.error_message,
    }
