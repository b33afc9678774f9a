"""Buckets by hand: found, made with tags and grants, kept from a deletion, and an object shared."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import CHROMIUM_ARGUMENTS
from tests.journeys.running import RunningConsole, shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

DEMO = "/b/demo-store/team-files-1250000000"


def test_list_is_filtered_by_what_was_read_off_the_buckets(page: Page) -> None:
    page.goto("/buckets/")
    rows = page.locator("#bucket-list tbody tr")
    expect(rows.filter(has_text="archive-")).to_contain_text("Public write!")
    expect(rows.filter(has_text="team-files-")).to_contain_text("Private")
    shot(page, "buckets-list")

    page.get_by_label("Access").select_option("public")
    expect(rows.filter(has_text="team-files-")).to_have_count(0)
    expect(rows.filter(has_text="archive-")).to_have_count(1)
    assert "access=public" in page.url

    page.get_by_label("Access").select_option("")
    page.get_by_label("Tag: key or key=value").fill("team=design")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("team-files-")


def test_bucket_is_made_with_grants_and_tags_after_its_name_was_looked_up(page: Page) -> None:
    page.goto("/buckets/new/")
    name, said = page.get_by_label("Name"), page.locator("#bucket-name-help")
    name.press_sequentially("Team")
    expect(said).to_contain_text("Capital letters are not possible")
    name.fill("team-files")
    expect(said).to_contain_text("You have a bucket with this name already")
    name.fill("journey-made")
    expect(said).to_contain_text("Free")

    page.get_by_label("Root account id").fill("100000000099")
    page.get_by_role("button", name="Another tag").click()
    expect(page.locator("#id_tags-1-key")).to_be_focused()
    page.locator("#id_tags-0-key").fill("team")
    page.locator("#id_tags-0-value").fill("journeys")
    page.locator("#id_tags-1-key").fill("env")
    shot(page, "buckets-new")
    name.press("Enter")

    expect(page.get_by_role("heading", name="journey-made-1250000000")).to_be_visible()
    main = page.locator("main")
    expect(main).to_contain_text("Shared: besides the owner, 1 account gets in by name.")
    expect(main).to_contain_text("journeys")
    shot(page, "buckets-overview")

    page.get_by_role("link", name="Empty or delete").click()
    page.get_by_role("link", name="Delete bucket").click()
    page.get_by_label("Name of the bucket").fill("journey-made-1250000000")
    page.get_by_role("button", name="Delete bucket").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted the bucket journey-made-1250000000.")


def test_deletion_names_what_blocks_it(page: Page) -> None:
    page.goto(f"{DEMO}/delete/")

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("This bucket is not empty")
    expect(problem).to_contain_text("README.md")
    shot(page, "buckets-delete-refused")
    problem.get_by_role("link", name="Objects lie in it").click()
    expect(page).to_have_url(re.compile(r"/objects/$"))


def test_shared_object_opens_without_a_session(page: Page, console: RunningConsole) -> None:
    page.goto(f"{DEMO}/share/?key=README.md")
    page.get_by_label("Works for").select_option("86400")
    page.get_by_role("button", name="Make the link").click()
    url = page.get_by_role("textbox", name="Link").input_value()
    page.goto("/links/")
    expect(page.locator("#link-list")).to_contain_text("README.md")
    assert "q-signature" not in page.content()
    shot(page, "buckets-links")

    arguments = [
        *CHROMIUM_ARGUMENTS,
        f"--host-resolver-rules=MAP *.myqcloud.com 127.0.0.1:{console.store_port}",
    ]
    outside = page.context.browser.browser_type.launch(
        executable_path=shutil.which("chromium"), args=arguments
    )
    try:
        stranger = outside.new_page()
        with stranger.expect_download() as download:
            stranger.evaluate("url => { location.href = url }", url)
        assert download.value.suggested_filename == "README.md"
        assert (download.value.path()).read_bytes() != b""
    finally:
        outside.close()
