"""`x-cos-forbid-overwrite: true`: a write that never replaces what is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.localstore.conftest import Connect
from tests.localstore.wire import Wire, complete_xml, part_put, upload_begin

FORBID = {"x-cos-forbid-overwrite": "true"}


def test_put_leaves_what_is_there(wire: Wire) -> None:
    assert wire.request("PUT", "/k", FORBID, b"first").status == 200

    reply = wire.request("PUT", "/k", FORBID, b"second")

    assert (reply.status, reply.code) == (409, "FileAlreadyExists")
    assert wire.call("GET", "/k").body == b"first"


@pytest.mark.parametrize("value", ["false", ""])
def test_other_values_replace(wire: Wire, value: str) -> None:
    wire.call("PUT", "/k", b"first")

    assert wire.request("PUT", "/k", {"x-cos-forbid-overwrite": value}, b"second").status == 200
    assert wire.call("GET", "/k").body == b"second"


def test_copy_leaves_what_is_there(wire: Wire) -> None:
    wire.call("PUT", "/k", b"first")
    wire.call("PUT", "/source", b"second")

    reply = wire.request("PUT", "/k", FORBID | {"x-cos-copy-source": f"{wire.host}/source"})

    assert reply.code == "FileAlreadyExists"
    assert wire.call("GET", "/k").body == b"first"


def test_complete_leaves_what_is_there_and_can_be_repeated(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")
    etag = part_put(wire, "/k", upload, 1, b"second")
    wire.call("PUT", "/k", b"first")

    reply = wire.request("POST", f"/k?uploadId={upload}", FORBID, complete_xml([(1, etag)]))

    assert reply.code == "FileAlreadyExists"
    assert wire.call("GET", "/k").body == b"first"
    wire.call("DELETE", "/k")
    assert wire.request("POST", f"/k?uploadId={upload}", FORBID, complete_xml([(1, etag)])).status == 200
    assert wire.call("GET", "/k").body == b"second"


def test_one_of_many_writers_wins(connect: Connect) -> None:
    wires = [connect() for _ in range(8)]

    def write(number: int) -> int:
        return wires[number].request("PUT", "/k", FORBID, str(number).encode()).status

    with ThreadPoolExecutor(len(wires)) as pool:
        statuses = list(pool.map(write, range(len(wires))))

    assert sorted(statuses) == [200] + [409] * 7
    assert connect().call("GET", "/k").body == str(statuses.index(200)).encode()
