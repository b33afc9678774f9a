"""A store that limits requests or fails, a worker that is killed, two at once, a task that comes twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.batches import running, services, tasks
from apps.batches.models import Batch, BatchObject
from apps.batches.planning import plan_batch
from apps.batches.receipt import receipt_json
from apps.batches.rules import STALE_AFTER
from apps.batches.running import cancel_batch, run_batch
from apps.batches.selection import Selection
from apps.batches.spans import span_held, spans_cut
from apps.batches.sweeping import batches_owed
from apps.connections.models import Connection
from apps.connections.services import ConnectionInUse, connection_delete
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import StorageError, Throttled
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from tests.batches.conftest import confirmed, fresh, planned, ran, results, state_of
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
ALL = Selection(folders=("in/",))


@pytest.fixture
def three(put: Put) -> None:
    for key in ("in/1", "in/2", "in/3"):
        put(key)


@pytest.mark.usefixtures("three")
def test_throttling_in_the_middle_slows_down_and_loses_nothing(
    begin: Begin, local_store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = confirmed(begin("access", ALL, acl="private"))
    # More than the store's client repeats by itself, for one of the three.
    local_store.faults.add("slow_down", operation="PutObjectAcl", key="in/2", count=5)

    run_batch(batch_id=batch.pk)

    batch = fresh(batch)
    assert set(results(batch).values()) == {("done", "")}
    assert batch.throttled_at is not None
    assert state_of(batch) == Job.State.DONE


@pytest.mark.usefixtures("three")
def test_single_key_that_goes_on_failing_fails_alone(begin: Begin, local_store: LocalStore) -> None:
    batch = begin("access", ALL, acl="private")
    local_store.faults.add(
        "error", operation="PutObjectAcl", key="in/2", status=403, code="AccessDenied", count=None
    )

    batch = ran(batch)

    assert results(batch)["in/2"] == ("failed", "AccessDenied")
    assert BatchObject.objects.get(key="in/2").request_id
    assert batch.job.objects_failed == 1
    local_store.faults.clear()
    services.batch_retry(batch)
    assert batch.job.state == Job.State.DONE
    assert run_batch(batch_id=batch.pk) is True
    assert set(results(batch).values()) == {("done", "")}
    assert BatchObject.objects.get(key="in/2").before


@pytest.mark.usefixtures("three")
def test_key_that_the_store_does_not_know_any_more_parks_the_job(
    begin: Begin, local_store: LocalStore
) -> None:
    batch = confirmed(begin("delete", ALL))
    local_store.faults.add(
        "error", operation="DeleteMultipleObjects", status=403, code="InvalidAccessKeyId", count=None
    )

    tasks.run_objects.apply(kwargs={"batch_id": batch.pk})

    batch = fresh(batch)
    assert (batch.job.state, batch.job.error_code) == (Job.State.PARKED, "InvalidAccessKeyId")
    assert set(results(batch).values()) == {("planned", "")}
    local_store.faults.clear()
    services.batch_retry(batch)
    assert run_batch(batch_id=batch.pk) is True


@pytest.mark.usefixtures("three")
def test_two_workers_never_share_a_span(begin: Begin) -> None:
    batch = confirmed(begin("delete", ALL))
    spans_cut(batch)

    with span_held(batch) as span:
        assert span is not None
        assert run_batch(batch_id=batch.pk) is None

    assert run_batch(batch_id=batch.pk) is True


@pytest.mark.usefixtures("three")
def test_every_task_may_come_twice(begin: Begin, bucket: str, store: ObjectStore) -> None:
    batch = begin("delete", ALL)
    for _ in range(2):
        tasks.list_objects.apply(kwargs={"batch_id": batch.pk}, throw=True)
    assert state_of(batch) == Job.State.PLANNED
    confirmed(batch)
    for _ in range(2):
        tasks.run_objects.apply(kwargs={"batch_id": batch.pk}, throw=True)
        tasks.end_canceled.apply(kwargs={"batch_id": batch.pk}, throw=True)
        tasks.sweep_batches.apply(throw=True)

    assert fresh(batch).job.objects_done == 3
    assert state_of(batch) == Job.State.DONE


def test_tasks_of_a_batch_that_is_gone_do_nothing() -> None:
    for task in (tasks.list_objects, tasks.run_objects, tasks.end_canceled):
        task.apply(kwargs={"batch_id": 1}, throw=True)


@pytest.mark.usefixtures("three")
def test_listing_goes_on_where_a_killed_worker_stopped(
    begin: Begin, bucket: str, connection: Connection, put: Put
) -> None:
    for number in range(1100):
        put(f"in/deep/{number:04}")
    batch = services.batch_create(
        owner=connection.owner, connection=connection, bucket=bucket, region=REGION, action="delete",
        selection=ALL,
    )  # fmt: skip

    assert plan_batch(batch_id=batch.pk, seconds=0) is False
    assert BatchObject.objects.count() == 0
    while plan_batch(batch_id=batch.pk, seconds=0.0001) is False:
        pass

    assert BatchObject.objects.count() == 1103
    assert fresh(batch).figures["objects"] == 1103


@pytest.mark.usefixtures("three")
def test_sweep_takes_up_what_nobody_holds_once(begin: Begin) -> None:
    batch = confirmed(begin("delete", ALL))

    assert batches_owed().runs == [batch.pk]
    assert batches_owed().runs == []


@pytest.mark.usefixtures("three")
def test_plan_that_waits_is_not_swept(begin: Begin) -> None:
    begin("delete", ALL)

    owed = batches_owed()

    assert (owed.plans, owed.runs, owed.cancels) == ([], [], [])


@pytest.mark.usefixtures("three")
def test_what_nobody_answers_is_canceled(
    begin: Begin, owner: Person, connection: Connection, bucket: str
) -> None:
    plan = begin("delete", Selection(folders=("in/",)))
    question = services.batch_create(
        owner=owner,
        connection=connection,
        bucket=bucket,
        region=REGION,
        action="copy",
        selection=Selection(keys=("in/1",)),
    )
    batches_owed()
    assert (state_of(plan), state_of(question)) == (Job.State.PLANNED, Job.State.PLANNING)

    Batch.objects.update(frozen_at=timezone.now() - timedelta(days=8))
    Job.objects.update(created_at=timezone.now() - timedelta(days=2))
    batches_owed()

    assert (state_of(plan), state_of(question)) == (Job.State.CANCELED, Job.State.CANCELED)


@pytest.mark.usefixtures("three")
def test_canceled_batch_stops_between_requests(
    begin: Begin, bucket: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = confirmed(begin("delete", ALL))
    services.batch_cancel(batch)

    assert run_batch(batch_id=batch.pk) is None
    with row_lease(Batch, batch.pk), pytest.raises(Throttled):
        cancel_batch(batch_id=batch.pk)
    spans_cut(batch)
    with span_held(batch), pytest.raises(Throttled):
        cancel_batch(batch_id=batch.pk)
    cancel_batch(batch_id=batch.pk)

    assert state_of(batch) == Job.State.CANCELED
    assert len(store.list_objects(bucket=bucket, region=REGION).objects) == 3


def test_stale_plan_does_not_run(begin: Begin, put: Put) -> None:
    put("in/1")
    batch = begin("delete", ALL)
    later = timezone.now() + 2 * STALE_AFTER

    with pytest.raises(services.PlanStale):
        services.batch_confirm(batch, {}, person=batch.job.owner, now=later)

    assert state_of(batch) == Job.State.PLANNED


@pytest.mark.usefixtures("three")
def test_silent_store_parks_the_job_instead_of_failing_every_object(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, local_store: LocalStore
) -> None:
    batch = confirmed(begin("delete", ALL))
    local_store.faults.add("error", operation="DeleteMultipleObjects", count=None)
    monkeypatch.setattr(running, "STUCK_ROUNDS", 1)

    with pytest.raises(StorageError):
        run_batch(batch_id=batch.pk)

    assert set(BatchObject.objects.values_list("state", "attempts")) == {("planned", 0)}


def test_bucket_is_emptied_with_its_unfinished_uploads(
    put: Put, store: ObjectStore, bucket: str, connection: Connection
) -> None:
    put("a")
    put("b/c")
    upload_id = store.create_multipart_upload(
        bucket=bucket, region=REGION, key="half way", headers=ObjectHeaders()
    )

    batch = ran(planned(emptying(connection, bucket)))

    store.delete_bucket(bucket=bucket, region=REGION)
    noted = json.loads("".join(receipt_json(batch)))["uploads_aborted"]
    assert [(one["key"], one["upload_id"]) for one in noted] == [("half%20way", upload_id)]


def test_bucket_with_nothing_but_unfinished_uploads_is_emptied(
    store: ObjectStore, bucket: str, connection: Connection, owner_client: Client
) -> None:
    store.create_multipart_upload(bucket=bucket, region=REGION, key="half", headers=ObjectHeaders())
    batch = planned(emptying(connection, bucket))

    page = owner_client.get(f"/jobs/{batch.job_id}/plan/").content.decode()
    ran(batch)
    parts = owner_client.get(f"/jobs/{batch.job_id}/batch/").content.decode()

    assert batch.figures["uploads"] == 1
    assert "Verbose" not in page
    assert "1 unfinished upload goes last" in parts
    assert "Nothing to do" not in page
    assert "Type the name of the bucket" in page
    store.delete_bucket(bucket=bucket, region=REGION)


def test_bucket_is_emptied_of_objects_with_a_key_that_may_not_list_uploads(
    put: Put, bucket: str, connection: Connection, local_store: LocalStore, owner_client: Client
) -> None:
    put("a")
    local_store.faults.add(
        "error", operation="ListMultipartUploads", status=403, code="AccessDenied", count=None
    )

    batch = planned(emptying(connection, bucket))

    page = owner_client.get(f"/jobs/{batch.job_id}/plan/").content.decode()
    assert batch.figures["uploads"] is None
    assert "may not list them" in page


def emptying(connection: Connection, bucket: str) -> Batch:
    return services.batch_create(
        owner=connection.owner,
        connection=connection,
        bucket=bucket,
        region=REGION,
        action="empty",
        selection=Selection(),
    )


@pytest.mark.usefixtures("three")
def test_connection_with_a_running_batch_is_kept(begin: Begin, connection: Connection) -> None:
    confirmed(begin("delete", ALL))

    with pytest.raises(ConnectionInUse):
        connection_delete(connection)
