from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.buckets.models import BucketFacts
from apps.connections.models import Connection, ConnectionMember, Role
from apps.inventory.models import Walk
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.grants import Grant, account_grantee
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from tests.conftest import ACCOUNT, REGION

URL = "/buckets/new/"


def fields(connection: Connection, name: str, **changed: str) -> dict[str, str]:
    return {"connection": connection.slug, "name": name, "region": REGION, "acl": "private"} | changed


def short(bucket_name: str) -> str:
    return bucket_name.removesuffix(f"-{ACCOUNT.appid}")


def test_bucket_is_created_under_its_full_name(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket_name: str
) -> None:
    response = owner_client.post(URL, fields(connection, short(bucket_name)))

    assert response.status_code == 302
    assert response["Location"] == f"/b/{connection.slug}/{bucket_name}/"
    assert bucket_name in {bucket.name for bucket in store.list_buckets()}
    assert connection.known_buckets.get(name=bucket_name).region == REGION


def test_new_bucket_has_no_figures_of_an_older_one_of_its_name(
    owner: Person, owner_client: Client, connection: Connection, bucket_name: str
) -> None:
    job = Job.objects.create(kind=Job.Kind.WALK, feature="inventory", owner=owner, title="t", place="p")
    Walk.objects.create(
        job=job,
        connection=connection,
        bucket=bucket_name,
        region=REGION,
        prefix="",
        marker="",
        is_current=True,
    )
    BucketFacts.objects.create(connection=connection, bucket=bucket_name, read_at=timezone.now())

    owner_client.post(URL, fields(connection, short(bucket_name)))

    assert not Walk.objects.filter(bucket=bucket_name).exists()
    assert not BucketFacts.objects.filter(bucket=bucket_name).exists()


def test_typed_appid_is_not_appended_twice(
    owner_client: Client, connection: Connection, bucket_name: str
) -> None:
    response = owner_client.post(URL, fields(connection, bucket_name))

    assert response["Location"] == f"/b/{connection.slug}/{bucket_name}/"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Photos", "Capital letters are not possible"),
        ("my_photos", "“_” is not possible"),
        ("-photos", "must begin and end with a letter or a digit"),
        ("photos-", "must begin and end with a letter or a digit"),
        ("p" * 20, "there is room for 19 characters, and this has 20"),
        ("", "This field is required."),
    ],
)
def test_impossible_name_gets_a_sentence_and_keeps_the_fields(
    owner_client: Client, connection: Connection, store: ObjectStore, name: str, sentence: str
) -> None:
    before = len(store.list_buckets())

    response = owner_client.post(URL, fields(connection, name, region="ap-guangzhou"))
    page = unescape(response.content.decode())

    assert response.status_code == 200
    assert sentence in page
    assert f'value="{name}"' in page or not name
    assert '<option value="ap-guangzhou" selected>' in page
    assert len(store.list_buckets()) == before


def test_longest_name_is_accepted(owner_client: Client, connection: Connection) -> None:
    response = owner_client.post(URL, fields(connection, "z" * 19))

    assert response.status_code == 302


def test_public_bucket_needs_the_typed_word(
    owner_client: Client, connection: Connection, bucket_name: str
) -> None:
    without = owner_client.post(URL, fields(connection, short(bucket_name), acl="public-read"))
    typed = owner_client.post(
        URL, fields(connection, short(bucket_name), acl="public-read", confirm="public")
    )

    assert "Type public to confirm." in without.content.decode()
    assert typed.status_code == 302


def test_taken_name_is_said_beside_the_field(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    page = owner_client.post(URL, fields(connection, short(bucket))).content.decode()

    assert "You have a bucket with this name already." in page


def test_missing_appid_is_said(owner_client: Client, connection: Connection) -> None:
    connection.appid = ""
    connection.save()

    page = owner_client.post(URL, fields(connection, "photos")).content.decode()

    assert "The connection has no APPID" in page


def test_reader_is_not_offered_the_connection(member_client: Client, connection: Connection) -> None:
    shown = member_client.get(URL).content.decode()
    sent = member_client.post(URL, fields(connection, "photos"))

    assert "No connection in which you may create buckets." in shown
    assert sent.status_code == 200


def test_administrator_of_another_connection_cannot_choose_this_one(
    stranger_client: Client, connection: Connection, other_connection: Connection
) -> None:
    page = stranger_client.post(URL, fields(connection, "photos")).content.decode()

    assert "Select a valid choice" in page


def test_member_who_is_administrator_may(
    member_client: Client, connection: Connection, bucket_name: str
) -> None:
    ConnectionMember.objects.update(role=Role.ADMIN)

    response = member_client.post(URL, fields(connection, short(bucket_name)))

    assert response.status_code == 302


def test_storage_error_shows_code_and_request_id(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="PutBucket", count=None, status=403, code="AccessDenied")

    response = owner_client.post(URL, fields(connection, "photos"))

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()
    assert "Request id" in response.content.decode()


def test_grants_and_tags_go_with_the_bucket(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket_name: str
) -> None:
    rows = {
        "grants-TOTAL_FORMS": "3",
        "grants-INITIAL_FORMS": "0",
        "grants-0-account": "100000000002",
        "grants-0-permission": "READ",
        "grants-1-account": "100000000003",
        "grants-1-sub_account": "100000000004",
        "grants-1-permission": "FULL_CONTROL",
        "grants-2-permission": "READ",
        "tags-TOTAL_FORMS": "2",
        "tags-INITIAL_FORMS": "0",
        "tags-0-key": "team",
        "tags-0-value": "色 design",
        "tags-1-key": "empty",
    }

    response = owner_client.post(URL, fields(connection, short(bucket_name)) | rows)

    assert response.status_code == 302
    acl = store.get_bucket_acl(bucket=bucket_name, region=REGION)
    assert set(acl.explicit) == {
        Grant(account_grantee("100000000002"), "READ"),
        Grant(account_grantee("100000000003", "100000000004"), "FULL_CONTROL"),
    }
    tags = store.get_bucket_tags(bucket=bucket_name, region=REGION)
    assert set(tags) == {Tag("team", "色 design"), Tag("empty", "")}


def test_one_more_row_keeps_what_was_typed_and_blames_nothing(
    owner_client: Client, connection: Connection
) -> None:
    typed = fields(connection, "Not-Yet", more="tags") | {
        "tags-TOTAL_FORMS": "1",
        "tags-INITIAL_FORMS": "0",
        "tags-0-key": "team",
        "grants-TOTAL_FORMS": "1",
        "grants-INITIAL_FORMS": "0",
        "grants-0-account": "12x",
        "grants-0-permission": "WRITE",
    }

    page = owner_client.post(URL, typed).content.decode()
    part = owner_client.post(URL, typed, headers={"HX-Request": "true"}).content.decode()

    assert "field-error" not in page
    assert 'value="Not-Yet"' in page
    assert 'value="12x"' in page
    assert '<option value="WRITE" selected>' in page
    for shown in (page, part):
        assert 'name="tags-1-key"' in shown
        assert 'value="team"' in shown
    assert "<html" not in part


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"grants-0-account": "uin/5", "grants-0-permission": "READ"}, "An account id has digits only."),
        ({"grants-0-account": "5", "grants-0-permission": "EAT"}, "Select a valid choice."),
        ({"grants-0-sub_account": "5", "grants-0-permission": "READ"}, "This field is required."),
        ({"tags-0-key": "qcs:mine"}, "A key cannot begin with “qcs:”"),
        ({"tags-0-key": "a&b"}, "“&”"),
        ({"tags-0-key": "k" * 128}, "A key has at most 127 characters; this one has 128."),
        ({"tags-0-value": "v"}, "Type a key, or remove this line."),
        ({"tags-0-key": "a", "tags-1-key": "a"}, "There is a tag with this key already."),
    ],
)
def test_impossible_row_gets_a_sentence_beside_it(
    owner_client: Client, connection: Connection, store: ObjectStore, row: dict[str, str], sentence: str
) -> None:
    counts = {
        f"{rows}-{name}_FORMS": "2" if name == "TOTAL" else "0"
        for rows in ("grants", "tags")
        for name in ("TOTAL", "INITIAL")
    }
    before = len(store.list_buckets())

    page = unescape(owner_client.post(URL, fields(connection, "rows") | counts | row).content.decode())

    assert sentence in page
    assert len(store.list_buckets()) == before


def test_failing_store_keeps_everything_that_was_typed(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="PutBucket", count=None, status=403, code="AccessDenied")
    typed = fields(connection, "kept") | {
        "tags-TOTAL_FORMS": "1",
        "tags-INITIAL_FORMS": "0",
        "tags-0-key": "team",
    }

    page = owner_client.post(URL, typed).content.decode()

    assert 'value="kept"' in page
    assert 'value="team"' in page
