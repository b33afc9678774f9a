"""Any page of a list is what a model in ten lines says, for objects and for unfinished uploads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.examples import examples
from tests.storage.embedded import Home, home

# Few letters, so that keys, prefixes and markers meet; those beyond ASCII sort differently by UTF-16.
LETTERS = ["a", "b", "/", "\ufffd", "\U0001f600", "\x01", "%"]
KEYS = sorted(
    {"".join(found) for found in product(LETTERS, repeat=2) if found[0] != "/"}
    | {"a//b", "a/b/c", "a/b/d", "b/", "\U0001f600/a", "\ufffd/\U0001f600", "a" * 850},
    key=str.encode,
)
TEXTS = st.lists(st.sampled_from(LETTERS), max_size=3).map("".join)
DELIMITERS = st.sampled_from(["", "/", "a", "\U0001f600", "%"])
LIMITS = st.integers(0, 8) | st.sampled_from([1000, 5000])
Entry = tuple[bytes, str, str]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Home]:
    with home() as found:
        for key in KEYS:
            found.client.put_object(**found.of(key), Body=key.encode())
        yield found


@pytest.fixture(scope="module")
def uploads(bucket: Home) -> list[tuple[str, str]]:
    """Key and id of unfinished uploads, two of every third key, in their order."""
    keys = [*KEYS, *KEYS[::3]]
    begun = [(key, bucket.client.multipart_init(**bucket.of(key))["UploadId"]) for key in keys]
    return sorted(begun, key=lambda pair: (pair[0].encode(), pair[1]))


def folded(key: str, prefix: str, delimiter: str) -> str | None:
    """Return the common prefix that a key disappears into."""
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if at < 0 else key[: at + len(delimiter)]


def page_of(keys: list[str], prefix: str, delimiter: str, marker: str, limit: int) -> dict[str, Any]:
    """Return one page: each entry is a key or a common prefix that lies behind the marker."""
    entries: dict[str, bool] = {}
    for key in keys:
        if key.startswith(prefix) and key.encode() > marker.encode():
            fold = folded(key, prefix, delimiter)
            if fold != marker:
                entries.setdefault(fold or key, fold is not None)
    limit = min(limit, 1000)
    shown = list(entries)[:limit]
    is_truncated = 0 < limit < len(entries)
    return {
        "Contents": [name for name in shown if not entries[name]],
        "CommonPrefixes": [name for name in shown if entries[name]],
        "IsTruncated": "true" if is_truncated else "false",
        "NextMarker": shown[-1] if is_truncated else "",
    }


def shown_page(page: dict[str, Any]) -> dict[str, Any]:
    return {
        "Contents": [record["Key"] for record in page["Contents"]],
        "CommonPrefixes": [record["Prefix"] for record in page["CommonPrefixes"]],
        "IsTruncated": page["IsTruncated"],
        "NextMarker": page["NextMarker"],
    }


@examples(150)
@given(prefix=TEXTS, delimiter=DELIMITERS, marker=TEXTS, limit=LIMITS)
@example(prefix="", delimiter="/", marker="a/", limit=2)
@example(prefix="", delimiter="/", marker="a/b", limit=1000)
@example(prefix="a/", delimiter="/", marker="a", limit=1)
@example(prefix="", delimiter="", marker="\ufffd", limit=1000)
@example(prefix="b", delimiter="", marker="c", limit=1000)
def test_any_page(bucket: Home, prefix: str, delimiter: str, marker: str, limit: int) -> None:
    page = bucket.client.get_bucket(
        **bucket.at, Prefix=prefix, Delimiter=delimiter, Marker=marker, MaxKeys=limit
    )

    assert shown_page(page) == page_of(KEYS, prefix, delimiter, marker, limit)
    assert (page["Prefix"], page["Marker"], page["Delimiter"]) == (prefix, marker, delimiter)
    assert page["MaxKeys"] == str(min(limit, 1000))
    assert all(int(record["Size"]) == len(record["Key"].encode()) for record in page["Contents"])


@examples(20)
@given(prefix=TEXTS, delimiter=DELIMITERS, limit=st.integers(1, 9))
def test_pages_make_the_whole(bucket: Home, prefix: str, delimiter: str, limit: int) -> None:
    asked = {**bucket.at, "Prefix": prefix, "Delimiter": delimiter}
    found: list[dict[str, Any]] = [bucket.client.get_bucket(**asked, MaxKeys=limit)]
    while found[-1]["IsTruncated"] == "true":
        found.append(bucket.client.get_bucket(**asked, MaxKeys=limit, Marker=found[-1]["NextMarker"]))

    pages = [shown_page(page) for page in found]

    whole = page_of(KEYS, prefix, delimiter, "", 1000)
    assert [name for page in pages for name in page["Contents"]] == whole["Contents"]
    assert [name for page in pages for name in page["CommonPrefixes"]] == whole["CommonPrefixes"]


def uploads_page(
    uploads: list[tuple[str, str]], prefix: str, delimiter: str, markers: tuple[str, str], limit: int
) -> tuple[list[tuple[str, str]], list[str], bool]:
    """Return (uploads, common prefixes, whether more follow) behind a pair of key and upload id."""
    key_marker, id_marker = markers[0], markers[1] if markers[0] else ""
    entries: dict[tuple[str, str], bool] = {}
    for key, upload_id in uploads:
        is_behind = key.encode() > key_marker.encode() or (
            key == key_marker and id_marker != "" and upload_id > id_marker
        )
        fold = folded(key, prefix, delimiter)
        if key.startswith(prefix) and is_behind and (fold is None or fold != key_marker):
            entries.setdefault((key, upload_id) if fold is None else (fold, ""), fold is not None)
    shown = list(entries)[:limit]
    listed = [entry for entry in shown if not entries[entry]]
    return listed, [entry[0] for entry in shown if entries[entry]], 0 < limit < len(entries)


@examples(100)
@given(
    prefix=TEXTS,
    delimiter=DELIMITERS,
    marker=TEXTS | st.integers(0, len(KEYS) - 1),
    has_id=st.booleans(),
    limit=LIMITS.filter(lambda limit: limit <= 1000),
)
def test_any_page_of_uploads(
    bucket: Home,
    uploads: list[tuple[str, str]],
    prefix: str,
    delimiter: str,
    marker: str | int,
    has_id: bool,
    limit: int,
) -> None:
    markers = uploads[marker] if isinstance(marker, int) else (marker, "f")
    markers = (markers[0], markers[1] if has_id else "")

    page = bucket.client.multipart_list(
        **bucket.at,
        Prefix=prefix,
        Delimiter=delimiter,
        KeyMarker=markers[0],
        UploadIdMarker=markers[1],
        MaxUploads=limit,
    )

    listed, prefixes, is_truncated = uploads_page(uploads, prefix, delimiter, markers, limit)
    assert [(record["Key"], record["UploadId"]) for record in page["Upload"]] == listed
    assert [record["Prefix"] for record in page["CommonPrefixes"]] == prefixes
    assert page["IsTruncated"] == ("true" if is_truncated else "false")


@examples(20)
@given(prefix=TEXTS, delimiter=DELIMITERS, limit=st.integers(1, 9))
def test_pages_of_uploads_make_the_whole(
    bucket: Home, uploads: list[tuple[str, str]], prefix: str, delimiter: str, limit: int
) -> None:
    asked = {**bucket.at, "Prefix": prefix, "Delimiter": delimiter, "MaxUploads": limit}
    found: list[dict[str, Any]] = [bucket.client.multipart_list(**asked)]
    while found[-1]["IsTruncated"] == "true":
        markers = {"KeyMarker": found[-1]["NextKeyMarker"], "UploadIdMarker": found[-1]["NextUploadIdMarker"]}
        found.append(bucket.client.multipart_list(**asked, **markers))

    listed, prefixes, _ = uploads_page(uploads, prefix, delimiter, ("", ""), 10_000)
    assert [(row["Key"], row["UploadId"]) for page in found for row in page["Upload"]] == listed
    assert [row["Prefix"] for page in found for row in page["CommonPrefixes"]] == prefixes
