"""What only happens to objects larger than any answer the client would hold in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint, FileSlice

SIZE = 65 * 1024 * 1024
PLACE = {"Bucket": "large-1250000000", "Region": "ap-guangzhou"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[CosClient]:
    account = Account(
        root_uin="100000000001", appid="1250000000", secret_id="AKIDLARGE", secret_key="large-secret"
    )
    server = LocalStore(data=tmp_path, accounts=[account], host="127.0.0.1", port=0)
    server.start()
    yield CosClient(
        credentials=Credentials(account.secret_id, account.secret_key),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{server.port}"),
    )
    server.stop()


def test_head_of_a_large_object_is_answered(client: CosClient) -> None:
    client.put_bucket(**PLACE)
    with tempfile.TemporaryFile() as file:
        file.truncate(SIZE)
        client.put_object(**PLACE, Key="a", Body=FileSlice(file, 0, SIZE))

    assert client.head_object(**PLACE, Key="a")["content-length"] == str(SIZE)
