"""Rows that are read by their plain form say what the parser would have said, and stand where they stood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.cos.records import next_marker
from apps.storage.providers.cos.listing import listing_of
from apps.storage.providers.cos.values import summary_of
from apps.storage.types import Credentials, Endpoint, Listing
from tests.examples import examples
from tests.garbled import documents
from tests.storage.recorder import Recorder, reply

AT: dict[str, Any] = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Recorder) -> CosClient:
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{server.port}")
    return CosClient(credentials=Credentials("id", "key"), endpoint=endpoint)


def row(
    key: str = "a%20b",
    modified: str = "2020-12-10T03:37:30.000Z",
    etag: str = "&quot;e&quot;",
    size: str = "37",
    storage_class: str = "STANDARD",
    blank: str = "",
) -> str:
    fields = (
        f"<Key>{key}</Key>",
        f"<LastModified>{modified}</LastModified>",
        f"<ETag>{etag}</ETag>",
        f"<Size>{size}</Size>",
        "<Owner><ID>1</ID><DisplayName>1</DisplayName></Owner>",
        f"<StorageClass>{storage_class}</StorageClass>",
    )
    return f"<Contents>{blank}{blank.join(fields)}{blank}</Contents>"


def page(*rows: str, is_truncated: bool = False) -> str:
    truncated = str(is_truncated).lower()
    return (
        "<ListBucketResult><Name>photos-1250000000</Name><EncodingType>url</EncodingType>"
        f"<IsTruncated>{truncated}</IsTruncated>{''.join(rows)}"
        "<CommonPrefixes><Prefix>dir%20/</Prefix></CommonPrefixes></ListBucketResult>"
    )


def parsed(server: Recorder, client: CosClient, body: bytes) -> Listing:
    """Return the page by way of the documented records, each of which comes from the parser."""
    server.steps.clear()
    server.default = reply(200, body)
    found = client.get_bucket(**AT)
    return Listing(
        objects=tuple(summary_of(record) for record in found["Contents"]),
        prefixes=tuple(entry["Prefix"] for entry in found["CommonPrefixes"]),
        next_marker=next_marker(found, ""),
    )


def outcome(read: Any) -> Listing | str:
    try:
        found: Listing = read()
    except errors.StorageError as error:
        return error.message
    return found


PLAIN = row()
PAGES = (
    page(row("a"), row("b", blank="\n\t "), row("c", etag="no-quotes"), row("d", etag='"raw"')),
    page(row("a"), row("b&amp;"), row("c"), row("<![CDATA[d]]>"), row("e&#x0A;"), row("f")),
    page(row("a"), f"<!-- {PLAIN} -->", row("b")),
    page(row("a"), f"<Name><![CDATA[{PLAIN}]]></Name>", row("b")),
    page(row("a"), f"<Other>{PLAIN}</Other>", row("b")),
    page(row("a"), f"<Other>{PLAIN}</Other><plain-row/>", row("b")),
    page(row("a"), f"<!-- {PLAIN} --><x:plain-row xmlns:x='u'/>", row("b")),
    page(row("a"), f"<?note {PLAIN} ?>", row("b")),
    page(row("a"), f"<Other note='{PLAIN}'/>"),
    page(row("a"), row("b").replace("<Contents>", "<Contents xmlns='u'>"), row("c")),
    page(row("a"), row("b").replace("</Contents>", "<StorageTier>X</StorageTier></Contents>"), row("c")),
    page(row("a"), "stray text", row("b")),
    page(row("a"), row("b", size="")),
    page(row("a"), row("b", size="9" * 18), row("c", size="9" * 19)),
    page(row("a"), row("b", size="9" * 30)),
    page(row("a"), row("b", modified="yesterday"), row("c", modified=""), row("d", storage_class="standard")),
    page(row("a"), row("")),
    page(row("a]]>b")),
    page(row("中"), row("%E4%B8%AD"), row("%ff"), row("100%")),
    page(row("z"), row("%F0%9F%98%80"), row("%EF%BF%BD"), is_truncated=True),
    page(row("a"), row("b")).replace("<EncodingType>url</EncodingType>", ""),
    page(row("a%2Bb")).replace("<EncodingType>url</EncodingType>", ""),
    page(row("a"), "\x01"),
    page(row("a")).replace("ListBucketResult", "Other"),
    page(row("a")).replace("<ListBucketResult>", "<!DOCTYPE a><ListBucketResult>"),
    page(*[row(str(number)) for number in range(1000)]),
)


@pytest.mark.parametrize("number", range(len(PAGES)))
def test_page_reads_as_the_parser_reads_it(server: Recorder, client: CosClient, number: int) -> None:
    body = PAGES[number].encode()

    assert outcome(lambda: listing_of(body, marker="")) == outcome(lambda: parsed(server, client, body))


@examples(300)
@given(
    body=documents(
        page(PLAIN, row("c&amp;d"), row("e", blank="\n")),
        ["ListBucketResult", "Contents", "Key", "LastModified", "ETag", "Size", "Owner", "StorageClass"],
    )
)
@example(body=page(PLAIN).encode("utf-16"))
@example(body=b"\xef\xbb\xbf" + page(PLAIN).encode())
@example(body=page(PLAIN, "\xff").encode("latin-1"))
def test_spoiled_page_reads_as_the_parser_reads_it(server: Recorder, client: CosClient, body: bytes) -> None:
    assert outcome(lambda: listing_of(body, marker="")) == outcome(lambda: parsed(server, client, body))


CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("&<>]'\"%\r\n\t \x00\x7f\ufffe")


@examples(200)
@given(st.lists(st.tuples(st.text(CHARACTERS, max_size=6), st.text(CHARACTERS, max_size=4)), max_size=4))
def test_any_text_in_a_row_reads_as_the_parser_reads_it(
    server: Recorder, client: CosClient, texts: list[tuple[str, str]]
) -> None:
    body = page(*[row(f"k{key}", etag=etag) for key, etag in texts]).encode()

    assert outcome(lambda: listing_of(body, marker="")) == outcome(lambda: parsed(server, client, body))


def test_rows_are_in_their_order() -> None:
    keys = ["a", "b&amp;", "c", "d&#x65;", "f"]

    listing = listing_of(page(*map(row, keys)).encode(), marker="")

    assert [summary.key for summary in listing.objects] == ["a", "b&", "c", "de", "f"]
    assert listing.prefixes == ("dir /",)


def test_more_tags_than_any_answer_has_are_refused() -> None:
    body = page(*[PLAIN] * 17_000).encode()
    assert len(re.findall(b"<", body)) > 250_000

    with pytest.raises(errors.Unavailable, match="more in it"):
        listing_of(body, marker="")
