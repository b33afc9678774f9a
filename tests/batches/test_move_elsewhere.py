"""Moves to another connection: the source goes when its copy was compared, and never before."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from apps.batches import services
from apps.batches.actions import copying
from apps.batches.models import Batch, BatchObject
from apps.batches.running import cancel_batch, run_batch
from apps.batches.selection import Selection
from apps.batches.spans import spans_forget
from apps.connections.models import Connection
from apps.connections.services import ConnectionInUse, connection_delete, store_for
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from tests.batches.conftest import confirmed, fresh, ran, results, state_of
from tests.batches.test_copy import body, keys, uploads
from tests.batches.test_copy_elsewhere import to
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
MIB = 1 << 20
ALL = Selection(folders=("in/",))


@pytest.fixture
def there(elsewhere: Connection) -> ObjectStore:
    return store_for(elsewhere)


@pytest.fixture
def begun(begin: Begin, put: Put, elsewhere: Connection, archive: str) -> Batch:
    """A confirmed move of two objects to the other account."""
    put("in/a.txt", b"a")
    put("in/b.txt", b"b")
    return confirmed(begin("move", ALL, **to(elsewhere, archive)))


def test_sources_go_when_their_copies_are_there(
    begun: Batch, store: ObjectStore, there: ObjectStore, bucket: str, archive: str
) -> None:
    assert run_batch(batch_id=begun.pk) is True

    assert keys(store, bucket) == []
    assert keys(there, archive) == ["in/a.txt", "in/b.txt"]
    assert body(there, archive, "in/b.txt") == b"b"


def test_copy_that_was_replaced_before_it_was_compared_keeps_its_source(
    begun: Batch, store: ObjectStore, there: ObjectStore, bucket: str, archive: str
) -> None:
    BatchObject.objects.filter(key="in/b.txt").update(
        state="copied", after='{"etag": "other", "crc64": null}'
    )
    run_batch(batch_id=begun.pk)

    assert results(begun) == {"in/a.txt": ("done", ""), "in/b.txt": ("failed", "CopyDiffers")}
    assert keys(store, bucket) == ["in/b.txt"]


def test_source_that_changed_stays(
    begun: Batch, put: Put, store: ObjectStore, there: ObjectStore, bucket: str, archive: str
) -> None:
    put("in/a.txt", b"newer")

    run_batch(batch_id=begun.pk)

    assert results(begun)["in/a.txt"] == ("failed", "Changed")
    assert keys(store, bucket) == ["in/a.txt"]
    assert keys(there, archive) == ["in/b.txt"]


def test_target_that_appeared_is_never_overwritten(
    begun: Batch, store: ObjectStore, there: ObjectStore, bucket: str, archive: str, put: Put
) -> None:
    there_acl = {"bucket": archive, "region": REGION, "key": "in/a.txt"}
    run_batch(batch_id=begun.pk)
    put("in/a.txt", b"second")
    batch = confirmed_again(begun)

    assert results(batch)["in/a.txt"] == ("failed", "TargetTaken")
    assert there.head_object(**there_acl).size == 1
    assert keys(store, bucket) == ["in/a.txt"]


def confirmed_again(batch: Batch) -> Batch:
    """Have a line of a finished batch looked at once more, as if nothing had been written down of it."""
    BatchObject.objects.filter(key="in/a.txt").update(
        state="planned", etag=_etag(batch), size=6, target_etag="", attempts=0
    )
    Job.objects.filter(pk=batch.job_id).update(state=Job.State.RUNNING)
    spans_forget(batch)
    run_batch(batch_id=batch.pk)
    return fresh(batch)


def _etag(batch: Batch) -> str:
    store = store_for(batch.connection)
    return store.head_object(bucket=batch.bucket, region=REGION, key="in/a.txt").etag


def test_failures_alone_are_tried_again(
    begun: Batch, store: ObjectStore, there: ObjectStore, bucket: str, archive: str, local_store: LocalStore
) -> None:
    local_store.faults.add(
        "error", operation="PutObject", key="in/b.txt", status=403, code="AccessDenied", count=None
    )
    run_batch(batch_id=begun.pk)
    assert results(begun) == {"in/a.txt": ("done", ""), "in/b.txt": ("failed", "AccessDenied")}
    assert keys(store, bucket) == ["in/b.txt"]
    local_store.faults.clear()

    services.batch_retry(fresh(begun))
    run_batch(batch_id=begun.pk)

    assert set(results(begun).values()) == {("done", "")}
    assert keys(store, bucket) == []
    assert keys(there, archive) == ["in/a.txt", "in/b.txt"]


def test_large_object_is_moved_in_parts_and_a_canceled_one_leaves_none(
    begin: Begin, put: Put, store: ObjectStore, there: ObjectStore, bucket: str, elsewhere: Connection,
    archive: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(copying, "COPY_IN_PARTS_FROM", MIB)
    content = os.urandom(17 * MIB)
    put("in/film.bin", content)
    stopped = confirmed(begin("move", ALL, **to(elsewhere, archive, "stopped/")))
    # As a worker leaves it that is killed right after it began the upload.
    upload_id = there.create_multipart_upload(
        bucket=archive, region=REGION, key="stopped/in/film.bin", headers=ObjectHeaders()
    )
    BatchObject.objects.update(upload_id=upload_id)
    services.batch_cancel(fresh(stopped))
    cancel_batch(batch_id=stopped.pk)
    assert uploads(there, archive) == 0

    ran(begin("move", ALL, **to(elsewhere, archive)))

    assert keys(there, archive) == ["in/film.bin"]
    assert body(there, archive, "in/film.bin") == content
    assert keys(store, bucket) == []


def test_connection_that_objects_are_moved_to_is_kept(begun: Batch, elsewhere: Connection) -> None:
    with pytest.raises(ConnectionInUse):
        connection_delete(elsewhere)

    assert state_of(begun) == Job.State.QUEUED
