"""A process that dies while it begins a transfer: nothing is copied twice over, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer
from apps.transfers.services import copies, states
from apps.transfers.sweeping import transfers_owed
from tests.conftest import REGION
from tests.transfers.conftest import MIB, slice_put
from tests.transfers.test_uploads import uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


@pytest.fixture
def half_begun_copy(
    owner: Person,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Transfer:
    """A copy in parts whose web process died while it waited for the upload id."""

    def killed(transfer: Transfer, *, is_multipart: bool) -> None:
        raise Killed

    put("source", bytes(3 * MIB))
    monkeypatch.setattr(copies, "COPY_IN_PARTS_FROM", MIB)
    monkeypatch.setattr(copies, "COPY_PART_SIZE", MIB)
    monkeypatch.setattr(copies, "initiate", killed)
    with pytest.raises(Killed):
        copies.copy_start(
            owner=owner,
            connection=connection,
            source=ObjectRef(bucket=bucket, region=REGION, key="source"),
            bucket=bucket,
            region=REGION,
            key="target",
            replace=False,
        )
    return Transfer.objects.get()


def test_copy_without_its_upload_is_not_run(half_begun_copy: Transfer) -> None:
    assert transfers_owed().copies == []
    tasks.copy_parts.apply(kwargs={"transfer_id": half_begun_copy.pk})

    job = Job.objects.get(pk=half_begun_copy.job_id)
    assert job.state == Job.State.QUEUED
    assert half_begun_copy.parts.count() == 0


def test_upload_whose_spool_was_never_opened_takes_slices(begin: Begin, spool_dir: Path) -> None:
    transfer = begin(3 * MIB)
    (spool_dir / str(transfer.pk)).rmdir()

    transfers_owed()

    slice_put(transfer, 1, bytes(3 * MIB))
    assert spool.slice_find(transfer.pk, 1) is not None


def test_abort_is_owed_until_the_store_answers(
    begin: Begin,
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transfer = begin(20 * MIB)
    states.transfer_cancel(transfer)
    local_store.faults.add("slow_down", operation="AbortMultipartUpload", count=None)
    monkeypatch.setattr(tasks, "ATTEMPTS", 0)

    tasks.abort_transfer.apply(kwargs={"transfer_id": transfer.pk})
    waits = Job.objects.get(pk=transfer.job_id)
    local_store.faults.clear()
    tasks.abort_transfer.apply(kwargs={"transfer_id": transfer.pk})

    assert (waits.state, waits.error_code) == (Job.State.CANCELING, "SlowDown")
    ended = Job.objects.get(pk=transfer.job_id)
    assert (ended.state, ended.error_code) == (Job.State.CANCELED, "")
    assert uploads_left(store, bucket) == 0
