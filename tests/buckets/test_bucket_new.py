from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from apps.connections.models import Connection, ConnectionMember, Role
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
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
    assert response["Location"] == f"/b/{connection.slug}/{bucket_name}/objects/"
    assert bucket_name in {bucket.name for bucket in store.list_buckets()}
    assert connection.known_buckets.get(name=bucket_name).region == REGION


def test_typed_appid_is_not_appended_twice(
    owner_client: Client, connection: Connection, bucket_name: str
) -> None:
    response = owner_client.post(URL, fields(connection, bucket_name))

    assert response["Location"] == f"/b/{connection.slug}/{bucket_name}/objects/"


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


def test_full_name_is_shown_while_typing(owner_client: Client, connection: Connection) -> None:
    response = owner_client.get(URL, fields(connection, "photos"), headers={"HX-Request": "true"})
    page = response.content.decode()

    assert "<html" not in page
    assert f"photos-{ACCOUNT.appid}" in page


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
