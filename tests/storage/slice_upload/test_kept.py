"""An upload that was begun is gone on with, and others are left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from tests.storage.slice_upload.conftest import SIZE, upload
from tests.storage.slices import MIB, Ground, crc64_text, file_of


def test_kept_upload_is_gone_on_with(ground: Ground, path: Path, data: bytes) -> None:
    told: list[str] = []
    ground.strike("error", operation="UploadPart", count=None, skip=2, status=403, code="AccessDenied")
    with pytest.raises(errors.Denied, match="was kept"):
        upload(ground, path, AsyncLimit=1, KeepUpload=True, onUploadId=told.append)
    assert ground.unfinished() == told
    ground.server.faults.clear()
    before = len(ground.asked("UploadPart"))
    heard: list[Any] = []

    result = upload(ground, path, UploadId=told[0], onProgress=heard.append)

    assert ground.read() == data
    assert result["UploadId"] == told[0]
    assert len(ground.asked("UploadPart")) - before == 2
    assert ground.asked("InitiateMultipartUpload") == [200]
    assert (heard[-1]["loaded"], heard[-1]["PartNumber"]) == (SIZE, 4)


def test_parts_of_others_are_replaced(ground: Ground, path: Path, data: bytes) -> None:
    upload_id = ground.client.multipart_init(**ground.at)["UploadId"]
    foreign = {
        1: data[:MIB],
        2: os.urandom(MIB),
        3: data[2 * MIB : 3 * MIB - 1],
        4: data[3 * MIB :] + b"!",
        9: b"a part beyond the plan",
    }
    for number, piece in foreign.items():
        ground.client.multipart_upload(**ground.at, UploadId=upload_id, PartNumber=number, Body=piece)
    before = len(ground.asked("UploadPart"))

    result = upload(ground, path, UploadId=upload_id)

    assert ground.read() == data
    assert result["CRC64"] == crc64_text(data)
    assert len(ground.asked("UploadPart")) - before == 3


def test_parts_of_another_size_are_replaced(ground: Ground, path: Path, data: bytes) -> None:
    upload_id = ground.client.multipart_init(**ground.at)["UploadId"]
    for number in (1, 2):
        piece = data[(number - 1) * 1_500_000 : number * 1_500_000]
        ground.client.multipart_upload(**ground.at, UploadId=upload_id, PartNumber=number, Body=piece)

    upload(ground, path, UploadId=upload_id, SliceSize=2 * MIB)

    assert ground.read() == data


def test_small_file_goes_on_with_a_named_upload(ground: Ground, tmp_path: Path) -> None:
    upload_id = ground.client.multipart_init(**ground.at)["UploadId"]

    upload(ground, file_of(tmp_path, b"abc"), UploadId=upload_id)

    assert ground.read() == b"abc"
    assert ground.unfinished() == []


def test_other_uploads_of_the_key_are_left_alone(ground: Ground, path: Path) -> None:
    others = [ground.client.multipart_init(**ground.at)["UploadId"] for _ in range(2)]

    upload(ground, path)

    assert sorted(ground.unfinished()) == sorted(others)


@pytest.mark.parametrize("case", ["unknown", "of another key", "completed"])
def test_upload_that_is_not_there_is_named(ground: Ground, path: Path, case: str) -> None:
    upload_id = "1600000000deadbeef"
    if case == "of another key":
        upload_id = ground.client.multipart_init(**{**ground.at, "Key": "other"})["UploadId"]
    if case == "completed":
        upload_id = upload(ground, path)["UploadId"]
    parts = len(ground.asked("UploadPart"))

    with pytest.raises(errors.UploadNotFound, match=r"There is no unfinished upload .* of this key"):
        upload(ground, path, UploadId=upload_id)

    assert len(ground.asked("UploadPart")) == parts
    assert ground.asked("AbortMultipartUpload") == []


def test_named_upload_is_kept_when_it_fails(ground: Ground, path: Path) -> None:
    upload_id = ground.client.multipart_init(**ground.at)["UploadId"]
    ground.strike("error", operation="UploadPart", count=None, status=403, code="AccessDenied")

    with pytest.raises(errors.Denied, match="was kept"):
        upload(ground, path, UploadId=upload_id)
    assert ground.unfinished() == [upload_id]

    with pytest.raises(errors.Denied):
        upload(ground, path, UploadId=upload_id, KeepUpload=False)
    assert ground.unfinished() == []


def test_kept_upload_whose_id_nobody_heard_is_aborted(ground: Ground, path: Path) -> None:
    def fail(_: str) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        upload(ground, path, KeepUpload=True, onUploadId=fail)

    assert ground.unfinished() == []
