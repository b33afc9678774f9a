"""The page that searches a whole bucket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.connections.models import Connection
from apps.inventory.models import Walk
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS
from tests.pages import hrefs_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return reverse("inventory:search", args=[connection.slug, bucket])


def test_bucket_without_an_index_offers_to_make_one(member_client: Client, url: str) -> None:
    page = member_client.get(url, {"q": "a"}).content.decode()

    assert "There is no index of this bucket yet." in page
    assert "Make the index" in page


def test_stranger_gets_404(stranger_client: Client, counted: Begin, url: str) -> None:
    counted()

    assert stranger_client.get(url).status_code == 404


def test_rows_link_to_the_object_and_its_folder(
    fill: Fill, counted: Begin, member_client: Client, url: str, connection: Connection, bucket: str
) -> None:
    fill([("a/b/report.pdf", 1), ("other", 1)])
    counted()

    page = member_client.get(url, {"q": "REPORT"}).content.decode()

    links = hrefs_of(page)
    assert reverse("objects:detail", args=[connection.slug, bucket]) + "?key=a/b/report.pdf" in links
    assert reverse("objects:list", args=[connection.slug, bucket]) + "?prefix=a/b/" in links
    assert "1 match" in page
    assert "100 % of keys, 2 objects" in page


def test_object_that_is_gone_is_still_listed_and_says_so_on_its_page(
    put: Callable[..., str],
    counted: Begin,
    store: ObjectStore,
    member_client: Client,
    url: str,
    connection: Connection,
    bucket: str,
) -> None:
    put("gone")
    counted()
    store.delete_object(bucket=bucket, region=REGION, key="gone")

    page = member_client.get(url, {"q": "gone"}).content.decode()
    [link] = [link for link in hrefs_of(page) if link.endswith("?key=gone")]
    answer = member_client.get(link)

    assert answer.status_code == 404
    assert "does not exist" in answer.content.decode()


def test_pages_follow_each_other(fill: Fill, counted: Begin, member_client: Client, url: str) -> None:
    fill((f"{number:04}", number) for number in range(250))
    counted()

    first = member_client.get(url, {"sort": "-size"}, headers={"HX-Request": "true"}).content.decode()
    [following] = [link for link in hrefs_of(first) if "at=" in link]
    second = member_client.get(following).content.decode()

    assert "0249" in first
    assert "0149" in second
    assert "101–200" in second
    assert "<html" not in first


def test_whole_count_is_asked_for_apart(fill: Fill, counted: Begin, member_client: Client, url: str) -> None:
    fill((f"{number:04}", 1) for number in range(150))
    counted()

    assert "150 matches in all" in member_client.get(url, {"count": "1"}).content.decode()


def test_prefix_comes_from_the_address_or_the_form(
    fill: Fill, counted: Begin, member_client: Client, url: str
) -> None:
    fill([("a\nb/1", 1), ("c", 1)])
    counted()

    by_link = member_client.get(url, {"prefix": "a\nb/"}).content.decode()
    by_form = member_client.get(url, {"in": quote("a\nb/", safe="/")}).content.decode()

    for page in (by_link, by_form):
        assert "1 match" in page


@pytest.mark.parametrize(
    ("field", "text"),
    [("min_size", "many"), ("after", "yesterday"), ("max_size", "-1"), ("prefix", "k" * 851)],
)
def test_bad_input_is_told_and_kept(
    counted: Begin, member_client: Client, url: str, field: str, text: str
) -> None:
    counted()

    whole = member_client.get(url, {field: text, "q": "kept words"})
    part = member_client.get(url, {field: text}, headers={"HX-Request": "true"})

    assert whole.status_code == 200
    assert "kept words" in whole.content.decode()
    assert ("field-error" in whole.content.decode()) != (field == "prefix")
    assert 'role="alert"' in part.content.decode()
    assert part.status_code == 422


@pytest.mark.parametrize("text", ["", "1.2", "0.0.f.", "9" * 400, "1.1.b.\x00", "%00"])
def test_damaged_cursor_is_the_first_page(
    fill: Fill, counted: Begin, member_client: Client, url: str, text: str
) -> None:
    fill([("a", 1)])
    counted()

    assert member_client.get(url, {"at": text, "sort": "class"}).status_code == 200


def test_every_hostile_key_is_shown_as_text(
    fill: Fill, counted: Begin, member_client: Client, url: str
) -> None:
    fill((key, 1) for key in HOSTILE_KEYS)
    counted()

    page = member_client.get(url).content.decode()

    assert page.count("<tr data-key=") == len(HOSTILE_KEYS)
    assert "<script>alert" not in page


def test_old_index_warns(counted: Begin, member_client: Client, url: str) -> None:
    counted()
    Walk.objects.update(finished_at=timezone.now() - timedelta(days=2))

    assert "more than a day old" in member_client.get(url).content.decode()


def test_index_that_does_not_hold_every_key_says_so(
    fill: Fill, counted: Begin, member_client: Client, url: str
) -> None:
    fill((f"{number:03}", 1) for number in range(4))
    counted()
    Walk.objects.update(objects_count=5, kept=4)

    assert "80 % of keys" in member_client.get(url).content.decode()
