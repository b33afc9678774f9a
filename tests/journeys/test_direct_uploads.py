"""Files from the browser to the store itself: real preflights decide, and the console catches the rest."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from apps.storage.cos import CosClient
from apps.storage.digest import crc64_update
from apps.storage.errors import ObjectNotFound
from apps.storage.types import Credentials, Endpoint
from tests.journeys.running import RunningConsole, shot, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

REGION = "ap-guangzhou"
MIB = 1 << 20
PATTERN = bytes(range(256)) * 4096
# The file's bytes are made in the page; the way it was taken and how it ended come back.
SEND = """async ([url, key, mib, pauses]) => {
  const { Sender } = await import('/static/js/sender.js');
  const { ask } = await import('/static/js/answers.js');
  const piece = Uint8Array.from({ length: 1 << 20 }, (_, at) => at % 256);
  const file = new File(Array(mib).fill(piece), 'file.bin');
  const wanted = { key, size: file.size, type: 'video/mp4', last_modified: 1, replace: false };
  const start = () => ask('POST', url, wanted);
  const sender = new Sender({ file, key, start });
  if (pauses) {
    sender.addEventListener('change', async () => {
      if (pauses && sender.sent > (8 << 20)) {
        pauses = false;
        await sender.pause();
        await new Promise((resolve) => setTimeout(resolve, 300));
        await sender.resume();
      }
    });
  }
  await sender.run();
  return [sender.phase, sender.path, sender.error && sender.error.message];
}"""


# What a page does that was opened anew: it asks how the upload stands, and sends what is missing.
RESUME = """async ([key, mib, stateUrl]) => {
  const { Sender } = await import('/static/js/sender.js');
  const { ask } = await import('/static/js/answers.js');
  const state = await ask('GET', stateUrl);
  const piece = Uint8Array.from({ length: 1 << 20 }, (_, at) => at % 256);
  const sender = new Sender({ file: new File(Array(mib).fill(piece), 'file.bin'), key, state });
  await sender.run();
  return [sender.phase, sender.path, state.received.length];
}"""


@pytest.fixture(scope="module")
def client(_running_console: RunningConsole) -> CosClient:
    account = json.loads((_running_console.folder / "store" / "accounts.json").read_text())[0]
    return CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{_running_console.store_port}"),
    )


@pytest.fixture
def bucket(client: CosClient) -> str:
    """A bucket of which the console remembers no preflight yet."""
    name = f"direct-{secrets.token_hex(4)}-1250000000"
    client.put_bucket(Bucket=name, Region=REGION)
    return name


@pytest.fixture
def sent(page: Page) -> list[Request]:
    """What the page sends with PUT, to wherever."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if request.method == "PUT" else None)
    return found


def rule_put(client: CosClient, bucket: str, origin: str) -> None:
    rule = {
        "AllowedOrigins": [origin],
        "AllowedMethods": ["PUT"],
        "ExposeHeaders": ["ETag", "x-cos-hash-crc64ecma"],
        "MaxAgeSeconds": 5,
    }
    client.put_bucket_cors(Bucket=bucket, Region=REGION, CORSRules=[rule])


def host_of(bucket: str) -> str:
    return f"{bucket}.cos.{REGION}.localhost"


def hosts(sent: list[Request]) -> set[str | None]:
    return {urlsplit(request.url).hostname for request in sent}


def send(page: Page, bucket: str, key: str, mib: int, *, pauses: bool = False) -> list[Any]:
    page.goto("/jobs/")
    ended: list[Any] = page.evaluate(SEND, [f"/b/demo-store/{bucket}/uploads/", key, mib, pauses])
    return ended


def stored(client: CosClient, bucket: str, key: str, mib: int) -> dict[str, Any]:
    """Wait until the object is there, and compare it with what the page made."""

    def found() -> dict[str, Any] | None:
        try:
            return client.head_object(Bucket=bucket, Region=REGION, Key=key)
        except ObjectNotFound:
            return None

    head: dict[str, Any] = wait_for(found, seconds=60, why=f"{key} was not stored")
    crc = 0
    for _ in range(mib):
        crc = crc64_update(PATTERN, crc)
    assert head["CRC64"] == str(crc)
    assert head["content-type"] == "video/mp4"
    return head


def test_with_a_rule_no_byte_passes_the_console(
    page: Page,
    client: CosClient,
    console: RunningConsole,
    bucket: str,
    sent: list[Request],
    complaints: list[str],
) -> None:
    rule_put(client, bucket, console.address)

    assert send(page, bucket, "ruled/large", 33) == ["received", "direct", None]
    stored(client, bucket, "ruled/large", 33)
    assert send(page, bucket, "ruled/small", 1) == ["received", "direct", None]
    stored(client, bucket, "ruled/small", 1)

    assert hosts(sent) == {host_of(bucket)}
    assert len(sent) == 6
    assert all("cookie" not in request.all_headers() for request in sent)
    # The store's host is open to the worker that sends, and to no page.
    url = f"http://{host_of(bucket)}:{console.store_port}/ruled/small"
    assert page.evaluate("url => fetch(url).then(() => 'reached', () => 'shut')", url) == "shut"
    assert any("Content Security Policy" in text for text in complaints)
    complaints[:] = [text for text in complaints if "Content Security Policy" not in text and url not in text]


def test_address_that_expired_and_a_busy_store(
    page: Page, client: CosClient, console: RunningConsole, bucket: str, sent: list[Request]
) -> None:
    rule_put(client, bucket, console.address)
    console.faults(
        {"kind": "clock_skew", "operation": "UploadPart", "skip": 1, "seconds": 7200},
        {"kind": "slow_down", "operation": "UploadPart", "skip": 2},
    )

    assert send(page, bucket, "again/large", 25) == ["received", "direct", None]

    stored(client, bucket, "again/large", 25)
    assert hosts(sent) == {host_of(bucket)}
    assert len(sent) == 6


def test_paused_and_resumed(
    page: Page, client: CosClient, console: RunningConsole, bucket: str, sent: list[Request]
) -> None:
    rule_put(client, bucket, console.address)

    assert send(page, bucket, "paused/large", 57, pauses=True) == ["received", "direct", None]

    stored(client, bucket, "paused/large", 57)
    assert hosts(sent) == {host_of(bucket)}


def test_rule_that_is_gone_leads_through_the_console(
    page: Page,
    client: CosClient,
    console: RunningConsole,
    bucket: str,
    sent: list[Request],
    complaints: list[str],
) -> None:
    # The console remembers for a minute that the rule was there; the browser's own preflight knows better.
    rule_put(client, bucket, console.address)
    send(page, bucket, "gone/first", 1)
    client.delete_bucket_cors(Bucket=bucket, Region=REGION)

    assert send(page, bucket, "gone/second", 17) == ["received", "console", None]

    stored(client, bucket, "gone/second", 17)
    assert hosts(sent) == {host_of(bucket), "127.0.0.1"}
    forgive(complaints)


def test_rule_that_goes_in_the_middle(
    page: Page,
    client: CosClient,
    console: RunningConsole,
    bucket: str,
    sent: list[Request],
    complaints: list[str],
) -> None:
    rule_put(client, bucket, console.address)
    told: list[str] = []

    def on_report(request: Request) -> None:
        if not request.url.endswith("/parts/"):
            return
        told.append(request.url)
        if len(told) == 2:
            client.delete_bucket_cors(Bucket=bucket, Region=REGION)

    page.on("request", on_report)
    # Two parts get through at once; the others are on their way when the rule is taken away.
    console.faults(
        {"kind": "drip", "operation": "UploadPart", "skip": 2, "count": 2, "bytes_per_second": 4 * MIB}
    )

    assert send(page, bucket, "middle/large", 49) == ["received", "console", None]

    stored(client, bucket, "middle/large", 49)
    slices = [request for request in sent if "/slices/" in request.url]
    assert 0 < len(slices) <= 5
    forgive(complaints)


def test_page_that_was_closed_goes_on_where_it_was(
    page: Page, client: CosClient, console: RunningConsole, bucket: str, sent: list[Request]
) -> None:
    rule_put(client, bucket, console.address)
    told: list[str] = []

    def on_report(request: Request) -> None:
        if request.url.endswith("/parts/"):
            told.append(request.url)

    page.on("requestfinished", on_report)
    console.faults({"kind": "delay", "operation": "UploadPart", "skip": 2, "count": None, "seconds": 30})
    page.goto("/jobs/")
    page.evaluate(f"(given) => {{ ({SEND})(given); }}", [f"/b/demo-store/{bucket}/uploads/", "k", 41, False])
    wait_for(lambda: page.wait_for_timeout(50) or len(told) >= 2, seconds=30, why="No part was stored.")
    page.goto("about:blank")
    console.faults()
    before = len(sent)

    page.goto("/jobs/")
    ended = page.evaluate(RESUME, ["k", 41, told[0].removesuffix("parts/")])

    assert ended == ["received", "direct", 2]
    stored(client, bucket, "k", 41)
    assert len(sent) - before == 4


def test_missing_rule_is_added_from_the_page_that_misses_it(
    page: Page, client: CosClient, console: RunningConsole, bucket: str, sent: list[Request]
) -> None:
    page.goto(f"/b/demo-store/{bucket}/uploads/path/")
    expect(page.get_by_role("heading", name="Files go through the console")).to_be_visible()
    shot(page, "direct-rule-missing")
    page.get_by_role("button", name="Review this rule").click()
    expect(page.get_by_text("may send PUT without further headers").first).to_be_visible()
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("Saved the CORS rules.")).to_be_visible()
    page.get_by_role("link", name="Uploads").click()
    expect(page.get_by_role("heading", name="Files go directly from the browser")).to_be_visible()
    shot(page, "direct-rule-there")
    # Nothing may pass the console from now on.
    page.get_by_label("Only direct: no byte may pass the console").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("No byte may pass the console:")).to_be_visible()

    assert send(page, bucket, "only/direct", 9) == ["received", "direct", None]

    stored(client, bucket, "only/direct", 9)
    assert hosts(sent) == {host_of(bucket)}
    page.goto(f"/b/demo-store/{bucket}/object/?key=only/direct")
    expect(page.get_by_text("2 parts and the whole compared by CRC-64")).to_be_visible()
    shot(page, "direct-verified")


def forgive(complaints: list[str]) -> None:
    """A browser reports each preflight that it does not like."""
    complaints[:] = [
        text for text in complaints if "CORS policy" not in text and "net::ERR_FAILED" not in text
    ]


def test_upload_goes_on_after_signing_in_again_elsewhere(
    page: Page, client: CosClient, bucket: str, console: RunningConsole
) -> None:
    rule_put(client, bucket, console.address)
    page.goto(f"/b/demo-store/{bucket}/objects/")
    # To sign in changes this cookie in all tabs; the page still holds what belongs to the former one.
    page.context.add_cookies(
        [{"name": "console_csrf", "value": secrets.token_hex(16), "url": console.address}]
    )

    ended = page.evaluate(SEND, [f"/b/demo-store/{bucket}/uploads/", "again.mp4", 1, False])

    assert ended == ["received", "direct", None]
