"""What the Node.js SDK interface of 2017 documents, written down from that document and from nothing else.

A parameter that it marks as required has a star. `[]` stands for each entry of a list, `{*}` for any name.
The document's spelling is kept, `PutBucketCorsSucesss` and `CommonPrefixs` included. `err`, `data` and the
callback itself are the SDK's way of returning, and not listed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Documented:
    """One operation: its title, the method that the document calls, and the names in its tables."""

    title: str
    method: str
    parameters: str = ""
    results: str = ""
    progress: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The documented parameters, those of records dotted."""
        return tuple(name.rstrip("*") for name in self.parameters.split())

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name.rstrip("*") for name in self.parameters.split() if name.endswith("*"))

    @property
    def fields(self) -> tuple[str, ...]:
        """The documented fields of a result."""
        return tuple(self.results.split())

    @property
    def python(self) -> str:
        """The name in Python of the documented method."""
        return "".join(f"_{char.lower()}" if char.isupper() else char for char in self.method)


BUCKET = "Bucket* Region*"
OBJECT = f"{BUCKET} Key*"
UPLOAD = f"{OBJECT} UploadId*"
GRANTS = "ACL GrantRead GrantWrite GrantFullControl"
OBJECT_HEADERS = "CacheControl ContentDisposition ContentEncoding ContentType Expires"
ACL = (
    "Owner Owner.uin AccessControlList AccessControlList.Grant[] AccessControlList.Grant[].Permission "
    "AccessControlList.Grant[].Grantee AccessControlList.Grant[].Grantee.uin "
    "AccessControlList.Grant[].Grantee.Subacount"
)
READ = "x-cos-object-type x-cos-storage-class x-cos-meta-{*} NotModified"
CREATED = "Location Bucket Key ETag"

SERVICE = (
    Documented(
        "Get Service", "getService", "", "Owner Owner.uin Buckets[] Buckets[].Name Buckets[].CreateDate"
    ),
)
BUCKETS = (
    Documented("Head Bucket", "headBucket", BUCKET, "BucketExist BucketAuth"),
    Documented(
        "Get Bucket",
        "getBucket",
        f"{BUCKET} Prefix Delimiter Marker MaxKeys EncodingType",
        "CommonPrefixes[] CommonPrefixes[].Prefix Name Prefix Marker MaxKeys IsTruncated NextMarker "
        "Encoding-Type Contents[] Contents[].ETag Contents[].Size Contents[].Key Contents[].LastModified "
        "Contents[].Owner Contents[].Owner.ID",
    ),
    Documented("Put Bucket", "putBucket", f"{BUCKET} {GRANTS}", "Location"),
    Documented("Delete Bucket", "deleteBucket", BUCKET, "DeleteBucketSuccess"),
    Documented("Get Bucket ACL", "getBucketAcl", BUCKET, ACL),
    Documented("Put Bucket ACL", "putBucketAcl", f"{BUCKET} {GRANTS}", "BucketGrantSuccess"),
    Documented(
        "Get Bucket CORS",
        "getBucketCors",
        BUCKET,
        "CORSRule[] CORSRule[].AllowedMethod[] CORSRule[].AllowedOrigin[] CORSRule[].AllowedHeader[] "
        "CORSRule[].ExposeHeader[] CORSRule[].MaxAgeSeconds CORSRule[].ID",
    ),
    Documented(
        "Put Bucket CORS",
        "putBucketCors",
        f"{BUCKET} CORSRules CORSRules[].ID CORSRules[].AllowedMethods[]* CORSRules[].AllowedOrigins[]* "
        "CORSRules[].AllowedHeaders[] CORSRules[].ExposeHeaders[] CORSRules[].MaxAgeSeconds",
        "PutBucketCorsSucesss",
    ),
    Documented("Delete Bucket CORS", "deleteBucketCors", BUCKET, "DeleteBucketCorsSuccess"),
    Documented("Get Bucket Location", "getBucketLocation", BUCKET, "LocationConstraint"),
    Documented("Get Bucket Tagging", "getBucketTagging", BUCKET, "Tags[] Tags[].Key Tags[].Value"),
    Documented(
        "Put Bucket Tagging",
        "putBucketTagging",
        f"{BUCKET} Tags* Tags[].Key* Tags[].Value*",
        "PutBucketTaggingSuccess",
    ),
    Documented("Delete Bucket Tagging", "deleteBucketTagging", BUCKET, "DeleteBucketTaggingSuccess"),
)
OBJECTS = (
    Documented("Head Object", "headObject", f"{OBJECT} IfModifiedSince", READ),
    Documented(
        "Get Object",
        "getObject",
        f"{OBJECT} ResponseContentType ResponseContentLanguage ResponseExpires ResponseCacheControl "
        "ResponseContentDisposition ResponseContentEncoding Range IfModifiedSince Output*",
        READ,
    ),
    Documented(
        "Put Object",
        "putObject",
        f"{OBJECT} {OBJECT_HEADERS} ContentLength* Expect ContentSha1 {GRANTS} x-cos-meta-{{*}} Body* "
        "onProgress",
        "ETag",
    ),
    Documented("Delete Object", "deleteObject", OBJECT, "DeleteObjectSuccess BucketNotFound"),
    Documented(
        "Options Object",
        "optionsObject",
        f"{OBJECT} Origin* AccessControlRequestMethod* AccessControlRequestHeaders",
        "AccessControlAllowOrigin AccessControlAllowMethods AccessControlAllowHeaders "
        "AccessControlExposeHeaders AccessControlMaxAge",
    ),
    Documented("Get Object ACL", "getObjectAcl", OBJECT, ACL),
    Documented("Put Object ACL", "putObjectAcl", f"{OBJECT} {GRANTS}"),
    Documented(
        "Delete Multiple Object",
        "deleteMultipleObject",
        f"{BUCKET} Quiet Objects Objects[].Key*",
        "Deleted[] Deleted[].Key Error[] Error[].Key Error[].Code Error[].Message",
    ),
)
MULTIPART = (
    Documented(
        "Initiate Multipart Upload",
        "multipartInit",
        f"{OBJECT} {OBJECT_HEADERS} {GRANTS} StorageClass x-cos-meta-{{*}}",
        "Bucket Key UploadId",
    ),
    Documented(
        "Upload Part",
        "multipartUpload",
        f"{OBJECT} ContentLength* Expect ContentSha1 PartNumber* UploadId*",
        "ETag",
    ),
    Documented(
        "Complete Multipart Upload",
        "multipartComplete",
        f"{UPLOAD} Parts* Parts[].PartNumber* Parts[].ETag*",
        CREATED,
    ),
    Documented(
        "List Parts",
        "multipartListPart",
        f"{UPLOAD} EncodingType MaxParts PartNumberMarker",
        "Bucket Encoding-type Key UploadID Initiator Initiator.UID Owner Owner.UID StorageClass "
        "PartNumberMarker NextPartNumberMarker MaxParts IsTruncated Part[] Part[].PartNumber "
        "Part[].LastModified Part[].Etag Part[].Size",
    ),
    Documented("Abort Multipart Upload", "multipartAbort", UPLOAD, "MultipartAbortSuccess"),
    Documented(
        "List Multipart Uploads",
        "multipartList",
        f"{BUCKET} Delimiter EncodingType Prefix MaxUploads KeyMarker UploadIdMarker",
        "Bucket Encoding-type KeyMarker UploadIdMarker NextKeyMarker NextUploadIdMarker IsTruncated "
        "delimiter CommonPrefixs[] CommonPrefixs[].Prefix Prefix Upload[] Upload[].Key Upload[].UploadID "
        "Upload[].StorageClass Upload[].Initiator Upload[].Initiator.UID Upload[].Owner Upload[].Owner.UID "
        "Upload[].Initiated",
    ),
    Documented(
        "Slice Upload File",
        "sliceUploadFile",
        f"{OBJECT} FilePath* SliceSize AsyncLimit onHashProgress onProgress",
        CREATED,
        progress="SliceSize PartNumber FileSize",
    ),
    Documented(
        "Slice Copy File",
        "sliceCopyFile",
        f"{OBJECT} CopySource* ChunkSize SliceSize onProgress",
        CREATED,
    ),
)
REQUIREMENT = (*SERVICE, *BUCKETS, *OBJECTS, *MULTIPART)
