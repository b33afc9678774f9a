from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.grants import EVERYONE, Acl, Grant, Permission, account_grantee
from apps.storage.store import ObjectStore
from tests.access.editor import fields_of, left, opened, row
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

READ = Permission.READ
PARTNER = account_grantee("100000000099")


@pytest.fixture
def url(connection: Connection, bucket: str, put: Callable[..., str]) -> str:
    put("a/b.txt")
    return url_of(connection, bucket, "a/b.txt")


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/access/?key={quote(key, safe='')}"


def acl_of(store: ObjectStore, bucket: str, key: str = "a/b.txt") -> Acl:
    return store.get_object_acl(bucket=bucket, region=REGION, key=key)


def test_object_without_grants_inherits(
    member_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    private = member_client.get(url).text
    store.put_bucket_acl(bucket=bucket, region=REGION, acl="public-read")
    public = member_client.get(url).text

    assert "Inherits: Private" in private
    assert "the object has none of its own" in private
    assert "Inherits: Public" in public
    assert "Everyone on the internet can read the object." in public


def test_own_grants_go_before_the_buckets(
    member_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    store.put_bucket_acl(bucket=bucket, region=REGION, acl="public-read-write")
    store.put_object_acl(bucket=bucket, region=REGION, key="a/b.txt", acl="private")

    page = member_client.get(url).text

    assert "which go before the bucket's" in page
    assert "Everyone on the internet can overwrite and delete the object." in page
    assert "Everyone on the internet can read" not in page.split("Change access")[0]


def test_writer_opens_one_object_with_the_typed_word(
    writer_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    fields = left(opened(writer_client, url), choice="public-read")

    review = writer_client.post(url, fields | {"step": "review"})
    assert "This key becomes visible:" in review.text
    assert writer_client.post(url, fields_of(review.text) | {"step": "save"}).status_code == 422
    saved = writer_client.post(url, fields_of(review.text) | {"step": "save", "confirm": "public"})

    assert saved.status_code == 302
    assert saved["Location"].endswith("?key=a/b.txt")
    assert acl_of(store, bucket).explicit == (Grant(EVERYONE, READ),)
    assert not acl_of(store, bucket).is_inherited


def test_change_is_recorded_with_what_was_there_before(
    writer_client: Client, connection: Connection, bucket: str, url: str
) -> None:
    fields = left(opened(writer_client, url), row("account", "READ", "100000000099")) | {"step": "save"}

    for _click in range(2):
        writer_client.post(url, fields)

    (entry,) = Entry.objects.filter(bucket=bucket)
    assert (entry.verb, entry.connection, entry.person_name) == ("object.acl", connection.slug, "writer")
    assert "account 100000000099 READ" in str(entry.after)
    assert "True" in str(entry.before) or "true" in str(entry.before)


def test_giving_up_own_grants_in_a_public_bucket_needs_the_word(
    owner_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    store.put_bucket_acl(bucket=bucket, region=REGION, acl="public-read")
    store.put_object_acl(bucket=bucket, region=REGION, key="a/b.txt", acl="private")
    fields = left(opened(owner_client, url), choice="default") | {"step": "save"}

    refused = owner_client.post(url, fields)
    assert refused.status_code == 422
    assert "loses its own grants" in refused.text

    assert owner_client.post(url, fields | {"confirm": "public"}).status_code == 302
    assert acl_of(store, bucket).is_inherited


def test_unreadable_bucket_makes_inheriting_uncertain(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, local_store: LocalStore
) -> None:
    store.put_object_acl(bucket=bucket, region=REGION, key="a/b.txt", acl="private")
    local_store.faults.add("error", operation="GetBucketAcl", count=None, status=403, code="AccessDenied")

    page = owner_client.get(url).text
    refused = owner_client.post(url, left(fields_of(page), choice="default") | {"step": "save"})

    assert "what they add is unknown" in page
    assert refused.status_code == 422
    assert "People outside may get in" in refused.text


def test_objects_take_no_write_and_no_public_write(owner_client: Client, url: str) -> None:
    page = owner_client.get(url).text

    assert 'value="public-read-write"' not in page
    refused = owner_client.post(url, left(fields_of(page), row("account", "WRITE", "100000000099")))
    assert refused.status_code == 422


@pytest.mark.parametrize("canned", ["private", "bucket-owner-read", "bucket-owner-full-control"])
def test_canned_names_are_sent(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, canned: str
) -> None:
    saved = owner_client.post(url, left(opened(owner_client, url), choice=canned) | {"step": "save"})

    assert saved.status_code == 302
    assert not acl_of(store, bucket).is_inherited
    assert acl_of(store, bucket).explicit == ()


def test_two_people_at_once_keep_both_changes(
    owner_client: Client, writer_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    mine, theirs = opened(owner_client, url), opened(writer_client, url)
    partner, other = row("account", "READ", "100000000099"), row("account", "READ", "100000000077")

    assert writer_client.post(url, left(theirs, other) | {"step": "save"}).status_code == 302
    conflict = owner_client.post(url, left(mine, partner) | {"step": "save"})

    assert conflict.status_code == 409
    assert {grant.grantee.account for grant in acl_of(store, bucket).explicit} == {"100000000077"}


@pytest.mark.parametrize("key", [*HOSTILE_KEYS, "x" * 50 + "/"])
def test_hostile_keys_are_seen_and_changed(
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    put: Callable[..., str],
    key: str,
) -> None:
    put(key)
    url = url_of(connection, bucket, key)
    page = owner_client.get(url).text

    assert "<script>alert" not in page
    fields = left(fields_of(page), row("account", "READ", "100000000099"))
    assert owner_client.post(url, fields | {"step": "save"}).status_code == 302
    assert acl_of(store, bucket, key).explicit == (Grant(PARTNER, READ),)


@pytest.mark.parametrize("key", ["", "/x", "k" * 851, "missing"])
def test_what_is_no_object_is_not_found(
    owner_client: Client, connection: Connection, bucket: str, key: str
) -> None:
    assert owner_client.get(url_of(connection, bucket, key)).status_code == 404


def test_reader_looks_and_changes_nothing(
    member_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    page = member_client.get(url).text

    assert "this needs the role “Writer”" in page
    fields = left(fields_of(page), choice="public-read") | {"confirm": "public", "step": "save"}
    assert member_client.post(url, fields).status_code == 403
    assert acl_of(store, bucket).is_inherited


def test_stranger_gets_404(stranger_client: Client, url: str) -> None:
    assert stranger_client.get(url).status_code == 404
    assert stranger_client.post(url).status_code == 404
