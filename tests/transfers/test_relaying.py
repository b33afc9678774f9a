"""Bytes that pass through a worker: the same bytes, the pinned source, nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from apps.connections.models import Connection
from apps.connections.services import connection_create, store_for
from apps.localstore.server import LocalStore
from apps.storage.digest import crc64_combine_parts, crc64_update
from apps.storage.errors import (
    Canceled,
    Conflict,
    Corrupted,
    Denied,
    Interrupted,
    ObjectNotFound,
    Throttled,
    Unavailable,
    UploadNotFound,
)
from apps.storage.grants import EVERYONE, Grant
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint, ObjectHeaders, ObjectRef
from apps.transfers.content import NewObject
from apps.transfers.relaying import (
    INTERRUPTIONS_MAX,
    PinnedSource,
    can_copy_in_store,
    relay_object,
    relay_part,
    source_pin,
)
from tests.conftest import OTHER_ACCOUNT, REGION
from tests.transfers.conftest import MIB

pytestmark = pytest.mark.django_db

Put = Callable[..., str]
BODY = os.urandom(MIB + 77)


@pytest.fixture
def other_store(other_connection: Connection) -> ObjectStore:
    return store_for(other_connection)


@pytest.fixture
def source(put: Put, store: ObjectStore, bucket: str) -> PinnedSource:
    put("from.bin", BODY)
    return pinned(store, bucket, "from.bin")


@pytest.fixture
def target(other_store: ObjectStore, bucket: str) -> ObjectRef:
    return ObjectRef(other_store_bucket(other_store, bucket), REGION, "to.bin")


def other_store_bucket(other_store: ObjectStore, bucket: str) -> str:
    """Make a bucket in the other account, named after one of the owner's."""
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    other_store.create_bucket(bucket=name, region=REGION)
    return name


def pinned(store: ObjectStore, bucket: str, key: str) -> PinnedSource:
    info = store.head_object(bucket=bucket, region=REGION, key=key)
    return source_pin(ObjectRef(bucket, REGION, key), info)


def stored(store: ObjectStore, ref: ObjectRef) -> bytes:
    body = store.get_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    try:
        return b"".join(body)
    finally:
        body.close()


def is_absent(store: ObjectStore, ref: ObjectRef) -> bool:
    try:
        store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    except ObjectNotFound:
        return True
    return False


def test_object_arrives_with_all_that_it_is_to_get(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore, spool_dir: Path
) -> None:
    headers = ObjectHeaders(content_type="video/mp4", storage_class="STANDARD_IA", metadata={"team": "blue"})
    seen: list[int] = []

    relayed = relay_object(
        store,
        source,
        other_store,
        target,
        new_object=NewObject(headers=headers, acl="public-read"),
        on_progress=lambda sent: bool(seen.append(sent)) or True,
    )

    assert stored(other_store, target) == BODY
    info = other_store.head_object(bucket=target.bucket, region=REGION, key=target.key)
    assert (info.content_type, info.storage_class, info.metadata) == (
        "video/mp4",
        "STANDARD_IA",
        {"team": "blue"},
    )
    acl = other_store.get_object_acl(bucket=target.bucket, region=REGION, key=target.key)
    assert acl.explicit == (Grant(EVERYONE, "READ"),)
    assert relayed.crc64 == source.crc64 == str(crc64_update(BODY))
    assert seen == sorted(seen)
    assert os.listdir(spool_dir) == []


def test_empty_object_arrives(
    put: Put, bucket: str, target: ObjectRef, store: ObjectStore, other_store: ObjectStore
) -> None:
    put("empty", b"")

    relay_object(store, pinned(store, bucket, "empty"), other_store, target, new_object=NewObject())

    assert stored(other_store, target) == b""


def test_parts_make_the_object_and_their_crcs_that_of_the_source(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore
) -> None:
    at = {"bucket": target.bucket, "region": REGION, "key": target.key}
    upload_id = other_store.create_multipart_upload(**at, headers=ObjectHeaders())
    ranges = [(1, 0, MIB), (2, MIB, 77)]

    parts = [
        relay_part(
            store,
            source,
            other_store,
            target,
            upload_id=upload_id,
            number=number,
            offset=offset,
            length=length,
        )
        for number, offset, length in ranges
    ]
    other_store.complete_multipart_upload(**at, upload_id=upload_id, parts=parts)

    assert stored(other_store, target) == BODY
    assert str(crc64_combine_parts((int(part.crc64 or 0), part.size) for part in parts)) == source.crc64


def test_source_that_changed_is_not_copied(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore, put: Put
) -> None:
    put("from.bin", BODY[::-1])

    with pytest.raises(Conflict):
        relay_object(store, source, other_store, target, new_object=NewObject())

    assert is_absent(other_store, target)


def test_source_that_gives_other_bytes_than_it_says_is_refused(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore
) -> None:
    lying = PinnedSource(ref=source.ref, size=source.size, etag=source.etag, crc64="1")

    with pytest.raises(Corrupted):
        relay_object(store, lying, other_store, target, new_object=NewObject())

    assert is_absent(other_store, target)


def test_canceled_relay_leaves_nothing(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore, spool_dir: Path
) -> None:
    with pytest.raises(Canceled):
        relay_object(
            store, source, other_store, target, new_object=NewObject(), on_progress=lambda sent: False
        )

    assert is_absent(other_store, target)
    assert os.listdir(spool_dir) == []


@pytest.mark.parametrize(
    ("operation", "kind", "error"),
    [
        ("GetObject", "slow_down", Throttled),
        ("PutObject", "drop_before", Unavailable),
    ],
)
def test_store_that_fails_is_reported_as_it_failed(
    source: PinnedSource,
    target: ObjectRef,
    store: ObjectStore,
    other_store: ObjectStore,
    local_store: LocalStore,
    operation: str,
    kind: str,
    error: type[Exception],
) -> None:
    local_store.faults.add(kind=kind, operation=operation, count=None)

    with pytest.raises(error):
        relay_object(store, source, other_store, target, new_object=NewObject())


def test_full_disk_asks_to_wait(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore, settings: Any
) -> None:
    settings.SPOOL_FREE_BYTES = 1 << 60

    with pytest.raises(Throttled) as caught:
        relay_object(store, source, other_store, target, new_object=NewObject())

    assert caught.value.code == "SpoolFull"


def test_part_of_an_upload_that_ended_says_so(
    source: PinnedSource, target: ObjectRef, store: ObjectStore, other_store: ObjectStore
) -> None:
    with pytest.raises(UploadNotFound):
        relay_part(store, source, other_store, target, upload_id="gone", number=1, offset=0, length=MIB)


def test_same_connection_copies_in_the_store(connection: Connection, source: PinnedSource) -> None:
    assert can_copy_in_store(connection, connection, source=source)


def test_other_account_copies_in_the_store_once_it_may_read_the_source(
    connection: Connection,
    other_connection: Connection,
    source: PinnedSource,
    store: ObjectStore,
    bucket: str,
) -> None:
    before = can_copy_in_store(connection, other_connection, source=source)
    store.put_object_acl(bucket=bucket, region=REGION, key=source.ref.key, acl="public-read")

    assert not before
    assert can_copy_in_store(connection, other_connection, source=source)


def test_connection_to_another_endpoint_has_to_relay(connection: Connection, source: PinnedSource) -> None:
    elsewhere = connection_create(
        owner=connection.owner,
        name="Elsewhere",
        scheme=connection.scheme,
        connect_to="127.0.0.1:1",
        appid=connection.appid,
        secret_id=connection.secret_id,
        secret_key="any",
    )

    assert not can_copy_in_store(connection, elsewhere, source=source)


def test_denied_source_is_denied(source: PinnedSource, target: ObjectRef, other_store: ObjectStore) -> None:
    with pytest.raises(Denied):
        relay_object(other_store, source, other_store, target, new_object=NewObject())


@pytest.mark.parametrize("cuts", [1, INTERRUPTIONS_MAX + 1])
def test_interrupted_download_goes_on_where_it_was(
    target: ObjectRef, other_store: ObjectStore, cuts: int
) -> None:
    with cutting_store(cuts) as (source_store, ranges):
        source = PinnedSource(ObjectRef("cut-1250000000", REGION, "k"), len(BODY), "e", crc64="")
        if cuts > INTERRUPTIONS_MAX:
            with pytest.raises(Interrupted):
                relay_object(source_store, source, other_store, target, new_object=NewObject())
            return
        relay_object(source_store, source, other_store, target, new_object=NewObject())

    assert stored(other_store, target) == BODY
    assert ranges[0] is None
    assert str(ranges[1]).startswith("bytes=5")


@contextmanager
def cutting_store(cuts: int) -> Iterator[tuple[ObjectStore, list[str | None]]]:
    """Serve BODY, and break off the first answers somewhere in the middle."""
    ranges: list[str | None] = []

    class Cutting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("ETag", '"e"')
            self.send_header("Content-Length", str(len(BODY) - start))
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
            self.end_headers()
            end = (start + len(BODY)) // 2 if len(ranges) <= cuts else len(BODY)
            self.wfile.write(BODY[start:end])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cutting)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint = Endpoint(scheme="http", connect_to=f"127.0.0.1:{server.server_port}")
    try:
        yield store_open("cos", credentials=Credentials("AKID", "secret"), endpoint=endpoint), ranges
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
