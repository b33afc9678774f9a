"""How much lies below a prefix, asked by a row of the objects page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.connections.models import Connection
from apps.inventory import services
from apps.inventory.models import Walk
from apps.inventory.walking import walk_batch
from apps.localstore.server import LocalStore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]
PART = {"HX-Request": "true"}


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return reverse("inventory:folder-size", args=[connection.slug, bucket])


@pytest.fixture
def start_url(connection: Connection, bucket: str) -> str:
    return reverse("inventory:start", args=[connection.slug, bucket])


def test_small_folder_is_counted_at_once(fill: Fill, member_client: Client, url: str) -> None:
    fill([("a/1", 1024), ("a/2", 1024), ("a0", 1)])

    part = member_client.get(url, {"prefix": "a/"}, headers=PART).content.decode()

    assert "2.00 KiB" in part
    assert "2 objects" in part
    assert "<html" not in part
    assert not Walk.objects.exists()


def test_fresh_index_answers_without_the_store(
    fill: Fill, counted: Begin, local_store: LocalStore, member_client: Client, url: str
) -> None:
    fill([("a/1", 1024), ("a/2", 1024), ("b", 1)])
    counted()
    local_store.faults.add("error", operation="*", status=500, count=50)

    part = member_client.get(url, {"prefix": "a/"}, headers=PART).content.decode()

    assert "2.00 KiB" in part


def test_large_folder_goes_on_as_a_job(
    fill: Fill, owner_client: Client, url: str, start_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LIVE_S", 0.0)
    fill((f"a/{number:05}", 1) for number in range(2500))

    some = owner_client.get(url, {"prefix": "a/"}, headers=PART).content.decode()
    assert "more than 1,000 objects" in some
    assert "load, submit" in some
    owner_client.post(start_url, {"prefix": "a/"}, headers=PART)
    walk = Walk.objects.get()
    running = owner_client.get(url, {"prefix": "a/"}, headers=PART).content.decode()
    assert "every 2s" in running
    assert str(walk.job_id) in running
    assert walk_batch(walk_id=walk.pk) is True
    done = owner_client.get(url, {"prefix": "a/"}, headers=PART).content.decode()

    assert "2,500 objects" in done
    assert "hx-trigger" not in done


def test_prefix_of_a_form_is_percent_encoded(
    member_client: Client, start_url: str, connection: Connection
) -> None:
    member_client.post(start_url, {"prefix": "a%0Ab/%25"})

    assert Walk.objects.get().prefix == "a\nb/%"


def test_page_without_scripts(fill: Fill, member_client: Client, url: str) -> None:
    fill([("a/1", 1024)])

    page = member_client.get(url, {"prefix": "a/"}).content.decode()

    assert "<html" in page
    assert "1.00 KiB" in page


def test_stranger_gets_404(stranger_client: Client, url: str) -> None:
    assert stranger_client.get(url, {"prefix": "a/"}).status_code == 404


def test_prefix_that_cannot_be_is_not_found(member_client: Client, url: str) -> None:
    assert member_client.get(url, {"prefix": "k" * 851}).status_code == 404
