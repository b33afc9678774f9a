"""What is unfinished: the parts of an upload, and the uploads of a bucket."""

from __future__ import annotations

from apps.storage.cos.arguments import required_text
from apps.storage.cos.calls import Caller, Result
from apps.storage.cos.documented import part_documented, person_documented, upload_documented
from apps.storage.cos.messages import Subject
from apps.storage.cos.options import encoding_parameter, parameters_of
from apps.storage.cos.xmlread import Decoder, record_at, records_of, text_of, xml_parse


class MultipartListOperations(Caller):
    """List Parts and List Multipart Uploads."""

    def multipart_list_part(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        UploadId: str,
        MaxParts: int | str | None = None,
        PartNumberMarker: int | str | None = None,
        EncodingType: str | None = "url",
    ) -> Result:
        """Return one page of stored parts, up to 1000, ascending, in `Part`, and what their upload is.

        A part has `PartNumber`, `Size` (bytes), `ETag` and `Etag` (the same), `LastModified` (ISO 8601), all
        text. While `IsTruncated` is "true", the next page begins after
        `PartNumberMarker=NextPartNumberMarker`. `EncodingType` is always url, as in Get Bucket. Raises
        UploadNotFound. Source: List Parts, 2026-08.
        """
        upload = (("uploadId", required_text("UploadId", UploadId)),)
        query = parameters_of({"MaxParts": MaxParts, "PartNumberMarker": PartNumberMarker})
        answer = self._object_call(
            "List Parts",
            "GET",
            Bucket,
            Region,
            Key,
            query=(*upload, *query, encoding_parameter(EncodingType)),
            subject=Subject.UPLOAD,
        )
        root = xml_parse(answer.body, "ListPartsResult")
        decoder = Decoder(root)
        names = ("UploadId", "StorageClass", "PartNumberMarker", "NextPartNumberMarker", "MaxParts")
        return {
            "Bucket": text_of(root, "Bucket"),
            "EncodingType": decoder.encoding,
            "Encoding-type": decoder.encoding,
            "Key": decoder.child(root, "Key"),
            "Initiator": person_documented(record_at(root, "Initiator")),
            "Owner": person_documented(record_at(root, "Owner")),
            **{name: text_of(root, name) for name in names},
            "UploadID": text_of(root, "UploadId"),
            "IsTruncated": text_of(root, "IsTruncated", "false").lower(),
            "Part": [part_documented(record) for record in records_of(root, "Part")],
            "RequestId": answer.request_id,
        }

    def multipart_list(
        self,
        *,
        Bucket: str,
        Region: str,
        Prefix: str | None = "",
        Delimiter: str | None = "",
        KeyMarker: str | None = "",
        UploadIdMarker: str | None = "",
        MaxUploads: int | str | None = None,
        EncodingType: str | None = "url",
    ) -> Result:
        """Return one page of unfinished uploads, by key and upload id, in `Upload`.

        An upload has `Key`, `UploadId` and `UploadID` (the same), `Initiated` (a time), `Initiator`, `Owner`
        and `StorageClass`. While `IsTruncated` is "true", `NextKeyMarker` and `NextUploadIdMarker` together
        continue the page; an upload id without a key is ignored by the store. `EncodingType` is always url,
        as in Get Bucket. Raises BucketNotFound. Source: List Multipart Uploads, 2026-08.
        """
        options = {
            "Prefix": Prefix,
            "Delimiter": Delimiter,
            "KeyMarker": KeyMarker,
            "UploadIdMarker": UploadIdMarker,
            "MaxUploads": MaxUploads,
        }
        query = (("uploads", ""), *parameters_of(options), encoding_parameter(EncodingType))
        answer = self._bucket_call("List Multipart Uploads", "GET", Bucket, Region, query=query)
        return {**_uploads(answer.body), "RequestId": answer.request_id}


def _uploads(body: bytes) -> Result:
    root = xml_parse(body, "ListMultipartUploadsResult")
    decoder = Decoder(root)
    decoded = ("Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
    plain = ("Bucket", "UploadIdMarker", "NextUploadIdMarker", "MaxUploads")
    prefixes = [{"Prefix": prefix} for prefix in decoder.prefixes(root)]
    return {
        "EncodingType": decoder.encoding,
        "Encoding-type": decoder.encoding,
        **{name: decoder.child(root, name) for name in decoded},
        **{name: text_of(root, name) for name in plain},
        "IsTruncated": text_of(root, "IsTruncated", "false").lower(),
        "Upload": [upload_documented(record) for record in decoder.records(root, "Upload")],
        "CommonPrefixes": prefixes,
        "CommonPrefixs": prefixes,
        "delimiter": decoder.child(root, "Delimiter") or decoder.child(root, "delimiter"),
    }
