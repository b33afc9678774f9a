"""Doors for the workers: each loads nothing, calls one service, and decides whether to try again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_ready
from django.db import OperationalError, transaction

from apps.batches.models import Action, Batch
from apps.batches.planning import plan_batch
from apps.batches.running import cancel_batch, run_batch
from apps.batches.spans import seat_take, seats_open
from apps.batches.sweeping import batches_owed, step_rest
from apps.jobs.models import Job
from apps.jobs.progress import step_survived
from apps.jobs.services import error_fields, job_move, job_park, surviving
from apps.storage.errors import StorageError, Throttled, Unavailable

logger = logging.getLogger(__name__)

ATTEMPTS = 5
LONGEST_PAUSE_S = 30
TURN_S = 20
EMPTY_DELAY_S = 10
# How often a turn is passed on before it is left to the sweep, which offers all seats again.
BOUNCES = 5

_at_work: set[int] = set()
_door = Lock()


def hand_over(task: Task[Any, Any], batch_id: int) -> None:
    """This will queue a step once the rows are committed."""
    transaction.on_commit(partial(publish, task, batch_id=batch_id))


def publish(task: Task[Any, Any], **arguments: Any) -> None:
    """This will queue a step now. A broker that takes nothing is no error: the sweep queues it again."""
    _publish(partial(task.delay, **arguments), arguments.get("batch_id"))


def _publish(send: Callable[[], object], batch_id: int | None) -> None:
    try:
        send()
    except Exception:
        logger.warning("A step waits for the broker.", extra={"batch": batch_id}, exc_info=True)


def batch_begin(batch: Batch) -> None:
    """This will have the workers go on with whatever the batch needs next."""
    state = Job.objects.values_list("state", flat=True).get(pk=batch.job_id)
    if state == Job.State.PLANNING and not batch.needs_options:
        hand_over(list_objects, batch.pk)
    elif state == Job.State.QUEUED and batch.action == Action.EMPTY:
        _hand_over_later(batch.pk)
    elif state in (Job.State.QUEUED, Job.State.RUNNING):
        hand_over(run_objects, batch.pk)
    elif state == Job.State.CANCELING:
        hand_over(end_canceled, batch.pk)


def _hand_over_later(batch_id: int) -> None:
    """Queue the emptying of a bucket with a moment in which it can still be canceled."""
    step_rest(batch_id, seconds=EMPTY_DELAY_S + TURN_S)
    later = partial(run_objects.apply_async, kwargs={"batch_id": batch_id}, countdown=EMPTY_DELAY_S)
    transaction.on_commit(partial(_publish, later, batch_id))


def _attempt(
    task: Any,
    batch_id: int,
    step: Callable[[], bool | None],
    give_up: Callable[[int, StorageError], None],
    *,
    again: dict[str, int] | None = None,
    name: str = "",
) -> bool | None:
    """Return what the step returned. Repeat what may pass with growing pauses; else give up in words.

    Deaths are counted by `name`, which several workers that do the same step at once do not share.
    """
    try:
        with surviving(name or f"{task.name}:{batch_id}"):
            return step()
    except StorageError as error:
        failure = error
    except OperationalError:
        # A disk that is full again tomorrow is nothing to decide for a person: the sweep comes back, and the
        # step goes on by itself when the database takes what it has to say.
        logger.exception("The database did not take a step.", extra={"batch": batch_id})
        step_rest(batch_id, seconds=TURN_S)
        return None
    except Exception as error:
        logger.exception("A step failed in the console itself.", extra={"batch": batch_id})
        failure = Unavailable(
            "The console itself failed; its log says why. Try again when that is repaired.",
            code=type(error).__name__,
        )
    if isinstance(failure, Throttled | Unavailable) and task.request.retries < ATTEMPTS:
        pause_s = min(2**task.request.retries, LONGEST_PAUSE_S)
        step_rest(batch_id, seconds=pause_s + TURN_S)
        raise task.retry(kwargs=again, exc=failure, countdown=pause_s, max_retries=ATTEMPTS)
    logger.warning("A batch needs attention.", extra={"batch": batch_id}, exc_info=failure)
    give_up(batch_id, failure)
    return None


def _park(batch_id: int, error: StorageError) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None:
        job_park(batch.job_id, error, frm=[Job.State.PLANNING, Job.State.QUEUED, Job.State.RUNNING])


def _abandon(batch_id: int, error: StorageError) -> None:
    """End a canceled batch whose abort the store refuses, with the refusal written down."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None:
        job_move(batch.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING], **error_fields(error))


@shared_task(bind=True)
def list_objects(self: Any, /, *, batch_id: int, **_: Any) -> None:
    """List a selection for some twenty seconds and queue itself again while there is more."""
    if _attempt(self, batch_id, partial(plan_batch, batch_id=batch_id), _park) is False:
        step_rest(batch_id, seconds=TURN_S)
        hand_over(list_objects, batch_id)


@shared_task(bind=True)
def run_objects(
    self: Any, /, *, batch_id: int, seat: int | None = None, turn: int = 0, bounces: int = 0, **_: Any
) -> None:
    """Work on a ledger for some twenty seconds and queue itself again while lines are left.

    Without a seat it offers all seats to the workers and takes one. A process works on a batch once at a
    time, since its threads share one core: a turn that comes to it meanwhile is passed on to the others.
    """
    if seat is None:
        seat, turn = _seats_offer(batch_id)
    if seat is None:
        return
    if not _enter(batch_id):
        if bounces < BOUNCES:
            publish(run_objects, batch_id=batch_id, seat=seat, turn=turn, bounces=bounces + 1)
        return
    try:
        is_over = _turn_take(self, batch_id, seat, turn)
    finally:
        _at_work.discard(batch_id)
    if is_over is False:
        publish(run_objects, batch_id=batch_id, seat=seat, turn=turn + 1)


def _seats_offer(batch_id: int) -> tuple[int | None, int]:
    """Queue a turn for each seat of a batch but the first one, and return that; None without any."""
    seats = seats_open(batch_id=batch_id)
    for seat, turn in seats[1:]:
        publish(run_objects, batch_id=batch_id, seat=seat, turn=turn)
    return seats[0] if seats else (None, 0)


def _turn_take(task: Any, batch_id: int, seat: int, turn: int) -> bool | None:
    """Return what the run returned, None for a turn that somebody else has taken."""
    if not seat_take(batch_id=batch_id, seat=seat, turn=turn):
        return None
    after = {"batch_id": batch_id, "seat": seat, "turn": turn + 1}
    name = f"{task.name}:{batch_id}:{seat}"
    # A turn that settled a line is none that kills whoever takes it, even if its worker dies later.
    step = partial(run_batch, batch_id=batch_id, on_settled=partial(step_survived, name))
    return _attempt(task, batch_id, step, _park, again=after, name=name)


def _enter(batch_id: int) -> bool:
    """Return whether this process does not work on the batch yet; from now on it does."""
    with _door:
        if batch_id in _at_work:
            return False
        _at_work.add(batch_id)
        return True


@shared_task(bind=True)
def end_canceled(self: Any, /, *, batch_id: int, **_: Any) -> None:
    """End a canceled batch once nobody works on it any more."""

    def step() -> None:
        cancel_batch(batch_id=batch_id)

    _attempt(self, batch_id, step, _abandon)


@shared_task
def sweep_batches(**_: Any) -> None:
    """Queue again whatever nobody is working on."""
    owed = batches_owed()
    for batch_id in owed.plans:
        hand_over(list_objects, batch_id)
    for batch_id in owed.runs:
        hand_over(run_objects, batch_id)
    for batch_id in owed.cancels:
        hand_over(end_canceled, batch_id)


@worker_ready.connect
def _sweep_at_once(**_: Any) -> None:
    publish(sweep_batches)
