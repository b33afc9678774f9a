"""Every page can be read: by contrast in both themes, by name and role for a screen reader, on a phone.

The pages are those of the URLconf; EXTRA has other faces of them, with a filter, a tab or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from apps.storage.cos import CosClient
from tests.house.needs import NEEDS, Need
from tests.house.test_routes import ROUTES
from tests.journeys.test_resuming import foreign_upload, unfinished
from tests.journeys.test_survival import BUCKET as FILES
from tests.journeys.test_survival import REGION, client

__all__ = ["client"]

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

EXAMPLES = {"connection": "demo-store", "bucket": "team-files-1250000000"}
BUCKET = reverse("buckets:overview", kwargs=EXAMPLES).rstrip("/")
OBJECT = f"{BUCKET}/object/"
# Answers to GET that are no page of their own: fragments, files, streams, signs of life.
NO_PAGE = {
    "access:tags-suggestions",
    "accounts:health",
    "activity:export-csv",
    "activity:export-json",
    "batches:folders",
    "batches:job-parts",
    "batches:receipt",
    "buckets:facts",
    "buckets:name-check",
    "inventory:job-parts",
    "jobs:events",
    "jobs:files",
    "jobs:tray",
    "objects:content",
    "objects:download",
    "objects:preview",
    "objects:siblings",
    "set_language",
    "transfers:digests",
    "transfers:direct-worker",
    "transfers:job-place",
    "transfers:state",
    "transfers:upload-sheet",
    "transfers:unfinished-digests",
    "transfers:unfinished-count",
    "transfers:all-unfinished-count",
    "transfers:unfinished-parts",
    "transfers:job-parts",
    "transfers:uploads-state",
    "transfers:waiting",
}
# Pages of something that has to be begun first, as `test_pages_of_a_batch_can_be_read` does.
BEGUN = {"batches:ledger", "batches:options", "batches:plan", "jobs:detail"}
BEGUN |= {"transfers:unfinished-complete", "transfers:unfinished-upload"}
# Pages before anybody is signed in; one of them is looked at below.
GATES = {"accounts:sign-in", "accounts:sign-in-link"}
KEYED = {
    "objects:detail",
    "objects:headers",
    "objects:read",
    "objects:copy",
    "objects:delete",
    "access:object",
}
KEYED |= {"sharing:create"}
QUERY = {
    "objects:read": "&do=get",
    "objects:zip": "?prefix=projects/",
    "inventory:folder-size": "?prefix=media/",
}
QUERY |= {"access:lab": "?live=1"}
EXTRA = [
    "/jobs/?state=parked",
    "/search/?q=team",
    "/activity/?bucket=nothing",
    "/explain/?connection=demo-store&bucket=website-1250000000&key=.env",
    "/b/demo-store/website-1250000000/cors/",
    f"{OBJECT}?key=projects/aurora/budget.csv&tab=preview",
    *(f"{OBJECT}?key=README.md&tab={tab}" for tab in ("access", "headers", "links")),
    "/nowhere/",
]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# A theme changes colors and nothing else.
COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
NAMES = {"runOnly": {"type": "rule", "values": ["link-name", "button-name", "scrollable-region-focusable"]}}
PHONE_WIDTH = 360


def _pages() -> Iterator[str]:
    for name, parameters in ROUTES:
        needed = NEEDS.get(name, (None, None))[0]
        if needed is None or name in NO_PAGE | BEGUN | GATES or not set(parameters) <= set(EXAMPLES):
            continue
        path = reverse(name, kwargs={parameter: EXAMPLES[parameter] for parameter in parameters})
        yield path + "?key=README.md" * (name in KEYED) + QUERY.get(name, "")


PAGES = [*_pages(), *EXTRA]


def assert_readable(page: Page) -> None:
    for theme, rules in (("light", RULES), ("dark", COLORS)):
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        found = Axe().run(page, options=rules)
        assert found.response["passes"] or found.response["incomplete"]
        assert found.violations_count == 0, f"{theme}: {found.generate_report()}"


def assert_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH


def assert_no_name_is_lost(page: Page) -> None:
    """Buttons and links that shrink to their icon on a phone still have a name."""
    found = Axe().run(page, options=NAMES)
    assert found.violations_count == 0, found.generate_report()


def assert_is_named(page: Page) -> None:
    title, headings = page.title(), page.locator("h1:visible")
    assert title.endswith(" · COS Console")
    assert title != " · COS Console"
    assert headings.count() == 1
    assert headings.inner_text().strip()


def speak_chinese(page: Page) -> None:
    language = {"name": "console_language", "value": "zh-hans", "domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([language])  # type: ignore[list-item]


def test_every_page_with_a_parameter_has_an_example() -> None:
    named = {name for name, parameters in ROUTES if not set(parameters) <= set(EXAMPLES)}
    unknown = {name for name in named if NEEDS.get(name, (None, None))[0] not in {None, Need.OPEN}}

    assert unknown <= NO_PAGE | BEGUN, "Add an example to EXAMPLES, or the page to BEGUN or NO_PAGE."


@pytest.mark.parametrize("path", PAGES)
def test_page_can_be_read_in_both_themes_and_languages(page: Page, complaints: list[str], path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)

    assert_is_named(page)
    assert_readable(page)
    assert_fits_a_phone(page)
    assert_no_name_is_lost(page)

    speak_chinese(page)
    page.reload()
    assert_fits_a_phone(page)
    if path == "/nowhere/":
        # The browser itself speaks of the status that the page was sent with.
        assert all("404" in complaint for complaint in complaints)
        complaints.clear()


def select_folders(page: Page) -> None:
    page.goto(f"{BUCKET}/objects/?prefix=projects/")
    for box in page.locator("#object-list tbody input[type=checkbox]").all()[:2]:
        box.check()
    expect(page.locator("[data-bulk-count]")).to_contain_text("2 selected")


@pytest.mark.parametrize("action", ["headers", "delete"])
def test_pages_of_a_batch_can_be_read(page: Page, action: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    select_folders(page)
    assert_readable(page)

    page.locator(f"[data-bulk] button[value={action}]").click()
    page.wait_for_url(re.compile("/jobs/.+/(options|plan)/"))
    expect(page.locator("main form :is(.btn-primary, .btn-danger)").first).to_be_visible(timeout=20_000)
    assert_is_named(page)
    assert_readable(page)
    assert_fits_a_phone(page)
    job = page.url.split("/jobs/")[1].split("/")[0]
    for path in (f"/jobs/{job}/", f"/jobs/{job}/objects/"):
        page.goto(path)
        page.wait_for_load_state("load")
        assert_is_named(page)
        assert_readable(page)
        assert_fits_a_phone(page)


def test_pages_of_an_unfinished_upload_can_be_read(page: Page, client: CosClient) -> None:
    key = "read/" + "a long name " * 8 + "中.bin"
    upload = foreign_upload(client, key, {1: bytes(1 << 20), 3: bytes(5)})
    page.emulate_media(reduced_motion="reduce")

    for name in ("upload", "complete"):
        page.goto(unfinished(name, key, upload))
        page.wait_for_load_state("load")
        assert_is_named(page)
        assert_readable(page)
        assert_fits_a_phone(page)
    client.multipart_abort(Bucket=FILES, Region=REGION, Key=key, UploadId=upload)


def test_sign_in_page_can_be_read(context: BrowserContext) -> None:
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto("/sign-in/")

    assert_readable(page)
    assert_fits_a_phone(page)
