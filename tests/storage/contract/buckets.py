"""Buckets, and listing what is in them."""

from __future__ import annotations

import pytest

from apps.storage import errors
from apps.storage.types import Credentials
from tests.storage.contract.place import Place, settled_on


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
    assert settled_on(keys, place.names) == keys


def test_bucket_with_an_unfinished_upload_is_not_deleted(own: Place) -> None:
    upload_id = own.begin("a")

    with pytest.raises(errors.Conflict):
        own.store.delete_bucket(**own.at)

    own.store.abort_multipart_upload(**own.key("a"), upload_id=upload_id)


def test_wrong_secret_is_denied(place: Place) -> None:
    stranger = place.opened_with(Credentials("AKIDNOBODY", "wrong"))

    with pytest.raises(errors.Denied):
        stranger.list_objects(**place.at)
