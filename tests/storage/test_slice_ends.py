"""How slice calls end when a caller leaves early, listens slowly, or says little."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken
from tests.storage.slices import Ground, client_to, crc64_text, file_of

MIB = 1 << 20
SIZE = 3 * MIB


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return file_of(tmp_path, os.urandom(SIZE))


def upload(ground: Ground, path: Path, **options: Any) -> Any:
    return ground.client.slice_upload_file(**ground.at, FilePath=path, SliceSize=MIB, **options)


def test_abort_has_its_time_however_long_initiate_took(ground: Ground, path: Path) -> None:
    client, token = client_to(ground.server, tidy_s=0.3), CancelToken()
    ground.strike("delay", operation="InitiateMultipartUpload", seconds=1.0)
    threading.Timer(0.1, token.cancel).start()

    with pytest.raises(errors.Canceled):
        client.slice_upload_file(**ground.at, FilePath=path, SliceSize=MIB, Cancel=token)

    assert ground.asked("AbortMultipartUpload") == [204]
    assert ground.unfinished() == []


def test_slow_listener_hears_nothing_twice(ground: Ground, path: Path) -> None:
    heard: list[tuple[int, int]] = []

    def listen(report: Any) -> None:
        heard.append((report["loaded"], report["PartNumber"]))
        time.sleep(0.6)

    upload(ground, path, onProgress=listen)

    assert heard[-1] == (SIZE, 3)
    assert len(set(heard)) == len(heard)


@pytest.mark.parametrize(("keep", "left"), [("true", 1), ("false", 0), ("", 0), (None, 0)])
def test_keeping_may_be_asked_for_in_text(ground: Ground, path: Path, keep: Any, left: int) -> None:
    ground.strike("error", operation="UploadPart", count=None, status=403, code="AccessDenied")

    with pytest.raises(errors.Denied):
        upload(ground, path, KeepUpload=keep)

    assert len(ground.unfinished()) == left


def test_keeping_must_be_asked_for_in_words_that_are_known(ground: Ground, path: Path) -> None:
    with pytest.raises(errors.Refused, match="KeepUpload must be true or false"):
        upload(ground, path, KeepUpload="perhaps")

    assert ground.asked("InitiateMultipartUpload") == []


def test_empty_text_is_no_argument(ground: Ground, tmp_path: Path) -> None:
    empty = file_of(tmp_path, b"")

    ground.client.slice_upload_file(**ground.at, FilePath=empty, SliceSize="", AsyncLimit="", UploadId="")

    assert ground.asked("PutObject") == [200]
    assert ground.asked("InitiateMultipartUpload") == []


def test_lost_complete_is_settled_where_the_parts_may_not_be_listed(ground: Ground, path: Path) -> None:
    ground.strike("drop_after", operation="CompleteMultipartUpload")
    ground.strike("error", operation="ListParts", count=None, status=403, code="AccessDenied")

    result = upload(ground, path)

    assert result["CRC64"] == crc64_text(path.read_bytes())


def test_token_of_the_thread_counts_beside_the_one_that_is_passed(ground: Ground, path: Path) -> None:
    outer = CancelToken()
    ground.strike("delay", operation="UploadPart", count=None, seconds=30)
    threading.Timer(0.3, outer.cancel).start()

    with outer.applied(), pytest.raises(errors.Canceled):
        upload(ground, path, Cancel=CancelToken())

    assert ground.unfinished() == []
