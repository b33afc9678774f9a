from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from tests.hostile import HOSTILE_KEYS

Put = Callable[..., str]
BODY = bytes(range(256)) * 4


def url_of(connection: Connection, bucket: str, key: str, **query: str) -> str:
    more = "".join(f"&{name}={quote(value)}" for name, value in query.items())
    return f"/b/{connection.slug}/{bucket}/object/read/?key={quote(key, safe='')}{more}"


def moment(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("step", ["head", "get"])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "It can be read"),
        ({"if_modified_since": moment(-2)}, "It can be read"),
        ({"if_modified_since": "NOW"}, "Not modified"),
        ({"if_unmodified_since": moment(-2)}, "Precondition failed"),
        ({"if_unmodified_since": moment(2)}, "It can be read"),
        ({"if_none_match": "ETAG"}, "Not modified"),
        ({"if_none_match": '"other"'}, "It can be read"),
        ({"if_match": "ETAG"}, "It can be read"),
        ({"if_match": "other"}, "Precondition failed"),
    ],
    ids=range(9),
)
def test_condition_is_answered_in_words(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    step: str,
    query: dict[str, str],
    words: str,
) -> None:
    etag = put("a", BODY)
    query = {name: value.replace("ETAG", etag).replace("NOW", moment(0)) for name, value in query.items()}

    response = member_client.get(url_of(connection, bucket, "a", do=step, **query))

    assert response.status_code == 200
    assert words in response.content.decode()


@pytest.mark.parametrize(
    ("query", "words", "received"),
    [
        ({"part": "first", "count": "10"}, "bytes 0-9/1024", BODY[:10]),
        ({"part": "last", "count": "10"}, "bytes 1014-1023/1024", BODY[-10:]),
        ({"part": "between", "first": "5", "last": "6"}, "bytes 5-6/1024", BODY[5:7]),
        ({"part": "between", "first": "1000"}, "bytes 1000-1023/1024", BODY[1000:]),
        ({"part": "between", "first": "5000"}, "These bytes do not exist", None),
    ],
    ids=range(5),
)
def test_part_is_tried_and_saved(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    query: dict[str, str],
    words: str,
    received: bytes | None,
) -> None:
    put("a", BODY)
    url = url_of(connection, bucket, "a")

    tried = member_client.post(url, query | {"do": "get"}, follow=True)
    download = member_client.post(url, query | {"do": "download"})
    saved = member_client.get(download["Location"])

    assert words in tried.content.decode()
    if received is None:
        assert "/object/read/?" in saved["Location"]
    else:
        # Chromium gives up a download that answers 206 to a request without a range.
        assert saved.status_code == 200
        assert "Content-Range" not in saved
        assert b"".join(saved.streaming_content) == received
        saved.close()


def test_form_keeps_what_its_address_says(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a", BODY)
    given = {"part": "first", "count": "7", "if_match": '"x"', "content_type": "a/b", "version": "null"}

    answer = member_client.post(url_of(connection, bucket, "a"), given | {"do": "head"})
    page = html.unescape(member_client.get(answer["Location"]).content.decode())

    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query == {name: [value] for name, value in given.items()} | {"key": ["a"], "do": ["head"]}
    for value in ('value="7"', 'value=""x""', 'value="a/b"', 'value="null"'):
        assert value in page


def test_replaced_headers_reach_the_browser_only_where_they_are_harmless(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a.bin", BODY)
    given = {
        "content_type": "text/html",
        "content_language": "zh-CN",
        "expires": "Sun, 31 Jan 2027 00:00:00 GMT",
        "cache_control": "public",
        "content_disposition": 'inline; filename="../other\u202e.html"'.encode("ascii", "ignore").decode(),
        "content_encoding": "br",
    }
    url = url_of(connection, bucket, "a.bin")

    tried = html.unescape(member_client.post(url, given | {"do": "get"}, follow=True).content.decode())
    saved = member_client.get(member_client.post(url, given | {"do": "download"})["Location"])
    saved.close()

    for value in given.values():
        assert value in tried
    assert saved["Content-Type"] == "application/octet-stream"
    assert saved["Content-Disposition"] == 'attachment; filename="other.html"'
    assert saved["Content-Language"] == "zh-CN"
    assert saved["Cache-Control"] == "private, no-cache"
    assert "Content-Encoding" not in saved


def test_link_has_version_and_headers_and_is_in_no_address(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a", BODY)
    given = {"do": "link", "content_type": "text/plain", "cache_control": "no-store", "version": "v1"}

    response = member_client.post(url_of(connection, bucket, "a"), given)

    link = html.unescape(re.findall(r'class="signed-link">([^<]*)<', response.content.decode())[0])
    query = parse_qs(urlsplit(link).query)
    assert query["response-content-type"] == ["text/plain"]
    assert query["response-cache-control"] == ["no-store"]
    assert query["versionId"] == ["v1"]
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"part": "first"}, "Enter how many bytes."),
        ({"part": "between"}, "Enter where to begin."),
        ({"part": "between", "first": "9", "last": "3"}, "This is before the first byte."),
        ({"part": "first", "count": "0"}, "greater than or equal to 1"),
        ({"content_type": "中"}, "Only ASCII is safe in a header."),
        ({"if_modified_since": "soon"}, "valid date"),
    ],
    ids=range(6),
)
def test_bad_value_gets_a_sentence(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    given: dict[str, str],
    words: str,
) -> None:
    put("a", BODY)

    response = member_client.post(url_of(connection, bucket, "a"), given | {"do": "get"})
    download = member_client.get(
        url_of(connection, bucket, "a", **given).replace("/read/", "/download"), follow=True
    )

    assert response.status_code == 422
    assert words in html.unescape(response.content.decode())
    assert words in html.unescape(download.content.decode())


def test_failure_of_the_store_is_told_on_the_page(
    member_client: Client, connection: Connection, bucket: str, put: Put, local_store: LocalStore
) -> None:
    put("a", BODY)
    local_store.faults.add("error", operation="GetObject", status=403, code="AccessDenied", count=None)

    page = member_client.get(url_of(connection, bucket, "a", do="get")).content.decode()

    assert "AccessDenied" in page
    assert 'name="part"' in page


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_survives_the_way_round(
    member_client: Client, connection: Connection, bucket: str, put: Put, key: str
) -> None:
    put(key, b"12345")

    answer = member_client.post(
        url_of(connection, bucket, key), {"do": "download", "part": "last", "count": "2"}
    )
    saved = member_client.get(answer["Location"])

    assert b"".join(saved.streaming_content) == b"45"
    saved.close()


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str, put: Put) -> None:
    put("a")

    assert stranger_client.get(url_of(connection, bucket, "a", do="head")).status_code == 404
