"""The official Node SDK, whose documentation the requirements are, with its own slicing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.node import NodeMissing

from apps.localstore.server import LocalStore
from tests.clients.conftest import bucket_put
from tests.conftest import ACCOUNT, REGION
from tests.storage.wire.node import NodeSdk

# One worker, so that node is started once.
pytestmark = pytest.mark.xdist_group("node")

MIB = 1024 * 1024
KEY = "dir/中 文+a(1)~!*'.txt"
SLICES = {"SliceSize": MIB, "ChunkSize": MIB, "CopySliceSize": MIB, "CopyChunkSize": MIB}

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def node() -> Iterator[NodeSdk]:
    try:
        sdk = NodeSdk()
    except NodeMissing as missing:
        pytest.skip(f"The Node SDK cannot run here: {missing}")
    yield sdk
    sdk.close()


@pytest.fixture
def ask(node: NodeSdk, local_store: LocalStore, bucket_name: str) -> Ask:
    """A function that calls one method on a new bucket and returns its data or, when told so, its error."""
    bucket_put(local_store.port, ACCOUNT, bucket_name)
    keys = {"SecretId": ACCOUNT.secret_id, "SecretKey": ACCOUNT.secret_key}

    def asked(method: str, fails: bool = False, **params: Any) -> dict[str, Any]:
        sent = {"Bucket": bucket_name, "Region": REGION} | params
        outcome = node.call(local_store.port, method, sent, options=SLICES | keys)
        assert bool(outcome.get("error")) == fails, outcome
        return outcome["error"] if fails else outcome["data"] | {"progress": outcome.get("progress")}

    return asked


def test_file_in_slices_and_its_copy_in_slices(ask: Ask, bucket_name: str, tmp_path: Path) -> None:
    body = os.urandom(3 * MIB + 5)
    (tmp_path / "file").write_bytes(body)

    sent = ask(
        "sliceUploadFile",
        Key=KEY,
        FilePath=str(tmp_path / "file"),
        Headers={"Cache-Control": "no-cache", "x-cos-meta-a": "b"},
        onProgress=True,
    )
    source = f"{bucket_name}.cos.{REGION}.myqcloud.com/dir/%E4%B8%AD%20%E6%96%87%2Ba(1)~!*'.txt"
    ask("sliceCopyFile", Key="copy", CopySource=source)

    assert sent["ETag"].endswith('-4"')
    assert sent["progress"]["onProgress"][-1]["loaded"] == len(body)
    for key in (KEY, "copy"):
        got = ask("getObject", Key=key)
        assert got["Body"] == body
        assert (got["headers"]["cache-control"], got["headers"]["x-cos-meta-a"]) == ("no-cache", "b")
    assert ask("multipartList", Prefix="")["Upload"] == []


def test_lists_and_batches(ask: Ask) -> None:
    for key in ("a", "d/1", "d/2", KEY):
        ask("putObject", Key=key, Body=b"x")

    page = ask("getBucket", Delimiter="/")

    assert [row["Key"] for row in page["Contents"]] == ["a"]
    assert [row["Prefix"] for row in page["CommonPrefixes"]] == ["d/", "dir/"]
    deleted = ask("deleteMultipleObject", Objects=[{"Key": key} for key in ("a", "d/1", "missing", KEY)])
    assert len(deleted["Deleted"]) == 4
    assert [row["Key"] for row in ask("getBucket")["Contents"]] == ["d/2"]


def test_settings(ask: Ask) -> None:
    rule = {"AllowedOrigin": ["https://example.com"], "AllowedMethod": ["GET"], "AllowedHeader": ["*"]}
    tag = {"Key": "k", "Value": "值"}
    ask("putBucketAcl", ACL="public-read")
    ask("putBucketCors", CORSRules=[rule | {"MaxAgeSeconds": "5"}])
    ask("putBucketTagging", Tags=[tag])

    allowed = ask("optionsObject", Key=KEY, Origin="https://example.com", AccessControlRequestMethod="GET")

    assert allowed["AccessControlAllowMethods"] == "GET"
    assert ask("getBucketAcl")["ACL"] == "public-read"
    assert ask("getBucketCors")["CORSRules"][0]["AllowedOrigins"] == ["https://example.com"]
    assert ask("getBucketTagging")["Tags"] == [tag]
    assert ask("getBucketLocation")["LocationConstraint"] == REGION


def test_errors_are_read(ask: Ask) -> None:
    assert ask("headObject", fails=True, Key="missing")["message"] == "Not Found"
    assert ask("getObject", fails=True, Key="missing")["code"] == "NoSuchKey"
    ask("putObject", Key="k", Body=b"x")
    assert ask("deleteBucket", fails=True)["code"] == "BucketNotEmpty"
