from __future__ import annotations

import socket
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.buckets.models import BucketFacts
from apps.buckets.services import listing
from apps.connections.models import Connection
from apps.connections.services import connection_create
from apps.inventory.models import Walk
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from tests.conftest import REGION

URL = "/buckets/"
HTMX = {"HX-Request": "true"}


def test_buckets_of_all_connections_are_one_table(
    owner: Person, owner_client: Client, connection: Connection, other_connection: Connection, bucket: str
) -> None:
    other_connection.owner = owner
    other_connection.save()

    page = owner_client.get(URL, {"q": bucket}).content.decode()

    assert bucket in page
    assert f"/b/{connection.slug}/{bucket}/objects/" in page
    assert REGION in page
    assert "read at" in page
    assert 'value="other"' in page


def test_fragment_has_no_page_around_it(owner_client: Client, connection: Connection) -> None:
    page = owner_client.get(URL, headers=HTMX).content.decode()

    assert "<html" not in page
    assert page.strip().startswith('<div id="bucket-list"')


def test_address_of_a_filtered_list_holds_no_empty_fields(owner_client: Client, bucket: str) -> None:
    filtered = owner_client.get(URL, {"q": "a&b", "tag": "", "region": ""}, headers=HTMX)
    plain = owner_client.get(URL, {"q": "", "tag": ""}, headers=HTMX)

    assert filtered["HX-Push-Url"] == "/buckets/?q=a%26b"
    assert plain["HX-Push-Url"] == "/buckets/"


@pytest.mark.parametrize("name", ["q", "tag", "region", "connection"])
def test_address_that_makes_no_sense_lists_everything(owner_client: Client, bucket: str, name: str) -> None:
    response = owner_client.get(URL, {name: "a\x00b", "sort": "-name"})

    assert response.status_code == 200
    assert bucket in response.content.decode()
    assert 'aria-sort="descending"' in response.content.decode()


def test_history_restore_gets_the_whole_page(owner_client: Client, connection: Connection) -> None:
    page = owner_client.get(URL, headers=HTMX | {"HX-History-Restore-Request": "true"}).content.decode()

    assert "<html" in page


def test_stranger_sees_nothing_of_it(stranger_client: Client, connection: Connection, bucket: str) -> None:
    page = stranger_client.get(URL).content.decode()

    assert bucket not in page
    assert "Connect a storage account." in page


def test_member_sees_buckets_but_may_not_delete_them(member_client: Client, bucket: str) -> None:
    page = member_client.get(URL, {"q": bucket}).content.decode()

    assert bucket in page
    assert "/delete/" not in page
    assert "/buckets/new/" not in page


def test_failing_connection_has_its_own_line_beside_the_others(
    owner: Person, owner_client: Client, connection: Connection, bucket: str
) -> None:
    connection_create(
        owner=owner,
        name="Wrong key",
        scheme="http",
        connect_to=connection.connect_to,
        secret_id="AKIDNOBODY",
        secret_key="nobody",
    )

    page = unescape(owner_client.get(URL, {"q": bucket}).content.decode())

    assert bucket in page
    assert "Wrong key: The store does not know this SecretId." in page
    assert "InvalidAccessKeyId" in page
    assert "Request id" in page
    assert "1 connection could not be read" in page


def test_silent_store_does_not_hold_up_the_page(
    owner: Person, owner_client: Client, connection: Connection, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LIST_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection_create(
            owner=owner,
            name="Silent",
            scheme="http",
            connect_to=f"127.0.0.1:{silent.getsockname()[1]}",
            secret_id="AKID",
            secret_key="key",
        )

        before = timezone.now()
        page = unescape(owner_client.get(URL, {"q": bucket}).content.decode())

    assert (timezone.now() - before).total_seconds() < 5
    assert bucket in page
    assert "Silent: The store did not answer in time." in page


def test_buckets_listed_before_are_shown_while_the_store_fails(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    owner_client.get(URL)
    asked = len(BucketFacts.objects.all())
    local_store.faults.add("slow_down", operation="GetService", count=None)

    page = unescape(owner_client.get(URL, {"q": bucket}).content.decode())
    answer = owner_client.post("/buckets/facts/", headers=HTMX)

    assert f"/b/{connection.slug}/{bucket}/objects/" in page
    assert "The store is limiting requests." in page
    assert "last listed, " in page
    assert 'hx-trigger="load"' not in page
    assert answer.status_code == 200
    assert BucketFacts.objects.count() == asked


def test_only_failures_never_look_like_an_empty_account(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetService", count=None, status=403, code="AccessDenied")

    page = unescape(owner_client.get(URL).content.decode())

    assert "No buckets here." not in page
    assert "The connection's key may not do this." in page


def test_filter_keeps_what_was_typed_and_says_when_nothing_matches(owner_client: Client, bucket: str) -> None:
    page = unescape(owner_client.get(URL, {"q": "no-such-name"}).content.decode())

    assert 'value="no-such-name"' in page
    assert "No bucket has “no-such-name” in its name." in page


@pytest.mark.parametrize("sort", ["name", "-name", "region", "-created", "nonsense"])
def test_sorting_works_both_ways(owner_client: Client, bucket: str, sort: str) -> None:
    response = owner_client.get(URL, {"sort": sort})

    assert response.status_code == 200
    assert "aria-sort" in response.content.decode()


def test_list_is_remembered(owner_client: Client, connection: Connection, bucket: str) -> None:
    owner_client.get(URL)

    assert connection.known_buckets.get(name=bucket).region == REGION


def test_counted_buckets_say_how_much_and_when(
    owner: Person, owner_client: Client, connection: Connection, bucket: str
) -> None:
    before = owner_client.get(URL, {"q": bucket}).content.decode()
    job = Job.objects.create(kind=Job.Kind.WALK, feature="inventory", owner=owner, title="t", place="p")
    Walk.objects.create(
        job=job,
        connection=connection,
        bucket=bucket,
        region=REGION,
        objects_count=1204,
        size=48 << 20,
        is_open=False,
        is_current=True,
        finished_at=timezone.now() - timedelta(days=2),
    )

    after = unescape(owner_client.get(URL, {"q": bucket}).content.decode())

    assert "not counted" in before
    assert "1,204 objects" in after
    assert "48.0 MiB" in after
    assert "2\xa0days ago" in after
