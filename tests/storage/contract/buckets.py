"""Buckets, and listing what is in them."""

from __future__ import annotations

import secrets

import pytest

from apps.storage import errors
from apps.storage.grants import EVERYONE, SIGNED_IN, Grant, Permission, account_grantee
from apps.storage.tags import Tag
from apps.storage.types import Credentials
from tests.storage.contract.place import Place, settled, settled_on


def test_bucket_is_listed_and_answers(place: Place) -> None:
    assert place.bucket in [bucket.name for bucket in place.store.list_buckets()]

    place.store.head_bucket(**place.at)


def test_missing_bucket_is_told_apart(place: Place) -> None:
    gone = place.elsewhere

    with pytest.raises(errors.BucketNotFound):
        place.store.head_bucket(**gone)
    with pytest.raises(errors.BucketNotFound):
        place.store.list_objects(**gone)


def test_listing_goes_page_by_page_in_byte_order(place: Place) -> None:
    keys = ["a", "b/1", "b/2", "c/1", "d", "é", "\ufffd", "\U0001f600"]
    for key in keys:
        place.put(key, b"")
    assert settled_on(keys, place.names) == keys

    seen: list[str] = []
    marker: str | None = ""
    while marker is not None:
        page = place.store.list_objects(
            **place.at, prefix=place.prefix, delimiter="/", marker=marker, limit=2
        )
        seen += [row.key for row in page.objects] + list(page.prefixes)
        marker = page.next_marker

    names = [key.removeprefix(place.prefix) for key in seen]
    assert sorted(names, key=str.encode) == ["a", "b/", "c/", "d", "é", "\ufffd", "\U0001f600"]


def test_bucket_with_an_unfinished_upload_is_not_deleted(own: Place) -> None:
    upload_id = own.begin("a")

    with pytest.raises(errors.Conflict):
        own.store.delete_bucket(**own.at)

    own.store.abort_multipart_upload(**own.key("a"), upload_id=upload_id)


def test_wrong_secret_is_denied(place: Place) -> None:
    stranger = place.opened_with(Credentials("AKIDNOBODY", "wrong"))

    with pytest.raises(errors.Denied):
        stranger.list_objects(**place.at)


def test_buckets_come_page_by_page_with_their_owner(own: Place) -> None:
    names: list[str] = []
    page = own.store.list_bucket_page(limit=1, region=own.region)
    while page.next_marker is not None and own.bucket not in names:
        names += [bucket.name for bucket in page.buckets]
        page = own.store.list_bucket_page(limit=1, region=own.region, marker=page.next_marker)
    names += [bucket.name for bucket in page.buckets]

    assert own.bucket in names
    assert page.owner == own.store.get_bucket_acl(**own.at).owner
    assert all(bucket.created_at for bucket in page.buckets)


def test_bucket_is_created_with_grants_and_tags(own: Place) -> None:
    at = {**own.at, "bucket": f"ct-{secrets.token_hex(4)}-{own.appid}"}
    owner = own.store.get_bucket_acl(**own.at).owner
    neighbor = account_grantee("100000000002", "100000000022")
    grants = [Grant(neighbor, permission) for permission in Permission] if own.server else []

    try:
        own.store.create_bucket(
            **at, acl="authenticated-read" if own.server else None, grants=grants, tags=[Tag("a/é", "b=c/d")]
        )
        acl = own.store.get_bucket_acl(**at)
        tags = settled(lambda: own.store.get_bucket_tags(**at), bool)
    finally:
        own.store.delete_bucket(**at)

    assert tags == (Tag("a/é", "b=c/d"),)
    assert acl.owner == owner
    if own.server:
        assert set(acl.explicit) == {*grants, Grant(SIGNED_IN, Permission.READ)}


@pytest.mark.parametrize(
    "grant",
    [
        Grant(EVERYONE, Permission.READ),
        Grant(account_grantee("100000000002"), "LIST"),
        Grant(account_grantee('1",id="2'), Permission.READ),
    ],
)
def test_grant_that_a_header_cannot_carry_is_refused(place: Place, grant: Grant) -> None:
    with pytest.raises(errors.Refused):
        place.store.create_bucket(**place.elsewhere, grants=[grant])


def test_bucket_that_exists_is_not_created_again(place: Place) -> None:
    with pytest.raises(errors.Conflict):
        place.store.create_bucket(**place.at)


def test_missing_bucket_is_not_deleted(place: Place) -> None:
    with pytest.raises(errors.BucketNotFound):
        place.store.delete_bucket(**place.elsewhere)


def test_buckets_are_filtered_by_tag(own: Place) -> None:
    tag = Tag("contract", secrets.token_hex(8))
    own.store.put_bucket_tags(**own.at, tags=[tag])

    page = settled(lambda: own.store.list_bucket_page(tag=tag), lambda page: bool(page.buckets))
    none = own.store.list_bucket_page(tag=Tag("contract", "another value"))
    own.store.delete_bucket_tags(**own.at)

    assert [bucket.name for bucket in page.buckets] == [own.bucket]
    assert none.buckets == ()


def test_longest_bucket_name_is_created_and_the_next_is_refused(own: Place) -> None:
    # The public host, as in b-1250000000.cos.ap-guangzhou.myqcloud.com, may have 60 characters.
    rest = f"-{own.appid}.cos.{own.region}.myqcloud.com"
    longest = secrets.token_hex(30)[: 60 - len(rest)]
    at = {"bucket": f"{longest}-{own.appid}", "region": own.region}

    own.store.bucket_name_check(**at)
    own.store.create_bucket(**at)
    own.store.delete_bucket(**at)

    too_long = {**at, "bucket": f"x{at['bucket']}"}
    with pytest.raises(errors.Refused, match="61 characters"):
        own.store.bucket_name_check(**too_long)
    with pytest.raises(errors.Refused):
        own.store.create_bucket(**too_long)


@pytest.mark.parametrize(
    "name", ["", "photos", "Photos-1", "-photos-1", "photos.a-1", "photos-1/", "photos-1x"]
)
def test_illegal_bucket_name_is_told_before_it_is_sent(place: Place, name: str) -> None:
    with pytest.raises(errors.Refused, match="not a full bucket name"):
        place.store.bucket_name_check(bucket=name, region=place.region)
