from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.connections.services import connection_update
from apps.localstore.server import LocalStore
from apps.sharing.models import ShareLink
from tests.conftest import ACCOUNT

KEY = "reports/<b>2026</b> 报告 & more.html"


@pytest.fixture
def url(connection: Connection, bucket: str, put: Callable[..., str]) -> str:
    put(KEY, b"<h1>figures</h1>", content_type="text/html")
    return f"/b/{connection.slug}/{bucket}/share/?key={quote(KEY)}"


def fields(**changed: str) -> dict[str, str]:
    return {"lifetime": "3600", "unit": "hours", "disposition": "attachment", "filename": "r.html"} | changed


class _Inputs(HTMLParser):
    link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id") == "share-url":
            self.link = given["value"] or ""


def link_in(page: str) -> str:
    inputs = _Inputs()
    inputs.feed(page)
    return inputs.link


def opened(link: str, local_store: LocalStore) -> tuple[int, dict[str, str], bytes]:
    """Open a link as somebody without a session or key would, at the port where its host really is."""
    parts = urlsplit(link)
    line = http.client.HTTPConnection("127.0.0.1", local_store.port, timeout=10)
    line.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, dict(answer.getheaders()), body


def test_link_opens_for_somebody_without_a_key(
    member_client: Client, url: str, local_store: LocalStore
) -> None:
    response = member_client.post(url, fields())
    status, headers, body = opened(link_in(response.content.decode()), local_store)

    assert response.status_code == 200
    assert (status, body) == (200, b"<h1>figures</h1>")
    assert headers["Content-Disposition"].startswith('attachment; filename="r.html"')


def test_inline_and_other_headers_are_in_the_answer(
    owner_client: Client, url: str, local_store: LocalStore
) -> None:
    wish = fields(disposition="inline", filename="", content_type="text/plain", cache_control="no-store")
    wish |= {"content_language": "zh-CN", "content_encoding": "identity", "expires": "0"}
    link = link_in(owner_client.post(url, wish).content.decode())
    _status, headers, _body = opened(link, local_store)

    # This store saves what its own host name serves, as buckets made since 2024 do, whatever is asked.
    assert parse_qs(urlsplit(link).query)["response-content-disposition"] == ["inline"]
    assert headers["Content-Type"] == "text/plain"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Language"] == "zh-CN"
    assert headers["Content-Encoding"] == "identity"
    assert headers["Expires"] == "0"


def test_link_is_shown_once_and_kept_nowhere(
    owner_client: Client, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = owner_client.post(url, fields())
    link = link_in(response.content.decode())
    signature = parse_qs(urlsplit(link).query)["q-signature"][0]
    row = ShareLink.objects.get()
    again = owner_client.get("/links/").content.decode() + owner_client.get(url).content.decode()

    assert response["Cache-Control"] == "no-store"
    assert 'hx-history="false"' in response.content.decode()
    assert signature not in str(row.__dict__)
    assert signature not in again
    assert signature not in caplog.text
    assert signature not in str([entry.__dict__ for entry in Entry.objects.all()])
    assert "q-signature" not in again


def test_row_says_who_made_it_and_until_when(owner_client: Client, url: str) -> None:
    before = timezone.now()
    owner_client.post(url, fields(lifetime="custom", amount="3", unit="days"))
    row = ShareLink.objects.get()

    assert row.made_by == "owner"
    assert row.key == KEY
    assert timedelta(0) <= row.expires_at - before - timedelta(days=3) < timedelta(minutes=1)
    assert ACCOUNT.secret_id not in row.signed_by
    assert Entry.objects.get(verb="share.create").person_name == "owner"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"lifetime": "custom"}, "Enter how long the link shall work."),
        ({"lifetime": "custom", "amount": "366", "unit": "days"}, "A link may work for 365 days at most."),
        ({"lifetime": "custom", "amount": "9" * 30}, "A link may work for 365 days at most."),
        ({"lifetime": "custom", "amount": "0"}, "greater than or equal to 1"),
        ({"lifetime": "7"}, "Select a valid choice."),
        ({"filename": "a/b"}, "A file name cannot hold"),
        ({"filename": "a\u202eb"}, "A file name cannot hold"),
        ({"content_type": "text/plain\r\nX: y"}, "A header holds plain ASCII characters"),
        ({"cache_control": "报告"}, "A header holds plain ASCII characters"),
    ],
)
def test_impossible_wish_gets_a_sentence_and_makes_no_link(
    owner_client: Client, url: str, changed: dict[str, str], sentence: str
) -> None:
    page = unescape(owner_client.post(url, fields(**changed)).content.decode())

    assert sentence in page
    assert not ShareLink.objects.exists()


def test_temporary_key_shortens_what_can_be_chosen(
    owner_client: Client, connection: Connection, url: str, local_store: LocalStore
) -> None:
    connection_update(connection, secret_key=ACCOUNT.secret_key)
    from apps.connections.secrets import secret_encrypt
    from apps.sharing import forms

    form = forms.ShareForm(longest=timedelta(hours=36))
    connection.encrypted_token = secret_encrypt("token")

    assert [value for value, _label in form.fields["lifetime"].choices] == [  # type: ignore[attr-defined]
        "3600",
        "43200",
        "86400",
        "custom",
    ]
    assert form.longest_text == "36 hours"


def test_object_that_is_gone_has_no_link(owner_client: Client, connection: Connection, bucket: str) -> None:
    response = owner_client.post(f"/b/{connection.slug}/{bucket}/share/?key=gone", fields())

    assert response.status_code == 404
    assert not ShareLink.objects.exists()


def test_default_name_is_safe(owner_client: Client, url: str) -> None:
    page = unescape(owner_client.get(url).content.decode())

    assert 'value="b_ 报告 & more.html"' in page


def test_limits_of_revoking_are_told(owner_client: Client, url: str) -> None:
    page = owner_client.get(url).content.decode()

    assert "It cannot be taken back by itself" in page
    assert "Buckets made since 2024" in page


def test_no_key_is_not_found(owner_client: Client, connection: Connection, bucket: str) -> None:
    assert owner_client.get(f"/b/{connection.slug}/{bucket}/share/").status_code == 404


def test_stranger_gets_404(stranger_client: Client, url: str) -> None:
    assert stranger_client.get(url).status_code == 404
    assert stranger_client.post(url, fields()).status_code == 404
    assert not ShareLink.objects.exists()
