"""The clock of this machine was wrong and is set right: nothing waits for hours because of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.jobs import progress
from apps.jobs.models import Job
from apps.storage.store import ObjectStore
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer
from apps.transfers.services import states
from apps.transfers.sweeping import transfers_owed
from tests.transfers.conftest import MIB, slice_put
from tests.transfers.test_uploads import uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]
AN_HOUR_S = 3600


def an_hour_ahead(path: Path) -> None:
    os.utime(path, (time.time() + AN_HOUR_S, time.time() + AN_HOUR_S))


@pytest.mark.parametrize("min_age_s", [0.0, 15.0])
def test_slice_from_before_the_clock_was_set_back_is_handed_over(begin: Begin, min_age_s: float) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None
    an_hour_ahead(waiting.path)

    assert transfers_owed(min_age_s=min_age_s).slices == [(transfer.pk, 1)]


def test_partial_from_before_the_clock_was_set_back_is_removed(begin: Begin, spool_dir: Path) -> None:
    transfer = begin(20 * MIB)
    partial = spool_dir / str(transfer.pk) / f"1.00{spool.PARTIAL}"
    partial.touch()
    an_hour_ahead(partial)

    spool.partials_remove(transfer.pk)

    assert not partial.exists()


def test_gate_from_before_the_clock_was_set_back_is_open() -> None:
    assert progress.once_in("step:1", seconds=30 + AN_HOUR_S)

    assert progress.once_in("step:1", seconds=30)
    assert not progress.once_in("step:1", seconds=30)


def test_upload_begun_before_the_clock_was_set_back_is_dropped(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    Transfer.objects.update(upload_id="")
    Job.objects.update(created_at=timezone.now() + timedelta(hours=1))

    assert transfers_owed().aborts == [transfer.pk]


def test_lost_upload_from_before_the_clock_was_set_back_is_aborted(
    begin: Begin, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(20 * MIB)
    states.transfer_cancel(transfer)
    lost, transfer.upload_id = transfer.upload_id, ""
    transfer.save()
    Job.objects.update(created_at=timezone.now() + timedelta(seconds=4))

    tasks.abort_transfer.apply(kwargs={"transfer_id": transfer.pk})

    assert lost
    assert Job.objects.get(pk=transfer.job_id).state == Job.State.CANCELED
    assert uploads_left(store, bucket) == 0
