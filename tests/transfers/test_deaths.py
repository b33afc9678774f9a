"""What kills every worker, and a broker that takes nothing: neither may stop the rest of the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from redis import Redis

from apps.jobs import progress
from apps.jobs.models import Job
from apps.jobs.services import DEATHS_MAX
from apps.transfers import tasks
from apps.transfers.models import Transfer
from apps.transfers.services import states
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


def send(transfer: Transfer) -> Job:
    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1})
    return Job.objects.get(pk=transfer.job_id)


def test_slice_that_kills_every_worker_parks_its_upload_until_it_is_tried_again(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    for _death in range(DEATHS_MAX):
        progress.deaths_before(f"{tasks.send_part.name}:{transfer.pk}:1")

    parked = send(transfer)
    states.transfer_resume(transfer)
    again = send(transfer)

    assert (parked.state, parked.error_code) == (Job.State.PARKED, "WorkersDied")
    assert (again.state, transfer.parts.count()) == (Job.State.RUNNING, 1)


def test_step_that_ends_forgets_the_deaths_before_it(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    step = f"{tasks.send_part.name}:{transfer.pk}:1"
    progress.deaths_before(step)

    send(transfer)

    assert progress.deaths_before(step) == 0


@pytest.fixture
def full_redis() -> Iterator[None]:
    """Redis with no memory left: it answers, and refuses what would store anything."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", 0)


@pytest.mark.usefixtures("full_redis")
def test_broker_that_takes_nothing_is_no_error(begin: Begin) -> None:
    transfer = begin(3)
    slice_put(transfer, 1, b"abc")

    tasks.publish(tasks.send_part, transfer_id=transfer.pk, number=1)
    tasks.publish_later(tasks.send_part, seconds=1.0, transfer_id=transfer.pk, number=1)

    assert send(transfer).state == Job.State.FINISHING
