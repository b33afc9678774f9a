"""Doors for the workers: each loads nothing, calls one service, and decides whether to try again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

from celery import Task, shared_task
from celery.signals import worker_ready
from django.db import OperationalError, transaction
from django.utils import timezone

from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_park, surviving
from apps.storage.errors import Canceled, Corrupted, StorageError, Throttled, Unavailable
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import (
    transfer_abandon,
    transfer_abort,
    transfer_complete,
    transfer_finish_claim,
)
from apps.transfers.models import Transfer
from apps.transfers.sending import SENDING_STATES, Sent, part_send
from apps.transfers.services.abort_rules import rules_run
from apps.transfers.services.batch_states import files_in
from apps.transfers.services.batches import uploads_recount
from apps.transfers.services.upload_walks import walk_batch, walk_give_up, walks_owed
from apps.transfers.spool import spool_close
from apps.transfers.sweeping import (
    SLICE_IDLE_S,
    Owed,
    batches_recount,
    step_rest,
    transfer_owed,
    transfers_announce,
    transfers_owed,
)

logger = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 8
LONGEST_PAUSE_S = 30
# How much longer than a pause the sweep leaves a step alone, for the message to get its turn.
TURN_S = 20
# A task takes under a minute: what is owed for the files after these is found by the next one.
FILES_AT_ONCE = 300


def hand_over(task: Task[Any, Any], **arguments: Any) -> None:
    """This will queue a step once the rows are committed."""
    transaction.on_commit(partial(publish, task, **arguments))


def publish(task: Task[Any, Any], **arguments: Any) -> None:
    """This will queue a step now.

    A broker that does not answer, or takes nothing because its disk or memory is full, is no error here: the
    rows and the spool say what is owed, and the sweep queues it again.
    """
    try:
        task.delay(**arguments)
    except Exception:
        logger.warning("A step waits for the broker.", extra=arguments, exc_info=True)


def copy_hand_over(transfer_id: int) -> None:
    """This will queue a copy that has just begun, for as many workers as may share it.

    One message asks for the others: a broker that does not answer keeps a person waiting once.
    """
    hand_over(resume_transfer, transfer_id=transfer_id)


@lru_cache(maxsize=4096)
def _batch_job_of(transfer_id: int) -> UUID | None:
    """Return the job of the batch that a file belongs to, which never changes."""
    return Transfer.objects.filter(pk=transfer_id).values_list("job__parent_id", flat=True).first()


def _batch_follows(transfer_id: int) -> None:
    """This will have a batch counted anew within a second or so, however many of its files move in it."""
    job_id = _batch_job_of(transfer_id)
    if job_id is not None and once_in(f"recount:{job_id}", seconds=1):
        publish_later(recount_uploads, seconds=1.0, job_id=str(job_id))


def publish_later(task: Task[Any, Any], *, seconds: float, **arguments: Any) -> None:
    """This will queue a step for later; as with `publish`, the sweep does what is lost."""
    try:
        task.apply_async(kwargs=arguments, countdown=seconds)
    except Exception:
        logger.warning("A step waits for the broker.", extra=arguments, exc_info=True)


def _attempt(
    task: Task[Any, Any],
    transfer_id: int,
    step: Callable[[], T],
    *,
    give_up: Callable[[int, StorageError], None],
    passing: tuple[type[StorageError], ...] = (Throttled, Unavailable, Corrupted),
) -> T | None:
    """Return what the step returned. Repeat what may pass with growing pauses; else give up in words."""
    try:
        with surviving(f"{task.name}:{transfer_id}:{(task.request.kwargs or {}).get('number', '')}"):
            return step()
    except Canceled:
        return None
    except StorageError as error:
        failure = error
    except OperationalError:
        # A disk that is full again tomorrow is nothing to decide for a person: the sweep comes back, and the
        # step goes on by itself when the database takes what it has to say.
        logger.exception("The database did not take a step.", extra={"transfer": transfer_id})
        step_rest(transfer_id, seconds=TURN_S)
        return None
    except Exception as error:
        logger.exception("A step failed in the console itself.", extra={"transfer": transfer_id})
        failure = Unavailable(
            "The console itself failed; its log says why. Try again when that is repaired.",
            code=type(error).__name__,
        )
    if isinstance(failure, passing) and task.request.retries < ATTEMPTS:
        pause_s = min(2**task.request.retries, LONGEST_PAUSE_S)
        step_rest(transfer_id, seconds=pause_s + TURN_S)
        raise task.retry(exc=failure, countdown=pause_s, max_retries=ATTEMPTS)
    logger.warning("A transfer needs attention.", extra={"transfer": transfer_id}, exc_info=failure)
    give_up(transfer_id, failure)
    _batch_follows(transfer_id)
    return None


def _park_sending(transfer_id: int, error: StorageError) -> None:
    _park(transfer_id, error, frm=SENDING_STATES)


def _park_finishing(transfer_id: int, error: StorageError) -> None:
    _park(transfer_id, error, frm=[Job.State.FINISHING])


def _park(transfer_id: int, error: StorageError, *, frm: Iterable[Job.State]) -> None:
    transfer = Transfer.objects.filter(pk=transfer_id).first()
    if transfer is not None:
        job_park(transfer.job_id, error, frm=frm)


def _abandon(transfer_id: int, error: StorageError) -> None:
    transfer_abandon(transfer_id=transfer_id, error=error)


def _complete_if_ours(transfer_id: int) -> None:
    transfer = Transfer.objects.select_related("job").filter(pk=transfer_id).first()
    if transfer is not None and transfer_finish_claim(transfer):
        hand_over(complete_transfer, transfer_id=transfer_id)


@shared_task(bind=True)
def send_part(self: Any, /, *, transfer_id: int, number: int, **_: Any) -> None:
    """Send one slice to the store."""
    step = partial(part_send, transfer_id=transfer_id, number=number)
    sent = _attempt(self, transfer_id, step, give_up=_park_sending)
    if sent is Sent.LAST_PART:
        _complete_if_ours(transfer_id)
    elif sent is Sent.PART:
        _batch_follows(transfer_id)


@shared_task
def send_files(*, transfer_ids: list[int], **_: Any) -> None:
    """Send small files one after the other: one each in a task would cost as much as the files.

    A file that the store refuses is tried again by itself, with pauses.
    """
    for transfer_id in transfer_ids:
        try:
            if part_send(transfer_id=transfer_id, number=1) is Sent.LAST_PART:
                _complete_at_once(transfer_id)
        except Exception:
            logger.info("A small file is tried again.", extra={"transfer": transfer_id}, exc_info=True)
            publish(send_part, transfer_id=transfer_id, number=1)
        _batch_follows(transfer_id)


def _complete_at_once(transfer_id: int) -> None:
    """Complete what asks nothing of the store: a file that went out in a single request."""
    transfer = Transfer.objects.select_related("job").filter(pk=transfer_id).first()
    if transfer is None or not transfer_finish_claim(transfer):
        return
    try:
        transfer_complete(transfer_id=transfer_id)
    except Exception:
        logger.info("A small file is completed by itself.", extra={"transfer": transfer_id}, exc_info=True)
        publish(complete_transfer, transfer_id=transfer_id)


@shared_task(bind=True)
def copy_parts(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Copy parts for some twenty seconds beside other workers, and come again while some are missing."""
    step = partial(copy_batch, transfer_id=transfer_id)
    is_whole = _attempt(self, transfer_id, step, give_up=_park_sending)
    if is_whole:
        _complete_if_ours(transfer_id)
    elif is_whole is False:
        step_rest(transfer_id, seconds=TURN_S)
        hand_over(copy_parts, transfer_id=transfer_id)


@shared_task(bind=True)
def complete_transfer(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Complete a transfer whose parts are all there."""
    # What is wrong with the whole stays wrong: the upload is used up, and only a person can decide.
    step = partial(transfer_complete, transfer_id=transfer_id)
    _attempt(self, transfer_id, step, give_up=_park_finishing, passing=(Throttled, Unavailable))
    _batch_follows(transfer_id)


@shared_task(bind=True)
def abort_transfer(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Abort a canceled transfer; a store that goes on refusing ends it with the refusal written down."""
    _attempt(self, transfer_id, partial(transfer_abort, transfer_id=transfer_id), give_up=_abandon)
    _batch_follows(transfer_id)


@shared_task
def sweep_transfers(*, min_age_s: float = SLICE_IDLE_S, **_: Any) -> None:
    """Queue again whatever nobody is working on."""
    transfers_announce()
    batches_recount()
    _hand_over_all(transfers_owed(min_age_s=min_age_s))


@shared_task
def resume_transfer(*, transfer_id: int, **_: Any) -> None:
    """Queue at once what a transfer needs that a person has just resumed."""
    _hand_over_all(transfer_owed(transfer_id=transfer_id))


@shared_task
def recount_uploads(*, job_id: str, **_: Any) -> None:
    """Bring what is said of many files in step with them."""
    uploads_recount(job_id=UUID(job_id))


@shared_task
def resume_uploads(*, job_id: str, after: int = 0, **_: Any) -> None:
    """Queue at once what many files need that a person has just resumed, some hundred at a time."""
    ids = files_in(UUID(job_id), states=[Job.State.RUNNING], after=after, at_most=FILES_AT_ONCE)
    for transfer_id in ids:
        _hand_over_all(transfer_owed(transfer_id=transfer_id))
    if len(ids) == FILES_AT_ONCE:
        hand_over(resume_uploads, job_id=job_id, after=ids[-1])


@shared_task
def abort_uploads(*, job_id: str, after: int = 0, **_: Any) -> None:
    """Refuse further slices of many files that were canceled, and queue their aborts."""
    ids = files_in(UUID(job_id), states=[Job.State.CANCELING], after=after, at_most=FILES_AT_ONCE)
    for transfer_id in ids:
        spool_close(transfer_id)
        hand_over(abort_transfer, transfer_id=transfer_id)
    if len(ids) == FILES_AT_ONCE:
        hand_over(abort_uploads, job_id=job_id, after=ids[-1])


@shared_task(bind=True)
def walk_uploads(self: Any, /, *, walk_id: int, **_: Any) -> None:
    """Walk over unfinished uploads for some twenty seconds and queue itself again while there are more."""
    try:
        is_done = walk_batch(walk_id=walk_id)
    except StorageError as error:
        if isinstance(error, Throttled | Unavailable) and self.request.retries < ATTEMPTS:
            pause_s = min(2**self.request.retries, LONGEST_PAUSE_S)
            raise self.retry(exc=error, countdown=pause_s, max_retries=ATTEMPTS) from None
        is_done = not walk_give_up(walk_id, error)
    if is_done is False:
        hand_over(walk_uploads, walk_id=walk_id)


@shared_task
def sweep_unfinished(**_: Any) -> None:
    """Begin the runs of rules that are due, and queue again the walks that nobody is at."""
    now = timezone.now()
    rules_run(now)
    for walk_id in walks_owed(now):
        hand_over(walk_uploads, walk_id=walk_id)


def _hand_over_all(owed: Owed) -> None:
    for transfer_id, number in owed.slices:
        hand_over(send_part, transfer_id=transfer_id, number=number)
    for transfer_id in owed.copies:
        hand_over(copy_parts, transfer_id=transfer_id)
    for transfer_id in owed.completes:
        hand_over(complete_transfer, transfer_id=transfer_id)
    for transfer_id in owed.aborts:
        hand_over(abort_transfer, transfer_id=transfer_id)
    for transfer_id in owed.whole:
        _complete_if_ours(transfer_id)


@worker_ready.connect
def _sweep_at_once(**_: Any) -> None:
    # What a killed worker held is free now: nobody should wait until its slices count as idle.
    publish(sweep_transfers, min_age_s=0.0)
