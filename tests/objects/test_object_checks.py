from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.objects.checks import objects_check
from apps.objects.columns import COOKIE
from apps.storage.errors import ObjectNotFound
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/objects/checks/"


def test_cells_come_by_key(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt", content_type="text/plain", cache_control="no-cache")
    member_client.cookies[COOKIE] = "1.access.type.cache"

    page = member_client.post(url_of(connection, bucket), {"key": ["a.txt"]}).content.decode()

    assert '<tr data-key="a.txt">' in page
    assert "Inherits: Private" in page
    assert "<bdi>text/plain</bdi>" in page
    assert "<bdi>no-cache</bdi>" in page


def test_only_columns_on_screen_are_asked_for(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("a.txt")
    owner_client.cookies[COOKIE] = "1.size.access"
    local_store.faults.add("error", operation="HeadObject", count=None, status=500, code="InternalError")

    page = owner_client.post(url_of(connection, bucket), {"key": ["a.txt"]}).content.decode()

    assert 'data-cell="access"' in page
    assert 'data-cell="type"' not in page


def test_hostile_keys_come_back_as_they_were_asked(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for key in HOSTILE_KEYS:
        put(key)
    keys = [quote(key, safe="/") for key in HOSTILE_KEYS]

    page = owner_client.post(url_of(connection, bucket), {"key": keys}).content.decode()

    assert "<script>" not in page
    assert all(f'data-key="{key}"' in page for key in keys)
    assert page.count("Inherits: Private") == len(keys)


def test_refusal_is_unknown_and_a_missing_object_is_gone(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("a.txt")

    gone = owner_client.post(url_of(connection, bucket), {"key": ["b.txt"]}).content.decode()
    local_store.faults.add("error", operation="GetObjectAcl", count=None, status=403, code="AccessDenied")
    refused = owner_client.post(url_of(connection, bucket), {"key": ["a.txt"]}).content.decode()

    assert ">gone<" in gone
    assert ">Unknown<" in refused
    assert "access-unknown" in refused


def test_public_object_stands_out(
    owner_client: Client, connection: Connection, bucket: str, store: ObjectStore, put: Callable[..., str]
) -> None:
    put("a.txt")
    store.put_object_acl(bucket=bucket, region=REGION, key="a.txt", acl="public-read")

    page = owner_client.post(url_of(connection, bucket), {"key": ["a.txt"]}).content.decode()

    assert "access-public-read" in page


def test_too_many_keys_are_refused(owner_client: Client, connection: Connection, bucket: str) -> None:
    keys = [str(number) for number in range(101)]

    assert owner_client.post(url_of(connection, bucket), {"key": keys}).status_code == 400


@pytest.mark.django_db
def test_slow_store_leaves_out_what_it_has_not_answered(
    store: ObjectStore, bucket: str, put: Callable[..., str], local_store: LocalStore
) -> None:
    put("a")
    local_store.faults.add("delay", operation="HeadObject", seconds=3, count=1)

    checked = objects_check(
        store, bucket=bucket, region=REGION, keys=["a"], by_head=True, by_acl=True, deadline_s=0.5
    )

    assert checked.facts["a"].info is None
    assert checked.facts["a"].acl is not None


def test_missing_object_is_a_fact_of_its_own(
    store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    checked = objects_check(store, bucket=bucket, region=REGION, keys=["a", "b"], by_head=True, by_acl=False)

    assert isinstance(checked.facts["b"].info, ObjectNotFound)
    assert checked.facts["a"].info is not None
    assert checked.bucket_acl is None


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.post(url_of(connection, bucket), {"key": ["a"]}).status_code == 404


def test_writer_and_get(writer_client: Client, connection: Connection, bucket: str) -> None:
    assert writer_client.post(url_of(connection, bucket)).status_code == 200
    assert writer_client.get(url_of(connection, bucket)).status_code == 405
