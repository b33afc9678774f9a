from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from tests.conftest import ACCOUNT, OTHER_ACCOUNT, REGION

URL = "/buckets/name-check/"


def said(client: Client, connection: Connection, name: str, region: str = REGION) -> str:
    typed = {"connection": connection.slug, "name": name, "region": region}
    return unescape(client.get(URL, typed, headers={"HX-Request": "true"}).content.decode())


def test_free_name_is_said_with_its_full_form_and_room(owner_client: Client, connection: Connection) -> None:
    page = said(owner_client, connection, "photos")

    assert "<html" not in page
    assert f"photos-{ACCOUNT.appid}" in page
    assert "6 of 19 characters" in page
    assert "Free: nobody has a bucket with this name here." in page


def test_bucket_of_ones_own_is_told_with_its_region(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    unlisted = said(owner_client, connection, bucket)
    owner_client.get("/buckets/")
    listed = said(owner_client, connection, bucket, region="ap-shanghai")

    assert f"You have a bucket with this name already, in {REGION}." in unlisted
    assert f"You have a bucket with this name already, in {REGION}." in listed


def test_bucket_of_somebody_else_is_taken(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    connection.secret_id, connection.appid = OTHER_ACCOUNT.secret_id, ACCOUNT.appid
    connection.save()
    from apps.connections.services import connection_update

    connection_update(connection, secret_key=OTHER_ACCOUNT.secret_key)

    assert "Taken: somebody else has it" in said(owner_client, connection, bucket)


def test_store_is_not_asked_about_an_impossible_name(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="HeadBucket", count=None, status=500, code="InternalError")

    page = said(owner_client, connection, "Photos")

    assert "Capital letters are not possible" in page
    assert "could not be found out" not in page


def test_wrong_key_is_not_taken_for_a_taken_name(owner_client: Client, connection: Connection) -> None:
    connection.secret_id = "AKIDNOBODY"
    connection.save()

    page = said(owner_client, connection, "photos")

    assert "Taken" not in page
    assert "Free" not in page


@pytest.mark.parametrize("name", ["", "  "])
def test_nothing_is_said_about_no_name(owner_client: Client, connection: Connection, name: str) -> None:
    page = said(owner_client, connection, name)

    assert "The APPID of the connection is appended" in page
    assert "required" not in page


def test_person_without_a_connection_gets_403(stranger_client: Client, connection: Connection) -> None:
    assert stranger_client.get(URL, {"name": "photos"}).status_code == 403


def test_reader_cannot_ask_through_the_connection(member_client: Client, connection: Connection) -> None:
    assert member_client.get(URL, {"connection": connection.slug, "name": "photos"}).status_code == 403
