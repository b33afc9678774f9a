"""A slice upload and a slice copy are the same requests, in the same order, as in both official SDKs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.storage.cos import CosClient
from tests.storage.identity import SECRET_KEY
from tests.storage.recorder import Recorder, Seen
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import AT, BUCKET, KEY, Case, Side
from tests.storage.wire.facts import Differ, differences, facts_of, unexplained
from tests.storage.wire.files import CHUNKED
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.objects import DIRECTIVE, HEADERS, NODE_HEADERS, NODE_SOURCE, SOURCE
from tests.storage.wire.parts import PartStore
from tests.storage.wire.python import python_sdk
from tests.storage.wire.reasons import (
    BARE_NAME,
    EMPTY_CACHE_CONTROL,
    EMPTY_HEADERS,
    NO_LENGTH,
    NODE_ALWAYS,
    PYTHON_ALWAYS,
    WITH_DIGEST,
)

MIB = 1 << 20
BYTES = bytes(range(250)) * 10486
SIZES = [MIB, MIB, len(BYTES) - 2 * MIB]
Differs = Mapping[str, Differ]
NOWHERE = Side("", missing="one SDK at a time")
CHECKED_AFTERWARDS = {
    "header content-md5": Differ(
        "we compare the CRC-64 that the store returns for the part",
        None,
        "of the body (signed)",
    )
}
TYPED_PARTS = {
    "header content-type": Differ(
        "a part has no type; the SDK sends that of the file", None, "text/csv (signed)"
    )
}
NO_LIMIT = {
    "header x-cos-traffic-limit": Differ("there is nothing to slow down yet", None, "819200 (signed)")
}
NO_METADATA = {
    f"header x-cos-meta-{name.lower()}": Differ("the upload has it already", None, f"{value} (signed)")
    for name, value in HEADERS["Metadata"].items()
}
NODE_SLICE_COPY = {
    **AT,
    "Key": KEY,
    "CopySource": NODE_SOURCE,
    # Both had other names when they were documented: SliceSize and ChunkSize.
    "CopySliceSize": MIB,
    "CopyChunkSize": MIB,
}
ONE_BY_ONE = {"CopyChunkParallelLimit": 1}
# Both SDKs take over an unfinished upload of the key that they find; we take one that the caller names.
SEARCH = ("GET", "/?uploads=")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(BYTES)
    return path


def sent(recorder: Recorder, client: CosClient, file: Path, **options: Any) -> list[Seen]:
    """Return what our client sends for the file, part after part, and leave the recorder as it was."""
    recorder.answer = PartStore().answer

    client.slice_upload_file(**AT, Key=KEY, FilePath=file, SliceSize=MIB, AsyncLimit=1, **options)

    seen, recorder.seen[:] = recorder.seen.copy(), []
    recorder.answer = PartStore().answer
    return seen


def test_slice_upload_is_that_of_the_python_sdk(recorder: Recorder, client: CosClient, file: Path) -> None:
    ours = sent(recorder, client, file)

    python_sdk(recorder.port).upload_file(
        Bucket=BUCKET, Key=KEY, LocalFilePath=str(file), PartSize=1, MAXThread=1, EnableMD5=True
    )

    search, *theirs = recorder.seen
    assert (search.method, search.target.partition("&")[0]) == SEARCH
    assert [len(each.body) for each in ours[1:-1]] == SIZES
    assert_alike(
        ours,
        theirs,
        [PYTHON_ALWAYS, BARE_NAME],
        *[[PYTHON_ALWAYS, CHECKED_AFTERWARDS]] * len(SIZES),
        [PYTHON_ALWAYS, WITH_DIGEST],
    )


@pytest.mark.xdist_group("node")
@pytest.mark.parametrize("has_headers", [False, True])
def test_slice_upload_is_that_of_the_node_sdk(
    recorder: Recorder, client: CosClient, node: NodeSdk, file: Path, has_headers: bool
) -> None:
    case = Case(
        "slice_upload_file",
        HEADERS if has_headers else {},
        NOWHERE,
        Side("sliceUploadFile", NODE_HEADERS if has_headers else {}),
    )
    ours = sent(recorder, client, file, **case.arguments)
    params = {**case.for_node(), "Key": KEY, "FilePath": str(file), "SliceSize": MIB, "AsyncLimit": 1}

    outcome = node.call(recorder.port, "sliceUploadFile", params)

    assert not outcome["error"]
    search, *theirs = recorder.seen
    assert (search.method, search.target.partition("&")[0]) == SEARCH
    assert_alike(
        ours,
        theirs,
        [NODE_ALWAYS, BARE_NAME, NO_LIMIT if has_headers else EMPTY_HEADERS],
        *[[NODE_ALWAYS, CHECKED_AFTERWARDS, TYPED_PARTS]] * len(SIZES),
        [NODE_ALWAYS, NO_METADATA if has_headers else {}],
    )


@pytest.mark.parametrize("size", [0, 1, MIB])
def test_small_file_is_one_put_as_in_the_python_sdk(
    recorder: Recorder, client: CosClient, file: Path, size: int
) -> None:
    file.write_bytes(BYTES[:size])
    ours = sent(recorder, client, file)

    python_sdk(recorder.port).upload_file(
        Bucket=BUCKET, Key=KEY, LocalFilePath=str(file), PartSize=1, EnableMD5=True
    )

    assert_alike(ours, recorder.seen, [PYTHON_ALWAYS, {} if size else CHUNKED])


@pytest.mark.xdist_group("node")
def test_slice_copy_is_that_of_the_node_sdk(recorder: Recorder, client: CosClient, node: NodeSdk) -> None:
    ours = copied(recorder, client, BYTES)

    outcome = node.call(recorder.port, "sliceCopyFile", NODE_SLICE_COPY, options=ONE_BY_ONE)

    assert not outcome["error"]
    ranges = ["bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-2621499"]
    assert [seen.headers["x-cos-copy-source-range"] for seen in ours[2:-1]] == ranges
    assert ours[1].headers["x-cos-meta-note"] == "of the source"
    assert_alike(
        ours,
        recorder.seen,
        [NODE_ALWAYS, NO_LENGTH],
        [NODE_ALWAYS, BARE_NAME, EMPTY_CACHE_CONTROL],
        *[[NODE_ALWAYS, pinned(BYTES)]] * len(ranges),
        [NODE_ALWAYS],
    )


@pytest.mark.xdist_group("node")
def test_slice_copy_with_new_headers_is_that_of_the_node_sdk(
    recorder: Recorder, client: CosClient, node: NodeSdk
) -> None:
    new = {"ContentType": "a/b", "CacheControl": "no-store", "MetadataDirective": "Replaced"}
    ours = copied(recorder, client, BYTES, **new, Metadata={"other": "x"})

    node.call(
        recorder.port,
        "sliceCopyFile",
        {**NODE_SLICE_COPY, **new, "x-cos-meta-other": "x"},
        options=ONE_BY_ONE,
    )

    assert "x-cos-meta-note" not in ours[1].headers
    assert_alike(ours[1:2], recorder.seen[1:2], [NODE_ALWAYS, BARE_NAME])


@pytest.mark.xdist_group("node")
def test_small_copy_is_one_request_in_all_clients(
    recorder: Recorder, client: CosClient, node: NodeSdk
) -> None:
    small = BYTES[:100]
    ours = copied(recorder, client, small)

    python_sdk(recorder.port).copy(Bucket=BUCKET, Key=KEY, CopySource=SOURCE)
    by_python, recorder.seen[:] = recorder.seen.copy(), []
    node.call(recorder.port, "sliceCopyFile", NODE_SLICE_COPY)

    assert_alike(ours, by_python, [PYTHON_ALWAYS], [PYTHON_ALWAYS, DIRECTIVE, pinned(small)])
    assert_alike(
        ours,
        recorder.seen,
        [NODE_ALWAYS, NO_LENGTH],
        [NODE_ALWAYS, DIRECTIVE, EMPTY_CACHE_CONTROL, pinned(small)],
    )


def copied(recorder: Recorder, client: CosClient, source: bytes, **options: Any) -> list[Seen]:
    """Return what our client sends to copy the source, part after part, and leave the recorder as it was."""
    store = PartStore(source, Content_Type="text/plain", Expires="0", x_cos_meta_note="of the source")
    recorder.answer = store.answer

    client.slice_copy_file(
        **AT, Key=KEY, CopySource=SOURCE, SliceSize=MIB, ChunkSize=MIB, AsyncLimit=1, **options
    )

    seen, recorder.seen[:] = recorder.seen.copy(), []
    return seen


def pinned(source: bytes) -> Differs:
    etag = f'"{hashlib.md5(source).hexdigest()}"'
    because = "a source that is replaced midway must not become half of two objects"
    return {"header x-cos-copy-source-if-match": Differ(because, f"{etag} (signed)", None)}


def assert_alike(ours: list[Seen], theirs: list[Seen], *listed: list[Differs]) -> None:
    """Compare request by request; `listed` has the explained differences of each."""
    for our, their, reasons in zip(ours, theirs, listed, strict=True):
        assert signature_is_valid(our, SECRET_KEY)
        assert signature_is_valid(their, SECRET_KEY)
        assert unexplained(differences(facts_of(our), facts_of(their)), *reasons) == {}
