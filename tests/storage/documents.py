"""Documents as the store sends them, one per kind, with each field that any result is made of."""

from __future__ import annotations

ACL = """
<AccessControlPolicy>
  <Owner>
    <ID>qcs::cam::uin/100000000001:uin/100000000001</ID>
    <DisplayName>qcs::cam::uin/100000000001:uin/100000000001</DisplayName>
  </Owner>
  <AccessControlList>
    <Grant>
      <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">
        <ID>qcs::cam::uin/100000000002:uin/100000000022</ID>
        <DisplayName>qcs::cam::uin/100000000002:uin/100000000022</DisplayName>
      </Grantee>
      <Permission>READ</Permission>
    </Grant>
  </AccessControlList>
</AccessControlPolicy>
""".strip()

BUCKETS = """
<ListAllMyBucketsResult>
  <Owner>
    <ID>qcs::cam::uin/100000000001:uin/100000000001</ID>
    <DisplayName>qcs::cam::uin/100000000001:uin/100000000001</DisplayName>
  </Owner>
  <Marker>m-1250000000</Marker>
  <NextMarker>photos-1250000000</NextMarker>
  <IsTruncated>true</IsTruncated>
  <Buckets>
    <Bucket>
      <Name>photos-1250000000</Name>
      <Location>ap-guangzhou</Location>
      <CreationDate>2019-05-24T11:49:50Z</CreationDate>
      <BucketType>cos</BucketType>
    </Bucket>
  </Buckets>
</ListAllMyBucketsResult>
""".strip()

PAGE = """
<ListBucketResult>
  <Name>photos-1250000000</Name>
  <EncodingType>url</EncodingType>
  <Prefix>dir/</Prefix>
  <Marker>dir/0</Marker>
  <MaxKeys>17</MaxKeys>
  <Delimiter>/</Delimiter>
  <IsTruncated>true</IsTruncated>
  <NextMarker>dir/a%20b.txt</NextMarker>
  <CommonPrefixes><Prefix>dir/sub/</Prefix></CommonPrefixes>
  <Contents>
    <Key>dir/a%20b.txt</Key>
    <LastModified>2020-12-10T03:37:30.000Z</LastModified>
    <ETag>&quot;e&quot;</ETag>
    <Size>37</Size>
    <Owner><ID>1250000000</ID></Owner>
    <StorageClass>STANDARD</StorageClass>
  </Contents>
</ListBucketResult>
""".strip()

CORS = """
<CORSConfiguration>
  <CORSRule>
    <ID>one</ID>
    <AllowedOrigin>*</AllowedOrigin>
    <AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>*</AllowedHeader>
    <ExposeHeader>ETag</ExposeHeader>
    <MaxAgeSeconds>600</MaxAgeSeconds>
  </CORSRule>
</CORSConfiguration>
""".strip()

LOCATION = """
<LocationConstraint>ap-guangzhou</LocationConstraint>
""".strip()

TAGS = """
<Tagging>
  <TagSet>
    <Tag><Key>team</Key><Value>red</Value></Tag>
  </TagSet>
</Tagging>
""".strip()

DELETED = """
<DeleteResult>
  <Deleted><Key>dir/a b.txt</Key></Deleted>
  <Error><Key>c</Key><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>
</DeleteResult>
""".strip()

COPIED = """
<CopyObjectResult>
  <ETag>&quot;e&quot;</ETag>
  <CRC64>7</CRC64>
  <LastModified>2020-04-10T18:20:30Z</LastModified>
</CopyObjectResult>
""".strip()

BEGUN = """
<InitiateMultipartUploadResult>
  <Bucket>photos-1250000000</Bucket>
  <Key>dir/a b.txt</Key>
  <UploadId>1585130821cbb7df</UploadId>
</InitiateMultipartUploadResult>
""".strip()

PART_COPIED = """
<CopyPartResult>
  <ETag>&quot;e&quot;</ETag>
  <LastModified>2020-04-10T18:20:30Z</LastModified>
</CopyPartResult>
""".strip()

COMPLETED = """
<CompleteMultipartUploadResult xmlns="http://www.qcloud.com/document/product/436/7751">
  <Location>http://photos-1250000000.cos.ap-guangzhou.myqcloud.com/dir/a%20b.txt</Location>
  <Bucket>photos-1250000000</Bucket>
  <Key>dir/a b.txt</Key>
  <ETag>&quot;e-1&quot;</ETag>
</CompleteMultipartUploadResult>
""".strip()

PARTS = """
<ListPartsResult>
  <Bucket>photos-1250000000</Bucket>
  <Encoding-type>url</Encoding-type>
  <Key>dir/a%20b.txt</Key>
  <UploadId>1585130821cbb7df</UploadId>
  <Owner><ID>1250000000</ID><DisplayName>1250000000</DisplayName></Owner>
  <PartNumberMarker>5</PartNumberMarker>
  <Initiator>
    <ID>qcs::cam::uin/100000000002:uin/100000000022</ID>
    <DisplayName>qcs::cam::uin/100000000002:uin/100000000022</DisplayName>
  </Initiator>
  <Part>
    <PartNumber>6</PartNumber>
    <LastModified>2020-12-10T03:37:30.000Z</LastModified>
    <ETag>&quot;e&quot;</ETag>
    <Size>37</Size>
  </Part>
  <StorageClass>STANDARD</StorageClass>
  <MaxParts>17</MaxParts>
  <NextPartNumberMarker>6</NextPartNumberMarker>
  <IsTruncated>true</IsTruncated>
</ListPartsResult>
""".strip()

UPLOADS = """
<ListMultipartUploadsResult>
  <Bucket>photos-1250000000</Bucket>
  <Encoding-Type>url</Encoding-Type>
  <KeyMarker>dir/0</KeyMarker>
  <UploadIdMarker>1585130821aaaaaa</UploadIdMarker>
  <NextKeyMarker>dir/a%20b.txt</NextKeyMarker>
  <NextUploadIdMarker>1585130821cbb7df</NextUploadIdMarker>
  <MaxUploads>17</MaxUploads>
  <Prefix>dir/</Prefix>
  <Delimiter>/</Delimiter>
  <IsTruncated>true</IsTruncated>
  <Upload>
    <Key>dir/a%20b.txt</Key>
    <UploadId>1585130821cbb7df</UploadId>
    <Initiator>
      <ID>qcs::cam::uin/100000000002:uin/100000000022</ID>
      <DisplayName>qcs::cam::uin/100000000002:uin/100000000022</DisplayName>
    </Initiator>
    <Owner>
      <ID>qcs::cam::uin/100000000001:uin/100000000001</ID>
      <DisplayName>qcs::cam::uin/100000000001:uin/100000000001</DisplayName>
    </Owner>
    <StorageClass>STANDARD</StorageClass>
    <Initiated>2020-12-10T03:37:30.000Z</Initiated>
  </Upload>
  <CommonPrefixes><Prefix>dir/sub/</Prefix></CommonPrefixes>
</ListMultipartUploadsResult>
""".strip()
