"""Slice Copy File."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.calls import Result
from apps.storage.cos.cancel import CancelToken
from apps.storage.cos.keys import key_check
from apps.storage.cos.options import CopyObjectOptions
from apps.storage.cos.progress import SliceProgressCallback
from apps.storage.cos.records import crc64_text
from apps.storage.cos.slice_parts import At, SliceParts, Upload, options_check, upload_of
from apps.storage.cos.slice_plan import copy_plan, threads_of
from apps.storage.cos.slice_run import SliceRun
from apps.storage.cos.slice_source import Source, is_replacing, options_begun, source_find, source_parse
from apps.storage.multipart import PartPlan
from apps.storage.types import StoredPart

COPIES_AT_ONCE = 8


class SliceCopyOperations(SliceParts):
    """Slice Copy File."""

    def slice_copy_file(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        CopySource: str | Mapping[str, str],
        ChunkSize: int | str | None = None,
        SliceSize: int | str | None = None,
        AsyncLimit: int | str | None = None,
        onProgress: SliceProgressCallback | None = None,
        onUploadId: Callable[[str], object] | None = None,
        UploadId: str | None = None,
        KeepUpload: bool | str | None = None,
        Cancel: CancelToken | None = None,
        **options: Unpack[CopyObjectOptions],
    ) -> Result:
        """Copy an object within the store: `Location`, `Bucket`, `Key`, `ETag`, `CRC64`, `UploadId`.

        `CopySource` is `host/key?versionId=…`, a URL, or a mapping with `Bucket`, `Region`, `Key` and perhaps
        `VersionId`; other regions are fine. Up to `SliceSize`, by default and at most 5 GiB, it is one Put
        Object - Copy. Above, parts of `ChunkSize` are copied, `AsyncLimit` at once (8 unless said): within
        1 MiB and 5 GiB, doubled until 10,000 suffice, and 16 MiB where none is given, because the documented
        1 MiB makes an object of 5 GiB five thousand requests.

        Headers and metadata come along in either way unless `MetadataDirective` is `Replaced`; storage class
        and ACL never do, tags only with the single request. Onto itself, which the store refuses without
        `Replaced`, the object's headers are sent again. Each request is pinned to the source's ETag, so that
        a source that changes midway raises Conflict; the result's CRC-64 is compared with the source's.

        `onProgress` rises with each finished part. `onUploadId`, `UploadId`, `KeepUpload` and `Cancel` are
        those of Slice Upload File, but no stored part is taken over: nothing says which bytes it holds, and
        to copy it again costs no traffic. A single request needs no upload, so that a named `UploadId` makes
        a copy in parts.

        Raises ObjectNotFound without a source, Conflict for an archived one, Refused for headers that would
        be ignored, Corrupted when the store holds something else: its text says whether an object remains.
        Source: Slice Copy File; Upload Part - Copy, 2026-08.
        """
        key_check(Key)
        bucket_host(self.endpoint, Bucket, Region)
        upload_id = UploadId or None
        options_check(options, CopyObjectOptions, upload_id=upload_id)
        is_replacing(options)
        at, source_at = {"Bucket": Bucket, "Region": Region, "Key": Key}, source_parse(CopySource)
        threads = threads_of(AsyncLimit, COPIES_AT_ONCE)
        copy_plan(0, ChunkSize, SliceSize)
        run: SliceRun[Result] = SliceRun(tidy_s=self._timeouts.tidy_s, cancel=Cancel, on_progress=onProgress)

        def work() -> Result:
            source = source_find(self, source_at, options)
            plan = copy_plan(source.size, ChunkSize, SliceSize, is_in_parts=upload_id is not None)
            if plan is None:
                return self._copy_whole(run, source, at, options)
            upload = upload_of(
                at,
                options_begun(source, options),
                upload_id=upload_id,
                keeps=KeepUpload,
                on_upload_id=onUploadId,
            )
            return self._copy_parts(run, source, plan, upload, threads)

        return run.drive(work)

    def _copy_whole(
        self, run: SliceRun[Result], source: Source, at: At, options: Mapping[str, Any]
    ) -> Result:
        run.measure(total=source.size, slice_size=source.size)
        more = {name: value for name, value in options.items() if not name.startswith("CopySourceIf")}
        if source.is_at(at) and not is_replacing(options):
            more |= {"MetadataDirective": "Replaced", **source.kept}
        with _pinned():
            answer = self.put_object_copy(**at, CopySource=source.at, CopySourceIfMatch=source.etag, **more)
        run.sent.part_done(1, source.size)
        done = self._single(at, answer, source.crc64)
        run.report()
        return done

    def _copy_parts(
        self, run: SliceRun[Result], source: Source, plan: PartPlan, upload: Upload, threads: int
    ) -> Result:
        run.measure(total=source.size, slice_size=plan.part_size)
        if upload.upload_id is not None:
            self._stored_before(upload.at, upload.upload_id)

        def send(upload_id: str) -> Sequence[StoredPart]:
            numbers = range(1, plan.count + 1)
            parts = run.parts(numbers, lambda number: copy(upload_id, number), threads=threads)
            run.report()
            return [parts[number] for number in numbers]

        def copy(upload_id: str, number: int) -> StoredPart:
            offset, length = plan.range_of(number)
            with _pinned():
                answer = self.multipart_upload_copy(
                    **upload.at,
                    UploadId=upload_id,
                    PartNumber=number,
                    CopySource=source.at,
                    CopySourceRange=f"bytes={offset}-{offset + length - 1}",
                    CopySourceIfMatch=source.etag,
                )
            run.sent.part_done(number, length)
            return StoredPart(number, length, answer["ETag"], crc64_text(answer["CRC64"]))

        return self._in_parts(run, upload, send, crc64=source.crc64)


@contextmanager
def _pinned() -> Iterator[None]:
    """Say in words what it means when the source is no longer the one that was looked at."""
    try:
        yield
    except errors.Conflict as error:
        if error.status == 412 or error.code == "PreconditionFailed":
            error.message = "The source changed while it was copied; nothing was made of it. Try again."
        raise
