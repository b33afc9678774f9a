"""What is in a bucket: counted, drawn, searched and sorted, in a browser."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import RunningConsole, shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

BUCKET = "website-1250000000"
AT = f"/b/demo-store/{BUCKET}"
KEYS = 2600


@pytest.fixture(scope="module")
def _filled(_running_console: RunningConsole) -> None:
    """Invoices of forty customers, laid straight into the store's index."""
    columns = "bucket, key, size, etag, modified_ms, storage_class, owner, crc64, fields, segments"
    fixed = ("0" * 32, 1_700_000_000_000, "STANDARD", "100000000001", "0", "[]", "[]")
    values = (
        (
            BUCKET,
            f"invoices/customer-{number % 40:02}/Invoice-{number:05}.pdf".encode(),
            number * 1000,
            *fixed,
        )
        for number in range(KEYS)
    )
    db = sqlite3.connect(_running_console.folder / "store" / "index.sqlite3", timeout=30)
    with closing(db), db:
        db.executemany(f"INSERT OR REPLACE INTO objects({columns}) VALUES(?,?,?,?,?,?,?,?,?,?)", values)


@pytest.mark.usefixtures("_filled")
def test_bucket_is_counted_drawn_searched_and_sorted(page: Page) -> None:
    page.goto(f"{AT}/")
    page.get_by_role("button", name=re.compile("Count (now|again)")).click()
    expect(page.locator("#bucket-figures")).to_contain_text("100 % of keys", timeout=30_000)
    shot(page, "figures")

    tile = page.locator(".treemap-wide a.tile").filter(has_text="invoices/")
    expect(tile).to_be_visible()
    page.get_by_role("link", name="Objects", exact=True).nth(-1).click()
    expect(page.locator("#bucket-figures [aria-current]")).to_have_text("Objects")
    page.locator(".treemap-wide a.tile").filter(has_text="invoices/").click()
    expect(page).to_have_url(re.compile(r"/objects/\?prefix=invoices/"))

    page.goto(f"{AT}/")
    expect(page.locator("#bucket-figures .bars").first).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "figures-phone")
    page.set_viewport_size({"width": 1280, "height": 800})

    page.goto(f"{AT}/search/")
    words, results = page.get_by_label("Key contains"), page.locator("#search-results")
    first = page.locator("tbody tr").first
    words.fill("INVOICE customer-07")
    expect(results).to_contain_text("65 matches")
    page.get_by_role("link", name="Size").click()
    expect(first).to_contain_text("Invoice-02567.pdf")
    words.fill("invoice")
    expect(results).to_contain_text("2,600 matches in all")
    expect(first).to_contain_text("Invoice-02599.pdf")
    shot(page, "search")

    page.get_by_role("link", name="Next").click()
    expect(first).to_contain_text("Invoice-02499.pdf")
    expect(results).to_contain_text("101–200")
    page.reload()
    expect(first).to_contain_text("Invoice-02499.pdf")
    page.get_by_role("link", name="Previous").click()
    expect(first).to_contain_text("Invoice-02599.pdf")


@pytest.mark.usefixtures("_filled")
def test_folder_is_measured_in_its_row(page: Page) -> None:
    page.goto(f"{AT}/objects/")

    row = page.locator("tbody tr").filter(has_text="invoices/")
    row.get_by_role("link", name="count it").click()

    expect(row).to_contain_text("2,600 objects")
    shot(page, "folder-size")
