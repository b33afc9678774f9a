"""Many objects at once: select, read the plan, type the number, watch it, and try again what failed."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import RunningConsole, shot
from tests.journeys.test_accessibility import assert_fits_a_phone, assert_readable

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(120)]

LIST = "/b/demo-store/team-files-1250000000/objects/"
FAILS = {"kind": "error", "operation": "HeadObject", "status": 403, "count": 1}


def select(page: Page, prefix: str, name: str) -> None:
    page.goto(f"{LIST}?prefix={prefix}")
    page.locator("#rows tbody tr", has_text=name).first.locator("input[type=checkbox]").check()


def number_of(page: Page) -> str:
    label = page.get_by_text("Type the number of objects").inner_text()
    found = re.search(r": (\d+)", label)
    assert found is not None
    return found[1]


def confirm(page: Page, number: str) -> None:
    page.fill("[name=typed]", number)
    page.locator("form.confirm button[type=submit].btn-danger, form.confirm .btn-primary").click()


def assert_readable_here(page: Page) -> None:
    """Look with axe at a page that has no address of its own to be listed with the others."""
    size = page.viewport_size
    assert size is not None
    theme = page.evaluate("document.documentElement.getAttribute('data-bs-theme')")
    assert_readable(page)
    assert_fits_a_phone(page)
    page.set_viewport_size(size)
    page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)


@pytest.fixture
def archive(page: Page, console: RunningConsole) -> Iterator[str]:
    """A second connection, by another name of the host: no single key reaches both. Gives its slug."""
    account = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    slug = f"archive-{secrets.token_hex(3)}"
    page.goto("/connections/new/")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    page.fill("[name=name]", slug)
    page.fill("[name=appid]", "1250000000")
    page.fill("[name=secret_id]", account["secret_id"])
    page.fill("[name=secret_key]", account["secret_key"])
    page.select_option("[name=scheme]", "http")
    page.fill("[name=connect_to]", f"localhost:{console.store_port}")
    page.locator("main form button[type=submit].btn-primary").first.click()
    expect(page).to_have_url(re.compile(f"/connections/|{slug}"))
    yield slug
    page.goto(f"/connections/{slug}/delete/")
    page.locator("main form input[type=text]").fill(slug)
    page.locator("main form .btn-danger").click()
    expect(page).to_have_url(re.compile("/connections/$"))


def test_folder_is_copied_to_another_connection(page: Page, archive: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    folder = f"bulk-{secrets.token_hex(3)}"
    select(page, "projects/", "aurora")
    page.locator("[data-bulk] button[value=copy]").click()
    page.select_option("[name=bucket]", f"{archive}/archive-1250000000")
    page.get_by_text("Headers and metadata").first.click()
    assert_readable_here(page)
    shot(page, "batch-elsewhere-options")
    page.fill("[name=prefix]", folder)
    page.get_by_role("button", name="Make the plan").click()

    number = number_of(page)
    expect(page.get_by_text("are read and sent on by the workers")).to_be_visible()
    assert_readable_here(page)
    shot(page, "batch-elsewhere-plan")
    confirm(page, number)
    expect(page.locator("#job-detail .state-done")).to_be_visible(timeout=20_000)

    page.goto(f"/b/{archive}/archive-1250000000/objects/?prefix={folder}/")
    expect(page.locator("#rows tbody tr").first).to_contain_text("aurora")


def test_folder_is_copied_then_deleted_with_a_failure_that_is_tried_again(
    page: Page, console: RunningConsole, tmp_path: Path
) -> None:
    page.emulate_media(reduced_motion="reduce")
    folder = f"bulk-{secrets.token_hex(3)}"
    select(page, "projects/", "aurora")
    page.locator("[data-bulk] button[value=copy]").click()
    assert_readable_here(page)
    page.fill("[name=prefix]", "projects/aurora/deep")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_text("cannot go into itself")).to_be_visible()
    page.fill("[name=prefix]", folder)
    page.get_by_role("button", name="Make the plan").click()

    number = number_of(page)
    assert_readable_here(page)
    shot(page, "batch-plan")
    confirm(page, "1")
    expect(page.get_by_text("This is not the number of objects.")).to_be_visible()
    confirm(page, number)
    expect(page.locator("#job-detail .state-done")).to_be_visible(timeout=20_000)

    console.faults({**FAILS, "key": f"{folder}/aurora/[^/]*brief.md"})
    select(page, f"{folder}/", "aurora")
    page.locator("[data-bulk] button[value=delete]").click()
    assert number_of(page) == number
    confirm(page, number)
    expect(page.locator("#job-detail")).to_contain_text("Done with errors", timeout=20_000)
    expect(page.locator("#job-parts")).to_contain_text("1 × Denied")
    assert_readable_here(page)
    shot(page, "batch-failed")
    page.locator("#job-detail").get_by_role("button", name="Try again").click()
    expect(page.locator("#job-detail .state-done")).to_be_visible(timeout=20_000)

    with page.expect_download() as download:
        page.get_by_role("link", name="Receipt (JSON)").click()
    download.value.save_as(tmp_path / "receipt.json")
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert {line["state"] for line in receipt["objects"]} == {"done"}
    assert len(receipt["objects"]) == int(number)
    page.get_by_role("link", name="Done").click()
    assert_readable_here(page)
    page.goto(f"{LIST}?prefix={folder}/")
    expect(page.locator("#rows tbody tr")).to_have_count(0)
