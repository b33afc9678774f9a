"""Two hundred keys that somebody meant no good with, through every page, and nothing runs or is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote

import pytest
from playwright.sync_api import Page, expect

from apps.storage.cos.client import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.hostile import hostile_keys
from tests.journeys.running import RunningConsole, shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(240)]

REGION = "ap-guangzhou"
SOURCE, TARGET = "hostile-1250000000", "hostile-copy-1250000000"
PREFIX = "h/"
BODIES = {
    ".svg": (
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>",
        "image/svg+xml",
    ),
    ".json": (b'{"a": "<script>alert(1)</script>"}', "application/json"),
    ".csv": (b"=1+1,<script>alert(1)</script>\n2,3\n", "text/csv"),
    ".md": (b"# [x](javascript:alert(1)) <script>alert(1)</script>", "text/markdown"),
}
HTML = (b"<!doctype html><script>alert(1)</script><img src=x onerror=alert(1)>", "text/html")


def shortened(key: str) -> str:
    """Return a key that has room for the prefix: the longest ones then have exactly the allowed length."""
    while len((PREFIX + key).encode()) > 850:
        key = key[:-1]
    return PREFIX + key


KEYS = [shortened(key) for key in hostile_keys(200)]


@pytest.fixture
def client(console: RunningConsole) -> CosClient:
    account = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    return CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{console.store_port}"),
    )


@pytest.fixture
def buckets(client: CosClient) -> Iterator[None]:
    """Two buckets: one holds the keys, each with content that would like to run, the other is empty."""
    for bucket in (SOURCE, TARGET):
        client.put_bucket(Bucket=bucket, Region=REGION)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store(client, key), KEYS))
    yield
    for bucket in (SOURCE, TARGET):
        for key in keys_of(client, bucket):
            client.delete_object(Bucket=bucket, Region=REGION, Key=key)
        client.delete_bucket(Bucket=bucket, Region=REGION)


def store(client: CosClient, key: str) -> None:
    ending = next((ending for ending in BODIES if key.endswith(ending)), "")
    body, kind = BODIES.get(ending, HTML)
    client.put_object(Bucket=SOURCE, Region=REGION, Key=key, Body=body, ContentType=kind)


def keys_of(client: CosClient, bucket: str) -> list[str]:
    pages = client.get_bucket_pages(Bucket=bucket, Region=REGION)
    return [item["Key"] for page in pages for item in page["Contents"]]


def path(bucket: str, page: str, **query: str) -> str:
    given = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"/b/demo-store/{bucket}/{page}/?{given}"


@pytest.fixture
def dialogs(page: Page) -> Iterator[list[str]]:
    """What opened itself in front of the person; nothing may."""
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: opened.append(popup.url))
    yield opened
    assert opened == []


def parents() -> list[str]:
    return sorted({key[: key.rfind("/", 0, len(key)) + 1] if not key.endswith("/") else key for key in KEYS})


def listed(page: Page) -> set[str]:
    return {
        unquote(value)
        for value in page.locator("input[name=key]").evaluate_all("all => all.map(one => one.value)")
    }


def run_plan(page: Page, action: str) -> None:
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=20_000)
    page.locator("input[name=typed]").fill(str(len(KEYS)))
    page.locator("form.confirm .card-footer button:not([form])").click()
    expect(page.locator(".state-done").first).to_be_visible(timeout=40_000)
    shot(page, f"hostile-{action}")


def choose_folder(page: Page, bucket: str, action: str) -> None:
    page.goto(path(bucket, "objects"))
    page.locator("input[name=folder]").first.check()
    page.locator(f"[data-bulk] button[name=action][value={action}]").click()


@pytest.mark.usefixtures("buckets", "dialogs")
def test_hostile_keys_are_listed_opened_and_previewed(page: Page) -> None:
    seen: set[str] = set()
    for parent in parents():
        page.goto(path(SOURCE, "objects", prefix=parent, limit="1000"))
        seen |= listed(page)
    markers = {key for key in KEYS if key.endswith("/")}

    assert seen >= set(KEYS) - markers
    page.goto(path(SOURCE, "objects", prefix=PREFIX, limit="1000"))
    shot(page, "hostile-list")
    for key in KEYS:
        page.goto(path(SOURCE, "object", key=key, tab="preview"), wait_until="load")
        expect(page.locator("h1")).to_be_visible()
    shot(page, "hostile-preview")


@pytest.mark.usefixtures("buckets", "dialogs")
def test_hostile_keys_have_their_access_shown(page: Page) -> None:
    # All of them are asked for; drawing each would take a minute, so every fifth one is looked at.
    for key in KEYS:
        answer = page.request.get(path(SOURCE, "object/access", key=key))
        assert answer.ok, key
        assert "<script>alert" not in answer.text()
    for key in KEYS[::5]:
        page.goto(path(SOURCE, "object/access", key=key), wait_until="domcontentloaded")
        expect(page.get_by_role("heading", name="Who has access now")).to_be_visible()
    shot(page, "hostile-access")


@pytest.mark.usefixtures("buckets", "dialogs")
def test_hostile_keys_are_copied_opened_up_and_deleted(page: Page, client: CosClient) -> None:
    choose_folder(page, SOURCE, "copy")
    page.get_by_label("To bucket").select_option(TARGET)
    page.get_by_role("button", name="Make the plan").click()
    run_plan(page, "copy")
    assert sorted(keys_of(client, TARGET)) == sorted(KEYS)

    choose_folder(page, TARGET, "access")
    page.get_by_label("Private: only this account").check()
    page.get_by_role("button", name="Make the plan").click()
    run_plan(page, "access")

    choose_folder(page, TARGET, "delete")
    run_plan(page, "delete")
    assert keys_of(client, TARGET) == []
    assert sorted(keys_of(client, SOURCE)) == sorted(KEYS)
