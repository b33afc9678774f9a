"""What a page of objects is sorted, filtered and selected by, and what it says of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from apps.connections.models import Connection
from tests.pages import link_of

HTMX = {"HX-Request": "true"}


def url_of(connection: Connection, bucket: str, query: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/objects/{query}"


def test_order_is_shown_and_limited_to_the_page(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for number in range(60):
        put(f"{number:02}", b"x" * (number % 7))
    query = {"limit": "50", "sort": "-size"}

    page = owner_client.get(url_of(connection, bucket), query).content.decode()

    assert 'class="c-size" aria-sort="descending"' in page
    assert 'class="c-name" aria-sort="none"' in page
    assert "Sorted by size, the largest first, within this page only." in page
    assert page.index(">06<") < page.index(">05<") < page.index(">00<")
    assert "sort=-size" in link_of(page, "next")
    assert "/search/?" in page


def test_order_of_a_whole_folder_claims_no_less(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for key in ("a", "b", "dir/x"):
        put(key)

    page = owner_client.get(url_of(connection, bucket), {"sort": "-name"}).content.decode()

    assert "Sorted by name, backwards." in page
    assert "within this page only" not in page
    assert page.index(">dir/<") < page.index(">b<") < page.index(">a<")


def test_filter_says_what_it_did_not_look_at(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for number in range(60):
        put(f"dir/{number:02}.{'PDF' if number in (3, 13, 55) else 'txt'}", b"x" * number)
    query = {"prefix": "dir/", "limit": "50", "endings": "jpg, .pdf", "min_size": "2 B", "max_size": "1 KiB"}

    page = owner_client.get(url_of(connection, bucket), query).content.decode()

    assert "Filtered: 2 of the 50 on this page; pages not looked at follow." in page
    assert "1–50, more follow" in page
    assert ">03.PDF<" in page
    assert ">04.txt<" not in page
    assert "endings=jpg%2C%20.pdf" in link_of(page, "next")


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ({"contains": "REPORT"}, True),
        ({"contains": "other"}, False),
        ({"after": "2000-01-01", "before": "2100-01-01"}, True),
        ({"before": "2000-01-01"}, False),
        ({"class": "STANDARD"}, True),
        ({"class": "ARCHIVE"}, False),
        ({"max_size": "6"}, False),
        ({"max_size": "7", "min_size": "7"}, True),
    ],
    ids=str,
)
def test_each_filter(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    query: dict[str, str],
    is_there: bool,
) -> None:
    put("the-report.pdf", b"seven..")

    page = owner_client.get(url_of(connection, bucket), query).content.decode()

    assert (">the-report.pdf<" in page) == is_there
    assert ("No object on this page matches." in page) != is_there


def test_folders_have_no_size_to_be_filtered_by(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("dir/x")
    put("file")

    by_size = owner_client.get(url_of(connection, bucket), {"min_size": "1"}).content.decode()
    by_name = owner_client.get(url_of(connection, bucket), {"contains": "DI"}).content.decode()

    assert 'name="folder"' not in by_size
    assert "Filtered: 1 of 2." in by_size
    assert 'name="folder" value="dir/"' in by_name


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"min_size": "big"}, "Write a number and a unit"),
        ({"min_size": "2k", "max_size": "1k"}, "This is less than the size it starts from."),
        ({"after": "yesterday"}, "Write a day as year-month-day"),
        ({"after": "2026-02-02", "before": "2026-02-01"}, "This is before the day it starts from."),
        ({"before": "9999-12-31"}, "Write a day as year-month-day"),
    ],
    ids=str,
)
def test_filter_that_makes_no_sense_is_explained_beside_the_field(
    owner_client: Client, connection: Connection, bucket: str, query: dict[str, str], sentence: str
) -> None:
    headers = HTMX | {"HX-Target": "object-browser"}

    whole = owner_client.get(url_of(connection, bucket), query)
    fragment = owner_client.get(url_of(connection, bucket), query, headers=headers)

    assert (whole.status_code, fragment.status_code) == (200, 422)
    for page in (whole.content.decode(), fragment.content.decode()):
        assert sentence in page
        assert all(f'value="{text}"' in page for text in query.values())


def test_address_of_a_form_has_no_empty_fields(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    query = {"find": "a b", "contains": "", "min_size": "", "sort": ""}

    response = owner_client.get(url_of(connection, bucket), query, headers=HTMX)

    assert response["HX-Push-Url"] == url_of(connection, bucket, "?find=a%20b")


def test_folder_with_a_line_break_survives_the_form(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("odd\nname/inside.txt")

    page = owner_client.get(url_of(connection, bucket), {"prefix": "odd\nname/"}).content.decode()
    found = owner_client.get(url_of(connection, bucket), {"in": "odd%0Aname/", "find": "in"}).content.decode()

    assert 'name="in" value="odd%0Aname/"' in page
    assert ">inside.txt<" in found


def test_match_is_posted_exactly(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("dir/a&b.txt")
    query = {"prefix": "dir/", "find": "a&", "min_size": "1", "before": "2100-01-01"}

    page = owner_client.get(url_of(connection, bucket), query).content.decode()

    assert '<input type="hidden" name="find" value="a%26">' in page
    assert '<input type="hidden" name="min_size" value="1">' in page
    assert '<input type="hidden" name="before" value="2100-01-02T00:00:00+00:00">' in page
    assert 'name="scope" value="match"><' in page


def test_match_knows_the_filter_by_ending(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    page = owner_client.get(url_of(connection, bucket), {"endings": "*.TXT, tar.gz"}).content.decode()

    assert '<input type="hidden" name="endings" value="txt tar.gz">' in page
    assert 'name="scope" value="match"><' in page


def test_access_is_read_for_the_page_on_request(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    page = owner_client.get(url_of(connection, bucket)).content.decode()
    checked = owner_client.get(url_of(connection, bucket), {"check": "1"}).content.decode()

    assert 'data-unread="access"' in page
    assert 'data-unread="access"' not in checked
    assert "Inherits: Private" in checked


def test_open_object_is_named_exactly(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put('"a"')

    page = owner_client.get(url_of(connection, bucket), {"open": '"a"'}).content.decode()

    assert 'data-open="%22a%22"' in page


def test_rows_appear_as_they_are_when_a_key_looks_like_their_place(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("<!-- rows -->")

    page = owner_client.get(url_of(connection, bucket), {"find": "<!-- rows -->"}).content.decode()

    assert page.count("&lt;!-- rows --&gt;</bdi>") == 1
    assert page.count("<tbody><tr>") == 1


def test_reader_may_take_a_selection_along_but_change_nothing(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    page = member_client.get(url_of(connection, bucket)).content.decode()

    assert re.search(r'value="zip" formaction="[^"]+">', page)
    for action in ("copy", "move", "access", "headers", "delete"):
        assert re.search(rf'value="{action}" formaction="[^"]+" disabled title="[^"]*Writer', page)


def test_row_and_bulk_actions_lead_to_pages_that_exist(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    page = owner_client.get(url_of(connection, bucket)).content.decode()
    asked = re.findall(r'data-kind="key" data-action="(\w+)" data-url="([^"]+)"', page)

    assert {"open", "preview", "download", "link", "copy", "access", "headers", "delete"} <= dict(
        asked
    ).keys()
    for _name, url in asked:
        assert owner_client.get(f"{unescape(url)}a.txt").status_code == 200
