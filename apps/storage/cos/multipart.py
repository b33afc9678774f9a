"""Operations of multipart uploads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import copy_source, object_address
from apps.storage.cos.arguments import (
    callback_argument,
    crc64_argument,
    length_argument,
    part_number,
    required_text,
    text_argument,
)
from apps.storage.cos.bodies import BodySource, BytesBody, body_open
from apps.storage.cos.calls import Result, xml_request
from apps.storage.cos.messages import Answer, Pace, Repeat, Subject
from apps.storage.cos.multipart_lists import MultipartListOperations
from apps.storage.cos.options import CompleteOptions, ObjectOptions, PartOptions, SourceOptions, headers_of
from apps.storage.cos.progress import ProgressCallback, bytes_reporter
from apps.storage.cos.xmlread import text_of, xml_parse
from apps.storage.cos.xmlwrite import complete_body, parts_argument

_RANGE = re.compile(r"bytes=([0-9]{1,19})-([0-9]{1,19})")


class MultipartOperations(MultipartListOperations):
    """Initiate, Upload Part, Upload Part - Copy, Complete and Abort, beside the lists."""

    def multipart_init(
        self, *, Bucket: str, Region: str, Key: str, **options: Unpack[ObjectOptions]
    ) -> Result:
        """Begin a multipart upload and return `Bucket`, `Key` and `UploadId`.

        From here on an abort is owed. Not repeated when the connection breaks, because each repeat would
        leave an upload behind that nobody knows. Raises BucketNotFound, Denied, and Unavailable when nobody
        can tell whether it began. Source: Initiate Multipart Upload, 2026-08.
        """
        answer = self._object_call(
            "Initiate Multipart Upload",
            "POST",
            Bucket,
            Region,
            Key,
            query=(("uploads", ""),),
            headers=headers_of(options, ObjectOptions),
            body=BytesBody(b""),
            repeat=Repeat.NEVER,
            subject=Subject.BUCKET,
        )
        upload_id = text_of(xml_parse(answer.body, "InitiateMultipartUploadResult"), "UploadId")
        if not upload_id:
            raise errors.Unavailable(
                "The store began an upload without naming it.", operation="Initiate Multipart Upload"
            )
        return {"Bucket": Bucket, "Key": Key, "UploadId": upload_id, "RequestId": answer.request_id}

    def multipart_upload(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        UploadId: str,
        PartNumber: int | str,
        Body: BodySource,
        ContentLength: int | str | None = None,
        onProgress: ProgressCallback | None = None,
        **options: Unpack[PartOptions],
    ) -> Result:
        """Store one part and return its `ETag` and `CRC64`; the same number again replaces it.

        `PartNumber` is 1 to 10000; a part has up to 5 GiB, and each but the last at least 1 MiB. `Body` and
        `onProgress` are those of Put Object. Raises UploadNotFound once the upload has ended. Source: Upload
        Part, 2026-08.
        """
        query, headers = _part(PartNumber, UploadId), headers_of(options, PartOptions)
        callback = callback_argument("onProgress", onProgress)
        with body_open(Body, length=length_argument(ContentLength)) as body:
            answer = self._object_call(
                "Upload Part",
                "PUT",
                Bucket,
                Region,
                Key,
                query=query,
                headers=headers,
                body=body,
                pace=Pace.BODY,
                subject=Subject.UPLOAD,
                on_progress=bytes_reporter(callback, total=body.length),
            )
        return {
            "ETag": answer.headers.get("etag", ""),
            "CRC64": answer.headers.get("x-cos-hash-crc64ecma"),
            "RequestId": answer.request_id,
        }

    def multipart_upload_copy(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        UploadId: str,
        PartNumber: int | str,
        CopySource: str | Mapping[str, str],
        CopySourceRange: str | None = None,
        **options: Unpack[SourceOptions],
    ) -> Result:
        """Store a range of another object as a part: `ETag`, `CRC64` where sent, `LastModified`.

        `CopySourceRange` is `bytes=first-last`, both included. Raises Conflict when a condition on the source
        fails, also after the 200. Source: Upload Part - Copy, 2026-08.
        """
        headers = [("x-cos-copy-source", copy_source(self.endpoint, CopySource))]
        if CopySourceRange:
            headers.append(("x-cos-copy-source-range", _range(CopySourceRange)))
        answer = self._object_call(
            "Upload Part Copy",
            "PUT",
            Bucket,
            Region,
            Key,
            query=_part(PartNumber, UploadId),
            headers=(*headers, *headers_of(options, SourceOptions)),
            body=BytesBody(b""),
            pace=Pace.LONG,
            subject=Subject.UPLOAD,
        )
        root = xml_parse(answer.body, "CopyPartResult")
        return {
            "ETag": text_of(root, "ETag"),
            "CRC64": text_of(root, "CRC64") or answer.headers.get("x-cos-hash-crc64ecma"),
            "LastModified": text_of(root, "LastModified"),
            "RequestId": answer.request_id,
        }

    def multipart_complete(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        UploadId: str,
        Parts: Iterable[Mapping[str, Any]],
        ExpectedSize: int | str | None = None,
        ExpectedCRC64: int | str | None = None,
        **options: Unpack[CompleteOptions],
    ) -> Result:
        """Make the object from its parts: its `ETag`, `CRC64`, `VersionId`, `Location`, `IsReconciled`.

        `Parts` are mappings with `PartNumber` and `ETag`, ascending. It is never sent twice blindly: the
        store forgets a finished upload at once, so that a second try fails although the first one worked.
        Instead, when the answer is lost or the upload is unknown, and both `Expected…` are given, the object
        is looked at; if it has that size (bytes) and CRC-64 (decimal) and the ETag of an object of so many
        parts, that is the result, with `IsReconciled` true. What an earlier upload made of the same bytes in
        as many parts cannot be told apart. Raises Unavailable when it remains unknown, Refused for parts out
        of order.
        Source: Complete Multipart Upload, 2026-08.
        """
        query = _upload(UploadId)
        size = length_argument(ExpectedSize, "ExpectedSize")
        crc64 = crc64_argument("ExpectedCRC64", ExpectedCRC64)
        parts = parts_argument(Parts)
        request = xml_request(complete_body(parts))
        request["headers"] = (*request["headers"], *headers_of(options, CompleteOptions))
        try:
            answer = self._object_call(
                "Complete Multipart Upload",
                "POST",
                Bucket,
                Region,
                Key,
                query=query,
                pace=Pace.LONG,
                repeat=Repeat.NEVER,
                subject=Subject.UPLOAD,
                **request,
            )
            return _completed(answer, Bucket, Key)
        except (errors.Unavailable, errors.UploadNotFound) as error:
            found = self._found(Bucket, Region, Key, size, crc64, count=len(parts))
            if found is None:
                raise error
            return found

    def multipart_abort(self, *, Bucket: str, Region: str, Key: str, UploadId: str) -> Result:
        """Throw an upload and its parts away; returns `MultipartAbortSuccess`.

        Raises UploadNotFound when it is gone already, which a repeat after a lost answer also sees.
        Source: Abort Multipart Upload, 2026-08.
        """
        answer = self._object_call(
            "Abort Multipart Upload",
            "DELETE",
            Bucket,
            Region,
            Key,
            query=_upload(UploadId),
            accepts=(200, 204),
            repeat=Repeat.ONCE,
            subject=Subject.UPLOAD,
        )
        return {"MultipartAbortSuccess": True, "RequestId": answer.request_id}

    def _found(
        self, bucket: str, region: str, key: str, size: int | None, crc64: str | None, *, count: int
    ) -> Result | None:
        """Return the result of an upload of `count` parts that did finish, None when that cannot be told.

        The ETag ends in the number of parts, so that an object which was put whole is not taken for this
        one. When it was stored is not asked: the clocks of the store and of this machine may differ.
        """
        if size is None or crc64 is None:
            return None
        try:
            answer = self._object_call("Head Object", "HEAD", bucket, region, key)
        except errors.Canceled:
            raise
        except errors.StorageError:
            return None
        headers = answer.headers
        if headers.get("content-length") != str(size) or headers.get("x-cos-hash-crc64ecma") != crc64:
            return None
        if not headers.get("etag", "").strip('"').endswith(f"-{count}"):
            return None
        return {
            "Location": object_address(self.endpoint, bucket, region, key),
            "Bucket": bucket,
            "Key": key,
            "ETag": headers.get("etag", ""),
            "CRC64": crc64,
            "VersionId": headers.get("x-cos-version-id"),
            "IsReconciled": True,
            "RequestId": answer.request_id,
        }


def _part(number: int | str, upload_id: str) -> tuple[tuple[str, str], ...]:
    return (("partNumber", part_number(number)), *_upload(upload_id))


def _upload(upload_id: str) -> tuple[tuple[str, str]]:
    # Without an id the same request is one on the object: DELETE would delete it.
    return (("uploadId", required_text("UploadId", upload_id)),)


def _range(text: str) -> str:
    found = _RANGE.fullmatch(text_argument("CopySourceRange", text))
    if found is None or int(found[1]) > int(found[2]):
        raise errors.Refused(f"CopySourceRange must be as in bytes=0-1048575, not {text!r}.")
    return text


def _completed(answer: Answer, bucket: str, key: str) -> Result:
    root = xml_parse(answer.body, "CompleteMultipartUploadResult")
    etag = text_of(root, "ETag")
    if not etag:
        raise errors.Unavailable("The store did not say whether the upload is complete.")
    return {
        "Location": text_of(root, "Location"),
        "Bucket": text_of(root, "Bucket", bucket),
        "Key": key,
        "ETag": etag,
        "CRC64": answer.headers.get("x-cos-hash-crc64ecma"),
        "VersionId": answer.headers.get("x-cos-version-id"),
        "IsReconciled": False,
        "RequestId": answer.request_id,
    }
