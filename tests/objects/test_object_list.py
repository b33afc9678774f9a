from __future__ import annotations

from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from tests.hostile import HOSTILE_KEYS
from tests.pages import hrefs_of, link_of

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
    assert "data-upload=" not in page
    assert "data-upload-pick" not in page
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
    second = owner_client.get(link_of(first, "next")).content.decode()
    third = owner_client.get(link_of(second, "next")).content.decode()
    back = owner_client.get(link_of(third, "prev")).content.decode()
    start = owner_client.get(link_of(back, "prev")).content.decode()

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
