"""What is replaced or forgotten leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.connections.models import Connection
from apps.connections.services import connection_delete
from apps.inventory import entries, services, tasks
from apps.inventory.models import IndexEntry, Walk
from apps.jobs.models import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]


def test_rows_of_a_replaced_walk_go_in_batches(
    fill: Fill, counted: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "DELETED_AT_ONCE", 100)
    fill((f"{number:04}", 1) for number in range(350))
    old, new = counted(), counted()

    tasks.prune_walks()
    tasks.prune_walks()

    assert list(Walk.objects.all()) == [new]
    assert set(IndexEntry.objects.values_list("walk_id", flat=True)) == {new.pk}
    assert not Walk.objects.filter(pk=old.pk).exists()


def test_canceled_walk_keeps_its_word_and_no_rows(fill: Fill, begin: Begin) -> None:
    fill([("a", 1)])
    walk = begin()
    entries.entries_add(walk, (), first=0)
    services.walk_cancel(walk)

    tasks.prune_walks()

    assert list(Walk.objects.all()) == [walk]
    assert not IndexEntry.objects.exists()


def test_deleted_bucket_is_forgotten(
    fill: Fill, counted: Begin, begin: Begin, connection: Connection, bucket: str
) -> None:
    fill([("a", 1)])
    counted()
    open_walk = begin()

    services.inventory_forget(connection, bucket)
    services.inventory_forget(connection, bucket)
    tasks.prune_walks()

    assert not Walk.objects.exists()
    assert not IndexEntry.objects.exists()
    assert Job.objects.get(pk=open_walk.job_id).state == Job.State.CANCELED


def test_deleted_connection_takes_its_walks_along(
    fill: Fill, counted: Begin, begin: Begin, connection: Connection
) -> None:
    fill([("a", 1)])
    counted()
    open_walk = begin()

    connection_delete(connection)
    tasks.prune_walks()

    assert not Walk.objects.exists()
    assert not IndexEntry.objects.exists()
    assert Job.objects.get(pk=open_walk.job_id).state == Job.State.CANCELED


def test_bucket_deleted_on_its_page_leaves_no_index(
    counted: Begin, owner_client: Client, connection: Connection, bucket: str
) -> None:
    counted()

    owner_client.post(reverse("buckets:delete", args=[connection.slug, bucket]), {"name": bucket})

    assert not Walk.objects.exists()
