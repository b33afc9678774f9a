from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.activity.services import activity_record
from apps.buckets.models import BucketFacts
from apps.buckets.services import listing
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.grants import EVERYONE, Grant, Permission, account_grantee
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from tests.conftest import REGION

URL = "/buckets/facts/"
HTMX = {"HX-Request": "true"}


def read(client: Client, **query: str) -> str:
    return unescape(client.get(URL, query, headers=HTMX).content.decode())


def listed(client: Client, **query: str) -> str:
    return unescape(client.get("/buckets/", query).content.decode())


def test_list_comes_first_and_asks_for_the_rest(owner_client: Client, bucket: str) -> None:
    page = listed(owner_client, q=bucket)

    assert "Not read yet" in page
    assert f'hx-get="{URL}?q={bucket}" hx-trigger="load"' in page
    assert not BucketFacts.objects.exists()


def test_access_is_read_off_the_grants_and_remembered_with_its_age(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    store.create_bucket(bucket="all-" + bucket[2:], region=REGION, acl="public-read-write")

    page = read(owner_client)

    assert "Private" in page
    assert "Public write!" in page
    assert "just now" in page
    assert "Not read yet" not in page
    assert {fact.access for fact in BucketFacts.objects.filter(bucket__contains=bucket[2:])} == {
        "private",
        "public-write",
    }
    store.delete_bucket(bucket="all-" + bucket[2:], region=REGION)


def test_label_of_the_store_is_not_believed(owner_client: Client, store: ObjectStore, bucket: str) -> None:
    acl = store.get_bucket_acl(bucket=bucket, region=REGION)
    grants = (*acl.grants, Grant(EVERYONE, Permission.WRITE))
    store.put_bucket_acl(bucket=bucket, region=REGION, acl=type(acl)(owner=acl.owner, grants=grants))

    assert "Public write!" in read(owner_client, q=bucket)


def test_accounts_are_counted(owner_client: Client, store: ObjectStore, bucket_name: str) -> None:
    grants = [Grant(account_grantee(uin), "READ") for uin in ("100000000002", "100000000003")]
    store.create_bucket(bucket=bucket_name, region=REGION, grants=grants)

    assert "Shared with 2 accounts" in read(owner_client, q=bucket_name)


def test_grants_that_may_not_be_read_are_unknown_and_never_private(
    owner_client: Client, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketAcl", count=None, status=403, code="AccessDenied")

    page = read(owner_client, q=bucket)

    assert "The grants could not be read: AccessDenied" in page
    assert "Private" not in page.partition("<table")[2]


def test_tags_that_may_not_be_read_are_unknown_and_not_none(
    owner_client: Client, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketTagging", count=None, status=403, code="AccessDenied")

    page = read(owner_client, q=bucket)

    assert "The tags could not be read: AccessDenied" in page
    assert BucketFacts.objects.get(bucket=bucket).tags is None


def test_filters_by_tag_and_access_use_what_was_read(
    owner_client: Client, store: ObjectStore, bucket: str
) -> None:
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("team", "a=b")])
    read(owner_client, q=bucket)

    assert bucket in listed(owner_client, tag="team").partition("<table")[2]
    assert bucket in listed(owner_client, tag="team=a=b").partition("<table")[2]
    assert bucket not in listed(owner_client, tag="team=a").partition("<table")[2]
    assert bucket in listed(owner_client, access="private", q=bucket).partition("<table")[2]
    assert bucket not in listed(owner_client, access="public", q=bucket).partition("<table")[2]


def test_filter_reads_what_it_needs_before_it_says_that_nothing_matches(
    owner_client: Client, store: ObjectStore, bucket: str
) -> None:
    before = listed(owner_client, tag="team", q=bucket)
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("team", "x")])
    after = read(owner_client, tag="team", q=bucket)

    assert "Reading access and tags" in before
    assert "No bucket matches" not in before
    assert bucket in after.partition("<table")[2]


def test_fresh_figures_are_not_read_again_but_old_ones_and_asked_ones_are(
    owner_client: Client, store: ObjectStore, bucket: str
) -> None:
    read(owner_client, q=bucket)
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("new", "tag")])

    fresh = read(owner_client, q=bucket)
    asked = owner_client.post(f"{URL}?q={bucket}", headers=HTMX).content.decode()
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("newer", "tag")])
    BucketFacts.objects.update(read_at=timezone.now() - timedelta(hours=3))
    old = listed(owner_client, q=bucket)
    renewed = read(owner_client, q=bucket)

    assert "?tag=new=tag" not in fresh
    assert "?tag=new=tag" in asked
    assert "read 3 hours ago" not in renewed
    assert "hours" in old
    assert "?tag=newer=tag" in renewed


def test_without_scripts_the_button_leads_back_to_the_list(owner_client: Client, bucket: str) -> None:
    response = owner_client.post(f"{URL}?q={bucket}&sort=-name")

    assert response.status_code == 302
    assert response["Location"] == f"/buckets/?q={bucket}&sort=-name"
    assert BucketFacts.objects.filter(bucket=bucket).exists()


def test_stranger_reads_nothing(stranger_client: Client, connection: Connection, bucket: str) -> None:
    page = stranger_client.get(URL, headers=HTMX).content.decode()

    assert bucket not in page
    assert not BucketFacts.objects.exists()


def test_region_narrows_and_sorting_by_connection_works(
    owner_client: Client, store: ObjectStore, bucket: str
) -> None:
    assert bucket in listed(owner_client, region=REGION, sort="-connection", q=bucket).partition("<table")[2]
    assert "No bucket matches these filters." in listed(owner_client, region="ap-tokyo", q=bucket)


def test_hundreds_of_buckets_come_in_pages(
    owner_client: Client, store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    names = [f"p{number}-{bucket[2:]}" for number in range(3)]
    for name in names:
        store.create_bucket(bucket=name, region=REGION)

    first = listed(owner_client, q=bucket[2:])
    second = listed(owner_client, q=bucket[2:], page="2")

    assert "1–2 of 4 buckets" in first
    assert f"/buckets/?q={bucket[2:]}&page=2" in first
    assert "3–4 of 4 buckets" in second
    for name in names:
        store.delete_bucket(bucket=name, region=REGION)


def test_what_was_changed_here_is_not_shown_as_it_was(
    owner: Person, owner_client: Client, connection: Connection, bucket: str
) -> None:
    read(owner_client, q=bucket)
    activity_record(person=owner, verb="bucket.acl", connection=connection.slug, bucket=bucket)

    changed = listed(owner_client, q=bucket)
    renewed = read(owner_client, q=bucket)

    assert "Not read yet" in changed
    assert "Private" in renewed.partition("<table")[2]


def test_filter_says_how_old_it_is_and_reads_again_what_it_went_by(
    owner_client: Client, store: ObjectStore, bucket: str
) -> None:
    read(owner_client, q=bucket)
    BucketFacts.objects.update(read_at=timezone.now() - timedelta(hours=3))
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("late", "")])

    before = listed(owner_client, q=bucket, tag="late")
    after = owner_client.post(f"{URL}?q={bucket}&tag=late", headers=HTMX).content.decode()

    assert "Filtered by access and tags as they were read, the oldest" in before
    assert "3\xa0hours ago" in before
    assert bucket in after.partition("<table")[2]
