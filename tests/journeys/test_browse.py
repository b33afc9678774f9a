"""A folder of several pages: sorted, filtered, walked through with the keyboard, and shown to a colleague."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.journeys.running import RunningConsole, shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

BUCKET = "team-files-1250000000"
LIST = f"/b/demo-store/{BUCKET}/objects/"
FOLDER = f"{LIST}?prefix=browse/&limit=50"
COUNT = 120


@pytest.fixture(scope="module")
def _full(_running_console: RunningConsole) -> None:
    account = json.loads((_running_console.folder / "store" / "accounts.json").read_text())[0]
    client = CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{_running_console.store_port}"),
    )

    def put(number: int) -> None:
        client.put_object(
            Bucket=BUCKET,
            Region="ap-guangzhou",
            Key=f"browse/page-{number:03}.txt",
            Body=b"x" * number,
            ContentType="text/plain",
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(COUNT)))


@pytest.fixture
def folder(page: Page, _full: None) -> Page:
    page.goto(FOLDER)
    wait_for_keys(page)
    return page


def wait_for_keys(page: Page) -> None:
    """Wait for the scripts of a page that was just loaded: the buttons of rows are theirs."""
    expect(page.locator("tbody .row-menu").first).to_be_visible()


def name_of_focus(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.textContent")
    return text


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_pages_say_what_they_are(folder: Page) -> None:
    summary = folder.locator(".pages-summary")
    expect(summary).to_contain_text("1–50, more follow")

    folder.get_by_role("link", name="Next").click()
    expect(summary).to_contain_text("51–100, more follow")
    folder.get_by_role("link", name="Size", exact=True).click()
    expect(summary).to_contain_text("the smallest first, within this page only")
    expect(folder.locator("th.c-size")).to_have_attribute("aria-sort", "ascending")
    folder.reload()
    expect(summary).to_contain_text("51–100, more follow")

    folder.locator("details.filter summary").click()
    folder.get_by_label("Size from").fill("97 B")
    folder.get_by_role("button", name="Apply").click()
    expect(folder.locator(".list-note")).to_contain_text("Filtered: ")
    expect(folder).to_have_url(re.compile(r"min_size=97%20B"))
    expect(folder).not_to_have_url(re.compile(r"contains=(&|$)"))
    shot(folder, "browse-filtered")
    folder.get_by_role("link", name="Clear the filter").first.click()
    folder.get_by_role("link", name="Previous").or_(summary).first.wait_for()


def test_keyboard_walks_selects_and_opens(folder: Page) -> None:
    press(folder, "j", "j", "k")
    assert name_of_focus(folder) == "page-000.txt"

    press(folder, "x", "Shift+ArrowDown", "Shift+ArrowDown")
    expect(folder.locator("[data-bulk-count]")).to_contain_text("3 selected · 3 B")
    press(folder, "]")
    expect(folder.locator(".pages-summary")).to_contain_text("51–100")
    expect(folder.locator("[data-bulk-count]")).to_contain_text("3 on other pages")
    expect(folder.locator("#r0")).to_be_focused()
    press(folder, "Space", "[")
    expect(folder.locator(".pages-summary")).to_contain_text("1–50")
    expect(folder.locator("tbody input:checked")).to_have_count(3)
    expect(folder.locator("[data-bulk-count]")).to_contain_text("4 selected")
    shot(folder, "browse-selected")

    press(folder, "Control+a", "Control+a")
    expect(folder.get_by_label("All of this folder")).to_be_checked()
    press(folder, "Escape")
    expect(folder.locator("[data-bulk]")).to_be_hidden()

    press(folder, "/")
    expect(folder.locator("#find")).to_be_focused()
    folder.keyboard.type("page-11")
    expect(folder.locator("tbody tr")).to_have_count(10)
    expect(folder.locator("#find")).to_have_value("page-11")


def test_menu_and_help_are_reached_by_keys(folder: Page) -> None:
    press(folder, "j", ".")
    menu = folder.get_by_role("menu", name="Actions")
    expect(menu.get_by_role("menuitem", name="Open")).to_be_focused()
    expect(menu.get_by_role("menuitem", name="Delete")).to_have_attribute(
        "href", re.compile(r"key=browse/page-000\.txt")
    )
    press(folder, "Escape")
    assert name_of_focus(folder) == "page-000.txt"

    press(folder, "?")
    help_ = folder.get_by_role("dialog", name="Keyboard")
    expect(help_).to_contain_text("Select the page; again, all that match")
    shot(folder, "browse-keys")
    help_.get_by_label("Keys act on this page").uncheck()
    press(folder, "Escape", "j")
    expect(folder.locator("tr.is-current")).to_have_count(1)
    assert name_of_focus(folder) == "page-000.txt"
    folder.evaluate("localStorage.clear()")

    press(folder, "Control+l")
    folder.keyboard.type("page-07")
    press(folder, "Enter")
    expect(folder).to_have_url(re.compile(r"prefix=browse%2F&find=page-07"))
    expect(folder.locator("tbody tr")).to_have_count(10)
    wait_for_keys(folder)
    press(folder, "u")
    expect(folder).to_have_url(re.compile(r"/objects/$"))


def test_colleague_sees_the_object_that_was_sent(
    folder: Page, context: BrowserContext, complaints: list[str]
) -> None:
    press(folder, "j", "i")
    drawer = folder.get_by_role("complementary", name="Object")
    expect(drawer).to_contain_text("page-000.txt")
    press(folder, "J")
    expect(drawer).to_contain_text("page-001.txt")
    expect(folder).to_have_url(re.compile(r"open=browse/page-001\.txt"))
    shot(folder, "browse-drawer")

    colleague = context.new_page()
    colleague.goto(folder.url)
    expect(colleague.get_by_role("complementary", name="Object")).to_contain_text("page-001.txt")

    press(folder, "Escape")
    expect(drawer).to_be_hidden()
    assert name_of_focus(folder) == "page-001.txt"
    expect(folder).not_to_have_url(re.compile("open="))


def test_columns_are_filled_in_as_they_come_into_view(folder: Page) -> None:
    folder.locator("summary", has_text="Columns").click()
    folder.get_by_label("Type", exact=True).check()
    folder.get_by_role("button", name="Show these").click()

    expect(folder.locator("tbody tr").first.locator(".c-type")).to_have_text("text/plain")
    expect(folder.locator("tbody tr").first.locator(".c-access")).to_contain_text("Inherits")
    folder.locator("tbody tr").last.scroll_into_view_if_needed()
    expect(folder.locator("tbody tr").last.locator(".c-access")).to_contain_text("Inherits")


def test_list_works_without_a_script(folder: Page, context: BrowserContext) -> None:
    plain = context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(folder.url)
    page.locator("tbody input[name=key]").first.check()
    expect(page.locator("[data-bulk]").get_by_role("button", name="Delete")).to_be_visible()
    page.locator(".unread").first.click()
    expect(page.locator("tbody tr").first).to_contain_text("Inherits")
    plain.close()
