from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.errors import ObjectNotFound
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/delete/?key={quote(key, safe='')}"


def test_question_shows_the_object_and_deletes_nothing(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str], store: ObjectStore
) -> None:
    put("dir/report.pdf", b"12345")

    page = writer_client.get(url_of(connection, bucket, "dir/report.pdf")).content.decode()

    assert "dir/report.pdf" in page
    assert "5 B" in page
    assert "autofocus" in page
    assert store.head_object(bucket=bucket, region=REGION, key="dir/report.pdf").size == 5


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_is_deleted_and_no_other(
    writer_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    store: ObjectStore,
    key: str,
) -> None:
    etag = put(key)
    put("neighbor")

    response = writer_client.post(url_of(connection, bucket, key), {"etag": etag})

    assert response.status_code == 302
    assert writer_client.get(response["Location"]).status_code == 200
    left = store.list_objects(bucket=bucket, region=REGION)
    assert [summary.key for summary in left.objects] == ["neighbor"]


def test_result_is_told_with_the_name(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("dir/report.pdf")

    page = writer_client.post(url_of(connection, bucket, "dir/report.pdf"), follow=True).content.decode()

    assert "Deleted report.pdf." in page


def test_newer_object_is_not_deleted_by_an_old_page(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str], store: ObjectStore
) -> None:
    old = put("report", b"old")
    new = put("report", b"new")

    response = writer_client.post(url_of(connection, bucket, "report"), {"etag": old})

    assert "The object was replaced in the meantime." in response.content.decode()
    assert store.head_object(bucket=bucket, region=REGION, key="report").etag == new


def test_reader_gets_403(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str], store: ObjectStore
) -> None:
    put("a")

    assert member_client.get(url_of(connection, bucket, "a")).status_code == 403
    assert member_client.post(url_of(connection, bucket, "a")).status_code == 403
    assert store.head_object(bucket=bucket, region=REGION, key="a")


def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")

    assert stranger_client.post(url_of(connection, bucket, "a")).status_code == 404


def test_storage_error_shows_code_and_request_id(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("a")
    local_store.faults.add("error", operation="DeleteObject", count=None, status=403, code="AccessDenied")

    response = owner_client.post(url_of(connection, bucket, "a"))

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()
    assert "Request id" in response.content.decode()


def test_object_is_gone_after_deletion(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str], store: ObjectStore
) -> None:
    put("a")

    owner_client.post(url_of(connection, bucket, "a"))

    with pytest.raises(ObjectNotFound):
        store.head_object(bucket=bucket, region=REGION, key="a")
