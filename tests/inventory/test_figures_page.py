"""The figures of a bucket, as a page and as the part that the overview loads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.connections.models import Connection
from apps.inventory.models import Walk
from apps.inventory.services import walk_cancel
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from tests.hostile import HOSTILE_KEYS
from tests.pages import hrefs_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return reverse("inventory:figures", args=[connection.slug, bucket])


@pytest.fixture
def start_url(connection: Connection, bucket: str) -> str:
    return reverse("inventory:start", args=[connection.slug, bucket])


def test_bucket_that_nobody_counted_says_so(member_client: Client, url: str) -> None:
    page = member_client.get(url).content.decode()

    assert "Not counted yet" in page
    assert "Count now" in page


def test_counted_bucket_shows_totals_classes_and_folders(
    fill: Fill, counted: Begin, member_client: Client, url: str, connection: Connection, bucket: str
) -> None:
    fill([("a/1", 1 << 20), ("a/2", 1 << 20), ("b/c/3", 1 << 20), ("top", 0)])
    fill([("cold", 1 << 20)], storage_class="ARCHIVE")
    counted()

    page = member_client.get(url).content.decode()

    assert "100 % of keys" in page
    assert "4.00 MiB" in page
    assert "ARCHIVE" in page
    folder = reverse("objects:list", args=[connection.slug, bucket]) + "?prefix=a/"
    assert hrefs_of(page).count(folder) == 3
    assert "in no folder" in page


def test_part_for_another_page_is_no_whole_page(member_client: Client, url: str) -> None:
    part = member_client.get(url, headers={"HX-Request": "true"}).content.decode()

    assert part.strip().startswith("<section")
    assert "<html" not in part


def test_running_count_is_shown_as_a_part_of_the_keys(
    fill: Fill, begin: Begin, local_store: LocalStore, member_client: Client, url: str
) -> None:
    fill((f"k{number:05}", 1) for number in range(1500))
    walk = begin()
    Walk.objects.filter(pk=walk.pk).update(objects_count=1000, marker="k00999", pages=1)

    page = member_client.get(url).content.decode()

    assert "So far: 1,000 keys" in page
    assert "k00999" in page
    assert "every 2s" in page


def test_stopped_count_says_where(begin: Begin, member_client: Client, url: str) -> None:
    walk = begin()
    Walk.objects.filter(pk=walk.pk).update(objects_count=1000, marker="k00999", pages=1)
    walk_cancel(walk)

    page = member_client.get(url).content.decode()

    assert "Only the first 1,000 keys were counted." in page
    assert "k00999" in page
    assert "every 2s" not in page


def test_old_count_is_called_old(counted: Begin, member_client: Client, url: str) -> None:
    counted()
    Walk.objects.update(finished_at=timezone.now() - timedelta(days=3))

    assert "more than a day old" in member_client.get(url).content.decode()


def test_hostile_folders_are_shown_as_text(
    fill: Fill, counted: Begin, member_client: Client, url: str
) -> None:
    fill((f"{key}/x", 1) for key in HOSTILE_KEYS if len(key) < 800)
    counted()

    page = member_client.get(url).content.decode()

    assert "<script>alert" not in page
    assert "style=" not in page.split("<main")[1]


def test_reader_begins_a_count(member_client: Client, start_url: str, url: str) -> None:
    response = member_client.post(start_url)

    assert response["Location"] == url
    assert Job.objects.get().kind == Job.Kind.WALK


def test_second_start_leads_to_the_first(owner_client: Client, member_client: Client, start_url: str) -> None:
    owner_client.post(start_url)
    response = member_client.post(start_url, headers={"HX-Request": "true"})

    assert response.status_code == 204
    assert "job:changed" in response["HX-Trigger"]
    assert Walk.objects.count() == 1


def test_stranger_begins_nothing(stranger_client: Client, start_url: str, url: str) -> None:
    assert stranger_client.post(start_url).status_code == 404
    assert stranger_client.get(url).status_code == 404
    assert not Walk.objects.exists()


def test_bucket_that_does_not_exist_begins_nothing(owner_client: Client, connection: Connection) -> None:
    url = reverse("inventory:start", args=[connection.slug, "gone-1250000000"])

    assert owner_client.post(url).status_code == 404
    assert not Walk.objects.exists()


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_only_its_owner_or_an_administrator_stops_a_count(
    begin: Begin, owner_client: Client, member_client: Client, stranger_client: Client, action: str
) -> None:
    walk = begin()
    url = reverse(f"inventory:{action}", args=[walk.job_id])

    assert stranger_client.post(url).status_code == 404
    assert member_client.post(url).status_code == 403
    assert owner_client.post(url).status_code == 302
    assert owner_client.post(url, headers={"HX-Request": "true"}).status_code == 409


@pytest.mark.parametrize(("action", "state"), [("resume", Job.State.PAUSED), ("retry", Job.State.PARKED)])
def test_everybody_who_reads_may_let_it_go_on(
    begin: Begin, member_client: Client, action: str, state: str
) -> None:
    walk = begin()
    Job.objects.update(state=state)

    member_client.post(reverse(f"inventory:{action}", args=[walk.job_id]))

    assert Job.objects.get().state == Job.State.RUNNING


def test_job_page_shows_what_is_counted(begin: Begin, owner_client: Client, stranger_client: Client) -> None:
    walk = begin()
    url = reverse("inventory:job-parts", args=[walk.job_id])

    assert "Counted" in owner_client.get(url).content.decode()
    assert stranger_client.get(url).status_code == 404


def test_answer_leads_nowhere_else(member_client: Client, start_url: str, url: str) -> None:
    response = member_client.post(start_url, {"next": "https://evil.example/"})

    assert response["Location"] == url
