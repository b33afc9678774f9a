from __future__ import annotations

import csv
import os
import re
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.batches.selection import Selection
from apps.connections.models import Connection, KnownBucket
from apps.connections.services import connection_create
from apps.localstore.server import LocalStore
from apps.objects.packing import Place, Zip
from apps.storage.keys import key_query
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

Put = Callable[..., str]


def url_of(connection: Connection, bucket: str, prefix: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/objects/zip/" + (f"?prefix={key_query(prefix)}" if prefix else "")


@contextmanager
def packed(client: Client, url: str, data: dict[str, Any]) -> Iterator[zipfile.ZipFile]:
    response = client.post(url, data)
    assert response.status_code == 200, response.content.decode()
    body = b"".join(response.streaming_content)
    response.close()
    with zipfile.ZipFile(BytesIO(body)) as archive:
        assert archive.testzip() is None
        yield archive


def manifest(archive: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    text = archive.read("_manifest.csv").decode("utf-8-sig")
    return {row["key"]: row for row in csv.DictReader(StringIO(text, newline=""))}


def keys_of(*keys: str, folders: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "scope": "keys",
        "action": "zip",
        "key": [key_query(key) for key in keys],
        "folder": [key_query(folder) for folder in folders],
    }


def test_reader_gets_keys_and_folders_once_each(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    film = os.urandom(700_000)
    etag = put("a/film.mp4", film)
    put("a/b/中文.txt", b"text " * 1000)
    put("a/b/deep/x", b"")
    put("a/b/", b"")
    put("other", b"not wanted")

    data = keys_of("a/film.mp4", "a/b/中文.txt", folders=("a/b/",))
    with packed(member_client, url_of(connection, bucket), data) as archive:
        rows = manifest(archive)
        assert sorted(archive.namelist()) == ["_manifest.csv", "b/", "b/deep/x", "b/中文.txt", "film.mp4"]
        assert archive.read("film.mp4") == film
        assert archive.getinfo("b/中文.txt").compress_size < 1000
        assert archive.getinfo("film.mp4").compress_size >= len(film)
        assert archive.getinfo("film.mp4").date_time[0] > 2000
    assert {row["result"] for row in rows.values()} == {"ok"}
    assert (rows["a/film.mp4"]["etag"], rows["a/film.mp4"]["size"]) == (etag, "700000")
    assert rows["a/film.mp4"]["crc64"]


def test_all_that_match_is_packed_with_the_filters_of_the_page(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    for key in ("p/a1.txt", "p/a2.txt", "p/b1.txt", "p/sub/a3.txt", "q/a4.txt"):
        put(key, key.encode())
    data = {"scope": "match", "prefix": key_query("p/"), "find": "a"}

    with packed(member_client, url_of(connection, bucket), data) as archive:
        assert sorted(archive.namelist()) == ["_manifest.csv", "a1.txt", "a2.txt"]
    with packed(member_client, url_of(connection, bucket), {"scope": "match", "contains": "3"}) as archive:
        assert archive.namelist() == ["p/sub/a3.txt", "_manifest.csv"]


def test_name_is_the_folders(member_client: Client, connection: Connection, bucket: str, put: Put) -> None:
    put("photos/2026/a")

    one = member_client.post(url_of(connection, bucket), keys_of(folders=("photos/2026/",)))
    whole = member_client.post(url_of(connection, bucket), {"scope": "match"})

    assert one["Content-Disposition"] == 'attachment; filename="2026.zip"'
    assert whole["Content-Disposition"] == f'attachment; filename="{bucket}.zip"'
    assert one["Content-Type"] == "application/zip"
    assert one["Content-Security-Policy"] == "sandbox; default-src 'none'"
    for response in (one, whole):
        b"".join(response.streaming_content)
        response.close()


def test_hostile_keys_are_packed_under_harmless_names(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    for key in HOSTILE_KEYS:
        put(key, key.encode())

    with packed(member_client, url_of(connection, bucket), {"scope": "match"}) as archive:
        contents = {archive.read(name).decode() for name in archive.namelist() if name != "_manifest.csv"}
        for name in archive.namelist():
            assert not name.startswith("/")
            assert ".." not in name.split("/")
    assert contents == set(HOSTILE_KEYS)


def test_what_cannot_be_read_is_a_line_and_the_zip_goes_on(
    member_client: Client, connection: Connection, bucket: str, put: Put, local_store: LocalStore
) -> None:
    put("a.txt", b"1")
    put("denied.txt", b"2")
    put("z.txt", b"3")
    put("archived.txt", b"4", storage_class="ARCHIVE")
    local_store.faults.add(
        "error", operation="GetObject", key="denied.txt", status=403, code="AccessDenied", count=None
    )
    data = keys_of("a.txt", "gone.txt", "denied.txt", "archived.txt", "z.txt")

    with packed(member_client, url_of(connection, bucket), data) as archive:
        rows = manifest(archive)
        assert archive.namelist() == ["a.txt", "z.txt", "_manifest.csv"]
    assert rows["gone.txt"]["result"] == "missing"
    assert rows["denied.txt"]["result"] == "failed"
    assert "AccessDenied" in rows["denied.txt"]["detail"]
    assert rows["denied.txt"]["request_id"]
    assert "InvalidObjectState" in rows["archived.txt"]["detail"]
    assert rows["z.txt"]["result"] == "ok"


class CuttingStore:
    """A store with one object of 1000 bytes, which it cuts after 400 as often as it is told."""

    BODY = bytes(range(250)) * 4

    def __init__(self, server: socket.socket, cuts: int) -> None:
        self.server, self.cuts, self.ranges = server, cuts, list[str]()

    def run(self) -> None:
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            with line:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        asked = line.recv(65536).decode()
        found = re.search(r"range: bytes=([0-9]+)-", asked, re.IGNORECASE)
        first = int(found[1]) if found else 0
        self.ranges.append(found[0].lower() if found else "")
        status = f"206 Partial Content\r\nContent-Range: bytes {first}-999/1000" if found else "200 OK"
        line.sendall(f'HTTP/1.1 {status}\r\nETag: "e"\r\nContent-Length: {1000 - first}\r\n\r\n'.encode())
        self.cuts -= 1
        line.sendall(self.BODY[first : first + 400 if self.cuts >= 0 else None])


@contextmanager
def cutting_store(owner: Person, cuts: int) -> Iterator[tuple[CuttingStore, Connection]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        store = CuttingStore(server, cuts)
        thread = threading.Thread(target=store.run)
        thread.start()
        connection = connection_create(
            owner=owner,
            name="Cut",
            scheme="http",
            connect_to=f"127.0.0.1:{server.getsockname()[1]}",
            default_region=REGION,
            secret_id="AKID",
            secret_key="secret",
        )
        KnownBucket.objects.create(
            connection=connection, name="cut-1250000000", region=REGION, seen_at=timezone.now()
        )
        yield store, connection
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_cut_object_is_asked_for_again_from_there(owner_client: Client, owner: Person) -> None:
    with (
        cutting_store(owner, cuts=2) as (store, connection),
        packed(owner_client, url_of(connection, "cut-1250000000"), keys_of("a.bin")) as archive,
    ):
        assert archive.read("a.bin") == CuttingStore.BODY
        assert manifest(archive)["a.bin"]["result"] == "ok"

    assert store.ranges == ["", "range: bytes=400-", "range: bytes=800-"]


def test_object_that_stays_cut_is_short_and_says_so(owner_client: Client, owner: Person) -> None:
    with cutting_store(owner, cuts=2) as (store, connection):
        store.BODY = b"x" * 300
        with packed(owner_client, url_of(connection, "cut-1250000000"), keys_of("a.bin")) as archive:
            row = manifest(archive)["a.bin"]
            assert len(archive.read("a.bin")) == 300

    assert row["result"] == "incomplete"
    assert "300 of 1000 bytes." in row["detail"]


def test_formula_in_a_key_is_only_text(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("=1+1.txt", b"x")

    with packed(member_client, url_of(connection, bucket), keys_of("=1+1.txt")) as archive:
        assert "'=1+1.txt" in manifest(archive)


def test_folder_that_cannot_be_listed_is_an_error_page(
    member_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="ListObjects", status=403, code="AccessDenied", count=None)

    response = member_client.post(url_of(connection, bucket), keys_of(folders=("a/",)))

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()


def test_leaving_early_closes_the_store_body(store: ObjectStore, bucket: str, put: Put) -> None:
    put("a.bin", os.urandom(3_000_000))
    archive = Zip(place=Place(store, bucket, REGION), selection=Selection(keys=("a.bin",)))
    pieces = iter(archive)
    next(pieces)
    body = archive._body
    assert body is not None

    pieces.close()  # type: ignore[attr-defined]

    assert b"".join(body) == b""


def test_page_says_what_would_be_in_it(
    member_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("p/a", b"123")
    put("p/b", b"4567")

    folder = member_client.get(url_of(connection, bucket, "p/")).content.decode()
    whole = member_client.get(url_of(connection, bucket)).content.decode()

    assert "2 objects, 7 B" in folder
    assert 'name="folder" value="p/"' in folder
    assert "The whole bucket" in whole


@pytest.mark.parametrize("data", [{}, {"scope": "keys"}, {"scope": "match", "min_size": "many"}])
def test_bad_selection_gets_a_sentence(
    member_client: Client, connection: Connection, bucket: str, data: dict[str, str]
) -> None:
    response = member_client.post(url_of(connection, bucket), data)

    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


def test_file_and_folder_of_one_name_can_both_be_unpacked(
    member_client: Client, connection: Connection, bucket: str, put: Put, tmp_path: Path
) -> None:
    for key in ("a", "a!", "a/b", "a/b/c", "a/d/"):
        put(key, b"" if key.endswith("/") else key.encode())

    with packed(member_client, url_of(connection, bucket), {"scope": "match"}) as archive:
        archive.extractall(tmp_path)
        names = {key: row["name"] for key, row in manifest(archive).items()}

    assert {key: (tmp_path / name).read_bytes() for key, name in names.items() if key[-1] != "/"} == {
        key: key.encode() for key in ("a", "a!", "a/b", "a/b/c")
    }
    assert names["a"] == "a"
    assert names["a/b"].startswith("a~")


def test_one_zip_too_many_is_told_so_until_another_has_ended(
    member_client: Client, connection: Connection, bucket: str, put: Put, settings: Any
) -> None:
    put("a")
    settings.ZIP_STREAMS = 1
    first = member_client.post(url_of(connection, bucket), {"scope": "match"})

    second = member_client.post(url_of(connection, bucket), {"scope": "match"})
    first.close()
    third = member_client.post(url_of(connection, bucket), {"scope": "match"})

    assert (first.status_code, second.status_code, third.status_code) == (200, 503, 200)
    assert "Try again in a while" in second.content.decode()
    third.close()


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.get(url_of(connection, bucket)).status_code == 404
    assert stranger_client.post(url_of(connection, bucket), {"scope": "match"}).status_code == 404
