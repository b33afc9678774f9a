"""One object copied and moved to another connection: chosen, watched, and verified on the job's page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import RunningConsole, shot
from tests.journeys.test_accessibility import assert_fits_a_phone, assert_readable
from tests.journeys.test_batches import archive as archive

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(120)]

BUCKET = "team-files-1250000000"
COPY = f"/b/demo-store/{BUCKET}/object/copy/?key="


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page).to_have_url(re.compile("/jobs/"))


def test_copy_to_another_connection_and_a_move_back(
    page: Page, console: RunningConsole, archive: str, complaints: list[str]
) -> None:
    first = page.request.get(f"/b/demo-store/{BUCKET}/objects/").text()
    found = re.search(r"/object/\?key=([^\"&]+)\"", first)
    assert found is not None
    source = found[1]
    page.goto(f"{COPY}{source}")
    page.select_option("[name=bucket]", f"{archive}/website-1250000000")
    page.fill("[name=key]", "journey/copied.bin")
    page.get_by_text("More options").click()
    shot(page, "copy-form")
    page.fill("[name=part_size]", "much")
    start_button = page.get_by_role("button", name="Start", exact=True)
    start_button.click()
    expect(page.locator(".field-error")).to_contain_text("Write a number and a unit")
    expect(page.locator("[name=key]")).to_have_value("journey/copied.bin")
    shot(page, "copy-form-refused")
    page.fill("[name=part_size]", "")
    start(page)
    parts = page.locator("#job-parts")
    expect(parts).to_contain_text("Verified", timeout=30_000)
    expect(parts).to_contain_text("The copy has the CRC-64 of its source")
    shot(page, "copy-job")

    page.goto("/b/demo-store/website-1250000000/object/copy/?key=journey/copied.bin")
    page.select_option("[name=bucket]", f"{archive}/{BUCKET}")
    page.fill("[name=key]", "journey/moved.bin")
    page.check("[name=action][value=move]")
    start(page)

    expect(parts).to_contain_text("deleted after the copy was verified", timeout=30_000)
    shot(page, "move-job")
    assert_readable(page)
    assert_fits_a_phone(page)
    shot(page, "move-job-phone")
    assert page.request.get("/b/demo-store/website-1250000000/object/?key=journey/copied.bin").status == 404
    assert not complaints
