"""The official Python SDK as it is, with the store as its HTTP proxy: everything that it can say."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos.cos_exception import CosServiceError

from apps.localstore.server import LocalStore
from tests.clients.conftest import python_sdk
from tests.conftest import ACCOUNT, OTHER_ACCOUNT, REGION

KEY = "dir/中 文+a(1)~!*'.txt"
MIB = 1024 * 1024


@pytest.fixture
def sdk(local_store: LocalStore) -> Any:
    return python_sdk(local_store.port, ACCOUNT)


@pytest.fixture
def bucket(sdk: Any, bucket_name: str) -> str:
    sdk.create_bucket(Bucket=bucket_name)
    return bucket_name


def test_objects(sdk: Any, bucket: str) -> None:
    body = os.urandom(100_000)
    put = sdk.put_object(Bucket=bucket, Key=KEY, Body=body, Metadata={"x-cos-meta-a": "b"}, EnableMD5=True)

    got = sdk.get_object(Bucket=bucket, Key=KEY, Range="bytes=10-19")

    assert got["Body"].get_raw_stream().read() == body[10:20]
    assert sdk.head_object(Bucket=bucket, Key=KEY)["ETag"] == put["ETag"]
    assert sdk.list_objects(Bucket=bucket, Prefix="dir/中 ")["Contents"][0]["Key"] == KEY
    sdk.delete_objects(Bucket=bucket, Delete={"Object": [{"Key": KEY}]})
    with pytest.raises(CosServiceError) as raised:
        sdk.get_object(Bucket=bucket, Key=KEY)
    assert raised.value.get_error_code() == "NoSuchKey"


def test_empty_file_is_sent_chunked(sdk: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with (tmp_path / "empty").open("rb") as body:
        sdk.put_object(Bucket=bucket, Key="empty", Body=body)

    assert sdk.head_object(Bucket=bucket, Key="empty")["Content-Length"] == "0"


def test_slice_upload_and_copy(sdk: Any, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(os.urandom(3_500_000))

    sdk.upload_file(Bucket=bucket, Key="big", LocalFilePath=str(path), PartSize=1, MAXThread=2)
    sdk.copy(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big", "Region": REGION})

    assert sdk.get_object(Bucket=bucket, Key="copy")["Body"].get_raw_stream().read() == path.read_bytes()
    assert sdk.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-4"')


def test_settings(sdk: Any, bucket: str) -> None:
    sdk.put_bucket_acl(Bucket=bucket, ACL="public-read")
    rule = {
        "AllowedOrigin": ["https://a.com"],
        "AllowedMethod": ["GET"],
        "AllowedHeader": ["*"],
        "MaxAgeSeconds": 5,
    }
    sdk.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRule": [rule]})
    sdk.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": {"Tag": [{"Key": "k", "Value": "v"}]}})
    sdk.put_object(Bucket=bucket, Key="k", Body=b"x")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "qcs::cam::uin/2:uin/2"}, "Permission": "READ"}
    owner = {"ID": ACCOUNT.principal}
    sdk.put_object_acl(
        Bucket=bucket, Key="k", AccessControlPolicy={"Owner": owner, "AccessControlList": {"Grant": [grant]}}
    )

    assert sdk.get_bucket_acl(Bucket=bucket)["CannedACL"] == "public-read"
    assert sdk.get_object_acl(Bucket=bucket, Key="k")["AccessControlList"]["Grant"][0]["Permission"] == "READ"
    assert sdk.get_bucket_cors(Bucket=bucket)["CORSRule"][0]["AllowedOrigin"] == ["https://a.com"]
    assert sdk.get_bucket_tagging(Bucket=bucket)["TagSet"]["Tag"] == [{"Key": "k", "Value": "v"}]
    assert sdk.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
    assert bucket in [row["Name"] for row in sdk.list_buckets()["Buckets"]["Bucket"]]


def test_presigned_link_works_for_whoever_holds_it(sdk: Any, local_store: LocalStore, bucket: str) -> None:
    sdk.put_object(Bucket=bucket, Key=KEY, Body=b"shared")
    link = sdk.get_presigned_url(
        Bucket=bucket, Key=KEY, Method="GET", Params={"response-content-type": "text/plain"}
    )
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{local_store.port}"})

    with urllib.request.build_opener(proxy).open(link) as reply:
        assert reply.read() == b"shared"
        assert reply.headers["Content-Type"] == "text/plain"


def test_parts_one_by_one(sdk: Any, bucket: str) -> None:
    at = {"Bucket": bucket, "Key": KEY}
    source = {"Bucket": bucket, "Key": "source", "Region": REGION}
    body = os.urandom(MIB)
    sdk.put_object(Bucket=bucket, Key="source", Body=body)
    upload = sdk.create_multipart_upload(**at, ContentType="text/x-thing")["UploadId"]

    sent = sdk.upload_part(**at, UploadId=upload, PartNumber=1, Body=body, EnableMD5=True)
    copied = sdk.upload_part_copy(
        **at, UploadId=upload, PartNumber=2, CopySource=source, CopySourceRange="bytes=0-9"
    )

    page = sdk.list_parts(**at, UploadId=upload, MaxParts=1)
    assert (page["IsTruncated"], page["Part"][0]["ETag"]) == ("true", sent["ETag"])
    rest = sdk.list_parts(**at, UploadId=upload, PartNumberMarker=page["NextPartNumberMarker"])
    assert [part["PartNumber"] for part in rest["Part"]] == ["2"]
    assert [row["Key"] for row in sdk.list_multipart_uploads(Bucket=bucket)["Upload"]] == [KEY]
    parts = [{"PartNumber": 1, "ETag": sent["ETag"]}, {"PartNumber": 2, "ETag": copied["ETag"]}]
    sdk.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Part": parts})
    got = sdk.get_object(**at)
    assert got["Body"].get_raw_stream().read() == body + body[:10]
    assert got["Content-Type"] == "text/x-thing"


def test_abort_leaves_nothing(sdk: Any, bucket: str) -> None:
    upload = sdk.create_multipart_upload(Bucket=bucket, Key=KEY)["UploadId"]
    with pytest.raises(CosServiceError) as raised:
        sdk.delete_bucket(Bucket=bucket)
    assert raised.value.get_error_code() == "BucketNotEmpty"

    sdk.abort_multipart_upload(Bucket=bucket, Key=KEY, UploadId=upload)

    sdk.delete_bucket(Bucket=bucket)
    assert not sdk.bucket_exists(Bucket=bucket)


def test_lists_in_pages_and_folders(sdk: Any, bucket: str) -> None:
    for key in ("a", "d/1", "d/2", KEY):
        sdk.put_object(Bucket=bucket, Key=key, Body=b"")

    first = sdk.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2)
    second = sdk.list_objects(Bucket=bucket, Delimiter="/", Marker=first["NextMarker"])

    assert [row["Key"] for row in first["Contents"]] == ["a"]
    assert [row["Prefix"] for row in first["CommonPrefixes"]] == ["d/"]
    assert [row["Prefix"] for row in second["CommonPrefixes"]] == ["dir/"]


def test_copy_with_new_headers_and_conditions(sdk: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": KEY, "Region": REGION}
    etag = sdk.put_object(Bucket=bucket, Key=KEY, Body=b"x", CacheControl="no-cache")["ETag"]

    sdk.copy_object(Bucket=bucket, Key="kept", CopySource=source, CopySourceIfMatch=etag)
    sdk.copy_object(
        Bucket=bucket, Key="new", CopySource=source, CopyStatus="Replaced", ContentType="text/x-thing"
    )

    assert sdk.head_object(Bucket=bucket, Key="kept")["Cache-Control"] == "no-cache"
    new = sdk.head_object(Bucket=bucket, Key="new")
    assert ("Cache-Control" in new, new["Content-Type"]) == (False, "text/x-thing")
    with pytest.raises(CosServiceError) as raised:
        sdk.copy_object(Bucket=bucket, Key="no", CopySource=source, CopySourceIfNoneMatch=etag)
    assert raised.value.get_status_code() == 412
    with pytest.raises(CosServiceError) as raised:
        sdk.get_object(Bucket=bucket, Key=KEY, IfMatch='"another"')
    assert raised.value.get_error_code() == "PreconditionFailed"


def test_file_comes_back_in_parts(sdk: Any, bucket: str, tmp_path: Path) -> None:
    body = os.urandom(3 * MIB + 1)
    sdk.put_object(Bucket=bucket, Key=KEY, Body=body)

    sdk.download_file(
        Bucket=bucket,
        Key=KEY,
        DestFilePath=str(tmp_path / "file"),
        PartSize=1,
        DumpRecordDir=str(tmp_path),
        EnableCRC=False,
    )

    assert (tmp_path / "file").read_bytes() == body


def test_settings_go_away(sdk: Any, bucket: str) -> None:
    rule = {"AllowedOrigin": ["*"], "AllowedMethod": ["GET"]}
    sdk.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRule": [rule]})
    sdk.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": {"Tag": [{"Key": "k", "Value": "v"}]}})

    sdk.delete_bucket_cors(Bucket=bucket)
    sdk.delete_bucket_tagging(Bucket=bucket)

    for read, code in (
        (sdk.get_bucket_cors, "NoSuchCORSConfiguration"),
        (sdk.get_bucket_tagging, "NoSuchTagSet"),
    ):
        with pytest.raises(CosServiceError) as raised:
            read(Bucket=bucket)
        assert raised.value.get_error_code() == code


def test_grants_let_others_and_everybody_in(sdk: Any, local_store: LocalStore, bucket: str) -> None:
    other = python_sdk(local_store.port, OTHER_ACCOUNT)
    anyone = python_sdk(local_store.port, ACCOUNT, Anonymous=True)
    sdk.put_object(Bucket=bucket, Key="granted", Body=b"x", GrantRead=f'id="{OTHER_ACCOUNT.principal}"')
    sdk.put_object(Bucket=bucket, Key="public", Body=b"y", ACL="public-read")

    assert other.get_object(Bucket=bucket, Key="granted")["Body"].get_raw_stream().read() == b"x"
    assert anyone.get_object(Bucket=bucket, Key="public")["Body"].get_raw_stream().read() == b"y"
    for client, key in ((anyone, "granted"), (other, "missing")):
        with pytest.raises(CosServiceError) as raised:
            client.get_object(Bucket=bucket, Key=key)
        assert raised.value.get_error_code() == "AccessDenied"
