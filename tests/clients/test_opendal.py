"""OpenDAL, which speaks COS in Rust with a signature of its own that covers no host."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import opendal
import pytest
from opendal.exceptions import ConditionNotMatch, NotFound

from tests.clients.conftest import Served, bucket_put
from tests.conftest import REGION

# One worker, so that the store is started once.
pytestmark = pytest.mark.xdist_group("opendal")

KEY = "dir/中 文+a(1)~!*'.txt"
MIB = 1024 * 1024
PATIENCE_S = 100


@pytest.fixture
def operator(served: Served, bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # A store in this process could not answer: the client waits without letting go of the interpreter's lock.
    # Only a proxy leads it to a port while the host names stay. It is read when the first operator sends.
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{served.port}")
    monkeypatch.setenv("no_proxy", "")
    bucket_put(served.port, served.account, bucket_name)
    # For the same reason the usual time limit could not end a test that hangs.
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True, file=sys.__stderr__)
    yield opendal.Operator(
        "cos",
        bucket=bucket_name,
        endpoint=f"http://cos.{REGION}.myqcloud.com",
        secret_id=served.account.secret_id,
        secret_key=served.account.secret_key,
    )
    faulthandler.cancel_dump_traceback_later()


def test_objects(operator: Any) -> None:
    operator.write(KEY, b"0123456789", content_type="text/x-thing", user_metadata={"a": "b"})

    stat = operator.stat(KEY)

    assert (stat.content_length, stat.content_type, stat.user_metadata) == (10, "text/x-thing", {"a": "b"})
    assert operator.read(KEY, offset=2, size=3) == b"234"
    operator.delete(KEY)
    assert not operator.exists(KEY)
    with pytest.raises(NotFound):
        operator.read(KEY)


def test_lists_of_folders_and_in_pages(operator: Any) -> None:
    for key in ("a", "d/1", "d/2", "d/e/3", KEY):
        operator.write(key, b"")

    assert sorted(entry.path for entry in operator.list("/")) == ["a", "d/", "dir/"]
    assert [entry.path for entry in operator.scan("d/")] == ["d/1", "d/2", "d/e/3"]
    assert [entry.path for entry in operator.list("/", recursive=True, limit=2)] == [
        *("a", "d/1", "d/2", "d/e/3", KEY)
    ]
    operator.remove_all("d/")
    assert [entry.path for entry in operator.scan("/")] == ["a", KEY]


def test_parts_and_a_copy(operator: Any) -> None:
    body = os.urandom(3 * MIB + 1)

    with operator.open("big", "wb", chunk=MIB) as file:
        file.write(body)
    operator.copy("big", KEY)

    assert operator.read(KEY) == body
    assert operator.stat("big").etag.endswith('-4"')


def test_conditions(operator: Any) -> None:
    operator.write("k", b"first")
    etag = operator.stat("k").etag

    assert operator.read("k", if_match=etag) == b"first"
    with pytest.raises(ConditionNotMatch):
        operator.read("k", if_none_match=etag)
    with pytest.raises(ConditionNotMatch):
        operator.read("k", if_match='"another"')


def test_writes_that_must_not_replace(operator: Any) -> None:
    operator.write("k", b"first", if_not_exists=True)

    with pytest.raises(ConditionNotMatch):
        operator.write("k", b"second", if_not_exists=True)
    with (
        pytest.raises(ConditionNotMatch),
        operator.open("k", "wb", chunk=MIB, if_not_exists=True) as file,
    ):
        file.write(bytes(MIB + 1))

    assert operator.read("k") == b"first"


async def _presigned(operator: Any) -> tuple[Any, Any]:
    later = operator.to_async_operator()
    return await later.presign_write(KEY, 60), await later.presign_read(KEY, 60)


def test_presigned_links(operator: Any) -> None:
    # In a thread: a browser in the same process keeps a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        write, read = pool.submit(asyncio.run, _presigned(operator)).result()

    # The opener that `urlopen` makes would outlive this test, and with it the proxy.
    opener = urllib.request.build_opener()
    put = urllib.request.Request(write.url, b"content", write.headers, method=write.method)
    with opener.open(put) as reply:
        assert reply.status == 200
    with opener.open(urllib.request.Request(read.url, headers=read.headers)) as reply:
        assert reply.read() == b"content"
