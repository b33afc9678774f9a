from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from tests.conftest import REGION


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/delete/"


def test_empty_bucket_is_deleted_when_its_name_is_typed(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    response = owner_client.post(url_of(connection, bucket), {"name": bucket})

    assert response.status_code == 302
    assert bucket not in {found.name for found in store.list_buckets()}
    assert not connection.known_buckets.filter(name=bucket).exists()


def test_wrong_name_deletes_nothing_and_is_kept(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    page = owner_client.post(url_of(connection, bucket), {"name": "other"}).content.decode()

    assert f"Type {bucket} to confirm." in page
    assert 'value="other"' in page
    assert bucket in {found.name for found in store.list_buckets()}


def test_objects_block_and_are_linked(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("left/behind")

    shown = owner_client.get(url_of(connection, bucket)).content.decode()
    sent = owner_client.post(url_of(connection, bucket), {"name": bucket}).content.decode()

    for page in (shown, sent):
        assert "Objects lie in it" in page
        assert f"/b/{connection.slug}/{bucket}/objects/" in page


def test_unfinished_uploads_block(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    store.create_multipart_upload(bucket=bucket, region=REGION, key="half", headers=ObjectHeaders())

    page = owner_client.post(url_of(connection, bucket), {"name": bucket}).content.decode()

    assert "Unfinished uploads lie in it" in page
    assert bucket in {found.name for found in store.list_buckets()}


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.post(url_of(connection, bucket), {"name": bucket}).status_code == 404


def test_writer_gets_403(writer_client: Client, connection: Connection, bucket: str) -> None:
    assert writer_client.get(url_of(connection, bucket)).status_code == 403
    assert writer_client.post(url_of(connection, bucket), {"name": bucket}).status_code == 403


def test_storage_error_shows_code_and_request_id(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="DeleteBucket", count=None, status=403, code="AccessDenied")

    response = owner_client.post(url_of(connection, bucket), {"name": bucket})

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()
    assert "Request id" in response.content.decode()


def test_deletion_whose_answer_was_lost_is_still_seen(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("drop_after", operation="DeleteBucket")

    response = owner_client.post(url_of(connection, bucket), {"name": bucket})

    assert response.status_code == 302
    assert not connection.known_buckets.filter(name=bucket).exists()
    assert Entry.objects.filter(verb="bucket.delete", bucket=bucket).exists()


def test_deletion_that_did_not_happen_is_not_claimed(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("drop_before", operation="DeleteBucket", count=None)

    response = owner_client.post(url_of(connection, bucket), {"name": bucket})

    assert response.status_code == 503
    assert not Entry.objects.filter(verb="bucket.delete").exists()
