"""Every page can be read: by contrast in both themes, by name and role for a screen reader, on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

PAGES = ["/buckets/", "/buckets/new/", "/jobs/", "/jobs/?state=parked", "/connections/", "/connections/new/"]
PAGES += ["/password/", "/b/demo-store/team-files-1250000000/objects/", "/links/"]
BUCKET = "/b/demo-store/team-files-1250000000"
PAGES += [f"{BUCKET}/{page}" for page in ("", "unfinished/", "danger/", "empty/", "delete/")]
PAGES += [f"{BUCKET}/unfinished/abort-all/"]
PAGES += [f"{BUCKET}/share/?key=README.md"]
PAGES += [f"{BUCKET}/access/", f"{BUCKET}/object/access/?key=README.md", "/explain/"]
PAGES += ["/explain/?connection=demo-store&bucket=website-1250000000&key=.env"]
PAGES += [f"{BUCKET}/cors/", f"{BUCKET}/cors/lab/?live=1", f"{BUCKET}/tags/"]
PAGES += ["/b/demo-store/website-1250000000/cors/"]
PAGES += [f"{BUCKET}/{page}" for page in ("search/", "figures/", "size/?prefix=media/")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
PHONE_WIDTH = 360
OBJECT = f"{BUCKET}/object/"
PAGES += [f"{OBJECT}?key=README.md", f"{OBJECT}?key=projects/aurora/budget.csv&tab=preview"]
PAGES += [f"{OBJECT}?key=README.md&tab={tab}" for tab in ("access", "headers", "links")]
PAGES += [f"{OBJECT}headers/?key=README.md", f"{OBJECT}read/?key=README.md&do=get"]
PAGES += [f"{BUCKET}/objects/zip/?prefix=projects/"]


def assert_readable(page: Page) -> None:
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        found = Axe().run(page, options=RULES)
        assert found.response["passes"]
        assert found.violations_count == 0, f"{theme}: {found.generate_report()}"


def assert_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH


@pytest.mark.parametrize("path", PAGES)
def test_page_can_be_read_in_both_themes_and_on_a_phone(page: Page, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)

    assert_readable(page)
    assert_fits_a_phone(page)


@pytest.mark.parametrize("path", PAGES)
def test_chinese_fits_a_phone(page: Page, path: str) -> None:
    language = {"name": "console_language", "value": "zh-hans", "domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([language])  # type: ignore[list-item]
    page.goto(path)

    assert_fits_a_phone(page)


def test_sign_in_page_can_be_read(context: BrowserContext) -> None:
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto("/sign-in/")

    assert_readable(page)
    assert_fits_a_phone(page)
