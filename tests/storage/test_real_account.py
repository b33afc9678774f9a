"""The contract's suite on a real account, tried on a store that only its address tells from one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.storage.types import Credentials, Endpoint, ObjectHeaders
from tests.storage.contract.place import account_of_environment, slice_of

ROOT = Path(__file__).parents[2]
KEY = Credentials("AKIDREAL", "real-secret")
AT = {"bucket": "mine-1250000000", "region": "ap-guangzhou"}
TOPICS = (
    "listing_goes",
    "quiet_batch",
    "tags_come_back",
    "bucket_acl_grants",
    "says_whose",
    "metadata_up_to",
)


def test_suite_leaves_a_real_account_as_it_was(tmp_path: Path) -> None:
    server = LocalStore(tmp_path / "store", [Account(secret_id=KEY.secret_id, secret_key=KEY.secret_key)])
    server.start()
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{server.port}")
    store = store_open("cos", credentials=KEY, endpoint=endpoint)
    _fill(store)
    before = _seen(store)
    for operation in ("PutObject", "DeleteMultipleObjects"):
        server.faults.add("stale", operation=operation, count=None, seconds=0.2, hides="lists")

    done = _run_suite(server.port)
    server.faults.clear()
    after = _seen(store)
    server.stop()

    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(TOPICS) + 3} passed" in done.stdout
    assert after == before


def _fill(store: ObjectStore) -> None:
    """Put into the named bucket what somebody would miss."""
    store.create_bucket(**AT, acl="public-read", tags=[Tag("owner", "somebody")])
    store.put_bucket_cors(**AT, cors=Cors((CorsRule(("*",), ("GET",)),)))
    store.put_object(**AT, key="precious", body=slice_of(b"1"), headers=ObjectHeaders())
    store.create_multipart_upload(**AT, key="half", headers=ObjectHeaders())


def _seen(store: ObjectStore) -> list[object]:
    return [
        store.list_buckets(),
        store.list_objects(**AT),
        store.list_multipart_uploads(**AT),
        store.get_bucket_acl(**AT),
        store.get_bucket_cors(**AT),
        store.get_bucket_tags(**AT),
    ]


def _run_suite(port: int) -> subprocess.CompletedProcess[str]:
    named = {
        "COS_SECRET_ID": KEY.secret_id,
        "COS_SECRET_KEY": KEY.secret_key,
        "COS_REGION": AT["region"],
        "COS_BUCKET": AT["bucket"],
        "COS_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    wanted = f"real and ({' or '.join(TOPICS)})"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-k", wanted]
    return subprocess.run(
        [*command, "tests/storage/test_store_contract.py"],
        cwd=ROOT,
        env={**os.environ, **named},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("missing", ["COS_SECRET_ID", "COS_SECRET_KEY", "COS_REGION", "COS_BUCKET"])
def test_account_that_is_named_in_part_is_none(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in ("COS_SECRET_ID", "COS_SECRET_KEY", "COS_REGION", "COS_BUCKET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv(missing)

    with pytest.raises(pytest.skip.Exception, match="are not set"):
        account_of_environment()
