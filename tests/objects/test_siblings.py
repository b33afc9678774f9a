from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.connections.models import Connection
from tests.conftest import LocalStore

FRAGMENT = {"HX-Request": "true"}


def url_of(connection: Connection, bucket: str) -> str:
    return reverse("objects:siblings", args=[connection.slug, bucket])


def test_folders_beside_one_are_listed_with_itself_marked(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    for key in ("2025/a.txt", "2026/<b>/a.txt", "2026/june/a.txt", "2026/readme.txt"):
        put(key)

    page = member_client.get(url_of(connection, bucket), {"prefix": "2026/june/"}, headers=FRAGMENT)

    text = page.content.decode()
    assert [name for name, _url, _is_here in page.context["folders"]] == ["<b>/", "june/"]
    assert [is_here for _name, _url, is_here in page.context["folders"]] == [False, True]
    assert "<b>" not in text
    assert "?prefix=2026/june/" in text
    assert "readme" not in text


def test_folder_behind_thousands_of_keys_is_still_in_its_menu(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.objects.views.siblings.LIMIT", 3)
    for number in range(6):
        put(f"{number}/a.txt")

    page = member_client.get(url_of(connection, bucket), {"prefix": "4/"}, headers=FRAGMENT)

    assert [name for name, _url, _is_here in page.context["folders"]] == ["4/", "5/"]
    assert "More: the folder above" in page.content.decode()


def test_without_a_script_it_is_the_folder_above(
    member_client: Client, connection: Connection, bucket: str
) -> None:
    page = member_client.get(url_of(connection, bucket), {"prefix": "2026/june/"})

    assert page["Location"] == reverse("objects:list", args=[connection.slug, bucket]) + "?prefix=2026/"


@pytest.mark.parametrize("prefix", ["", "2026"])
def test_what_is_no_folder_has_no_siblings(
    member_client: Client, connection: Connection, bucket: str, prefix: str
) -> None:
    assert member_client.get(url_of(connection, bucket), {"prefix": prefix}).status_code == 404


def test_failing_store_is_a_notice(
    member_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="*", count=None, status=403, code="AccessDenied")

    page = member_client.get(url_of(connection, bucket), {"prefix": "a/"}, headers=FRAGMENT)

    assert page.status_code == 403
    assert "data-toast" in page.content.decode()
