"""What every provider must do, once against the embedded store and once against a real account.

A real account is used when COS_SECRET_ID, COS_SECRET_KEY, COS_REGION and COS_BUCKET are set; everything is
kept below a prefix of its own in that bucket and removed afterwards.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.providers.cos import PROVIDER, CosStore
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint, FileSlice, ObjectHeaders, ObjectRef, StoredPart

MIB = 1 << 20
REAL = ("COS_SECRET_ID", "COS_SECRET_KEY", "COS_REGION", "COS_BUCKET")
PLAIN = ObjectHeaders()
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


@dataclass
class Place:
    """A bucket in a store, and a prefix in it that is ours alone."""

    store: ObjectStore
    bucket: str
    region: str
    prefix: str
    server: LocalStore | None

    @property
    def at(self) -> dict[str, str]:
        return {"bucket": self.bucket, "region": self.region}

    def key(self, name: str) -> dict[str, str]:
        return {**self.at, "key": self.prefix + name}

    def put(self, name: str, data: bytes, headers: ObjectHeaders = PLAIN) -> None:
        self.store.put_object(**self.key(name), body=slice_of(data), headers=headers)

    def read(self, name: str, **options: Any) -> bytes:
        body = self.store.get_object(**self.key(name), **options)
        try:
            return b"".join(body)
        finally:
            body.close()

    def begin(self, name: str) -> str:
        return self.store.create_multipart_upload(**self.key(name), headers=PLAIN)

    def upload(self, name: str, upload_id: str, number: int, data: bytes) -> StoredPart:
        return self.store.upload_part(
            **self.key(name), upload_id=upload_id, number=number, body=slice_of(data)
        )

    def names(self, **options: Any) -> list[str]:
        listing = self.store.list_objects(**self.at, prefix=self.prefix, **options)
        return [row.key.removeprefix(self.prefix) for row in listing.objects]


_opened: list[BinaryIO] = []


def slice_of(data: bytes) -> FileSlice:
    """Return the slice of a real file in memory that holds `data` after a byte that is not part of it."""
    file = os.fdopen(os.memfd_create("body"), "w+b", buffering=0)
    _opened.append(file)
    file.write(b"-" + data)
    return FileSlice(file, 1, len(data))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    server = LocalStore(
        tmp_path_factory.mktemp("store"), [Account(secret_id="AKIDCONTRACT", secret_key="contract-secret")]
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["embedded", "real"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    found = _embedded(request) if request.param == "embedded" else _real()
    yield found
    _clean(found)
    while _opened:
        _opened.pop().close()


def _embedded(request: pytest.FixtureRequest) -> Place:
    server: LocalStore = request.getfixturevalue("embedded")
    server.faults.clear()
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{server.port}")
    store = PROVIDER.open(Credentials("AKIDCONTRACT", "contract-secret"), endpoint)
    name = f"contract-{secrets.token_hex(4)}-1250000000"
    store.create_bucket(bucket=name, region="ap-guangzhou")
    return Place(store, name, "ap-guangzhou", "", server)


def _real() -> Place:
    if not all(os.environ.get(name) for name in REAL):
        pytest.skip("No real account: " + ", ".join(REAL) + " are not set.")
    secret_id, secret_key, region, bucket = (os.environ[name] for name in REAL)
    store = PROVIDER.open(Credentials(secret_id, secret_key), Endpoint())
    return Place(store, bucket, region, f"contract-{secrets.token_hex(8)}/", None)


def _clean(place: Place) -> None:
    store = place.store
    for upload in store.list_multipart_uploads(**place.at, prefix=place.prefix).uploads:
        store.abort_multipart_upload(**place.at, key=upload.key, upload_id=upload.upload_id)
    keys = [row.key for row in store.list_objects(**place.at, prefix=place.prefix).objects]
    if keys:
        store.delete_objects(**place.at, keys=keys)


def strike(place: Place, kind: str, **options: Any) -> None:
    """Make the embedded store fail; a real one cannot be told to."""
    if place.server is None:
        pytest.skip("A real store does not fail on demand.")
    place.server.faults.add(kind, **options)


def test_bucket_is_listed_and_answers(place: Place) -> None:
    assert place.bucket in [bucket.name for bucket in place.store.list_buckets()]

    place.store.head_bucket(**place.at)


def test_missing_bucket_is_told_apart(place: Place) -> None:
    gone = {
        "bucket": f"gone-{secrets.token_hex(4)}-{place.bucket.rpartition('-')[2]}",
        "region": place.region,
    }

    with pytest.raises(errors.BucketNotFound):
        place.store.head_bucket(**gone)
    with pytest.raises(errors.BucketNotFound):
        place.store.list_objects(**gone)


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_hostile_key_makes_the_round_trip(place: Place, key: str) -> None:
    key = key[: 850 - len(place.prefix)]
    data = os.urandom(100)
    place.put("neighbor", b"untouched")

    place.put(key, data)

    assert place.read(key) == data
    assert place.store.head_object(**place.key(key)).size == 100
    assert key in place.names()
    place.store.delete_object(**place.key(key))
    assert place.names() == ["neighbor"]


def test_hostile_keys_are_deleted_as_a_batch(place: Place) -> None:
    keys = [place.prefix + key for key in HOSTILE_KEYS if len(place.prefix + key) <= 850]
    for key in keys:
        place.store.put_object(**place.at, key=key, body=slice_of(b""), headers=PLAIN)

    outcome = place.store.delete_objects(**place.at, keys=keys)

    assert sorted(outcome.deleted) == sorted(keys)
    assert outcome.failures == ()
    assert place.names() == []


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
    assert place.names() == keys


def test_object_is_copied_with_its_headers(place: Place) -> None:
    place.put("from +", b"123", ObjectHeaders(content_type="a/b", metadata={"n": "v"}))
    source = ObjectRef(place.bucket, place.region, place.prefix + "from +")
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
        source=ObjectRef(place.bucket, place.region, place.prefix + "k"),
        **place.key("k"),
        storage_class="STANDARD_IA",
    )

    info = place.store.head_object(**place.key("k"))
    assert (info.content_type, info.metadata, info.storage_class) == ("a/b", {"n": "v"}, "STANDARD_IA")


def test_missing_source_cannot_be_copied(place: Place) -> None:
    with pytest.raises(errors.ObjectNotFound):
        place.store.copy_object(
            source=ObjectRef(place.bucket, place.region, place.prefix + "gone"), **place.key("to")
        )


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
    source = ObjectRef(place.bucket, place.region, place.prefix + "from")
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


def test_bucket_with_an_unfinished_upload_is_not_deleted(place: Place) -> None:
    if place.server is None:
        pytest.skip("The bucket of a real account is not ours to delete.")
    upload_id = place.begin("a")

    with pytest.raises(errors.Conflict):
        place.store.delete_bucket(**place.at)

    place.store.abort_multipart_upload(**place.key("a"), upload_id=upload_id)


def test_refused_key_names_its_reason(place: Place) -> None:
    with pytest.raises(errors.Refused, match="must not start"):
        place.store.head_object(**place.at, key="/a")


def test_wrong_secret_is_denied(place: Place) -> None:
    client = place.store.client if isinstance(place.store, CosStore) else None
    assert client is not None
    stranger = PROVIDER.open(Credentials("AKIDNOBODY", "wrong"), client.endpoint)

    with pytest.raises(errors.Denied):
        stranger.list_objects(**place.at)


def test_cancel_leaves_nothing_behind(place: Place) -> None:
    with pytest.raises(errors.Canceled):
        place.store.put_object(
            **place.key("k"),
            body=slice_of(bytes(8 * MIB)),
            headers=PLAIN,
            on_progress=lambda sent: sent < MIB,
        )

    assert place.names() == []


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


def test_copy_that_fails_after_its_200_is_an_error(place: Place) -> None:
    place.put("from", b"abc")
    strike(place, "error_in_200", operation="*Copy*", count=9)

    with pytest.raises(errors.Unavailable):
        place.store.copy_object(
            source=ObjectRef(place.bucket, place.region, place.prefix + "from"), **place.key("to")
        )


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
