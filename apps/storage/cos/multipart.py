"""Operations of multipart uploads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host, copy_source
from apps.storage.cos.bodies import BodySource, BytesBody, body_open
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.keys import key_quote
from apps.storage.cos.messages import Answer, Pace, Repeat, Subject
from apps.storage.cos.options import BodyOptions, ObjectOptions, SourceOptions, headers_of, parameters_of
from apps.storage.cos.progress import ProgressCallback, bytes_reporter
from apps.storage.cos.xmlread import Decoder, record_of, records_of, text_of, xml_parse
from apps.storage.cos.xmlwrite import complete_body

_URL = ("encoding-type", "url")


class MultipartOperations(Caller):
    """Initiate, Upload Part, Upload Part - Copy, Complete, Abort, List Parts, List Uploads."""

    def multipart_init(
        self, *, Bucket: str, Region: str, Key: str, **options: Unpack[ObjectOptions]
    ) -> Result:
        """Begin a multipart upload and return `Bucket`, `Key` and `UploadId`.

        From here on an abort is owed. Not repeated when the connection breaks, because each repeat would
        leave an upload behind that nobody knows. Source: Initiate Multipart Upload, 2026-08.
        """
        answer = self._object_call(
            "Initiate Multipart Upload",
            "POST",
            Bucket,
            Region,
            Key,
            query=(("uploads", ""),),
            headers=headers_of(options),
            body=BytesBody(b""),
            repeat=Repeat.NEVER,
            subject=Subject.BUCKET,
        )
        upload_id = text_of(xml_parse(answer.body), "UploadId")
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
        ContentLength: int | None = None,
        TrafficLimit: int | None = None,
        onProgress: ProgressCallback | None = None,
        **options: Unpack[BodyOptions],
    ) -> Result:
        """Store one part and return its `ETag` and `CRC64`; the same number again replaces it.

        `Body` and `onProgress` are those of Put Object. Raises UploadNotFound once the upload has ended.
        Source: Upload Part, 2026-08.
        """
        with body_open(Body, length=ContentLength) as body:
            answer = self._object_call(
                "Upload Part",
                "PUT",
                Bucket,
                Region,
                Key,
                query=_part(PartNumber, UploadId),
                headers=headers_of({**options, "TrafficLimit": TrafficLimit}),
                body=body,
                pace=Pace.BODY,
                subject=Subject.UPLOAD,
                on_progress=bytes_reporter(onProgress, total=body.length),
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
            headers.append(("x-cos-copy-source-range", CopySourceRange))
        answer = self._object_call(
            "Upload Part Copy",
            "PUT",
            Bucket,
            Region,
            Key,
            query=_part(PartNumber, UploadId),
            headers=(*headers, *headers_of(options)),
            body=BytesBody(b""),
            pace=Pace.LONG,
            subject=Subject.UPLOAD,
        )
        root = xml_parse(answer.body)
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
        ExpectedSize: int | None = None,
        ExpectedCRC64: str | None = None,
    ) -> Result:
        """Make the object from its parts: `Location`, `Bucket`, `Key`, `ETag`, `CRC64`, `IsReconciled`.

        `Parts` are mappings with `PartNumber` and `ETag`, ascending. It is never sent twice blindly: the
        store forgets a finished upload at once, so that a second try fails although the first one worked.
        Instead, when the answer is lost or the upload is unknown, and both `Expected…` are given, the object
        is looked at; if it has that size and CRC-64, that is the result, with `IsReconciled` true.
        Source: Complete Multipart Upload, 2026-08.
        """
        request = xml_request(complete_body(Parts))
        try:
            answer = self._object_call(
                "Complete Multipart Upload",
                "POST",
                Bucket,
                Region,
                Key,
                query=(("uploadId", UploadId),),
                pace=Pace.LONG,
                repeat=Repeat.NEVER,
                subject=Subject.UPLOAD,
                **request,
            )
            return _completed(answer, Bucket, Key)
        except (errors.Unavailable, errors.UploadNotFound) as error:
            found = self._found(Bucket, Region, Key, ExpectedSize, ExpectedCRC64)
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
            query=(("uploadId", UploadId),),
            accepts=(200, 204),
            repeat=Repeat.ONCE,
            subject=Subject.UPLOAD,
        )
        return {"MultipartAbortSuccess": True, "RequestId": answer.request_id}

    def multipart_list_part(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        UploadId: str,
        MaxParts: int | str | None = None,
        PartNumberMarker: int | str | None = None,
        EncodingType: str = "url",
    ) -> Result:
        """Return one page of stored parts, up to 1000, ascending, in `Part`.

        Source: List Parts, 2026-08. `EncodingType` is always url, as in Get Bucket.
        """
        query = parameters_of({"MaxParts": MaxParts, "PartNumberMarker": PartNumberMarker})
        answer = self._object_call(
            "List Parts",
            "GET",
            Bucket,
            Region,
            Key,
            query=(("uploadId", UploadId), *query, _URL),
            subject=Subject.UPLOAD,
        )
        root = xml_parse(answer.body)
        decoder = Decoder(root)
        names = ("UploadId", "StorageClass", "PartNumberMarker", "NextPartNumberMarker", "MaxParts")
        return {
            "Bucket": text_of(root, "Bucket"),
            "EncodingType": decoder.encoding,
            "Key": decoder.child(root, "Key"),
            **_people(root),
            **{name: text_of(root, name) for name in names},
            "IsTruncated": text_of(root, "IsTruncated", "false").lower(),
            "Part": records_of(root, "Part"),
            "RequestId": answer.request_id,
        }

    def multipart_list(
        self,
        *,
        Bucket: str,
        Region: str,
        Prefix: str = "",
        Delimiter: str = "",
        KeyMarker: str = "",
        UploadIdMarker: str = "",
        MaxUploads: int | str | None = None,
        EncodingType: str = "url",
    ) -> Result:
        """Return one page of unfinished uploads, by key and upload id, in `Upload`.

        Both markers continue a page; an upload id without a key is ignored by the store.
        Source: List Multipart Uploads, 2026-08. `EncodingType` is always url, as in Get Bucket.
        """
        options = {
            "Prefix": Prefix,
            "Delimiter": Delimiter,
            "KeyMarker": KeyMarker,
            "UploadIdMarker": UploadIdMarker,
            "MaxUploads": MaxUploads,
        }
        query = (("uploads", ""), *parameters_of(options), _URL)
        answer = self._bucket_call("List Multipart Uploads", "GET", Bucket, Region, query=query)
        return {**_uploads(answer.body), "RequestId": answer.request_id}

    def _found(
        self, bucket: str, region: str, key: str, size: int | None, crc64: str | None
    ) -> Result | None:
        """Return the result of an upload that did finish, None when that cannot be told."""
        if size is None or crc64 is None:
            return None
        try:
            answer = self._object_call("Head Object", "HEAD", bucket, region, key)
        except errors.StorageError:
            return None
        headers = answer.headers
        if headers.get("content-length") != str(size) or headers.get("x-cos-hash-crc64ecma") != crc64:
            return None
        host = bucket_host(self.endpoint, bucket, region)
        return {
            "Location": f"{self.endpoint.scheme}://{host}/{key_quote(key)}",
            "Bucket": bucket,
            "Key": key,
            "ETag": headers.get("etag", ""),
            "CRC64": crc64,
            "IsReconciled": True,
            "RequestId": answer.request_id,
        }


def _part(number: int | str, upload_id: str) -> tuple[tuple[str, str], ...]:
    return (("partNumber", str(number)), ("uploadId", upload_id))


def _people(root: Any) -> Result:
    return {name: record_of(node) for name in ("Initiator", "Owner") if (node := root.find(name)) is not None}


def _completed(answer: Answer, bucket: str, key: str) -> Result:
    root = xml_parse(answer.body)
    etag = text_of(root, "ETag")
    if root.tag != "CompleteMultipartUploadResult" or not etag:
        raise errors.Unavailable("The store did not say whether the upload is complete.")
    return {
        "Location": text_of(root, "Location"),
        "Bucket": text_of(root, "Bucket", bucket),
        "Key": key,
        "ETag": etag,
        "CRC64": answer.headers.get("x-cos-hash-crc64ecma"),
        "IsReconciled": False,
        "RequestId": answer.request_id,
    }


def _uploads(body: bytes) -> Result:
    root = xml_parse(body)
    decoder = Decoder(root)
    decoded = ("Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
    plain = ("Bucket", "UploadIdMarker", "NextUploadIdMarker", "MaxUploads")
    return {
        "EncodingType": decoder.encoding,
        **{name: decoder.child(root, name) for name in decoded},
        **{name: text_of(root, name) for name in plain},
        "IsTruncated": text_of(root, "IsTruncated", "false").lower(),
        "Upload": list(decoder.records(root, "Upload")),
        "CommonPrefixes": [{"Prefix": prefix} for prefix in decoder.prefixes(root)],
    }
