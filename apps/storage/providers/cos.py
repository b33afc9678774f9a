"""Tencent Cloud COS behind the store contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.storage import errors
from apps.storage.cos import CosClient, Download, Retries, Timeouts
from apps.storage.cos.addresses import REGIONS
from apps.storage.cos.keys import key_is_xml_safe
from apps.storage.cos.progress import ProgressCallback
from apps.storage.cos.values import (
    attachment_of,
    bucket_of,
    combined_crc64,
    delete_failure_of,
    etag_bare,
    etag_quoted,
    info_of,
    options_of,
    part_of,
    replacement_of,
    size_of,
    source_of,
    stored_of,
    summary_of,
    time_of,
)
from apps.storage.registry import Provider
from apps.storage.types import (
    Bucket,
    CredentialField,
    Credentials,
    DeleteFailure,
    DeleteOutcome,
    Endpoint,
    Features,
    FileSlice,
    Listing,
    ObjectHeaders,
    ObjectInfo,
    ObjectRef,
    StoredObject,
    StoredPart,
    UnfinishedPage,
    UnfinishedUpload,
)

OnProgress = Callable[[int], bool]

_MIB = 1 << 20
_GIB = 1 << 30

# Source: COS "Specifications and limits" and "ACL overview", 2025-12.
FEATURES = Features(
    regions=REGIONS,
    storage_classes=(
        "STANDARD",
        "STANDARD_IA",
        "INTELLIGENT_TIERING",
        "ARCHIVE",
        "DEEP_ARCHIVE",
        "MAZ_STANDARD",
        "MAZ_STANDARD_IA",
        "MAZ_INTELLIGENT_TIERING",
        "MAZ_ARCHIVE",
    ),
    bucket_acls=("private", "public-read", "public-read-write", "authenticated-read"),
    object_acls=(
        "default",
        "private",
        "public-read",
        "authenticated-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ),
    part_size_min=_MIB,
    part_size_max=5 * _GIB,
    parts_max=10_000,
    single_put_max=5 * _GIB,
    single_copy_max=5 * _GIB,
    delete_batch_max=1000,
    has_part_crc64=True,
    bucket_name_help=(
        "Lower-case letters, digits and hyphens, then a hyphen and the APPID, as in photos-1250000000. "
        "With its region the whole host name has at most 60 characters."
    ),
)


@dataclass
class CosObjectBody:
    """An open download of one object."""

    status: int
    info: ObjectInfo
    content_range: str | None
    content_length: int
    _download: Download

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._download)

    def close(self) -> None:
        """Stop reading; the rest of the body is thrown away."""
        self._download.close()


class CosStore:
    """The store contract on the COS client."""

    features = FEATURES

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        retries: Retries | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.client = CosClient(
            credentials=credentials, endpoint=endpoint, retries=retries, timeouts=timeouts
        )

    def list_buckets(self) -> Sequence[Bucket]:
        """Return all buckets of the account, of every region."""
        buckets: list[Bucket] = []
        marker: str | None = None
        while True:
            page = self.client.get_service(Marker=marker)
            buckets += [bucket_of(record) for record in page["Buckets"]]
            if page["IsTruncated"] != "true" or page["NextMarker"] in ("", marker):
                return buckets
            marker = page["NextMarker"]

    def head_bucket(self, *, bucket: str, region: str) -> None:
        """Return if the key may read the bucket; raises BucketNotFound or Denied."""
        found = self.client.head_bucket(Bucket=bucket, Region=region)
        told = {"request_id": found["RequestId"], "operation": "Head Bucket"}
        if not found["BucketExist"]:
            raise errors.BucketNotFound("The bucket does not exist in this region.", status=404, **told)
        if not found["BucketAuth"]:
            raise errors.Denied("The key may not read this bucket.", status=403, **told)

    def create_bucket(self, *, bucket: str, region: str, acl: str | None = None) -> None:
        """Create a bucket, private unless `acl` names a canned ACL; raises Conflict if the name is taken."""
        options: dict[str, Any] = {"ACL": acl} if acl else {}
        self.client.put_bucket(Bucket=bucket, Region=region, **options)

    def delete_bucket(self, *, bucket: str, region: str) -> None:
        """Delete an empty bucket; raises Conflict while objects or unfinished uploads remain."""
        self.client.delete_bucket(Bucket=bucket, Region=region)

    def list_objects(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        delimiter: str = "",
        marker: str = "",
        limit: int = 1000,
    ) -> Listing:
        """Return up to `limit` keys and prefixes after `marker`, at most 1000."""
        page = self.client.get_bucket(
            Bucket=bucket, Region=region, Prefix=prefix, Delimiter=delimiter, Marker=marker, MaxKeys=limit
        )
        return Listing(
            objects=tuple(summary_of(record) for record in page["Contents"]),
            prefixes=tuple(entry["Prefix"] for entry in page["CommonPrefixes"]),
            next_marker=page["NextMarker"] or None if page["IsTruncated"] == "true" else None,
        )

    def head_object(self, *, bucket: str, region: str, key: str) -> ObjectInfo:
        """Return what is known about an object; raises ObjectNotFound."""
        fields = self.client.head_object(Bucket=bucket, Region=region, Key=key)
        return info_of(key, fields, int(fields.get("content-length") or 0))

    def get_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        byte_range: str | None = None,
        if_match: str | None = None,
    ) -> CosObjectBody:
        """Open an object. `byte_range` is `bytes=first-last`; a changed `if_match` raises Conflict."""
        options: dict[str, Any] = {"Range": byte_range, "IfMatch": etag_quoted(if_match)}
        fields = self.client.get_object(Bucket=bucket, Region=region, Key=key, **options)
        download: Download = fields["Body"]
        content_range = download.headers.get("content-range") if download.status == 206 else None
        return CosObjectBody(
            status=download.status,
            info=info_of(key, fields, size_of(content_range, download.content_length)),
            content_range=content_range,
            content_length=download.content_length,
            _download=download,
        )

    def put_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: FileSlice,
        headers: ObjectHeaders,
        on_progress: OnProgress | None = None,
    ) -> StoredObject:
        """Store an object of up to 5 GiB in one request."""
        stored = self.client.put_object(
            Bucket=bucket,
            Region=region,
            Key=key,
            Body=body,
            onProgress=_counts(on_progress),
            **options_of(headers),
        )
        return stored_of(stored)

    def delete_object(self, *, bucket: str, region: str, key: str) -> None:
        """Delete an object, also one that does not exist; raises BucketNotFound."""
        outcome = self.client.delete_object(Bucket=bucket, Region=region, Key=key)
        if outcome["BucketNotFound"]:
            raise errors.BucketNotFound(
                "The bucket does not exist in this region.", status=404, request_id=outcome["RequestId"]
            )

    def delete_objects(self, *, bucket: str, region: str, keys: Sequence[str]) -> DeleteOutcome:
        """Delete up to 1000 objects. Keys that XML cannot carry faithfully go one by one.

        A key that the answer does not mention counts as failed: nobody knows.
        """
        batch = [key for key in keys if key_is_xml_safe(key) and "\r" not in key]
        left = [key for key in keys if key not in frozenset(batch)]
        deleted, failures = self._delete_batch(bucket, region, batch) if batch else ([], [])
        for key in left:
            try:
                self.delete_object(bucket=bucket, region=region, key=key)
                deleted.append(key)
            except errors.StorageError as error:
                failures.append(DeleteFailure(key, error.code, error.message))
        return DeleteOutcome(deleted=tuple(deleted), failures=tuple(failures))

    def copy_object(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        source_etag: str | None = None,
        storage_class: str | None = None,
    ) -> StoredObject:
        """Copy up to 5 GiB with headers and metadata; raises Conflict if the source is not `source_etag`.

        Onto itself, to change the storage class, the headers are read first and sent again: COS refuses a
        plain copy of an object onto itself.
        """
        options: dict[str, Any] = {
            "CopySourceIfMatch": etag_quoted(source_etag),
            "StorageClass": storage_class,
        }
        if source == ObjectRef(bucket, region, key):
            info = self.head_object(bucket=bucket, region=region, key=key)
            options |= replacement_of(info)
            options["CopySourceIfMatch"] = etag_quoted(source_etag or info.etag)
        copied = self.client.put_object_copy(
            Bucket=bucket, Region=region, Key=key, CopySource=source_of(source), **options
        )
        return stored_of(copied)

    def create_multipart_upload(self, *, bucket: str, region: str, key: str, headers: ObjectHeaders) -> str:
        """Begin an upload and return its id; from here on an abort is owed."""
        begun = self.client.multipart_init(Bucket=bucket, Region=region, Key=key, **options_of(headers))
        return str(begun["UploadId"])

    def upload_part(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        number: int,
        body: FileSlice,
        on_progress: OnProgress | None = None,
    ) -> StoredPart:
        """Store part `number`; the caller compares the CRC-64 with its own."""
        part = self.client.multipart_upload(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            Body=body,
            onProgress=_counts(on_progress),
        )
        return StoredPart(number=number, size=body.length, etag=etag_bare(part["ETag"]), crc64=part["CRC64"])

    def upload_part_copy(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        source_etag: str | None = None,
    ) -> StoredPart:
        """Store bytes `first_byte` to `last_byte`, both included, of another object as part `number`."""
        condition: dict[str, Any] = {"CopySourceIfMatch": etag_quoted(source_etag)}
        part = self.client.multipart_upload_copy(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            CopySource=source_of(source),
            CopySourceRange=f"bytes={first_byte}-{last_byte}",
            **condition,
        )
        size = last_byte - first_byte + 1
        return StoredPart(number=number, size=size, etag=etag_bare(part["ETag"]), crc64=part["CRC64"])

    def list_parts(self, *, bucket: str, region: str, key: str, upload_id: str) -> Iterator[StoredPart]:
        """Yield all stored parts, ascending, a page of 1000 at a time."""
        marker = ""
        while True:
            page = self.client.multipart_list_part(
                Bucket=bucket, Region=region, Key=key, UploadId=upload_id, PartNumberMarker=marker
            )
            parts = page["Part"]
            yield from (part_of(record) for record in parts)
            if page["IsTruncated"] != "true" or not parts:
                return
            marker = page["NextPartNumberMarker"] or parts[-1]["PartNumber"]

    def complete_multipart_upload(
        self, *, bucket: str, region: str, key: str, upload_id: str, parts: Sequence[StoredPart]
    ) -> StoredObject:
        """Make the object from its parts.

        A lost answer is settled by looking at the object, where the parts' CRC-64 are known; with them a
        store that joined something else raises Corrupted.
        """
        expected = combined_crc64(parts)
        completed = self.client.multipart_complete(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            Parts=[{"PartNumber": part.number, "ETag": part.etag} for part in parts],
            ExpectedSize=sum(part.size for part in parts),
            ExpectedCRC64=expected,
        )
        stored = stored_of(completed)
        if expected is not None and stored.crc64 not in (None, expected):
            raise errors.Corrupted(
                "The finished object has another CRC-64 than its parts.", request_id=completed["RequestId"]
            )
        return stored

    def abort_multipart_upload(self, *, bucket: str, region: str, key: str, upload_id: str) -> None:
        """Throw an upload away; raises UploadNotFound when it is gone already."""
        self.client.multipart_abort(Bucket=bucket, Region=region, Key=key, UploadId=upload_id)

    def list_multipart_uploads(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        limit: int = 1000,
    ) -> UnfinishedPage:
        """Return one page of unfinished uploads by key and upload id."""
        page = self.client.multipart_list(
            Bucket=bucket,
            Region=region,
            Prefix=prefix,
            KeyMarker=key_marker,
            UploadIdMarker=upload_id_marker,
            MaxUploads=limit,
        )
        uploads = tuple(
            UnfinishedUpload(record["Key"], record["UploadId"], time_of(record.get("Initiated", "")))
            for record in page["Upload"]
        )
        if page["IsTruncated"] != "true" or not uploads:
            return UnfinishedPage(uploads, None, None)
        last = uploads[-1]
        return UnfinishedPage(
            uploads, page["NextKeyMarker"] or last.key, page["NextUploadIdMarker"] or last.upload_id
        )

    def presign_get(
        self, *, bucket: str, region: str, key: str, expires_s: int, filename: str | None = None
    ) -> str:
        """Return a URL that downloads the object for `expires_s` seconds, saved as `filename` if given."""
        options: dict[str, Any] = {"ResponseContentDisposition": attachment_of(filename)} if filename else {}
        return self.client.get_object_url(Bucket=bucket, Region=region, Key=key, Expires=expires_s, **options)

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str:
        """Return a URL that stores the object for `expires_s` seconds."""
        return self.client.get_object_url(
            Bucket=bucket, Region=region, Key=key, Method="PUT", Expires=expires_s
        )

    def _delete_batch(
        self, bucket: str, region: str, keys: Sequence[str]
    ) -> tuple[list[str], list[DeleteFailure]]:
        answer = self.client.delete_multiple_object(
            Bucket=bucket, Region=region, Objects=[{"Key": key} for key in keys]
        )
        deleted = {record["Key"] for record in answer["Deleted"]}
        failures = {record["Key"]: record for record in answer["Error"]}
        return [key for key in keys if key in deleted], [
            delete_failure_of(key, failures.get(key)) for key in keys if key not in deleted
        ]


def _counts(on_progress: OnProgress | None) -> ProgressCallback | None:
    """Return the client's callback for a caller who only wants the bytes sent so far."""
    if on_progress is None:
        return None
    return lambda report: on_progress(report["loaded"])


def _open(credentials: Credentials, endpoint: Endpoint) -> CosStore:
    return CosStore(credentials, endpoint)


PROVIDER = Provider(
    name="cos",
    label="Tencent Cloud COS",
    credential_fields=(
        CredentialField("secret_id", "SecretId", help_text="Of a CAM user with only the rights it needs."),
        CredentialField("secret_key", "SecretKey", is_secret=True),
        CredentialField(
            "token", "Session token", is_secret=True, is_required=False, help_text="Only for temporary keys."
        ),
    ),
    features=FEATURES,
    open=_open,
)
