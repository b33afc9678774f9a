"""What uploads and copies in parts share: from Initiate to a verified object, or an abort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.storage import errors
from apps.storage.cos.addresses import object_address
from apps.storage.cos.arguments import callback_argument, flag_argument
from apps.storage.cos.calls import Result
from apps.storage.cos.multipart import MultipartOperations
from apps.storage.cos.objects import ObjectOperations
from apps.storage.cos.options import SourceOptions, headers_of
from apps.storage.cos.parts import combined_crc64, parts_stored
from apps.storage.cos.records import crc64_text
from apps.storage.cos.slice_run import SliceRun
from apps.storage.types import StoredPart

At = dict[str, Any]
# Options of the requests for single parts and of the look at a source; all others are for Initiate.
_OF_REQUESTS = frozenset({"TrafficLimit", *SourceOptions.__optional_keys__})


@dataclass(frozen=True)
class Upload:
    """The upload that a slice call begins, or goes on with because its caller named it.

    `keeps` leaves it in the store when the call fails. `on_upload_id` hears its id before anything else
    happens to it.
    """

    at: At
    options: Mapping[str, Any]
    upload_id: str | None
    keeps: bool
    on_upload_id: Callable[[str], object] | None


def upload_of(
    at: At,
    options: Mapping[str, Any],
    *,
    upload_id: str | None,
    keeps: bool | str | None,
    on_upload_id: Callable[[str], object] | None,
) -> Upload:
    """Return the upload to make. An id that the caller named is the caller's, and kept unless they say no."""
    callback = callback_argument("onUploadId", on_upload_id)
    is_kept = upload_id is not None if keeps in (None, "") else flag_argument("KeepUpload", keeps)
    return Upload(at, options, upload_id, is_kept, callback)


def options_check(options: Mapping[str, Any], kind: Any, *, upload_id: str | None) -> None:
    """Raise Refused for options that cannot be sent, or that take effect only where an upload begins.

    `kind` is the TypedDict of what the call takes. A named upload has begun: its headers, metadata and
    grants are what its Initiate said.
    """
    headers_of(options, kind)
    if upload_id is None:
        return
    for name, value in options.items():
        if name not in _OF_REQUESTS and headers_of({name: value}, kind):
            raise errors.Refused(
                f"{name} takes effect only where an upload begins, and the one named by UploadId has begun."
            )


class SliceParts(ObjectOperations, MultipartOperations):
    """The steps around the parts."""

    def _in_parts(
        self,
        run: SliceRun[Result],
        upload: Upload,
        send: Callable[[str], Sequence[StoredPart]],
        *,
        crc64: str | None = None,
    ) -> Result:
        """Return the object made of what `send` stores under the upload id it is given.

        `crc64` is what the whole must have where that is known beforehand; else it follows from the parts.
        """
        told: list[str] = []
        upload_id = upload.upload_id or self._slice_begin(run, upload)
        try:
            run.ask(lambda: _tell(upload, upload_id, told))
            parts = send(upload_id)
            crc64 = _agreed(combined_crc64(parts), crc64)
        except BaseException as problem:
            run.add(self._given_up(run, upload, upload_id, problem, is_known=bool(told)))
            raise
        try:
            done = self._complete_surely(run, upload.at, upload_id, parts, crc64)
        except BaseException as problem:
            run.add(self._given_up(run, upload, upload_id, problem, is_known=True, is_completing=True))
            raise
        return {**self._verified(upload.at, done, crc64), "UploadId": upload_id}

    def _slice_begin(self, run: SliceRun[Result], upload: Upload) -> str:
        # Cutting this request would leave an upload behind whose id nobody ever learns.
        with run.token.applied(cuts=False):
            try:
                return str(self.multipart_init(**upload.at, **upload.options)["UploadId"])
            except errors.Unavailable:
                run.add("If the store did begin an upload, List Multipart Uploads shows it.")
                raise

    def _complete_surely(
        self, run: SliceRun[Result], at: At, upload_id: str, parts: Sequence[StoredPart], crc64: str | None
    ) -> Result:
        """Complete, and where the answer is lost find out from the store what became of it.

        While the upload exists it was not completed, so it may be asked for again. Once it is gone, the
        object's size and CRC-64 tell whether that was us.
        """
        wanted = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        number, size = 1, sum(part.size for part in parts)
        while True:
            try:
                return self.multipart_complete(**at, UploadId=upload_id, Parts=wanted)
            except (errors.Unavailable, errors.UploadNotFound) as problem:
                if not self._is_unfinished(at, upload_id, problem):
                    found = self._found(at["Bucket"], at["Region"], at["Key"], size, crc64, count=len(parts))
                    if found is None:
                        raise
                    return found
                if number >= self._retries.attempts:
                    raise
            run.token.wait(self._retries.delay_s(number))
            number += 1

    def _is_unfinished(self, at: At, upload_id: str, problem: errors.StorageError) -> bool:
        if isinstance(problem, errors.UploadNotFound):
            return False
        try:
            self.multipart_list_part(**at, UploadId=upload_id, MaxParts=1)
        except errors.UploadNotFound:
            return False
        except errors.Canceled:
            raise
        except errors.Unavailable:
            # Nobody knows; the next Complete will tell.
            return True
        except errors.StorageError:
            # Whoever may not look at the upload may perhaps look at the object.
            return False
        return True

    def _given_up(
        self,
        run: SliceRun[Result],
        upload: Upload,
        upload_id: str,
        problem: BaseException,
        *,
        is_known: bool,
        is_completing: bool = False,
    ) -> str:
        """Abort unless the upload is to be kept; return what the caller must know about it, or nothing.

        An upload whose id never reached its caller is aborted in any case.
        """
        if isinstance(problem, errors.UploadNotFound):
            return ""
        if upload.keeps and is_known:
            return f"The unfinished upload {upload_id} was kept."
        try:
            with run.tidy():
                self.multipart_abort(**upload.at, UploadId=upload_id)
        except errors.UploadNotFound:
            return _PERHAPS_DONE if is_completing else ""
        except errors.StorageError as failure:
            return (
                f"The unfinished upload {upload_id} could not be aborted either and still takes up space: "
                f"{failure}"
            )
        return ""

    def _stored_before(self, at: At, upload_id: str) -> dict[int, StoredPart]:
        try:
            return parts_stored(self, at, upload_id)
        except errors.UploadNotFound as error:
            error.message = (
                f"There is no unfinished upload {upload_id} of this key: it was completed or aborted, or it "
                "belongs to another key."
            )
            raise

    def _verified(self, at: At, done: Result, crc64: str | None) -> Result:
        """Return `done` with its CRC-64, which must be `crc64` where that is known; raises Corrupted."""
        stored = crc64_text(done["CRC64"])
        if stored is None and crc64 is not None:
            stored = crc64_text(self.head_object(**at)["CRC64"])
        if stored is not None and crc64 is not None and stored != crc64:
            raise errors.Corrupted(
                f"The object {at['Key']} is in the store, but is not what was sent: its CRC-64 is {stored}, "
                f"and {crc64} was expected. Delete it and try again.",
                request_id=done["RequestId"],
            )
        return {**done, "CRC64": stored}

    def _single(self, at: At, stored: Result, crc64: str | None) -> Result:
        """Return the answer to a single request in the shape of one to Complete; raises Corrupted."""
        done = {
            "Location": object_address(self.endpoint, at["Bucket"], at["Region"], at["Key"]),
            "Bucket": at["Bucket"],
            "Key": at["Key"],
            "ETag": stored["ETag"],
            "CRC64": stored["CRC64"],
            "VersionId": stored["VersionId"],
            "IsReconciled": False,
            "UploadId": None,
            "RequestId": stored["RequestId"],
        }
        return self._verified(at, done, crc64)


_PERHAPS_DONE = "The upload is gone, so it may have been completed: look at the object before trying again."


def _tell(upload: Upload, upload_id: str, told: list[str]) -> None:
    if upload.on_upload_id is not None:
        upload.on_upload_id(upload_id)
    told.append(upload_id)


def _agreed(of_parts: str | None, of_whole: str | None) -> str | None:
    if of_parts is not None and of_whole is not None and of_parts != of_whole:
        raise errors.Corrupted(
            f"The parts do not add up to the source: their CRC-64 is {of_parts}, the source's is {of_whole}. "
            "Nothing was made of them."
        )
    return of_whole or of_parts
