"""Faults on demand, in process and over the control channel."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from apps.localstore import LocalStore, Tuning
from tests.localstore.conftest import CONTROL, OWNER, Connect
from tests.localstore.wire import Reply, Wire, upload_begin


def test_error_strikes_as_often_as_it_says(store: LocalStore, wire: Wire) -> None:
    store.faults.add("error", operation="PutObject", count=2)

    answers = [wire.call("PUT", "/k", b"x").status for _ in range(3)]

    assert answers == [500, 500, 200]


def test_rule_waits_until_its_turn_and_its_key(store: LocalStore, wire: Wire) -> None:
    store.faults.add("slow_down", operation="Put*", key="bad/.*", skip=1)

    assert wire.call("PUT", "/good", b"x").status == 200
    assert wire.call("PUT", "/bad/1", b"x").status == 200
    reply = wire.call("PUT", "/bad/2", b"x")
    assert (reply.status, reply.code) == (503, "SlowDown")
    assert store.faults.listed() == []


def test_drop_before_leaves_nothing(store: LocalStore, wire: Wire, connect: Connect) -> None:
    store.faults.add("drop_before", operation="PutObject")

    with pytest.raises(ConnectionError):
        wire.call("PUT", "/k", b"x")

    assert connect().call("HEAD", "/k").status == 404


def test_drop_after_leaves_everything(store: LocalStore, wire: Wire, connect: Connect) -> None:
    store.faults.add("drop_after", operation="PutObject")

    with pytest.raises(ConnectionError):
        wire.call("PUT", "/k", b"x")

    assert connect().call("GET", "/k").body == b"x"


def test_error_inside_a_200(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")
    store.faults.add("error_in_200", operation="CopyObject", code="InternalError")

    reply = wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/k"})

    assert (reply.status, reply.xml.tag, reply.code) == (200, "Error", "InternalError")
    assert wire.call("HEAD", "/copy").status == 404


def test_full_disk_is_an_error_and_not_an_object(store: LocalStore, wire: Wire, connect: Connect) -> None:
    upload = upload_begin(wire, "/k")
    store.faults.add("disk_full", operation="UploadPart")

    reply = wire.call("PUT", f"/k?partNumber=1&uploadId={upload}", b"x" * 50_000)

    assert (reply.status, reply.code) == (500, "InternalError")
    parts = connect().call("GET", f"/k?uploadId={upload}").xml
    assert not list(parts.iter("Part"))


def test_delay_and_drip_take_their_time(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/k", b"x" * 20_000)
    store.faults.add("delay", operation="GetObject", seconds=0.1)
    store.faults.add("drip", operation="GetObject", bytes_per_second=100_000)
    start = time.monotonic()

    assert len(wire.call("GET", "/k").body) == 20_000

    assert time.monotonic() - start > 0.2


def test_journal_tells_what_was_asked(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/a//b", b"x")

    last = store.journal[-1]

    assert last == {"operation": "PutObject", "host": wire.host, "key": "a//b", "status": 200}


def control(
    store: LocalStore, connect: Connect, method: str, path: str, body: object = None, **headers: str
) -> Reply:
    wire = connect(None)
    raw = b"" if body is None else json.dumps(body).encode()
    named = {"Host": f"127.0.0.1:{store.port}", "x-localstore-control": CONTROL}
    return wire.request(method, path, named | headers, raw)


def test_control_channel_sets_and_clears_rules(store: LocalStore, wire: Wire, connect: Connect) -> None:
    added = control(
        store, connect, "POST", "/-/faults", {"kind": "slow_down", "operation": "GetObject", "count": None}
    )
    assert (added.status, wire.call("GET", "/k").code) == (200, "SlowDown")

    listed = json.loads(control(store, connect, "GET", "/-/faults").body)

    assert [rule["kind"] for rule in listed] == ["slow_down"]
    assert control(store, connect, "DELETE", "/-/faults").status == 204
    assert wire.call("GET", "/k").code == "NoSuchKey"
    assert json.loads(control(store, connect, "GET", "/-/journal").body)[-1]["status"] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"kind": "earthquake"},
        {"kind": "error", "color": "red"},
        {"kind": "error", "key": "("},
        {"kind": "error", "key": 3},
        {"kind": "error", "operation": ["PutObject"]},
        {"kind": "error", "operation": "Put Object"},
        {"kind": "error", "status": 99},
        {"kind": "error", "status": 600},
        {"kind": "error", "code": None},
        {"kind": "error", "count": 0},
        {"kind": "error", "count": "often"},
        {"kind": "error", "skip": -1},
        {"kind": "error", "skip": None},
        {"kind": "delay", "seconds": "long"},
        {"kind": "delay", "seconds": 1e999},
        {"kind": "clock_skew", "seconds": 1e18},
        {"kind": "clock_skew", "seconds": -1e18},
        {"kind": "drip", "bytes_per_second": 0},
        {"kind": "stale", "answers": 0},
        7,
    ],
)
def test_control_channel_refuses_nonsense(store: LocalStore, connect: Connect, body: object) -> None:
    assert control(store, connect, "POST", "/-/faults", body).status == 400
    assert store.faults.listed() == []


def test_control_channel_needs_its_token(store: LocalStore, connect: Connect, folder: Path) -> None:
    wrong = {"x-localstore-control": "wrong"}
    assert control(store, connect, "GET", "/-/faults", None, **wrong).status == 404
    closed = LocalStore(data=folder, accounts=[OWNER])
    closed.start()
    try:
        with Wire(closed.port, None, "") as wire:
            named = {"Host": "127.0.0.1", "x-localstore-control": ""}
            assert wire.request("GET", "/-/faults", named).status == 404
    finally:
        closed.stop()


def test_pace_is_shared_by_all_uploads(folder: Path) -> None:
    tuning = Tuning(bytes_per_second=1_000_000, latency_ms=20)
    store = LocalStore(data=folder, accounts=[OWNER], tuning=tuning)
    store.start()
    try:
        with Wire(store.port, OWNER) as wire:
            wire.call("PUT", "/")
            start = time.monotonic()
            wire.call("PUT", "/k", bytes(300_000))
            assert time.monotonic() - start > 0.25
            start = time.monotonic()
            wire.call("HEAD", "/k")
            assert time.monotonic() - start > 0.019
    finally:
        store.stop()


@pytest.mark.parametrize("path", ["/-/faults", "/-/accounts"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b" " * 70_000, {}),
        (b"[" * 60_000, {}),
        (b"zz\r\n", {"Transfer-Encoding": "chunked"}),
    ],
)
def test_control_channel_answers_bodies_that_are_none(
    store: LocalStore, connect: Connect, path: str, body: bytes, headers: dict[str, str]
) -> None:
    named = {"Host": f"127.0.0.1:{store.port}", "x-localstore-control": CONTROL} | headers

    reply = connect(None).request("POST", path, named, body)

    assert reply.status == 400
    assert json.loads(reply.body)["error"]
