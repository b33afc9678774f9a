"""A walk counts every key once, whatever happens to it on its way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.inventory import services, tasks, walking
from apps.inventory.models import IndexEntry, Walk
from apps.inventory.sweeping import walks_owed
from apps.inventory.walking import walk_batch
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Unavailable
from tests.conftest import REGION, _redis_say
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]


def keys_of(walk: Walk) -> list[str]:
    entries = IndexEntry.objects.filter(walk_id=walk.pk).order_by("number")
    return list(entries.values_list("key", flat=True))


def state_of(walk: Walk) -> str:
    return Job.objects.get(pk=walk.job_id).state


def test_empty_bucket_is_counted(counted: Begin) -> None:
    walk = counted()

    assert (walk.objects_count, walk.size, walk.is_current, walk.is_open) == (0, 0, True, False)
    assert state_of(walk) == Job.State.DONE


def test_ten_thousand_keys_are_counted_once_each(fill: Fill, counted: Begin) -> None:
    fill((f"{number:06}", number) for number in range(10_001))

    walk = counted()

    assert (walk.objects_count, walk.kept, walk.pages) == (10_001, 10_001, 11)
    assert walk.size == sum(range(10_001))
    assert keys_of(walk) == [f"{number:06}" for number in range(10_001)]
    job = Job.objects.get(pk=walk.job_id)
    assert (job.objects_done, job.objects_total, job.bytes_done) == (10_001, 10_001, walk.size)


def test_hostile_keys_are_kept_as_they_are(fill: Fill, counted: Begin) -> None:
    hostile = [*HOSTILE_KEYS, "nul\x00inside", "nul\x00"]
    fill((key, 1) for key in hostile)

    walk = counted()

    assert keys_of(walk) == sorted(hostile, key=str.encode)


def test_worker_that_fails_in_the_middle_loses_nothing_and_counts_nothing_twice(
    local_store: LocalStore, fill: Fill, begin: Begin
) -> None:
    fill((f"{number:06}", 1) for number in range(3500))
    local_store.faults.add("error", operation="ListObjects", skip=2, status=500, count=8)
    walk = begin()

    with pytest.raises(Unavailable):
        walk_batch(walk_id=walk.pk)
    walk.refresh_from_db()
    assert (walk.objects_count, walk.pages, walk.kept) == (2000, 2, 2000)
    local_store.faults.clear()

    assert walk_batch(walk_id=walk.pk) is True
    walk.refresh_from_db()
    assert (walk.objects_count, walk.kept, len(set(keys_of(walk)))) == (3500, 3500, 3500)


def test_second_delivery_changes_nothing(fill: Fill, counted: Begin) -> None:
    fill((f"{number:04}", 1) for number in range(1500))
    walk = counted()

    tasks.walk_pages(walk_id=walk.pk)
    tasks.walk_pages(walk_id=walk.pk)

    again = Walk.objects.get()
    assert (again.objects_count, again.pages, again.finished_at) == (1500, 2, walk.finished_at)
    assert len(keys_of(walk)) == 1500


def test_page_that_somebody_else_counted_is_not_counted_again(fill: Fill, begin: Begin) -> None:
    fill((f"{number:04}", 1) for number in range(2500))
    walk = begin()
    stale = Walk.objects.select_related("job", "connection").get()
    assert walk_batch(walk_id=walk.pk) is True

    page = walking._list_page(store_for(stale.connection), stale)
    with pytest.raises(walking.PageCounted):
        walking._add_page(stale, stale.tally(), page)

    walk.refresh_from_db()
    assert (walk.objects_count, len(keys_of(walk))) == (2500, 2500)


def test_only_one_worker_walks(begin: Begin) -> None:
    walk = begin()

    with row_lease(Walk, walk.pk) as is_ours:
        assert is_ours
        assert walk_batch(walk_id=walk.pk) is None


def test_walk_that_is_gone_is_no_error() -> None:
    tasks.walk_pages(walk_id=4711)
    tasks.walk_pages(walk_id=4711)


def test_throttled_walk_goes_on_and_says_so(local_store: LocalStore, fill: Fill, begin: Begin) -> None:
    fill((f"{number:04}", 1) for number in range(1200))
    local_store.faults.add("slow_down", operation="ListObjects", skip=1, count=4)
    walk = begin()

    assert walk_batch(walk_id=walk.pk) is True

    walk.refresh_from_db()
    assert walk.throttled_at is not None
    assert walk.objects_count == 1200


def test_refused_walk_is_parked_in_words(local_store: LocalStore, begin: Begin) -> None:
    local_store.faults.add("error", operation="ListObjects", status=403, code="AccessDenied")
    walk = begin()

    tasks.walk_pages(walk_id=walk.pk)

    job = Job.objects.get(pk=walk.job_id)
    assert (job.state, job.error_code) == (Job.State.PARKED, "AccessDenied")
    local_store.faults.clear()
    services.walk_resume(walk)
    assert walk_batch(walk_id=walk.pk) is True


def test_store_that_fails_is_asked_again_later(local_store: LocalStore, begin: Begin) -> None:
    local_store.faults.add("error", operation="ListObjects", status=500, count=50)
    walk = begin()

    with pytest.raises(Unavailable):
        tasks.walk_pages(walk_id=walk.pk)

    assert state_of(walk) == Job.State.RUNNING


def test_paused_walk_rests_and_goes_on(fill: Fill, begin: Begin) -> None:
    fill((f"{number:04}", 1) for number in range(1200))
    walk = begin()
    services.walk_pause(walk)

    assert walk_batch(walk_id=walk.pk) is None
    services.walk_resume(walk)
    assert walk_batch(walk_id=walk.pk) is True


def test_canceled_walk_counts_no_further(fill: Fill, begin: Begin) -> None:
    fill([("a", 1)])
    walk = begin()
    services.walk_cancel(walk)

    assert walk_batch(walk_id=walk.pk) is None

    walk.refresh_from_db()
    assert (walk.is_open, walk.is_current, walk.objects_count) == (False, False, 0)
    with pytest.raises(services.StateChanged):
        services.walk_resume(walk)


def test_second_person_is_led_to_the_running_walk(
    begin: Begin, writer: Person, connection: Connection, bucket: str
) -> None:
    first = begin()

    second, is_new = services.walk_start(owner=writer, connection=connection, bucket=bucket, region=REGION)

    assert (second.pk, is_new) == (first.pk, False)
    assert Job.objects.count() == 1


def test_newer_walk_replaces_the_older_only_at_its_end(
    fill: Fill, begin: Begin, counted: Begin, connection: Connection, bucket: str
) -> None:
    fill((f"{number:04}", 1) for number in range(1200))
    old = counted()
    fill([("new", 5)])
    new = begin()

    assert new.expected == 1200
    assert services.figures_for(connection.pk, [bucket])[bucket].objects == 1200
    assert len(keys_of(old)) == 1200
    assert walk_batch(walk_id=new.pk) is True
    assert services.figures_for(connection.pk, [bucket])[bucket].objects == 1201
    assert list(Walk.objects.filter(is_current=True)) == [new]


def test_index_holds_no_more_keys_than_it_may(
    fill: Fill, counted: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "INDEX_KEYS_MAX", 1100)
    fill((f"{number:04}", 1) for number in range(2500))

    walk = counted()

    assert (walk.objects_count, walk.kept, len(keys_of(walk))) == (2500, 1100, 1100)


def test_folder_is_counted_without_its_neighbours(fill: Fill, counted: Begin) -> None:
    fill([("a/1", 1), ("a/2", 2), ("a0", 4), ("b/1", 8)])

    walk = counted("a/")

    assert (walk.objects_count, walk.size, walk.kept) == (2, 3, 0)


def test_walk_that_nobody_works_on_is_queued_again(begin: Begin) -> None:
    walk = begin()

    assert walks_owed() == [walk.pk]
    assert walks_owed() == []
    _redis_say(settings.REDIS_PORT, b"FLUSHALL\r\n")
    assert walks_owed() == [walk.pk]


def test_walk_that_somebody_works_on_is_left_alone(begin: Begin) -> None:
    walk = begin()
    Walk.objects.update(lease_until=timezone.now() + timedelta(seconds=5))

    assert walks_owed() == []
    services.walk_pause(walk)
    Walk.objects.update(lease_until=timezone.now())
    assert walks_owed() == []
