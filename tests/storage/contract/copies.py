"""Copies inside the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.grants import EVERYONE, SIGNED_IN, Grant, account_grantee
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders
from tests.storage.contract.objects import HOSTILE_KEYS, put_if_legal
from tests.storage.contract.place import Place, strike

GUEST = account_grantee("100000000002", "100000000022")


def test_object_is_copied_with_its_headers(place: Place) -> None:
    place.put("from +", b"123", ObjectHeaders(content_type="a/b", metadata={"n": "v"}))
    source = place.ref("from +")
    etag = place.store.head_object(**place.key("from +")).etag

    copied = place.store.copy_object(
        source=source, **place.key("to"), source_etag=etag, storage_class="STANDARD_IA"
    )

    info = place.store.head_object(**place.key("to"))
    assert copied.crc64 == str(crc64_update(b"123"))
    assert (info.content_type, info.metadata, info.storage_class) == ("a/b", {"n": "v"}, "STANDARD_IA")
    with pytest.raises(errors.Conflict):
        place.store.copy_object(source=source, **place.key("to"), source_etag="0" * 32)


def test_copy_is_made_only_of_a_source_that_is_as_wanted(place: Place) -> None:
    place.put("from", b"123", ObjectHeaders())
    source, target = place.ref("from"), place.key("to")
    info = place.store.head_object(**place.key("from"))
    past, future = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=2)

    place.store.copy_object(source=source, **target, source_if_none_match="0" * 32)
    place.store.copy_object(source=source, **target, source_if_modified_since=past)
    place.store.copy_object(source=source, **target, source_if_unmodified_since=future)
    with pytest.raises(errors.Conflict):
        place.store.copy_object(source=source, **target, source_if_none_match=info.etag)
    with pytest.raises(errors.Conflict):
        place.store.copy_object(source=source, **target, source_if_unmodified_since=past)


def test_copy_of_a_version_that_does_not_exist_is_not_found(place: Place) -> None:
    place.put("from", b"123", ObjectHeaders())

    with pytest.raises((errors.NotFound, errors.Refused)):
        place.store.copy_object(source=place.ref("from"), **place.key("to"), source_version_id="MTg0NDUx")


def test_storage_class_changes_in_place(place: Place) -> None:
    place.put("k", b"123", ObjectHeaders(content_type="a/b", metadata={"n": "v"}))

    place.store.copy_object(
        source=place.ref("k"),
        **place.key("k"),
        storage_class="STANDARD_IA",
    )

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata, info.storage_class) == ("a/b", {"n": "v"}, "STANDARD_IA")


@pytest.mark.parametrize("alias", ["cn-south", "cos.ap-guangzhou"])
def test_copy_onto_itself_by_an_old_name_of_the_region_keeps_the_headers(place: Place, alias: str) -> None:
    if place.ref("k").region != "ap-guangzhou":
        pytest.skip("These are names of another region.")
    place.put("k", b"123", ObjectHeaders(content_type="a/b", metadata={"n": "v"}))

    place.store.copy_object(source=replace(place.ref("k"), region=alias), **place.key("k"))

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata) == ("a/b", {"n": "v"})


def test_missing_source_cannot_be_copied(place: Place) -> None:
    with pytest.raises(errors.ObjectNotFound):
        place.store.copy_object(source=place.ref("gone"), **place.key("to"))


def test_copy_that_fails_after_its_200_is_an_error(place: Place) -> None:
    place.put("from", b"abc")
    strike(place, "error_in_200", operation="*Copy*", count=9)

    with pytest.raises(errors.Unavailable):
        place.store.copy_object(source=place.ref("from"), **place.key("to"))


def test_copy_replaces_headers_and_metadata(place: Place) -> None:
    place.put(
        "from", b"123", ObjectHeaders(content_type="a/b", cache_control="no-store", metadata={"n": "v"})
    )

    place.store.copy_object(
        source=place.ref("from"),
        **place.key("to"),
        headers=ObjectHeaders(content_type="c/d", storage_class="STANDARD_IA", metadata={"m": "w"}),
    )

    info = place.store.head_object(**place.key("to"))
    assert (info.content_type, info.metadata, info.storage_class) == ("c/d", {"m": "w"}, "STANDARD_IA")
    assert "cache-control" not in info.headers
    assert place.read("to") == b"123"


def test_headers_change_in_place_and_the_rest_stays(place: Place) -> None:
    place.put("k", b"123", ObjectHeaders(content_type="a/b", storage_class="STANDARD_IA"), acl="private")
    before = place.store.head_object(**place.key("k"))

    place.store.copy_object(
        source=place.ref("k"),
        **place.key("k"),
        source_etag=before.etag,
        headers=ObjectHeaders(content_type="c/d", metadata={"m": "w"}),
        is_acl_kept=True,
    )

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata) == ("c/d", {"m": "w"})
    assert (info.storage_class, info.crc64) == ("STANDARD_IA", before.crc64)
    acl = place.store.get_object_acl(**place.key("k"))
    assert (acl.is_inherited, acl.explicit) == (False, ())


def test_headers_of_a_changed_object_stay(place: Place) -> None:
    place.put("k", b"123", ObjectHeaders(content_type="a/b"))

    with pytest.raises(errors.Conflict):
        place.store.copy_object(
            source=place.ref("k"),
            **place.key("k"),
            source_etag="0" * 32,
            headers=ObjectHeaders(content_type="c/d"),
        )

    assert place.store.head_object(**place.key("k")).content_type == "a/b"


@pytest.mark.parametrize(
    "grants",
    [
        (),
        (Grant(EVERYONE, "READ"),),
        (Grant(SIGNED_IN, "READ"), Grant(GUEST, "READ_ACP")),
        (Grant(EVERYONE, "READ"), Grant(SIGNED_IN, "READ_ACP"), Grant(GUEST, "FULL_CONTROL")),
        (Grant(EVERYONE, "FULL_CONTROL"),),
    ],
    ids=len,
)
def test_copy_keeps_the_grants_of_its_source(place: Place, grants: tuple[Grant, ...]) -> None:
    if place.server is None:
        pytest.skip("A real account may not know these grantees, nor allow anything public.")
    place.put("from", b"123")
    acl = place.store.get_object_acl(**place.key("from"))
    place.store.put_object_acl(**place.key("from"), acl=replace(acl, grants=grants, is_inherited=False))

    place.store.copy_object(source=place.ref("from"), **place.key("to"), is_acl_kept=True)
    place.store.copy_object(source=place.ref("from"), **place.key("plain"))

    kept = place.store.get_object_acl(**place.key("to"))
    assert (set(kept.explicit), kept.is_inherited) == (set(grants), False)
    assert place.store.get_object_acl(**place.key("plain")).is_inherited


def test_copy_of_what_inherits_inherits(place: Place) -> None:
    place.put("from", b"123")

    place.store.copy_object(source=place.ref("from"), **place.key("to"), is_acl_kept=True)

    assert place.store.get_object_acl(**place.key("to")).is_inherited


def test_copy_is_given_access_of_its_own(place: Place) -> None:
    place.put("from", b"123")

    place.store.copy_object(source=place.ref("from"), **place.key("to"), acl="private", tags=[Tag("a", "b")])

    assert not place.store.get_object_acl(**place.key("to")).is_inherited


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_hostile_key_is_copied(place: Place, key: str) -> None:
    key = key[: 840 - len(place.prefix)]
    put_if_legal(place, key, b"123")

    place.store.copy_object(source=place.ref(key), **place.key(f"{key} copy"))

    assert place.read(f"{key} copy") == b"123"


def test_copy_for_a_new_key_only_leaves_what_is_there(place: Place) -> None:
    place.put("from", b"123", ObjectHeaders())
    place.put("taken", b"theirs", ObjectHeaders())

    with pytest.raises(errors.Conflict) as refused:
        place.store.copy_object(source=place.ref("from"), **place.key("taken"), is_new_only=True)
    place.store.copy_object(source=place.ref("from"), **place.key("free"), is_new_only=True)

    assert refused.value.code == errors.TAKEN
    assert (place.read("taken"), place.read("free")) == (b"theirs", b"123")
