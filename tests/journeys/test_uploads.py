"""Many files at once: all of them arrive, however often the way there is interrupted."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.journeys.running import RunningConsole, Visitor, shot, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(300)]

BUCKET = "team-files-1250000000"
REGION = "ap-guangzhou"
MIB = 1 << 20
MANY = 2000
SLOW = {"kind": "delay", "operation": "PutObject", "seconds": 0.2, "count": None}
SLOW_PARTS = {"kind": "delay", "operation": "UploadPart*", "seconds": 0.5, "count": None}
REFUSED = {"kind": "error", "operation": "PutObject", "status": 403, "code": "AccessDenied", "count": None}


@pytest.fixture
def client(console: RunningConsole) -> CosClient:
    account = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    return CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{console.store_port}"),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / f"folder-{secrets.token_hex(3)}"
    path.mkdir()
    return path


def fill(folder: Path, count: int, size: int = 0) -> dict[str, str]:
    """Write small files that all differ, and return the MD5 of each by its key."""
    digests = {}
    for number in range(count):
        content = f"{number} of {folder.name}".encode() + b"." * size
        (folder / f"{number:04}.txt").write_bytes(content)
        digests[f"{folder.name}/{number:04}.txt"] = hashlib.md5(content).hexdigest()
    return digests


def send(page: Page, folder: Path) -> Locator:
    """Pick a folder, begin to send it, and return its line in the tray."""
    page.goto(f"/b/demo-store/{BUCKET}/objects/")
    # The sheet stays open for every upload, so that it need not be guessed whether it does.
    page.evaluate("localStorage.setItem('upload-ask', 'true')")
    page.set_input_files("[data-upload-pick=folder]", str(folder))
    page.locator("[data-sheet-start]").click(timeout=30_000)
    return page.locator("[data-batch-line]")


def stored(client: CosClient, folder: Path) -> dict[str, str]:
    """Return the MD5 of each object below the folder: each was stored in a single request, or its parts'."""
    pages: Any = client.get_bucket_pages(Bucket=BUCKET, Region=REGION, Prefix=f"{folder.name}/")
    entries = [entry for page in pages for entry in page.get("Contents") or []]
    return {entry["Key"]: entry["ETag"].strip('"') for entry in entries}


def state_of(visitor: Visitor, job: str) -> str:
    state: str = visitor.json(f"/transfers/{job}/files/")["state"]
    return state


def wait_until(visitor: Visitor, job: str, state: str, *, seconds: float = 120) -> None:
    wait_for(lambda: state_of(visitor, job) == state, seconds=seconds, why=f"The batch is not {state}.")


def job_of(line: Locator) -> str:
    expect(line).to_be_visible(timeout=30_000)
    return line.get_attribute("data-batch-line") or ""


def test_folder_of_two_thousand_files_arrives_while_pages_are_changed(
    page: Page, client: CosClient, visitor: Visitor, folder: Path
) -> None:
    digests = fill(folder, MANY)
    line = send(page, folder)
    job = job_of(line)

    page.locator(".rail a", has_text="Jobs").first.click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    expect(page.locator(f"#job-list [data-job='{job}']")).to_be_visible(timeout=20_000)
    expect(page.locator("#job-list [data-kind=upload]", has_text=folder.name)).to_have_count(0)
    expect(line).to_contain_text("files", timeout=20_000)
    shot(page, "many-files")

    wait_until(visitor, job, "done", seconds=240)
    expect(line).to_have_count(0)
    assert stored(client, folder) == digests
    assert visitor.json(f"/transfers/{job}/files/")["done"] == MANY


def test_pause_and_resume(
    page: Page, client: CosClient, visitor: Visitor, console: RunningConsole, folder: Path
) -> None:
    (folder / "film.bin").write_bytes(b"film" * (10 * MIB))
    digests = fill(folder, 20)
    console.faults(SLOW_PARTS)
    line = send(page, folder)
    job = job_of(line)
    line.get_by_role("button", name="Pause").click()
    expect(line.get_by_role("button", name="Resume")).to_be_visible()
    wait_until(visitor, job, "paused")
    shot(page, "many-paused")

    console.faults()
    line.get_by_role("button", name="Resume").click()

    wait_until(visitor, job, "done")
    found = stored(client, folder)
    assert len(found) == len(digests) + 1
    assert {key: found[key] for key in digests} == digests


def test_network_that_is_cut_is_waited_for(
    page: Page,
    context: BrowserContext,
    complaints: list[str],
    client: CosClient,
    visitor: Visitor,
    console: RunningConsole,
    folder: Path,
) -> None:
    digests = fill(folder, 300)
    console.faults(SLOW)
    line = send(page, folder)
    job = job_of(line)
    context.set_offline(True)
    expect(line).to_contain_text("The console cannot be reached.", timeout=30_000)
    shot(page, "many-offline")

    console.faults()
    context.set_offline(False)

    wait_until(visitor, job, "done")
    assert stored(client, folder) == digests
    # The browser reports each request that could not leave.
    complaints.clear()


def test_store_that_refuses_says_what_to_do_and_a_retry_finishes(
    page: Page, client: CosClient, visitor: Visitor, console: RunningConsole, folder: Path
) -> None:
    digests = fill(folder, 30)
    console.faults(REFUSED)
    send(page, folder)
    row = page.locator("#tray-jobs [data-kind=upload-many][data-state=parked]")
    expect(row).to_contain_text("The connection's key may not do this.", timeout=60_000)
    expect(row).to_contain_text("30 failed")
    job = row.get_attribute("data-job") or ""
    shot(page, "many-refused")

    console.faults()
    row.get_by_role("button", name="Try again").click()

    wait_until(visitor, job, "done")
    assert stored(client, folder) == digests
