"""Operations on objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import copy_source
from apps.storage.cos.bodies import BodySource, BytesBody, body_open
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.download import Download
from apps.storage.cos.keys import key_check
from apps.storage.cos.messages import Pace, Repeat, Subject
from apps.storage.cos.options import (
    ConditionOptions,
    CopyObjectOptions,
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

        `x-cos-object-type` and `x-cos-storage-class` are filled in with "normal" and "STANDARD", which the
        store leaves out. `NotModified` is true after a 304. Raises Conflict when If-Match fails.
        Source: HEAD Object, 2026-08.
        """
        answer = self._object_call(
            "Head Object",
            "HEAD",
            Bucket,
            Region,
            Key,
            headers=headers_of(conditions),
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
        Output: str | Path | BinaryIO | None = None,
        VersionId: str | None = None,
        **options: Unpack[GetObjectOptions],
    ) -> Result:
        """Open an object for reading: the fields of Head Object, and `Body`.

        `Body` is a `Download`: status, headers, an iterator of bytes in bounded memory; close it when done.
        With `Output`, a path or a binary file, the bytes are written there and `Body` is None; what a cut
        download has written so far stays. Raises Interrupted while reading when the body is cut.
        Source: GET Object, 2026-08.
        """
        query = parameters_of({"VersionId": VersionId, **options})
        call = self._object_request(
            "Get Object",
            "GET",
            Bucket,
            Region,
            Key,
            headers=headers_of(options),
            query=query,
            accepts=(*_read_statuses(options), 206),
            pace=Pace.BODY,
        )
        body = self._open(call)
        fields = {**_object_fields(body.status, body.headers), "RequestId": body.request_id}
        if Output is None:
            return {**fields, "Body": body}
        _write_out(body, Output)
        return {**fields, "Body": None}

    def put_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Body: BodySource,
        ContentLength: int | None = None,
        onProgress: ProgressCallback | None = None,
        **options: Unpack[PutObjectOptions],
    ) -> Result:
        """Store an object of up to 5 GiB and return its `ETag`, `CRC64` and `VersionId`.

        `Body` is bytes, a path, an open binary file from where it stands, or a `FileSlice`; it is streamed,
        and sent again from its start when an attempt fails. Without `ContentType` the store derives one from
        the key. `onProgress` gets a `Progress`, and may return False to stop.
        Source: PUT Object, 2026-08.
        """
        key_check(Key)
        with body_open(Body, length=ContentLength) as body:
            answer = self._object_call(
                "Put Object",
                "PUT",
                Bucket,
                Region,
                Key,
                headers=headers_of(options),
                body=body,
                pace=Pace.BODY,
                subject=Subject.BUCKET,
                on_progress=bytes_reporter(onProgress, total=body.length),
            )
        return {**_written(answer.headers), "RequestId": answer.request_id}

    def delete_object(self, *, Bucket: str, Region: str, Key: str, VersionId: str | None = None) -> Result:
        """Delete an object and return `DeleteObjectSuccess`, true also when it did not exist.

        A missing bucket gives `BucketNotFound` instead of an error. Source: DELETE Object, 2026-08.
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
            )
        except errors.NotFound as error:
            return {"DeleteObjectSuccess": False, "BucketNotFound": True, "RequestId": error.request_id}
        return {"DeleteObjectSuccess": True, "BucketNotFound": False, "RequestId": answer.request_id}

    def delete_multiple_object(
        self, *, Bucket: str, Region: str, Objects: Sequence[Mapping[str, str]], Quiet: bool = False
    ) -> Result:
        """Delete up to 1000 objects and return `Deleted` and `Error`, lists of records with `Key`.

        Keys that do not exist count as deleted; with `Quiet` only errors are listed. Raises Refused for a key
        that XML cannot express. Source: DELETE Multiple Objects, 2026-08.
        """
        if not 1 <= len(Objects) <= DELETE_MAX:
            raise errors.Refused(f"One request deletes 1 to {DELETE_MAX} objects, not {len(Objects)}.")
        for entry in Objects:
            key_check(entry["Key"])
        body = delete_body(((entry["Key"], entry.get("VersionId")) for entry in Objects), is_quiet=Quiet)
        answer = self._bucket_call(
            "Delete Multiple Object", "POST", Bucket, Region, query=(("delete", ""),), **xml_request(body)
        )
        root = xml_parse(answer.body)
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
        **options: Unpack[CopyObjectOptions],
    ) -> Result:
        """Copy an object of up to 5 GiB inside the store: `ETag`, `CRC64`, `LastModified`, `VersionId`.

        Headers and metadata come along unless `MetadataDirective` is `Replaced`; storage class and ACL never
        do. Raises Conflict when a condition on the source fails, ObjectNotFound without a source. A failure
        that arrives after the 200 is raised like any other. Source: PUT Object - Copy, 2026-08.
        """
        source = ("x-cos-copy-source", copy_source(self.endpoint, CopySource))
        answer = self._object_call(
            "Put Object Copy",
            "PUT",
            Bucket,
            Region,
            Key,
            headers=(source, *headers_of(options)),
            body=BytesBody(b""),
            pace=Pace.LONG,
        )
        root = xml_parse(answer.body)
        return {
            "ETag": text_of(root, "ETag"),
            "CRC64": text_of(root, "CRC64") or answer.headers.get("x-cos-hash-crc64ecma"),
            "LastModified": text_of(root, "LastModified"),
            "VersionId": text_of(root, "VersionId") or answer.headers.get("x-cos-version-id"),
            "RequestId": answer.request_id,
        }


def _read_statuses(conditions: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the statuses of a good read: 304 is one only if the caller asked for it."""
    asked = conditions.get("IfModifiedSince") or conditions.get("IfNoneMatch")
    return (200, 304) if asked else (200,)


def _object_fields(status: int, headers: Mapping[str, str]) -> Result:
    fields = {"x-cos-object-type": "normal", "x-cos-storage-class": "STANDARD"}
    return {**fields, **headers, **_written(headers), "NotModified": status == 304}


def _written(headers: Mapping[str, str]) -> Result:
    return {
        "ETag": headers.get("etag", ""),
        "CRC64": headers.get("x-cos-hash-crc64ecma"),
        "VersionId": headers.get("x-cos-version-id"),
    }


def _write_out(body: Download, output: str | Path | BinaryIO) -> None:
    with body:
        if isinstance(output, str | Path):
            with open(output, "wb") as file:
                file.writelines(body)
            return
        for chunk in body:
            output.write(chunk)
