"""Delayed visibility: reads and lists that do not see a write yet."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.test_faults import control
from tests.localstore.wire import Wire, authorization, complete_xml, md5_header, part_put, upload_begin

TAGGING = b"<Tagging><TagSet><Tag><Key>new</Key><Value>1</Value></Tag></TagSet></Tagging>"
CORS = (
    b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    b"</CORSRule></CORSConfiguration>"
)


def keys_of(wire: Wire) -> list[str | None]:
    return [row.findtext("Key") for row in wire.call("GET", "/").xml.iter("Contents")]


def test_new_object_shows_after_some_answers(store: LocalStore, wire: Wire) -> None:
    store.faults.add("stale", operation="PutObject", answers=3)

    assert wire.call("PUT", "/k", b"x").status == 200

    assert wire.call("GET", "/k").code == "NoSuchKey"
    assert wire.call("HEAD", "/k").status == 404
    assert keys_of(wire) == []
    assert wire.call("GET", "/k").body == b"x"
    assert keys_of(wire) == ["k"]


def test_overwritten_object_shows_its_old_bytes_and_is_whole(
    store: LocalStore, wire: Wire, connect: Connect
) -> None:
    old = b"old" * 100_000
    wire.call("PUT", "/k", old)
    store.faults.add("stale", operation="PutObject", answers=2)

    wire.call("PUT", "/k", b"new")

    assert wire.call("GET", "/k").body == old
    store.faults.add("drip", operation="GetObject", bytes_per_second=2_000_000)
    slow = connect()
    headers = {"Host": slow.host}
    headers["Authorization"] = authorization(OWNER, "GET", "/k", headers)
    slow.sock.sendall(slow.head_bytes("GET", "/k", headers))
    first = slow.sock.recv(1000)
    assert wire.call("GET", "/k").body == b"new"
    received = len(first.partition(b"\r\n\r\n")[2])
    while received < len(old):
        received += len(slow.sock.recv(65536))
    assert received == len(old)


def test_deleted_object_lingers_in_lists_alone(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")
    store.faults.add("stale", operation="DeleteObject", hides="lists", answers=1)

    wire.call("DELETE", "/k")

    assert wire.call("GET", "/k").status == 404
    assert keys_of(wire) == ["k"]
    assert keys_of(wire) == []


def test_completed_upload_is_still_unfinished_to_readers(store: LocalStore, wire: Wire) -> None:
    upload = upload_begin(wire, "/k")
    etag = part_put(wire, "/k", upload, 1, b"x")
    store.faults.add("stale", operation="CompleteMultipartUpload", answers=2)

    assert wire.call("POST", f"/k?uploadId={upload}", complete_xml([(1, etag)])).status == 200

    assert wire.call("HEAD", "/k").status == 404
    assert len(list(wire.call("GET", "/?uploads").xml.iter("Upload"))) == 1
    assert wire.call("HEAD", "/k").status == 200
    assert not list(wire.call("GET", "/?uploads").xml.iter("Upload"))


def put_tagging(wire: Wire) -> int:
    return wire.request("PUT", "/?tagging", md5_header(TAGGING), TAGGING).status


def put_cors(wire: Wire) -> int:
    return wire.request("PUT", "/?cors", md5_header(CORS), CORS).status


def put_acl(wire: Wire) -> int:
    return wire.call("PUT", "/?acl", x_cos_acl="public-read").status


@pytest.mark.parametrize(
    ("operation", "write", "target"),
    [
        ("PutBucketTagging", put_tagging, "/?tagging"),
        ("PutBucketCors", put_cors, "/?cors"),
        ("PutBucketAcl", put_acl, "/?acl"),
    ],
)
def test_settings_of_a_bucket_are_seen_late(
    store: LocalStore, wire: Wire, operation: str, write: Callable[[Wire], int], target: str
) -> None:
    before = wire.call("GET", target)
    store.faults.add("stale", operation=operation, answers=1)

    assert write(wire) in (200, 204)

    late, now = wire.call("GET", target), wire.call("GET", target)
    assert late.status == before.status
    assert now.status == 200
    assert now.body != late.body


def test_old_acl_still_guards_the_bucket(store: LocalStore, wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/k", b"x")
    store.faults.add("stale", operation="PutBucketAcl", answers=1)
    put_acl(wire)
    anybody = connect(None)

    assert [anybody.call("GET", "/k").status for _ in range(2)] == [403, 200]


def test_time_ends_it_as_well(store: LocalStore, wire: Wire) -> None:
    store.faults.add("stale", operation="PutObject", seconds=0.2)
    start = time.monotonic()
    wire.call("PUT", "/k", b"x")

    while wire.call("HEAD", "/k").status == 404:
        assert time.monotonic() - start < 20

    assert time.monotonic() - start >= 0.2


def test_writes_see_what_is_there(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/k", b"old")
    store.faults.add("stale", operation="PutObject", key="k", seconds=60)
    wire.call("PUT", "/k", b"new")

    wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/k"})

    assert wire.call("GET", "/k").body == b"old"
    assert wire.call("GET", "/copy").body == b"new"
    store.faults.clear()
    assert wire.call("GET", "/k").body == b"new"


def test_refused_write_hides_nothing(store: LocalStore, wire: Wire) -> None:
    store.faults.add("stale", operation="PutObject", seconds=60)

    assert wire.call("PUT", "/k", b"x", x_cos_storage_class="NONE").status == 400
    wire.call("PUT", "/k", b"x")

    assert wire.call("GET", "/k").body == b"x"


def test_other_keys_and_buckets_are_not_delayed(store: LocalStore, wire: Wire) -> None:
    store.faults.add("stale", operation="PutObject", seconds=60, hides="reads")

    wire.call("PUT", "/hidden", b"x")
    wire.call("PUT", "/seen", b"y")

    assert wire.call("GET", "/seen").body == b"y"
    assert wire.call("GET", "/hidden").status == 404
    assert keys_of(wire) == ["hidden", "seen"]


def test_nothing_of_it_survives_the_process(folder: Path) -> None:
    for hidden in (True, False):
        store = LocalStore(data=folder, accounts=[OWNER])
        store.start()
        with Wire(store.port, OWNER) as wire:
            if hidden:
                wire.call("PUT", "/")
                store.faults.add("stale", operation="PutObject", seconds=600)
                wire.call("PUT", "/k", b"x" * 100_000)
            assert wire.call("HEAD", "/k").status == (404 if hidden else 200)
        store.stop()
    assert not folder.joinpath("index.sqlite3-wal").exists()


def test_rule_needs_an_end(store: LocalStore, connect: Connect) -> None:
    reply = control(store, connect, "POST", "/-/faults", {"kind": "stale", "operation": "Put*"})

    assert reply.status == 400
    assert "seconds or answers" in json.loads(reply.body)["error"]
    unknown = {"kind": "stale", "seconds": 1, "hides": "all of it"}
    assert control(store, connect, "POST", "/-/faults", unknown).status == 400


def test_new_and_deleted_buckets_are_seen_late(store: LocalStore, connect: Connect) -> None:
    late = connect(to="late-1250000000")
    service = connect(to="")

    def listed() -> bool:
        rows = service.call("GET", "/").xml.iter("Bucket")
        return "late-1250000000" in [row.findtext("Name") for row in rows]

    store.faults.add("stale", operation="PutBucket", answers=2)
    assert late.call("PUT", "/").status == 200
    assert [late.call("HEAD", "/").status, listed(), late.call("HEAD", "/").status, listed()] == [
        404,
        False,
        200,
        True,
    ]
    store.faults.add("stale", operation="DeleteBucket", answers=1)
    assert late.call("DELETE", "/").status == 204
    assert [listed(), listed()] == [True, False]
