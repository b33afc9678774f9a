"""Old uploads are aborted once a day, by a rule that somebody looked at before it was saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.batches.models import Action, Batch, BatchObject
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import connection_update
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Unavailable
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from apps.transfers import tasks
from apps.transfers.models import AbortRule, Transfer, UploadWalk
from apps.transfers.services.abort_rules import rule_off, rule_save, rules_run
from apps.transfers.services.upload_walks import walk_batch, walk_give_up, walks_owed
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

LATER = timedelta(days=8)
Begin = Callable[..., str]


@pytest.fixture
def begun(store: ObjectStore, bucket: str) -> Begin:
    def begin(key: str, into: str = bucket) -> str:
        return store.create_multipart_upload(bucket=into, region=REGION, key=key, headers=ObjectHeaders())

    return begin


@pytest.fixture
def rule(connection: Connection, owner: Person, bucket: str) -> AbortRule:
    return rule_save(connection, owner=owner, bucket=bucket, days=7)


def left(store: ObjectStore, bucket: str) -> list[str]:
    return [one.key for one in store.list_multipart_uploads(bucket=bucket, region=REGION).uploads]


def walk_all(now: datetime | None = None) -> None:
    for walk in UploadWalk.objects.filter(finished_at=None):
        walk_batch(walk_id=walk.pk, now=now or timezone.now() + LATER)


def test_old_uploads_are_aborted_and_young_ones_stay(
    store: ObjectStore, bucket: str, rule: AbortRule, begun: Begin
) -> None:
    begun("old")

    rules_run(timezone.now())
    walk_all()
    assert left(store, bucket) == ["old"]
    AbortRule.objects.update(run_at=None)
    rules_run(timezone.now() + LATER)
    walk_all()

    assert left(store, bucket) == []
    run = rule.walks.order_by("-started_at")[0]
    assert (run.aborted, run.failed, run.kept) == (1, 0, 0)
    assert Entry.objects.get(verb="upload.abort").bucket == bucket


def test_rule_runs_once_a_day_however_often_it_is_asked(rule: AbortRule) -> None:
    now = timezone.now()

    for minutes in (0, 1, 60, 23 * 60):
        rules_run(now + timedelta(minutes=minutes))
        walk_all()
    assert rule.walks.count() == 1
    rules_run(now + timedelta(days=1))

    assert rule.walks.count() == 2


def test_run_that_is_not_over_is_not_begun_again(rule: AbortRule) -> None:
    rules_run(timezone.now())
    rules_run(timezone.now() + timedelta(days=2))

    assert rule.walks.count() == 1


def test_clock_that_was_set_back_stops_no_rule(rule: AbortRule) -> None:
    AbortRule.objects.update(run_at=timezone.now() + timedelta(days=400))

    rules_run(timezone.now())

    assert rule.walks.count() == 1


def test_upload_of_a_running_job_is_left_to_its_job(
    owner: Person, connection: Connection, store: ObjectStore, bucket: str, rule: AbortRule, begun: Begin
) -> None:
    job = Job.objects.create(kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job,
        connection=connection,
        bucket=bucket,
        region=REGION,
        key="ours",
        size=1,
        part_size=1,
        upload_id=begun("ours"),
    )

    rules_run(timezone.now() + LATER)
    walk_all()

    assert left(store, bucket) == ["ours"]
    assert rule.walks.get().kept == 1


def test_rule_of_somebody_who_lost_the_role_is_turned_off(
    connection: Connection, writer: Person, store: ObjectStore, bucket: str, begun: Begin
) -> None:
    ConnectionMember.objects.filter(person=writer).update(role=Role.ADMIN)
    rule = rule_save(connection, owner=writer, bucket=bucket, days=7)
    begun("old")
    ConnectionMember.objects.filter(person=writer).update(role=Role.WRITER)

    rules_run(timezone.now() + LATER)

    rule.refresh_from_db()
    assert not rule.is_on
    assert not rule.walks.exists()
    assert left(store, bucket) == ["old"]


def test_connection_that_leads_to_another_account_aborts_nothing_there_by_itself(
    connection: Connection, rule: AbortRule
) -> None:
    connection_update(connection, name="Renamed")
    rule.refresh_from_db()
    assert rule.is_on

    connection_update(connection, appid="1250000009")

    rule.refresh_from_db()
    assert not rule.is_on


def test_rule_that_was_turned_off_stops_its_run(
    owner: Person, store: ObjectStore, bucket: str, rule: AbortRule, begun: Begin
) -> None:
    begun("old")
    rules_run(timezone.now() + LATER)
    rule_off(rule, person=owner)

    walk_all()

    assert left(store, bucket) == ["old"]


def test_rule_of_a_connection_goes_through_all_buckets_and_says_which_it_may_not(
    connection: Connection,
    owner: Person,
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    begun: Begin,
) -> None:
    other = bucket.replace("t-", "z-", 1)
    store.create_bucket(bucket=other, region=REGION)
    begun("old")
    begun("old", other)
    rule = rule_save(connection, owner=owner, bucket="", days=7)
    # It strikes the first bucket by name; the one that is looked at below is the last.
    local_store.faults.add(
        "error", operation="ListMultipartUploads", status=403, code="AccessDenied", count=1
    )

    rules_run(timezone.now() + LATER)
    walk_all()
    local_store.faults.clear()

    run = rule.walks.get()
    assert left(store, other) == []
    (problem,) = run.problems
    assert problem["code"] == "AccessDenied"
    assert problem["bucket"] != other


def test_run_goes_by_the_days_and_the_clock_of_now(
    connection: Connection, owner: Person, store: ObjectStore, bucket: str, rule: AbortRule, begun: Begin
) -> None:
    begun("young")
    rules_run(timezone.now() + LATER)

    walk_all(timezone.now())
    assert left(store, bucket) == ["young"]
    AbortRule.objects.update(run_at=None)
    rules_run(timezone.now() + LATER)
    rule_save(connection, owner=owner, bucket=bucket, days=30)
    walk_all()

    assert left(store, bucket) == ["young"]


def test_bucket_that_does_not_answer_keeps_no_other_from_its_turn(
    connection: Connection, owner: Person, store: ObjectStore, bucket: str, begun: Begin
) -> None:
    begun("old")
    rule = rule_save(connection, owner=owner, bucket="", days=7)
    rules_run(timezone.now() + LATER)
    walk = rule.walks.get()
    walk.places = [["away-1250000000", REGION], [bucket, REGION]]
    walk.save()

    assert walk_give_up(walk.pk, Unavailable("gone", code="ServiceUnavailable"))
    walk_all()

    walk.refresh_from_db()
    assert left(store, bucket) == []
    assert walk.finished_at is not None
    assert [problem["bucket"] for problem in walk.problems] == ["away-1250000000"]


def test_store_that_does_not_answer_ends_the_run_with_its_words(
    rule: AbortRule, local_store: LocalStore
) -> None:
    rules_run(timezone.now())
    walk = rule.walks.get()

    walk_give_up(walk.pk, Unavailable("gone", code="ServiceUnavailable"))
    walk_give_up(walk.pk, Unavailable("gone", code="ServiceUnavailable"))

    walk.refresh_from_db()
    assert walk.finished_at is not None
    assert [problem["code"] for problem in walk.problems] == ["ServiceUnavailable"]


def test_walk_whose_message_was_lost_is_queued_again(rule: AbortRule) -> None:
    rules_run(timezone.now())
    walk = rule.walks.get()

    assert walks_owed(timezone.now()) == [walk.pk]
    assert walks_owed(timezone.now()) == []
    tasks.walk_uploads(walk_id=walk.pk)
    tasks.walk_uploads(walk_id=walk.pk)
    tasks.walk_uploads(walk_id=0)

    walk.refresh_from_db()
    assert walk.finished_at is not None


def rule_url(connection: Connection, bucket: str, query: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/unfinished/rule/{query}"


def test_rule_is_tried_out_before_it_is_saved(
    owner_client: Client, connection: Connection, bucket: str, begun: Begin
) -> None:
    begun("young")

    tried = owner_client.get(rule_url(connection, bucket, "?days=3")).content.decode()
    assert not AbortRule.objects.exists()
    saved = owner_client.post(rule_url(connection, bucket), {"days": "3"}, follow=True).content.decode()

    assert "Nothing would be aborted now." in tried
    assert "more than 3 days ago" in saved
    assert AbortRule.objects.get(bucket=bucket).days == 3


@pytest.mark.parametrize("days", ["0", "-1", "many", "99999", ""])
def test_days_that_are_none_save_nothing(
    owner_client: Client, connection: Connection, bucket: str, days: str
) -> None:
    page = owner_client.post(rule_url(connection, bucket), {"days": days}, follow=True).content.decode()

    assert "field-error" in page or days == ""
    assert not AbortRule.objects.exists()


def test_only_administrators_change_a_rule(
    writer_client: Client, stranger_client: Client, owner_client: Client, connection: Connection, bucket: str
) -> None:
    url = rule_url(connection, bucket)

    assert writer_client.get(url).status_code == 200
    assert writer_client.post(url, {"days": "3"}).status_code == 403
    assert stranger_client.get(url).status_code == 404
    owner_client.post(url, {"days": "3"})
    owner_client.post(url, {"do": "off"})
    assert not AbortRule.objects.get().is_on


def test_upload_of_a_job_over_many_objects_is_left_to_it(
    owner: Person, connection: Connection, store: ObjectStore, bucket: str, rule: AbortRule, begun: Begin
) -> None:
    job = Job.objects.create(kind=Job.Kind.COPY_MANY, feature="batches", owner=owner, title="t", place="p")
    batch = Batch.objects.create(
        job=job, connection=connection, bucket=bucket, region=REGION, action=Action.COPY
    )
    BatchObject.objects.create(batch=batch, key="k", upload_id=begun("large"))

    rules_run(timezone.now() + LATER)
    walk_all()

    assert left(store, bucket) == ["large"]
    assert rule.walks.get().kept == 1
