from __future__ import annotations

from collections.abc import Callable
from html import unescape
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.transfers.models import Transfer
from tests.hostile import HOSTILE_KEYS

pytestmark = pytest.mark.usefixtures("redis")


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/copy/?key={quote(key, safe='')}"


def test_copy_becomes_a_job(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put("a.txt")

    response = writer_client.post(
        url_of(connection, bucket, "a.txt"), {"bucket": bucket, "key": "archive/a.txt"}
    )

    transfer = Transfer.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/jobs/{transfer.job_id}/"
    assert (transfer.source_key, transfer.source_etag, transfer.key) == ("a.txt", etag, "archive/a.txt")


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_is_the_source_exactly(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str], key: str
) -> None:
    put(key)

    shown = writer_client.get(url_of(connection, bucket, key))
    sent = writer_client.post(url_of(connection, bucket, key), {"bucket": bucket, "key": "target"})

    assert shown.status_code == 200
    assert sent.status_code == 302
    assert Transfer.objects.get().source_key == key


def test_taken_key_is_replaced_only_when_said(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a", b"1")
    put("b", b"22")
    url = url_of(connection, bucket, "a")

    asked = unescape(writer_client.post(url, {"bucket": bucket, "key": "b"}).content.decode())
    said = writer_client.post(url, {"bucket": bucket, "key": "b", "replace": "on"})

    assert "An object with this key exists already." in asked
    assert "2 B" in asked
    assert 'value="b"' in asked
    assert said.status_code == 302


def test_object_cannot_be_copied_onto_itself(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    page = writer_client.post(
        url_of(connection, bucket, "a"), {"bucket": bucket, "key": "a"}
    ).content.decode()

    assert "This is the object itself." in page
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [("/a", "must not start with /"), ("x" * 851, "a key has at most 850"), ("", "This field is required.")],
)
def test_impossible_target_gets_a_sentence(
    writer_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    key: str,
    sentence: str,
) -> None:
    put("a")

    page = writer_client.post(
        url_of(connection, bucket, "a"), {"bucket": bucket, "key": key}
    ).content.decode()

    assert sentence in page
    assert not Transfer.objects.exists()


def test_bucket_outside_the_connection_is_refused(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    page = writer_client.post(
        url_of(connection, bucket, "a"), {"bucket": "other-1250000001", "key": "b"}
    ).content.decode()

    assert "Select a valid choice" in page


def test_reader_gets_403(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    assert (
        member_client.post(url_of(connection, bucket, "a"), {"bucket": bucket, "key": "b"}).status_code == 403
    )


def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    assert stranger_client.get(url_of(connection, bucket, "a")).status_code == 404


def test_storage_error_shows_code_and_request_id(
    writer_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("a")
    local_store.faults.add("slow_down", operation="HeadObject", count=None)

    response = writer_client.post(url_of(connection, bucket, "a"), {"bucket": bucket, "key": "b"})

    assert response.status_code == 503
    assert "Request id" in response.content.decode()
    assert not Transfer.objects.exists()
