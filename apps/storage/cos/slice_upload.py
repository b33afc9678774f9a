"""Slice Upload File."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.arguments import path_argument
from apps.storage.cos.calls import Result
from apps.storage.cos.cancel import CancelToken
from apps.storage.cos.keys import key_check
from apps.storage.cos.options import ObjectOptions
from apps.storage.cos.progress import SliceProgressCallback
from apps.storage.cos.records import crc64_text
from apps.storage.cos.slice_parts import At, SliceParts, Upload, options_check, upload_of
from apps.storage.cos.slice_plan import PartDigest, SliceFile, threads_of, upload_plan
from apps.storage.cos.slice_run import SliceRun
from apps.storage.multipart import PartPlan
from apps.storage.types import StoredPart

UPLOADS_AT_ONCE = 4


class SliceUploadOperations(SliceParts):
    """Slice Upload File."""

    def slice_upload_file(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        FilePath: str | os.PathLike[str],
        SliceSize: int | str | None = None,
        AsyncLimit: int | str | None = None,
        onHashProgress: SliceProgressCallback | None = None,
        onProgress: SliceProgressCallback | None = None,
        onUploadId: Callable[[str], object] | None = None,
        UploadId: str | None = None,
        KeepUpload: bool | str | None = None,
        Cancel: CancelToken | None = None,
        **options: Unpack[ObjectOptions],
    ) -> Result:
        """Upload a file in parts: `Location`, `Bucket`, `Key`, `ETag`, `CRC64`, `UploadId`, `RequestId`.

        Files up to `SliceSize`, and empty ones, go as one Put Object. `SliceSize` is bytes, within 1 MiB and
        5 GiB, doubled until 10,000 parts suffice; 8 MiB without one, 16 MiB from 1 GiB up. `AsyncLimit` parts
        travel at once, 4 unless said. Memory does not grow with the file or its parts.

        Each part's CRC-64 is computed from the file and compared with the store's, and the whole's as well.
        A file that changes meanwhile raises Refused with code FileChanged, and no object is made.

        `onProgress` and `onHashProgress` get a `SliceProgress`; what they show never falls and ends at the
        file's size. `onUploadId` gets the upload's id before the first part. All are called in the calling
        thread, never after this has returned; an exception in one stops the upload and is raised, and False
        from a progress callback stops it with Canceled. `Cancel` stops it at once from another thread; only
        an Initiate that is on the wire is awaited, and the abort for at most `Timeouts.tidy_s`.

        Whatever ends the call early, the upload is aborted, unless `KeepUpload` is true. A named `UploadId`
        is gone on with, no other one ever is, and it is kept unless `KeepUpload` is false; of its parts those
        that have the size and the MD5 of the file's are taken over and all others are replaced. Headers,
        metadata and grants were said when it began; beside a named upload they are refused.

        Raises OSError when the file cannot be read, UploadNotFound when the named upload does not exist for
        this key, Corrupted when the store holds something else: its text says whether an object remains.
        Source: Slice Upload File; PUT Object and Upload Part, 2026-08.
        """
        key_check(Key)
        bucket_host(self.endpoint, Bucket, Region)
        upload_id = UploadId or None
        options_check(options, ObjectOptions, upload_id=upload_id)
        path = path_argument("FilePath", FilePath)
        at = {"Bucket": Bucket, "Region": Region, "Key": Key}
        threads = threads_of(AsyncLimit, UPLOADS_AT_ONCE)
        run: SliceRun[Result] = SliceRun(
            tidy_s=self._timeouts.tidy_s,
            cancel=Cancel,
            on_progress=onProgress,
            on_hash_progress=onHashProgress,
        )
        with SliceFile(path) as file:
            plan = upload_plan(file.size, SliceSize)
            run.measure(total=plan.size, slice_size=plan.part_size)
            if plan.count == 1 and upload_id is None:
                return run.drive(lambda: self._put_whole(run, file, at, options))
            upload = upload_of(
                at, _without_limit(options), upload_id=upload_id, keeps=KeepUpload, on_upload_id=onUploadId
            )
            sender = _Sender(self, run, file, plan, at, _limit_of(options))
            return run.drive(lambda: self._put_parts(run, upload, sender, threads))

    def _put_whole(
        self, run: SliceRun[Result], file: SliceFile, at: At, options: Mapping[str, Any]
    ) -> Result:
        digest = file.digest(0, file.size, with_md5=True, on_read=partial(run.read, 1))
        file.require_unchanged()
        run.hashed.part_done(1, file.size)
        try:
            stored = self.put_object(
                **at,
                Body=file.part(0, file.size),
                # The store refuses a body that is no longer what was read before.
                ContentMD5=b64encode(bytes.fromhex(digest.md5 or "")).decode(),
                onProgress=lambda report: run.sent.part_at(1, report["loaded"]),
                **options,
            )
        except errors.Corrupted:
            file.require_unchanged()
            raise
        run.sent.part_done(1, file.size)
        done = self._single(at, stored, str(digest.crc64))
        run.report()
        return done

    def _put_parts(self, run: SliceRun[Result], upload: Upload, sender: _Sender, threads: int) -> Result:
        def send(upload_id: str) -> Sequence[StoredPart]:
            if upload.upload_id is not None:
                sender.stored = self._stored_before(upload.at, upload_id)
            numbers = range(1, sender.plan.count + 1)
            parts = run.parts(numbers, partial(sender.send, upload_id), threads=threads)
            run.report()
            sender.file.require_unchanged()
            return [parts[number] for number in numbers]

        return self._in_parts(run, upload, send)


class _Sender:
    """Brings one part after the other to the store, or finds that it is there."""

    def __init__(
        self,
        client: SliceParts,
        run: SliceRun[Result],
        file: SliceFile,
        plan: PartPlan,
        at: At,
        limit: Mapping[str, Any],
    ) -> None:
        self.file = file
        self.plan = plan
        self.stored: dict[int, StoredPart] = {}
        self._client = client
        self._run = run
        self._at = at
        self._limit = limit

    def send(self, upload_id: str, number: int) -> StoredPart:
        """Return part `number` as the store has it, with the CRC-64 of the file's bytes."""
        offset, length = self.plan.range_of(number)
        before = self.stored.get(number)
        digest = self.file.digest(
            offset, length, with_md5=before is not None, on_read=partial(self._run.read, number)
        )
        self._run.hashed.part_done(number, length)
        if before is None or not digest.is_of(before):
            before = self._upload(upload_id, number, offset, digest)
        self._run.sent.part_done(number, length)
        return StoredPart(number, length, before.etag, str(digest.crc64))

    def _upload(self, upload_id: str, number: int, offset: int, digest: PartDigest) -> StoredPart:
        answer = self._client.multipart_upload(
            **self._at,
            UploadId=upload_id,
            PartNumber=number,
            Body=self.file.part(offset, digest.length),
            onProgress=lambda report: self._run.sent.part_at(number, report["loaded"]),
            **self._limit,
        )
        self.file.require_unchanged()
        stored = crc64_text(answer["CRC64"])
        if stored is None:
            digest = self.file.digest(
                offset, digest.length, with_md5=True, on_read=lambda _: self._run.token.require()
            )
        part = StoredPart(number, digest.length, answer["ETag"], stored)
        if stored != str(digest.crc64) and not digest.is_of(part):
            raise errors.Corrupted(
                f"Part {number} arrived changed: its digest is {stored or part.etag} in the store, and "
                f"{digest.crc64 if stored else digest.md5} was sent. No object was made of it.",
                request_id=answer["RequestId"],
            )
        return part


def _limit_of(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name == "TrafficLimit"}


def _without_limit(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of Initiate: a limit is for requests that carry bytes."""
    return {name: value for name, value in options.items() if name != "TrafficLimit"}
