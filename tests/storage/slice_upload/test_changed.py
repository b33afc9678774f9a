"""A file that changes, or arrives as something else, makes no object."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from apps.storage import errors
from tests.storage.conftest import client_of
from tests.storage.recorder import Recorder, reply
from tests.storage.slice_upload.conftest import BEGUN, SIZE, upload
from tests.storage.slices import MIB, Ground, client_to, crc64_text, file_of


def change_in(path: Path, kind: str) -> None:
    if kind == "truncated":
        os.truncate(path, SIZE - MIB)
    if kind == "grown":
        with path.open("ab") as file:
            file.write(b"more")
    if kind == "rewritten":
        with path.open("r+b") as file:
            file.write(b"other")
    if kind == "touched":
        os.utime(path)


@pytest.mark.parametrize("kind", ["truncated", "grown", "rewritten", "touched"])
@pytest.mark.parametrize("moment", ["before the parts", "between the parts", "after the parts"])
def test_file_that_changes_makes_no_object(ground: Ground, path: Path, kind: str, moment: str) -> None:
    at_parts = {"before the parts": 0, "between the parts": 2, "after the parts": 4}[moment]
    changed: list[bool] = []

    def change(done: int) -> None:
        if done >= at_parts and not changed:
            changed.append(True)
            change_in(path, kind)

    ground.strike("delay", operation="UploadPart", count=None, seconds=0.03)
    with pytest.raises(errors.Refused, match=r"file changed while it was read|shorter than it was"):
        upload(
            ground,
            path,
            AsyncLimit=1,
            onUploadId=lambda _: change(0),
            onProgress=lambda report: change(report["PartNumber"]),
        )

    assert ground.keys() == []
    assert ground.unfinished() == []


def test_small_file_that_changes_while_it_is_sent_makes_no_object(ground: Ground, tmp_path: Path) -> None:
    path = file_of(tmp_path, bytes(MIB))
    ground.strike("drop_before", operation="PutObject")
    client = client_to(ground.server, first_delay_s=1.0)
    timer = threading.Timer(0.25, path.write_bytes, (bytes(MIB - 1) + b"!",))
    timer.start()

    with pytest.raises(errors.Refused, match="changed while it was read"):
        client.slice_upload_file(**ground.at, FilePath=path)

    timer.join()
    assert ground.keys() == []


@pytest.mark.parametrize("where", ["part", "whole", "single"])
def test_other_digest_is_told(
    recorder: Recorder, path: Path, tmp_path: Path, data: bytes, where: str
) -> None:
    pieces = [data[start : start + MIB] for start in range(0, SIZE, MIB)]
    recorder.steps.append(BEGUN)
    for number, piece in enumerate(pieces):
        crc64 = "7" if where == "part" and number == 1 else crc64_text(piece)
        recorder.steps.append(reply(ETag=f'"e{number}"', x_cos_hash_crc64ecma=crc64))
    recorder.steps.append(
        reply(
            200,
            b"<CompleteMultipartUploadResult><ETag>e-4</ETag></CompleteMultipartUploadResult>",
            x_cos_hash_crc64ecma="8",
        )
    )
    if where == "single":
        recorder.steps.clear()
        recorder.default = reply(ETag='"e"', x_cos_hash_crc64ecma="7")
        path = file_of(tmp_path, b"abc")
    client = client_of(recorder, attempts=1)

    said = "No object was made of it" if where == "part" else "is in the store, but is not what was sent"
    with pytest.raises(errors.Corrupted, match=said):
        client.slice_upload_file(
            Bucket="b-1250000000", Region="ap-guangzhou", Key="k", FilePath=path, SliceSize=MIB, AsyncLimit=1
        )

    methods = [seen.method for seen in recorder.seen]
    assert methods[-1] == {"part": "DELETE", "whole": "POST", "single": "PUT"}[where]


def test_store_without_digests_is_judged_by_md5_and_head(recorder: Recorder, path: Path, data: bytes) -> None:
    pieces = [data[start : start + MIB] for start in range(0, SIZE, MIB)]
    recorder.steps.append(BEGUN)
    for piece in pieces:
        recorder.steps.append(reply(ETag=f'"{hashlib.md5(piece).hexdigest()}"'))
    recorder.steps.append(
        reply(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
    )
    recorder.steps.append(reply(x_cos_hash_crc64ecma=crc64_text(data)))

    result = client_of(recorder, attempts=1).slice_upload_file(
        Bucket="b-1250000000", Region="ap-guangzhou", Key="k", FilePath=path, SliceSize=MIB, AsyncLimit=1
    )

    assert recorder.seen[-1].method == "HEAD"
    assert result["CRC64"] == crc64_text(data)
