"""One object: looked into whatever it is, its headers edited, and many of them as one zip."""

from __future__ import annotations

import csv
import json
import secrets
import zipfile
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, Page, expect

from apps.storage.grants import EVERYONE, Grant
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint, FileSlice, ObjectHeaders
from tests.hostile import HOSTILE_KEYS
from tests.journeys.running import RunningConsole, shot
from tests.objects.specimens import GIF_SCRIPT, HTML, POLYGLOT, SVG, pdf, pdf_with_script, png, wav

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

BUCKET, REGION = "team-files-1250000000", "ap-guangzhou"
OBJECT = f"/b/demo-store/{BUCKET}/object/"
SPECIMENS = {
    "picture.png": png(120, 80),
    "drawing.svg": SVG,
    "polyglot.png": POLYGLOT,
    "script.gif": GIF_SCRIPT,
    "page.html": HTML,
    "script.js": b"alert(1)",
    "letter.md": b"# Title\n<img src=x onerror=alert(1)>\n[x](javascript:alert(1))",
    "data.json": b'{"a": [1, 2, "</pre><script>alert(1)</script>"]}',
    "table.csv": "名称,数量\n苹果,<script>alert(1)</script>\n".encode("gb18030"),
    "letter.pdf": pdf(),
    "script.pdf": pdf_with_script(),
    "sound.wav": wav(),
    "bytes.bin": bytes(range(256)),
    "empty": b"",
}


@pytest.fixture(scope="module")
def folder() -> str:
    return f"look-{secrets.token_hex(3)}/"


@pytest.fixture
def store(console: RunningConsole) -> ObjectStore:
    """The embedded store as its owner reaches it from elsewhere."""
    account = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    return store_open(
        "cos",
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{console.store_port}"),
        credentials=Credentials(account["secret_id"], account["secret_key"]),
    )


@pytest.fixture
def no_dialogs(page: Page) -> Iterator[None]:
    seen: list[str] = []

    def note(dialog: Dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    yield
    assert seen == []


def put(store: ObjectStore, key: str, body: bytes, **headers: Any) -> None:
    store.put_object(
        bucket=BUCKET,
        region=REGION,
        key=key,
        body=FileSlice(BytesIO(body), 0, len(body)),
        headers=ObjectHeaders(**headers),
    )


@pytest.mark.usefixtures("no_dialogs")
def test_every_kind_is_shown_and_none_runs(page: Page, store: ObjectStore, folder: str) -> None:
    for name, body in SPECIMENS.items():
        # The stored type says the worst there is.
        put(store, folder + name, body, content_type="text/html")
    shown = {
        "picture.png": "img",
        "drawing.svg": "img",
        "polyglot.png": "img",
        "letter.pdf": "iframe",
        "sound.wav": "audio",
        "table.csv": ".preview-table td >> text=苹果",
        "data.json": "pre",
        "bytes.bin": "pre",
        "empty": "text=This object is empty.",
        "script.pdf": "text=This PDF is not shown here.",
    }
    for name in SPECIMENS:
        page.goto(f"{OBJECT}?key={folder}{name}&tab=preview")
        expect(page.locator(".card").locator(shown.get(name, "pre, img")).first).to_be_visible()
        if name in ("picture.png", "drawing.svg", "polyglot.png"):
            image = page.locator("figure img")
            image.evaluate("image => image.decode()")
            assert image.evaluate("image => image.naturalWidth") > 0
        if name in ("drawing.svg", "letter.pdf", "table.csv", "data.json"):
            shot(page, f"preview-{name}")
    for name in ("drawing.svg", "polyglot.png"):
        # Looked at by itself it is a file or a picture, and still no page.
        response = page.request.get(f"{OBJECT}content?key={folder}{name}")
        assert response.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.usefixtures("no_dialogs")
def test_hostile_keys_are_opened_and_looked_into(page: Page, store: ObjectStore, folder: str) -> None:
    for key in HOSTILE_KEYS:
        put(store, key, HTML)
        page.goto(f"{OBJECT}?key={quote(key, safe='')}&tab=preview")
        expect(page.locator("pre")).to_contain_text("<script>alert(1)</script>")
        store.delete_object(bucket=BUCKET, region=REGION, key=key)


def test_headers_are_edited_and_access_stays(page: Page, store: ObjectStore, folder: str) -> None:
    key = f"{folder}style.css"
    place = {"bucket": BUCKET, "region": REGION, "key": key}
    put(store, key, b"body{}", content_type="text/css", metadata={"team": "blue"})
    store.put_object_acl(**place, acl="public-read")

    page.goto(f"{OBJECT}?key={key}&tab=headers")
    page.get_by_role("link", name="Edit headers").first.click()
    page.get_by_role("button", name="Web file that never changes").click()
    expect(page.get_by_label("Cache-Control")).to_have_value("public, max-age=31536000, immutable")
    page.get_by_role("button", name="Add a line").click()
    expect(page.get_by_label("Name", exact=True)).to_have_count(3)
    expect(page.get_by_label("Name", exact=True).last).to_be_focused()
    page.get_by_label("Name", exact=True).last.fill("owner")
    page.get_by_label("Value", exact=True).last.fill("ana")
    page.get_by_role("button", name="Review the changes").last.click()
    expect(page.locator(".changes")).to_contain_text("x-cos-meta-owner")
    shot(page, "headers-review")
    page.get_by_role("button", name="Save").click()

    expect(page.locator("#toasts")).to_contain_text("Changed the headers of style.css.")
    info = store.head_object(**place)
    assert info.metadata == {"team": "blue", "owner": "ana"}
    assert info.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert store.get_object_acl(**place).explicit == (Grant(EVERYONE, "READ"),)
    page.goto(f"{OBJECT}?key={key}&tab=access")
    expect(page.locator(".card").first).to_contain_text("Everyone on the internet")
    shot(page, "object-access")


def test_read_is_tried_on_conditions(page: Page, store: ObjectStore, folder: str) -> None:
    key = f"{folder}read.txt"
    put(store, key, b"0123456789")
    etag = store.head_object(bucket=BUCKET, region=REGION, key=key).etag

    page.goto(f"{OBJECT}?key={key}")
    page.get_by_role("link", name="Read with options").click()
    page.get_by_label("If-None-Match").fill(etag)
    page.get_by_role("button", name="Ask for the head").click()
    expect(page.get_by_role("heading", name="Not modified")).to_be_visible()
    shot(page, "read-not-modified")
    page.get_by_label("If-None-Match").fill("")
    page.get_by_label("Bytes", exact=True).select_option("last")
    page.get_by_label("How many bytes").fill("3")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download through the console").click()
    assert Path(download.value.path()).read_bytes() == b"789"


def test_folder_is_saved_as_a_zip(page: Page, store: ObjectStore, folder: str) -> None:
    put(store, f"{folder}zip/a:b.txt", b"one")
    put(store, f"{folder}zip/中文/c.bin", b"two")
    put(store, f"{folder}zip/archived", b"three", storage_class="ARCHIVE")

    page.goto(f"/b/demo-store/{BUCKET}/objects/zip/?prefix={folder}zip/")
    expect(page.locator("main")).to_contain_text("3 objects")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == "zip.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        text = archive.read("_manifest.csv").decode("utf-8-sig")
        rows = {row["key"]: row for row in csv.DictReader(StringIO(text, newline=""))}
        assert archive.read(rows[f"{folder}zip/a:b.txt"]["name"]) == b"one"
        assert archive.read("zip/中文/c.bin") == b"two"
    assert rows[f"{folder}zip/archived"]["result"] == "failed"


def test_key_is_copied_as_it_is(page: Page, store: ObjectStore, folder: str) -> None:
    key = f"{folder}line\nbreak"
    put(store, key, b"x")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.goto(f"{OBJECT}?key={folder}line%0Abreak")
    page.get_by_role("button", name="Copy the key to the clipboard").click()

    expect(page.locator("#toasts")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == key
