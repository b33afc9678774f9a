"""The sweep finds what nobody works on, and leaves alone what somebody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.jobs import progress
from apps.jobs.models import Job
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer
from apps.transfers.sending import part_send
from apps.transfers.services import states
from apps.transfers.sweeping import transfers_announce, transfers_owed
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


def test_slice_whose_message_was_lost_is_queued_again(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))

    assert transfers_owed(min_age_s=60).slices == []
    assert transfers_owed(min_age_s=0).slices == [(transfer.pk, 1)]


def test_slice_under_way_is_left_alone(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None

    with spool.slice_hold(waiting):
        assert transfers_owed(min_age_s=0).slices == []


def test_long_queue_is_not_filled_twice(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))

    assert transfers_owed(min_age_s=1e-9).slices == [(transfer.pk, 1)]
    assert transfers_owed(min_age_s=1e-9).slices == []


def test_whole_upload_that_nobody_completed_is_completed(begin: Begin) -> None:
    transfer = begin(3)
    slice_put(transfer, 1, b"abc")
    part_send(transfer_id=transfer.pk, number=1)

    assert transfers_owed().whole == [transfer.pk]


@pytest.mark.parametrize(
    ("state", "step"), [(Job.State.FINISHING, "completes"), (Job.State.CANCELING, "aborts")]
)
def test_step_of_a_killed_worker_is_owed_when_its_lease_ends(begin: Begin, state: str, step: str) -> None:
    transfer = begin(3)
    Job.objects.update(state=state)
    Transfer.objects.update(lease_until=timezone.now() + timedelta(seconds=5))

    assert getattr(transfers_owed(), step) == []
    Transfer.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert getattr(transfers_owed(), step) == [transfer.pk]


def test_upload_without_upload_id_is_dropped_after_a_while(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    Transfer.objects.update(upload_id="")

    assert transfers_owed().aborts == []
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert transfers_owed().aborts == [transfer.pk]


def test_folder_of_an_ended_transfer_is_removed(begin: Begin, spool_dir: Path) -> None:
    transfer = begin(3)
    (spool_dir / "999999").mkdir()
    (spool_dir / "77.closed-abcd").mkdir()

    transfers_owed()

    assert spool.spool_ids() == {transfer.pk}
    assert [path.name for path in spool_dir.iterdir()] == [str(transfer.pk)]


def test_parked_upload_is_left_alone(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    Job.objects.update(state=Job.State.PARKED)

    assert transfers_owed(min_age_s=0).slices == []
    states.transfer_resume(transfer)
    assert transfers_owed(min_age_s=0).slices == [(transfer.pk, 1)]


def test_upload_that_stands_still_is_told_to_the_pages(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    part_send(transfer_id=transfer.pk, number=1)
    messages = progress.listen(on_subscribed=lambda: None)
    assert next(messages) is None

    transfers_announce()

    assert next(item for item in messages if item)["done"] == 8 * MIB


def test_sweep_runs_twice_in_a_row(begin: Begin) -> None:
    begin(20 * MIB)

    for _ in range(2):
        tasks.sweep_transfers.apply(kwargs={"min_age_s": 0.0}, throw=True)
