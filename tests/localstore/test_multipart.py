"""Multipart uploads: edges of numbers, sizes and order, lists, and what an end leaves behind."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from fastcrc import crc64

from apps.localstore import LocalStore
from apps.localstore.crc64 import crc64_combine, crc64_join
from tests.localstore.conftest import OTHER, OWNER, Connect
from tests.localstore.wire import Wire, complete_xml, part_put, upload_begin

MIB = 1024 * 1024
BIG = os.urandom(MIB)


def complete(wire: Wire, target: str, upload_id: str, parts: list[tuple[int, str]]) -> tuple[int, str | None]:
    reply = wire.call("POST", f"{target}?uploadId={upload_id}", complete_xml(parts))
    return reply.status, reply.code


def test_parts_become_one_object(wire: Wire) -> None:
    body = BIG + BIG[:-1] + b"tail"
    upload = upload_begin(wire, "/k", Content_Type="text/x-thing", x_cos_meta_a="b")
    parts = [
        (1, part_put(wire, "/k", upload, 1, BIG)),
        (7, part_put(wire, "/k", upload, 7, BIG[:-1] + b"tail")),
    ]
    assert wire.call("GET", "/k").code == "NoSuchKey"

    reply = wire.call("POST", f"/k?uploadId={upload}", complete_xml(parts))

    assert reply.status == 200
    assert reply.header("x-cos-hash-crc64ecma") == str(crc64.xz(body))
    assert reply.body.count(b'xmlns="http://www.qcloud.com/document/product/436/7751"') == 1
    got = wire.call("GET", "/k")
    assert re.fullmatch(r'"[0-9a-f]{32}-2"', got.header("ETag") or "")
    assert got.body == body
    assert (got.header("Content-Type"), got.header("x-cos-meta-a")) == ("text/x-thing", "b")
    assert wire.call("GET", "/k", Range=f"bytes={MIB - 2}-{MIB + 1}").body == body[MIB - 2 : MIB + 2]


def test_second_complete_and_abort_find_nothing(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")
    parts = [(1, part_put(wire, "/k", upload, 1, b"small"))]

    assert complete(wire, "/k", upload, parts) == (200, None)
    assert complete(wire, "/k", upload, parts) == (404, "NoSuchUpload")
    assert wire.call("DELETE", f"/k?uploadId={upload}").code == "NoSuchUpload"
    assert wire.call("GET", f"/k?uploadId={upload}").code == "NoSuchUpload"
    assert wire.call("PUT", f"/k?partNumber=1&uploadId={upload}", b"x").code == "NoSuchUpload"


def test_refused_completes_leave_the_upload_usable(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")
    first, small, last = (
        part_put(wire, "/k", upload, n, b) for n, b in ((1, BIG), (2, b"small"), (3, b"end"))
    )

    assert complete(wire, "/k", upload, [(2, small), (1, first)]) == (400, "InvalidPartOrder")
    assert complete(wire, "/k", upload, [(1, first), (1, first)]) == (400, "InvalidPartOrder")
    assert complete(wire, "/k", upload, [(1, first), (2, small), (3, last)]) == (400, "EntityTooSmall")
    assert complete(wire, "/k", upload, [(1, first), (4, last)]) == (400, "InvalidPart")
    assert complete(wire, "/k", upload, [(1, small), (3, last)]) == (400, "InvalidPart")
    assert complete(wire, "/k", upload, []) == (400, "MalformedXML")
    assert complete(wire, "/other", upload, [(1, first)]) == (404, "NoSuchUpload")
    assert complete(wire, "/k", upload, [(1, first.strip('"')), (3, last)]) == (200, None)
    assert wire.call("GET", "/k").body == BIG + b"end"


def test_part_sent_again_replaces_the_first(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")
    old = part_put(wire, "/k", upload, 1, BIG)
    new = part_put(wire, "/k", upload, 1, b"new")

    assert complete(wire, "/k", upload, [(1, old)]) == (400, "InvalidPart")
    assert complete(wire, "/k", upload, [(1, new)]) == (200, None)
    assert wire.call("GET", "/k").body == b"new"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", ""])
def test_part_numbers_out_of_bounds(wire: Wire, number: str) -> None:
    upload = upload_begin(wire, "/k")

    assert wire.call("PUT", f"/k?partNumber={number}&uploadId={upload}", b"x").code == "InvalidArgument"


def test_ten_thousand_is_a_part_number(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")

    assert part_put(wire, "/k", upload, 10_000, b"x")


def test_parts_are_listed_in_pages(wire: Wire) -> None:
    key = "/a b&"
    upload = upload_begin(wire, "/" + quote(key[1:]))
    for number in (3, 1, 2, 9):
        part_put(wire, "/" + quote(key[1:]), upload, number, bytes(number))
    target = f"/{quote(key[1:])}?uploadId={upload}&encoding-type=url&max-parts=3"

    first = wire.call("GET", target).xml
    rest = wire.call("GET", f"{target}&part-number-marker={first.findtext('NextPartNumberMarker')}").xml

    assert [(p.findtext("PartNumber"), p.findtext("Size")) for p in first.iter("Part")] == [
        ("1", "1"),
        ("2", "2"),
        ("3", "3"),
    ]
    assert [p.findtext("PartNumber") for p in rest.iter("Part")] == ["9"]
    assert (first.findtext("IsTruncated"), rest.findtext("IsTruncated")) == ("true", "false")
    assert first.findtext("Key") == "a%20b%26"
    assert first.findtext("Initiator/ID") == OWNER.principal


def test_uploads_are_listed_by_key_then_id(wire: Wire) -> None:
    made = sorted((key, upload_begin(wire, "/" + key)) for key in ("a/1", "a/2", "b", "b", "c"))
    try:
        seen: list[tuple[str | None, str | None]] = []
        markers = ""
        while True:
            xml = wire.call("GET", f"/?uploads&max-uploads=2{markers}").xml
            seen += [(u.findtext("Key"), u.findtext("UploadId")) for u in xml.iter("Upload")]
            if xml.findtext("IsTruncated") == "false":
                break
            key, upload = xml.findtext("NextKeyMarker"), xml.findtext("NextUploadIdMarker")
            markers = f"&key-marker={quote(key or '')}&upload-id-marker={upload}"

        assert seen == made
        folded = wire.call("GET", "/?uploads&delimiter=/").xml
        assert [p.findtext("Prefix") for p in folded.iter("CommonPrefixes")] == ["a/"]
        assert [u.findtext("Key") for u in folded.iter("Upload")] == ["b", "b", "c"]
        by_key = wire.call("GET", "/?uploads&key-marker=b").xml
        assert [u.findtext("Key") for u in by_key.iter("Upload")] == ["c"]
        alone = wire.call("GET", f"/?uploads&upload-id-marker={made[-1][1]}").xml
        assert len(list(alone.iter("Upload"))) == 5
        narrowed = wire.call("GET", "/?uploads&prefix=a/").xml
        assert [u.findtext("Key") for u in narrowed.iter("Upload")] == ["a/1", "a/2"]
    finally:
        for key, upload_id in made:
            assert wire.call("DELETE", f"/{key}?uploadId={upload_id}").status == 204


def test_unfinished_upload_keeps_its_bucket(wire: Wire) -> None:
    upload = upload_begin(wire, "/k")

    assert wire.call("DELETE", "/").code == "BucketNotEmpty"
    assert wire.call("DELETE", f"/k?uploadId={upload}").status == 204
    assert wire.call("DELETE", "/").status == 204


def test_stranger_cannot_touch_an_upload(wire: Wire, connect: Connect) -> None:
    upload = upload_begin(wire, "/k")
    other = connect(OTHER)

    assert other.call("PUT", f"/k?partNumber=1&uploadId={upload}", b"x").code == "AccessDenied"
    assert other.call("GET", f"/k?uploadId={upload}").code == "AccessDenied"
    assert other.call("DELETE", f"/k?uploadId={upload}").code == "AccessDenied"


def test_no_file_outlives_its_last_reference(folder: Path) -> None:
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    bucket = "demo-1250000000"
    with Wire(store.port, OWNER, bucket) as wire:
        wire.call("PUT", "/")
        upload = upload_begin(wire, "/k")
        parts = [(n, part_put(wire, "/k", upload, n, BIG)) for n in (1, 2, 3)]
        complete(wire, "/k", upload, parts[:2])
        assert files(folder) == 2
        wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/k"})
        wire.call("PUT", "/k", b"small")
        assert files(folder) == 2
        assert wire.call("GET", "/copy").body == BIG * 2
        wire.call("DELETE", "/copy")
        assert files(folder) == 0
        gone = upload_begin(wire, "/k")
        part_put(wire, "/k", gone, 1, BIG)
        wire.call("DELETE", f"/k?uploadId={gone}")
        assert files(folder) == 0
        wire.request("PUT", "/k", {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, BIG)
        assert files(folder) == 0
    store.stop()


def files(folder: Path) -> int:
    return sum(1 for path in (folder / "blobs").rglob("*") if path.is_file())


@pytest.mark.parametrize("sizes", [(0, 0), (1, 0), (0, 1), (5, 70_000), (1_048_576, 3)])
def test_combined_crc_is_that_of_the_whole(sizes: tuple[int, int]) -> None:
    first, second = BIG[: sizes[0]], BIG[: sizes[1]]

    assert crc64_combine(crc64.xz(first), crc64.xz(second), len(second)) == crc64.xz(first + second)
    assert crc64_join([(crc64.xz(first), len(first)), (crc64.xz(second), len(second))]) == crc64.xz(
        first + second
    )
