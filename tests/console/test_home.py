from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.access.rules.acl import AccessKind
from apps.accounts.models import Person
from apps.activity.services import activity_record
from apps.buckets.models import BucketFacts
from apps.connections.models import Connection, KnownBucket
from apps.connections.places import place_visit
from apps.jobs.models import Job
from apps.localstore.server import LocalStore

pytestmark = pytest.mark.usefixtures("redis")


def job(owner: Person, title: str, state: str) -> Job:
    return Job.objects.create(
        kind=Job.Kind.COPY, feature="transfers", owner=owner, title=title, place="p", state=state
    )


@pytest.fixture
def busy(owner: Person, connection: Connection) -> None:
    now = timezone.now()
    job(owner, "parked.bin", Job.State.PARKED)
    job(owner, "running.bin", Job.State.RUNNING)
    job(owner, "done.bin", Job.State.DONE)
    place_visit(person=owner, connection=connection, bucket="photos-1", prefix="2026/", now=now)
    for name, access in (("open-1", AccessKind.PUBLIC_READ), ("closed-1", AccessKind.PRIVATE)):
        BucketFacts.objects.create(connection=connection, bucket=name, access=access, read_at=now)
    activity_record(person=owner, verb="bucket.tags", connection=connection.slug, bucket="tagged-1")


def test_first_use_says_what_to_do(stranger_client: Client) -> None:
    text = stranger_client.get("/").text

    assert "Connect a storage account." in text
    assert reverse("connections:new") in text


def test_whoever_was_nowhere_yet_gets_some_buckets_to_begin_with(
    owner_client: Client, member_client: Client, owner: Person, connection: Connection
) -> None:
    assert "Open the list of buckets" in member_client.get("/").text
    KnownBucket.objects.create(
        connection=connection, name="first-1250000000", region="ap-guangzhou", seen_at=timezone.now()
    )
    first = reverse("objects:list", args=[connection.slug, "first-1250000000"])
    assert first in member_client.get("/").text

    place_visit(person=owner, connection=connection, bucket="other-1", prefix="", now=timezone.now())
    assert first not in owner_client.get("/").text


def test_home_shows_what_needs_a_person_and_what_runs(owner_client: Client, busy: None) -> None:
    text = owner_client.get("/").text

    attention, running = text.index("Needs you"), text.index("Running now")
    assert attention < text.index("parked.bin") < running < text.index("running.bin")
    assert "done.bin" not in text


def test_home_shows_places_open_buckets_and_activity(owner_client: Client, busy: None) -> None:
    text = owner_client.get("/").text

    assert "?prefix=2026/" in text
    assert "open-1" in text
    assert "closed-1" not in text
    assert "2 of 0 buckets read" in text
    assert "tagged-1" in text


def test_home_asks_no_store(owner_client: Client, busy: None, local_store: LocalStore) -> None:
    local_store.stop()
    try:
        assert owner_client.get("/").status_code == 200
    finally:
        local_store.start()


def test_others_see_nothing_of_it(stranger_client: Client, other_connection: Connection, busy: None) -> None:
    text = stranger_client.get("/").text

    for name in ("parked.bin", "running.bin", "2026/", "open-1", "tagged-1"):
        assert name not in text


def test_fragment_is_what_moves(owner_client: Client, busy: None) -> None:
    text = owner_client.get("/", headers={"HX-Request": "true"}).text

    assert text.lstrip().startswith('<div id="home-jobs"')
    assert "parked.bin" in text
