"""When an object was modified: whoever asks by that time never takes new content for old."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.wire import Wire, authorization, complete_xml, part_put, upload_begin


def put(wire: Wire) -> int:
    return wire.call("PUT", "/k", b"new").status


def copied(wire: Wire) -> int:
    return wire.call("PUT", "/k", x_cos_copy_source=f"{wire.host}/source").status


def completed(wire: Wire) -> int:
    upload = upload_begin(wire, "/k")
    etag = part_put(wire, "/k", upload, 1, b"new")
    return wire.call("POST", f"/k?uploadId={upload}", complete_xml([(1, etag)])).status


@pytest.mark.parametrize("write", [put, copied, completed])
def test_clock_that_goes_back_makes_no_content_older(
    store: LocalStore, wire: Wire, write: Callable[[Wire], int]
) -> None:
    wire.call("PUT", "/source", b"new")
    wire.call("PUT", "/k", b"old")
    before = wire.call("HEAD", "/k").header("Last-Modified") or ""
    store.faults.add("clock_skew", seconds=-20, count=None)

    assert write(wire) == 200

    found = wire.call("GET", "/k")
    assert found.body == b"new"
    assert parsedate_to_datetime(found.header("Last-Modified") or "") >= parsedate_to_datetime(before)


def listed(wire: Wire) -> dict[str, str]:
    rows = wire.call("GET", "/").xml.iter("Contents")
    return {row.findtext("Key") or "": row.findtext("LastModified") or "" for row in rows}


def test_slow_write_is_as_old_as_its_end(wire: Wire, connect: Connect) -> None:
    slow = connect()
    head = {"Host": slow.host, "Content-Length": "2"}
    head["Authorization"] = authorization(OWNER, "PUT", "/slow", head)
    slow.sock.sendall(slow.head_bytes("PUT", "/slow", head) + b"1")
    time.sleep(0.05)
    wire.call("PUT", "/between", b"")
    slow.sock.sendall(b"2")

    assert slow.reply("PUT").status == 200

    modified = listed(wire)
    assert modified["slow"] >= modified["between"]


def test_copy_tells_when_the_copy_was_made(store: LocalStore, wire: Wire) -> None:
    wire.call("PUT", "/source", b"new")
    wire.call("PUT", "/k", b"old")
    store.faults.add("clock_skew", operation="CopyObject", seconds=-20)

    answer = wire.call("PUT", "/k", x_cos_copy_source=f"{wire.host}/source")

    told = answer.xml.findtext("LastModified") or ""
    assert told[:19] == listed(wire)["k"][:19]
