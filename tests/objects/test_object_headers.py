from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.grants import EVERYONE, Acl, Grant
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

Put = Callable[..., str]


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/headers/?key={quote(key, safe='')}"


def filled(client: Client, url: str, **changes: Any) -> dict[str, Any]:
    """Return what the browser would send, with changes."""
    page = client.get(url).content.decode()
    fields = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input[^>]*?name="(\w+)" value="([^"]*)"', page)
        if name not in ("csrfmiddlewaretoken", "meta_name", "meta_value")
    }
    fields |= {
        name: html.unescape(value[0])
        if (value := re.findall(rf'name="{name}"[^>]*?value="([^"]*)"', page))
        else ""
        for name in ("content_type", "cache_control", "content_disposition", "content_language", "expires")
    }
    fields["storage_class"] = re.findall(r'<option value="(\w+)" selected', page)[0]
    names = [html.unescape(name) for name in re.findall(r'name="meta_name" value="([^"]*)"', page)]
    values = [html.unescape(value) for value in re.findall(r'name="meta_value" value="([^"]*)"', page)]
    return fields | {"meta_name": names, "meta_value": values} | changes


def head(store: ObjectStore, bucket: str, key: str) -> Any:
    return store.head_object(bucket=bucket, region=REGION, key=key)


def test_writer_changes_headers_and_keeps_everything_else(
    writer_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put(
        "a.css",
        b"body{}",
        content_type="text/css",
        cache_control="max-age=60",
        storage_class="STANDARD_IA",
        metadata={"team": "blue", "old": "1"},
    )
    owner = store.get_object_acl(bucket=bucket, region=REGION, key="a.css").owner
    store.put_object_acl(
        bucket=bucket, region=REGION, key="a.css", acl=Acl(owner, (Grant(EVERYONE, "READ"),))
    )
    before = head(store, bucket, "a.css")
    url = url_of(connection, bucket, "a.css")
    data = filled(writer_client, url, cache_control="no-cache", expires="2027-01-31")
    data |= {"meta_name": ["team", "new"], "meta_value": ["red", "2"]}

    review = writer_client.post(url, data | {"step": "review"}).content.decode()
    unchanged = head(store, bucket, "a.css")
    saved = writer_client.post(url, data | {"step": "save"})

    for words in ("max-age=60", "no-cache", "x-cos-meta-old", "x-cos-meta-new", "removed"):
        assert words in review
    assert unchanged.headers["cache-control"] == "max-age=60"
    assert saved.status_code == 302
    after = head(store, bucket, "a.css")
    assert after.headers["cache-control"] == "no-cache"
    assert after.headers["expires"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    assert after.metadata == {"team": "red", "new": "2"}
    assert (after.content_type, after.storage_class) == ("text/css", "STANDARD_IA")
    assert (after.etag, after.crc64) == (before.etag, before.crc64)
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="a.css")
    assert acl.explicit == (Grant(EVERYONE, "READ"),)
    assert Entry.objects.get(verb="object.headers").bucket == bucket


def test_inherited_access_stays_inherited(
    owner_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("a")
    url = url_of(connection, bucket, "a")

    owner_client.post(url, filled(owner_client, url, content_language="en") | {"step": "save"})

    assert head(store, bucket, "a").headers["content-language"] == "en"
    assert store.get_object_acl(bucket=bucket, region=REGION, key="a").is_inherited


@pytest.mark.parametrize("with_other_bytes", [False, True])
def test_change_of_somebody_else_is_shown_and_not_lost(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    store: ObjectStore,
    with_other_bytes: bool,
) -> None:
    put("a", b"one", cache_control="max-age=1")
    url = url_of(connection, bucket, "a")
    data = filled(owner_client, url, content_language="en") | {"step": "save"}
    put("a", b"two" if with_other_bytes else b"one", cache_control="max-age=2")

    refused = owner_client.post(url, data)
    page = refused.content.decode()
    seen = html.unescape(re.findall(r'name="seen" value="([^"]*)"', page)[0])
    untouched = head(store, bucket, "a")
    again = owner_client.post(url, data | {"seen": seen})

    assert refused.status_code == 422
    assert "Somebody changed this object in the meantime." in page
    assert ("It has other bytes now" in page) is with_other_bytes
    assert "max-age=2" in page
    assert "content-language" not in untouched.headers
    assert again.status_code == 302
    assert head(store, bucket, "a").headers["cache-control"] == "max-age=1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"content_type": "nonsense"}, "This is no content type."),
        ({"cache_control": "中"}, "Only ASCII is safe in a header."),
        ({"content_disposition": "a\rx: y"}, "Line breaks and other control characters"),
        ({"expires": "soon"}, "This is no date"),
        ({"cache_control": "x" * 1025}, "Too long"),
        ({"storage_class": "GOLD"}, "GOLD"),
        ({"meta_name": ["a b"], "meta_value": ["1"]}, "A name has small letters"),
        ({"meta_name": [""], "meta_value": ["1"]}, "This value needs a name."),
        ({"meta_name": ["a"], "meta_value": [""]}, "This name needs a value"),
        ({"meta_name": ["a", "A"], "meta_value": ["1", "2"]}, "This name is there twice."),
        ({"meta_name": ["a", "b", "c"], "meta_value": ["x" * 700] * 3}, "at most 2048 are possible"),
    ],
    ids=range(11),
)
def test_bad_value_gets_a_sentence_and_stays_typed(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    store: ObjectStore,
    changes: dict[str, Any],
    words: str,
) -> None:
    put("a")
    url = url_of(connection, bucket, "a")

    response = owner_client.post(url, filled(owner_client, url, **changes) | {"step": "save"})

    assert response.status_code == 422
    assert words in html.unescape(response.content.decode())
    assert not head(store, bucket, "a").metadata


def test_odd_value_that_is_there_already_does_not_stand_in_the_way(
    owner_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("a", content_type="weird", expires="0")
    url = url_of(connection, bucket, "a")

    response = owner_client.post(url, filled(owner_client, url, content_language="en") | {"step": "save"})

    assert response.status_code == 302
    info = head(store, bucket, "a")
    assert (info.content_type, info.headers["expires"]) == ("weird", "0")


def test_lines_and_presets_work_without_a_script(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a", metadata={"one": "1", "two": "2"})
    url = url_of(connection, bucket, "a")
    data = filled(owner_client, url, content_type="typed/by-hand")

    more = owner_client.post(url, data | {"step": "add"}).content.decode()
    fewer = owner_client.post(url, data | {"step": "remove:0"}).content.decode()
    preset = owner_client.post(url, data | {"step": "preset:web"}).content.decode()

    assert [page.count('name="meta_name"') for page in (more, fewer, preset)] == [4, 2, 3]
    assert 'value="one"' not in fewer
    assert "max-age=31536000" in preset
    assert all('value="typed/by-hand"' in page for page in (more, fewer, preset))


def test_script_gets_the_form_alone(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a")
    url = url_of(connection, bucket, "a")
    data = filled(owner_client, url, content_language="en")

    step = owner_client.post(url, data | {"step": "review"}, headers={"HX-Request": "true"})
    saved = owner_client.post(url, data | {"step": "save"}, headers={"HX-Request": "true"})

    assert step.content.decode().lstrip().startswith('<form id="object-headers"')
    assert saved["HX-Redirect"].endswith("/object/?key=a&tab=headers")


def test_archived_object_is_not_offered(
    owner_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("a", storage_class="ARCHIVE")
    url = url_of(connection, bucket, "a")

    page = owner_client.get(url).content.decode()
    owner_client.post(url, {"step": "save", "cache_control": "no-cache", "storage_class": "ARCHIVE"})

    assert "An archived object cannot be changed." in page
    assert "cache-control" not in head(store, bucket, "a").headers


def test_access_that_cannot_be_read_is_not_lost(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    store: ObjectStore,
    local_store: LocalStore,
) -> None:
    put("a")
    url = url_of(connection, bucket, "a")
    data = filled(owner_client, url, content_language="en") | {"step": "save"}
    local_store.faults.add("error", operation="GetObjectAcl", status=403, code="AccessDenied", count=None)

    response = owner_client.post(url, data)

    assert response.status_code == 422
    assert "AccessDenied" in response.content.decode()
    assert "content-language" not in head(store, bucket, "a").headers


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_can_be_edited(
    owner_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore, key: str
) -> None:
    put(key)
    url = url_of(connection, bucket, key)

    response = owner_client.post(url, filled(owner_client, url, content_language="en") | {"step": "save"})

    assert response.status_code == 302
    assert head(store, bucket, key).headers["content-language"] == "en"


def test_reader_gets_403_and_stranger_404(
    member_client: Client, stranger_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a")
    url = url_of(connection, bucket, "a")

    assert member_client.get(url).status_code == 403
    assert member_client.post(url, {"step": "save"}).status_code == 403
    assert stranger_client.get(url).status_code == 404
