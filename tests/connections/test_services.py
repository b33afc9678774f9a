from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import (
    bucket_region,
    buckets_ask,
    buckets_refresh,
    connection_from_environment,
    connection_update,
    store_for,
)
from apps.localstore.server import LocalStore
from apps.storage.errors import BucketNotFound, Denied, Unavailable
from apps.storage.store import ObjectStore
from tests.conftest import REGION

ENVIRON = {
    "COS_SECRET_ID": "AKIDENV",
    "COS_SECRET_KEY": "environment-key",
    "COS_REGION": "ap-shanghai",
    "COS_APPID": "1250000009",
    "COS_TOKEN": "token",
    "COS_SUFFIX": "tencentcos.cn",
    "COS_SCHEME": "https",
}


def _make_stale(connection: Connection) -> None:
    connection.known_buckets.update(seen_at=timezone.now() - timedelta(days=2))


def _deny_lists(local_store: LocalStore) -> None:
    local_store.faults.add("error", operation="GetService", count=None, status=403, code="AccessDenied")


def test_environment_makes_one_connection_and_follows_changes(owner: Person) -> None:
    created = connection_from_environment(owner=owner, environ=ENVIRON)
    again = connection_from_environment(owner=owner, environ=ENVIRON | {"COS_SECRET_ID": "AKIDNEW"})

    connection = Connection.objects.get()
    assert created == again == connection
    assert (connection.name, connection.slug, connection.owner) == ("Tencent COS", "tencent-cos", owner)
    assert (connection.secret_id, connection.default_region) == ("AKIDNEW", "ap-shanghai")
    assert (connection.appid, connection.suffix) == ("1250000009", "tencentcos.cn")


@pytest.mark.parametrize("missing", ["COS_SECRET_ID", "COS_SECRET_KEY"])
def test_environment_without_a_key_makes_nothing(owner: Person, missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}

    assert connection_from_environment(owner=owner, environ=environ) is None
    assert not Connection.objects.exists()


def test_region_is_learnt_and_kept_while_fresh(
    connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    assert bucket_region(connection, bucket) == REGION
    _deny_lists(local_store)

    assert bucket_region(connection, bucket) == REGION


def test_stale_region_is_learnt_again(connection: Connection, store: ObjectStore, bucket: str) -> None:
    bucket_region(connection, bucket)
    _make_stale(connection)
    store.delete_bucket(bucket=bucket, region=REGION)
    store.create_bucket(bucket=bucket, region="ap-shanghai")

    assert bucket_region(connection, bucket) == "ap-shanghai"


def test_stale_region_serves_when_the_list_cannot_be_read(
    connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    bucket_region(connection, bucket)
    _make_stale(connection)
    _deny_lists(local_store)

    assert bucket_region(connection, bucket) == REGION


def test_key_without_the_right_to_list_uses_the_default_region(
    connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    _deny_lists(local_store)

    with pytest.raises(Denied):
        bucket_region(connection, bucket)
    connection_update(connection, default_region="ap-shanghai")

    assert bucket_region(connection, bucket) == "ap-shanghai"


def test_unknown_bucket_is_not_found(connection: Connection) -> None:
    with pytest.raises(BucketNotFound):
        bucket_region(connection, "nothing-1250000000")


def test_deleted_bucket_is_forgotten_by_the_next_list(
    connection: Connection, store: ObjectStore, bucket: str
) -> None:
    buckets_refresh(connection)
    store.delete_bucket(bucket=bucket, region=REGION)

    buckets_refresh(connection)

    assert not connection.known_buckets.filter(name=bucket).exists()


def test_store_is_shared_until_the_connection_changes(connection: Connection) -> None:
    first = store_for(connection)
    same = store_for(Connection.objects.get(pk=connection.pk))

    connection_update(connection, secret_key="another")

    assert first is same
    assert store_for(connection) is not first


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts calls and never answers them."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


def _asking() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "list-buckets"}


def test_silent_store_holds_one_thread_however_often_it_is_asked(
    connection: Connection, silent_port: int
) -> None:
    connection_update(connection, connect_to=f"127.0.0.1:{silent_port}")
    before = _asking()

    for _ in range(5):
        (reading,) = buckets_ask([Connection.objects.get()], timeout_s=0.05)
        assert isinstance(reading.error, Unavailable)

    assert len(_asking() - before) == 1


def test_changed_connection_does_not_wait_for_the_silent_store(
    connection: Connection, bucket: str, local_store: LocalStore, silent_port: int
) -> None:
    connection_update(connection, connect_to=f"127.0.0.1:{silent_port}")
    buckets_ask([connection], timeout_s=0.05)

    connection_update(connection, connect_to=f"127.0.0.1:{local_store.port}")
    (reading,) = buckets_ask([connection], timeout_s=10)

    assert bucket in {found.name for found in reading.buckets}


def test_answered_call_is_not_shared_with_later_pages(
    connection: Connection, store: ObjectStore, bucket: str
) -> None:
    buckets_ask([connection], timeout_s=10)
    store.delete_bucket(bucket=bucket, region=REGION)

    (reading,) = buckets_ask([connection], timeout_s=10)

    assert bucket not in {found.name for found in reading.buckets}
