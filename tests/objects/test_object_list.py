from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from tests.hostile import HOSTILE_KEYS
from tests.pages import hrefs_of

HTMX = {"HX-Request": "true"}


def url_of(connection: Connection, bucket: str, query: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/objects/{query}"


def test_folders_come_before_objects(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for key in ("a.txt", "z/one.txt", "z/two.txt"):
        put(key)

    page = owner_client.get(url_of(connection, bucket)).content.decode()

    assert page.index(">z/<") < page.index(">a.txt<")
    assert "one.txt" not in page
    assert "Showing 2, all of this folder" in page
    assert "<caption" in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page


def test_rows_are_not_left_to_the_garbage_collector(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    response = owner_client.get(url_of(connection, bucket))

    assert ">a.txt<" in response.content.decode()
    assert response["Content-Length"] == str(len(response.content))
    assert "rows" not in response.context


def test_fragment_has_no_page_around_it(owner_client: Client, connection: Connection, bucket: str) -> None:
    page = owner_client.get(url_of(connection, bucket), headers=HTMX).content.decode()

    assert "<html" not in page
    assert page.strip().startswith('<div id="object-list"')


def test_history_restore_gets_the_whole_page(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}

    page = owner_client.get(url_of(connection, bucket), headers=headers).content.decode()

    assert "<html" in page


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.get(url_of(connection, bucket)).status_code == 404


def test_nobody_is_led_to_sign_in(client: Client, connection: Connection, bucket: str) -> None:
    response = client.get(url_of(connection, bucket))

    assert response.status_code == 302
    assert "sign-in" in response["Location"]


def test_reader_sees_actions_that_are_switched_off(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a.txt")

    page = member_client.get(url_of(connection, bucket)).content.decode()

    assert "/object/download?key=a.txt" in page
    assert "/object/delete/" not in page
    assert "/object/copy/" not in page
    assert "uploads/" not in page
    assert "Delete: this needs the role “Writer”" in page


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_is_shown_as_text_and_linked_exactly(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str], key: str
) -> None:
    put(key)
    prefix = key[: key.rfind("/") + 1]

    response = owner_client.get(url_of(connection, bucket), {"prefix": prefix})
    page = response.content.decode()

    assert response.status_code == 200
    assert "<script>alert" not in page
    linked = {
        parse_qs(urlsplit(href).query, keep_blank_values=True).get("key", [""])[0] for href in hrefs_of(page)
    }
    assert key in linked


def test_direction_marks_and_control_characters_become_signs(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("invoice\u202efdp.exe")
    put("line\nbreak")

    page = owner_client.get(url_of(connection, bucket)).content.decode()

    assert "\u202e" not in page
    assert '<span class="sign">U+202E</span>' in page
    assert 'line<span class="sign">␊</span>break' in page


def test_pages_can_be_walked_to_the_end_and_back(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for number in range(205):
        put(f"dir/{number:03}")

    first = owner_client.get(url_of(connection, bucket), {"prefix": "dir/"}).content.decode()
    second = owner_client.get(_link(first, "next")).content.decode()
    third = owner_client.get(_link(second, "next")).content.decode()
    back = owner_client.get(_link(third, "prev")).content.decode()
    start = owner_client.get(_link(back, "prev")).content.decode()

    assert "1–100, more follow" in first
    assert "101–200, more follow" in second
    assert ">100<" in second
    assert "201–205, the end of this folder" in third
    assert 'rel="next"' not in third
    assert "101–200, more follow" in back
    assert "1–100, more follow" in start
    assert 'rel="prev"' not in start


def test_cut_trail_only_loses_the_way_back(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("a")
    put("b")

    page = owner_client.get(url_of(connection, bucket), {"marker": "a", "first": "x", "trail": "broken!"})

    assert page.status_code == 200
    assert "First page" in page.content.decode()


def test_find_matches_the_beginning_of_names_in_this_folder(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for key in ("dir/apple", "dir/apricot", "dir/banana", "apex"):
        put(key)

    page = owner_client.get(url_of(connection, bucket), {"prefix": "dir/", "find": "ap"}).content.decode()

    assert "Showing all 2 names starting with “ap”" in unescape(page)
    assert "banana" not in page
    assert 'value="ap"' in page


def test_find_without_hits_says_so(owner_client: Client, connection: Connection, bucket: str) -> None:
    page = owner_client.get(url_of(connection, bucket), {"find": "zzz"}).content.decode()

    assert "No name here starts with “zzz”." in unescape(page)


def test_too_long_name_gets_a_sentence_and_is_kept(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    page = owner_client.get(url_of(connection, bucket), {"find": "x" * 851}).content.decode()

    assert "a key has at most 850" in page
    assert "x" * 851 in page


def test_empty_bucket_and_empty_folder_say_what_they_are(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("empty/", b"")

    root = owner_client.get(url_of(connection, bucket), {"prefix": "nothing/"}).content.decode()
    folder = owner_client.get(url_of(connection, bucket), {"prefix": "empty/"}).content.decode()

    assert "Nothing here." in root
    assert "Empty folder" in folder
    assert "/object/delete/?key=empty/" in folder


def test_folder_marker_with_content_is_an_object(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("odd/", b"content")

    page = owner_client.get(url_of(connection, bucket), {"prefix": "odd/"}).content.decode()

    assert "/object/?key=odd/" in page


def test_throttling_shows_code_and_request_id(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("slow_down", operation="ListObjects", count=None)

    response = owner_client.get(url_of(connection, bucket))
    page = response.content.decode()

    assert response.status_code == 503
    assert "The store is limiting requests." in page
    assert "SlowDown" in page
    assert "Request id" in page


def test_missing_right_to_list_offers_to_open_by_key(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="ListObjects", count=None, status=403, code="AccessDenied")

    response = owner_client.get(url_of(connection, bucket))
    page = response.content.decode()

    assert response.status_code == 403
    assert "You can open objects here if you know the key" in page
    assert "AccessDenied" in page


def test_missing_bucket_is_said_and_forgotten(
    owner_client: Client, connection: Connection, bucket: str, store: object
) -> None:
    owner_client.get(url_of(connection, bucket))
    store.delete_bucket(bucket=bucket, region="ap-guangzhou")  # type: ignore[attr-defined]

    response = owner_client.get(url_of(connection, bucket))

    assert response.status_code == 404
    assert "This bucket does not exist." in response.content.decode()
    assert "It was last seen on" in response.content.decode()
    assert not connection.known_buckets.filter(name=bucket).exists()


def test_failure_of_a_fragment_is_a_toast(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="ListObjects", count=None, status=403, code="AccessDenied")

    response = owner_client.get(url_of(connection, bucket), headers=HTMX)

    assert response.status_code == 403
    assert "<html" not in response.content.decode()
    assert "AccessDenied" in response.content.decode()


def _link(page: str, rel: str) -> str:
    start = page.index(f'rel="{rel}" href="') + len(f'rel="{rel}" href="')
    return unescape(page[start : page.index('"', start)])


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
    assert "sort=-size" in _link(page, "next")
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
    assert "endings=jpg%2C%20.pdf" in _link(page, "next")


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
