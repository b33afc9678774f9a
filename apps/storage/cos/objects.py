"""Operations on objects."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import copy_source
from apps.storage.cos.arguments import (
    callback_argument,
    flag_argument,
    length_argument,
    path_argument,
    records_argument,
)
from apps.storage.cos.bodies import BodySource, BytesBody, body_open
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.download import Download
from apps.storage.cos.keys import key_check
from apps.storage.cos.messages import Pace, Repeat, Subject
from apps.storage.cos.options import (
    ConditionOptions,
    CopyOptions,
    GetObjectOptions,
    PutObjectOptions,
    headers_of,
    parameters_of,
)
from apps.storage.cos.progress import ProgressCallback, bytes_reporter
from apps.storage.cos.xmlread import records_of, text_of, xml_parse
from apps.storage.cos.xmlwrite import delete_body

DELETE_MAX = 1000


class ObjectOperations(Caller):
    """Head, Get, Put, Delete, Delete Multiple and Put Object - Copy."""

    def head_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        VersionId: str | None = None,
        **conditions: Unpack[ConditionOptions],
    ) -> Result:
        """Return the headers of an object under lower-case names, with `ETag`, `CRC64` and `NotModified`.

        All are text: `content-length` in bytes, `last-modified` as an HTTP date, metadata as `x-cos-meta-…`.
        `x-cos-object-type` and `x-cos-storage-class` are filled in with "normal" and "STANDARD", which the
        store leaves out; a 304 leaves out more, and there they are empty. `CRC64` and `VersionId` are None
        where the store sends none. `NotModified` is true after a 304. Raises ObjectNotFound, and Conflict
        when If-Match or If-Unmodified-Since fails.
        Source: HEAD Object, 2026-08.
        """
        answer = self._object_call(
            "Head Object",
            "HEAD",
            Bucket,
            Region,
            Key,
            headers=headers_of(conditions, ConditionOptions),
            query=parameters_of({"VersionId": VersionId}),
            accepts=_read_statuses(conditions),
        )
        return {**_object_fields(answer.status, answer.headers), "RequestId": answer.request_id}

    def get_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Output: str | os.PathLike[str] | BinaryIO | None = None,
        VersionId: str | None = None,
        **options: Unpack[GetObjectOptions],
    ) -> Result:
        """Open an object for reading: the fields of Head Object, and `Body`.

        `Body` is a `Download`: status, headers, an iterator of bytes in bounded memory; close it when done.
        With `Output`, a path or a binary file, the bytes are written there and `Body` is None; what a cut
        download has written so far stays, and nothing is written after a 304. Raises ObjectNotFound, Refused
        for a range outside the object, and Interrupted while reading when the body is cut.
        Source: GET Object, 2026-08.
        """
        _output_check(Output)
        query = parameters_of({"VersionId": VersionId, **options})
        call = self._object_request(
            "Get Object",
            "GET",
            Bucket,
            Region,
            Key,
            headers=headers_of(options, GetObjectOptions),
            query=query,
            # Part of an object that was asked for whole is not the object.
            accepts=(*_read_statuses(options), *((206,) if options.get("Range") else ())),
            pace=Pace.BODY,
        )
        body = self._open(call)
        fields = {**_object_fields(body.status, body.headers), "RequestId": body.request_id}
        if Output is None:
            return {**fields, "Body": body}
        if body.status == 304:
            body.close()
            return {**fields, "Body": None}
        _write_out(body, Output)
        return {**fields, "Body": None}

    def put_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Body: BodySource,
        ContentLength: int | str | None = None,
        onProgress: ProgressCallback | None = None,
        **options: Unpack[PutObjectOptions],
    ) -> Result:
        """Store an object of up to 5 GiB and return its `ETag`, `CRC64` and `VersionId`.

        `Body` is bytes, a path, an open binary file from where it stands, or a `FileSlice`; it is streamed,
        and sent again from its start when an attempt fails. `ContentLength`, in bytes, limits an open file
        and must agree with everything else. Without `ContentType` the store derives one from the key.
        `onProgress` gets a `Progress`, and may return False to stop with Canceled. Raises Corrupted when
        `ContentMD5` or `ContentSha1` (of the caller) is not that of the bytes; a path that cannot be opened
        raises its OSError. Source: PUT Object, 2026-08.
        """
        key_check(Key)
        headers = headers_of(options, PutObjectOptions)
        callback = callback_argument("onProgress", onProgress)
        with body_open(Body, length=length_argument(ContentLength)) as body:
            answer = self._object_call(
                "Put Object",
                "PUT",
                Bucket,
                Region,
                Key,
                headers=headers,
                body=body,
                pace=Pace.BODY,
                subject=Subject.BUCKET,
                on_progress=bytes_reporter(callback, total=body.length),
            )
        return {**_written(answer.headers), "RequestId": answer.request_id}

    def delete_object(self, *, Bucket: str, Region: str, Key: str, VersionId: str | None = None) -> Result:
        """Delete an object and return `DeleteObjectSuccess`, true also when it did not exist.

        A missing bucket gives `BucketNotFound` instead of an error. Raises Denied. Source: DELETE Object,
        2026-08.
        """
        try:
            answer = self._object_call(
                "Delete Object",
                "DELETE",
                Bucket,
                Region,
                Key,
                query=parameters_of({"VersionId": VersionId}),
                accepts=(200, 204),
                repeat=Repeat.ONCE,
                # The store answers 204 for a key that it has not, so a bare 404 can only be about the bucket.
                subject=Subject.BUCKET,
            )
        except errors.NotFound as error:
            if error.status != 404:
                raise
            is_bucket = isinstance(error, errors.BucketNotFound)
            return _deleted(error.request_id, is_bucket_missing=is_bucket)
        return _deleted(answer.request_id, is_bucket_missing=False)

    def delete_multiple_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Objects: Sequence[Mapping[str, str]],
        Quiet: bool | str | None = False,
    ) -> Result:
        """Delete up to 1000 objects and return `Deleted` and `Error`, lists of records.

        `Objects` are mappings with `Key` and perhaps `VersionId`. A record has `Key`, in `Error` also `Code`
        and `Message`: look there, for the call succeeds even if every key fails. Keys that do not exist count
        as deleted; with `Quiet` only errors are listed. Raises Refused for a key that XML cannot express, for
        none and for more than 1000. Source: DELETE Multiple Objects, 2026-08.
        """
        entries = records_argument("Objects", Objects, "Key", least=1, most=DELETE_MAX)
        for entry in entries:
            key_check(entry["Key"])
        body = delete_body(
            ((entry["Key"], entry.get("VersionId")) for entry in entries),
            is_quiet=flag_argument("Quiet", Quiet),
        )
        answer = self._bucket_call(
            "Delete Multiple Object", "POST", Bucket, Region, query=(("delete", ""),), **xml_request(body)
        )
        root = xml_parse(answer.body, "DeleteResult")
        return {
            "Deleted": records_of(root, "Deleted"),
            "Error": records_of(root, "Error"),
            "RequestId": answer.request_id,
        }

    def put_object_copy(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        CopySource: str | Mapping[str, str],
        **options: Unpack[CopyOptions],
    ) -> Result:
        """Copy an object of up to 5 GiB inside the store: `ETag`, `CRC64`, `LastModified`, `VersionId`.

        `CopySource` is a mapping with `Bucket`, `Region`, `Key` and perhaps `VersionId`, or the text that the
        store wants: a host, a slash and the percent-encoded key. Headers and metadata come along unless
        `MetadataDirective` is `Replaced`; storage class and ACL never do. Raises Conflict when a condition on
        the source fails, ObjectNotFound without a source. A failure that arrives after the 200 is raised like
        any other. Source: PUT Object - Copy, 2026-08.
        """
        source = ("x-cos-copy-source", copy_source(self.endpoint, CopySource))
        answer = self._object_call(
            "Put Object Copy",
            "PUT",
            Bucket,
            Region,
            Key,
            headers=(source, *headers_of(options, CopyOptions)),
            body=BytesBody(b""),
            pace=Pace.LONG,
        )
        root = xml_parse(answer.body, "CopyObjectResult")
        return {
            "ETag": text_of(root, "ETag"),
            "CRC64": text_of(root, "CRC64") or answer.headers.get("x-cos-hash-crc64ecma"),
            "LastModified": text_of(root, "LastModified"),
            "VersionId": text_of(root, "VersionId") or answer.headers.get("x-cos-version-id"),
            "RequestId": answer.request_id,
        }


def _deleted(request_id: str, *, is_bucket_missing: bool) -> Result:
    return {
        "DeleteObjectSuccess": not is_bucket_missing,
        "BucketNotFound": is_bucket_missing,
        "RequestId": request_id,
    }


def _read_statuses(conditions: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the statuses of a good read: 304 is one only if the caller asked for it."""
    asked = conditions.get("IfModifiedSince") or conditions.get("IfNoneMatch")
    return (200, 304) if asked else (200,)


def _object_fields(status: int, headers: Mapping[str, str]) -> Result:
    left_out = {"x-cos-object-type": "normal", "x-cos-storage-class": "STANDARD"}
    # A 304 leaves out most headers of an object, so that nothing can be told from their absence.
    fields = dict.fromkeys(left_out, "") if status == 304 else left_out
    return {**fields, **headers, **_written(headers), "NotModified": status == 304}


def _written(headers: Mapping[str, str]) -> Result:
    return {
        "ETag": headers.get("etag", ""),
        "CRC64": headers.get("x-cos-hash-crc64ecma"),
        "VersionId": headers.get("x-cos-version-id"),
    }


def _output_check(output: object) -> None:
    if isinstance(output, str | os.PathLike):
        path_argument("Output", output)
    elif output is not None and (isinstance(output, io.TextIOBase) or not hasattr(output, "write")):
        raise errors.Refused(
            f"Output must be a path or a file opened for binary, not {type(output).__name__}."
        )


def _write_out(body: Download, output: str | os.PathLike[str] | BinaryIO) -> None:
    with body:
        if isinstance(output, str | os.PathLike):
            with open(output, "wb") as file:
                file.writelines(body)
            return
        for chunk in body:
            output.write(chunk)
