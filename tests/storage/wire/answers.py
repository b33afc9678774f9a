"""What the store answers, in the shape of published captures, to give to two clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.storage.wire.case import BUCKET, KEY, Case
from tests.storage.wire.table import CASES

PERSON = "qcs::cam::uin/100000000001:uin/100000000011"
ROOT = "qcs::cam::uin/100000000001:uin/100000000001"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
DECLARED = "<?xml version='1.0' encoding='utf-8' ?>\n"
QUOTED = "dir/%E4%B8%AD%20%E6%96%87%2Ba%281%29~%21%2A%27.txt"
STORED = {
    "ETag": '"ee8de918d05640145b18f70f4c3aa602"',
    "x_cos_hash_crc64ecma": "16749565679157681890",
    "x_cos_version_id": "MTg0NDUxNTc1NjIzMTQ1MDAwODg",
    "x_cos_storage_class": "STANDARD_IA",
    "x_cos_meta_note": "a%20b",
    "Content_Type": "text/plain",
    "Cache_Control": "max-age=600",
    "Last_Modified": "Fri, 10 Apr 2020 18:20:30 GMT",
}

SERVICE = f"""<ListAllMyBucketsResult>
    <Owner><ID>{ROOT}</ID><DisplayName>100000000001</DisplayName></Owner>
    <Buckets>
        <Bucket><Name>one-1250000000</Name><Location>ap-beijing</Location>
            <CreationDate>2019-05-24T11:49:50Z</CreationDate><BucketType>cos</BucketType></Bucket>
        <Bucket><Name>two-1250000000</Name><Location>ap-shanghai</Location>
            <CreationDate>2020-01-01T00:00:00Z</CreationDate><BucketType>cos</BucketType></Bucket>
    </Buckets>
</ListAllMyBucketsResult>"""

LIST = f"""{DECLARED}<ListBucketResult>
    <Name>{BUCKET}</Name><EncodingType>url</EncodingType>
    <Prefix>dir/</Prefix><Marker/><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter>
    <IsTruncated>true</IsTruncated><NextMarker>{QUOTED}</NextMarker>
    <CommonPrefixes><Prefix>dir/a%20b/</Prefix></CommonPrefixes>
    <Contents><Key>{QUOTED}</Key><LastModified>2020-12-10T03:37:30.000Z</LastModified>
        <ETag>&quot;ee8de918d05640145b18f70f4c3aa602&quot;</ETag><Size>37</Size>
        <Owner><ID>1250000000</ID><DisplayName>1250000000</DisplayName></Owner>
        <StorageClass>STANDARD</StorageClass></Contents>
</ListBucketResult>"""

ACL = f"""<AccessControlPolicy>
    <Owner><ID>{ROOT}</ID><DisplayName>{ROOT}</DisplayName></Owner>
    <AccessControlList>
        <Grant><Grantee {XSI} xsi:type="Group"><URI>http://cam.qcloud.com/groups/global/AllUsers</URI></Grantee>
            <Permission>READ</Permission></Grant>
        <Grant><Grantee {XSI} xsi:type="CanonicalUser"><ID>{PERSON}</ID><DisplayName>{PERSON}</DisplayName>
            </Grantee><Permission>WRITE_ACP</Permission></Grant>
    </AccessControlList>
</AccessControlPolicy>"""

CORS = f"""{DECLARED}<CORSConfiguration>
    <CORSRule><ID>one &amp; only</ID><AllowedOrigin>https://a.example</AllowedOrigin>
        <AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>
        <AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
        <MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>
</CORSConfiguration>"""

PARTS = f"""{DECLARED}<ListPartsResult>
    <Bucket>{BUCKET}</Bucket><Encoding-type>url</Encoding-type><Key>{QUOTED}</Key>
    <UploadId>1585130821cbb7df</UploadId>
    <Owner><ID>1250000000</ID><DisplayName>1250000000</DisplayName></Owner>
    <PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>1</NextPartNumberMarker>
    <Initiator><ID>{PERSON}</ID><DisplayName>100000000011</DisplayName></Initiator>
    <Part><PartNumber>1</PartNumber><LastModified>2020-03-25T10:07:22.000Z</LastModified>
        <ETag>&quot;39270a968a357d24207e9911162507eb&quot;</ETag><Size>1048576</Size></Part>
    <StorageClass>STANDARD</StorageClass><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated>
</ListPartsResult>"""

UPLOADS = f"""<ListMultipartUploadsResult>
    <Bucket>{BUCKET}</Bucket><Encoding-Type>url</Encoding-Type>
    <KeyMarker/><UploadIdMarker/><NextKeyMarker>{QUOTED}</NextKeyMarker>
    <NextUploadIdMarker>1585130821cbb7df</NextUploadIdMarker><MaxUploads>1</MaxUploads>
    <Prefix>dir/</Prefix><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>
    <Upload><Key>{QUOTED}</Key><UploadId>1585130821cbb7df</UploadId>
        <Initiator><ID>{PERSON}</ID><DisplayName>100000000011</DisplayName></Initiator>
        <Owner><ID>{ROOT}</ID><DisplayName>100000000001</DisplayName></Owner>
        <StorageClass>STANDARD</StorageClass><Initiated>2020-03-25T10:07:01.000Z</Initiated></Upload>
    <CommonPrefixes><Prefix>dir/a%20b/</Prefix></CommonPrefixes>
</ListMultipartUploadsResult>"""

DELETED = f"""<DeleteResult>
    <Deleted><Key>{KEY}</Key></Deleted>
    <Deleted><Key>a</Key><VersionId>v1</VersionId></Deleted>
    <Error><Key>b&lt;&gt;</Key><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>
</DeleteResult>"""

COMPLETED = f"""{DECLARED}<CompleteMultipartUploadResult xmlns="http://www.qcloud.com/document/product/436/7751">
    <Location>http://{BUCKET}.cos.ap-guangzhou.myqcloud.com/{QUOTED}</Location>
    <Bucket>{BUCKET}</Bucket><Key>{KEY}</Key><ETag>"aa259a62513358f69e98e72e59856d88-3"</ETag>
</CompleteMultipartUploadResult>"""


@dataclass(frozen=True)
class Answer:
    """An answer to an operation. `flags` are fields that are promised although they are not on the wire."""

    name: str
    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """The case of that name, else the first of the operation."""
        of_operation = [case for case in CASES if case.operation == self.name.partition(",")[0]]
        return next((case for case in of_operation if case.name == self.name), of_operation[0])


ANSWERS = [
    Answer("get_service", SERVICE),
    Answer("get_service, empty", "<ListAllMyBucketsResult><Owner/><Buckets/></ListAllMyBucketsResult>"),
    Answer("head_bucket", flags={"BucketExist": True, "BucketAuth": True}),
    Answer("head_bucket, forbidden", status=403, flags={"BucketExist": True, "BucketAuth": False}),
    Answer("head_bucket, missing", status=404, flags={"BucketExist": False, "BucketAuth": False}),
    Answer(
        "get_bucket",
        LIST,
    ),
    Answer("get_bucket, empty", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
    Answer("put_bucket"),
    Answer("delete_bucket", status=204, flags={"DeleteBucketSuccess": True}),
    Answer("get_bucket_location", "<LocationConstraint>ap-guangzhou</LocationConstraint>"),
    Answer(
        "get_bucket_acl",
        ACL,
    ),
    Answer("put_bucket_acl", flags={"BucketGrantSuccess": True}),
    Answer("get_bucket_cors", CORS),
    Answer(
        "get_bucket_cors, with more than rules",
        "<CORSConfiguration><ResponseVary>true</ResponseVary></CORSConfiguration>",
        flags={"Extra": [("ResponseVary", "true")]},
    ),
    Answer("put_bucket_cors", flags={"PutBucketCorsSucesss": True}),
    Answer("delete_bucket_cors", status=204, flags={"DeleteBucketCorsSuccess": True}),
    Answer(
        "get_bucket_tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
    ),
    Answer("get_bucket_tagging, empty", "<Tagging><TagSet/></Tagging>"),
    Answer("put_bucket_tagging", status=204, flags={"PutBucketTaggingSuccess": True}),
    Answer("delete_bucket_tagging", status=204, flags={"DeleteBucketTaggingSuccess": True}),
    Answer("head_object", headers=STORED, flags={"NotModified": False, "x-cos-object-type": "normal"}),
    Answer("head_object, if changed", status=304, flags={"NotModified": True}),
    Answer(
        "get_object",
        "[Object Content]",
        headers=STORED,
        flags={"NotModified": False, "x-cos-object-type": "normal"},
    ),
    Answer("get_object, a range if changed", status=304, flags={"NotModified": True}),
    Answer("put_object", headers=STORED),
    Answer("delete_object", status=204, flags={"DeleteObjectSuccess": True, "BucketNotFound": False}),
    Answer(
        "delete_object, without a bucket",
        status=404,
        flags={"DeleteObjectSuccess": False, "BucketNotFound": True},
    ),
    Answer(
        "options_object",
        headers={
            "Access_Control_Allow_Origin": "https://a.example",
            "Access_Control_Allow_Methods": "PUT,GET",
            "Access_Control_Allow_Headers": "x-cos-acl,content-type",
            "Access_Control_Expose_Headers": "ETag",
            "Access_Control_Max_Age": "600",
        },
    ),
    Answer(
        "options_object, forbidden",
        status=403,
        flags={"OptionsForbidden": True, "AccessControlAllowOrigin": ""},
    ),
    Answer(
        "get_object_acl",
        ACL,
        headers={"x_cos_acl": "default"},
        flags={"ACL": "default"},
    ),
    Answer("put_object_acl"),
    Answer("delete_multiple_object", DELETED),
    Answer("delete_multiple_object, quietly", "<DeleteResult/>"),
    Answer(
        "put_object_copy",
        '<CopyObjectResult><ETag>"e"</ETag><CRC64>7</CRC64><LastModified>2020-04-10T18:20:30Z</LastModified>'
        "<VersionId>v</VersionId></CopyObjectResult>",
    ),
    Answer(
        "multipart_init",
        f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{KEY}</Key><UploadId>u1</UploadId>"
        "</InitiateMultipartUploadResult>",
    ),
    Answer("multipart_upload", headers={"ETag": STORED["ETag"]}),
    Answer(
        "multipart_upload_copy",
        '<CopyPartResult><ETag>"e"</ETag><LastModified>2020-04-10T18:20:30Z</LastModified></CopyPartResult>',
    ),
    Answer("multipart_complete", COMPLETED),
    Answer("multipart_abort", status=204, flags={"MultipartAbortSuccess": True}),
    Answer("multipart_list_part", PARTS),
    Answer(
        "multipart_list",
        UPLOADS,
    ),
]
