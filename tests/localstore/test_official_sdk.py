"""The official Python SDK as it is, with the store as its HTTP proxy."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER

KEY = "dir/中 文+a(1)~!*'.txt"


@pytest.fixture
def sdk(store: LocalStore) -> Any:
    return sdk_for(store)


def sdk_for(store: LocalStore) -> Any:
    """Return the SDK's client for the owner; the store answers as its proxy for every host."""
    proxies = {"http": f"http://127.0.0.1:{store.port}"}
    config = CosConfig(
        Region="ap-beijing",
        SecretId=OWNER.secret_id,
        SecretKey=OWNER.secret_key,
        Scheme="http",
        Proxies=proxies,
    )
    return CosS3Client(config, retry=0)


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
    sdk.copy(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big", "Region": "ap-beijing"})

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
    owner = {"ID": OWNER.principal}
    sdk.put_object_acl(
        Bucket=bucket, Key="k", AccessControlPolicy={"Owner": owner, "AccessControlList": {"Grant": [grant]}}
    )

    assert sdk.get_bucket_acl(Bucket=bucket)["CannedACL"] == "public-read"
    assert sdk.get_object_acl(Bucket=bucket, Key="k")["AccessControlList"]["Grant"][0]["Permission"] == "READ"
    assert sdk.get_bucket_cors(Bucket=bucket)["CORSRule"][0]["AllowedOrigin"] == ["https://a.com"]
    assert sdk.get_bucket_tagging(Bucket=bucket)["TagSet"]["Tag"] == [{"Key": "k", "Value": "v"}]
    assert sdk.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "ap-beijing"
    assert bucket in [row["Name"] for row in sdk.list_buckets()["Buckets"]["Bucket"]]


def test_presigned_link_works_for_whoever_holds_it(sdk: Any, store: LocalStore, bucket: str) -> None:
    sdk.put_object(Bucket=bucket, Key=KEY, Body=b"shared")
    link = sdk.get_presigned_url(
        Bucket=bucket, Key=KEY, Method="GET", Params={"response-content-type": "text/plain"}
    )
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{store.port}"})

    with urllib.request.build_opener(proxy).open(link) as reply:
        assert reply.read() == b"shared"
        assert reply.headers["Content-Type"] == "text/plain"
