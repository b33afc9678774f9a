"""Copies inside the store."""

from __future__ import annotations

import pytest

from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.types import ObjectHeaders
from tests.storage.contract.place import Place, strike


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


def test_storage_class_changes_in_place(place: Place) -> None:
    place.put("k", b"123", ObjectHeaders(content_type="a/b", metadata={"n": "v"}))

    place.store.copy_object(
        source=place.ref("k"),
        **place.key("k"),
        storage_class="STANDARD_IA",
    )

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata, info.storage_class) == ("a/b", {"n": "v"}, "STANDARD_IA")


def test_missing_source_cannot_be_copied(place: Place) -> None:
    with pytest.raises(errors.ObjectNotFound):
        place.store.copy_object(source=place.ref("gone"), **place.key("to"))


def test_copy_that_fails_after_its_200_is_an_error(place: Place) -> None:
    place.put("from", b"abc")
    strike(place, "error_in_200", operation="*Copy*", count=9)

    with pytest.raises(errors.Unavailable):
        place.store.copy_object(source=place.ref("from"), **place.key("to"))
