from __future__ import annotations

from collections.abc import Callable
from html import unescape

from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from tests.conftest import REGION


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/danger/"


def test_what_blocks_is_named_with_the_way_to_it(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    for number in range(7):
        put(f"left/{number}")
    store.create_multipart_upload(bucket=bucket, region=REGION, key="half", headers=ObjectHeaders())

    page = unescape(owner_client.get(url_of(connection, bucket)).content.decode())

    assert "left/0" in page
    assert "left/4" in page
    assert "left/6" not in page
    assert "… and more" in page
    assert "half" in page
    assert f"/b/{connection.slug}/{bucket}/unfinished/" in page
    assert f'href="/b/{connection.slug}/{bucket}/delete/"' not in page


def test_empty_bucket_may_go(owner_client: Client, connection: Connection, bucket: str) -> None:
    page = owner_client.get(url_of(connection, bucket)).content.decode()

    assert f'href="/b/{connection.slug}/{bucket}/delete/"' in page


def test_contents_that_may_not_be_listed_are_not_taken_for_none(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="ListObjects", count=None, status=403, code="AccessDenied")

    page = owner_client.get(url_of(connection, bucket)).content.decode()

    assert "AccessDenied" in page
    assert f'href="/b/{connection.slug}/{bucket}/delete/"' not in page


def test_writer_gets_403(writer_client: Client, connection: Connection, bucket: str) -> None:
    assert writer_client.get(url_of(connection, bucket)).status_code == 403


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.get(url_of(connection, bucket)).status_code == 404
