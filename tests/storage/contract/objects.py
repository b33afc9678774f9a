"""Objects: put, read, head, delete."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.grants import Grant, Permission, account_grantee
from apps.storage.tags import Tag
from apps.storage.types import FileSlice, ObjectHeaders, ResponseHeaders
from tests.storage.contract.place import MIB, PLAIN, Place, settled, settled_on, slice_of

HOSTILE_KEYS = [
    "a/../b",
    "a//b",
    "..",
    ".",
    "a/..",
    "slash/",
    "blanks  ",
    "plus+and%2Fescape?#&;=",
    "quote\"'`<>\\",
    "tab\tline\nreturn\r",
    "nul\x00del\x7f\x01",
    "中文/é/😀",
    "k" * 850,
]


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_hostile_key_makes_the_round_trip(place: Place, key: str) -> None:
    key = key[: 850 - len(place.prefix)]
    data = os.urandom(100)
    place.put("neighbor", b"untouched")

    put_if_legal(place, key, data)

    assert place.read(key) == data
    assert place.store.head_object(**place.key(key)).size == 100
    assert sorted(settled_on(sorted([key, "neighbor"]), lambda: sorted(place.names()))) == sorted(
        [key, "neighbor"]
    )
    place.store.delete_object(**place.key(key))
    assert settled_on(["neighbor"], place.names) == ["neighbor"]


def test_hostile_keys_are_deleted_as_a_batch(place: Place) -> None:
    keys = [place.prefix + key for key in HOSTILE_KEYS if len(place.prefix + key) <= 850]
    for key in keys:
        put_if_legal(place, key.removeprefix(place.prefix), b"")

    outcome = place.store.delete_objects(**place.at, keys=keys)

    assert sorted(outcome.deleted) == sorted(keys)
    assert outcome.failures == ()
    assert settled_on([], place.names) == []


def test_object_for_a_new_key_only_leaves_what_is_there(place: Place) -> None:
    place.put("k", b"first", is_new_only=True)

    with pytest.raises(errors.Conflict) as refused:
        place.put("k", b"second", is_new_only=True)

    assert (refused.value.code, place.read("k")) == (errors.TAKEN, b"first")


def test_headers_and_metadata_come_back(place: Place) -> None:
    headers = ObjectHeaders(
        content_type="text/x-test",
        cache_control="max-age=7",
        content_disposition="inline",
        content_language="de",
        storage_class="STANDARD_IA",
        metadata={"owner": "a b", "Case": "x"},
    )

    place.put("k", b"12345", headers)
    info = place.store.head_object(**place.key("k"))

    assert (info.size, info.content_type, info.storage_class) == (5, "text/x-test", "STANDARD_IA")
    assert info.crc64 == str(crc64_update(b"12345"))
    assert info.metadata == {"owner": "a b", "case": "x"}
    assert info.headers["cache-control"] == "max-age=7"
    assert info.headers["content-disposition"] == "inline"
    assert info.modified_at is not None


@pytest.mark.parametrize("size", [0, 1, (64 << 10) - 1, 64 << 10, MIB + 1])
def test_stored_digest_is_that_of_the_bytes(place: Place, size: int) -> None:
    data = os.urandom(size)

    stored = place.store.put_object(**place.key("k"), body=slice_of(data), headers=PLAIN)

    assert stored.crc64 == str(crc64_update(data))
    assert place.read("k") == data


def test_range_is_read(place: Place) -> None:
    place.put("k", bytes(range(100)))

    body = place.store.get_object(**place.key("k"), byte_range="bytes=10-19")

    assert b"".join(body) == bytes(range(10, 20))
    assert (body.status, body.content_range, body.content_length) == (206, "bytes 10-19/100", 10)
    assert body.info.size == 100
    body.close()


def test_changed_object_is_not_read(place: Place) -> None:
    place.put("k", b"one")
    etag = place.store.head_object(**place.key("k")).etag

    assert place.read("k", if_match=etag) == b"one"
    place.put("k", b"two")

    with pytest.raises(errors.Conflict):
        place.read("k", if_match=etag)


def test_missing_object_is_told_apart(place: Place) -> None:
    with pytest.raises(errors.ObjectNotFound):
        place.store.head_object(**place.key("gone"))
    with pytest.raises(errors.ObjectNotFound):
        place.read("gone")

    place.store.delete_object(**place.key("gone"))


def test_refused_key_names_its_reason(place: Place) -> None:
    with pytest.raises(errors.Refused, match="must not start"):
        place.store.head_object(**place.at, key="/a")


def test_cancel_leaves_nothing_behind(place: Place) -> None:
    with pytest.raises(errors.Canceled):
        place.store.put_object(
            **place.key("k"),
            body=slice_of(bytes(8 * MIB)),
            headers=PLAIN,
            on_progress=lambda sent: sent < MIB,
        )

    assert place.names() == []


def test_file_of_a_path_is_streamed(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(os.urandom(3 * MIB))
    progress: list[int] = []

    with path.open("rb") as file:
        place.store.put_object(
            **place.key("k"),
            body=FileSlice(file, 1, 2 * MIB),
            headers=PLAIN,
            on_progress=lambda sent: not progress.append(sent),
        )

    assert place.read("k") == path.read_bytes()[1 : 2 * MIB + 1]
    assert progress[-1] == 2 * MIB


def test_unchanged_object_is_not_read_again(place: Place) -> None:
    place.put("k", b"one")
    info = place.store.head_object(**place.key("k"))
    assert info.modified_at is not None
    conditions = [{"if_none_match": info.etag}, {"if_modified_since": info.modified_at}]

    for condition in conditions:
        again = place.store.head_object(**place.key("k"), **condition)
        body = place.store.get_object(**place.key("k"), **condition)

        assert (again.is_not_modified, body.info.is_not_modified, body.status) == (True, True, 304)
        assert (b"".join(body), body.content_length) == (b"", 0)
        body.close()
    assert not info.is_not_modified


def test_changed_object_is_read_again(place: Place) -> None:
    place.put("k", b"one")
    info = place.store.head_object(**place.key("k"))
    before = info.modified_at - timedelta(days=1)

    assert place.read("k", if_none_match="0" * 32) == b"one"
    assert place.read("k", if_modified_since=before) == b"one"
    assert not place.store.head_object(**place.key("k"), if_modified_since=before).is_not_modified
    for condition in ({"if_match": "0" * 32}, {"if_unmodified_since": before}):
        with pytest.raises(errors.Conflict):
            place.store.head_object(**place.key("k"), **condition)
        with pytest.raises(errors.Conflict):
            place.read("k", **condition)
    assert place.store.head_object(**place.key("k"), if_unmodified_since=info.modified_at).size == 3


def test_headers_of_a_download_are_replaced(place: Place) -> None:
    place.put("k", b"12345", ObjectHeaders(content_type="a/b", cache_control="max-age=7"))
    response = ResponseHeaders(
        content_type="text/plain",
        content_disposition='attachment; filename="a b.txt"',
        content_encoding="identity",
        content_language="de",
        expires="Wed, 21 Oct 2026 07:28:00 GMT",
    )

    body = place.store.get_object(**place.key("k"), response=response, byte_range="bytes=0-1")
    info = body.info

    assert b"".join(body) == b"12"
    assert (info.content_type, info.headers["cache-control"]) == ("text/plain", "max-age=7")
    assert info.headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert (info.headers["content-language"], info.headers["expires"]) == ("de", response.expires)
    body.close()


@pytest.mark.parametrize("byte_range", ["bytes=5-9", "bytes=99-100"])
def test_range_behind_the_end_is_refused(place: Place, byte_range: str) -> None:
    place.put("k", b"12345")

    with pytest.raises(errors.Refused):
        place.read("k", byte_range=byte_range)


@pytest.mark.parametrize(
    ("byte_range", "data"), [("bytes=4-9", b"5"), ("bytes=3-", b"45"), ("bytes=-2", b"45")]
)
def test_range_over_the_end_is_cut(place: Place, byte_range: str, data: bytes) -> None:
    place.put("k", b"12345")

    assert place.read("k", byte_range=byte_range) == data


def test_object_is_put_with_access_and_tags(place: Place) -> None:
    owner = place.store.get_bucket_acl(**place.at).owner
    neighbor = account_grantee("100000000002")
    grants = [Grant(neighbor if place.server else owner, Permission.READ_ACP)]

    place.put("k", b"", acl="private", grants=grants, tags=[Tag("a/é", "b=c/d")])
    acl = place.store.get_object_acl(**place.key("k"))

    assert not acl.is_inherited
    assert acl.explicit == (tuple(grants) if place.server else ())


def test_object_is_put_with_metadata_up_to_the_limit(place: Place) -> None:
    limit = place.store.features.metadata_bytes_max
    largest = {"a": "v" * (limit - len("a"))}

    place.put("k", b"", ObjectHeaders(metadata=largest))

    assert place.store.head_object(**place.key("k")).metadata == largest
    with pytest.raises(errors.Refused):
        place.put("k", b"", ObjectHeaders(metadata={"a": largest["a"] + "v" * 1024}))


def test_quiet_batch_tells_failures_only(place: Place) -> None:
    for name in ("a", "b\x01", "c"):
        put_if_legal(place, name, b"")
    keys = [place.prefix + name for name in ("a", "b\x01", "c", "never there")]

    outcome = place.store.delete_objects(**place.at, keys=keys, is_quiet=True)

    assert sorted(outcome.deleted) == sorted(keys)
    assert outcome.failures == ()
    assert settled_on([], place.names) == []


def test_largest_batch_is_deleted_in_one_request(place: Place) -> None:
    limit = place.store.features.delete_batch_max
    place.put("a", b"")
    keys = [place.prefix + "a", *(f"{place.prefix}{i}" for i in range(limit - 1))]

    outcome = place.store.delete_objects(**place.at, keys=keys)

    assert len(outcome.deleted) == limit
    with pytest.raises(errors.Refused):
        place.store.delete_objects(**place.at, keys=[*keys, "one more"])


def test_row_of_a_listing_knows_the_object(place: Place) -> None:
    place.put("k", b"12345", ObjectHeaders(storage_class="STANDARD_IA"))

    rows = settled(lambda: place.store.list_objects(**place.at, prefix=place.prefix).objects, bool)

    info = place.store.head_object(**place.key("k"))
    assert [(row.key, row.size, row.etag, row.storage_class) for row in rows] == [
        (place.prefix + "k", 5, info.etag, "STANDARD_IA")
    ]
    assert rows[0].modified_at is not None
    assert rows[0].owner_id


@pytest.mark.parametrize("key", ["", "/a", "\\a", "a\x18b", "a\x1bb", "k" * 851, "é" * 426, "half \ud800"])
def test_illegal_key_is_told_before_it_is_sent(place: Place, key: str) -> None:
    with pytest.raises(errors.Refused):
        place.store.key_check(key)
    with pytest.raises(errors.Refused):
        place.store.put_object(**place.at, key=key, body=slice_of(b""), headers=PLAIN)


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_hostile_key_is_legal(place: Place, key: str) -> None:
    place.store.key_check(key)


def put_if_legal(place: Place, key: str, data: bytes) -> None:
    """Put an object. A real store may refuse control characters, which its documentation leaves open."""
    try:
        place.put(key, data)
    except errors.Refused as error:
        if place.server is not None or not any(char < " " or char == "\x7f" for char in key):
            raise
        pytest.skip(f"This store refuses control characters in keys: {error}")
