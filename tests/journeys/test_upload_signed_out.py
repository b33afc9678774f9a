"""Whoever is signed out in the middle of an upload signs in on another page, and it goes on where it was."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import RunningConsole, shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(120)]

BUCKET = "/b/demo-store/team-files-1250000000/"
FILES = 60


def sign_in(page: Page, console: RunningConsole) -> None:
    other = page.context.new_page()
    other.goto(console.link())
    other.locator("main button[type=submit]").click()
    expect(other.locator(".rail")).to_be_visible()
    other.close()


def test_upload_waits_for_its_person(page: Page, console: RunningConsole, complaints: list[str]) -> None:
    folder = f"out-{secrets.token_hex(3)}/"
    page.goto(f"{BUCKET}objects/?prefix={folder}")
    page.set_input_files(
        "[data-upload-pick=files]",
        [{"name": f"{n:03}.txt", "mimeType": "text/plain", "buffer": b"%d" % n} for n in range(FILES)],
    )
    start = page.locator("[data-sheet-start]")
    expect(start).to_be_enabled(timeout=30_000)

    page.context.clear_cookies(name="console_session")
    start.click()
    expect(page.locator("[data-sheet-problem]")).to_contain_text("signed out")
    shot(page, "upload-signed-out")
    sign_in(page, console)
    # While the files are on their way, too.
    page.route("**/pack/**", lambda route: route.abort())
    start.click()
    line = page.locator("[data-batch-line]")
    expect(line).to_contain_text("cannot be reached", timeout=20_000)
    page.context.clear_cookies(name="console_session")
    page.unroute_all()
    expect(line.get_by_role("button", name="Try again")).to_be_visible(timeout=30_000)
    page.evaluate("htmx.trigger(document.body, 'job:poll')")
    expect(page.locator("#toasts")).to_contain_text("on another page")
    sign_in(page, console)
    line.get_by_role("button", name="Try again").click()

    expect(line).to_have_count(0, timeout=60_000)
    expect(page.locator("#object-list")).to_contain_text(f"0{FILES - 1}.txt", timeout=30_000)
    complaints[:] = [said for said in complaints if "401" not in said and "ERR_FAILED" not in said]
