"""Several workers at one batch: nobody does what another one does, and nothing is left over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from apps.batches import services, spans, tasks
from apps.batches.models import Batch, BatchObject, BatchSeat, BatchSpan
from apps.batches.running import run_batch
from apps.batches.selection import Selection
from apps.batches.spans import seat_take, seats_open, span_held, spans_cut
from apps.batches.sweeping import batches_owed
from apps.jobs import progress
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from tests.batches.conftest import confirmed, fresh, results, state_of
from tests.batches.test_copy import keys, to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
ALL = Selection(folders=("in/",))


@pytest.fixture
def batch(begin: Begin, put: Put, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A confirmed copy of twenty objects that is cut into spans of four."""
    monkeypatch.setattr(spans, "LINES_MIN", 4)
    for number in range(20):
        put(f"in/{number:02}", b"%02d" % number)
    return confirmed(begin("copy", ALL, **to(bucket, "out/")))


def test_ledger_is_cut_once_and_wholly(batch: Batch) -> None:
    second = fresh(batch)

    spans_cut(batch)
    spans_cut(second)

    cut = list(BatchSpan.objects.filter(batch=batch))
    assert len(cut) == 5
    inside = [BatchObject.objects.filter(batch=batch, pk__range=(one.first, one.last)).count() for one in cut]
    assert inside == [4] * 5
    assert BatchSeat.objects.filter(batch=batch).count() == 5


def test_large_objects_are_spread_over_spans(
    begin: Begin, put: Put, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "BYTES_MAX", 10)
    for number in range(6):
        put(f"in/{number}", b"x" * (9 if number < 4 else 20))
    batch = confirmed(begin("copy", ALL, **to(bucket, "out/")))

    spans_cut(batch)

    assert BatchSpan.objects.filter(batch=batch).count() == 4


def test_worker_does_all_spans_but_those_that_others_hold(
    batch: Batch, store: ObjectStore, bucket: str
) -> None:
    spans_cut(batch)

    with span_held(batch) as mine, span_held(batch) as other:
        assert mine is not None
        assert other is not None
        assert mine.pk != other.pk
        assert run_batch(batch_id=batch.pk) is None
        assert fresh(batch).job.objects_done == 12
    assert run_batch(batch_id=batch.pk) is True

    assert set(results(batch).values()) == {("done", "")}
    assert fresh(batch).job.objects_done == 20
    assert len(keys(store, bucket)) == 40


def test_span_of_a_worker_that_was_killed_is_taken_up_when_its_lease_is_over(
    batch: Batch, store: ObjectStore, bucket: str
) -> None:
    spans_cut(batch)
    lost = BatchSpan.objects.filter(batch=batch).first()
    assert lost is not None
    ahead = timezone.now() + timedelta(seconds=10)
    BatchSpan.objects.filter(pk=lost.pk).update(lease_until=ahead)

    assert run_batch(batch_id=batch.pk) is None
    assert state_of(batch) == Job.State.RUNNING
    assert [state for state, _ in results(batch).values()].count("planned") == 4
    assert batches_owed().runs == []
    BatchSpan.objects.filter(pk=lost.pk).update(lease_until=timezone.now())
    assert batches_owed().runs == [batch.pk]
    assert run_batch(batch_id=batch.pk) is True

    assert set(results(batch).values()) == {("done", "")}
    assert len(keys(store, bucket)) == 40


def test_batch_whose_last_worker_was_killed_before_it_ended_it_is_ended(batch: Batch) -> None:
    spans_cut(batch)
    Job.objects.filter(pk=batch.job_id).update(state=Job.State.RUNNING)
    BatchObject.objects.update(state="done")
    BatchSpan.objects.update(ended_at=timezone.now())

    assert batches_owed().runs == [batch.pk]
    assert run_batch(batch_id=batch.pk) is True


def test_span_that_ended_too_early_is_cut_again(batch: Batch) -> None:
    spans_cut(batch)
    BatchSpan.objects.update(ended_at=timezone.now())

    assert run_batch(batch_id=batch.pk) is False
    assert run_batch(batch_id=batch.pk) is True

    assert set(results(batch).values()) == {("done", "")}


def test_turn_that_is_delivered_twice_is_taken_once(batch: Batch) -> None:
    (seat, turn), *_others = seats_open(batch_id=batch.pk)

    assert seat_take(batch_id=batch.pk, seat=seat, turn=turn)
    assert not seat_take(batch_id=batch.pk, seat=seat, turn=turn)
    tasks.run_objects.apply(kwargs={"batch_id": batch.pk, "seat": seat, "turn": turn}, throw=True)

    assert set(results(batch).values()) == {("planned", "")}


def test_few_seats_are_offered_while_somebody_is_at_work(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "OFFERED_LATE", 2)
    assert len(seats_open(batch_id=batch.pk)) == 5

    with span_held(batch):
        assert len(seats_open(batch_id=batch.pk)) == 2


def test_seats_of_a_batch_that_does_not_run_are_not_offered(batch: Batch) -> None:
    services.batch_pause(batch)

    assert seats_open(batch_id=batch.pk) == []
    tasks.run_objects.apply(kwargs={"batch_id": batch.pk}, throw=True)

    assert state_of(batch) == Job.State.PAUSED


def test_paused_batch_goes_on_where_it_was(batch: Batch, local_store: LocalStore) -> None:
    local_store.faults.add("error", operation="CopyObject", key="out/in/07", status=403, code="AccessDenied")
    run_batch(batch_id=batch.pk, seconds=0.02)
    if state_of(batch) == Job.State.RUNNING:
        services.batch_pause(fresh(batch))
        assert run_batch(batch_id=batch.pk) is None
        services.batch_resume(fresh(batch))
    while state_of(batch) == Job.State.RUNNING:
        run_batch(batch_id=batch.pk)

    assert {state for state, _ in results(batch).values()} <= {"done", "failed"}


def test_only_what_failed_is_cut_anew_for_another_try(batch: Batch, local_store: LocalStore) -> None:
    spans_cut(batch)
    local_store.faults.add(
        "error", operation="CopyObject", key="out/in/07", status=403, code="AccessDenied", count=None
    )
    while run_batch(batch_id=batch.pk) is False:
        pass
    failed = [key for key, (state, _) in results(batch).items() if state == "failed"]
    local_store.faults.clear()

    services.batch_retry(fresh(batch))
    assert run_batch(batch_id=batch.pk) is True

    assert failed == ["in/07"]
    assert BatchSpan.objects.filter(batch=batch).count() == 1
    assert set(results(batch).values()) == {("done", "")}


def test_many_workers_at_one_batch_are_not_taken_for_deaths(batch: Batch) -> None:
    spans_cut(batch)
    for seat in range(1, 5):
        for _ in range(2):
            progress.deaths_before(f"{tasks.run_objects.name}:{batch.pk}:{seat}")

    tasks.run_objects.apply(kwargs={"batch_id": batch.pk}, throw=True)

    assert state_of(batch) == Job.State.DONE


def test_turn_whose_workers_die_without_settling_a_line_parks_the_batch(batch: Batch) -> None:
    (seat, turn), *_others = seats_open(batch_id=batch.pk)
    name = f"{tasks.run_objects.name}:{batch.pk}:{seat}"
    for _ in range(5):
        progress.deaths_before(name)

    tasks.run_objects.apply(kwargs={"batch_id": batch.pk, "seat": seat, "turn": turn}, throw=True)

    assert (state_of(batch), fresh(batch).job.error_code) == (Job.State.PARKED, "WorkersDied")


def test_turn_that_settled_a_line_forgets_the_deaths_before_it(batch: Batch) -> None:
    name = f"{tasks.run_objects.name}:{batch.pk}:0"
    for _ in range(3):
        progress.deaths_before(name)

    run_batch(batch_id=batch.pk, on_settled=partial(progress.step_survived, name))

    assert progress.deaths_before(name) == 0
