"""Records that make no sense: the provider says Unavailable with a sentence, and never loops over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from apps.storage.cos.parts import combined_crc64
from apps.storage.providers.cos import PROVIDER
from apps.storage.providers.cos.values import size_of, time_of
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint, ObjectRef, StoredPart
from tests.examples import examples
from tests.garbled import documents
from tests.storage.documents import (
    ACL,
    BUCKETS,
    COMPLETED,
    COPIED,
    CORS,
    DELETED,
    LOCATION,
    PAGE,
    PART_COPIED,
    PARTS,
    TAGS,
    UPLOADS,
)
from tests.storage.recorder import Recorder, reply

AT = {"bucket": "photos-1250000000", "region": "ap-guangzhou"}
OF = {**AT, "key": "k"}
SOURCE = ObjectRef(AT["bucket"], AT["region"], "source")


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture(scope="module")
def store(server: Recorder) -> ObjectStore:
    return PROVIDER.open(Credentials("id", "key"), Endpoint("http", connect_to=f"127.0.0.1:{server.port}"))


CALLS: dict[str, tuple[Callable[[ObjectStore], Any], str]] = {
    "list_buckets": (lambda s: s.list_buckets(), BUCKETS),
    "list_objects": (lambda s: s.list_objects(**AT), PAGE),
    "delete_objects": (lambda s: s.delete_objects(**AT, keys=["k", "l"]), DELETED),
    "copy_object": (lambda s: s.copy_object(**OF, source=SOURCE), COPIED),
    "upload_part_copy": (
        lambda s: s.upload_part_copy(**OF, source=SOURCE, upload_id="u", number=1, first_byte=0, last_byte=4),
        PART_COPIED,
    ),
    "list_parts": (lambda s: list(s.list_parts(**OF, upload_id="u")), PARTS.replace(">true<", ">false<")),
    "complete": (
        lambda s: s.complete_multipart_upload(**OF, upload_id="u", parts=[StoredPart(1, 5, "e")]),
        COMPLETED,
    ),
    "list_uploads": (lambda s: s.list_multipart_uploads(**AT), UPLOADS),
    "get_bucket_acl": (lambda s: s.get_bucket_acl(**AT), ACL),
    "get_bucket_cors": (lambda s: s.get_bucket_cors(**AT), CORS),
    "get_bucket_tags": (lambda s: s.get_bucket_tags(**AT), TAGS),
    "bucket_location": (lambda s: s.bucket_location(**AT), LOCATION),
}


def _documents(name: str) -> st.SearchStrategy[tuple[str, bytes]]:
    valid = CALLS[name][1]
    tags = list(dict.fromkeys(re.findall(r"<([A-Za-z-]+)", valid)))
    return st.tuples(st.just(name), documents(valid, tags))


def spoiled(name: str, sound: str, odd: str) -> tuple[str, bytes]:
    """Return the document of a call with one thing wrong in it."""
    document = CALLS[name][1]
    assert sound in document
    return name, document.replace(sound, odd).encode()


def answered(server: Recorder, body: bytes, **headers: str) -> None:
    server.seen.clear()
    server.steps.clear()
    # Once only: the second try, if there is one, is told to leave it.
    server.steps.append(reply(200, body, **headers))
    server.default = reply(403)


@examples(200)
@given(case=st.sampled_from(sorted(CALLS)).flatmap(_documents))
@example(case=spoiled("list_objects", "<Size>37<", "<Size>x<"))
@example(case=spoiled("list_objects", "<Size>37<", "<Size>²<"))
@example(case=spoiled("list_objects", "<Size>37<", "<Size>-1<"))
@example(case=spoiled("list_objects", "&quot;e&quot;", "<a/>"))
@example(case=spoiled("list_objects", "<LastModified>", "<LastModified><b/>"))
@example(case=spoiled("list_buckets", "Name>", "Other>"))
@example(case=spoiled("list_buckets", "Location>", "Other>"))
@example(case=spoiled("list_buckets", "ap-guangzhou", "../x"))
@example(case=spoiled("list_parts", "<Size>37<", "<Size><"))
@example(case=spoiled("list_uploads", "UploadId>", "Other>"))
@example(case=spoiled("delete_objects", "<Key>dir/a b.txt<", "<Key><a/><"))
def test_document(server: Recorder, store: ObjectStore, case: tuple[str, bytes]) -> None:
    name, body = case
    answered(server, body)

    try:
        CALLS[name][0](store)
    except errors.StorageError as error:
        found: errors.StorageError | None = error
    else:
        found = None

    assert found is None or found.message.endswith((".", "?")) or found.code


HEADER_VALUES = st.sampled_from(["²", "-1", "x", "9" * 30, "1.5", "", "٣"]) | st.text(
    st.characters(exclude_categories=["C", "Z"]), max_size=10
)


@examples(60)
@given(
    name=st.sampled_from(["x_cos_hash_crc64ecma", "Last_Modified", "ETag", "x_cos_storage_class"]),
    value=HEADER_VALUES,
)
def test_header_of_an_object(server: Recorder, store: ObjectStore, name: str, value: str) -> None:
    answered(server, b"", **{name: value})

    info = store.head_object(**OF)

    assert info.crc64 is None or int(info.crc64) >= 0
    assert info.modified_at is None or info.modified_at.tzinfo


@pytest.mark.parametrize("value", ["x", "²", "-1"])
def test_digest_that_is_none_counts_as_none(server: Recorder, store: ObjectStore, value: str) -> None:
    answered(server, COPIED.replace(">7<", f">{value}<").encode())

    copied = store.copy_object(**OF, source=SOURCE)

    assert copied.crc64 is None
    assert combined_crc64([StoredPart(1, 5, "e", copied.crc64)]) is None


@pytest.mark.parametrize("total", ["²", "x", "-5", "*", "", "9" * 30])
def test_total_of_a_range_that_is_no_number(total: str) -> None:
    assert size_of(f"bytes 0-4/{total}", 5) == 5


TIMES = st.text(max_size=30) | st.sampled_from(
    [
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
        "9999-99-99",
        "²",
        "0001-01-01T00:00+23:59",
    ]
)


@examples(200)
@given(text=TIMES)
def test_any_time(text: str) -> None:
    moment = time_of(text)

    assert moment is None or (isinstance(moment, datetime) and moment.tzinfo)


def test_lists_that_do_not_advance_end(server: Recorder, store: ObjectStore) -> None:
    end = "</ListAllMyBucketsResult>"
    more = BUCKETS.replace(end, f"<IsTruncated>true</IsTruncated><NextMarker>m</NextMarker>{end}")
    for document, name in ((more, "list_buckets"), (PARTS, "list_parts")):
        server.steps.clear()
        server.default = reply(200, document.encode())

        with pytest.raises(errors.Unavailable, match="advance"):
            CALLS[name][0](store)


def test_list_of_uploads_must_go_on_behind_its_markers(server: Recorder, store: ObjectStore) -> None:
    answered(server, UPLOADS.encode())
    page = store.list_multipart_uploads(**AT)
    assert page.next_key_marker is not None
    answered(server, UPLOADS.encode())

    with pytest.raises(errors.Unavailable, match="advance"):
        store.list_multipart_uploads(
            **AT, key_marker=page.next_key_marker, upload_id_marker=page.next_upload_id_marker or ""
        )


def test_pages_that_name_each_other_end(server: Recorder, store: ObjectStore) -> None:
    server.steps.clear()
    other = PAGE.replace("<NextMarker>dir/a%20b.txt<", "<NextMarker>dir/z<").encode()
    server.steps.extend([reply(200, PAGE.encode()), reply(200, other)])
    server.default = reply(200, PAGE.encode())

    with pytest.raises(errors.Unavailable, match="no further"):
        list(store.client.get_bucket_pages(Bucket=AT["bucket"], Region=AT["region"]))  # type: ignore[attr-defined]


def test_list_of_objects_must_go_on_behind_its_marker(server: Recorder, store: ObjectStore) -> None:
    answered(server, PAGE.encode())

    with pytest.raises(errors.Unavailable, match="advance"):
        store.list_objects(**AT, marker="e")


def test_list_that_breaks_off_is_not_taken_for_whole(server: Recorder, store: ObjectStore) -> None:
    answered(server, b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")

    with pytest.raises(errors.Unavailable, match="more follows"):
        store.list_objects(**AT)
