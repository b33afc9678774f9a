from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from tests.conftest import REGION


def url_of(connection: Connection, bucket: str, prefix: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/objects/folder/?prefix={prefix}"


def test_folder_is_an_empty_object(
    writer_client: Client, connection: Connection, bucket: str, store: ObjectStore
) -> None:
    response = writer_client.post(url_of(connection, bucket, "2026/"), {"name": "invoices"})

    assert response["Location"].endswith("/objects/?prefix=2026/invoices/")
    assert store.head_object(bucket=bucket, region=REGION, key="2026/invoices/").size == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a/b", "One folder at a time"),
        ("..", "Many programs cannot open a folder with this name."),
        ("\\x", "must not start with"),
        ("x" * 850, "a key has at most 850"),
        ("", "This field is required."),
    ],
)
def test_impossible_name_gets_a_sentence_and_is_kept(
    writer_client: Client, connection: Connection, bucket: str, name: str, sentence: str
) -> None:
    page = unescape(writer_client.post(url_of(connection, bucket), {"name": name}).content.decode())

    assert sentence in page
    assert f'value="{name}"' in page or not name


def test_existing_folder_is_left_alone(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("dir/a")

    page = writer_client.post(url_of(connection, bucket), {"name": "dir"}).content.decode()

    assert "There is a folder with this name already." in page


def test_reader_gets_403(member_client: Client, connection: Connection, bucket: str) -> None:
    assert member_client.post(url_of(connection, bucket), {"name": "dir"}).status_code == 403


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.get(url_of(connection, bucket)).status_code == 404


def test_storage_error_shows_code_and_request_id(
    writer_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="PutObject", count=None, status=403, code="AccessDenied")

    response = writer_client.post(url_of(connection, bucket), {"name": "dir"})

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()
