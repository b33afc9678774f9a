from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.objects.texts import TEXT_MAX
from tests.hostile import HOSTILE_KEYS
from tests.objects.specimens import GIF_SCRIPT, HTML, POLYGLOT, SVG, pdf, pdf_with_script, png, wav

Put = Callable[..., str]


def url_of(connection: Connection, bucket: str, key: str, page: str = "preview/") -> str:
    return f"/b/{connection.slug}/{bucket}/object/{page}?key={quote(key, safe='')}"


def shown(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("body", "element"),
    [(png(), "<img"), (wav(), "<audio"), (pdf(), "<iframe"), (b"\x1a\x45\xdf\xa3webm", "<video")],
    ids=["image", "sound", "pdf", "film"],
)
def test_media_are_embedded_whatever_they_are_called(
    member_client: Client, connection: Connection, bucket: str, put: Put, body: bytes, element: str
) -> None:
    put("a.txt", body, content_type="text/html")

    page = shown(member_client, url_of(connection, bucket, "a.txt"))

    assert element in page
    assert "/object/content?key=a.txt" in page


@pytest.mark.parametrize("key", ["a.html", "a.js", "a.xml", "a.md", "a.svg", "a.png"])
def test_markup_is_text(
    owner_client: Client, connection: Connection, bucket: str, put: Put, key: str
) -> None:
    put(key, HTML, content_type="image/png")

    page = shown(owner_client, url_of(connection, bucket, key))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img" not in page


def test_drawing_is_a_picture_and_its_source(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a", SVG)

    page = shown(owner_client, url_of(connection, bucket, "a"))

    assert "<img" in page
    assert "&lt;script&gt;alert(document.domain)" in page


def test_pdf_with_a_script_is_not_embedded(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a.pdf", pdf_with_script())

    page = shown(owner_client, url_of(connection, bucket, "a.pdf"))

    assert "<iframe" not in page
    assert "This PDF is not shown here." in page
    assert owner_client.get(url_of(connection, bucket, "a.pdf", "content")).status_code == 415


def test_only_the_first_mebibyte_of_a_text_is_read(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("long.txt", b"x" * TEXT_MAX * 2 + b"THE END")

    page = shown(owner_client, url_of(connection, bucket, "long.txt"))

    assert "The first 1.00 MiB of 2.00 MiB shown." in page
    assert "THE END" not in page


def test_json_and_tables_are_laid_out(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a.json", b'{"a":[1,2]}')
    put("t.csv", b"name,count\n</td><script>alert(1)</script>,2\n")

    laid_out = shown(owner_client, url_of(connection, bucket, "a.json"))
    table = shown(owner_client, url_of(connection, bucket, "t.csv"))

    assert "&quot;a&quot;: [\n    1,\n    2" in laid_out
    assert '<td dir="auto">name</td>' in table
    assert "<script>alert" not in table


@pytest.mark.parametrize(
    ("body", "storage_class", "words"),
    [(b"", "STANDARD", "This object is empty."), (b"123", "ARCHIVE", "This object is archived.")],
)
def test_nothing_to_show_says_why(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    body: bytes,
    storage_class: str,
    words: str,
) -> None:
    put("a", body, storage_class=storage_class)

    assert words in shown(owner_client, url_of(connection, bucket, "a"))


def test_failure_of_the_store_is_told_in_the_preview(
    owner_client: Client, connection: Connection, bucket: str, put: Put, local_store: LocalStore
) -> None:
    put("a", b"text")
    local_store.faults.add(kind="error", operation="GetObject", status=403, code="AccessDenied", count=1)

    page = shown(owner_client, url_of(connection, bucket, "a"))

    assert "AccessDenied" in page


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_is_previewed(
    owner_client: Client, connection: Connection, bucket: str, put: Put, key: str
) -> None:
    put(key, key.encode())

    assert "<script>alert" not in shown(owner_client, url_of(connection, bucket, key))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (png(), "image/png"),
        (POLYGLOT, "image/png"),
        (GIF_SCRIPT, "image/gif"),
        (SVG, "image/svg+xml"),
        (wav(), "audio/wav"),
        (pdf(), "application/pdf"),
    ],
    ids=["png", "polyglot", "gif", "svg", "wav", "pdf"],
)
def test_content_is_what_its_bytes_prove_and_can_never_run(
    member_client: Client, connection: Connection, bucket: str, put: Put, body: bytes, content_type: str
) -> None:
    put("a.html", body, content_type="text/html", content_disposition="inline; filename=evil.html")

    response = member_client.get(url_of(connection, bucket, "a.html", "content"))

    assert response["Content-Type"] == content_type
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Content-Disposition"].startswith("attachment" if body == SVG else "inline")
    assert b"".join(response.streaming_content) == body
    response.close()


def test_drawing_is_inline_only_within_an_image(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a.svg", SVG)

    response = owner_client.get(
        url_of(connection, bucket, "a.svg", "content"), headers={"Sec-Fetch-Dest": "image"}
    )
    response.close()

    assert response["Content-Disposition"].startswith("inline")


def test_only_a_pdf_may_be_framed_and_only_by_the_console(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a.png", png())
    put("a.pdf", pdf())

    picture = owner_client.get(url_of(connection, bucket, "a.png", "content"))
    document = owner_client.get(url_of(connection, bucket, "a.pdf", "content"))
    picture.close()

    assert picture["X-Frame-Options"] == "DENY"
    assert document["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in document["Content-Security-Policy"]


@pytest.mark.parametrize("body", [HTML, b"", b"plain text", b'{"a":1}'])
def test_text_is_never_content(
    owner_client: Client, connection: Connection, bucket: str, put: Put, body: bytes
) -> None:
    put("a.png", body, content_type="image/png")

    response = owner_client.get(url_of(connection, bucket, "a.png", "content"))

    assert response.status_code == 415
    assert response["Content-Type"].startswith("text/plain")


def test_film_can_be_entered_in_the_middle(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    body = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40
    etag = put("a.mp4", body)
    url = url_of(connection, bucket, "a.mp4", "content")

    part = owner_client.get(url, headers={"Range": "bytes=5000-5009"})
    known = owner_client.get(url, headers={"If-None-Match": f'"{etag}"'})

    assert (part.status_code, part["Content-Type"]) == (206, "video/mp4")
    assert part["Content-Range"] == f"bytes 5000-5009/{len(body)}"
    assert b"".join(part.streaming_content) == body[5000:5010]
    assert known.status_code == 304
    part.close()


@pytest.mark.parametrize("page", ["preview/", "content"])
def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, put: Put, page: str
) -> None:
    put("a", png())

    assert stranger_client.get(url_of(connection, bucket, "a", page)).status_code == 404
