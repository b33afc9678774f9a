"""Multipart uploads."""

from __future__ import annotations

import os

import pytest

from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.types import ObjectHeaders
from tests.storage.contract.place import MIB, Place, settled, settled_on, strike


def test_parts_become_an_object(place: Place) -> None:
    data = os.urandom(MIB + 10)
    upload_id = place.begin("big")

    second = place.upload("big", upload_id, 2, data[MIB:])
    first = place.upload("big", upload_id, 1, data[:MIB])
    listed = list(place.store.list_parts(**place.key("big"), upload_id=upload_id))
    done = place.store.complete_multipart_upload(
        **place.key("big"), upload_id=upload_id, parts=[first, second]
    )

    assert [(part.number, part.size, part.etag) for part in listed] == [
        (1, MIB, first.etag),
        (2, 10, second.etag),
    ]
    assert first.crc64 == str(crc64_update(data[:MIB]))
    assert done.crc64 == str(crc64_update(data))
    assert place.read("big") == data


def test_unfinished_uploads_are_listed_and_aborted(place: Place) -> None:
    begun = {(place.prefix + name, place.begin(name)) for name in ("a", "a", "b")}

    settled_on(3, lambda: _number_unfinished(place))
    seen, page = set(), place.store.list_multipart_uploads(**place.at, prefix=place.prefix, limit=1)
    while True:
        seen |= {(upload.key, upload.upload_id) for upload in page.uploads}
        if page.next_key_marker is None:
            break
        page = place.store.list_multipart_uploads(
            **place.at,
            prefix=place.prefix,
            limit=1,
            key_marker=page.next_key_marker,
            upload_id_marker=page.next_upload_id_marker or "",
        )

    assert seen == begun
    key, upload_id = begun.pop()
    place.store.abort_multipart_upload(**place.at, key=key, upload_id=upload_id)
    with pytest.raises(errors.UploadNotFound):
        place.store.abort_multipart_upload(**place.at, key=key, upload_id=upload_id)


def test_ranges_of_objects_become_parts(place: Place) -> None:
    data = os.urandom(2 * MIB)
    place.put("from", data)
    source = place.ref("from")
    etag = place.store.head_object(**place.key("from")).etag
    upload_id = place.begin("to")

    parts = [
        place.store.upload_part_copy(
            source=source,
            **place.key("to"),
            upload_id=upload_id,
            number=number,
            first_byte=first,
            last_byte=last,
            source_etag=etag,
        )
        for number, first, last in ((1, 5, MIB + 4), (2, MIB + 5, 2 * MIB - 1))
    ]
    place.store.complete_multipart_upload(**place.key("to"), upload_id=upload_id, parts=parts)

    assert [part.size for part in parts] == [MIB, MIB - 5]
    assert place.read("to") == data[5:]


@pytest.mark.parametrize("kind", ["slow_down", "error", "drop_before", "drop_after"])
def test_part_survives_a_bad_moment(place: Place, kind: str) -> None:
    upload_id = place.begin("k")
    strike(place, kind, operation="UploadPart", count=2)

    part = place.upload("k", upload_id, 1, b"x" * MIB)

    assert part.crc64 == str(crc64_update(b"x" * MIB))


def test_complete_whose_answer_is_lost_is_settled(place: Place) -> None:
    upload_id = place.begin("k")
    part = place.upload("k", upload_id, 1, b"abc")
    strike(place, "drop_after", operation="Complete*")

    done = place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=[part])

    assert done.crc64 == str(crc64_update(b"abc"))


def test_second_complete_finds_the_object(place: Place) -> None:
    upload_id = place.begin("k")
    part = place.upload("k", upload_id, 1, b"abc")

    first = place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=[part])
    second = place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=[part])

    assert first == second


def test_unfinished_uploads_are_grouped_by_prefix(place: Place) -> None:
    for name in ("a/1", "a/2", "b", "c/1"):
        place.begin(name)
    settled_on(4, lambda: _number_unfinished(place))

    seen: list[str] = []
    key_marker = upload_id_marker = ""
    while True:
        page = place.store.list_multipart_uploads(
            **place.at,
            prefix=place.prefix,
            delimiter="/",
            limit=1,
            key_marker=key_marker,
            upload_id_marker=upload_id_marker,
        )
        seen += [upload.key for upload in page.uploads] + list(page.prefixes)
        if page.next_key_marker is None:
            break
        key_marker, upload_id_marker = page.next_key_marker, page.next_upload_id_marker or ""

    assert [key.removeprefix(place.prefix) for key in seen] == ["a/", "b", "c/"]


def test_unfinished_upload_says_whose_it_is(place: Place) -> None:
    place.begin("k")

    (upload,) = settled(
        lambda: place.store.list_multipart_uploads(**place.at, prefix=place.prefix).uploads, bool
    )

    assert upload.initiated_at is not None
    assert upload.initiator_id
    assert upload.owner_id


def test_upload_is_begun_with_headers_and_access(place: Place) -> None:
    headers = ObjectHeaders(content_type="a/b", storage_class="STANDARD_IA", metadata={"n": "v"})
    upload_id = place.store.create_multipart_upload(**place.key("k"), headers=headers, acl="private")

    part = place.upload("k", upload_id, 1, b"abc")
    place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=[part])

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata, info.storage_class) == ("a/b", {"n": "v"}, "STANDARD_IA")
    assert not place.store.get_object_acl(**place.key("k")).is_inherited


def test_complete_for_a_new_key_only_leaves_what_is_there(place: Place) -> None:
    upload_id = place.begin("k")
    parts = [place.upload("k", upload_id, 1, b"abc")]
    place.put("k", b"theirs", ObjectHeaders())

    with pytest.raises(errors.Conflict) as refused:
        place.store.complete_multipart_upload(
            **place.key("k"), upload_id=upload_id, parts=parts, is_new_only=True
        )

    assert (refused.value.code, place.read("k")) == (errors.TAKEN, b"theirs")
    place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=parts)
    assert place.read("k") == b"abc"


def test_last_part_number_counts_and_the_next_is_refused(place: Place) -> None:
    last = place.store.features.parts_max
    upload_id = place.begin("k")

    part = place.upload("k", upload_id, last, b"abc")

    assert [part.number for part in place.store.list_parts(**place.key("k"), upload_id=upload_id)] == [last]
    with pytest.raises(errors.Refused):
        place.upload("k", upload_id, last + 1, b"abc")
    place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=[part])
    assert place.read("k") == b"abc"


def test_small_part_before_the_last_is_refused(place: Place) -> None:
    upload_id = place.begin("k")
    parts = [place.upload("k", upload_id, number, b"abc") for number in (1, 2)]

    with pytest.raises(errors.Refused):
        place.store.complete_multipart_upload(**place.key("k"), upload_id=upload_id, parts=parts)


def _number_unfinished(place: Place) -> int:
    return len(place.store.list_multipart_uploads(**place.at, prefix=place.prefix).uploads)
