"""CORS from a template to a test that fails, and back again; and tags from a paste."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.running import shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(120)]

BUCKET = "/b/demo-store/archive-1250000000"
APP = "https://app.example.com"
EVIL = "https://evil.example"


def cell(page: Page, origin: str, headers: str, method: str) -> Locator:
    """Return the cell of the lab once the store has answered."""
    expect(page.locator("#lab-grid:not([aria-busy])")).to_be_visible()
    rows = page.locator("#lab-grid tbody tr")
    rows = rows.filter(has=page.locator(".lab-origin", has_text=origin))
    row = rows.filter(has=page.locator(".lab-headers", has_text=headers))
    return row.locator(f"td[data-method={method}]")


def pin(page: Page, found: Locator, button: str, sentence: str) -> None:
    found.locator("summary").click()
    found.get_by_role("button", name=button).click()
    expect(page.locator("#pins")).to_contain_text(sentence)
    expect(page.locator("#pins tr").filter(has_text=sentence)).to_contain_text("Passed")


def test_rules_are_made_tried_pinned_broken_and_rolled_back(page: Page) -> None:
    page.goto(f"{BUCKET}/cors/")
    expect(page.get_by_text("No CORS rules")).to_be_visible()
    page.get_by_text("Add a rule from a template").click()
    page.get_by_label("Origin of the site").fill("https://*.example.com")
    page.get_by_role("button", name="Add this rule").click()
    expect(page.get_by_text("A template is for one site.")).to_be_visible()
    page.get_by_label("Origin of the site").fill(APP)
    page.get_by_role("button", name="Add this rule").click()
    expect(page.get_by_label("Origins")).to_have_value(APP)
    page.get_by_label("Origins").fill(f"{APP}\nhttp://old.example.com")
    page.get_by_role("button", name="Duplicate rule 1").click()
    expect(page.get_by_text("http://old.example.com is not encrypted").first).to_be_visible()
    expect(page.get_by_text("Never used: rule 1 fits everything")).to_be_visible()
    page.get_by_role("button", name="Remove rule 2").click()
    expect(page.locator(".cors-rule")).to_have_count(1)
    shot(page, "cors-rules")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("Rule 1 “browser-upload” is new.")).to_be_visible()
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("Saved the CORS rules.")).to_be_visible()

    page.get_by_role("link", name="CORS lab").click()
    uploads = "content-md5"
    expect(cell(page, APP, uploads, "PUT")).to_contain_text("Allowed")
    expect(cell(page, EVIL, uploads, "PUT")).to_contain_text("Refused")
    pin(page, cell(page, APP, uploads, "PUT"), "Pin: must be allowed", f"{APP} may PUT with authorization")
    pin(page, cell(page, EVIL, uploads, "PUT"), "Pin: must be refused", f"{EVIL} may not PUT with")
    shot(page, "cors-lab")

    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_label("Headers that may be sent").fill("content-md5")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("Will fail:")).to_be_visible()
    shot(page, "cors-review")
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("1 pinned test fails with the rules as they are now.")).to_be_visible()
    shot(page, "cors-failing")
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back: the rules are what they were before.")).to_be_visible()
    expect(page.get_by_text("All 2 pinned tests pass.")).to_be_visible()
    expect(page.get_by_label("Headers that may be sent")).to_have_value(
        "authorization\ncontent-type\ncontent-md5\nx-cos-security-token"
    )


def test_tags_are_pasted_reviewed_and_saved(page: Page) -> None:
    page.goto(f"{BUCKET}/tags/")
    page.get_by_text("Paste many").click()
    page.get_by_label("Lines like key=value").fill("team=archive\npurpose: old files\nnonsense\nqcs:x=1")
    page.get_by_role("button", name="Show what is understood").click()
    expect(page.get_by_text("Line 3: no key and value in “nonsense”.")).to_be_visible()
    expect(page.get_by_text("A key cannot begin with “qcs:”")).to_be_visible()
    page.get_by_role("button", name="Put them into the table").click()
    page.get_by_role("button", name="qcs:x").click()
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("New: purpose = old files")).to_be_visible()
    shot(page, "tags-review")
    page.get_by_role("button", name="Save tags").click()

    expect(page.get_by_text("Saved the tags.")).to_be_visible()
    expect(page.locator("input[value='old files']")).to_be_visible()
