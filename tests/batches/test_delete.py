"""Deleting many: what is listed and nothing else, each object counted once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from apps.batches import services
from apps.batches.actions.removing import remove
from apps.batches.ledger import outcomes_record
from apps.batches.models import Batch, BatchObject
from apps.batches.running import run_batch
from apps.batches.selection import Match, Selection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import StorageError
from apps.storage.store import ObjectStore
from tests.batches.conftest import confirmed, fresh, ran, results, state_of
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]


def keys_left(store: ObjectStore, bucket: str) -> list[str]:
    return [summary.key for summary in store.list_objects(bucket=bucket, region=REGION).objects]


@pytest.mark.parametrize("is_verbose", [False, True])
def test_folder_is_deleted_and_its_neighbour_is_not(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, is_verbose: bool
) -> None:
    for key in ("photos/", "photos/a.jpg", "photos/deep/b.jpg", "photos-old/c.jpg", "photos"):
        put(key)

    batch = ran(begin("delete", Selection(folders=("photos/",))), is_verbose=is_verbose)

    assert keys_left(store, bucket) == ["photos", "photos-old/c.jpg"]
    assert state_of(batch) == Job.State.DONE
    assert (batch.job.objects_done, batch.job.objects_total, batch.job.objects_failed) == (3, 3, 0)
    assert all(line.request_id for line in BatchObject.objects.filter(batch=batch))


@pytest.mark.parametrize("is_verbose", [False, True])
def test_hostile_keys_are_deleted(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, is_verbose: bool
) -> None:
    for key in HOSTILE_KEYS:
        put(key)

    batch = ran(begin("delete", Selection(keys=HOSTILE_KEYS)), is_verbose=is_verbose)

    assert keys_left(store, bucket) == []
    assert set(results(batch).values()) == {("done", "")}


def test_what_came_after_the_plan_is_left_alone(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("logs/1")
    batch = begin("delete", Selection(folders=("logs/",)))
    put("logs/2")

    ran(batch)

    assert keys_left(store, bucket) == ["logs/2"]


def test_object_that_changed_since_the_plan_is_skipped_when_compared(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("logs/1", b"old")
    put("logs/2")
    batch = begin("delete", Selection(keys=("logs/1", "logs/2", "logs/gone")))
    put("logs/1", b"new")

    ran(batch, is_compared=True)

    assert keys_left(store, bucket) == ["logs/1"]
    assert results(batch) == {
        "logs/1": ("skipped", "Changed"),
        "logs/2": ("done", ""),
        "logs/gone": ("skipped", "NoSuchKey"),
    }


def test_match_takes_what_the_page_shows(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    for key in ("in/", "in/a.log", "in/b.LOG", "in/c.txt", "in/deep/d.log", "out/e.log"):
        put(key, b"x" * 20)

    batch = begin("delete", Selection(match=Match(prefix="in/", contains=".log", min_size=10, is_flat=True)))
    ran(batch)

    assert keys_left(store, bucket) == ["in/", "in/c.txt", "in/deep/d.log", "out/e.log"]


def test_match_looks_at_names_and_not_at_the_folders_around_them(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    for key in ("in/a.tar.gz", "in/a.gz", "in/tar.gz", "in/logs.tar.gz/keep", "in/deep/logs.TAR.GZ"):
        put(key)

    ran(begin("delete", Selection(match=Match(prefix="in/", contains="logs", endings=("tar.gz",)))))

    assert keys_left(store, bucket) == ["in/a.gz", "in/a.tar.gz", "in/logs.tar.gz/keep", "in/tar.gz"]


def test_title_says_all_that_narrows_a_match() -> None:
    moment = timezone.datetime(2026, 11, 1, tzinfo=UTC)
    match = Match(
        prefix="in/",
        min_size=1024,
        max_size=2048,
        after=moment,
        before=moment,
        storage_class="ARCHIVE",
        is_flat=True,
    )

    text = services.selection_text(Selection(match=match))

    assert text == (
        "All that match in in/…, from 1.00 KiB, up to 2.00 KiB, changed from 2026-11-01 00:00, "
        "changed before 2026-11-01 00:00, class ARCHIVE, without folders below"
    )


def test_nothing_and_the_whole_bucket_are_refused(begin: Begin, put: Put) -> None:
    put("a")

    for selection in (Selection(), Selection(match=Match()), Selection(folders=("/",))):
        with pytest.raises(services.SelectionRefused):
            begin("delete", selection)
    assert Job.objects.count() == 0


def test_more_than_a_thousand_go_in_several_requests(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    for number in range(1001):
        put(f"n/{number:04}")

    batch = ran(begin("delete", Selection(folders=("n/",))))

    assert keys_left(store, bucket) == []
    assert batch.job.objects_done == 1001
    assert len(set(BatchObject.objects.values_list("request_id", flat=True))) == 2


def test_second_delivery_changes_nothing(begin: Begin, put: Put) -> None:
    put("a/1")
    batch = ran(begin("delete", Selection(folders=("a/",))))

    assert run_batch(batch_id=batch.pk) is None
    assert fresh(batch).job.objects_done == 1


def test_outcome_counts_once(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("a/1")
    batch = confirmed(begin("delete", Selection(folders=("a/",))))
    from apps.batches.actions.outcomes import work_of

    lines = list(BatchObject.objects.filter(batch=batch))
    outcomes = remove(work_of(batch, until=1e12), lines)

    assert [outcomes_record(outcomes), outcomes_record(outcomes)] == [1, 0]


def test_worker_killed_between_request_and_ledger_repeats_the_request(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("a/1")
    put("a/2")
    batch = confirmed(begin("delete", Selection(folders=("a/",))))
    store.delete_objects(bucket=bucket, region=REGION, keys=["a/1"], is_quiet=True)

    assert run_batch(batch_id=batch.pk) is True

    assert set(results(batch).values()) == {("done", "")}


def test_single_failures_are_kept_and_only_those_are_tried_again(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    for key in ("a/1", "a/2", "a/3"):
        put(key)
    batch = begin("delete", Selection(folders=("a/",)))
    local_store.faults.add(
        "error", operation="HeadObject", key="a/2", status=403, code="AccessDenied", count=1
    )

    batch = ran(batch, is_compared=True)

    assert results(batch)["a/2"] == ("failed", "Denied")
    assert batch.job.objects_failed == 1
    assert batch.job.has_failures
    services.batch_retry(fresh(batch))
    assert run_batch(batch_id=batch.pk) is True
    assert keys_left(store, bucket) == []
    assert fresh(batch).job.objects_failed == 0


def test_what_is_tried_again_days_later_is_compared(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("a/1", b"planned")
    put("a/2", b"planned")
    batch = ran(begin("delete", Selection(folders=("a/",))))
    put("a/1", b"stored since")
    put("a/2", b"planned")
    BatchObject.objects.update(state="failed")
    Batch.objects.update(frozen_at=timezone.now() - timedelta(days=2))

    services.batch_retry(fresh(batch))
    run_batch(batch_id=batch.pk)

    assert results(batch) == {"a/1": ("skipped", "Changed"), "a/2": ("done", "")}
    assert keys_left(store, bucket) == ["a/1"]


def test_pause_cancel_and_lost_role(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("a/1")
    batch = confirmed(begin("delete", Selection(folders=("a/",))))
    services.batch_pause(batch)

    assert run_batch(batch_id=batch.pk) is None
    assert keys_left(store, bucket) == ["a/1"]

    services.batch_resume(fresh(batch))
    batch.connection.owner = type(batch.job.owner).objects.create_user("other")
    batch.connection.save()
    with pytest.raises(StorageError) as refused:
        run_batch(batch_id=batch.pk)
    assert refused.value.code == "RoleLost"
    assert keys_left(store, bucket) == ["a/1"]
