"""Lists: byte order, paging, delimiters, and work that does not grow with the bucket."""

from __future__ import annotations

import re
import time
from urllib.parse import quote, unquote

import pytest

from tests.localstore.conftest import Connect
from tests.localstore.wire import Wire

KEYS = ["a", "a/", "a/1", "a/2", "a/b/3", "b", "b/1", "中/文", "中文", "z+ &", "\U0001f600", "￿"]


@pytest.fixture
def filled(wire: Wire) -> Wire:
    for key in KEYS:
        assert wire.call("PUT", "/" + quote(key), b"x").status == 200
    return wire


def page_of(wire: Wire, **params: str) -> tuple[list[str], list[str], str | None]:
    """Return keys, common prefixes and the next marker (None: last page)."""
    query = "&".join(f"{name.replace('_', '-')}={quote(value, safe='')}" for name, value in params.items())
    xml = wire.call("GET", f"/?encoding-type=url&{query}").xml
    keys = [unquote(row.findtext("Key") or "") for row in xml.iter("Contents")]
    prefixes = [unquote(row.findtext("Prefix") or "") for row in xml.iter("CommonPrefixes")]
    more = xml.findtext("IsTruncated") == "true"
    return keys, prefixes, unquote(xml.findtext("NextMarker") or "") if more else None


def test_order_is_that_of_utf8_bytes(filled: Wire) -> None:
    assert page_of(filled)[0] == sorted(KEYS, key=lambda key: key.encode())


def test_delimiter_folds_and_prefix_narrows(filled: Wire) -> None:
    assert page_of(filled, delimiter="/")[1] == ["a/", "b/", "中/"]
    assert page_of(filled, prefix="a/", delimiter="/") == (["a/", "a/1", "a/2"], ["a/b/"], None)
    assert page_of(filled, prefix="中")[0] == ["中/文", "中文"]
    assert page_of(filled, prefix="nothing") == ([], [], None)


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_add_up_to_the_whole(filled: Wire, size: int, delimiter: str) -> None:
    whole = page_of(filled, delimiter=delimiter)
    seen: list[str] = []
    marker: str | None = ""
    while marker is not None:
        keys, prefixes, marker = page_of(filled, delimiter=delimiter, marker=marker, max_keys=str(size))
        assert 0 < len(keys) + len(prefixes) <= size
        seen += keys + prefixes

    assert sorted(seen) == sorted(whole[0] + whole[1])


def test_marker_inside_a_folder_and_on_it(filled: Wire) -> None:
    assert page_of(filled, marker="a/", prefix="a/")[0] == ["a/1", "a/2", "a/b/3"]
    assert page_of(filled, marker="a/", delimiter="/")[:2] == (
        ["b", "z+ &", "中文", "￿", "\U0001f600"],
        ["b/", "中/"],
    )


def test_fields_of_a_row(wire: Wire) -> None:
    etag = wire.call("PUT", "/k", b"12345").header("ETag")

    row = wire.call("GET", "/").xml.find("Contents")

    assert row is not None
    assert [row.findtext(name) for name in ("Key", "Size", "StorageClass", "ETag")] == [
        "k",
        "5",
        "STANDARD",
        etag,
    ]
    assert row.findtext("Owner/ID") == "1250000000"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.findtext("LastModified") or "")


def test_encoding_keeps_slashes(filled: Wire) -> None:
    xml = filled.call("GET", "/?encoding-type=url&prefix=z%2B&delimiter=%26&marker=a%2Fb").xml

    assert xml.findtext("EncodingType") == "url"
    assert (xml.findtext("Prefix"), xml.findtext("Marker"), xml.findtext("Delimiter")) == (
        "z%2B",
        "a/b",
        "%26",
    )
    assert xml.findtext("CommonPrefixes/Prefix") == "z%2B%20%26"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("max-keys=-1", "InvalidArgument"),
        ("max-keys=many", "InvalidArgument"),
        ("delimiter=ab", "InvalidDelimiter"),
        ("encoding-type=base64", "InvalidArgument"),
    ],
)
def test_bad_parameters(wire: Wire, query: str, code: str) -> None:
    assert wire.call("GET", f"/?{query}").code == code


def test_limits_of_max_keys(filled: Wire) -> None:
    assert page_of(filled, max_keys="0") == ([], [], None)
    assert filled.call("GET", "/?max-keys=5000&encoding-type=url").xml.findtext("MaxKeys") == "1000"


def test_buckets_are_listed_in_pages(connect: Connect, wire: Wire) -> None:
    extra = [f"page{n}-1250000000" for n in range(3)]
    for name in extra:
        assert connect(to=name).call("PUT", "/").status == 200
    service = connect(to="")
    try:
        first = service.call("GET", "/?max-keys=2&marker=page").xml
        second = service.call("GET", f"/?max-keys=2&marker={first.findtext('NextMarker')}").xml

        assert [b.findtext("Name") for b in first.iter("Bucket")] == extra[:2]
        assert (first.findtext("IsTruncated"), second.findtext("IsTruncated")) == ("true", "false")
        assert [b.findtext("Name") for b in second.iter("Bucket")] == extra[2:]
        assert not list(service.call("GET", "/?region=ap-tokyo").xml.iter("Bucket"))
        assert connect(None, to="").call("GET", "/").code == "AccessDenied"
    finally:
        for name in extra:
            connect(to=name).call("DELETE", "/")


def test_buckets_are_filtered_by_region_tag_and_time(connect: Connect) -> None:
    north, south = connect(to="north-1250000000"), connect(to="south-1250000000", region="ap-tokyo")
    assert north.call("PUT", "/", x_cos_tagging="team=red").status == 200
    assert south.call("PUT", "/", x_cos_tagging="team=blue").status == 200
    service = connect(to="")

    def names(query: str, host: str = "service.cos.myqcloud.com") -> set[str]:
        xml = service.request("GET", f"/?{query}", {"Host": host}).xml
        return {bucket.findtext("Name") or "" for bucket in xml.iter("Bucket")} & {
            "north-1250000000",
            "south-1250000000",
        }

    try:
        assert names("region=ap-tokyo") == {"south-1250000000"}
        assert names("", "cos.ap-beijing.myqcloud.com") == {"north-1250000000"}
        assert names("tagkey=team&tagvalue=red") == {"north-1250000000"}
        assert names("tagkey=team&tagvalue=green") == set()
        now = int(time.time())
        assert len(names(f"create-time={now + 60}&range=lt")) == 2
        assert names(f"create-time={now + 60}&range=gte") == set()
        assert len(names(f"create-time={now - 3600}&range=gt")) == 2
        assert service.call("GET", f"/?create-time={now}&range=about").code == "InvalidArgument"
    finally:
        assert north.call("DELETE", "/").status == south.call("DELETE", "/").status == 204
