"""Slice Upload File against the embedded store and its faults."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient
from tests.storage.conftest import client_of
from tests.storage.recorder import Recorder, reply
from tests.storage.slices import KEY, MIB, Ground, client_to, crc64_text, file_of, slice_threads

SIZE = 3 * MIB + 7
# What a canceled call may take at most here; each of these would hang for far longer.
SOON_S = 5
BEGUN = reply(200, b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")


@pytest.fixture
def data() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def path(tmp_path: Path, data: bytes) -> Path:
    return file_of(tmp_path, data)


def upload(ground: Ground, path: Path, **more: Any) -> dict[str, Any]:
    return ground.client.slice_upload_file(**{**ground.at, "FilePath": path, "SliceSize": MIB, **more})


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


def test_kept_upload_whose_id_nobody_heard_is_aborted(ground: Ground, path: Path) -> None:
    def fail(_: str) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        upload(ground, path, KeepUpload=True, onUploadId=fail)

    assert ground.unfinished() == []


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
