"""Addresses: plain and presigned, tried as somebody without a key would."""

from __future__ import annotations

import http.client
import time
from urllib.parse import unquote, urlsplit

import pytest

from apps.storage import errors
from apps.storage.types import ObjectHeaders, ObjectRef, ResponseHeaders
from tests.storage.contract.objects import HOSTILE_KEYS
from tests.storage.contract.place import MIB, Place, settled

HOUR_S = 3600


def test_presigned_address_is_read_without_a_key(place: Place) -> None:
    place.put("k", b"12345", ObjectHeaders(content_type="text/x-stored", cache_control="max-age=7"))

    url = place.store.presign_get(**place.key("k"), expires_s=HOUR_S)
    status, headers, body = _fetch(place, "GET", url)

    assert (status, body) == (200, b"12345")
    assert (headers["content-type"], headers["cache-control"]) == ("text/x-stored", "max-age=7")


def test_end_of_a_signature_is_read_off_its_address(place: Place) -> None:
    before = time.time()

    url = place.store.presign_get(**place.key("k"), expires_s=HOUR_S)
    expires_at = place.store.url_expires_at(url)

    assert expires_at is not None
    assert before + HOUR_S - 1 <= expires_at.timestamp() <= time.time() + HOUR_S


@pytest.mark.parametrize(
    "url",
    [
        "https://b-1.cos.ap-guangzhou.myqcloud.com/k",
        "https://b-1.cos.ap-guangzhou.myqcloud.com/k?q-sign-time=1",
        "https://b-1.cos.ap-guangzhou.myqcloud.com/k?q-sign-time=1;x",
        f"https://b-1.cos.ap-guangzhou.myqcloud.com/k?q-sign-time=1;{'9' * 40}",
        "https://[::1/k?q-sign-time=1;2",
        "",
    ],
)
def test_address_without_a_whole_signature_has_no_end(place: Place, url: str) -> None:
    assert place.store.url_expires_at(url) is None


def test_presigned_address_replaces_headers(place: Place) -> None:
    place.put("k", b"12345")
    response = ResponseHeaders(
        content_type="text/plain; charset=utf-8",
        cache_control="no-store",
        content_encoding="identity",
        content_language="de, en",
        expires="Wed, 21 Oct 2026 07:28:00 GMT",
    )

    url = place.store.presign_get(
        **place.key("k"), expires_s=HOUR_S, filename='Übersicht "neu".txt', response=response
    )
    headers = _fetch(place, "GET", url)[1]

    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert (headers["cache-control"], headers["content-language"]) == ("no-store", "de, en")
    assert headers["expires"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert unquote(headers["content-disposition"]).endswith('Übersicht "neu".txt')


def test_presigned_address_shows_instead_of_saving(place: Place) -> None:
    place.put("k", b"12345")

    bare = place.store.presign_get(**place.key("k"), expires_s=HOUR_S, is_inline=True)
    named = place.store.presign_get(**place.key("k"), expires_s=HOUR_S, is_inline=True, filename="a.txt")

    found = [_fetch(place, "GET", url)[1]["content-disposition"] for url in (bare, named)]

    assert "response-content-disposition=inline&" in f"{bare}&"
    if place.store.features.may_force_download and found[0].startswith("attachment"):
        return
    assert found[0] == "inline"
    assert found[1].startswith('inline; filename="a.txt"')


def test_presigned_address_is_for_one_method_and_object(place: Place) -> None:
    place.put("k", b"12345")
    place.put("other", b"secret")
    url = place.store.presign_get(**place.key("k"), expires_s=HOUR_S)

    assert _fetch(place, "PUT", url, b"changed")[0] == 403
    assert _fetch(place, "GET", url.replace("/k?", "/other?").replace("%2Fk?", "%2Fother?"))[0] == 403
    assert place.read("k") == b"12345"


def test_presigned_address_ends(place: Place) -> None:
    place.put("k", b"12345")

    url = place.store.presign_get(**place.key("k"), expires_s=1)
    status = settled(lambda: _fetch(place, "GET", url)[0], lambda status: status == 403)

    assert status == 403


def test_presigned_address_stores_an_object(place: Place) -> None:
    url = place.store.presign_put(**place.key("k"), expires_s=HOUR_S)

    status = _fetch(place, "PUT", url, b"from a browser")[0]

    assert status == 200
    assert place.read("k") == b"from a browser"


def test_presigned_address_stores_a_part(place: Place) -> None:
    upload_id = place.begin("k")
    url = place.store.presign_part(**place.key("k"), upload_id=upload_id, number=2, expires_s=HOUR_S)

    status = _fetch(place, "PUT", url, b"p" * MIB)[0]
    parts = list(place.store.list_parts(**place.key("k"), upload_id=upload_id))

    assert status == 200
    assert [(part.number, part.size) for part in parts] == [(2, MIB)]
    assert parts[0].modified_at is not None


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_address_of_a_hostile_key_leads_back_to_it(place: Place, key: str) -> None:
    ref = ObjectRef(place.bucket, place.region, key)
    at = {**place.at, "key": key}

    assert place.store.object_of_url(place.store.object_url(**at)) == ref
    assert place.store.object_of_url(place.store.presign_get(**at, expires_s=HOUR_S)) == ref


@pytest.mark.parametrize(
    "url",
    [
        "",
        "photos/2026",
        "https://example.com/k",
        "https://b-1250000000.cos.ap-guangzhou.example.com/k",
        "https://b-1250000000.cos.ap-guangzhou.myqcloud.com",
        "https://b-1250000000.cos.ap-guangzhou.myqcloud.com/",
        "https://b-1250000000.cos.ap-guangzhou.myqcloud.com//k",
        "https://b-1250000000.cos.ap-guangzhou.myqcloud.com/%ff",
        "https://[b-1250000000.cos.ap-guangzhou.myqcloud.com/k",
    ],
)
def test_other_address_leads_nowhere(place: Place, url: str) -> None:
    assert place.store.object_of_url(url) is None


def test_stranger_sees_what_is_public_only(own: Place) -> None:
    nobody = own.store.anonymous()
    own.store.put_bucket_acl(**own.at, acl="private")
    settled(lambda: own.store.get_bucket_acl(**own.at), lambda acl: not acl.explicit)
    own.put("private", b"1", acl="private")
    try:
        own.put("public", b"12", acl="public-read")
    except (errors.Denied, errors.Refused):
        pytest.skip("This account allows nothing public.")

    assert nobody.head_object(**own.key("public")).size == 2
    assert _fetch(own, "GET", own.store.object_url(**own.key("public")))[2] == b"12"
    with pytest.raises(errors.Denied):
        nobody.head_object(**own.key("private"))
    with pytest.raises(errors.Denied):
        nobody.list_objects(**own.at)
    with pytest.raises(errors.Denied):
        nobody.list_buckets()
    with pytest.raises(errors.StorageError):
        nobody.get_object(**own.key("public"), response=ResponseHeaders(content_type="a/b"))


def test_stranger_has_nothing_to_sign_with(own: Place) -> None:
    nobody = own.store.anonymous()

    with pytest.raises(errors.Refused):
        nobody.presign_get(**own.key("k"), expires_s=60)
    with pytest.raises(errors.Refused):
        nobody.presign_put(**own.key("k"), expires_s=60)
    with pytest.raises(errors.Refused):
        nobody.presign_part(**own.key("k"), upload_id="1", number=1, expires_s=60)


def _fetch(place: Place, method: str, url: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Send a request as it stands, to the host that the address means or the gateway in front of it."""
    parts = urlsplit(url)
    opened = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = opened(place.endpoint.connect_to or parts.netloc, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body or None, {"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
