"""What callers may pass: old spellings go out as today's, and what is left out is left to the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from apps.storage.cos import CosClient
from apps.storage.cos.addresses import LEGACY_REGIONS, REGIONS
from tests.storage.operations import BY_METHOD
from tests.storage.recorder import Recorder, Seen


def sent(recorder: Recorder, client: CosClient, method: str, **changes: Any) -> Seen:
    """Return the request of a legal call with `changes`."""
    recorder.default = BY_METHOD[method].answer
    BY_METHOD[method].call(client, **changes)
    return recorder.seen[-1]


# As the 2017 document and the configuration files of older SDKs call them.
ALIASES = {
    "china-south": "ap-guangzhou",
    "china-east": "ap-shanghai",
    "china-north": "ap-beijing-1",
    "china-west": "ap-chengdu",
    "singapore": "ap-singapore",
    "cn-south": "ap-guangzhou",
    "cn-east": "ap-shanghai",
    "cn-north": "ap-beijing-1",
    "cn-southwest": "ap-chengdu",
    "tianjin": "ap-beijing-1",
    "cossh": "ap-shanghai",
    "cosgz": "ap-guangzhou",
    "cosbj": "ap-beijing",
    "costj": "ap-beijing-1",
    "coscd": "ap-chengdu",
    "cossgp": "ap-singapore",
    "coshk": "ap-hongkong",
    "cosca": "na-toronto",
    "cosger": "eu-frankfurt",
    "sg": "ap-singapore",
}


def test_old_region_reaches_the_present_one(recorder: Recorder, client: CosClient) -> None:
    hosts = [sent(recorder, client, "head_bucket", Region=alias).headers["host"] for alias in ALIASES]

    assert hosts == [f"photos-1250000000.cos.{region}.myqcloud.com" for region in ALIASES.values()]
    assert LEGACY_REGIONS.keys() == ALIASES.keys()
    assert set(ALIASES.values()) <= set(REGIONS)


@pytest.mark.parametrize("given", ["Standard_IA", "standard_ia", "STANDARD_IA"])
@pytest.mark.parametrize("method", ["put_object", "multipart_init", "put_object_copy"])
def test_storage_class_goes_out_as_its_token(
    recorder: Recorder, client: CosClient, method: str, given: str
) -> None:
    assert sent(recorder, client, method, StorageClass=given).headers["x-cos-storage-class"] == "STANDARD_IA"


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ('uin="100000000001"', 'id="100000000001"'),
        ('uin="100000000001/100000000011", uin="2"', 'id="100000000001/100000000011", id="2"'),
        ('id="qcs::cam::uin/1:uin/2",uin="3"', 'id="qcs::cam::uin/1:uin/2",id="3"'),
        ('id="1"', 'id="1"'),
    ],
)
def test_grantee_goes_out_under_the_name_of_today(
    recorder: Recorder, client: CosClient, given: str, wire: str
) -> None:
    for method in ("put_bucket", "put_bucket_acl", "put_object", "put_object_acl", "multipart_init"):
        for option in ("GrantRead", "GrantWrite", "GrantReadAcp", "GrantWriteAcp", "GrantFullControl"):
            seen = sent(recorder, client, method, **{option: given})
            assert wire in seen.headers.values(), (method, option)


def test_methods_of_a_rule_go_out_in_upper_case(recorder: Recorder, client: CosClient) -> None:
    rule = {"AllowedOrigins": "https://a.example", "AllowedMethods": ["Get", "put", "DELETE"]}

    body = sent(recorder, client, "put_bucket_cors", CORSRules=[rule]).body

    assert b"<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>" in body
    assert b"<AllowedOrigin>https://a.example</AllowedOrigin>" in body


@pytest.mark.parametrize(
    ("grantee", "written"),
    [
        ({"uin": "1"}, b'xsi:type="CanonicalUser"><ID>qcs::cam::uin/1:uin/1</ID>'),
        ({"uin": "1", "Subacount": "2"}, b'xsi:type="CanonicalUser"><ID>qcs::cam::uin/1:uin/2</ID>'),
        (
            {"uin": "anonymous"},
            b'xsi:type="Group"><URI>http://cam.qcloud.com/groups/global/AllUsers</URI>',
        ),
    ],
)
def test_grantee_of_2017_is_written_as_that_of_today(
    recorder: Recorder, client: CosClient, grantee: dict[str, str], written: bytes
) -> None:
    policy = {
        "Owner": {"uin": "9"},
        "AccessControlList": {"Grant": [{"Grantee": grantee, "Permission": "READ"}]},
    }

    body = sent(recorder, client, "put_bucket_acl", AccessControlPolicy=policy).body

    assert written in body
    assert b"<Owner><ID>qcs::cam::uin/9:uin/9</ID></Owner>" in body


def test_metadata_may_be_an_argument_of_its_own(recorder: Recorder, client: CosClient) -> None:
    named = {"x-cos-meta-note": "by the sea", "X-COS-META-More": "é"}

    headers = sent(recorder, client, "put_object", Metadata={"third": "3"}, **named).headers

    assert headers["x-cos-meta-note"] == "by the sea"
    assert headers["x-cos-meta-third"] == "3"
    assert "x-cos-meta-more" in headers


def test_time_goes_out_as_an_http_date(recorder: Recorder, client: CosClient) -> None:
    beijing = datetime(2026, 11, 22, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    text = "Sun, 22 Nov 2026 00:30:00 GMT"

    headers = sent(recorder, client, "head_object", IfModifiedSince=beijing).headers
    query = sent(recorder, client, "get_object", ResponseExpires=beijing.astimezone(UTC)).query

    assert (headers["if-modified-since"], query["response-expires"]) == (text, text)
    assert sent(recorder, client, "put_object", Expires=beijing).headers["expires"] == text
    copied = sent(recorder, client, "put_object_copy", CopySourceIfModifiedSince=beijing).headers
    assert copied["x-cos-copy-source-if-modified-since"] == text


@pytest.mark.parametrize(("given", "written"), [("TRUE", b"true"), ("false", b"false"), (False, b"false")])
def test_flag_may_be_text(recorder: Recorder, client: CosClient, given: Any, written: bytes) -> None:
    assert (
        b"<Quiet>%s</Quiet>" % written in sent(recorder, client, "delete_multiple_object", Quiet=given).body
    )


# What may be given as None, because a form or a row has nothing there.
OPTIONAL = {
    "get_service": ("Region", "Marker", "MaxKeys", "TagKey", "TagValue", "CreateTime", "Range"),
    "get_bucket": ("Prefix", "Delimiter", "Marker", "MaxKeys", "EncodingType"),
    "put_bucket": ("ACL", "GrantRead", "GrantWrite", "GrantFullControl", "Tagging", "BucketAZConfig"),
    "put_bucket_acl": ("ACL", "GrantRead", "AccessControlPolicy"),
    "head_object": ("IfModifiedSince", "VersionId"),
    "get_object": ("Range", "ResponseContentType", "IfModifiedSince"),
    "put_object": ("ContentLength", "StorageClass", "TrafficLimit", "onProgress", "Expires"),
    "multipart_upload": ("ContentLength", "ContentSha1", "onProgress", "TrafficLimit"),
    "multipart_list_part": ("MaxParts", "PartNumberMarker"),
    "multipart_list": ("MaxUploads", "KeyMarker", "UploadIdMarker"),
    "options_object": ("AccessControlRequestHeaders",),
}


@pytest.mark.parametrize("method", OPTIONAL)
def test_none_leaves_an_argument_to_the_store(recorder: Recorder, client: CosClient, method: str) -> None:
    full = sent(recorder, client, method)

    bare = sent(recorder, client, method, **dict.fromkeys(OPTIONAL[method]))

    assert len([*bare.headers, *bare.query]) < len([*full.headers, *full.query])
    assert "None" not in f"{bare.headers}{bare.target}{bare.body}"


def test_buckets_since_the_first_second_of_all_are_asked_for(recorder: Recorder, client: CosClient) -> None:
    asked = sent(recorder, client, "get_service", CreateTime=0, Range="gt")

    assert (asked.query["create-time"], asked.query["range"]) == ("0", "gt")
