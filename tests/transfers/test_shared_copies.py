"""One large copy shared by several workers: spans, their leases, and exactly one Complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.leases import LEASE
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Throttled, UploadNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import spans, tasks
from apps.transfers.copying import Passing, copy_batch, part_copy
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.ledger import part_record
from apps.transfers.models import CopySpan, Transfer
from apps.transfers.services import copies, states
from apps.transfers.sweeping import transfer_owed
from tests.conftest import REGION
from tests.transfers.conftest import MIB
from tests.transfers.test_uploads import stored_bytes, uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

PARTS = 11
BODY = os.urandom(MIB) * 10 + b"end"


@pytest.fixture(autouse=True)
def _short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "SPAN_PARTS", 3)


@pytest.fixture
def transfer(owner: Person, connection: Connection, bucket: str, put: Callable[..., str]) -> Transfer:
    put("from.bin", BODY)
    return copies.copy_start(
        owner=owner,
        connection=connection,
        source=ObjectRef(bucket, REGION, "from.bin"),
        bucket=bucket,
        region=REGION,
        key="to.bin",
        replace=False,
        wanted=copies.CopyWanted(parts_from=MIB, part_size=MIB),
    )


def finish(transfer: Transfer) -> Transfer:
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    transfer.refresh_from_db()
    return transfer


def test_parts_are_divided_into_spans(transfer: Transfer) -> None:
    assert list(transfer.spans.values_list("first", "last")) == [(1, 3), (4, 6), (7, 9), (10, 11)]


@pytest.mark.parametrize(("parts", "spans_expected", "longest"), [(20, 5, 4), (96, 8, 12), (10_000, 625, 16)])
def test_spans_are_enough_for_all_workers_and_few_enough_for_many_parts(
    transfer: Transfer, monkeypatch: pytest.MonkeyPatch, parts: int, spans_expected: int, longest: int
) -> None:
    monkeypatch.setattr(spans, "SPAN_PARTS", 16)
    CopySpan.objects.all().delete()
    transfer.size = parts * transfer.part_size

    spans.spans_make(transfer)

    found = list(transfer.spans.values_list("first", "last"))
    assert len(found) == spans_expected
    assert max(last - first + 1 for first, last in found) == longest
    assert found[-1][1] == parts


def test_two_workers_share_a_copy_and_no_part_is_copied_twice(
    transfer: Transfer, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add(kind="error", operation="UploadPartCopy", skip=PARTS, count=None)
    first = spans.span_take(transfer)
    second = spans.span_take(transfer)
    assert first is not None
    assert second is not None

    third = copy_batch(transfer_id=transfer.pk)
    for held in (first, second):
        for number in sorted(held.missing):
            part_record(transfer, part_copy(transfer, number, Passing()))
        held.missing.clear()
        held.release()

    assert (first.missing | second.missing, third) == (set(), None)
    assert copy_batch(transfer_id=transfer.pk) is True
    assert not transfer.spans.filter(is_done=False).exists()
    local_store.faults.clear()
    finish(transfer)
    assert stored_bytes(store, bucket, "to.bin") == BODY


def test_workers_end_a_copy_once(transfer: Transfer, store: ObjectStore, bucket: str) -> None:
    for _worker in range(3):
        tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk}, throw=True)
    for _worker in range(2):
        tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk}, throw=True)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.DONE
    assert Entry.objects.filter(verb="object.copy").count() == 1
    assert stored_bytes(store, bucket, "to.bin") == BODY
    assert uploads_left(store, bucket) == 0


def test_late_worker_leaves_a_finished_copy_alone(transfer: Transfer, store: ObjectStore) -> None:
    held = spans.span_take(transfer)
    assert held is not None
    held.lease.close()
    assert copy_batch(transfer_id=transfer.pk) is True
    finish(transfer)

    assert copy_batch(transfer_id=transfer.pk) is None
    with pytest.raises(UploadNotFound):
        part_copy(transfer, 1, Passing())


def test_span_of_a_killed_worker_returns(transfer: Transfer) -> None:
    # Killed in the middle of its span: begun, leased, and one part of it copied.
    CopySpan.objects.filter(first=1).update(is_begun=True, lease_until=timezone.now() + LEASE)

    assert copy_batch(transfer_id=transfer.pk) is None
    assert transfer.parts.count() == PARTS - 3
    CopySpan.objects.filter(first=1).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert transfer_owed(transfer_id=transfer.pk).copies == [transfer.pk]
    assert copy_batch(transfer_id=transfer.pk) is True


def test_part_of_a_killed_worker_is_not_copied_again(
    transfer: Transfer, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    CopySpan.objects.filter(first=1).update(is_begun=True)
    store.upload_part_copy(
        source=transfer.source,
        bucket=bucket,
        region=REGION,
        key="to.bin",
        upload_id=transfer.upload_id,
        number=2,
        first_byte=MIB,
        last_byte=2 * MIB - 1,
    )
    local_store.faults.add(kind="error", operation="UploadPartCopy", skip=PARTS - 1, count=None)

    assert copy_batch(transfer_id=transfer.pk) is True
    local_store.faults.clear()
    finish(transfer)
    assert stored_bytes(store, bucket, "to.bin") == BODY


def test_batch_that_is_over_gives_its_spans_back(transfer: Transfer) -> None:
    assert copy_batch(transfer_id=transfer.pk, until=1.0) is False

    assert not spans.spans_held(transfer.pk).exists()
    assert copy_batch(transfer_id=transfer.pk) is True


def test_only_so_many_workers_share_a_copy(transfer: Transfer, settings: Any) -> None:
    settings.COPY_WORKERS = 2

    assert transfer_owed(transfer_id=transfer.pk).copies == [transfer.pk] * 2
    CopySpan.objects.filter(first__lt=7).update(lease_until=timezone.now() + LEASE)
    assert transfer_owed(transfer_id=transfer.pk).copies == []
    assert copy_batch(transfer_id=transfer.pk) is False
    assert not transfer.parts.exists()


def test_failing_part_gives_its_span_back(transfer: Transfer, local_store: LocalStore) -> None:
    local_store.faults.add(kind="slow_down", operation="UploadPartCopy", count=None, key="to.bin", skip=4)

    with pytest.raises(Throttled):
        copy_batch(transfer_id=transfer.pk)

    assert not spans.spans_held(transfer.pk).exists()
    local_store.faults.clear()
    assert copy_batch(transfer_id=transfer.pk) is True


def test_cancel_waits_for_every_worker(transfer: Transfer, store: ObjectStore, bucket: str) -> None:
    CopySpan.objects.filter(first=4).update(lease_until=timezone.now() + LEASE)
    states.transfer_cancel(transfer)

    with pytest.raises(Throttled):
        transfer_abort(transfer_id=transfer.pk)
    CopySpan.objects.update(lease_until=timezone.now())
    transfer_abort(transfer_id=transfer.pk)

    assert uploads_left(store, bucket) == 0
    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.CANCELED


def test_paused_copy_is_left_by_all(transfer: Transfer) -> None:
    states.transfer_pause(transfer)

    assert [copy_batch(transfer_id=transfer.pk) for _worker in range(2)] == [None, None]
    states.transfer_resume(transfer)
    assert copy_batch(transfer_id=transfer.pk) is True


def test_copy_that_was_begun_before_there_were_spans_gets_them(transfer: Transfer) -> None:
    transfer.spans.all().delete()

    assert transfer_owed(transfer_id=transfer.pk).copies == [transfer.pk]
    assert copy_batch(transfer_id=transfer.pk) is True


@pytest.mark.parametrize(("parts", "count"), [(1, 1), (3, 1), (4, 2), (10_000, 3334)])
def test_every_part_is_in_one_span(transfer: Transfer, parts: int, count: int) -> None:
    Transfer.objects.filter(pk=transfer.pk).update(size=parts * MIB, part_size=MIB)
    transfer.spans.all().delete()
    transfer.refresh_from_db()

    spans.spans_make(transfer)
    spans.spans_make(transfer)

    found = list(transfer.spans.values_list("first", "last"))
    assert len(found) == count
    assert list(numbers_of(found)) == list(range(1, parts + 1))


def numbers_of(found: list[tuple[int, int]]) -> Iterator[int]:
    for first, last in found:
        yield from range(first, last + 1)
