"""A call ends at once when it is told to, and owes nothing then."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken
from tests.storage.slice_upload.conftest import SOON_S, upload
from tests.storage.slices import MIB, Ground, client_to, file_of, slice_threads

MOMENTS = ["part stalls", "part drips", "pause", "single stalls", "list hangs", "complete hangs"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_cancel_is_at_once(ground: Ground, path: Path, tmp_path: Path, moment: str) -> None:
    token = CancelToken()
    more: dict[str, Any] = {"Cancel": token}
    client = ground.client
    if moment == "part stalls":
        ground.strike("delay", operation="UploadPart", count=None, seconds=30)
    if moment == "part drips":
        ground.strike("drip", operation="UploadPart", count=None, bytes_per_second=10_000)
    if moment == "pause":
        ground.strike("slow_down", operation="UploadPart", count=None)
        client = client_to(ground.server, first_delay_s=60, delay_max_s=60)
    if moment == "single stalls":
        ground.strike("delay", operation="PutObject", count=None, seconds=30)
        path = file_of(tmp_path, bytes(MIB))
    if moment == "list hangs":
        more["UploadId"] = client.multipart_init(**ground.at)["UploadId"]
        ground.strike("delay", operation="ListParts", count=None, seconds=30)
    if moment == "complete hangs":
        ground.strike("delay", operation="CompleteMultipartUpload", count=None, seconds=30)
    canceled_at: list[float] = []
    timer = threading.Timer(0.3, lambda: (canceled_at.append(time.monotonic()), token.cancel()))
    timer.start()

    with pytest.raises(errors.Canceled):
        client.slice_upload_file(**ground.at, FilePath=path, SliceSize=MIB, **more)

    assert time.monotonic() - canceled_at[0] < SOON_S
    assert slice_threads() == []
    assert ground.unfinished() == ([more["UploadId"]] if "UploadId" in more else [])
    assert ground.keys() == []


@pytest.mark.parametrize("size", [5 << 30, 64 << 30], ids=["single", "parts"])
def test_cancel_while_the_file_is_hashed(ground: Ground, tmp_path: Path, size: int) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(size)
    token = CancelToken()
    threading.Timer(0.3, token.cancel).start()
    begun = time.monotonic()

    with pytest.raises(errors.Canceled):
        upload(ground, path, SliceSize=5 << 30, Cancel=token)

    assert time.monotonic() - begun < SOON_S
    assert ground.asked("UploadPart") + ground.asked("PutObject") == []
    assert ground.unfinished() == []


def test_cancel_while_a_dead_store_does_not_take_the_abort(ground: Ground, path: Path) -> None:
    client = client_to(ground.server, tidy_s=0.5)
    ground.strike("delay", operation="UploadPart", count=None, seconds=30)
    ground.strike("delay", operation="AbortMultipartUpload", count=None, seconds=30)
    token = CancelToken()
    threading.Timer(0.3, token.cancel).start()
    begun = time.monotonic()

    with pytest.raises(errors.Canceled, match="could not be aborted either"):
        client.slice_upload_file(**ground.at, FilePath=path, SliceSize=MIB, Cancel=token)

    assert time.monotonic() - begun < SOON_S


def test_late_call_sends_nothing(ground: Ground, path: Path) -> None:
    token = CancelToken()
    token.cancel()

    with pytest.raises(errors.Canceled):
        upload(ground, path, Cancel=token)
    with token.applied(), pytest.raises(errors.Canceled):
        upload(ground, path)

    assert ground.asked("InitiateMultipartUpload") == []


def test_initiate_that_is_canceled_is_awaited_and_aborted(ground: Ground, path: Path) -> None:
    ground.strike("delay", operation="InitiateMultipartUpload", seconds=0.6)
    token = CancelToken()
    threading.Timer(0.2, token.cancel).start()

    with pytest.raises(errors.Canceled):
        upload(ground, path, Cancel=token)

    assert ground.asked("InitiateMultipartUpload") == [200]
    assert ground.unfinished() == []


@pytest.mark.parametrize("name", ["onProgress", "onHashProgress"])
def test_false_from_a_callback_cancels(ground: Ground, path: Path, name: str) -> None:
    ground.strike("delay", operation="UploadPart", count=None, seconds=0.3)

    with pytest.raises(errors.Canceled, match="its own progress callback"):
        upload(ground, path, **{name: lambda report: report["loaded"] < MIB})

    assert ground.unfinished() == []
    assert ground.keys() == []


@pytest.mark.parametrize("name", ["onProgress", "onHashProgress", "onUploadId"])
@pytest.mark.parametrize("kind", [LookupError, SystemExit, KeyboardInterrupt])
def test_exception_in_a_callback_comes_through(
    ground: Ground, path: Path, name: str, kind: type[BaseException]
) -> None:
    calls = itertools.count()

    def fail(_: object) -> None:
        next(calls)
        raise kind("The job is gone.")

    with pytest.raises(kind, match="The job is gone"):
        upload(ground, path, **{name: fail})

    assert next(calls) == 1
    assert slice_threads() == []
    assert ground.unfinished() == []
    assert ground.keys() == []


class SoftTimeLimit(Exception):
    """What a task queue raises in the middle of anything."""


@pytest.mark.parametrize("operation", ["InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_signal_in_the_calling_thread_ends_everything(ground: Ground, path: Path, operation: str) -> None:
    def handle(*_: object) -> None:
        raise SoftTimeLimit

    ground.strike("delay", operation=operation, count=None, seconds=0.8)
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(SoftTimeLimit):
            upload(ground, path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert slice_threads() == []
    assert ground.unfinished() == []
