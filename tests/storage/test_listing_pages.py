"""A whole listing, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from tests.storage.recorder import Recorder, reply

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}


def page(key: str, *, marker: str | None = None) -> Any:
    following = f"<NextMarker>{marker}</NextMarker>" if marker is not None else ""
    truncated = str(marker is not None).lower()
    return reply(
        body=f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{following}"
        f"<Contents><Key>{key}</Key></Contents></ListBucketResult>".encode()
    )


def keys_of(pages: Any) -> list[str]:
    return [record["Key"] for found in pages for record in found["Contents"]]


def test_pages_follow_each_other_to_the_end(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.extend([page("a", marker="a"), page("b", marker="b"), page("c")])

    keys = keys_of(client.get_bucket_pages(**AT, Prefix="p", Delimiter="/", MaxKeys=1))

    assert keys == ["a", "b", "c"]
    assert [seen.query.get("marker") for seen in recorder.seen] == [None, "a", "b"]
    assert {
        (seen.query["prefix"], seen.query["delimiter"], seen.query["max-keys"]) for seen in recorder.seen
    } == {("p", "/", "1")}


def test_listing_goes_on_where_the_caller_says(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(page("z"))

    keys_of(client.get_bucket_pages(**AT, Marker="y"))

    assert recorder.seen[0].query["marker"] == "y"


def test_page_is_asked_for_as_a_single_one_is(recorder: Recorder, client: CosClient) -> None:
    recorder.default = page("z")
    options: dict[str, Any] = {"Prefix": "a b/", "Delimiter": "/", "Marker": "a b/c+", "MaxKeys": 7}

    keys_of(client.get_bucket_pages(**AT, **options))
    client.get_bucket(**AT, **options)

    [paged, single] = recorder.seen
    assert paged.target == single.target
    assert {**paged.headers, "authorization": ""} == {**single.headers, "authorization": ""}


def test_unread_page_is_asked_for_as_a_read_one_is(recorder: Recorder, client: CosClient) -> None:
    recorder.default = page("z")
    options: dict[str, Any] = {"Prefix": "a b/", "Delimiter": "/", "Marker": "a b/c+", "MaxKeys": 7}

    body = client.get_bucket_xml(**AT, **options)
    client.get_bucket(**AT, **options)

    [unread, read] = recorder.seen
    assert b"<Key>z</Key>" in body
    assert unread.target == read.target
    assert {**unread.headers, "authorization": ""} == {**read.headers, "authorization": ""}


def test_page_is_asked_for_only_when_it_is_wanted(recorder: Recorder, client: CosClient) -> None:
    recorder.default = page("a", marker="a")

    next(client.get_bucket_pages(**AT))

    assert len(recorder.seen) == 1


def test_store_that_repeats_itself_is_not_followed_for_ever(recorder: Recorder, client: CosClient) -> None:
    recorder.default = page("a", marker="a")

    with pytest.raises(errors.Unavailable, match="no further"):
        keys_of(client.get_bucket_pages(**AT))

    assert len(recorder.seen) == 2
