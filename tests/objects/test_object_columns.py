from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.objects.columns import COOKIE, Layout, layout_of, layout_read, layout_write


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/objects/columns/"


def test_choice_is_remembered_and_leads_back(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("dir/a.txt")
    chosen = {"columns": ["etag", "size"], "density": "compact", "query": "prefix=dir%2F"}

    response = member_client.post(url_of(connection, bucket), chosen)
    page = member_client.get(response["Location"]).content.decode()

    assert response["Location"] == f"/b/{connection.slug}/{bucket}/objects/?prefix=dir%2F"
    assert 'class="c-etag"' in page
    assert 'class="c-class"' not in page
    assert "is-compact" in page
    assert 'name="columns" value="etag" checked' in page


def test_address_to_come_back_to_stays_on_the_list(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    chosen = {"query": "x=1\r\nSet-Cookie: a=b"}

    response = owner_client.post(url_of(connection, bucket), chosen)

    assert response["Location"].startswith(f"/b/{connection.slug}/{bucket}/objects/?")
    assert "\n" not in response["Location"]


def test_unknown_column_changes_nothing(owner_client: Client, connection: Connection, bucket: str) -> None:
    response = owner_client.post(url_of(connection, bucket), {"columns": ["secret"]})

    assert response.status_code == 302
    assert COOKIE not in response.cookies


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.post(url_of(connection, bucket)).status_code == 404


@pytest.mark.parametrize("cookie", [None, "", "0.size", "<script>", "1"], ids=str)
def test_cookie_that_is_not_ours_is_the_default(cookie: str | None) -> None:
    assert layout_read(cookie) == (Layout(columns=()) if cookie == "1" else Layout())


def test_layout_survives_the_cookie() -> None:
    layout = layout_of(["owner", "size", "size", "x"], is_compact=True)

    assert layout.columns == ("size", "owner")
    assert layout_read(layout_write(layout)) == layout
