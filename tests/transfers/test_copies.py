"""A copy within the store: pinned source, parts in parallel, nothing copied twice, nothing mixed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Conflict, ObjectNotFound, Throttled
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import tasks
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import CopySpan, Transfer
from apps.transfers.services import beginning, copies, states
from tests.conftest import REGION
from tests.transfers.conftest import MIB
from tests.transfers.test_uploads import stored_bytes, uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Copy = Callable[..., Transfer]
LARGE = 33 * MIB + 77
PARTS = 3


@pytest.fixture(scope="module")
def large() -> bytes:
    return os.urandom(LARGE)


@pytest.fixture
def copy(owner: Person, connection: Connection, bucket: str) -> Copy:
    def start(key: str = "large.bin", *, target: str = "copied/large.bin", replace: bool = False) -> Transfer:
        return copies.copy_start(
            owner=owner,
            connection=connection,
            source=ObjectRef(bucket=bucket, region=REGION, key=key),
            bucket=bucket,
            region=REGION,
            key=target,
            replace=replace,
        )

    return start


def run(transfer: Transfer) -> Transfer:
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    transfer.refresh_from_db()
    return transfer


def test_large_object_is_copied_in_parts_with_its_headers(
    copy: Copy, put: Callable[..., str], large: bytes, store: ObjectStore, bucket: str
) -> None:
    put("large.bin", large, content_type="video/mp4", cache_control="max-age=60")

    transfer = run(copy())

    assert transfer.parts.count() == PARTS
    assert transfer.job.state == Job.State.DONE
    assert stored_bytes(store, bucket, "copied/large.bin") == large
    info = store.head_object(bucket=bucket, region=REGION, key="copied/large.bin")
    headers = {name.lower(): value for name, value in info.headers.items()}
    assert (info.content_type, headers["cache-control"]) == ("video/mp4", "max-age=60")
    assert uploads_left(store, bucket) == 0


@pytest.mark.parametrize("body", [b"", b"small"])
def test_small_object_is_copied_in_one_request(
    copy: Copy, put: Callable[..., str], store: ObjectStore, bucket: str, body: bytes
) -> None:
    put("small.txt", body)

    transfer = run(copy("small.txt", target="other.txt"))

    assert transfer.upload_id == ""
    assert stored_bytes(store, bucket, "other.txt") == body


def test_copy_leaves_one_entry_in_the_log_however_often_it_ends(copy: Copy, put: Callable[..., str]) -> None:
    put("small.txt", b"small")
    transfer = run(copy("small.txt", target="other.txt"))

    transfer_complete(transfer_id=transfer.pk)

    entry = Entry.objects.get()
    assert (entry.verb, entry.key, entry.person_name) == ("object.copy", "other.txt", "owner")
    assert entry.after_value["source_key"] == "small.txt"
    assert entry.job_id == transfer.job_id


def test_second_batch_changes_nothing(copy: Copy, put: Callable[..., str], large: bytes) -> None:
    put("large.bin", large)
    transfer = run(copy())

    assert copy_batch(transfer_id=transfer.pk) is None
    tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk}, throw=True)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.DONE


def test_killed_worker_loses_no_part(
    copy: Copy, put: Callable[..., str], large: bytes, store: ObjectStore, bucket: str
) -> None:
    put("large.bin", large)
    transfer = copy()
    store.upload_part_copy(
        source=ObjectRef(bucket=bucket, region=REGION, key="large.bin"),
        bucket=bucket,
        region=REGION,
        key=transfer.key,
        upload_id=transfer.upload_id,
        number=2,
        first_byte=16 * MIB,
        last_byte=32 * MIB - 1,
    )
    part = next(
        iter(store.list_parts(bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id))
    )

    run(transfer)

    assert transfer.parts.get(number=2).etag == part.etag
    assert stored_bytes(store, bucket, "copied/large.bin") == large


def test_part_that_fails_leaves_the_others_done(
    copy: Copy, put: Callable[..., str], large: bytes, local_store: LocalStore
) -> None:
    put("large.bin", large)
    transfer = copy()
    local_store.faults.add(kind="slow_down", operation="UploadPartCopy", skip=1, count=100)

    with pytest.raises(Throttled):
        copy_batch(transfer_id=transfer.pk)

    assert transfer.parts.count() == 1
    local_store.faults.clear()
    run(transfer)


def test_source_that_changes_stops_the_copy(
    copy: Copy, put: Callable[..., str], large: bytes, store: ObjectStore, bucket: str
) -> None:
    put("large.bin", large)
    transfer = copy()
    put("large.bin", large[::-1])

    with pytest.raises(Conflict):
        copy_batch(transfer_id=transfer.pk)
    tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk})

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.PARKED
    assert transfer.job.error_code == "PreconditionFailed"


def test_span_of_another_worker_is_left_alone(copy: Copy, put: Callable[..., str], large: bytes) -> None:
    put("large.bin", large)
    transfer = copy()

    with row_lease(CopySpan, transfer.spans.get().pk) as is_ours:
        assert is_ours
        assert copy_batch(transfer_id=transfer.pk) is None
        assert not transfer.parts.exists()

    run(transfer)


def test_paused_copy_waits(copy: Copy, put: Callable[..., str], large: bytes) -> None:
    put("large.bin", large)
    transfer = copy()
    states.transfer_pause(transfer)

    assert copy_batch(transfer_id=transfer.pk) is None
    states.transfer_resume(transfer)
    run(transfer)


def test_canceled_copy_leaves_nothing(
    copy: Copy, put: Callable[..., str], large: bytes, store: ObjectStore, bucket: str
) -> None:
    put("large.bin", large)
    transfer = copy()
    states.transfer_cancel(transfer)

    assert copy_batch(transfer_id=transfer.pk) is None
    transfer_abort(transfer_id=transfer.pk)

    assert uploads_left(store, bucket) == 0
    with pytest.raises(ObjectNotFound):
        store.head_object(bucket=bucket, region=REGION, key=transfer.key)


def test_existing_target_is_not_overwritten_silently(copy: Copy, put: Callable[..., str]) -> None:
    put("a", b"1")
    put("b", b"2")

    with pytest.raises(beginning.TargetExists):
        copy("a", target="b")
    with pytest.raises(copies.SameObject):
        copy("a", target="a")
    with pytest.raises(ObjectNotFound):
        copy("missing", target="c")

    assert Job.objects.count() == 0
    run(copy("a", target="b", replace=True))
