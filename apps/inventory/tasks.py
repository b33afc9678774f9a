"""Doors for the workers: each loads nothing, calls one service, and decides whether to try again."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from apps.inventory.models import Walk
from apps.inventory.sweeping import walk_rest, walks_owed, walks_prune
from apps.inventory.walking import walk_batch
from apps.jobs.models import Job
from apps.jobs.services import job_park
from apps.storage.errors import Canceled, StorageError, Throttled, Unavailable
from apps.transfers.tasks import hand_over, publish

logger = logging.getLogger(__name__)

ATTEMPTS = 8
LONGEST_PAUSE_S = 30
# How much longer than a pause the sweep leaves a walk alone, for the message to get its turn.
TURN_S = 15


@shared_task(bind=True)
def walk_pages(self: Any, /, *, walk_id: int, **_: Any) -> None:
    """Count pages for some twenty seconds and queue itself again while some are left."""
    try:
        is_done = walk_batch(walk_id=walk_id)
    except Canceled:
        return
    except StorageError as error:
        _try_again(self, walk_id, error)
    except Exception as error:
        logger.exception("A walk failed in the console itself.", extra={"walk": walk_id})
        failure = Unavailable(
            "The console itself failed; its log says why. Try again when that is repaired.",
            code=type(error).__name__,
        )
        _try_again(self, walk_id, failure)
    else:
        if is_done is False:
            walk_rest(walk_id, seconds=TURN_S)
            hand_over(walk_pages, walk_id=walk_id)


@shared_task
def sweep_walks(**_: Any) -> None:
    """Queue again the walks that nobody is working on."""
    for walk_id in walks_owed():
        hand_over(walk_pages, walk_id=walk_id)


@shared_task
def prune_walks(**_: Any) -> None:
    """Delete what newer walks have replaced, for some ten seconds."""
    walks_prune()


def _try_again(task: Any, walk_id: int, error: StorageError) -> None:
    """Repeat what may pass with growing pauses; else stop the walk with words that a person can read."""
    if isinstance(error, (Throttled, Unavailable)) and task.request.retries < ATTEMPTS:
        pause_s = min(2**task.request.retries, LONGEST_PAUSE_S)
        walk_rest(walk_id, seconds=pause_s + TURN_S)
        raise task.retry(exc=error, countdown=pause_s, max_retries=ATTEMPTS)
    logger.warning("A walk needs attention.", extra={"walk": walk_id}, exc_info=error)
    walk = Walk.objects.filter(pk=walk_id).defer("figures").first()
    if walk is not None:
        job_park(walk.job_id, error, frm=(Job.State.QUEUED, Job.State.RUNNING))


@worker_ready.connect
def _sweep_at_once(**_: Any) -> None:
    publish(sweep_walks)
