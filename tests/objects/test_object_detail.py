from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from tests.hostile import HOSTILE_KEYS


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/?key={quote(key, safe='')}"


def test_everything_the_store_says_is_shown(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put(
        "dir/a.css",
        b"123456789",
        content_type="text/css",
        cache_control="max-age=60",
        metadata={"team": "blue"},
    )

    page = owner_client.get(url_of(connection, bucket, "dir/a.css")).content.decode()

    for words in (etag, "11051210869376104954", "text/css", "max-age=60", "team", "blue", "STANDARD", "9 B"):
        assert words in page
    assert "/objects/?prefix=dir/" in page


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_can_be_opened(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str], key: str
) -> None:
    put(key)

    response = owner_client.get(url_of(connection, bucket, key))

    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_reader_sees_what_is_missing(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    page = member_client.get(url_of(connection, bucket, "a")).content.decode()

    assert "/object/download?key=a" in page
    assert "/object/delete/" not in page
    assert "this needs the role “Writer”" in page


def test_member_may_share_and_sees_what_else_a_writer_may(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    page = member_client.get(url_of(connection, bucket, "a")).content.decode()

    assert f'href="/b/{connection.slug}/{bucket}/share/?key=a"' in page
    for action in ("Edit headers", "Copy", "Rename", "Move", "Delete"):
        assert f'aria-disabled="true" title="{action}: this needs the role “Writer”"' in page


def test_missing_object_shows_status_and_request_id(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    response = owner_client.get(url_of(connection, bucket, "nothing"))

    assert response.status_code == 404
    assert "Request id" in response.content.decode()


def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    assert stranger_client.get(url_of(connection, bucket, "a")).status_code == 404
