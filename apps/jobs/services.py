"""What happens to a job's row: it is created, moves between states, and is told to the live pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from apps.jobs import progress
from apps.jobs.models import Job
from apps.storage import accounting
from apps.storage.errors import Refused, StorageError

if TYPE_CHECKING:
    from apps.accounts.models import Person


# Deaths of workers in the same step, one after the other, that are no coincidence any more.
DEATHS_MAX = 5

# What a person may ask of a job, by the state it is in; the app that owns the work has the views.
ACTIONS: dict[str, tuple[str, ...]] = {
    Job.State.PLANNING: ("cancel",),
    Job.State.PLANNED: ("cancel",),
    Job.State.QUEUED: ("pause", "cancel"),
    Job.State.RUNNING: ("pause", "cancel"),
    Job.State.PAUSED: ("resume", "cancel"),
    Job.State.PARKED: ("retry", "cancel"),
}


# A file of a batch is worth a report of its own way from this many bytes on.
SMALL_MAX = 8 * 1024 * 1024


@dataclass(frozen=True)
class Figures:
    """How far a job is, in what it counts. `rate` is that per second, `eta_s` seconds; None while unknown.

    `bytes_done`, `bytes_total` and `bytes_rate` say the same of the bytes; a total of 0 is not known.
    """

    unit: str
    done: int
    total: int
    failed: int
    rate: float | None
    eta_s: int | None
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_rate: float | None = None


@dataclass(frozen=True)
class Row:
    """A job together with its figures and what can be done with it."""

    job: Job
    figures: Figures
    actions: tuple[str, ...]


def job_create(
    *,
    kind: str,
    feature: str,
    owner: Person,
    title: str,
    place: str,
    unit: str = Job.Unit.BYTES,
    bytes_total: int = 0,
    objects_total: int = 0,
    state: str = Job.State.QUEUED,
    parent: Job | None = None,
    job_id: UUID | None = None,
) -> Job:
    """This will record that a person started something. The job is queued, or in `state`, and not running."""
    return Job.objects.create(
        id=job_id or uuid4(),
        kind=kind,
        feature=feature,
        owner=owner,
        title=title,
        place=place,
        unit=unit,
        bytes_total=bytes_total,
        objects_total=objects_total,
        state=state,
        parent=parent,
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


@contextmanager
def surviving(step: str) -> Iterator[None]:
    """Run a step, and raise Refused instead when the workers that ran it before were all killed by it.

    A step is delivered again after a worker died: one that always kills its worker would end all of them,
    again and again, and whatever else they do.
    """
    if progress.deaths_before(step) >= DEATHS_MAX:
        progress.step_survived(step)
        raise Refused("Every worker that tried this was killed.", code="WorkersDied")
    try:
        yield
    finally:
        progress.step_survived(step)


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


def job_count(
    job_id: UUID,
    *,
    done: int,
    failed: int = 0,
    total: int | None = None,
    bytes_done: int | None = None,
    bytes_total: int | None = None,
) -> None:
    """This will set how many objects were dealt with, absolute numbers taken from the rows of the work.

    Moves the gauge by the difference and, a few times a second at most, tells the live pages. With
    `bytes_total` the pages are also told how fast bytes move.
    """
    before = Job.objects.filter(pk=job_id).values_list("objects_done", "bytes_done").first() or (0, 0)
    numbers = {"objects_total": total, "bytes_done": bytes_done, "bytes_total": bytes_total}
    known = {name: number for name, number in numbers.items() if number is not None}
    Job.objects.filter(pk=job_id).update(objects_done=done, objects_failed=failed, **known)
    if bytes_total is not None and bytes_done is not None:
        progress.report_bytes(job_id, delta=max(0, bytes_done - before[1]))
    job_report(job_id, base=done, delta=max(0, done - before[0]))


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
    if job is not None and not _is_told_by_its_batch(job):
        progress.announce(message_of(job, figures_for([job])[job.pk], read_at=read_at))


def _is_told_by_its_batch(job: Job) -> bool:
    """Ten thousand small files that begin and end are no news, as their batch counts them."""
    if job.parent_id is None or job.bytes_total > SMALL_MAX:
        return False
    return job.state in (Job.State.QUEUED, Job.State.RUNNING, Job.State.FINISHING)


def figures_for(jobs: Sequence[Job]) -> dict[UUID, Figures]:
    """Return the figures of each job: from the gauge while it moves, from the rows where it is silent."""
    active = [job for job in jobs if job.is_active]
    gauges = progress.read_many(
        [job.pk for job in active], with_bytes=[job.pk for job in active if job.is_batch]
    )
    return {job.pk: _figures_of(job, gauges.get(job.pk)) for job in jobs}


def rows_of(jobs: Iterable[Job]) -> list[Row]:
    """Return the jobs as pages draw them."""
    found = list(jobs)
    figures = figures_for(found)
    return [Row(job, figures[job.pk], _actions_of(job)) for job in found]


def _actions_of(job: Job) -> tuple[str, ...]:
    if job.has_failures:
        return ("retry",)
    actions = ACTIONS.get(job.state, ())
    # What failed of a batch need not wait for the rest of it.
    has_failed = (
        job.is_batch and job.objects_failed > 0 and job.state in (Job.State.RUNNING, Job.State.PAUSED)
    )
    return ("retry", *actions) if has_failed else actions


def _figures_of(job: Job, gauge: progress.Gauge | None) -> Figures:
    counts_objects = job.unit == Job.Unit.OBJECTS
    done, total = (
        (job.objects_done, job.objects_total) if counts_objects else (job.bytes_done, job.bytes_total)
    )
    # Objects are counted in the rows before the gauge hears of them; bytes under way are in the gauge alone.
    if gauge is not None and gauge.done is not None and not counts_objects:
        done = max(done, min(gauge.done, total))
    is_moving = job.state in (Job.State.RUNNING, Job.State.PLANNING)
    rate = gauge.rate if gauge is not None and is_moving else None
    bytes_rate = gauge.bytes_rate if gauge is not None and is_moving else None
    return Figures(
        unit=job.unit,
        done=done,
        total=total,
        failed=job.objects_failed,
        rate=rate,
        eta_s=_longest(
            _left(total - done, rate) if total else None, _left(job.bytes_total - job.bytes_done, bytes_rate)
        ),
        bytes_done=job.bytes_done if counts_objects else done,
        bytes_total=job.bytes_total,
        bytes_rate=bytes_rate if counts_objects else rate,
    )


def _left(remaining: int, rate: float | None) -> int | None:
    seconds = accounting.eta_s(remaining=max(0, remaining), rate=rate) if rate else None
    return None if seconds is None else ceil(seconds)


def _longest(*times: int | None) -> int | None:
    """Many small files wait for their number, a few large ones for their bytes."""
    return max((time for time in times if time is not None), default=None)


def message_of(job: Job, figures: Figures, *, read_at: float) -> dict[str, Any]:
    """Return what a live page is told about a job, as plain JSON values.

    `read_at` is a unix time just before the row was read. It becomes the message's `version`, because
    messages may overtake each other on their way.
    """
    return {
        "id": str(job.pk),
        "version": int(read_at * 1000),
        "owner": job.owner_id,
        "parent": None if job.parent_id is None else str(job.parent_id),
        "kind": job.kind,
        "state": job.state,
        "title": job.title,
        "unit": figures.unit,
        "done": figures.done,
        "total": figures.total,
        "failed": figures.failed,
        "rate": figures.rate,
        "eta_s": figures.eta_s,
        "bytes_done": figures.bytes_done,
        "bytes_total": figures.bytes_total,
        "bytes_rate": figures.bytes_rate,
        "error_message": job.error_message,
    }
