"""A file becomes an object, whatever happens to single parts."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from tests.storage.recorder import Recorder
from tests.storage.slice_upload.conftest import SIZE, SOON_S, upload
from tests.storage.slices import KEY, MIB, Ground, crc64_text, file_of


def test_file_becomes_an_object_of_parts(ground: Ground, path: Path, data: bytes) -> None:
    result = upload(
        ground,
        str(path),
        SliceSize=str(MIB),
        AsyncLimit="3",
        ContentType="a/b",
        StorageClass="STANDARD_IA",
        ACL="public-read",
        Metadata={"note": "ü"},
        TrafficLimit=838860800,
    )

    found = ground.client.head_object(**ground.at)
    assert ground.read() == data
    assert (result["Bucket"], result["Key"]) == (ground.at["Bucket"], KEY)
    assert result["CRC64"] == crc64_text(data)
    assert result["ETag"] == found["ETag"]
    assert result["ETag"].endswith('-4"')
    assert result["Location"].endswith("/dir/big%20file%2B%C3%BC.bin")
    assert result["UploadId"]
    assert result["RequestId"]
    assert (found["content-type"], found["x-cos-meta-note"]) == ("a/b", "ü")
    assert found["x-cos-storage-class"] == "STANDARD_IA"
    grants = ground.client.get_object_acl(**ground.at)["AccessControlList"]["Grant"]
    assert "READ" in [grant["Permission"] for grant in grants]
    assert ground.unfinished() == []


@pytest.mark.parametrize("size", [0, 1, MIB])
def test_file_up_to_a_slice_is_a_single_request(ground: Ground, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    heard: list[Any] = []
    hashed: list[Any] = []

    result = upload(
        ground,
        file_of(tmp_path, data),
        ContentType="a/b",
        onProgress=heard.append,
        onHashProgress=hashed.append,
    )

    assert ground.read() == data
    assert (ground.asked("PutObject"), ground.asked("InitiateMultipartUpload")) == ([200], [])
    assert (result["CRC64"], result["UploadId"]) == (crc64_text(data), None)
    assert result["ETag"] == ground.client.head_object(**ground.at)["ETag"]
    assert result["Location"].startswith(f"http://{ground.at['Bucket']}.cos.")
    for last in (heard[-1], hashed[-1]):
        assert (last["loaded"], last["total"], last["percent"], last["PartNumber"]) == (size, size, 1.0, 1)


def test_progress_rises_to_the_size_of_the_file(ground: Ground, path: Path) -> None:
    heard: list[Any] = []
    hashed: list[Any] = []
    threads: set[int] = set()
    ground.strike("drop_before", operation="UploadPart", count=2)
    ground.strike("drip", operation="UploadPart", count=None, bytes_per_second=2 * MIB)

    upload(
        ground,
        path,
        onProgress=lambda report: (heard.append(report), threads.add(threading.get_ident())),
        onHashProgress=hashed.append,
    )

    for reports in (heard, hashed):
        loaded = [report["loaded"] for report in reports]
        assert loaded == sorted(loaded)
        assert loaded[-1] == SIZE
        assert [report["PartNumber"] for report in reports][-1] == 4
        assert {report["FileSize"] for report in reports} == {SIZE}
        assert {report["SliceSize"] for report in reports} == {MIB}
        assert all(0 <= report["percent"] <= 1 for report in reports)
    assert heard[-1]["speed"] > 0
    assert threads == {threading.get_ident()}


def test_upload_id_is_told_before_the_first_part(ground: Ground, path: Path) -> None:
    told: list[tuple[str, list[int]]] = []

    result = upload(ground, path, onUploadId=lambda name: told.append((name, ground.asked("UploadPart"))))

    assert told == [(result["UploadId"], [])]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error", "slow_down", "disk_full"])
def test_parts_survive_bad_moments(ground: Ground, path: Path, data: bytes, kind: str) -> None:
    ground.strike(kind, operation="UploadPart", count=3)

    upload(ground, path, AsyncLimit=2)

    assert ground.read() == data


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error", "slow_down", "error_in_200"])
def test_complete_whose_answer_is_bad_is_settled(ground: Ground, path: Path, data: bytes, kind: str) -> None:
    ground.client.put_object(**ground.at, Body=data)
    ground.strike(kind, operation="CompleteMultipartUpload", count=2 if kind != "drop_after" else 1)

    result = upload(ground, path, ContentType="new/one")

    assert result["CRC64"] == crc64_text(data)
    assert ground.unfinished() == []
    # The object that was there before has the same bytes, and must not be taken for the new one.
    assert ground.client.head_object(**ground.at)["content-type"] == "new/one"


def test_result_has_the_same_fields_in_one_request_and_in_parts(ground: Ground, path: Path) -> None:
    parts = upload(ground, path)
    whole = upload(ground, path, SliceSize=4 * MIB)

    assert parts.keys() == whole.keys()


def test_object_that_was_put_whole_is_not_taken_for_the_upload(
    ground: Ground, path: Path, data: bytes
) -> None:
    ground.client.put_object(**ground.at, Body=data)
    ids: list[str] = []

    def abort_all(report: dict[str, Any]) -> None:
        if report["PartNumber"] == 4:
            while ids:
                ground.client.multipart_abort(**ground.at, UploadId=ids.pop())

    with pytest.raises(errors.UploadNotFound):
        upload(ground, path, onUploadId=ids.append, onProgress=abort_all)


def test_first_refused_part_stops_the_others(ground: Ground, tmp_path: Path) -> None:
    path = file_of(tmp_path, bytes(40 * MIB))
    ground.strike("error", operation="UploadPart", count=None, skip=4, status=403, code="AccessDenied")

    with pytest.raises(errors.Denied):
        upload(ground, path, AsyncLimit=2)

    assert 403 in ground.asked("UploadPart")
    assert len(ground.asked("UploadPart")) <= 8
    assert ground.asked("AbortMultipartUpload") == [204]
    assert ground.unfinished() == []
    assert ground.keys() == []


def test_failing_part_cuts_the_one_beside_it(ground: Ground, path: Path) -> None:
    ground.strike("delay", operation="UploadPart", seconds=20)
    ground.strike("error", operation="UploadPart", skip=1, status=403, code="AccessDenied")
    begun = time.monotonic()

    with pytest.raises(errors.Denied):
        upload(ground, path, AsyncLimit=2)

    assert time.monotonic() - begun < SOON_S
    assert ground.unfinished() == []


def test_abort_that_fails_does_not_hide_why(ground: Ground, path: Path) -> None:
    ground.strike("error", operation="UploadPart", count=None, status=403, code="AccessDenied")
    ground.strike("error", operation="AbortMultipartUpload", count=None, status=403, code="AccessDenied")

    with pytest.raises(
        errors.Denied, match=r"could not be aborted either and still takes up space"
    ) as caught:
        upload(ground, path)

    assert caught.value.operation == "Upload Part"
    assert ground.unfinished()[0] in str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"SliceSize": "big"}, "SliceSize must be a whole number"),
        ({"SliceSize": 0}, "SliceSize must be at least 1"),
        ({"AsyncLimit": -1}, "AsyncLimit must be between"),
        ({"AsyncLimit": 257}, "AsyncLimit must be between 1 and 256"),
        ({"Key": "/a"}, "must not start"),
        ({"Bucket": "photos"}, "not a full bucket name"),
        ({"Metadata": {"a b": "c"}}, "metadata name"),
        ({"FilePath": "/"}, "not a regular file"),
        ({"FilePath": "/dev/null"}, "not a regular file"),
    ],
)
def test_nonsense_is_refused_before_anything_is_sent(
    recorder: Recorder, client: CosClient, path: Path, more: dict[str, Any], said: str
) -> None:
    given = {"Bucket": "b-1250000000", "Region": "ap-guangzhou", "Key": "k", "FilePath": path}

    with pytest.raises(errors.Refused, match=said):
        client.slice_upload_file(**{**given, **more})

    assert recorder.connections == 0


def test_missing_file_is_told_as_any_missing_file(recorder: Recorder, client: CosClient) -> None:
    with pytest.raises(FileNotFoundError):
        client.slice_upload_file(
            Bucket="b-1250000000", Region="ap-guangzhou", Key="k", FilePath="/nowhere/at/all"
        )

    assert recorder.connections == 0
