"""Slice Copy File against the embedded store and its faults."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient
from apps.storage.cos.slice_source import source_parse
from tests.storage.recorder import Recorder, reply
from tests.storage.slices import MIB, Ground, client_to, crc64_text, slice_threads

SIZE = 3 * MIB + 7
SOON_S = 5
SOURCE = "from here/größe+.bin"
HEADERS: dict[str, Any] = {
    "ContentType": "a/b",
    "CacheControl": "max-age=7",
    "ContentDisposition": "inline",
    "ContentEncoding": "x",
    "ContentLanguage": "de",
    "Expires": "Thu, 01 Jan 2032 00:00:00 GMT",
    "Metadata": {"note": "ü", "other": "1"},
}


@pytest.fixture
def data(ground: Ground) -> bytes:
    data = os.urandom(SIZE)
    ground.client.put_object(**source_at(ground), Body=data, StorageClass="STANDARD_IA", **HEADERS)
    return data


def source_at(ground: Ground) -> dict[str, str]:
    return {**ground.place, "Key": SOURCE}


def copy(ground: Ground, **more: Any) -> dict[str, Any]:
    """Copy the source in parts of 1 MiB, unless `more` says otherwise."""
    given = {**ground.at, "CopySource": source_at(ground), "SliceSize": MIB, "ChunkSize": MIB}
    return ground.client.slice_copy_file(**{**given, **more})


def described(ground: Ground, **at: str) -> dict[str, Any]:
    found = ground.client.head_object(**{**ground.at, **at})
    names = (
        "content-type",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
        "x-cos-meta-note",
        "x-cos-meta-other",
        "x-cos-storage-class",
    )
    return {name: found.get(name) for name in names}


@pytest.mark.parametrize("way", ["single", "parts"])
def test_object_is_copied_with_what_it_says_of_itself(ground: Ground, data: bytes, way: str) -> None:
    heard: list[Any] = []
    more = {"SliceSize": None, "ChunkSize": None} if way == "single" else {}

    result = copy(ground, onProgress=heard.append, **more)

    found = ground.client.head_object(**ground.at)
    assert ground.read() == data
    assert described(ground) == {
        **described(ground, Key=SOURCE),
        # As on the wire: the class of a copy is the default one.
        "x-cos-storage-class": "STANDARD",
    }
    assert (result["CRC64"], result["ETag"]) == (crc64_text(data), found["ETag"])
    assert result["Location"].endswith("/dir/big%20file%2B%C3%BC.bin")
    assert (result["Bucket"], result["Key"]) == (ground.at["Bucket"], ground.at["Key"])
    assert (len(ground.asked("CopyObject")), len(ground.asked("UploadPartCopy"))) == (
        (1, 0) if way == "single" else (0, 4)
    )
    assert (result["UploadId"] is None) == (way == "single")
    loaded = [report["loaded"] for report in heard]
    assert loaded == sorted(loaded)
    assert (heard[-1]["loaded"], heard[-1]["percent"], heard[-1]["FileSize"]) == (SIZE, 1.0, SIZE)
    assert heard[-1]["PartNumber"] == (1 if way == "single" else 4)


@pytest.mark.parametrize("way", ["single", "parts"])
def test_headers_and_metadata_may_be_replaced(ground: Ground, data: bytes, way: str) -> None:
    copy(
        ground,
        MetadataDirective="Replaced",
        ContentType="new/one",
        Metadata={"note": "new"},
        StorageClass="MAZ_STANDARD",
        ACL="public-read",
        **({"SliceSize": None} if way == "single" else {}),
    )

    told = described(ground)
    assert (told["content-type"], told["x-cos-meta-note"], told["x-cos-meta-other"]) == (
        "new/one",
        "new",
        None,
    )
    assert (told["cache-control"], told["x-cos-storage-class"]) == (None, "MAZ_STANDARD")
    grants = ground.client.get_object_acl(**ground.at)["AccessControlList"]["Grant"]
    assert "READ" in [grant["Permission"] for grant in grants]


@pytest.mark.parametrize("more", [{"ContentType": "c/d"}, {"Metadata": {"n": "v"}}, {"x-cos-meta-n": "v"}])
def test_headers_that_would_be_ignored_are_refused(
    ground: Ground, data: bytes, more: Mapping[str, Any]
) -> None:
    with pytest.raises(errors.Refused, match="takes effect only with MetadataDirective='Replaced'"):
        copy(ground, **more)

    assert ground.asked("HeadObject") == []


@pytest.mark.parametrize("size", [0, 5, MIB])
def test_small_or_empty_source_is_a_single_request(ground: Ground, size: int) -> None:
    data = os.urandom(size)
    ground.client.put_object(**source_at(ground), Body=data)
    heard: list[Any] = []

    result = copy(ground, onProgress=heard.append)

    assert ground.read() == data
    assert (result["CRC64"], ground.asked("CopyObject")) == (crc64_text(data), [200])
    assert (heard[-1]["loaded"], heard[-1]["total"], heard[-1]["percent"]) == (size, size, 1.0)


@pytest.mark.parametrize("way", ["single", "parts"])
def test_copy_onto_itself_keeps_the_headers(ground: Ground, data: bytes, way: str) -> None:
    before = described(ground, Key=SOURCE)

    copy(ground, Key=SOURCE, StorageClass="STANDARD_IA", **({"SliceSize": None} if way == "single" else {}))

    assert described(ground, Key=SOURCE) == before
    assert ground.read(Key=SOURCE) == data


def test_source_may_be_in_another_region(ground: Ground) -> None:
    elsewhere = {"Bucket": ground.at["Bucket"].replace("slices", "far"), "Region": "ap-singapore"}
    ground.client.put_bucket(**elsewhere)
    data = os.urandom(2 * MIB)
    ground.client.put_object(**elsewhere, Key=SOURCE, Body=data)

    copy(ground, CopySource={**elsewhere, "Region": "singapore", "Key": SOURCE})

    assert ground.read() == data


@pytest.mark.parametrize("scheme", ["", "https://"])
@pytest.mark.parametrize("query", ["", "?versionId=null"])
def test_source_may_be_text(ground: Ground, data: bytes, scheme: str, query: str) -> None:
    host = f"{ground.at['Bucket']}.cos.ap-guangzhou.myqcloud.com"

    copy(ground, CopySource=f"{scheme}{host}/from%20here/gr%C3%B6%C3%9Fe+.bin{query}")

    assert ground.read() == data


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("b-1.cos.ap-beijing.myqcloud.com/a", ("b-1", "ap-beijing", "a", None)),
        ("http://b-1.cos-internal.ap-beijing.tencentcos.cn/a/../b", ("b-1", "ap-beijing", "a/../b", None)),
        ("b-1.cos.cn-south.localhost:8080/a%3Fb?versionId=M%2FT", ("b-1", "cn-south", "a?b", "M/T")),
        ("b-1.cos.ap-beijing.myqcloud.com/a+b//?versionid=x", ("b-1", "ap-beijing", "a+b//", "x")),
        ("b-1.cos.ap-beijing.myqcloud.com/a?versionId=", ("b-1", "ap-beijing", "a", None)),
    ],
)
def test_source_is_read_from_text(text: str, found: tuple[str | None, ...]) -> None:
    parsed = source_parse(text)

    assert tuple(parsed.get(name) for name in ("Bucket", "Region", "Key", "VersionId")) == found


@pytest.mark.parametrize("text", ["", "a", "https://cdn.example.com/a", "b-1.cos.ap-beijing.myqcloud.com/"])
def test_source_that_names_no_object_is_refused(recorder: Recorder, client: CosClient, text: str) -> None:
    with pytest.raises(errors.Refused, match="CopySource must name"):
        client.slice_copy_file(Bucket="b-1", Region="ap-guangzhou", Key="k", CopySource=text)

    assert recorder.connections == 0


def test_version_is_asked_for_and_copied(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(reply(ETag='"e"', Content_Length="0", x_cos_hash_crc64ecma="0"))
    recorder.steps.append(reply(200, b"<CopyObjectResult><ETag>e2</ETag><CRC64>0</CRC64></CopyObjectResult>"))
    source = "b-1.cos.ap-guangzhou.myqcloud.com/a%20b?versionId=M%2FT"

    client.slice_copy_file(Bucket="b-1", Region="ap-guangzhou", Key="k", CopySource=source)

    assert recorder.seen[0].query == {"versionId": "M/T"}
    assert recorder.seen[1].headers["x-cos-copy-source"] == source.replace("%2F", "/")
    assert recorder.seen[1].headers["x-cos-copy-source-if-match"] == '"e"'


@pytest.mark.parametrize("way", ["single", "parts"])
def test_missing_source_is_told(ground: Ground, way: str) -> None:
    with pytest.raises(errors.ObjectNotFound, match="The source of the copy does not exist"):
        copy(ground, **({"SliceSize": None} if way == "single" else {}))

    assert ground.unfinished() == []


@pytest.mark.parametrize("way", ["single", "parts"])
def test_archived_source_is_told(ground: Ground, way: str) -> None:
    ground.client.put_object(**source_at(ground), Body=bytes(SIZE), StorageClass="ARCHIVE")

    with pytest.raises(errors.Conflict, match="Restore it first") as caught:
        copy(ground, **({"SliceSize": None} if way == "single" else {}))

    assert caught.value.code == "InvalidObjectState"
    assert ground.asked("InitiateMultipartUpload") == []


def test_condition_on_the_source_is_heeded(ground: Ground, data: bytes) -> None:
    etag = ground.client.head_object(**source_at(ground))["ETag"]

    with pytest.raises(errors.Conflict):
        copy(ground, CopySourceIfMatch='"0123456789abcdef0123456789abcdef"')
    with pytest.raises(errors.Conflict):
        copy(ground, CopySourceIfNoneMatch=etag)
    copy(ground, CopySourceIfMatch=etag)

    assert ground.read() == data


def test_source_that_changes_midway_is_no_mixture(ground: Ground, data: bytes) -> None:
    def change(report: Mapping[str, Any]) -> None:
        if report["PartNumber"] == 1:
            ground.client.put_object(**source_at(ground), Body=bytes(SIZE))

    ground.strike("delay", operation="UploadPartCopy", count=None, skip=1, seconds=0.5)

    with pytest.raises(errors.Conflict, match="The source changed while it was copied"):
        copy(ground, AsyncLimit=1, onProgress=change)

    assert ground.keys() == [SOURCE]
    assert ground.unfinished() == []


@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
def test_source_that_changes_is_told_after_a_200_too(ground: Ground, data: bytes, operation: str) -> None:
    ground.strike("error_in_200", operation=operation, count=None, code="PreconditionFailed")

    with pytest.raises(errors.Conflict, match="The source changed while it was copied"):
        copy(ground, **({"SliceSize": None} if operation == "CopyObject" else {}))

    assert ground.keys() == [SOURCE]
    assert ground.unfinished() == []


@pytest.mark.parametrize("kind", ["slow_down", "error", "error_in_200", "drop_before", "drop_after"])
def test_parts_survive_bad_moments(ground: Ground, data: bytes, kind: str) -> None:
    ground.strike(kind, operation="UploadPartCopy", count=3)

    copy(ground, AsyncLimit="2")

    assert ground.read() == data


def test_part_that_fails_after_its_200_is_a_failure(ground: Ground, data: bytes) -> None:
    ground.strike("error_in_200", operation="UploadPartCopy", count=None, code="AccessDenied")

    with pytest.raises(errors.Denied):
        copy(ground)

    assert ground.keys() == [SOURCE]
    assert ground.asked("AbortMultipartUpload") == [204]


def test_first_refused_part_stops_the_others(ground: Ground) -> None:
    ground.client.put_object(**source_at(ground), Body=bytes(40 * MIB))
    ground.strike("error", operation="UploadPartCopy", count=None, skip=4, status=403, code="AccessDenied")

    with pytest.raises(errors.Denied):
        copy(ground, AsyncLimit=2)

    assert len(ground.asked("UploadPartCopy")) <= 8
    assert ground.asked("AbortMultipartUpload") == [204]
    assert ground.unfinished() == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error", "slow_down", "error_in_200"])
def test_complete_whose_answer_is_bad_is_settled(ground: Ground, data: bytes, kind: str) -> None:
    ground.strike(kind, operation="CompleteMultipartUpload")

    result = copy(ground)

    assert result["CRC64"] == crc64_text(data)
    assert ground.read() == data


def test_kept_upload_is_gone_on_with_and_trusts_no_part(ground: Ground, data: bytes) -> None:
    told: list[str] = []
    ground.strike("error", operation="UploadPartCopy", count=None, skip=2, status=403, code="AccessDenied")
    with pytest.raises(errors.Denied, match="was kept"):
        copy(ground, AsyncLimit=1, KeepUpload=True, onUploadId=told.append)
    assert ground.unfinished() == told
    ground.server.faults.clear()
    foreign = os.urandom(MIB)
    ground.client.multipart_upload(**ground.at, UploadId=told[0], PartNumber=1, Body=foreign)

    result = copy(ground, UploadId=told[0])

    assert ground.read() == data
    assert result["UploadId"] == told[0]


def test_upload_that_is_not_there_is_named(ground: Ground, data: bytes) -> None:
    other = ground.client.multipart_init(**{**ground.at, "Key": "other"})["UploadId"]

    with pytest.raises(errors.UploadNotFound, match="There is no unfinished upload"):
        copy(ground, UploadId=other)

    assert ground.unfinished() == [other]
    assert ground.asked("UploadPartCopy") == []


@pytest.mark.parametrize("crc64", ["part", "whole", "single"])
def test_other_digest_is_told(recorder: Recorder, client: CosClient, crc64: str) -> None:
    body = b"<%s><ETag>e</ETag><CRC64>%s</CRC64></%s>"
    part, right = (
        (b"7", crc64_text(bytes(MIB))) if crc64 == "part" else (crc64_text(bytes(MIB)).encode(),) * 2
    )
    right = crc64_text(bytes(MIB))
    recorder.steps.append(reply(ETag='"e"', Content_Length=str(MIB), x_cos_hash_crc64ecma=right))
    if crc64 == "single":
        recorder.steps.append(reply(200, body % (b"CopyObjectResult", b"7", b"CopyObjectResult")))
    else:
        begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        done = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        recorder.steps.append(reply(200, begun))
        recorder.steps.append(reply(200, body % (b"CopyPartResult", part, b"CopyPartResult")))
        recorder.steps.append(reply(200, done, x_cos_hash_crc64ecma="9"))

    said = "do not add up to the source" if crc64 == "part" else "is in the store, but is not what was sent"
    with pytest.raises(errors.Corrupted, match=said):
        client.slice_copy_file(
            Bucket="b-1",
            Region="ap-guangzhou",
            Key="k",
            CopySource={"Bucket": "b-1", "Region": "ap-guangzhou", "Key": "s"},
            SliceSize=None if crc64 == "single" else 1,
        )

    assert recorder.seen[-1].method == {"part": "DELETE", "whole": "POST", "single": "PUT"}[crc64]


@pytest.mark.parametrize("moment", ["head hangs", "single hangs", "part hangs", "pause"])
def test_cancel_is_at_once(ground: Ground, data: bytes, moment: str) -> None:
    token = CancelToken()
    client, more = ground.client, {}
    if moment == "pause":
        ground.strike("slow_down", operation="UploadPartCopy", count=None)
        client = client_to(ground.server, first_delay_s=60, delay_max_s=60)
    else:
        operation = {"head hangs": "HeadObject", "single hangs": "CopyObject", "part hangs": "UploadPartCopy"}
        ground.strike("delay", operation=operation[moment], count=None, seconds=30)
    if moment == "single hangs":
        more = {"SliceSize": 4 * MIB}
    canceled_at: list[float] = []
    threading.Timer(0.3, lambda: (canceled_at.append(time.monotonic()), token.cancel())).start()

    with pytest.raises(errors.Canceled):
        client.slice_copy_file(
            **{**ground.at, "CopySource": source_at(ground), "SliceSize": MIB, "ChunkSize": MIB, **more},
            Cancel=token,
        )

    assert time.monotonic() - canceled_at[0] < SOON_S
    assert slice_threads() == []
    assert ground.unfinished() == []


@pytest.mark.parametrize("name", ["onProgress", "onUploadId"])
def test_exception_in_a_callback_comes_through(ground: Ground, data: bytes, name: str) -> None:
    def fail(_: object) -> None:
        raise LookupError("The job is gone.")

    with pytest.raises(LookupError, match="The job is gone"):
        copy(ground, **{name: fail})

    assert ground.keys() == [SOURCE]
    assert ground.unfinished() == []


def test_tags_that_cannot_come_along_are_refused(ground: Ground, data: bytes) -> None:
    with pytest.raises(errors.Refused, match="Tags do not come along with a copy in parts"):
        copy(ground, TaggingDirective="Copy")

    assert ground.asked("InitiateMultipartUpload") == []
