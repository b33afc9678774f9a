"""The document's names and today's side by side: as pure records, and against the embedded store."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.storage.cos import CosClient
from apps.storage.cos.documented import (
    grantee_documented,
    grantee_from_documented,
    owner_documented,
    person_documented,
)
from tests.storage.slices import client_to, store_running

EVERYBODY = "http://cam.qcloud.com/groups/global/AllUsers"
SIGNED_IN = "http://cam.qcloud.com/groups/global/AuthenticatedUsers"


@pytest.mark.parametrize(
    ("record", "uin", "sub"),
    [
        ({"ID": "qcs::cam::uin/1:uin/1"}, "1", ""),
        ({"ID": "qcs::cam::uin/1:uin/2"}, "1", "2"),
        ({"ID": "100000000001"}, "100000000001", ""),
        ({"ID": "qcs::cam::anyone:anyone"}, "anonymous", ""),
        ({"URI": EVERYBODY}, "anonymous", ""),
        ({"URI": SIGNED_IN}, "", ""),
        ({"uin": "1", "Subacount": "2"}, "1", "2"),
        ({"ID": "somebody"}, "", ""),
        ({"ID": {"nested": "text"}}, "", ""),
        ({}, "", ""),
    ],
)
def test_numbers_are_taken_out_of_an_id(record: dict[str, Any], uin: str, sub: str) -> None:
    found = grantee_documented(dict(record))

    assert (found["uin"], found["Subacount"]) == (uin, sub)
    assert found.items() >= record.items()


def test_people_have_their_numbers() -> None:
    assert owner_documented({"ID": "qcs::cam::uin/1:uin/2"})["uin"] == "1"
    assert person_documented({"ID": "qcs::cam::uin/1:uin/2"})["UID"] == "2"
    assert person_documented({"ID": "1250000000"})["UID"] == "1250000000"
    assert (owner_documented({}), person_documented({})) == ({}, {})


def test_id_wins_over_the_number_beside_it() -> None:
    grantee = {"ID": "qcs::cam::uin/1:uin/1", "uin": "2"}

    assert grantee_from_documented(grantee) == grantee


@pytest.fixture(scope="module")
def client() -> Iterator[CosClient]:
    """A client of an embedded store."""
    with store_running() as server:
        yield client_to(server)


@pytest.fixture
def at(client: CosClient) -> dict[str, str]:
    place = {"Bucket": f"named-{secrets.token_hex(4)}-1250000000", "Region": "ap-guangzhou"}
    client.put_bucket(**place)
    return place


def names(found: dict[str, Any]) -> list[str]:
    return [bucket["Name"] for bucket in found["Buckets"]]


def test_buckets_are_found_by_tag_time_and_region(client: CosClient, at: dict[str, str]) -> None:
    tag = secrets.token_hex(4)
    client.put_bucket_tagging(**at, Tags=[{"Key": "team", "Value": tag}])
    hour_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())

    tagged = client.get_service(TagKey="team", TagValue=tag)
    newer = client.get_service(CreateTime=hour_ago, Range="gt")
    older = client.get_service(CreateTime=str(hour_ago), Range="lt")
    here = client.get_service(Region="china-south")
    elsewhere = client.get_service(Region="ap-beijing")

    assert names(tagged) == [at["Bucket"]]
    assert [at["Bucket"] in names(found) for found in (newer, older, here, elsewhere)] == [
        True,
        False,
        True,
        False,
    ]
    assert tagged["Buckets"][0]["CreateDate"] == tagged["Buckets"][0]["CreationDate"] != ""
    assert tagged["Owner"]["uin"].isdecimal()


def test_buckets_come_page_by_page(client: CosClient) -> None:
    for _ in range(3):
        client.put_bucket(Bucket=f"page-{secrets.token_hex(4)}-1250000000", Region="ap-guangzhou")
    whole = names(client.get_service())

    found: list[str] = []
    marker, is_more = "", True
    while is_more:
        page = client.get_service(MaxKeys="2", Marker=marker)
        assert len(page["Buckets"]) <= 2
        found += names(page)
        marker, is_more = page["NextMarker"], page["IsTruncated"] == "true"

    assert found == whole
    assert len(found) >= 3


def test_bucket_in_several_zones_is_made_with_tags_and_grants(client: CosClient) -> None:
    at = {"Bucket": f"zones-{secrets.token_hex(4)}-1250000000", "Region": "ap-guangzhou"}

    made = client.put_bucket(
        **at, BucketAZConfig="MAZ", Tagging="team=a%20b", GrantRead='uin="100000000003/100000000033"'
    )

    assert made["Location"] == f"{at['Bucket']}.cos.ap-guangzhou.myqcloud.com"
    assert client.get_bucket_tagging(**at)["Tags"] == [{"Key": "team", "Value": "a b"}]
    grants = client.get_bucket_acl(**at)["AccessControlList"]["Grant"]
    assert [(grant["Grantee"]["uin"], grant["Grantee"]["Subacount"]) for grant in grants] == [
        ("100000000003", "100000000033")
    ]


@pytest.mark.parametrize("is_object", [False, True])
def test_acl_that_was_read_can_be_written(client: CosClient, at: dict[str, str], is_object: bool) -> None:
    if is_object:
        client.put_object(**at, Key="k", Body=b"")
    of = {**at, "Key": "k"} if is_object else at
    kind = "object" if is_object else "bucket"
    put, get = getattr(client, f"put_{kind}_acl"), getattr(client, f"get_{kind}_acl")
    put(
        **of,
        GrantRead='id="100000000003"',
        GrantReadAcp='id="100000000003"',
        GrantWriteAcp='id="100000000003"',
    )
    before = get(**of)

    put(**of, AccessControlPolicy=before)

    assert get(**of)["AccessControlList"] == before["AccessControlList"]
    permissions = {grant["Permission"] for grant in before["AccessControlList"]["Grant"]}
    assert permissions == {"READ", "READ_ACP", "WRITE_ACP"}


def test_anonymous_grantee_of_2017_is_everybody(client: CosClient, at: dict[str, str]) -> None:
    owner = client.get_bucket_acl(**at)["Owner"]
    grant = {"Grantee": {"uin": "anonymous"}, "Permission": "READ"}

    client.put_bucket_acl(**at, AccessControlPolicy={"Owner": owner, "AccessControlList": {"Grant": [grant]}})

    written = client.get_bucket_acl(**at)["AccessControlList"]["Grant"][0]["Grantee"]
    assert (written["URI"], written["uin"]) == (EVERYBODY, "anonymous")


def test_upload_is_listed_under_both_spellings(client: CosClient, at: dict[str, str]) -> None:
    begun = client.multipart_init(**at, Key="a b/c", StorageClass="Standard_IA")
    of = {**at, "Key": "a b/c", "UploadId": begun["UploadId"]}
    client.multipart_upload(**of, PartNumber="1", Body=b"part", ContentLength="4")

    listed = client.multipart_list(**at, Prefix="a", Delimiter="x", MaxUploads="10")
    parts = client.multipart_list_part(**of, MaxParts="10")
    folders = client.multipart_list(**at, Delimiter="/")

    upload = listed["Upload"][0]
    assert upload["UploadID"] == upload["UploadId"] == parts["UploadID"] == begun["UploadId"]
    assert upload["Initiator"]["UID"]
    assert upload["Owner"]["UID"]
    assert listed["delimiter"] == listed["Delimiter"] == "x"
    assert listed["Encoding-type"] == parts["Encoding-type"] == "url"
    assert folders["CommonPrefixs"] == folders["CommonPrefixes"] == [{"Prefix": "a b/"}]
    assert parts["Part"][0]["Etag"] == parts["Part"][0]["ETag"]
    assert parts["StorageClass"].upper() == "STANDARD_IA"
    client.multipart_abort(**of)


def test_batch_deletes_quietly_when_it_is_told_so_in_text(client: CosClient, at: dict[str, str]) -> None:
    for key in ("a", "b"):
        client.put_object(**at, Key=key, Body=b"")

    loud = client.delete_multiple_object(**at, Objects=[{"Key": "a"}], Quiet="false")
    quiet = client.delete_multiple_object(**at, Objects=[{"Key": "b"}], Quiet="true")

    assert [record["Key"] for record in loud["Deleted"]] == ["a"]
    assert (quiet["Deleted"], quiet["Error"]) == ([], [])
    assert client.get_bucket(**at)["Contents"] == []


def test_object_unchanged_since_a_time_is_no_error(
    client: CosClient, at: dict[str, str], tmp_path: Any
) -> None:
    client.put_object(**at, Key="k", Body=b"content", **{"x-cos-meta-note": "by the sea"})
    since = datetime.now(UTC) + timedelta(seconds=5)
    path = tmp_path / "out"

    head = client.head_object(**at, Key="k", IfModifiedSince=since)
    got = client.get_object(**at, Key="k", IfModifiedSince=since, Output=path)
    changed = client.head_object(**at, Key="k", IfModifiedSince=since - timedelta(days=1))

    assert (head["NotModified"], got["NotModified"], changed["NotModified"]) == (True, True, False)
    assert changed["x-cos-meta-note"] == "by the sea"
    assert (changed["x-cos-object-type"], changed["x-cos-storage-class"]) == ("normal", "STANDARD")
    assert not path.exists()


def test_missing_bucket_is_told_where_the_document_tells_it(client: CosClient) -> None:
    nowhere = {"Bucket": "nowhere-1250000000", "Region": "ap-guangzhou"}

    assert client.head_bucket(**nowhere)["BucketExist"] is False
    assert client.delete_object(**nowhere, Key="k")["BucketNotFound"] is True
