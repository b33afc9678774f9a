from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection, KnownBucket
from apps.connections.services import connection_create
from apps.objects.content import WholeBody
from apps.objects.services import download_open
from apps.storage.errors import Interrupted
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

BODY = bytes(range(256)) * 4096


@pytest.fixture
def cut_store() -> Iterator[int]:
    """A store on this port promises 1000 bytes to whoever comes, sends 10 and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_promise_and_hang_up, args=[server])
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _promise_and_hang_up(server: socket.socket) -> None:
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with line:
            line.recv(65536)
            line.sendall(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 1000\r\n\r\n0123456789')


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/download?key={quote(key, safe='')}"


def test_reader_gets_every_byte(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put("report.bin", BODY)

    response = member_client.get(url_of(connection, bucket, "report.bin"))

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == BODY
    assert response["Content-Length"] == str(len(BODY))
    assert response["ETag"] == f'"{etag}"'
    assert response["Accept-Ranges"] == "bytes"
    response.close()


def test_content_can_never_be_active(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("page.html", b"<script>alert(1)</script>", content_type="text/html")

    response = owner_client.get(url_of(connection, bucket, "page.html"))
    response.close()

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_key_is_downloaded_under_a_harmless_name(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str], key: str
) -> None:
    put(key, key.encode())

    response = owner_client.get(url_of(connection, bucket, key))

    assert b"".join(response.streaming_content) == key.encode()
    assert not set(response["Content-Disposition"]) & set("\r\n\t\x07\u202e")
    response.close()


@pytest.mark.parametrize(
    ("key", "disposition"),
    [
        ("a/b/report.pdf", 'attachment; filename="report.pdf"'),
        ("中文.txt", "attachment; filename*=utf-8''%E4%B8%AD%E6%96%87.txt"),
        ("bidi\u202efdp.exe", 'attachment; filename="bidi_fdp.exe"'),
        ("folder/", 'attachment; filename="folder"'),
        ("..", 'attachment; filename="download"'),
        ('say "hi"', 'attachment; filename="say _hi_"'),
        ("x" * 300 + ".tar", 'attachment; filename="' + "x" * 176 + '.tar"'),
    ],
    ids=ascii,
)
def test_file_name_comes_from_the_key(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    key: str,
    disposition: str,
) -> None:
    put(key)

    response = owner_client.get(url_of(connection, bucket, key))
    response.close()

    assert response["Content-Disposition"] == disposition


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=1048575-", 1048575, 1048575),
        ("bytes=-1", 1048575, 1048575),
    ],
)
def test_range_is_served(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    wanted: str,
    first: int,
    last: int,
) -> None:
    put("big", BODY)

    response = owner_client.get(url_of(connection, bucket, "big"), headers={"Range": wanted})

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(BODY)}"
    assert response["Content-Length"] == str(last - first + 1)
    assert b"".join(response.streaming_content) == BODY[first : last + 1]
    response.close()


def test_range_behind_the_end_is_416(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("small", b"1234")

    response = owner_client.get(url_of(connection, bucket, "small"), headers={"Range": "bytes=4-"})

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */4"


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "bytes=a-b", "lines=1-2", "bytes=-"])
def test_other_ranges_are_ignored(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str], wanted: str
) -> None:
    put("small", b"12345")

    response = owner_client.get(url_of(connection, bucket, "small"), headers={"Range": wanted})

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == b"12345"
    response.close()


def test_if_range_of_another_version_sends_the_whole(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put("file", b"12345")
    url = url_of(connection, bucket, "file")

    same = owner_client.get(url, headers={"Range": "bytes=1-2", "If-Range": f'"{etag}"'})
    other = owner_client.get(url, headers={"Range": "bytes=1-2", "If-Range": '"older"'})

    assert (same.status_code, b"".join(same.streaming_content)) == (206, b"23")
    assert (other.status_code, b"".join(other.streaming_content)) == (200, b"12345")
    same.close()
    other.close()


def test_known_etag_is_304_without_a_body(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put("file", b"12345")

    response = owner_client.get(
        url_of(connection, bucket, "file"), headers={"If-None-Match": f'"x", W/"{etag}"'}
    )

    assert response.status_code == 304
    assert not response.streaming


def test_head_tells_the_size(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("file", b"12345")

    response = owner_client.head(url_of(connection, bucket, "file"))

    assert response.status_code == 200
    assert response["Content-Length"] == "5"
    assert response.content == b""


def test_empty_object_is_an_empty_file(
    owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("empty", b"")

    response = owner_client.get(url_of(connection, bucket, "empty"))

    assert response["Content-Length"] == "0"
    assert b"".join(response.streaming_content) == b""
    response.close()


def test_cut_body_cuts_the_answer(owner_client: Client, owner: Person, cut_store: int) -> None:
    connection = connection_create(
        owner=owner,
        name="Cut",
        scheme="http",
        connect_to=f"127.0.0.1:{cut_store}",
        default_region=REGION,
        secret_id="AKID",
        secret_key="secret",
    )
    bucket = "cut-1250000000"
    KnownBucket.objects.create(connection=connection, name=bucket, region=REGION, seen_at=timezone.now())

    response = owner_client.get(url_of(connection, bucket, "big"))

    assert response["Content-Length"] == "1000"
    with pytest.raises(Interrupted):
        b"".join(response.streaming_content)
    response.close()


def test_leaving_early_closes_the_store_body(
    store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("big", BODY * 16)
    ref = ObjectRef(bucket=bucket, region=REGION, key="big")
    found = download_open(store, ref=ref, headers={})
    assert found.body is not None
    response = StreamingHttpResponse(WholeBody(found.body))
    next(iter(response))

    response.close()

    assert b"".join(found.body) == b""


def test_missing_object_is_404_with_request_id(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    response = owner_client.get(url_of(connection, bucket, "nothing"))

    assert response.status_code == 404
    assert "NoSuchKey" in response.content.decode()


@pytest.mark.parametrize("key", ["", "k" * 851])
def test_impossible_key_is_404(owner_client: Client, connection: Connection, bucket: str, key: str) -> None:
    assert owner_client.get(url_of(connection, bucket, key)).status_code == 404


def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("file")

    assert stranger_client.get(url_of(connection, bucket, "file")).status_code == 404
