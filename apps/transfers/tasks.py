"""Doors for the workers: each loads nothing, calls one service, and decides whether to try again."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_ready
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.jobs.services import job_park
from apps.storage.errors import Canceled, Corrupted, StorageError, Throttled, Unavailable
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.sending import Sent, part_send
from apps.transfers.sweeping import SLICE_IDLE_S, transfers_announce, transfers_owed

logger = logging.getLogger(__name__)

PASSING = (Throttled, Unavailable, Corrupted)
ATTEMPTS = 8
LONGEST_PAUSE_S = 30


def _try_again_or_park(task: Task[Any, Any], transfer_id: int, error: StorageError) -> None:
    """Repeat what may pass, with growing pauses; leave everything else for a person to decide."""
    if isinstance(error, Canceled):
        return
    if isinstance(error, PASSING) and task.request.retries < ATTEMPTS:
        raise task.retry(
            exc=error, countdown=min(2**task.request.retries, LONGEST_PAUSE_S), max_retries=ATTEMPTS
        )
    logger.warning("A transfer needs attention.", extra={"transfer": transfer_id}, exc_info=error)
    transfer = Transfer.objects.filter(pk=transfer_id).first()
    if transfer is not None:
        job_park(transfer.job_id, error)


def hand_over(task: Task[Any, Any], **arguments: Any) -> None:
    """This will queue a step once the rows are committed.

    A broker that does not answer is no error here: the rows and the spool say what is owed, and the sweep
    queues it again.
    """
    transaction.on_commit(partial(_publish, task, arguments))


def _publish(task: Task[Any, Any], arguments: dict[str, Any]) -> None:
    try:
        task.delay(**arguments)
    except OperationalError:
        logger.warning("A step waits for the broker.", extra=arguments, exc_info=True)


def _complete_if_ours(transfer_id: int) -> None:
    transfer = Transfer.objects.select_related("job").filter(pk=transfer_id).first()
    if transfer is not None and transfer_finish_claim(transfer):
        hand_over(complete_transfer, transfer_id=transfer_id)


@shared_task(bind=True)
def send_part(self: Any, /, *, transfer_id: int, number: int, **_: Any) -> None:
    """Send one slice to the store."""
    try:
        sent = part_send(transfer_id=transfer_id, number=number)
    except StorageError as error:
        _try_again_or_park(self, transfer_id, error)
        return
    if sent is Sent.LAST_PART:
        _complete_if_ours(transfer_id)


@shared_task(bind=True)
def copy_parts(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Copy parts for some twenty seconds and queue itself again while some are missing."""
    try:
        is_whole = copy_batch(transfer_id=transfer_id)
    except StorageError as error:
        _try_again_or_park(self, transfer_id, error)
        return
    if is_whole:
        _complete_if_ours(transfer_id)
    elif is_whole is False:
        hand_over(copy_parts, transfer_id=transfer_id)


@shared_task(bind=True)
def complete_transfer(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Complete a transfer whose parts are all there."""
    try:
        transfer_complete(transfer_id=transfer_id)
    except StorageError as error:
        _try_again_or_park(self, transfer_id, error)


@shared_task(bind=True)
def abort_transfer(self: Any, /, *, transfer_id: int, **_: Any) -> None:
    """Abort a canceled transfer. A store that does not answer is asked again by the sweep."""
    try:
        transfer_abort(transfer_id=transfer_id)
    except StorageError:
        logger.warning("An abort is still owed.", extra={"transfer": transfer_id}, exc_info=True)


@shared_task
def sweep_transfers(*, min_age_s: float = SLICE_IDLE_S, **_: Any) -> None:
    """Queue again whatever nobody is working on."""
    owed = transfers_owed(min_age_s=min_age_s)
    transfers_announce()
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
    hand_over(sweep_transfers, min_age_s=0.0)
